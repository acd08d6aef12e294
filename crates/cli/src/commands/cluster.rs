//! `straddle token` and `straddle kubeconfig`: how `kubectl` gets into a cluster of the stack.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use straddle_engine::cluster::{ClusterDescription, ClusterProvider, Login};
use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::environment::{Environment, SystemEnvironment};
use straddle_engine::provider::{Account, Connection, ProviderError};

use crate::arguments::{ClusterArguments, KubeconfigArguments, TokenArguments};
use crate::commands::{Program, no_resources, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::replace_file::replace_file;
use crate::stack::Stack;

/// For how long a cluster takes a token, a minute left out.
const TOKEN_LIFETIME: Duration = Duration::from_mins(13);

/// Prints a token as `kubectl` takes it.
pub(crate) fn token(program: &Program, arguments: &TokenArguments) -> Result<Exit, Failure> {
    let arguments = &arguments.cluster;
    let stack = open(program, arguments)?;
    let now = SystemEnvironment.now();
    let token = runtime()?.block_on(async {
        let found = find(program, arguments, &stack).await?;
        let token = provider(program)?.token(&found.connection, &arguments.cluster).await;
        token.map_err(|error| failed(&found.account, &error))
    })?;
    let expires = now + TOKEN_LIFETIME;
    let credential = json!({
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "spec": { "interactive": false },
        "status": { "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "token": token },
    });
    program.terminal.stdout.line(&credential.to_string());
    Ok(Exit::Success)
}

/// Prints an entry of a kubeconfig that gets its tokens from this program, or puts it into a file.
pub(crate) fn kubeconfig(program: &Program, arguments: &KubeconfigArguments) -> Result<Exit, Failure> {
    let stack = open(program, &arguments.cluster)?;
    let found = runtime()?.block_on(find(program, &arguments.cluster, &stack))?;
    let login = login(arguments, &found)?;
    let provider = provider(program)?;
    let before = match &arguments.write {
        Some(path) => read(path)?,
        None => None,
    };
    let text = provider.kubeconfig(before.as_deref().unwrap_or_default(), &login).map_err(|error| {
        let path = arguments.write.as_deref().unwrap_or(Path::new("")).display();
        let problem = Diagnostic::error("no-kubeconfig", "the file is no kubeconfig")
            .with_detail(format!("{path}: {error}. It was left as it is."))
            .with_hint("Name another file with --write.");
        Failure::error(problem)
    })?;
    let Some(path) = &arguments.write else {
        program.terminal.stdout.write(&text);
        return Ok(Exit::Success);
    };
    match before {
        Some(_) => replace_file(path, text.as_bytes())?,
        None => create(path, &text).map_err(|error| Failure::file("write", path, &error))?,
    }
    let (name, path) = (&login.name, path.display());
    program.terminal.stderr.line(&format!("The context `{name}` is in {path} and is the current one."));
    Ok(Exit::Success)
}

/// A cluster of an account.
struct Found {
    account: Account,
    connection: Connection,
    description: ClusterDescription,
}

fn open(program: &Program, arguments: &ClusterArguments) -> Result<Stack, Failure> {
    Stack::reach(program, &arguments.spec, &arguments.state, &arguments.pace)
}

fn provider(program: &Program) -> Result<&dyn ClusterProvider, Failure> {
    let provider = program.registry.clusters().map(|provider| &**provider);
    provider.ok_or_else(|| Failure::error(Diagnostic::error("no-clusters", "this program knows no clusters")))
}

/// Finds the account of the spec that has the cluster.
async fn find(program: &Program, arguments: &ClusterArguments, stack: &Stack) -> Result<Found, Failure> {
    let is_asked =
        |account: &&Account| arguments.account.as_deref().is_none_or(|name| name == account.name.as_str());
    let accounts: Vec<_> = stack.spec.accounts.values().filter(is_asked).collect();
    let mut found = Vec::new();
    for account in &accounts {
        let connection = program.registry.provider().connect(account).await;
        let connection = connection.map_err(|error| failed(account, &error))?;
        let Some(clusters) = connection.clusters() else { continue };
        let description =
            clusters.describe(&arguments.cluster).await.map_err(|error| failed(account, &error))?;
        if let Some(description) = description {
            found.push(Found { account: (*account).clone(), connection, description });
        }
    }
    let names = |accounts: Vec<&Account>| {
        let names: Vec<_> = accounts.iter().map(|account| format!("`{}`", account.name)).collect();
        names.join(", ")
    };
    let problem = match found.len() {
        1 => return Ok(found.remove(0)),
        0 if accounts.is_empty() => Diagnostic::error("no-account", "the spec has no such account")
            .with_detail(format!("The accounts are {}.", names(stack.spec.accounts.values().collect()))),
        0 => Diagnostic::error("no-cluster", "there is no such cluster").with_detail(format!(
            "No cluster `{}` is in {}.",
            arguments.cluster,
            names(accounts)
        )),
        _ => Diagnostic::error("several-clusters", "several accounts have a cluster of this name")
            .with_detail(format!("They are {}.", names(found.iter().map(|found| &found.account).collect())))
            .with_hint("Name one with --account."),
    };
    Err(Failure::error(problem))
}

/// Returns what `kubectl` needs to know.
fn login(arguments: &KubeconfigArguments, found: &Found) -> Result<Login, Failure> {
    let cluster = &arguments.cluster;
    let (Some(endpoint), Some(certificate_authority)) =
        (found.description.endpoint.clone(), found.description.certificate_authority.clone())
    else {
        let problem = Diagnostic::error("cluster-not-ready", "the cluster cannot be reached yet")
            .with_detail(format!("EKS says that `{}` is {}.", cluster.cluster, found.description.status));
        return Err(Failure::error(problem));
    };
    let host = endpoint.strip_prefix("https://").unwrap_or(&endpoint);
    let host = host.split(['/', ':']).next().unwrap_or(host).to_owned();
    let (server, tls_server_name) = match found.account.outside.address("https") {
        Some(address) => (format!("https://{address}"), Some(host)),
        None => (endpoint, None),
    };
    let program = std::env::current_exe().map_err(|error| no_resources("find the program", &error))?;
    Ok(Login {
        name: arguments.name.clone().unwrap_or_else(|| cluster.cluster.clone()),
        server,
        certificate_authority,
        tls_server_name,
        namespace: arguments.namespace.clone(),
        command: program.display().to_string(),
        arguments: token_arguments(cluster, &found.account)?,
    })
}

/// Returns the arguments by which this program prints tokens for the cluster, from whatever folder.
fn token_arguments(cluster: &ClusterArguments, account: &Account) -> Result<Vec<String>, Failure> {
    let absolute = |path: &Path| {
        let absolute = fs::canonicalize(path).map_err(|error| Failure::file("find", path, &error))?;
        Ok::<_, Failure>(absolute.display().to_string())
    };
    let mut words = vec!["token".to_owned(), absolute(&cluster.spec.path)?];
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    option("--cluster", cluster.cluster.clone());
    option("--account", account.name.to_string());
    let values = &cluster.spec.values;
    if let Some(environment) = &values.environment {
        option("--env", environment.clone());
    }
    for (key, value) in &values.variables {
        option("--var", format!("{key}={value}"));
    }
    for file in &values.variable_files {
        option("--var-file", absolute(file)?);
    }
    if let Some(directory) = &cluster.state.directory {
        option("--state-dir", absolute(directory)?);
    }
    if cluster.state.sandbox {
        words.push("--sandbox".to_owned());
    }
    Ok(words)
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("read", path, &error)),
    }
}

/// Writes a file that is not there yet, which nobody else may read.
fn create(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn failed(account: &Account, error: &ProviderError) -> Failure {
    let problem = Diagnostic::error("connect", format!("the account `{}` cannot be asked", account.name))
        .with_detail(format!("{error}."));
    Failure::error(problem)
}

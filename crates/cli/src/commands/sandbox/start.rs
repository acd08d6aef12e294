//! `straddle sandbox start`: here, or in a process of its own.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use straddle_engine::diagnostic::Diagnostic;
use straddle_sandbox::{Rules, Sandbox, SandboxError, SandboxSettings, Status, WorldSettings};

use super::client_environment::ClientEnvironment;
use super::{fault_file, files, store_failure};
use crate::arguments::SandboxStartArguments;
use crate::commands::{Program, no_resources, runtime, signals};
use crate::exit::Exit;
use crate::failure::Failure;

/// Starts a sandbox.
pub(super) fn run(program: &Program, arguments: &SandboxStartArguments) -> Result<Exit, Failure> {
    if arguments.background { start_another(program) } else { serve(program, arguments) }
}

fn serve(program: &Program, arguments: &SandboxStartArguments) -> Result<Exit, Failure> {
    let settings = settings(arguments)?;
    runtime()?.block_on(async {
        let mut signals = signals()?;
        let sandbox = Sandbox::open(settings).await.map_err(sandbox_failure)?;
        ClientEnvironment::new(&sandbox.status(), None).show(program);
        if !program.is_json {
            program.terminal.stderr.line("The sandbox serves until Ctrl-C.");
        }
        let end = async { _ = signals.next().await };
        sandbox.serve(end).await.map_err(sandbox_failure)
    })?;
    Ok(Exit::Success)
}

fn settings(arguments: &SandboxStartArguments) -> Result<SandboxSettings, Failure> {
    let rules = Rules {
        enforce_iam: arguments.enforce_iam,
        iam_delay: arguments.iam_delay.as_secs_f64(),
        consistency_window: arguments.consistency_window.as_secs_f64(),
    };
    let world = WorldSettings {
        accounts: arguments.accounts.iter().cloned().collect(),
        speed: arguments.speed,
        seed: arguments.seed,
        rules,
        ..WorldSettings::new(arguments.management.clone())
    };
    let file = Some(files(&arguments.world)?.world().to_owned());
    let faults = arguments.faults.as_deref().map(fault_file::read).transpose()?.unwrap_or_default();
    let SandboxStartArguments { port, tls_port, plain_port, chaos, .. } = *arguments;
    let region = arguments.region.clone();
    Ok(SandboxSettings { port, tls_port, plain_port, file, region, faults, chaos, world })
}

/// Says why a sandbox does not serve, and what to do.
pub(crate) fn sandbox_failure(error: SandboxError) -> Failure {
    match error {
        SandboxError::Store(error) => store_failure(error),
        SandboxError::Listen { address, source } => {
            let problem = Diagnostic::error("sandbox-port", "the sandbox cannot listen")
                .with_detail(format!("Nobody can listen on {address} now: {source}."))
                .with_hint("Choose another port with --port; 0 takes one that is free.");
            Failure::error(problem)
        }
        SandboxError::NotWritten(problem) => {
            let problem = Diagnostic::error("sandbox-file", "the world was not written down")
                .with_detail(format!("{problem}."));
            Failure::error(problem)
        }
    }
}

/// Starts the same command as a process of its own, and waits until it serves.
fn start_another(program: &Program) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| no_resources("start a process", &error);
    let arguments = std::env::args_os().skip(1).filter(|word| word != "--background" && word != "--json");
    let mut child = Command::new(std::env::current_exe().map_err(failed)?)
        .args(arguments)
        .arg("--json")
        // Ctrl-C at the terminal is not meant for it.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let stdout = child.stdout.take().expect("it was asked for");
    let first = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>().next();
    let first = first.and_then(Result::ok).unwrap_or_default();
    let status: Result<Status, _> = serde_json::from_value(first["sandbox"].clone());
    let Ok(status) = status else { return Err(not_started(&mut child, &first)) };
    ClientEnvironment::new(&status, None).show(program);
    if !program.is_json {
        let process = status.process_id;
        program
            .terminal
            .stderr
            .line(&format!("The sandbox serves as process {process} until `straddle sandbox stop`."));
    }
    Ok(Exit::Success)
}

/// Passes on what a process said that does not serve: a failure as JSON, or something unforeseen.
fn not_started(child: &mut Child, failure: &Value) -> Failure {
    let mut said = String::new();
    if let Some(stderr) = &mut child.stderr {
        drop(stderr.read_to_string(&mut said));
    }
    drop(child.wait());
    let is_locked = failure["exit_code"] == json!(Exit::Locked.code());
    let why = &failure["diagnostics"][0];
    let text = |name: &str| why[name].as_str().filter(|text| !text.is_empty());
    let other = if said.is_empty() { "It ended without a word." } else { &said };
    let problem = Diagnostic::error("sandbox", text("summary").unwrap_or("the sandbox does not start"))
        .with_detail(text("detail").unwrap_or(other));
    let problem = match text("hint") {
        Some(hint) => problem.with_hint(hint),
        None => problem,
    };
    Failure::new(if is_locked { Exit::Locked } else { Exit::Error }, problem)
}

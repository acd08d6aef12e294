//! Names and passwords for hosts, as `docker login` and `helm registry login` write them down.
//!
//! Source: <https://docs.docker.com/reference/cli/docker/login/>, configuration file and credential helpers.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use data_encoding::BASE64;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long a program may take that knows passwords.
const PATIENCE: Duration = Duration::from_secs(30);
/// What such a program says if it has none for a host.
const UNKNOWN: &str = "credentials not found";
/// The name of one that stands for a token that can be exchanged.
const TOKEN: &str = "<token>";
/// The files that names and passwords are in.
#[derive(Debug)]
pub(super) struct Credentials(Vec<PathBuf>);

/// Who somebody says to be.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Login {
    name: String,
    password: String,
}

/// The file as it is written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    auths: BTreeMap<String, Entry>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore")]
    store: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
}

/// What a program that knows passwords answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    username: String,
    secret: String,
}

impl Login {
    /// Returns what a host is told by the scheme `Basic`.
    pub(super) fn basic(&self) -> String {
        format!("Basic {}", BASE64.encode(format!("{}:{}", self.name, self.password).as_bytes()))
    }
}

impl Credentials {
    pub(super) fn of(files: &[PathBuf]) -> Self {
        Self(files.to_vec())
    }

    /// Returns the name and password for a host, if one of the files knows them.
    ///
    /// # Errors
    /// A file or a helper cannot be understood, as the end of a sentence.
    pub(super) async fn of_host(&self, host: &str) -> Result<Option<Login>, String> {
        for path in &self.0 {
            let text = match fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(format!("{}: {error}", path.display())),
            };
            // What is wrong is told without the text around it, which may be a password.
            let file: File = serde_json::from_str(&text).map_err(|error| {
                format!("{} is no file of logins (line {})", path.display(), error.line())
            })?;
            if let Some(login) =
                file.of_host(host).await.map_err(|error| format!("{}: {error}", path.display()))?
            {
                return Ok(Some(login));
            }
        }
        Ok(None)
    }
}

impl File {
    async fn of_host(&self, host: &str) -> Result<Option<Login>, String> {
        let key = |key: &str| host_of(key) == host;
        let helper = self.helpers.iter().find(|(name, _)| key(name)).map(|(_, helper)| helper);
        let helper = helper.or(Some(&self.store).filter(|store| !store.is_empty()));
        let entry = self.auths.iter().find(|(name, _)| key(name));
        if let Some(helper) = helper {
            let asked = entry.map_or(host, |(name, _)| name);
            if let Some(login) = ask(helper, asked).await? {
                return Ok(Some(login));
            }
        }
        match entry {
            Some((_, entry)) => entry.login(),
            None => Ok(None),
        }
    }
}

/// Returns the host that an entry is for: some are written as addresses.
fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

impl Entry {
    fn login(&self) -> Result<Option<Login>, String> {
        if self.auth.is_empty() {
            let login = Login { name: self.username.clone(), password: self.password.clone() };
            return Ok(Some(login).filter(|login| !login.name.is_empty()));
        }
        let plain = BASE64.decode(self.auth.trim().as_bytes()).ok();
        let plain = plain.and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = plain.as_ref().and_then(|plain| plain.split_once(':'));
        let (name, password) = pair.ok_or("an entry of `auths` is no name and password in Base64")?;
        Ok(Some(Login { name: name.to_owned(), password: password.trim_end_matches('\0').to_owned() }))
    }
}

/// Asks a program that knows passwords.
async fn ask(helper: &str, host: &str) -> Result<Option<Login>, String> {
    if !helper.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character)) {
        return Err(format!("`{}` is no name of a helper", helper.escape_debug()));
    }
    let program = format!("docker-credential-{helper}");
    let answer = tokio::time::timeout(PATIENCE, run(&program, host)).await;
    let answer = answer.map_err(|_| format!("{program} does not answer"))?;
    let (is_success, text) = answer.map_err(|error| format!("{program}: {error}"))?;
    if !is_success {
        return if text.contains(UNKNOWN) {
            Ok(None)
        } else {
            Err(format!("{program} fails: {}", text.trim()))
        };
    }
    let told: Told =
        serde_json::from_str(&text).map_err(|_| format!("{program} answers no name and password"))?;
    if told.username == TOKEN {
        return Err(format!("{program} has a token for {host} that only Docker can exchange"));
    }
    Ok(Some(Login { name: told.username, password: told.secret }))
}

/// Runs a program with a host as its input; returns whether all went well, and what it said.
async fn run(program: &str, host: &str) -> std::io::Result<(bool, String)> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // One that has ended before it was asked says so itself.
        drop(input.write_all(host.as_bytes()).await);
    }
    let output = child.wait_with_output().await?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn basic(text: &str, host: &str) -> Result<Option<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, text).unwrap();
        let files = [folder.path().join("missing.json"), path];
        let found = Credentials::of(&files).of_host(host).await;
        found.map(|login| login.map(|login| login.basic()))
    }

    #[tokio::test]
    async fn a_login_is_found_by_its_host_however_it_is_written() {
        let file = r#"{"auths": {
            "charts.example.com:5000": {"auth": "YTpi"},
            "https://index.docker.io/v1/": {"auth": "aHViOng6eQ=="},
            "https://plain.example.com/v2/": {"username": "u", "password": "p"},
            "empty.example.com": {}
        }}"#;
        for (host, expected) in [
            ("charts.example.com:5000", Some("Basic YTpi")),
            ("charts.example.com", None),
            ("index.docker.io", Some("Basic aHViOng6eQ==")),
            ("plain.example.com", Some("Basic dTpw")),
            ("empty.example.com", None),
        ] {
            assert_eq!(basic(file, host).await, Ok(expected.map(str::to_owned)), "{host}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_understood_is_told_without_what_is_in_it() {
        for (file, expected) in [
            ("{\"auths\": {\"x\": {\"auth\": 12345}}}", "config.json is no file of logins (line 1)"),
            (
                "{\"auths\": {\"x\": {\"auth\": \"geheim\"}}}",
                "an entry of `auths` is no name and password in Base64",
            ),
            ("{\"credsStore\": \"../x\"}", "`../x` is no name of a helper"),
            ("{\"credHelpers\": {\"x\": \"that-nobody-has\"}}", "docker-credential-that-nobody-has: "),
        ] {
            let error = basic(file, "x").await.expect_err("it cannot be understood");
            assert!(error.contains(expected) && !error.contains("geheim"), "{error}");
        }
    }
}

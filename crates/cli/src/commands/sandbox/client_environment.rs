//! The environment in which `aws` and SDKs talk to a sandbox.

use serde_json::{Map, Value, json};
use straddle_sandbox::{AccountId, Status};

use crate::commands::Program;
use crate::own_sandbox::SANDBOX_VARIABLE;

/// Variables that would lead a client elsewhere.
const ELSEWHERE: &[&str] = &["AWS_PROFILE", "AWS_SESSION_TOKEN"];

/// The environment of a client.
pub(super) struct ClientEnvironment<'a> {
    status: &'a Status,
    variables: Vec<(&'static str, String)>,
}

impl<'a> ClientEnvironment<'a> {
    /// Makes the environment of an account's administrator, or of the management account's.
    pub(super) fn new(status: &'a Status, account: Option<&AccountId>) -> Self {
        let key = account.map_or("test", AccountId::as_str);
        let variables = vec![
            ("AWS_ENDPOINT_URL", status.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", key.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", status.region.clone()),
            ("AWS_DEFAULT_REGION", status.region.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            (SANDBOX_VARIABLE, status.endpoint.clone()),
            ("STRADDLE_SANDBOX_TLS", status.outside.tls.to_string()),
            ("STRADDLE_SANDBOX_PLAIN", status.outside.plain.to_string()),
        ];
        Self { status, variables }
    }

    /// Prints it, for a shell or as JSON.
    pub(super) fn show(&self, program: &Program) {
        let stdout = &program.terminal.stdout;
        if program.is_json {
            stdout.line(&format!("{:#}", self.json()));
        } else {
            stdout.write(&self.shell());
        }
    }

    fn json(&self) -> Value {
        let variables: Map<_, _> =
            self.variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        json!({ "environment": variables, "sandbox": self.status })
    }

    fn shell(&self) -> String {
        let line =
            |(name, value): &(&str, String)| format!("export {name}='{}'\n", value.replace('\'', r"'\''"));
        let lines: String = self.variables.iter().map(line).collect();
        format!("unset {}\n{lines}", ELSEWHERE.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_nothing_for_its_own() {
        let status: Status = serde_json::from_value(json!({
            "process_id": 1, "version": "1", "endpoint": "http://127.0.0.1:1", "region": "a'$(b)",
            "world": null, "since": "1970-01-01T00:00:00Z", "time": "1970-01-01T00:00:00Z", "speed": 1.0,
            "management": "111111111111", "accounts": {}, "requests": 0,
            "outside": { "tls": "127.0.0.1:2", "plain": "127.0.0.1:3", "certificate_authority": "" },
        }))
        .unwrap();
        let text = ClientEnvironment::new(&status, None).shell();
        assert!(text.contains("export AWS_ENDPOINT_URL='http://127.0.0.1:1'\n"), "{text}");
        assert!(text.contains(r"export AWS_REGION='a'\''$(b)'"), "{text}");
        assert!(text.contains("export AWS_ACCESS_KEY_ID='test'\n"), "{text}");
        assert!(text.contains("export STRADDLE_SANDBOX='http://127.0.0.1:1'\n"), "{text}");
        assert!(text.contains("export STRADDLE_SANDBOX_TLS='127.0.0.1:2'\n"), "{text}");
        let account = "222222222222".parse().unwrap();
        let of_account = ClientEnvironment::new(&status, Some(&account)).json();
        assert_eq!(of_account["environment"]["AWS_ACCESS_KEY_ID"], "222222222222");
    }
}

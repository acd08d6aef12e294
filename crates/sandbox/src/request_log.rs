//! What was asked, by whom, and what came of it.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::{Answer, Parameters};
use crate::operations;
use crate::protocol::Service;

/// How many requests are kept in memory.
const MOST: usize = 10_000;
/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";
/// Parameters that are secrets, in any service.
const SECRETS: &[&str] = &[
    "ClientSecret",
    "Password",
    "SAMLAssertion",
    "SecretAccessKey",
    "TokenCode",
    "WebIdentityToken",
    "requestBody",
];

/// A request and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedRequest {
    /// Counts the requests of a sandbox from 1 on.
    pub sequence: u64,
    /// The world's time.
    pub time: Timestamp,
    /// The caller's account; empty if the credentials were refused.
    pub account: String,
    /// The caller, such as `arn:aws:iam::111122223333:root`; the access key if that was refused.
    pub principal: String,
    /// Such as `ec2`.
    pub service: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// Such as `CreateVpc`.
    pub operation: String,
    /// Without secrets.
    pub parameters: Map<String, Value>,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// The text of the refusal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The fault that a rule put in, such as `lost`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The id that the client got with the answer.
    pub request_id: String,
    /// How long the answer took.
    pub milliseconds: f64,
}

impl LoggedRequest {
    /// Tells whether it asked for a change. What a cluster only tries (`dryRun`) is none.
    #[must_use]
    pub fn is_write(&self) -> bool {
        let operation = self.service().and_then(|service| operations::find(service, &self.operation));
        let query = self.parameters.get("query").and_then(Value::as_str).unwrap_or_default();
        operation.is_some_and(|operation| !operation.is_read()) && !query.contains("dryRun")
    }

    /// Returns what policies call it, such as `ec2:CreateVpc`; `None` for what is asked of clusters.
    #[must_use]
    pub fn action(&self) -> Option<String> {
        let service = self.service().filter(|service| *service != Service::Kubernetes)?;
        Some(format!("{}:{}", service.prefix(), self.operation))
    }

    fn service(&self) -> Option<Service> {
        Service::ALL.into_iter().find(|service| service.scope() == self.service)
    }

    /// Notes what was answered.
    pub(crate) fn note_answer(&mut self, answer: &Answer) {
        if let Err(refusal) = answer {
            (self.outcome, self.message) = (refusal.code.clone(), refusal.message.clone());
        }
    }
}

/// The last requests.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: VecDeque<LoggedRequest>,
    /// How many there were.
    count: u64,
}

impl RequestLog {
    /// Adds a request, and returns it with its number.
    pub(crate) fn add(&mut self, entry: LoggedRequest) -> &LoggedRequest {
        self.count += 1;
        if self.entries.len() == MOST {
            self.entries.pop_front();
        }
        self.entries.push_back(LoggedRequest { sequence: self.count, ..entry });
        self.entries.back().expect("one was added")
    }

    /// Returns the requests that came after a number, as far as they are still known.
    pub(crate) fn after(&self, sequence: u64) -> impl Iterator<Item = &LoggedRequest> {
        let gone = self.count - self.entries.len() as u64;
        let skipped = usize::try_from(sequence.saturating_sub(gone)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skipped)
    }

    /// Returns how many requests there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }
}

/// Returns parameters without secrets, however deep these are.
pub(crate) fn without_secrets(parameters: &Parameters) -> Map<String, Value> {
    hidden(&parameters.0)
}

fn hidden(table: &Map<String, Value>) -> Map<String, Value> {
    fn within(value: &Value) -> Value {
        match value {
            Value::Object(table) => Value::Object(hidden(table)),
            Value::Array(items) => items.iter().map(within).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
    let hide = |(name, value): (&String, &Value)| {
        let is_secret = SECRETS.iter().any(|secret| secret.eq_ignore_ascii_case(name));
        (name.clone(), if is_secret { Value::from(HIDDEN) } else { within(value) })
    };
    table.iter().map(hide).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request() -> LoggedRequest {
        LoggedRequest {
            sequence: 0,
            time: Timestamp::UNIX_EPOCH,
            account: String::new(),
            principal: String::new(),
            service: "sts".to_owned(),
            region: "us-east-1".to_owned(),
            operation: "GetCallerIdentity".to_owned(),
            parameters: Map::new(),
            outcome: "ok".to_owned(),
            message: String::new(),
            fault: None,
            request_id: String::new(),
            milliseconds: 0.0,
        }
    }

    #[test]
    fn only_the_last_requests_are_kept() {
        let mut log = RequestLog::default();
        for _ in 0..MOST + 5 {
            log.add(request());
        }
        let first = log.after(0).next().map(|entry| entry.sequence);
        assert_eq!((first, log.after(0).count()), (Some(6), MOST));
        let last: Vec<_> = log.after(10_003).map(|entry| entry.sequence).collect();
        assert_eq!(last, [10_004, 10_005]);
        assert_eq!(log.after(20_000).count(), 0);
    }

    #[test]
    fn secrets_are_hidden() {
        let given = json!({
            "WebIdentityToken": "abc",
            "RoleArn": "arn:aws:iam::111111111111:role/x",
            "Actions": [{ "AuthenticateOidcConfig": { "ClientSecret": "abc" } }],
        });
        let Value::Object(given) = given else { unreachable!("it is written so") };
        let shown = without_secrets(&Parameters(given));
        assert_eq!(shown["WebIdentityToken"], HIDDEN);
        assert_eq!(shown["RoleArn"], "arn:aws:iam::111111111111:role/x");
        assert_eq!(shown["Actions"][0]["AuthenticateOidcConfig"]["ClientSecret"], HIDDEN);
    }
}

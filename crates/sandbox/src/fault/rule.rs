//! A rule: what goes wrong, and with which calls.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use straddle_engine::policy::pattern::matches;

use crate::call::Call;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The caller is told to slow down. Nothing is done.
    Throttle,
    /// The service fails before the work: 500, nothing is done.
    Before,
    /// The service fails after the work: 500, all is done.
    After,
    /// All is done, and the connection closes without an answer.
    Lost,
    /// The connection closes without an answer, and the work is done `seconds` of the world later.
    Late,
    /// All is done, and the answer comes `seconds` of ours later.
    Slow,
    /// The caller's credentials have expired. Nothing is done.
    Expired,
    /// The caller may not do this. Nothing is done.
    Denied,
    /// A read does not know what was made in the last `seconds` of the world.
    NotFound,
    /// The service has no room. Nothing is done.
    Capacity,
    /// What is made fails: it gets into a state that says `code` and `message`.
    Fails,
}

/// Which sort of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calls {
    /// Those that read and those that change something.
    #[default]
    All,
    /// Those that change nothing.
    Reads,
    /// Those that change something.
    Writes,
}

/// What goes wrong, and with which calls. What is left out matches everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Kind,
    /// The caller's account, by its number or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The caller, by the ARN or the name in the cluster; `*` and `?` as in `operation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The service, by its name in the scope of signatures, such as `ec2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The operation; `*` stands for any text, `?` for any character: `Create*`.
    #[serde(default = "anything")]
    pub operation: String,
    /// Whether reads or writes.
    #[serde(default)]
    pub calls: Calls,
    /// Parameters by their names, with patterns as of the operation. Lists match with any item.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// How many matching calls are spared at first.
    #[serde(default)]
    pub skip: u64,
    /// How many of them get the fault then.
    #[serde(default = "once")]
    pub count: u64,
    /// Whether all of them get it from then on.
    #[serde(default)]
    pub always: bool,
    /// For how many seconds of the world, from the first of them on, all of them get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasting: Option<f64>,
    /// For `late`, `slow` and `not_found`.
    #[serde(default = "some_seconds")]
    pub seconds: f64,
    /// Another code than the usual one, for `before`, `after`, `capacity` and `fails`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Another text than the usual one, for `before`, `after`, `capacity` and `fails`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What goes wrong with one call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) seconds: f64,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
}

impl FaultRule {
    /// Lets one call go wrong, of those by this operation of a service: the one after so many others.
    #[must_use]
    pub fn once(fault: Kind, service: &str, operation: &str, skip: u64) -> Self {
        Self {
            fault,
            account: None,
            principal: None,
            service: Some(service.to_owned()),
            operation: operation.to_owned(),
            calls: Calls::Writes,
            parameters: BTreeMap::new(),
            skip,
            count: once(),
            always: false,
            lasting: None,
            seconds: some_seconds(),
            code: None,
            message: None,
        }
    }

    pub(super) fn matches(&self, call: &Call, account: &str, is_read: bool) -> bool {
        let is_account = |wanted: &String| wanted == account || wanted == call.caller.account.as_str();
        let is_sort = match self.calls {
            Calls::All => true,
            Calls::Reads => is_read,
            Calls::Writes => !is_read,
        };
        is_sort
            && self.account.as_ref().is_none_or(is_account)
            && self.principal.as_ref().is_none_or(|pattern| matches(pattern, &call.caller.arn))
            && self.service.as_ref().is_none_or(|service| service == call.service.scope())
            && matches(&self.operation, &call.operation)
            && self
                .parameters
                .iter()
                .all(|(name, pattern)| call.parameters.0.get(name).is_some_and(|value| has(value, pattern)))
    }

    pub(super) fn fault(&self) -> Fault {
        let (code, message) = (self.code.clone(), self.message.clone());
        Fault { kind: self.fault, seconds: self.seconds, code, message }
    }
}

impl Kind {
    /// Returns its name in rules and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttle => "throttle",
            Self::Before => "before",
            Self::After => "after",
            Self::Lost => "lost",
            Self::Late => "late",
            Self::Slow => "slow",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Capacity => "capacity",
            Self::Fails => "fails",
        }
    }
}

/// Tells whether a text matches, or one that is somewhere in a list or table.
fn has(value: &Value, pattern: &str) -> bool {
    match value {
        Value::String(text) => matches(pattern, text),
        Value::Array(items) => items.iter().any(|item| has(item, pattern)),
        Value::Object(entries) => entries.values().any(|value| has(value, pattern)),
        Value::Bool(flag) => matches(pattern, &flag.to_string()),
        Value::Number(number) => matches(pattern, &number.to_string()),
        Value::Null => false,
    }
}

fn anything() -> String {
    "*".to_owned()
}

fn once() -> u64 {
    1
}

fn some_seconds() -> f64 {
    5.0
}

//! The policy of an endpoint: a table in the spec, JSON text in EC2.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use crate::ec2::check::problem;

/// Returns the policy that an endpoint has if none is set (EC2 user guide, "Default endpoint policy").
pub(super) fn full_access() -> Value {
    let text = |text: &str| Value::from(text);
    let statement = [("Effect", "Allow"), ("Principal", "*"), ("Action", "*"), ("Resource", "*")];
    let statement: ValueMap =
        statement.into_iter().map(|(name, value)| (name.to_owned(), text(value))).collect();
    let policy = [
        ("Version".to_owned(), text("2008-10-17")),
        ("Statement".to_owned(), Value::from(vec![Value::from(statement)])),
    ];
    Value::from(ValueMap::from(policy))
}

/// Returns the policy as EC2 takes it.
pub(super) fn to_text(policy: &Value) -> String {
    serde_json::to_string(policy).unwrap_or_default()
}

/// Returns the policy that EC2 has; what cannot be read is compared as text.
pub(super) fn from_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

/// Says what is wrong with a policy that is no table.
pub(super) fn check(inputs: &ValueMap) -> Option<Problem> {
    match inputs.get("policy")? {
        Value::Map(_) | Value::Unknown(_) | Value::Null => None,
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) | Value::List(_) => {
            Some(problem(
                "policy",
                "A policy is compared as data, so it is written as a table.",
                "Write a table, or for JSON text `\"${jsondecode(...)}\"`.",
            ))
        }
    }
}

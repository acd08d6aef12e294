//! Policy documents of IAM: who may do what. They are compared by what they mean.
//!
//! A single value is the same as a list of it, the order of statements and of the values in them
//! means nothing, and an account is the same as the ARN of its root (IAM user guide, "Grammar of
//! the IAM JSON policy language" and "AWS JSON policy elements: Principal").

pub mod grants;
pub mod pattern;

use crate::json;
use crate::schema::{AttributeType, AttributeValue, TypeMismatch};
use crate::spec::compare;
use crate::value::{Value, ValueMap};

/// A policy document. Two of them are equal if they mean the same.
#[derive(Debug, Clone)]
pub struct Policy(Value);

impl Policy {
    /// Reads a policy that a service returned. What is no JSON is kept, so that it differs from
    /// every policy.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(json::decode(text).unwrap_or_else(|_| Value::from(text)))
    }

    /// Returns the policy as JSON text, as services take it; `None` if a part of it is unknown.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        json::encode(&self.0)
    }
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl From<Value> for Policy {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl From<Policy> for Value {
    fn from(policy: Policy) -> Self {
        policy.0
    }
}

impl AttributeValue for Policy {
    fn attribute_type() -> AttributeType {
        AttributeType::Policy
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        AttributeType::Policy.check(value)?;
        Ok(Self(value.clone()))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

/// The elements of a statement whose values are a set (`Statement` itself aside).
const SETS: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];
/// The elements of a statement that name whom it is about.
const PRINCIPALS: [&str; 2] = ["Principal", "NotPrincipal"];

/// Tells whether two policies mean the same.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    let sorted = |policy: &Value| {
        let mut policy = canonical(policy);
        if let Value::Map(elements) = &mut policy
            && let Some(Value::List(statements)) = elements.get_mut("Statement")
        {
            statements.sort_by(compare);
        }
        policy
    };
    one == other || sorted(one) == sorted(other)
}

/// Puts a policy into the form in which what means the same is the same, but for the order of
/// the statements: single values become lists, and sets are sorted.
pub(crate) fn canonical(policy: &Value) -> Value {
    let Value::Map(elements) = policy else { return policy.clone() };
    let element = |(name, value): (&String, &Value)| {
        let value = match name.as_str() {
            "Statement" => Value::List(value.items().iter().map(statement).collect()),
            _ => value.clone(),
        };
        (name.clone(), value)
    };
    Value::Map(elements.iter().map(element).collect())
}

fn statement(statement: &Value) -> Value {
    let Value::Map(elements) = statement else { return statement.clone() };
    let element = |(name, value): (&String, &Value)| {
        let value = match name.as_str() {
            name if SETS.contains(&name) => set(value, Value::clone),
            name if PRINCIPALS.contains(&name) => principal(value),
            "Condition" => inside(value, |keys| inside(keys, |values| set(values, text))),
            _ => value.clone(),
        };
        (name.clone(), value)
    };
    Value::Map(elements.iter().map(element).collect())
}

/// Everybody can be written in two ways, and so can an account.
fn principal(principal: &Value) -> Value {
    if principal.as_str() == Some("*") {
        return Value::Map(ValueMap::from([("AWS".to_owned(), Value::from(vec!["*"]))]));
    }
    inside(principal, |names| set(names, account))
}

fn account(name: &Value) -> Value {
    let Some(("arn", rest)) = name.as_str().and_then(|name| name.split_once(':')) else {
        return name.clone();
    };
    let id = rest.split_once(":iam::").and_then(|(_, rest)| rest.strip_suffix(":root"));
    id.map_or_else(|| name.clone(), Value::from)
}

/// Condition values are texts, also where they are written as numbers or booleans.
fn text(value: &Value) -> Value {
    match value {
        Value::Bool(value) => Value::from(value.to_string()),
        Value::Integer(value) => Value::from(value.to_string()),
        Value::Float(value) => Value::from(value.to_string()),
        Value::Null | Value::String(_) | Value::List(_) | Value::Map(_) | Value::Unknown(_) => value.clone(),
    }
}

fn inside(table: &Value, change: impl Fn(&Value) -> Value) -> Value {
    let Value::Map(entries) = table else { return table.clone() };
    Value::Map(entries.iter().map(|(name, value)| (name.clone(), change(value))).collect())
}

fn set(value: &Value, change: impl Fn(&Value) -> Value) -> Value {
    let mut items: Vec<_> = value.items().iter().map(change).collect();
    items.sort_by(compare);
    items.dedup();
    Value::List(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        Policy::from_text(text)
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        let written = policy(
            r#"{"Version": "2012-10-17", "Statement": [
                {"Sid": "Read", "Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*",
                 "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                 "Condition": {"Bool": {"aws:SecureTransport": true}}},
                {"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": ["b", "a"]}]}"#,
        );
        let returned = policy(
            r#"{"Statement": [
                {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["s3:Put*"], "Resource": ["a", "b", "a"]},
                {"Effect": "Allow", "Action": ["s3:List*", "s3:Get*"], "Resource": ["*"], "Sid": "Read",
                 "Principal": {"AWS": ["111122223333"]},
                 "Condition": {"Bool": {"aws:SecureTransport": ["true"]}}}],
                "Version": "2012-10-17"}"#,
        );
        assert_eq!(written, returned);
        let single = policy(r#"{"Statement": {"Effect": "Allow", "Action": "a"}}"#);
        assert_eq!(single, policy(r#"{"Statement": [{"Effect": "Allow", "Action": ["a"]}]}"#));
    }

    #[test]
    fn what_means_something_else_differs() {
        let plain = policy(r#"{"Statement": [{"Sid": "A", "Action": "a", "Principal": {"AWS": "1"}}]}"#);
        for other in [
            r#"{"Statement": [{"Sid": "B", "Action": "a", "Principal": {"AWS": "1"}}]}"#,
            r#"{"Statement": [{"Sid": "A", "Action": ["a", "b"], "Principal": {"AWS": "1"}}]}"#,
            r#"{"Statement": [{"Sid": "A", "Action": "a", "Principal": {"AWS": "*"}}]}"#,
            r#"{"Statement": [{"Sid": "A", "Action": "a", "Principal": {"Service": "1"}}]}"#,
            r#"{"Statement": [{"Sid": "A", "NotAction": "a", "Principal": {"AWS": "1"}}]}"#,
            r#"{"Statement": []}"#,
            "not JSON",
        ] {
            assert_ne!(plain, policy(other), "{other}");
        }
        // A role is no account, and nothing but an account is shortened.
        let principal =
            |name: &str| policy(&format!(r#"{{"Statement": {{"Principal": {{"AWS": "{name}"}}}}}}"#));
        assert_ne!(principal("arn:aws:iam::111122223333:role/root"), principal("111122223333"));
    }
}

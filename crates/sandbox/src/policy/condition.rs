//! Conditions: operators, keys and values ("IAM JSON policy elements: Condition operators").

use std::collections::BTreeMap;

use serde_json::Value;
use straddle_engine::policy::pattern::matches;

use super::document::{Malformed, malformed, texts};

/// One operator with one key.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    operator: Operator,
    negated: bool,
    quantifier: Quantifier,
    if_exists: bool,
    /// In small letters.
    key: String,
    values: Vec<String>,
}

/// How one value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    EqualAnyCase,
    Like,
    Bool,
    /// Whether the key is absent.
    Null,
}

/// How a key with several values is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// The key has one value.
    One,
    Any,
    All,
}

impl Condition {
    /// Reads the `Condition` of a statement.
    pub(super) fn read_all(value: &Value) -> Result<Vec<Self>, Malformed> {
        let operators = value.as_object().ok_or_else(|| malformed("a Condition is an object"))?;
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let keys = keys.as_object().ok_or_else(|| malformed(format!("{operator} takes an object")))?;
            for (key, values) in keys {
                conditions.push(Self::read(operator, key, texts(values)?)?);
            }
        }
        Ok(conditions)
    }

    fn read(name: &str, key: &str, values: Vec<String>) -> Result<Self, Malformed> {
        let (quantifier, rest) = match name.split_once(':') {
            Some(("ForAnyValue", rest)) => (Quantifier::Any, rest),
            Some(("ForAllValues", rest)) => (Quantifier::All, rest),
            _ => (Quantifier::One, name),
        };
        let (if_exists, rest) = rest.strip_suffix("IfExists").map_or((false, rest), |rest| (true, rest));
        let (operator, negated) = match rest {
            "StringEquals" => (Operator::Equal, false),
            "StringNotEquals" => (Operator::Equal, true),
            "StringEqualsIgnoreCase" => (Operator::EqualAnyCase, false),
            "StringNotEqualsIgnoreCase" => (Operator::EqualAnyCase, true),
            // "ArnEquals and ArnLike behave identically."
            "StringLike" | "ArnLike" | "ArnEquals" => (Operator::Like, false),
            "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => (Operator::Like, true),
            "Bool" => (Operator::Bool, false),
            "Null" => (Operator::Null, false),
            _ => return Err(malformed(format!("the sandbox does not know the condition operator {name}"))),
        };
        Ok(Self { operator, negated, quantifier, if_exists, key: key.to_lowercase(), values })
    }

    /// Returns the key, in small letters.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Tells whether the condition holds for these values of keys.
    pub(super) fn holds(&self, context: &BTreeMap<String, Vec<String>>) -> bool {
        let found = context.get(&self.key).map(Vec::as_slice).filter(|values| !values.is_empty());
        if self.operator == Operator::Null {
            return self.values.iter().any(|value| (value == "true") == found.is_none());
        }
        let Some(found) = found else {
            // "If the key is not present, ForAllValues and negated operators are true."
            return self.if_exists || self.quantifier == Quantifier::All || self.negates_missing();
        };
        match self.quantifier {
            Quantifier::One | Quantifier::Any => found.iter().any(|value| self.accepts(value)),
            Quantifier::All => found.iter().all(|value| self.accepts(value)),
        }
    }

    fn negates_missing(&self) -> bool {
        self.negated && self.quantifier == Quantifier::One
    }

    fn accepts(&self, found: &str) -> bool {
        let any = self.values.iter().any(|wanted| match self.operator {
            Operator::Equal => wanted == found,
            Operator::EqualAnyCase | Operator::Bool => wanted.eq_ignore_ascii_case(found),
            Operator::Like => matches(wanted, found),
            Operator::Null => false,
        });
        any != self.negated
    }
}

//! Values that are not known yet, on their way through templates.
//!
//! Templates take text, and there is no following what they make of it. So a chart is rendered twice, with
//! two different texts in the place of each unknown value: whatever differs between the two depends on what
//! is unknown, however it was cut, joined, encoded or hashed. What a template decides by comparing an
//! unknown value with something is decided as if it were unequal; the apply renders anew with what is known
//! by then, and stops where that is something else than was planned.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value as Json;
use straddle_engine::value::{Unknown, Value};

/// How a stand-in looks: the word says in which rendering, the number for which value. Both have texts
/// of one length, which may be a part of a name.
static STAND_IN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("known(?:one|two)([0-9]{5})later").expect("the pattern is right"));

/// Which of the two texts stands in for what is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StandIn {
    One,
    Two,
}

impl StandIn {
    fn text(self, number: usize) -> String {
        let word = match self {
            Self::One => "one",
            Self::Two => "two",
        };
        format!("known{word}{number:05}later")
    }
}

/// Returns a value with stand-ins for what is not known; what they stand for is added to `unknowns` by
/// number, in the same order each time.
pub(super) fn with_stand_ins(value: &Value, stand_in: StandIn, unknowns: &mut Vec<Unknown>) -> Json {
    match value {
        Value::Unknown(unknown) => {
            let text = stand_in.text(unknowns.len());
            unknowns.push(unknown.clone());
            Json::from(text)
        }
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Integer(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::String(text) => Json::from(text.as_str()),
        Value::List(items) => items.iter().map(|item| with_stand_ins(item, stand_in, unknowns)).collect(),
        Value::Map(entries) => {
            let entry =
                |(key, value): (&String, &Value)| (key.clone(), with_stand_ins(value, stand_in, unknowns));
            Json::Object(entries.iter().map(entry).collect())
        }
    }
}

/// Returns the unknown value that something was made of which differs between the two.
pub(super) fn unknown_in(rendered: &Json, unknowns: &[Unknown]) -> Option<Value> {
    let text = rendered.as_str().map_or_else(|| rendered.to_string(), str::to_owned);
    let found = STAND_IN.captures(&text);
    let named = found.as_ref().and_then(|found| unknowns.get(found[1].parse::<usize>().ok()?));
    let is_whole = found.as_ref().is_some_and(|found| found[0] == text);
    match named {
        Some(unknown) if is_whole => Some(Value::Unknown(unknown.clone())),
        // What was hashed or encoded does not say which one it was.
        named => named.or(unknowns.first()).map(Unknown::derived),
    }
}

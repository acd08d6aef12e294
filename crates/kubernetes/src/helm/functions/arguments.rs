//! What functions take out of their arguments.

use std::rc::Rc;

use serde_json::Value;

use crate::helm::template::{CallError, GoValue, Table, to_json};

/// Returns an argument that has to be text.
pub(super) fn text(arguments: &[GoValue], index: usize) -> Result<Rc<str>, CallError> {
    match &arguments[index] {
        GoValue::Text(text) => Ok(Rc::clone(text)),
        other => Err(CallError::argument(index, "string", other.type_name())),
    }
}

/// Returns an argument that has to be `int`.
pub(super) fn int(arguments: &[GoValue], index: usize) -> Result<i64, CallError> {
    match &arguments[index] {
        GoValue::Int(number) | GoValue::Int64(number) => Ok(*number),
        other => Err(CallError::argument(index, "int", other.type_name())),
    }
}

/// Returns an argument that has to be a boolean.
pub(super) fn boolean(arguments: &[GoValue], index: usize) -> Result<bool, CallError> {
    match &arguments[index] {
        GoValue::Bool(word) => Ok(*word),
        other => Err(CallError::argument(index, "bool", other.type_name())),
    }
}

/// Returns an argument that has to be a table.
pub(super) fn table(arguments: &[GoValue], index: usize) -> Result<Table, CallError> {
    match &arguments[index] {
        GoValue::Table(table) => Ok(Rc::clone(table)),
        GoValue::Object(object) => match object.data() {
            GoValue::Table(table) => Ok(table),
            other => Err(CallError::argument(index, "map[string]interface {}", other.type_name())),
        },
        other => Err(CallError::argument(index, "map[string]interface {}", other.type_name())),
    }
}

/// Returns an argument that has to be a list, for a function that says so itself.
pub(super) fn list(arguments: &[GoValue], index: usize, name: &str) -> Result<Rc<Vec<GoValue>>, CallError> {
    match &arguments[index] {
        GoValue::List(items) => Ok(Rc::clone(items)),
        GoValue::Object(object) => match object.data() {
            GoValue::List(items) => Ok(items),
            other => Err(format!("Cannot find {name} on type {}", other.kind()).into()),
        },
        other => Err(format!("Cannot find {name} on type {}", other.kind()).into()),
    }
}

/// Returns whatever an argument is as text.
pub(super) fn shown(value: &GoValue) -> Rc<str> {
    match value {
        GoValue::Text(text) => Rc::clone(text),
        other => Rc::from(other.display()),
    }
}

/// Returns an argument as texts: each item that is not nil, or the one value.
pub(super) fn texts(value: &GoValue) -> Vec<Rc<str>> {
    match value {
        GoValue::Nil => Vec::new(),
        GoValue::List(items) => {
            items.iter().filter(|item| !matches!(item, GoValue::Nil)).map(shown).collect()
        }
        GoValue::Object(object) => match object.data() {
            list @ GoValue::List(_) => texts(&list),
            _ => vec![shown(value)],
        },
        other => vec![shown(other)],
    }
}

/// Returns whatever an argument is as an integer; 0 if it is none.
pub(super) fn to_integer(value: &GoValue) -> i64 {
    match value {
        GoValue::Int(number) | GoValue::Int64(number) => *number,
        #[expect(clippy::cast_possible_truncation, reason = "Go cuts it as well")]
        GoValue::Float(number) => *number as i64,
        GoValue::Bool(word) => i64::from(*word),
        GoValue::Text(text) => integer_of(text).unwrap_or_default(),
        GoValue::Nil | GoValue::List(_) | GoValue::Table(_) | GoValue::Object(_) => 0,
    }
}

/// Reads an integer as Go does, whose base is told by what it begins with.
fn integer_of(text: &str) -> Option<i64> {
    // Digits behind the point are taken if they are zeros.
    let text = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    let (sign, digits) =
        text.strip_prefix('-').map_or(("", text.trim_start_matches('+')), |rest| ("-", rest));
    let lower = digits.to_lowercase();
    let (base, digits) = match () {
        () if lower.starts_with("0x") => (16, &digits[2..]),
        () if lower.starts_with("0o") => (8, &digits[2..]),
        () if lower.starts_with("0b") => (2, &digits[2..]),
        () if lower.starts_with('0') && digits.len() > 1 => (8, &digits[1..]),
        () => (10, digits),
    };
    if !digits.chars().all(|digit| digit.is_digit(base) || digit == '_') {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{}", digits.replace('_', "")), base).ok()
}

/// Returns whatever an argument is as a float; 0 if it is none.
pub(super) fn to_float(value: &GoValue) -> f64 {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "Go loses it as well")]
        GoValue::Int(number) | GoValue::Int64(number) => *number as f64,
        GoValue::Float(number) => *number,
        GoValue::Bool(word) => f64::from(u8::from(*word)),
        GoValue::Text(text) => text.parse().unwrap_or_default(),
        GoValue::Nil | GoValue::List(_) | GoValue::Table(_) | GoValue::Object(_) => 0.0,
    }
}

/// Returns an argument as data.
pub(super) fn data(arguments: &[GoValue], index: usize) -> Result<Value, CallError> {
    Ok(to_json(&arguments[index])?)
}

/// Returns a part of a text that begins and ends at bytes, as Go cuts it.
pub(super) fn cut(text: &str, from: usize, to: usize) -> GoValue {
    let bytes = &text.as_bytes()[from.min(text.len())..to.min(text.len())];
    GoValue::text(String::from_utf8_lossy(bytes))
}

/// Returns a position that is given as a number: those below 0 are none.
pub(super) fn position(number: i64) -> Option<usize> {
    usize::try_from(number).ok()
}

/// Returns a count as the `int` that functions return.
pub(super) fn counted(count: usize) -> GoValue {
    GoValue::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

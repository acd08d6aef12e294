//! Functions on more than one type of collection.

use super::argument::{ArgumentError, length_value, text_argument, unknown_item};
use super::{Body, Function, FunctionGroup};
use crate::spec::normalize::compare;
use crate::value::Value;

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Lists, tables and text",
    functions: &[
        Function::new(
            "contains(collection, value)",
            (2, 2),
            Body::Outside(1, contains),
            "Whether a list has an equal item, a table has the key, or a text has the part.",
            ("contains(['a', 'b'], 'b')", "true"),
        ),
        Function::new(
            "length(collection)",
            (1, 1),
            Body::Outside(1, length),
            "How many items a list has, entries a table, or characters a text.",
            ("length(['a', 'b'])", "2"),
        ),
        Function::new(
            "reverse(collection)",
            (1, 1),
            Body::Outside(1, reverse),
            "A list or text from its end to its beginning.",
            ("reverse([1, 2, 3])", "[3, 2, 1]"),
        ),
    ],
};

fn length(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    match arguments[0] {
        Value::List(items) => Ok(length_value(items.len())),
        Value::Map(entries) => Ok(length_value(entries.len())),
        Value::String(text) => Ok(length_value(text.chars().count())),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Unknown(_) => {
            Err(wrong_type(arguments))
        }
    }
}

fn contains(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    if let Some(unknown) = arguments[1].first_unknown() {
        return Ok(unknown.derived());
    }
    let found = match arguments[0] {
        Value::List(items) => {
            let found = items.iter().any(|item| item.is_known() && compare(item, arguments[1]).is_eq());
            let unknown = unknown_item(items).or_else(|| items.iter().find_map(Value::first_unknown));
            if let Some(unknown) = unknown.filter(|_| !found) {
                return Ok(unknown.derived());
            }
            found
        }
        Value::Map(entries) => entries.contains_key(text_argument(arguments, 1)?),
        Value::String(text) => text.contains(text_argument(arguments, 1)?),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Unknown(_) => {
            return Err(wrong_type(arguments));
        }
    };
    Ok(Value::Bool(found))
}

fn reverse(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    match arguments[0] {
        Value::List(items) => Ok(Value::List(items.iter().rev().cloned().collect())),
        Value::String(text) => Ok(Value::String(text.chars().rev().collect())),
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Map(_)
        | Value::Unknown(_) => Err(ArgumentError::wrong_type(arguments, 0, "a list or string")),
    }
}

fn wrong_type(arguments: &[&Value]) -> ArgumentError {
    ArgumentError::wrong_type(arguments, 0, "a list, table or string")
}

//! Functions on text.

use super::{ArgumentError, list_argument, text_argument};
use crate::value::Value;

pub(super) fn join(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let separator = text_argument(arguments, 0)?;
    let parts = list_argument(arguments, 1)?.iter().enumerate().map(|(index, item)| {
        scalar_text(item).ok_or_else(|| {
            ArgumentError::new(1, format!("item {index} is {}, which has no text form", item.type_name()))
        })
    });
    Ok(Value::from(parts.collect::<Result<Vec<_>, _>>()?.join(separator)))
}

pub(super) fn split(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let (separator, text) = (text_argument(arguments, 0)?, text_argument(arguments, 1)?);
    if separator.is_empty() {
        return Err(ArgumentError::new(0, "the separator is empty"));
    }
    Ok(Value::from(text.split(separator).collect::<Vec<_>>()))
}

pub(super) fn upper(arguments: &[Value]) -> Result<Value, ArgumentError> {
    Ok(Value::from(text_argument(arguments, 0)?.to_uppercase()))
}

pub(super) fn lower(arguments: &[Value]) -> Result<Value, ArgumentError> {
    Ok(Value::from(text_argument(arguments, 0)?.to_lowercase()))
}

/// Takes white space off both ends, or the characters of the second argument.
pub(super) fn trim(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let text = text_argument(arguments, 0)?;
    if arguments.len() == 1 {
        return Ok(Value::from(text.trim()));
    }
    let characters = text_argument(arguments, 1)?;
    Ok(Value::from(text.trim_matches(|character| characters.contains(character))))
}

pub(super) fn replace(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let (text, part, replacement) =
        (text_argument(arguments, 0)?, text_argument(arguments, 1)?, text_argument(arguments, 2)?);
    if part.is_empty() {
        return Err(ArgumentError::new(1, "the part to replace is empty"));
    }
    Ok(Value::from(text.replace(part, replacement)))
}

pub(super) fn tostring(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let text = scalar_text(&arguments[0]);
    text.map(Value::from)
        .ok_or_else(|| ArgumentError::wrong_type(arguments, 0, "a string, number or boolean"))
}

pub(super) fn tonumber(arguments: &[Value]) -> Result<Value, ArgumentError> {
    if matches!(arguments[0], Value::Integer(_) | Value::Float(_)) {
        return Ok(arguments[0].clone());
    }
    let text = text_argument(arguments, 0)?;
    if let Ok(integer) = text.parse() {
        return Ok(Value::Integer(integer));
    }
    let float = text.parse().ok().filter(|float: &f64| float.is_finite());
    float
        .map(Value::Float)
        .ok_or_else(|| ArgumentError::new(0, format!("`{}` is no number", text.escape_debug())))
}

/// Returns the text of a value that stands inside a text; `None` for what has no such form.
pub(crate) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Integer(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) => None,
    }
}

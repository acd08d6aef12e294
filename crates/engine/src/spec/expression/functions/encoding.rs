//! Functions between values and their encoded forms.

use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::{ArgumentError, text_argument};
use crate::value::Value;

pub(super) fn base64encode(arguments: &[Value]) -> Result<Value, ArgumentError> {
    Ok(Value::from(BASE64.encode(text_argument(arguments, 0)?.as_bytes())))
}

pub(super) fn sha256(arguments: &[Value]) -> Result<Value, ArgumentError> {
    Ok(Value::from(HEXLOWER.encode(&Sha256::digest(text_argument(arguments, 0)?.as_bytes()))))
}

pub(super) fn jsonencode(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let json = to_json(&arguments[0]).ok_or_else(|| ArgumentError::new(0, "the value has no JSON form"))?;
    Ok(Value::from(json.to_string()))
}

pub(super) fn jsondecode(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let json: Json = serde_json::from_str(text_argument(arguments, 0)?)
        .map_err(|error| ArgumentError::new(0, format!("the text is no JSON: {error}")))?;
    from_json(json).map_err(|number| ArgumentError::new(0, format!("the number {number} is out of range")))
}

/// Returns `None` if a part is unknown or a number is not finite.
fn to_json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Integer(value) => Json::from(*value),
        Value::Float(value) => Json::Number(serde_json::Number::from_f64(*value)?),
        Value::String(value) => Json::from(value.as_str()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect::<Option<_>>()?),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| Some((key.clone(), to_json(value)?)));
            Json::Object(entries.collect::<Option<_>>()?)
        }
        Value::Unknown(_) => return None,
    })
}

/// Returns the number that has no form of ours as the error.
fn from_json(json: Json) -> Result<Value, serde_json::Number> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.is_f64(), number.as_f64()) {
            (Some(integer), _, _) => Value::Integer(integer),
            (None, true, Some(float)) => Value::Float(float),
            (None, _, _) => return Err(number),
        },
        Json::String(value) => Value::String(value),
        Json::Array(items) => Value::List(items.into_iter().map(from_json).collect::<Result<_, _>>()?),
        Json::Object(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Ok((key, from_json(value)?)));
            Value::Map(entries.collect::<Result<_, serde_json::Number>>()?)
        }
    })
}

//! Values as the JSON that others read and write. The program's own files have another form,
//! which also tells what is unknown.

use serde_json::Value as Json;

use crate::value::Value;

/// Writes a value on one line, the keys of tables sorted; `None` if a part is unknown or a number is
/// not finite.
#[must_use]
pub fn encode(value: &Value) -> Option<String> {
    Some(to_json(value)?.to_string())
}

/// Reads a value.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn decode(text: &str) -> Result<Value, String> {
    let json = serde_json::from_str(text).map_err(|error| format!("the text is no JSON: {error}"))?;
    from_json(json).map_err(|number| format!("the number {number} is out of range"))
}

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

//! Values as JSON, in which API servers talk.

use serde_json::Value as Json;
use straddle_engine::json;
use straddle_engine::value::Value;

/// Returns a value as JSON; what is unknown in it is null, which nobody sends.
pub(crate) fn to_json(value: &Value) -> Json {
    json::encode(value).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Returns JSON as a value; a number that has no form of ours is text.
pub(crate) fn from_json(json: &Json) -> Value {
    match json {
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone(), from_json(value))).collect())
        }
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::String(text) => Value::from(text.as_str()),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, Some(float)) if number.is_f64() => Value::Float(float),
            (None, _) => Value::from(number.to_string()),
        },
    }
}

//! Functions between values and their encoded forms.

use std::fmt::Write as _;

use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::argument::{ArgumentError, check_size, text_argument};
use super::{Body, Function, FunctionGroup};
use crate::value::Value;

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Encodings",
    functions: &[
        Function::new(
            "base64decode(text)",
            (1, 1),
            Body::Whole(base64decode),
            "The text that Base64 stands for.",
            ("base64decode('aGVsbG8=')", "'hello'"),
        ),
        Function::new(
            "base64encode(text)",
            (1, 1),
            Body::Whole(|arguments| Ok(BASE64.encode(text_argument(arguments, 0)?.as_bytes()).into())),
            "The text, as UTF-8, in Base64.",
            ("base64encode('hello')", "'aGVsbG8='"),
        ),
        Function::new(
            "jsondecode(text)",
            (1, 1),
            Body::Whole(jsondecode),
            "The value that JSON stands for.",
            ("jsondecode('{\"a\": [1, true]}').a[0]", "1"),
        ),
        Function::new(
            "jsonencode(value)",
            (1, 1),
            Body::Whole(jsonencode),
            "The value as JSON on one line, keys sorted.",
            ("jsonencode({b = [1, true], a = null})", "'{\"a\":null,\"b\":[1,true]}'"),
        ),
        Function::new(
            "sha256(text)",
            (1, 1),
            Body::Whole(|arguments| {
                Ok(HEXLOWER.encode(&Sha256::digest(text_argument(arguments, 0)?)).into())
            }),
            "The SHA-256 of the text, as UTF-8, in hexadecimal.",
            ("substr(sha256('hello'), 0, 8)", "'2cf24dba'"),
        ),
        Function::new(
            "urlencode(text)",
            (1, 1),
            Body::Whole(urlencode),
            "The text as it stands in the query of a URL.",
            ("urlencode('a b&c')", "'a+b%26c'"),
        ),
    ],
};

fn base64decode(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let bytes = BASE64
        .decode(text_argument(arguments, 0)?.as_bytes())
        .map_err(|error| ArgumentError::new(0, format!("the text is no Base64: {error}")))?;
    let text =
        String::from_utf8(bytes).map_err(|_| ArgumentError::new(0, "what it stands for is not UTF-8"))?;
    Ok(Value::String(text))
}

/// Letters, digits and `-_.~` stay, a space becomes `+` (URL standard, `application/x-www-form-urlencoded`).
fn urlencode(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let text = text_argument(arguments, 0)?;
    check_size(text.len().saturating_mul(3))?;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            other => write!(encoded, "%{other:02X}").expect("text takes everything"),
        }
    }
    Ok(Value::String(encoded))
}

fn jsonencode(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let json = to_json(arguments[0]).ok_or_else(|| ArgumentError::new(0, "the value has no JSON form"))?;
    Ok(Value::from(json.to_string()))
}

fn jsondecode(arguments: &[&Value]) -> Result<Value, ArgumentError> {
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

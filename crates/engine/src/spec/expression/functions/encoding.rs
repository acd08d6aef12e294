//! Functions between values and their encoded forms.

use std::fmt::Write as _;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};

use super::argument::{ArgumentError, check_size, text_argument};
use super::{Body, Function, FunctionGroup};
use crate::json;
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
    let text = json::encode(arguments[0]);
    text.map(Value::from).ok_or_else(|| ArgumentError::new(0, "the value has no JSON form"))
}

fn jsondecode(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    json::decode(text_argument(arguments, 0)?).map_err(|problem| ArgumentError::new(0, problem))
}

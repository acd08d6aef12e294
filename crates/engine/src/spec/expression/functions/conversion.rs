//! Functions from one type to another.

use super::argument::{ArgumentError, list_argument, text_argument};
use super::sets::sorted_without_duplicates;
use super::text::scalar_text;
use super::{Body, Function, FunctionGroup};
use crate::value::Value;

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Types",
    functions: &[
        Function::new(
            "tobool(value)",
            (1, 1),
            Body::Whole(tobool),
            "A boolean from the text `true` or `false`.",
            ("tobool('true')", "true"),
        ),
        Function::new(
            "tonumber(value)",
            (1, 1),
            Body::Whole(tonumber),
            "A number from text.",
            ("tonumber('8080') + 1", "8081"),
        ),
        Function::new(
            "toset(list)",
            (1, 1),
            Body::Whole(toset),
            "The list sorted and without duplicates: a set is such a list.",
            ("toset(['b', 'a', 'b'])", "['a', 'b']"),
        ),
        Function::new(
            "tostring(value)",
            (1, 1),
            Body::Whole(tostring),
            "The text of a number or boolean.",
            ("tostring(8080)", "'8080'"),
        ),
    ],
};

fn tostring(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let text = scalar_text(arguments[0]);
    text.map(Value::from)
        .ok_or_else(|| ArgumentError::wrong_type(arguments, 0, "a string, number or boolean"))
}

fn tonumber(arguments: &[&Value]) -> Result<Value, ArgumentError> {
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

fn tobool(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    if let Value::Bool(value) = arguments[0] {
        return Ok(Value::Bool(*value));
    }
    match text_argument(arguments, 0)? {
        "true" => Ok(Value::Bool(true)),
        "false" => Ok(Value::Bool(false)),
        other => {
            Err(ArgumentError::new(0, format!("`{}` is neither `true` nor `false`", other.escape_debug())))
        }
    }
}

fn toset(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    Ok(sorted_without_duplicates(list_argument(arguments, 0)?.to_vec()))
}

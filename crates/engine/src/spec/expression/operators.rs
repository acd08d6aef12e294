//! What operators do with known values.

use std::cmp::Ordering;

use crate::spec::expression::ast::{BinaryOperator, UnaryOperator};
use crate::spec::normalize::compare;
use crate::value::Value;

/// Applies an operator to known operands; the error says what is wrong, without a full stop.
pub(crate) fn binary(operator: BinaryOperator, left: &Value, right: &Value) -> Result<Value, String> {
    match operator {
        BinaryOperator::Or => Ok(Value::Bool(boolean(left)? || boolean(right)?)),
        BinaryOperator::And => Ok(Value::Bool(boolean(left)? && boolean(right)?)),
        BinaryOperator::Equal => equal(left, right).map(Value::Bool),
        BinaryOperator::NotEqual => equal(left, right).map(|equal| Value::Bool(!equal)),
        BinaryOperator::Less => order(operator, left, right, Ordering::is_lt),
        BinaryOperator::LessOrEqual => order(operator, left, right, Ordering::is_le),
        BinaryOperator::Greater => order(operator, left, right, Ordering::is_gt),
        BinaryOperator::GreaterOrEqual => order(operator, left, right, Ordering::is_ge),
        BinaryOperator::Add
        | BinaryOperator::Subtract
        | BinaryOperator::Multiply
        | BinaryOperator::Divide
        | BinaryOperator::Remainder => arithmetic(operator, left, right),
    }
}

/// Applies an operator to a known operand; the error says what is wrong, without a full stop.
pub(crate) fn unary(operator: UnaryOperator, operand: &Value) -> Result<Value, String> {
    match (operator, operand) {
        (UnaryOperator::Not, operand) => Ok(Value::Bool(!boolean(operand)?)),
        (UnaryOperator::Negate, Value::Integer(integer)) => {
            integer.checked_neg().map(Value::Integer).ok_or_else(too_large)
        }
        (UnaryOperator::Negate, Value::Float(float)) => Ok(Value::Float(-float)),
        (UnaryOperator::Negate, operand) => Err(format!("`-` takes a number, not {}", operand.type_name())),
    }
}

/// Returns a condition's truth.
pub(crate) fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Null
        | Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown(_) => Err(format!("expected a boolean, found {}", value.type_name())),
    }
}

/// Tells whether this is a whole number or one with a fraction.
pub(crate) fn is_number(value: &Value) -> bool {
    matches!(value, Value::Integer(_) | Value::Float(_))
}

fn equal(left: &Value, right: &Value) -> Result<bool, String> {
    let same_type = std::mem::discriminant(left) == std::mem::discriminant(right);
    if same_type || (is_number(left) && is_number(right)) {
        return Ok(compare(left, right).is_eq());
    }
    if left.is_null() || right.is_null() {
        return Ok(false);
    }
    Err(format!("{} never equals {}", left.type_name(), right.type_name()))
}

fn order(
    operator: BinaryOperator,
    left: &Value,
    right: &Value,
    wanted: fn(Ordering) -> bool,
) -> Result<Value, String> {
    let comparable =
        (is_number(left) && is_number(right)) || (left.as_str().is_some() && right.as_str().is_some());
    if !comparable {
        return Err(format!(
            "`{}` compares two numbers or two strings, not {} and {}",
            operator.symbol(),
            left.type_name(),
            right.type_name()
        ));
    }
    Ok(Value::Bool(wanted(compare(left, right))))
}

fn arithmetic(operator: BinaryOperator, left: &Value, right: &Value) -> Result<Value, String> {
    if let (Value::Integer(left), Value::Integer(right)) = (left, right) {
        return integer_arithmetic(operator, *left, *right);
    }
    match (as_float(left), as_float(right)) {
        (Some(left), Some(right)) => float_arithmetic(operator, left, right),
        _ => Err(format!(
            "`{}` takes two numbers, not {} and {}",
            operator.symbol(),
            left.type_name(),
            right.type_name()
        )),
    }
}

/// Division keeps whole numbers where nothing is left over.
fn integer_arithmetic(operator: BinaryOperator, left: i64, right: i64) -> Result<Value, String> {
    let divides = matches!(operator, BinaryOperator::Divide | BinaryOperator::Remainder);
    if divides && right == 0 {
        return Err("division by zero".to_owned());
    }
    if operator == BinaryOperator::Divide && left.checked_rem(right) != Some(0) {
        return float_arithmetic(operator, float(left), float(right));
    }
    let result = match operator {
        BinaryOperator::Add => left.checked_add(right),
        BinaryOperator::Subtract => left.checked_sub(right),
        BinaryOperator::Multiply => left.checked_mul(right),
        BinaryOperator::Remainder => left.checked_rem(right),
        BinaryOperator::Divide => left.checked_div(right),
        BinaryOperator::Or
        | BinaryOperator::And
        | BinaryOperator::Equal
        | BinaryOperator::NotEqual
        | BinaryOperator::Less
        | BinaryOperator::LessOrEqual
        | BinaryOperator::Greater
        | BinaryOperator::GreaterOrEqual => None,
    };
    result.map(Value::Integer).ok_or_else(too_large)
}

fn float_arithmetic(operator: BinaryOperator, left: f64, right: f64) -> Result<Value, String> {
    let result = match operator {
        BinaryOperator::Add => left + right,
        BinaryOperator::Subtract => left - right,
        BinaryOperator::Multiply => left * right,
        BinaryOperator::Remainder => left % right,
        BinaryOperator::Divide => left / right,
        BinaryOperator::Or
        | BinaryOperator::And
        | BinaryOperator::Equal
        | BinaryOperator::NotEqual
        | BinaryOperator::Less
        | BinaryOperator::LessOrEqual
        | BinaryOperator::Greater
        | BinaryOperator::GreaterOrEqual => f64::NAN,
    };
    if result.is_finite() {
        Ok(Value::Float(result))
    } else {
        Err("the result is no finite number".to_owned())
    }
}

fn as_float(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(integer) => Some(float(*integer)),
        Value::Float(float) => Some(*float),
        Value::Null
        | Value::Bool(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown(_) => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "the other operand or the result has a fraction")]
fn float(integer: i64) -> f64 {
    integer as f64
}

fn too_large() -> String {
    "the result is too large for a whole number".to_owned()
}

//! Functions on numbers.

use super::argument::{ArgumentError, check_size, integer_argument, list_argument};
use super::{Body, Function, FunctionGroup, MANY};
use crate::spec::expression::ast::BinaryOperator;
use crate::spec::expression::operators;
use crate::spec::normalize::compare;
use crate::value::Value;

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Numbers",
    functions: &[
        Function::new(
            "abs(number)",
            (1, 1),
            Body::Whole(abs),
            "The number without its sign.",
            ("abs(-3)", "3"),
        ),
        Function::new(
            "ceil(number)",
            (1, 1),
            Body::Whole(|arguments| rounded(arguments, f64::ceil)),
            "The smallest whole number that is not smaller.",
            ("ceil(1.2)", "2"),
        ),
        Function::new(
            "floor(number)",
            (1, 1),
            Body::Whole(|arguments| rounded(arguments, f64::floor)),
            "The largest whole number that is not larger.",
            ("floor(-1.2)", "-2"),
        ),
        Function::new(
            "max(number, ...)",
            (1, MANY),
            Body::Whole(|arguments| extreme(arguments, |one, other| compare(one, other).is_ge())),
            "The largest of the numbers, or of a list of numbers.",
            ("max(3, 12, 9)", "12"),
        ),
        Function::new(
            "min(number, ...)",
            (1, MANY),
            Body::Whole(|arguments| extreme(arguments, |one, other| compare(one, other).is_le())),
            "The smallest of the numbers, or of a list of numbers.",
            ("min([3, 12, 9])", "3"),
        ),
        Function::new(
            "range(start[, end, step])",
            (1, 3),
            Body::Whole(range),
            "The numbers from `start` up to and without `end`. With one argument, that many from 0.",
            ("range(2, 10, 3)", "[2, 5, 8]"),
        ),
        Function::new(
            "sum(list)",
            (1, 1),
            Body::Whole(sum),
            "What the numbers add up to.",
            ("sum([1, 2.5])", "3.5"),
        ),
    ],
};

fn abs(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    match arguments[0] {
        Value::Integer(integer) => {
            let positive = integer.checked_abs().map(Value::Integer);
            positive.ok_or_else(|| ArgumentError::new(0, "the result is too large for a whole number"))
        }
        Value::Float(float) => Ok(Value::Float(float.abs())),
        Value::Null
        | Value::Bool(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown(_) => Err(ArgumentError::wrong_type(arguments, 0, "a number")),
    }
}

fn rounded(arguments: &[&Value], round: fn(f64) -> f64) -> Result<Value, ArgumentError> {
    match arguments[0] {
        Value::Integer(integer) => Ok(Value::Integer(*integer)),
        Value::Float(float) => {
            // Whole numbers as text are exact, and too large ones are refused.
            let integer = format!("{:.0}", round(*float)).parse().map(Value::Integer);
            integer.map_err(|_| ArgumentError::new(0, "the result is too large for a whole number"))
        }
        Value::Null
        | Value::Bool(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown(_) => Err(ArgumentError::wrong_type(arguments, 0, "a number")),
    }
}

/// Returns the first number that `wins` against all others.
fn extreme(arguments: &[&Value], wins: fn(&Value, &Value) -> bool) -> Result<Value, ArgumentError> {
    let numbers = match arguments {
        [Value::List(items)] => items.iter().collect(),
        _ => arguments.to_vec(),
    };
    if let Some(position) = numbers.iter().position(|value| !operators::is_number(value)) {
        let argument = if arguments.len() == numbers.len() { position } else { 0 };
        let found = numbers[position].type_name();
        return Err(ArgumentError::new(argument, format!("expected numbers, found {found}")));
    }
    let best = numbers.into_iter().reduce(|best, next| if wins(best, next) { best } else { next });
    best.cloned().ok_or_else(|| ArgumentError::new(0, "the list is empty"))
}

fn sum(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    list_argument(arguments, 0)?
        .iter()
        .try_fold(Value::Integer(0), |sum, next| operators::binary(BinaryOperator::Add, &sum, next))
        .map_err(|message| ArgumentError::new(0, message))
}

fn range(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let first = integer_argument(arguments, 0)?;
    let (start, end) = match arguments.len() {
        1 => (0, first),
        _ => (first, integer_argument(arguments, 1)?),
    };
    let step = match arguments.len() {
        3 => integer_argument(arguments, 2)?,
        _ if end < start => -1,
        _ => 1,
    };
    if step == 0 {
        return Err(ArgumentError::new(2, "a step of 0 leads nowhere"));
    }
    let distance = (i128::from(end) - i128::from(start)) / i128::from(step);
    check_size(usize::try_from(distance.max(0)).unwrap_or(usize::MAX).saturating_mul(size_of::<Value>()))?;
    let inside = |number: &i64| if step > 0 { *number < end } else { *number > end };
    let numbers = std::iter::successors(Some(start), |number| number.checked_add(step)).take_while(inside);
    Ok(Value::List(numbers.map(Value::Integer).collect()))
}

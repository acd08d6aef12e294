//! Arithmetic.

use super::arguments::{shown, to_float, to_integer};
use super::{Function, Returned, takes, takes_from};
use crate::helm::template::{CallError, GoValue};

/// The longest list of numbers that is made.
const LONGEST: i64 = 1_000_000;

pub(super) const FUNCTIONS: &[Function] = &[
    takes(1, "int", |_, arguments| Ok(GoValue::Int(to_integer(&arguments[0])))),
    takes(1, "int64", |_, arguments| Ok(GoValue::Int64(to_integer(&arguments[0])))),
    takes(1, "float64", |_, arguments| Ok(GoValue::Float(to_float(&arguments[0])))),
    takes(1, "atoi", |_, arguments| {
        Ok(GoValue::Int(super::arguments::text(arguments, 0)?.parse().unwrap_or_default()))
    }),
    takes(1, "toDecimal", |_, arguments| {
        let octal = shown(&arguments[0]);
        Ok(GoValue::Int64(i64::from_str_radix(octal.trim(), 8).unwrap_or_default()))
    }),
    takes(1, "add1", |_, arguments| Ok(GoValue::Int64(to_integer(&arguments[0]).wrapping_add(1)))),
    takes_from(0, "add", |_, arguments| {
        Ok(GoValue::Int64(arguments.iter().map(to_integer).fold(0, i64::wrapping_add)))
    }),
    takes(2, "sub", |_, arguments| {
        Ok(GoValue::Int64(to_integer(&arguments[0]).wrapping_sub(to_integer(&arguments[1]))))
    }),
    takes(2, "div", |_, arguments| divided(arguments, i64::checked_div)),
    takes(2, "mod", |_, arguments| divided(arguments, i64::checked_rem)),
    takes_from(1, "mul", |_, arguments| {
        Ok(GoValue::Int64(arguments.iter().map(to_integer).fold(1, i64::wrapping_mul)))
    }),
    takes_from(1, "max", |_, arguments| Ok(GoValue::Int64(integers(arguments).max().unwrap_or_default()))),
    takes_from(1, "biggest", |_, arguments| {
        Ok(GoValue::Int64(integers(arguments).max().unwrap_or_default()))
    }),
    takes_from(1, "min", |_, arguments| Ok(GoValue::Int64(integers(arguments).min().unwrap_or_default()))),
    takes_from(1, "maxf", |_, arguments| {
        Ok(GoValue::Float(floats(arguments).fold(f64::NEG_INFINITY, f64::max)))
    }),
    takes_from(1, "minf", |_, arguments| Ok(GoValue::Float(floats(arguments).fold(f64::INFINITY, f64::min)))),
    takes(1, "add1f", |_, arguments| decimal(&[arguments[0].clone(), GoValue::Int(1)], |one, two| one + two)),
    takes_from(0, "addf", |_, arguments| decimal(arguments, |one, two| one + two)),
    takes_from(1, "subf", |_, arguments| decimal(arguments, |one, two| one - two)),
    takes_from(1, "mulf", |_, arguments| decimal(arguments, |one, two| one * two)),
    takes_from(1, "divf", |_, arguments| {
        if arguments[1..].iter().any(|divisor| to_float(divisor) == 0.0) {
            return Err("decimal division by 0".into());
        }
        let quotient = floats(arguments).reduce(|one, two| one / two).unwrap_or_default();
        // Sprig divides to 16 digits behind the point.
        Ok(GoValue::Float(format!("{quotient:.16}").parse().unwrap_or(quotient)))
    }),
    takes(1, "ceil", |_, arguments| Ok(GoValue::Float(to_float(&arguments[0]).ceil()))),
    takes(1, "floor", |_, arguments| Ok(GoValue::Float(to_float(&arguments[0]).floor()))),
    takes_from(2, "round", |_, arguments| {
        let from = arguments.get(2).map_or(0.5, to_float);
        let places = i32::try_from(to_integer(&arguments[1])).unwrap_or_default();
        Ok(GoValue::Float(rounded(to_float(&arguments[0]), places, from)))
    }),
    takes(1, "until", |_, arguments| {
        let end = super::arguments::int(arguments, 0)?;
        counting(0, end, if end < 0 { -1 } else { 1 })
    }),
    takes(3, "untilStep", |_, arguments| {
        let number = |index| super::arguments::int(arguments, index);
        counting(number(0)?, number(1)?, number(2)?)
    }),
    takes_from(0, "seq", |_, arguments| {
        let (first, step, last) = match *arguments {
            [ref last] => {
                let last = to_integer(last);
                (1, if last < 1 { -1 } else { 1 }, last)
            }
            [ref first, ref last] => {
                let (first, last) = (to_integer(first), to_integer(last));
                (first, if last < first { -1 } else { 1 }, last)
            }
            [ref first, ref step, ref last] => (to_integer(first), to_integer(step), to_integer(last)),
            _ => return Ok(GoValue::text("")),
        };
        let counted = counting(first, last + step.signum(), step)?;
        Ok(GoValue::text(super::arguments::texts(&counted).join(" ")))
    }),
];

fn integers(arguments: &[GoValue]) -> impl Iterator<Item = i64> {
    arguments.iter().map(to_integer)
}

fn floats(arguments: &[GoValue]) -> impl Iterator<Item = f64> {
    arguments.iter().map(to_float)
}

fn divided(arguments: &[GoValue], divide: fn(i64, i64) -> Option<i64>) -> Returned {
    divide(to_integer(&arguments[0]), to_integer(&arguments[1]))
        .map(GoValue::Int64)
        .ok_or_else(|| CallError::from("runtime error: integer divide by zero"))
}

/// Calculates with floats whose last digits are rounded away, since Sprig calculates in decimals.
#[expect(clippy::unnecessary_wraps, reason = "it is what a function returns")]
fn decimal(arguments: &[GoValue], calculate: fn(f64, f64) -> f64) -> Returned {
    let result = floats(arguments).reduce(calculate).unwrap_or_default();
    let rounded = format!("{result:.14e}").parse::<f64>().unwrap_or(result);
    Ok(GoValue::Float(rounded))
}

fn rounded(number: f64, places: i32, from: f64) -> f64 {
    let factor = 10_f64.powi(places);
    let scaled = factor * number;
    let whole = if scaled.fract() >= from { scaled.ceil() } else { scaled.floor() };
    whole / factor
}

fn counting(from: i64, to: i64, step: i64) -> Returned {
    let mut numbers = Vec::new();
    let mut number = from;
    while (step > 0 && number < to) || (step < 0 && number > to) {
        if numbers.len() as u64 >= LONGEST.unsigned_abs() {
            return Err(format!("the list would have more than {LONGEST} numbers").into());
        }
        numbers.push(GoValue::Int(number));
        number = number.saturating_add(step);
    }
    Ok(GoValue::list(numbers))
}

//! The functions that Go's templates have themselves. `and` and `or` are here for their names: what
//! runs a template evaluates only the operands that they need.

use std::cmp::Ordering;

use gotmpl::{html_escape, js_escape, url_encode};

use super::arguments::{counted, int, position, shown, text};
use super::{Function, Returned, takes, takes_from};
use crate::helm::template::{CallError, GoValue, print_all, printf};

pub(super) const FUNCTIONS: &[Function] = &[
    takes_from(1, "and", |_, arguments| Ok(arguments[0].clone())),
    takes_from(1, "or", |_, arguments| Ok(arguments[0].clone())),
    takes(1, "not", |_, arguments| Ok(GoValue::Bool(!arguments[0].is_true()))),
    takes_from(2, "eq", |_, arguments| {
        for other in &arguments[1..] {
            if is_equal(&arguments[0], other)? {
                return Ok(GoValue::Bool(true));
            }
        }
        Ok(GoValue::Bool(false))
    }),
    takes(2, "ne", |_, arguments| Ok(GoValue::Bool(!is_equal(&arguments[0], &arguments[1])?))),
    takes(2, "lt", |_, arguments| ordered(arguments, Ordering::is_lt)),
    takes(2, "le", |_, arguments| ordered(arguments, Ordering::is_le)),
    takes(2, "gt", |_, arguments| ordered(arguments, Ordering::is_gt)),
    takes(2, "ge", |_, arguments| ordered(arguments, Ordering::is_ge)),
    takes_from(0, "print", |_, arguments| Ok(GoValue::text(print_all(arguments)))),
    takes_from(0, "println", |_, arguments| {
        let parts: Vec<_> = arguments.iter().map(GoValue::display).collect();
        Ok(GoValue::text(format!("{}\n", parts.join(" "))))
    }),
    takes_from(1, "printf", |_, arguments| Ok(GoValue::text(printf(&text(arguments, 0)?, &arguments[1..])))),
    takes(1, "len", |_, arguments| match (arguments[0].length(), &arguments[0]) {
        (Some(length), _) => Ok(counted(length)),
        (None, GoValue::Nil) => Err("len of nil pointer".into()),
        (None, other) => Err(format!("len of type {}", other.type_name()).into()),
    }),
    takes_from(1, "index", |_, arguments| {
        arguments[1..].iter().try_fold(arguments[0].clone(), |value, index| item(&value, index))
    }),
    takes_from(1, "slice", slice),
    takes_from(1, "call", |_, arguments| {
        Err(format!("non-function {} of type {}", arguments[0].display(), arguments[0].type_name()).into())
    }),
    takes_from(0, "html", |_, arguments| Ok(GoValue::text(html_escape(&printed(arguments))))),
    takes_from(0, "js", |_, arguments| Ok(GoValue::text(js_escape(&printed(arguments))))),
    takes_from(0, "urlquery", |_, arguments| Ok(GoValue::text(url_encode(&printed(arguments))))),
];

fn printed(arguments: &[GoValue]) -> String {
    match arguments {
        [only] => shown(only).to_string(),
        many => print_all(many),
    }
}

/// Compares two values of one basic kind. `int` and `float64` are two.
fn is_equal(left: &GoValue, right: &GoValue) -> Result<bool, CallError> {
    Ok(match (left, right) {
        (GoValue::Nil, GoValue::Nil) => true,
        (GoValue::Nil, _) | (_, GoValue::Nil) => false,
        (GoValue::Bool(one), GoValue::Bool(other)) => one == other,
        (GoValue::Int(one) | GoValue::Int64(one), GoValue::Int(other) | GoValue::Int64(other)) => {
            one == other
        }
        (GoValue::Float(one), GoValue::Float(other)) => one.partial_cmp(other).is_some_and(Ordering::is_eq),
        (GoValue::Text(one), GoValue::Text(other)) => one == other,
        (one, other) if !is_basic(one) && !is_basic(other) => {
            let shown = |value: &GoValue| format!("{}: {}", value.type_name(), value.display());
            return Err(format!("non-comparable types {}, {}", shown(one), shown(other)).into());
        }
        _ => return Err("incompatible types for comparison".into()),
    })
}

fn is_basic(value: &GoValue) -> bool {
    !matches!(value, GoValue::List(_) | GoValue::Table(_) | GoValue::Object(_))
}

fn ordered(arguments: &[GoValue], holds: fn(Ordering) -> bool) -> Returned {
    let order = match (&arguments[0], &arguments[1]) {
        (GoValue::Int(one) | GoValue::Int64(one), GoValue::Int(other) | GoValue::Int64(other)) => {
            Some(one.cmp(other))
        }
        (GoValue::Float(one), GoValue::Float(other)) => one.partial_cmp(other),
        (GoValue::Text(one), GoValue::Text(other)) => Some(one.cmp(other)),
        (one, other)
            if matches!(one, GoValue::Nil)
                || matches!(other, GoValue::Nil)
                || !is_basic(one)
                || !is_basic(other) =>
        {
            return Err("invalid type for comparison".into());
        }
        _ => return Err("incompatible types for comparison".into()),
    };
    Ok(GoValue::Bool(order.is_some_and(holds)))
}

fn item(value: &GoValue, index: &GoValue) -> Returned {
    match value {
        GoValue::Nil => Err("index of untyped nil".into()),
        GoValue::Table(table) => match index {
            GoValue::Text(key) => Ok(table.borrow().get(&**key).cloned().unwrap_or(GoValue::Nil)),
            GoValue::Nil => Err("value is nil; should be of type string".into()),
            other => Err(format!("value has type {}; should be string", other.type_name()).into()),
        },
        GoValue::List(items) => {
            let at = position_in(items.len(), index)?;
            Ok(items[at].clone())
        }
        GoValue::Text(text) => {
            let at = position_in(text.len(), index)?;
            Ok(GoValue::Int(i64::from(text.as_bytes()[at])))
        }
        GoValue::Object(object) => match object.data() {
            GoValue::Object(_) => Err(format!("can't index item of type {}", object.type_name()).into()),
            data => item(&data, index),
        },
        GoValue::Bool(_) | GoValue::Int(_) | GoValue::Int64(_) | GoValue::Float(_) => {
            Err(format!("can't index item of type {}", value.type_name()).into())
        }
    }
}

fn position_in(length: usize, index: &GoValue) -> Result<usize, CallError> {
    match index {
        GoValue::Int(number) | GoValue::Int64(number) => position(*number)
            .filter(|at| *at < length)
            .ok_or_else(|| format!("index out of range: {number}").into()),
        GoValue::Nil => Err("cannot index slice/array with nil".into()),
        other => Err(format!("cannot index slice/array with type {}", other.type_name()).into()),
    }
}

/// Go's own `slice` takes text too; lists are cut the same way.
fn slice(_: &crate::helm::template::Executor<'_>, arguments: &[GoValue]) -> Returned {
    let length = arguments[0]
        .length()
        .ok_or_else(|| CallError::from(format!("can't slice item of type {}", arguments[0].type_name())))?;
    let bound = |index: usize, otherwise: usize| {
        if index >= arguments.len() {
            return Ok(otherwise);
        }
        let number = int(arguments, index)?;
        position(number)
            .filter(|at| *at <= length)
            .ok_or_else(|| CallError::from(format!("index out of range: {number}")))
    };
    let (from, to) = (bound(1, 0)?, bound(2, length)?);
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}").into());
    }
    match &arguments[0] {
        GoValue::Text(text) => Ok(super::arguments::cut(text, from, to)),
        GoValue::List(items) => Ok(GoValue::list(items[from..to].to_vec())),
        other => Err(format!("can't slice item of type {}", other.type_name()).into()),
    }
}

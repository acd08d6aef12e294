//! Functions on lists.

use super::argument::{
    ArgumentError, count_argument, integer_argument, length_value, list_argument, unknown_item,
};
use super::{Body, Function, FunctionGroup, MANY};
use crate::spec::expression::operators;
use crate::spec::normalize::compare;
use crate::value::Value;

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Lists",
    functions: &[
        Function::new(
            "alltrue(list)",
            (1, 1),
            Body::Whole(|arguments| truths(arguments).map(|truths| truths.iter().all(|truth| *truth).into())),
            "Whether every item is true; true for an empty list.",
            ("alltrue([true, 1 < 2])", "true"),
        ),
        Function::new(
            "anytrue(list)",
            (1, 1),
            Body::Whole(|arguments| truths(arguments).map(|truths| truths.contains(&true).into())),
            "Whether some item is true.",
            ("anytrue([false, 1 < 2])", "true"),
        ),
        Function::new(
            "compact(list)",
            (1, 1),
            Body::Outside(1, compact),
            "The list without nulls and empty texts.",
            ("compact(['a', '', null, 'b'])", "['a', 'b']"),
        ),
        Function::new(
            "concat(list, ...)",
            (1, MANY),
            Body::Outside(MANY, concat),
            "One list of all.",
            ("concat([1], [2, 3])", "[1, 2, 3]"),
        ),
        Function::new(
            "distinct(list)",
            (1, 1),
            Body::Whole(distinct),
            "The list without duplicates; the first of equal items stays.",
            ("distinct(['b', 'a', 'b'])", "['b', 'a']"),
        ),
        Function::new(
            "element(list, position)",
            (2, 2),
            Body::Outside(2, element),
            "The item at a position. Positions go round: after the last comes the first.",
            ("element(['a', 'b', 'c'], 4)", "'b'"),
        ),
        Function::new(
            "flatten(list)",
            (1, 1),
            Body::Outside(1, flatten),
            "The items of the lists in the list, and of the lists in those.",
            ("flatten([[1, [2]], 3, []])", "[1, 2, 3]"),
        ),
        Function::new(
            "index(list, value)",
            (2, 2),
            Body::Whole(index),
            "The position of the first item that is equal.",
            ("index(['a', 'b'], 'b')", "1"),
        ),
        Function::new(
            "one(list)",
            (1, 1),
            Body::Outside(1, one),
            "The only item of a list, or null if it is empty.",
            ("one(['a'])", "'a'"),
        ),
        Function::new(
            "slice(list, start, end)",
            (3, 3),
            Body::Outside(3, slice),
            "The items from position `start` up to and without `end`.",
            ("slice(['a', 'b', 'c'], 1, 3)", "['b', 'c']"),
        ),
        Function::new(
            "sort(list)",
            (1, 1),
            Body::Whole(sort),
            "The list in order: texts as their characters are numbered, or numbers.",
            ("sort(['b', 'a'])", "['a', 'b']"),
        ),
    ],
};

fn concat(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let mut all = Vec::new();
    for argument in 0..arguments.len() {
        all.extend_from_slice(list_argument(arguments, argument)?);
    }
    Ok(Value::List(all))
}

fn compact(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let items = list_argument(arguments, 0)?;
    if let Some(unknown) = unknown_item(items) {
        return Ok(unknown.derived());
    }
    let is_something = |item: &&Value| !item.is_null() && item.as_str() != Some("");
    Ok(Value::List(items.iter().filter(is_something).cloned().collect()))
}

/// Keeps the first of equal items.
fn distinct(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let items = list_argument(arguments, 0)?;
    let mut order: Vec<_> = (0..items.len()).collect();
    order.sort_by(|left, right| compare(&items[*left], &items[*right]).then(left.cmp(right)));
    order.dedup_by(|later, first| compare(&items[*later], &items[*first]).is_eq());
    order.sort_unstable();
    Ok(Value::List(order.into_iter().map(|index| items[index].clone()).collect()))
}

fn element(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let items = list_argument(arguments, 0)?;
    let Ok(length @ 1..) = i64::try_from(items.len()) else {
        return Err(ArgumentError::new(0, "the list is empty"));
    };
    let position = integer_argument(arguments, 1)?.rem_euclid(length);
    Ok(items[usize::try_from(position).expect("a remainder is smaller than the length")].clone())
}

fn flatten(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let mut flat = Vec::new();
    match flatten_into(list_argument(arguments, 0)?, &mut flat) {
        Some(unknown) => Ok(unknown),
        None => Ok(Value::List(flat)),
    }
}

/// Returns an unknown value if one of the items may be a list and nobody knows.
fn flatten_into(items: &[Value], flat: &mut Vec<Value>) -> Option<Value> {
    for item in items {
        match item {
            Value::List(inner) => {
                if let Some(unknown) = flatten_into(inner, flat) {
                    return Some(unknown);
                }
            }
            Value::Unknown(unknown) => return Some(unknown.derived()),
            Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::Map(_) => flat.push(item.clone()),
        }
    }
    None
}

fn index(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let position = list_argument(arguments, 0)?.iter().position(|item| compare(item, arguments[1]).is_eq());
    let position = position.ok_or_else(|| ArgumentError::new(1, "the value is not in the list"))?;
    Ok(length_value(position))
}

fn one(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    match list_argument(arguments, 0)? {
        [] => Ok(Value::Null),
        [only] => Ok(only.clone()),
        items => Err(ArgumentError::new(0, format!("expected at most one item, found {}", items.len()))),
    }
}

fn slice(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let items = list_argument(arguments, 0)?;
    let (start, end) = (count_argument(arguments, 1)?, count_argument(arguments, 2)?);
    let part = items.get(start..end).ok_or_else(|| {
        let (argument, wrong) = if end > items.len() { (2, end) } else { (1, start) };
        ArgumentError::new(
            argument,
            format!("{wrong} is no place in a list of length {} before {end}", items.len()),
        )
    })?;
    Ok(Value::List(part.to_vec()))
}

fn sort(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let mut items = list_argument(arguments, 0)?.to_vec();
    let same = items.iter().all(|item| item.as_str().is_some()) || items.iter().all(operators::is_number);
    if !same {
        return Err(ArgumentError::new(0, "only strings, or only numbers, have an order"));
    }
    items.sort_by(compare);
    Ok(Value::List(items))
}

fn truths(arguments: &[&Value]) -> Result<Vec<bool>, ArgumentError> {
    let items = list_argument(arguments, 0)?.iter();
    items.map(operators::boolean).collect::<Result<_, _>>().map_err(|message| ArgumentError::new(0, message))
}

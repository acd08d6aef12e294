//! Functions on lists and tables.

use super::{ArgumentError, list_argument, map_argument, text_argument};
use crate::spec::expression::operators;
use crate::spec::normalize::compare;
use crate::value::{Value, ValueMap};

pub(super) fn length(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let length = match &arguments[0] {
        Value::List(items) => items.len(),
        Value::Map(entries) => entries.len(),
        Value::String(text) => text.chars().count(),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Unknown(_) => {
            return Err(ArgumentError::wrong_type(arguments, 0, "a list, table or string"));
        }
    };
    Ok(Value::Integer(i64::try_from(length).expect("nothing in memory is that long")))
}

pub(super) fn keys(arguments: &[Value]) -> Result<Value, ArgumentError> {
    Ok(Value::from(map_argument(arguments, 0)?.keys().map(String::as_str).collect::<Vec<_>>()))
}

pub(super) fn values(arguments: &[Value]) -> Result<Value, ArgumentError> {
    Ok(Value::List(map_argument(arguments, 0)?.values().cloned().collect()))
}

pub(super) fn lookup(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let (entries, key) = (map_argument(arguments, 0)?, text_argument(arguments, 1)?);
    let found = entries.get(key).or_else(|| arguments.get(2));
    found.cloned().ok_or_else(|| {
        ArgumentError::new(1, format!("there is no `{}`, and no default is given", key.escape_debug()))
    })
}

pub(super) fn merge(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let mut merged = ValueMap::new();
    for index in (0..arguments.len()).filter(|index| !arguments[*index].is_null()) {
        let entries = map_argument(arguments, index)?;
        merged.extend(entries.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Ok(Value::Map(merged))
}

pub(super) fn concat(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let mut all = Vec::new();
    for index in 0..arguments.len() {
        all.extend_from_slice(list_argument(arguments, index)?);
    }
    Ok(Value::List(all))
}

/// Keeps the first of equal items.
pub(super) fn distinct(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let items = list_argument(arguments, 0)?;
    let mut order: Vec<_> = (0..items.len()).collect();
    order.sort_by(|left, right| compare(&items[*left], &items[*right]).then(left.cmp(right)));
    order.dedup_by(|later, first| compare(&items[*later], &items[*first]).is_eq());
    order.sort_unstable();
    Ok(Value::List(order.into_iter().map(|index| items[index].clone()).collect()))
}

pub(super) fn sort(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let mut items = list_argument(arguments, 0)?.to_vec();
    let same = items.iter().all(|item| item.as_str().is_some()) || items.iter().all(operators::is_number);
    if !same {
        return Err(ArgumentError::new(0, "only strings, or only numbers, have an order"));
    }
    items.sort_by(compare);
    Ok(Value::List(items))
}

pub(super) fn index(arguments: &[Value]) -> Result<Value, ArgumentError> {
    let position = list_argument(arguments, 0)?.iter().position(|item| compare(item, &arguments[1]).is_eq());
    let position = position.ok_or_else(|| ArgumentError::new(1, "the value is not in the list"))?;
    Ok(Value::Integer(i64::try_from(position).expect("nothing in memory is that long")))
}

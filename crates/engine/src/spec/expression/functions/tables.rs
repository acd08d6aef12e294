//! Functions on tables.

use super::argument::{ArgumentError, list_argument, map_argument, text_argument, texts_argument};
use super::{Body, Function, FunctionGroup, MANY};
use crate::value::{Value, ValueMap};

pub(super) const GROUP: FunctionGroup = FunctionGroup {
    title: "Tables",
    functions: &[
        Function::new(
            "keys(table)",
            (1, 1),
            Body::Outside(1, keys),
            "The keys, sorted.",
            ("keys({b = 1, a = 2})", "['a', 'b']"),
        ),
        Function::new(
            "lookup(table, key[, default])",
            (2, 3),
            Body::Outside(2, lookup),
            "The entry with a key, or the default if there is none.",
            ("lookup({a = 1}, 'b', 0)", "0"),
        ),
        Function::new(
            "merge(table, ...)",
            (1, MANY),
            Body::Outside(MANY, merge),
            "One table of all; later entries win over earlier ones. Null counts as an empty table.",
            ("merge({a = 1, b = 1}, {b = 2})", "{a = 1, b = 2}"),
        ),
        Function::new(
            "values(table)",
            (1, 1),
            Body::Outside(1, values),
            "The values, sorted by key.",
            ("values({b = 1, a = 2})", "[2, 1]"),
        ),
        Function::new(
            "zipmap(keys, values)",
            (2, 2),
            Body::Outside(2, zipmap),
            "A table made of a list of keys and a list of as many values.",
            ("zipmap(['a', 'b'], [1, 2])", "{a = 1, b = 2}"),
        ),
    ],
};

fn keys(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    Ok(Value::from(map_argument(arguments, 0)?.keys().map(String::as_str).collect::<Vec<_>>()))
}

fn values(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    Ok(Value::List(map_argument(arguments, 0)?.values().cloned().collect()))
}

fn lookup(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let (entries, key) = (map_argument(arguments, 0)?, text_argument(arguments, 1)?);
    let found = entries.get(key).or_else(|| arguments.get(2).copied());
    found.cloned().ok_or_else(|| {
        ArgumentError::new(1, format!("there is no `{}`, and no default is given", key.escape_debug()))
    })
}

fn merge(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    let mut merged = ValueMap::new();
    for argument in (0..arguments.len()).filter(|argument| !arguments[*argument].is_null()) {
        let entries = map_argument(arguments, argument)?;
        merged.extend(entries.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    Ok(Value::Map(merged))
}

fn zipmap(arguments: &[&Value]) -> Result<Value, ArgumentError> {
    if let Some(unknown) = arguments[0].first_unknown() {
        return Ok(unknown.derived());
    }
    let (keys, values) = (texts_argument(arguments, 0)?, list_argument(arguments, 1)?);
    if keys.len() != values.len() {
        let message = format!("{} values for {} keys", values.len(), keys.len());
        return Err(ArgumentError::new(1, message));
    }
    let entries = keys.into_iter().map(str::to_owned).zip(values.iter().cloned());
    Ok(Value::Map(entries.collect()))
}

//! Tables. Those that change something change it for everybody who holds the table, as in Go.

use std::rc::Rc;

use super::arguments::{data, shown, table, text};
use super::{Function, Returned, takes, takes_from};
use crate::helm::template::{CallError, Executor, GoValue, Table};

pub(super) const FUNCTIONS: &[Function] = &[
    takes_from(0, "dict", |_, arguments| {
        Ok(GoValue::table(arguments.chunks(2).map(|pair| {
            (shown(&pair[0]).to_string(), pair.get(1).cloned().unwrap_or_else(|| GoValue::text("")))
        })))
    }),
    takes(2, "get", |_, arguments| {
        let (table, key) = (table(arguments, 0)?, text(arguments, 1)?);
        let found = table.borrow().get(&*key).cloned();
        Ok(found.unwrap_or_else(|| GoValue::text("")))
    }),
    takes(3, "set", |_, arguments| {
        let (table, key) = (table(arguments, 0)?, text(arguments, 1)?);
        table.borrow_mut().insert(key.to_string(), arguments[2].clone());
        Ok(GoValue::Table(table))
    }),
    takes(2, "unset", |_, arguments| {
        let (table, key) = (table(arguments, 0)?, text(arguments, 1)?);
        table.borrow_mut().remove(&*key);
        Ok(GoValue::Table(table))
    }),
    takes(2, "hasKey", |_, arguments| {
        let (table, key) = (table(arguments, 0)?, text(arguments, 1)?);
        let found = table.borrow().contains_key(&*key);
        Ok(GoValue::Bool(found))
    }),
    takes_from(1, "pluck", |_, arguments| {
        let key = text(arguments, 0)?;
        let mut found = Vec::new();
        for index in 1..arguments.len() {
            found.extend(table(arguments, index)?.borrow().get(&*key).cloned());
        }
        Ok(GoValue::list(found))
    }),
    takes_from(0, "keys", |_, arguments| {
        let mut keys = Vec::new();
        for index in 0..arguments.len() {
            keys.extend(table(arguments, index)?.borrow().keys().cloned());
        }
        Ok(GoValue::texts(keys))
    }),
    takes(1, "values", |_, arguments| {
        Ok(GoValue::list(table(arguments, 0)?.borrow().values().cloned().collect()))
    }),
    takes_from(1, "pick", |_, arguments| filtered(arguments, true)),
    takes_from(1, "omit", |_, arguments| filtered(arguments, false)),
    takes_from(1, "merge", |_, arguments| merged(arguments, false)),
    takes_from(1, "mustMerge", |_, arguments| merged(arguments, false)),
    takes_from(1, "mergeOverwrite", |_, arguments| merged(arguments, true)),
    takes_from(1, "mustMergeOverwrite", |_, arguments| merged(arguments, true)),
    takes(1, "deepCopy", deep_copy),
    takes(1, "mustDeepCopy", deep_copy),
    takes_from(3, "dig", dig),
];

fn filtered(arguments: &[GoValue], keeps: bool) -> Returned {
    let names: Vec<Rc<str>> =
        (1..arguments.len()).map(|index| text(arguments, index)).collect::<Result<_, _>>()?;
    let table = table(arguments, 0)?;
    let table = table.borrow();
    let is_kept = |key: &str| names.iter().any(|name| **name == *key) == keeps;
    Ok(GoValue::table(
        table.iter().filter(|(key, _)| is_kept(key)).map(|(key, value)| (key.clone(), value.clone())),
    ))
}

/// Merges tables into the first one, which is changed.
fn merged(arguments: &[GoValue], overwrites: bool) -> Returned {
    let into = table(arguments, 0)?;
    for index in 1..arguments.len() {
        merge(&into, &table(arguments, index)?, overwrites);
    }
    Ok(GoValue::Table(into))
}

/// Merges a table into another one. What is empty counts as not being there.
fn merge(into: &Table, from: &Table, overwrites: bool) {
    if Rc::ptr_eq(into, from) {
        return;
    }
    for (key, value) in from.borrow().iter() {
        let present = into.borrow().get(key).cloned();
        match (&present, value) {
            (Some(GoValue::Table(inner)), GoValue::Table(other)) => merge(inner, other, overwrites),
            (Some(present), _) if present.is_true() && !overwrites => {}
            (_, GoValue::Nil) if !overwrites => {}
            _ => {
                into.borrow_mut().insert(key.clone(), value.clone());
            }
        }
    }
}

/// Returns a value that shares nothing with the first.
fn deep_copy(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    // Refuses what holds itself.
    data(arguments, 0)?;
    Ok(copied(&arguments[0]))
}

fn copied(value: &GoValue) -> GoValue {
    match value {
        GoValue::Table(table) => {
            GoValue::table(table.borrow().iter().map(|(key, value)| (key.clone(), copied(value))))
        }
        GoValue::List(items) => GoValue::list(items.iter().map(copied).collect()),
        other => other.clone(),
    }
}

/// Returns what is inside of tables, key by key, or a default value.
fn dig(_: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let (keys, default) = (&arguments[..arguments.len() - 2], &arguments[arguments.len() - 2]);
    let mut value = GoValue::Table(table(arguments, arguments.len() - 1)?);
    for index in 0..keys.len() {
        let key = text(keys, index)?;
        let GoValue::Table(table) = &value else {
            let problem = format!(
                "interface conversion: interface {{}} is {}, not map[string]interface {{}}",
                value.type_name().replace("<nil>", "nil")
            );
            return Err(CallError::from(problem));
        };
        let Some(found) = table.borrow().get(&*key).cloned() else { return Ok(default.clone()) };
        value = found;
    }
    Ok(value)
}

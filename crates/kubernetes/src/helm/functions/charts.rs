//! What Helm adds: templates that are called, errors of charts' own, the cluster, YAML and TOML.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::arguments::{data, text};
use super::encoding::read_json;
use super::{Function, Returned, takes};
use crate::helm::render::Query;
use crate::helm::template::{CallError, Executor, GoValue, from_json, quoted, to_json_with_floats};
use crate::helm::yaml::{Lists, document, write};

pub(super) const FUNCTIONS: &[Function] = &[
    takes(2, "include", |executor, arguments| {
        Ok(GoValue::text(executor.run(&text(arguments, 0)?, &arguments[1])?))
    }),
    takes(2, "tpl", tpl),
    takes(2, "required", |_, arguments| {
        let message = text(arguments, 0)?;
        match &arguments[1] {
            GoValue::Nil => Err(CallError::raised(&message)),
            GoValue::Text(given) if given.is_empty() => Err(CallError::raised(&message)),
            given => Ok(given.clone()),
        }
    }),
    takes(1, "fail", |_, arguments| Err(CallError::raised(&text(arguments, 0)?))),
    takes(4, "lookup", |executor, arguments| {
        let query = Query {
            api_version: text(arguments, 0)?.to_string(),
            kind: text(arguments, 1)?.to_string(),
            namespace: text(arguments, 2)?.to_string(),
            name: text(arguments, 3)?.to_string(),
        };
        let answer = executor.world.answers.get(&query).cloned();
        executor.world.asked.borrow_mut().insert(query);
        Ok(from_json(&answer.unwrap_or_else(|| Value::Object(Map::new()))))
    }),
    // What cannot be written is nothing, but for those that say `must`.
    takes(1, "toYaml", |_, arguments| {
        Ok(GoValue::text(data(arguments, 0).map(|data| yaml(&data, Lists::AtKey)).unwrap_or_default()))
    }),
    takes(1, "mustToYaml", |_, arguments| Ok(GoValue::text(yaml(&data(arguments, 0)?, Lists::AtKey)))),
    takes(1, "toYamlPretty", |_, arguments| {
        let data = to_json_with_floats(&arguments[0]);
        Ok(GoValue::text(data.map(|data| yaml(&data, Lists::Indented)).unwrap_or_default()))
    }),
    takes(1, "fromYaml", |_, arguments| Ok(table_or_error(read_yaml(&text(arguments, 0)?)))),
    takes(1, "fromYamlArray", |_, arguments| Ok(list_or_error(read_yaml(&text(arguments, 0)?)))),
    takes(1, "fromJson", |_, arguments| Ok(table_or_error(read_json(&text(arguments, 0)?)))),
    takes(1, "fromJsonArray", |_, arguments| Ok(list_or_error(read_json(&text(arguments, 0)?)))),
    takes(1, "fromToml", |_, arguments| {
        let read = toml::from_str::<Value>(&text(arguments, 0)?).map_err(|error| error.message().to_owned());
        Ok(table_or_error(read))
    }),
    takes(1, "toToml", |_, arguments| to_toml(arguments)),
    takes(1, "mustToToml", |_, arguments| to_toml(arguments)),
];

/// Runs text as a template, which sees all others and whose own definitions end with it.
fn tpl(executor: &Executor<'_>, arguments: &[GoValue]) -> Returned {
    let written = text(arguments, 0)?;
    let mut templates = executor.templates.clone();
    let name = "gotpl";
    templates.add(name, &written, &|name| super::function(name).is_some()).map_err(|error| {
        let problem = error
            .to_string()
            .replacen("parse error at (gotpl:", "template: gotpl:", 1)
            .replacen("): ", ": ", 1);
        CallError::from(format!("cannot parse template {}: {problem}", quoted(&written)))
    })?;
    let inner = Executor { world: executor.world, templates };
    let made = inner.run(name, &arguments[1]).map_err(|problem| {
        problem.within(&format!("error during tpl function execution for {}: ", quoted(&written)))
    })?;
    Ok(GoValue::text(made.replace("<no value>", "")))
}

fn yaml(data: &Value, lists: Lists) -> String {
    let mut text = write(data, lists);
    text.truncate(text.strip_suffix('\n').map_or(text.len(), str::len));
    text
}

fn read_yaml(text: &str) -> Result<Value, String> {
    document(text).map_err(|error| format!("error converting YAML to JSON: {error}"))
}

/// Returns what Go says of data of another kind.
fn unexpected(found: &Value, wanted: &str) -> String {
    let kind = match found {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type {wanted}"
    )
}

/// Helm puts what is wrong into the table.
fn table_or_error(read: Result<Value, String>) -> GoValue {
    let problem = match read {
        Ok(table @ Value::Object(_)) => return from_json(&table),
        Ok(Value::Null) => return GoValue::table([]),
        Ok(other) => unexpected(&other, "map[string]interface {}"),
        Err(problem) => problem,
    };
    GoValue::table([("Error".to_owned(), GoValue::text(problem))])
}

/// Helm puts what is wrong into the list.
fn list_or_error(read: Result<Value, String>) -> GoValue {
    let problem = match read {
        Ok(list @ Value::Array(_)) => return from_json(&list),
        Ok(Value::Null) => return GoValue::list(Vec::new()),
        Ok(other) => unexpected(&other, "[]interface {}"),
        Err(problem) => problem,
    };
    GoValue::texts([problem])
}

fn to_toml(arguments: &[GoValue]) -> Returned {
    let table = super::arguments::table(arguments, 0)?;
    let mut text = String::new();
    toml_table(&GoValue::Table(table), &[], &mut text)?;
    Ok(GoValue::text(text))
}

/// Writes a table of TOML: plain values first, then tables with their full names.
fn toml_table(value: &GoValue, path: &[String], into: &mut String) -> Result<(), CallError> {
    let GoValue::Table(table) = value else { return Err("toml: it is no table".into()) };
    let table = table.borrow();
    let indent = "  ".repeat(path.len().saturating_sub(1));
    let inner = if path.is_empty() { "" } else { "  " };
    for (key, value) in table.iter().filter(|(_, value)| !is_toml_table(value)) {
        if !matches!(value, GoValue::Nil) {
            let _ = writeln!(into, "{indent}{inner}{} = {}", toml_key(key), toml_value(value)?);
        }
    }
    for (key, value) in table.iter().filter(|(_, value)| is_toml_table(value)) {
        let path = [path, &[toml_key(key)]].concat();
        let indent = "  ".repeat(path.len() - 1);
        let (tables, open, close) = match value {
            GoValue::List(items) => (items.to_vec(), "[[", "]]"),
            other => (vec![other.clone()], "[", "]"),
        };
        for table in tables {
            if !into.is_empty() {
                into.push('\n');
            }
            let _ = writeln!(into, "{indent}{open}{}{close}", path.join("."));
            toml_table(&table, &path, into)?;
        }
    }
    Ok(())
}

/// Whether a value is written as tables of their own.
fn is_toml_table(value: &GoValue) -> bool {
    match value {
        GoValue::Table(_) => true,
        GoValue::List(items) => {
            !items.is_empty() && items.iter().all(|item| matches!(item, GoValue::Table(_)))
        }
        _ => false,
    }
}

fn toml_key(key: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { quoted(key) }
}

fn toml_value(value: &GoValue) -> Result<String, CallError> {
    Ok(match value {
        GoValue::Nil => return Err("toml: cannot encode a nil value".into()),
        GoValue::Text(text) => quoted(text),
        GoValue::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.1}"),
        GoValue::List(items) => {
            let items = items.iter().map(toml_value).collect::<Result<Vec<_>, _>>()?;
            format!("[{}]", items.join(", "))
        }
        GoValue::Table(table) => {
            let entries = table.borrow();
            let entries =
                entries.iter().map(|(key, value)| Ok(format!("{} = {}", toml_key(key), toml_value(value)?)));
            format!("{{{}}}", entries.collect::<Result<Vec<_>, CallError>>()?.join(", "))
        }
        GoValue::Object(object) => toml_value(&object.data())?,
        other => other.display(),
    })
}

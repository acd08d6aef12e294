//! Values to data and back, and data as Go's `encoding/json` writes it.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::numbers::{json_number, whole_if_whole};
use super::value::{DEEPEST, GoValue};

/// Returns a value as data.
///
/// # Errors
/// It has something in it that JSON does not have.
pub(in crate::helm) fn to_json(value: &GoValue) -> Result<Value, String> {
    to_depth(value, DEEPEST, whole_if_whole)
}

/// As [`to_json`], with every float left one.
///
/// # Errors
/// It has something in it that JSON does not have.
pub(in crate::helm) fn to_json_with_floats(value: &GoValue) -> Result<Value, String> {
    to_depth(value, DEEPEST, Value::from)
}

fn to_depth(value: &GoValue, depth: usize, float: fn(f64) -> Value) -> Result<Value, String> {
    if depth == 0 {
        return Err("json: unsupported value: encountered a cycle".to_owned());
    }
    Ok(match value {
        GoValue::Nil => Value::Null,
        GoValue::Bool(word) => Value::Bool(*word),
        GoValue::Int(number) | GoValue::Int64(number) => Value::from(*number),
        GoValue::Float(number) if !number.is_finite() => {
            return Err(format!("json: unsupported value: {}", super::float_text(*number)));
        }
        GoValue::Float(number) => float(*number),
        GoValue::Text(text) => Value::from(&**text),
        GoValue::List(items) => {
            items.iter().map(|item| to_depth(item, depth - 1, float)).collect::<Result<Vec<_>, _>>()?.into()
        }
        GoValue::Table(table) => {
            let table = table.borrow();
            let entries =
                table.iter().map(|(key, value)| Ok((key.clone(), to_depth(value, depth - 1, float)?)));
            Value::Object(entries.collect::<Result<Map<_, _>, String>>()?)
        }
        GoValue::Object(object) => to_depth(&object.data(), depth - 1, float)?,
    })
}

/// Returns data as a value: every number is a `float64`, as charts get it.
pub(in crate::helm) fn from_json(value: &Value) -> GoValue {
    match value {
        Value::Null => GoValue::Nil,
        Value::Bool(word) => GoValue::Bool(*word),
        Value::Number(number) => GoValue::Float(number.as_f64().unwrap_or_default()),
        Value::String(text) => GoValue::text(text),
        Value::Array(items) => GoValue::list(items.iter().map(from_json).collect()),
        Value::Object(entries) => {
            GoValue::table(entries.iter().map(|(key, value)| (key.clone(), from_json(value))))
        }
    }
}

/// Returns data as JSON in one line, with what means something to HTML escaped.
pub(in crate::helm) fn json_text(value: &Value, escapes_html: bool) -> String {
    let mut text = String::new();
    Writer { text: &mut text, escapes_html, indents: false }.value(value, 0);
    text
}

/// Returns data as JSON in lines that are indented by two.
pub(in crate::helm) fn pretty_json_text(value: &Value) -> String {
    let mut text = String::new();
    Writer { text: &mut text, escapes_html: true, indents: true }.value(value, 0);
    text
}

struct Writer<'a> {
    text: &'a mut String,
    escapes_html: bool,
    indents: bool,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Null => self.text.push_str("null"),
            Value::Bool(word) => self.text.push_str(if *word { "true" } else { "false" }),
            Value::Number(number) => self.text.push_str(&json_number(number)),
            Value::String(text) => self.string(text),
            Value::Array(items) => {
                self.text.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.next(index, depth);
                    self.value(item, depth + 1);
                }
                self.end(items.is_empty(), depth, ']');
            }
            Value::Object(entries) => {
                let mut keys: Vec<&String> = entries.keys().collect();
                keys.sort();
                self.text.push('{');
                for (index, key) in keys.into_iter().enumerate() {
                    self.next(index, depth);
                    self.string(key);
                    self.text.push_str(if self.indents { ": " } else { ":" });
                    self.value(&entries[key], depth + 1);
                }
                self.end(entries.is_empty(), depth, '}');
            }
        }
    }

    fn next(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.text.push(',');
        }
        if self.indents {
            self.line(depth + 1);
        }
    }

    fn end(&mut self, is_empty: bool, depth: usize, bracket: char) {
        if self.indents && !is_empty {
            self.line(depth);
        }
        self.text.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", depth));
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                '<' | '>' | '&' if self.escapes_html => self.escape(character),
                '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => self.escape(character),
                other => self.text.push(other),
            }
        }
        self.text.push('"');
    }

    fn escape(&mut self, character: char) {
        let _ = write!(self.text, "\\u{:04x}", u32::from(character));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_is_written_as_go_does() {
        let value = json!({"b": [1, 2.5, null], "a": "<x>\u{1}\n", "c": {}});
        assert_eq!(json_text(&value, true), r#"{"a":"\u003cx\u003e\u0001\n","b":[1,2.5,null],"c":{}}"#);
        assert_eq!(json_text(&value, false), r#"{"a":"<x>\u0001\n","b":[1,2.5,null],"c":{}}"#);
        assert_eq!(
            pretty_json_text(&json!({"a": [1], "b": []})),
            "{\n  \"a\": [\n    1\n  ],\n  \"b\": []\n}"
        );
    }

    #[test]
    fn a_table_in_itself_is_refused() {
        let table = GoValue::table([]);
        let GoValue::Table(inner) = &table else { panic!("it is a table") };
        inner.borrow_mut().insert("self".to_owned(), table.clone());
        assert!(to_json(&table).is_err());
        assert!(table.display().contains("<too deep>"));
    }
}

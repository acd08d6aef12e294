//! Values as a spec has them.

use crate::value::{Value, ValueMap};

/// A piece of a spec: a value as it is, or an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Text {
    /// A value.
    Value(Value),
    /// What stands between `${` and `}`.
    Expression(String),
    /// Several.
    List(Vec<Text>),
    /// By name.
    Table(Vec<(String, Text)>),
}

/// Returns a text as TOML.
pub(super) fn toml(text: &Text) -> String {
    match text {
        Text::Value(value) => of_value(value),
        Text::Expression(expression) => quoted(&format!("${{{expression}}}")),
        Text::List(items) => list(items.iter().map(toml)),
        Text::Table(entries) => table(entries.iter().map(|(name, text)| (name.as_str(), toml(text)))),
    }
}

fn of_value(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::String(text) => quoted(&text.replace("${", "$${")),
        Value::List(items) => list(items.iter().map(of_value)),
        Value::Map(entries) => map(entries),
        // TOML has no null, and what was read is known.
        Value::Null | Value::Unknown(_) => "\"\"".to_owned(),
    }
}

fn map(entries: &ValueMap) -> String {
    let written = entries.iter().filter(|(_, value)| !value.is_null());
    table(written.map(|(name, value)| (name.as_str(), of_value(value))))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn table<'a>(entries: impl Iterator<Item = (&'a str, String)>) -> String {
    let entries: Vec<_> = entries.map(|(name, value)| format!("{} = {value}", key(name))).collect();
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
}

fn key(name: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// Returns a text as a basic string of TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            control if control.is_control() => {
                let code = format!("\\u{:04X}", u32::from(control));
                quoted.push_str(&code);
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_toml_reads_them() {
        let value = |value: Value| toml(&Text::Value(value));
        assert_eq!(value(Value::from("a\"b\\c\nd${e}")), r#""a\"b\\c\nd$${e}""#);
        assert_eq!(value(Value::from(vec!["a", "b"])), r#"["a", "b"]"#);
        let map = ValueMap::from([("a/b".to_owned(), Value::from(1)), ("c".to_owned(), Value::from(true))]);
        assert_eq!(value(Value::Map(map)), r#"{ "a/b" = 1, c = true }"#);
        assert_eq!(toml(&Text::Expression("vpc.main.id".to_owned())), r#""${vpc.main.id}""#);
    }
}

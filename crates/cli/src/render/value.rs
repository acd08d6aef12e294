//! Values on one line, and as rows where they are too long for that.

use straddle_engine::value::{Unknown, Value};

use crate::render::block::{Content, Marker, Row};
use crate::safe::Safe;

/// Longer lists and tables are spread over several lines.
pub(crate) const LONGEST_INLINE: usize = 64;

/// What stands around the items of a list.
pub(crate) const BRACKETS: (&str, &str) = ("[", "]");
/// What stands around the entries of a table.
pub(crate) const BRACES: (&str, &str) = ("{", "}");
/// What stands around the lines of a text.
pub(crate) const QUOTES: (&str, &str) = ("\"\"\"", "\"\"\"");

/// Renders a value on one line, as it would be written in a spec.
pub(crate) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "(not set)".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::String(text) => quoted(text),
        Value::List(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Unknown(unknown) => known_after_apply(unknown),
    }
}

/// Renders a text, number or boolean without quotes, as a shell wants it; `None` for other values.
pub(crate) fn raw(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Integer(_) | Value::Float(_) => Some(inline(value)),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) => None,
    }
}

/// Renders a name as the key of a table.
pub(crate) fn key(name: &str) -> String {
    if straddle_engine::address::is_word(name) { name.to_owned() } else { quoted(name) }
}

/// Makes a row of a value that has nothing to be compared with.
pub(crate) fn row(marker: Marker, name: &str, value: &Value) -> Row {
    Row::new(marker, name, content(marker, value))
}

pub(crate) fn content(marker: Marker, value: &Value) -> Content {
    let line = inline(value);
    if line.chars().count() <= LONGEST_INLINE {
        return Content::Text(line);
    }
    match value {
        Value::List(items) => {
            let rows = items.iter().map(|item| row(marker, "", item)).collect();
            Content::Rows { brackets: BRACKETS, rows }
        }
        Value::Map(entries) => {
            let rows = entries.iter().map(|(name, value)| row(marker, &key(name), value)).collect();
            Content::Rows { brackets: BRACES, rows }
        }
        Value::String(text) if text.contains('\n') => {
            let rows = text.lines().map(|line| Row::text(marker, Safe(line).to_string())).collect();
            Content::Rows { brackets: QUOTES, rows }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Unknown(_) => Content::Text(line),
    }
}

fn known_after_apply(unknown: &Unknown) -> String {
    let relation = if unknown.exact { "" } else { "made from " };
    format!("(known after apply: {relation}{})", Safe(&unknown.origin))
}

pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// Renders a text as it stands between quotes.
pub(crate) fn escaped(text: &str) -> String {
    Safe(text.replace('\\', "\\\\").replace('"', "\\\"")).to_string()
}

#[cfg(test)]
mod tests {
    use straddle_engine::address::Address;
    use straddle_engine::value::ValueMap;

    use super::*;

    #[test]
    fn values_read_as_in_a_spec() {
        let table = Value::from(ValueMap::from([
            ("a".to_owned(), Value::from(vec![1, 2])),
            ("b/c".to_owned(), Value::from("say \"hi\"\n\u{1b}")),
        ]));
        assert_eq!(inline(&table), r#"{ a = [1, 2], "b/c" = "say \"hi\"\n\u{1b}" }"#);
        assert_eq!(inline(&Value::Float(2.0)), "2.0");
        assert_eq!(inline(&Value::Null), "(not set)");
    }

    #[test]
    fn what_is_not_known_names_its_origin() {
        let exact = Value::unknown(Address::new("vpc", "main"), "id");
        assert_eq!(inline(&exact), "(known after apply: vpc.main.id)");
        let Value::Unknown(unknown) = exact else { unreachable!("it was made unknown") };
        let made = Value::Unknown(Unknown { exact: false, ..unknown });
        assert_eq!(inline(&made), "(known after apply: made from vpc.main.id)");
    }

    #[test]
    fn only_single_values_are_raw() {
        assert_eq!(raw(&Value::from("a b")), Some("a b".to_owned()));
        assert_eq!(raw(&Value::from(3)), Some("3".to_owned()));
        assert_eq!(raw(&Value::from(vec![1])), None);
    }
}

//! What a plain word of YAML 1.1 stands for.
//!
//! Source: <https://yaml.org/type/>, in the form that the YAML library of Kubernetes gives it: `y` and
//! `off` are booleans, `0777` is octal, and numbers of base 60 are text.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

use crate::helm::template::whole_if_whole;

static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$").expect("the pattern is right")
});

static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    let time = r"[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}([.,][0-9]+)?";
    let zone = "(Z|[-+][0-9]{2}:[0-9]{2})";
    Regex::new(&format!(r"^([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})([Tt]{time}{zone}| {time})?$"))
        .expect("the pattern is right")
});

static BASE_60: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$").expect("the pattern is right")
});

/// What a plain word is.
#[derive(Debug, PartialEq)]
pub(super) enum Word {
    /// Data that JSON has too.
    Data(Value),
    /// A number that JSON does not have.
    NotFinite,
    /// `<<`, which takes over another table's entries.
    Merge,
    /// Nothing but text.
    Text,
}

/// Returns what a word stands for that has neither quotes nor a tag.
pub(super) fn word(text: &str) -> Word {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Word::Data(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Word::Data(Value::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Word::Data(Value::Bool(false))
        }
        "<<" => Word::Merge,
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => Word::NotFinite,
        text => number(text),
    }
}

/// Whether text has to be in quotes, since as a plain word it would be something else. Where no key is,
/// `<<` is text.
pub(super) fn needs_quotes(text: &str) -> bool {
    !matches!(word(text), Word::Text | Word::Merge) || is_timestamp(text) || BASE_60.is_match(text)
}

fn number(text: &str) -> Word {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return Word::Text;
    }
    let plain = text.replace('_', "");
    if !text.starts_with('.')
        && let Some(number) = integer(&plain)
    {
        return Word::Data(Value::Number(number));
    }
    let plain = if text.starts_with('.') { text } else { &plain };
    if !FLOAT.is_match(plain) {
        return Word::Text;
    }
    match plain.parse::<f64>() {
        Ok(number) if number.is_finite() => Word::Data(whole_if_whole(number)),
        Ok(_) => Word::NotFinite,
        Err(_) => Word::Text,
    }
}

/// Reads an integer whose base is told by what it begins with.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefixes = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2), ("0", 8)];
    let (digits, base) = prefixes
        .iter()
        .find_map(|(prefix, base)| Some((digits.strip_prefix(prefix)?, *base)))
        .filter(|(digits, _)| !digits.is_empty())
        .unwrap_or((digits, 10));
    if !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    if negative { 0_i64.checked_sub_unsigned(size).map(Number::from) } else { Some(Number::from(size)) }
}

/// Whether text has the form of a date, with or without a time, and could be one.
fn is_timestamp(text: &str) -> bool {
    let Some(parts) = TIMESTAMP.captures(text) else { return false };
    let part = |index: usize| parts[index].parse::<i16>().ok();
    let (Some(year), Some(month), Some(day)) = (part(1), part(2), part(3)) else { return false };
    let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return false };
    jiff::civil::Date::new(year, month, day).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match word(text) {
            Word::Data(value) => value.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn words_are_what_yaml_1_1_says() {
        for (text, expected) in [
            ("yes", "true"),
            ("N", "false"),
            ("nope", "Text"),
            ("", "null"),
            ("0777", "511"),
            ("08", "8"),
            ("0o17", "15"),
            ("-0x1F", "-31"),
            ("0b11", "3"),
            ("1_000", "1000"),
            ("1e3", "1000"),
            (".5", "0.5"),
            (".", "Text"),
            ("1.0", "1"),
            ("+1.5", "1.5"),
            ("18446744073709551615", "18446744073709551615"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("190:20:30", "Text"),
            ("1.2.3", "Text"),
            ("-.inf", "NotFinite"),
            ("<<", "Merge"),
            ("+", "Text"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn what_would_be_something_else_needs_quotes() {
        for text in ["", "on", "1", "2020-01-02", "2001-12-14t21:59:43.10-05:00", "190:20:30", "~"] {
            assert!(needs_quotes(text), "{text}");
        }
        for text in ["v1.2.3", "2020-13-01", "a:b", "1.2.3.4", "-", "1m"] {
            assert!(!needs_quotes(text), "{text}");
        }
    }
}

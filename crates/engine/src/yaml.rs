//! Values as the YAML that others write: one document, read by the core schema of YAML 1.2, of which
//! JSON is a part.

use std::borrow::Cow;

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use crate::value::{Value, ValueMap};

/// How many lists and tables may be inside of each other.
const DEEPEST: usize = 64;

/// Reads a value. Whether a text stands for a number or the like is seen by its form, unless it is
/// in quotes. Keys are text. Anchors are refused: they make small texts into data of any size.
///
/// # Errors
/// What is wrong, as the end of a sentence.
pub fn decode(text: &str) -> Result<Value, String> {
    let mut reader = Reader { open: Vec::new(), read: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("the text is no YAML: {error}"))?;
        let place = |problem: String| format!("{problem} in line {}", span.start.line());
        reader.event(event).map_err(place)?;
    }
    reader.read.ok_or_else(|| "the text is empty".to_owned())
}

/// A list or a table that is not read to its end.
enum Open {
    List(Vec<Value>),
    /// With the key whose value comes next.
    Table(ValueMap, Option<String>),
}

struct Reader {
    /// From the outermost inwards.
    open: Vec<Open>,
    /// The document.
    read: Option<Value>,
}

impl Reader {
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is left has no data in it")]
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::DocumentStart(..) if self.read.is_some() => {
                Err("there is more than one document".to_owned())
            }
            Event::Alias(_) => Err("there is an alias, which is not taken".to_owned()),
            Event::Scalar(text, style, _, tag) => {
                let value = scalar(text, style, tag.as_deref())?;
                self.add(value)
            }
            Event::SequenceStart(..) => self.begin(Open::List(Vec::new())),
            Event::MappingStart(..) => self.begin(Open::Table(ValueMap::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(items)) => self.add(Value::List(items)),
                Some(Open::Table(entries, _)) => self.add(Value::Map(entries)),
                None => Err("something ends that did not begin".to_owned()),
            },
            _ => Ok(()),
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), String> {
        if self.open.len() == DEEPEST {
            return Err(format!("there are more than {DEEPEST} lists and tables inside of each other"));
        }
        self.open.push(open);
        Ok(())
    }

    /// Puts a value to where it stands.
    fn add(&mut self, value: Value) -> Result<(), String> {
        match self.open.last_mut() {
            None => self.read = Some(value),
            Some(Open::List(items)) => items.push(value),
            Some(Open::Table(entries, key)) => {
                if let Some(name) = key.take() {
                    entries.insert(name, value);
                    return Ok(());
                }
                let name = key_of(value)?;
                if entries.contains_key(&name) {
                    return Err(format!("the key `{}` is there twice", name.escape_debug()));
                }
                *key = Some(name);
            }
        }
        Ok(())
    }
}

/// Returns the text of a key.
fn key_of(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Bool(word) => Ok(word.to_string()),
        Value::Null | Value::Float(_) | Value::List(_) | Value::Map(_) | Value::Unknown(_) => {
            Err(format!("a key is {} and no text", value.type_name()))
        }
    }
}

/// Returns what a text stands for ("Core Schema" of the YAML 1.2 specification).
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    if tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag("str")) {
        return Err("there is a tag, which is not taken".to_owned());
    }
    if style != ScalarStyle::Plain || tag.is_some() {
        return Ok(Value::String(text.into_owned()));
    }
    Ok(match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text => match number(text)? {
            Some(number) => number,
            None => Value::from(text),
        },
    })
}

/// Returns the number that a text stands for; `None` if it stands for none.
fn number(text: &str) -> Result<Option<Value>, String> {
    let range = || format!("the number {text} is out of range");
    for (prefix, base) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix).filter(|digits| is_number(digits, base)) {
            let number = i64::from_str_radix(digits, base).map_err(|_| range())?;
            return Ok(Some(Value::Integer(number)));
        }
    }
    if is_number(text.trim_start_matches(['-', '+']), 10) && text.find(['-', '+']).is_none_or(|at| at == 0) {
        return text.parse().map(|number| Some(Value::Integer(number))).map_err(|_| range());
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Err(range());
    }
    let looks_like_one = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.contains(|character: char| character.is_ascii_digit())
        && digits.chars().all(|character| character.is_ascii_digit() || ".eE+-".contains(character));
    let found = text.parse::<f64>().ok().filter(|_| looks_like_one);
    match found {
        Some(number) if number.is_finite() => Ok(Some(Value::Float(number))),
        Some(_) => Err(range()),
        None => Ok(None),
    }
}

fn is_number(digits: &str, base: u32) -> bool {
    !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[track_caller]
    fn check(yaml: &str, expected: &str) {
        let read = decode(yaml).map(|value| json::encode(&value).expect("it is all known"));
        assert_eq!(read.as_deref(), Ok(expected), "{yaml}");
    }

    #[test]
    fn texts_are_what_their_form_says() {
        check("[1, -2, +3, 0x1F, 0o17, 007]", "[1,-2,3,31,15,7]");
        check("[1.5, 1e3, .5, -2.5E-1]", "[1.5,1000.0,0.5,-0.25]");
        check("[true, False, null, ~, ]", "[true,false,null,null]");
        check(
            "[yes, no, on, 1.2.3, v1.20.1-eksbuild.1, 12-34, 1m, 0x]",
            r#"["yes","no","on","1.2.3","v1.20.1-eksbuild.1","12-34","1m","0x"]"#,
        );
        check(r#"['1', "true", !!str 2]"#, r#"["1","true","2"]"#);
    }

    #[test]
    fn lists_and_tables_are_inside_of_each_other() {
        check(
            "a:\n  - b: 1\n    c: |\n      two\n      lines\n  - []\n",
            r#"{"a":[{"b":1,"c":"two\nlines\n"},[]]}"#,
        );
        check(r#"{"json": {"is": ["yaml", 1]}}"#, r#"{"json":{"is":["yaml",1]}}"#);
        check("80: http\ntrue: x", r#"{"80":"http","true":"x"}"#);
    }

    #[test]
    fn what_is_refused_says_why_and_where() {
        let deep = format!("{}{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1));
        for (yaml, expected) in [
            ("", "the text is empty"),
            ("a: 1\na: 2", "the key `a` is there twice in line 2"),
            ("a: &x 1\nb: *x", "there is an alias, which is not taken in line 2"),
            ("a: !Ref b", "there is a tag, which is not taken in line 1"),
            ("--- 1\n--- 2", "there is more than one document in line 2"),
            ("[1]: 2", "a key is a list and no text in line 1"),
            ("99999999999999999999", "the number 99999999999999999999 is out of range in line 1"),
            ("a: .inf", "the number .inf is out of range in line 1"),
            (&deep, "there are more than 64 lists and tables inside of each other in line 1"),
        ] {
            assert_eq!(decode(yaml), Err(expected.to_owned()), "{yaml}");
        }
        let broken = decode("a: [1").expect_err("the list has no end");
        assert!(broken.starts_with("the text is no YAML: "), "{broken}");
    }
}

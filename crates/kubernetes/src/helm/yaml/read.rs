//! Reads documents of YAML.

use std::borrow::Cow;
use std::collections::BTreeMap;

use data_encoding::BASE64;
use granit_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

use super::resolve::{Word, word};
use crate::helm::template::whole_if_whole;

/// How many lists and tables may be inside of each other.
const DEEPEST: usize = 100;

/// How many values a text may have with everything that its aliases stand for: small texts can
/// mean data of any size.
const MOST_VALUES: usize = 2_000_000;

/// What is wrong with a text that should be YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("yaml: line {line}: {problem}")]
pub struct YamlError {
    /// The line of the text, from 1.
    pub line: usize,
    /// What is wrong, as the end of a sentence.
    pub problem: String,
}

/// Reads the first document of a text; one without a document is null.
///
/// # Errors
/// What is wrong with it, and where.
pub fn document(text: &str) -> Result<Value, YamlError> {
    Ok(documents(text)?.into_iter().next().unwrap_or_default())
}

/// Reads every document of a text. Of two equal keys the later one counts, as for Helm.
///
/// # Errors
/// What is wrong with it, and where.
pub fn documents(text: &str) -> Result<Vec<Value>, YamlError> {
    let mut reader = Reader { open: Vec::new(), read: Vec::new(), anchors: BTreeMap::new(), values: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| YamlError { line: error.marker().line(), problem: error.info() })?;
        let line = span.start.line();
        reader.event(event).map_err(|problem| YamlError { line, problem })?;
    }
    Ok(reader.read)
}

/// A list or a table that is not read to its end, with the anchor that names it (0: none).
struct Open {
    content: Content,
    anchor: usize,
}

enum Content {
    List(Vec<Value>),
    Table { entries: Map<String, Value>, merged: Vec<Value>, key: Option<Key> },
}

/// The key whose value comes next.
enum Key {
    Name(String),
    Merge,
}

struct Reader {
    /// From the outermost inwards.
    open: Vec<Open>,
    /// The documents.
    read: Vec<Value>,
    /// What has an anchor, with its number of values.
    anchors: BTreeMap<usize, (Value, usize)>,
    /// How many there have been.
    values: usize,
}

impl Reader {
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is left has no data in it")]
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Alias(anchor) => {
                let (value, size) = self.anchors.get(&anchor).ok_or("an alias stands inside of itself")?;
                self.values += size;
                let value = value.clone();
                self.add(Word::Data(value), 0)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let word = scalar(text, style, tag.as_deref())?;
                self.add(word, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Content::List(Vec::new()), anchor),
            Event::MappingStart(_, anchor, _) => {
                self.begin(Content::Table { entries: Map::new(), merged: Vec::new(), key: None }, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let open = self.open.pop().ok_or("something ends that did not begin")?;
                let value = match open.content {
                    Content::List(items) => Value::Array(items),
                    Content::Table { entries, merged, .. } => Value::Object(merge(entries, merged)?),
                };
                self.add(Word::Data(value), open.anchor)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, content: Content, anchor: usize) -> Result<(), String> {
        if self.open.len() == DEEPEST {
            return Err(format!("there are more than {DEEPEST} lists and tables inside of each other"));
        }
        self.open.push(Open { content, anchor });
        Ok(())
    }

    /// Puts what was read to where it stands.
    fn add(&mut self, word: Word, anchor: usize) -> Result<(), String> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return Err(format!("there are more than {MOST_VALUES} values, with what aliases stand for"));
        }
        if anchor != 0
            && let Word::Data(value) = &word
        {
            self.anchors.insert(anchor, (value.clone(), count(value)));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.read.push(data(word)?),
            Some(Content::List(items)) => items.push(data(word)?),
            Some(Content::Table { entries, merged, key }) => match key.take() {
                None => *key = Some(key_of(word)?),
                Some(Key::Merge) => merged.push(data(word)?),
                Some(Key::Name(name)) => {
                    entries.insert(name, data(word)?);
                }
            },
        }
        Ok(())
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Adds the entries of the tables under `<<` that the table does not have itself; earlier ones win.
fn merge(mut entries: Map<String, Value>, merged: Vec<Value>) -> Result<Map<String, Value>, String> {
    let mut tables: Vec<Value> = Vec::new();
    for value in merged {
        match value {
            Value::Array(items) => tables.extend(items),
            other => tables.push(other),
        }
    }
    for table in tables {
        let Value::Object(table) = table else {
            return Err("map merge requires map or sequence of maps as the value".to_owned());
        };
        for (key, value) in table {
            entries.entry(key).or_insert(value);
        }
    }
    Ok(entries)
}

fn data(word: Word) -> Result<Value, String> {
    match word {
        Word::Data(value) => Ok(value),
        Word::Merge => Ok(Value::from("<<")),
        Word::Text => Err("a text has got lost".to_owned()),
        Word::NotFinite => Err("a number is not finite, which JSON does not have".to_owned()),
    }
}

/// Returns the text of a key. Kubernetes has text alone, so others are written as JSON writes them.
fn key_of(word: Word) -> Result<Key, String> {
    match word {
        Word::Merge => Ok(Key::Merge),
        Word::Data(Value::String(text)) => Ok(Key::Name(text)),
        Word::Data(value @ (Value::Bool(_) | Value::Number(_))) => Ok(Key::Name(value.to_string())),
        Word::Data(Value::Null) => Err("a key is null and no text".to_owned()),
        Word::Data(Value::Array(_)) => Err("a key is a list and no text".to_owned()),
        Word::Data(Value::Object(_)) => Err("a key is a table and no text".to_owned()),
        Word::NotFinite | Word::Text => Err("a key is no text".to_owned()),
    }
}

/// Returns what a text stands for, by its form unless it is in quotes or has a tag.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Result<Word, String> {
    let is = |suffix: &str| tag.is_some_and(|tag| tag.is_yaml_core_schema_tag(suffix));
    if is("str") {
        return Ok(Word::Data(Value::from(text.into_owned())));
    }
    if is("int") || is("float") || is("bool") || is("null") {
        return match word(&text) {
            Word::Text => Err(format!("`{}` is not what its tag says", text.escape_debug())),
            Word::Data(Value::Number(number)) if is("float") => {
                Ok(Word::Data(whole_if_whole(number.as_f64().unwrap_or_default())))
            }
            other => Ok(other),
        };
    }
    if tag.is_some_and(|tag| tag.to_string().ends_with("binary")) {
        let bytes = BASE64
            .decode(text.split_whitespace().collect::<String>().as_bytes())
            .map_err(|_| "!!binary value contains invalid base64 data".to_owned())?;
        return Ok(Word::Data(Value::from(String::from_utf8_lossy(&bytes).into_owned())));
    }
    if style != ScalarStyle::Plain || tag.is_some() {
        return Ok(Word::Data(Value::from(text.into_owned())));
    }
    Ok(match word(&text) {
        Word::Text => Word::Data(Value::from(text.into_owned())),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(yaml: &str, expected: &str) {
        let read =
            documents(yaml).map(|read| read.iter().map(Value::to_string).collect::<Vec<_>>().join(" "));
        assert_eq!(read.as_deref(), Ok(expected), "{yaml}");
    }

    #[test]
    fn texts_are_what_their_form_says() {
        check(
            "[1, 1.0, 1e3, 0777, yes, 'yes', ~, 2020-01-02]",
            r#"[1,1,1000,511,true,"yes",null,"2020-01-02"]"#,
        );
        check("n: 1\n2: x\n1.50: z", r#"{"false":1,"2":"x","1.5":"z"}"#);
        check("[!!str 1, !!float 3, !!binary aGk=, !mine x]", r#"["1",3,"hi","x"]"#);
    }

    #[test]
    fn of_equal_keys_the_later_one_counts() {
        check("a: 1\na: 2", r#"{"a":2}"#);
    }

    #[test]
    fn aliases_and_merges_are_filled_in() {
        check(
            "base: &b {x: 1, z: 2}\none:\n  <<: *b\n  z: 3\ntwo: *b",
            r#"{"base":{"x":1,"z":2},"one":{"z":3,"x":1},"two":{"x":1,"z":2}}"#,
        );
    }

    #[test]
    fn there_may_be_many_documents_or_none() {
        check("a: 1\n---\n# nothing\n---\nb: 2\n", r#"{"a":1} null {"b":2}"#);
        check("", "");
        assert_eq!(document("# nothing\n"), Ok(Value::Null));
    }

    #[test]
    fn what_is_refused_says_why_and_where() {
        let deep = format!("{}{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let inner = format!("*a{}, ", level - 1).repeat(10);
            bomb = format!("{bomb}a{level}: &a{level} [{inner}]\n");
        }
        for (yaml, expected) in [
            ("a: .inf", "yaml: line 1: a number is not finite, which JSON does not have"),
            ("\n[1]: 2", "yaml: line 2: a key is a list and no text"),
            ("a:\n  <<: 1", "yaml: line 2: map merge requires map or sequence of maps as the value"),
            (&deep, "yaml: line 1: there are more than 100 lists and tables inside of each other"),
            (&bomb, "yaml: line 7: there are more than 2000000 values, with what aliases stand for"),
        ] {
            assert_eq!(documents(yaml).expect_err(yaml).to_string(), expected);
        }
        let broken = documents("a: [1").expect_err("the list has no end");
        assert!(broken.to_string().starts_with("yaml: line "), "{broken}");
    }
}

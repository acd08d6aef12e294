//! YAML with the places of everything in it, read the way Kubernetes' tools do, by the rules of YAML 1.1.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Tag};
use straddle_engine::value::{Value, ValueMap};

/// How many lists and tables may be inside of each other.
const DEEPEST: usize = 100;

/// How many values a file may have, with everything that its aliases stand for: small texts can mean
/// data of any size.
const MOST_NODES: usize = 500_000;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Bytes of the text. Of a list or table, its first item.
    pub(super) range: Range<usize>,
    pub(super) data: Data,
}

/// The sorts of values.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Scalar(Value),
    List(Vec<Node>),
    Table(Vec<Field>),
}

/// One entry of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) key_range: Range<usize>,
    pub(super) value: Node,
}

/// What is wrong with a text that should be YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) range: Range<usize>,
    /// What is wrong, without a full stop.
    pub(super) problem: String,
    /// Another place that has to do with it, with what is to be seen there.
    pub(super) related: Option<(Range<usize>, String)>,
}

impl Node {
    /// Returns the value without its places.
    pub(super) fn value(&self) -> Value {
        match &self.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => Value::List(items.iter().map(Self::value).collect()),
            Data::Table(fields) => {
                let entry = |field: &Field| (field.key.clone(), field.value.value());
                Value::Map(fields.iter().map(entry).collect::<ValueMap>())
            }
        }
    }

    /// Returns an entry of a table.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Data::Table(fields) = &self.data else { return None };
        fields.iter().find(|field| field.key == key).map(|field| &field.value)
    }

    /// Returns the text, if it is one that is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        let Data::Scalar(Value::String(text)) = &self.data else { return None };
        Some(text.as_str()).filter(|text| !text.is_empty())
    }

    /// Tells whether nothing is written.
    pub(super) fn is_null(&self) -> bool {
        self.data == Data::Scalar(Value::Null)
    }

    /// Names the type for messages, such as `a string`.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.data {
            Data::Scalar(value) => value.type_name(),
            Data::List(_) => "a list",
            Data::Table(_) => "a table",
        }
    }
}

/// Reads every document of a text.
pub(super) fn read(text: &str) -> Result<Vec<Node>, YamlError> {
    let mut reader = Reader { open: Vec::new(), read: Vec::new(), anchors: BTreeMap::new(), nodes: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let start = error.marker().byte_offset().unwrap_or_default();
            wrong(start..end_of_line(text, start), error.info())
        })?;
        let range = span.byte_range().unwrap_or_default();
        reader.event(event, range)?;
    }
    Ok(reader.read)
}

/// Returns where the line of a place ends.
pub(super) fn end_of_line(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start + rest.find('\n').unwrap_or(rest.len())
}

fn wrong(range: Range<usize>, problem: impl Into<String>) -> YamlError {
    YamlError { range, problem: problem.into(), related: None }
}

/// A list or a table that is not read to its end, with the anchor that names it (0: none).
struct Open {
    content: Content,
    start: Range<usize>,
    anchor: usize,
}

enum Content {
    List(Vec<Node>),
    Table { fields: Vec<Field>, places: BTreeMap<String, Range<usize>>, merged: Vec<Node>, key: Option<Key> },
}

/// The key whose value comes next.
enum Key {
    Name(String, Range<usize>),
    /// `<<`: the entries of another table are taken over.
    Merge,
}

struct Reader {
    /// From the outermost inwards.
    open: Vec<Open>,
    read: Vec<Node>,
    /// What has an anchor, with its number of values.
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
}

impl Reader {
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is left has no data in it")]
    fn event(&mut self, event: Event<'_>, range: Range<usize>) -> Result<(), YamlError> {
        match event {
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor) else {
                    return Err(wrong(range, "the alias stands inside of what it names"));
                };
                self.nodes += size;
                let node = Node { range, ..node.clone() };
                self.add(node, 0, false)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_merge = style == ScalarStyle::Plain && tag.is_none() && text == "<<";
                let value =
                    scalar(text, style, tag.as_deref()).map_err(|problem| wrong(range.clone(), problem))?;
                self.add(Node { range, data: Data::Scalar(value) }, anchor, is_merge)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Content::List(Vec::new()), range, anchor),
            Event::MappingStart(_, anchor, _) => {
                let (fields, places) = (Vec::new(), BTreeMap::new());
                self.begin(Content::Table { fields, places, merged: Vec::new(), key: None }, range, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Err(wrong(range, "something ends here that did not begin"));
                };
                let (start, data) = match open.content {
                    Content::List(items) => (open.start, Data::List(items)),
                    Content::Table { fields, places, merged, .. } => {
                        let start = fields.first().map_or(open.start, |field| field.key_range.clone());
                        (start, Data::Table(merge(fields, &places, merged)?))
                    }
                };
                self.add(Node { range: start, data }, open.anchor, false)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, content: Content, start: Range<usize>, anchor: usize) -> Result<(), YamlError> {
        if self.open.len() == DEEPEST {
            let problem = format!("there are more than {DEEPEST} lists and tables inside of each other");
            return Err(wrong(start, problem));
        }
        self.open.push(Open { content, start, anchor });
        Ok(())
    }

    /// Puts what was read to where it stands.
    fn add(&mut self, node: Node, anchor: usize, is_merge: bool) -> Result<(), YamlError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            let problem = format!("there are more than {MOST_NODES} values, with what aliases stand for");
            return Err(wrong(node.range, problem));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), count(&node)));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.read.push(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Table { fields, places, merged, key }) => match key.take() {
                None if is_merge => *key = Some(Key::Merge),
                None => {
                    let name = key_of(&node)?;
                    if let Some(first) = places.insert(name.clone(), node.range.clone()) {
                        let problem = format!("the key `{}` is there twice", name.escape_debug());
                        let related = Some((first, "first here".to_owned()));
                        return Err(YamlError { related, ..wrong(node.range, problem) });
                    }
                    *key = Some(Key::Name(name, node.range));
                }
                Some(Key::Merge) => merged.push(node),
                Some(Key::Name(key, key_range)) => fields.push(Field { key, key_range, value: node }),
            },
        }
        Ok(())
    }
}

fn count(node: &Node) -> usize {
    1 + match &node.data {
        Data::Scalar(_) => 0,
        Data::List(items) => items.iter().map(count).sum(),
        Data::Table(fields) => fields.iter().map(|field| count(&field.value)).sum(),
    }
}

/// Adds the entries of the tables under `<<` that the table does not have itself; earlier ones win.
fn merge(
    mut fields: Vec<Field>,
    places: &BTreeMap<String, Range<usize>>,
    merged: Vec<Node>,
) -> Result<Vec<Field>, YamlError> {
    let mut taken = BTreeSet::new();
    let tables = merged.into_iter().flat_map(|node| match node.data {
        Data::List(items) => items,
        Data::Scalar(_) | Data::Table(_) => vec![node],
    });
    for table in tables {
        let Data::Table(others) = table.data else {
            return Err(wrong(table.range, "only tables can be taken over by `<<`"));
        };
        for field in others {
            if !places.contains_key(&field.key) && taken.insert(field.key.clone()) {
                fields.push(field);
            }
        }
    }
    Ok(fields)
}

/// Returns the text of a key; numbers and booleans are written as JSON writes them.
fn key_of(node: &Node) -> Result<String, YamlError> {
    match &node.data {
        Data::Scalar(Value::String(text)) => Ok(text.clone()),
        Data::Scalar(Value::Integer(number)) => Ok(number.to_string()),
        Data::Scalar(Value::Bool(word)) => Ok(word.to_string()),
        Data::Scalar(_) | Data::List(_) | Data::Table(_) => {
            Err(wrong(node.range.clone(), format!("a key is {} and no text", node.type_name())))
        }
    }
}

/// Returns what a text stands for, by its form unless it is in quotes or has a tag.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    if tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag("str")) {
        return Err("there is a tag, which is not taken".to_owned());
    }
    if style != ScalarStyle::Plain || tag.is_some() {
        return Ok(Value::String(text.into_owned()));
    }
    Ok(match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        text => number(text)?.unwrap_or_else(|| Value::from(text)),
    })
}

/// Returns the number that a word stands for (YAML 1.1, with `0o` besides); `None` if it stands for none.
fn number(text: &str) -> Result<Option<Value>, String> {
    let range = || format!("the number {text} is out of range");
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Ok(None);
    }
    if matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Err(range());
    }
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let bases = [("0x", 16), ("0o", 8), ("0b", 2), ("0", 8), ("", 10)];
    let read = |(prefix, base): (&str, u32)| {
        let digits = digits.strip_prefix(prefix)?;
        let fits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
        fits.then(|| i64::from_str_radix(&format!("{sign}{digits}"), base))
    };
    if let Some(found) = bases.into_iter().find_map(read) {
        return found.map(|number| Some(Value::Integer(number))).map_err(|_| range());
    }
    let looks_like_one = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.contains(|character: char| character.is_ascii_digit())
        && digits.chars().all(|character| character.is_ascii_digit() || ".eE+-".contains(character));
    match plain.parse::<f64>().ok().filter(|_| looks_like_one) {
        Some(number) if !number.is_finite() => Err(range()),
        Some(number) => Ok(Some(whole(number).unwrap_or(Value::Float(number)))),
        None => Ok(None),
    }
}

/// Returns a number without a fraction as a whole one: that is how JSON writes it.
#[expect(clippy::cast_possible_truncation, reason = "it is checked before that nothing is lost")]
fn whole(number: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(Value::Integer(number as i64))
}

#[cfg(test)]
mod tests {
    use straddle_engine::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let documents = read(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let shown: Vec<_> =
            documents.iter().map(|node| json::encode(&node.value()).expect("everything is known")).collect();
        assert_eq!(shown.join(" "), expected, "{text}");
    }

    #[test]
    fn words_are_what_kubernetes_takes_them_for() {
        check(
            "[1, 1.0, 1e3, 0777, 08, yes, 'yes', ~, 2020-01-02, 1.5]",
            r#"[1,1,1000,511,8,true,"yes",null,"2020-01-02",1.5]"#,
        );
        check(
            "[0x1F, -0b11, 1_000, 10.0.0.1, 1m, 80:80, !!str 1]",
            r#"[31,-3,1000,"10.0.0.1","1m","80:80","1"]"#,
        );
        check("8080: a\ntrue: b", r#"{"8080":"a","true":"b"}"#);
    }

    #[test]
    fn json_is_yaml_and_there_may_be_many_documents() {
        check("{\n\t\"a\": [1,\n\t\t{\"b\": \"c\\n\"}]\n}\n", r#"{"a":[1,{"b":"c\n"}]}"#);
        check("a: 1\n---\n# nothing\n---\nb: |\n  x\n  y\n", r#"{"a":1} null {"b":"x\ny\n"}"#);
        check("", "");
    }

    #[test]
    fn aliases_and_merges_are_filled_in() {
        check(
            "base: &b {x: 1, z: 2}\none:\n  <<: *b\n  z: 3\ntwo: *b",
            r#"{"base":{"x":1,"z":2},"one":{"x":1,"z":3},"two":{"x":1,"z":2}}"#,
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, place, problem) in [
            ("a: 1\nb: 2\na: 3\n", "a", "the key `a` is there twice"),
            ("a: [1,\n", "", "while parsing"),
            ("é: !mine x", "x", "there is a tag, which is not taken"),
            ("a:\n  [1]: x", "", "a key is a list and no text"),
            ("a: .inf", ".inf", "the number .inf is out of range"),
            (
                "a: 99999999999999999999",
                "99999999999999999999",
                "the number 99999999999999999999 is out of range",
            ),
            ("a:\n  <<: 1", "1", "only tables can be taken over by `<<`"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.problem.contains(problem) || place.is_empty(), "{text}: {error:?}");
            if !place.is_empty() {
                assert!(text[error.range.start..].starts_with(place), "{text}: {error:?}");
            }
        }
        let twice = read("a: 1\nb: 2\na: 3\n").expect_err("the key is there twice");
        assert_eq!((twice.range, twice.related), (10..11, Some((0..1, "first here".to_owned()))));
    }

    #[test]
    fn small_texts_do_not_become_large() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let inner = format!("*a{}, ", level - 1).repeat(10);
            bomb.extend([format!("a{level}: &a{level} [{inner}]\n")]);
        }
        assert!(read(&bomb).expect_err("it is a bomb").problem.contains("more than"));
        let deep = format!("{}{}", "[".repeat(DEEPEST + 1), "]".repeat(DEEPEST + 1));
        assert!(read(&deep).expect_err("it is too deep").problem.contains("inside of each other"));
    }
}

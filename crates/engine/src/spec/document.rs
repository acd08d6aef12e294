//! One TOML file as a tree in which everything knows its place.

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Sources, Span};
use crate::spec::suggest;
use crate::spec::syntax::{self, MAXIMUM_DEPTH, nested_too_deep};
use crate::value::{Value, ValueMap};

/// A value in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) data: Data,
}

/// The sorts of value in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Data {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Table),
}

/// A table, its entries as written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// An entry of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

impl Node {
    /// Names the type for messages, such as `a string`.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.data {
            Data::Bool(_) => "a boolean",
            Data::Integer(_) => "a whole number",
            Data::Float(_) => "a number",
            Data::Text(_) => "a string",
            Data::List(_) => "a list",
            Data::Table(_) => "a table",
        }
    }

    /// Returns the value as it is written, without a meaning for `${`.
    pub(crate) fn to_value(&self) -> Value {
        match &self.data {
            Data::Bool(value) => Value::Bool(*value),
            Data::Integer(value) => Value::Integer(*value),
            Data::Float(value) => Value::Float(*value),
            Data::Text(value) => Value::String(value.clone()),
            Data::List(items) => Value::List(items.iter().map(Self::to_value).collect()),
            Data::Table(table) => {
                let entries = table.entries.iter().map(|entry| (entry.key.clone(), entry.node.to_value()));
                Value::Map(entries.collect::<ValueMap>())
            }
        }
    }
}

/// Reads a file; every problem is reported, and `None` returned if one is an error.
pub(crate) fn read_document(
    source: SourceId,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    let text = &sources.get(source).text;
    let parsed = syntax::parse(source, text);
    let failed = !parsed.errors.is_empty();
    diagnostics.extend(parsed.errors);
    let document = parsed.table?;
    warn_of_bidirectional(source, text, diagnostics);
    let mut reader = Reader { source, diagnostics, failed };
    let table = reader.table(document.get_ref(), 0);
    (!reader.failed).then_some(table)
}

/// Reads one value in the syntax of a file, as after `--var name=`.
pub(crate) fn read_value(text: &str) -> Result<Value, String> {
    let value = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
    let mut sources = Sources::default();
    let source = sources.add("value", text);
    let mut diagnostics = Diagnostics::default();
    let node = Reader { source, diagnostics: &mut diagnostics, failed: false }.node(&value, 0);
    match diagnostics.iter().next() {
        Some(diagnostic) => Err(format!("{}: {}", diagnostic.summary, diagnostic.label)),
        None => Ok(node.to_value()),
    }
}

/// Text that is shown in another order than it is read can hide what a spec does.
fn warn_of_bidirectional(source: SourceId, text: &str, diagnostics: &mut Diagnostics) {
    // One search for each is far cheaper than looking at every character.
    let found = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
    if let Some((start, character)) =
        found.filter_map(|reorders| Some((text.find(reorders)?, reorders))).min()
    {
        let diagnostic =
            Diagnostic::warning("bidirectional-character", "text that may be shown in another order")
                .with_span(
                    Span::new(source, start..start + character.len_utf8()),
                    format!("the invisible character U+{:04X}", u32::from(character)),
                )
                .with_detail("It can make an editor show something else than what is read.")
                .with_hint("Take it out.");
        diagnostics.push(diagnostic);
    }
}

/// Finds the first control character that ends no line and is no tab.
fn unusual_character(text: &str) -> Option<char> {
    let is_unusual = |character: &char| character.is_control() && !matches!(character, '\n' | '\r' | '\t');
    // Most text is long and has none, which its bytes tell sooner than its characters.
    let begins_one = |byte: &u8| match byte {
        b'\n' | b'\r' | b'\t' => false,
        0x00..0x20 | 0x7f | 0xc2 => true,
        _ => false,
    };
    let start = text.as_bytes().iter().position(begins_one)?;
    text[start..].chars().find(is_unusual)
}

struct Reader<'a> {
    source: SourceId,
    diagnostics: &'a mut Diagnostics,
    failed: bool,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Table {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            let key_span = Span::new(self.source, key.span());
            let key = key.get_ref().clone().into_owned();
            if key.chars().any(char::is_control) {
                self.fail(
                    key_span,
                    "control-character",
                    "control character",
                    "keys have no control characters",
                );
            }
            entries.push(Entry { key, key_span, node: self.node(value, depth + 1) });
        }
        Table { entries }
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
        let span = Span::new(self.source, value.span());
        if depth > MAXIMUM_DEPTH {
            self.failed = true;
            self.diagnostics.push(nested_too_deep(span));
            return Node { span, data: Data::Bool(false) };
        }
        let data = match value.get_ref() {
            DeValue::String(text) => self.text(text, span),
            DeValue::Integer(integer) => Data::Integer(self.integer(integer, span)),
            DeValue::Float(float) => {
                let number = float.as_str().parse().ok().filter(|number: &f64| number.is_finite());
                if number.is_none() {
                    self.fail(span, "number-out-of-range", "number out of range", "no finite number");
                }
                Data::Float(number.unwrap_or_default())
            }
            DeValue::Boolean(value) => Data::Bool(*value),
            DeValue::Datetime(_) => {
                self.fail(span, "wrong-type", "wrong type", "dates are written as strings, in quotes");
                Data::Bool(false)
            }
            DeValue::Array(items) => {
                Data::List(items.iter().map(|item| self.node(item, depth + 1)).collect())
            }
            DeValue::Table(table) => Data::Table(self.table(table, depth)),
        };
        Node { span, data }
    }

    fn text(&mut self, text: &str, span: Span) -> Data {
        if let Some(character) = unusual_character(text) {
            let label = format!("contains the control character U+{:04X}", u32::from(character));
            let diagnostic =
                Diagnostic::warning("control-character", "control character").with_span(span, label);
            self.diagnostics.push(diagnostic);
        }
        if let Some(sentence) = suggest::foreign_text(text) {
            let diagnostic = Diagnostic::warning("foreign-syntax", "syntax of another tool")
                .with_span(span, "is taken as it is written")
                .with_hint(sentence);
            self.diagnostics.push(diagnostic);
        }
        Data::Text(text.to_owned())
    }

    fn integer(&mut self, integer: &DeInteger<'_>, span: Span) -> i64 {
        let number = i64::from_str_radix(integer.as_str(), integer.radix());
        if number.is_err() {
            let label = format!("whole numbers go from {} to {}", i64::MIN, i64::MAX);
            self.fail(span, "number-out-of-range", "number out of range", label);
        }
        number.unwrap_or_default()
    }

    fn fail(&mut self, span: Span, code: &'static str, summary: &str, label: impl Into<String>) {
        self.failed = true;
        self.diagnostics.push(Diagnostic::error(code, summary).with_span(span, label));
    }
}

//! The TOML of one file, within limits that are checked before anything is built of it.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeTable;
use toml_parser::decoder::Encoding;
use toml_parser::parser::{EventReceiver, parse_document};
use toml_parser::{ErrorSink, ParseError, Source};

use crate::diagnostic::{Diagnostic, SourceId, Span};
use crate::spec::suggest;

/// How deep tables and lists may be nested.
pub(crate) const MAXIMUM_DEPTH: usize = 64;
/// How many parts a dotted key or a header may have.
const MAXIMUM_PARTS: usize = 16;
/// How many errors of one file are told; the one that counts the others comes after them.
const MAXIMUM_ERRORS: usize = 19;

/// What a file holds, and what is wrong with it.
pub(crate) struct Parsed<'t> {
    /// As much as could be read; `None` if going on makes no sense.
    pub(crate) table: Option<Spanned<DeTable<'t>>>,
    /// In the order of their places.
    pub(crate) errors: Vec<Diagnostic>,
}

/// Reads the TOML of a file.
pub(crate) fn parse(source: SourceId, text: &str) -> Parsed<'_> {
    if text.starts_with('\u{feff}') {
        let diagnostic = Diagnostic::error("byte-order-mark", "byte order mark")
            .with_span(Span::new(source, 0..'\u{feff}'.len_utf8()), "the file begins with a byte order mark")
            .with_hint("Save the file as UTF-8 without one.");
        return Parsed { table: None, errors: vec![diagnostic] };
    }
    let survey = Survey::of(text);
    if !survey.excesses.is_empty() {
        let excesses = survey.excesses.into_iter();
        let errors = excesses.map(|(excess, place)| excess.describe(Span::new(source, place)));
        return Parsed { table: None, errors: errors.collect() };
    }
    let (table, mut errors) = DeTable::parse_recoverable(survey.worth_reading(text));
    errors.sort_by_key(|error| error.span().map(|place| place.start));
    let rest = errors.len().max(survey.errors).saturating_sub(MAXIMUM_ERRORS);
    let place = |error: &toml::de::Error| error.span().unwrap_or(text.len()..text.len());
    let told = errors.iter().take(MAXIMUM_ERRORS);
    let mut told: Vec<_> =
        told.map(|error| invalid_toml(source, text, place(error), error.message())).collect();
    if let Some(next) = errors.get(MAXIMUM_ERRORS) {
        let diagnostic = Diagnostic::error("too-many-errors", "too many errors")
            .with_span(Span::new(source, place(next)), format!("{rest} more from here on"))
            .with_hint("Correct the first ones: many of the others may only follow from them.");
        told.push(diagnostic);
    }
    Parsed { table: (rest == 0).then_some(table), errors: told }
}

/// Describes text that is no TOML.
fn invalid_toml(source: SourceId, text: &str, place: Range<usize>, message: &str) -> Diagnostic {
    let hint = line_around(text, place.start).and_then(suggest::foreign_line);
    let diagnostic =
        Diagnostic::error("invalid-toml", "invalid TOML").with_span(Span::new(source, place), message);
    match hint {
        Some(sentence) => diagnostic.with_hint(sentence),
        None => diagnostic,
    }
}

/// Returns the line around a place; `None` if it is too long for anybody to have written it.
fn line_around(text: &str, place: usize) -> Option<&str> {
    const LONGEST: usize = 300;
    let is_newline = |byte: &u8| *byte == b'\n';
    let (before, after) = text.as_bytes().split_at_checked(place)?;
    let before = &before[before.len().saturating_sub(LONGEST)..];
    let begin = match before.iter().rposition(is_newline) {
        Some(newline) => place - before.len() + newline + 1,
        None if before.len() < LONGEST => 0,
        None => return None,
    };
    let length = after.iter().take(LONGEST).position(is_newline).or(Some(after.len()));
    text.get(begin..place + length.filter(|length| *length <= LONGEST)?)
}

/// What a first look at a file finds, without keeping any of it.
#[derive(Default)]
struct Survey {
    /// Where limits are exceeded.
    excesses: Vec<(Excess, Range<usize>)>,
    /// How many errors of syntax there are.
    errors: usize,
    /// Where the first error is that is not told.
    first_untold: Option<usize>,
}

/// The limits of a file.
#[derive(Clone, Copy)]
enum Excess {
    Depth,
    Parts,
}

impl Survey {
    fn of(text: &str) -> Self {
        let mut survey = Self::default();
        let mut limits = Limits::default();
        let tokens = Source::new(text).lex().into_vec();
        let mut count = |error: ParseError| {
            survey.errors += 1;
            if survey.errors > MAXIMUM_ERRORS {
                let place = error.unexpected().map_or(text.len(), |place| place.end());
                survey.first_untold.get_or_insert(place);
            }
        };
        parse_document(&tokens, &mut limits, &mut count);
        survey.excesses = limits.excesses;
        survey
    }

    /// Returns the text up to the line of the first error that is not told: however many follow,
    /// they cost nothing.
    fn worth_reading<'t>(&self, text: &'t str) -> &'t str {
        let Some(place) = self.first_untold else { return text };
        let newline = text.as_bytes().iter().skip(place).position(|byte| *byte == b'\n');
        newline.map_or(text, |length| &text[..=place + length])
    }
}

impl Excess {
    fn describe(self, span: Span) -> Diagnostic {
        match self {
            Self::Depth => nested_too_deep(span),
            Self::Parts => Diagnostic::error("key-too-long", "key too long")
                .with_span(span, format!("a key or header has at most {MAXIMUM_PARTS} parts between dots")),
        }
    }
}

/// Describes a value that is too deep inside of others.
pub(crate) fn nested_too_deep(span: Span) -> Diagnostic {
    let label = format!("tables and lists are nested more than {MAXIMUM_DEPTH} deep");
    Diagnostic::error("nested-too-deep", "nested too deep").with_span(span, label)
}

/// Follows the parser, and keeps it from going too deep.
#[derive(Default)]
struct Limits {
    depth: usize,
    /// Of the key that is being read.
    parts: usize,
    excesses: Vec<(Excess, Range<usize>)>,
}

impl Limits {
    /// Tells whether the list or table that opens here may be entered.
    fn enter(&mut self, span: toml_parser::Span) -> bool {
        self.parts = 0;
        self.depth += 1;
        if self.depth > MAXIMUM_DEPTH {
            self.exceed(Excess::Depth, span);
        }
        self.depth <= MAXIMUM_DEPTH
    }

    fn exceed(&mut self, excess: Excess, span: toml_parser::Span) {
        if self.excesses.len() < MAXIMUM_ERRORS {
            self.excesses.push((excess, span.start()..span.end()));
        }
    }
}

impl EventReceiver for Limits {
    fn std_table_open(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.parts = 0;
    }

    fn array_table_open(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.parts = 0;
    }

    fn inline_table_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.enter(span)
    }

    fn inline_table_close(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn array_open(&mut self, span: toml_parser::Span, _: &mut dyn ErrorSink) -> bool {
        self.enter(span)
    }

    fn array_close(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn simple_key(&mut self, span: toml_parser::Span, _: Option<Encoding>, _: &mut dyn ErrorSink) {
        self.parts += 1;
        if self.parts == MAXIMUM_PARTS + 1 {
            self.exceed(Excess::Parts, span);
        }
    }

    fn key_val_sep(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.parts = 0;
    }

    fn value_sep(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.parts = 0;
    }

    fn newline(&mut self, _: toml_parser::Span, _: &mut dyn ErrorSink) {
        self.parts = 0;
    }
}

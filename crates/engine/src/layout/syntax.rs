//! Reads TOML into lines and values that keep every word and comment as written.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the events that matter are named; there are many others"
)]

use std::iter::Peekable;
use std::vec::IntoIter;

use toml_parser::Source;
use toml_parser::parser::{Event, EventKind, RecursionGuard, parse_document};

/// How deep values may be nested; the loader refuses what is deeper.
const MAXIMUM_DEPTH: u32 = 128;

/// A line of the file; a value may take more than one.
#[derive(Debug)]
pub(super) enum Line<'a> {
    Blank,
    Comment(&'a str),
    /// `[kind.name]` or `[[kind]]`.
    Header {
        text: String,
        comment: Option<Comment<'a>>,
    },
    Entry {
        entry: Entry<'a>,
        comment: Option<Comment<'a>>,
    },
}

/// A comment behind something, and the column that it stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comment<'a> {
    pub(super) text: &'a str,
    pub(super) column: usize,
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) key: String,
    pub(super) value: Value<'a>,
}

/// A value.
#[derive(Debug)]
pub(super) enum Value<'a> {
    /// A text, a number and the like, as written.
    Scalar(&'a str),
    List(Items<'a, Value<'a>>),
    Table(Items<'a, Entry<'a>>),
}

/// What is inside brackets.
#[derive(Debug)]
pub(super) struct Items<'a, T> {
    /// Whether a line break follows the opening bracket: the author wants a line for each item.
    pub(super) is_open: bool,
    pub(super) parts: Vec<Part<'a, T>>,
}

/// A part of what is inside brackets.
#[derive(Debug)]
pub(super) enum Part<'a, T> {
    Blank,
    Comment(&'a str),
    Item { item: T, comment: Option<Comment<'a>> },
}

/// Reads a text that is known to be TOML.
pub(super) fn read(text: &str) -> Vec<Line<'_>> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut events = Vec::with_capacity(tokens.len());
    let mut collect = |event: Event| events.push(event);
    let mut guard = RecursionGuard::new(&mut collect, MAXIMUM_DEPTH);
    parse_document(&tokens, &mut guard, &mut ());
    Reader { text, events: events.into_iter().peekable() }.lines()
}

struct Reader<'a> {
    text: &'a str,
    events: Peekable<IntoIter<Event>>,
}

impl<'a> Reader<'a> {
    fn lines(mut self) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        while let Some(event) = self.events.next() {
            match event.kind() {
                EventKind::Newline => lines.push(Line::Blank),
                EventKind::Comment => {
                    lines.push(Line::Comment(self.comment_text(&event)));
                    self.end_of_line();
                }
                EventKind::StdTableOpen | EventKind::ArrayTableOpen => {
                    let text = self.header(&event);
                    lines.push(Line::Header { text, comment: self.end_of_line() });
                }
                EventKind::SimpleKey => {
                    let entry = self.entry(&event);
                    lines.push(Line::Entry { entry, comment: self.end_of_line() });
                }
                _ => {}
            }
        }
        lines
    }

    fn header(&mut self, open: &Event) -> String {
        let mut text = self.word(open).to_owned();
        while let Some(event) = self.next_word() {
            match event.kind() {
                EventKind::StdTableClose | EventKind::ArrayTableClose => {
                    text += self.word(&event);
                    break;
                }
                _ => text += self.word(&event),
            }
        }
        text
    }

    /// Reads the rest of an entry whose first key this is.
    fn entry(&mut self, first: &Event) -> Entry<'a> {
        let mut key = self.word(first).to_owned();
        while let Some(event) = self.next_word() {
            match event.kind() {
                EventKind::KeyValSep => break,
                _ => key += self.word(&event),
            }
        }
        let first = self.next_word();
        let value = first.map_or(Value::Scalar(""), |event| self.value(&event));
        Entry { key, value }
    }

    fn value(&mut self, first: &Event) -> Value<'a> {
        match first.kind() {
            EventKind::ArrayOpen => Value::List(self.items(EventKind::ArrayClose, Self::value)),
            EventKind::InlineTableOpen => Value::Table(self.items(EventKind::InlineTableClose, Self::entry)),
            _ => Value::Scalar(self.word(first)),
        }
    }

    /// Reads what is inside brackets, up to the closing one.
    fn items<T>(&mut self, close: EventKind, read: fn(&mut Self, &Event) -> T) -> Items<'a, T> {
        let mut items = Items { is_open: false, parts: Vec::new() };
        // How many line breaks there were since the last word.
        let mut breaks = 0;
        while let Some(event) = self.next_word() {
            match event.kind() {
                kind if kind == close => break,
                EventKind::ValueSep => {}
                EventKind::Newline => {
                    items.is_open |= items.parts.is_empty();
                    breaks += 1;
                    continue;
                }
                EventKind::Comment => self.inner_comment(&event, breaks, &mut items.parts),
                _ => {
                    blank_line(breaks, &mut items.parts);
                    let item = read(self, &event);
                    items.parts.push(Part::Item { item, comment: None });
                }
            }
            breaks = 0;
        }
        items
    }

    /// Puts a comment behind the last item if it stands on the same line, else on a line of its own.
    fn inner_comment<T>(&self, event: &Event, breaks: usize, parts: &mut Vec<Part<'a, T>>) {
        let text = self.comment_text(event);
        if let (0, Some(Part::Item { comment: comment @ None, .. })) = (breaks, parts.last_mut()) {
            *comment = Some(Comment { text, column: self.column(event) });
            return;
        }
        blank_line(breaks, parts);
        parts.push(Part::Comment(text));
    }

    /// Reads up to the line break, and returns the comment before it.
    fn end_of_line(&mut self) -> Option<Comment<'a>> {
        let mut comment = None;
        while let Some(event) = self.next_word() {
            match event.kind() {
                EventKind::Newline => break,
                EventKind::Comment => {
                    comment = Some(Comment { text: self.comment_text(&event), column: self.column(&event) });
                }
                _ => {}
            }
        }
        comment
    }

    fn next_word(&mut self) -> Option<Event> {
        self.events.find(|event| event.kind() != EventKind::Whitespace)
    }

    fn word(&self, event: &Event) -> &'a str {
        &self.text[event.span().start()..event.span().end()]
    }

    fn comment_text(&self, event: &Event) -> &'a str {
        self.word(event).trim_end()
    }

    /// Returns how many characters stand before the event on its line.
    fn column(&self, event: &Event) -> usize {
        let before = &self.text[..event.span().start()];
        before[before.rfind('\n').map_or(0, |newline| newline + 1)..].chars().count()
    }
}

fn blank_line<T>(breaks: usize, parts: &mut Vec<Part<'_, T>>) {
    if breaks > 1 && !parts.is_empty() {
        parts.push(Part::Blank);
    }
}

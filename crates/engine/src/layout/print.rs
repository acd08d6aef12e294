//! Writes lines and values as they should stand.

use crate::layout::syntax::{Comment, Entry, Items, Line, Part, Value};

/// The longest line that a list is put on.
const WIDTH: usize = 120;
/// How far items stand inside their brackets.
const INDENT: usize = 2;
/// How far a comment stands at least from what it is behind.
const COMMENT_GAP: usize = 2;

/// Keys that are longer than this stand out instead of pushing the others' values away.
const WIDEST_KEY: usize = 64;

/// Writes the lines of a file; line breaks are those of `original`.
pub(super) fn print(original: &str, lines: &[Line<'_>]) -> String {
    let has_carriage_returns = original.find('\n').is_some_and(|end| original[..end].ends_with('\r'));
    let newline = if has_carriage_returns { "\r\n" } else { "\n" };
    let mut printer = Printer { text: String::with_capacity(original.len()), newline };
    let lines = with_blank_lines(lines);
    // What is aligned goes up to the next blank line or header.
    for group in lines.split_inclusive(|line| matches!(line, Line::Blank | Line::Header { .. })) {
        let width = key_width(group);
        for line in group {
            printer.line(line, width);
        }
    }
    printer.text
}

/// Puts one blank line before each block with the comments above it, makes one of several, and
/// takes away those at the beginning and the end of the file and at the beginning of a block.
fn with_blank_lines<'a>(lines: &'a [Line<'a>]) -> Vec<&'a Line<'a>> {
    let mut result: Vec<&Line<'_>> = Vec::with_capacity(lines.len());
    let mut comments_since = 0;
    for line in lines {
        match line {
            Line::Blank if matches!(result.last(), None | Some(Line::Blank | Line::Header { .. })) => {
                continue;
            }
            Line::Header { .. }
                if comments_since > 0 && !matches!(result[comments_since - 1], Line::Blank) =>
            {
                result.insert(comments_since, &Line::Blank);
            }
            Line::Blank | Line::Comment(_) | Line::Header { .. } | Line::Entry { .. } => {}
        }
        result.push(line);
        if !matches!(line, Line::Comment(_)) {
            comments_since = result.len();
        }
    }
    if matches!(result.last(), Some(Line::Blank)) {
        result.pop();
    }
    result
}

fn key_width(group: &[&Line<'_>]) -> usize {
    let width = |line: &&Line<'_>| match line {
        Line::Entry { entry, .. } => Some(entry.key.chars().count()).filter(|width| *width <= WIDEST_KEY),
        Line::Blank | Line::Comment(_) | Line::Header { .. } => None,
    };
    group.iter().filter_map(width).max().unwrap_or_default()
}

struct Printer {
    text: String,
    newline: &'static str,
}

impl Printer {
    fn line(&mut self, line: &Line<'_>, width: usize) {
        match line {
            Line::Blank => self.text.push_str(self.newline),
            Line::Comment(text) => self.comment_line(text),
            Line::Header { text, comment } => {
                self.text.push_str(text);
                self.end_line(comment.as_ref());
            }
            Line::Entry { entry, comment } => {
                self.entry(entry, 0, width);
                self.end_line(comment.as_ref());
            }
        }
    }

    fn comment_line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push_str(self.newline);
    }

    fn entry(&mut self, entry: &Entry<'_>, depth: usize, width: usize) {
        self.text.push_str(&entry.key);
        let missing = width.saturating_sub(entry.key.chars().count());
        self.text.extend(std::iter::repeat_n(' ', missing));
        self.text.push_str(" = ");
        self.value(&entry.value, depth);
    }

    fn value(&mut self, value: &Value<'_>, depth: usize) {
        let fits = |text: &str| self.column() + text.chars().count() <= WIDTH;
        match value {
            Value::Scalar(text) => self.text.push_str(text),
            Value::List(items) => match on_one_line(value).filter(|line| fits(line)) {
                Some(line) => self.text.push_str(&line),
                None => self.items(('[', ']'), items, depth, Self::value),
            },
            // A table is never broken for its length: TOML 1.0 wants it on one line.
            Value::Table(items) => match on_one_line(value) {
                Some(line) => self.text.push_str(&line),
                None => {
                    self.items(('{', '}'), items, depth, |printer, entry, depth| {
                        printer.entry(entry, depth, 0);
                    });
                }
            },
        }
    }

    fn items<T>(
        &mut self,
        (open, close): (char, char),
        items: &Items<'_, T>,
        depth: usize,
        write: impl Fn(&mut Self, &T, usize),
    ) {
        self.text.push(open);
        self.text.push_str(self.newline);
        for part in &items.parts {
            match part {
                Part::Blank => self.text.push_str(self.newline),
                Part::Comment(text) => {
                    self.indent(depth + 1);
                    self.comment_line(text);
                }
                Part::Item { item, comment } => {
                    self.indent(depth + 1);
                    write(self, item, depth + 1);
                    self.text.push(',');
                    self.end_line(comment.as_ref());
                }
            }
        }
        self.indent(depth);
        self.text.push(close);
    }

    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n(' ', depth * INDENT));
    }

    /// A comment keeps its column, so that comments that were aligned stay so.
    fn end_line(&mut self, comment: Option<&Comment<'_>>) {
        if let Some(comment) = comment {
            let column = self.column();
            let gap = comment.column.min(WIDTH).saturating_sub(column).max(COMMENT_GAP);
            self.text.extend(std::iter::repeat_n(' ', gap));
            self.text.push_str(comment.text);
        }
        self.text.push_str(self.newline);
    }

    /// Returns how many characters stand on the last line.
    fn column(&self) -> usize {
        self.text[self.text.rfind('\n').map_or(0, |newline| newline + 1)..].chars().count()
    }
}

/// Returns a value on one line; `None` if it needs several, or its author wants them.
fn on_one_line(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Scalar(text) => (!text.contains('\n')).then(|| (*text).to_owned()),
        Value::List(items) => Some(format!("[{}]", parts_on_one_line(items, on_one_line)?.join(", "))),
        Value::Table(items) => {
            let entry = |entry: &Entry<'_>| Some(format!("{} = {}", entry.key, on_one_line(&entry.value)?));
            let entries = parts_on_one_line(items, entry)?;
            let is_empty = entries.is_empty();
            Some(if is_empty { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) })
        }
    }
}

fn parts_on_one_line<T>(
    items: &Items<'_, T>,
    on_one_line: impl Fn(&T) -> Option<String>,
) -> Option<Vec<String>> {
    if items.is_open && !items.parts.is_empty() {
        return None;
    }
    let part = |part: &Part<'_, T>| match part {
        Part::Item { item, comment: None } => on_one_line(item),
        Part::Blank => Some(String::new()),
        Part::Item { .. } | Part::Comment(_) => None,
    };
    let parts: Option<Vec<String>> = items.parts.iter().map(part).collect();
    parts.map(|parts| parts.into_iter().filter(|part| !part.is_empty()).collect())
}

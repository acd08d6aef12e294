//! Writes data as YAML, character by character as the YAML library of Kubernetes' tools does: charts
//! paste the text into templates, and hash it.

use std::cmp::Ordering;
use std::fmt::Write as _;

use serde_json::Value;

use super::resolve::needs_quotes;
use crate::helm::template::number_text;

/// The longest text that may be a key on the line of its value, in bytes.
const LONGEST_SIMPLE_KEY: usize = 128;

/// A text goes on in the next line after so many columns.
const WIDTH: usize = 80;

/// Where the items of a list in a table stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lists {
    /// Below the key.
    AtKey,
    /// Two columns to the right of it.
    Indented,
}

/// Writes a value as one document, with a line break at the end.
#[must_use]
pub fn write(value: &Value, lists: Lists) -> String {
    let mut writer = Writer { text: String::new(), lists };
    writer.value(value, 0, Place::Top);
    if !writer.text.ends_with('\n') {
        writer.text.push('\n');
    }
    writer.text
}

/// Compares keys by their letters and the numbers in them, so that `a10` comes after `a9`.
fn compare_keys(left: &str, right: &str) -> Ordering {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let Some(at) = left.iter().zip(&right).position(|(one, other)| one != other) else {
        return left.len().cmp(&right.len());
    };
    let (one, other) = (left[at], right[at]);
    match (one.is_alphabetic(), other.is_alphabetic()) {
        (true, true) => return one.cmp(&other),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // Zeros behind another digit are part of a number that began before.
    let inside = (one == '0' || other == '0')
        && left[..at].iter().rev().take_while(|digit| digit.is_ascii_digit()).any(|digit| *digit != '0');
    let (one_number, one_end) = number_at(&left, at, inside);
    let (other_number, other_end) = number_at(&right, at, inside);
    one_number.cmp(&other_number).then(one_end.cmp(&other_end)).then(one.cmp(&other))
}

/// Sorts keys by halves. The library's sort refuses an order like this one, which goes in circles where
/// letters, digits and signs stand at one place.
fn sorted<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    if keys.len() < 2 {
        return keys.to_vec();
    }
    let (front, back) = keys.split_at(keys.len() / 2);
    let (mut front, mut back) = (sorted(front).into_iter().peekable(), sorted(back).into_iter().peekable());
    let mut all = Vec::with_capacity(keys.len());
    while let (Some(one), Some(other)) = (front.peek(), back.peek()) {
        let is_first = compare_keys(one, other).is_le();
        all.extend(if is_first { front.next() } else { back.next() });
    }
    all.extend(front);
    all.extend(back);
    all
}

/// Returns the number that the digits at a place are, and where it ends.
fn number_at(text: &[char], at: usize, inside: bool) -> (i64, usize) {
    let mut number = i64::from(inside);
    let mut end = at;
    while let Some(digit) = text.get(end).and_then(|digit| digit.to_digit(10)) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
        end += 1;
    }
    (number, end)
}

/// What a value is written after.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    /// `key:`.
    Key,
    /// `-` or `?`, on whose line a table or list begins.
    Item,
}

struct Writer {
    text: String,
    lists: Lists,
}

impl Writer {
    /// Writes a value whose lines stand in `column`.
    fn value(&mut self, value: &Value, column: usize, place: Place) {
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                let keys: Vec<&str> = entries.keys().map(String::as_str).collect();
                for (index, key) in sorted(&keys).into_iter().enumerate() {
                    self.line(column, index == 0, place);
                    self.entry(key, &entries[key], column);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (index, item) in items.iter().enumerate() {
                    self.line(column, index == 0, place);
                    self.text.push('-');
                    self.value(item, column + 2, Place::Item);
                }
            }
            scalar => {
                if place != Place::Top {
                    self.text.push(' ');
                }
                self.scalar(scalar, column, place);
            }
        }
    }

    /// Goes to where the next item or entry begins.
    fn line(&mut self, column: usize, is_first: bool, place: Place) {
        match (is_first, place) {
            (true, Place::Top) => {}
            (true, Place::Item) => self.text.push(' '),
            (true, Place::Key) | (false, _) => {
                if !self.text.ends_with('\n') {
                    self.text.push('\n');
                }
                self.text.extend(std::iter::repeat_n(' ', column));
            }
        }
    }

    fn entry(&mut self, key: &str, value: &Value, column: usize) {
        let style = Analysis::of(key);
        if key.len() > LONGEST_SIMPLE_KEY || style.has_breaks {
            self.text.push_str("? ");
            self.scalar(&Value::from(key), column + 2, Place::Item);
            self.line(column, false, Place::Key);
        } else {
            self.simple_key(key, &style);
        }
        self.text.push(':');
        let column = match value {
            Value::Array(_) if self.lists == Lists::AtKey => column,
            _ => column + 2,
        };
        self.value(value, column, Place::Key);
    }

    fn simple_key(&mut self, key: &str, style: &Analysis) {
        self.scalar_text(key, style.quotes(key), None);
    }

    fn scalar(&mut self, value: &Value, column: usize, place: Place) {
        match value {
            Value::Null => self.text.push_str("null"),
            Value::Bool(word) => {
                let _ = write!(self.text, "{word}");
            }
            Value::Number(number) => self.text.push_str(&number_text(number)),
            Value::Array(_) => self.text.push_str("[]"),
            Value::Object(_) => self.text.push_str("{}"),
            Value::String(text) => self.string(text, column, place),
        }
    }

    fn string(&mut self, text: &str, column: usize, place: Place) {
        let style = Analysis::of(text);
        // A text at the top is indented too.
        let column = if place == Place::Top { 2 } else { column };
        if text.contains('\n') && style.block {
            self.literal(text, column);
        } else {
            self.scalar_text(text, style.quotes(text), Some(column));
        }
    }

    /// Writes text in one of the styles that go on in the next line after a space; a key does not, and
    /// has no column.
    fn scalar_text(&mut self, text: &str, quotes: Quotes, column: Option<usize>) {
        let line = self.text.rfind('\n').map_or(0, |at| at + 1);
        let mut width = self.text[line..].chars().count();
        let from = self.text.len();
        self.text.push_str(quotes.mark());
        width += self.text.len() - from;
        let mut after_space = false;
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let is_inside = at > 0 && next.is_some();
            let may_break = match quotes {
                Quotes::None => next != Some(' '),
                Quotes::Single => is_inside && next != Some(' '),
                Quotes::Double => is_inside,
            };
            if let (' ', Some(column)) = (character, column)
                && !after_space
                && width > WIDTH
                && may_break
            {
                self.text.push('\n');
                self.text.extend(std::iter::repeat_n(' ', column));
                width = column;
                if next == Some(' ') {
                    self.text.push('\\');
                    width += 1;
                }
            } else {
                let from = self.text.len();
                self.character(character, quotes);
                width += self.text[from..].chars().count();
            }
            after_space = character == ' ';
        }
        self.text.push_str(quotes.mark());
    }

    fn character(&mut self, character: char, quotes: Quotes) {
        match (quotes, character) {
            (Quotes::Single, '\'') => self.text.push_str("''"),
            (Quotes::None | Quotes::Single, other) => self.text.push(other),
            (Quotes::Double, '"') => self.text.push_str("\\\""),
            (Quotes::Double, '\\') => self.text.push_str("\\\\"),
            (Quotes::Double, '\0') => self.text.push_str("\\0"),
            (Quotes::Double, '\u{7}') => self.text.push_str("\\a"),
            (Quotes::Double, '\u{8}') => self.text.push_str("\\b"),
            (Quotes::Double, '\t') => self.text.push_str("\\t"),
            (Quotes::Double, '\n') => self.text.push_str("\\n"),
            (Quotes::Double, '\u{b}') => self.text.push_str("\\v"),
            (Quotes::Double, '\u{c}') => self.text.push_str("\\f"),
            (Quotes::Double, '\r') => self.text.push_str("\\r"),
            (Quotes::Double, '\u{1b}') => self.text.push_str("\\e"),
            (Quotes::Double, '\u{85}') => self.text.push_str("\\N"),
            (Quotes::Double, '\u{2028}') => self.text.push_str("\\L"),
            (Quotes::Double, '\u{2029}') => self.text.push_str("\\P"),
            (Quotes::Double, printable) if is_printable(printable) => self.text.push(printable),
            (Quotes::Double, other) => self.escape(u32::from(other)),
        }
    }

    fn escape(&mut self, code: u32) {
        let _ = match code {
            0..=0xFF => write!(self.text, "\\x{code:02X}"),
            0x100..=0xFFFF => write!(self.text, "\\u{code:04X}"),
            _ => write!(self.text, "\\U{code:08X}"),
        };
    }

    /// Writes text in lines of its own, with what says how it begins and ends.
    fn literal(&mut self, text: &str, column: usize) {
        self.text.push('|');
        if text.starts_with([' ', '\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
            self.text.push('2');
        }
        match text.strip_suffix(is_break) {
            None => self.text.push('-'),
            Some(rest) if rest.is_empty() || rest.ends_with(is_break) => self.text.push('+'),
            Some(_) => {}
        }
        for line in text.split_inclusive('\n') {
            if !self.text.ends_with('\n') {
                self.text.push('\n');
            }
            if line != "\n" {
                self.text.extend(std::iter::repeat_n(' ', column));
            }
            self.text.push_str(line);
        }
    }
}

/// How a text may be written.
#[expect(clippy::struct_excessive_bools, reason = "each is one style that is there or not")]
struct Analysis {
    plain: bool,
    single_quoted: bool,
    block: bool,
    has_breaks: bool,
}

/// What stands around a text.
#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    None,
    Single,
    Double,
}

impl Quotes {
    fn mark(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Single => "'",
            Self::Double => "\"",
        }
    }
}

impl Analysis {
    /// Returns the quotes that a text needs that is no block.
    fn quotes(&self, text: &str) -> Quotes {
        match () {
            () if needs_quotes(text) || self.has_breaks || !self.single_quoted => Quotes::Double,
            () if self.plain => Quotes::None,
            () => Quotes::Single,
        }
    }

    /// Looks at a text as it would stand in a block.
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { plain: true, single_quoted: true, block: false, has_breaks: false };
        }
        let mut before_break = None;
        let (mut space_break, mut break_space, mut special, mut has_breaks) = (false, false, false, false);
        for character in text.chars() {
            special |= !is_printable(character);
            if is_break(character) {
                has_breaks = true;
                space_break |= before_break == Some(' ');
            }
            break_space |= character == ' ' && before_break.is_some_and(is_break);
            before_break = Some(character);
        }
        let edge = |character: char| character == ' ' || is_break(character);
        let has_edges = text.starts_with(edge) || text.ends_with(edge);
        let unreadable = space_break || special;
        Self {
            plain: !has_edges && !break_space && !unreadable && !has_breaks && !has_indicators(text),
            single_quoted: !break_space && !unreadable,
            block: !unreadable && !text.ends_with(' '),
            has_breaks,
        }
    }
}

/// Whether something in a text would mean something to YAML.
fn has_indicators(text: &str) -> bool {
    if text.starts_with("---") || text.starts_with("...") {
        return true;
    }
    let blank = |character: Option<char>| character.is_none_or(|next| matches!(next, ' ' | '\t'));
    let mut characters = text.chars().peekable();
    let first = characters.next();
    let after_first = blank(characters.peek().copied());
    match first {
        Some(
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`',
        ) => {
            return true;
        }
        Some('?' | ':' | '-') if after_first => return true,
        _ => {}
    }
    let mut before = first;
    while let Some(character) = characters.next() {
        if character == ':' && blank(characters.peek().copied()) {
            return true;
        }
        if character == '#' && before.is_some_and(|before| matches!(before, ' ' | '\t') || is_break(before)) {
            return true;
        }
        before = Some(character);
    }
    false
}

fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a character may stand in YAML as it is; the tab is not among them here.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        assert_eq!(write(value, Lists::AtKey), expected);
    }

    #[test]
    fn lists_stand_below_their_key() {
        let value = json!({"b": [1, {"x": 1, "y": [[1, 2], []]}], "a": {}, "c": null, "d": {"e": 1.5}});
        check(&value, "a: {}\nb:\n- 1\n- x: 1\n  \"y\":\n  - - 1\n    - 2\n  - []\nc: null\nd:\n  e: 1.5\n");
        let indented = write(&json!({"b": [1, [2]]}), Lists::Indented);
        assert_eq!(indented, "b:\n  - 1\n  - - 2\n");
    }

    #[test]
    fn texts_have_the_quotes_they_need() {
        let texts = json!([
            "", "on", "1", "a b", "a: b", "a:b", "- a", "-a", "#", "a #b", "it's", "{x}", "a\tb", " a", "é",
            "\u{1}"
        ]);
        let written = [
            "\"\"",
            "\"on\"",
            "\"1\"",
            "a b",
            "'a: b'",
            "a:b",
            "'- a'",
            "-a",
            "'#'",
            "'a #b'",
            "it's",
            "'{x}'",
            "\"a\\tb\"",
            "' a'",
            "é",
            "\"\\x01\"",
        ];
        check(&texts, &written.map(|text| format!("- {text}\n")).concat());
    }

    #[test]
    fn texts_of_many_lines_are_blocks() {
        check(
            &json!({"a": "x\ny\n", "b": "x\n\ny", "c": "x\n\n", "d": " x\ny\n"}),
            "a: |\n  x\n  y\nb: |-\n  x\n\n  y\nc: |+\n  x\n\nd: |2\n   x\n  y\n",
        );
        check(&json!("x\ny"), "|-\n  x\n  y\n");
        check(&json!(["x \ny"]), "- \"x \\ny\"\n");
    }

    #[test]
    fn keys_are_sorted_by_the_numbers_in_them() {
        check(
            &json!({"a10": 1, "a9": 1, "B": 1, "a-1": 1, "1": 1, "_": 1, "a.b": 1}),
            "_: 1\n\"1\": 1\nB: 1\na-1: 1\na.b: 1\na9: 1\na10: 1\n",
        );
    }
}

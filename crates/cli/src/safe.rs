//! Text that cannot harm a terminal.
//!
//! Names and messages come from specs, services and state files. A control sequence in one of
//! them could move the cursor or change the title; a bidirectional or invisible character could
//! make a plan read as something else than it is. Everything of foreign origin is shown through
//! [`Safe`].

use std::fmt::{self, Write};

/// Shows text on one line: what a terminal would obey, or would not show, is escaped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Safe<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Safe<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping { formatter, newline: Newline::Escape }, "{}", self.0)
    }
}

/// As [`Safe`], but keeps line breaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SafeLines<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for SafeLines<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping { formatter, newline: Newline::Keep }, "{}", self.0)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Newline {
    Escape,
    Keep,
}

struct Escaping<'a, 'b> {
    formatter: &'a mut fmt::Formatter<'b>,
    newline: Newline,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '\n' if self.newline == Newline::Keep => self.formatter.write_char(character)?,
                '\n' => self.formatter.write_str("\\n")?,
                '\r' => self.formatter.write_str("\\r")?,
                '\t' => self.formatter.write_str("\\t")?,
                _ if is_unsafe(character) => write!(self.formatter, "\\u{{{:x}}}", u32::from(character))?,
                _ => self.formatter.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// Replaces each unsafe character but line breaks and tabs with a visible one of as many bytes,
/// so that the spans of a source file still fit.
pub(crate) fn same_length(text: &str) -> String {
    let replace = |character: char| match (character, character.len_utf8()) {
        ('\n' | '\t', _) => character,
        _ if !is_unsafe(character) => character,
        (_, 1) => '?',
        (_, 2) => '¿',
        (_, 3) => '\u{fffd}',
        _ => '\u{1fbc4}',
    };
    text.chars().map(replace).collect()
}

/// Tells whether a terminal would obey the character or hide it: control characters (C0, C1),
/// those that change the direction of text, and those without width.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_or_hide_is_escaped() {
        assert_eq!(Safe("\u{1b}[2Ja\nb\t\u{9b}").to_string(), "\\u{1b}[2Ja\\nb\\t\\u{9b}");
        assert_eq!(Safe("user\u{202e}nimda").to_string(), "user\\u{202e}nimda");
        assert_eq!(Safe("a\u{200b}b\u{feff}").to_string(), "a\\u{200b}b\\u{feff}");
        assert_eq!(Safe("é 日本 ✓").to_string(), "é 日本 ✓");
        assert_eq!(SafeLines("a\nb\r\u{7f}").to_string(), "a\nb\\r\\u{7f}");
    }

    #[test]
    fn no_character_gets_through_raw_and_source_keeps_its_length() {
        for character in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let text = character.to_string();
            assert!(!Safe(&text).to_string().chars().any(is_unsafe), "{:x}", u32::from(character));
            let replaced = same_length(&text);
            assert_eq!(replaced.len(), text.len(), "{:x}", u32::from(character));
            assert!(!replaced.chars().any(|shown| is_unsafe(shown) && !matches!(shown, '\n' | '\t')));
        }
    }
}

//! The text of a TOML string, and where each of its characters stands in the file.

use std::ops::Range;

use crate::diagnostic::Span;

/// Maps offsets in the text that a TOML string stands for to places in the file.
pub(crate) struct TextMap {
    whole: Span,
    /// Pairs of an offset in the text and the byte of the file that it comes from; between two
    /// pairs, text and file run in step. Empty if the string could not be followed.
    pairs: Vec<(usize, usize)>,
}

impl TextMap {
    /// Follows the string that `span` takes in `file`, and that stands for `text`.
    pub(crate) fn new(file: &str, span: Span, text: &str) -> Self {
        let pairs = file.get(span.start..span.end).and_then(|raw| follow(raw, span.start, text));
        Self { whole: span, pairs: pairs.unwrap_or_default() }
    }

    /// For text that is not in the file: every part of it is at `span`.
    pub(crate) fn elsewhere(span: Span) -> Self {
        Self { whole: span, pairs: Vec::new() }
    }

    /// Returns where a part of the text stands in the file, or the whole string if that is not known.
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        match (self.offset(range.start), self.offset(range.end)) {
            (Some(start), Some(end)) if start <= end => Span { start, end, ..self.whole },
            _ => self.whole,
        }
    }

    fn offset(&self, offset: usize) -> Option<usize> {
        let after = self.pairs.partition_point(|(start, _)| *start <= offset);
        let (start, place) = self.pairs.get(after.checked_sub(1)?)?;
        Some((place + offset - start).min(self.whole.end))
    }
}

/// Returns the pairs of a [`TextMap`], or `None` if `raw` does not stand for `text`.
fn follow(raw: &str, base: usize, text: &str) -> Option<Vec<(usize, usize)>> {
    let quote = raw.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let triple = raw.starts_with(&quote.to_string().repeat(3)) && raw.len() >= 6;
    let width = if triple { 3 } else { 1 };
    let mut inside = raw.get(width..raw.len().checked_sub(width)?)?;
    let mut place = base + width;
    if triple {
        let trimmed = inside.strip_prefix("\r\n").or_else(|| inside.strip_prefix('\n')).unwrap_or(inside);
        place += inside.len() - trimmed.len();
        inside = trimmed;
    }
    let mut pairs = vec![(0, place)];
    if inside == text {
        return Some(pairs);
    }
    let mut offset = 0;
    while let Some(character) = inside.chars().next() {
        let (taken, written) =
            if character == '\\' { escape(inside)? } else { (character.len_utf8(), character.len_utf8()) };
        inside = &inside[taken..];
        place += taken;
        offset += written;
        if taken != written {
            pairs.push((offset, place));
        }
    }
    (offset == text.len()).then_some(pairs)
}

/// Returns how many bytes an escape takes in the file, and how many it stands for.
fn escape(raw: &str) -> Option<(usize, usize)> {
    let letter = raw[1..].chars().next()?;
    let digits = match letter {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        ' ' | '\t' | '\r' | '\n' => return Some((raw.len() - raw[1..].trim_start().len(), 0)),
        _ => return Some((1 + letter.len_utf8(), 1)),
    };
    let code = u32::from_str_radix(raw.get(2..2 + digits)?, 16).ok()?;
    Some((2 + digits, char::from_u32(code)?.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Sources;

    fn check(raw: &str, text: &str, part: &str, expected: &str) {
        let file = format!("x = {raw}");
        let mut sources = Sources::default();
        let source = sources.add("test.toml", file.as_str());
        let map = TextMap::new(&file, Span::new(source, 4..file.len()), text);
        let start = text.find(part).expect("the part is in the text");
        let span = map.span(start..start + part.len());
        assert_eq!(&file[span.start..span.end], expected);
    }

    #[test]
    fn parts_of_strings_are_found() {
        check("\"a ${b} c\"", "a ${b} c", "b", "b");
        check("'a ${b} c'", "a ${b} c", "${b}", "${b}");
        check(r#""\t\u00e9${b[\"k\"]}""#, "\té${b[\"k\"]}", "b[\"k\"]", r#"b[\"k\"]"#);
        check("\"\"\"\n  one\n  ${two}\"\"\"", "  one\n  ${two}", "two", "two");
        check("\"\"\"\\\n   ${two}\"\"\"", "${two}", "two", "two");
        check("\"\"\"\r\n${two}\r\n\"\"\"", "${two}\r\n", "two", "two");
    }

    #[test]
    fn what_cannot_be_followed_is_the_whole_string() {
        check("\"abc\"", "another text", "text", "\"abc\"");
    }
}

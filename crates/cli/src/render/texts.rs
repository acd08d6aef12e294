//! What differs between two texts: lines as in a unified diff, and words inside long lines.

use std::time::Duration;

use similar::udiff::UnifiedHunkHeader;
use similar::{DiffOp, InlineChange, InlineChangeMode, InlineChangeOptions, TextDiff};

use crate::render::block::{Content, Marker, Row};
use crate::render::difference::arrow;
use crate::render::value::{LONGEST_INLINE, QUOTES, escaped, quoted};
use crate::render::{Palette, paint};
use crate::safe::Safe;

/// How many lines that stay the same are shown around a line that changes.
const CONTEXT: usize = 2;
/// Texts of which less than this share is the same are shown one below the other.
const LEAST_COMMON: f32 = 0.5;
/// How long the smallest difference between two texts is looked for.
const LONGEST_SEARCH: Duration = Duration::from_millis(500);

/// Renders the difference between two texts.
pub(crate) fn changed(before: &str, after: &str, palette: &Palette) -> Content {
    if before.contains('\n') || after.contains('\n') {
        return Content::Rows { brackets: QUOTES, rows: lines(before, after, palette) };
    }
    let (old, new) = (quoted(before), quoted(after));
    if before.len().max(after.len()) <= LONGEST_INLINE {
        return Content::Text(arrow(&old, &new, palette));
    }
    words(before, after, palette).map_or_else(
        || {
            let side =
                |marker: Marker, text| Row::text(marker, paint(marker.style(palette), text).to_string());
            Content::Rows {
                brackets: ("(", ")"),
                rows: vec![side(Marker::Remove, old), side(Marker::Add, new)],
            }
        },
        Content::Text,
    )
}

/// Renders the lines that differ as a unified diff does, the words that differ in them emphasised.
fn lines(before: &str, after: &str, palette: &Palette) -> Vec<Row> {
    let difference = TextDiff::configure().timeout(LONGEST_SEARCH).diff_lines(before, after);
    let mut options = InlineChangeOptions::new();
    options.mode(InlineChangeMode::Words);
    let mut rows = Vec::new();
    for group in &difference.grouped_ops(CONTEXT) {
        let header = UnifiedHunkHeader::new(group).to_string();
        rows.push(Row::text(Marker::None, paint(palette.faint, header).to_string()));
        let changes = group
            .iter()
            .flat_map(|operation| difference.iter_inline_changes_with_options(operation, options));
        rows.extend(changes.flat_map(|change| line(&change, palette)));
    }
    rows
}

fn line(change: &InlineChange<'_, str>, palette: &Palette) -> Vec<Row> {
    let marker = Marker::of(change.tag());
    let style = marker.style(palette);
    let parts = change.values().iter().map(|(emphasised, text)| (emphasised, text.trim_end_matches('\n')));
    let parts = parts.filter(|(_, text)| !text.is_empty()).map(|(emphasised, text)| {
        let style = if *emphasised && palette.is_colored { style.invert() } else { style };
        paint(style, Safe(text)).to_string()
    });
    let line = Row::text(marker, parts.collect::<String>());
    let open_end = || Row::text(Marker::None, paint(palette.faint, "(no line break at the end)").to_string());
    if change.missing_newline() { vec![line, open_end()] } else { vec![line] }
}

/// Renders a text with the words in it that go, `[-so-]`, and those that come, `{+so+}`; `None` if too
/// little stays for that to be readable.
fn words(before: &str, after: &str, palette: &Palette) -> Option<String> {
    let (old, new) = (tokens(before), tokens(after));
    let difference = TextDiff::configure().timeout(LONGEST_SEARCH).diff_slices(&old, &new);
    if difference.ratio() < LEAST_COMMON {
        return None;
    }
    let part = |operation: &DiffOp| {
        let (old, new) = (old[operation.old_range()].concat(), new[operation.new_range()].concat());
        match operation {
            DiffOp::Equal { .. } => escaped(&new),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
                let gone = paint(palette.delete, format!("[-{}-]", escaped(&old)));
                let come = paint(palette.create, format!("{{+{}+}}", escaped(&new)));
                let shown = [(old.is_empty(), gone), (new.is_empty(), come)];
                shown.iter().filter(|(empty, _)| !empty).map(|(_, part)| part.to_string()).collect()
            }
        }
    };
    Some(format!("\"{}\"", difference.ops().iter().map(part).collect::<String>()))
}

/// Takes a text apart into words and single other characters.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|character: char| !character.is_alphanumeric()).unwrap_or(rest.len());
        let (token, after) = rest.split_at(word.max(first.len_utf8()));
        tokens.push(token);
        rest = after;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::block;

    fn check(before: &str, after: &str, expected: &str) {
        let row = Row::new(Marker::Modify, "text", changed(before, after, &Palette::plain()));
        let mut text = String::new();
        block::write(&mut text, &[row], 0, &Palette::plain());
        assert_eq!(text, expected);
    }

    #[test]
    fn short_texts_stand_side_by_side() {
        check("a\"b", "c", "~ text = \"a\\\"b\" -> \"c\"\n");
    }

    #[test]
    fn words_are_marked_in_long_texts() {
        check(
            "arn:aws:iam::111122223333:role/the-role-of-the-deployer in \"production\"",
            "arn:aws:iam::444455556666:role/the-role-of-the-new-deployer in \"production\"",
            "~ text = \"arn:aws:iam::[-111122223333-]{+444455556666+}:role/the-role-of-the-{+new-+}deployer \
             in \\\"production\\\"\"\n",
        );
    }

    #[test]
    fn long_texts_without_anything_in_common_stand_below_each_other() {
        let (before, after) = ("a".repeat(70), "b".repeat(70));
        check(&before, &after, &format!("~ text = (\n    - \"{before}\"\n    + \"{after}\"\n  )\n"));
    }

    #[test]
    fn lines_differ_as_in_a_unified_diff() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        check(
            before,
            &before.replace("2\n", "two\n").replace("9\n", "nine"),
            "~ text = \"\"\"
      @@ -1,4 +1,4 @@
      1
    - 2
    + two
      3
      4
      @@ -7,3 +7,3 @@
      7
      8
    - 9
    + nine
      (no line break at the end)
  \"\"\"
",
        );
    }

    #[test]
    fn emphasis_is_a_matter_of_colour() {
        let palette = Palette::colored();
        let rows = lines("say it again Sam\n", "say it again Tom\n", &palette);
        let Content::Text(gone) = &rows[1].content else { panic!("a line is a text") };
        assert_eq!(gone, "\u{1b}[31msay it again \u{1b}[0m\u{1b}[7m\u{1b}[31mSam\u{1b}[0m");
    }
}

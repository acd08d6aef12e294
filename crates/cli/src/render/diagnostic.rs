//! Diagnostics as the Rust compiler shows them: what, where with the text underlined, why, and what to do.

use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use straddle_engine::diagnostic::{Diagnostic, Diagnostics, Severity, Source, SourceId, Sources, Span};
use straddle_engine::value::SENSITIVE;

use crate::render::Palette;
use crate::safe::{Safe, SafeLines, same_length};

/// How many errors are printed; the others are counted.
const SHOWN_ERRORS: usize = 20;

/// Renders problems, at most twenty errors of them.
pub(crate) fn diagnostics(
    sources: &Sources,
    diagnostics: &Diagnostics,
    palette: &Palette,
    width: usize,
) -> String {
    let renderer = if palette.is_colored { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(width);
    let mut text = String::new();
    let mut errors = 0;
    for diagnostic in diagnostics {
        if diagnostic.severity == Severity::Error {
            errors += 1;
        }
        if errors <= SHOWN_ERRORS {
            text += &one(sources, diagnostic, &renderer, width);
            text += "\n\n";
        }
    }
    if errors > SHOWN_ERRORS {
        let more = errors - SHOWN_ERRORS;
        text += &format!("{more} more errors are not shown. With --json all of them are.\n\n");
    }
    text
}

/// Counts problems, in a whole sentence; `None` if there are none.
pub(crate) fn tally(diagnostics: &Diagnostics) -> Option<String> {
    let count = |severity| diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count();
    let counts = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, thing)| counted(*count, thing));
    let counts: Vec<_> = counts.collect();
    (!counts.is_empty()).then(|| counts.join(" and "))
}

/// Returns a number of things: `1 error`, `2 errors`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

fn one(sources: &Sources, diagnostic: &Diagnostic, renderer: &Renderer, width: usize) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(Safe(&diagnostic.summary).to_string()).id(diagnostic.code);
    let mut group = Group::with_title(title).elements(snippets(sources, diagnostic));
    if let Some(address) = &diagnostic.address
        && !mentions(diagnostic, &address.to_string())
    {
        group = group.element(Level::NOTE.message(format!("in {}", Safe(address))));
    }
    if !diagnostic.detail.is_empty() {
        group = group.element(Level::NOTE.message(wrapped(&diagnostic.detail, width)));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(wrapped(hint, width)));
    }
    renderer.render(&[group])
}

fn mentions(diagnostic: &Diagnostic, address: &str) -> bool {
    diagnostic.summary.contains(address) || diagnostic.detail.contains(address)
}

/// Makes one snippet for each file that the diagnostic points at, that of its own place first.
fn snippets<'a>(sources: &Sources, diagnostic: &Diagnostic) -> Vec<Snippet<'a, Annotation<'a>>> {
    let primary = diagnostic.span.map(|span| (span, AnnotationKind::Primary, &diagnostic.label));
    let related =
        diagnostic.related.iter().map(|label| (label.span, AnnotationKind::Context, &label.message));
    let mut files: BTreeMap<(bool, SourceId), Vec<_>> = BTreeMap::new();
    for place in primary.into_iter().chain(related) {
        let is_other = diagnostic.span.is_some_and(|span| span.source != place.0.source);
        files.entry((is_other, place.0.source)).or_default().push(place);
    }
    files.into_iter().map(|((_, source), places)| snippet(sources, source, &places)).collect()
}

fn snippet<'a>(
    sources: &Sources,
    source: SourceId,
    places: &[(Span, AnnotationKind, &String)],
) -> Snippet<'a, Annotation<'a>> {
    let source = sources.get(source);
    let excerpt = Excerpt::around(source, places.iter().map(|(span, ..)| *span));
    let annotations = places.iter().map(|(span, kind, label)| {
        let annotation = kind.span(excerpt.range(*span));
        if label.is_empty() { annotation } else { annotation.label(Safe(label).to_string()) }
    });
    Snippet::source(same_length(&excerpt.text))
        .path(Safe(source.path.display()).to_string())
        .line_start(excerpt.first_line)
        .annotations(annotations)
}

/// The lines of a file that a snippet needs: a file may have megabytes. Sensitive values in them
/// are not shown.
struct Excerpt {
    text: String,
    offset: usize,
    first_line: usize,
    /// What was taken out: where in the file, and where in the text its stand-in is.
    hidden: Vec<(Range<usize>, Range<usize>)>,
}

impl Excerpt {
    fn around(source: &Source, spans: impl Iterator<Item = Span> + Clone) -> Self {
        let text = &source.text;
        let first = spans.clone().map(|span| span.start).min().unwrap_or(0);
        let last = spans.map(|span| span.end).max().unwrap_or(0);
        let first = text.floor_char_boundary(first.min(text.len()));
        let last = text.ceil_char_boundary(last.min(text.len()).max(first));
        let offset = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline);
        let first_line = text[..offset].matches('\n').count() + 1;
        let mut excerpt = Self { text: String::new(), offset, first_line, hidden: Vec::new() };
        excerpt.fill(source, offset..end);
        excerpt
    }

    /// Takes a part of a file, with stand-ins for what is hidden in it. Lines stay lines.
    fn fill(&mut self, source: &Source, part: Range<usize>) {
        let mut hidden: Vec<_> = source.hidden().to_vec();
        hidden.sort_by_key(|range| range.start);
        let mut done = part.start;
        for range in hidden {
            let (start, end) = (range.start.max(done), range.end.min(part.end));
            if start >= end {
                continue;
            }
            self.text += &source.text[done..start];
            let begin = self.text.len();
            self.text += SENSITIVE;
            self.text += &"\n".repeat(source.text[start..end].matches('\n').count());
            self.hidden.push((start..end, begin..self.text.len()));
            done = end;
        }
        self.text += &source.text[done..part.end];
    }

    /// Returns where a span is in the excerpt, widened to whole characters and stand-ins.
    fn range(&self, span: Span) -> Range<usize> {
        let start = self.text.floor_char_boundary(self.place(span.start, |stand_in| stand_in.start));
        let end = self.place(span.end, |stand_in| stand_in.end);
        start..self.text.ceil_char_boundary(end).max(start)
    }

    /// Returns where a place of the file is in the excerpt, or a side of the stand-in for it.
    fn place(&self, place: usize, side: fn(&Range<usize>) -> usize) -> usize {
        let before = self.hidden.iter().take_while(|(hidden, _)| hidden.start < place).last();
        let inside = match before {
            Some((hidden, stand_in)) if place < hidden.end => side(stand_in),
            Some((hidden, stand_in)) => stand_in.end + (place - hidden.end),
            None => place.saturating_sub(self.offset),
        };
        inside.min(self.text.len())
    }
}

/// Breaks a text between words, so that a message stays inside the terminal.
fn wrapped(text: &str, width: usize) -> String {
    let limit = width.saturating_sub(16).max(40);
    let mut lines = Vec::new();
    for paragraph in SafeLines(text).to_string().lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > limit {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use snapbox::{assert_data_eq, str};
    use straddle_engine::address::Address;

    use super::*;

    fn check(
        sources: &Sources,
        problems: impl IntoIterator<Item = Diagnostic>,
        expected: impl snapbox::IntoData,
    ) {
        let mut all = Diagnostics::default();
        all.extend(problems);
        assert_data_eq!(diagnostics(sources, &all, &Palette::plain(), 80), expected.into_data().raw());
    }

    fn span(sources: &Sources, source: SourceId, part: &str) -> Span {
        let start = sources.get(source).text.find(part).expect("the part is in the text");
        Span::new(source, start..start + part.len())
    }

    #[test]
    fn a_problem_shows_its_places_reason_and_remedy() {
        let mut sources = Sources::default();
        let network = sources.add("spec/network.toml", "[vpc.main]\ncidr = \"10.0.0.0/16\"\n");
        let apps = sources.add("spec/apps.toml", "# apps\n\n[subnet.a]\nvpc_id = \"${vpc.main.id}\"\n");
        let problem = Diagnostic::error("unknown-attribute", "unknown attribute")
            .with_span(span(&sources, network, "cidr"), "`vpc` has no such attribute")
            .with_related(span(&sources, network, "[vpc.main]"), "in this block")
            .with_related(span(&sources, apps, "${vpc.main.id}"), "used here")
            .with_address(Address::new("vpc", "main"))
            .with_detail("A vpc has the attributes `cidr_block`, `enable_dns_hostnames`, `enable_dns_support`, `tags`.")
            .with_hint("Write `cidr_block`.");
        check(
            &sources,
            [problem],
            str![[r#"
error[unknown-attribute]: unknown attribute
 --> spec/network.toml:2:1
  |
1 | [vpc.main]
  | ---------- in this block
2 | cidr = "10.0.0.0/16"
  | ^^^^ `vpc` has no such attribute
  |
 ::: spec/apps.toml:4:11
  |
4 | vpc_id = "${vpc.main.id}"
  |           -------------- used here
  |
  = note: in vpc.main
  = note: A vpc has the attributes `cidr_block`, `enable_dns_hostnames`,
          `enable_dns_support`, `tags`.
  = help: Write `cidr_block`.


"#]],
        );
    }

    #[test]
    fn a_problem_without_a_place_and_a_hostile_one_are_shown() {
        let mut sources = Sources::default();
        let source = sources.add("a\u{1b}[31m.toml", "# é\nname = \"a\u{202e}b\u{9b}c\"\n");
        let hostile = Diagnostic::warning("hidden-text", "a \u{1b}[2J summary")
            .with_span(span(&sources, source, "a\u{202e}b\u{9b}c"), "la\u{200b}bel");
        let plain = Diagnostic::error("state-corrupt", "the state is not usable").with_detail("One.\nTwo.");
        check(
            &sources,
            [hostile, plain],
            str![[r#"
warning[hidden-text]: a \u{1b}[2J summary
 --> a\u{1b}[31m.toml:2:9
  |
2 | name = "a�b¿c"
  |         ^^^^^ la\u{200b}bel

error[state-corrupt]: the state is not usable
 |
 = note: One.
         Two.


"#]],
        );
    }

    #[test]
    fn the_twenty_first_error_is_counted_and_every_warning_shown() {
        let errors = (1..=22).map(|number| Diagnostic::error("x", format!("error {number}")));
        let warning = Diagnostic::warning("y", "a warning");
        let mut all = Diagnostics::default();
        all.extend(errors.chain([warning]));
        let text = diagnostics(&Sources::default(), &all, &Palette::plain(), 80);
        assert!(text.contains("error 20") && !text.contains("error 21"), "{text}");
        assert!(text.contains("2 more errors are not shown."), "{text}");
        assert_eq!(tally(&all).as_deref(), Some("22 errors and 1 warning"));
        assert_eq!(tally(&Diagnostics::default()), None);
    }

    #[test]
    fn what_is_hidden_in_a_file_is_not_shown_and_the_rest_is_where_it_was() {
        let mut sources = Sources::default();
        let source = sources.add("values.toml", "a = 'é'; b = \"\"\"two\nlines\"\"\"; c = 1\nd = 2\n");
        let [first, second] = ["'é'", "\"\"\"two\nlines\"\"\""].map(|part| span(&sources, source, part));
        sources.hide(second);
        sources.hide(first);
        let inside = Span::new(source, second.start + 4..second.start + 5);
        let problem = Diagnostic::error("x", "x")
            .with_span(inside, "inside")
            .with_related(span(&sources, source, "c"), "after")
            .with_related(span(&sources, source, "b"), "between");
        check(
            &sources,
            [problem],
            str![[r"
error[x]: x
 --> values.toml:1:22
  |
1 |   a = (sensitive); b = (sensitive)
  |  __________________-___^
  | |                  |
  | |                  between
2 | | ; c = 1
  | | ^ - after
  | |_|
  |   inside


"]],
        );
    }

    #[test]
    fn spans_that_do_not_fit_their_file_do_no_harm() {
        let mut sources = Sources::default();
        let source = sources.add("x.toml", "é");
        for range in [0..0, 1..1, 1..2, 0..9, 2..2, 7..9] {
            let problem = Diagnostic::error("x", "x").with_span(Span::new(source, range), "here");
            let text = diagnostics(&sources, &problem.into(), &Palette::plain(), 80);
            assert!(text.contains("x.toml:1"), "{text}");
        }
    }
}

//! Problems found in what the user wrote, and where they stand.
//!
//! The engine collects every diagnostic of a run; whoever shows them (the command
//! line as text, `--json` as data) decides how they look.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::address::Address;

/// One file of a spec, kept so that a diagnostic can show the text it points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as the user would write it, relative where possible.
    pub path: PathBuf,
    /// The whole text of the file.
    pub text: Arc<str>,
    hidden: Vec<Range<usize>>,
}

impl Source {
    /// Returns the parts of the text that must not be shown, since they are sensitive values.
    #[must_use]
    pub fn hidden(&self) -> &[Range<usize>] {
        &self.hidden
    }
}

/// Names one file in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(usize);

/// All files that were read in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// Adds a file and returns its id.
    pub fn add(&mut self, path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> SourceId {
        self.files.push(Source { path: path.into(), text: text.into(), hidden: Vec::new() });
        SourceId(self.files.len() - 1)
    }

    /// Returns the id that the next file but `ahead` will have.
    pub(crate) fn future_id(&self, ahead: usize) -> SourceId {
        SourceId(self.files.len() + ahead)
    }

    /// Returns the file with this id.
    ///
    /// # Panics
    /// If the id was handed out by another `Sources`.
    #[must_use]
    pub fn get(&self, id: SourceId) -> &Source {
        self.files.get(id.0).expect("a source id is only used with the sources that handed it out")
    }

    /// Keeps a part of a file from being shown.
    ///
    /// # Panics
    /// If the span was made with another `Sources`.
    pub fn hide(&mut self, span: Span) {
        let source =
            self.files.get_mut(span.source.0).expect("a span is only used with the sources it was made with");
        source.hidden.push(span.start..span.end);
    }

    /// Returns every file in the order it was read.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.files.iter().enumerate().map(|(index, source)| (SourceId(index), source))
    }

    /// Returns where a span starts.
    #[must_use]
    pub fn location(&self, span: Span) -> Location<'_> {
        let source = self.get(span.source);
        let start = floor_char_boundary(&source.text, span.start);
        let before = &source.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Location {
            path: &source.path,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

fn floor_char_boundary(text: &str, mut offset: usize) -> usize {
    offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// A place in a file, shown as `path:line:column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location<'a> {
    /// The path as the user would write it.
    pub path: &'a Path,
    /// Counted from 1.
    pub line: usize,
    /// Counted in characters from 1.
    pub column: usize,
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// A range of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// Makes a span of `range` in `source`.
    #[must_use]
    pub fn new(source: SourceId, range: Range<usize>) -> Self {
        Self { source, start: range.start, end: range.end }
    }
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The run stops before anything is changed.
    Error,
    /// The run goes on.
    Warning,
}

/// A second place that explains a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be seen there, without a full stop.
    pub message: String,
}

/// One problem: what, where, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for this sort of problem, such as `unknown-attribute`.
    pub code: &'static str,
    /// What is wrong, always the same words for the same sort of problem, without a full stop.
    pub summary: String,
    /// Whole sentences that name the thing and the reason; may be empty.
    pub detail: String,
    /// The resource concerned, where there is one.
    pub address: Option<Address>,
    /// The text to underline, where there is one.
    pub span: Option<Span>,
    /// Words put under the underlined text, without a full stop; may be empty.
    pub label: String,
    /// Further places that explain the problem.
    pub related: Vec<Label>,
    /// What to write or do instead.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// Starts an error; the other parts are added with the `with_` methods.
    #[must_use]
    pub fn error(code: &'static str, summary: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            summary: summary.into(),
            detail: String::new(),
            address: None,
            span: None,
            label: String::new(),
            related: Vec::new(),
            hint: None,
        }
    }

    /// Starts a warning.
    #[must_use]
    pub fn warning(code: &'static str, summary: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, summary) }
    }

    /// Adds the place and the words under it (which may be empty).
    #[must_use]
    pub fn with_span(mut self, span: Span, label: impl Into<String>) -> Self {
        self.span = Some(span);
        self.label = label.into();
        self
    }

    /// Adds whole sentences that name the thing and the reason.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds a second place that explains the problem.
    #[must_use]
    pub fn with_related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Label { span, message: message.into() });
        self
    }

    /// Adds what to write or do instead.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the resource concerned.
    #[must_use]
    pub fn with_address(mut self, address: Address) -> Self {
        self.address = Some(address);
        self
    }
}

/// Every problem of a run, in the order found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds a problem.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    /// Tells whether any problem is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Tells whether there is no problem at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the problems in the order found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.items.iter()
    }

    /// Takes away the problems of a code.
    pub(crate) fn remove(&mut self, code: &str) {
        self.items.retain(|diagnostic| diagnostic.code != code);
    }

    /// Puts the problems in the order of their places in the files, those without a place last.
    pub fn sort(&mut self) {
        self.items.sort_by_key(|diagnostic| (diagnostic.span.is_none(), diagnostic.span));
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, iter: T) {
        self.items.extend(iter);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { items: vec![diagnostic] }
    }
}

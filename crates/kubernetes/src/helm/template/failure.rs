//! What goes wrong in a template, and where.

use std::fmt;

/// A template that cannot be read, or that fails as it runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct TemplateError {
    /// The path of the file in the chart, which begins with the chart's name.
    pub template: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The column in it, in bytes from 0 as Go counts; 0 if only the line is known.
    pub column: usize,
    /// The whole of it, as Helm says it.
    text: String,
}

impl TemplateError {
    /// A template whose text is wrong.
    pub(in crate::helm) fn parse(template: &str, line: usize, problem: &str) -> Self {
        let text = format!("parse error at ({template}:{line}): {problem}");
        Self { template: template.to_owned(), line, column: 0, text }
    }
}

/// Where something stands that runs.
pub(in crate::helm) struct Place<'a> {
    /// The file.
    pub(in crate::helm) template: &'a str,
    pub(in crate::helm) line: usize,
    pub(in crate::helm) column: usize,
    /// The template's name, which differs from the file's if it has a `define` of its own.
    pub(in crate::helm) running: &'a str,
    /// What it says there.
    pub(in crate::helm) context: &'a str,
}

impl Place<'_> {
    /// Returns the error of what failed here.
    pub(in crate::helm) fn error(&self, problem: &CallError) -> Failure {
        let Self { template, line, column, running, context } = self;
        Failure(Box::new(Details {
            error: TemplateError {
                template: (*template).to_owned(),
                line: *line,
                column: *column,
                text: format!(
                    "template: {template}:{line}:{column}: executing {running:?} at <{context}>: {}",
                    problem.text
                ),
            },
            raised: problem.raised.clone(),
        }))
    }
}

/// Why a function failed.
#[derive(Debug)]
pub(in crate::helm) struct CallError {
    pub(in crate::helm) text: String,
    /// What the chart's author says by `fail` or `required`.
    pub(in crate::helm) raised: Option<String>,
    /// The argument that is of another type, and what is expected, if the function was not even called.
    pub(in crate::helm) argument: Option<(usize, &'static str)>,
}

impl CallError {
    /// An argument that the function does not take.
    pub(in crate::helm) fn argument(index: usize, expected: &'static str, found: &str) -> Self {
        let text = match found {
            "<nil>" => format!("invalid value; expected {expected}"),
            found => format!("wrong type for value; expected {expected}; got {found}"),
        };
        Self { text, raised: None, argument: Some((index, expected)) }
    }

    /// An error that the chart itself raises.
    pub(in crate::helm) fn raised(text: &str) -> Self {
        Self { text: text.to_owned(), raised: Some(text.to_owned()), argument: None }
    }

    /// The same, as a part of what it made fail.
    pub(in crate::helm) fn within(self, what: &str) -> Self {
        Self { text: format!("{what}{}", self.text), raised: self.raised, argument: None }
    }
}

impl From<String> for CallError {
    fn from(text: String) -> Self {
        Self { text, raised: None, argument: None }
    }
}

impl From<&str> for CallError {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        Self { text: failure.0.error.text, raised: failure.0.raised, argument: None }
    }
}

/// An error on its way out of what runs. In a box, since it travels through deep recursion.
#[derive(Debug)]
pub(in crate::helm) struct Failure(Box<Details>);

#[derive(Debug)]
struct Details {
    error: TemplateError,
    raised: Option<String>,
}

impl Failure {
    /// Returns the error as it is told: what a chart raises by itself stands without what ran into it.
    pub(in crate::helm) fn told(self) -> TemplateError {
        let Details { mut error, raised } = *self.0;
        if let Some(raised) = raised {
            let TemplateError { template, line, column, .. } = &error;
            error.text = format!("execution error at ({template}:{line}:{column}): {raised}");
        }
        error
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.error.text)
    }
}

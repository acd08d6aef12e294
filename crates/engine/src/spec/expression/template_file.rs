//! `file` and `templatefile`.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::ast::Expression;
use crate::spec::expression::evaluate::{Evaluated, Evaluation, Failure, wrong};
use crate::spec::files::{LATE, Unreadable};
use crate::spec::pattern::{Piece, TemplateError, read_template};
use crate::value::{Unknown, Value};

impl<'a> Evaluation<'a> {
    /// Returns the text of a file.
    pub(super) fn file(&self, path: &'a Expression) -> Evaluated<Cow<'a, Value>> {
        let (_, text) = self.read_file(path)?;
        let value = Value::from(&*text);
        self.budget.value(&value, path.span)?;
        Ok(Cow::Owned(value))
    }

    /// Returns the name of a file and its text.
    fn read_file(&self, path: &'a Expression) -> Evaluated<(String, Arc<str>)> {
        let value = self.expression(path)?;
        if let Value::Unknown(unknown) = &*value {
            return Err(unknown_file(unknown, path.span));
        }
        let Some(name) = value.as_str() else {
            let label = format!("expected a string, found {}", value.type_name());
            return Err(wrong("invalid-argument", "invalid argument", path.span, label));
        };
        match self.world.files.read(path.span.source, name) {
            Ok(text) => Ok((name.to_owned(), text)),
            Err(unreadable) => Err(unreadable.into_failure(path.span)),
        }
    }

    /// Returns the text of a file with its expressions evaluated.
    pub(super) fn template_file(
        &self,
        path: &'a Expression,
        names: &'a Expression,
    ) -> Evaluated<Cow<'a, Value>> {
        let (name, text) = self.read_file(path)?;
        let values = self.expression(names)?;
        let entries = match &*values {
            Value::Map(entries) => entries,
            Value::Unknown(unknown) => return Ok(Cow::Owned(self.postpone(unknown))),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::List(_)) => {
                let label = format!("expected a table, found {}", other.type_name());
                return Err(wrong("invalid-argument", "invalid argument", names.span, label));
            }
        };
        self.budget.value(&values, names.span)?;
        let bound: Vec<_> = entries.keys().cloned().collect();
        let pieces = read_template(&text, path.span, &bound).map_err(|error| explain(&name, error))?;
        let values = entries.values().map(|value| Rc::new(value.clone())).collect();
        self.pieces(&name, &pieces, values, path.span).map(Cow::Owned)
    }

    fn pieces(&self, name: &str, pieces: &[Piece], values: Vec<Rc<Value>>, span: Span) -> Evaluated<Value> {
        let inner = self.with_names(values);
        let value = inner.text(pieces, span);
        self.absorb(&inner);
        let value = value.map_err(|failure| match failure {
            Failure::Wrong(diagnostic) => explain(name, TemplateError { line: None, diagnostic }),
            Failure::Broken | Failure::Fatal(_) => failure,
        })?;
        self.budget.value(&value, span)?;
        Ok(value)
    }
}

impl Unreadable {
    fn into_failure(self, span: Span) -> Failure {
        let describe = |problem| {
            Diagnostic::error("unreadable-file", "unreadable file")
                .with_span(span, problem)
                .with_detail("Files are named from the folder of the spec, and are inside it.")
                .into()
        };
        match self {
            Self::Problem(problem) => Failure::Wrong(describe(problem)),
            Self::Late => Failure::Fatal(describe(LATE.to_owned())),
        }
    }
}

/// Describes a path that is known too late: what the file says would count in no digest.
fn unknown_file(unknown: &Unknown, span: Span) -> Failure {
    let diagnostic = Diagnostic::error("unknown-file", "file that is not known")
        .with_span(span, format!("depends on `{}`, which is known only after apply", unknown.origin))
        .with_detail("Files are read when the spec is loaded, so that the plan shows what they say.")
        .with_hint("Make the path of variables, local values and `each.key`.");
    Failure::Fatal(diagnostic.into())
}

/// The file is none of the spec's own, so that the place in it is told in words.
fn explain(name: &str, error: TemplateError) -> Failure {
    let mut diagnostic = error.diagnostic;
    let line = error.line.map(|line| format!(" line {line}")).unwrap_or_default();
    diagnostic.label = format!("in `{}`{line}: {}", name.escape_debug(), diagnostic.label);
    Failure::Wrong(diagnostic)
}

//! `file` and `templatefile`.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::ast::Expression;
use crate::spec::expression::evaluate::{Evaluated, Evaluation, Failure, wrong};
use crate::spec::pattern::{Piece, TemplateError, read_template};
use crate::value::{Unknown, Value};

impl<'a> Evaluation<'a> {
    /// Returns the text of a file; the unknown value that its path is made from if that is not known.
    pub(super) fn file(&self, path: &'a Expression) -> Evaluated<Cow<'a, Value>> {
        let text = self.read_file(path)?;
        let value = text.map_or_else(|unknown| unknown.derived(), |(_, text)| Value::from(&*text));
        self.budget.value(&value, path.span)?;
        Ok(Cow::Owned(value))
    }

    fn read_file(&self, path: &'a Expression) -> Evaluated<Result<(String, Arc<str>), Unknown>> {
        let value = self.expression(path)?;
        if let Value::Unknown(unknown) = &*value {
            return Ok(Err(unknown.clone()));
        }
        let Some(name) = value.as_str() else {
            let label = format!("expected a string, found {}", value.type_name());
            return Err(wrong("invalid-argument", "invalid argument", path.span, label));
        };
        match self.world.files.read(path.span.source, name) {
            Ok(text) => Ok(Ok((name.to_owned(), text))),
            Err(problem) => {
                let diagnostic = Diagnostic::error("unreadable-file", "unreadable file")
                    .with_span(path.span, problem)
                    .with_detail("Files are named from the folder of the spec, and are inside it.");
                Err(Failure::Wrong(diagnostic.into()))
            }
        }
    }

    /// Returns the text of a file with its expressions evaluated.
    pub(super) fn template_file(
        &self,
        path: &'a Expression,
        names: &'a Expression,
    ) -> Evaluated<Cow<'a, Value>> {
        let (name, text) = match self.read_file(path)? {
            Ok(found) => found,
            Err(unknown) => return Ok(Cow::Owned(unknown.derived())),
        };
        let values = self.expression(names)?;
        let entries = match &*values {
            Value::Map(entries) => entries,
            Value::Unknown(unknown) => return Ok(Cow::Owned(unknown.derived())),
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
        let value = inner.text(pieces);
        self.budget.spend(&inner.budget);
        let value = value.map_err(|failure| match failure {
            Failure::Broken => Failure::Broken,
            Failure::Wrong(diagnostic) => explain(name, TemplateError { line: None, diagnostic }),
        })?;
        self.budget.value(&value, span)?;
        Ok(value)
    }
}

/// The file is none of the spec's own, so that the place in it is told in words.
fn explain(name: &str, error: TemplateError) -> Failure {
    let mut diagnostic = error.diagnostic;
    let line = error.line.map(|line| format!(" line {line}")).unwrap_or_default();
    diagnostic.label = format!("in `{}`{line}: {}", name.escape_debug(), diagnostic.label);
    Failure::Wrong(diagnostic)
}

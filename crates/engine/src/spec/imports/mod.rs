//! `[[import]]` blocks: things that exist and become resources of the stack.

mod check;
mod read;

use std::sync::Arc;

use crate::address::{Address, ComponentPath, RemoteId};
use crate::diagnostic::{Diagnostic, Span};
use crate::spec::evaluator::Evaluator;
use crate::spec::pattern::Pattern;
use crate::spec::sensitivity::shown_value;
use crate::value::Value;

pub use check::check_import;
pub(crate) use check::check_imports;
pub(crate) use read::read_imports;

/// A thing that exists and becomes a resource of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportNode {
    /// The resource that it becomes.
    pub to: Address,
    /// What the service calls it.
    pub id: RemoteId,
    /// Whether it may be taken from another stack that has it.
    pub take_over: bool,
    /// Where the spec names the resource; `None` if the user says it elsewhere.
    pub span: Option<Span>,
}

/// An `[[import]]` block, nothing evaluated.
#[derive(Debug, Clone)]
pub(crate) struct ImportBlock {
    pub(crate) to: Address,
    pub(crate) to_span: Span,
    pub(crate) id: Arc<Pattern>,
    pub(crate) take_over: bool,
}

impl ImportBlock {
    /// Returns the same inside of a component, with the id as of that instance.
    pub(crate) fn within(&self, component: &ComponentPath, id: Arc<Pattern>) -> Self {
        Self { to: self.to.clone().within(component.clone()), id, ..self.clone() }
    }
}

impl Evaluator<'_> {
    /// Returns the imports whose ids are known; problems are reported.
    pub(crate) fn imports(&mut self) -> Vec<ImportNode> {
        let program = self.program;
        program.imports.iter().filter_map(|block| self.import(block)).collect()
    }

    fn import(&mut self, block: &ImportBlock) -> Option<ImportNode> {
        let pattern = &block.id;
        if self.world.sensitivity(pattern, None).is_any() {
            let detail = "Plans, states and messages name the ids of everything.";
            self.diagnostics.push(shown_value(pattern.span, detail.to_owned()));
            return None;
        }
        let id = match self.static_value(pattern, None, None)? {
            Value::String(id) if !id.is_empty() => RemoteId::new(id),
            // An expression that is null: in these values there is nothing to import.
            Value::Null => return None,
            Value::String(_) => return self.wrong_import_id(block, "is empty".to_owned()),
            found @ (Value::Bool(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Unknown(_)) => {
                let label = format!("expected a string, found {}", found.type_name());
                return self.wrong_import_id(block, label);
            }
        };
        Some(ImportNode { to: block.to.clone(), id, take_over: block.take_over, span: Some(block.to_span) })
    }

    fn wrong_import_id(&mut self, block: &ImportBlock, label: String) -> Option<ImportNode> {
        let problem = Diagnostic::error("invalid-value", "invalid value").with_span(block.id.span, label);
        self.diagnostics.push(problem.with_address(block.to.clone()));
        None
    }
}

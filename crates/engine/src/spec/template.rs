//! Values in which references are still symbolic.

use std::fmt;
use std::sync::Arc;

use crate::address::Address;
use crate::bundle::Standing;
use crate::diagnostic::{Diagnostic, Span};
use crate::spec::expression::evaluate::Failure;
use crate::spec::pattern::Pattern;
use crate::spec::world::{Each, World};
use crate::value::Value;

/// A value in which references to resources are still symbolic.
#[derive(Clone)]
pub struct Template {
    pattern: Arc<Pattern>,
    each: Option<Arc<Each>>,
    world: Arc<World>,
}

/// Answers what an expression may refer to.
pub trait Scope {
    /// Returns an attribute of a resource, input or output; unknown if it is not known yet.
    fn attribute(&self, address: &Address, attribute: &str) -> Value;

    /// Returns the stack's id, the lineage of its state.
    fn stack_id(&self) -> Value;

    /// Returns what members of bundles are there; nothing if that is not known.
    fn standing(&self) -> Standing {
        Standing::default()
    }
}

/// An expression that cannot be evaluated: a wrong argument, a missing key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", diagnostic.summary, diagnostic.label)]
pub struct EvaluationError {
    /// What is wrong, and where.
    pub diagnostic: Box<Diagnostic>,
}

impl Template {
    pub(crate) fn new(pattern: Arc<Pattern>, each: Option<Arc<Each>>, world: Arc<World>) -> Self {
        Self { pattern, each, world }
    }

    /// Returns where the value is written.
    #[must_use]
    pub fn span(&self) -> Span {
        self.pattern.span
    }

    /// Returns the value; what depends on an unknown attribute is unknown. Plan and apply both
    /// resolve references with this one function.
    ///
    /// # Errors
    /// If an expression cannot be evaluated.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, EvaluationError> {
        let value = self.world.evaluate(&self.pattern, self.each.as_deref(), scope);
        value.map_err(|failure| match failure {
            Failure::Wrong(diagnostic) | Failure::Fatal(diagnostic) => EvaluationError { diagnostic },
            Failure::Broken => unreachable!("a spec with reported problems is not handed out"),
        })
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Template").field(&self.pattern.content).finish()
    }
}

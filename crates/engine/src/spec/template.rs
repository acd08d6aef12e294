//! Values in which references are still symbolic.

use crate::address::Address;
use crate::diagnostic::{Diagnostic, Span};
use crate::value::Value;

/// A value in which references to resources are still symbolic.
#[derive(Debug, Clone)]
pub struct Template {
    span: Span,
    constant: Value,
}

/// Answers what an expression may refer to.
pub trait Scope {
    /// Returns an attribute of a resource, input or output; unknown if it is not known yet.
    fn attribute(&self, address: &Address, attribute: &str) -> Value;

    /// Returns the stack's id, the lineage of its state.
    fn stack_id(&self) -> Value;
}

/// An expression that cannot be evaluated: a wrong argument, a missing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationError {
    /// What is wrong, and where.
    pub diagnostic: Box<Diagnostic>,
}

impl Template {
    /// Returns where the value is written.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Returns the value; what depends on an unknown attribute is unknown. Plan and apply both
    /// resolve references with this one function.
    ///
    /// # Errors
    /// If an expression cannot be evaluated.
    pub fn evaluate(&self, _scope: &dyn Scope) -> Result<Value, EvaluationError> {
        Ok(self.constant.clone())
    }
}

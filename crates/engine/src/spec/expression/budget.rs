//! How much one evaluation may do: a few words can ask for more work and memory than there is.

use std::cell::Cell;

use crate::diagnostic::Span;
use crate::spec::expression::evaluate::{Evaluated, fatal};
use crate::value::Value;

/// What one evaluation may cost. A byte that is written costs one.
const BUDGET: usize = 128 * 1024 * 1024;
/// What each step costs besides.
const STEP: usize = 32;

/// What is left of it.
pub(super) struct Budget(Cell<usize>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(BUDGET))
    }
}

impl Budget {
    /// Pays for evaluating one part of an expression.
    pub(super) fn step(&self, span: Span) -> Evaluated<()> {
        self.pay(STEP, span)
    }

    /// Pays for making a value.
    pub(super) fn value(&self, value: &Value, span: Span) -> Evaluated<()> {
        self.pay(value.weight(), span)
    }

    /// Pays for copying a text.
    pub(super) fn text(&self, text: &str, span: Span) -> Evaluated<()> {
        self.pay(text.len(), span)
    }

    /// Pays for what was done with another budget that began as this one is.
    pub(super) fn spend(&self, other: &Self) {
        self.0.set(self.0.get().min(other.0.get()));
    }

    /// Returns a budget that begins as this one is.
    pub(super) fn same(&self) -> Self {
        Self(self.0.clone())
    }

    fn pay(&self, cost: usize, span: Span) -> Evaluated<()> {
        match self.0.get().checked_sub(cost) {
            Some(left) => {
                self.0.set(left);
                Ok(())
            }
            None => {
                Err(fatal("too-much-work", "too much work", span, "this makes too many or too large values"))
            }
        }
    }
}

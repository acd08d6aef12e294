//! From TOML to a checked [`Spec`] of atomic resources.

mod model;
mod template;

pub use model::{Lifecycle, OutputNode, ResourceNode, Spec, Stack};
pub use template::{EvaluationError, Scope, Template};

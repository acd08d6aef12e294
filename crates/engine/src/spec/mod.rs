//! From TOML to a checked [`Spec`] of atomic resources.

mod model;
mod template;

pub use model::{Lifecycle, OutputNode, ResourceNode, Spec, Stack};
pub use template::{EvaluationError, Scope, Template};

// Stand-in until the loader lands: its author replaces it by the loader's own.
/// What is wrong with an input.
pub struct InputProblem {
    /// The attribute.
    pub attribute: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Puts inputs into the form in which the service returns them.
///
/// # Errors
/// If a value cannot be put into that form.
pub fn normalize_inputs(
    schema: &crate::schema::KindSchema,
    mut inputs: crate::value::ValueMap,
) -> Result<crate::value::ValueMap, InputProblem> {
    for attribute in &schema.inputs {
        let (Some(normalize), Some(crate::value::Value::String(text))) =
            (attribute.normalize, inputs.get_mut(attribute.name))
        else {
            continue;
        };
        *text = normalize(text).map_err(|message| InputProblem { attribute: attribute.name, message })?;
    }
    Ok(inputs)
}

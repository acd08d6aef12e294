//! Puts inputs into the form in which they are compared, shown, recorded and sent. Whoever
//! evaluates what the spec wants of a resource asks here: the loader, the plan and the apply.

use crate::erased::AnyKind;
use crate::resource::{Home, Problem};
use crate::spec::normalize::{InvalidText, normalize_inputs};
use crate::value::ValueMap;

/// An input that a kind cannot take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidInput {
    /// Text that the normalization of its attribute refuses.
    Text(InvalidText),
    /// A shorthand that the kind refuses.
    Shorthand(Problem),
}

impl InvalidInput {
    /// Returns the name of the attribute that is wrong.
    #[must_use]
    pub fn attribute(&self) -> &str {
        match self {
            Self::Text(text) => text.attribute(),
            Self::Shorthand(problem) => problem.attribute,
        }
    }
}

/// Returns the inputs as the service would return them, whole where the spec has shorthand.
///
/// # Errors
/// Everything that the kind cannot take.
pub fn canonical_inputs(
    kind: &dyn AnyKind,
    home: Home<'_>,
    inputs: ValueMap,
) -> Result<ValueMap, Vec<InvalidInput>> {
    let texts = |invalid: Vec<InvalidText>| invalid.into_iter().map(InvalidInput::Text).collect::<Vec<_>>();
    let inputs = normalize_inputs(kind.schema(), inputs).map_err(texts)?;
    kind.canonical(home, inputs)
        .map_err(|problems| problems.into_iter().map(InvalidInput::Shorthand).collect())
}

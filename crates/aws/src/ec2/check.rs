//! Questions that the checks of several kinds ask about inputs of which parts may be unknown.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

/// Tells whether the attribute is set, be its value known or not.
pub(crate) fn is_set(inputs: &ValueMap, attribute: &str) -> bool {
    inputs.get(attribute).is_some_and(|value| !value.is_null())
}

/// Tells whether the attribute is known to have this value.
pub(crate) fn is(inputs: &ValueMap, attribute: &str, value: impl Into<Value>) -> bool {
    inputs.get(attribute) == Some(&value.into())
}

/// Describes a wrong value.
pub(crate) fn problem(
    attribute: &'static str,
    message: impl Into<String>,
    hint: impl Into<String>,
) -> Problem {
    Problem { attribute, message: message.into(), hint: Some(hint.into()) }
}

//! How EKS refuses: its exceptions with their statuses (API reference, "Errors" of each action).

use crate::call::{Call, Refusal};

/// Refuses a parameter's value.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

/// Refuses what cannot be done as things are.
pub(super) fn wrong_request(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidRequestException", message)
}

/// Refuses what is not found.
pub(super) fn not_found(message: impl Into<String>) -> Refusal {
    Refusal { status: 404, ..Refusal::new("ResourceNotFoundException", message) }
}

/// Refuses what contradicts something that is there or going on.
pub(super) fn in_use(message: impl Into<String>) -> Refusal {
    Refusal { status: 409, ..Refusal::new("ResourceInUseException", message) }
}

/// Refuses what would be more than there may be.
pub(super) fn limit(message: impl Into<String>) -> Refusal {
    Refusal::new("ResourceLimitExceededException", message)
}

/// Passes on what EC2 says, as EKS does.
pub(super) fn of_ec2(refusal: &Refusal) -> Refusal {
    let Refusal { code, message, status, .. } = refusal;
    invalid(format!("{message} (Service: AmazonEC2; Status Code: {status}; Error Code: {code})"))
}

/// Returns a parameter that the operation cannot do without.
pub(super) fn required<'a>(call: &'a Call, name: &str) -> Result<&'a str, Refusal> {
    let given = call.parameters.text(name).filter(|text| !text.is_empty());
    given.ok_or_else(|| invalid(format!("{name} is missing.")))
}

/// Checks a value that is one of a few.
pub(super) fn one_of<'a>(name: &str, value: &'a str, known: &[&str]) -> Result<&'a str, Refusal> {
    if known.contains(&value) {
        return Ok(value);
    }
    Err(invalid(format!("The value {value} of {name} is none of {}.", known.join(", "))))
}

/// Checks the name of a cluster, a node group or a profile: letters, digits, `-` and `_`, a letter
/// or digit first.
pub(super) fn check_name(noun: &str, name: &str, most: usize) -> Result<(), Refusal> {
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let begins = name.starts_with(|character: char| character.is_ascii_alphanumeric());
    if begins && name.len() <= most && name.chars().all(allowed) {
        return Ok(());
    }
    let message = format!(
        "The {noun} name '{name}' is invalid: it has at most {most} letters, digits, hyphens and underscores, and \
         begins with a letter or digit."
    );
    Err(invalid(message))
}

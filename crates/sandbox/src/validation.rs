//! Parameters of IAM and STS: what they may be, and how a wrong one is refused.

use crate::call::{Parameters, Refusal};

/// Returns a parameter that the operation cannot do without.
pub(crate) fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, Refusal> {
    parameters.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
        let member = member(name);
        let message = format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        );
        Refusal::new("ValidationError", message)
    })
}

/// Returns a name: letters, digits and some signs, at most so many of them.
pub(crate) fn name<'a>(parameters: &'a Parameters, parameter: &str, most: usize) -> Result<&'a str, Refusal> {
    let text = required(parameters, parameter)?;
    length(parameter, text, 1, most)?;
    if text.chars().all(is_name_character) {
        return Ok(text);
    }
    let message = format!(
        "The specified value for {} is invalid. It must contain only alphanumeric characters and/or \
         the following: +=,.@_-",
        member(parameter)
    );
    Err(Refusal::new("ValidationError", message))
}

/// Tells whether names may have a character.
pub(crate) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+=,.@_-".contains(character)
}

/// Checks how long a text is.
pub(crate) fn length(parameter: &str, text: &str, least: usize, most: usize) -> Result<(), Refusal> {
    let characters = text.chars().count();
    if characters < least {
        let constraint = format!("Member must have length greater than or equal to {least}");
        return Err(failed(parameter, text, &constraint));
    }
    if characters > most {
        let constraint = format!("Member must have length less than or equal to {most}");
        return Err(failed(parameter, text, &constraint));
    }
    Ok(())
}

/// Returns a number between bounds; absent is `None`.
pub(crate) fn integer(
    parameters: &Parameters,
    parameter: &str,
    least: i64,
    most: i64,
) -> Result<Option<i64>, Refusal> {
    let Some(number) = parameters.integer(parameter)? else { return Ok(None) };
    if number < least {
        let constraint = format!("Member must have value greater than or equal to {least}");
        return Err(failed(parameter, &number.to_string(), &constraint));
    }
    if number > most {
        let constraint = format!("Member must have value less than or equal to {most}");
        return Err(failed(parameter, &number.to_string(), &constraint));
    }
    Ok(Some(number))
}

/// Refuses the value of a parameter, which breaks a constraint.
pub(crate) fn failed(parameter: &str, value: &str, constraint: &str) -> Refusal {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {constraint}",
        member(parameter)
    );
    Refusal::new("ValidationError", message)
}

/// Returns a parameter's name as messages have it: `roleName` for `RoleName`.
fn member(parameter: &str) -> String {
    let mut characters = parameter.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}

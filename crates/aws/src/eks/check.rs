//! Questions that the checks of several kinds ask.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use crate::ec2::check::problem;

/// Returns what a table that is set has under a name; `None` also if that is null.
pub(crate) fn member<'v>(inputs: &'v ValueMap, table: &str, name: &str) -> Option<&'v Value> {
    inputs.get(table)?.as_map()?.get(name).filter(|value| !value.is_null())
}

/// Returns how many items a list has, known or not.
pub(crate) fn length(inputs: &ValueMap, attribute: &str) -> Option<usize> {
    Some(inputs.get(attribute)?.as_list()?.len())
}

/// Checks the name of a cluster or of something below it (API reference, `CreateCluster` and others).
pub(crate) fn check_name(inputs: &ValueMap, most: usize) -> Option<Problem> {
    let name = inputs.get("name")?.as_str()?;
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    let rest_is_well = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    (!begins_well || !rest_is_well || name.len() > most).then(|| {
        problem(
            "name",
            format!("`{name}` is no name that EKS takes."),
            format!("Write letters, digits, `-` and `_`, a letter or digit first, {most} of them at most."),
        )
    })
}

//! Versions of Kubernetes: `1.35`, and the one that a control plane goes to next.

use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{Problem, Way};
use straddle_engine::value::Value;

use crate::ec2::check::problem;

/// Checks that a text is a version as EKS writes it.
pub(crate) fn normalize(text: &str) -> Result<String, String> {
    match parts(text) {
        Some((major, minor)) => Ok(format!("{major}.{minor}")),
        None => Err(format!("`{text}` is no version of Kubernetes; write one such as `1.35`")),
    }
}

/// Returns the version that comes next on the way from one to another: a control plane is updated by
/// one minor version at a time (API reference, `UpdateClusterVersion`).
pub(crate) fn next(from: &str, to: &str) -> String {
    match (parts(from), parts(to)) {
        (Some((major, from)), Some((same, to))) if major == same && to > from => {
            format!("{major}.{}", from + 1)
        }
        _ => to.to_owned(),
    }
}

/// Returns where a control plane stops first on its way; `None` if it gets to the end at once.
pub(crate) fn stop(way: &Way<'_>) -> Option<Value> {
    let (from, to) = (way.from.as_str()?, way.to.as_str()?);
    let next = next(from, to);
    (next != to).then(|| Value::from(next))
}

/// Returns the version that nodes have to have as long as their control plane is on its way, where the
/// spec wants a later one: nodes are updated to the version that their control plane has (API reference,
/// `UpdateNodegroupVersion`). `None` if they can have what is wanted.
pub(crate) fn held_back(way: &Way<'_>) -> Option<Value> {
    let (from, to, cluster) = (way.from.as_str()?, way.to.as_str()?, way.followed?.as_str()?);
    let (from_parts, to_parts, cluster_parts) = (parts(from)?, parts(to)?, parts(cluster)?);
    (cluster_parts < to_parts).then(|| Value::from(if cluster_parts < from_parts { from } else { cluster }))
}

/// Returns what is wrong with a version that is older than the one that is there.
pub(crate) fn check_change(attribute: &'static str, before: &Value, after: &Value) -> Option<Problem> {
    let (from, to) = (before.as_str()?, after.as_str()?);
    (parts(to)? < parts(from)?).then(|| {
        problem(
            attribute,
            format!("Kubernetes is at {from} here, and EKS never takes it back to {to}."),
            format!("Write `version = \"{from}\"` or a later one."),
        )
    })
}

/// Refuses what EKS refuses: there is no way back to an older version.
pub(crate) fn forward(operation: &'static str, from: &str, to: &str) -> Result<(), ProviderError> {
    match (parts(from), parts(to)) {
        (Some(from_parts), Some(to_parts)) if to_parts < from_parts => Err(ProviderError::new(
            ErrorClass::Rejected,
            operation,
            format!(
                "Kubernetes cannot go back from {from} to {to}; write `version = \"{from}\"` or a later one"
            ),
        )),
        _ => Ok(()),
    }
}

/// Returns the major and the minor version.
fn parts(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    Some((number(major)?, number(minor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_a_major_and_a_minor_number() {
        assert_eq!(normalize("1.35"), Ok("1.35".to_owned()));
        for wrong in ["", "1", "v1.35", "1.35.2", "1.", "latest", "1.+3"] {
            normalize(wrong).expect_err("that is no version");
        }
    }

    #[test]
    fn the_way_leads_over_every_minor_version() {
        assert_eq!(next("1.33", "1.35"), "1.34");
        assert_eq!(next("1.34", "1.35"), "1.35");
        assert_eq!(next("1.9", "1.10"), "1.10");
        assert_eq!(next("1.35", "1.34"), "1.34");
    }

    fn way<'a>(from: &'a Value, to: &'a Value, followed: Option<&'a Value>) -> Way<'a> {
        Way { from, to, followed }
    }

    #[test]
    fn a_control_plane_stops_at_each_minor_version() {
        let [old, middle, new] = ["1.33", "1.34", "1.35"].map(Value::from);
        assert_eq!(stop(&way(&old, &new, None)), Some(middle.clone()));
        assert_eq!(stop(&way(&middle, &new, None)), None);
        assert_eq!(stop(&way(&new, &old, None)), None);
        assert_eq!(stop(&way(&Value::Null, &new, None)), None);
    }

    #[test]
    fn nodes_that_are_to_have_a_later_version_wait_for_their_control_plane() {
        let [old, middle, new] = ["1.33", "1.34", "1.35"].map(Value::from);
        assert_eq!(held_back(&way(&old, &new, Some(&middle))), Some(middle.clone()));
        assert_eq!(held_back(&way(&middle, &new, Some(&old))), Some(middle.clone()));
        assert_eq!(held_back(&way(&old, &new, Some(&new))), None);
        assert_eq!(held_back(&way(&old, &middle, Some(&new))), None);
        assert_eq!(held_back(&way(&old, &new, None)), None);
    }

    #[test]
    fn a_plan_that_goes_back_is_refused() {
        let [old, new] = ["1.9", "1.10"].map(Value::from);
        assert_eq!(check_change("version", &old, &new), None);
        assert_eq!(check_change("version", &Value::Null, &new), None);
        let problem = check_change("version", &new, &old).expect("it goes back");
        assert_eq!(problem.hint.as_deref(), Some("Write `version = \"1.10\"` or a later one."));
    }

    #[test]
    fn there_is_no_way_back() {
        assert_eq!(forward("UpdateClusterVersion", "1.34", "1.35"), Ok(()));
        assert_eq!(forward("UpdateClusterVersion", "1.9", "1.10"), Ok(()));
        let error = forward("UpdateClusterVersion", "1.35", "1.34").expect_err("it is refused");
        assert_eq!(error.class, ErrorClass::Rejected);
        assert!(error.message.contains("from 1.35 to 1.34"), "{}", error.message);
    }
}

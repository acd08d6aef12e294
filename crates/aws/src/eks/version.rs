//! Versions of Kubernetes: `1.35`, and the one that a control plane goes to next.

use straddle_engine::provider::{ErrorClass, ProviderError};

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

    #[test]
    fn there_is_no_way_back() {
        assert_eq!(forward("UpdateClusterVersion", "1.34", "1.35"), Ok(()));
        assert_eq!(forward("UpdateClusterVersion", "1.9", "1.10"), Ok(()));
        let error = forward("UpdateClusterVersion", "1.35", "1.34").expect_err("it is refused");
        assert_eq!(error.class, ErrorClass::Rejected);
        assert!(error.message.contains("from 1.35 to 1.34"), "{}", error.message);
    }
}

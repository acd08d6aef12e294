//! Names and paths of IAM, and what they may be made of (IAM user guide, "IAM identifiers" and "IAM
//! and AWS STS quotas").

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

/// How long a description may be.
const LONGEST_DESCRIPTION: usize = 1000;

/// Checks the name of a role.
pub(crate) fn normalize_role(text: &str) -> Result<String, String> {
    checked(text, 64)
}

/// Checks the name of a policy or an instance profile.
pub(crate) fn normalize(text: &str) -> Result<String, String> {
    checked(text, 128)
}

fn checked(text: &str, most: usize) -> Result<String, String> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    if text.is_empty() {
        Err("it is empty".to_owned())
    } else if text.chars().count() > most {
        Err(format!("it has more than {most} characters"))
    } else if let Some(other) = text.chars().find(|character| !is_allowed(*character)) {
        Err(format!("names have letters, digits and `_+=,.@-`, and no `{}`", other.escape_debug()))
    } else {
        Ok(text.to_owned())
    }
}

/// Checks a path.
pub(crate) fn normalize_path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') || !text.ends_with('/') {
        Err("a path begins and ends with `/`, such as `/team/`".to_owned())
    } else if text.contains("//") {
        Err("two `/` follow each other".to_owned())
    } else if !text.chars().all(|character| character.is_ascii_graphic()) {
        Err("paths have printable ASCII characters without spaces".to_owned())
    } else if text.len() > 512 {
        Err("it has more than 512 characters".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// Checks a description.
pub(crate) fn normalize_description(text: &str) -> Result<String, String> {
    if text.chars().count() > LONGEST_DESCRIPTION {
        return Err(format!("it has more than {LONGEST_DESCRIPTION} characters"));
    }
    Ok(text.to_owned())
}

/// Refuses a value of an attribute that tells what others have made: nobody can wish for that.
pub(crate) fn check_foreign(attribute: &'static str, inputs: &ValueMap, instead: &str) -> Option<Problem> {
    let written = inputs.get(attribute).and_then(Value::as_list).is_some_and(|list| !list.is_empty());
    written.then(|| Problem {
        attribute,
        message: "What nobody's spec has cannot be wanted.".to_owned(),
        hint: Some(format!(
            "Write policies into {instead}; to leave those of others alone, write `ignore_changes = \
             [\"{attribute}\"]`."
        )),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_iam_takes() {
        assert_eq!(normalize_role("EKS-Test_Drive+=,.@1"), Ok("EKS-Test_Drive+=,.@1".to_owned()));
        for wrong in ["", "a b", "a/b", "a:b", "ä", &"x".repeat(65)] {
            normalize_role(wrong).expect_err(wrong);
        }
        normalize(&"x".repeat(128)).expect("policies have longer names");
        normalize(&"x".repeat(129)).expect_err("but not that long");
        normalize_description(&"x".repeat(1001)).expect_err("it is too long");
    }

    #[test]
    fn a_path_is_between_slashes() {
        for right in ["/", "/team/", "/team/a/"] {
            assert_eq!(normalize_path(right), Ok(right.to_owned()));
        }
        for wrong in ["", "team", "/team", "team/", "//", "/a b/"] {
            normalize_path(wrong).expect_err(wrong);
        }
    }
}

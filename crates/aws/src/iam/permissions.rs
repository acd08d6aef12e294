//! Policies that say what somebody may do.

use straddle_engine::policy::Policy;
use straddle_engine::resource::Problem;
use straddle_engine::schema::AttributeValue;
use straddle_engine::value::{Value, ValueMap};

use super::document;

/// How long a managed policy may be (IAM user guide, "IAM and AWS STS quotas"; it cannot be raised).
pub(crate) const MOST_CHARACTERS: usize = 6144;
/// How long the inline policies of a role may be together (same place).
pub(crate) const MOST_CHARACTERS_INLINE: usize = 10_240;

/// Returns what is wrong with a document.
pub(crate) fn check(attribute: &'static str, most: usize, inputs: &ValueMap) -> Vec<Problem> {
    let Some(value @ Value::Map(elements)) = inputs.get(attribute) else { return Vec::new() };
    let problem = |message: String, hint: &str| Problem { attribute, message, hint: Some(hint.to_owned()) };
    if !elements.contains_key("Statement") {
        return vec![problem(
            "A policy has a `Statement`, and this table has none.".to_owned(),
            "Write `{ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = [...], Resource = \
             [...] }] }`.",
        )];
    }
    let length = Policy::from_value(value).ok().as_ref().and_then(document::length);
    let too_long = length.filter(|length| *length > most).map(|length| {
        problem(
            format!("The document has {length} characters besides white space, and IAM takes {most}."),
            "Split it into several policies, or use patterns such as `ec2:Describe*`.",
        )
    });
    too_long.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::testing::json;

    fn problems(document: &str) -> Vec<Problem> {
        check("document", MOST_CHARACTERS, &ValueMap::from([("document".to_owned(), json(document))]))
    }

    #[test]
    fn a_policy_has_statements_and_not_too_many_characters() {
        assert_eq!(problems(r#"{"Statement": []}"#), []);
        assert!(problems(r#"{"Statements": []}"#)[0].message.contains("`Statement`"));
        let long = format!(r#"{{"Statement": {{"Resource": "{}"}}}}"#, "x".repeat(MOST_CHARACTERS));
        assert!(problems(&long)[0].message.contains("6144"), "{:?}", problems(&long));
        let spaces = format!(r#"{{"Statement": {{"Resource": "{}"}}}}"#, " ".repeat(MOST_CHARACTERS));
        assert_eq!(problems(&spaces), []);
    }
}

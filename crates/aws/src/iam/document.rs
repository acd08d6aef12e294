//! Documents as IAM takes and returns them.

use percent_encoding::percent_decode_str;
use straddle_engine::policy::Policy;
use straddle_engine::value::{Value, ValueMap};

/// The version of the language of policies that every document of ours has unless it says otherwise.
/// Without one it would be of 2008, which knows no variables and which no managed policy may be of
/// (IAM user guide, "IAM JSON policy elements: Version").
const VERSION: &str = "2012-10-17";

/// Adds the version to the document in this attribute.
pub(crate) fn versioned(attribute: &str, mut inputs: ValueMap) -> ValueMap {
    if let Some(Value::Map(elements)) = inputs.get_mut(attribute)
        && elements.contains_key("Statement")
    {
        elements.entry("Version".to_owned()).or_insert_with(|| Value::from(VERSION));
    }
    inputs
}

/// Reads a document in an answer: it is "URL-encoded compliant with RFC 3986" (API reference,
/// `GetRole` and everything else that returns one).
pub(crate) fn from_answer(text: &str) -> Policy {
    Policy::from_text(&percent_decode_str(text).decode_utf8_lossy())
}

/// Counts the characters of a document as its quotas do: "IAM does not count white space" (IAM user
/// guide, "IAM and AWS STS quotas"). The text of [`Policy::to_text`] has none but in strings.
pub(crate) fn length(document: &Policy) -> Option<usize> {
    Some(document.to_text()?.chars().filter(|character| !character.is_whitespace()).count())
}

/// Returns a document of these statements.
pub(crate) fn document(statements: Vec<Value>) -> Value {
    table([("Version", Value::from(VERSION)), ("Statement", Value::List(statements))])
}

/// Returns a table of these entries.
pub(crate) fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_percent_encoded() {
        let encoded =
            "%7B%22Statement%22%3A%7B%22Action%22%3A%22s3%3AGet%2A%22%2C%22Resource%22%3A%22a+b%22%7D%7D";
        let plain = r#"{"Statement": [{"Action": ["s3:Get*"], "Resource": "a+b"}]}"#;
        assert_eq!(from_answer(encoded), Policy::from_text(plain));
        assert_eq!(from_answer(plain), Policy::from_text(plain));
        assert_ne!(from_answer("no%20document"), Policy::from_text(plain));
    }

    #[test]
    fn a_document_is_of_the_newer_version_unless_it_says_otherwise() {
        let versioned = |text: &str| {
            let inputs = ValueMap::from([("document".to_owned(), Policy::from_text(text).into())]);
            Policy::from(versioned("document", inputs).remove("document").expect("it was there"))
        };
        let plain = r#"{"Statement": []}"#;
        assert_eq!(versioned(plain), Policy::from_text(r#"{"Version": "2012-10-17", "Statement": []}"#));
        let old = r#"{"Version": "2008-10-17", "Statement": []}"#;
        assert_eq!(versioned(old), Policy::from_text(old));
        assert_eq!(versioned("{}"), Policy::from_text("{}"));
    }

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(length(&Policy::from_text(r#"{ "Sid" : "a b" }"#)), Some(r#"{"Sid":"ab"}"#.len()));
    }
}

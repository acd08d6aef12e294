//! What the tests of several kinds need.

use aws_sdk_iam::types::Tag;
use straddle_engine::policy::Policy;
use straddle_engine::schema::Tags;
use straddle_engine::value::Value;

use crate::client::Place;

/// Returns the place in which the tests' things are.
pub(crate) fn place() -> Place {
    Place { partition: "aws".to_owned(), region: "us-east-1".to_owned(), account: "111122223333".to_owned() }
}

/// Returns a tag as the service has it.
pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().expect("it has both its parts")
}

/// Returns tags as the spec has them.
pub(crate) fn tags<const N: usize>(tags: [(&str, &str); N]) -> Tags {
    Tags(tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
}

/// Returns the value of a JSON text.
pub(crate) fn json(text: &str) -> Value {
    Policy::from_text(text).into()
}

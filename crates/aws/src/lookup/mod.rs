//! What can be looked up: things that exist and belong to somebody else. A lookup is one file here,
//! and one line in `lib.rs`.

pub(crate) mod caller;
pub(crate) mod eks_cluster;
pub(crate) mod iam_openid_connect_provider;
pub(crate) mod iam_role;
pub(crate) mod security_group;
pub(crate) mod subnet;
pub(crate) mod vpc;
pub(crate) mod zones;

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::schema::Tags;

use crate::ec2::filters::equals;

/// The filters of a `Describe` call that a lookup asks for.
#[derive(Default)]
struct Filters(Vec<Filter>);

impl Filters {
    /// Asks for this value, if there is one.
    fn with(mut self, name: &str, value: Option<&String>) -> Self {
        self.0.extend(value.map(|value| equals(name, value)));
        self
    }

    /// Asks for a thing whose tag `Name` is this, if there is one.
    fn named(self, name: Option<&String>) -> Self {
        self.with("tag:Name", name)
    }

    /// Asks for all of these tags.
    fn tagged(mut self, tags: Option<&BTreeMap<String, String>>) -> Self {
        self.0.extend(tags.into_iter().flatten().map(|(key, value)| equals(&format!("tag:{key}"), value)));
        self
    }

    /// Returns them as the calls take them; everything is asked for if there are none.
    fn into_sdk(self) -> Option<Vec<Filter>> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

/// Returns what people call a thing.
fn name_of(tags: &Tags) -> Option<String> {
    tags.0.get("Name").cloned()
}

/// Takes an answer that there is no such thing for nothing.
fn none_if_missing<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_for_is_no_filter() {
        assert_eq!(Filters::default().with("vpc-id", None).named(None).tagged(None).into_sdk(), None);
        let name = "main".to_owned();
        let tags = BTreeMap::from([("stage".to_owned(), "prod".to_owned())]);
        let filters = Filters::default().named(Some(&name)).tagged(Some(&tags)).into_sdk();
        assert_eq!(filters, Some(vec![equals("tag:Name", "main"), equals("tag:stage", "prod")]));
    }
}

//! Tags: set at birth, read back, and changed afterwards.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, OPERATION_TAG};
use straddle_engine::schema::Tags;

use crate::client::Client;
use crate::error::failed;

/// A change of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TagStep {
    /// Sets these tags.
    Set(BTreeMap<String, String>),
    /// Takes away the tags with these keys.
    Remove(BTreeSet<String>),
}

/// Returns the tags to set in the call that makes the thing.
pub(crate) fn at_birth(
    resource_type: ResourceType,
    intent: &Intent,
    tags: Option<&Tags>,
) -> TagSpecification {
    let tags = intent.birth_tags(tags.unwrap_or(&Tags::default()));
    TagSpecification::builder().resource_type(resource_type).set_tags(Some(to_sdk(&tags.0))).build()
}

/// Returns the tags that were found. Those of AWS's own are left out: nobody else can change them.
pub(crate) fn observed(tags: &[Tag]) -> Tags {
    let ours = tags.iter().filter_map(|tag| {
        let key = tag.key().filter(|key| !key.starts_with("aws:"))?;
        Some((key.to_owned(), tag.value().unwrap_or_default().to_owned()))
    });
    Tags(ours.collect())
}

/// Tells whether the thing was made by the create of `intent`.
pub(crate) fn are_of(intent: &Intent, tags: &[Tag]) -> bool {
    has(tags, OPERATION_TAG, &intent.operation_id)
}

/// Tells whether this tag is among them.
pub(crate) fn has(tags: &[Tag], key: &str, value: &str) -> bool {
    tags.iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
}

/// Names the call that brings the tags closer to the desired ones. The operation's tag stays as
/// it was at birth.
pub(crate) fn next_step(observed: Option<&Tags>, desired: Option<&Tags>) -> Option<TagStep> {
    let desired = &desired?.0;
    let nothing = Tags::default();
    let observed = &observed.unwrap_or(&nothing).0;
    let wrong =
        desired.iter().filter(|(key, value)| *key != OPERATION_TAG && observed.get(*key) != Some(value));
    let wrong: BTreeMap<_, _> = wrong.map(|(key, value)| (key.clone(), value.clone())).collect();
    if !wrong.is_empty() {
        return Some(TagStep::Set(wrong));
    }
    let surplus = observed.keys().filter(|key| *key != OPERATION_TAG && !desired.contains_key(*key));
    let surplus: BTreeSet<_> = surplus.cloned().collect();
    (!surplus.is_empty()).then_some(TagStep::Remove(surplus))
}

impl TagStep {
    /// Returns the operation's name.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::Set(_) => "CreateTags",
            Self::Remove(_) => "DeleteTags",
        }
    }

    /// Makes the call.
    pub(crate) async fn perform(&self, client: &Client, id: &RemoteId) -> Result<(), ProviderError> {
        match self {
            Self::Set(tags) => {
                let call =
                    client.ec2.writes.create_tags().resources(id.as_str()).set_tags(Some(to_sdk(tags)));
                call.send().await.map_err(failed(self.operation()))?;
            }
            Self::Remove(keys) => {
                let tags = keys.iter().map(|key| Tag::builder().key(key).build()).collect();
                let call = client.ec2.writes.delete_tags().resources(id.as_str()).set_tags(Some(tags));
                call.send().await.map_err(failed(self.operation()))?;
            }
        }
        Ok(())
    }
}

fn to_sdk(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags<const N: usize>(tags: [(&str, &str); N]) -> Tags {
        Tags(tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into())
    }

    #[test]
    fn wrong_tags_are_set_before_surplus_ones_go() {
        let desired = tags([("Name", "new"), ("team", "net")]);
        let observed = tags([("Name", "old"), ("team", "net"), ("gone", "x"), (OPERATION_TAG, "1")]);
        let set = TagStep::Set(tags([("Name", "new")]).0);
        assert_eq!(next_step(Some(&observed), Some(&desired)), Some(set));
        let observed = tags([("Name", "new"), ("team", "net"), ("gone", "x"), (OPERATION_TAG, "1")]);
        let remove = TagStep::Remove(BTreeSet::from(["gone".to_owned()]));
        assert_eq!(next_step(Some(&observed), Some(&desired)), Some(remove));
        assert_eq!(next_step(Some(&desired), Some(&desired)), None);
        assert_eq!(next_step(Some(&observed), None), None);
    }

    #[test]
    fn tags_of_aws_are_not_observed() {
        let found = [
            Tag::builder().key("aws:cloudformation:stack-name").value("x").build(),
            Tag::builder().key("empty").build(),
        ];
        assert_eq!(self::observed(&found), tags([("empty", "")]));
    }
}

//! Tags: set at birth, read back, and changed afterwards.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use straddle_engine::address::RemoteId;
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, OPERATION_TAG};
use straddle_engine::schema::Tags;

use crate::client::Client;
use crate::error::failed;
pub(crate) use crate::tags::{TagStep, next_step};

/// What it takes to change the tags of a thing that is there.
pub(crate) const CHANGED: Need =
    Need::update(&["ec2:CreateTags", "ec2:DeleteTags"]).on(&["{arn}"]).changing(&["tags"]);

/// Returns what it takes to set tags in the call that makes the thing, which `ec2:CreateAction` names
/// ("Grant permission to tag Amazon EC2 resources during creation").
pub(crate) const fn given_at_birth(by: &'static [(&'static str, &'static str)]) -> Need {
    Need::create(&["ec2:CreateTags"]).on(&["{arn}"]).given(by)
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

/// Returns the tags that were found, without those of AWS's own.
pub(crate) fn observed(tags: &[Tag]) -> Tags {
    crate::tags::observed(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// Tells whether the thing was made by the create of `intent`.
pub(crate) fn are_of(intent: &Intent, tags: &[Tag]) -> bool {
    has(tags, OPERATION_TAG, &intent.operation_id)
}

/// Tells whether this tag is among them.
pub(crate) fn has(tags: &[Tag], key: &str, value: &str) -> bool {
    tags.iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
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

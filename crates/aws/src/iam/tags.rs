//! Tags of IAM's things: set at birth, read back, and changed afterwards.

use std::collections::BTreeMap;

use aws_sdk_iam::types::Tag;
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{ADDRESS_TAG, Intent, OPERATION_TAG, STACK_TAG};
use straddle_engine::schema::Tags;

use crate::client::Client;
use crate::error::failed;
pub(crate) use crate::tags::{TagStep, next_step};

/// What has tags. Each sort has calls of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tagged {
    /// By name.
    Role,
    /// By ARN.
    Policy,
    /// By ARN.
    Provider,
    /// By name.
    InstanceProfile,
}

/// Returns the tags to set in the call that makes the thing.
pub(crate) fn at_birth(intent: &Intent, tags: Option<&Tags>) -> Vec<Tag> {
    to_sdk(&intent.birth_tags(tags.unwrap_or(&Tags::default())).0)
}

/// Returns the tags that were found, without those of AWS's own.
pub(crate) fn observed(tags: &[Tag]) -> Tags {
    crate::tags::observed(tags.iter().map(|tag| (Some(tag.key()), Some(tag.value()))))
}

/// Tells whether a thing of the right name is ours: this operation made it, or an earlier one for
/// the same address of the stack. Any other is somebody else's.
pub(crate) fn are_ours(found: &[Tag], intent: &Intent, wanted: Option<&Tags>) -> bool {
    let has = |key: &str, value: &str| found.iter().any(|tag| tag.key() == key && tag.value() == value);
    let same = |key: &str| wanted.and_then(|tags| tags.0.get(key)).is_some_and(|value| has(key, value));
    has(OPERATION_TAG, &intent.operation_id) || (same(STACK_TAG) && same(ADDRESS_TAG))
}

impl Tagged {
    /// Returns the name of the call that the step is.
    pub(crate) fn operation(self, step: &TagStep) -> &'static str {
        match (self, step) {
            (Self::Role, TagStep::Set(_)) => "TagRole",
            (Self::Role, TagStep::Remove(_)) => "UntagRole",
            (Self::Policy, TagStep::Set(_)) => "TagPolicy",
            (Self::Policy, TagStep::Remove(_)) => "UntagPolicy",
            (Self::Provider, TagStep::Set(_)) => "TagOpenIDConnectProvider",
            (Self::Provider, TagStep::Remove(_)) => "UntagOpenIDConnectProvider",
            (Self::InstanceProfile, TagStep::Set(_)) => "TagInstanceProfile",
            (Self::InstanceProfile, TagStep::Remove(_)) => "UntagInstanceProfile",
        }
    }

    /// Makes the call.
    pub(crate) async fn perform(
        self,
        client: &Client,
        id: &RemoteId,
        step: &TagStep,
    ) -> Result<(), ProviderError> {
        match step {
            TagStep::Set(tags) => self.set(client, id.as_str(), to_sdk(tags)).await,
            TagStep::Remove(keys) => self.remove(client, id.as_str(), keys.iter().cloned().collect()).await,
        }
    }

    async fn set(self, client: &Client, id: &str, tags: Vec<Tag>) -> Result<(), ProviderError> {
        let (writes, tags) = (&client.iam.writes, Some(tags));
        match self {
            Self::Role => {
                let call = writes.tag_role().role_name(id).set_tags(tags);
                call.send().await.map_err(failed("TagRole"))?;
            }
            Self::Policy => {
                let call = writes.tag_policy().policy_arn(id).set_tags(tags);
                call.send().await.map_err(failed("TagPolicy"))?;
            }
            Self::Provider => {
                let call =
                    writes.tag_open_id_connect_provider().open_id_connect_provider_arn(id).set_tags(tags);
                call.send().await.map_err(failed("TagOpenIDConnectProvider"))?;
            }
            Self::InstanceProfile => {
                let call = writes.tag_instance_profile().instance_profile_name(id).set_tags(tags);
                call.send().await.map_err(failed("TagInstanceProfile"))?;
            }
        }
        Ok(())
    }

    async fn remove(self, client: &Client, id: &str, keys: Vec<String>) -> Result<(), ProviderError> {
        let (writes, keys) = (&client.iam.writes, Some(keys));
        match self {
            Self::Role => {
                let call = writes.untag_role().role_name(id).set_tag_keys(keys);
                call.send().await.map_err(failed("UntagRole"))?;
            }
            Self::Policy => {
                let call = writes.untag_policy().policy_arn(id).set_tag_keys(keys);
                call.send().await.map_err(failed("UntagPolicy"))?;
            }
            Self::Provider => {
                let call = writes.untag_open_id_connect_provider();
                let call = call.open_id_connect_provider_arn(id).set_tag_keys(keys);
                call.send().await.map_err(failed("UntagOpenIDConnectProvider"))?;
            }
            Self::InstanceProfile => {
                let call = writes.untag_instance_profile().instance_profile_name(id).set_tag_keys(keys);
                call.send().await.map_err(failed("UntagInstanceProfile"))?;
            }
        }
        Ok(())
    }
}

fn to_sdk(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build().expect("it has both its parts");
    tags.iter().map(tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::testing::{tag, tags};
    use crate::testing::intent;

    #[test]
    fn only_tags_make_a_thing_ours() {
        let found = [tag(STACK_TAG, "ours"), tag(ADDRESS_TAG, "iam_role.main"), tag(OPERATION_TAG, "op-1")];
        let other = Intent { operation_id: "op-2".to_owned(), ..intent("iam_role") };
        let wanted = |stack, address| tags([(STACK_TAG, stack), (ADDRESS_TAG, address)]);
        assert!(are_ours(&found, &intent("iam_role"), None));
        assert!(are_ours(&found, &other, Some(&wanted("ours", "iam_role.main"))));
        assert!(!are_ours(&found, &other, Some(&wanted("ours", "iam_role.other"))));
        assert!(!are_ours(&found, &other, Some(&wanted("theirs", "iam_role.main"))));
        assert!(!are_ours(&[], &other, Some(&wanted("ours", "iam_role.main"))));
    }
}

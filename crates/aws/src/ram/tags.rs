//! Tags of shares: set at birth, read back, and changed afterwards.

use std::collections::BTreeMap;

use aws_sdk_ram::types::Tag;
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, OPERATION_TAG};
use straddle_engine::schema::Tags;

use crate::client::Client;
use crate::error::failed;
use crate::tags::TagStep;

/// Returns the tags to set in the call that makes the share.
pub(crate) fn at_birth(intent: &Intent, tags: Option<&Tags>) -> Vec<Tag> {
    to_sdk(&intent.birth_tags(tags.unwrap_or(&Tags::default())).0)
}

/// Returns the tags that were found, without those of AWS's own.
pub(crate) fn observed(tags: &[Tag]) -> Tags {
    crate::tags::observed(tags.iter().map(|tag| (tag.key(), tag.value())))
}

/// Tells whether the share was made by the create of `intent`.
pub(crate) fn are_of(intent: &Intent, tags: &[Tag]) -> bool {
    tags.iter().any(|tag| tag.key() == Some(OPERATION_TAG) && tag.value() == Some(&intent.operation_id))
}

/// Returns the name of the call that the step is.
pub(crate) fn operation(step: &TagStep) -> &'static str {
    match step {
        TagStep::Set(_) => "TagResource",
        TagStep::Remove(_) => "UntagResource",
    }
}

/// Makes the call.
pub(crate) async fn perform(client: &Client, share: &RemoteId, step: &TagStep) -> Result<(), ProviderError> {
    let writes = &client.ram.writes;
    match step {
        TagStep::Set(tags) => {
            let call = writes.tag_resource().resource_share_arn(share.as_str()).set_tags(Some(to_sdk(tags)));
            call.send().await.map_err(failed(operation(step)))?;
        }
        TagStep::Remove(keys) => {
            let keys = keys.iter().cloned().collect();
            let call = writes.untag_resource().resource_share_arn(share.as_str()).set_tag_keys(Some(keys));
            call.send().await.map_err(failed(operation(step)))?;
        }
    }
    Ok(())
}

fn to_sdk(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

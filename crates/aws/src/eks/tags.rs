//! Tags: set at birth, read back, and changed afterwards.

use std::collections::HashMap;

use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Intent, OPERATION_TAG};
use straddle_engine::schema::Tags;

use crate::client::Client;
use crate::error::failed;
use crate::tags::TagStep;

/// Tags as the SDK has them.
type SdkTags = HashMap<String, String>;

/// What it takes to change the tags of a thing that is there.
pub(crate) const CHANGED: Need =
    Need::update(&["eks:TagResource", "eks:UntagResource"]).on(&["{arn}"]).changing(&["tags"]);

/// What it takes to set tags in the call that makes the thing.
pub(crate) const GIVEN_AT_BIRTH: Need = Need::create(&["eks:TagResource"]).on(&["{arn}"]);

/// Returns the tags to set in the call that makes the thing.
pub(crate) fn at_birth(intent: &Intent, tags: Option<&Tags>) -> SdkTags {
    intent.birth_tags(tags.unwrap_or(&Tags::default())).0.into_iter().collect()
}

/// Returns the tags that were found, without those of AWS's own.
pub(crate) fn observed(tags: Option<&SdkTags>) -> Tags {
    let tags = tags.into_iter().flatten();
    crate::tags::observed(tags.map(|(key, value)| (Some(key.as_str()), Some(value.as_str()))))
}

/// Tells whether the thing was made by the create of `intent`.
pub(crate) fn are_of(intent: &Intent, tags: Option<&SdkTags>) -> bool {
    tags.and_then(|tags| tags.get(OPERATION_TAG)) == Some(&intent.operation_id)
}

/// Returns the name of the call that the step is.
pub(crate) fn operation(step: &TagStep) -> &'static str {
    match step {
        TagStep::Set(_) => "TagResource",
        TagStep::Remove(_) => "UntagResource",
    }
}

/// Makes the call.
pub(crate) async fn perform(client: &Client, arn: &str, step: &TagStep) -> Result<(), ProviderError> {
    let writes = &client.eks.writes;
    match step {
        TagStep::Set(tags) => {
            let tags = tags.clone().into_iter().collect();
            let call = writes.tag_resource().resource_arn(arn).set_tags(Some(tags));
            call.send().await.map_err(failed(operation(step)))?;
        }
        TagStep::Remove(keys) => {
            let keys = keys.iter().cloned().collect();
            let call = writes.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
            call.send().await.map_err(failed(operation(step)))?;
        }
    }
    Ok(())
}

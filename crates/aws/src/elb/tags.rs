//! Tags: set at birth, read back for twenty things at once, and changed afterwards.

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{Tag, TagDescription};
use futures::{StreamExt, TryStreamExt, stream};
use straddle_engine::address::RemoteId;
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::Intent;
use straddle_engine::schema::Tags;

use crate::client::Client;
use crate::each::each;
use crate::error::failed;
pub(crate) use crate::tags::{TagStep, next_step};

/// How many things one `DescribeTags` takes.
const BATCH: usize = 20;

/// How many such calls are under way at once.
const AT_ONCE: usize = 5;

/// What it takes to change the tags of a thing that is there.
pub(crate) const CHANGED: Need =
    Need::update(&["elasticloadbalancing:AddTags", "elasticloadbalancing:RemoveTags"])
        .on(&["{arn}"])
        .changing(&["tags"]);

/// Returns what it takes to set tags in the call that makes the thing, which
/// `elasticloadbalancing:CreateAction` names.
pub(crate) const fn given_at_birth(by: &'static [(&'static str, &'static str)]) -> Need {
    Need::create(&["elasticloadbalancing:AddTags"]).on(&["{arn}"]).given(by)
}

/// Returns the tags to set in the call that makes the thing.
pub(crate) fn at_birth(intent: &Intent, tags: Option<&Tags>) -> Vec<Tag> {
    to_sdk(&intent.birth_tags(tags.unwrap_or(&Tags::default())).0)
}

/// Reads the tags of these things, by ARN. What is not there is left out.
pub(crate) async fn of(
    client: &Client,
    arns: Vec<RemoteId>,
) -> Result<BTreeMap<RemoteId, Tags>, ProviderError> {
    let batches: Vec<Vec<RemoteId>> = arns.chunks(BATCH).map(<[RemoteId]>::to_vec).collect();
    let reads = stream::iter(batches).map(|batch| async move {
        match read(client, &batch).await {
            // One that has gone meanwhile fails the call for all.
            Err(error) if error.class == ErrorClass::NotFound => one_by_one(client, &batch).await,
            answer => answer,
        }
    });
    let found: Vec<_> = reads.buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

async fn one_by_one(client: &Client, arns: &[RemoteId]) -> Result<BTreeMap<RemoteId, Tags>, ProviderError> {
    let found = each(arns, |arn| async move { read(client, &[arn]).await }).await?;
    Ok(found.into_values().flatten().collect())
}

async fn read(client: &Client, arns: &[RemoteId]) -> Result<BTreeMap<RemoteId, Tags>, ProviderError> {
    let arns = arns.iter().map(|arn| arn.as_str().to_owned()).collect();
    let call = client.elb.reads.describe_tags().set_resource_arns(Some(arns));
    let answer = call.send().await.map_err(failed("DescribeTags"))?;
    let described = |described: &TagDescription| {
        let tags = described.tags().iter().map(|tag| (tag.key(), tag.value()));
        Some((RemoteId::new(described.resource_arn()?), crate::tags::observed(tags)))
    };
    Ok(answer.tag_descriptions().iter().filter_map(described).collect())
}

impl TagStep {
    /// Returns the operation's name in Elastic Load Balancing.
    pub(crate) fn elb_operation(&self) -> &'static str {
        match self {
            Self::Set(_) => "AddTags",
            Self::Remove(_) => "RemoveTags",
        }
    }

    /// Makes the call of Elastic Load Balancing.
    pub(crate) async fn perform_elb(&self, client: &Client, arn: &RemoteId) -> Result<(), ProviderError> {
        let (writes, operation) = (&client.elb.writes, self.elb_operation());
        match self {
            Self::Set(tags) => {
                let call = writes.add_tags().resource_arns(arn.as_str()).set_tags(Some(to_sdk(tags)));
                call.send().await.map_err(failed(operation))?;
            }
            Self::Remove(keys) => {
                let keys = keys.iter().cloned().collect();
                let call = writes.remove_tags().resource_arns(arn.as_str()).set_tag_keys(Some(keys));
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(())
    }
}

fn to_sdk(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

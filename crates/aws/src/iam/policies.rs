//! Managed policies with their versions.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{self, PolicyVersion};
use straddle_engine::address::RemoteId;
use straddle_engine::policy::Policy;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::Listing;

use super::document;
use crate::client::Client;
use crate::each::each;
use crate::error::{answered, failed};

/// Policies by ARN.
#[derive(Default)]
pub(crate) struct Policies {
    pub(crate) policies: BTreeMap<RemoteId, WholePolicy>,
}

/// A policy with its documents.
#[derive(Debug, Clone)]
pub(crate) struct WholePolicy {
    pub(crate) policy: types::Policy,
    /// What is in force.
    pub(crate) document: Policy,
    /// The versions that are not in force, oldest first; `None` if they were not asked for.
    pub(crate) others: Option<Vec<String>>,
    /// What the newest of these says.
    pub(crate) newest: Option<Policy>,
}

impl Listing for Policies {
    const SPARED: &'static [&'static str] = &["other_version_ids", "newest_document"];

    type Client = Client;

    /// Reads each policy by itself: lists have neither documents nor tags (API reference,
    /// `ListPolicies`).
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let read = async |arn: RemoteId| with_others(client, read(client, &arn).await?, &arn).await;
        Ok(Self { policies: each(ids, read).await? })
    }

    /// What is not in force matters to changes alone.
    async fn survey(client: &Client, ids: &[RemoteId], _: &BTreeSet<String>) -> Result<Self, ProviderError> {
        Ok(Self { policies: each(ids, async |arn| read(client, &arn).await).await? })
    }
}

async fn read(client: &Client, arn: &RemoteId) -> Result<WholePolicy, ProviderError> {
    let policy = get_policy(client, arn.as_str()).await?;
    let in_force = policy.default_version_id().unwrap_or_default();
    let document = read_version(client, arn, in_force).await?;
    Ok(WholePolicy { policy, document, others: None, newest: None })
}

/// Adds what is not in force.
async fn with_others(
    client: &Client,
    whole: WholePolicy,
    arn: &RemoteId,
) -> Result<WholePolicy, ProviderError> {
    let pages = client.iam.reads.list_policy_versions().policy_arn(arn.as_str()).into_paginator();
    let versions = pages.items().send().collect::<Result<Vec<_>, _>>().await;
    let versions = versions.map_err(failed("ListPolicyVersions"))?;
    let others = others(versions, whole.policy.default_version_id());
    let newest = match others.last() {
        Some(version) => Some(read_version(client, arn, version).await?),
        None => None,
    };
    Ok(WholePolicy { others: Some(others), newest, ..whole })
}

/// Reads a policy without its documents.
pub(crate) async fn get_policy(client: &Client, arn: &str) -> Result<types::Policy, ProviderError> {
    let answer = client.iam.reads.get_policy().policy_arn(arn).send().await.map_err(failed("GetPolicy"))?;
    answered("GetPolicy", answer.policy)
}

async fn read_version(client: &Client, arn: &RemoteId, version: &str) -> Result<Policy, ProviderError> {
    let call = client.iam.reads.get_policy_version().policy_arn(arn.as_str()).version_id(version);
    let answer = call.send().await.map_err(failed("GetPolicyVersion"))?;
    let document = answer.policy_version().and_then(PolicyVersion::document);
    answered("GetPolicyVersion", document).map(document::from_answer)
}

/// Returns the versions that are not in force, oldest first: they are numbered `v1`, `v2` and so on.
fn others(versions: Vec<PolicyVersion>, in_force: Option<&str>) -> Vec<String> {
    let ids = versions.into_iter().filter_map(|version| version.version_id);
    let mut ids: Vec<_> = ids.filter(|id| Some(id.as_str()) != in_force).collect();
    ids.sort_by_key(|id| id.trim_start_matches('v').parse::<u64>().unwrap_or_default());
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_their_numbers() {
        let version = |id: &&str| PolicyVersion::builder().version_id(*id).build();
        let versions: Vec<_> = ["v11", "v9", "v2", "v10"].iter().map(version).collect();
        assert_eq!(others(versions, Some("v10")), ["v2", "v9", "v11"]);
    }
}

//! Shares and their associations, as RAM lists them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ram::operation::get_resource_share_associations::GetResourceShareAssociationsOutput;
use aws_sdk_ram::operation::get_resource_shares::GetResourceSharesOutput;
use aws_sdk_ram::types::{self, ResourceOwner, ResourceShareAssociationType, ResourceShareStatus, TagFilter};
use futures::future::try_join;
use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{Intent, Listing, OPERATION_TAG};

use crate::client::Client;
use crate::error::failed;

/// How many things a page has: the most that RAM gives.
const PAGE_SIZE: i32 = 500;

/// From how many shares on everything is listed. The API reference names no limit for the ARNs
/// of one call.
const ARNS: usize = 20;

/// The shares that the account owns, each with its associations.
pub(crate) struct OwnShares {
    shares: BTreeMap<String, OwnShare>,
}

/// A share with its associations.
pub(crate) struct OwnShare {
    /// The share.
    pub(crate) share: types::ResourceShare,
    /// Its associations of every sort, also those that ended.
    pub(crate) associations: Vec<types::ResourceShareAssociation>,
}

impl OwnShares {
    /// Puts associations with the shares that they belong to; those of other shares are left out.
    pub(crate) fn new(
        shares: Vec<types::ResourceShare>,
        associations: Vec<types::ResourceShareAssociation>,
    ) -> Self {
        let with_arn = |share: types::ResourceShare| {
            let arn = share.resource_share_arn()?.to_owned();
            Some((arn, OwnShare { share, associations: Vec::new() }))
        };
        let mut shares: BTreeMap<_, _> = shares.into_iter().filter_map(with_arn).collect();
        for association in associations {
            let share = association.resource_share_arn().and_then(|arn| shares.get_mut(arn));
            if let Some(share) = share {
                share.associations.push(association);
            }
        }
        Self { shares }
    }

    /// Returns a share; `None` if RAM does not list it, or lists it as deleted, which it does for
    /// hours.
    pub(crate) fn get(&self, id: &RemoteId) -> Option<&OwnShare> {
        self.shares.get(id.as_str()).filter(|share| !is_deleted(&share.share))
    }
}

impl Listing for OwnShares {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let mut shares = shares(client, &ResourceOwner::SelfValue, ids).await?;
        shares.retain(|share| !is_deleted(share));
        if shares.is_empty() {
            return Ok(Self::new(shares, Vec::new()));
        }
        let arns: Vec<_> = shares.iter().filter_map(|share| share.resource_share_arn()).collect();
        let resources = associations(client, ResourceShareAssociationType::Resource, &arns);
        let principals = associations(client, ResourceShareAssociationType::Principal, &arns);
        let (resources, principals) = try_join(resources, principals).await?;
        Ok(Self::new(shares, [resources, principals].concat()))
    }
}

/// Reads the shares with these ARNs, of this account or of others.
pub(crate) async fn shares(
    client: &Client,
    owner: &ResourceOwner,
    ids: &[RemoteId],
) -> Result<Vec<types::ResourceShare>, ProviderError> {
    let wanted: BTreeSet<_> = ids.iter().map(RemoteId::as_str).collect();
    let arns = wanted.iter().map(|arn| (*arn).to_owned()).collect();
    let call = client.ram.reads.get_resource_shares().resource_owner(owner.clone());
    let read = |arns: Option<Vec<String>>| {
        let pages = call.clone().set_resource_share_arns(arns).into_paginator().page_size(PAGE_SIZE).send();
        async move {
            let pages: Result<Vec<GetResourceSharesOutput>, _> = pages.collect().await;
            pages.map_err(failed("GetResourceShares"))
        }
    };
    let pages = some_or_everything(arns, read).await?;
    let shares = pages.into_iter().flat_map(|page| page.resource_shares.unwrap_or_default());
    Ok(shares.filter(|share| share.resource_share_arn().is_some_and(|arn| wanted.contains(arn))).collect())
}

/// Reads the associations of one sort of these shares; there may be some of other shares among them.
async fn associations(
    client: &Client,
    sort: ResourceShareAssociationType,
    arns: &[&str],
) -> Result<Vec<types::ResourceShareAssociation>, ProviderError> {
    let call = client.ram.reads.get_resource_share_associations().association_type(sort);
    let read = |arns: Option<Vec<String>>| {
        let pages = call.clone().set_resource_share_arns(arns).into_paginator().page_size(PAGE_SIZE).send();
        async move {
            let pages: Result<Vec<GetResourceShareAssociationsOutput>, _> = pages.collect().await;
            pages.map_err(failed("GetResourceShareAssociations"))
        }
    };
    let pages = some_or_everything(arns.iter().map(|arn| (*arn).to_owned()).collect(), read).await?;
    Ok(pages.into_iter().flat_map(|page| page.resource_share_associations.unwrap_or_default()).collect())
}

/// Reads what belongs to these ARNs, or everything if there are too many of them, or RAM no longer
/// knows one: then it refuses the call for all of them.
async fn some_or_everything<T, F: Future<Output = Result<T, ProviderError>>>(
    arns: Vec<String>,
    read: impl Fn(Option<Vec<String>>) -> F,
) -> Result<T, ProviderError> {
    if arns.len() > ARNS {
        return read(None).await;
    }
    match read(Some(arns)).await {
        Err(error) if error.class == ErrorClass::NotFound => read(None).await,
        read => read,
    }
}

/// Finds the shares that the create of `intent` made, oldest first. The tag is compared once more,
/// since not every emulator of RAM filters by it: a share without our tag is never ours.
pub(crate) async fn made_by(
    client: &Client,
    intent: &Intent,
    name: &str,
) -> Result<Vec<RemoteId>, ProviderError> {
    let tag = TagFilter::builder().tag_key(OPERATION_TAG).tag_values(&intent.operation_id).build();
    let call = client.ram.reads.get_resource_shares().resource_owner(ResourceOwner::SelfValue);
    let pages = call.name(name).tag_filters(tag).into_paginator().page_size(PAGE_SIZE).send();
    let pages: Vec<GetResourceSharesOutput> =
        pages.collect::<Result<_, _>>().await.map_err(failed("GetResourceShares"))?;
    let shares = pages.into_iter().flat_map(|page| page.resource_shares.unwrap_or_default());
    Ok(ours(intent, shares.collect()))
}

fn ours(intent: &Intent, mut shares: Vec<types::ResourceShare>) -> Vec<RemoteId> {
    shares.retain(|share| super::tags::are_of(intent, share.tags()) && !is_deleted(share));
    shares.sort_by_key(|share| share.creation_time().copied());
    shares.iter().filter_map(types::ResourceShare::resource_share_arn).map(RemoteId::new).collect()
}

fn is_deleted(share: &types::ResourceShare) -> bool {
    share.status().map(ResourceShareStatus::as_str) == Some("DELETED")
}

#[cfg(test)]
mod tests {
    use aws_sdk_ram::primitives::DateTime;
    use aws_sdk_ram::types::Tag;
    use futures::FutureExt;
    use straddle_engine::address::Address;

    use super::*;

    fn share(number: i64, operation: Option<&str>, status: &str) -> types::ResourceShare {
        let tag = operation.map(|operation| Tag::builder().key(OPERATION_TAG).value(operation).build());
        types::ResourceShare::builder()
            .resource_share_arn(format!("arn:{number}"))
            .creation_time(DateTime::from_secs(number))
            .status(ResourceShareStatus::from(status))
            .set_tags(tag.map(|tag| vec![tag]))
            .build()
    }

    #[test]
    fn only_living_shares_with_our_tag_are_found_oldest_first() {
        let intent = Intent {
            address: Address::new("ram_resource_share", "main"),
            operation_id: "op-1".to_owned(),
            token: "token".to_owned(),
        };
        let listed = vec![
            share(4, Some("op-1"), "FAILED"),
            share(1, None, "ACTIVE"),
            share(2, Some("op-2"), "ACTIVE"),
            share(3, Some("op-1"), "ACTIVE"),
            share(0, Some("op-1"), "DELETED"),
        ];
        assert_eq!(ours(&intent, listed), [RemoteId::new("arn:3"), RemoteId::new("arn:4")]);
    }

    #[test]
    fn associations_of_other_shares_are_left_out() {
        let association =
            |arn: &str| types::ResourceShareAssociation::builder().resource_share_arn(arn).build();
        let listed = OwnShares::new(
            vec![share(1, None, "ACTIVE"), share(2, None, "DELETED")],
            vec![association("arn:1"), association("arn:9"), association("arn:1")],
        );
        let get = |arn: &str| listed.get(&RemoteId::new(arn)).map(|share| share.associations.len());
        assert_eq!((get("arn:1"), get("arn:2"), get("arn:9")), (Some(2), None, None));
    }

    #[test]
    fn an_arn_that_ram_does_not_know_makes_it_list_everything() {
        let asked = |arns: Vec<String>, class: ErrorClass| {
            let read = |arns: Option<Vec<String>>| {
                let refused = arns.map(|_| ProviderError::new(class, "GetResourceShares", ""));
                std::future::ready(refused.map_or(Ok("everything"), Err))
            };
            some_or_everything(arns, read).now_or_never().expect("nothing is waited for")
        };
        assert_eq!(asked(vec!["arn:1".to_owned()], ErrorClass::NotFound), Ok("everything"));
        asked(vec!["arn:1".to_owned()], ErrorClass::AccessDenied).expect_err("that is no answer");
        assert_eq!(asked(vec!["arn:1".to_owned(); ARNS + 1], ErrorClass::AccessDenied), Ok("everything"));
    }
}

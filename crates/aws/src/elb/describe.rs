//! Reads of load balancers and target groups, by id and by name.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{LoadBalancer, TargetGroup};
use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};

use crate::client::Client;
use crate::error::failed;

/// How many things a page has: the most that the service gives.
const PAGE_SIZE: i32 = 400;

/// Reads load balancers with these ids. Several are read among all: one that is missing would fail a
/// call that asks for them.
pub(crate) async fn load_balancers(
    client: &Client,
    ids: &[RemoteId],
) -> Result<Vec<LoadBalancer>, ProviderError> {
    if let [id] = ids {
        let call = client.elb.reads.describe_load_balancers().load_balancer_arns(id.as_str());
        let answer = present(call.send().await.map_err(failed("DescribeLoadBalancers")))?;
        return Ok(answer.map(|answer| answer.load_balancers().to_vec()).unwrap_or_default());
    }
    let ids: BTreeSet<&str> = ids.iter().map(RemoteId::as_str).collect();
    let wanted = |balancer: &LoadBalancer| balancer.load_balancer_arn().is_some_and(|arn| ids.contains(arn));
    Ok(all_load_balancers(client).await?.into_iter().filter(wanted).collect())
}

/// Reads every load balancer.
pub(crate) async fn all_load_balancers(client: &Client) -> Result<Vec<LoadBalancer>, ProviderError> {
    let pages =
        client.elb.reads.describe_load_balancers().page_size(PAGE_SIZE).into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeLoadBalancers"))
}

/// Reads the load balancer with this name.
pub(crate) async fn load_balancer_named(
    client: &Client,
    name: &str,
) -> Result<Option<LoadBalancer>, ProviderError> {
    let call = client.elb.reads.describe_load_balancers().names(name);
    let answer = present(call.send().await.map_err(failed("DescribeLoadBalancers")))?;
    Ok(answer.and_then(|answer| answer.load_balancers().first().cloned()))
}

/// Reads target groups with these ids, as [`load_balancers`] does.
pub(crate) async fn target_groups(
    client: &Client,
    ids: &[RemoteId],
) -> Result<Vec<TargetGroup>, ProviderError> {
    if let [id] = ids {
        let call = client.elb.reads.describe_target_groups().target_group_arns(id.as_str());
        let answer = present(call.send().await.map_err(failed("DescribeTargetGroups")))?;
        return Ok(answer.map(|answer| answer.target_groups().to_vec()).unwrap_or_default());
    }
    let ids: BTreeSet<&str> = ids.iter().map(RemoteId::as_str).collect();
    let wanted = |group: &TargetGroup| group.target_group_arn().is_some_and(|arn| ids.contains(arn));
    Ok(all_target_groups(client).await?.into_iter().filter(wanted).collect())
}

/// Reads every target group.
pub(crate) async fn all_target_groups(client: &Client) -> Result<Vec<TargetGroup>, ProviderError> {
    let pages =
        client.elb.reads.describe_target_groups().page_size(PAGE_SIZE).into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeTargetGroups"))
}

/// Reads the target group with this name.
pub(crate) async fn target_group_named(
    client: &Client,
    name: &str,
) -> Result<Option<TargetGroup>, ProviderError> {
    let call = client.elb.reads.describe_target_groups().names(name);
    let answer = present(call.send().await.map_err(failed("DescribeTargetGroups")))?;
    Ok(answer.and_then(|answer| answer.target_groups().first().cloned()))
}

/// Takes "not found" for an answer.
pub(crate) fn present<T>(result: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match result {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

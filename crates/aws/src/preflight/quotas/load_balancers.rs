//! Room for load balancers and target groups, of which Elastic Load Balancing tells by itself.

use std::collections::BTreeMap;

use futures::future::join_all;
use straddle_engine::address::AccountName;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Subject};
use straddle_engine::provider::ProviderError;

use super::{Change, changes, judge};
use crate::client::Client;
use crate::error::failed;
use crate::preflight::found;

/// The quotas that Elastic Load Balancing tells of itself.
pub(crate) struct LoadBalancerQuotas;

impl Check for LoadBalancerQuotas {
    const NAME: &'static str = "load_balancer_quotas";
    const ABOUT: &'static str = "there is room for load balancers and target groups";
    const PERMISSIONS: &'static [Need] = &[Need::read(&[
        "elasticloadbalancing:DescribeAccountLimits",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeTargetGroups",
    ])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let mut wanted = BTreeMap::<_, [Change; 2]>::new();
        // Of the load balancer of an Ingress, a controller makes the target groups too.
        let kinds = [
            ("load_balancer", 0),
            ("ingress_load_balancer", 0),
            ("target_group", 1),
            ("ingress_load_balancer", 1),
        ];
        for (kind, place) in kinds {
            for (account, change) in changes(subject, kind) {
                let sum = &mut wanted.entry(account).or_default()[place];
                *sum = Change { made: sum.made + change.made, unmade: sum.unmade + change.unmade };
            }
        }
        let looks = wanted.into_iter().filter(|(_, changes)| changes.iter().any(|change| change.made > 0));
        let looks = looks.map(|(account, changes)| async move {
            let client = subject.account(account).1.client();
            found(account, load_balancers(account, client, changes).await)
        });
        join_all(looks).await.concat()
    }
}

async fn load_balancers(
    account: &AccountName,
    client: &Client,
    [balancers, target_groups]: [Change; 2],
) -> Result<Vec<Finding>, ProviderError> {
    let elb = &client.elb.reads;
    let limits = elb.describe_account_limits().send().await.map_err(failed("DescribeAccountLimits"))?;
    let limit = |name: &str| {
        let found = limits.limits().iter().find(|limit| limit.name() == Some(name));
        found.and_then(|limit| limit.max()?.parse().ok()).unwrap_or(f64::INFINITY)
    };
    let there = elb.describe_load_balancers().into_paginator().items().send();
    let there = there.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeLoadBalancers"))?;
    let groups = elb.describe_target_groups().into_paginator().items().send();
    let groups = groups.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeTargetGroups"))?;
    let application =
        there.iter().filter(|one| one.r#type().is_some_and(|kind| kind.as_str() == "application"));
    Ok(vec![
        judge(
            account,
            "application load balancers",
            limit("application-load-balancers"),
            application.count(),
            balancers,
        ),
        judge(account, "target groups", limit("target-groups"), groups.len(), target_groups),
    ])
}

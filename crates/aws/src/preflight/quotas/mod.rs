//! Quotas: whether there is room for what is made.

mod counts;
mod iam;
mod load_balancers;

use std::collections::BTreeMap;

use aws_sdk_servicequotas::types::ServiceQuota;
use futures::future::join_all;
use straddle_engine::address::AccountName;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Fate, Finding, Subject};
use straddle_engine::provider::{BoxFuture, ErrorClass, ProviderError};

use super::found;
use crate::client::Client;
use crate::error::failed;

pub(crate) use iam::IamQuotas;
pub(crate) use load_balancers::LoadBalancerQuotas;

/// The quotas that Service Quotas tells of.
pub(crate) struct Quotas;

/// A quota, and what counts towards it.
struct Quota {
    service: &'static str,
    code: &'static str,
    /// What it is called in a sentence.
    things: &'static str,
    kind: &'static str,
    counted: Counted,
}

/// How many there are beside those of the plan.
enum Counted {
    /// In the account and region, as a call tells.
    InRegion(for<'a> fn(&'a Client) -> BoxFuture<'a, Result<usize, ProviderError>>),
    /// In what this attribute names: all of them are the stack's.
    In(&'static str),
    /// In the zone of a subnet, with those of others, as a call tells.
    InZone,
    /// In itself, as many as this number says.
    InItself(&'static str),
    /// Shared with one account.
    SharedWithOne,
}

/// The quotas that a network and a cluster come up against ("Amazon VPC quotas"; "Amazon EKS service
/// quotas"). That of rules is for each direction: a group with so many in both together deserves a look.
const QUOTAS: &[Quota] = &[
    Quota::new(
        "vpc",
        "L-F678F1CE",
        "VPCs in the region",
        "vpc",
        Counted::InRegion(|client| Box::pin(counts::vpcs(client))),
    ),
    Quota::new(
        "vpc",
        "L-A4707A72",
        "internet gateways in the region",
        "internet_gateway",
        Counted::InRegion(|client| Box::pin(counts::internet_gateways(client))),
    ),
    Quota::new(
        "ec2",
        "L-0263D0A3",
        "Elastic IP addresses in the region",
        "eip",
        Counted::InRegion(|client| Box::pin(counts::addresses(client))),
    ),
    Quota::new(
        "vpc",
        "L-E79EC296",
        "security groups in the region",
        "security_group",
        Counted::InRegion(|client| Box::pin(counts::groups(client))),
    ),
    Quota::new(
        "eks",
        "L-1194D53C",
        "clusters in the region",
        "eks_cluster",
        Counted::InRegion(|client| Box::pin(counts::clusters(client))),
    ),
    Quota::new("vpc", "L-FE5A380F", "NAT gateways in the zone", "nat_gateway", Counted::InZone),
    Quota::new("vpc", "L-407747CB", "subnets in", "subnet", Counted::In("vpc_id")),
    Quota::new("vpc", "L-589F43AA", "route tables in", "route_table", Counted::In("vpc_id")),
    Quota::new("vpc", "L-93826ACB", "routes in", "route", Counted::In("route_table_id")),
    Quota::new("vpc", "L-0EA8095F", "rules in", "security_group_rule", Counted::In("security_group_id")),
    Quota::new("vpc", "L-44499CD2", "subnets shared with", "ram_resource_share", Counted::SharedWithOne),
    Quota::new("eks", "L-6D54EA21", "node groups in", "eks_node_group", Counted::In("cluster_name")),
    Quota::new("eks", "L-BD136A63", "nodes in", "eks_node_group", Counted::InItself("scaling.max")),
    Quota::new(
        "eks",
        "L-33415657",
        "Fargate profiles in",
        "eks_fargate_profile",
        Counted::In("cluster_name"),
    ),
];

impl Quota {
    const fn new(
        service: &'static str,
        code: &'static str,
        things: &'static str,
        kind: &'static str,
        counted: Counted,
    ) -> Self {
        Self { service, code, things, kind, counted }
    }
}

impl Check for Quotas {
    const NAME: &'static str = "quotas";
    const ABOUT: &'static str = "there is room for what is made";
    const PERMISSIONS: &'static [Need] = &[Need::read(&[
        "servicequotas:GetServiceQuota",
        "servicequotas:GetAWSDefaultServiceQuota",
        "ec2:DescribeVpcs",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeAddresses",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeNatGateways",
        "ec2:DescribeSubnets",
        "eks:ListClusters",
    ])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let looks = QUOTAS.iter().flat_map(|quota| {
            changes(subject, quota.kind).into_iter().filter(|(_, change)| change.made > 0).map(
                move |(account, change)| async move {
                    let client = subject.account(account).1.client();
                    found(account, look(account, client, quota, &change, subject).await)
                },
            )
        });
        join_all(looks).await.concat()
    }
}

/// What the plan does to the number of things.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Change {
    made: usize,
    unmade: usize,
}

fn changes<'s>(subject: &'s Subject<'_>, kind: &str) -> BTreeMap<&'s AccountName, Change> {
    let mut changes = BTreeMap::<_, Change>::new();
    for item in subject.items().filter(|item| item.kind.as_str() == kind) {
        let change = changes.entry(&item.account).or_default();
        match item.fate {
            Fate::Made => change.made += 1,
            Fate::Unmade => change.unmade += 1,
            Fate::Changed | Fate::Kept => {}
        }
    }
    changes
}

async fn look(
    account: &AccountName,
    client: &Client,
    quota: &Quota,
    change: &Change,
    subject: &Subject<'_>,
) -> Result<Vec<Finding>, ProviderError> {
    let limit = limit(client, quota).await?;
    let inside = match quota.counted {
        Counted::InRegion(count) => {
            return Ok(vec![judge(account, quota.things, limit, count(client).await?, *change)]);
        }
        Counted::In(attribute) => counts::inside(subject, account, quota.kind, attribute),
        Counted::InZone => counts::nat_gateways_in_zones(subject, account, client).await?,
        Counted::InItself(size) => counts::sizes(subject, account, quota.kind, size),
        Counted::SharedWithOne => counts::subnets_shared(subject, account),
    };
    Ok(judge_inside(account, quota.things, limit, &inside))
}

/// Returns how many are allowed: what was agreed on for the account, else what AWS gives everybody.
async fn limit(client: &Client, quota: &Quota) -> Result<f64, ProviderError> {
    let call = client.quotas.get_service_quota().service_code(quota.service).quota_code(quota.code);
    match call.send().await.map_err(failed("GetServiceQuota")) {
        Ok(answer) => {
            if let Some(value) = answer.quota().and_then(ServiceQuota::value) {
                return Ok(value);
            }
        }
        Err(error) if error.class == ErrorClass::NotFound => {}
        Err(error) => return Err(error),
    }
    let call =
        client.quotas.get_aws_default_service_quota().service_code(quota.service).quota_code(quota.code);
    let answer = call.send().await.map_err(failed("GetAWSDefaultServiceQuota"))?;
    // What has no quota has no limit.
    Ok(answer.quota().and_then(ServiceQuota::value).unwrap_or(f64::INFINITY))
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 of anything")]
fn judge(account: &AccountName, things: &str, limit: f64, there: usize, change: Change) -> Finding {
    let Change { made, unmade } = change;
    let after = (there + made).saturating_sub(unmade);
    // What goes may go after what comes.
    let peak = there + made;
    let facts = format!("There are {there} {things}, the plan makes {made}, and the quota is {limit}.");
    let remedy = "Ask for more in Service Quotas, or delete what is not used any more.";
    if after as f64 > limit {
        Finding::failed(account, facts, remedy)
    } else if peak as f64 > limit {
        Finding::warning(account, facts, remedy)
    } else {
        Finding::ok(account, facts)
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 of anything")]
fn judge_inside(
    account: &AccountName,
    things: &str,
    limit: f64,
    inside: &BTreeMap<String, usize>,
) -> Vec<Finding> {
    let full = inside.iter().filter(|(_, count)| **count as f64 > limit);
    let full = full.map(|(container, count)| {
        let message = format!("The plan leads to {count} {things} {container}, and the quota is {limit}.");
        Finding::failed(account, message, "Ask for more in Service Quotas, or divide them.")
    });
    let mut findings: Vec<_> = full.collect();
    if let (true, Some((fullest, most))) =
        (findings.is_empty(), inside.iter().max_by_key(|(_, count)| **count))
    {
        let facts = format!("The plan leads to {most} {things} {fullest} at most, and the quota is {limit}.");
        findings.push(Finding::ok(account, facts));
    }
    findings
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;

    #[test]
    fn what_is_made_has_to_fit_beside_what_is_there() {
        let network = AccountName::new("network");
        let verdict =
            |there, made, unmade| judge(&network, "VPCs", 5.0, there, Change { made, unmade }).verdict;
        assert_eq!(verdict(4, 1, 0), Verdict::Ok);
        assert_eq!(verdict(5, 1, 0), Verdict::Failed);
        assert_eq!(verdict(5, 1, 1), Verdict::Warning);
    }

    #[test]
    fn what_is_in_one_thing_has_to_fit_into_it() {
        let network = AccountName::new("network");
        let verdict = |count| {
            let inside = [("route_table.a".to_owned(), count)].into();
            judge_inside(&network, "routes in the table", 50.0, &inside)[0].verdict
        };
        assert_eq!((verdict(50), verdict(51)), (Verdict::Ok, Verdict::Failed));
        assert!(judge_inside(&network, "routes", 50.0, &BTreeMap::new()).is_empty());
    }
}

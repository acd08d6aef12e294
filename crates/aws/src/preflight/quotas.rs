//! Quotas: whether there is room for what is made.

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
}

/// The quotas that a network and a cluster come up against ("Amazon VPC quotas"; "Amazon EKS service
/// quotas"). That of rules is for each direction: a group with so many in both together deserves a look.
const QUOTAS: &[Quota] = &[
    Quota::new(
        "vpc",
        "L-F678F1CE",
        "VPCs in the region",
        "vpc",
        Counted::InRegion(|client| Box::pin(vpcs(client))),
    ),
    Quota::new(
        "vpc",
        "L-A4707A72",
        "internet gateways in the region",
        "internet_gateway",
        Counted::InRegion(|client| Box::pin(internet_gateways(client))),
    ),
    Quota::new(
        "ec2",
        "L-0263D0A3",
        "Elastic IP addresses in the region",
        "eip",
        Counted::InRegion(|client| Box::pin(addresses(client))),
    ),
    Quota::new(
        "vpc",
        "L-E79EC296",
        "security groups in the region",
        "security_group",
        Counted::InRegion(|client| Box::pin(groups(client))),
    ),
    Quota::new(
        "eks",
        "L-1194D53C",
        "clusters in the region",
        "eks_cluster",
        Counted::InRegion(|client| Box::pin(clusters(client))),
    ),
    Quota::new("vpc", "L-FE5A380F", "NAT gateways in the zone of", "nat_gateway", Counted::In("subnet_id")),
    Quota::new("vpc", "L-407747CB", "subnets in", "subnet", Counted::In("vpc_id")),
    Quota::new("vpc", "L-589F43AA", "route tables in", "route_table", Counted::In("vpc_id")),
    Quota::new("vpc", "L-93826ACB", "routes in", "route", Counted::In("route_table_id")),
    Quota::new("vpc", "L-0EA8095F", "rules in", "security_group_rule", Counted::In("security_group_id")),
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
    Ok(match &quota.counted {
        Counted::InRegion(count) => {
            vec![judge(account, quota.things, limit, count(client).await?, *change)]
        }
        Counted::In(attribute) => {
            let mut inside = BTreeMap::<String, usize>::new();
            for item in subject.lasting(quota.kind).filter(|item| item.account == *account) {
                let Some(container) = item.value(attribute) else { continue };
                let name = subject.named(container).map(|named| named.address.to_string());
                let name = name.or_else(|| container.as_str().map(str::to_owned));
                *inside.entry(name.unwrap_or_default()).or_default() += 1;
            }
            judge_inside(account, quota.things, limit, &inside)
        }
    })
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
        let message = format!("The spec has {count} {things} {container}, and the quota is {limit}.");
        Finding::failed(account, message, "Ask for more in Service Quotas, or divide them.")
    });
    let mut findings: Vec<_> = full.collect();
    if let (true, Some(most)) = (findings.is_empty(), inside.values().max()) {
        findings.push(Finding::ok(
            account,
            format!("There are at most {most} {things}, and the quota is {limit}."),
        ));
    }
    findings
}

async fn vpcs(client: &Client) -> Result<usize, ProviderError> {
    let owner = crate::ec2::owned_by(&client.place.account);
    let pages = client.ec2.reads.describe_vpcs().filters(owner).into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.map(|found| found.len()).map_err(failed("DescribeVpcs"))
}

async fn internet_gateways(client: &Client) -> Result<usize, ProviderError> {
    let owner = crate::ec2::owned_by(&client.place.account);
    let pages = client.ec2.reads.describe_internet_gateways().filters(owner).into_paginator().items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await;
    found.map(|found| found.len()).map_err(failed("DescribeInternetGateways"))
}

async fn addresses(client: &Client) -> Result<usize, ProviderError> {
    let answer = client.ec2.reads.describe_addresses().send().await.map_err(failed("DescribeAddresses"))?;
    Ok(answer.addresses().len())
}

async fn groups(client: &Client) -> Result<usize, ProviderError> {
    let owner = crate::ec2::owned_by(&client.place.account);
    let pages = client.ec2.reads.describe_security_groups().filters(owner).into_paginator().items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await;
    found.map(|found| found.len()).map_err(failed("DescribeSecurityGroups"))
}

async fn clusters(client: &Client) -> Result<usize, ProviderError> {
    let pages = client.eks.reads.list_clusters().into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.map(|found| found.len()).map_err(failed("ListClusters"))
}

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

/// The quotas that IAM tells of itself.
pub(crate) struct IamQuotas;

/// Kinds, and what the summary of an account calls them and how many there may be.
const IAM: &[(&str, &str, &str, &str)] = &[
    ("iam_role", "roles", "Roles", "RolesQuota"),
    ("iam_policy", "policies", "Policies", "PoliciesQuota"),
    ("iam_instance_profile", "instance profiles", "InstanceProfiles", "InstanceProfilesQuota"),
];

impl Check for IamQuotas {
    const NAME: &'static str = "iam_quotas";
    const ABOUT: &'static str = "there is room for roles, policies and profiles";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["iam:GetAccountSummary"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let mut wanted = BTreeMap::<_, Vec<_>>::new();
        for row in IAM {
            for (account, change) in changes(subject, row.0).into_iter().filter(|(_, change)| change.made > 0)
            {
                wanted.entry(account).or_default().push((row, change));
            }
        }
        let looks = wanted.into_iter().map(|(account, rows)| async move {
            let client: &Client = subject.account(account).1.client();
            let answer =
                client.iam.reads.get_account_summary().send().await.map_err(failed("GetAccountSummary"));
            let findings = answer.map(|answer| {
                let number = |key: &str| {
                    let summary = answer.summary_map().into_iter().flatten();
                    summary.filter(|(name, _)| name.as_str() == key).map(|(_, number)| *number).next()
                };
                rows.into_iter()
                    .filter_map(|((_, things, there, limit), change)| {
                        let there = usize::try_from(number(there)?).ok()?;
                        Some(judge(account, things, f64::from(number(limit)?), there, change))
                    })
                    .collect()
            });
            found(account, findings)
        });
        join_all(looks).await.concat()
    }
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

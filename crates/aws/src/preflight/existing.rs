//! Networks that are there and not the stack's, where something of the stack goes into them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    AttributeBooleanValue, NetworkAcl, NetworkAclEntry, RuleAction, Subnet, VpcAttributeName,
};
use futures::future::{join_all, try_join_all};
use straddle_engine::address::AccountName;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Subject};
use straddle_engine::provider::ProviderError;

use super::{found, listed};
use crate::client::Client;
use crate::ec2::any_of;
use crate::error::failed;

/// Whether networks of others are fit for what goes into them.
pub(crate) struct ExistingNetworks;

/// What goes into subnets, and under which attribute.
const USERS: &[(&str, &str)] = &[
    ("eks_cluster", "subnet_ids"),
    ("eks_node_group", "subnet_ids"),
    ("eks_fargate_profile", "subnet_ids"),
    ("load_balancer", "subnets"),
    ("ingress_load_balancer", "subnets"),
];

impl Check for ExistingNetworks {
    const NAME: &'static str = "existing_networks";
    const ABOUT: &'static str = "subnets that are not the stack's let through what goes into them";
    const PERMISSIONS: &'static [Need] = &[Need::read(&[
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "ec2:DescribeVpcAttribute",
        "ec2:DescribeNetworkAcls",
    ])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let mut used = BTreeMap::<&AccountName, BTreeSet<&str>>::new();
        for (kind, attribute) in USERS {
            for item in subject.made(kind) {
                let foreign = item.list(attribute).iter().filter(|value| subject.named(value).is_none());
                let foreign = foreign.filter_map(|subnet| subnet.as_str());
                used.entry(&item.account).or_default().extend(foreign);
            }
        }
        let used = used.into_iter().filter(|(_, subnets)| !subnets.is_empty());
        let looks = used.map(|(account, subnets)| async move {
            let client = subject.account(account).1.client();
            found(account, look(account, client, &subnets, subject).await)
        });
        join_all(looks).await.concat()
    }
}

async fn look(
    account: &AccountName,
    client: &Client,
    ids: &BTreeSet<&str>,
    subject: &Subject<'_>,
) -> Result<Vec<Finding>, ProviderError> {
    let ec2 = &client.ec2.reads;
    let call = ec2.describe_subnets().filters(any_of("subnet-id", ids.iter().copied()));
    let subnets = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let subnets = subnets.map_err(failed("DescribeSubnets"))?;
    let call = ec2.describe_network_acls().filters(any_of("association.subnet-id", ids.iter().copied()));
    let lists = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let lists = lists.map_err(failed("DescribeNetworkAcls"))?;
    let mut findings = judge_missing(account, ids, &subnets).into_iter().collect::<Vec<_>>();
    findings.extend(lists.iter().flat_map(|list| judge_list(account, list)));
    let of_clusters = subject.made("eks_cluster").filter(|cluster| cluster.account == *account);
    let of_clusters: BTreeSet<_> = of_clusters.flat_map(|cluster| cluster.texts("subnet_ids")).collect();
    let is_of_cluster = |subnet: &&Subnet| subnet.subnet_id().is_some_and(|id| of_clusters.contains(id));
    let vpcs: BTreeSet<_> = subnets
        .iter()
        .filter(is_of_cluster)
        .filter_map(|subnet| Some((subnet.vpc_id()?, subnet.owner_id()?)))
        .collect();
    let looks = vpcs.into_iter().map(|(vpc, owner)| async move {
        // Its owner sees all of it.
        let of_owner = subject.accounts().find(|(account, _)| account.id == owner);
        let client = of_owner.map_or(client, |(_, connection)| connection.client());
        judge_vpc(account, vpc, Vpc::read(client, vpc).await?)
            .map_or_else(|| Ok(Vec::new()), |finding| Ok(vec![finding]))
    });
    findings.extend(try_join_all(looks).await?.concat());
    if findings.is_empty() {
        let message = format!("Nothing is in the way in {} subnets of others.", subnets.len());
        findings.push(Finding::ok(account, message));
    }
    Ok(findings)
}

fn judge_missing(account: &AccountName, ids: &BTreeSet<&str>, found: &[Subnet]) -> Option<Finding> {
    let there: BTreeSet<_> = found.iter().filter_map(Subnet::subnet_id).collect();
    let missing: Vec<_> = ids.difference(&there).collect();
    (!missing.is_empty()).then(|| {
        Finding::failed(
            account,
            format!("This account has no subnet {}, and nobody shares one with it.", listed(&missing)),
            "Correct the ids, or have their owner share them by RAM.",
        )
    })
}

/// What a VPC is like, as far as a cluster asks.
#[derive(Debug, Clone, Copy)]
struct Vpc {
    is_default: bool,
    has_support: bool,
    has_hostnames: bool,
}

impl Vpc {
    async fn read(client: &Client, id: &str) -> Result<Self, ProviderError> {
        let ec2 = &client.ec2.reads;
        let answer = ec2.describe_vpcs().vpc_ids(id).send().await.map_err(failed("DescribeVpcs"))?;
        let attribute = |name: VpcAttributeName| async move {
            let call = ec2.describe_vpc_attribute().vpc_id(id).attribute(name);
            let answer = call.send().await.map_err(failed("DescribeVpcAttribute"))?;
            let value = answer.enable_dns_support().or_else(|| answer.enable_dns_hostnames());
            Ok(value.and_then(AttributeBooleanValue::value).unwrap_or_default())
        };
        Ok(Self {
            is_default: answer
                .vpcs()
                .first()
                .and_then(aws_sdk_ec2::types::Vpc::is_default)
                .unwrap_or_default(),
            has_support: attribute(VpcAttributeName::EnableDnsSupport).await?,
            has_hostnames: attribute(VpcAttributeName::EnableDnsHostnames).await?,
        })
    }
}

/// Nodes join by names that the VPC resolves ("Amazon EKS networking requirements", EKS user guide), and
/// what is in a default subnet has a public address unless it says otherwise.
fn judge_vpc(account: &AccountName, id: &str, vpc: Vpc) -> Option<Finding> {
    if !vpc.has_support || !vpc.has_hostnames {
        return Some(Finding::failed(
            account,
            format!(
                "{id} does not resolve the names of its instances, and nodes do not join a cluster without."
            ),
            format!("Have its owner set `enableDnsSupport` and `enableDnsHostnames` of {id}."),
        ));
    }
    vpc.is_default.then(|| {
        Finding::warning(
            account,
            format!("{id} is the default VPC of its account: what is started in it gets a public address."),
            "Take a VPC with private subnets for nodes.",
        )
    })
}

/// What has to get through in a direction: ports, and what is not possible otherwise.
const TRAFFIC: &[(bool, u16, &str)] = &[
    (true, 443, "nodes do not reach EKS, ECR and STS"),
    (false, 32_768, "answers do not come back from where nodes call"),
    (false, 80, "load balancers are not reached by HTTP"),
    (false, 443, "load balancers are not reached by HTTPS"),
    (true, 32_768, "answers of load balancers do not get out"),
];

fn judge_list(account: &AccountName, list: &NetworkAcl) -> Vec<Finding> {
    let closed = TRAFFIC.iter().filter(|(out, port, _)| !lets_through(list.entries(), *out, *port));
    let id = list.network_acl_id().unwrap_or_default();
    let finding = |(out, port, why): &(bool, u16, &str)| {
        let direction = if *out { "out" } else { "in" };
        Finding::warning(
            account,
            format!("The network ACL {id} lets nothing {direction} at port {port}: {why}."),
            "Have its owner add a rule, if something has to get through there.",
        )
    };
    closed.map(finding).collect()
}

/// Tells whether a list lets TCP from or to the internet through at a port: the first rule that fits
/// decides ("Network ACL rules", VPC user guide).
fn lets_through(entries: &[NetworkAclEntry], out: bool, port: u16) -> bool {
    let port = i32::from(port);
    let fits = |entry: &&NetworkAclEntry| {
        let has_port = entry.port_range().is_none_or(|range| {
            range.from().unwrap_or_default() <= port && port <= range.to().unwrap_or(i32::from(u16::MAX))
        });
        entry.egress() == Some(out)
            && entry.cidr_block() == Some("0.0.0.0/0")
            && (entry.protocol() == Some("-1") || entry.protocol() == Some("6") && has_port)
    };
    let first = entries.iter().filter(fits).min_by_key(|entry| entry.rule_number());
    first.is_some_and(|entry| entry.rule_action() == Some(&RuleAction::Allow))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::PortRange;
    use straddle_engine::preflight::Verdict;

    use super::*;

    fn entry(number: i32, out: bool, action: RuleAction, ports: Option<(i32, i32)>) -> NetworkAclEntry {
        let ports = ports.map(|(from, to)| PortRange::builder().from(from).to(to).build());
        NetworkAclEntry::builder()
            .rule_number(number)
            .egress(out)
            .rule_action(action)
            .cidr_block("0.0.0.0/0")
            .protocol(if ports.is_some() { "6" } else { "-1" })
            .set_port_range(ports)
            .build()
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let deny = entry(32_767, false, RuleAction::Deny, None);
        let web = entry(100, false, RuleAction::Allow, Some((80, 80)));
        let entries = [deny.clone(), web.clone()];
        assert!(lets_through(&entries, false, 80));
        assert!(!lets_through(&entries, false, 443) && !lets_through(&entries, true, 80));
        let earlier = entry(50, false, RuleAction::Deny, Some((0, 1024)));
        assert!(!lets_through(&[earlier, web], false, 80));
        let network = AccountName::new("network");
        let open = [true, false].map(|out| entry(100, out, RuleAction::Allow, None));
        let open = NetworkAcl::builder().set_entries(Some(open.to_vec())).build();
        assert!(judge_list(&network, &open).is_empty());
        let closed = NetworkAcl::builder().entries(deny).build();
        assert_eq!(judge_list(&network, &closed).len(), TRAFFIC.len());
    }

    #[test]
    fn subnets_have_to_be_there_and_their_vpc_resolves_names() {
        let network = AccountName::new("network");
        let there = [Subnet::builder().subnet_id("subnet-1").build()];
        assert!(judge_missing(&network, &["subnet-1"].into(), &there).is_none());
        assert!(judge_missing(&network, &["subnet-1", "subnet-2"].into(), &there).is_some());
        let verdict = |is_default, has_support, has_hostnames| {
            let vpc = Vpc { is_default, has_support, has_hostnames };
            judge_vpc(&network, "vpc-1", vpc).map(|finding| finding.verdict)
        };
        assert_eq!(verdict(false, true, true), None);
        assert_eq!(verdict(true, true, true), Some(Verdict::Warning));
        assert_eq!(verdict(false, true, false), Some(Verdict::Failed));
        assert_eq!(verdict(false, false, true), Some(Verdict::Failed));
    }
}

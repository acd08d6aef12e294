//! Addresses: whether nodes, pods and load balancers find enough of them in their subnets.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::InstanceTypeInfo;
use futures::future::join_all;
use ipnet::Ipv4Net;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Fate, Finding, Item, Subject};
use straddle_engine::provider::ProviderError;

use super::capacity::{NODE_GROUP, described, instance_types};
use super::found;
use crate::client::Client;
use crate::error::failed;

/// Whether subnets have enough free addresses.
pub(crate) struct Addresses;

/// What a cluster needs in each of its subnets, and what it should have ("Subnet requirements for
/// clusters", EKS user guide).
const CLUSTER: (i64, i64) = (6, 16);
/// What an upgrade of the control plane needs besides.
const UPGRADE: i64 = 5;
/// What a load balancer needs in each of its subnets ("Subnets for your load balancer", user guide
/// for application load balancers).
const LOAD_BALANCER: i64 = 8;

impl Check for Addresses {
    const NAME: &'static str = "addresses";
    const ABOUT: &'static str = "subnets have addresses for nodes, pods and load balancers";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["ec2:DescribeSubnets", "ec2:DescribeInstanceTypes"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let (free, mut findings) = free_addresses(subject).await;
        for cluster in subject.made("eks_cluster") {
            findings.extend(judge_cluster(cluster, &free_of(cluster, subject, &free)));
        }
        for subnet in subject.lasting("subnet").filter(|subnet| takes_load_balancers(subnet)) {
            findings
                .extend(free.get(&subnet.address.to_string()).and_then(|free| judge_public(subnet, *free)));
        }
        let groups = subject.lasting(NODE_GROUP).map(|group| async {
            let client = subject.account(&group.account).1.client();
            found(&group.account, nodes(group, client, &free_of(group, subject, &free)).await)
        });
        findings.extend(join_all(groups).await.concat());
        findings
    }
}

fn takes_load_balancers(subnet: &Item) -> bool {
    subnet
        .value("tags")
        .and_then(|tags| tags.as_map())
        .is_some_and(|tags| tags.contains_key("kubernetes.io/role/elb"))
}

/// Returns how many addresses are free, or will be, by the subnets' addresses in the spec.
async fn free_addresses(subject: &Subject<'_>) -> (BTreeMap<String, i64>, Vec<Finding>) {
    let mut free = BTreeMap::new();
    let mut there = BTreeMap::<_, Vec<_>>::new();
    for subnet in subject.lasting("subnet") {
        if subnet.fate == Fate::Made {
            let range: Option<Ipv4Net> = subnet.text("cidr_block").and_then(|text| text.parse().ok());
            free.extend(range.map(|range| (subnet.address.to_string(), new_subnet(range))));
        } else if let Some(id) = subnet.text("id") {
            there.entry(&subnet.account).or_default().push((id, subnet));
        }
    }
    let reads = there.into_iter().map(|(account, subnets)| async move {
        (account, read(subject.account(account).1.client(), &subnets).await)
    });
    let mut findings = Vec::new();
    for (account, answer) in join_all(reads).await {
        match answer {
            Ok(found) => free.extend(found),
            Err(error) => findings.push(Finding::unable(account, &error)),
        }
    }
    (free, findings)
}

/// EC2 keeps five addresses of each subnet ("Subnet CIDR blocks", VPC user guide).
fn new_subnet(range: Ipv4Net) -> i64 {
    (1_i64 << (32 - u32::from(range.prefix_len()))) - 5
}

async fn read(client: &Client, subnets: &[(&str, &Item)]) -> Result<BTreeMap<String, i64>, ProviderError> {
    let pages = client.ec2.reads.describe_subnets().into_paginator().items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeSubnets"))?;
    let by_id: BTreeMap<_, _> = subnets.iter().copied().collect();
    let free = found.iter().filter_map(|subnet| {
        let item = by_id.get(subnet.subnet_id()?)?;
        Some((item.address.to_string(), i64::from(subnet.available_ip_address_count()?)))
    });
    Ok(free.collect())
}

fn free_of<'s>(item: &Item, subject: &'s Subject<'_>, free: &BTreeMap<String, i64>) -> Vec<(&'s Item, i64)> {
    let subnets = item.list("subnet_ids").iter().filter_map(|subnet| subject.named(subnet));
    subnets.filter_map(|subnet| Some((subnet, *free.get(&subnet.address.to_string())?))).collect()
}

fn judge_cluster(cluster: &Item, free: &[(&Item, i64)]) -> Vec<Finding> {
    let (least, better) = CLUSTER;
    let tight = free.iter().filter(|(_, free)| *free < better).map(|(subnet, free)| {
        let message = format!("{} has {free} free addresses for {}.", subnet.address, cluster.address);
        let remedy = format!("EKS needs {least} in each subnet of a cluster, and asks for {better}.");
        if *free < least {
            Finding::failed(&cluster.account, message, remedy)
        } else {
            Finding::warning(&cluster.account, message, remedy)
        }
    });
    tight.collect()
}

fn judge_public(subnet: &Item, free: i64) -> Option<Finding> {
    (free < LOAD_BALANCER).then(|| {
        let message = format!(
            "{} has {free} free addresses, and a load balancer needs {LOAD_BALANCER}.",
            subnet.address
        );
        Finding::failed(&subnet.account, message, "Give it a larger range, a /27 or more.")
    })
}

async fn nodes(group: &Item, client: &Client, free: &[(&Item, i64)]) -> Result<Vec<Finding>, ProviderError> {
    let types: BTreeSet<_> = instance_types(group).into_iter().collect();
    if types.is_empty() || free.is_empty() {
        let message = format!("The subnets or instance types of {} are not in the spec.", group.address);
        return Ok(vec![Finding::skipped(&group.account, message)]);
    }
    let known = described(client, &types).await?;
    let a_node = known.values().filter_map(addresses_of).max();
    Ok(a_node
        .map(|a_node| judge_nodes(group, a_node, free.iter().map(|(_, free)| free).sum()))
        .into_iter()
        .collect())
}

/// Returns how many addresses a node may take for itself and its pods: all that its interfaces have.
fn addresses_of(info: &InstanceTypeInfo) -> Option<i64> {
    let network = info.network_info()?;
    Some(
        i64::from(network.maximum_network_interfaces()?) * i64::from(network.ipv4_addresses_per_interface()?),
    )
}

fn judge_nodes(group: &Item, a_node: i64, free: i64) -> Finding {
    let (_, control_plane) = CLUSTER;
    let needed = |nodes: i64| nodes * a_node + control_plane + UPGRADE;
    let desired = group.number("scaling.desired").unwrap_or(2);
    let most = group.number("scaling.max").unwrap_or(desired);
    let facts = format!(
        "{} takes up to {} addresses with {most} nodes ({a_node} each), and its subnets have {free}.",
        group.address,
        needed(most)
    );
    let remedy = "Give the subnets larger ranges, or the nodes fewer pods.";
    // Nodes take addresses as pods need them: the desired size has to fit even so.
    if group.fate == Fate::Made && needed(desired) > free && desired > free {
        Finding::failed(&group.account, facts, remedy)
    } else if group.fate == Fate::Made && needed(most) > free {
        Finding::warning(&group.account, facts, remedy)
    } else {
        Finding::ok(&group.account, facts)
    }
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;
    use straddle_engine::value::Value;

    use super::*;
    use crate::preflight::testing::item;

    #[test]
    fn five_addresses_of_a_subnet_are_nobody_s() {
        assert_eq!(new_subnet("10.0.0.0/24".parse().expect("it is a range")), 251);
        assert_eq!(new_subnet("10.0.0.0/28".parse().expect("it is a range")), 11);
    }

    #[test]
    fn a_cluster_and_a_load_balancer_need_some_addresses_in_each_subnet() {
        let (cluster, subnet) = (item("eks_cluster", &[]), item("subnet", &[]));
        let verdicts = |free| {
            judge_cluster(&cluster, &[(&subnet, free)]).iter().map(|one| one.verdict).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(5), [Verdict::Failed]);
        assert_eq!(verdicts(11), [Verdict::Warning]);
        assert!(verdicts(16).is_empty());
        assert!(judge_public(&subnet, 8).is_none() && judge_public(&subnet, 7).is_some());
    }

    #[test]
    fn nodes_take_addresses_for_their_pods() {
        let scaling = [("desired", 2), ("max", 4)].map(|(name, size)| (name.to_owned(), Value::from(size)));
        let group = item(NODE_GROUP, &[("scaling", Value::Map(scaling.into()))]);
        // A t3.medium: three interfaces with six addresses each.
        assert_eq!(judge_nodes(&group, 18, 93).verdict, Verdict::Ok);
        assert_eq!(judge_nodes(&group, 18, 92).verdict, Verdict::Warning);
        assert_eq!(judge_nodes(&group, 18, 1).verdict, Verdict::Failed);
    }
}

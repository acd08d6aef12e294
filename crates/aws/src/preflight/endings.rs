//! What stands in the way of a deletion: things of others in networks that go.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::NetworkInterface;
use futures::TryFutureExt;
use futures::future::{join_all, try_join5};
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Fate, Finding, Item, Subject};
use straddle_engine::provider::ProviderError;

use super::{found, listed};
use crate::client::Client;
use crate::ec2::equals;
use crate::error::failed;

/// Things in VPCs that are not the stack's.
pub(crate) struct ForeignThings;

/// The tag on endpoints that `GuardDuty` makes by itself ("Runtime Monitoring", its user guide).
const GUARD_DUTY: &str = "GuardDutyManaged";

/// The kinds whose interfaces have their names in the description, not their ids.
const BALANCERS: [&str; 2] = ["load_balancer", "ingress_load_balancer"];

impl Check for ForeignThings {
    const NAME: &'static str = "foreign_things";
    const ABOUT: &'static str = "nothing of others is in a VPC or subnet that is deleted";
    const PERMISSIONS: &'static [Need] = &[Need::read(&[
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeRouteTables",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeInternetGateways",
    ])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let ids = subject.items().filter_map(|item| item.text("id"));
        let balancers = subject.items().filter(|item| BALANCERS.contains(&item.kind.as_str()));
        let ours: BTreeSet<_> = ids.chain(balancers.filter_map(|item| item.text("name"))).collect();
        let goes = |item: &&Item| item.fate == Fate::Unmade && item.kind.as_str() == "vpc";
        let looks = subject.items().filter(goes).filter_map(|vpc| Some((vpc, vpc.text("id")?)));
        let looks = looks.map(|(vpc, id)| {
            let ours = &ours;
            async move {
                let client = subject.account(&vpc.account).1.client();
                found(&vpc.account, look(vpc, client, id, ours).await)
            }
        });
        join_all(looks).await.concat()
    }
}

async fn look(
    vpc: &Item,
    client: &Client,
    id: &str,
    ours: &BTreeSet<&str>,
) -> Result<Vec<Finding>, ProviderError> {
    let ec2 = &client.ec2.reads;
    let interfaces = ec2.describe_network_interfaces().filters(equals("vpc-id", id)).into_paginator().items();
    let interfaces = interfaces.send().collect::<Result<Vec<_>, _>>().await;
    let interfaces = interfaces.map_err(failed("DescribeNetworkInterfaces"))?;
    let endpoints = ec2.describe_vpc_endpoints().filters(equals("vpc-id", id)).into_paginator().items();
    let endpoints =
        endpoints.send().collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeVpcEndpoints"))?;
    let guards =
        endpoints.iter().filter(|endpoint| endpoint.tags().iter().any(|tag| tag.key() == Some(GUARD_DUTY)));
    let guards: Vec<_> = guards.filter_map(|endpoint| endpoint.vpc_endpoint_id()).collect();
    let names: Vec<_> = interfaces.iter().filter(|one| !is_ours(one, ours)).map(describe).collect();
    let parts = parts(client, id).await?;
    let parts: Vec<_> =
        parts.into_iter().filter(|part| !ours.contains(part.id.as_str()) && !part.goes_by_itself()).collect();
    Ok(judge(vpc, &names, &guards, &parts))
}

/// A part of a VPC.
#[derive(Debug)]
struct Part {
    id: String,
    what: &'static str,
    owner: String,
    /// What it is called, if it has a name.
    name: String,
}

impl Part {
    fn new(what: &'static str, id: Option<&str>, owner: Option<&str>, name: &str) -> Self {
        let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
        Self { id: text(id), what, owner: text(owner), name: name.to_owned() }
    }

    /// Tells whether it is a group that goes with what made it: that of a cluster, and those that the load
    /// balancer controller makes for its load balancers and their targets.
    fn goes_by_itself(&self) -> bool {
        self.what == GROUP && (self.name.starts_with("eks-cluster-sg-") || self.name.starts_with("k8s-"))
    }
}

/// What a part is called that is a security group.
const GROUP: &str = "security group";

/// Reads what a VPC has besides what it was born with: each part keeps it from being deleted
/// (`DeleteVpc`, EC2 API reference).
async fn parts(client: &Client, vpc: &str) -> Result<Vec<Part>, ProviderError> {
    let ec2 = &client.ec2.reads;
    let within = || equals("vpc-id", vpc);
    let subnets = ec2.describe_subnets().filters(within()).into_paginator().items().send();
    let groups = ec2.describe_security_groups().filters(within()).into_paginator().items().send();
    let tables = ec2.describe_route_tables().filters(within()).into_paginator().items().send();
    let lists = ec2.describe_network_acls().filters(within()).into_paginator().items().send();
    let attached = equals("attachment.vpc-id", vpc);
    let gateways = ec2.describe_internet_gateways().filters(attached).into_paginator().items().send();
    let (subnets, groups, tables, lists, gateways) = try_join5(
        subnets.collect::<Result<Vec<_>, _>>().map_err(failed("DescribeSubnets")),
        groups.collect::<Result<Vec<_>, _>>().map_err(failed("DescribeSecurityGroups")),
        tables.collect::<Result<Vec<_>, _>>().map_err(failed("DescribeRouteTables")),
        lists.collect::<Result<Vec<_>, _>>().map_err(failed("DescribeNetworkAcls")),
        gateways.collect::<Result<Vec<_>, _>>().map_err(failed("DescribeInternetGateways")),
    )
    .await?;
    let subnets = subnets.iter().map(|one| Part::new("subnet", one.subnet_id(), one.owner_id(), ""));
    let groups = groups.iter().filter(|one| one.group_name() != Some("default"));
    let groups = groups
        .map(|one| Part::new(GROUP, one.group_id(), one.owner_id(), one.group_name().unwrap_or_default()));
    let tables = tables.iter().filter(|one| !one.associations().iter().any(|one| one.main() == Some(true)));
    let tables = tables.map(|one| Part::new("route table", one.route_table_id(), one.owner_id(), ""));
    let lists = lists.iter().filter(|one| one.is_default() != Some(true));
    let lists = lists.map(|one| Part::new("network ACL", one.network_acl_id(), one.owner_id(), ""));
    let gateways = gateways.iter();
    let gateways =
        gateways.map(|one| Part::new("internet gateway", one.internet_gateway_id(), one.owner_id(), ""));
    Ok(subnets.chain(groups).chain(tables).chain(lists).chain(gateways).collect())
}

/// Tells whether an interface belongs to something of the stack: its description names that, as those
/// of NAT gateways, endpoints, load balancers and clusters do, or it is something of the stack itself.
fn is_ours(interface: &NetworkInterface, ours: &BTreeSet<&str>) -> bool {
    let description = interface.description().unwrap_or_default();
    let names = |id: &&str| !id.is_empty() && description.split([' ', '/', ',']).any(|word| word == *id);
    interface.network_interface_id().is_some_and(|id| ours.contains(id)) || ours.iter().any(names)
}

fn describe(interface: &NetworkInterface) -> String {
    let text = |part: Option<&str>| part.filter(|part| !part.is_empty()).unwrap_or("?").to_owned();
    format!(
        "{} of account {} ({})",
        text(interface.network_interface_id()),
        text(interface.owner_id()),
        text(interface.description())
    )
}

fn judge(vpc: &Item, interfaces: &[String], guards: &[&str], parts: &[Part]) -> Vec<Finding> {
    let Item { account, address, .. } = vpc;
    let mut findings = Vec::new();
    if !parts.is_empty() {
        let name = |part: &Part| {
            let name = if part.name.is_empty() { String::new() } else { format!(" \"{}\"", part.name) };
            format!("the {} {}{name} of account {}", part.what, part.id, part.owner)
        };
        let names: Vec<_> = parts.iter().map(name).collect();
        findings.push(Finding::warning(
            account,
            format!("There is in {address} what belongs to nothing of the stack: {}.", listed(&names)),
            "Delete it: EC2 deletes no VPC that has more than it was born with.",
        ));
    }
    if !interfaces.is_empty() {
        findings.push(Finding::warning(
            account,
            format!(
                "There are interfaces in {address} that belong to nothing of the stack: {}.",
                listed(interfaces)
            ),
            "Delete what they belong to, unless it goes with what is deleted first; else the VPC stays.",
        ));
    }
    if !guards.is_empty() {
        findings.push(Finding::warning(
            account,
            format!("GuardDuty has put endpoints into {address}: {}.", listed(guards)),
            "Switch its agent off for the VPC, and delete the endpoints and their security group: only the owner can.",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(account, format!("Nothing of others is in {address}.")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;
    use crate::preflight::testing::item;

    #[test]
    fn interfaces_of_the_stack_are_told_from_others() {
        let interface = |id: &str, description: &str| {
            NetworkInterface::builder().network_interface_id(id).description(description).build()
        };
        let ours = ["nat-1", "shop", "eni-9", "k8s-front-web-1ae88303d5"].into();
        assert!(is_ours(&interface("eni-1", "Interface for NAT Gateway nat-1"), &ours));
        assert!(is_ours(&interface("eni-2", "Amazon EKS shop"), &ours));
        assert!(is_ours(&interface("eni-9", ""), &ours));
        assert!(is_ours(&interface("eni-5", "ELB app/k8s-front-web-1ae88303d5/1"), &ours));
        assert!(!is_ours(&interface("eni-3", "ELB app/other/1"), &ours));
        assert!(!is_ours(&interface("eni-4", "Amazon EKS shop-2"), &ours));
    }

    #[test]
    fn what_is_left_of_others_is_warned_of() {
        let vpc = item("vpc", &[]);
        let verdicts = |interfaces: &[String], guards: &[&str], parts: &[Part]| {
            judge(&vpc, interfaces, guards, parts).iter().map(|one| one.verdict).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(&[], &[], &[]), [Verdict::Ok]);
        let interfaces = ["eni-1".to_owned()];
        assert_eq!(verdicts(&interfaces, &["vpce-1"], &[]), [Verdict::Warning, Verdict::Warning]);
        let group = |name: &str| Part::new(GROUP, Some("sg-1"), Some("111122223333"), name);
        let finding = &judge(&vpc, &[], &[], &[group("database")])[0];
        assert!(finding.message.contains("the security group sg-1 \"database\" of account 111122223333"));
        let by_itself =
            ["database", "eks-cluster-sg-shop-1", "k8s-front-web-1"].map(|name| group(name).goes_by_itself());
        assert_eq!(by_itself, [false, true, true]);
    }
}

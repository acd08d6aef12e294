//! Networks that are there, and the way out of those that are made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use aws_sdk_ec2::types::{InternetGatewayBlockMode, RouteState, RouteTable, RouteTableAssociation};
use futures::future::{join, join_all};
use straddle_engine::address::AccountName;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Item, Subject};
use straddle_engine::provider::ProviderError;

use super::found;
use crate::client::Client;
use crate::ec2::equals;
use crate::error::failed;

/// Whether the account lets anything through internet gateways.
pub(crate) struct PublicAccess;

impl Check for PublicAccess {
    const NAME: &'static str = "public_access";
    const ABOUT: &'static str = "VPC Block Public Access does not close internet gateways";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["ec2:DescribeVpcBlockPublicAccessOptions"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let accounts: BTreeSet<_> =
            subject.made("internet_gateway").map(|gateway| &gateway.account).collect();
        let looks = accounts.into_iter().map(|account| async move {
            let client: &Client = subject.account(account).1.client();
            let answer = client.ec2.reads.describe_vpc_block_public_access_options().send().await;
            let answer = answer.map_err(failed("DescribeVpcBlockPublicAccessOptions"));
            found(account, answer.map(|answer| {
                let options = answer.vpc_block_public_access_options();
                let mode = options.and_then(|options| options.internet_gateway_block_mode());
                vec![match mode {
                    Some(InternetGatewayBlockMode::BlockBidirectional | InternetGatewayBlockMode::BlockIngress) => {
                        Finding::failed(
                            account,
                            "VPC Block Public Access closes the internet gateways of this account.",
                            "Exclude the VPC from it, or switch it off, with whoever looks after the account.",
                        )
                    }
                    _ => Finding::ok(account, "Nothing closes internet gateways."),
                }]
            }))
        });
        join_all(looks).await.concat()
    }
}

/// Whether VPCs of clusters are fit for them.
pub(crate) struct Networks;

impl Check for Networks {
    const NAME: &'static str = "cluster_networks";
    const ABOUT: &'static str = "the VPCs of clusters resolve names";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let mut vpcs = BTreeMap::new();
        for cluster in subject.lasting("eks_cluster") {
            let subnets = cluster.list("subnet_ids").iter().filter_map(|subnet| subject.named(subnet));
            let of_subnet = |subnet: &Item| subject.named(subnet.value("vpc_id")?);
            vpcs.extend(subnets.filter_map(of_subnet).map(|vpc| (&vpc.address, (vpc, cluster))));
        }
        vpcs.into_values().map(|(vpc, cluster)| judge_names(vpc, cluster)).collect()
    }
}

/// A VPC is born with names of its own resolved, and without names for its instances.
fn judge_names(vpc: &Item, cluster: &Item) -> Finding {
    let support = vpc.value("enable_dns_support").is_none() || vpc.is_true("enable_dns_support");
    if support && vpc.is_true("enable_dns_hostnames") {
        return Finding::ok(&vpc.account, format!("{} resolves names.", vpc.address));
    }
    Finding::failed(
        &vpc.account,
        format!(
            "{} does not resolve the names of its instances, and nodes of {} do not join without.",
            vpc.address, cluster.address
        ),
        "Set `enable_dns_support = true` and `enable_dns_hostnames = true`.",
    )
}

/// Whether subnets have the tags by which controllers find them.
pub(crate) struct Subnets;

/// What the load balancer controller goes by ("Subnet auto-discovery", its documentation).
const PUBLIC: &str = "kubernetes.io/role/elb";
const INTERNAL: &str = "kubernetes.io/role/internal-elb";

impl Check for Subnets {
    const NAME: &'static str = "subnet_tags";
    const ABOUT: &'static str =
        "subnets have the tags by which load balancers find them, in their owner's account";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        if subject.lasting("eks_cluster").next().is_none() {
            return Vec::new();
        }
        let clusters: BTreeSet<_> =
            subject.lasting("eks_cluster").filter_map(|one| one.text("name")).collect();
        subject.lasting("subnet").filter_map(|subnet| judge_tags(subnet, &clusters)).collect()
    }
}

fn judge_tags(subnet: &Item, clusters: &BTreeSet<&str>) -> Option<Finding> {
    let Item { account, address, .. } = subnet;
    let tags = subnet.value("tags").and_then(|tags| tags.as_map());
    let has = |key: &str| tags.is_some_and(|tags| tags.contains_key(key));
    let of_clusters =
        tags.into_iter().flatten().filter_map(|(key, _)| key.strip_prefix("kubernetes.io/cluster/"));
    let of_clusters: Vec<_> = of_clusters.collect();
    if !of_clusters.is_empty() && !of_clusters.iter().any(|name| clusters.contains(name)) {
        return Some(Finding::warning(
            account,
            format!("{address} is tagged for other clusters only: {}.", of_clusters.join(", ")),
            "Tag it for this one too, or take these tags away: the controller leaves it out.",
        ));
    }
    let is_public = subnet.is_true("map_public_ip_on_launch");
    let wanted = if is_public { PUBLIC } else { INTERNAL };
    if has(wanted) {
        return Some(Finding::ok(account, format!("{address} has the tag {wanted}.")));
    }
    (!has(PUBLIC) && !has(INTERNAL)).then(|| {
        Finding::warning(
            account,
            format!(
                "{address} does not have the tag {wanted}: only a load balancer that names it gets into it."
            ),
            format!("Write `tags = {{ \"{wanted}\" = \"1\" }}`."),
        )
    })
}

/// Whether nodes reach the internet, or what stands in for it.
pub(crate) struct Egress;

impl Check for Egress {
    const NAME: &'static str = "egress";
    const ABOUT: &'static str = "the subnets of nodes have a way to images and to STS";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["ec2:DescribeRouteTables", "ec2:DescribeSubnets"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let groups: Vec<_> = subject.made("eks_node_group").collect();
        let foreign = groups.iter().flat_map(|group| {
            let foreign = group.list("subnet_ids").iter().filter(|subnet| subject.named(subnet).is_none());
            foreign.filter_map(|subnet| Some((&group.account, subnet.as_str()?)))
        });
        let foreign = foreign.collect::<BTreeSet<_>>().into_iter().map(|(account, subnet)| async move {
            found(account, way_from_foreign(account, subnet, subject.account(account).1.client()).await)
        });
        let foreign = join_all(foreign);
        let subnets = groups.iter().flat_map(|group| group.list("subnet_ids"));
        let subnets = subnets.filter_map(|subnet| subject.named(subnet));
        let subnets: BTreeMap<_, _> = subnets.map(|subnet| (&subnet.address, subnet)).collect();
        let looks = subnets.into_values().map(|subnet| async move {
            match way_in_spec(subnet, subject) {
                Some(Way::Out(target)) => {
                    vec![Finding::ok(&subnet.account, format!("{} leads out through {target}.", subnet.address))]
                }
                Some(Way::Endpoints(count)) => vec![Finding::warning(
                    &subnet.account,
                    format!("{} leads to {count} endpoints only.", subnet.address),
                    "Nodes need ecr.api, ecr.dkr, ec2, sts, eks and a gateway for s3; public images stay out of reach.",
                )],
                None => {
                    let client = subject.account(&subnet.account).1.client();
                    found(&subnet.account, way_there(subnet, client).await)
                }
            }
        });
        let (ours, foreign) = join(join_all(looks), foreign).await;
        [ours, foreign].concat().concat()
    }
}

/// How what is in a subnet gets to the outside.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// By a default route, to this.
    Out(String),
    /// To so many services.
    Endpoints(usize),
}

/// Returns the way that the spec makes.
fn way_in_spec(subnet: &Item, subject: &Subject<'_>) -> Option<Way> {
    let is_subnet = |item: &&Item| {
        item.value("subnet_id")
            .and_then(|id| subject.named(id))
            .is_some_and(|named| named.address == subnet.address)
    };
    let association = subject.lasting("route_table_association").find(is_subnet)?;
    let table = subject.named(association.value("route_table_id")?)?;
    let is_of_table = |item: &&Item| {
        item.value("route_table_id")
            .and_then(|id| subject.named(id))
            .is_some_and(|named| named.address == table.address)
    };
    let default = |route: &Item| route.text("destination") == Some("0.0.0.0/0");
    if let Some(route) = subject.lasting("route").filter(is_of_table).find(|route| default(route)) {
        let target = route.value("target").and_then(|target| subject.named(target));
        let target = target.map(|target| target.address.to_string());
        return Some(Way::Out(
            target.or_else(|| route.text("target").map(str::to_owned)).unwrap_or_default(),
        ));
    }
    let in_vpc = |endpoint: &&Item| endpoint.value("vpc_id") == subnet.value("vpc_id");
    let endpoints = subject.lasting("vpc_endpoint").filter(in_vpc).count();
    (endpoints > 0).then_some(Way::Endpoints(endpoints))
}

/// Looks at the route table of a subnet that is there: its own, or the main one of its VPC.
async fn way_there(subnet: &Item, client: &Client) -> Result<Vec<Finding>, ProviderError> {
    let Item { account, address, .. } = subnet;
    let (Some(id), Some(vpc)) = (subnet.text("id"), subnet.text("vpc_id")) else {
        return Ok(vec![judge_table(account, address, None)]);
    };
    Ok(vec![judge_table(account, address, table_of(client, id, vpc).await?.as_ref())])
}

/// Looks at the route table of a subnet that is not the stack's.
async fn way_from_foreign(
    account: &AccountName,
    id: &str,
    client: &Client,
) -> Result<Vec<Finding>, ProviderError> {
    let call = client.ec2.reads.describe_subnets().filters(equals("subnet-id", id));
    let answer = call.send().await.map_err(failed("DescribeSubnets"))?;
    let Some(vpc) = answer.subnets().first().and_then(|subnet| subnet.vpc_id()) else {
        return Ok(Vec::new());
    };
    Ok(vec![judge_table(account, id, table_of(client, id, vpc).await?.as_ref())])
}

async fn table_of(client: &Client, subnet: &str, vpc: &str) -> Result<Option<RouteTable>, ProviderError> {
    let call = client.ec2.reads.describe_route_tables().filters(equals("vpc-id", vpc));
    let tables = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let tables = tables.map_err(failed("DescribeRouteTables"))?;
    let is = |test: fn(&RouteTableAssociation, &str) -> bool| {
        tables.iter().find(|table| table.associations().iter().any(|one| test(one, subnet)))
    };
    let own = is(|one, subnet| one.subnet_id() == Some(subnet));
    Ok(own.or_else(|| is(|one, _| one.main() == Some(true))).cloned())
}

fn judge_table(account: &AccountName, name: impl fmt::Display, table: Option<&RouteTable>) -> Finding {
    let default = table.and_then(|table| {
        table.routes().iter().find(|route| route.destination_cidr_block() == Some("0.0.0.0/0"))
    });
    match default {
        Some(route) if route.state() == Some(&RouteState::Blackhole) => Finding::failed(
            account,
            format!("The default route of {name} leads to something that is gone."),
            "Give it another target.",
        ),
        Some(_) => Finding::ok(account, format!("{name} leads out.")),
        None => Finding::failed(
            account,
            format!("{name} leads nowhere: nodes in it get no images, and do not join their cluster."),
            "Give its route table a route to 0.0.0.0/0 through a NAT gateway, or the VPC the endpoints that nodes need.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::Route;
    use straddle_engine::preflight::Verdict;
    use straddle_engine::value::Value;

    use super::*;
    use crate::preflight::testing::item;

    fn with_tags(tags: &[&str], public: bool) -> Item {
        let tags = tags.iter().map(|key| ((*key).to_owned(), Value::from("1"))).collect();
        item("subnet", &[("tags", Value::Map(tags)), ("map_public_ip_on_launch", Value::Bool(public))])
    }

    #[test]
    fn a_cluster_needs_a_vpc_that_resolves_names() {
        let cluster = item("eks_cluster", &[]);
        let verdict = |values: &[(&str, Value)]| judge_names(&item("vpc", values), &cluster).verdict;
        assert_eq!(verdict(&[]), Verdict::Failed);
        assert_eq!(verdict(&[("enable_dns_hostnames", Value::Bool(true))]), Verdict::Ok);
        let both = [("enable_dns_hostnames", Value::Bool(true)), ("enable_dns_support", Value::Bool(false))];
        assert_eq!(verdict(&both), Verdict::Failed);
    }

    #[test]
    fn controllers_find_subnets_by_their_tags() {
        let verdict = |tags: &[&str], public| {
            judge_tags(&with_tags(tags, public), &["main"].into()).map(|one| one.verdict)
        };
        assert_eq!(verdict(&[PUBLIC], true), Some(Verdict::Ok));
        assert_eq!(verdict(&[INTERNAL], false), Some(Verdict::Ok));
        assert_eq!(verdict(&[], true), Some(Verdict::Warning));
        assert_eq!(verdict(&[PUBLIC, "kubernetes.io/cluster/other"], true), Some(Verdict::Warning));
        assert_eq!(verdict(&[PUBLIC, "kubernetes.io/cluster/main"], true), Some(Verdict::Ok));
    }

    #[test]
    fn a_subnet_of_nodes_leads_out() {
        let network = AccountName::new("network");
        let table = |state: Option<RouteState>| {
            let route = Route::builder().destination_cidr_block("0.0.0.0/0").set_state(state).build();
            RouteTable::builder().routes(route).build()
        };
        let verdict = |table: Option<&RouteTable>| judge_table(&network, "subnet.a", table).verdict;
        assert_eq!(verdict(Some(&table(Some(RouteState::Active)))), Verdict::Ok);
        assert_eq!(verdict(Some(&table(Some(RouteState::Blackhole)))), Verdict::Failed);
        assert_eq!(verdict(None), Verdict::Failed);
    }
}

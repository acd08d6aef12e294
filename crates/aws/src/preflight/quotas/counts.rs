//! How much there is of what quotas limit: in a region, and in single things by their names.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::address::AccountName;
use straddle_engine::preflight::{Item, Subject};
use straddle_engine::provider::ProviderError;

use crate::client::Client;
use crate::ec2::any_of;
use crate::error::failed;

/// How many things are in what is named.
pub(super) type Inside = BTreeMap<String, usize>;

pub(super) async fn vpcs(client: &Client) -> Result<usize, ProviderError> {
    let owner = crate::ec2::owned_by(&client.place.account);
    let pages = client.ec2.reads.describe_vpcs().filters(owner).into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.map(|found| found.len()).map_err(failed("DescribeVpcs"))
}

pub(super) async fn internet_gateways(client: &Client) -> Result<usize, ProviderError> {
    let owner = crate::ec2::owned_by(&client.place.account);
    let pages = client.ec2.reads.describe_internet_gateways().filters(owner).into_paginator().items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await;
    found.map(|found| found.len()).map_err(failed("DescribeInternetGateways"))
}

pub(super) async fn addresses(client: &Client) -> Result<usize, ProviderError> {
    let answer = client.ec2.reads.describe_addresses().send().await.map_err(failed("DescribeAddresses"))?;
    Ok(answer.addresses().len())
}

pub(super) async fn groups(client: &Client) -> Result<usize, ProviderError> {
    let owner = crate::ec2::owned_by(&client.place.account);
    let pages = client.ec2.reads.describe_security_groups().filters(owner).into_paginator().items().send();
    let found = pages.collect::<Result<Vec<_>, _>>().await;
    found.map(|found| found.len()).map_err(failed("DescribeSecurityGroups"))
}

pub(super) async fn clusters(client: &Client) -> Result<usize, ProviderError> {
    let pages = client.eks.reads.list_clusters().into_paginator().items().send();
    pages.collect::<Result<Vec<_>, _>>().await.map(|found| found.len()).map_err(failed("ListClusters"))
}

/// Counts the resources of a kind by what an attribute names.
pub(super) fn inside(subject: &Subject<'_>, account: &AccountName, kind: &str, attribute: &str) -> Inside {
    let mut inside = Inside::new();
    for item in of_account(subject, account, kind) {
        let Some(container) = item.value(attribute) else { continue };
        let name = subject.named(container).map(|named| named.address.to_string());
        let name = name.or_else(|| container.as_str().map(str::to_owned));
        *inside.entry(name.unwrap_or_default()).or_default() += 1;
    }
    inside
}

/// Returns the resources of a kind by the number that they have for an attribute.
pub(super) fn sizes(subject: &Subject<'_>, account: &AccountName, kind: &str, attribute: &str) -> Inside {
    let size = |item: &Item| Some((item.address.to_string(), usize::try_from(item.number(attribute)?).ok()?));
    of_account(subject, account, kind).filter_map(size).collect()
}

/// Counts subnets by the account or organization that they are shared with.
pub(super) fn subnets_shared(subject: &Subject<'_>, account: &AccountName) -> Inside {
    let mut shared = Inside::new();
    for share in of_account(subject, account, "ram_resource_share") {
        let is_subnet = |resource: &&straddle_engine::value::Value| match resource.as_str() {
            Some(arn) => arn.contains(":subnet/"),
            None => subject.named(resource).is_some_and(|named| named.kind.as_str() == "subnet"),
        };
        let subnets = share.list("resources").iter().filter(is_subnet).count();
        for principal in share.texts("principals") {
            *shared.entry(principal.to_owned()).or_default() += subnets;
        }
    }
    shared
}

/// Counts NAT gateways by their zones: those that the plan leads to, and those of others.
pub(super) async fn nat_gateways_in_zones(
    subject: &Subject<'_>,
    account: &AccountName,
    client: &Client,
) -> Result<Inside, ProviderError> {
    let mut inside = Inside::new();
    for gateway in of_account(subject, account, "nat_gateway") {
        let subnet = gateway.value("subnet_id").and_then(|subnet| subject.named(subnet));
        if let Some(zone) = subnet.and_then(|subnet| subnet.text("availability_zone_id")) {
            *inside.entry(zone.to_owned()).or_default() += 1;
        }
    }
    let ours: BTreeSet<_> = subject.items().filter_map(|item| item.text("id")).collect();
    let standing = any_of("state", ["pending", "available"]);
    let call = client.ec2.reads.describe_nat_gateways().filter(standing).into_paginator().items().send();
    let found = call.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeNatGateways"))?;
    let foreign =
        found.iter().filter(|gateway| gateway.nat_gateway_id().is_some_and(|id| !ours.contains(id)));
    let subnets: Vec<_> = foreign.filter_map(|gateway| gateway.subnet_id()).collect();
    if subnets.is_empty() {
        return Ok(inside);
    }
    let call = client.ec2.reads.describe_subnets().filters(crate::ec2::owned_by(&client.place.account));
    let found = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let found = found.map_err(failed("DescribeSubnets"))?;
    let zones: BTreeMap<_, _> = found
        .iter()
        .filter_map(|subnet| Some((subnet.subnet_id()?, subnet.availability_zone_id()?)))
        .collect();
    for zone in subnets.into_iter().filter_map(|subnet| zones.get(subnet)) {
        *inside.entry((*zone).to_owned()).or_default() += 1;
    }
    Ok(inside)
}

fn of_account<'s>(
    subject: &'s Subject<'_>,
    account: &'s AccountName,
    kind: &'s str,
) -> impl Iterator<Item = &'s Item> {
    subject.lasting(kind).filter(move |item| item.account == *account)
}

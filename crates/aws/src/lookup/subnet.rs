//! `lookup` of a `subnet`, and of all `subnets` that fit.

use std::collections::BTreeMap;

use aws_sdk_ec2::types;
use straddle_engine::lookup::{Lookup, Match};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::{Attributes, Tags};

use super::{Filters, name_of};
use crate::client::Client;
use crate::ec2::listing::PAGE_SIZE;
use crate::ec2::{SERVICE, cidr, tags};
use crate::error::failed;

/// The lookup of one.
pub(crate) struct FindSubnet;

/// A subnet that exists, of the account or shared with it. Tags of a shared one are seen by its owner alone.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SubnetInputs {
    /// The id.
    #[attribute(refers_to = "subnet")]
    id: Option<String>,
    /// What else tells it from others; all of it has to fit.
    filter: Option<SubnetFilter>,
}

/// What tells a subnet from others.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SubnetFilter {
    /// Its tag `Name`.
    name: Option<String>,
    /// Tags that it has.
    tags: Option<BTreeMap<String, String>>,
    /// The VPC.
    #[attribute(refers_to = "vpc")]
    vpc_id: Option<String>,
    /// The id of the zone, such as `use1-az1`, which is the same in every account.
    availability_zone_id: Option<String>,
    /// Its range of IPv4 addresses.
    #[attribute(normalize = cidr::normalize_ipv4)]
    cidr_block: Option<String>,
    /// The account that owns it.
    owner_id: Option<String>,
    /// Whether new interfaces get public addresses.
    map_public_ip_on_launch: Option<bool>,
}

/// What EC2 says of a subnet.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SubnetOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns it.
    owner_id: Option<String>,
    /// The VPC.
    vpc_id: Option<String>,
    /// The range of IPv4 addresses.
    cidr_block: Option<String>,
    /// The id of the zone.
    availability_zone_id: Option<String>,
    /// The name that this account has for the zone.
    availability_zone: Option<String>,
    /// Whether new interfaces get public addresses.
    map_public_ip_on_launch: bool,
    /// Its tags, as far as the account sees them.
    tags: Tags,
}

impl Lookup for FindSubnet {
    const KIND: &'static str = "subnet";
    const SERVICE: &'static str = SERVICE;
    const ACTIONS: &'static [&'static str] = &["ec2:DescribeSubnets"];
    const EXAMPLE: &'static str = r#"
[lookup.public]
kind   = "subnet"
filter = { availability_zone_id = "use1-az1", tags = { "kubernetes.io/role/elb" = "1" } }

[eip.nat]

[nat_gateway.main]
subnet_id     = "${lookup.public.id}"
allocation_id = "${eip.nat.id}"
"#;

    type Inputs = SubnetInputs;
    type Outputs = SubnetOutputs;
    type Client = Client;

    async fn read(
        client: &Client,
        inputs: &SubnetInputs,
    ) -> Result<Vec<Match<SubnetOutputs>>, ProviderError> {
        let found = describe(client, inputs.id.as_ref(), inputs.filter.clone().unwrap_or_default()).await?;
        Ok(found.iter().filter_map(|subnet| matched(client, subnet)).collect())
    }
}

async fn describe(
    client: &Client,
    id: Option<&String>,
    filter: SubnetFilter,
) -> Result<Vec<types::Subnet>, ProviderError> {
    let is_public = filter.map_public_ip_on_launch.map(|is_public| is_public.to_string());
    let filters = Filters::default()
        .with("subnet-id", id)
        .with("vpc-id", filter.vpc_id.as_ref())
        .with("availability-zone-id", filter.availability_zone_id.as_ref())
        .with("cidr-block", filter.cidr_block.as_ref())
        .with("owner-id", filter.owner_id.as_ref())
        .with("map-public-ip-on-launch", is_public.as_ref())
        .named(filter.name.as_ref())
        .tagged(filter.tags.as_ref());
    let call = client.ec2.reads.describe_subnets().set_filters(filters.into_sdk());
    let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("DescribeSubnets"))
}

fn matched(client: &Client, subnet: &types::Subnet) -> Option<Match<SubnetOutputs>> {
    let id = subnet.subnet_id()?.to_owned();
    let tags = tags::observed(subnet.tags());
    let outputs = SubnetOutputs {
        arn: client.place.ec2_arn(subnet.owner_id(), "subnet", &id),
        owner_id: subnet.owner_id().map(str::to_owned),
        vpc_id: subnet.vpc_id().map(str::to_owned),
        cidr_block: subnet.cidr_block().map(str::to_owned),
        availability_zone_id: subnet.availability_zone_id().map(str::to_owned),
        availability_zone: subnet.availability_zone().map(str::to_owned),
        map_public_ip_on_launch: subnet.map_public_ip_on_launch() == Some(true),
        tags: tags.clone(),
    };
    Some(Match { id, name: name_of(&tags), outputs })
}

/// The lookup of all that fit.
pub(crate) struct FindSubnets;

/// The subnets that fit, of the account or shared with it; none is an answer too.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SubnetsInputs {
    /// What tells them from others; all of it has to fit.
    filter: SubnetFilter,
}

/// What EC2 says of the subnets; every list in the order of `ids`.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SubnetsOutputs {
    /// The ids, sorted by zone.
    ids: Vec<String>,
    /// The ARNs.
    arns: Vec<String>,
    /// The ids of the zones.
    availability_zone_ids: Vec<String>,
    /// The ids by zone, of zones that have one of them; of several in one zone, the first.
    by_zone: BTreeMap<String, String>,
}

impl Lookup for FindSubnets {
    const KIND: &'static str = "subnets";
    const SERVICE: &'static str = SERVICE;
    const ACTIONS: &'static [&'static str] = &["ec2:DescribeSubnets"];
    const EXAMPLE: &'static str = r#"
[lookup.private]
kind   = "subnets"
filter = { tags = { tier = "private" } }

[ram_resource_share.private]
name       = "private"
resources  = "${lookup.private.arns}"
principals = ["${account.apps.id}"]
"#;

    type Inputs = SubnetsInputs;
    type Outputs = SubnetsOutputs;
    type Client = Client;

    async fn read(
        client: &Client,
        inputs: &SubnetsInputs,
    ) -> Result<Vec<Match<SubnetsOutputs>>, ProviderError> {
        let found = describe(client, None, inputs.filter.clone()).await?;
        let mut found: Vec<_> = found.iter().filter_map(|subnet| matched(client, subnet)).collect();
        found.sort_by(|one, other| {
            (&one.outputs.availability_zone_id, &one.id)
                .cmp(&(&other.outputs.availability_zone_id, &other.id))
        });
        let zone =
            |found: &Match<SubnetOutputs>| found.outputs.availability_zone_id.clone().unwrap_or_default();
        let mut by_zone = BTreeMap::new();
        for subnet in &found {
            by_zone.entry(zone(subnet)).or_insert_with(|| subnet.id.clone());
        }
        let outputs = SubnetsOutputs {
            ids: found.iter().map(|subnet| subnet.id.clone()).collect(),
            arns: found.iter().map(|subnet| subnet.outputs.arn.clone()).collect(),
            availability_zone_ids: found.iter().map(zone).collect(),
            by_zone,
        };
        let id = inputs.filter.vpc_id.clone().unwrap_or_else(|| client.place.account.clone());
        Ok(vec![Match { id, name: None, outputs }])
    }
}

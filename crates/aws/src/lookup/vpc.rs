//! `lookup` of a `vpc`.

use std::collections::BTreeMap;

use straddle_engine::lookup::{Lookup, Match};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::{Attributes, Tags};

use super::{Filters, name_of};
use crate::client::Client;
use crate::ec2::listing::PAGE_SIZE;
use crate::ec2::{SERVICE, cidr, tags};
use crate::error::failed;

/// The lookup.
pub(crate) struct FindVpc;

/// A VPC that exists: by its id, or by what tells it from others. A VPC of which a subnet is shared
/// with the account is found too, but not by its tags, which its owner alone sees.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct VpcInputs {
    /// The id.
    #[attribute(refers_to = "vpc")]
    id: Option<String>,
    /// What else tells it from others; all of it has to fit.
    filter: Option<VpcFilter>,
}

/// What tells a VPC from others.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct VpcFilter {
    /// Its tag `Name`.
    name: Option<String>,
    /// Tags that it has.
    tags: Option<BTreeMap<String, String>>,
    /// Its first range of IPv4 addresses.
    #[attribute(normalize = cidr::normalize_ipv4)]
    cidr_block: Option<String>,
    /// The account that owns it.
    owner_id: Option<String>,
    /// Whether it is the one that AWS made with the account.
    is_default: Option<bool>,
}

/// What EC2 says of a VPC.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct VpcOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns it.
    owner_id: Option<String>,
    /// The first range of IPv4 addresses.
    cidr_block: Option<String>,
    /// All ranges of IPv4 addresses.
    cidr_blocks: Vec<String>,
    /// The set of DHCP options that is in use.
    dhcp_options_id: Option<String>,
    /// Its tags, as far as the account sees them.
    tags: Tags,
}

impl Lookup for FindVpc {
    const KIND: &'static str = "vpc";
    const SERVICE: &'static str = SERVICE;
    const ACTIONS: &'static [&'static str] = &["ec2:DescribeVpcs"];
    const EXAMPLE: &'static str = r#"
[lookup.shared]
kind   = "vpc"
filter = { name = "shared", tags = { stage = "prod" } }

[security_group.mine]
name        = "mine"
description = "In a network of others"
vpc_id      = "${lookup.shared.id}"
"#;

    type Inputs = VpcInputs;
    type Outputs = VpcOutputs;
    type Client = Client;

    async fn read(client: &Client, inputs: &VpcInputs) -> Result<Vec<Match<VpcOutputs>>, ProviderError> {
        let filter = inputs.filter.clone().unwrap_or_default();
        let is_default = filter.is_default.map(|is_default| is_default.to_string());
        let filters = Filters::default()
            .with("vpc-id", inputs.id.as_ref())
            .with("cidr-block", filter.cidr_block.as_ref())
            .with("owner-id", filter.owner_id.as_ref())
            .with("is-default", is_default.as_ref())
            .named(filter.name.as_ref())
            .tagged(filter.tags.as_ref());
        let call = client.ec2.reads.describe_vpcs().set_filters(filters.into_sdk());
        let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
        let found = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeVpcs"))?;
        let matched = |vpc: &aws_sdk_ec2::types::Vpc| {
            let id = vpc.vpc_id()?.to_owned();
            let tags = tags::observed(vpc.tags());
            let blocks = vpc.cidr_block_association_set().iter().filter_map(|block| block.cidr_block());
            let outputs = VpcOutputs {
                arn: client.place.ec2_arn(vpc.owner_id(), "vpc", &id),
                owner_id: vpc.owner_id().map(str::to_owned),
                cidr_block: vpc.cidr_block().map(str::to_owned),
                cidr_blocks: blocks.map(str::to_owned).collect(),
                dhcp_options_id: vpc.dhcp_options_id().map(str::to_owned),
                tags: tags.clone(),
            };
            Some(Match { id, name: name_of(&tags), outputs })
        };
        Ok(found.iter().filter_map(matched).collect())
    }
}

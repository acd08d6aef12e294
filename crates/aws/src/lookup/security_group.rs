//! `lookup` of a `security_group`.

use std::collections::BTreeMap;

use straddle_engine::lookup::{Lookup, Match};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::{Attributes, Tags};

use super::Filters;
use crate::client::Client;
use crate::ec2::listing::PAGE_SIZE;
use crate::ec2::{SERVICE, tags};
use crate::error::failed;

/// The lookup.
pub(crate) struct FindSecurityGroup;

/// A security group that exists.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SecurityGroupInputs {
    /// The id.
    id: Option<String>,
    /// What else tells it from others; all of it has to fit.
    filter: Option<SecurityGroupFilter>,
}

/// What tells a security group from others.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SecurityGroupFilter {
    /// The group's name, not the tag.
    name: Option<String>,
    /// Tags that it has.
    tags: Option<BTreeMap<String, String>>,
    /// The VPC.
    #[attribute(refers_to = "vpc")]
    vpc_id: Option<String>,
}

/// What EC2 says of a security group.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SecurityGroupOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns it.
    owner_id: Option<String>,
    /// The group's name.
    name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// The VPC.
    vpc_id: Option<String>,
    /// Its tags.
    tags: Tags,
}

impl Lookup for FindSecurityGroup {
    const KIND: &'static str = "security_group";
    const SERVICE: &'static str = SERVICE;
    const ACTIONS: &'static [&'static str] = &["ec2:DescribeSecurityGroups"];
    const EXAMPLE: &'static str = r#"
[lookup.nodes]
kind    = "security_group"
account = "apps"
filter  = { tags = { "aws:eks:cluster-name" = "demo" } }

[security_group_rule.from_balancer]
account           = "apps"
security_group_id = "${lookup.nodes.id}"
direction         = "ingress"
protocol          = "tcp"
ports             = "80"
cidr              = "10.0.0.0/16"
"#;

    type Inputs = SecurityGroupInputs;
    type Outputs = SecurityGroupOutputs;
    type Client = Client;

    async fn read(
        client: &Client,
        inputs: &SecurityGroupInputs,
    ) -> Result<Vec<Match<SecurityGroupOutputs>>, ProviderError> {
        let filter = inputs.filter.clone().unwrap_or_default();
        let filters = Filters::default()
            .with("group-id", inputs.id.as_ref())
            .with("group-name", filter.name.as_ref())
            .with("vpc-id", filter.vpc_id.as_ref())
            .tagged(filter.tags.as_ref());
        let call = client.ec2.reads.describe_security_groups().set_filters(filters.into_sdk());
        let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
        let found = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeSecurityGroups"))?;
        let matched = |group: &aws_sdk_ec2::types::SecurityGroup| {
            let id = group.group_id()?.to_owned();
            let name = group.group_name().map(str::to_owned);
            let outputs = SecurityGroupOutputs {
                arn: client.place.ec2_arn(group.owner_id(), "security-group", &id),
                owner_id: group.owner_id().map(str::to_owned),
                name: name.clone(),
                description: group.description().map(str::to_owned),
                vpc_id: group.vpc_id().map(str::to_owned),
                tags: tags::observed(group.tags()),
            };
            Some(Match { id, name, outputs })
        };
        Ok(found.iter().filter_map(matched).collect())
    }
}

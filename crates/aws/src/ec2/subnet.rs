//! `subnet`: a part of a VPC's addresses in one zone.

use std::time::Duration;

use aws_sdk_ec2::types::{
    self, AttributeBooleanValue, HostnameType, ResourceType, SubnetCidrBlockStateCode, SubnetState,
};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    ADDRESS_TAG, Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, STACK_TAG,
    Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::ValueMap;

use super::check::{is, is_set, problem};
use super::listing::{Found, PAGE_SIZE, readiness};
use super::named::VPC;
use super::tags::TagStep;
use super::{SERVICE, cidr, filters, tags};
use crate::blockers::INTERFACES_READ;
use crate::client::Client;
use crate::error::{answered, failed, unless};
use crate::essential;

/// The kind.
pub(crate) struct Subnet;

/// A part of a VPC's addresses in one availability zone.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SubnetInputs {
    /// The VPC.
    #[attribute(replace, refers_to = "vpc")]
    vpc_id: String,
    /// The range of IPv4 addresses, between /16 and /28, inside one of the VPC. AWS keeps five
    /// addresses of it for itself.
    #[attribute(replace, normalize = cidr::normalize_ipv4)]
    cidr_block: String,
    /// The id of the zone, such as `use1-az1`. Unlike a zone's name, it means the same zone in
    /// every account. If neither it nor the name is set, AWS picks a zone.
    #[attribute(replace)]
    availability_zone_id: Option<String>,
    /// The name that the subnet's account has for the zone, such as `us-east-1a`. In other accounts,
    /// another zone may have it: `straddle preflight` shows what each calls it. Say the id or the name.
    #[attribute(replace)]
    availability_zone: Option<String>,
    /// The range of IPv6 addresses, inside one of the VPC.
    #[attribute(normalize = cidr::normalize_ipv6)]
    ipv6_cidr_block: Option<String>,
    /// Whether new instances get a public IPv4 address.
    #[attribute(default = false)]
    map_public_ip_on_launch: Option<bool>,
    /// Whether new network interfaces get an IPv6 address. Needs `ipv6_cidr_block`.
    #[attribute(default = false)]
    assign_ipv6_address_on_creation: Option<bool>,
    /// Whether the resolver returns synthetic IPv6 addresses for what has IPv4 addresses only.
    #[attribute(default = false)]
    enable_dns64: Option<bool>,
    /// Whether the names of new instances are made of their address or of their id.
    #[attribute(default = "ip-name", one_of = ["ip-name", "resource-name"])]
    private_dns_hostname_type_on_launch: Option<String>,
    /// Whether the resolver answers for the id names of new instances with IPv4 addresses.
    #[attribute(default = false)]
    enable_resource_name_dns_a_record_on_launch: Option<bool>,
    /// Whether the resolver answers for the id names of new instances with IPv6 addresses.
    #[attribute(default = false)]
    enable_resource_name_dns_aaaa_record_on_launch: Option<bool>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EC2 says about a subnet.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct SubnetOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns the subnet, and not one that it is shared with.
    owner_id: Option<String>,
    /// The name that this account has for the zone, such as `us-east-1a`.
    availability_zone: Option<String>,
    /// The id of the association of the IPv6 range.
    #[attribute(volatile)]
    ipv6_cidr_block_association_id: Option<String>,
}

impl Listing for Found<types::Subnet> {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let call = client.ec2.reads.describe_subnets().set_filters(filters::ids("subnet-id", ids));
        let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
        let subnets = pages.collect::<Result<_, _>>().await.map_err(failed("DescribeSubnets"))?;
        Ok(Self::new(&client.place, subnets))
    }
}

/// A change of a subnet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SubnetStep {
    Set(Switch, bool),
    SetHostnameType(String),
    AssociateIpv6Range(String),
    DisassociateIpv6Range { association_id: String },
    Tag(TagStep),
    Delete,
}

/// An attribute that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    AssignIpv6,
    MapPublicIp,
    Dns64,
    ARecord,
    AaaaRecord,
}

impl Switch {
    /// All of them, in the order in which they are set.
    const ALL: [Self; 5] =
        [Self::AssignIpv6, Self::MapPublicIp, Self::Dns64, Self::ARecord, Self::AaaaRecord];

    fn of(self, inputs: &SubnetInputs) -> Option<bool> {
        match self {
            Self::AssignIpv6 => inputs.assign_ipv6_address_on_creation,
            Self::MapPublicIp => inputs.map_public_ip_on_launch,
            Self::Dns64 => inputs.enable_dns64,
            Self::ARecord => inputs.enable_resource_name_dns_a_record_on_launch,
            Self::AaaaRecord => inputs.enable_resource_name_dns_aaaa_record_on_launch,
        }
    }
}

impl Step for SubnetStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Set(..) | Self::SetHostnameType(_) => "ModifySubnetAttribute",
            Self::AssociateIpv6Range(_) => "AssociateSubnetCidrBlock",
            Self::DisassociateIpv6Range { .. } => "DisassociateSubnetCidrBlock",
            Self::Tag(step) => step.operation(),
            Self::Delete => "DeleteSubnet",
        }
    }
}

impl Resource for Subnet {
    const KIND: &'static str = "subnet";
    const ID_FORM: &'static str = "subnet-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        // A second subnet with the same range is refused (`InvalidSubnet.Conflict`), so sending
        // the call again cannot make two. What is adopted must carry our own tags besides.
        recovery: Recovery::NaturalKey,
        // Old and new one cannot have the same range at once.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(20),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        form: Form::Lane { zone: &["availability_zone_id", "availability_zone"] },
        theme: Theme::Network,
        within: &["vpc_id"],
        details: &["cidr_block"],
        ..Depiction::THING
    };
    const EXAMPLE: &'static str = include_str!("subnet/example.toml");
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:subnet/{id}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeSubnets"]),
        Need::create(&["ec2:CreateSubnet"]).on(&["{arn}", VPC]),
        tags::given_at_birth(&[("ec2:CreateAction", "CreateSubnet")]),
        Need::update(&["ec2:ModifySubnetAttribute"]).on(&["{arn}"]).setting(&[
            "map_public_ip_on_launch",
            "assign_ipv6_address_on_creation",
            "enable_dns64",
            "private_dns_hostname_type_on_launch",
            "enable_resource_name_dns_a_record_on_launch",
            "enable_resource_name_dns_aaaa_record_on_launch",
        ]),
        Need::update(&["ec2:AssociateSubnetCidrBlock", "ec2:DisassociateSubnetCidrBlock"])
            .on(&["{arn}"])
            .changing(&["ipv6_cidr_block"]),
        tags::CHANGED,
        Need::delete(&["ec2:DeleteSubnet"]).on(&["{arn}"]),
        INTERFACES_READ,
    ];
    const EXCLUSIVE: &'static [&'static str] = &["cidr_block", "vpc_id"];

    type Inputs = SubnetInputs;
    type Outputs = SubnetOutputs;
    type Client = Client;
    type Listing = Found<types::Subnet>;
    type Step = SubnetStep;

    fn essential(found: ValueMap) -> ValueMap {
        // The id of the zone says the same, and means it in every account.
        essential::without(found, &["availability_zone"])
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        [cidr::check_ipv4_size(inputs, "cidr_block", "subnet"), check_ipv6(inputs)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn observe(listing: &Self::Listing, id: &RemoteId) -> Option<Observed<SubnetInputs, SubnetOutputs>> {
        let id = id.as_str();
        let subnet = listing.thing(id)?;
        let arn = subnet.subnet_arn().map(str::to_owned);
        Some(Observed {
            inputs: observed_inputs(subnet),
            outputs: SubnetOutputs {
                arn: arn.unwrap_or_else(|| listing.place.ec2_arn(subnet.owner_id(), "subnet", id)),
                owner_id: subnet.owner_id().map(str::to_owned),
                availability_zone: subnet.availability_zone().map(str::to_owned),
                ipv6_cidr_block_association_id: ipv6_range(subnet)
                    .and_then(|range| range.association_id())
                    .map(str::to_owned),
            },
            readiness: subnet_readiness(subnet),
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &SubnetInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client
            .ec2
            .writes
            .create_subnet()
            .vpc_id(&inputs.vpc_id)
            .cidr_block(&inputs.cidr_block)
            .set_availability_zone_id(inputs.availability_zone_id.clone())
            .set_availability_zone(zone_name(inputs))
            .set_ipv6_cidr_block(inputs.ipv6_cidr_block.clone())
            .tag_specifications(tags::at_birth(ResourceType::Subnet, intent, inputs.tags.as_ref()));
        let answer = call.send().await.map_err(failed("CreateSubnet"))?;
        answered("CreateSubnet", answer.subnet().and_then(types::Subnet::subnet_id)).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<SubnetInputs, SubnetOutputs>,
        desired: Option<&SubnetInputs>,
    ) -> Option<SubnetStep> {
        let Some(desired) = desired else { return Some(SubnetStep::Delete) };
        let found = &observed.inputs;
        ipv6_step(observed, desired)
            .or_else(|| {
                let mut switches = Switch::ALL.into_iter();
                switches.find_map(|switch| switch_step(switch, found, desired))
            })
            .or_else(|| {
                let hostname_type = desired.private_dns_hostname_type_on_launch.clone();
                let changed = hostname_type.filter(|_| {
                    desired.private_dns_hostname_type_on_launch != found.private_dns_hostname_type_on_launch
                });
                changed.map(SubnetStep::SetHostnameType)
            })
            .or_else(|| tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(SubnetStep::Tag))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &SubnetStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let operation = step.operation();
        match step {
            SubnetStep::Set(switch, on) => set_switch(client, id, *switch, *on).await?,
            SubnetStep::SetHostnameType(hostname_type) => {
                let call = client.ec2.writes.modify_subnet_attribute().subnet_id(id.as_str());
                let call =
                    call.private_dns_hostname_type_on_launch(HostnameType::from(hostname_type.as_str()));
                call.send().await.map_err(failed(operation))?;
            }
            SubnetStep::AssociateIpv6Range(range) => {
                let call = client.ec2.writes.associate_subnet_cidr_block().subnet_id(id.as_str());
                call.ipv6_cidr_block(range).send().await.map_err(failed(operation))?;
            }
            SubnetStep::DisassociateIpv6Range { association_id } => {
                let call = client.ec2.writes.disassociate_subnet_cidr_block().association_id(association_id);
                let answer = call.send().await.map_err(failed(operation));
                unless(answer, "InvalidSubnetCidrBlockAssociationID.NotFound")?;
            }
            SubnetStep::Tag(step) => step.perform(client, id).await?,
            SubnetStep::Delete => {
                client
                    .ec2
                    .writes
                    .delete_subnet()
                    .subnet_id(id.as_str())
                    .send()
                    .await
                    .map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    /// One read finds both what this operation made and what an earlier one of ours left: either
    /// has the VPC and the range of the inputs.
    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &SubnetInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let same_key =
            [filters::equals("vpc-id", &inputs.vpc_id), filters::equals("cidr-block", &inputs.cidr_block)];
        let call = client.ec2.reads.describe_subnets().set_filters(Some(same_key.into()));
        let answer = call.send().await.map_err(failed("DescribeSubnets"))?;
        let ours = answer.subnets().iter().filter(|subnet| is_ours(subnet.tags(), intent, inputs));
        Ok(ours.filter_map(types::Subnet::subnet_id).map(RemoteId::new).collect())
    }
}

/// Tells whether a subnet was made by this operation, or for the same address of the same stack.
fn is_ours(found: &[types::Tag], intent: &Intent, inputs: &SubnetInputs) -> bool {
    let owned = inputs.tags.as_ref().is_some_and(|ours| {
        [STACK_TAG, ADDRESS_TAG]
            .iter()
            .all(|key| ours.0.get(*key).is_some_and(|value| tags::has(found, key, value)))
    });
    owned || tags::are_of(intent, found)
}

/// EC2 takes one of both; what was imported has both.
fn zone_name(inputs: &SubnetInputs) -> Option<String> {
    inputs.availability_zone.clone().filter(|_| inputs.availability_zone_id.is_none())
}

fn check_ipv6(inputs: &ValueMap) -> Option<Problem> {
    (is(inputs, "assign_ipv6_address_on_creation", true) && !is_set(inputs, "ipv6_cidr_block")).then(|| {
        problem(
            "assign_ipv6_address_on_creation",
            "Interfaces cannot get IPv6 addresses in a subnet without an IPv6 range.",
            "Set `ipv6_cidr_block`, or remove `assign_ipv6_address_on_creation`.",
        )
    })
}

fn observed_inputs(subnet: &types::Subnet) -> SubnetInputs {
    let names = subnet.private_dns_name_options_on_launch();
    let record = |on: Option<bool>| Some(on.unwrap_or(false));
    SubnetInputs {
        vpc_id: subnet.vpc_id().unwrap_or_default().to_owned(),
        cidr_block: subnet.cidr_block().unwrap_or_default().to_owned(),
        availability_zone_id: subnet.availability_zone_id().map(str::to_owned),
        availability_zone: subnet.availability_zone().map(str::to_owned),
        ipv6_cidr_block: ipv6_range(subnet).and_then(|range| range.ipv6_cidr_block()).map(str::to_owned),
        map_public_ip_on_launch: Some(subnet.map_public_ip_on_launch().unwrap_or(false)),
        assign_ipv6_address_on_creation: Some(subnet.assign_ipv6_address_on_creation().unwrap_or(false)),
        enable_dns64: Some(subnet.enable_dns64().unwrap_or(false)),
        private_dns_hostname_type_on_launch: names
            .and_then(|names| names.hostname_type())
            .map(|hostname_type| hostname_type.as_str().to_owned()),
        enable_resource_name_dns_a_record_on_launch: record(
            names.and_then(types::PrivateDnsNameOptionsOnLaunch::enable_resource_name_dns_a_record),
        ),
        enable_resource_name_dns_aaaa_record_on_launch: record(
            names.and_then(types::PrivateDnsNameOptionsOnLaunch::enable_resource_name_dns_aaaa_record),
        ),
        tags: Some(tags::observed(subnet.tags())),
    }
}

/// Returns the IPv6 range of the subnet, unless it is gone or failed to be added.
fn ipv6_range(subnet: &types::Subnet) -> Option<&types::SubnetIpv6CidrBlockAssociation> {
    let gone = |range: &types::SubnetIpv6CidrBlockAssociation| {
        matches!(ipv6_state(range), Some("disassociated" | "failed"))
    };
    subnet.ipv6_cidr_block_association_set().iter().find(|range| !gone(range))
}

fn ipv6_state(range: &types::SubnetIpv6CidrBlockAssociation) -> Option<&str> {
    range.ipv6_cidr_block_state().and_then(|state| state.state()).map(SubnetCidrBlockStateCode::as_str)
}

fn subnet_readiness(subnet: &types::Subnet) -> Readiness {
    match readiness(subnet.state().map(SubnetState::as_str), "available") {
        Readiness::Ready => readiness(ipv6_range(subnet).and_then(ipv6_state), "associated"),
        other @ (Readiness::Pending(_)
        | Readiness::Degraded(_)
        | Readiness::Impaired(_)
        | Readiness::Failed(_)) => other,
    }
}

/// A range goes before the next one comes, and no interface may be given addresses of it meanwhile.
fn ipv6_step(observed: &Observed<SubnetInputs, SubnetOutputs>, desired: &SubnetInputs) -> Option<SubnetStep> {
    let found = &observed.inputs;
    let range =
        desired.ipv6_cidr_block.clone().filter(|range| found.ipv6_cidr_block.as_ref() != Some(range))?;
    let Some(association_id) = observed.outputs.ipv6_cidr_block_association_id.clone() else {
        return Some(SubnetStep::AssociateIpv6Range(range));
    };
    if found.assign_ipv6_address_on_creation == Some(true) {
        return Some(SubnetStep::Set(Switch::AssignIpv6, false));
    }
    Some(SubnetStep::DisassociateIpv6Range { association_id })
}

fn switch_step(switch: Switch, found: &SubnetInputs, desired: &SubnetInputs) -> Option<SubnetStep> {
    let on = switch.of(desired)?;
    (switch.of(found) != Some(on)).then_some(SubnetStep::Set(switch, on))
}

/// EC2 takes one attribute in each `ModifySubnetAttribute`.
async fn set_switch(client: &Client, id: &RemoteId, switch: Switch, on: bool) -> Result<(), ProviderError> {
    let value = AttributeBooleanValue::builder().value(on).build();
    let call = client.ec2.writes.modify_subnet_attribute().subnet_id(id.as_str());
    let call = match switch {
        Switch::AssignIpv6 => call.assign_ipv6_address_on_creation(value),
        Switch::MapPublicIp => call.map_public_ip_on_launch(value),
        Switch::Dns64 => call.enable_dns64(value),
        Switch::ARecord => call.enable_resource_name_dns_a_record_on_launch(value),
        Switch::AaaaRecord => call.enable_resource_name_dns_aaaa_record_on_launch(value),
    };
    call.send().await.map_err(failed("ModifySubnetAttribute"))?;
    Ok(())
}

#[cfg(test)]
mod tests;

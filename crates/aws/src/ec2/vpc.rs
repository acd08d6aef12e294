//! `vpc`: a virtual private cloud.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ec2::types::{
    self, AttributeBooleanValue, ResourceType, Tenancy, VpcAttributeName, VpcState, VpcTenancy,
};
use futures::future::try_join3;
use futures::stream::{self, StreamExt, TryStreamExt};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::check::{is, is_set, problem};
use super::listing::{Found, PAGE_SIZE, readiness};
use super::tags::TagStep;
use super::{SERVICE, cidr, filters, tags};
use crate::blockers::{INTERFACES_READ, PARTS_READ};
use crate::client::Client;
use crate::error::{answered, failed};

/// The kind.
pub(crate) struct Vpc;

/// A virtual private cloud: an isolated network in one region.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct VpcInputs {
    /// The range of IPv4 addresses, between /16 and /28. Without it, `ipv4_ipam_pool_id` and
    /// `ipv4_netmask_length` say where the range comes from.
    #[attribute(replace, normalize = cidr::normalize_ipv4)]
    cidr_block: Option<String>,
    /// The pool of IP Address Manager that the range is taken from.
    #[attribute(replace, write_only)]
    ipv4_ipam_pool_id: Option<String>,
    /// The prefix length of the range that is taken from the pool, such as 20.
    #[attribute(replace, write_only)]
    ipv4_netmask_length: Option<i64>,
    /// Whether instances run on hardware of their own. From `dedicated` to `default` it is
    /// changed in place, which leaves running instances where they are.
    #[attribute(replace, default = "default", one_of = ["default", "dedicated"])]
    instance_tenancy: Option<String>,
    /// Whether the resolver of AWS answers inside the VPC.
    #[attribute(default = true)]
    enable_dns_support: Option<bool>,
    /// Whether instances with public addresses get public DNS names. Needs `enable_dns_support`;
    /// EKS needs both.
    #[attribute(default = false)]
    enable_dns_hostnames: Option<bool>,
    /// Whether the number of addresses in use is published as a metric.
    #[attribute(default = false)]
    enable_network_address_usage_metrics: Option<bool>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EC2 says about a VPC.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct VpcOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns the VPC.
    owner_id: Option<String>,
    /// The set of DHCP options that is in use.
    dhcp_options_id: Option<String>,
}

/// Of how many VPCs the attributes are read at once.
const VPCS_AT_ONCE: usize = 4;

/// The VPCs, and the attributes that `DescribeVpcs` leaves out.
pub(crate) struct Vpcs {
    found: Found<types::Vpc>,
    attributes: BTreeMap<String, DnsAttributes>,
}

/// The attributes of a VPC that are read one by one.
#[derive(Debug, Clone, Copy)]
struct DnsAttributes {
    support: Option<bool>,
    hostnames: Option<bool>,
    usage_metrics: Option<bool>,
}

const SUPPORT: &str = "enable_dns_support";
const HOSTNAMES: &str = "enable_dns_hostnames";
const USAGE_METRICS: &str = "enable_network_address_usage_metrics";

impl Listing for Vpcs {
    const SPARED: &'static [&'static str] = &[SUPPORT, HOSTNAMES, USAGE_METRICS];

    type Client = Client;

    /// Besides one list call this takes three calls for each VPC: `DescribeVpcAttribute` has no
    /// list form and answers one attribute at a time.
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        read(client, ids, |_| true).await
    }

    async fn survey(
        client: &Client,
        ids: &[RemoteId],
        wanted: &BTreeSet<String>,
    ) -> Result<Self, ProviderError> {
        read(client, ids, |attribute| wanted.contains(attribute)).await
    }
}

/// Reads VPCs, with those of their attributes that are wanted.
async fn read(
    client: &Client,
    ids: &[RemoteId],
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vpcs, ProviderError> {
    let call = client.ec2.reads.describe_vpcs().set_filters(filters::ids("vpc-id", ids));
    let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
    let mut vpcs = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeVpcs"))?;
    let wanted: BTreeSet<_> = ids.iter().map(RemoteId::as_str).collect();
    vpcs.retain(|vpc| vpc.vpc_id().is_some_and(|id| wanted.contains(id)));
    let listed: Vec<_> = vpcs.iter().filter_map(types::Vpc::vpc_id).map(str::to_owned).collect();
    let wanted = [SUPPORT, HOSTNAMES, USAGE_METRICS].map(is_wanted);
    let reads = stream::iter(listed).map(|id| read_attributes(client, id, wanted)).buffered(VPCS_AT_ONCE);
    let attributes: Vec<_> = reads.try_collect().await?;
    let attributes = attributes.into_iter().flatten().collect();
    Ok(Vpcs { found: Found::new(&client.place, vpcs), attributes })
}

/// Reads the attributes of one VPC; `None` if it has gone since it was listed.
async fn read_attributes(
    client: &Client,
    id: String,
    [support, hostnames, usage_metrics]: [bool; 3],
) -> Result<Option<(String, DnsAttributes)>, ProviderError> {
    let read = async |is_wanted: bool, name: VpcAttributeName| {
        if is_wanted { read_attribute(client, &id, name).await.map(Some) } else { Ok(None) }
    };
    let reads = try_join3(
        read(support, VpcAttributeName::EnableDnsSupport),
        read(hostnames, VpcAttributeName::EnableDnsHostnames),
        read(usage_metrics, VpcAttributeName::EnableNetworkAddressUsageMetrics),
    );
    match reads.await {
        Ok((support, hostnames, usage_metrics)) => {
            Ok(Some((id.clone(), DnsAttributes { support, hostnames, usage_metrics })))
        }
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn read_attribute(client: &Client, id: &str, name: VpcAttributeName) -> Result<bool, ProviderError> {
    let call = client.ec2.reads.describe_vpc_attribute().vpc_id(id).attribute(name);
    let answer = call.send().await.map_err(failed("DescribeVpcAttribute"))?;
    // The answer has the one attribute that was asked for.
    let values = [
        answer.enable_dns_support(),
        answer.enable_dns_hostnames(),
        answer.enable_network_address_usage_metrics(),
    ];
    Ok(values.into_iter().flatten().any(|value| value.value() == Some(true)))
}

/// A change of a VPC.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum VpcStep {
    SetDnsSupport(bool),
    SetDnsHostnames(bool),
    SetUsageMetrics(bool),
    EndDedicatedTenancy,
    Tag(TagStep),
    Delete,
}

impl Step for VpcStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::SetDnsSupport(_) | Self::SetDnsHostnames(_) | Self::SetUsageMetrics(_) => {
                "ModifyVpcAttribute"
            }
            Self::EndDedicatedTenancy => "ModifyVpcTenancy",
            Self::Tag(step) => step.operation(),
            Self::Delete => "DeleteVpc",
        }
    }
}

impl Resource for Vpc {
    const KIND: &'static str = "vpc";
    const ID_FORM: &'static str = "vpc-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::TagSearch,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction = Depiction {
        title: "VPC",
        form: Form::Network,
        theme: Theme::Network,
        details: &["cidr_block"],
        ..Depiction::THING
    };
    const EXAMPLE: &'static str = include_str!("vpc/example.toml");
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:vpc/{id}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeVpcs", "ec2:DescribeVpcAttribute"]),
        Need::create(&["ec2:CreateVpc"])
            .on(&["{arn}", "arn:{partition}:ec2::{account}:ipam-pool/{ipv4_ipam_pool_id}"]),
        tags::given_at_birth(&[("ec2:CreateAction", "CreateVpc")]),
        Need::update(&["ec2:ModifyVpcAttribute"]).on(&["{arn}"]).setting(&[
            "enable_dns_support",
            "enable_dns_hostnames",
            "enable_network_address_usage_metrics",
        ]),
        Need::update(&["ec2:ModifyVpcTenancy"]).on(&["{arn}"]).changing(&["instance_tenancy"]),
        tags::CHANGED,
        Need::delete(&["ec2:DeleteVpc"]).on(&["{arn}"]),
        INTERFACES_READ,
        PARTS_READ,
    ];

    type Inputs = VpcInputs;
    type Outputs = VpcOutputs;
    type Client = Client;
    type Listing = Vpcs;
    type Step = VpcStep;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        [check_range(inputs), cidr::check_ipv4_size(inputs, "cidr_block", "VPC"), check_dns(inputs)]
            .into_iter()
            .flatten()
            .collect()
    }

    fn must_replace(attribute: &str, before: &Value, after: &Value) -> bool {
        let to_default = before.as_str() == Some("dedicated") && after.as_str() == Some("default");
        !(attribute == "instance_tenancy" && to_default)
    }

    fn observe(listing: &Vpcs, id: &RemoteId) -> Option<Observed<VpcInputs, VpcOutputs>> {
        let id = id.as_str();
        let vpc = listing.found.thing(id)?;
        let dns = listing.attributes.get(id)?;
        Some(Observed {
            inputs: VpcInputs {
                cidr_block: vpc.cidr_block().map(str::to_owned),
                ipv4_ipam_pool_id: None,
                ipv4_netmask_length: None,
                instance_tenancy: vpc.instance_tenancy().map(|tenancy| tenancy.as_str().to_owned()),
                enable_dns_support: dns.support,
                enable_dns_hostnames: dns.hostnames,
                enable_network_address_usage_metrics: dns.usage_metrics,
                tags: Some(tags::observed(vpc.tags())),
            },
            outputs: VpcOutputs {
                arn: listing.found.place.ec2_arn(vpc.owner_id(), "vpc", id),
                owner_id: vpc.owner_id().map(str::to_owned),
                dhcp_options_id: vpc.dhcp_options_id().map(str::to_owned),
            },
            readiness: readiness(vpc.state().map(VpcState::as_str), "available"),
        })
    }

    async fn create(client: &Client, intent: &Intent, inputs: &VpcInputs) -> Result<RemoteId, ProviderError> {
        let netmask_length = inputs.ipv4_netmask_length.and_then(|length| i32::try_from(length).ok());
        let call = client
            .ec2
            .writes
            .create_vpc()
            .set_cidr_block(inputs.cidr_block.clone())
            .set_ipv4_ipam_pool_id(inputs.ipv4_ipam_pool_id.clone())
            .set_ipv4_netmask_length(netmask_length)
            .set_instance_tenancy(inputs.instance_tenancy.as_deref().map(Tenancy::from))
            .tag_specifications(tags::at_birth(ResourceType::Vpc, intent, inputs.tags.as_ref()));
        let answer = call.send().await.map_err(failed("CreateVpc"))?;
        answered("CreateVpc", answer.vpc().and_then(types::Vpc::vpc_id)).map(RemoteId::new)
    }

    fn next_step(observed: &Observed<VpcInputs, VpcOutputs>, desired: Option<&VpcInputs>) -> Option<VpcStep> {
        let Some(desired) = desired else { return Some(VpcStep::Delete) };
        let found = &observed.inputs;
        dns_step(found, desired)
            .or_else(|| {
                changed(
                    found.enable_network_address_usage_metrics,
                    desired.enable_network_address_usage_metrics,
                )
                .map(VpcStep::SetUsageMetrics)
            })
            .or_else(|| tenancy_step(found, desired))
            .or_else(|| tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(VpcStep::Tag))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &VpcStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let attribute = client.ec2.writes.modify_vpc_attribute().vpc_id(id.as_str());
        let operation = step.operation();
        match step {
            VpcStep::SetDnsSupport(on) => {
                attribute.enable_dns_support(boolean(*on)).send().await.map_err(failed(operation))?;
            }
            VpcStep::SetDnsHostnames(on) => {
                attribute.enable_dns_hostnames(boolean(*on)).send().await.map_err(failed(operation))?;
            }
            VpcStep::SetUsageMetrics(on) => {
                let call = attribute.enable_network_address_usage_metrics(boolean(*on));
                call.send().await.map_err(failed(operation))?;
            }
            VpcStep::EndDedicatedTenancy => {
                let call = client.ec2.writes.modify_vpc_tenancy().vpc_id(id.as_str());
                call.instance_tenancy(VpcTenancy::Default).send().await.map_err(failed(operation))?;
            }
            VpcStep::Tag(step) => step.perform(client, id).await?,
            VpcStep::Delete => {
                client.ec2.writes.delete_vpc().vpc_id(id.as_str()).send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(client: &Client, intent: &Intent, _: &VpcInputs) -> Result<Vec<RemoteId>, ProviderError> {
        let call = client.ec2.reads.describe_vpcs().filters(filters::made_by(intent));
        let answer = call.send().await.map_err(failed("DescribeVpcs"))?;
        Ok(answer.vpcs().iter().filter_map(types::Vpc::vpc_id).map(RemoteId::new).collect())
    }
}

fn check_range(inputs: &ValueMap) -> Option<Problem> {
    let (pool, length) = (is_set(inputs, "ipv4_ipam_pool_id"), is_set(inputs, "ipv4_netmask_length"));
    match (is_set(inputs, "cidr_block"), pool, length) {
        (true, false, false) | (false, true, true) => None,
        (true, _, _) => Some(problem(
            "cidr_block",
            "The range is given twice: by `cidr_block` and as one from a pool.",
            "Keep either `cidr_block`, or `ipv4_ipam_pool_id` and `ipv4_netmask_length`.",
        )),
        (false, _, _) => Some(problem(
            "cidr_block",
            "A VPC needs a range of IPv4 addresses.",
            "Set `cidr_block`, or both `ipv4_ipam_pool_id` and `ipv4_netmask_length`.",
        )),
    }
}

fn check_dns(inputs: &ValueMap) -> Option<Problem> {
    (is(inputs, "enable_dns_hostnames", true) && is(inputs, "enable_dns_support", false)).then(|| {
        problem(
            "enable_dns_hostnames",
            "DNS names need the resolver that `enable_dns_support` switches off.",
            "Remove `enable_dns_support = false`, or set `enable_dns_hostnames = false`.",
        )
    })
}

/// Returns the desired value if it is another than the one found; an attribute that the spec
/// leaves open never changes.
fn changed(found: Option<bool>, desired: Option<bool>) -> Option<bool> {
    desired.filter(|desired| found != Some(*desired))
}

/// Host names need DNS support: they are switched on after it and off before it.
fn dns_step(found: &VpcInputs, desired: &VpcInputs) -> Option<VpcStep> {
    let hostnames = changed(found.enable_dns_hostnames, desired.enable_dns_hostnames);
    let support = changed(found.enable_dns_support, desired.enable_dns_support);
    match (hostnames, support) {
        (Some(false), _) => Some(VpcStep::SetDnsHostnames(false)),
        (_, Some(on)) => Some(VpcStep::SetDnsSupport(on)),
        (Some(true), None) => Some(VpcStep::SetDnsHostnames(true)),
        (None, None) => None,
    }
}

fn tenancy_step(found: &VpcInputs, desired: &VpcInputs) -> Option<VpcStep> {
    let ended = found.instance_tenancy.as_deref() == Some("dedicated")
        && desired.instance_tenancy.as_deref() == Some("default");
    ended.then_some(VpcStep::EndDedicatedTenancy)
}

fn boolean(value: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(value).build()
}

#[cfg(test)]
mod tests;

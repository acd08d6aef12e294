//! `nat_gateway`: the way out for subnets without public addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ec2::types::{self, ConnectivityType, NatGatewayAddressStatus, NatGatewayState, ResourceType};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::check::{is, is_set, problem};
use super::listing::{Found, PAGE_SIZE};
use super::named::{ADDRESS, SECONDARY_ADDRESSES, SUBNET};
use super::tags::TagStep;
use super::{SERVICE, filters, tags};
use crate::client::Client;
use crate::error::{answered, failed, unless};
use crate::essential;

/// The kind.
pub(crate) struct NatGateway;

/// The way out for instances without public addresses. A public one needs an internet gateway
/// that is attached and a route to it, or it fails.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct NatGatewayInputs {
    /// The subnet that the gateway is in.
    #[attribute(replace, refers_to = "subnet")]
    subnet_id: String,
    /// The Elastic IP address of a public gateway.
    #[attribute(replace, refers_to = "eip")]
    allocation_id: Option<String>,
    /// Whether the gateway leads to the internet or to other private networks.
    #[attribute(replace, default = "public", one_of = ["public", "private"])]
    connectivity_type: Option<String>,
    /// The gateway's private address. If it is not set, AWS picks one of the subnet's.
    #[attribute(replace)]
    private_ip: Option<String>,
    /// More Elastic IP addresses of a public gateway.
    #[attribute(refers_to = "eip", holds, default = Vec::<Value>::new())]
    secondary_allocation_ids: Option<BTreeSet<String>>,
    /// More private addresses of a private gateway.
    #[attribute(default = Vec::<Value>::new())]
    secondary_private_ip_addresses: Option<BTreeSet<String>>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EC2 says about a NAT gateway.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct NatGatewayOutputs {
    /// The ARN.
    arn: String,
    /// The public address that the traffic comes from.
    public_ip: Option<String>,
    /// The id of the association with the Elastic IP address.
    association_id: Option<String>,
    /// The network interface.
    network_interface_id: Option<String>,
    /// The ids of the associations with the secondary Elastic IP addresses, by allocation id.
    #[attribute(volatile)]
    secondary_association_ids: Option<BTreeMap<String, String>>,
}

impl Listing for Found<types::NatGateway> {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let call = client.ec2.reads.describe_nat_gateways().set_filter(filters::ids("nat-gateway-id", ids));
        let pages = call.into_paginator().page_size(PAGE_SIZE).items().send();
        let gateways = pages.collect::<Result<_, _>>().await.map_err(failed("DescribeNatGateways"))?;
        Ok(Self::new(&client.place, gateways))
    }
}

/// A change of a NAT gateway.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NatGatewayStep {
    AssociateAddresses { allocation_ids: Vec<String> },
    DisassociateAddresses { association_ids: Vec<String> },
    AssignPrivateAddresses(Vec<String>),
    UnassignPrivateAddresses(Vec<String>),
    Tag(TagStep),
    Delete,
}

impl Step for NatGatewayStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::AssociateAddresses { .. } => "AssociateNatGatewayAddress",
            Self::DisassociateAddresses { .. } => "DisassociateNatGatewayAddress",
            Self::AssignPrivateAddresses(_) => "AssignPrivateNatGatewayAddress",
            Self::UnassignPrivateAddresses(_) => "UnassignPrivateNatGatewayAddress",
            Self::Tag(step) => step.operation(),
            Self::Delete => "DeleteNatGateway",
        }
    }
}

impl Resource for NatGateway {
    const KIND: &'static str = "nat_gateway";
    const ID_FORM: &'static str = "nat-*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        // An Elastic IP address serves one gateway at a time.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts { delete: Duration::from_mins(30), ..Timeouts::minutes(10) },
        poll: Duration::from_secs(5),
    };
    const DEPICTION: Depiction =
        Depiction { title: "NAT gateway", theme: Theme::Network, within: &["subnet_id"], ..Depiction::THING };
    const ARN: &'static str = "arn:{partition}:ec2:{region}:{account}:natgateway/{id}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ec2:DescribeNatGateways"]),
        Need::create(&["ec2:CreateNatGateway"]).on(&["{arn}", SUBNET, ADDRESS, SECONDARY_ADDRESSES]),
        tags::given_at_birth(&[("ec2:CreateAction", "CreateNatGateway")]),
        Need::update(&["ec2:AssociateNatGatewayAddress"])
            .on(&["{arn}", SECONDARY_ADDRESSES])
            .changing(&["secondary_allocation_ids"]),
        Need::update(&["ec2:DisassociateNatGatewayAddress"])
            .on(&["{arn}"])
            .changing(&["secondary_allocation_ids"]),
        Need::update(&["ec2:AssignPrivateNatGatewayAddress", "ec2:UnassignPrivateNatGatewayAddress"])
            .on(&["{arn}"])
            .changing(&["secondary_private_ip_addresses"]),
        tags::CHANGED,
        Need::delete(&["ec2:DeleteNatGateway"]).on(&["{arn}"]),
    ];
    const EXAMPLE: &'static str = include_str!("nat_gateway/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["allocation_id"];

    type Inputs = NatGatewayInputs;
    type Outputs = NatGatewayOutputs;
    type Client = Client;
    type Listing = Found<types::NatGateway>;
    type Step = NatGatewayStep;

    fn essential(found: ValueMap) -> ValueMap {
        essential::without(found, &["private_ip"])
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let private = is(inputs, "connectivity_type", "private");
        let public = is(inputs, "connectivity_type", "public") || !is_set(inputs, "connectivity_type");
        let found = [
            (public && !is_set(inputs, "allocation_id")).then(|| {
                problem(
                    "allocation_id",
                    "A public NAT gateway needs an Elastic IP address.",
                    "Add an `eip` and write `allocation_id = \"${eip.NAME.id}\"`, or set \
                     `connectivity_type = \"private\"`.",
                )
            }),
            (private && is_set(inputs, "allocation_id")).then(|| only("allocation_id", "public")),
            (private && is_set(inputs, "secondary_allocation_ids"))
                .then(|| only("secondary_allocation_ids", "public")),
            (public && is_set(inputs, "secondary_private_ip_addresses"))
                .then(|| only("secondary_private_ip_addresses", "private")),
        ];
        found.into_iter().flatten().collect()
    }

    fn observe(
        listing: &Self::Listing,
        id: &RemoteId,
    ) -> Option<Observed<NatGatewayInputs, NatGatewayOutputs>> {
        let id = id.as_str();
        let gateway = listing.thing(id)?;
        let readiness = gateway_readiness(gateway)?;
        let primary =
            gateway.nat_gateway_addresses().iter().find(|address| address.is_primary() != Some(false));
        let primary_text =
            |part: fn(&types::NatGatewayAddress) -> Option<&str>| primary.and_then(part).map(str::to_owned);
        Some(Observed {
            inputs: observed_inputs(gateway, primary),
            outputs: NatGatewayOutputs {
                arn: listing.place.ec2_arn(None, "natgateway", id),
                public_ip: primary_text(types::NatGatewayAddress::public_ip),
                association_id: primary_text(types::NatGatewayAddress::association_id),
                network_interface_id: primary_text(types::NatGatewayAddress::network_interface_id),
                secondary_association_ids: Some(secondary_association_ids(gateway)),
            },
            readiness,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &NatGatewayInputs,
    ) -> Result<RemoteId, ProviderError> {
        let connectivity_type = inputs.connectivity_type.as_deref().unwrap_or("public");
        let call = client
            .ec2
            .writes
            .create_nat_gateway()
            .client_token(&intent.token)
            .subnet_id(&inputs.subnet_id)
            .set_allocation_id(inputs.allocation_id.clone())
            .connectivity_type(ConnectivityType::from(connectivity_type))
            .set_private_ip_address(inputs.private_ip.clone())
            .set_secondary_allocation_ids(texts(inputs.secondary_allocation_ids.as_ref()))
            .set_secondary_private_ip_addresses(texts(inputs.secondary_private_ip_addresses.as_ref()))
            .tag_specifications(tags::at_birth(ResourceType::Natgateway, intent, inputs.tags.as_ref()));
        let answer = call.send().await.map_err(failed("CreateNatGateway"))?;
        let id = answer.nat_gateway().and_then(types::NatGateway::nat_gateway_id);
        answered("CreateNatGateway", id).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<NatGatewayInputs, NatGatewayOutputs>,
        desired: Option<&NatGatewayInputs>,
    ) -> Option<NatGatewayStep> {
        let Some(desired) = desired else { return Some(NatGatewayStep::Delete) };
        if matches!(observed.readiness, Readiness::Failed(_)) {
            // Nothing but another gateway helps.
            return None;
        }
        let found = &observed.inputs;
        public_address_step(observed, desired)
            .or_else(|| private_address_step(found, desired))
            .or_else(|| tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(NatGatewayStep::Tag))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &NatGatewayStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let writes = &client.ec2.writes;
        let (operation, gateway) = (step.operation(), id.as_str());
        match step {
            NatGatewayStep::AssociateAddresses { allocation_ids } => {
                let call = writes.associate_nat_gateway_address().nat_gateway_id(gateway);
                let call = call.set_allocation_ids(Some(allocation_ids.clone()));
                call.send().await.map_err(failed(operation))?;
            }
            NatGatewayStep::DisassociateAddresses { association_ids } => {
                let call = writes.disassociate_nat_gateway_address().nat_gateway_id(gateway);
                let call = call.set_association_ids(Some(association_ids.clone()));
                let answer = call.send().await.map_err(failed(operation));
                unless(answer, "InvalidAssociationID.NotFound")?;
            }
            NatGatewayStep::AssignPrivateAddresses(addresses) => {
                let call = writes.assign_private_nat_gateway_address().nat_gateway_id(gateway);
                let call = call.set_private_ip_addresses(Some(addresses.clone()));
                call.send().await.map_err(failed(operation))?;
            }
            NatGatewayStep::UnassignPrivateAddresses(addresses) => {
                let call = writes.unassign_private_nat_gateway_address().nat_gateway_id(gateway);
                let call = call.set_private_ip_addresses(Some(addresses.clone()));
                call.send().await.map_err(failed(operation))?;
            }
            NatGatewayStep::Tag(step) => step.perform(client, id).await?,
            NatGatewayStep::Delete => {
                let call = writes.delete_nat_gateway().nat_gateway_id(gateway);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    /// The tag is compared once more, since not every emulator of EC2 filters NAT gateways by it.
    async fn find(
        client: &Client,
        intent: &Intent,
        _: &NatGatewayInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let call = client.ec2.reads.describe_nat_gateways().filter(filters::made_by(intent));
        let answer = call.send().await.map_err(failed("DescribeNatGateways"))?;
        let ours = answer.nat_gateways().iter().filter(|gateway| {
            tags::are_of(intent, gateway.tags()) && !matches!(state(gateway), Some("deleting" | "deleted"))
        });
        let mut ours: Vec<_> = ours.collect();
        ours.sort_by_key(|gateway| gateway.create_time().copied());
        Ok(ours.into_iter().filter_map(types::NatGateway::nat_gateway_id).map(RemoteId::new).collect())
    }
}

fn only(attribute: &'static str, connectivity_type: &str) -> Problem {
    problem(
        attribute,
        format!("Only a {connectivity_type} NAT gateway takes `{attribute}`."),
        format!("Remove it, or set `connectivity_type = \"{connectivity_type}\"`."),
    )
}

fn state(gateway: &types::NatGateway) -> Option<&str> {
    gateway.state().map(NatGatewayState::as_str)
}

fn address_status(address: &types::NatGatewayAddress) -> Option<&str> {
    address.status().map(NatGatewayAddressStatus::as_str)
}

/// Returns `None` for a gateway that is deleted: EC2 goes on listing it for about an hour.
fn gateway_readiness(gateway: &types::NatGateway) -> Option<Readiness> {
    Some(match state(gateway) {
        Some("deleted") => return None,
        Some("failed") => Readiness::Failed(failure(gateway.failure_code(), gateway.failure_message())),
        Some(state @ ("pending" | "deleting")) => Readiness::Pending(state.to_owned()),
        _ => addresses_readiness(gateway),
    })
}

/// Addresses that are added later have lives of their own.
fn addresses_readiness(gateway: &types::NatGateway) -> Readiness {
    for address in gateway.nat_gateway_addresses() {
        match address_status(address) {
            None | Some("succeeded") => {}
            Some("failed") => {
                return Readiness::Failed(failure(address.allocation_id(), address.failure_message()));
            }
            Some(status) => return Readiness::Pending(status.to_owned()),
        }
    }
    Readiness::Ready
}

fn failure(subject: Option<&str>, message: Option<&str>) -> String {
    let parts: Vec<_> = subject.into_iter().chain(message).collect();
    if parts.is_empty() { "failed".to_owned() } else { parts.join(": ") }
}

fn secondary(gateway: &types::NatGateway) -> impl Iterator<Item = &types::NatGatewayAddress> {
    gateway.nat_gateway_addresses().iter().filter(|address| address.is_primary() == Some(false))
}

fn secondary_association_ids(gateway: &types::NatGateway) -> BTreeMap<String, String> {
    secondary(gateway)
        .filter_map(|address| {
            Some((address.allocation_id()?.to_owned(), address.association_id()?.to_owned()))
        })
        .collect()
}

fn observed_inputs(
    gateway: &types::NatGateway,
    primary: Option<&types::NatGatewayAddress>,
) -> NatGatewayInputs {
    // What EC2 leaves out is its default.
    let connectivity_type = gateway.connectivity_type().map_or("public", ConnectivityType::as_str);
    let is_private = connectivity_type == "private";
    let private_addresses =
        secondary(gateway).filter(|_| is_private).filter_map(|address| address.private_ip());
    NatGatewayInputs {
        subnet_id: gateway.subnet_id().unwrap_or_default().to_owned(),
        allocation_id: primary.and_then(|address| address.allocation_id()).map(str::to_owned),
        connectivity_type: Some(connectivity_type.to_owned()),
        private_ip: primary.and_then(|address| address.private_ip()).map(str::to_owned),
        secondary_allocation_ids: Some(
            secondary(gateway).filter_map(|address| address.allocation_id()).map(str::to_owned).collect(),
        ),
        secondary_private_ip_addresses: Some(private_addresses.map(str::to_owned).collect()),
        tags: Some(tags::observed(gateway.tags())),
    }
}

/// What a set has too much, and what it lacks.
struct Difference {
    surplus: Vec<String>,
    missing: Vec<String>,
}

/// Compares two sets. One that the spec leaves open never changes.
fn difference(found: Option<&BTreeSet<String>>, desired: Option<&BTreeSet<String>>) -> Difference {
    let nothing = BTreeSet::new();
    let found = found.unwrap_or(&nothing);
    let desired = desired.unwrap_or(found);
    Difference {
        surplus: found.difference(desired).cloned().collect(),
        missing: desired.difference(found).cloned().collect(),
    }
}

/// Surplus addresses go first: a gateway has room for few.
fn public_address_step(
    observed: &Observed<NatGatewayInputs, NatGatewayOutputs>,
    desired: &NatGatewayInputs,
) -> Option<NatGatewayStep> {
    let found = observed.inputs.secondary_allocation_ids.as_ref();
    let Difference { surplus, missing } = difference(found, desired.secondary_allocation_ids.as_ref());
    let associations = observed.outputs.secondary_association_ids.as_ref();
    let association_id = |allocation_id: &String| associations?.get(allocation_id).cloned();
    let association_ids: Vec<_> = surplus.iter().filter_map(association_id).collect();
    if !association_ids.is_empty() {
        return Some(NatGatewayStep::DisassociateAddresses { association_ids });
    }
    (!missing.is_empty()).then_some(NatGatewayStep::AssociateAddresses { allocation_ids: missing })
}

fn private_address_step(found: &NatGatewayInputs, desired: &NatGatewayInputs) -> Option<NatGatewayStep> {
    let Difference { surplus, missing } = difference(
        found.secondary_private_ip_addresses.as_ref(),
        desired.secondary_private_ip_addresses.as_ref(),
    );
    if !surplus.is_empty() {
        return Some(NatGatewayStep::UnassignPrivateAddresses(surplus));
    }
    (!missing.is_empty()).then_some(NatGatewayStep::AssignPrivateAddresses(missing))
}

/// Returns the texts in a list of a request; a list without any is left out.
fn texts(set: Option<&BTreeSet<String>>) -> Option<Vec<String>> {
    set.filter(|set| !set.is_empty()).map(|set| set.iter().cloned().collect())
}

#[cfg(test)]
mod tests;

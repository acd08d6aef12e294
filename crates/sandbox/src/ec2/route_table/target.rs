//! What routes send traffic to.

use super::RouteTable;
use crate::call::{Call, Refusal};
use crate::ec2::Network;
use crate::ec2::nat_gateway::NatGateway;
use crate::ec2::network_interface::NetworkInterface;
use crate::ec2::ownership::Thing;

/// A kind of target.
struct Kind {
    /// The parameter that takes one.
    parameter: &'static str,
    /// How messages name it.
    noun: &'static str,
    /// The code for one that is not there.
    not_found: &'static str,
}

const fn kind(parameter: &'static str, noun: &'static str, not_found: &'static str) -> Kind {
    Kind { parameter, noun, not_found }
}

const KINDS: &[Kind] = &[
    kind("GatewayId", "gateway", "InvalidGatewayID.NotFound"),
    kind("NatGatewayId", "natGateway", "InvalidNatGatewayID.NotFound"),
    kind("NetworkInterfaceId", "networkInterface", "InvalidNetworkInterfaceID.NotFound"),
    kind("InstanceId", "instance", "InvalidInstanceID.NotFound"),
    kind("VpcEndpointId", "vpcEndpoint", "InvalidVpcEndpointId.NotFound"),
    kind("TransitGatewayId", "transitGateway", "InvalidTransitGatewayID.NotFound"),
    kind("VpcPeeringConnectionId", "vpcPeeringConnection", "InvalidVpcPeeringConnectionID.NotFound"),
    kind(
        "EgressOnlyInternetGatewayId",
        "egressOnlyInternetGateway",
        "InvalidEgressOnlyInternetGatewayId.NotFound",
    ),
    kind("LocalGatewayId", "localGateway", "InvalidLocalGatewayID.NotFound"),
    kind("CarrierGatewayId", "carrierGateway", "InvalidCarrierGatewayID.NotFound"),
    kind("CoreNetworkArn", "coreNetwork", "InvalidCoreNetworkArn.NotFound"),
];

/// Returns the target that a call wants for a table of a VPC.
pub(super) fn wanted(network: &Network, call: &Call, vpc_id: &str) -> Result<String, Refusal> {
    let given = |kind: &'static Kind| call.parameters.text(kind.parameter).map(|id| (kind, id));
    let given: Vec<_> = KINDS.iter().filter_map(given).collect();
    let (kind, id) = match given.as_slice() {
        [one] => *one,
        [] => return Err(Refusal::new("MissingParameter", "The request must contain a target")),
        _ => return Err(Refusal::new("InvalidParameterCombination", "A route has exactly one target")),
    };
    if let Some(list) = call.parameters.text("DestinationPrefixListId") {
        // Only gateway endpoints send traffic to the lists that there are.
        let message = format!("The prefix list ID '{list}' does not exist");
        return Err(Refusal::new("InvalidPrefixListID.NotFound", message));
    }
    let missing = || Refusal::new(kind.not_found, format!("The {} ID '{id}' does not exist", kind.noun));
    let found = network_of(network, call, kind.parameter, id).ok_or_else(missing)?;
    if found == vpc_id {
        return Ok(id.to_owned());
    }
    let table = call.parameters.text("RouteTableId").unwrap_or_default();
    let what = if kind.parameter == "GatewayId" { "network gateway" } else { "interface" };
    let message = format!("route table {table} and {what} {id} belong to different networks");
    Err(Refusal::new("InvalidParameterValue", message))
}

/// Returns the VPC that a target of the caller is in, empty if it is in none; `None` if there is no
/// such target.
fn network_of<'a>(network: &'a Network, call: &Call, parameter: &str, id: &str) -> Option<&'a str> {
    let account = &call.caller.account;
    match parameter {
        // It takes the ids of NAT gateways, too.
        "NatGatewayId" | "GatewayId" if id.starts_with("nat-") => {
            let gateway = network.nat_gateways.get(id)?;
            (gateway.owner() == account && gateway.takes_traffic()).then_some(&gateway.vpc_id)
        }
        "GatewayId" => {
            let gateway = network.internet_gateways.get(id)?;
            (gateway.owner() == account).then_some(gateway.vpc_id.as_deref().unwrap_or_default())
        }
        // An owner routes to what participants have in its subnets too: only the VPC counts.
        "NetworkInterfaceId" => Some(&network.interfaces.get(id)?.vpc_id),
        // Nobody has any of the others here.
        _ => None,
    }
}

/// Tells whether a target can take traffic.
pub(super) fn is_there(network: &Network, table: &RouteTable, target: &str) -> bool {
    match target.split('-').next() {
        Some("igw") => {
            let gateway = network.internet_gateways.get(target);
            gateway.is_some_and(|gateway| gateway.vpc_id.as_ref() == Some(&table.vpc_id))
        }
        Some("nat") => network.nat_gateways.get(target).is_some_and(NatGateway::takes_traffic),
        // An interface that nothing is behind takes none.
        Some("eni") => network.interfaces.get(target).is_some_and(NetworkInterface::is_managed),
        // The route of a gateway endpoint goes with the endpoint.
        _ => true,
    }
}

/// Returns the field of answers that has a target. An endpoint is named as a gateway.
pub(super) fn field(target: &str) -> &'static str {
    match target.split('-').next() {
        Some("nat") => "natGatewayId",
        Some("eni") => "networkInterfaceId",
        _ => "gatewayId",
    }
}

//! Secondary addresses of NAT gateways, which come and go while the gateway is there.

use std::net::Ipv4Addr;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::create::{nat_address, secondary_addresses};
use super::{Connectivity, NatAddress, NatGateway, State, Status, shown_addresses};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::address::Address;
use crate::ec2::address_pool::addresses;
use crate::ec2::ownership::{Thing, not_found};
use crate::ec2::{Network, dry_run};
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "AssociateNatGatewayAddress",
        &["NatGatewayId", "AllocationId", "PrivateIpAddress", "DryRun"],
        associate,
    ),
    Operation::new(
        "DisassociateNatGatewayAddress",
        &["NatGatewayId", "AssociationId", "MaxDrainDurationSeconds", "DryRun"],
        disassociate,
    ),
    Operation::new(
        "AssignPrivateNatGatewayAddress",
        &["NatGatewayId", "PrivateIpAddress", "PrivateIpAddressCount", "DryRun"],
        assign,
    ),
    Operation::new(
        "UnassignPrivateNatGatewayAddress",
        &["NatGatewayId", "PrivateIpAddress", "MaxDrainDurationSeconds", "DryRun"],
        unassign,
    ),
];

fn associate(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("NatGatewayId")?;
    let allocations = some(call, "AllocationId")?;
    let mut wanted: Vec<_> = addresses(&call.parameters, "PrivateIpAddress")?.into_iter().map(Some).collect();
    wanted.resize(wanted.len().max(allocations.len()), None);
    let network = world.network(&call.region);
    let interface = ready(network, call, id, Connectivity::Public)?;
    for allocation in &allocations {
        check_free(network, call, allocation)?;
    }
    if wanted.len() > allocations.len() {
        let message = "There is one private address for each Elastic IP address";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    dry_run(call)?;
    let associations: Vec<_> = allocations.iter().map(|_| world.new_id("eipassoc")).collect();
    let network = world.network(&call.region);
    let private = take(network, &interface, &wanted)?;
    let elastic = allocations.into_iter().zip(associations);
    let made = private.into_iter().zip(elastic);
    let made: Vec<_> =
        made.map(|(address, elastic)| nat_address(network, &interface, address, Some(elastic))).collect();
    Ok(add(network, id, made))
}

fn assign(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("NatGatewayId")?;
    let wanted = secondary_addresses(call, "PrivateIpAddress")?;
    if wanted.is_empty() {
        call.parameters.required("PrivateIpAddress")?;
    }
    let network = world.network(&call.region);
    let interface = ready(network, call, id, Connectivity::Private)?;
    dry_run(call)?;
    let private = take(network, &interface, &wanted)?;
    let made: Vec<_> =
        private.into_iter().map(|address| nat_address(network, &interface, address, None)).collect();
    Ok(add(network, id, made))
}

/// Returns a parameter that is a list of texts with one at least.
fn some<'a>(call: &'a Call, name: &str) -> Result<Vec<&'a str>, Refusal> {
    let texts = call.parameters.texts(name);
    if texts.is_empty() {
        call.parameters.required(name)?;
    }
    Ok(texts)
}

/// Returns the interface of a gateway that can get or lose addresses.
fn ready(
    network: &mut Network,
    call: &Call,
    id: &str,
    connectivity: Connectivity,
) -> Result<String, Refusal> {
    let gateway = network.own_nat_gateway(call, id)?;
    if gateway.connectivity != connectivity {
        let message = format!("{id} is a {} NAT gateway", gateway.connectivity.name());
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    // "While disassociating is in progress, you cannot associate/disassociate additional EIPs"
    // (API reference, `DisassociateNatGatewayAddress`).
    let leaving = gateway.addresses.iter().any(|address| address.status.is_leaving());
    if let (State::Available, false, Some(interface)) = (gateway.state, leaving, &gateway.interface_id) {
        return Ok(interface.clone());
    }
    let message = format!("{id} is {}, or addresses of it are being drained", gateway.state.name());
    Err(Refusal::new("IncorrectState", message))
}

fn check_free(network: &Network, call: &Call, allocation: &str) -> Result<(), Refusal> {
    let found = network.addresses.get(allocation).filter(|address| *address.owner() == call.caller.account);
    if found.ok_or_else(|| not_found::<Address>(allocation))?.association.is_some() {
        let message = format!("Elastic IP address [{allocation}] is already associated");
        return Err(Refusal::new("Resource.AlreadyAssociated", message));
    }
    Ok(())
}

/// Takes addresses of the subnet: all, or none.
fn take(
    network: &mut Network,
    interface: &str,
    wanted: &[Option<Ipv4Addr>],
) -> Result<Vec<Ipv4Addr>, Refusal> {
    let mut taken = Vec::new();
    for wanted in wanted {
        match network.add_private_address(interface, *wanted) {
            Ok(address) => taken.push(address),
            Err(refusal) => {
                for address in taken {
                    network.remove_private_address(interface, address);
                }
                return Err(refusal);
            }
        }
    }
    Ok(taken)
}

/// Gives a gateway addresses, and answers with them.
fn add(network: &mut Network, id: &str, made: Vec<NatAddress>) -> Value {
    let Some(gateway) = network.nat_gateways.get_mut(id) else { return Value::Null };
    let first = gateway.addresses.len();
    let private: Vec<_> = made.iter().map(|address| address.private_address).collect();
    gateway.addresses.extend(made);
    let positions = first..gateway.addresses.len();
    for position in positions {
        network.begin_nat_address(id, position);
    }
    answer(&network.nat_gateways[id], |address| private.contains(&address.private_address))
}

fn answer(gateway: &NatGateway, chosen: impl Fn(&NatAddress) -> bool) -> Value {
    json!({ "natGatewayId": gateway.id, "natGatewayAddressSet": shown_addresses(gateway, chosen) })
}

fn disassociate(world: &mut World, call: &Call) -> Answer {
    let wanted = some(call, "AssociationId")?;
    drain(world, call, Connectivity::Public, Status::Disassociating, &wanted, |address| {
        address.association_id.clone()
    })
}

fn unassign(world: &mut World, call: &Call) -> Answer {
    let wanted = some(call, "PrivateIpAddress")?;
    drain(world, call, Connectivity::Private, Status::Unassigning, &wanted, |address| {
        address.private_address.map(|address| address.to_string())
    })
}

/// How long connections have to end unless it is said (API reference, `MaxDrainDurationSeconds`).
const DRAIN: i64 = 350;

/// Lets go those addresses that `name` names as one of the wanted.
fn drain(
    world: &mut World,
    call: &Call,
    connectivity: Connectivity,
    status: Status,
    wanted: &[&str],
    name: impl Fn(&NatAddress) -> Option<String>,
) -> Answer {
    let id = call.parameters.required("NatGatewayId")?;
    let seconds = call.parameters.integer("MaxDrainDurationSeconds")?.unwrap_or(DRAIN);
    if !(1..=4000).contains(&seconds) {
        return Err(Refusal::value("maxDrainDurationSeconds", &seconds.to_string()));
    }
    let network = world.network(&call.region);
    ready(network, call, id, connectivity)?;
    let gateway = &network.nat_gateways[id];
    let mut positions = Vec::new();
    for wanted in wanted {
        let named = |address: &NatAddress| name(address).as_deref() == Some(*wanted);
        match gateway.addresses.iter().position(named) {
            None => return Err(unknown(connectivity, wanted)),
            // "You cannot disassociate your primary EIP" (the same page), nor unassign it.
            Some(0) => {
                let message = format!("{wanted} is the primary address of {id}");
                return Err(Refusal::new("InvalidParameterValue", message));
            }
            Some(position) => positions.push(position),
        }
    }
    dry_run(call)?;
    for position in &positions {
        network.drain_nat_address(id, *position, status, SignedDuration::from_secs(seconds));
    }
    Ok(answer(&network.nat_gateways[id], |address| address.status == status))
}

fn unknown(connectivity: Connectivity, name: &str) -> Refusal {
    match connectivity {
        Connectivity::Public => {
            let message = format!("The association ID '{name}' does not exist");
            Refusal::new("InvalidAssociationID.NotFound", message)
        }
        Connectivity::Private => Refusal::value("privateIpAddress", name),
    }
}

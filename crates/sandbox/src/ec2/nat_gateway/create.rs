//! Making a NAT gateway.
//!
//! Much of what is wrong with one shows later only: the gateway is pending for a while and then
//! fails (VPC user guide, "Troubleshoot NAT gateways").

use std::net::Ipv4Addr;

use serde_json::json;

use super::{Connectivity, NatAddress, NatGateway, State, Status, life, shown};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::address::{Address, Association};
use crate::ec2::address_pool::{address, addresses};
use crate::ec2::network_interface::{NewInterface, Requester};
use crate::ec2::ownership::Thing;
use crate::ec2::tags::Tags;
use crate::ec2::{Network, dry_run, tags};
use crate::quotas;
use crate::world::{Failure, World};

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "CreateNatGateway",
    &[
        "SubnetId",
        "AllocationId",
        "ConnectivityType",
        "PrivateIpAddress",
        "SecondaryAllocationId",
        "SecondaryPrivateIpAddress",
        "SecondaryPrivateIpAddressCount",
        "TagSpecification",
        "ClientToken",
        "DryRun",
    ],
    create,
);

/// What a call wants.
struct Wanted<'a> {
    subnet_id: &'a str,
    connectivity: Connectivity,
    /// The first one is the primary; a private gateway has none.
    allocations: Vec<&'a str>,
    /// The first one is the primary; any where it is not said.
    private_addresses: Vec<Option<Ipv4Addr>>,
}

fn create(world: &mut World, call: &Call) -> Answer {
    let wanted = read(call)?;
    let tags = tags::at_birth(&call.parameters, "natgateway")?;
    let fate = world.fate();
    let most = world.quota(&call.caller.account, quotas::NAT_GATEWAYS);
    let network = world.network(&call.region);
    let vpc_id = network.own_subnet(call, wanted.subnet_id)?.vpc_id.clone();
    for allocation in &wanted.allocations {
        check_allocation(network, call, allocation)?;
    }
    check_quota(network, call, wanted.subnet_id, most)?;
    let failure = fate.or_else(|| flaw(network, &vpc_id, &wanted));
    dry_run(call)?;
    let id = world.new_id("nat");
    let mut gateway = new_gateway(world, call, &wanted, &id, vpc_id, tags);
    if failure.is_none() {
        let interface_id = world.new_id("eni");
        let associations: Vec<_> = wanted.allocations.iter().map(|_| world.new_id("eipassoc")).collect();
        give_addresses(world.network(&call.region), &mut gateway, &wanted, &interface_id, associations)?;
    }
    let duration = if failure.is_some() { life::FAILED } else { life::READY };
    gateway.failure = failure;
    let answer = json!({ "natGateway": shown(&gateway), "clientToken": call.parameters.text("ClientToken") });
    let network = world.network(&call.region);
    network.nat_gateways.insert(id.clone(), gateway);
    network.begin_nat_gateway(&id, duration);
    Ok(answer)
}

fn read(call: &Call) -> Result<Wanted<'_>, Refusal> {
    let parameters = &call.parameters;
    let connectivity = match parameters.text("ConnectivityType").unwrap_or("public") {
        "public" => Connectivity::Public,
        "private" => Connectivity::Private,
        other => return Err(Refusal::value("connectivityType", other)),
    };
    let allocation = parameters.text("AllocationId");
    let secondary = parameters.texts("SecondaryAllocationId");
    let allocations: Vec<_> = allocation.into_iter().chain(secondary).collect();
    match connectivity {
        Connectivity::Public => drop(parameters.required("AllocationId")?),
        Connectivity::Private if !allocations.is_empty() => {
            let message = "A private NAT gateway has no Elastic IP addresses";
            return Err(Refusal::new("InvalidParameterCombination", message));
        }
        Connectivity::Private => {}
    }
    let mut private_addresses = vec![address(parameters, "PrivateIpAddress")?];
    private_addresses.extend(secondary_addresses(call, "SecondaryPrivateIpAddress")?);
    if connectivity == Connectivity::Public && private_addresses.len() > allocations.len() {
        let message = "A public NAT gateway has one private address for each Elastic IP address";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    private_addresses.resize(private_addresses.len().max(allocations.len()), None);
    let subnet_id = parameters.required("SubnetId")?;
    Ok(Wanted { subnet_id, connectivity, allocations, private_addresses })
}

/// Returns the private addresses that a call names, or as many times "any" as it asks for.
pub(super) fn secondary_addresses(call: &Call, name: &str) -> Result<Vec<Option<Ipv4Addr>>, Refusal> {
    let named = addresses(&call.parameters, name)?;
    let counter = format!("{name}Count");
    match call.parameters.integer(&counter)? {
        None => Ok(named.into_iter().map(Some).collect()),
        // "1 to 31" (API reference, `CreateNatGateway`).
        Some(count @ 1..=31) if named.is_empty() => Ok((0..count).map(|_| None).collect()),
        Some(count) => Err(Refusal::value(&counter, &count.to_string())),
    }
}

/// Refuses an Elastic IP address that the caller has not, as this operation calls it.
fn check_allocation(network: &Network, call: &Call, id: &str) -> Result<(), Refusal> {
    let found = network.addresses.get(id).filter(|address| *address.owner() == call.caller.account);
    found.map(|_: &Address| ()).ok_or_else(|| {
        Refusal::new("InvalidElasticIpID.NotFound", format!("The elasticIp ID '{id}' does not exist"))
    })
}

/// "NAT gateways only count toward your quota in the pending, active, and deleting states" ("Amazon VPC
/// quotas").
fn check_quota(network: &Network, call: &Call, subnet_id: &str, most: usize) -> Result<(), Refusal> {
    let zone = |subnet: &str| network.subnets.get(subnet).map(|subnet| &subnet.zone_id);
    let counts = |gateway: &&NatGateway| {
        gateway.owner == call.caller.account
            && matches!(gateway.state, State::Pending | State::Available | State::Deleting)
            && zone(&gateway.subnet_id) == zone(subnet_id)
    };
    if network.nat_gateways.values().filter(counts).count() < most {
        return Ok(());
    }
    let message = "The maximum number of NAT Gateways has been reached.";
    Err(Refusal::new("NatGatewayLimitExceeded", message))
}

/// Returns why a gateway is going to fail, in the words of the API reference (`NatGateway`,
/// `failureMessage`).
fn flaw(network: &Network, vpc_id: &str, wanted: &Wanted<'_>) -> Option<Failure> {
    let failure = |code: &str, message: String| Some(Failure { code: code.to_owned(), message });
    let attached = network.vpcs.get(vpc_id).is_some_and(|vpc| vpc.gateway_id.is_some());
    if wanted.connectivity == Connectivity::Public && !attached {
        let message = format!("Network {vpc_id} has no Internet gateway attached");
        return failure("Gateway.NotAttached", message);
    }
    let taken = |id: &&&str| network.addresses.get(**id).is_some_and(|address| address.association.is_some());
    if let Some(id) = wanted.allocations.iter().find(taken) {
        let message = format!("Elastic IP address [{id}] is already associated");
        return failure("Resource.AlreadyAssociated", message);
    }
    let available = network.subnets.get(wanted.subnet_id).map_or(0, |subnet| subnet.addresses.available());
    if available < wanted.private_addresses.len() {
        let message = "Subnet has insufficient free addresses to create this NAT gateway";
        return failure("InsufficientFreeAddressesInSubnet", message.to_owned());
    }
    None
}

fn new_gateway(
    world: &World,
    call: &Call,
    wanted: &Wanted<'_>,
    id: &str,
    vpc_id: String,
    tags: Tags,
) -> NatGateway {
    let address = |allocation: &&str| NatAddress {
        private_address: None,
        allocation_id: Some((*allocation).to_owned()),
        association_id: None,
        public_ip: None,
        status: Status::Associating,
        changes_at: None,
    };
    NatGateway {
        id: id.to_owned(),
        owner: call.caller.account.clone(),
        vpc_id,
        subnet_id: wanted.subnet_id.to_owned(),
        connectivity: wanted.connectivity,
        state: State::Pending,
        changes_at: None,
        interface_id: None,
        addresses: wanted.allocations.iter().map(address).collect(),
        failure: None,
        made_at: world.now(),
        deleted_at: None,
        tags,
    }
}

/// Puts the gateway's interface into the subnet, with all addresses. What cannot be had leaves
/// nothing behind.
fn give_addresses(
    network: &mut Network,
    gateway: &mut NatGateway,
    wanted: &Wanted<'_>,
    interface_id: &str,
    associations: Vec<String>,
) -> Result<(), Refusal> {
    let primary = wanted.private_addresses[0];
    network.add_interface(interface_id, interface(gateway, primary))?;
    let mut private_addresses = vec![network.interfaces[interface_id].primary_address()];
    for wanted in &wanted.private_addresses[1..] {
        match network.add_private_address(interface_id, *wanted) {
            Ok(address) => private_addresses.push(address),
            Err(refusal) => {
                network.remove_interface(interface_id);
                return Err(refusal);
            }
        }
    }
    gateway.interface_id = Some(interface_id.to_owned());
    let mut associations = associations.into_iter();
    gateway.addresses = private_addresses
        .into_iter()
        .enumerate()
        .map(|(position, private_address)| {
            let elastic = wanted.allocations.get(position).copied().zip(associations.next());
            nat_address(network, interface_id, private_address, elastic)
        })
        .collect();
    Ok(())
}

fn interface(gateway: &NatGateway, address: Option<Ipv4Addr>) -> NewInterface {
    NewInterface {
        owner: gateway.owner.clone(),
        subnet_id: gateway.subnet_id.clone(),
        description: format!("Interface for NAT Gateway {}", gateway.id),
        interface_type: "nat_gateway",
        requester: Requester::Service("amazon-aws".to_owned()),
        groups: Vec::new(),
        address,
        tags: Tags::new(),
    }
}

/// Makes an address of a gateway, for which an Elastic IP address stands if there is one: its id
/// and that of the association.
pub(super) fn nat_address(
    network: &mut Network,
    interface_id: &str,
    private_address: Ipv4Addr,
    elastic: Option<(&str, String)>,
) -> NatAddress {
    let mut address = NatAddress {
        private_address: Some(private_address),
        allocation_id: None,
        association_id: None,
        public_ip: None,
        status: Status::Assigning,
        changes_at: None,
    };
    if let Some((allocation, id)) = elastic {
        address.allocation_id = Some(allocation.to_owned());
        address.association_id = Some(id.clone());
        address.public_ip = network.addresses.get(allocation).map(|address| address.public_ip);
        address.status = Status::Associating;
        let association = Association { id, interface_id: interface_id.to_owned(), private_address };
        network.associate(allocation, association);
    }
    address
}

//! Where a load balancer can be: subnets, groups and kinds of addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::{BalancerKind, LoadBalancer, Node, REQUESTER, Scheme};
use crate::call::{Call, Refusal};
use crate::ec2::tags::Tags;
use crate::ec2::{Allocation, Network, NewInterface, Place, Requester};
use crate::elb::{invalid, mismatch, one_of};
use crate::quotas;
use crate::validation::required;
use crate::world::World;

/// How many addresses have to be free in a subnet ("Subnets for your load balancer", ALB guide).
const FREE: usize = 8;

/// Where a call wants a load balancer.
pub(super) struct Wanted {
    pub(super) vpc_id: String,
    seats: Vec<Seat>,
    pub(super) groups: Vec<String>,
    pub(super) ip_address_type: String,
}

/// A subnet in which it is to be, with the addresses that it is to have there.
pub(super) struct Seat {
    pub(super) place: Place,
    allocation_id: Option<String>,
    private_address: Option<Ipv4Addr>,
}

/// Reads where a call wants a load balancer, and checks that it can be there.
pub(super) fn wanted(
    network: &Network,
    call: &Call,
    kind: BalancerKind,
    scheme: Scheme,
) -> Result<Wanted, Refusal> {
    let ip_address_type = ip_address_type(call, kind)?.unwrap_or("ipv4").to_owned();
    let seats = seats(network, call, kind)?;
    let vpc_id = common_vpc(network, &seats, kind, scheme)?;
    check_ip_address_type(&ip_address_type, scheme, seats.iter().map(|seat| &seat.place))?;
    let groups = groups(network, call, kind, &vpc_id)?;
    Ok(Wanted { vpc_id, seats, groups, ip_address_type })
}

/// Checks that what is in no subnet yet can get into those that are wanted.
pub(super) fn check_new(
    network: &Network,
    call: &Call,
    wanted: &Wanted,
    scheme: Scheme,
) -> Result<(), Refusal> {
    wanted.seats.iter().try_for_each(|seat| check_seat(network, call, seat, scheme))
}

/// Tells whether a load balancer is where a call wants it.
pub(super) fn is_as_wanted(present: &LoadBalancer, wanted: &Wanted) -> bool {
    let groups: BTreeSet<_> = present.groups.iter().collect();
    let nodes: BTreeMap<_, _> =
        present.nodes.iter().map(|(subnet, node)| (subnet, &node.allocation)).collect();
    let seats = wanted.seats.iter().map(|seat| (&seat.place.subnet_id, &seat.allocation_id));
    groups == wanted.groups.iter().collect()
        && nodes == seats.collect()
        && present.ip_address_type == wanted.ip_address_type
}

/// Returns what a load balancer has in its subnets before it has anything there.
pub(super) fn empty_nodes(wanted: &Wanted) -> BTreeMap<String, Node> {
    wanted.seats.iter().map(|seat| (seat.place.subnet_id.clone(), empty_node(seat))).collect()
}

fn empty_node(seat: &Seat) -> Node {
    Node { zone: seat.place.zone_id.clone(), interface: None, allocation: seat.allocation_id.clone() }
}

/// Puts the interfaces of a new load balancer into its subnets, all or none.
pub(super) fn settle_down(
    world: &mut World,
    call: &Call,
    balancer: &mut LoadBalancer,
    wanted: &Wanted,
) -> Result<(), Refusal> {
    take_seats(world, call, balancer, wanted.seats.iter())
}

/// Puts interfaces of a load balancer into subnets, all or none.
pub(super) fn take_seats<'a>(
    world: &mut World,
    call: &Call,
    balancer: &mut LoadBalancer,
    seats: impl Iterator<Item = &'a Seat>,
) -> Result<(), Refusal> {
    let mut taken: Vec<String> = Vec::new();
    for seat in seats {
        let (id, association) = (world.new_id("eni"), world.new_id("eipassoc"));
        let network = world.network(&call.region);
        if let Err(refusal) = network.add_interface(&id, interface(balancer, seat)) {
            for id in &taken {
                network.remove_interface(id);
            }
            return Err(invalid(refusal.message));
        }
        match &seat.allocation_id {
            Some(allocation) => network.publish_as(&id, allocation, association),
            None if balancer.scheme == Scheme::InternetFacing => network.publish(&id, REQUESTER),
            None => {}
        }
        taken.push(id.clone());
        let node = Node { interface: Some(id), ..empty_node(seat) };
        balancer.nodes.insert(seat.place.subnet_id.clone(), node);
    }
    Ok(())
}

fn interface(balancer: &LoadBalancer, seat: &Seat) -> NewInterface {
    let (_, digits) = balancer.arn.rsplit_once('/').expect("an ARN has slashes");
    NewInterface {
        owner: balancer.owner.clone(),
        subnet_id: seat.place.subnet_id.clone(),
        description: format!("ELB {}/{}/{digits}", balancer.kind.short_name(), balancer.name),
        interface_type: match balancer.kind {
            BalancerKind::Application => "interface",
            BalancerKind::Network => "network_load_balancer",
        },
        requester: Requester::Service(REQUESTER.to_owned()),
        groups: balancer.groups.clone(),
        address: seat.private_address,
        tags: Tags::new(),
    }
}

/// Reads the subnets of a call, of which the caller has to see each.
pub(super) fn seats(network: &Network, call: &Call, kind: BalancerKind) -> Result<Vec<Seat>, Refusal> {
    let parameters = &call.parameters;
    let (plain, mappings) = (parameters.texts("Subnets"), parameters.tables("SubnetMappings"));
    if !plain.is_empty() && !mappings.is_empty() {
        return Err(invalid("You can specify either subnets or subnet mappings, not both"));
    }
    let place = |id: &str| {
        let missing = || Refusal::new("SubnetNotFound", format!("The subnet ID '{id}' does not exist"));
        network.place(&call.caller.account, id).ok_or_else(missing)
    };
    let mut seats = Vec::new();
    for id in plain {
        seats.push(Seat { place: place(id)?, allocation_id: None, private_address: None });
    }
    for mapping in mappings {
        let allocation_id = mapping.text("AllocationId").map(str::to_owned);
        let private_address = mapping.text("PrivateIPv4Address").map(address).transpose()?;
        if kind == BalancerKind::Application && (allocation_id.is_some() || private_address.is_some()) {
            return Err(mismatch("Load balancers with type 'application' cannot be given addresses"));
        }
        let place = place(required(&mapping, "SubnetId")?)?;
        seats.push(Seat { place, allocation_id, private_address });
    }
    Ok(seats)
}

fn address(text: &str) -> Result<Ipv4Addr, Refusal> {
    text.parse().map_err(|_| invalid(format!("'{text}' is not a valid IPv4 address")))
}

/// Checks that subnets go together, and returns their VPC.
///
/// What faces the internet needs a VPC with an internet gateway; whether subnets have a route to it, the
/// service does not ask.
pub(super) fn common_vpc(
    network: &Network,
    seats: &[Seat],
    kind: BalancerKind,
    scheme: Scheme,
) -> Result<String, Refusal> {
    let Some(first) = seats.first() else { return Err(invalid("At least one subnet must be specified")) };
    let vpc_id = &first.place.vpc_id;
    if seats.iter().any(|seat| seat.place.vpc_id != *vpc_id) {
        return Err(mismatch("All subnets must belong to the same VPC"));
    }
    let zones: BTreeSet<_> = seats.iter().map(|seat| &seat.place.zone_id).collect();
    if zones.len() < seats.len() {
        let message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
        return Err(mismatch(message));
    }
    if kind == BalancerKind::Application && zones.len() < 2 {
        return Err(invalid("At least two subnets in two different Availability Zones must be specified"));
    }
    if scheme == Scheme::InternetFacing && !network.has_internet_gateway(vpc_id) {
        return Err(Refusal::new("InvalidSubnet", format!("VPC {vpc_id} has no internet gateway")));
    }
    Ok(vpc_id.clone())
}

/// Checks that a load balancer can get into a subnet.
pub(super) fn check_seat(network: &Network, call: &Call, seat: &Seat, scheme: Scheme) -> Result<(), Refusal> {
    if seat.place.free < FREE {
        let message = format!(
            "Not enough IP space available in {}. ELB requires at least {FREE} free IP addresses in each subnet.",
            seat.place.subnet_id
        );
        return Err(Refusal::new("InvalidSubnet", message));
    }
    let Some(allocation) = &seat.allocation_id else { return Ok(()) };
    if scheme == Scheme::Internal {
        return Err(mismatch("Internal load balancers cannot have Elastic IP addresses"));
    }
    match network.allocation(&call.caller.account, allocation) {
        Allocation::Free => Ok(()),
        Allocation::Unknown => {
            let message = format!("The allocation ID '{allocation}' does not exist");
            Err(Refusal::new("AllocationIdNotFound", message))
        }
        Allocation::InUse => {
            let message = format!("The allocation IDs are not available for use: '{allocation}'");
            Err(Refusal::new("ResourceInUse", message))
        }
    }
}

/// Reads the groups of a call. Without any, an application load balancer has the VPC's default one, which a
/// participant cannot use ("Responsibilities and permissions for owners and participants", VPC user guide).
pub(super) fn groups(
    network: &Network,
    call: &Call,
    kind: BalancerKind,
    vpc_id: &str,
) -> Result<Vec<String>, Refusal> {
    let account = &call.caller.account;
    let named = call.parameters.texts("SecurityGroups");
    if !named.is_empty() {
        check_groups(network, call, vpc_id, &named)?;
        let unique: BTreeSet<_> = named.iter().map(|id| (*id).to_owned()).collect();
        return Ok(unique.into_iter().collect());
    }
    if kind == BalancerKind::Network {
        return Ok(Vec::new());
    }
    if network.owner_of_vpc(account, vpc_id) != Some(account) {
        return Err(invalid(
            "A security group must be specified for creating a loadbalancer in a VPC not owned by the AWS account",
        ));
    }
    network.default_group(account, vpc_id)
}

fn check_groups(network: &Network, call: &Call, vpc_id: &str, named: &[&str]) -> Result<(), Refusal> {
    // The groups are those of interfaces.
    if named.len() > quotas::GROUPS_OF_INTERFACE.value {
        return Err(mismatch("The maximum number of security groups per load balancer has been reached."));
    }
    for id in named {
        match network.vpc_of_group(&call.caller.account, id) {
            Some(vpc) if vpc == vpc_id => {}
            Some(_) => {
                return Err(mismatch(format!("Security group '{id}' does not belong to VPC '{vpc_id}'")));
            }
            None => {
                let message = format!("The security group '{id}' does not exist");
                return Err(Refusal::new("InvalidSecurityGroup", message));
            }
        }
    }
    Ok(())
}

/// Reads the kind of addresses that a call gives.
pub(super) fn ip_address_type(call: &Call, kind: BalancerKind) -> Result<Option<&str>, Refusal> {
    let known: &[&str] = match kind {
        BalancerKind::Application => &["ipv4", "dualstack", "dualstack-without-public-ipv4"],
        BalancerKind::Network => &["ipv4", "dualstack"],
    };
    call.parameters.text("IpAddressType").map(|text| one_of("IpAddressType", text, known)).transpose()
}

/// "You must specify subnets with an associated IPv6 CIDR block" (API reference, `SetIpAddressType`).
pub(super) fn check_ip_address_type<'a>(
    wanted: &str,
    scheme: Scheme,
    mut places: impl Iterator<Item = &'a Place>,
) -> Result<(), Refusal> {
    if wanted == "dualstack-without-public-ipv4" && scheme == Scheme::Internal {
        return Err(mismatch(format!("Internal load balancers cannot have the IP address type '{wanted}'")));
    }
    match places.find(|place| wanted != "ipv4" && !place.has_ipv6) {
        None => Ok(()),
        Some(place) => {
            let message = format!("Subnet '{}' must have an IPv6 CIDR block", place.subnet_id);
            Err(Refusal::new("InvalidSubnet", message))
        }
    }
}

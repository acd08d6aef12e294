//! Putting a load balancer elsewhere: into other subnets, groups, or kinds of addresses.

use serde_json::json;

use super::placement::{self, Seat};
use super::{BalancerKind, LINGERS};
use crate::call::{Answer, Call, Operation};
use crate::elb::{mismatch, one_of};
use crate::validation::required;
use crate::world::World;

/// The operations.
pub(in crate::elb) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "SetSubnets",
        &["LoadBalancerArn", "Subnets", "SubnetMappings", "IpAddressType"],
        set_subnets,
    ),
    Operation::new("SetSecurityGroups", &["LoadBalancerArn", "SecurityGroups", FILTER], set_groups),
    Operation::new("SetIpAddressType", &["LoadBalancerArn", "IpAddressType"], set_ip_address_type),
];

/// Whether what comes by `PrivateLink` meets the rules of the groups.
const FILTER: &str = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic";

/// Puts a load balancer into other subnets: "the specified subnets replace the previously enabled subnets"
/// (API reference, `SetSubnets`). What it had in a subnet that it leaves goes minutes later.
fn set_subnets(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "LoadBalancerArn")?;
    let (balancing, network) = world.balancing(&call.region);
    let mut balancer = balancing.balancer(call, arn)?.clone();
    let wanted_type = placement::ip_address_type(call, balancer.kind)?;
    let ip_address_type = wanted_type.unwrap_or(&balancer.ip_address_type).to_owned();
    let seats = placement::seats(network, call, balancer.kind)?;
    let vpc_id = placement::common_vpc(network, &seats, balancer.kind, balancer.scheme)?;
    placement::check_ip_address_type(
        &ip_address_type,
        balancer.scheme,
        seats.iter().map(|seat| &seat.place),
    )?;
    if vpc_id != balancer.vpc_id {
        return Err(mismatch("A load balancer cannot be put into the subnets of another VPC"));
    }
    let is_new = |seat: &&Seat| !balancer.nodes.contains_key(&seat.place.subnet_id);
    let new: Vec<_> = seats.iter().filter(is_new).collect();
    for seat in &new {
        placement::check_seat(network, call, seat, balancer.scheme)?;
    }
    let stays = |subnet: &str| seats.iter().any(|seat| seat.place.subnet_id == *subnet);
    let gone: Vec<_> = balancer.nodes.extract_if(.., |subnet, _| !stays(subnet)).collect();
    balancer.ip_address_type = ip_address_type;
    placement::take_seats(world, call, &mut balancer, new.into_iter())?;
    let (balancing, network) = world.balancing(&call.region);
    for interface in gone.into_iter().filter_map(|(_, node)| node.interface) {
        network.give_up_interface(&interface, LINGERS);
    }
    let answer = json!({
        "AvailabilityZones": balancer.shown_zones(network, call),
        "IpAddressType": balancer.ip_address_type,
    });
    balancing.balancers.insert(balancer.arn.clone(), balancer);
    Ok(answer)
}

/// Gives a load balancer other groups. "You can't perform this operation on a Network Load Balancer unless
/// you specified a security group for the load balancer when you created it" (API reference,
/// `SetSecurityGroups`).
fn set_groups(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "LoadBalancerArn")?;
    let (balancing, network) = world.balancing(&call.region);
    let balancer = balancing.balancer_mut(call, arn)?;
    if balancer.kind == BalancerKind::Network && balancer.groups.is_empty() {
        return Err(mismatch(
            "A network load balancer that was created without security groups cannot get any",
        ));
    }
    if call.parameters.texts("SecurityGroups").is_empty() {
        return Err(mismatch("At least one security group must be specified"));
    }
    let filter = call.parameters.text(FILTER).map(|text| one_of(FILTER, text, &["on", "off"])).transpose()?;
    if filter.is_some() && balancer.kind == BalancerKind::Application {
        return Err(mismatch("Only network load balancers get traffic by PrivateLink"));
    }
    balancer.groups = placement::groups(network, call, balancer.kind, &balancer.vpc_id)?;
    balancer.filters_private_links = filter.map_or(balancer.filters_private_links, |filter| filter == "on");
    for interface in balancer.interfaces() {
        network.set_groups(interface, &balancer.groups);
    }
    Ok(json!({ "SecurityGroupIds": balancer.groups }))
}

fn set_ip_address_type(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "LoadBalancerArn")?;
    required(&call.parameters, "IpAddressType")?;
    let (balancing, network) = world.balancing(&call.region);
    let balancer = balancing.balancer_mut(call, arn)?;
    let wanted = placement::ip_address_type(call, balancer.kind)?.unwrap_or_default();
    let places = balancer.nodes.keys().filter_map(|subnet| network.place(&balancer.owner, subnet));
    let places: Vec<_> = places.collect();
    placement::check_ip_address_type(wanted, balancer.scheme, places.iter())?;
    wanted.clone_into(&mut balancer.ip_address_type);
    Ok(json!({ "IpAddressType": wanted }))
}

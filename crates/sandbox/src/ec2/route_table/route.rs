//! Routes: by destination, where a table sends traffic.

#[cfg(test)]
mod tests;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde_json::{Value, json};

use super::RouteTable;
use super::target;
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::ec2::describe::texts;
use crate::ec2::vpc::Vpc;
use crate::ec2::{Network, dry_run};
use crate::quotas;
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateRoute", SETTING, create),
    Operation::new("ReplaceRoute", SETTING, replace),
    Operation::new(
        "DeleteRoute",
        &[
            "RouteTableId",
            "DestinationCidrBlock",
            "DestinationIpv6CidrBlock",
            "DestinationPrefixListId",
            "DryRun",
        ],
        delete,
    ),
];

/// The parameters of what sets a route.
const SETTING: &[&str] = &[
    "RouteTableId",
    "DestinationCidrBlock",
    "DestinationIpv6CidrBlock",
    "DestinationPrefixListId",
    "GatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "InstanceId",
    "VpcEndpointId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "DryRun",
];

/// Where traffic inside the VPC goes.
const LOCAL: &str = "local";

impl Network {
    /// Puts the route of a gateway endpoint into a table.
    pub(in crate::ec2) fn add_endpoint_route(&mut self, table_id: &str, prefix_list: &str, endpoint: &str) {
        if let Some(table) = self.route_tables.get_mut(table_id) {
            table.routes.insert(prefix_list.to_owned(), endpoint.to_owned());
        }
    }

    /// Takes the route of a gateway endpoint out of a table.
    pub(in crate::ec2) fn remove_endpoint_route(&mut self, table_id: &str, prefix_list: &str) {
        if let Some(table) = self.route_tables.get_mut(table_id) {
            table.routes.remove(prefix_list);
        }
    }

    /// Returns the ranges of a table's VPC. "Every route table contains a local route for
    /// communication within the VPC" (VPC user guide, "Route table concepts").
    fn local_ranges(&self, table: &RouteTable) -> Vec<IpNet> {
        self.vpcs.get(&table.vpc_id).map(Vpc::ranges).unwrap_or_default()
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("RouteTableId")?;
    let destination = destination(&call.parameters)?;
    let most = world.quota(&call.caller.account, quotas::ROUTES);
    let network = world.network(&call.region);
    let vpc_id = network.own_table(call, id)?.vpc_id.clone();
    let target = target::wanted(network, call, &vpc_id)?;
    let table = &network.route_tables[id];
    let ranges = network.local_ranges(table);
    if table.routes.contains_key(&destination.text()) || ranges.iter().any(|range| destination.is(range)) {
        let message = format!("The route identified by {} already exists.", destination.text());
        return Err(Refusal::new("RouteAlreadyExists", message));
    }
    check_destination(network, &vpc_id, &ranges, &destination, &target)?;
    let same_kind = |text: &&String| field(text) == destination.field();
    let of_kind = table.routes.keys().filter(same_kind).count();
    if of_kind + ranges.len() >= most {
        let message = "The maximum number of routes has been reached.";
        return Err(Refusal::new("RouteLimitExceeded", message));
    }
    dry_run(call)?;
    network.own_table(call, id)?.routes.insert(destination.text(), target);
    Ok(json!({ "return": true }))
}

fn replace(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("RouteTableId")?;
    let destination = destination(&call.parameters)?;
    let network = world.network(&call.region);
    let vpc_id = network.own_table(call, id)?.vpc_id.clone();
    let target = target::wanted(network, call, &vpc_id)?;
    check_removable(network, id, &destination, "replace")?;
    if !network.route_tables[id].routes.contains_key(&destination.text()) {
        let message = format!(
            "There is no route defined for '{}' in the route table. Use CreateRoute instead.",
            destination.text()
        );
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    dry_run(call)?;
    network.own_table(call, id)?.routes.insert(destination.text(), target);
    Ok(json!({ "return": true }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("RouteTableId")?;
    let destination = destination(&call.parameters)?;
    let network = world.network(&call.region);
    network.own_table(call, id)?;
    check_removable(network, id, &destination, "remove")?;
    if !network.route_tables[id].routes.contains_key(&destination.text()) {
        let message =
            format!("no route with {} {} in route table {id}", destination.parameter(), destination.text());
        return Err(Refusal::new("InvalidRoute.NotFound", message));
    }
    dry_run(call)?;
    network.own_table(call, id)?.routes.remove(&destination.text());
    Ok(json!({ "return": true }))
}

/// Refuses to change what the VPC and its gateway endpoints put into tables.
fn check_removable(
    network: &Network,
    id: &str,
    destination: &Destination,
    what: &str,
) -> Result<(), Refusal> {
    let (table, text) = (&network.route_tables[id], destination.text());
    let local = network.local_ranges(table).iter().any(|range| destination.is(range));
    let endpoint = table.routes.get(&text).is_some_and(|target| target.starts_with("vpce-"));
    let kind = match (local, endpoint) {
        (true, _) => "local",
        (_, true) => "VPC endpoint",
        (false, false) => return Ok(()),
    };
    let message = format!("cannot {what} {kind} route {text} in route table {id}");
    Err(Refusal::new("InvalidParameterValue", message))
}

/// "You can add a route that is more specific than the local route. The destination must match the
/// entire CIDR block of a subnet in your VPC. The target must be a NAT gateway, network interface,
/// or Gateway Load Balancer endpoint" (VPC user guide, "Configure route tables").
fn check_destination(
    network: &Network,
    vpc_id: &str,
    ranges: &[IpNet],
    destination: &Destination,
    target: &str,
) -> Result<(), Refusal> {
    let Destination::Range(wanted) = destination else { return Ok(()) };
    if !ranges.iter().any(|range| range.contains(wanted)) {
        return Ok(());
    }
    let of_subnet = network.subnets_of(vpc_id).any(|subnet| subnet.ranges().contains(wanted));
    if of_subnet && !target.starts_with("igw-") {
        return Ok(());
    }
    let message = format!(
        "The destination CIDR block {wanted} is equal to or more specific than one of this VPC's CIDR blocks. \
         This route can target only an interface or an instance."
    );
    Err(Refusal::new("InvalidParameterValue", message))
}

/// Which traffic a route is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Destination {
    Range(IpNet),
    PrefixList(String),
}

impl Destination {
    fn text(&self) -> String {
        match self {
            Self::Range(range) => range.to_string(),
            Self::PrefixList(id) => id.clone(),
        }
    }

    fn is(&self, other: &IpNet) -> bool {
        matches!(self, Self::Range(range) if range == other)
    }

    fn field(&self) -> &'static str {
        field(&self.text())
    }

    /// Returns how messages name it.
    fn parameter(&self) -> &'static str {
        match self {
            Self::Range(IpNet::V4(_)) => "destination-cidr-block",
            Self::Range(IpNet::V6(_)) => "destination-ipv6-cidr-block",
            Self::PrefixList(_) => "destination-prefix-list-id",
        }
    }
}

/// Returns the field of answers that has a destination.
fn field(destination: &str) -> &'static str {
    if destination.starts_with("pl-") {
        "destinationPrefixListId"
    } else if destination.contains(':') {
        "destinationIpv6CidrBlock"
    } else {
        "destinationCidrBlock"
    }
}

/// Reads the destination, without the bits behind its prefix, which EC2 takes away.
fn destination(parameters: &Parameters) -> Result<Destination, Refusal> {
    let given = |name: &'static str| parameters.text(name).map(|text| (name, text));
    let v4 = given("DestinationCidrBlock");
    let v6 = given("DestinationIpv6CidrBlock");
    let list = given("DestinationPrefixListId");
    match (v4, v6, list) {
        (Some((name, text)), None, None) => {
            let range: Ipv4Net = text.parse().map_err(|_| Refusal::value(name, text))?;
            Ok(Destination::Range(range.trunc().into()))
        }
        (None, Some((name, text)), None) => {
            let range: Ipv6Net = text.parse().map_err(|_| Refusal::value(name, text))?;
            Ok(Destination::Range(range.trunc().into()))
        }
        (None, None, Some((_, id))) => Ok(Destination::PrefixList(id.to_owned())),
        (None, None, None) => Err(Refusal::new(
            "MissingParameter",
            "The request must contain one of destinationCidrBlock, destinationIpv6CidrBlock and \
             destinationPrefixListId",
        )),
        _ => Err(Refusal::new("InvalidParameterCombination", "A route has exactly one destination")),
    }
}

/// Returns the routes of a table as answers have them.
pub(super) fn shown(network: &Network, table: &RouteTable) -> Vec<Value> {
    routes(network, table).into_iter().map(|route| route.shown()).collect()
}

/// A route, as it is seen.
struct Seen<'a> {
    destination: String,
    target: &'a str,
    state: &'static str,
    origin: &'static str,
}

impl Seen<'_> {
    fn shown(&self) -> Value {
        json!({
            field(&self.destination): self.destination,
            target::field(self.target): self.target,
            "state": self.state,
            "origin": self.origin,
        })
    }
}

fn routes<'a>(network: &'a Network, table: &'a RouteTable) -> Vec<Seen<'a>> {
    let local = network.local_ranges(table).into_iter().map(|range| Seen {
        destination: range.to_string(),
        target: LOCAL,
        state: "active",
        origin: "CreateRouteTable",
    });
    let others = table.routes.iter().map(|(destination, target)| Seen {
        destination: destination.clone(),
        target,
        // "The blackhole state indicates that the route's target isn't available" (API reference,
        // `Route`).
        state: if target::is_there(network, table, target) { "active" } else { "blackhole" },
        origin: "CreateRoute",
    });
    local.chain(others).collect()
}

/// Returns the values of a filter on routes, by the part of its name after `route.`.
pub(super) fn filtered(network: &Network, table: &RouteTable, part: &str) -> Option<Vec<String>> {
    let routes = routes(network, table);
    let destinations = |name: &str| {
        texts(routes.iter().filter(|route| field(&route.destination) == name).map(|route| &route.destination))
    };
    let targets = |name: &str| {
        texts(routes.iter().filter(|route| target::field(route.target) == name).map(|route| route.target))
    };
    Some(match part {
        "destination-cidr-block" => destinations("destinationCidrBlock"),
        "destination-ipv6-cidr-block" => destinations("destinationIpv6CidrBlock"),
        "destination-prefix-list-id" => destinations("destinationPrefixListId"),
        "gateway-id" => targets("gatewayId"),
        "nat-gateway-id" => targets("natGatewayId"),
        "state" => texts(routes.iter().map(|route| route.state)),
        "origin" => texts(routes.iter().map(|route| route.origin)),
        // Nobody has any of these here.
        "egress-only-internet-gateway-id"
        | "instance-id"
        | "transit-gateway-id"
        | "vpc-peering-connection-id" => Vec::new(),
        _ => return None,
    })
}

//! Making an endpoint.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{EndpointKind, State, VpcEndpoint, life, service, shown};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::ec2::network_interface::{NewInterface, Requester};
use crate::ec2::ownership::not_found;
use crate::ec2::route_table::RouteTable;
use crate::ec2::subnet::Subnet;
use crate::ec2::tags::Tags;
use crate::ec2::vpc::Vpc;
use crate::ec2::{Network, dry_run, prefix_list, tags};
use crate::policy::Document;
use crate::quotas;
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "CreateVpcEndpoint",
    &[
        "VpcEndpointType",
        "VpcId",
        "ServiceName",
        "PolicyDocument",
        "RouteTableId",
        "SubnetId",
        "SecurityGroupId",
        "PrivateDnsEnabled",
        "ClientToken",
        "TagSpecification",
        "DryRun",
    ],
    create,
);

/// Where an endpoint's interfaces come from: that is not the account which has them.
const REQUESTER: &str = "727180483921";

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let mut endpoint = wanted(world, call)?;
    let most = world.quota(&endpoint.owner, quota(endpoint.kind));
    let network = world.network(&call.region);
    network.own_vpc(call, &endpoint.vpc_id)?;
    service::check(&call.region, &endpoint.service, endpoint.kind)?;
    check_quota(network, &endpoint, most)?;
    let (tables, subnets) = (parameters.texts("RouteTableId"), parameters.texts("SubnetId"));
    check_tables(network, call, &endpoint, &tables)?;
    check_subnets(network, call, &endpoint, &subnets)?;
    if endpoint.kind == EndpointKind::Interface {
        let groups = parameters.texts("SecurityGroupId");
        endpoint.groups = network.groups_of_interface(&endpoint.owner, &endpoint.vpc_id, &groups)?;
        check_private_dns(network, call, &endpoint)?;
    }
    dry_run(call)?;
    endpoint.id = world.new_id("vpce");
    endpoint.failure = world.fate();
    add(world, call, endpoint, &tables, &subnets)
}

/// Reads the endpoint that a call wants, without what it has in the network.
fn wanted(world: &World, call: &Call) -> Result<VpcEndpoint, Refusal> {
    let parameters = &call.parameters;
    let kind = match parameters.text("VpcEndpointType").unwrap_or("Gateway") {
        "Gateway" => EndpointKind::Gateway,
        "Interface" => EndpointKind::Interface,
        other => return Err(Refusal::value("vpcEndpointType", other)),
    };
    check_misplaced(
        parameters,
        kind,
        ["RouteTableId"],
        ["SubnetId", "SecurityGroupId", "PrivateDnsEnabled"],
    )?;
    let private_dns = parameters.flag("PrivateDnsEnabled")?.unwrap_or(true);
    Ok(VpcEndpoint {
        id: String::new(),
        owner: call.caller.account.clone(),
        vpc_id: parameters.required("VpcId")?.to_owned(),
        service: parameters.required("ServiceName")?.to_owned(),
        kind,
        state: State::Pending,
        changes_at: None,
        policy: policy(parameters)?,
        route_tables: BTreeSet::new(),
        interfaces: BTreeMap::new(),
        groups: Vec::new(),
        private_dns: kind == EndpointKind::Interface && private_dns,
        failure: None,
        made_at: world.now(),
        tags: tags::at_birth(parameters, "vpc-endpoint")?,
    })
}

fn add(world: &mut World, call: &Call, endpoint: VpcEndpoint, tables: &[&str], subnets: &[&str]) -> Answer {
    let (id, kind, fails) = (endpoint.id.clone(), endpoint.kind, endpoint.failure.is_some());
    let network = world.network(&call.region);
    network.dependents.add(&endpoint.vpc_id, &id);
    network.endpoints.insert(id.clone(), endpoint);
    if fails {
        // It gets neither routes nor interfaces.
        network.begin_endpoint(&id, life::FAILED);
    } else if kind == EndpointKind::Gateway {
        network.add_tables(call, &id, tables);
        network.finish_endpoint(&id);
    } else {
        add_subnets(world, call, &id, subnets)?;
        world.network(&call.region).begin_endpoint(&id, life::READY);
    }
    let network = world.network(&call.region);
    Ok(json!({
        "vpcEndpoint": shown(network, &network.endpoints[&id], call),
        "clientToken": call.parameters.text("ClientToken"),
    }))
}

/// Checks that nothing is said of a gateway that only interfaces have, nor the other way round.
pub(super) fn check_misplaced<const A: usize, const B: usize>(
    parameters: &Parameters,
    kind: EndpointKind,
    of_gateways: [&str; A],
    of_interfaces: [&str; B],
) -> Result<(), Refusal> {
    let wrong: &[&str] = match kind {
        EndpointKind::Gateway => &of_interfaces,
        EndpointKind::Interface => &of_gateways,
    };
    match wrong.iter().find(|name| parameters.0.contains_key(**name)) {
        None => Ok(()),
        Some(name) => {
            let message = format!("{name} is not supported for endpoints of the type {}", kind.name());
            Err(Refusal::new("InvalidParameter", message))
        }
    }
}

/// Returns the policy that a call gives.
pub(super) fn policy(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    let Some(text) = parameters.text("PolicyDocument").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wrong = |why| Refusal::new("InvalidPolicyDocument", format!("The policy is not valid: {why}"));
    Document::read(text).map(|_| Some(text.to_owned())).map_err(wrong)
}

fn quota(kind: EndpointKind) -> quotas::Quota {
    match kind {
        EndpointKind::Gateway => quotas::GATEWAY_ENDPOINTS,
        EndpointKind::Interface => quotas::INTERFACE_ENDPOINTS,
    }
}

fn check_quota(network: &Network, new: &VpcEndpoint, most: usize) -> Result<(), Refusal> {
    let of_kind = |other: &&VpcEndpoint| other.kind == new.kind && other.owner == new.owner;
    let counted = |other: &&VpcEndpoint| new.kind == EndpointKind::Gateway || other.vpc_id == new.vpc_id;
    if network.endpoints.values().filter(of_kind).filter(counted).count() < most {
        return Ok(());
    }
    let message = "The maximum number of VPC endpoints has been reached.";
    Err(Refusal::new("VpcEndpointLimitExceeded", message))
}

/// Checks that route tables can have the route of an endpoint.
pub(super) fn check_tables(
    network: &mut Network,
    call: &Call,
    endpoint: &VpcEndpoint,
    tables: &[&str],
) -> Result<(), Refusal> {
    let list = prefix_list::of_service(&call.region, &endpoint.service).unwrap_or_default();
    for id in tables {
        let table = network.own_table(call, id)?;
        if table.vpc_id != endpoint.vpc_id {
            return Err(not_found::<RouteTable>(id));
        }
        if table.has_route(&list) {
            let message =
                format!("route table {id} already has a route with destination-prefix-list-id {list}");
            return Err(Refusal::new("RouteAlreadyExists", message));
        }
    }
    Ok(())
}

/// Checks that an endpoint can have interfaces in subnets: one in each zone.
pub(super) fn check_subnets(
    network: &mut Network,
    call: &Call,
    endpoint: &VpcEndpoint,
    subnets: &[&str],
) -> Result<(), Refusal> {
    let present = endpoint.interfaces.keys().filter_map(|id| network.subnets.get(id));
    let mut zones: BTreeSet<_> = present.map(|subnet| subnet.zone_id.clone()).collect();
    for id in subnets {
        let subnet = network.own_subnet(call, id)?;
        if subnet.vpc_id != endpoint.vpc_id {
            return Err(not_found::<Subnet>(id));
        }
        if subnet.addresses.available() == 0 {
            let message = format!("The subnet {id} has no free address for the endpoint");
            return Err(Refusal::new("InsufficientFreeAddressesInSubnet", message));
        }
        if !zones.insert(subnet.zone_id.clone()) {
            let message = format!("Found another VPC endpoint subnet in the availability zone of {id}");
            return Err(Refusal::new("DuplicateSubnetsInSameZone", message));
        }
    }
    Ok(())
}

/// Checks that the service's own name can lead to an endpoint, if it is to.
pub(super) fn check_private_dns(
    network: &Network,
    call: &Call,
    endpoint: &VpcEndpoint,
) -> Result<(), Refusal> {
    if !endpoint.private_dns {
        return Ok(());
    }
    let vpc_id = &endpoint.vpc_id;
    if !network.vpcs.get(vpc_id).is_some_and(Vpc::names_hosts) {
        let message = format!(
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to \
             true for {vpc_id}"
        );
        return Err(Refusal::new("InvalidParameter", message));
    }
    let same = |other: &VpcEndpoint| {
        other.private_dns
            && other.vpc_id == *vpc_id
            && other.service == endpoint.service
            && other.id != endpoint.id
    };
    if network.endpoints.values().any(same) {
        let name = service::private_name(&endpoint.service, &call.region);
        let message = format!(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for {name} in \
             the VPC {vpc_id}"
        );
        return Err(Refusal::new("InvalidParameter", message));
    }
    Ok(())
}

impl Network {
    /// Puts the route of a gateway endpoint into tables.
    pub(super) fn add_tables(&mut self, call: &Call, id: &str, tables: &[&str]) {
        let Some(endpoint) = self.endpoints.get_mut(id) else { return };
        endpoint.route_tables.extend(tables.iter().map(|table| (*table).to_owned()));
        let Some(list) = prefix_list::of_service(&call.region, &endpoint.service) else { return };
        for table in tables {
            self.add_endpoint_route(table, &list, id);
        }
    }
}

/// Puts an interface of an endpoint into each subnet.
pub(super) fn add_subnets(world: &mut World, call: &Call, id: &str, subnets: &[&str]) -> Result<(), Refusal> {
    for subnet in subnets {
        let interface = world.new_id("eni");
        let network = world.network(&call.region);
        let endpoint = &network.endpoints[id];
        let new = NewInterface {
            owner: endpoint.owner.clone(),
            subnet_id: (*subnet).to_owned(),
            description: format!("VPC Endpoint Interface {id}"),
            interface_type: "vpc_endpoint",
            requester: Requester::Service(REQUESTER.to_owned()),
            groups: endpoint.groups.clone(),
            address: None,
            tags: Tags::new(),
        };
        network.add_interface(&interface, new)?;
        if let Some(endpoint) = network.endpoints.get_mut(id) {
            endpoint.interfaces.insert((*subnet).to_owned(), interface);
        }
    }
    Ok(())
}

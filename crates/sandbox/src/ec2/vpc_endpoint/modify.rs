//! Changing an endpoint.

use serde_json::json;

use super::create::{add_subnets, check_misplaced, check_private_dns, check_subnets, check_tables, policy};
use super::{State, VpcEndpoint};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::{Network, dry_run, prefix_list};
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "ModifyVpcEndpoint",
    &[
        "VpcEndpointId",
        "ResetPolicy",
        "PolicyDocument",
        "AddRouteTableId",
        "RemoveRouteTableId",
        "AddSubnetId",
        "RemoveSubnetId",
        "AddSecurityGroupId",
        "RemoveSecurityGroupId",
        "PrivateDnsEnabled",
        "DryRun",
    ],
    modify,
);

fn modify(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let id = parameters.required("VpcEndpointId")?;
    let network = world.network(&call.region);
    let endpoint = network.own_endpoint(call, id)?.clone();
    if endpoint.state == State::Deleting {
        let message = format!("The VPC endpoint {id} is being deleted");
        return Err(Refusal::new("IncorrectState", message));
    }
    let of_gateways = ["AddRouteTableId", "RemoveRouteTableId"];
    let of_interfaces =
        ["AddSubnetId", "RemoveSubnetId", "AddSecurityGroupId", "RemoveSecurityGroupId", "PrivateDnsEnabled"];
    check_misplaced(parameters, endpoint.kind, of_gateways, of_interfaces)?;
    let changed = changed(network, call, &endpoint)?;
    dry_run(call)?;
    let added = parameters.texts("AddRouteTableId");
    network.keep_endpoint(call, &endpoint, changed);
    network.add_tables(call, id, &added);
    add_subnets(world, call, id, &parameters.texts("AddSubnetId"))?;
    Ok(json!({ "return": true }))
}

/// Returns the endpoint as it is to be, without what is added to it.
fn changed(network: &mut Network, call: &Call, endpoint: &VpcEndpoint) -> Result<VpcEndpoint, Refusal> {
    let parameters = &call.parameters;
    let mut changed = endpoint.clone();
    if parameters.flag("ResetPolicy")?.unwrap_or_default() {
        changed.policy = None;
    }
    if let Some(policy) = policy(parameters)? {
        changed.policy = Some(policy);
    }
    for table in parameters.texts("RemoveRouteTableId") {
        changed.route_tables.remove(table);
    }
    check_tables(network, call, &changed, &parameters.texts("AddRouteTableId"))?;
    for subnet in parameters.texts("RemoveSubnetId") {
        changed.interfaces.remove(subnet);
    }
    check_subnets(network, call, &changed, &parameters.texts("AddSubnetId"))?;
    let removed = parameters.texts("RemoveSecurityGroupId");
    changed.groups.retain(|group| !removed.contains(&group.as_str()));
    let added = parameters.texts("AddSecurityGroupId").into_iter().map(str::to_owned);
    let added: Vec<_> = added.filter(|group| !changed.groups.contains(group)).collect();
    changed.groups.extend(added);
    if changed.groups.is_empty() && !endpoint.groups.is_empty() {
        let message = "An interface endpoint has at least one security group";
        return Err(Refusal::new("InvalidParameter", message));
    }
    let groups: Vec<_> = changed.groups.iter().map(String::as_str).collect();
    if !groups.is_empty() {
        network.groups_of_interface(&endpoint.owner, &endpoint.vpc_id, &groups)?;
    }
    changed.private_dns = parameters.flag("PrivateDnsEnabled")?.unwrap_or(endpoint.private_dns);
    if !endpoint.private_dns {
        check_private_dns(network, call, &changed)?;
    }
    Ok(changed)
}

impl Network {
    /// Keeps a changed endpoint: what it no longer has goes, and its interfaces get its groups.
    fn keep_endpoint(&mut self, call: &Call, before: &VpcEndpoint, changed: VpcEndpoint) {
        if let Some(list) = prefix_list::of_service(&call.region, &changed.service) {
            for table in before.route_tables.difference(&changed.route_tables) {
                self.remove_endpoint_route(table, &list);
            }
        }
        for (subnet, interface) in &before.interfaces {
            if changed.interfaces.contains_key(subnet) {
                self.set_groups(interface, &changed.groups);
            } else {
                self.remove_interface(interface);
            }
        }
        self.endpoints.insert(changed.id.clone(), changed);
    }
}

//! Associations of Elastic IP addresses with network interfaces.

use std::net::Ipv4Addr;

use serde_json::json;

use super::{Address, Association};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::address_pool::address;
use crate::ec2::network_interface::{NetworkInterface, PublicAddress};
use crate::ec2::{Network, dry_run};
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "AssociateAddress",
        &[
            "AllocationId",
            "PublicIp",
            "InstanceId",
            "NetworkInterfaceId",
            "PrivateIpAddress",
            "AllowReassociation",
            "DryRun",
        ],
        associate,
    ),
    Operation::new("DisassociateAddress", &["AssociationId", "PublicIp", "DryRun"], disassociate),
];

impl Network {
    /// Lets an Elastic IP address stand for an address of an interface.
    pub(in crate::ec2) fn associate(&mut self, allocation: &str, association: Association) {
        let Some(address) = self.addresses.get_mut(allocation) else { return };
        let public = PublicAddress {
            address: address.public_ip,
            owner: address.owner.to_string(),
            allocation_id: Some(allocation.to_owned()),
            association_id: Some(association.id.clone()),
        };
        let (interface_id, private_address) = (association.interface_id.clone(), association.private_address);
        address.association = Some(association);
        self.map(&interface_id, private_address, public);
    }
}

fn associate(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    if let Some(instance) = parameters.text("InstanceId") {
        let message = format!("The instance ID '{instance}' does not exist");
        return Err(Refusal::new("InvalidInstanceID.NotFound", message));
    }
    let interface_id = parameters.required("NetworkInterfaceId")?;
    let private_address = address(parameters, "PrivateIpAddress")?;
    let network = world.network(&call.region);
    let found = network.own_address(call)?;
    let (allocation, previous) = (found.id.clone(), found.association.clone());
    let private_address = check_interface(network, call, interface_id, private_address)?;
    if let Some(previous) = &previous {
        if (previous.interface_id.as_str(), previous.private_address) == (interface_id, private_address) {
            // "This is an idempotent operation" (API reference, `AssociateAddress`).
            return Ok(json!({ "return": true, "associationId": previous.id }));
        }
        if !parameters.flag("AllowReassociation")?.unwrap_or_default() {
            return Err(taken(&allocation, previous));
        }
        check_not_managed(network, previous)?;
    }
    dry_run(call)?;
    let id = world.new_id("eipassoc");
    let network = world.network(&call.region);
    if let Some(previous) = previous {
        network.unmap(&previous.interface_id, previous.private_address);
    }
    // An address that stood for the private one before stays allocated.
    network.unmap(interface_id, private_address);
    let association = Association { id: id.clone(), interface_id: interface_id.to_owned(), private_address };
    network.associate(&allocation, association);
    Ok(json!({ "return": true, "associationId": id }))
}

/// Returns the address of the interface that is meant.
fn check_interface(
    network: &mut Network,
    call: &Call,
    id: &str,
    address: Option<Ipv4Addr>,
) -> Result<Ipv4Addr, Refusal> {
    let interface = network.own_interface(call, id)?;
    if interface.is_managed() {
        return Err(not_permitted());
    }
    let address = address.unwrap_or_else(|| interface.primary_address());
    if !interface.has_address(address) {
        let message = format!("The private IP address {address} is not assigned to {id}");
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let vpc_id = interface.vpc_id.clone();
    let attached = network.vpcs.get(&vpc_id).is_some_and(|vpc| vpc.gateway_id.is_some());
    if attached {
        Ok(address)
    } else {
        let message = format!("Network {vpc_id} is not attached to any internet gateway");
        Err(Refusal::new("Gateway.NotAttached", message))
    }
}

fn taken(allocation: &str, association: &Association) -> Refusal {
    let message = format!("resource {allocation} is already associated with associate-id {}", association.id);
    Refusal::new("Resource.AlreadyAssociated", message)
}

fn disassociate(world: &mut World, call: &Call) -> Answer {
    let network = world.network(&call.region);
    let association = match call.parameters.text("AssociationId") {
        Some(id) => Some(own_association(network, call, id)?),
        None => network.own_address(call)?.association.clone(),
    };
    if let Some(association) = &association {
        check_not_managed(network, association)?;
    }
    dry_run(call)?;
    if let Some(association) = association {
        network.unmap(&association.interface_id, association.private_address);
    }
    Ok(json!({ "return": true }))
}

fn own_association(network: &Network, call: &Call, id: &str) -> Result<Association, Refusal> {
    let mut own = network.addresses.values().filter(|address| address.owner == call.caller.account);
    let found = own.find_map(|address: &Address| address.association.as_ref().filter(|own| own.id == id));
    found.cloned().ok_or_else(|| {
        let message = format!("The association ID '{id}' does not exist");
        Refusal::new("InvalidAssociationID.NotFound", message)
    })
}

/// What a NAT gateway has, the account that owns the gateway may not take away.
fn check_not_managed(network: &Network, association: &Association) -> Result<(), Refusal> {
    let interface = network.interfaces.get(&association.interface_id);
    if interface.is_some_and(NetworkInterface::is_managed) { Err(not_permitted()) } else { Ok(()) }
}

fn not_permitted() -> Refusal {
    Refusal::new("AuthFailure", "You do not have permission to access the specified resource.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{
        address as allocated, attached_gateway, gateway, interface, interface_of_participant, list,
        with_subnet,
    };
    use crate::testing::text;

    #[test]
    fn an_address_is_associated_and_taken_away() {
        let (mut account, vpc, subnet) = with_subnet();
        let gateway = attached_gateway(&mut account, &vpc);
        let (allocation, interface) = (allocated(&mut account), interface(&mut account, &subnet));
        let wanted = json!({ "AllocationId": allocation, "NetworkInterfaceId": interface });
        let association = text(&account.ok("AssociateAddress", wanted.clone())["associationId"]);
        assert_eq!(account.ok("AssociateAddress", wanted)["associationId"], association.as_str());
        let seen = account.ok("DescribeAddresses", json!({}))["addressesSet"][0].clone();
        assert_eq!(seen["networkInterfaceId"], interface.as_str());
        assert_eq!(seen["networkInterfaceOwnerId"], "111111111111");
        assert_eq!(seen["privateIpAddress"], "10.0.1.4");
        let filter = json!([{ "Name": "association.allocation-id", "Value": [allocation] }]);
        let seen = account.ok("DescribeNetworkInterfaces", json!({ "Filter": filter }));
        let shown = &list(&seen, "networkInterfaceSet")[0]["association"];
        assert_eq!(shown["associationId"], association.as_str());
        account.refused("ReleaseAddress", json!({ "AllocationId": allocation }), "InvalidIPAddress.InUse");
        let detach = json!({ "InternetGatewayId": gateway, "VpcId": vpc });
        account.refused("DetachInternetGateway", detach.clone(), "DependencyViolation");
        account.ok("DisassociateAddress", json!({ "AssociationId": association }));
        let again = json!({ "AssociationId": association });
        account.refused("DisassociateAddress", again, "InvalidAssociationID.NotFound");
        account.ok("DetachInternetGateway", detach);
        account.ok("ReleaseAddress", json!({ "AllocationId": allocation }));
    }

    #[test]
    fn an_address_moves_only_when_that_is_allowed() {
        let (mut account, vpc, subnet) = with_subnet();
        attached_gateway(&mut account, &vpc);
        let allocation = allocated(&mut account);
        let interfaces = [interface(&mut account, &subnet), interface(&mut account, &subnet)];
        account.ok(
            "AssociateAddress",
            json!({ "AllocationId": allocation, "NetworkInterfaceId": interfaces[0] }),
        );
        let mut moved = json!({ "AllocationId": allocation, "NetworkInterfaceId": interfaces[1] });
        account.refused("AssociateAddress", moved.clone(), "Resource.AlreadyAssociated");
        moved["AllowReassociation"] = json!("true");
        account.ok("AssociateAddress", moved);
        let filter = json!([{ "Name": "network-interface-id", "Value": [interfaces[1]] }]);
        assert_eq!(
            list(&account.ok("DescribeAddresses", json!({ "Filter": filter })), "addressesSet").len(),
            1
        );
        account.ok("DeleteNetworkInterface", json!({ "NetworkInterfaceId": interfaces[1] }));
        account.ok("ReleaseAddress", json!({ "AllocationId": allocation }));
    }

    #[test]
    fn what_has_no_way_to_the_internet_gets_no_address() {
        let (mut account, _, subnet) = with_subnet();
        gateway(&mut account);
        let (allocation, interface) = (allocated(&mut account), interface(&mut account, &subnet));
        let wanted = json!({ "AllocationId": allocation, "NetworkInterfaceId": interface });
        account.refused("AssociateAddress", wanted, "Gateway.NotAttached");
        let other = json!({
            "AllocationId": allocation,
            "NetworkInterfaceId": interface,
            "PrivateIpAddress": "10.0.1.200",
        });
        account.refused("AssociateAddress", other, "InvalidParameterValue");
        let instance = json!({ "AllocationId": allocation, "InstanceId": "i-0" });
        account.refused("AssociateAddress", instance, "InvalidInstanceID.NotFound");
    }

    /// "Participants can associate or disassociate IP addresses with the network interfaces that
    /// they created" (VPC user guide, responsibilities and permissions).
    #[test]
    fn a_participant_gives_its_own_interface_its_own_address() {
        let (mut owner, vpc, subnet) = with_subnet();
        let gateway = attached_gateway(&mut owner, &vpc);
        owner.share_with_other(&subnet);
        let owners = interface(&mut owner, &subnet);
        owner.other(|other| {
            let (allocation, own) = (allocated(other), interface_of_participant(other, &vpc, &subnet));
            let wrong = json!({ "AllocationId": allocation, "NetworkInterfaceId": owners });
            other.refused("AssociateAddress", wrong, "InvalidNetworkInterfaceID.NotFound");
            other.ok("AssociateAddress", json!({ "AllocationId": allocation, "NetworkInterfaceId": own }));
        });
        let detach = json!({ "InternetGatewayId": gateway, "VpcId": vpc });
        owner.refused("DetachInternetGateway", detach, "DependencyViolation");
    }
}

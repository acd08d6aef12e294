//! What accounts do with network interfaces of their own.
//!
//! The owner of a subnet sees the interfaces that participants have in it, and can change none of
//! them; participants see their own ("Responsibilities and permissions for owners and
//! participants", VPC user guide).

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::{Attachment, NetworkInterface, NewInterface, PrivateAddress, PublicAddress, Requester};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::address_pool;
use crate::ec2::describe::{Description, describe_among, texts};
use crate::ec2::ownership::{Thing, own};
use crate::ec2::zones::zones;
use crate::ec2::{Network, dry_run, tags};
use crate::world::{AccountId, World};

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateNetworkInterface",
        &[
            "SubnetId",
            "Description",
            "PrivateIpAddress",
            "SecurityGroupId",
            "TagSpecification",
            "ClientToken",
            "DryRun",
        ],
        create,
    ),
    Operation::new(
        "DescribeNetworkInterfaces",
        &["NetworkInterfaceId", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_interfaces,
    ),
    Operation::new("DeleteNetworkInterface", &["NetworkInterfaceId", "DryRun"], delete),
];

impl Network {
    /// Tells whether an account sees an interface: its own, and those in its subnets.
    fn sees_interface(&self, interface: &NetworkInterface, account: &AccountId) -> bool {
        let subnet = self.subnets.get(&interface.subnet_id);
        interface.owner == *account || subnet.is_some_and(|subnet| subnet.owner == *account)
    }

    /// Returns an interface that the caller may change.
    pub(in crate::ec2) fn own_interface(
        &mut self,
        call: &Call,
        id: &str,
    ) -> Result<&mut NetworkInterface, Refusal> {
        let interface = self.interfaces.get(id);
        let seen = interface.is_some_and(|interface| self.sees_interface(interface, &call.caller.account));
        own(call, &mut self.interfaces, id, seen)
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let subnet_id = parameters.required("SubnetId")?;
    let address = address_pool::address(parameters, "PrivateIpAddress")?;
    let tags = tags::at_birth(parameters, "network-interface")?;
    let network = world.network(&call.region);
    let vpc_id = &network.seen_subnet(call, subnet_id)?.vpc_id;
    let groups = parameters.texts("SecurityGroupId");
    let groups = network.groups_of_interface(&call.caller.account, vpc_id, &groups)?;
    let new = NewInterface {
        owner: call.caller.account.clone(),
        subnet_id: subnet_id.to_owned(),
        description: parameters.text("Description").unwrap_or_default().to_owned(),
        interface_type: "interface",
        requester: Requester::Principal(call.caller.user_id.clone()),
        groups,
        address,
        tags,
    };
    dry_run(call)?;
    let id = world.new_id("eni");
    let network = world.network(&call.region);
    network.add_interface(&id, new)?;
    Ok(json!({
        "networkInterface": shown(network, &network.interfaces[&id], call),
        "clientToken": parameters.text("ClientToken"),
    }))
}

fn describe_interfaces(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "networkInterfaceSet",
        ids: "NetworkInterfaceId",
        not_found: NetworkInterface::NOT_FOUND,
        visible: &|interface| network.sees_interface(interface, &call.caller.account),
        filter: &|interface, filter| filtered(network, interface, call, filter),
        shown: &|interface| shown(network, interface, call),
        page: (5, 1000),
    };
    let by_subnet = network.dependents.named_by(call, "subnet-id", "eni-");
    let among = by_subnet.or_else(|| network.dependents.named_by(call, "group-id", "eni-"));
    describe_among(call, &network.interfaces, among, &description)
}

fn shown(network: &Network, interface: &NetworkInterface, call: &Call) -> Value {
    let zone = zone(network, interface, call);
    let name = |id: &String| network.groups.get(id).map(|group| group.name.as_str());
    let groups = interface.groups.iter().map(|id| json!({ "groupId": id, "groupName": name(id) }));
    let groups: Vec<_> = groups.collect();
    let primary = &interface.addresses[0];
    json!({
        "networkInterfaceId": interface.id,
        "ownerId": interface.owner.as_str(),
        "vpcId": interface.vpc_id,
        "subnetId": interface.subnet_id,
        "availabilityZone": zone.as_ref().map(|(_, name)| name),
        "availabilityZoneId": zone.as_ref().map(|(id, _)| id),
        "description": interface.description,
        "interfaceType": interface.interface_type,
        "requesterId": requester_id(interface),
        "requesterManaged": interface.is_managed(),
        "status": status(interface),
        "attachment": interface.is_in_use().then(|| attachment(interface)),
        "macAddress": mac_address(interface),
        "privateIpAddress": primary.address,
        "privateDnsName": private_name(&call.region, primary.address),
        "privateIpAddressesSet": shown_addresses(interface, &call.region),
        "association": primary.public.as_ref().map(association),
        "groupSet": groups,
        "sourceDestCheck": !interface.is_managed(),
        "ipv6AddressesSet": [],
        // "Tags for the resources within the shared VPC are not shared", and not the other way round.
        "tagSet": (interface.owner == call.caller.account).then(|| tags::shown(&interface.tags)),
    })
}

fn shown_addresses(interface: &NetworkInterface, region: &str) -> Vec<Value> {
    let shown = |(position, own): (usize, &PrivateAddress)| {
        json!({
            "privateIpAddress": own.address,
            "privateDnsName": private_name(region, own.address),
            "primary": position == 0,
            "association": own.public.as_ref().map(association),
        })
    };
    interface.addresses.iter().enumerate().map(shown).collect()
}

/// Returns the zone's id, and its name in the caller's account.
fn zone(network: &Network, interface: &NetworkInterface, call: &Call) -> Option<(String, String)> {
    let id = &network.subnets.get(&interface.subnet_id)?.zone_id;
    let zone = zones(&call.region, &call.caller.account).into_iter().find(|zone| zone.id == *id)?;
    Some((zone.id, zone.name))
}

fn association(public: &PublicAddress) -> Value {
    json!({
        "publicIp": public.address,
        "ipOwnerId": public.owner,
        "allocationId": public.allocation_id,
        "associationId": public.association_id,
    })
}

fn requester_id(interface: &NetworkInterface) -> &str {
    match &interface.requester {
        Requester::Principal(id) | Requester::Service(id) => id,
    }
}

fn status(interface: &NetworkInterface) -> &'static str {
    if interface.is_in_use() { "in-use" } else { "available" }
}

/// What services have behind their interfaces belongs to AWS itself.
fn attachment(interface: &NetworkInterface) -> Value {
    let prefix = if interface.attachment.is_some() { "eni-attach-" } else { "ela-attach-" };
    let instance = interface.attachment.as_ref();
    json!({
        "attachmentId": interface.id.replace("eni-", prefix),
        "instanceId": instance.map(|attachment| &attachment.instance_id),
        "instanceOwnerId": attached_by(interface),
        "deviceIndex": instance.map_or(1, |attachment| attachment.device),
        "status": "attached",
        "deleteOnTermination": instance.is_some_and(Attachment::goes_with_instance),
    })
}

/// Returns who has attached an interface: the account whose instance it is of, a service that has a
/// name, or AWS itself.
fn attached_by(interface: &NetworkInterface) -> &str {
    if interface.attachment.is_some() {
        return interface.owner.as_str();
    }
    Some(requester_id(interface)).filter(|id| id.starts_with("amazon-")).unwrap_or("amazon-aws")
}

/// Makes a locally administered address of the interface's id.
fn mac_address(interface: &NetworkInterface) -> String {
    let digits = interface.id.trim_start_matches("eni-");
    let pairs: Vec<_> = (1..6).filter_map(|pair| digits.get(2 * pair..2 * pair + 2)).collect();
    format!("02:{}", pairs.join(":"))
}

/// Names an address ("DNS attributes for your VPC", VPC user guide).
pub(in crate::ec2) fn private_name(region: &str, address: Ipv4Addr) -> String {
    let domain =
        if region == "us-east-1" { "ec2.internal".to_owned() } else { format!("{region}.compute.internal") };
    format!("ip-{}.{domain}", address.to_string().replace('.', "-"))
}

fn filtered(
    network: &Network,
    interface: &NetworkInterface,
    call: &Call,
    filter: &str,
) -> Option<Vec<String>> {
    let primary = interface.addresses.first().into_iter();
    let all = interface.addresses.iter();
    let publics = || primary.clone().filter_map(|own| own.public.as_ref());
    Some(match filter {
        "network-interface-id" => texts([&interface.id]),
        "owner-id" => texts([interface.owner.as_str()]),
        "vpc-id" => texts([&interface.vpc_id]),
        "subnet-id" => texts([&interface.subnet_id]),
        "availability-zone" => texts(zone(network, interface, call).map(|(_, name)| name)),
        "availability-zone-id" => texts(zone(network, interface, call).map(|(id, _)| id)),
        "description" => texts([&interface.description]),
        "interface-type" => texts([&interface.interface_type]),
        "requester-id" => texts([requester_id(interface)]),
        "requester-managed" => texts([interface.is_managed()]),
        "status" => texts([status(interface)]),
        "mac-address" => texts([mac_address(interface)]),
        "group-id" => texts(&interface.groups),
        "private-ip-address" => texts(primary.map(|own| own.address)),
        "private-dns-name" => texts(primary.map(|own| private_name(&call.region, own.address))),
        "addresses.private-ip-address" => texts(all.map(|own| own.address)),
        "addresses.association.public-ip" => {
            texts(all.filter_map(|own| own.public.as_ref()).map(|public| public.address))
        }
        "association.public-ip" => texts(publics().map(|public| public.address)),
        "association.ip-owner-id" => texts(publics().map(|public| &public.owner)),
        "association.allocation-id" => texts(publics().filter_map(|public| public.allocation_id.as_ref())),
        "association.association-id" => texts(publics().filter_map(|public| public.association_id.as_ref())),
        "attachment.status" => texts(interface.is_in_use().then_some("attached")),
        "attachment.instance-owner-id" => texts(interface.is_in_use().then(|| attached_by(interface))),
        "attachment.instance-id" => {
            texts(interface.attachment.as_ref().map(|attachment| &attachment.instance_id))
        }
        _ => return tags::filtered(&interface.tags, filter),
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("NetworkInterfaceId")?;
    let network = world.network(&call.region);
    if network.own_interface(call, id)?.is_in_use() {
        // "The specified interface is currently in use and cannot be deleted" (error codes of EC2).
        let message = format!("Network interface '{id}' is currently in use.");
        return Err(Refusal::new("InvalidNetworkInterface.InUse", message));
    }
    dry_run(call)?;
    network.remove_interface(id);
    Ok(json!({ "return": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{interface_of_participant, list, with_subnet};

    fn wanted(subnet: &str) -> Value {
        json!({
            "SubnetId": subnet,
            "Description": "by hand",
            "PrivateIpAddress": "10.0.1.9",
            "TagSpecification":
                [{ "ResourceType": "network-interface", "Tag": [{ "Key": "Name", "Value": "a" }] }],
        })
    }

    #[test]
    fn an_interface_takes_an_address_of_its_subnet_and_gives_it_back() {
        let (mut account, _, subnet) = with_subnet();
        let left = json!([{ "Name": "available-ip-address-count", "Value": ["250"] }]);
        let made = account.ok("CreateNetworkInterface", wanted(&subnet))["networkInterface"].clone();
        assert_eq!(made["privateIpAddress"], "10.0.1.9");
        assert_eq!(made["privateDnsName"], "ip-10-0-1-9.ec2.internal");
        assert_eq!(made["status"], "available");
        assert_eq!(list(&account.ok("DescribeSubnets", json!({ "Filter": left })), "subnetSet").len(), 1);
        account.refused("CreateNetworkInterface", wanted(&subnet), "InvalidIPAddress.InUse");
        account.refused("DeleteSubnet", json!({ "SubnetId": subnet }), "DependencyViolation");
        let id = json!({ "NetworkInterfaceId": made["networkInterfaceId"] });
        let mut dry = id.clone();
        dry["DryRun"] = json!("true");
        account.refused("DeleteNetworkInterface", dry, "DryRunOperation");
        account.ok("DeleteNetworkInterface", id.clone());
        account.refused("DeleteNetworkInterface", id, "InvalidNetworkInterfaceID.NotFound");
        assert_eq!(list(&account.ok("DescribeSubnets", json!({ "Filter": left })), "subnetSet").len(), 0);
        account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
    }

    #[test]
    fn filters_choose() {
        let (mut account, vpc, subnet) = with_subnet();
        account.ok("CreateNetworkInterface", wanted(&subnet));
        for (name, value, found) in [
            ("vpc-id", vpc.as_str(), 1),
            ("subnet-id", subnet.as_str(), 1),
            ("subnet-id", "subnet-*", 1),
            ("subnet-id", "subnet-0", 0),
            ("group-id", "sg-0", 0),
            ("description", "by *", 1),
            ("status", "in-use", 0),
            ("requester-managed", "false", 1),
            ("private-ip-address", "10.0.1.9", 1),
            ("addresses.private-ip-address", "10.0.1.8", 0),
            ("association.public-ip", "*", 0),
            ("attachment.instance-id", "*", 0),
            ("availability-zone-id", "use1-az2", 1),
            ("tag:Name", "a", 1),
        ] {
            let filter = json!([{ "Name": name, "Value": [value] }]);
            let seen = account.ok("DescribeNetworkInterfaces", json!({ "Filter": filter }));
            assert_eq!(list(&seen, "networkInterfaceSet").len(), found, "{name}");
        }
        let unknown = json!({ "Filter": [{ "Name": "colour", "Value": ["red"] }] });
        account.refused("DescribeNetworkInterfaces", unknown, "InvalidParameterValue");
    }

    /// "VPC owners can describe network interfaces owned by participants" and "cannot work with
    /// [them] in any other way"; "participants can modify or delete the network interfaces that
    /// they created" (VPC user guide, responsibilities and permissions).
    #[test]
    fn the_owner_of_a_subnet_sees_the_interfaces_of_participants_and_changes_none() {
        let (mut owner, vpc, subnet) = with_subnet();
        owner.other(|other| {
            other.refused("CreateNetworkInterface", wanted(&subnet), "InvalidSubnetID.NotFound");
        });
        owner.share_with_other(&subnet);
        let mut id = String::new();
        owner.other(|other| id = interface_of_participant(other, &vpc, &subnet));
        let seen = owner.ok("DescribeNetworkInterfaces", json!({ "NetworkInterfaceId": [id] }));
        assert_eq!(seen["networkInterfaceSet"][0]["ownerId"], "222222222222");
        assert_eq!(seen["networkInterfaceSet"][0]["tagSet"], Value::Null);
        let one = json!({ "NetworkInterfaceId": id });
        owner.refused("DeleteNetworkInterface", one.clone(), "UnauthorizedOperation");
        owner.refused("DeleteSubnet", json!({ "SubnetId": subnet }), "DependencyViolation");
        let own =
            owner.ok("CreateNetworkInterface", json!({ "SubnetId": subnet }))["networkInterface"].clone();
        owner.other(|other| {
            let own = json!({ "NetworkInterfaceId": [own["networkInterfaceId"]] });
            other.refused("DescribeNetworkInterfaces", own, "InvalidNetworkInterfaceID.NotFound");
            other.ok("DeleteNetworkInterface", one);
        });
    }
}

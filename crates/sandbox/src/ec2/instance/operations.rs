//! Describing instances.

use serde_json::{Value, json};

use super::Instance;
use crate::call::{Answer, Call, Operation};
use crate::ec2::describe::{Description, describe, texts};
use crate::ec2::network_interface::private_name;
use crate::ec2::ownership::Thing;
use crate::ec2::zones::zones;
use crate::ec2::{Network, dry_run, tags};
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[Operation::new(
    "DescribeInstances",
    &["InstanceId", "Filter", "MaxResults", "NextToken", "DryRun"],
    describe_instances,
)];

/// Describes the caller's instances, each in a reservation of its own.
fn describe_instances(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "reservationSet",
        ids: "InstanceId",
        not_found: Instance::NOT_FOUND,
        visible: &|instance: &Instance| instance.owner == call.caller.account,
        filter: &|instance, filter| filtered(network, instance, call, filter),
        shown: &|instance| reservation(network, instance, call),
        page: (5, 1000),
    };
    describe(call, &network.instances, &description)
}

fn reservation(network: &Network, instance: &Instance, call: &Call) -> Value {
    json!({
        "reservationId": reservation_id(instance),
        "ownerId": instance.owner.as_str(),
        "groupSet": [],
        "instancesSet": [shown(network, instance, call)],
    })
}

fn reservation_id(instance: &Instance) -> String {
    instance.id.replacen("i-", "r-", 1)
}

fn shown(network: &Network, instance: &Instance, call: &Call) -> Value {
    let interface = network.interfaces.get(&instance.interface_id);
    let address = interface.map(super::super::NetworkInterface::primary_address);
    let groups = interface.into_iter().flat_map(|interface| &interface.groups);
    let name = |id: &String| network.groups.get(id).map(|group| group.name.as_str());
    let groups: Vec<_> = groups.map(|id| json!({ "groupId": id, "groupName": name(id) })).collect();
    let ids = interface.map(|interface| &interface.id).into_iter().chain(&instance.more_interfaces);
    let (code, state) = state(instance);
    json!({
        "instanceId": instance.id,
        "imageId": instance.image_id,
        "instanceState": { "code": code, "name": state },
        "instanceType": instance.kind,
        "instanceLifecycle": instance.is_spot.then_some("spot"),
        "launchTime": instance.launched_at.to_string(),
        "placement": {
            "availabilityZone": zone_name(network, instance, call), "groupName": "", "tenancy": "default",
        },
        "vpcId": interface.map(|_| &instance.vpc_id),
        "subnetId": interface.map(|_| &instance.subnet_id),
        "privateIpAddress": address,
        "privateDnsName": address.map(|address| private_name(&call.region, address)).unwrap_or_default(),
        "dnsName": "",
        "iamInstanceProfile": interface.map(|_| json!({ "arn": instance.profile_arn })),
        "groupSet": groups,
        "networkInterfaceSet": ids.map(|id| json!({ "networkInterfaceId": id })).collect::<Vec<_>>(),
        "architecture": "x86_64",
        "rootDeviceType": "ebs",
        "rootDeviceName": "/dev/xvda",
        "virtualizationType": "hvm",
        "monitoring": { "state": "disabled" },
        "sourceDestCheck": true,
        "tagSet": tags::shown(&instance.tags),
    })
}

fn state(instance: &Instance) -> (u8, &'static str) {
    if instance.terminated_at.is_some() { (48, "terminated") } else { (16, "running") }
}

/// Returns the name that the caller's account has for the zone.
fn zone_name(network: &Network, instance: &Instance, call: &Call) -> Option<String> {
    let id = &network.subnets.get(&instance.subnet_id)?.zone_id;
    zones(&call.region, &call.caller.account).into_iter().find(|zone| zone.id == *id).map(|zone| zone.name)
}

fn filtered(network: &Network, instance: &Instance, call: &Call, filter: &str) -> Option<Vec<String>> {
    let interface = network.interfaces.get(&instance.interface_id);
    Some(match filter {
        "instance-id" => texts([&instance.id]),
        "instance-state-name" => texts([state(instance).1]),
        "instance-state-code" => texts([state(instance).0]),
        "instance-type" => texts([&instance.kind]),
        "image-id" => texts([&instance.image_id]),
        "owner-id" => texts([&instance.owner]),
        "reservation-id" => texts([reservation_id(instance)]),
        "availability-zone" => texts(zone_name(network, instance, call)),
        "vpc-id" | "network-interface.vpc-id" => texts(interface.map(|interface| &interface.vpc_id)),
        "subnet-id" | "network-interface.subnet-id" => texts(interface.map(|interface| &interface.subnet_id)),
        "private-ip-address" => texts(interface.map(super::super::NetworkInterface::primary_address)),
        "instance.group-id" | "network-interface.group-id" => {
            texts(interface.into_iter().flat_map(|interface| &interface.groups))
        }
        "network-interface.network-interface-id" => {
            let primary = interface.map(|interface| &interface.id).into_iter();
            texts(primary.chain(&instance.more_interfaces))
        }
        _ => return tags::filtered(&instance.tags, filter),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::testing::Account;

    /// The load balancer controller asks for the instances of another account with this outcome
    /// (recording 02 of the controller).
    #[test]
    fn there_are_none_without_node_groups() {
        let mut account = Account::new();
        assert_eq!(account.ok("DescribeInstances", json!({}))["reservationSet"], json!([]));
        let one = json!({ "InstanceId": ["i-0aaaaaaaaaaaaaaa1"] });
        account.refused("DescribeInstances", one, "InvalidInstanceID.NotFound");
    }
}

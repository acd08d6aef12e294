//! What the tests of EC2's kinds share.

use serde_json::{Value, json};

use super::NewInstance;
use super::tags::Tags;
use crate::testing::{Account, text};

/// Makes an account with a VPC (10.0.0.0/16) and a subnet (10.0.1.0/24); returns it with their ids.
pub(crate) fn with_subnet() -> (Account, String, String) {
    let mut account = Account::new();
    let vpc = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"]);
    let wanted = json!({
        "VpcId": vpc,
        "CidrBlock": "10.0.1.7/24",
        "AvailabilityZoneId": "use1-az2",
        "TagSpecification": [{ "ResourceType": "subnet", "Tag": [{ "Key": "Name", "Value": "a" }] }],
    });
    let subnet = text(&account.ok("CreateSubnet", wanted)["subnet"]["subnetId"]);
    (account, vpc, subnet)
}

/// Returns the things in a list of an answer.
#[track_caller]
pub(crate) fn list<'a>(answer: &'a Value, name: &str) -> &'a Vec<Value> {
    answer[name].as_array().unwrap_or_else(|| panic!("{answer} has no list {name}"))
}

/// Makes an internet gateway.
pub(crate) fn gateway(account: &mut Account) -> String {
    let made = account.ok("CreateInternetGateway", json!({}));
    text(&made["internetGateway"]["internetGatewayId"])
}

/// Makes an internet gateway and attaches it to a VPC.
pub(crate) fn attached_gateway(account: &mut Account, vpc: &str) -> String {
    let gateway = gateway(account);
    account.ok("AttachInternetGateway", json!({ "InternetGatewayId": gateway, "VpcId": vpc }));
    gateway
}

/// Allocates an Elastic IP address.
pub(crate) fn address(account: &mut Account) -> String {
    text(&account.ok("AllocateAddress", json!({ "Domain": "vpc" }))["allocationId"])
}

/// Makes a network interface.
pub(crate) fn interface(account: &mut Account, subnet: &str) -> String {
    let made = account.ok("CreateNetworkInterface", json!({ "SubnetId": subnet }));
    text(&made["networkInterface"]["networkInterfaceId"])
}

/// Makes a route table.
pub(crate) fn table(account: &mut Account, vpc: &str) -> String {
    let made = account.ok("CreateRouteTable", json!({ "VpcId": vpc }));
    text(&made["routeTable"]["routeTableId"])
}

/// Makes a security group.
pub(crate) fn group(account: &mut Account, vpc: &str, name: &str) -> String {
    let wanted = json!({ "VpcId": vpc, "GroupName": name, "GroupDescription": "test" });
    text(&account.ok("CreateSecurityGroup", wanted)["groupId"])
}

/// Makes a network interface of a participant, which needs a group of its own for it.
pub(crate) fn interface_of_participant(account: &mut Account, vpc: &str, subnet: &str) -> String {
    let group = group(account, vpc, "participant");
    let wanted = json!({ "SubnetId": subnet, "SecurityGroupId": [group] });
    let made = account.ok("CreateNetworkInterface", wanted);
    text(&made["networkInterface"]["networkInterfaceId"])
}

/// Launches an instance, as a node group does.
pub(super) fn instance(account: &mut Account, subnet: &str) -> String {
    let world = account.world();
    let new = NewInstance {
        id: world.new_id("i"),
        owner: world.organization.management.clone(),
        subnet_id: subnet.to_owned(),
        groups: Vec::new(),
        instance_type: "t3.medium".to_owned(),
        requester: "AROA:AutoScaling".to_owned(),
        profile_arn: "arn:aws:iam::111111111111:instance-profile/nodes".to_owned(),
        is_spot: false,
        tags: Tags::new(),
    };
    let id = new.id.clone();
    world.network("us-east-1").launch_instance(new).expect("there is room in the subnet");
    id
}

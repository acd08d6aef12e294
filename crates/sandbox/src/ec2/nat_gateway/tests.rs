//! The life of a NAT gateway.

use serde_json::{Value, json};

use crate::ec2::testing::{address, attached_gateway, list, table, with_subnet};
use crate::testing::{Account, text};
use crate::world::Failure;

/// Makes an account with a VPC that has an internet gateway, and a subnet.
fn with_gateway() -> (Account, String, String, String) {
    let (mut account, vpc, subnet) = with_subnet();
    let gateway = attached_gateway(&mut account, &vpc);
    (account, vpc, subnet, gateway)
}

fn create(account: &mut Account, wanted: Value) -> String {
    text(&account.ok("CreateNatGateway", wanted)["natGateway"]["natGatewayId"])
}

fn seen(account: &mut Account, id: &str) -> Value {
    let seen = account.ok("DescribeNatGateways", json!({ "NatGatewayId": [id] }));
    list(&seen, "natGatewaySet")[0].clone()
}

fn free_addresses(account: &mut Account, subnet: &str) -> Value {
    let seen = account.ok("DescribeSubnets", json!({ "SubnetId": [subnet] }));
    seen["subnetSet"][0]["availableIpAddressCount"].clone()
}

#[test]
fn a_gateway_gets_ready_is_deleted_and_described_for_an_hour() {
    let (mut account, vpc, subnet, gateway) = with_gateway();
    let allocation = address(&mut account);
    let tag = json!([{ "ResourceType": "natgateway", "Tag": [{ "Key": "Name", "Value": "main" }] }]);
    let wanted = json!({
        "SubnetId": subnet,
        "AllocationId": allocation,
        "TagSpecification": tag,
        "ClientToken": "t",
    });
    let made = account.ok("CreateNatGateway", wanted);
    assert_eq!(made["clientToken"], "t");
    assert_eq!(made["natGateway"]["state"], "pending");
    let id = text(&made["natGateway"]["natGatewayId"]);
    account.wait(119);
    assert_eq!(seen(&mut account, &id)["state"], "pending");
    account.wait(1);
    let ready = seen(&mut account, &id);
    assert_eq!(ready["state"], "available");
    assert_eq!(ready["natGatewayAddressSet"][0]["status"], "succeeded");
    assert_eq!(ready["natGatewayAddressSet"][0]["allocationId"], allocation.as_str());
    assert_eq!(ready["tagSet"][0]["value"], "main");
    for (name, value, found) in [
        ("state", "available", 1),
        ("vpc-id", vpc.as_str(), 1),
        ("subnet-id", "subnet-0", 0),
        ("tag:Name", "main", 1),
    ] {
        let filter = json!([{ "Name": name, "Value": [value] }]);
        let seen = account.ok("DescribeNatGateways", json!({ "Filter": filter }));
        assert_eq!(list(&seen, "natGatewaySet").len(), found, "{name}");
    }

    account.ok("DeleteNatGateway", json!({ "NatGatewayId": id }));
    account.ok("DeleteNatGateway", json!({ "NatGatewayId": id }));
    assert_eq!(seen(&mut account, &id)["state"], "deleting");
    let detach = json!({ "InternetGatewayId": gateway, "VpcId": vpc });
    account.refused("DetachInternetGateway", detach.clone(), "DependencyViolation");
    account.refused("ReleaseAddress", json!({ "AllocationId": allocation }), "InvalidIPAddress.InUse");
    account.refused("DeleteSubnet", json!({ "SubnetId": subnet }), "DependencyViolation");
    account.wait(60);
    assert_eq!(seen(&mut account, &id)["state"], "deleted");
    account.refused("DeleteNatGateway", json!({ "NatGatewayId": id }), "NatGatewayNotFound");
    account.ok("DetachInternetGateway", detach);
    account.ok("ReleaseAddress", json!({ "AllocationId": allocation }));
    account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
    account.wait(3600);
    account.refused("DescribeNatGateways", json!({ "NatGatewayId": [id] }), "NatGatewayNotFound");
}

#[test]
fn what_is_to_come_is_kept_with_the_world() {
    let (mut account, _, subnet) = with_subnet();
    let id = create(&mut account, json!({ "SubnetId": subnet, "ConnectivityType": "private" }));
    let kept = serde_json::to_string(account.world()).expect("a world can be kept");
    *account.world() = serde_json::from_str(&kept).expect("what was kept can be read");
    assert_eq!(seen(&mut account, &id)["state"], "pending");
    account.wait(120);
    assert_eq!(seen(&mut account, &id)["state"], "available");
    account.refused("DeleteSubnet", json!({ "SubnetId": subnet }), "DependencyViolation");
}

#[test]
fn a_gateway_has_an_interface_in_the_subnet_that_nobody_else_touches() {
    let (mut account, _, subnet, _) = with_gateway();
    let allocation = address(&mut account);
    let id = create(&mut account, json!({ "SubnetId": subnet, "AllocationId": allocation }));
    assert_eq!(free_addresses(&mut account, &subnet), 250);
    let interface = seen(&mut account, &id)["natGatewayAddressSet"][0]["networkInterfaceId"].clone();
    let shown = account.ok("DescribeNetworkInterfaces", json!({ "NetworkInterfaceId": [interface] }));
    let shown = &list(&shown, "networkInterfaceSet")[0];
    assert_eq!(shown["interfaceType"], "nat_gateway");
    assert_eq!(shown["description"], format!("Interface for NAT Gateway {id}"));
    assert_eq!(shown["status"], "in-use");
    assert_eq!(shown["requesterManaged"], true);
    assert_eq!(shown["association"]["allocationId"], allocation.as_str());
    let association = shown["association"]["associationId"].clone();
    let one = json!({ "NetworkInterfaceId": interface });
    account.refused("DeleteNetworkInterface", one, "InvalidNetworkInterface.InUse");
    account.refused("DisassociateAddress", json!({ "AssociationId": association }), "AuthFailure");
    let other = address(&mut account);
    let wrong = json!({ "AllocationId": other, "NetworkInterfaceId": interface });
    account.refused("AssociateAddress", wrong, "AuthFailure");
}

/// The words are those of the API reference (`NatGateway`, `failureCode`).
#[test]
fn a_gateway_without_what_it_needs_fails_later() {
    let (mut account, vpc, subnet) = with_subnet();
    let allocation = address(&mut account);
    let wanted = json!({ "SubnetId": subnet, "AllocationId": allocation });
    let no_way_out = create(&mut account, wanted.clone());
    assert_eq!(seen(&mut account, &no_way_out)["failureCode"], Value::Null);
    attached_gateway(&mut account, &vpc);
    let first = create(&mut account, wanted.clone());
    let taken = create(&mut account, wanted);
    account.wait(120);
    assert_eq!(seen(&mut account, &first)["state"], "available");
    for (id, code, message) in [
        (no_way_out, "Gateway.NotAttached", format!("Network {vpc} has no Internet gateway attached")),
        (
            taken,
            "Resource.AlreadyAssociated",
            format!("Elastic IP address [{allocation}] is already associated"),
        ),
    ] {
        let failed = seen(&mut account, &id);
        assert_eq!(failed["state"], "failed");
        assert_eq!(failed["failureCode"], code);
        assert_eq!(failed["failureMessage"], message);
    }
    assert_eq!(free_addresses(&mut account, &subnet), 250);
}

#[test]
fn a_full_subnet_lets_a_gateway_fail_which_goes_after_an_hour_or_before() {
    let (mut account, vpc, _) = with_subnet();
    let small = json!({ "VpcId": vpc, "CidrBlock": "10.0.2.0/28" });
    let subnet = text(&account.ok("CreateSubnet", small)["subnet"]["subnetId"]);
    let wanted = json!({
        "SubnetId": subnet,
        "ConnectivityType": "private",
        "SecondaryPrivateIpAddressCount": "11",
    });
    let gateways = [create(&mut account, wanted.clone()), create(&mut account, wanted)];
    account.wait(20);
    let failed = seen(&mut account, &gateways[0]);
    assert_eq!(failed["failureCode"], "InsufficientFreeAddressesInSubnet");
    account.ok("DeleteNatGateway", json!({ "NatGatewayId": gateways[1] }));
    account.wait(60);
    assert_eq!(seen(&mut account, &gateways[1])["state"], "deleted");
    account.wait(3540);
    account.refused("DescribeNatGateways", json!({ "NatGatewayId": [gateways[0]] }), "NatGatewayNotFound");
}

#[test]
fn a_fault_lets_a_gateway_fail() {
    let (mut account, _, subnet, _) = with_gateway();
    let failure = Failure { code: "InternalError".to_owned(), message: "Please try again.".to_owned() };
    account.doom(failure);
    let allocation = address(&mut account);
    let wanted = json!({ "SubnetId": subnet, "AllocationId": allocation });
    let gateways = [create(&mut account, wanted.clone()), create(&mut account, wanted)];
    account.wait(120);
    let failed = seen(&mut account, &gateways[0]);
    assert_eq!((&failed["state"], &failed["failureCode"]), (&json!("failed"), &json!("InternalError")));
    assert_eq!(seen(&mut account, &gateways[1])["state"], "available");
}

#[test]
fn what_is_wrong_at_once_is_refused_at_once() {
    let (mut account, _, subnet, _) = with_gateway();
    let allocation = address(&mut account);
    for (wanted, code) in [
        (json!({ "SubnetId": subnet }), "MissingParameter"),
        (json!({ "AllocationId": allocation }), "MissingParameter"),
        (json!({ "SubnetId": "subnet-0", "AllocationId": allocation }), "InvalidSubnetID.NotFound"),
        (json!({ "SubnetId": subnet, "AllocationId": "eipalloc-0" }), "InvalidElasticIpID.NotFound"),
        (json!({ "SubnetId": subnet, "ConnectivityType": "x" }), "InvalidParameterValue"),
        (
            json!({ "SubnetId": subnet, "ConnectivityType": "private", "AllocationId": allocation }),
            "InvalidParameterCombination",
        ),
        (
            json!({ "SubnetId": subnet, "AllocationId": allocation, "SecondaryPrivateIpAddressCount": "1" }),
            "InvalidParameterCombination",
        ),
        (
            json!({
                "SubnetId": subnet,
                "ConnectivityType": "private",
                "SecondaryPrivateIpAddressCount": "32",
            }),
            "InvalidParameterValue",
        ),
        (
            json!({ "SubnetId": subnet, "AllocationId": allocation, "PrivateIpAddress": "10.0.9.9" }),
            "InvalidParameterValue",
        ),
        (json!({ "SubnetId": subnet, "AllocationId": allocation, "DryRun": "true" }), "DryRunOperation"),
        (
            json!({
                "SubnetId": subnet,
                "ConnectivityType": "private",
                "PrivateIpAddress": "10.0.1.9",
                "SecondaryPrivateIpAddress": ["10.0.1.9"],
            }),
            "InvalidIPAddress.InUse",
        ),
    ] {
        account.refused("CreateNatGateway", wanted, code);
    }
    assert_eq!(free_addresses(&mut account, &subnet), 251);
    assert!(list(&account.ok("DescribeNatGateways", json!({})), "natGatewaySet").is_empty());
}

#[test]
fn a_zone_has_five_gateways() {
    let (mut account, _, subnet, _) = with_gateway();
    let wanted = json!({ "SubnetId": subnet, "ConnectivityType": "private" });
    let first = create(&mut account, wanted.clone());
    for _ in 1..5 {
        create(&mut account, wanted.clone());
    }
    account.refused("CreateNatGateway", wanted.clone(), "NatGatewayLimitExceeded");
    account.ok("DeleteNatGateway", json!({ "NatGatewayId": first }));
    account.refused("CreateNatGateway", wanted.clone(), "NatGatewayLimitExceeded");
    account.wait(60);
    create(&mut account, wanted);
}

#[test]
fn a_public_gateway_gets_and_loses_secondary_addresses() {
    let (mut account, _, subnet, _) = with_gateway();
    let allocations: Vec<_> = (0..3).map(|_| address(&mut account)).collect();
    let wanted = json!({
        "SubnetId": subnet,
        "AllocationId": allocations[0],
        "SecondaryAllocationId": [allocations[1]],
    });
    let id = create(&mut account, wanted);
    let third = json!({ "NatGatewayId": id, "AllocationId": [allocations[2]] });
    account.refused("AssociateNatGatewayAddress", third.clone(), "IncorrectState");
    account.wait(120);
    let taken = json!({ "NatGatewayId": id, "AllocationId": [allocations[1]] });
    account.refused("AssociateNatGatewayAddress", taken, "Resource.AlreadyAssociated");
    let unknown = json!({ "NatGatewayId": id, "AllocationId": ["eipalloc-0"] });
    account.refused("AssociateNatGatewayAddress", unknown, "InvalidAllocationID.NotFound");
    let added = account.ok("AssociateNatGatewayAddress", third);
    assert_eq!(added["natGatewayAddressSet"][0]["status"], "associating");
    account.wait(20);
    let addresses = seen(&mut account, &id)["natGatewayAddressSet"].clone();
    let addresses = addresses.as_array().expect("it is a list");
    assert_eq!(addresses.len(), 3);
    assert!(addresses.iter().all(|address| address["status"] == "succeeded"));
    let with = |association: &Value| json!({ "NatGatewayId": id, "AssociationId": [association] });
    account.refused(
        "DisassociateNatGatewayAddress",
        with(&addresses[0]["associationId"]),
        "InvalidParameterValue",
    );
    let unknown = with(&json!("eipassoc-0"));
    account.refused("DisassociateNatGatewayAddress", unknown, "InvalidAssociationID.NotFound");
    account.ok("DisassociateNatGatewayAddress", with(&addresses[1]["associationId"]));
    let other = with(&addresses[2]["associationId"]);
    account.refused("DisassociateNatGatewayAddress", other.clone(), "IncorrectState");
    account.refused("ReleaseAddress", json!({ "AllocationId": allocations[1] }), "InvalidIPAddress.InUse");
    account.wait(350);
    account.ok("ReleaseAddress", json!({ "AllocationId": allocations[1] }));
    account.ok("DisassociateNatGatewayAddress", other);
    account.wait(350);
    assert_eq!(seen(&mut account, &id)["natGatewayAddressSet"].as_array().map(Vec::len), Some(1));
    assert_eq!(free_addresses(&mut account, &subnet), 250);
}

#[test]
fn a_private_gateway_gets_and_loses_secondary_addresses() {
    let (mut account, _, subnet) = with_subnet();
    let wanted =
        json!({ "SubnetId": subnet, "ConnectivityType": "private", "PrivateIpAddress": "10.0.1.10" });
    let id = create(&mut account, wanted);
    account.wait(120);
    let with = |address: &str| json!({ "NatGatewayId": id, "PrivateIpAddress": [address] });
    let added = account.ok("AssignPrivateNatGatewayAddress", with("10.0.1.11"));
    assert_eq!(added["natGatewayAddressSet"][0]["status"], "assigning");
    account.refused("AssignPrivateNatGatewayAddress", with("10.0.1.10"), "InvalidIPAddress.InUse");
    let none = json!({ "NatGatewayId": id });
    account.refused("AssignPrivateNatGatewayAddress", none, "MissingParameter");
    let elastic = json!({ "NatGatewayId": id, "AllocationId": [address(&mut account)] });
    account.refused("AssociateNatGatewayAddress", elastic, "InvalidParameterValue");
    account.ok("AssignPrivateNatGatewayAddress", json!({ "NatGatewayId": id, "PrivateIpAddressCount": "1" }));
    account.wait(20);
    assert_eq!(free_addresses(&mut account, &subnet), 248);
    account.refused("UnassignPrivateNatGatewayAddress", with("10.0.1.10"), "InvalidParameterValue");
    let mut soon = with("10.0.1.11");
    soon["MaxDrainDurationSeconds"] = json!("10");
    account.ok("UnassignPrivateNatGatewayAddress", soon);
    account.wait(10);
    assert_eq!(free_addresses(&mut account, &subnet), 249);
    account.ok("DeleteNatGateway", json!({ "NatGatewayId": id }));
    account.wait(60);
    assert_eq!(free_addresses(&mut account, &subnet), 251);
}

/// "Deleting a NAT gateway does not delete any NAT gateway routes in your route tables" (API
/// reference, `DeleteNatGateway`).
#[test]
fn routes_to_a_gateway_that_is_gone_are_blackholes() {
    let (mut account, vpc, subnet, _) = with_gateway();
    let table = table(&mut account, &vpc);
    let id = create(&mut account, json!({ "SubnetId": subnet, "ConnectivityType": "private" }));
    let route = json!({ "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": id });
    account.ok("CreateRoute", route);
    let states = |account: &mut Account| {
        let seen = account.ok("DescribeRouteTables", json!({ "RouteTableId": [table] }));
        text(&list(&seen, "routeTableSet")[0]["routeSet"][1]["state"])
    };
    assert_eq!(states(&mut account), "active");
    let filter = json!([{ "Name": "route.nat-gateway-id", "Value": [id] }]);
    let seen = account.ok("DescribeRouteTables", json!({ "Filter": filter }));
    assert_eq!(list(&seen, "routeTableSet").len(), 1);
    account.ok("DeleteNatGateway", json!({ "NatGatewayId": id }));
    assert_eq!(states(&mut account), "blackhole");
    let other = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.1.0.0/16" }))["vpc"]["vpcId"]);
    let elsewhere = json!({
        "RouteTableId": crate::ec2::testing::table(&mut account, &other),
        "DestinationCidrBlock": "0.0.0.0/0",
        "NatGatewayId": create(&mut account, json!({ "SubnetId": subnet, "ConnectivityType": "private" })),
    });
    account.refused("CreateRoute", elsewhere, "InvalidParameterValue");
}

/// "Participants cannot create, delete, or describe NAT gateways in a shared VPC subnet" (VPC user
/// guide, responsibilities and permissions).
#[test]
fn a_participant_has_nothing_to_do_with_gateways() {
    let (mut owner, _, subnet, _) = with_gateway();
    let id = create(&mut owner, json!({ "SubnetId": subnet, "ConnectivityType": "private" }));
    owner.share_with_other(&subnet);
    owner.other(|other| {
        let wanted = json!({ "SubnetId": subnet, "ConnectivityType": "private" });
        other.refused("CreateNatGateway", wanted, "UnauthorizedOperation");
        other.refused("DescribeNatGateways", json!({ "NatGatewayId": [id] }), "NatGatewayNotFound");
        other.refused("DeleteNatGateway", json!({ "NatGatewayId": id }), "NatGatewayNotFound");
    });
}

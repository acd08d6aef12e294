//! Routes and where they lead.

use serde_json::{Value, json};

use crate::ec2::testing::{attached_gateway, gateway, interface, table, with_subnet};
use crate::testing::Account;

fn routes_of(account: &mut Account, table: &str) -> Vec<Value> {
    let seen = account.ok("DescribeRouteTables", json!({ "RouteTableId": [table] }));
    seen["routeTableSet"][0]["routeSet"].as_array().expect("it has routes").clone()
}

fn route(table: &str, destination: &str, gateway: &str) -> Value {
    json!({ "RouteTableId": table, "DestinationCidrBlock": destination, "GatewayId": gateway })
}

#[test]
fn a_route_is_made_replaced_and_deleted() {
    let (mut account, vpc, subnet) = with_subnet();
    let (gateway, table) = (attached_gateway(&mut account, &vpc), table(&mut account, &vpc));
    let wanted = route(&table, "0.0.0.7/0", &gateway);
    account.refused("ReplaceRoute", wanted.clone(), "InvalidParameterValue");
    account.ok("CreateRoute", wanted.clone());
    let expected = json!({
        "destinationCidrBlock": "0.0.0.0/0",
        "gatewayId": gateway,
        "state": "active",
        "origin": "CreateRoute",
    });
    assert_eq!(routes_of(&mut account, &table)[1], expected);
    account.refused("CreateRoute", wanted, "RouteAlreadyExists");
    let interface = interface(&mut account, &subnet);
    let one = json!({ "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0" });
    let mut replaced = one.clone();
    replaced["NetworkInterfaceId"] = json!(interface);
    account.ok("ReplaceRoute", replaced);
    assert_eq!(routes_of(&mut account, &table)[1]["networkInterfaceId"], interface.as_str());
    account.ok("DeleteRoute", one.clone());
    account.refused("DeleteRoute", one, "InvalidRoute.NotFound");
}

#[test]
fn both_protocols_have_routes() {
    let (mut account, vpc, _) = with_subnet();
    let (gateway, table) = (attached_gateway(&mut account, &vpc), table(&mut account, &vpc));
    let wanted = json!({ "RouteTableId": table, "DestinationIpv6CidrBlock": "::/0", "GatewayId": gateway });
    account.ok("CreateRoute", wanted);
    assert_eq!(routes_of(&mut account, &table)[1]["destinationIpv6CidrBlock"], "::/0");
    let gone = json!({ "RouteTableId": table, "DestinationIpv6CidrBlock": "::/0" });
    account.ok("DeleteRoute", gone);
}

#[test]
fn a_route_whose_target_is_gone_is_a_blackhole() {
    let (mut account, vpc, _) = with_subnet();
    let (gateway, table) = (attached_gateway(&mut account, &vpc), table(&mut account, &vpc));
    account.ok("CreateRoute", route(&table, "0.0.0.0/0", &gateway));
    account.ok("DetachInternetGateway", json!({ "InternetGatewayId": gateway, "VpcId": vpc }));
    assert_eq!(routes_of(&mut account, &table)[1]["state"], "blackhole");
    account.ok("DeleteInternetGateway", json!({ "InternetGatewayId": gateway }));
    assert_eq!(routes_of(&mut account, &table)[1]["gatewayId"], gateway.as_str());
    let filter = json!([{ "Name": "route.state", "Value": ["blackhole"] }]);
    let seen = account.ok("DescribeRouteTables", json!({ "Filter": filter }));
    assert_eq!(seen["routeTableSet"][0]["routeTableId"], table.as_str());
}

#[test]
fn traffic_inside_the_vpc_stays_inside() {
    let (mut account, vpc, subnet) = with_subnet();
    let (gateway, table) = (attached_gateway(&mut account, &vpc), table(&mut account, &vpc));
    let interface = interface(&mut account, &subnet);
    for (destination, code) in [
        ("10.0.0.0/16", "RouteAlreadyExists"),
        ("10.0.1.0/24", "InvalidParameterValue"),
        ("10.0.2.0/24", "InvalidParameterValue"),
        ("x", "InvalidParameterValue"),
    ] {
        account.refused("CreateRoute", route(&table, destination, &gateway), code);
    }
    let to_interface = json!({
        "RouteTableId": table,
        "DestinationCidrBlock": "10.0.1.0/24",
        "NetworkInterfaceId": interface,
    });
    account.ok("CreateRoute", to_interface);
    let local = json!({ "RouteTableId": table, "DestinationCidrBlock": "10.0.0.0/16" });
    account.refused("DeleteRoute", local, "InvalidParameterValue");
    let local = route(&table, "10.0.0.0/16", &gateway);
    account.refused("ReplaceRoute", local, "InvalidParameterValue");
}

#[test]
fn a_route_has_one_destination_and_one_target() {
    let (mut account, vpc, _) = with_subnet();
    let (gateway, table) = (attached_gateway(&mut account, &vpc), table(&mut account, &vpc));
    let mut wanted = route(&table, "0.0.0.0/0", &gateway);
    wanted["DestinationIpv6CidrBlock"] = json!("::/0");
    account.refused("CreateRoute", wanted, "InvalidParameterCombination");
    let nowhere = json!({ "RouteTableId": table, "GatewayId": gateway });
    account.refused("CreateRoute", nowhere, "MissingParameter");
    let mut two = route(&table, "0.0.0.0/0", &gateway);
    two["NatGatewayId"] = json!("nat-0");
    account.refused("CreateRoute", two, "InvalidParameterCombination");
    let none = json!({ "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0" });
    account.refused("CreateRoute", none, "MissingParameter");
}

#[test]
fn a_target_has_to_be_there_and_in_the_same_vpc() {
    let (mut account, vpc, _) = with_subnet();
    let table = table(&mut account, &vpc);
    let detached = gateway(&mut account);
    for (parameter, target, code) in [
        ("GatewayId", detached.as_str(), "InvalidParameterValue"),
        ("GatewayId", "igw-0", "InvalidGatewayID.NotFound"),
        ("NatGatewayId", "nat-0", "InvalidNatGatewayID.NotFound"),
        ("NetworkInterfaceId", "eni-0", "InvalidNetworkInterfaceID.NotFound"),
        ("VpcEndpointId", "vpce-0", "InvalidVpcEndpointId.NotFound"),
        ("TransitGatewayId", "tgw-0", "InvalidTransitGatewayID.NotFound"),
        ("VpcPeeringConnectionId", "pcx-0", "InvalidVpcPeeringConnectionID.NotFound"),
        ("InstanceId", "i-0", "InvalidInstanceID.NotFound"),
    ] {
        let wanted = json!({ "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", parameter: target });
        account.refused("CreateRoute", wanted, code);
    }
    let list = json!({
        "RouteTableId": table,
        "DestinationPrefixListId": "pl-0",
        "GatewayId": attached_gateway(&mut account, &vpc),
    });
    account.refused("CreateRoute", list, "InvalidPrefixListID.NotFound");
}

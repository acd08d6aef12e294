//! The life of VPC endpoints of both sorts.

use serde_json::{Value, json};

use super::{FULL_ACCESS, life};
use crate::ec2::prefix_list;
use crate::ec2::testing::{group, list, table, with_subnet};
use crate::testing::{Account, text};
use crate::world::Failure;

const S3: &str = "com.amazonaws.us-east-1.s3";
const STS: &str = "com.amazonaws.us-east-1.sts";
const CREATE: &str = "CreateVpcEndpoint";
const MODIFY: &str = "ModifyVpcEndpoint";

fn create(account: &mut Account, wanted: Value) -> String {
    text(&account.ok(CREATE, wanted)["vpcEndpoint"]["vpcEndpointId"])
}

fn found(account: &mut Account, id: &str) -> Value {
    account.ok("DescribeVpcEndpoints", json!({ "VpcEndpointId": [id] }))["vpcEndpointSet"][0].clone()
}

fn with_names(account: &mut Account, vpc: &str) {
    let names = json!({ "VpcId": vpc, "EnableDnsHostnames": { "Value": "true" } });
    account.ok("ModifyVpcAttribute", names);
}

/// Returns where a table sends traffic for S3.
fn route(account: &mut Account, table: &str) -> Option<String> {
    let list_id = prefix_list::of_service("us-east-1", S3).expect("S3 has a list");
    let found = account.ok("DescribeRouteTables", json!({ "RouteTableId": [table] }));
    let routes = list(&found["routeTableSet"][0], "routeSet").clone();
    let route = routes.iter().find(|route| route["destinationPrefixListId"] == list_id.as_str());
    route.map(|route| text(&route["gatewayId"]))
}

#[test]
fn a_gateway_endpoint_is_a_route_in_its_tables() {
    let (mut account, vpc, _) = with_subnet();
    let (one, two) = (table(&mut account, &vpc), table(&mut account, &vpc));
    let wanted = json!({ "VpcId": vpc, "ServiceName": S3, "RouteTableId": [one] });
    let id = create(&mut account, wanted.clone());
    let endpoint = found(&mut account, &id);
    assert_eq!((&endpoint["state"], &endpoint["vpcEndpointType"]), (&json!("available"), &json!("Gateway")));
    assert_eq!(endpoint["policyDocument"], FULL_ACCESS);
    assert_eq!(endpoint["routeTableIdSet"], json!([one]));
    assert_eq!(route(&mut account, &one), Some(id.clone()));
    account.refused(CREATE, wanted, "RouteAlreadyExists");
    let moved = json!({ "VpcEndpointId": id, "AddRouteTableId": [two], "RemoveRouteTableId": [one] });
    account.ok(MODIFY, moved);
    assert_eq!((route(&mut account, &one), route(&mut account, &two)), (None, Some(id.clone())));
    account.refused("DeleteVpc", json!({ "VpcId": vpc }), "DependencyViolation");
    account.ok("DeleteVpcEndpoints", json!({ "VpcEndpointId": [id] }));
    assert_eq!(route(&mut account, &two), None);
    assert_eq!(found(&mut account, &id)["state"], "deleting");
    account.refused(MODIFY, json!({ "VpcEndpointId": id, "ResetPolicy": "true" }), "IncorrectState");
    account.wait(60);
    account.refused(
        "DescribeVpcEndpoints",
        json!({ "VpcEndpointId": [id] }),
        "InvalidVpcEndpointId.NotFound",
    );
}

#[test]
fn an_interface_endpoint_gets_ready_and_goes_with_its_interfaces() {
    let (mut account, vpc, subnet) = with_subnet();
    with_names(&mut account, &vpc);
    let web = group(&mut account, &vpc, "web");
    let wanted = json!({
        "VpcId": vpc, "ServiceName": STS, "VpcEndpointType": "Interface",
        "SubnetId": [subnet], "SecurityGroupId": [web],
    });
    let id = create(&mut account, wanted);
    let endpoint = found(&mut account, &id);
    assert_eq!((&endpoint["state"], &endpoint["privateDnsEnabled"]), (&json!("pending"), &json!(true)));
    assert_eq!(endpoint["groupSet"], json!([{ "groupId": web, "groupName": "web" }]));
    let names: Vec<_> = list(&endpoint, "dnsEntrySet").iter().map(|entry| text(&entry["dnsName"])).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert_eq!(names[2], "sts.us-east-1.amazonaws.com");
    account.wait(life::READY.as_secs());
    assert_eq!(found(&mut account, &id)["state"], "available");
    let interface = json!({ "NetworkInterfaceId": endpoint["networkInterfaceIdSet"] });
    let shown = account.ok("DescribeNetworkInterfaces", interface.clone());
    assert_eq!(shown["networkInterfaceSet"][0]["interfaceType"], "vpc_endpoint");
    account.refused("DeleteSecurityGroup", json!({ "GroupId": web }), "DependencyViolation");
    account.refused("DeleteSubnet", json!({ "SubnetId": subnet }), "DependencyViolation");
    account.ok("DeleteVpcEndpoints", json!({ "VpcEndpointId": [id] }));
    account.refused("DeleteSubnet", json!({ "SubnetId": subnet }), "DependencyViolation");
    account.wait(60);
    account.refused("DescribeNetworkInterfaces", interface, "InvalidNetworkInterfaceID.NotFound");
    account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
    account.ok("DeleteSecurityGroup", json!({ "GroupId": web }));
    account.ok("DeleteVpc", json!({ "VpcId": vpc }));
}

#[test]
fn subnets_groups_policy_and_names_change() {
    let (mut account, vpc, subnet) = with_subnet();
    with_names(&mut account, &vpc);
    let wanted = json!({ "VpcId": vpc, "CidrBlock": "10.0.2.0/24", "AvailabilityZoneId": "use1-az3" });
    let other = text(&account.ok("CreateSubnet", wanted)["subnet"]["subnetId"]);
    let groups = ["one", "two"].map(|name| group(&mut account, &vpc, name));
    let wanted = json!({
        "VpcId": vpc, "ServiceName": STS, "VpcEndpointType": "Interface", "PrivateDnsEnabled": "false",
        "SubnetId": [subnet], "SecurityGroupId": [groups[0]],
    });
    let id = create(&mut account, wanted);
    let policy =
        json!({ "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "sts:*", "Resource": "*" }] });
    let policy = policy.to_string();
    let change = json!({
        "VpcEndpointId": id, "AddSubnetId": [other], "RemoveSubnetId": [subnet],
        "AddSecurityGroupId": [groups[1]], "RemoveSecurityGroupId": [groups[0]],
        "PrivateDnsEnabled": "true", "PolicyDocument": policy,
    });
    account.ok(MODIFY, change);
    let endpoint = found(&mut account, &id);
    assert_eq!(endpoint["subnetIdSet"], json!([other]));
    assert_eq!(endpoint["groupSet"][0]["groupId"], groups[1].as_str());
    assert_eq!((&endpoint["privateDnsEnabled"], &endpoint["policyDocument"]), (&json!(true), &json!(policy)));
    account.ok("DeleteSecurityGroup", json!({ "GroupId": groups[0] }));
    account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
    account.ok(MODIFY, json!({ "VpcEndpointId": id, "ResetPolicy": "true" }));
    assert_eq!(found(&mut account, &id)["policyDocument"], FULL_ACCESS);
    let more = group(&mut account, &vpc, "more");
    account.ok(MODIFY, json!({ "VpcEndpointId": id, "AddSecurityGroupId": [more] }));
    let interface = json!({ "NetworkInterfaceId": found(&mut account, &id)["networkInterfaceIdSet"] });
    let shown = account.ok("DescribeNetworkInterfaces", interface);
    assert_eq!(list(&shown["networkInterfaceSet"][0], "groupSet").len(), 2);
    let all = json!({ "VpcEndpointId": id, "RemoveSecurityGroupId": [groups[1], more] });
    account.refused(MODIFY, all, "InvalidParameter");
}

#[test]
fn what_ec2_refuses_is_refused() {
    let (mut account, vpc, subnet) = with_subnet();
    let same_zone = json!({ "VpcId": vpc, "CidrBlock": "10.0.3.0/24", "AvailabilityZoneId": "use1-az2" });
    let same_zone = text(&account.ok("CreateSubnet", same_zone)["subnet"]["subnetId"]);
    for (more, code) in [
        (json!({ "ServiceName": "com.amazonaws.us-east-1.nothing" }), "InvalidServiceName"),
        (json!({ "ServiceName": STS }), "InvalidParameter"),
        (json!({ "VpcEndpointType": "Tunnel" }), "InvalidParameterValue"),
        (json!({ "ServiceName": null }), "MissingParameter"),
        (json!({ "VpcId": "vpc-0" }), "InvalidVpcID.NotFound"),
        (json!({ "RouteTableId": ["rtb-0"] }), "InvalidRouteTableID.NotFound"),
        (json!({ "SubnetId": [subnet] }), "InvalidParameter"),
        (json!({ "PrivateDnsEnabled": "false" }), "InvalidParameter"),
        (json!({ "PolicyDocument": "{" }), "InvalidPolicyDocument"),
        (json!({ "DryRun": "true" }), "DryRunOperation"),
        (json!({ "VpcEndpointType": "Interface", "RouteTableId": ["rtb-0"] }), "InvalidParameter"),
        (json!({ "VpcEndpointType": "Interface" }), "InvalidParameter"),
        (
            json!({ "VpcEndpointType": "Interface", "PrivateDnsEnabled": "false", "SubnetId": ["subnet-0"] }),
            "InvalidSubnetID.NotFound",
        ),
        (
            json!({ "VpcEndpointType": "Interface", "PrivateDnsEnabled": "false", "SubnetId": [subnet, same_zone] }),
            "DuplicateSubnetsInSameZone",
        ),
        (
            json!({ "VpcEndpointType": "Interface", "PrivateDnsEnabled": "false", "SecurityGroupId": ["sg-0"] }),
            "InvalidGroup.NotFound",
        ),
    ] {
        let mut wanted = json!({ "VpcId": vpc, "ServiceName": S3 });
        wanted.as_object_mut().expect("a table").extend(more.as_object().cloned().expect("a table"));
        account.refused(CREATE, wanted, code);
    }
    let nothing = account.ok("DescribeVpcEndpoints", json!({}));
    assert_eq!(nothing["vpcEndpointSet"], json!([]));
    let failed = account.ok("DeleteVpcEndpoints", json!({ "VpcEndpointId": ["vpce-0"] }));
    assert_eq!(failed["unsuccessful"][0]["error"]["code"], "InvalidVpcEndpointId.NotFound");
    account.refused("DeleteVpcEndpoints", json!({}), "MissingParameter");
}

#[test]
fn one_name_leads_to_one_endpoint() {
    let (mut account, vpc, _) = with_subnet();
    with_names(&mut account, &vpc);
    let wanted = json!({ "VpcId": vpc, "ServiceName": STS, "VpcEndpointType": "Interface" });
    create(&mut account, wanted.clone());
    account.refused(CREATE, wanted.clone(), "InvalidParameter");
    let mut other = wanted;
    other["PrivateDnsEnabled"] = json!("false");
    let id = create(&mut account, other);
    let named = json!({ "VpcEndpointId": id, "PrivateDnsEnabled": "true" });
    account.refused(MODIFY, named, "InvalidParameter");
}

#[test]
fn a_participant_makes_and_sees_none() {
    let (mut owner, vpc, subnet) = with_subnet();
    let id = create(&mut owner, json!({ "VpcId": vpc, "ServiceName": S3 }));
    owner.share_with_other(&subnet);
    owner.other(|participant| {
        let wanted = json!({ "VpcId": vpc, "ServiceName": S3 });
        participant.refused(CREATE, wanted, "UnauthorizedOperation");
        let one = json!({ "VpcEndpointId": [id] });
        participant.refused("DescribeVpcEndpoints", one, "InvalidVpcEndpointId.NotFound");
    });
}

#[test]
fn there_are_so_many_endpoints_and_no_more() {
    let (mut account, vpc, _) = with_subnet();
    let wanted = json!({ "VpcId": vpc, "ServiceName": S3 });
    for _ in 0..20 {
        create(&mut account, wanted.clone());
    }
    account.refused(CREATE, wanted, "VpcEndpointLimitExceeded");
    let filter =
        json!([{ "Name": "vpc-id", "Value": [vpc] }, { "Name": "vpc-endpoint-type", "Value": ["Gateway"] }]);
    let page = account.ok("DescribeVpcEndpoints", json!({ "Filter": filter, "MaxResults": "15" }));
    assert_eq!(list(&page, "vpcEndpointSet").len(), 15);
    let rest = json!({ "Filter": filter, "MaxResults": "15", "NextToken": page["nextToken"] });
    assert_eq!(list(&account.ok("DescribeVpcEndpoints", rest), "vpcEndpointSet").len(), 5);
}

#[test]
fn the_services_of_a_region_are_described() {
    let mut account = Account::new();
    let all = account.ok("DescribeVpcEndpointServices", json!({}));
    assert!(list(&all, "serviceNameSet").contains(&json!(STS)));
    let one = account.ok("DescribeVpcEndpointServices", json!({ "ServiceName": [S3] }));
    let kinds = list(&one["serviceDetailSet"][0], "serviceType");
    assert_eq!(kinds.len(), 2);
    let ecr = json!({ "ServiceName": ["com.amazonaws.us-east-1.ecr.dkr"] });
    let ecr = account.ok("DescribeVpcEndpointServices", ecr);
    assert_eq!(ecr["serviceDetailSet"][0]["privateDnsName"], "dkr.ecr.us-east-1.amazonaws.com");
    let unknown = json!({ "ServiceName": ["com.amazonaws.us-east-1.nothing"] });
    account.refused("DescribeVpcEndpointServices", unknown, "InvalidServiceName");
}

#[test]
fn an_endpoint_fails_and_says_why() {
    let (mut account, vpc, _) = with_subnet();
    let table = table(&mut account, &vpc);
    let message = "no capacity".to_owned();
    account.doom(Failure { code: "InternalError".to_owned(), message });
    let id = create(&mut account, json!({ "VpcId": vpc, "ServiceName": S3, "RouteTableId": [table] }));
    assert_eq!(found(&mut account, &id)["state"], "pending");
    account.wait(life::FAILED.as_secs());
    let endpoint = found(&mut account, &id);
    assert_eq!(
        (&endpoint["state"], &endpoint["lastError"]["message"]),
        (&json!("failed"), &json!("no capacity"))
    );
    assert_eq!(route(&mut account, &table), None);
    account.ok("DeleteVpcEndpoints", json!({ "VpcEndpointId": [id] }));
    account.wait(60);
    account.ok("DeleteRouteTable", json!({ "RouteTableId": table }));
}

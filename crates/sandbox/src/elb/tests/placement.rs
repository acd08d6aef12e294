//! Where load balancers can be, and how they are put elsewhere.

use serde_json::{Value, json};

use super::{Stage, interfaces, subnet, vpc};
use crate::ec2::testing::{address, group};
use crate::testing::{Account, text};

/// "You must specify subnets from at least two Availability Zones", "only one subnet per Availability
/// Zone", with "at least eight free IP addresses" (API reference and ALB guide, "Subnets").
#[test]
fn subnets_have_to_do() {
    let mut stage = Stage::new();
    let vpc_id = stage.vpc.clone();
    let same_zone = subnet(&mut stage.account, &vpc_id, "10.0.3.0/24", "use1-az1");
    let small = subnet(&mut stage.account, &vpc_id, "10.0.4.0/28", "use1-az3");
    for number in 0..4 {
        let interface = json!({ "SubnetId": small, "PrivateIpAddress": format!("10.0.4.{}", number + 4) });
        stage.account.ok("CreateNetworkInterface", interface);
    }
    let other_vpc = vpc(&mut stage.account);
    let elsewhere = subnet(&mut stage.account, &other_vpc, "10.0.1.0/24", "use1-az2");
    let first = stage.subnets[0].clone();
    for (subnets, code) in [
        (json!([]), "ValidationError"),
        (json!([first]), "ValidationError"),
        (json!([first, same_zone]), "InvalidConfigurationRequest"),
        (json!([first, small]), "InvalidSubnet"),
        (json!([first, elsewhere]), "InvalidConfigurationRequest"),
        (json!([first, "subnet-0"]), "SubnetNotFound"),
    ] {
        let mut wanted = stage.wanted("web");
        wanted["Subnets"] = subnets;
        stage.refused("CreateLoadBalancer", wanted, code);
    }
    assert!(interfaces(&mut stage.account, "ELB *").is_empty());
}

/// An internet-facing load balancer needs a VPC with an internet gateway: "VPC … has no internet gateway".
#[test]
fn the_internet_needs_a_gateway() {
    let mut account = Account::new();
    let vpc_id = vpc(&mut account);
    let subnets = [("10.0.1.0/24", "use1-az1"), ("10.0.2.0/24", "use1-az2")];
    let subnets = subnets.map(|(range, zone)| subnet(&mut account, &vpc_id, range, zone));
    let mut wanted = json!({ "Name": "web", "Subnets": subnets });
    account.refused("elasticloadbalancing:CreateLoadBalancer", wanted.clone(), "InvalidSubnet");
    wanted["Scheme"] = json!("internal");
    let made = account.ok("elasticloadbalancing:CreateLoadBalancer", wanted);
    assert!(text(&made["LoadBalancers"][0]["DNSName"]).starts_with("internal-web-"));
    assert_eq!(interfaces(&mut account, "ELB *")[0]["association"], Value::Null);
}

/// "A security group must be specified for creating a loadbalancer in a VPC not owned by the AWS account":
/// what the service tells a participant, who cannot use the owner's groups either.
#[test]
fn a_participant_needs_groups_of_its_own() {
    let mut stage = Stage::new();
    for subnet in stage.subnets.clone() {
        stage.account.share_with_other(&subnet);
    }
    let (wanted, vpc_id) = (stage.wanted("web"), stage.vpc.clone());
    stage.account.other(|other| {
        let create = "elasticloadbalancing:CreateLoadBalancer";
        let mut without = wanted.clone();
        without.as_object_mut().expect("a table").remove("SecurityGroups");
        let message = other.message(create, without, "ValidationError");
        assert!(message.contains("in a VPC not owned by the AWS account"), "{message}");
        other.refused(create, wanted.clone(), "InvalidSecurityGroup");
        let mut own = wanted;
        own["SecurityGroups"] = json!([group(other, &vpc_id, "own")]);
        let made = other.ok(create, own);
        assert_eq!(made["LoadBalancers"][0]["VpcId"], vpc_id.as_str());
    });
    // The owner sees the interfaces, and cannot delete the subnet under them.
    assert_eq!(interfaces(&mut stage.account, "ELB *")[0]["ownerId"], "222222222222");
    let subnet = json!({ "SubnetId": stage.subnets[0] });
    stage.account.refused("DeleteSubnet", subnet, "DependencyViolation");
}

/// The default group is used "if you do not specify one"; others have to be of the VPC, at most five.
#[test]
fn groups_have_to_do() {
    let mut stage = Stage::new();
    let other_vpc = vpc(&mut stage.account);
    let elsewhere = group(&mut stage.account, &other_vpc, "elsewhere");
    for (groups, code) in [
        (json!([elsewhere]), "InvalidConfigurationRequest"),
        (json!(["sg-0"]), "InvalidSecurityGroup"),
        (json!([stage.group, "a", "b", "c", "d", "e"]), "InvalidConfigurationRequest"),
    ] {
        let mut wanted = stage.wanted("web");
        wanted["SecurityGroups"] = groups;
        stage.refused("CreateLoadBalancer", wanted, code);
    }
    let made = stage.ok("CreateLoadBalancer", json!({ "Name": "web", "Subnets": stage.subnets }));
    let filter =
        json!([{ "Name": "group-name", "Value": ["default"] }, { "Name": "vpc-id", "Value": [stage.vpc] }]);
    let default = stage.account.ok("DescribeSecurityGroups", json!({ "Filter": filter }));
    let arn = made["LoadBalancers"][0]["LoadBalancerArn"].clone();
    assert_eq!(made["LoadBalancers"][0]["SecurityGroups"][0], default["securityGroupInfo"][0]["groupId"]);
    stage.refused("SetSecurityGroups", json!({ "LoadBalancerArn": arn }), "InvalidConfigurationRequest");
    let group = stage.group.clone();
    let set = json!({ "LoadBalancerArn": arn, "SecurityGroups": [group] });
    assert_eq!(stage.ok("SetSecurityGroups", set)["SecurityGroupIds"], json!([group]));
    stage.account.refused("DeleteSecurityGroup", json!({ "GroupId": group }), "DependencyViolation");
    let filter = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic";
    let filtered = json!({ "LoadBalancerArn": arn, "SecurityGroups": [group], filter: "on" });
    stage.refused("SetSecurityGroups", filtered, "InvalidConfigurationRequest");
}

/// `SetSubnets`: "the specified subnets replace the previously enabled subnets".
#[test]
fn a_load_balancer_moves() {
    let mut stage = Stage::new();
    let arn = stage.balancer("web");
    let vpc_id = stage.vpc.clone();
    let third = subnet(&mut stage.account, &vpc_id, "10.0.3.0/24", "use1-az3");
    let first = stage.subnets[0].clone();
    let one = json!({ "LoadBalancerArn": arn, "Subnets": [first] });
    stage.refused("SetSubnets", one, "ValidationError");
    let moved = stage.ok("SetSubnets", json!({ "LoadBalancerArn": arn, "Subnets": [first, third] }));
    let zones = moved["AvailabilityZones"].as_array().cloned().expect("it is a list");
    let mut subnets: Vec<_> = zones.iter().map(|zone| text(&zone["SubnetId"])).collect();
    let mut expected = vec![first, third];
    subnets.sort();
    expected.sort();
    assert_eq!(subnets, expected);
    assert_eq!(interfaces(&mut stage.account, "ELB *").len(), 3, "the old one lingers");
    stage.account.wait(150);
    assert_eq!(interfaces(&mut stage.account, "ELB *").len(), 2);
    stage.account.ok("DeleteSubnet", json!({ "SubnetId": stage.subnets[1] }));
    let other_vpc = vpc(&mut stage.account);
    let others = [("10.0.1.0/24", "use1-az1"), ("10.0.2.0/24", "use1-az2")];
    let others = others.map(|(range, zone)| subnet(&mut stage.account, &other_vpc, range, zone));
    crate::ec2::testing::attached_gateway(&mut stage.account, &other_vpc);
    let elsewhere = json!({ "LoadBalancerArn": arn, "Subnets": others });
    stage.refused("SetSubnets", elsewhere, "InvalidConfigurationRequest");
}

/// `SetIpAddressType`: for dualstack, "you must specify subnets with an associated IPv6 CIDR block".
#[test]
fn dualstack_needs_ranges_of_ipv6() {
    let mut stage = Stage::new();
    let arn = stage.balancer("web");
    let set = |kind: &str| json!({ "LoadBalancerArn": arn, "IpAddressType": kind });
    stage.refused("SetIpAddressType", set("dualstack"), "InvalidSubnet");
    stage.refused("SetIpAddressType", set("ipv5"), "ValidationError");
    assert_eq!(stage.ok("SetIpAddressType", set("ipv4"))["IpAddressType"], "ipv4");
}

/// A network load balancer takes Elastic IP addresses, one per subnet, and gets groups only at birth
/// ("Create a Network Load Balancer").
#[test]
fn a_network_load_balancer_has_addresses() {
    let mut stage = Stage::new();
    let (elastic, other) = (address(&mut stage.account), address(&mut stage.account));
    let subnet = stage.subnets[0].clone();
    let wanted = |allocation: &str| {
        json!({
            "Name": "tcp", "Type": "network",
            "SubnetMappings": [{ "SubnetId": subnet, "AllocationId": allocation }],
        })
    };
    stage.refused("CreateLoadBalancer", wanted("eipalloc-0"), "AllocationIdNotFound");
    let made = stage.ok("CreateLoadBalancer", wanted(&elastic))["LoadBalancers"][0].clone();
    let addresses = made["AvailabilityZones"][0]["LoadBalancerAddresses"].clone();
    assert_eq!(addresses[0]["AllocationId"], elastic.as_str());
    assert_eq!(made["SecurityGroups"], Value::Null);
    stage.account.refused("ReleaseAddress", json!({ "AllocationId": elastic }), "InvalidIPAddress.InUse");
    let mut second = wanted(&elastic);
    second["Name"] = json!("tcp2");
    stage.refused("CreateLoadBalancer", second, "ResourceInUse");
    let mut internal = wanted(&other);
    (internal["Name"], internal["Scheme"]) = (json!("tcp3"), json!("internal"));
    stage.refused("CreateLoadBalancer", internal, "InvalidConfigurationRequest");
    let mut application = wanted(&other);
    (application["Name"], application["Type"]) = (json!("web"), json!("application"));
    stage.refused("CreateLoadBalancer", application, "InvalidConfigurationRequest");
    let both = json!({
        "Name": "tcp4", "Type": "network", "Subnets": [subnet], "SubnetMappings": [{ "SubnetId": subnet }],
    });
    stage.refused("CreateLoadBalancer", both, "ValidationError");
    let set = json!({ "LoadBalancerArn": made["LoadBalancerArn"], "SecurityGroups": [stage.group] });
    stage.refused("SetSecurityGroups", set, "InvalidConfigurationRequest");
    stage.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": made["LoadBalancerArn"] }));
    stage.account.wait(150);
    stage.account.ok("ReleaseAddress", json!({ "AllocationId": elastic }));
}

/// What is refused has put nothing into any subnet: a private address that is taken.
#[test]
fn all_interfaces_or_none() {
    let mut stage = Stage::new();
    let taken = json!({ "SubnetId": stage.subnets[1], "PrivateIpAddress": "10.0.2.9" });
    stage.account.ok("CreateNetworkInterface", taken);
    let wanted = json!({
        "Name": "tcp", "Type": "network", "Scheme": "internal",
        "SubnetMappings": [
            { "SubnetId": stage.subnets[0], "PrivateIPv4Address": "10.0.1.9" },
            { "SubnetId": stage.subnets[1], "PrivateIPv4Address": "10.0.2.9" },
        ],
    });
    stage.refused("CreateLoadBalancer", wanted, "ValidationError");
    assert!(interfaces(&mut stage.account, "ELB *").is_empty());
}

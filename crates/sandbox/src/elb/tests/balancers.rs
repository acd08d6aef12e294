//! Load balancers: from provisioning to gone.

use serde_json::{Value, json};

use super::{Stage, interfaces};
use crate::testing::text;
use crate::world::Failure;

/// "When it is ready to be used … the status of your load balancer is active"; its interfaces are managed
/// by the service and have public addresses if it faces the internet ("Application Load Balancers").
#[test]
fn a_load_balancer_gets_ready() {
    let mut stage = Stage::new();
    let wanted = stage.wanted("web");
    let made = stage.ok("CreateLoadBalancer", wanted)["LoadBalancers"][0].clone();
    assert_eq!(made["State"]["Code"], "provisioning");
    let arn = text(&made["LoadBalancerArn"]);
    assert!(
        arn.starts_with("arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/web/"),
        "{arn}"
    );
    assert!(text(&made["DNSName"]).ends_with(".us-east-1.elb.amazonaws.com"));
    assert_eq!(made["Scheme"], "internet-facing");
    assert_eq!(made["SecurityGroups"], json!([stage.group]));
    let digits = arn.rsplit('/').next().expect("an ARN has slashes");
    let own = interfaces(&mut stage.account, &format!("ELB app/web/{digits}"));
    assert_eq!(own.len(), 2);
    assert_eq!(own[0]["requesterId"], "amazon-elb");
    assert_eq!(own[0]["requesterManaged"], true);
    assert_eq!(own[0]["association"]["ipOwnerId"], "amazon-elb");
    assert_eq!(own[0]["attachment"]["instanceOwnerId"], "amazon-elb");
    stage.account.wait(150);
    let seen = stage.ok("DescribeLoadBalancers", json!({ "Names": ["web"] }));
    assert_eq!(seen["LoadBalancers"][0]["State"]["Code"], "active");
    let zones = seen["LoadBalancers"][0]["AvailabilityZones"].as_array().cloned().expect("it is a list");
    assert!(text(&zones[0]["ZoneName"]) < text(&zones[1]["ZoneName"]), "{zones:?}");
}

/// "Network interfaces … are deleted when the load balancer is": minutes later, and until then they hold
/// the subnets, the groups, and by their public addresses the gateway.
#[test]
fn its_interfaces_linger() {
    let mut stage = Stage::new();
    let arn = stage.balancer("web");
    stage.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": arn }));
    stage.refused("DescribeLoadBalancers", json!({ "LoadBalancerArns": [arn] }), "LoadBalancerNotFound");
    let subnet = json!({ "SubnetId": stage.subnets[0] });
    let group = json!({ "GroupId": stage.group });
    stage.account.refused("DeleteSubnet", subnet.clone(), "DependencyViolation");
    stage.account.refused("DeleteSecurityGroup", group.clone(), "DependencyViolation");
    let gateways = stage.account.ok("DescribeInternetGateways", json!({}));
    let gateway = json!({
        "InternetGatewayId": gateways["internetGatewaySet"][0]["internetGatewayId"], "VpcId": stage.vpc,
    });
    stage.account.refused("DetachInternetGateway", gateway.clone(), "DependencyViolation");
    stage.account.wait(150);
    stage.account.ok("DetachInternetGateway", gateway);
    stage.account.ok("DeleteSecurityGroup", group);
    stage.account.ok("DeleteSubnet", subnet);
}

/// "This operation is idempotent, which means that it completes at most one time. If you attempt to create
/// multiple load balancers with the same settings, each call succeeds" (API reference).
#[test]
fn one_name_is_one_load_balancer() {
    let mut stage = Stage::new();
    let arn = stage.balancer("web");
    let mut again = stage.wanted("web");
    assert_eq!(
        stage.ok("CreateLoadBalancer", again.clone())["LoadBalancers"][0]["LoadBalancerArn"],
        arn.as_str()
    );
    assert_eq!(interfaces(&mut stage.account, "ELB *").len(), 2);
    again["Scheme"] = json!("internal");
    stage.refused("CreateLoadBalancer", again, "DuplicateLoadBalancerName");
    let network = json!({ "Name": "web", "Type": "network", "Subnets": stage.subnets });
    stage.refused("CreateLoadBalancer", network, "DuplicateLoadBalancerName");
}

/// `DeleteLoadBalancer`: "you can't delete a load balancer if deletion protection is enabled"; "if the load
/// balancer does not exist or has already been deleted, the call succeeds".
#[test]
fn what_is_protected_is_not_deleted() {
    let mut stage = Stage::new();
    let arn = stage.balancer("web");
    let protect = |value: &str| {
        json!({
            "LoadBalancerArn": arn, "Attributes": [{ "Key": "deletion_protection.enabled", "Value": value }],
        })
    };
    stage.ok("ModifyLoadBalancerAttributes", protect("true"));
    stage.refused("DeleteLoadBalancer", json!({ "LoadBalancerArn": arn }), "OperationNotPermitted");
    stage.ok("ModifyLoadBalancerAttributes", protect("false"));
    stage.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": arn }));
    stage.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": arn }));
    stage.refused("DeleteLoadBalancer", json!({ "LoadBalancerArn": "web" }), "ValidationError");
}

/// Names: "maximum of 32 characters, … alphanumeric characters or hyphens, … must not begin or end with a
/// hyphen, and must not begin with "internal-"" (API reference, `CreateLoadBalancer`).
#[test]
fn wrong_names_are_refused() {
    let mut stage = Stage::new();
    for name in ["", "-a", "a-", "a_b", "internal-a", "a-name-that-is-longer-than-thirty-two"] {
        let wanted = stage.wanted(name);
        stage.refused("CreateLoadBalancer", wanted, "ValidationError");
    }
    for (parameter, value, code) in [
        ("Type", "gateway", "ValidationError"),
        ("Type", "classic", "ValidationError"),
        ("Scheme", "public", "InvalidScheme"),
        ("IpAddressType", "ipv6", "ValidationError"),
        ("CustomerOwnedIpv4Pool", "pool", "ValidationError"),
    ] {
        let mut wanted = stage.wanted("web");
        wanted[parameter] = json!(value);
        stage.refused("CreateLoadBalancer", wanted, code);
    }
}

/// The states of a load balancer (API reference, `LoadBalancerState`): provisioning, then active or failed.
#[test]
fn a_fault_lets_it_fail() {
    let mut stage = Stage::new();
    stage.account.doom(Failure { code: "Internal".to_owned(), message: "no room".to_owned() });
    let arn = stage.balancer("web");
    let seen = stage.ok("DescribeLoadBalancers", json!({}))["LoadBalancers"][0].clone();
    assert_eq!(seen["State"], json!({ "Code": "failed", "Reason": "no room" }));
    assert!(interfaces(&mut stage.account, "ELB *").is_empty());
    stage.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": arn }));
}

/// "Application Load Balancers per Region: 50", which is adjustable; pages are of `PageSize`.
#[test]
fn there_are_so_many_in_pages() {
    let mut stage = Stage::new();
    for number in 0..50 {
        let wanted =
            json!({ "Name": format!("b{number:02}"), "Subnets": stage.subnets, "Scheme": "internal" });
        stage.ok("CreateLoadBalancer", wanted);
    }
    let wanted = stage.wanted("other");
    stage.refused("CreateLoadBalancer", wanted, "TooManyLoadBalancers");
    let first = stage.ok("DescribeLoadBalancers", json!({ "PageSize": "30" }));
    assert_eq!(first["LoadBalancers"].as_array().map(Vec::len), Some(30));
    let second = stage.ok("DescribeLoadBalancers", json!({ "Marker": first["NextMarker"] }));
    assert_eq!(second["LoadBalancers"].as_array().map(Vec::len), Some(20));
    assert_eq!(second["NextMarker"], Value::Null);
    stage.refused("DescribeLoadBalancers", json!({ "PageSize": "500" }), "ValidationError");
    let both = json!({ "Names": ["b00"], "LoadBalancerArns": ["arn:x"] });
    stage.refused("DescribeLoadBalancers", both, "ValidationError");
    stage.refused("DescribeLoadBalancers", json!({ "Names": ["none"] }), "LoadBalancerNotFound");
}

/// What one account has, another does not see; the first load balancer of an account makes its
/// service-linked role ("Service-linked role", Elastic Load Balancing guide).
#[test]
fn load_balancers_are_each_accounts_own() {
    let mut stage = Stage::new();
    let role = json!({ "RoleName": "AWSServiceRoleForElasticLoadBalancing" });
    stage.account.refused("iam:GetRole", role.clone(), "NoSuchEntity");
    let arn = stage.balancer("web");
    stage.account.ok("iam:GetRole", role);
    stage.account.other(|other| {
        let all = other.ok("elasticloadbalancing:DescribeLoadBalancers", json!({}));
        assert_eq!(all["LoadBalancers"], json!([]));
        let named = json!({ "LoadBalancerArns": [arn] });
        other.refused("elasticloadbalancing:DescribeLoadBalancers", named, "LoadBalancerNotFound");
    });
}

//! Targets and their health, over the groups of both accounts.

use serde_json::{Value, json};

use super::{Stage, allow, vpc};
use crate::ec2::NewInstance;
use crate::ec2::tags::Tags;
use crate::ec2::testing::group;
use crate::testing::{Account, text};

const HEALTH: &str = "elasticloadbalancing:DescribeTargetHealth";

/// Returns the state and the reason of the only target.
fn health(account: &mut Account, group: &str) -> (String, Value) {
    let seen = account.ok(HEALTH, json!({ "TargetGroupArn": group }));
    let health = seen["TargetHealthDescriptions"][0]["TargetHealth"].clone();
    (text(&health["State"]), health["Reason"].clone())
}

fn is(state: &str, reason: &str) -> (String, Value) {
    (state.to_owned(), json!(reason))
}

fn register(stage: &mut Stage, group: &str, address: &str) {
    let targets = json!([{ "Id": address }]);
    stage.ok("RegisterTargets", json!({ "TargetGroupArn": group, "Targets": targets }));
}

/// The states of targets ("Health checks for your target groups"): unused, initial, unhealthy, healthy,
/// draining. What decides is whether the groups of the target's interface let the load balancer's group in,
/// also if the interface is another account's in a shared subnet.
#[test]
fn a_target_of_another_account_is_healthy_if_its_group_lets_the_balancer_in() {
    let mut stage = Stage::new();
    let (vpc_id, subnet, balancer_group) = (stage.vpc.clone(), stage.subnets[0].clone(), stage.group.clone());
    stage.account.share_with_other(&subnet);
    let mut pods = String::new();
    stage.account.other(|other| {
        pods = group(other, &vpc_id, "pods");
        let interface =
            json!({ "SubnetId": subnet, "SecurityGroupId": [pods], "PrivateIpAddress": "10.0.1.50" });
        other.ok("CreateNetworkInterface", interface);
    });
    let target_group = stage.target_group("web", "HTTP");
    register(&mut stage, &target_group, "10.0.1.50");
    assert_eq!(health(&mut stage.account, &target_group), is("unused", "Target.NotInUse"));
    let wanted = stage.wanted("web");
    let made = stage.ok("CreateLoadBalancer", wanted);
    let balancer = text(&made["LoadBalancers"][0]["LoadBalancerArn"]);
    stage.listener(&balancer, &target_group);
    assert_eq!(health(&mut stage.account, &target_group), is("initial", "Elb.RegistrationInProgress"));
    stage.account.wait(150);
    assert_eq!(health(&mut stage.account, &target_group), is("initial", "Elb.InitialHealthChecking"));
    stage.account.wait(60);
    assert_eq!(health(&mut stage.account, &target_group), is("unhealthy", "Target.Timeout"));
    let peer = json!({ "Groups": [{ "UserId": "111111111111", "GroupId": balancer_group }] });
    stage.account.other(|other| allow(other, &pods, &peer));
    let healthy = ("healthy".to_owned(), Value::Null);
    assert_eq!(health(&mut stage.account, &target_group), healthy);
    let one = json!({ "TargetGroupArn": target_group, "Targets": [{ "Id": "10.0.1.50" }] });
    stage.ok("DeregisterTargets", one);
    let draining = is("draining", "Target.DeregistrationInProgress");
    assert_eq!(health(&mut stage.account, &target_group), draining);
    stage.account.wait(300);
    let none = stage.ok("DescribeTargetHealth", json!({ "TargetGroupArn": target_group }));
    assert_eq!(none["TargetHealthDescriptions"], json!([]));
}

/// What the load balancer's own group does not let out does not arrive; a rule by range is as good as one
/// by group.
#[test]
fn both_sides_have_to_let_checks_through() {
    let mut stage = Stage::new();
    let vpc_id = stage.vpc.clone();
    let pods = group(&mut stage.account, &vpc_id, "pods");
    let interface = json!({
        "SubnetId": stage.subnets[0], "SecurityGroupId": [pods], "PrivateIpAddress": "10.0.1.50",
    });
    stage.account.ok("CreateNetworkInterface", interface);
    let (balancer, target_group) = (stage.balancer("web"), stage.target_group("web", "HTTP"));
    stage.listener(&balancer, &target_group);
    register(&mut stage, &target_group, "10.0.1.50");
    stage.account.wait(60);
    allow(&mut stage.account, &pods, &json!({ "IpRanges": [{ "CidrIp": "10.0.1.0/24" }] }));
    // Only one of the two nodes is in that range.
    assert_eq!(health(&mut stage.account, &target_group), is("unhealthy", "Target.Timeout"));
    allow(&mut stage.account, &pods, &json!({ "IpRanges": [{ "CidrIp": "10.0.0.0/16" }] }));
    assert_eq!(health(&mut stage.account, &target_group).0, "healthy");
    let everything = json!({
        "GroupId": stage.group,
        "IpPermissions": [{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }],
    });
    stage.account.ok("RevokeSecurityGroupEgress", everything);
    assert_eq!(health(&mut stage.account, &target_group), is("unhealthy", "Target.Timeout"));
}

/// `TargetDescription`: an address outside of the VPC needs "all" or a zone; one inside has the zone of its
/// subnet and no other; public addresses cannot be targets.
#[test]
fn addresses_have_their_zones() {
    let mut stage = Stage::new();
    let target_group = stage.target_group("web", "HTTP");
    let register = |id: &str, zone: Option<&str>| json!({ "TargetGroupArn": target_group, "Targets": [{ "Id": id, "AvailabilityZone": zone }] });
    for (id, zone, part) in [
        ("10.0.1.9", Some("all"), "cannot have its Availability Zone overridden to 'all' from 'us-east-1"),
        ("10.9.0.1", None, "since the IP address '10.9.0.1' is outside the VPC"),
        ("198.51.100.1", Some("all"), "is not within an allowed range"),
        ("somebody", None, "is not a valid IPv4 address"),
    ] {
        let message = stage.message("RegisterTargets", register(id, zone), "ValidationError");
        assert!(message.contains(part), "{message}");
    }
    stage.ok("RegisterTargets", register("10.9.0.1", Some("all")));
    let seen = stage.ok("DescribeTargetHealth", json!({ "TargetGroupArn": target_group }));
    assert_eq!(seen["TargetHealthDescriptions"][0]["Target"]["AvailabilityZone"], "all");
    let none = json!({ "TargetGroupArn": target_group, "Targets": [] });
    stage.refused("RegisterTargets", none.clone(), "ValidationError");
    stage.refused("DeregisterTargets", none, "ValidationError");
}

/// "A participant … cannot register targets in subnets that are not shared with it" ("Share your VPC
/// subnets"); instances have to be the caller's own.
#[test]
fn others_targets_are_refused() {
    let mut stage = Stage::new();
    let (vpc_id, shared) = (stage.vpc.clone(), stage.subnets[0].clone());
    stage.account.share_with_other(&shared);
    stage.account.other(|other| {
        let wanted = |kind: &str| {
            json!({ "Name": kind, "Protocol": "HTTP", "Port": "80", "VpcId": vpc_id, "TargetType": kind })
        };
        let create = "elasticloadbalancing:CreateTargetGroup";
        let made = other.ok(create, wanted("ip"))["TargetGroups"][0]["TargetGroupArn"].clone();
        let register = "elasticloadbalancing:RegisterTargets";
        let address = |address: &str| json!({ "TargetGroupArn": made, "Targets": [{ "Id": address }] });
        other.ok(register, address("10.0.1.9"));
        other.refused(register, address("10.0.2.9"), "InvalidTarget");
        let instances = other.ok(create, wanted("instance"))["TargetGroups"][0]["TargetGroupArn"].clone();
        let instance = json!({ "TargetGroupArn": instances, "Targets": [{ "Id": "i-0aaaaaaaaaaaaaaa1" }] });
        other.refused(register, instance, "InvalidTarget");
    });
}

/// Targets that are asked for by name, in a zone that the load balancer is not in, or of another kind.
#[test]
fn targets_are_told_one_by_one() {
    let mut stage = Stage::new();
    let vpc_id = stage.vpc.clone();
    super::subnet(&mut stage.account, &vpc_id, "10.0.3.0/24", "use1-az3");
    let (balancer, target_group) = (stage.balancer("web"), stage.target_group("web", "HTTP"));
    stage.listener(&balancer, &target_group);
    register(&mut stage, &target_group, "10.0.3.9");
    let asked =
        json!({ "TargetGroupArn": target_group, "Targets": [{ "Id": "10.0.3.9" }, { "Id": "10.0.1.9" }] });
    let seen = stage.ok("DescribeTargetHealth", asked);
    let reasons = seen["TargetHealthDescriptions"].as_array().into_iter().flatten();
    let reasons: Vec<_> = reasons.map(|target| text(&target["TargetHealth"]["Reason"])).collect();
    assert_eq!(reasons, ["Target.NotInUse", "Target.NotRegistered"]);
    let more = json!({ "TargetGroupArn": target_group, "Include": ["AnomalyDetection"] });
    let more = stage.ok("DescribeTargetHealth", more)["TargetHealthDescriptions"][0].clone();
    assert_eq!(more["AnomalyDetection"]["Result"], "normal");
    // "If the specified target does not exist, the action returns successfully."
    let unknown = json!({ "TargetGroupArn": target_group, "Targets": [{ "Id": "10.0.1.9" }] });
    stage.ok("DeregisterTargets", unknown);
}

/// A function is called, not checked, unless that is asked for; there is one in a group.
#[test]
fn functions_and_load_balancers_are_targets() {
    let mut stage = Stage::new();
    let functions = stage.ok("CreateTargetGroup", json!({ "Name": "f", "TargetType": "lambda" }));
    let functions = text(&functions["TargetGroups"][0]["TargetGroupArn"]);
    let (balancer, function) = (stage.balancer("web"), "arn:aws:lambda:us-east-1:111111111111:function:f");
    stage.listener(&balancer, &functions);
    register(&mut stage, &functions, function);
    assert_eq!(health(&mut stage.account, &functions), is("unavailable", "Target.HealthCheckDisabled"));
    let second = json!({ "TargetGroupArn": functions, "Targets": [{ "Id": format!("{function}2") }] });
    stage.refused("RegisterTargets", second, "TooManyTargets");
    let wrong = json!({ "TargetGroupArn": functions, "Targets": [{ "Id": "f" }] });
    stage.refused("RegisterTargets", wrong, "ValidationError");
    let wanted = json!({
        "Name": "alb", "TargetType": "alb", "Protocol": "TCP", "Port": "80", "VpcId": stage.vpc,
    });
    let balancers = text(&stage.ok("CreateTargetGroup", wanted)["TargetGroups"][0]["TargetGroupArn"]);
    register(&mut stage, &balancers, &balancer);
    let network = stage.network_balancer("tcp");
    stage.refused(
        "RegisterTargets",
        json!({ "TargetGroupArn": balancers, "Targets": [{ "Id": network }] }),
        "InvalidTarget",
    );
    stage.listener(&network, &balancers);
    stage.account.wait(60);
    assert_eq!(health(&mut stage.account, &balancers).0, "healthy");
}

/// `CreateTargetGroup`: what has to be said, what may be, and what is there already.
#[test]
fn target_groups_are_checked() {
    let mut stage = Stage::new();
    let other_vpc = vpc(&mut stage.account);
    let arn = stage.target_group("web", "HTTP");
    assert_eq!(stage.target_group("web", "HTTP"), arn, "the same settings are the same group");
    let wanted = |name: &str, value: Value| {
        let mut wanted = json!({
            "Name": "new", "Protocol": "HTTP", "Port": "80", "VpcId": other_vpc, "TargetType": "ip",
        });
        wanted[name] = value;
        wanted
    };
    for (name, value, code) in [
        ("Name", json!("web"), "DuplicateTargetGroupName"),
        ("Name", json!("-"), "ValidationError"),
        ("VpcId", json!("vpc-0"), "ValidationError"),
        ("VpcId", Value::Null, "ValidationError"),
        ("Protocol", Value::Null, "ValidationError"),
        ("Protocol", json!("SMTP"), "ValidationError"),
        ("Port", Value::Null, "ValidationError"),
        ("TargetType", json!("lambda"), "ValidationError"),
        ("TargetType", json!("alb"), "ValidationError"),
        ("ProtocolVersion", json!("HTTP9"), "ValidationError"),
        ("HealthCheckPath", json!("x"), "ValidationError"),
        ("HealthCheckPort", json!("none"), "ValidationError"),
        ("HealthCheckProtocol", json!("TCP"), "ValidationError"),
        ("HealthCheckEnabled", json!("false"), "ValidationError"),
        ("HealthCheckIntervalSeconds", json!("4"), "ValidationError"),
        ("HealthCheckTimeoutSeconds", json!("30"), "ValidationError"),
        ("UnhealthyThresholdCount", json!("11"), "ValidationError"),
    ] {
        stage.refused("CreateTargetGroup", wanted(name, value), code);
    }
    let change = json!({
        "TargetGroupArn": arn, "HealthCheckPath": "/healthz", "HealthCheckIntervalSeconds": "15",
        "Matcher": { "HttpCode": "200-299" },
    });
    let changed = stage.ok("ModifyTargetGroup", change)["TargetGroups"][0].clone();
    assert_eq!(changed["HealthCheckPath"], "/healthz");
    assert_eq!(changed["Matcher"], json!({ "HttpCode": "200-299" }));
    stage.ok("DeleteTargetGroup", json!({ "TargetGroupArn": arn }));
    stage.ok("DeleteTargetGroup", json!({ "TargetGroupArn": arn }));
    stage.refused("DescribeTargetGroups", json!({ "TargetGroupArns": [arn] }), "TargetGroupNotFound");
    stage.refused("DescribeTargetGroups", json!({ "Names": ["web"] }), "TargetGroupNotFound");
    stage.refused(
        "DescribeTargetGroups",
        json!({ "Names": ["a"], "TargetGroupArns": ["b"] }),
        "ValidationError",
    );
}

/// "The instances must be running" and in the VPC of the target group (API reference, `RegisterTargets`);
/// they are asked at their first address.
#[test]
fn instances_are_targets() {
    let mut stage = Stage::new();
    let (vpc_id, subnet) = (stage.vpc.clone(), stage.subnets[0].clone());
    let (balancer, group_id) = (stage.balancer("web"), group(&mut stage.account, &vpc_id, "nodes"));
    let instance = NewInstance {
        id: "i-0aaaaaaaaaaaaaaa1".to_owned(),
        owner: "111111111111".parse().expect("it has twelve digits"),
        subnet_id: subnet,
        groups: vec![group_id.clone()],
        instance_type: "t3.medium".to_owned(),
        requester: "111111111111".to_owned(),
        profile_arn: String::new(),
        is_spot: false,
        tags: Tags::new(),
    };
    let network = stage.account.world().network("us-east-1");
    network.launch_instance(instance).expect("the subnet has addresses");
    let other_vpc = vpc(&mut stage.account);
    let make = |stage: &mut Stage, name: &str, vpc_id: &str| {
        let wanted = json!({ "Name": name, "Protocol": "HTTP", "Port": "80", "VpcId": vpc_id });
        text(&stage.ok("CreateTargetGroup", wanted)["TargetGroups"][0]["TargetGroupArn"])
    };
    let (here, elsewhere) = (make(&mut stage, "here", &vpc_id), make(&mut stage, "elsewhere", &other_vpc));
    stage.listener(&balancer, &here);
    register(&mut stage, &here, "i-0aaaaaaaaaaaaaaa1");
    let wrong = json!({ "TargetGroupArn": elsewhere, "Targets": [{ "Id": "i-0aaaaaaaaaaaaaaa1" }] });
    stage.refused("RegisterTargets", wrong, "InvalidTarget");
    stage.account.wait(60);
    assert_eq!(health(&mut stage.account, &here), is("unhealthy", "Target.Timeout"));
    allow(&mut stage.account, &group_id, &json!({ "IpRanges": [{ "CidrIp": "10.0.0.0/16" }] }));
    assert_eq!(health(&mut stage.account, &here).0, "healthy");
    stage.account.world().network("us-east-1").terminate_instance("i-0aaaaaaaaaaaaaaa1", false);
    assert_eq!(health(&mut stage.account, &here), is("unhealthy", "Target.Timeout"));
}

//! The life of a Fargate profile.

use serde_json::{Value, json};

use crate::ec2::testing::attached_gateway;
use crate::eks::testing::{Ground, add_role, role, with};

fn named(name: &str, more: Value) -> Value {
    with(json!({ "clusterName": "main", "fargateProfileName": name }), more)
}

fn wanted(name: &str, more: Value) -> Value {
    let wanted = json!({ "podExecutionRoleArn": role("pods"), "selectors": [{ "namespace": "web" }] });
    with(named(name, wanted), more)
}

fn ground() -> Ground {
    let mut ground = Ground::new();
    let policies = ["AmazonEKSFargatePodExecutionRolePolicy"];
    add_role(&mut ground.account, "pods", "eks-fargate-pods.amazonaws.com", &policies);
    ground.cluster(json!({}));
    ground
}

/// API reference, `DeleteFargateProfile`: "only one Fargate profile in a cluster can be in that status".
#[test]
fn one_profile_at_a_time() {
    let mut ground = ground();
    let made =
        ground.account.ok("eks:CreateFargateProfile", wanted("one", json!({})))["fargateProfile"].clone();
    assert_eq!((&made["status"], &made["subnets"]), (&json!("CREATING"), &json!(ground.subnets)));
    let message = ground.account.message(
        "eks:CreateFargateProfile",
        wanted("two", json!({})),
        "ResourceInUseException",
    );
    assert_eq!(
        message,
        "Cannot create Fargate Profile two because cluster main currently has Fargate profile one in status CREATING"
    );
    ground.account.wait(90);
    ground.account.refused("eks:CreateFargateProfile", wanted("one", json!({})), "ResourceInUseException");
    ground.account.ok("eks:CreateFargateProfile", wanted("two", json!({})));
    let seen = ground.account.ok("eks:DescribeFargateProfile", named("one", json!({})));
    assert_eq!(seen["fargateProfile"]["status"], "ACTIVE");
    ground.account.refused("eks:DeleteFargateProfile", named("one", json!({})), "ResourceInUseException");
    ground.account.wait(90);
    let all = ground.account.ok("eks:ListFargateProfiles", json!({ "clusterName": "main" }));
    assert_eq!(all["fargateProfileNames"], json!(["one", "two"]));
    let entry = json!({ "clusterName": "main", "principalArn": role("pods") });
    assert_eq!(ground.account.ok("eks:DescribeAccessEntry", entry)["accessEntry"]["type"], "FARGATE_LINUX");
    for name in ["one", "two"] {
        ground.account.refused("eks:DeleteCluster", json!({ "name": "main" }), "ResourceInUseException");
        ground.account.ok("eks:DeleteFargateProfile", named(name, json!({})));
        ground.account.wait(120);
        ground.account.refused(
            "eks:DescribeFargateProfile",
            named(name, json!({})),
            "ResourceNotFoundException",
        );
    }
    ground.account.ok("eks:DeleteCluster", json!({ "name": "main" }));
}

/// EKS user guide, "Define which Pods use AWS Fargate when launched".
#[test]
fn what_is_asked_for_is_checked() {
    let mut ground = ground();
    let public = json!({ "VpcId": ground.vpc, "CidrBlock": "10.0.9.0/24", "AvailabilityZoneId": "use1-az1" });
    let public = ground.account.ok("CreateSubnet", public)["subnet"]["subnetId"].clone();
    let gateway = attached_gateway(&mut ground.account, &ground.vpc);
    let table =
        ground.account.ok("CreateRouteTable", json!({ "VpcId": ground.vpc }))["routeTable"]["routeTableId"]
            .clone();
    ground.account.ok(
        "CreateRoute",
        json!({ "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway }),
    );
    ground.account.ok("AssociateRouteTable", json!({ "RouteTableId": table, "SubnetId": public }));
    let many: Vec<_> = (0..6).map(|number| json!({ "namespace": format!("n{number}") })).collect();
    for wrong in [
        json!({ "fargateProfileName": "?" }),
        json!({ "subnets": [public] }),
        json!({ "subnets": ["subnet-0"] }),
        json!({ "podExecutionRoleArn": role("nodes") }),
        json!({ "selectors": [] }),
        json!({ "selectors": many }),
        json!({ "selectors": [{ "labels": {} }] }),
    ] {
        let wrong = wanted("one", wrong);
        ground.account.refused("eks:CreateFargateProfile", wrong, "InvalidParameterException");
    }
}

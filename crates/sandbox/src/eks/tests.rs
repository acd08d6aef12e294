//! Clusters where policies decide, and in worlds that are kept.

use serde_json::{Value, json};

use super::testing::{Ground, role, with};
use crate::testing::Account;
use crate::world::World;

/// Makes a user whose own policy has these statements, and returns its access key.
fn user(account: &mut Account, statements: &Value) -> Value {
    account.ok("iam:CreateUser", json!({ "UserName": "somebody" }));
    grant(account, statements);
    account.ok("iam:CreateAccessKey", json!({ "UserName": "somebody" }))["AccessKey"].clone()
}

fn grant(account: &mut Account, statements: &Value) {
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let policy = json!({ "UserName": "somebody", "PolicyName": "own", "PolicyDocument": document });
    account.ok("iam:PutUserPolicy", policy);
}

fn allow(actions: &Value, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

/// "Actions, resources, and condition keys for Amazon EKS" (Service Authorization Reference): the role is handed
/// over, tags are given, and parts of a cluster have ARNs of their own.
#[test]
fn policies_decide_about_clusters() {
    let mut ground = Ground::new();
    ground.account.world().rules.enforce_iam = true;
    let making =
        allow(&json!(["eks:Create*", "eks:Describe*"]), "arn:aws:eks:us-east-1:111111111111:cluster/main");
    let key = user(&mut ground.account, &json!([making]));
    let wanted = ground.wanted(json!({ "tags": { "team": "a" } }));
    ground.account.with(&key, |somebody| {
        let message = somebody.message("eks:CreateCluster", wanted.clone(), "AccessDeniedException");
        assert!(
            message.contains("perform: iam:PassRole on resource: arn:aws:iam::111111111111:role/cluster"),
            "{message}"
        );
    });
    let passing = json!({
        "Effect": "Allow", "Action": "iam:PassRole", "Resource": role("cluster"),
        "Condition": { "StringEquals": { "iam:PassedToService": "eks.amazonaws.com" } },
    });
    grant(&mut ground.account, &json!([making, passing]));
    ground.account.with(&key, |somebody| {
        let message = somebody.message("eks:CreateCluster", wanted.clone(), "AccessDeniedException");
        assert!(message.contains("perform: eks:TagResource"), "{message}");
    });
    let tagging = json!({
        "Effect": "Allow", "Action": "eks:TagResource", "Resource": "*",
        "Condition": { "StringEquals": { "aws:RequestTag/team": "a" } },
    });
    grant(&mut ground.account, &json!([making, passing, tagging]));
    // "Using service-linked roles for Amazon EKS": the first cluster of an account makes it.
    ground.account.with(&key, |somebody| {
        let message = somebody.message("eks:CreateCluster", wanted.clone(), "AccessDeniedException");
        assert!(message.contains("perform: iam:CreateServiceLinkedRole"), "{message}");
    });
    let linked = json!({
        "Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "Resource": "*",
        "Condition": { "StringEquals": { "iam:AWSServiceName": "eks.amazonaws.com" } },
    });
    grant(&mut ground.account, &json!([making, passing, tagging, linked]));
    let other = with(wanted.clone(), json!({ "name": "other" }));
    ground.account.with(&key, |somebody| {
        somebody.refused("eks:CreateCluster", other, "AccessDeniedException");
        somebody.ok("eks:CreateCluster", wanted);
    });
    ground.account.wait(9 * 60);
    ground.node_group(json!({ "tags": { "team": "b" } }));
    let of_team = json!({
        "Effect": "Allow", "Action": "eks:DeleteNodegroup",
        "Resource": "arn:aws:eks:us-east-1:111111111111:nodegroup/main/workers/*",
        "Condition": { "StringEquals": { "aws:ResourceTag/team": "b" } },
    });
    grant(&mut ground.account, &json!([of_team]));
    let workers = json!({ "clusterName": "main", "nodegroupName": "workers" });
    ground.account.with(&key, |somebody| {
        somebody.refused("eks:DescribeNodegroup", workers.clone(), "AccessDeniedException");
        somebody.ok("eks:DeleteNodegroup", workers);
    });
}

/// A world is written down as a whole now and then; everything of a cluster has to come back.
#[test]
fn a_cluster_is_kept_with_its_world() {
    let mut ground = Ground::new();
    ground.cluster(json!({ "version": "1.34", "bootstrapSelfManagedAddons": false }));
    let data = json!({ "LaunchTemplateName": "nodes", "LaunchTemplateData": { "InstanceType": "t3.large" } });
    ground.account.ok("CreateLaunchTemplate", data);
    ground.account.ok("eks:CreateAddon", json!({ "clusterName": "main", "addonName": "vpc-cni" }));
    ground.account.wait(60);
    let taints = json!([{ "key": "only", "value": "web", "effect": "NO_SCHEDULE" }]);
    ground.node_group(json!({ "launchTemplate": { "name": "nodes" }, "taints": taints }));
    ground.account.ok("eks:UpdateClusterVersion", json!({ "name": "main", "version": "1.35" }));
    let kept = serde_json::to_string(ground.account.world()).expect("a world has a JSON form");
    let read: World = serde_json::from_str(&kept).expect("it is a world");
    *ground.account.world() = read;
    ground.account.wait(9 * 60);
    assert_eq!(ground.seen()["version"], "1.35");
    assert_eq!(ground.seen_group()["taints"], taints);
    assert_eq!(ground.instances().len(), 2);
}

//! The policy that a load balancer controller has, statement by statement, in our own words.

use serde_json::{Value, json};

use super::user;
use crate::access::{Context, Policies, Verdict, set};
use crate::policy::{Document, Question};
use crate::testing::{Account, text};

const TAG: &str = "elbv2.k8s.aws/cluster";

fn statement(actions: &Value, resources: &Value, condition: Value) -> Value {
    let mut statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    statement
}

/// Whether the call gives the cluster's tag, and whether the thing has it.
fn tags(request_lacks: Option<bool>, resource_lacks: Option<bool>) -> Value {
    let mut absent = json!({});
    let mut add = |key: &str, lacks: Option<bool>| {
        if let Some(lacks) = lacks {
            absent[format!("{key}/{TAG}")] = json!(lacks.to_string());
        }
    };
    add("aws:RequestTag", request_lacks);
    add("aws:ResourceTag", resource_lacks);
    json!({ "Null": absent })
}

/// The parts of the policy in which resources and conditions matter.
fn statements() -> Value {
    let groups = json!("arn:aws:ec2:*:*:security-group/*");
    let balancers = json!([
        "arn:aws:elasticloadbalancing:*:*:targetgroup/*/*",
        "arn:aws:elasticloadbalancing:*:*:loadbalancer/net/*/*",
        "arn:aws:elasticloadbalancing:*:*:loadbalancer/app/*/*",
    ]);
    let listeners = json!("arn:aws:elasticloadbalancing:*:*:listener/app/*/*/*");
    let balancing = |names: &[&str]| -> Value {
        names.iter().map(|name| format!("elasticloadbalancing:{name}")).collect()
    };
    let tagging = balancing(&["AddTags", "RemoveTags"]);
    let linked = json!({ "StringEquals": { "iam:AWSServiceName": "elasticloadbalancing.amazonaws.com" } });
    let mut tags_of_new_group = tags(Some(false), None);
    tags_of_new_group["StringEquals"] = json!({ "ec2:CreateAction": "CreateSecurityGroup" });
    let mut tags_of_new_balancer = tags(Some(false), None);
    tags_of_new_balancer["StringEquals"] =
        json!({ "elasticloadbalancing:CreateAction": ["CreateTargetGroup", "CreateLoadBalancer"] });
    let all = json!("*");
    let rules = json!(["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]);
    let own_groups = json!(["ec2:RevokeSecurityGroupIngress", "ec2:DeleteSecurityGroup"]);
    json!([
        statement(&json!("iam:CreateServiceLinkedRole"), &all, linked),
        statement(&json!(["ec2:DescribeSubnets", "ec2:DescribeVpcs"]), &all, Value::Null),
        statement(&rules, &all, Value::Null),
        statement(&json!("ec2:CreateSecurityGroup"), &all, Value::Null),
        statement(&json!("ec2:CreateTags"), &groups, tags_of_new_group),
        statement(&json!(["ec2:CreateTags", "ec2:DeleteTags"]), &groups, tags(Some(true), Some(false))),
        statement(&own_groups, &all, tags(None, Some(false))),
        statement(&balancing(&["CreateLoadBalancer", "CreateTargetGroup"]), &all, tags(Some(false), None)),
        statement(&balancing(&["CreateListener", "DeleteListener"]), &all, Value::Null),
        statement(&tagging, &balancers, tags(Some(true), Some(false))),
        statement(&tagging, &listeners, Value::Null),
        statement(&balancing(&["ModifyTargetGroup", "DeleteLoadBalancer"]), &all, tags(None, Some(false))),
        statement(&balancing(&["AddTags"]), &balancers, tags_of_new_balancer),
        statement(&balancing(&["RegisterTargets"]), &balancers[0], Value::Null),
    ])
}

/// Makes a user who has the policy, which is too long for an own one, and returns its access key.
fn controller(account: &mut Account) -> Value {
    let key = user(account, "controller", &json!([]));
    let document = json!({ "Version": "2012-10-17", "Statement": statements() }).to_string();
    let policy =
        account.ok("iam:CreatePolicy", json!({ "PolicyName": "controller", "PolicyDocument": document }));
    let attachment = json!({ "UserName": "controller", "PolicyArn": policy["Policy"]["Arn"] });
    account.ok("iam:AttachUserPolicy", attachment);
    key
}

/// Tells whether the policy allows an action, on a resource, with these condition keys.
fn allows(action: &str, resource: &str, keys: &[(&str, &str)]) -> bool {
    let document = json!({ "Version": "2012-10-17", "Statement": statements() }).to_string();
    let document = Document::permissions(&document).expect("every part of it can be evaluated");
    let policies = Policies { identity: vec![document], ..Policies::default() };
    let mut context = Context::new();
    for (key, value) in keys {
        set(&mut context, key, value);
    }
    policies.decide(&Question { action, resource, principals: &[], context }) == Verdict::Allowed
}

#[test]
fn balancers_are_made_and_changed_by_their_tags() {
    const BALANCER: &str = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/k8s-x/1";
    const TARGETS: &str = "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/k8s-x/1";
    const LISTENER: &str = "arn:aws:elasticloadbalancing:us-east-1:1:listener/app/k8s-x/1/2";
    let given = ("aws:RequestTag/elbv2.k8s.aws/cluster", "c");
    let had = ("aws:ResourceTag/elbv2.k8s.aws/cluster", "c");
    let creating = ("elasticloadbalancing:CreateAction", "CreateLoadBalancer");
    for (action, resource, keys, expected) in [
        ("CreateLoadBalancer", BALANCER, vec![given], true),
        ("CreateLoadBalancer", BALANCER, vec![], false),
        ("AddTags", BALANCER, vec![given, creating], true),
        ("AddTags", BALANCER, vec![given], false),
        ("AddTags", BALANCER, vec![had], true),
        ("AddTags", BALANCER, vec![had, given], false),
        ("AddTags", LISTENER, vec![given], true),
        ("DeleteLoadBalancer", BALANCER, vec![had], true),
        ("DeleteLoadBalancer", BALANCER, vec![], false),
        ("RegisterTargets", TARGETS, vec![], true),
        ("RegisterTargets", BALANCER, vec![], false),
        ("DescribeListenerAttributes", "*", vec![], false),
    ] {
        let action = format!("elasticloadbalancing:{action}");
        assert_eq!(allows(&action, resource, &keys), expected, "{action} {resource} {keys:?}");
    }
}

#[test]
fn only_the_role_of_load_balancers_is_made() {
    let mut account = Account::new().enforcing();
    let key = controller(&mut account);
    account.with(&key, |controller| {
        let service = |name: &str| json!({ "AWSServiceName": name });
        controller.refused("iam:CreateServiceLinkedRole", service("eks.amazonaws.com"), "AccessDenied");
        let balancing = service("elasticloadbalancing.amazonaws.com");
        controller.ok("iam:CreateServiceLinkedRole", balancing);
    });
}

#[test]
fn groups_are_changed_only_by_who_tagged_them() {
    const DENIED: &str = "UnauthorizedOperation";
    let mut account = Account::new().enforcing();
    let vpc = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"]);
    let group = |name: &str, tag: &str| {
        json!({
            "GroupName": name, "GroupDescription": "x", "VpcId": vpc,
            "TagSpecification": [{
                "ResourceType": "security-group", "Tag": [{ "Key": tag, "Value": "c" }],
            }],
        })
    };
    let others = text(&account.ok("CreateSecurityGroup", group("others", "team"))["groupId"]);
    let key = controller(&mut account);
    account.with(&key, |controller| {
        controller.refused("CreateSecurityGroup", group("wrong", "team"), DENIED);
        let own = text(&controller.ok("CreateSecurityGroup", group("own", TAG))["groupId"]);
        let tag = |id: &str, key: &str| json!({ "ResourceId": [id], "Tag": [{ "Key": key, "Value": "c" }] });
        controller.ok("CreateTags", tag(&own, "more"));
        controller.refused("CreateTags", tag(&own, TAG), DENIED);
        controller.refused("DeleteTags", tag(&own, TAG), DENIED);
        controller.refused("CreateTags", tag(&others, "more"), DENIED);
        let permission = |id: &str| {
            json!({
                "GroupId": id,
                "IpPermissions": [{
                    "IpProtocol": "tcp", "FromPort": "80", "ToPort": "80",
                    "IpRanges": [{ "CidrIp": "0.0.0.0/0" }],
                }],
            })
        };
        controller.ok("AuthorizeSecurityGroupIngress", permission(&others));
        controller.refused("AuthorizeSecurityGroupEgress", permission(&others), DENIED);
        controller.refused("DeleteSecurityGroup", json!({ "GroupId": others }), DENIED);
        controller.ok("DeleteSecurityGroup", json!({ "GroupId": own }));
    });
}

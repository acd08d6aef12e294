//! What callers have to be allowed.

use serde_json::{Value, json};

use super::Stage;
use crate::testing::{Account, text};

/// Makes a user with these statements, and returns its access key.
fn user(account: &mut Account, statements: &Value) -> Value {
    account.ok("iam:CreateUser", json!({ "UserName": "somebody" }));
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let policy = json!({ "UserName": "somebody", "PolicyName": "p", "PolicyDocument": document });
    account.ok("iam:PutUserPolicy", policy);
    account.ok("iam:CreateAccessKey", json!({ "UserName": "somebody" }))["AccessKey"].clone()
}

fn allow(action: &str, condition: Value) -> Value {
    let mut statement =
        json!({ "Effect": "Allow", "Action": format!("elasticloadbalancing:{action}"), "Resource": "*" });
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    statement
}

/// As the policy of the load balancer controller has it: it makes what gets the cluster's tag, with
/// `elasticloadbalancing:CreateAction`, and deletes what has it (`aws:ResourceTag`).
#[test]
fn tags_decide_who_may() {
    const TAG: &str = "elbv2.k8s.aws/cluster";
    let mut stage = Stage::of(Account::new().enforcing());
    let foreign = stage.balancer("foreign");
    let made_with = json!({ "Null": { (format!("aws:RequestTag/{TAG}")): "false" } });
    let owned = json!({ "Null": { (format!("aws:ResourceTag/{TAG}")): "false" } });
    let at_birth = json!({ "StringEquals": { "elasticloadbalancing:CreateAction": "CreateLoadBalancer" } });
    let statements = json!([
        allow("CreateLoadBalancer", made_with),
        allow("AddTags", at_birth),
        allow("DeleteLoadBalancer", owned),
    ]);
    let key = user(&mut stage.account, &statements);
    let wanted = stage.wanted("web");
    let delete = "elasticloadbalancing:DeleteLoadBalancer";
    stage.account.with(&key, |user| {
        let create = "elasticloadbalancing:CreateLoadBalancer";
        let message = user.message(create, wanted.clone(), "AccessDenied");
        let arn = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/web/*";
        assert!(message.contains(&format!("on resource: {arn} because")), "{message}");
        let mut tagged = wanted;
        tagged["Tags"] = json!([{ "Key": TAG, "Value": "c" }]);
        let made = user.ok(create, tagged)["LoadBalancers"][0]["LoadBalancerArn"].clone();
        let more = json!({ "ResourceArns": [made], "Tags": [{ "Key": "a" }] });
        user.refused("elasticloadbalancing:AddTags", more, "AccessDenied");
        user.refused(delete, json!({ "LoadBalancerArn": foreign }), "AccessDenied");
        user.ok(delete, json!({ "LoadBalancerArn": text(&made) }));
        user.refused("elasticloadbalancing:DescribeLoadBalancers", json!({}), "AccessDenied");
    });
}

/// The first load balancer of an account makes the service-linked role, which its maker has to be allowed:
/// `iam:CreateServiceLinkedRole` ("Service-linked role permissions", Elastic Load Balancing guide).
#[test]
fn the_first_one_needs_more() {
    let mut stage = Stage::of(Account::new().enforcing());
    let key = user(&mut stage.account, &json!([allow("CreateLoadBalancer", Value::Null)]));
    let (wanted, create) = (stage.wanted("web"), "elasticloadbalancing:CreateLoadBalancer");
    stage.account.with(&key, |user| {
        let message = user.message(create, wanted.clone(), "AccessDenied");
        assert!(message.contains("iam:CreateServiceLinkedRole"), "{message}");
    });
    stage.balancer("first");
    stage.account.with(&key, |user| {
        user.ok(create, wanted.clone());
    });
}

//! Rules: priorities and conditions.

use serde_json::{Value, json};

use super::Stage;
use crate::testing::text;

fn rule(listener: &str, priority: usize, path: &str) -> Value {
    json!({
        "ListenerArn": listener,
        "Priority": priority.to_string(),
        "Conditions": [{ "Field": "path-pattern", "Values": [path] }],
        "Actions": [{ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "200" } }],
    })
}

fn stage() -> (Stage, String, String) {
    let mut stage = Stage::new();
    let (balancer, group) = (stage.balancer("web"), stage.target_group("web", "HTTP"));
    let listener = stage.listener(&balancer, &group);
    (stage, listener, group)
}

/// "Each rule has a priority … the default rule has the lowest priority" and cannot be deleted ("Listener
/// rules", ALB guide).
#[test]
fn rules_come_by_priority_and_the_default_last() {
    let (mut stage, listener, group) = stage();
    let second = stage.ok("CreateRule", rule(&listener, 20, "/b"))["Rules"][0]["RuleArn"].clone();
    let first = stage.ok("CreateRule", rule(&listener, 5, "/a"))["Rules"][0].clone();
    let condition = json!({
        "Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": { "Values": ["/a"] },
    });
    assert_eq!(first["Conditions"], json!([condition]));
    stage.refused("CreateRule", rule(&listener, 5, "/c"), "PriorityInUse");
    let all = stage.ok("DescribeRules", json!({ "ListenerArn": listener }));
    let priorities: Vec<_> =
        all["Rules"].as_array().into_iter().flatten().map(|rule| text(&rule["Priority"])).collect();
    assert_eq!(priorities, ["5", "20", "default"]);
    let default = all["Rules"][2]["RuleArn"].clone();
    assert_eq!(all["Rules"][2]["Actions"][0]["TargetGroupArn"], group.as_str());
    for (operation, parameters) in [
        ("DeleteRule", json!({ "RuleArn": default })),
        ("ModifyRule", json!({ "RuleArn": default, "Conditions": rule("", 1, "/")["Conditions"] })),
        ("SetRulePriorities", json!({ "RulePriorities": [{ "RuleArn": default, "Priority": "1" }] })),
    ] {
        stage.refused(operation, parameters, "OperationNotPermitted");
    }
    // Two exchange their priorities.
    let exchange = json!([
        { "RuleArn": first["RuleArn"], "Priority": "20" }, { "RuleArn": second, "Priority": "5" },
    ]);
    stage.ok("SetRulePriorities", json!({ "RulePriorities": exchange }));
    let taken = json!([{ "RuleArn": second, "Priority": "20" }]);
    stage.refused("SetRulePriorities", json!({ "RulePriorities": taken }), "PriorityInUse");
    stage.ok("DeleteRule", json!({ "RuleArn": second }));
    stage.refused("DeleteRule", json!({ "RuleArn": second }), "RuleNotFound");
    stage.refused("DescribeRules", json!({}), "ValidationError");
}

/// A rule's actions hold target groups in place as a listener's do, and let them go.
#[test]
fn rules_use_target_groups() {
    let (mut stage, listener, _) = stage();
    let other = stage.target_group("other", "HTTP");
    let made = stage.ok("CreateRule", rule(&listener, 1, "/"))["Rules"][0]["RuleArn"].clone();
    stage.refused("ModifyRule", json!({ "RuleArn": made }), "ValidationError");
    let forward = json!([{
        "Type": "forward",
        "ForwardConfig": { "TargetGroups": [{ "TargetGroupArn": other, "Weight": "7" }] },
    }]);
    let seen = stage.ok("ModifyRule", json!({ "RuleArn": made, "Actions": forward }));
    assert_eq!(seen["Rules"][0]["Actions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"], 7);
    stage.refused("DeleteTargetGroup", json!({ "TargetGroupArn": other }), "ResourceInUse");
    stage.ok("ModifyRule", json!({ "RuleArn": made, "Actions": rule("", 1, "/")["Actions"] }));
    stage.ok("DeleteTargetGroup", json!({ "TargetGroupArn": other }));
}

/// Conditions (API reference, `RuleCondition`): known fields, at most five values, one of each field that
/// does not repeat.
#[test]
fn wrong_rules_are_refused() {
    let (mut stage, listener, _) = stage();
    let path = json!({ "Field": "path-pattern", "Values": ["/a"] });
    let header = |name: &str| json!({ "Field": "http-header", "HttpHeaderConfig": { "HttpHeaderName": name, "Values": ["x"] } });
    for (conditions, code) in [
        (json!([]), "ValidationError"),
        (json!([{ "Field": "colour", "Values": ["red"] }]), "ValidationError"),
        (json!([{ "Field": "path-pattern" }]), "ValidationError"),
        (json!([path, path]), "ValidationError"),
        (json!([{ "Field": "path-pattern", "Values": ["1", "2", "3", "4", "5", "6"] }]), "ValidationError"),
        (json!([{ "Field": "source-ip", "SourceIpConfig": { "Values": ["10.0.0.1"] } }]), "ValidationError"),
        (json!([{ "Field": "http-header", "HttpHeaderConfig": { "Values": ["x"] } }]), "ValidationError"),
    ] {
        let mut wrong = rule(&listener, 1, "/");
        wrong["Conditions"] = conditions;
        stage.refused("CreateRule", wrong, code);
    }
    let mut right = rule(&listener, 1, "/");
    right["Conditions"] = json!([header("a"), header("b"), path]);
    stage.ok("CreateRule", right);
    for priority in [0, 50_001] {
        stage.refused("CreateRule", rule(&listener, priority, "/"), "ValidationError");
    }
    let tcp = stage.target_group("tcp", "TCP");
    let network = stage.network_balancer("tcp");
    let listener = stage.listener(&network, &tcp);
    stage.refused("CreateRule", rule(&listener, 1, "/"), "UnsupportedProtocol");
}

/// "Rules per Application Load Balancer: 100", not counting default rules.
#[test]
fn a_load_balancer_has_so_many_rules() {
    let (mut stage, listener, _) = stage();
    for priority in 1..=100 {
        stage.ok("CreateRule", rule(&listener, priority, "/"));
    }
    stage.refused("CreateRule", rule(&listener, 101, "/"), "TooManyRules");
}

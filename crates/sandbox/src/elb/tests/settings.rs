//! Attributes, tags and limits.

use serde_json::{Value, json};

use super::Stage;
use crate::testing::text;

fn value(attributes: &Value, key: &str) -> String {
    let mut all = attributes["Attributes"].as_array().into_iter().flatten();
    let found = all.find(|attribute| attribute["Key"] == key);
    text(&found.unwrap_or_else(|| panic!("{attributes} has no {key}"))["Value"])
}

/// The attributes of API reference, `LoadBalancerAttribute`, `TargetGroupAttribute`, `ListenerAttribute`,
/// with their defaults; those that are not named keep their values.
#[test]
fn attributes_are_set_one_by_one() {
    let mut stage = Stage::new();
    let (balancer, group) = (stage.balancer("web"), stage.target_group("web", "HTTP"));
    let listener = stage.listener(&balancer, &group);
    for (kind, parameter, arn, key, usual, other) in [
        ("LoadBalancer", "LoadBalancerArn", &balancer, "idle_timeout.timeout_seconds", "60", "120"),
        ("TargetGroup", "TargetGroupArn", &group, "deregistration_delay.timeout_seconds", "300", "30"),
        ("Listener", "ListenerArn", &listener, "routing.http.response.server.enabled", "true", "false"),
    ] {
        let describe = format!("Describe{kind}Attributes");
        assert_eq!(value(&stage.ok(&describe, json!({ parameter: arn })), key), usual);
        let set = json!({ parameter: arn, "Attributes": [{ "Key": key, "Value": other }] });
        stage.ok(&format!("Modify{kind}Attributes"), set);
        assert_eq!(value(&stage.ok(&describe, json!({ parameter: arn })), key), other);
    }
    // "Disabled if the target group type is IP address and the target group protocol is TCP or TLS."
    for (protocol, kept) in [("TCP", "false"), ("UDP", "true")] {
        let group = stage.target_group(&protocol.to_lowercase(), protocol);
        let seen = stage.ok("DescribeTargetGroupAttributes", json!({ "TargetGroupArn": group }));
        assert_eq!(value(&seen, "preserve_client_ip.enabled"), kept, "{protocol}");
    }
    let modify = |key: &str, value: &str| json!({ "LoadBalancerArn": balancer, "Attributes": [{ "Key": key, "Value": value }] });
    for (key, value, code) in [
        ("idle_timeout.timeout_seconds", "0", "ValidationError"),
        ("deletion_protection.enabled", "yes", "ValidationError"),
        ("colour", "red", "ValidationError"),
        ("dns_record.client_routing_policy", "any_availability_zone", "InvalidConfigurationRequest"),
        ("access_logs.s3.enabled", "true", "InvalidConfigurationRequest"),
    ] {
        stage.refused("ModifyLoadBalancerAttributes", modify(key, value), code);
    }
    let nothing = json!({ "LoadBalancerArn": balancer });
    stage.refused("ModifyLoadBalancerAttributes", nothing, "ValidationError");
    let slow = json!([{ "Key": "slow_start.duration_seconds", "Value": "10" }]);
    let slow = json!({ "TargetGroupArn": group, "Attributes": slow });
    stage.refused("ModifyTargetGroupAttributes", slow, "ValidationError");
}

/// `AddTags`, `RemoveTags`, `DescribeTags`: "up to 20 resources in a single call".
#[test]
fn everything_has_tags() {
    let mut stage = Stage::new();
    let (balancer, group) = (stage.balancer("web"), stage.target_group("web", "HTTP"));
    let listener = stage.listener(&balancer, &group);
    let rules = stage.ok("DescribeRules", json!({ "ListenerArn": listener }));
    let rule = text(&rules["Rules"][0]["RuleArn"]);
    let all = [balancer, group, listener, rule];
    let tags = json!([{ "Key": "env", "Value": "test" }]);
    stage.ok("AddTags", json!({ "ResourceArns": all, "Tags": tags }));
    let seen = stage.ok("DescribeTags", json!({ "ResourceArns": all }));
    for description in seen["TagDescriptions"].as_array().expect("it is a list") {
        assert_eq!(description["Tags"], tags);
    }
    stage.ok("RemoveTags", json!({ "ResourceArns": [all[0]], "TagKeys": ["env"] }));
    let seen = stage.ok("DescribeTags", json!({ "ResourceArns": [all[0]] }));
    assert_eq!(seen["TagDescriptions"][0]["Tags"], json!([]));
    let add = |tags: Value| json!({ "ResourceArns": [all[0]], "Tags": tags });
    let many: Vec<_> = (0..51).map(|number| json!({ "Key": format!("k{number}") })).collect();
    for (tags, code) in [
        (json!([]), "ValidationError"),
        (json!([{ "Key": "aws:x" }]), "ValidationError"),
        (json!([{ "Key": "a" }, { "Key": "a" }]), "DuplicateTagKeys"),
        (json!(many), "TooManyTags"),
    ] {
        stage.refused("AddTags", add(tags), code);
    }
    let too_many = json!({ "ResourceArns": vec![&all[0]; 21] });
    stage.refused("DescribeTags", too_many, "ValidationError");
    for (at, code) in
        ["LoadBalancerNotFound", "TargetGroupNotFound", "ListenerNotFound", "RuleNotFound"].iter().enumerate()
    {
        let (stem, _) = all[at].rsplit_once('/').expect("an ARN has slashes");
        stage.refused("DescribeTags", json!({ "ResourceArns": [format!("{stem}/0")] }), code);
    }
    stage.refused("RemoveTags", json!({ "ResourceArns": [all[0]] }), "ValidationError");
    stage.refused("DescribeTags", json!({ "ResourceArns": ["web"] }), "ValidationError");
}

/// `DescribeAccountLimits` tells the quotas, `DescribeSSLPolicies` the security policies.
#[test]
fn limits_and_policies_are_told() {
    let mut stage = Stage::new();
    let limits = stage.ok("DescribeAccountLimits", json!({}));
    let limits = limits["Limits"].as_array().cloned().expect("it is a list");
    assert!(limits.contains(&json!({ "Name": "application-load-balancers", "Max": "50" })), "{limits:?}");
    let one = json!({ "Names": ["ELBSecurityPolicy-TLS13-1-3-2021-06"] });
    let one = stage.ok("DescribeSSLPolicies", one)["SslPolicies"][0].clone();
    assert_eq!(one["SslProtocols"], json!(["TLSv1.3"]));
    assert_eq!(one["Ciphers"][0]["Priority"], 1);
    stage.refused("DescribeSSLPolicies", json!({ "Names": ["none"] }), "SSLPolicyNotFound");
}

//! Listeners: ports, certificates, and what they forward to.

use serde_json::{Value, json};

use super::{Stage, vpc};
use crate::testing::text;

const CERTIFICATE: &str = "arn:aws:acm:us-east-1:111111111111:certificate/a";
const OTHER: &str = "arn:aws:acm:us-east-1:111111111111:certificate/b";

fn fixed() -> Value {
    json!([{ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "404", "ContentType": "text/plain" } }])
}

fn wanted(balancer: &str, protocol: &str, port: &str) -> Value {
    json!({ "LoadBalancerArn": balancer, "Protocol": protocol, "Port": port, "DefaultActions": fixed() })
}

/// "This operation is idempotent … if you attempt to create multiple listeners with the same settings,
/// each call succeeds" (API reference, `CreateListener`); another one at the port is a duplicate.
#[test]
fn a_port_has_one_listener() {
    let mut stage = Stage::new();
    let balancer = stage.balancer("web");
    let made = stage.ok("CreateListener", wanted(&balancer, "HTTP", "80"))["Listeners"][0].clone();
    let again = stage.ok("CreateListener", wanted(&balancer, "HTTP", "80"))["Listeners"][0].clone();
    assert_eq!(made, again);
    let mut other = wanted(&balancer, "HTTP", "80");
    other["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] = json!("503");
    stage.refused("CreateListener", other, "DuplicateListener");
    let second = stage.ok("CreateListener", wanted(&balancer, "HTTP", "81"))["Listeners"][0].clone();
    let moved = json!({ "ListenerArn": second["ListenerArn"], "Port": "80" });
    stage.refused("ModifyListener", moved, "DuplicateListener");
    let all = stage.ok("DescribeListeners", json!({ "LoadBalancerArn": balancer }));
    assert_eq!(all["Listeners"].as_array().map(Vec::len), Some(2));
    stage.ok("DeleteListener", json!({ "ListenerArn": second["ListenerArn"] }));
    stage.refused("DeleteListener", json!({ "ListenerArn": second["ListenerArn"] }), "ListenerNotFound");
    stage.refused("DescribeListeners", json!({}), "ValidationError");
    let both = json!({ "LoadBalancerArn": balancer, "ListenerArns": [made["ListenerArn"]] });
    stage.refused("DescribeListeners", both, "ValidationError");
    // "Deletes the specified Application Load Balancer … and its attached listeners."
    stage.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": balancer }));
    stage.refused("DescribeListeners", json!({ "ListenerArns": [made["ListenerArn"]] }), "ListenerNotFound");
}

/// "[HTTPS and TLS listeners] You must specify exactly one certificate" (API reference, `CreateListener`).
#[test]
fn secure_listeners_need_certificates() {
    let mut stage = Stage::new();
    let balancer = stage.balancer("web");
    let mut secure = wanted(&balancer, "HTTPS", "443");
    stage.refused("CreateListener", secure.clone(), "ValidationError");
    secure["Certificates"] =
        json!([{ "CertificateArn": "arn:aws:acm:us-east-1:222222222222:certificate/a" }]);
    stage.refused("CreateListener", secure.clone(), "CertificateNotFound");
    secure["Certificates"] = json!([{ "CertificateArn": CERTIFICATE }]);
    secure["SslPolicy"] = json!("ELBSecurityPolicy-None");
    stage.refused("CreateListener", secure.clone(), "SSLPolicyNotFound");
    secure["SslPolicy"] = json!("ELBSecurityPolicy-TLS13-1-2-2021-06");
    let made = stage.ok("CreateListener", secure)["Listeners"][0].clone();
    assert_eq!(made["SslPolicy"], "ELBSecurityPolicy-TLS13-1-2-2021-06");
    let arn = made["ListenerArn"].clone();
    let more = json!({ "ListenerArn": arn, "Certificates": [{ "CertificateArn": OTHER }] });
    stage.ok("AddListenerCertificates", more.clone());
    let listed = stage.ok("DescribeListenerCertificates", json!({ "ListenerArn": arn }));
    assert_eq!(
        listed["Certificates"],
        json!([
            { "CertificateArn": CERTIFICATE, "IsDefault": true },
            { "CertificateArn": OTHER, "IsDefault": false },
        ])
    );
    let default = json!({ "ListenerArn": arn, "Certificates": [{ "CertificateArn": CERTIFICATE }] });
    stage.refused("RemoveListenerCertificates", default, "OperationNotPermitted");
    stage.ok("RemoveListenerCertificates", more.clone());
    let mut plain = wanted(&balancer, "HTTP", "80");
    plain["Certificates"] = more["Certificates"].clone();
    stage.refused("CreateListener", plain, "ValidationError");
    let back = json!({ "ListenerArn": arn, "Protocol": "HTTP" });
    assert_eq!(stage.ok("ModifyListener", back)["Listeners"][0]["SslPolicy"], Value::Null);
}

/// "Certificates per Application Load Balancer: 25", not counting default ones.
#[test]
fn a_listener_has_so_many_certificates() {
    let mut stage = Stage::new();
    let balancer = stage.balancer("web");
    let mut secure = wanted(&balancer, "HTTPS", "443");
    secure["Certificates"] = json!([{ "CertificateArn": CERTIFICATE }]);
    let arn = stage.ok("CreateListener", secure)["Listeners"][0]["ListenerArn"].clone();
    let some: Vec<_> =
        (0..26).map(|number| json!({ "CertificateArn": format!("{CERTIFICATE}{number}") })).collect();
    let add = |some: &[Value]| json!({ "ListenerArn": arn, "Certificates": some });
    stage.refused("AddListenerCertificates", add(&some), "TooManyCertificates");
    stage.ok("AddListenerCertificates", add(&some[..25]));
}

/// Protocols, ports and actions that a listener cannot have.
#[test]
fn wrong_listeners_are_refused() {
    let mut stage = Stage::new();
    let balancer = stage.balancer("web");
    for (name, value, code) in [
        ("Protocol", json!("TCP"), "ValidationError"),
        ("Port", json!("0"), "ValidationError"),
        ("AlpnPolicy", json!(["None"]), "ValidationError"),
        ("AlpnPolicy", json!(["Some"]), "ALPNPolicyNotFound"),
        ("LoadBalancerArn", json!(balancer.replace("/web/", "/none/")), "LoadBalancerNotFound"),
        ("DefaultActions", json!([]), "ValidationError"),
        ("DefaultActions", json!([{ "Type": "ignore" }]), "ValidationError"),
        ("DefaultActions", json!([{ "Type": "forward" }]), "ValidationError"),
        ("DefaultActions", json!([{ "Type": "authenticate-oidc" }]), "InvalidLoadBalancerAction"),
        (
            "DefaultActions",
            json!([{ "Type": "redirect", "RedirectConfig": { "StatusCode": "HTTP_301", "Query": "a=b" } }]),
            "InvalidLoadBalancerAction",
        ),
        (
            "DefaultActions",
            json!([{ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "301" } }]),
            "ValidationError",
        ),
        ("DefaultActions", json!([fixed()[0], fixed()[0]]), "InvalidLoadBalancerAction"),
    ] {
        let mut wrong = wanted(&balancer, "HTTP", "80");
        wrong[name] = value;
        stage.refused("CreateListener", wrong, code);
    }
}

/// "Your load balancer and its target groups are in the same VPC", a target group has one load balancer
/// (`TargetGroupAssociationLimit`), and protocols have to go together (`IncompatibleProtocols`).
#[test]
fn target_groups_have_to_do() {
    let mut stage = Stage::new();
    let (one, other) = (stage.balancer("one"), stage.balancer("other"));
    let (http, tcp) = (stage.target_group("http", "HTTP"), stage.target_group("tcp", "TCP"));
    let other_vpc = vpc(&mut stage.account);
    let elsewhere = json!({ "Name": "far", "Protocol": "HTTP", "Port": "80", "VpcId": other_vpc });
    let elsewhere = text(&stage.ok("CreateTargetGroup", elsewhere)["TargetGroups"][0]["TargetGroupArn"]);
    let forward = |balancer: &str, group: &str| {
        let mut wanted = wanted(balancer, "HTTP", "80");
        wanted["DefaultActions"] = json!([{ "Type": "forward", "TargetGroupArn": group }]);
        wanted
    };
    let none = http.replace("/http/", "/none/");
    for (group, code) in [
        (none.as_str(), "TargetGroupNotFound"),
        (&tcp, "IncompatibleProtocols"),
        (&elsewhere, "InvalidConfigurationRequest"),
    ] {
        stage.refused("CreateListener", forward(&one, group), code);
    }
    let made = stage.ok("CreateListener", forward(&one, &http))["Listeners"][0].clone();
    assert_eq!(made["DefaultActions"][0]["TargetGroupArn"], http.as_str());
    assert_eq!(made["DefaultActions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"], 1);
    stage.refused("CreateListener", forward(&other, &http), "TargetGroupAssociationLimit");
    let group = json!({ "TargetGroupArn": http });
    stage.refused("DeleteTargetGroup", group.clone(), "ResourceInUse");
    let seen = stage.ok("DescribeTargetGroups", json!({ "LoadBalancerArn": one }));
    assert_eq!(seen["TargetGroups"][0]["LoadBalancerArns"], json!([one]));
    stage.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": one }));
    stage.ok("CreateListener", forward(&other, &http));
    stage.ok("DeleteLoadBalancer", json!({ "LoadBalancerArn": other }));
    stage.ok("DeleteTargetGroup", group);
}

/// "Listeners per Application Load Balancer: 50".
#[test]
fn a_load_balancer_has_so_many_listeners() {
    let mut stage = Stage::new();
    let balancer = stage.balancer("web");
    for port in 1..=50 {
        stage.ok("CreateListener", wanted(&balancer, "HTTP", &port.to_string()));
    }
    stage.refused("CreateListener", wanted(&balancer, "HTTP", "51"), "TooManyListeners");
}

//! What load balancers answer to visitors.

use serde_json::{Value, json};

use super::{Stage, allow};
use crate::elb::Visit;
use crate::elb::visit::Response;
use crate::testing::text;

impl Stage {
    /// Visits a load balancer from the internet.
    fn visit(&mut self, host: &str, address: &str, headers: &[(&str, &str)]) -> Option<Response> {
        let (method, address) = address.split_once(' ').unwrap_or(("GET", address));
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let header = |name: &str| {
            let mut named = headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
            named.next().map(|(_, value)| (*value).to_owned())
        };
        let visit = Visit { host, port: 80, is_secure: false, method, path, query, header: &header };
        self.account.world().visit(&visit)
    }

    fn status(&mut self, host: &str, address: &str) -> u16 {
        self.visit(host, address, &[]).expect("there is a load balancer").status
    }

    /// Makes a load balancer that is ready, with a target that is registered; returns its name in the DNS, its
    /// listener and its target group.
    fn with_target(&mut self) -> (String, String, String) {
        let balancer = self.balancer("web");
        let target_group = self.target_group("web", "HTTP");
        let listener = self.listener(&balancer, &target_group);
        let (subnet, group) = (self.subnets[0].clone(), self.group.clone());
        let interface =
            json!({ "SubnetId": subnet, "SecurityGroupId": [group], "PrivateIpAddress": "10.0.1.50" });
        self.account.ok("CreateNetworkInterface", interface);
        let targets = json!([{ "Id": "10.0.1.50" }]);
        self.ok("RegisterTargets", json!({ "TargetGroupArn": target_group, "Targets": targets }));
        let seen = self.ok("DescribeLoadBalancers", json!({ "LoadBalancerArns": [balancer] }));
        (text(&seen["LoadBalancers"][0]["DNSName"]), listener, target_group)
    }

    fn rule(&mut self, listener: &str, priority: &str, conditions: &Value, action: &Value) {
        let wanted = json!({
            "ListenerArn": listener, "Priority": priority, "Conditions": conditions, "Actions": [action],
        });
        self.ok("CreateRule", wanted);
    }
}

/// Nobody answers before a target is healthy, and none but load balancers have such names.
#[test]
fn a_healthy_target_answers() {
    let mut stage = Stage::new();
    let (host, ..) = stage.with_target();
    assert_eq!(stage.visit("web-0.us-east-1.elb.amazonaws.com", "/", &[]), None);
    assert_eq!(stage.status(&host, "/"), 504, "no group lets anybody in");
    let group = stage.group.clone();
    allow(&mut stage.account, &group, &json!({ "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }));
    assert_eq!(stage.status(&host, "/"), 503, "the first check is not over");
    stage.account.wait(60);
    let page = stage.visit(&host.to_uppercase(), "/<b>", &[]).expect("names have no case");
    assert_eq!((page.status, page.content_type.as_str()), (200, "text/html; charset=utf-8"));
    assert!(page.body.contains("10.0.1.50") && page.body.contains("/&lt;b&gt;"), "{}", page.body);
}

#[test]
fn a_load_balancer_that_is_not_ready_has_nobody_to_answer() {
    let mut stage = Stage::new();
    let wanted = stage.wanted("web");
    let made = stage.ok("CreateLoadBalancer", wanted);
    let host = text(&made["LoadBalancers"][0]["DNSName"]);
    assert_eq!(stage.status(&host, "/"), 503);
    stage.account.wait(150);
    assert_eq!(stage.status(&host, "/"), 504, "it has no listener");
    let mut wanted = stage.wanted("inside");
    wanted["Scheme"] = json!("internal");
    let made = stage.ok("CreateLoadBalancer", wanted);
    let host = text(&made["LoadBalancers"][0]["DNSName"]);
    stage.account.wait(150);
    assert_eq!(stage.status(&host, "/"), 504);
}

/// "Rules are evaluated in priority order, from the lowest value to the highest value. The default rule is
/// evaluated last" ("Listener rules", ALB guide).
#[test]
fn rules_say_what_becomes_of_requests() {
    let mut stage = Stage::new();
    let (host, listener, _) = stage.with_target();
    let group = stage.group.clone();
    allow(&mut stage.account, &group, &json!({ "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }));
    stage.account.wait(60);
    let fixed = |status: &str| {
        let config = json!({ "StatusCode": status, "ContentType": "text/plain", "MessageBody": status });
        json!({ "Type": "fixed-response", "FixedResponseConfig": config })
    };
    let path =
        |pattern: &str| json!({ "Field": "path-pattern", "PathPatternConfig": { "Values": [pattern] } });
    stage.rule(&listener, "20", &json!([path("/a/*")]), &fixed("404"));
    stage.rule(&listener, "10", &json!([path("/a/?")]), &fixed("403"));
    let method = json!({ "Field": "http-request-method", "HttpRequestMethodConfig": { "Values": ["POST"] } });
    stage.rule(&listener, "30", &json!([path("/b"), method]), &fixed("405"));
    let query = json!({ "Field": "query-string", "QueryStringConfig": { "Values": [{ "Key": "v", "Value": "1*" }] } });
    stage.rule(&listener, "40", &json!([query]), &fixed("410"));
    let header = json!({
        "Field": "http-header",
        "HttpHeaderConfig": { "HttpHeaderName": "X-Test", "Values": ["*on*"] },
    });
    stage.rule(&listener, "50", &json!([header]), &fixed("418"));
    let other_host = json!({ "Field": "host-header", "HostHeaderConfig": { "Values": ["*.example.com"] } });
    stage.rule(&listener, "60", &json!([other_host]), &fixed("421"));
    let redirect = json!({
        "Type": "redirect",
        "RedirectConfig": { "StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443", "Path": "/new/#{path}" },
    });
    stage.rule(&listener, "70", &json!([path("/old*")]), &redirect);
    for (address, status) in [
        ("/a/b", 403),
        ("/a/bc", 404),
        ("/A/b", 200),
        ("/b", 200),
        ("POST /b", 405),
        ("/?x=0&V=12", 410),
        ("/?v=2", 200),
        ("/", 200),
    ] {
        assert_eq!(stage.status(&host, address), status, "{address}");
    }
    let seen = stage.visit(&host, "/", &[("x-test", "it is ON now")]).expect("it is there");
    assert_eq!((seen.status, seen.body.as_str()), (418, "418"));
    let away = stage.visit(&host, "/old/x?y=z", &[]).expect("it is there");
    assert_eq!(away.location, Some(format!("https://{host}:443/new/old/x?y=z")));
}

//! How load balancers ask whether a target is well.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Family, TargetType};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::elb::{invalid, one_of};
use crate::validation::{integer, length, required};
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "ModifyTargetGroup",
    &[
        "TargetGroupArn",
        "HealthCheckProtocol",
        "HealthCheckPort",
        "HealthCheckPath",
        "HealthCheckEnabled",
        "HealthCheckIntervalSeconds",
        "HealthCheckTimeoutSeconds",
        "HealthyThresholdCount",
        "UnhealthyThresholdCount",
        "Matcher",
    ],
    modify,
);

/// How load balancers ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::elb) struct HealthCheck {
    pub(in crate::elb) is_enabled: bool,
    /// Functions are not asked by a protocol.
    protocol: Option<String>,
    /// A number, or `traffic-port`.
    port: Option<String>,
    path: Option<String>,
    /// In seconds.
    pub(in crate::elb) interval: i64,
    /// In seconds.
    timeout: i64,
    healthy_threshold: i64,
    pub(in crate::elb) unhealthy_threshold: i64,
    /// `HttpCode` or `GrpcCode`, with the codes that are good.
    matcher: Option<(String, String)>,
}

/// The port of each target.
const TRAFFIC_PORT: &str = "traffic-port";

impl HealthCheck {
    /// Returns how load balancers ask unless somebody says (API reference, `CreateTargetGroup`).
    pub(super) fn usual(family: Family, target_type: TargetType, protocol: Option<&str>) -> Self {
        let is_by_http = family != Family::Tcp || target_type == TargetType::Alb;
        let (interval, timeout) = match family {
            Family::Lambda => (35, 30),
            Family::Http => (30, 5),
            Family::Tcp if is_by_http => (30, 6),
            Family::Tcp => (30, 10),
        };
        let by_protocol = match protocol {
            _ if target_type == TargetType::Alb => "HTTP",
            Some(protocol @ ("HTTP" | "HTTPS")) => protocol,
            _ => "TCP",
        };
        let has_network = family != Family::Lambda;
        Self {
            is_enabled: has_network,
            protocol: has_network.then(|| by_protocol.to_owned()),
            port: has_network.then(|| TRAFFIC_PORT.to_owned()),
            path: is_by_http.then(|| "/".to_owned()),
            interval,
            timeout,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: None,
        }
        .with_matcher(family)
    }

    /// Fills in what a check by HTTP needs, and takes away what one by TCP has not.
    fn with_matcher(mut self, family: Family) -> Self {
        if self.protocol.as_deref() == Some("TCP") {
            (self.path, self.matcher) = (None, None);
            return self;
        }
        let good = if family == Family::Tcp { "200-399" } else { "200" };
        self.path.get_or_insert_with(|| "/".to_owned());
        self.matcher.get_or_insert_with(|| ("HttpCode".to_owned(), good.to_owned()));
        self
    }

    /// Returns it with what a call says.
    pub(super) fn changed(mut self, parameters: &Parameters, family: Family) -> Result<Self, Refusal> {
        if let Some(is_enabled) = parameters.flag("HealthCheckEnabled")? {
            if !is_enabled && family != Family::Lambda {
                return Err(invalid(
                    "Health check enabled must be true for target groups with target types \
                                    'instance', 'ip' and 'alb'",
                ));
            }
            self.is_enabled = is_enabled;
        }
        if let Some(protocol) = parameters.text("HealthCheckProtocol") {
            let known: &[&str] =
                if family == Family::Http { &["HTTP", "HTTPS"] } else { &["HTTP", "HTTPS", "TCP"] };
            self.protocol = Some(one_of("HealthCheckProtocol", protocol, known)?.to_owned());
        }
        let is_by_tcp = self.protocol.as_deref() == Some("TCP");
        let has = |name: &str| parameters.text(name).is_some() || !parameters.table(name).0.is_empty();
        if let Some(name) = ["HealthCheckPath", "Matcher"].into_iter().find(|name| is_by_tcp && has(name)) {
            return Err(invalid(format!("{name} cannot be specified for health checks with protocol 'TCP'")));
        }
        if let Some(port) = parameters.text("HealthCheckPort") {
            self.port = Some(checked_port(port)?.to_owned());
        }
        if let Some(path) = parameters.text("HealthCheckPath") {
            self.path = Some(checked_path(path)?.to_owned());
        }
        let matcher = parameters.table("Matcher");
        for key in ["HttpCode", "GrpcCode"] {
            if let Some(codes) = matcher.text(key) {
                self.matcher = Some((key.to_owned(), codes.to_owned()));
            }
        }
        self.read_numbers(parameters)?;
        Ok(self.with_matcher(family))
    }

    fn read_numbers(&mut self, parameters: &Parameters) -> Result<(), Refusal> {
        let numbers = [
            ("HealthCheckIntervalSeconds", 5, 300, &mut self.interval),
            ("HealthCheckTimeoutSeconds", 2, 120, &mut self.timeout),
            ("HealthyThresholdCount", 2, 10, &mut self.healthy_threshold),
            ("UnhealthyThresholdCount", 2, 10, &mut self.unhealthy_threshold),
        ];
        for (name, least, most, number) in numbers {
            *number = integer(parameters, name, least, most)?.unwrap_or(*number);
        }
        if self.timeout >= self.interval {
            let message = format!(
                "Health check timeout '{}' must be smaller than the interval '{}'",
                self.timeout, self.interval
            );
            return Err(invalid(message));
        }
        Ok(())
    }

    /// Returns the port at which a target is asked that gets requests at another one.
    pub(in crate::elb) fn port_of(&self, traffic_port: u16) -> u16 {
        self.port.as_deref().and_then(|port| port.parse().ok()).unwrap_or(traffic_port)
    }

    /// Returns the attributes of a target group that tell of it.
    pub(super) fn shown(&self) -> Value {
        let matcher = self.matcher.as_ref().map(|(key, codes)| json!({ key.as_str(): codes }));
        json!({
            "HealthCheckEnabled": self.is_enabled,
            "HealthCheckProtocol": self.protocol,
            "HealthCheckPort": self.port,
            "HealthCheckPath": self.path,
            "HealthCheckIntervalSeconds": self.interval,
            "HealthCheckTimeoutSeconds": self.timeout,
            "HealthyThresholdCount": self.healthy_threshold,
            "UnhealthyThresholdCount": self.unhealthy_threshold,
            "Matcher": matcher,
        })
    }
}

fn checked_port(text: &str) -> Result<&str, Refusal> {
    let is_port = text == TRAFFIC_PORT || text.parse().is_ok_and(|port: u16| port > 0);
    if is_port {
        Ok(text)
    } else {
        Err(invalid(format!("Health check port '{text}' must be a port or '{TRAFFIC_PORT}'")))
    }
}

fn checked_path(text: &str) -> Result<&str, Refusal> {
    length("HealthCheckPath", text, 1, 1024)?;
    if text.starts_with('/') {
        Ok(text)
    } else {
        Err(invalid(format!("Health check path '{text}' must begin with a '/' character")))
    }
}

fn modify(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "TargetGroupArn")?;
    let (balancing, _) = world.balancing(&call.region);
    let group = balancing.target_group_mut(call, arn)?;
    group.health_check = group.health_check.clone().changed(&call.parameters, group.family())?;
    let shown = balancing.target_group(call, arn)?.shown(balancing);
    Ok(json!({ "TargetGroups": [shown] }))
}

//! The attributes that there are (API reference, `LoadBalancerAttribute`, `TargetGroupAttribute` and
//! `ListenerAttribute`).

use crate::elb::load_balancer::BalancerKind;
use crate::elb::target_group::{Family, TargetGroup};

/// An attribute.
pub(super) struct Attribute {
    pub(super) key: &'static str,
    /// What it is unless it is set.
    pub(super) usual: &'static str,
    pub(super) values: Values,
}

/// What an attribute may be.
#[derive(Clone, Copy)]
pub(super) enum Values {
    Any,
    Words(&'static [&'static str]),
    /// From the first to the second.
    Numbers(u32, u32),
    /// The same, or `off`.
    NumbersOrOff(u32, u32),
}

const FLAG: Values = Values::Words(&["true", "false"]);

const fn attribute(key: &'static str, usual: &'static str, values: Values) -> Attribute {
    Attribute { key, usual, values }
}

const OF_APPLICATION: &[Attribute] = &[
    attribute("access_logs.s3.enabled", "false", FLAG),
    attribute("access_logs.s3.bucket", "", Values::Any),
    attribute("access_logs.s3.prefix", "", Values::Any),
    attribute("client_keep_alive.seconds", "3600", Values::Numbers(60, 604_800)),
    attribute("connection_logs.s3.enabled", "false", FLAG),
    attribute("connection_logs.s3.bucket", "", Values::Any),
    attribute("connection_logs.s3.prefix", "", Values::Any),
    attribute("deletion_protection.enabled", "false", FLAG),
    attribute("idle_timeout.timeout_seconds", "60", Values::Numbers(1, 4000)),
    attribute("ipv6.deny_all_igw_traffic", "false", FLAG),
    // "Application Load Balancers … always true."
    attribute("load_balancing.cross_zone.enabled", "true", Values::Words(&["true"])),
    attribute(
        "routing.http.desync_mitigation_mode",
        "defensive",
        Values::Words(&["monitor", "defensive", "strictest"]),
    ),
    attribute("routing.http.drop_invalid_header_fields.enabled", "false", FLAG),
    attribute("routing.http.preserve_host_header.enabled", "false", FLAG),
    attribute("routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", FLAG),
    attribute("routing.http.xff_client_port.enabled", "false", FLAG),
    attribute(
        "routing.http.xff_header_processing.mode",
        "append",
        Values::Words(&["append", "preserve", "remove"]),
    ),
    attribute("routing.http2.enabled", "true", FLAG),
    attribute("waf.fail_open.enabled", "false", FLAG),
    attribute("zonal_shift.config.enabled", "false", FLAG),
];

const OF_NETWORK: &[Attribute] = &[
    attribute("access_logs.s3.enabled", "false", FLAG),
    attribute("access_logs.s3.bucket", "", Values::Any),
    attribute("access_logs.s3.prefix", "", Values::Any),
    attribute("deletion_protection.enabled", "false", FLAG),
    attribute(
        "dns_record.client_routing_policy",
        "any_availability_zone",
        Values::Words(&[
            "any_availability_zone",
            "availability_zone_affinity",
            "partial_availability_zone_affinity",
        ]),
    ),
    attribute("ipv6.deny_all_igw_traffic", "false", FLAG),
    attribute("load_balancing.cross_zone.enabled", "false", FLAG),
    attribute("secondary_ips.auto_assigned.per_subnet", "0", Values::Numbers(0, 7)),
    attribute("zonal_shift.config.enabled", "false", FLAG),
];

const OF_HTTP_GROUP: &[Attribute] = &[
    attribute("deregistration_delay.timeout_seconds", "300", Values::Numbers(0, 3600)),
    attribute("load_balancing.algorithm.anomaly_mitigation", "off", Values::Words(&["on", "off"])),
    attribute(
        "load_balancing.algorithm.type",
        "round_robin",
        Values::Words(&["round_robin", "least_outstanding_requests", "weighted_random"]),
    ),
    attribute("load_balancing.cross_zone.enabled", "use_load_balancer_configuration", CROSS_ZONE),
    attribute("slow_start.duration_seconds", "0", Values::Numbers(0, 900)),
    attribute("stickiness.app_cookie.cookie_name", "", Values::Any),
    attribute("stickiness.app_cookie.duration_seconds", "86400", Values::Numbers(1, 604_800)),
    attribute("stickiness.enabled", "false", FLAG),
    attribute("stickiness.lb_cookie.duration_seconds", "86400", Values::Numbers(1, 604_800)),
    attribute("stickiness.type", "lb_cookie", Values::Words(&["lb_cookie", "app_cookie"])),
    attribute("target_group_health.dns_failover.minimum_healthy_targets.count", "1", COUNT),
    attribute("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", PERCENTAGE),
    attribute("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", COUNT),
    attribute(
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        "off",
        PERCENTAGE,
    ),
];

const OF_TCP_GROUP: &[Attribute] = &[
    attribute("deregistration_delay.connection_termination.enabled", "false", FLAG),
    attribute("deregistration_delay.timeout_seconds", "300", Values::Numbers(0, 3600)),
    attribute("load_balancing.cross_zone.enabled", "use_load_balancer_configuration", CROSS_ZONE),
    attribute("preserve_client_ip.enabled", "false", FLAG),
    attribute("proxy_protocol_v2.enabled", "false", FLAG),
    attribute("stickiness.enabled", "false", FLAG),
    attribute("stickiness.type", "source_ip", Values::Words(&["source_ip"])),
    attribute("target_group_health.dns_failover.minimum_healthy_targets.count", "1", COUNT),
    attribute("target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", PERCENTAGE),
    attribute("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", COUNT),
    attribute(
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
        "off",
        PERCENTAGE,
    ),
    attribute("target_health_state.unhealthy.connection_termination.enabled", "true", FLAG),
    attribute("target_health_state.unhealthy.draining_interval_seconds", "0", Values::Numbers(0, 360_000)),
];

const CROSS_ZONE: Values = Values::Words(&["true", "false", "use_load_balancer_configuration"]);
const COUNT: Values = Values::NumbersOrOff(1, 1000);
const PERCENTAGE: Values = Values::NumbersOrOff(1, 100);

const OF_LAMBDA_GROUP: &[Attribute] = &[attribute("lambda.multi_value_headers.enabled", "false", FLAG)];

const OF_HTTP_LISTENER: &[Attribute] = &[
    attribute(
        "routing.http.response.access_control_allow_credentials.header_value",
        "",
        Values::Words(&["", "true"]),
    ),
    attribute("routing.http.response.access_control_allow_headers.header_value", "", Values::Any),
    attribute("routing.http.response.access_control_allow_methods.header_value", "", Values::Any),
    attribute("routing.http.response.access_control_allow_origin.header_value", "", Values::Any),
    attribute("routing.http.response.access_control_expose_headers.header_value", "", Values::Any),
    attribute("routing.http.response.access_control_max_age.header_value", "", Values::Any),
    attribute("routing.http.response.content_security_policy.header_value", "", Values::Any),
    attribute("routing.http.response.server.enabled", "true", FLAG),
    attribute("routing.http.response.strict_transport_security.header_value", "", Values::Any),
    attribute(
        "routing.http.response.x_content_type_options.header_value",
        "",
        Values::Words(&["", "nosniff"]),
    ),
    attribute(
        "routing.http.response.x_frame_options.header_value",
        "",
        Values::Words(&["", "DENY", "SAMEORIGIN"]),
    ),
];

/// "TCP … The tcp idle timeout value, in seconds. The valid range is 60-6000 seconds."
const OF_TCP_LISTENER: &[Attribute] =
    &[attribute("tcp.idle_timeout.seconds", "350", Values::Numbers(60, 6000))];

/// Tells whether anything has an attribute.
pub(super) fn is_known(key: &str) -> bool {
    let tables = [
        OF_APPLICATION,
        OF_NETWORK,
        OF_HTTP_GROUP,
        OF_TCP_GROUP,
        OF_LAMBDA_GROUP,
        OF_HTTP_LISTENER,
        OF_TCP_LISTENER,
    ];
    tables.into_iter().flatten().any(|attribute| attribute.key == key)
}

/// Returns the attributes of load balancers.
pub(super) fn of_balancer(kind: BalancerKind) -> &'static [Attribute] {
    match kind {
        BalancerKind::Application => OF_APPLICATION,
        BalancerKind::Network => OF_NETWORK,
    }
}

/// Returns the attributes of a target group.
pub(super) fn of_target_group(group: &TargetGroup) -> &'static [Attribute] {
    match group.family() {
        Family::Http => OF_HTTP_GROUP,
        Family::Tcp => OF_TCP_GROUP,
        Family::Lambda => OF_LAMBDA_GROUP,
    }
}

/// Returns the attributes of a listener.
pub(super) fn of_listener(protocol: &str) -> &'static [Attribute] {
    match protocol {
        "HTTP" | "HTTPS" => OF_HTTP_LISTENER,
        "TCP" => OF_TCP_LISTENER,
        _ => &[],
    }
}

//! What a spec says of a target group.

use straddle_engine::schema::{Attributes, Tags};

use super::super::attribute_values::Named;

/// The keys of the API that have names of their own.
pub(super) const NAMES: [Named; 14] = [
    Named::new("deregistration_delay", "deregistration_delay.timeout_seconds"),
    Named::new("connection_termination", "deregistration_delay.connection_termination.enabled"),
    Named::new("slow_start", "slow_start.duration_seconds"),
    Named::new("load_balancing_algorithm_type", "load_balancing.algorithm.type"),
    Named::new("load_balancing_anomaly_mitigation", "load_balancing.algorithm.anomaly_mitigation"),
    Named::new("load_balancing_cross_zone_enabled", "load_balancing.cross_zone.enabled"),
    Named::new("preserve_client_ip", "preserve_client_ip.enabled"),
    Named::new("proxy_protocol_v2", "proxy_protocol_v2.enabled"),
    Named::new("lambda_multi_value_headers_enabled", "lambda.multi_value_headers.enabled"),
    Named::new("stickiness.enabled", "stickiness.enabled"),
    Named::new("stickiness.type", "stickiness.type"),
    Named::new("stickiness.lb_cookie_duration", "stickiness.lb_cookie.duration_seconds"),
    Named::new("stickiness.app_cookie_duration", "stickiness.app_cookie.duration_seconds"),
    Named::new("stickiness.app_cookie_name", "stickiness.app_cookie.cookie_name"),
];

/// Where the connections of listeners go. Which targets are in it is left to whoever registers them:
/// a controller in a cluster by a `TargetGroupBinding`, a service, or a group of instances.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct TargetGroupInputs {
    /// The name, of which an account has only one in a region: at most 32 letters, digits and hyphens.
    #[attribute(replace)]
    pub(super) name: String,
    /// What targets are registered by. Pods of another account's cluster are reached by `ip` alone.
    #[attribute(replace, default = "instance", one_of = ["instance", "ip", "lambda", "alb"])]
    pub(super) target_type: Option<String>,
    /// The port that targets listen on unless they are registered with another one.
    #[attribute(replace)]
    pub(super) port: Option<i64>,
    /// How targets are spoken to. An application load balancer takes `HTTP` and `HTTPS`.
    #[attribute(replace, one_of = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"])]
    pub(super) protocol: Option<String>,
    /// The version of HTTP.
    #[attribute(replace, one_of = ["HTTP1", "HTTP2", "GRPC"])]
    pub(super) protocol_version: Option<String>,
    /// The VPC that the targets are in.
    #[attribute(replace, refers_to = "vpc")]
    pub(super) vpc_id: Option<String>,
    /// The addresses that targets have.
    #[attribute(replace, default = "ipv4", one_of = ["ipv4", "ipv6"])]
    pub(super) ip_address_type: Option<String>,
    /// How it is found out whether a target is healthy.
    pub(super) health_check: Option<HealthCheck>,
    /// How many seconds a target that is taken out still gets what it has begun.
    #[attribute(default = 300)]
    pub(super) deregistration_delay: Option<i64>,
    /// Whether connections to a target that is taken out are closed after that.
    pub(super) connection_termination: Option<bool>,
    /// Over how many seconds a new target gets more and more requests.
    #[attribute(default = 0)]
    pub(super) slow_start: Option<i64>,
    /// How an application load balancer chooses a target.
    #[attribute(default = "round_robin", one_of = [
        "round_robin",
        "least_outstanding_requests",
        "weighted_random",
    ])]
    pub(super) load_balancing_algorithm_type: Option<String>,
    /// Whether targets that answer worse than others get less; with `weighted_random` alone.
    #[attribute(default = "off", one_of = ["on", "off"])]
    pub(super) load_balancing_anomaly_mitigation: Option<String>,
    /// Whether connections go to targets in all zones.
    #[attribute(default = "use_load_balancer_configuration", one_of = [
        "true",
        "false",
        "use_load_balancer_configuration",
    ])]
    pub(super) load_balancing_cross_zone_enabled: Option<String>,
    /// Whether the targets of a network load balancer see the client's address.
    pub(super) preserve_client_ip: Option<bool>,
    /// Whether the targets of a network load balancer are told of the client by the proxy protocol.
    #[attribute(default = false)]
    pub(super) proxy_protocol_v2: Option<bool>,
    /// Whether a function gets headers as lists.
    #[attribute(default = false)]
    pub(super) lambda_multi_value_headers_enabled: Option<bool>,
    /// Whether a client stays with one target.
    pub(super) stickiness: Option<Stickiness>,
    /// Any other attribute by the name that the API has for it, such as
    /// `target_group_health.dns_failover.minimum_healthy_targets.count`. One that is taken out of the
    /// table stays as it is.
    pub(super) attributes: Option<Tags>,
    /// The tags.
    pub(super) tags: Option<Tags>,
}

/// How it is found out whether a target is healthy. What is not set is as the service has it for the
/// group's protocol.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct HealthCheck {
    /// Whether there are checks; there always are but for functions.
    pub(super) enabled: Option<bool>,
    /// How the check speaks to the target.
    #[attribute(one_of = ["HTTP", "HTTPS", "TCP"])]
    pub(super) protocol: Option<String>,
    /// The port, or `traffic-port` for the one on which the target gets its traffic.
    #[attribute(default = "traffic-port")]
    pub(super) port: Option<String>,
    /// The path that is asked for.
    pub(super) path: Option<String>,
    /// How many seconds are between two checks.
    #[attribute(default = 30)]
    pub(super) interval: Option<i64>,
    /// After how many seconds without an answer a check has failed.
    pub(super) timeout: Option<i64>,
    /// After how many good answers a target is healthy.
    #[attribute(default = 5)]
    pub(super) healthy_threshold: Option<i64>,
    /// After how many failures it no longer is.
    #[attribute(default = 2)]
    pub(super) unhealthy_threshold: Option<i64>,
    /// The answers that are good, such as `200-299`; codes of gRPC where the group speaks that.
    pub(super) matcher: Option<String>,
}

/// Whether a client stays with one target.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Stickiness {
    /// Whether it does.
    #[attribute(default = false)]
    pub(super) enabled: Option<bool>,
    /// By what a client is known: `lb_cookie` or `app_cookie` with an application load balancer,
    /// `source_ip` with a network load balancer.
    #[attribute(one_of = ["lb_cookie", "app_cookie", "source_ip"])]
    pub(super) r#type: Option<String>,
    /// How many seconds the load balancer's own cookie counts.
    #[attribute(default = 86_400)]
    pub(super) lb_cookie_duration: Option<i64>,
    /// How many seconds the application's cookie counts.
    #[attribute(default = 86_400)]
    pub(super) app_cookie_duration: Option<i64>,
    /// The name of the application's cookie.
    pub(super) app_cookie_name: Option<String>,
}

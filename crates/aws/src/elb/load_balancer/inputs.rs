//! What a spec says of a load balancer.

use std::collections::BTreeSet;

use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::super::attribute_values::Named;

/// The key of what keeps a load balancer from being deleted.
pub(super) const DELETION_PROTECTION: &str = "deletion_protection.enabled";

/// The keys that both sorts have.
pub(super) const NAMES: [Named; 6] = [
    Named::new("enable_deletion_protection", DELETION_PROTECTION),
    Named::new("enable_cross_zone_load_balancing", "load_balancing.cross_zone.enabled"),
    Named::new("enable_zonal_shift", "zonal_shift.config.enabled"),
    Named::new("access_logs.enabled", "access_logs.s3.enabled"),
    Named::new("access_logs.bucket", "access_logs.s3.bucket"),
    Named::new("access_logs.prefix", "access_logs.s3.prefix"),
];

/// The keys of application load balancers.
pub(super) const APPLICATION_NAMES: [Named; 13] = [
    Named::new("idle_timeout", "idle_timeout.timeout_seconds"),
    Named::new("client_keep_alive", "client_keep_alive.seconds"),
    Named::new("desync_mitigation_mode", "routing.http.desync_mitigation_mode"),
    Named::new("drop_invalid_header_fields", "routing.http.drop_invalid_header_fields.enabled"),
    Named::new("preserve_host_header", "routing.http.preserve_host_header.enabled"),
    Named::new(
        "enable_tls_version_and_cipher_suite_headers",
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
    ),
    Named::new("enable_xff_client_port", "routing.http.xff_client_port.enabled"),
    Named::new("xff_header_processing_mode", "routing.http.xff_header_processing.mode"),
    Named::new("enable_http2", "routing.http2.enabled"),
    Named::new("enable_waf_fail_open", "waf.fail_open.enabled"),
    Named::new("connection_logs.enabled", "connection_logs.s3.enabled"),
    Named::new("connection_logs.bucket", "connection_logs.s3.bucket"),
    Named::new("connection_logs.prefix", "connection_logs.s3.prefix"),
];

/// The keys of network load balancers.
pub(super) const NETWORK_NAMES: [Named; 1] =
    [Named::new("dns_record_client_routing_policy", "dns_record.client_routing_policy")];

pub(super) fn names() -> Vec<Named> {
    [NAMES.as_slice(), &APPLICATION_NAMES, &NETWORK_NAMES].concat()
}

/// Spreads connections over targets in several zones. Listeners say which connections it takes,
/// target groups where they go. One that a controller in a cluster makes of an Ingress is no
/// `load_balancer` but an `ingress_load_balancer`.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct LoadBalancerInputs {
    /// The name, of which an account has only one in a region: at most 32 letters, digits and hyphens.
    #[attribute(replace)]
    pub(super) name: String,
    /// Whether it has private addresses alone, and is reached from inside of networks only.
    #[attribute(replace, default = false)]
    pub(super) internal: Option<bool>,
    /// `application` takes HTTP and HTTPS, `network` takes TCP, UDP and TLS.
    #[attribute(replace, default = "application", one_of = ["application", "network"])]
    pub(super) load_balancer_type: Option<String>,
    /// The subnets that it stands in, one for each zone; an application load balancer needs two zones.
    #[attribute(refers_to = "subnet", holds)]
    pub(super) subnets: Option<BTreeSet<String>>,
    /// The subnets with the addresses that a network load balancer has there, instead of `subnets`.
    #[attribute(holds)]
    pub(super) subnet_mappings: Option<BTreeSet<SubnetMapping>>,
    /// The security groups. A network load balancer that was made without any cannot get one, and one
    /// that has some keeps at least one: such a change needs another load balancer.
    #[attribute(replace, refers_to = "security_group", holds)]
    pub(super) security_groups: Option<BTreeSet<String>>,
    /// Whether the rules of its groups count for what comes to a network load balancer through
    /// `PrivateLink`.
    #[attribute(one_of = ["on", "off"])]
    pub(super) enforce_security_group_inbound_rules_on_private_link_traffic: Option<String>,
    /// The addresses that it has. The subnets need IPv6 ranges for all but `ipv4`.
    #[attribute(default = "ipv4", one_of = ["ipv4", "dualstack", "dualstack-without-public-ipv4"])]
    pub(super) ip_address_type: Option<String>,
    /// Whether AWS refuses to delete it. A destroy switches this off first; `prevent_destroy` keeps
    /// straddle itself from deleting it.
    #[attribute(default = false)]
    pub(super) enable_deletion_protection: Option<bool>,
    /// Whether connections go to targets in all zones. An application load balancer always does that;
    /// a network load balancer does not unless this is set.
    pub(super) enable_cross_zone_load_balancing: Option<bool>,
    /// Whether traffic can be moved away from a zone.
    #[attribute(default = false)]
    pub(super) enable_zonal_shift: Option<bool>,
    /// After how many seconds without data a connection to an application load balancer is closed.
    #[attribute(default = 60)]
    pub(super) idle_timeout: Option<i64>,
    /// How many seconds a client may keep a connection to an application load balancer.
    #[attribute(default = 3600)]
    pub(super) client_keep_alive: Option<i64>,
    /// How an application load balancer handles requests that may be a danger.
    #[attribute(default = "defensive", one_of = ["monitor", "defensive", "strictest"])]
    pub(super) desync_mitigation_mode: Option<String>,
    /// Whether an application load balancer takes out headers that are not valid.
    #[attribute(default = false)]
    pub(super) drop_invalid_header_fields: Option<bool>,
    /// Whether targets get the `Host` header as the client sent it.
    #[attribute(default = false)]
    pub(super) preserve_host_header: Option<bool>,
    /// Whether targets are told the version and cipher of the client's connection.
    #[attribute(default = false)]
    pub(super) enable_tls_version_and_cipher_suite_headers: Option<bool>,
    /// Whether `X-Forwarded-For` has the client's port.
    #[attribute(default = false)]
    pub(super) enable_xff_client_port: Option<bool>,
    /// What is done to the header `X-Forwarded-For`.
    #[attribute(default = "append", one_of = ["append", "preserve", "remove"])]
    pub(super) xff_header_processing_mode: Option<String>,
    /// Whether clients may use HTTP/2.
    #[attribute(default = true)]
    pub(super) enable_http2: Option<bool>,
    /// Whether requests go on to targets while AWS WAF cannot be asked.
    #[attribute(default = false)]
    pub(super) enable_waf_fail_open: Option<bool>,
    /// How clients are spread over the zones of a network load balancer by its name.
    #[attribute(default = "any_availability_zone", one_of = [
        "any_availability_zone",
        "availability_zone_affinity",
        "partial_availability_zone_affinity",
    ])]
    pub(super) dns_record_client_routing_policy: Option<String>,
    /// Where requests are logged.
    pub(super) access_logs: Option<Logs>,
    /// Where the connections to an application load balancer are logged.
    pub(super) connection_logs: Option<Logs>,
    /// Any other attribute by the name that the API has for it, such as
    /// `ipv6.deny_all_igw_traffic`. One that is taken out of the table stays as it is.
    pub(super) attributes: Option<Tags>,
    /// The tags.
    pub(super) tags: Option<Tags>,
}

/// A subnet with the addresses that a network load balancer has there.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Attributes)]
pub(crate) struct SubnetMapping {
    /// The subnet.
    #[attribute(refers_to = "subnet")]
    pub(super) subnet_id: String,
    /// The Elastic IP address, if it is reached from the internet.
    #[attribute(refers_to = "eip")]
    pub(super) allocation_id: Option<String>,
    /// The private address, if it is internal.
    pub(super) private_ipv4_address: Option<String>,
    /// The IPv6 address.
    pub(super) ipv6_address: Option<String>,
}

/// Where a load balancer logs.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Logs {
    /// The bucket in S3, whose policy lets the service write.
    pub(super) bucket: Option<String>,
    /// What the names of the files begin with.
    #[attribute(default = "")]
    pub(super) prefix: Option<String>,
    /// Whether it logs.
    #[attribute(default = false)]
    pub(super) enabled: Option<bool>,
}

/// Leaves out of what was found of a load balancer one of the two ways to say where it is.
pub(super) fn essential(mut found: ValueMap) -> ValueMap {
    let has_own = |mapping: &Value| {
        let own = mapping.as_map().into_iter().flatten().filter(|(name, _)| *name != "subnet_id");
        own.into_iter().any(|(_, value)| !value.is_null())
    };
    let mappings = found.get("subnet_mappings").map(Value::items).unwrap_or_default();
    let is_application = found.get("load_balancer_type").and_then(Value::as_str) != Some("network");
    let surplus = if is_application || !mappings.iter().any(has_own) { "subnet_mappings" } else { "subnets" };
    found.remove(surplus);
    found
}

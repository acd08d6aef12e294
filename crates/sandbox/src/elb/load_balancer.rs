//! Load balancers: named, in subnets, with interfaces that a service manages.

mod create;
mod moving;
mod placement;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::{self, Kind, with_prefix};
use super::{Balancing, invalid, page};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::tags::Tags;
use crate::ec2::{Network, zone_name};
use crate::iam::time;
use crate::validation;
use crate::world::{AccountId, Failure, World};

pub(super) use create::SERVICE;
pub(super) use moving::OPERATIONS as MOVING_OPERATIONS;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    create::OPERATION,
    Operation::new(
        "DescribeLoadBalancers",
        &["LoadBalancerArns", "Names", "Marker", "PageSize"],
        describe_balancers,
    ),
    Operation::new("DeleteLoadBalancer", &["LoadBalancerArn"], delete),
];

/// How long a load balancer takes to get ready: two to three minutes.
const READY: SignedDuration = SignedDuration::from_secs(150);
/// How long the interfaces of a load balancer stay that is gone: minutes. Estimated.
const LINGERS: SignedDuration = SignedDuration::from_secs(150);
/// Who manages the interfaces ("Requester-managed network interfaces", EC2 user guide).
const REQUESTER: &str = "amazon-elb";

/// A load balancer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LoadBalancer {
    pub(super) arn: String,
    owner: AccountId,
    pub(super) name: String,
    pub(super) kind: BalancerKind,
    pub(super) scheme: Scheme,
    pub(super) vpc_id: String,
    /// By subnet.
    nodes: BTreeMap<String, Node>,
    pub(super) groups: Vec<String>,
    ip_address_type: String,
    /// Whether what comes by `PrivateLink` meets the groups' rules; of network load balancers with groups.
    filters_private_links: bool,
    pub(super) dns_name: String,
    made_at: Timestamp,
    ready_at: Timestamp,
    /// Why it fails; shown once it has failed.
    failure: Option<Failure>,
    /// Those that were set.
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) tags: Tags,
}

/// What a load balancer has in a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Node {
    /// The zone's id.
    zone: String,
    /// One that is going to fail has none.
    interface: Option<String>,
    /// The id of the Elastic IP address.
    allocation: Option<String>,
}

/// A kind of load balancers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BalancerKind {
    /// Of HTTP.
    Application,
    /// Of TCP and UDP.
    Network,
}

/// Where a load balancer is reached from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scheme {
    InternetFacing,
    Internal,
}

impl BalancerKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Network => "network",
        }
    }

    /// Returns what ARNs and the descriptions of interfaces call it.
    pub(super) fn short_name(self) -> &'static str {
        match self {
            Self::Application => "app",
            Self::Network => "net",
        }
    }

    /// Returns the protocols that its listeners may have.
    pub(super) fn protocols(self) -> &'static [&'static str] {
        match self {
            Self::Application => &["HTTP", "HTTPS"],
            Self::Network => &["TCP", "TLS", "UDP", "TCP_UDP"],
        }
    }
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::InternetFacing => "internet-facing",
            Self::Internal => "internal",
        }
    }
}

impl LoadBalancer {
    /// Returns how far it is.
    fn state(&self, now: Timestamp) -> &'static str {
        match &self.failure {
            _ if now < self.ready_at => "provisioning",
            Some(_) => "failed",
            None => "active",
        }
    }

    /// Returns when it is, or was, ready.
    pub(super) fn ready_at(&self) -> Timestamp {
        self.ready_at
    }

    /// Tells whether it sends anything.
    pub(super) fn is_active(&self, now: Timestamp) -> bool {
        self.failure.is_none() && now >= self.ready_at
    }

    /// Returns its interfaces.
    pub(super) fn interfaces(&self) -> Vec<&str> {
        self.nodes.values().filter_map(|node| node.interface.as_deref()).collect()
    }

    /// Tells whether it has something in a zone.
    pub(super) fn is_in_zone(&self, zone_id: &str) -> bool {
        self.nodes.values().any(|node| node.zone == zone_id)
    }

    /// Returns whether an attribute is `true` that is `false` unless it is set.
    fn has_set(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|value| value == "true")
    }

    fn shown(&self, network: &Network, call: &Call, now: Timestamp) -> Value {
        let failure = self.failure.as_ref().filter(|_| now >= self.ready_at);
        let groups =
            (self.kind == BalancerKind::Application || !self.groups.is_empty()).then_some(&self.groups);
        let filter = if self.filters_private_links { "on" } else { "off" };
        let filter = (self.kind == BalancerKind::Network && !self.groups.is_empty()).then_some(filter);
        json!({
            "LoadBalancerArn": self.arn,
            "LoadBalancerName": self.name,
            "DNSName": self.dns_name,
            "CanonicalHostedZoneId": create::hosted_zone(self.kind, &call.region),
            "CreatedTime": time(self.made_at),
            "Scheme": self.scheme.name(),
            "VpcId": self.vpc_id,
            "State": { "Code": self.state(now), "Reason": failure.map(|failure| &failure.message) },
            "Type": self.kind.name(),
            "AvailabilityZones": self.shown_zones(network, call),
            "SecurityGroups": groups,
            "IpAddressType": self.ip_address_type,
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": filter,
        })
    }

    /// Returns where it is, with the names that the zones have in the caller's account.
    fn shown_zones(&self, network: &Network, call: &Call) -> Vec<Value> {
        let nodes = self.nodes.iter().map(|(subnet, node)| {
            let name = zone_name(&call.region, &call.caller.account, &node.zone).unwrap_or_default();
            (name, subnet, node)
        });
        let mut nodes: Vec<_> = nodes.collect();
        nodes.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let shown = |(name, subnet, node): (String, &String, &Node)| {
            json!({
                "ZoneName": name,
                "SubnetId": subnet,
                "LoadBalancerAddresses": shown_addresses(network, node),
            })
        };
        nodes.into_iter().map(shown).collect()
    }
}

/// Returns the addresses of a network load balancer that were chosen; those of others are not told.
fn shown_addresses(network: &Network, node: &Node) -> Vec<Value> {
    let own = network.addresses_of(node.interface.as_deref().unwrap_or_default());
    let shown = |(_, public)| json!({ "AllocationId": node.allocation, "IpAddress": public });
    own.filter(|_| node.allocation.is_some()).map(shown).into_iter().collect()
}

impl Balancing {
    /// Returns the caller's load balancer of a name.
    fn balancer_named(&self, call: &Call, name: &str) -> Option<&LoadBalancer> {
        let own = arn::of_account(call, Kind::Balancer);
        let kinds = [BalancerKind::Application, BalancerKind::Network];
        kinds.into_iter().find_map(|kind| {
            with_prefix(&self.balancers, format!("{own}{}/{name}/", kind.short_name())).next()
        })
    }

    /// Counts the caller's load balancers of a kind.
    fn count_balancers(&self, call: &Call, kind: BalancerKind) -> usize {
        let prefix = format!("{}{}/", arn::of_account(call, Kind::Balancer), kind.short_name());
        with_prefix(&self.balancers, prefix).count()
    }
}

fn describe_balancers(world: &mut World, call: &Call) -> Answer {
    let now = world.now();
    let (balancing, network) = world.balancing(&call.region);
    let (arns, names) = (call.parameters.texts("LoadBalancerArns"), call.parameters.texts("Names"));
    let found: Vec<&LoadBalancer> = if arns.is_empty() && names.is_empty() {
        with_prefix(&balancing.balancers, arn::of_account(call, Kind::Balancer)).collect()
    } else if !arns.is_empty() && !names.is_empty() {
        return Err(invalid(
            "Load balancer names and load balancer ARNs cannot be specified at the same time",
        ));
    } else {
        let by_arn = arns.into_iter().map(|arn| balancing.balancer(call, arn));
        let missing = |name| {
            let names = format!("Load balancers '[{name}]' not found");
            Refusal::new("LoadBalancerNotFound", names)
        };
        let by_name =
            names.into_iter().map(|name| balancing.balancer_named(call, name).ok_or_else(|| missing(name)));
        by_arn.chain(by_name).collect::<Result<_, _>>()?
    };
    let shown = found.into_iter().map(|balancer| (balancer.arn.clone(), balancer));
    let shown: BTreeMap<_, _> = shown.collect();
    let shown = shown.into_iter().map(|(arn, balancer)| (arn, balancer.shown(network, call, now)));
    page(&call.parameters, "LoadBalancers", shown)
}

/// Deletes a load balancer with its listeners. "If the load balancer does not exist or has already been
/// deleted, the call succeeds" (API reference, `DeleteLoadBalancer`); its interfaces go minutes later.
fn delete(world: &mut World, call: &Call) -> Answer {
    let arn = validation::required(&call.parameters, "LoadBalancerArn")?;
    let (balancing, network) = world.balancing(&call.region);
    let balancer = match balancing.balancer(call, arn) {
        Ok(balancer) => balancer,
        Err(refusal) if refusal.code == "LoadBalancerNotFound" => return Ok(json!({})),
        Err(refusal) => return Err(refusal),
    };
    if balancer.has_set("deletion_protection.enabled") {
        let message =
            format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
        return Err(Refusal::new("OperationNotPermitted", message));
    }
    for interface in balancer.interfaces() {
        network.give_up_interface(interface, LINGERS);
    }
    let listeners: Vec<_> = balancing.listeners_of(arn).map(|listener| listener.arn.clone()).collect();
    for listener in listeners {
        balancing.remove_listener(&listener);
    }
    balancing.balancers.remove(arn);
    Ok(json!({}))
}

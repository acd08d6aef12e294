//! Making a load balancer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::placement::{self, Wanted};
use super::{BalancerKind, LoadBalancer, READY, Scheme};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::tags::Tags;
use crate::elb::arn::{self, Kind};
use crate::elb::{checked_name, invalid, one_of, tags};
use crate::world::World;
use crate::{iam, quotas};

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "CreateLoadBalancer",
    &[
        "Name",
        "Subnets",
        "SubnetMappings",
        "SecurityGroups",
        "Scheme",
        "Tags",
        "Type",
        "IpAddressType",
        "CustomerOwnedIpv4Pool",
    ],
    create,
);

/// The service whose role manages the interfaces ("Service-linked role", Elastic Load Balancing guide).
pub(in crate::elb) const SERVICE: &str = "elasticloadbalancing.amazonaws.com";

fn create(world: &mut World, call: &Call) -> Answer {
    let name = balancer_name(call)?;
    let (kind, scheme) = (kind(call)?, scheme(call)?);
    let tags = tags::at_birth(&call.parameters)?;
    if call.parameters.text("CustomerOwnedIpv4Pool").is_some_and(|pool| !pool.is_empty()) {
        return Err(invalid("Customer-owned address pools are for load balancers on Outposts"));
    }
    let (most, now, fate) = (world.quota(&call.caller.account, quota(kind)), world.now(), world.fate());
    let (balancing, network) = world.balancing(&call.region);
    let wanted = placement::wanted(network, call, kind, scheme)?;
    if let Some(present) = balancing.balancer_named(call, name) {
        let same = (present.kind, present.scheme, &present.tags) == (kind, scheme, &tags);
        if same && placement::is_as_wanted(present, &wanted) {
            return Ok(json!({ "LoadBalancers": [present.shown(network, call, now)] }));
        }
        let message =
            format!("A load balancer with the same name '{name}' exists, but with different settings");
        return Err(Refusal::new("DuplicateLoadBalancerName", message));
    }
    placement::check_new(network, call, &wanted, scheme)?;
    if balancing.count_balancers(call, kind) >= most {
        let message = "The maximum number of load balancers has been reached.";
        return Err(Refusal::new("TooManyLoadBalancers", message));
    }
    let mut balancer = new_balancer(world, call, name, (kind, scheme), &wanted, tags);
    balancer.failure = fate;
    if balancer.failure.is_none() {
        placement::settle_down(world, call, &mut balancer, &wanted)?;
    }
    iam::ensure_linked_role(world, &call.caller.account, SERVICE);
    let (balancing, network) = world.balancing(&call.region);
    let answer = json!({ "LoadBalancers": [balancer.shown(network, call, now)] });
    balancing.balancers.insert(balancer.arn.clone(), balancer);
    Ok(answer)
}

fn new_balancer(
    world: &mut World,
    call: &Call,
    name: &str,
    (kind, scheme): (BalancerKind, Scheme),
    wanted: &Wanted,
    tags: Tags,
) -> LoadBalancer {
    let digits = world.new_digits();
    let now = world.now();
    LoadBalancer {
        arn: format!("{}{}/{name}/{digits}", arn::of_account(call, Kind::Balancer), kind.short_name()),
        owner: call.caller.account.clone(),
        name: name.to_owned(),
        kind,
        scheme,
        vpc_id: wanted.vpc_id.clone(),
        nodes: placement::empty_nodes(wanted),
        groups: wanted.groups.clone(),
        ip_address_type: wanted.ip_address_type.clone(),
        filters_private_links: true,
        dns_name: dns_name(name, &digits, kind, scheme, &call.region),
        made_at: now,
        ready_at: now.checked_add(READY).unwrap_or(Timestamp::MAX),
        failure: None,
        attributes: BTreeMap::new(),
        tags,
    }
}

/// "Must not begin with "internal-"" (API reference, `CreateLoadBalancer`), as the DNS names of internal
/// ones do.
fn balancer_name(call: &Call) -> Result<&str, Refusal> {
    let name = checked_name(&call.parameters, "The load balancer")?;
    if name.starts_with("internal-") {
        return Err(invalid(format!("The load balancer name '{name}' cannot begin with 'internal-'")));
    }
    Ok(name)
}

fn kind(call: &Call) -> Result<BalancerKind, Refusal> {
    let text = call.parameters.text("Type").unwrap_or("application");
    match one_of("Type", text, &["application", "network", "gateway"])? {
        "application" => Ok(BalancerKind::Application),
        "network" => Ok(BalancerKind::Network),
        other => Err(invalid(format!("The sandbox has no load balancers with type '{other}'"))),
    }
}

fn scheme(call: &Call) -> Result<Scheme, Refusal> {
    match call.parameters.text("Scheme").unwrap_or("internet-facing") {
        "internet-facing" => Ok(Scheme::InternetFacing),
        "internal" => Ok(Scheme::Internal),
        other => {
            let message = format!("Scheme '{other}' must be one of 'internet-facing, internal'");
            Err(Refusal::new("InvalidScheme", message))
        }
    }
}

fn quota(kind: BalancerKind) -> quotas::Quota {
    match kind {
        BalancerKind::Application => quotas::APPLICATION_LOAD_BALANCERS,
        BalancerKind::Network => quotas::NETWORK_LOAD_BALANCERS,
    }
}

/// Names a load balancer in the DNS, with a number that is its own.
fn dns_name(name: &str, digits: &str, kind: BalancerKind, scheme: Scheme, region: &str) -> String {
    let number = u32::from_str_radix(&digits[..8], 16).expect("the digits are hexadecimal");
    match (kind, scheme) {
        (BalancerKind::Application, Scheme::InternetFacing) => {
            format!("{name}-{number}.{region}.elb.amazonaws.com")
        }
        (BalancerKind::Application, Scheme::Internal) => {
            format!("internal-{name}-{number}.{region}.elb.amazonaws.com")
        }
        (BalancerKind::Network, _) => format!("{name}-{digits}.elb.{region}.amazonaws.com"),
    }
}

/// Returns the zone of Route 53 in which the DNS names of load balancers are ("Elastic Load Balancing
/// endpoints and quotas", AWS general reference). Regions that are not listed here get that of us-east-1.
pub(super) fn hosted_zone(kind: BalancerKind, region: &str) -> &'static str {
    let (application, network) = match region {
        "us-east-2" => ("Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
        "us-west-1" => ("Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
        "us-west-2" => ("Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
        "eu-central-1" => ("Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
        "eu-west-1" => ("Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
        _ => ("Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    };
    match kind {
        BalancerKind::Application => application,
        BalancerKind::Network => network,
    }
}

//! Targets: who is registered with a target group.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::load_balancer::BalancerKind;
use super::target_group::{TargetGroup, TargetType};
use super::{Balancing, invalid};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::ec2::{Network, zone_name};
use crate::quotas;
use crate::validation::{integer, required};
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("RegisterTargets", &["TargetGroupArn", "Targets"], register),
    Operation::new("DeregisterTargets", &["TargetGroupArn", "Targets"], deregister),
];

/// Who is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Target {
    /// An address, or the id or ARN of an instance, a function or a load balancer.
    pub(super) id: String,
    pub(super) port: Option<u16>,
    /// The zone's name in the account, or `all` for what is outside of the VPC.
    zone: Option<String>,
    /// The zone's id; of what is in the VPC.
    pub(super) zone_id: Option<String>,
    pub(super) registered_at: Timestamp,
    /// Until when it is draining, if it is deregistered.
    pub(super) drains_until: Option<Timestamp>,
}

impl Target {
    /// Returns what tells it from others in its group.
    fn key(&self) -> String {
        format!("{}:{}", self.id, self.port.unwrap_or_default())
    }

    /// Tells whether it is still there: one that has drained is not.
    pub(super) fn is_there(&self, now: Timestamp) -> bool {
        self.drains_until.is_none_or(|until| now < until)
    }

    /// Returns it as answers have it.
    pub(super) fn shown(&self) -> Value {
        json!({ "Id": self.id, "Port": self.port, "AvailabilityZone": self.zone })
    }
}

/// Reads the targets of a call, as far as they are told by id and port alone.
pub(super) fn named(
    parameters: &Parameters,
    group: &TargetGroup,
    now: Timestamp,
) -> Result<Vec<Target>, Refusal> {
    let mut targets = Vec::new();
    for wanted in parameters.tables("Targets") {
        let port = integer(&wanted, "Port", 1, 65535)?.and_then(|port| u16::try_from(port).ok());
        targets.push(Target {
            id: required(&wanted, "Id")?.to_owned(),
            port: port.or(group.port).filter(|_| group.target_type != TargetType::Lambda),
            zone: wanted.text("AvailabilityZone").map(str::to_owned),
            zone_id: None,
            registered_at: now,
            drains_until: None,
        });
    }
    Ok(targets)
}

/// Returns the key of a target among those of its group.
pub(super) fn key(target: &Target) -> String {
    target.key()
}

fn register(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "TargetGroupArn")?;
    let account = &call.caller.account;
    let (now, most) = (world.now(), world.quota(account, quotas::TARGETS_OF_GROUP));
    let of_balancers = [quotas::TARGETS_OF_APPLICATION, quotas::TARGETS_OF_NETWORK];
    let [of_application, of_network] = of_balancers.map(|quota| world.quota(account, quota));
    let (balancing, network) = world.balancing(&call.region);
    let group = balancing.target_group(call, arn)?;
    let mut targets = named(&call.parameters, group, now)?;
    if targets.is_empty() {
        return Err(invalid("At least one target must be specified"));
    }
    for target in &mut targets {
        check(balancing, network, call, group, target)?;
    }
    let mut all = group.targets.clone();
    all.retain(|_, target| target.is_there(now));
    for target in targets {
        let present = all.get(&target.key()).filter(|present| present.drains_until.is_none());
        if present.is_none() {
            all.insert(target.key(), target);
        }
    }
    let others = |balancer: &str| {
        let groups = balancing.target_groups_of(balancer).into_iter().filter(|group| *group != arn);
        let groups = groups.filter_map(|group| balancing.target_groups.get(group));
        groups.map(|group| group.targets.len()).sum::<usize>()
    };
    let is_too_many = |balancer: &&str| {
        let most = match balancing.balancers.get(*balancer).map(|balancer| balancer.kind) {
            Some(BalancerKind::Network) => of_network,
            Some(BalancerKind::Application) | None => of_application,
        };
        others(balancer) + all.len() > most
    };
    let is_single = group.target_type == TargetType::Lambda || group.target_type == TargetType::Alb;
    let most = if is_single { 1 } else { most };
    if all.len() > most || balancing.balancers_of(arn).iter().any(is_too_many) {
        let message = "The maximum number of targets has been reached.";
        return Err(Refusal::new("TooManyTargets", message));
    }
    balancing.target_group_mut(call, arn)?.targets = all;
    Ok(json!({}))
}

/// Checks that a target can be registered, and finds out its zone.
fn check(
    balancing: &Balancing,
    network: &Network,
    call: &Call,
    group: &TargetGroup,
    target: &mut Target,
) -> Result<(), Refusal> {
    match group.target_type {
        TargetType::Ip => check_address(network, call, group, target),
        TargetType::Instance => check_instance(network, call, group, target),
        TargetType::Lambda if target.id.starts_with("arn:aws:lambda:") => Ok(()),
        TargetType::Lambda => Err(invalid(format!("'{}' is not a valid lambda ARN", target.id))),
        TargetType::Alb => {
            let balancer = balancing.balancer(call, &target.id).ok();
            let is_right = balancer.is_some_and(|balancer| {
                balancer.kind == BalancerKind::Application && group.vpc_id.as_ref() == Some(&balancer.vpc_id)
            });
            let has_port = |listener: &super::Listener| Some(listener.port) == target.port;
            if !is_right || !balancing.listeners_of(&target.id).any(has_port) {
                let message = format!(
                    "'{}' is no application load balancer in the same VPC that listens to the port",
                    target.id
                );
                return Err(no_target(&message));
            }
            Ok(())
        }
    }
}

/// Checks an instance: it has to run, in the VPC of the group, and to be the caller's own.
fn check_instance(
    network: &Network,
    call: &Call,
    group: &TargetGroup,
    target: &mut Target,
) -> Result<(), Refusal> {
    let id = &target.id;
    let place = network.place_of_instance(&call.caller.account, id);
    let place = place.ok_or_else(|| no_target(&format!("Instance ID '{id}' is not valid")))?;
    if group.vpc_id.as_ref() != Some(&place.vpc_id) {
        let vpc_id = group.vpc_id.as_deref().unwrap_or_default();
        let message = format!("The following targets are not in the target group VPC '{vpc_id}': '{id}'");
        return Err(no_target(&message));
    }
    target.zone_id = Some(place.zone_id);
    Ok(())
}

fn no_target(message: &str) -> Refusal {
    Refusal::new("InvalidTarget", message)
}

/// The ranges from which targets outside of the VPC may be ("Target type", guide of target groups).
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"];

/// Checks an address. One in a subnet of the VPC has its zone from there, and no other; one outside needs
/// to be told a zone, or `all` (API reference, `TargetDescription`). "A participant cannot register targets
/// in subnets that are not shared with it" ("Share your VPC subnets", VPC user guide).
fn check_address(
    network: &Network,
    call: &Call,
    group: &TargetGroup,
    target: &mut Target,
) -> Result<(), Refusal> {
    let text = target.id.clone();
    let address: Ipv4Addr =
        text.parse().map_err(|_| invalid(format!("The IP address '{text}' is not a valid IPv4 address")))?;
    let account = &call.caller.account;
    let vpc_id = group.vpc_id.as_deref().unwrap_or_default();
    let Some(subnet) = network.subnet_of_address(vpc_id, address) else {
        let is_private = PRIVATE
            .iter()
            .any(|range| range.parse::<Ipv4Net>().expect("the ranges are well formed").contains(&address));
        if !is_private {
            return Err(invalid(format!("The IP address '{text}' is not within an allowed range")));
        }
        return match &target.zone {
            Some(_) => Ok(()),
            None => Err(invalid(format!(
                "You must specify a valid Availability Zone or select 'all' for all enabled Availability zones, \
                 since the IP address '{text}' is outside the VPC"
            ))),
        };
    };
    let Some(place) = network.place(account, subnet) else {
        return Err(no_target(&format!(
            "The IP address '{text}' is in a subnet that is not shared with you"
        )));
    };
    let zone = zone_name(&call.region, account, &place.zone_id);
    if let Some(other) = target.zone.as_ref().filter(|wanted| Some(*wanted) != zone.as_ref()) {
        return Err(invalid(format!(
            "The IP address '{text}' is within the VPC, and cannot have its Availability Zone overridden to \
             '{other}' from '{}'",
            zone.unwrap_or_default()
        )));
    }
    (target.zone, target.zone_id) = (zone, Some(place.zone_id));
    Ok(())
}

/// Deregisters targets: "the load balancer stops sending requests", and they are draining as long as the
/// group's attribute says. "If the specified target does not exist, the action returns successfully" (API
/// reference, `DeregisterTargets`).
fn deregister(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "TargetGroupArn")?;
    let now = world.now();
    let (balancing, _) = world.balancing(&call.region);
    let group = balancing.target_group(call, arn)?;
    let keys: Vec<_> = named(&call.parameters, group, now)?.iter().map(Target::key).collect();
    if keys.is_empty() {
        return Err(invalid("At least one target must be specified"));
    }
    let is_used = balancing.uses.contains_key(arn);
    let group = balancing.target_group_mut(call, arn)?;
    let delay = SignedDuration::from_secs(if is_used { group.deregistration_delay() } else { 0 });
    let until = now.checked_add(delay).unwrap_or(Timestamp::MAX);
    for key in keys {
        if let Some(target) = group.targets.get_mut(&key) {
            target.drains_until.get_or_insert(until);
        }
    }
    group.targets.retain(|_, target| target.is_there(now));
    Ok(json!({}))
}

//! Target groups: where load balancers send requests to, and how they ask whether somebody answers.

mod create;
mod health_check;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::{self, Kind, with_prefix};
use super::rule::Rule;
use super::target::Target;
use super::{Balancing, invalid, page};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::tags::Tags;
use crate::validation::required;
use crate::world::World;
pub(super) use health_check::HealthCheck;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    create::OPERATION,
    health_check::OPERATION,
    Operation::new(
        "DescribeTargetGroups",
        &["LoadBalancerArn", "TargetGroupArns", "Names", "Marker", "PageSize"],
        describe_groups,
    ),
    Operation::new("DeleteTargetGroup", &["TargetGroupArn"], delete),
];

/// A target group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct TargetGroup {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) target_type: TargetType,
    /// Groups of functions have neither protocol nor port nor VPC.
    pub(super) protocol: Option<String>,
    protocol_version: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) vpc_id: Option<String>,
    ip_address_type: Option<String>,
    pub(super) health_check: HealthCheck,
    /// By id and port.
    pub(super) targets: BTreeMap<String, Target>,
    /// Those that were set.
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) tags: Tags,
}

/// What targets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TargetType {
    Instance,
    Ip,
    Lambda,
    Alb,
}

/// Which load balancers a group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Application load balancers.
    Http,
    /// Network load balancers.
    Tcp,
    /// Application load balancers, without a network in between.
    Lambda,
}

impl TargetType {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Ip => "ip",
            Self::Lambda => "lambda",
            Self::Alb => "alb",
        }
    }
}

impl TargetGroup {
    /// Returns which load balancers it is for.
    pub(super) fn family(&self) -> Family {
        family(self.target_type, self.protocol.as_deref())
    }

    /// Returns for how long a target is draining that is deregistered, in seconds.
    pub(super) fn deregistration_delay(&self) -> i64 {
        let set = self.attributes.get("deregistration_delay.timeout_seconds");
        set.and_then(|seconds| seconds.parse().ok()).unwrap_or(300)
    }

    fn shown(&self, balancing: &Balancing) -> Value {
        let mut shown = json!({
            "TargetGroupArn": self.arn,
            "TargetGroupName": self.name,
            "Protocol": self.protocol,
            "ProtocolVersion": self.protocol_version,
            "Port": self.port,
            "VpcId": self.vpc_id,
            "TargetType": self.target_type.name(),
            "IpAddressType": self.ip_address_type,
            "LoadBalancerArns": balancing.balancers_of(&self.arn),
        });
        if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), self.health_check.shown()) {
            shown.extend(more);
        }
        shown
    }
}

fn family(target_type: TargetType, protocol: Option<&str>) -> Family {
    match (target_type, protocol) {
        (TargetType::Lambda, _) => Family::Lambda,
        (_, Some("HTTP" | "HTTPS")) => Family::Http,
        _ => Family::Tcp,
    }
}

impl Balancing {
    /// Returns the caller's target group of a name.
    fn target_group_named(&self, call: &Call, name: &str) -> Option<&TargetGroup> {
        let prefix = format!("{}{name}/", arn::of_account(call, Kind::TargetGroup));
        with_prefix(&self.target_groups, prefix).next()
    }

    /// Returns the target groups that a load balancer sends something to.
    pub(super) fn target_groups_of(&self, balancer: &str) -> BTreeSet<&str> {
        let listeners = self.listeners_of(balancer);
        let rules = listeners.flat_map(|listener| self.rules_of(&listener.arn));
        rules.flat_map(Rule::target_groups).collect()
    }
}

fn describe_groups(world: &mut World, call: &Call) -> Answer {
    let (balancing, _) = world.balancing(&call.region);
    let parameters = &call.parameters;
    let balancer = parameters.text("LoadBalancerArn");
    let (arns, names) = (parameters.texts("TargetGroupArns"), parameters.texts("Names"));
    let kinds = [balancer.is_some(), !arns.is_empty(), !names.is_empty()];
    if kinds.into_iter().filter(|is_given| *is_given).count() > 1 {
        let message = "Target group names, target group ARNs and a load balancer ARN cannot be specified at the same time";
        return Err(invalid(message));
    }
    let found: BTreeMap<&str, &TargetGroup> = if let Some(arn) = balancer {
        balancing.balancer(call, arn)?;
        let of_balancer = balancing.target_groups_of(arn).into_iter();
        of_balancer.filter_map(|arn| Some((arn, balancing.target_groups.get(arn)?))).collect()
    } else if arns.is_empty() && names.is_empty() {
        let own = with_prefix(&balancing.target_groups, arn::of_account(call, Kind::TargetGroup));
        own.map(|group| (group.arn.as_str(), group)).collect()
    } else {
        let by_arn = arns.into_iter().map(|arn| balancing.target_group(call, arn));
        let missing = || Refusal::new("TargetGroupNotFound", "One or more target groups not found");
        let by_name =
            names.into_iter().map(|name| balancing.target_group_named(call, name).ok_or_else(missing));
        let found: Vec<_> = by_arn.chain(by_name).collect::<Result<_, _>>()?;
        found.into_iter().map(|group| (group.arn.as_str(), group)).collect()
    };
    let shown = found.into_iter().map(|(arn, group)| (arn.to_owned(), group.shown(balancing)));
    page(parameters, "TargetGroups", shown)
}

/// Deletes a target group: "You can delete a target group if it is not referenced by any actions" (API
/// reference, `DeleteTargetGroup`). It is no error if it is not there.
fn delete(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "TargetGroupArn")?;
    let (balancing, _) = world.balancing(&call.region);
    match balancing.target_group(call, arn) {
        Ok(_) => {}
        Err(refusal) if refusal.code == "TargetGroupNotFound" => return Ok(json!({})),
        Err(refusal) => return Err(refusal),
    }
    if balancing.uses.contains_key(arn) {
        let message = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(Refusal::new("ResourceInUse", message));
    }
    balancing.target_groups.remove(arn);
    Ok(json!({}))
}

//! Making a target group.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Family, HealthCheck, TargetGroup, TargetType, family};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::elb::arn::{self, Kind, with_prefix};
use crate::elb::{checked_name, invalid, one_of, tags};
use crate::quotas;
use crate::validation;
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "CreateTargetGroup",
    &[
        "Name",
        "Protocol",
        "ProtocolVersion",
        "Port",
        "VpcId",
        "HealthCheckProtocol",
        "HealthCheckPort",
        "HealthCheckEnabled",
        "HealthCheckPath",
        "HealthCheckIntervalSeconds",
        "HealthCheckTimeoutSeconds",
        "HealthyThresholdCount",
        "UnhealthyThresholdCount",
        "Matcher",
        "TargetType",
        "Tags",
        "IpAddressType",
    ],
    create,
);

/// The protocols of targets ("Target groups for your Application Load Balancers" and the same of network
/// ones).
const PROTOCOLS: &[&str] = &["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"];

fn create(world: &mut World, call: &Call) -> Answer {
    let mut group = wanted(call)?;
    let most = world.quota(&call.caller.account, quotas::TARGET_GROUPS);
    let (balancing, network) = world.balancing(&call.region);
    if let Some(vpc_id) = &group.vpc_id
        && network.owner_of_vpc(&call.caller.account, vpc_id).is_none()
    {
        return Err(invalid(format!("The VPC ID '{vpc_id}' is not found")));
    }
    if let Some(present) = balancing.target_group_named(call, &group.name) {
        if is_like(present, &group) {
            return Ok(json!({ "TargetGroups": [present.shown(balancing)] }));
        }
        let message =
            format!("A target group with the same name '{}' exists, but with different settings", group.name);
        return Err(Refusal::new("DuplicateTargetGroupName", message));
    }
    if with_prefix(&balancing.target_groups, arn::of_account(call, Kind::TargetGroup)).count() >= most {
        let message = "The maximum number of target groups has been reached.";
        return Err(Refusal::new("TooManyTargetGroups", message));
    }
    group.arn = format!("{}{}/{}", arn::of_account(call, Kind::TargetGroup), group.name, world.new_digits());
    let (balancing, _) = world.balancing(&call.region);
    let answer = json!({ "TargetGroups": [group.shown(balancing)] });
    balancing.target_groups.insert(group.arn.clone(), group);
    Ok(answer)
}

/// Tells whether a target group is as a call wants one: "if you attempt to create multiple target groups
/// with the same settings, each call succeeds" (API reference, `CreateTargetGroup`).
fn is_like(present: &TargetGroup, wanted: &TargetGroup) -> bool {
    let settings = |group: &TargetGroup| {
        let place = (group.target_type, group.port, group.vpc_id.clone(), group.ip_address_type.clone());
        let kind = (group.protocol.clone(), group.protocol_version.clone());
        (place, kind, group.health_check.clone(), group.tags.clone())
    };
    settings(present) == settings(wanted)
}

/// Reads the group that a call wants, without its ARN.
fn wanted(call: &Call) -> Result<TargetGroup, Refusal> {
    let parameters = &call.parameters;
    let target_type = target_type(parameters)?;
    let needs = |name: &str, noun: &str| match parameters.text(name).filter(|text| !text.is_empty()) {
        Some(_) if target_type == TargetType::Lambda => {
            Err(invalid(format!("{noun} cannot be specified for target groups with target type 'lambda'")))
        }
        None if target_type != TargetType::Lambda => Err(invalid(format!("{noun} must be specified"))),
        given => Ok(given.map(str::to_owned)),
    };
    let name = checked_name(parameters, "Target group")?.to_owned();
    let protocol = needs("Protocol", "A protocol")?;
    if let Some(protocol) = &protocol {
        one_of("Protocol", protocol, PROTOCOLS)?;
    }
    let is_tcp = protocol.as_deref() == Some("TCP");
    if target_type == TargetType::Alb && !is_tcp {
        return Err(invalid("Target groups with target type 'alb' have the protocol 'TCP'"));
    }
    needs("Port", "A port")?;
    let port = validation::integer(parameters, "Port", 1, 65535)?;
    let vpc_id = needs("VpcId", "A VPC ID")?;
    let family = family(target_type, protocol.as_deref());
    let ip_address_type = parameters.text("IpAddressType").unwrap_or("ipv4");
    one_of("IpAddressType", ip_address_type, &["ipv4", "ipv6"])?;
    Ok(TargetGroup {
        arn: String::new(),
        name,
        target_type,
        protocol_version: protocol_version(parameters, family)?,
        port: port.and_then(|port| u16::try_from(port).ok()),
        vpc_id,
        ip_address_type: (family != Family::Lambda).then(|| ip_address_type.to_owned()),
        health_check: HealthCheck::usual(family, target_type, protocol.as_deref())
            .changed(parameters, family)?,
        attributes: first_attributes(target_type, family, protocol.as_deref()),
        protocol,
        targets: BTreeMap::new(),
        tags: tags::at_birth(parameters)?,
    })
}

/// Returns the attributes that a group does not have as others do: clients keep their addresses, but "the
/// default is disabled if the target group type is IP address and the target group protocol is TCP or TLS"
/// (API reference, `TargetGroupAttribute`).
fn first_attributes(
    target_type: TargetType,
    family: Family,
    protocol: Option<&str>,
) -> BTreeMap<String, String> {
    let is_hidden = target_type == TargetType::Ip && matches!(protocol, Some("TCP" | "TLS"));
    let keeps = family == Family::Tcp && !is_hidden;
    let kept = keeps.then(|| ("preserve_client_ip.enabled".to_owned(), "true".to_owned()));
    kept.into_iter().collect()
}

fn target_type(parameters: &Parameters) -> Result<TargetType, Refusal> {
    let types = [TargetType::Instance, TargetType::Ip, TargetType::Lambda, TargetType::Alb];
    let text = parameters.text("TargetType").unwrap_or("instance");
    one_of("TargetType", text, &types.map(TargetType::name))?;
    Ok(types.into_iter().find(|kind| kind.name() == text).unwrap_or(TargetType::Instance))
}

fn protocol_version(parameters: &Parameters, family: Family) -> Result<Option<String>, Refusal> {
    match (family, parameters.text("ProtocolVersion")) {
        (Family::Http, text) => {
            let text = one_of("ProtocolVersion", text.unwrap_or("HTTP1"), &["HTTP1", "HTTP2", "GRPC"])?;
            Ok(Some(text.to_owned()))
        }
        (Family::Tcp | Family::Lambda, None) => Ok(None),
        (Family::Tcp | Family::Lambda, Some(_)) => {
            Err(invalid("A protocol version can only be specified for the protocols 'HTTP' and 'HTTPS'"))
        }
    }
}

//! Attributes of load balancers, target groups and listeners: which there are, and what they may be.

mod table;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{invalid, mismatch};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::validation::required;
use crate::world::World;
use table::{Attribute, Values};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("DescribeLoadBalancerAttributes", &["LoadBalancerArn"], describe_of_balancer),
    Operation::new("ModifyLoadBalancerAttributes", &["LoadBalancerArn", "Attributes"], modify_of_balancer),
    Operation::new("DescribeTargetGroupAttributes", &["TargetGroupArn"], describe_of_target_group),
    Operation::new("ModifyTargetGroupAttributes", &["TargetGroupArn", "Attributes"], modify_of_target_group),
    Operation::new("DescribeListenerAttributes", &["ListenerArn"], describe_of_listener),
    Operation::new("ModifyListenerAttributes", &["ListenerArn", "Attributes"], modify_of_listener),
];

/// The attributes that were set.
type Set = BTreeMap<String, String>;

fn describe_of_balancer(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "LoadBalancerArn")?;
    let balancer = world.balancing(&call.region).0.balancer(call, arn)?;
    Ok(shown(table::of_balancer(balancer.kind), &balancer.attributes))
}

fn modify_of_balancer(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "LoadBalancerArn")?;
    let balancer = world.balancing(&call.region).0.balancer_mut(call, arn)?;
    let known = table::of_balancer(balancer.kind);
    let set = changed(call, "Load balancer", known, &balancer.attributes)?;
    for logs in ["access_logs.s3", "connection_logs.s3"] {
        let value = |part: &str| set.get(&format!("{logs}.{part}")).map_or("", String::as_str);
        if value("enabled") == "true" && value("bucket").is_empty() {
            return Err(mismatch(format!("The value of '{logs}.bucket' cannot be empty")));
        }
    }
    balancer.attributes = set;
    Ok(shown(known, &balancer.attributes))
}

fn describe_of_target_group(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "TargetGroupArn")?;
    let group = world.balancing(&call.region).0.target_group(call, arn)?;
    Ok(shown(table::of_target_group(group), &group.attributes))
}

fn modify_of_target_group(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "TargetGroupArn")?;
    let group = world.balancing(&call.region).0.target_group_mut(call, arn)?;
    let known = table::of_target_group(group);
    let set = changed(call, "Target group", known, &group.attributes)?;
    // "The range is 30-900 seconds … the default is 0 seconds (disabled)."
    let slow_start = set.get("slow_start.duration_seconds").and_then(|value| value.parse().ok());
    if slow_start.is_some_and(|seconds: u32| (1..30).contains(&seconds)) {
        let message =
            "Target group attribute 'slow_start.duration_seconds' must be between '30' and '900', or '0'";
        return Err(invalid(message));
    }
    group.attributes = set;
    Ok(shown(known, &group.attributes))
}

fn describe_of_listener(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "ListenerArn")?;
    let listener = world.balancing(&call.region).0.listener(call, arn)?;
    Ok(shown(table::of_listener(&listener.protocol), &listener.attributes))
}

fn modify_of_listener(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "ListenerArn")?;
    let listener = world.balancing(&call.region).0.listener_mut(call, arn)?;
    let known = table::of_listener(&listener.protocol);
    listener.attributes = changed(call, "Listener", known, &listener.attributes)?;
    Ok(shown(known, &listener.attributes))
}

fn shown(known: &[Attribute], set: &Set) -> Value {
    let value =
        |attribute: &Attribute| set.get(attribute.key).map_or(attribute.usual, String::as_str).to_owned();
    let shown = known.iter().map(|attribute| json!({ "Key": attribute.key, "Value": value(attribute) }));
    json!({ "Attributes": shown.collect::<Vec<_>>() })
}

/// Returns the attributes that are set after a call; those that it does not name keep their values.
fn changed(call: &Call, noun: &str, known: &[Attribute], set: &Set) -> Result<Set, Refusal> {
    let wanted = call.parameters.tables("Attributes");
    if wanted.is_empty() {
        return Err(invalid("At least one attribute must be specified"));
    }
    let mut set = set.clone();
    let mut keys = Vec::new();
    for attribute in &wanted {
        let (key, value) = (required(attribute, "Key")?, attribute.text("Value").unwrap_or_default());
        let Some(found) = known.iter().find(|known| known.key == key) else {
            return Err(unknown(noun, key));
        };
        if keys.contains(&key) {
            return Err(invalid(format!("{noun} attribute key '{key}' was specified more than once")));
        }
        keys.push(key);
        check(noun, found, value)?;
        set.insert(key.to_owned(), value.to_owned());
    }
    Ok(set)
}

/// Refuses a key that nothing has, or that other kinds have.
fn unknown(noun: &str, key: &str) -> Refusal {
    if table::is_known(key) {
        return mismatch(format!("{noun} attribute key '{key}' is not supported on it"));
    }
    invalid(format!("{noun} attribute key '{key}' is not recognized"))
}

fn check(noun: &str, attribute: &Attribute, value: &str) -> Result<(), Refusal> {
    let is_right = match attribute.values {
        Values::Any => value.len() <= 1024,
        Values::Words(words) => words.contains(&value),
        Values::Numbers(least, most) => {
            value.parse().is_ok_and(|number: u32| (least..=most).contains(&number))
        }
        Values::NumbersOrOff(least, most) => {
            value == "off" || value.parse().is_ok_and(|number: u32| (least..=most).contains(&number))
        }
    };
    if is_right {
        return Ok(());
    }
    let may_be = match attribute.values {
        Values::Any => "at most 1024 characters".to_owned(),
        Values::Words(words) => format!("one of '{}'", words.join(", ")),
        Values::Numbers(least, most) => format!("between '{least}' and '{most}'"),
        Values::NumbersOrOff(least, most) => format!("'off' or between '{least}' and '{most}'"),
    };
    let key = attribute.key;
    Err(invalid(format!("The value '{value}' of {} attribute '{key}' must be {may_be}", noun.to_lowercase())))
}

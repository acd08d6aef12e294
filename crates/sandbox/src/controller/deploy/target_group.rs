//! Target groups.

use serde_json::{Value, json};

use super::{Arns, resource, set_attributes, tagged};
use crate::controller::model::{Stack, TargetGroup, stack_tags, tag_list};
use crate::controller::object::text;
use crate::controller::reach::Done;
use crate::controller::work::Work;

/// Finds or makes the target groups. Returns their ARNs, and those that are needed no more.
pub(super) fn deploy(work: &mut Work<'_>, stack: &Stack) -> Done<(Arns, Vec<String>)> {
    let wanted_tags = stack_tags(work.settings, &stack.id);
    let present = tagged(work, "DescribeTargetGroups", "TargetGroups", "TargetGroupArn", &wanted_tags)?;
    let (mut arns, mut kept, mut old) = (Arns::new(), Vec::new(), Vec::new());
    for (group, tags) in present {
        let name = resource(&tags);
        match stack.target_groups.get(&name) {
            Some(wanted) if is_like(&group, wanted, work) && !arns.contains_key(&name) => {
                arns.insert(name, text(&group, "/TargetGroupArn").to_owned());
                kept.push((wanted, group, tags));
            }
            _ => old.push(text(&group, "/TargetGroupArn").to_owned()),
        }
    }
    for (name, wanted) in &stack.target_groups {
        if !arns.contains_key(name) {
            let arn = make(work, wanted)?;
            arns.insert(name.clone(), arn);
        }
    }
    for (wanted, group, tags) in kept {
        change(work, wanted, &group, &tags)?;
    }
    Ok((arns, old))
}

/// Deletes target groups, which nothing sends requests to any more.
pub(super) fn remove(work: &mut Work<'_>, arns: Vec<String>) -> Done<()> {
    for arn in arns {
        work.elb("DeleteTargetGroup", json!({ "TargetGroupArn": arn }))?;
        work.memory.targets.remove(&arn);
    }
    Ok(())
}

/// Tells whether a target group can become what is wanted; others are replaced.
fn is_like(group: &Value, wanted: &TargetGroup, work: &Work<'_>) -> bool {
    text(group, "/TargetType") == wanted.target_type
        && text(group, "/Protocol") == wanted.protocol
        && text(group, "/ProtocolVersion") == wanted.protocol_version
        && text(group, "/VpcId") == work.settings.vpc_id
        && group["Port"].as_u64() == wanted.port.parse().ok()
}

fn make(work: &mut Work<'_>, wanted: &TargetGroup) -> Done<String> {
    let mut parameters = wanted.health_check.clone();
    let more = json!({
        "Name": wanted.name,
        "Port": wanted.port,
        "Protocol": wanted.protocol,
        "ProtocolVersion": wanted.protocol_version,
        "Tags": tag_list(&wanted.tags),
        "TargetType": wanted.target_type,
        "VpcId": work.settings.vpc_id,
    });
    add(&mut parameters, more);
    let answer = work.elb("CreateTargetGroup", parameters)?;
    let arn = text(&answer, "/TargetGroups/0/TargetGroupArn").to_owned();
    attributes(work, &arn, wanted)?;
    Ok(arn)
}

fn change(work: &mut Work<'_>, wanted: &TargetGroup, group: &Value, tags: &super::Texts) -> Done<()> {
    let arn = text(group, "/TargetGroupArn");
    work.set_tags(arn, tags, &wanted.tags)?;
    if differs(group, &wanted.health_check) {
        let mut parameters = wanted.health_check.clone();
        add(&mut parameters, json!({ "TargetGroupArn": arn }));
        work.elb("ModifyTargetGroup", parameters)?;
    }
    attributes(work, arn, wanted)
}

/// Tells whether one of the wanted values is another one in what was described.
fn differs(described: &Value, wanted: &Value) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let wanted = wanted.as_object().into_iter().flatten();
    let is_other = |(name, value): (&String, &Value)| {
        if value.is_object() {
            differs(&described[name], value)
        } else {
            text(&described[name]) != text(value)
        }
    };
    wanted.into_iter().any(is_other)
}

fn attributes(work: &mut Work<'_>, arn: &str, wanted: &TargetGroup) -> Done<()> {
    let calls = ("DescribeTargetGroupAttributes", "ModifyTargetGroupAttributes");
    set_attributes(work, calls, ("TargetGroupArn", arn), &wanted.attributes)
}

/// Adds parameters to others.
fn add(parameters: &mut Value, more: Value) {
    if let (Some(parameters), Value::Object(more)) = (parameters.as_object_mut(), more) {
        parameters.extend(more);
    }
}

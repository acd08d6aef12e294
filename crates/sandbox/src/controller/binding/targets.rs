//! The targets of a target group.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Binding, Endpoint};
use crate::controller::object::{items, text};
use crate::controller::reach::Done;
use crate::controller::work::{KnownTargets, Work};

/// A target: an address or an instance, and a port.
type Target = (String, u16);

/// For how long known targets are believed.
const HOLDS: SignedDuration = SignedDuration::from_mins(5);
/// How many targets a call takes.
const AT_ONCE: usize = 200;
/// How targets are that are on their way out.
const DRAINING: &str = "draining";

/// Returns the targets that are registered. Those that are known are only asked for as long as they are not
/// healthy.
pub(super) fn known(work: &mut Work<'_>, binding: &Binding) -> Done<BTreeSet<Target>> {
    let (now, arn) = (work.reach.now(), &binding.target_group);
    let known = work.memory.targets.get(arn).cloned();
    let known = known.filter(|known| now.duration_since(known.read_at) < HOLDS);
    let all = match known {
        None => {
            let parameters = json!({ "TargetGroupArn": arn });
            let targets = described(&binding.call(work, "DescribeTargetHealth", parameters)?).collect();
            KnownTargets { read_at: now, targets }
        }
        Some(mut known) => {
            let ill = known.targets.iter().filter(|(_, state)| *state != "healthy");
            let ill: Vec<_> = ill.map(|(target, _)| target.clone()).collect();
            for some in ill.chunks(AT_ONCE) {
                let parameters = json!({ "TargetGroupArn": arn, "Targets": parameters(some) });
                let answer = binding.call(work, "DescribeTargetHealth", parameters)?;
                known.targets.retain(|target, _| !some.contains(target));
                known.targets.extend(described(&answer));
            }
            known
        }
    };
    let there = all.targets.iter().filter(|(_, state)| *state != DRAINING);
    let there = there.map(|(target, _)| target.clone()).collect();
    work.memory.targets.insert(arn.clone(), all);
    Ok(there)
}

/// Returns the targets in an answer, with how they are; but for those that are not registered.
fn described(answer: &Value) -> impl Iterator<Item = (Target, String)> {
    let described = items(answer, "/TargetHealthDescriptions").iter();
    let there = described.filter(|one| text(one, "/TargetHealth/Reason") != "Target.NotRegistered");
    there.filter_map(|one| {
        let port = one["Target"]["Port"].as_u64().and_then(|port| u16::try_from(port).ok())?;
        Some(((text(one, "/Target/Id").to_owned(), port), text(one, "/TargetHealth/State").to_owned()))
    })
}

/// Lets these be the targets, and no other ones.
pub(super) fn set(
    work: &mut Work<'_>,
    binding: &Binding,
    present: &BTreeSet<Target>,
    wanted: &[Endpoint],
) -> Done<()> {
    let wanted: BTreeSet<_> = wanted.iter().map(|endpoint| (endpoint.id.clone(), endpoint.port)).collect();
    let surplus: Vec<_> = present.difference(&wanted).cloned().collect();
    let missing: Vec<_> = wanted.difference(present).cloned().collect();
    for some in surplus.chunks(AT_ONCE) {
        change(work, binding, "DeregisterTargets", &parameters(some), (some, DRAINING))?;
    }
    for some in missing.chunks(AT_ONCE) {
        let mut targets = parameters(some);
        if binding.is_of_addresses {
            place(work, binding, &mut targets)?;
        }
        change(work, binding, "RegisterTargets", &targets, (some, "initial"))?;
    }
    Ok(())
}

fn change(
    work: &mut Work<'_>,
    binding: &Binding,
    operation: &str,
    targets: &[Value],
    (changed, state): (&[Target], &str),
) -> Done<()> {
    let arn = &binding.target_group;
    binding.call(work, operation, json!({ "TargetGroupArn": arn, "Targets": targets }))?;
    if let Some(known) = work.memory.targets.get_mut(arn) {
        known.targets.extend(changed.iter().map(|target| (target.clone(), state.to_owned())));
    }
    Ok(())
}

fn parameters(targets: &[Target]) -> Vec<Value> {
    targets.iter().map(|(id, port)| json!({ "Id": id, "Port": port.to_string() })).collect()
}

/// Says of addresses outside of the VPC that they are in all zones. Version 2.12 says it of all if it assumes a
/// role, also where the VPC is shared, which ELB refuses.
fn place(work: &mut Work<'_>, binding: &Binding, targets: &mut [Value]) -> Done<()> {
    let is_elsewhere = binding.role.is_some() && !work.settings.is_since(2, 13);
    if !is_elsewhere && work.memory.ranges.is_empty() {
        let answer = work.ec2("DescribeVpcs", json!({ "VpcId": [work.settings.vpc_id] }))?;
        let ranges = items(&answer, "/vpcSet/0/cidrBlockAssociationSet").iter();
        work.memory.ranges = ranges.map(|range| text(range, "/cidrBlock").to_owned()).collect();
    }
    let ranges: Vec<Ipv4Net> = work.memory.ranges.iter().filter_map(|range| range.parse().ok()).collect();
    for target in targets {
        let address: Option<Ipv4Addr> = text(target, "/Id").parse().ok();
        let is_inside = address.is_some_and(|address| ranges.iter().any(|range| range.contains(&address)));
        if is_elsewhere || !is_inside {
            target["AvailabilityZone"] = json!("all");
        }
    }
    Ok(())
}

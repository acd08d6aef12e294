//! Changing rules, whose ids stay.

use serde_json::json;

use super::permission::{Peer, Permission, description, ipv4, ipv6};
use super::rule::{Rule, no_rule};
use super::{SecurityGroup, not_found};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::ec2::{Network, dry_run};
use crate::quotas;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("ModifySecurityGroupRules", &["GroupId", "SecurityGroupRule", "DryRun"], modify)];

/// Says everything about rules anew, or nothing about any of them.
fn modify(world: &mut World, call: &Call) -> Answer {
    let group_id = call.parameters.required("GroupId")?;
    let updates = call.parameters.tables("SecurityGroupRule");
    if updates.is_empty() {
        return Err(Refusal::new(
            "MissingParameter",
            "The request must contain the parameter SecurityGroupRule",
        ));
    }
    let most = world.quota(&call.caller.account, quotas::RULES_OF_GROUP);
    let network = world.network(&call.region);
    network.own_group(call, group_id)?;
    let mut changed = Vec::new();
    for update in &updates {
        changed.push(changed_rule(network, group_id, update)?);
    }
    network.check_rules(call, group_id, &changed, most)?;
    dry_run(call)?;
    for rule in changed {
        network.remove_rule(&rule.id);
        network.add_rule(rule);
    }
    Ok(json!({ "return": true }))
}

fn changed_rule(network: &Network, group_id: &str, update: &Parameters) -> Result<Rule, Refusal> {
    let id = update.required("SecurityGroupRuleId")?;
    let rule = network.rules.get(id).filter(|rule| rule.group_id == group_id);
    let rule = rule.ok_or_else(|| no_rule(id))?;
    let asked = update.table("SecurityGroupRule");
    let permission = Permission::read(&asked, peer(network, &asked)?)?;
    if !permission.peer.is_like(&rule.permission.peer) {
        let message = format!("The source of the rule {id} cannot be changed into one of another type.");
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    Ok(Rule { permission, description: description(&asked)?, ..rule.clone() })
}

/// Reads the one peer of a changed rule. A group is named without its account.
fn peer(network: &Network, asked: &Parameters) -> Result<Peer, Refusal> {
    let group = |id: &str| {
        let group = network.groups.get(id).ok_or_else(|| not_found::<SecurityGroup>(id))?;
        Ok::<_, Refusal>(Peer::Group { id: id.to_owned(), account: group.owner.clone() })
    };
    let mut peers = [
        asked.text("CidrIpv4").map(|text| ipv4(text).map(Peer::Ipv4)),
        asked.text("CidrIpv6").map(|text| ipv6(text).map(Peer::Ipv6)),
        asked.text("PrefixListId").map(|id| Ok(Peer::PrefixList(id.to_owned()))),
        asked.text("ReferencedGroupId").map(group),
    ]
    .into_iter()
    .flatten();
    if let (Some(peer), None) = (peers.next(), peers.next()) {
        return peer;
    }
    let message = "Exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId is needed";
    Err(Refusal::new("InvalidParameterCombination", message))
}

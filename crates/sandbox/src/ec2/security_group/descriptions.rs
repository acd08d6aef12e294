//! Changing the texts that describe rules.

use serde_json::json;

use super::permission;
use super::rule::{Rule, no_rule};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::dry_run;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("UpdateSecurityGroupRuleDescriptionsIngress", UPDATE, |world, call| {
        update(world, call, false)
    }),
    Operation::new("UpdateSecurityGroupRuleDescriptionsEgress", UPDATE, |world, call| {
        update(world, call, true)
    }),
];

const UPDATE: &[&str] = &["GroupId", "IpPermissions", "SecurityGroupRuleDescription", "DryRun"];

/// Describes rules anew. A text that is left out is removed (API reference).
fn update(world: &mut World, call: &Call, is_egress: bool) -> Answer {
    let group_id = call.parameters.required("GroupId")?;
    let permissions = permission::read_all(&call.parameters, &call.caller.account)?;
    let named = call.parameters.tables("SecurityGroupRuleDescription");
    if permissions.is_empty() == named.is_empty() {
        let message = "Either 'ipPermissions' or 'securityGroupRuleDescriptions' should be provided.";
        return Err(Refusal::new("MissingParameter", message));
    }
    let network = world.network(&call.region);
    network.own_group(call, group_id)?;
    let mut texts = Vec::new();
    for one in &named {
        let id = one.required("SecurityGroupRuleId")?;
        let of_group = |rule: &&Rule| rule.group_id == group_id && rule.is_egress == is_egress;
        let rule = network.rules.get(id).filter(of_group).ok_or_else(|| no_rule(id))?;
        texts.push((rule.id.clone(), permission::description(one)?));
    }
    for (permission, text) in permissions {
        texts.push((network.rule_of(group_id, is_egress, &permission)?.id.clone(), text));
    }
    dry_run(call)?;
    for (id, text) in texts {
        if let Some(rule) = network.rules.get_mut(&id) {
            rule.description = text;
        }
    }
    Ok(json!({ "return": true }))
}

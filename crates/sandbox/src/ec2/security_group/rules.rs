//! Making and revoking rules.

use serde_json::{Value, json};

use super::permission;
use super::rule::{Rule, no_rule};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::{Network, dry_run, tags};
use crate::quotas;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("AuthorizeSecurityGroupIngress", AUTHORIZE, |world, call| authorize(world, call, false)),
    Operation::new("AuthorizeSecurityGroupEgress", AUTHORIZE, |world, call| authorize(world, call, true)),
    Operation::new("RevokeSecurityGroupIngress", REVOKE, |world, call| revoke(world, call, false)),
    Operation::new("RevokeSecurityGroupEgress", REVOKE, |world, call| revoke(world, call, true)),
];

const AUTHORIZE: &[&str] =
    &["GroupId", "IpPermissions", "IpProtocol", "FromPort", "ToPort", "CidrIp", "TagSpecification", "DryRun"];
const REVOKE: &[&str] = &[
    "GroupId",
    "IpPermissions",
    "SecurityGroupRuleId",
    "IpProtocol",
    "FromPort",
    "ToPort",
    "CidrIp",
    "DryRun",
];

/// Makes a rule for every peer, or none of them.
fn authorize(world: &mut World, call: &Call, is_egress: bool) -> Answer {
    let group_id = call.parameters.required("GroupId")?;
    let permissions = permission::read_all(&call.parameters, &call.caller.account)?;
    let tags = tags::at_birth(&call.parameters, "security-group-rule")?;
    if permissions.is_empty() {
        return Err(Refusal::new(
            "MissingParameter",
            "Either 'ipPermissions' or 'cidrIp' should be provided.",
        ));
    }
    world.network(&call.region).own_group(call, group_id)?;
    let rules: Vec<_> = permissions
        .into_iter()
        .map(|(permission, description)| {
            let rule = Rule::new(world.new_id("sgr"), group_id, is_egress, permission);
            Rule { description, tags: tags.clone(), ..rule }
        })
        .collect();
    let most = world.quota(&call.caller.account, quotas::RULES_OF_GROUP);
    let network = world.network(&call.region);
    network.check_rules(call, group_id, &rules, most)?;
    dry_run(call)?;
    for rule in rules.clone() {
        network.add_rule(rule);
    }
    let account = &call.caller.account;
    let shown: Vec<_> = rules.iter().map(|rule| network.rule_shown(rule, account, &call.region)).collect();
    Ok(json!({ "return": true, "securityGroupRuleSet": shown }))
}

/// Revokes rules by their ids or by what they allow, or none of them.
fn revoke(world: &mut World, call: &Call, is_egress: bool) -> Answer {
    let group_id = call.parameters.required("GroupId")?;
    let permissions = permission::read_all(&call.parameters, &call.caller.account)?;
    let ids = call.parameters.texts("SecurityGroupRuleId");
    if permissions.is_empty() == ids.is_empty() {
        let message = "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.";
        return Err(Refusal::new("MissingParameter", message));
    }
    let network = world.network(&call.region);
    network.own_group(call, group_id)?;
    let mut revoked = Vec::new();
    for id in ids {
        let of_group = |rule: &&Rule| rule.group_id == group_id && rule.is_egress == is_egress;
        let rule = network.rules.get(id).filter(of_group).ok_or_else(|| no_rule(id))?;
        revoked.push(rule.id.clone());
    }
    for (permission, _) in &permissions {
        revoked.push(network.rule_of(group_id, is_egress, permission)?.id.clone());
    }
    dry_run(call)?;
    let revoked = revoked.iter().filter_map(|id| network.remove_rule(id));
    let shown: Vec<_> = revoked.map(|rule| shown(&rule)).collect();
    Ok(json!({ "return": true, "revokedSecurityGroupRuleSet": shown }))
}

impl Network {
    /// Returns the rule of a group that allows this, in a direction.
    pub(super) fn rule_of(
        &self,
        group_id: &str,
        is_egress: bool,
        permission: &permission::Permission,
    ) -> Result<&Rule, Refusal> {
        let group = self.groups.get(group_id);
        let found = group.and_then(|group| self.rule_like(group, is_egress, permission));
        found.ok_or_else(|| {
            let message = "The specified rule does not exist in this security group.";
            Refusal::new("InvalidPermission.NotFound", message)
        })
    }
}

fn shown(rule: &Rule) -> Value {
    use super::permission::Peer;
    let mut shown = rule.permission.shown();
    let (name, peer) = match &rule.permission.peer {
        Peer::Ipv4(range) => ("cidrIpv4", range.to_string()),
        Peer::Ipv6(range) => ("cidrIpv6", range.to_string()),
        Peer::PrefixList(id) => ("prefixListId", id.clone()),
        Peer::Group { id, .. } => ("referencedGroupId", id.clone()),
    };
    shown[name] = json!(peer);
    shown["securityGroupRuleId"] = json!(rule.id);
    shown["groupId"] = json!(rule.group_id);
    shown["isEgress"] = json!(rule.is_egress);
    shown["description"] = json!(rule.description);
    shown
}

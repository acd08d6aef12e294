//! Rules: one permission of a group each, with an id of its own.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::permission::{Peer, Permission};
use super::{SecurityGroup, other_network};
use crate::call::{Call, Refusal};
use crate::ec2::ownership::not_found;
use crate::ec2::tags::Tags;
use crate::ec2::{Network, prefix_list, tags};
use crate::world::AccountId;

/// A rule of a security group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::ec2) struct Rule {
    pub(super) id: String,
    pub(in crate::ec2) group_id: String,
    pub(super) is_egress: bool,
    pub(super) permission: Permission,
    pub(super) description: Option<String>,
    pub(in crate::ec2) tags: Tags,
}

impl Rule {
    /// Makes a rule without description and tags.
    pub(in crate::ec2) fn new(id: String, group_id: &str, is_egress: bool, permission: Permission) -> Self {
        let group_id = group_id.to_owned();
        Self { id, group_id, is_egress, permission, description: None, tags: Tags::new() }
    }

    /// Returns the group that it names, unless that is its own.
    fn named_group(&self) -> Option<&str> {
        match &self.permission.peer {
            Peer::Group { id, .. } => Some(id.as_str()).filter(|id| *id != self.group_id),
            Peer::Ipv4(_) | Peer::Ipv6(_) | Peer::PrefixList(_) => None,
        }
    }

    /// Counts it: what names a group counts for both families.
    fn counts(&self, ipv6: bool) -> bool {
        match self.permission.peer {
            Peer::Ipv4(_) => !ipv6,
            Peer::Ipv6(_) => ipv6,
            Peer::PrefixList(_) | Peer::Group { .. } => true,
        }
    }
}

impl Network {
    /// Puts a rule into its group. A group that it names is held in place.
    pub(in crate::ec2) fn add_rule(&mut self, rule: Rule) {
        if let Some(group) = rule.named_group() {
            self.dependents.add(group, &rule.id);
        }
        if let Some(group) = self.groups.get_mut(&rule.group_id) {
            group.rules.insert(rule.id.clone());
        }
        self.rules.insert(rule.id.clone(), rule);
    }

    /// Returns a rule of a group that the caller may change.
    pub(in crate::ec2) fn own_rule(&mut self, call: &Call, id: &str) -> Result<&mut Rule, Refusal> {
        let group = self.rules.get(id).map(|rule| rule.group_id.clone());
        self.own_group(call, &group.ok_or_else(|| no_rule(id))?)
            .map_err(|refusal| if refusal.status == 403 { refusal } else { no_rule(id) })?;
        self.rules.get_mut(id).ok_or_else(|| no_rule(id))
    }

    /// Returns the rules of an account's groups, with their tags.
    pub(in crate::ec2) fn owned_rules(&self, account: &AccountId) -> Vec<(String, Tags)> {
        let is_own =
            |rule: &Rule| self.groups.get(&rule.group_id).is_some_and(|group| group.owner == *account);
        let own = self.rules.iter().filter(|(_, rule)| is_own(rule));
        own.map(|(id, rule)| (id.clone(), rule.tags.clone())).collect()
    }

    /// Takes a rule out of its group.
    pub(super) fn remove_rule(&mut self, id: &str) -> Option<Rule> {
        let rule = self.rules.remove(id)?;
        if let Some(group) = rule.named_group() {
            self.dependents.remove(group, id);
        }
        if let Some(group) = self.groups.get_mut(&rule.group_id) {
            group.rules.remove(id);
        }
        Some(rule)
    }

    /// Returns the rules of a group.
    pub(super) fn rules_of<'a>(&'a self, group: &'a SecurityGroup) -> impl Iterator<Item = &'a Rule> {
        group.rules.iter().filter_map(|id| self.rules.get(id))
    }

    /// Returns the rule of a group that allows this.
    pub(super) fn rule_like<'a>(
        &'a self,
        group: &'a SecurityGroup,
        is_egress: bool,
        permission: &Permission,
    ) -> Option<&'a Rule> {
        self.rules_of(group).find(|rule| rule.is_egress == is_egress && rule.permission == *permission)
    }

    /// Checks that a group may have rules that are new to it, or that are changed.
    ///
    /// # Errors
    /// If one names a group that is not there, has one already, or would be one too many.
    pub(super) fn check_rules(
        &self,
        call: &Call,
        group_id: &str,
        new: &[Rule],
        most: usize,
    ) -> Result<(), Refusal> {
        let group = self.groups.get(group_id).ok_or_else(|| not_found::<SecurityGroup>(group_id))?;
        for rule in new {
            self.check_peer(call, group, &rule.permission.peer)?;
            let same = self.rule_like(group, rule.is_egress, &rule.permission);
            if same.is_some_and(|same| same.id != rule.id) {
                let message = format!("the specified rule \"{}\" already exists", rule.permission.words());
                return Err(Refusal::new("InvalidPermission.Duplicate", message));
            }
        }
        for (is_egress, ipv6) in [(false, false), (false, true), (true, false), (true, true)] {
            let counts = |rule: &&Rule| rule.is_egress == is_egress && rule.counts(ipv6);
            let is_changed = |rule: &&Rule| new.iter().any(|changed| changed.id == rule.id);
            let kept = self.rules_of(group).filter(counts).filter(|rule| !is_changed(rule)).count();
            if kept + new.iter().filter(counts).count() > most {
                let message = "The maximum number of rules per security group has been reached.";
                return Err(Refusal::new("RulesPerSecurityGroupLimitExceeded", message));
            }
        }
        Ok(())
    }

    /// Checks that a group which a rule names is there, belongs to the account that is said, and is
    /// in the same VPC: a group of another account in a shared VPC may be named as
    /// `account-number/security-group-id` ("Share your VPC subnets", VPC user guide).
    fn check_peer(&self, call: &Call, group: &SecurityGroup, peer: &Peer) -> Result<(), Refusal> {
        match peer {
            Peer::Ipv4(_) | Peer::Ipv6(_) => Ok(()),
            Peer::PrefixList(id) if prefix_list::is_known(&call.region, id) => Ok(()),
            Peer::PrefixList(id) => Err(prefix_list::not_found(id)),
            Peer::Group { id, account } => {
                let named = self.groups.get(id).filter(|named| named.owner == *account);
                let named = named.ok_or_else(|| not_found::<SecurityGroup>(id))?;
                if named.vpc_id == group.vpc_id { Ok(()) } else { Err(other_network()) }
            }
        }
    }

    /// Returns a rule as an account sees it. Tags are the owner's.
    pub(super) fn rule_shown(&self, rule: &Rule, account: &AccountId, region: &str) -> Value {
        let group = self.groups.get(&rule.group_id);
        let owner = group.map(|group| group.owner.as_str()).unwrap_or_default();
        let tags = (owner == account.as_str()).then(|| tags::shown(&rule.tags));
        let mut shown = json!({
            "securityGroupRuleId": rule.id,
            "groupId": rule.group_id,
            "groupOwnerId": owner,
            "isEgress": rule.is_egress,
            "description": rule.description,
            "securityGroupRuleArn":
                format!("arn:aws:ec2:{region}:{owner}:security-group-rule/{}", rule.id),
            "tagSet": tags,
        });
        let peer = match &rule.permission.peer {
            Peer::Ipv4(range) => json!({ "cidrIpv4": range }),
            Peer::Ipv6(range) => json!({ "cidrIpv6": range }),
            Peer::PrefixList(id) => json!({ "prefixListId": id }),
            Peer::Group { id, account } => {
                let vpc_id = group.map(|group| group.vpc_id.as_str());
                json!({ "referencedGroupInfo": { "groupId": id, "userId": account.as_str(), "vpcId": vpc_id } })
            }
        };
        for more in [rule.permission.shown(), peer] {
            if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), more) {
                shown.extend(more);
            }
        }
        shown
    }
}

/// Refuses a rule that a group does not have.
pub(super) fn no_rule(id: &str) -> Refusal {
    let message = format!("The security group rule ID '{id}' does not exist");
    Refusal::new("InvalidSecurityGroupRuleId.NotFound", message)
}

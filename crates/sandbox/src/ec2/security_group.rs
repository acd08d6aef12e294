//! Security groups: what traffic interfaces let in and out.

mod descriptions;
mod listing;
mod modification;
mod permission;
mod rule;
mod rules;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ownership::{Thing, not_found, own};
use super::tags::Tags;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::quotas;
use crate::world::{AccountId, World};
pub(super) use permission::{Peer, Permission};
pub(super) use rule::Rule;

/// The operations on groups.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateSecurityGroup",
        &["GroupName", "GroupDescription", "VpcId", "TagSpecification", "DryRun"],
        create,
    ),
    Operation::new("DeleteSecurityGroup", &["GroupId", "DryRun"], delete),
];

/// The operations that describe groups and rules, and those that change rules.
pub(super) const MORE_OPERATIONS: [&[Operation]; 4] =
    [listing::OPERATIONS, rules::OPERATIONS, modification::OPERATIONS, descriptions::OPERATIONS];

/// The name of the group that every VPC has.
const DEFAULT: &str = "default";

/// A security group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SecurityGroup {
    id: String,
    /// A participant's group is the participant's, in the owner's VPC.
    owner: AccountId,
    pub(super) vpc_id: String,
    pub(super) name: String,
    description: String,
    /// The ids of its rules.
    rules: BTreeSet<String>,
    pub(super) tags: Tags,
}

impl Thing for SecurityGroup {
    const NOUN: &'static str = "security group";
    const NOT_FOUND: &'static str = "InvalidGroup.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl SecurityGroup {
    /// Makes a group without rules.
    pub(super) fn new(
        id: &str,
        owner: AccountId,
        vpc_id: &str,
        name: String,
        description: &str,
        tags: Tags,
    ) -> Self {
        Self {
            id: id.to_owned(),
            owner,
            vpc_id: vpc_id.to_owned(),
            name,
            description: description.to_owned(),
            rules: BTreeSet::new(),
            tags,
        }
    }
}

impl Network {
    /// Tells whether an account sees a group: its own, and those in its VPCs.
    pub(super) fn sees_group(&self, group: &SecurityGroup, account: &AccountId) -> bool {
        let is_owner = || self.vpcs.get(&group.vpc_id).is_some_and(|vpc| vpc.owner() == account);
        group.owner == *account || is_owner()
    }

    /// Returns a group that the caller may change.
    pub(super) fn own_group(&mut self, call: &Call, id: &str) -> Result<&mut SecurityGroup, Refusal> {
        let seen = self.groups.get(id).is_some_and(|group| self.sees_group(group, &call.caller.account));
        own(call, &mut self.groups, id, seen)
    }

    /// Returns the groups that an interface has: those that are named, or the VPC's default.
    ///
    /// A participant can use neither the default group nor others' groups: "because it belongs to
    /// the owner" ("Responsibilities and permissions for owners and participants").
    ///
    /// # Errors
    /// If one of them is not the account's, or of another VPC.
    pub(crate) fn groups_of_interface(
        &self,
        account: &AccountId,
        vpc_id: &str,
        named: &[&str],
    ) -> Result<Vec<String>, Refusal> {
        if named.is_empty() {
            let group = self.group_named(vpc_id, account, DEFAULT);
            return Ok(vec![group.ok_or_else(|| not_found::<SecurityGroup>(DEFAULT))?.id.clone()]);
        }
        for id in named {
            let group = self.groups.get(*id).filter(|group| group.owner == *account);
            let group = group.ok_or_else(|| not_found::<SecurityGroup>(id))?;
            if group.vpc_id != vpc_id {
                return Err(other_network());
            }
        }
        if named.len() > quotas::GROUPS_OF_INTERFACE.value {
            let message = "The maximum number of security groups per interface has been reached.";
            return Err(Refusal::new("SecurityGroupsPerInterfaceLimitExceeded", message));
        }
        Ok(named.iter().map(|id| (*id).to_owned()).collect())
    }

    /// Makes the group that a VPC is born with. It goes with the VPC.
    pub(super) fn add_default_group(&mut self, ids: [String; 3], vpc_id: &str, owner: &AccountId) {
        let [id, ingress, egress] = ids;
        let group = SecurityGroup {
            id: id.clone(),
            owner: owner.clone(),
            vpc_id: vpc_id.to_owned(),
            name: DEFAULT.to_owned(),
            description: "default VPC security group".to_owned(),
            rules: BTreeSet::new(),
            tags: Tags::new(),
        };
        self.group_names.insert(name_key(vpc_id, owner, DEFAULT), id.clone());
        self.groups.insert(id.clone(), group);
        let itself = Permission::all(Peer::Group { id: id.clone(), account: owner.clone() });
        self.add_rule(Rule::new(ingress, &id, false, itself));
        self.add_rule(Rule::new(egress, &id, true, Permission::all(Peer::everybody())));
    }

    /// Takes away the group that a VPC was born with.
    pub(super) fn remove_default_group(&mut self, vpc_id: &str, owner: &AccountId) {
        if let Some(group) = self.group_named(vpc_id, owner, DEFAULT) {
            let id = group.id.clone();
            self.remove_group(&id);
        }
    }

    fn group_named(&self, vpc_id: &str, owner: &AccountId, name: &str) -> Option<&SecurityGroup> {
        self.groups.get(self.group_names.get(&name_key(vpc_id, owner, name))?)
    }

    /// Puts a group into its VPC.
    pub(super) fn add_group(&mut self, group: SecurityGroup) {
        self.dependents.add(&group.vpc_id, &group.id);
        self.group_names.insert(name_key(&group.vpc_id, &group.owner, &group.name), group.id.clone());
        *self.group_counts.entry(group.owner.clone()).or_default() += 1;
        self.groups.insert(group.id.clone(), group);
    }

    pub(super) fn remove_group(&mut self, id: &str) {
        let Some(group) = self.groups.get(id) else { return };
        for rule in group.rules.clone() {
            self.remove_rule(&rule);
        }
        let Some(group) = self.groups.remove(id) else { return };
        self.dependents.remove(&group.vpc_id, id);
        self.group_names.remove(&name_key(&group.vpc_id, &group.owner, &group.name));
        let count = self.group_counts.get_mut(&group.owner).filter(|_| group.name != DEFAULT);
        if let Some(count) = count {
            *count -= 1;
        }
    }
}

/// Names are unique in the VPC, whether in small or in capital letters; one account does not know
/// the names of another.
fn name_key(vpc_id: &str, owner: &AccountId, name: &str) -> String {
    format!("{vpc_id} {} {owner}", name.to_lowercase())
}

/// Refuses what is in another VPC.
fn other_network() -> Refusal {
    let message = "You have specified two resources that belong to different networks.";
    Refusal::new("InvalidGroup.NotFound", message)
}

/// Makes a group, which lets everything out.
fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let name = checked_name(parameters.required("GroupName")?.trim())?;
    let description = parameters.required("GroupDescription")?;
    permission::check_text("groupDescription", description)?;
    let vpc_id = parameters.text("VpcId").ok_or_else(|| {
        Refusal::new("VPCIdNotSpecified", "No default VPC for this user. GroupName is only supported for it.")
    })?;
    let tags = tags::at_birth(parameters, "security-group")?;
    let owner = call.caller.account.clone();
    let most = world.quota(&owner, quotas::GROUPS);
    let network = world.network(&call.region);
    network.seen_vpc(call, vpc_id)?;
    check_new(network, vpc_id, &owner, name, most)?;
    dry_run(call)?;
    let id = world.new_id("sg");
    let group = SecurityGroup::new(&id, owner, vpc_id, name.to_owned(), description, tags);
    let egress = Rule::new(world.new_id("sgr"), &group.id, true, Permission::all(Peer::everybody()));
    let answer = json!({
        "groupId": group.id,
        "securityGroupArn": arn(&group, &call.region),
        "tagSet": tags::shown(&group.tags),
    });
    let network = world.network(&call.region);
    network.add_group(group);
    network.add_rule(egress);
    Ok(answer)
}

/// Checks that an account may have one more group, of this name.
fn check_new(
    network: &Network,
    vpc_id: &str,
    owner: &AccountId,
    name: &str,
    most: usize,
) -> Result<(), Refusal> {
    if network.group_named(vpc_id, owner, name).is_some() {
        let message = format!("The security group '{name}' already exists for VPC '{vpc_id}'");
        return Err(Refusal::new("InvalidGroup.Duplicate", message));
    }
    if network.group_counts.get(owner).is_some_and(|count| *count >= most) {
        let message = "The maximum number of security groups has been reached.";
        return Err(Refusal::new("SecurityGroupLimitExceeded", message));
    }
    Ok(())
}

/// Checks a name (API reference, `CreateSecurityGroup`).
fn checked_name(name: &str) -> Result<&str, Refusal> {
    if name.to_ascii_lowercase().starts_with("sg-") {
        let message = format!("Invalid value '{name}' for groupName. Group names may not begin with sg-");
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    if name == DEFAULT {
        let message = format!("Cannot use reserved security group name: {DEFAULT}");
        return Err(Refusal::new("InvalidGroup.Reserved", message));
    }
    permission::check_text("groupName", name)?;
    Ok(name)
}

fn arn(group: &SecurityGroup, region: &str) -> String {
    format!("arn:aws:ec2:{region}:{}:security-group/{}", group.owner, group.id)
}

/// Deletes a group that no interface has and that no rule of another group names, whosever it is.
fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("GroupId")?;
    let network = world.network(&call.region);
    if network.own_group(call, id)?.name == DEFAULT {
        let message =
            format!("the specified group: \"{id}\" name: \"{DEFAULT}\" cannot be deleted by a user");
        return Err(Refusal::new("CannotDelete", message));
    }
    if network.dependents.any(id) {
        let message = format!("resource {id} has a dependent object");
        return Err(Refusal::new("DependencyViolation", message));
    }
    dry_run(call)?;
    network.remove_group(id);
    Ok(json!({ "return": true, "groupId": id }))
}

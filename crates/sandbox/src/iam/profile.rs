//! Instance profiles: how a machine gets a role.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::{page, path, path_prefix, time, within};
use super::role;
use super::tags::{self, Tags};
use super::{conflict, limit, no_such_entity, passing};
use crate::call::{Answer, Call, Need, Operation, Refusal};
use crate::quotas;
use crate::validation;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateInstanceProfile", &[NAME, "Path", "Tags"], create).on(PROFILE),
    Operation::new("GetInstanceProfile", &[NAME], get).on(PROFILE),
    Operation::new("ListInstanceProfiles", &["PathPrefix", "Marker", "MaxItems"], list),
    Operation::new("ListInstanceProfilesForRole", &["RoleName", "Marker", "MaxItems"], list_for_role)
        .on(&[("RoleName", "role")]),
    // "The caller of this operation must be granted the PassRole permission on the IAM role."
    Operation::new("AddRoleToInstanceProfile", &[NAME, "RoleName"], add_role).on(PROFILE).also(passes),
    Operation::new("RemoveRoleFromInstanceProfile", &[NAME, "RoleName"], remove_role).on(PROFILE),
    Operation::new("DeleteInstanceProfile", &[NAME], delete).on(PROFILE),
];

const NAME: &str = "InstanceProfileName";

/// What the operations on an instance profile are done to.
pub(super) const PROFILE: &[(&str, &str)] = &[(NAME, "instance-profile")];

/// An instance profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Profile {
    name: String,
    path: String,
    id: String,
    pub(super) arn: String,
    made_at: Timestamp,
    /// The name of its role.
    pub(super) role: Option<String>,
    pub(super) tags: Tags,
}

/// Returns the instance profile that a call names.
pub(super) fn named<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Profile, Refusal> {
    let name = validation::name(&call.parameters, NAME, 128)?;
    let found = world.directory(&call.caller.account).profiles.get_mut(name);
    found.ok_or_else(|| no_such_entity(format!("Instance Profile {name} cannot be found.")))
}

/// Returns an instance profile as answers have it.
pub(super) fn shown(world: &World, call: &Call, profile: &Profile) -> Value {
    let roles = world.directories.get(&call.caller.account).map(|directory| &directory.roles);
    let role = profile.role.as_ref().and_then(|name| roles?.get(name));
    let roles: Vec<_> = role.into_iter().map(|role| role::shown(world, role)).collect();
    json!({
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "CreateDate": time(profile.made_at),
        "Roles": roles,
        "Tags": tags::shown(&profile.tags),
    })
}

fn passes(world: &World, call: &Call) -> Vec<Need> {
    let role = call.parameters.text("RoleName");
    role.map(|role| passing(world, call, role, "ec2.amazonaws.com")).into_iter().collect()
}

fn create(world: &mut World, call: &Call) -> Answer {
    let name = validation::name(&call.parameters, NAME, 128)?;
    let path = path(&call.parameters)?;
    let tags = tags::given(&call.parameters)?;
    let account = &call.caller.account;
    let most = world.quota(&call.caller.account, quotas::INSTANCE_PROFILES);
    let profiles = &world.directory(account).profiles;
    if profiles.keys().any(|known| known.eq_ignore_ascii_case(name)) {
        let message = format!("Instance Profile {name} already exists.");
        return Err(conflict("EntityAlreadyExists", message));
    }
    if profiles.len() >= most {
        return Err(limit("InstanceProfilesPerAccount", most));
    }
    let profile = Profile {
        name: name.to_owned(),
        arn: format!("arn:aws:iam::{account}:instance-profile{path}{name}"),
        path,
        id: world.new_unique_id("AIPA"),
        made_at: world.now(),
        role: None,
        tags,
    };
    let answer = within("InstanceProfile", shown(world, call, &profile));
    world.directory(account).profiles.insert(name.to_owned(), profile);
    Ok(answer)
}

fn get(world: &mut World, call: &Call) -> Answer {
    let profile = named(world, call)?.clone();
    Ok(within("InstanceProfile", shown(world, call, &profile)))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let has_prefix = path_prefix(&call.parameters);
    listed(world, call, &|profile| has_prefix(&profile.path))
}

fn list_for_role(world: &mut World, call: &Call) -> Answer {
    let role = role::named(world, call)?.name.clone();
    listed(world, call, &|profile| profile.role.as_ref() == Some(&role))
}

fn listed(world: &mut World, call: &Call, is_wanted: &dyn Fn(&Profile) -> bool) -> Answer {
    let profiles = world.directory(&call.caller.account).profiles.clone();
    let wanted = profiles.iter().filter(|(_, profile)| is_wanted(profile));
    page(&call.parameters, "InstanceProfiles", wanted, |profile| shown(world, call, profile))
}

/// Gives a role to an instance profile: "an instance profile can contain only one role, and this
/// quota cannot be increased" (API reference, `AddRoleToInstanceProfile`).
fn add_role(world: &mut World, call: &Call) -> Answer {
    let role = role::changeable(world, call)?.name.clone();
    let profile = named(world, call)?;
    if profile.role.is_some() {
        return Err(limit("InstanceSessionsPerInstanceProfile", 1));
    }
    profile.role = Some(role);
    Ok(Value::Null)
}

fn remove_role(world: &mut World, call: &Call) -> Answer {
    let role = role::changeable(world, call)?.name.clone();
    let profile = named(world, call)?;
    if profile.role.as_ref() != Some(&role) {
        let message = format!("The role with name {role} is not in instance profile {}.", profile.name);
        return Err(no_such_entity(message));
    }
    profile.role = None;
    Ok(Value::Null)
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let profile = named(world, call)?;
    if profile.role.is_some() {
        return Err(has_role());
    }
    let name = profile.name.clone();
    world.directory(&call.caller.account).profiles.remove(&name);
    Ok(Value::Null)
}

/// Refuses to delete a role or an instance profile as long as they have one another.
pub(super) fn has_role() -> Refusal {
    let message = "Cannot delete entity, must remove roles from instance profile first.";
    conflict("DeleteConflict", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    #[test]
    fn a_profile_and_its_role_keep_one_another() {
        let mut account = Account::new();
        let trust = json!({ "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole",
        }] });
        for name in ["nodes", "others"] {
            let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust.to_string() });
            account.ok("iam:CreateRole", role);
        }
        let profile = json!({ NAME: "nodes" });
        account.ok("iam:CreateInstanceProfile", profile.clone());
        account.refused("iam:CreateInstanceProfile", json!({ NAME: "Nodes" }), "EntityAlreadyExists");
        let both = json!({ NAME: "nodes", "RoleName": "nodes" });
        account.refused("iam:RemoveRoleFromInstanceProfile", both.clone(), "NoSuchEntity");
        account.ok("iam:AddRoleToInstanceProfile", both.clone());
        let second = json!({ NAME: "nodes", "RoleName": "others" });
        account.refused("iam:AddRoleToInstanceProfile", second, "LimitExceeded");
        let read = account.ok("iam:GetInstanceProfile", profile.clone());
        assert_eq!(read["InstanceProfile"]["Roles"][0]["RoleName"], "nodes");
        let of_role = account.ok("iam:ListInstanceProfilesForRole", json!({ "RoleName": "nodes" }));
        assert_eq!(of_role["InstanceProfiles"][0][NAME], "nodes");
        let of_other = account.ok("iam:ListInstanceProfilesForRole", json!({ "RoleName": "others" }));
        assert_eq!(of_other["InstanceProfiles"], json!([]));
        account.refused("iam:DeleteRole", json!({ "RoleName": "nodes" }), "DeleteConflict");
        account.refused("iam:DeleteInstanceProfile", profile.clone(), "DeleteConflict");
        account.ok("iam:RemoveRoleFromInstanceProfile", both);
        account.ok("iam:DeleteRole", json!({ "RoleName": "nodes" }));
        account.ok("iam:DeleteInstanceProfile", profile.clone());
        account.refused("iam:GetInstanceProfile", profile, "NoSuchEntity");
    }
}

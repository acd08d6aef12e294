//! What roles and users may do: attached policies, policies of their own, and a boundary.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::{encoded, page, path_prefix};
use super::{conflict, limit, managed, no_such_entity, role, size, trust, user};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::policy::Document;
use crate::quotas;
use crate::validation;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("AttachRolePolicy", &["RoleName", "PolicyArn"], attach).on(&[("RoleName", "role")]),
    Operation::new("DetachRolePolicy", &["RoleName", "PolicyArn"], detach).on(&[("RoleName", "role")]),
    Operation::new(
        "ListAttachedRolePolicies",
        &["RoleName", "PathPrefix", "Marker", "MaxItems"],
        list_attached,
    )
    .on(&[("RoleName", "role")]),
    Operation::new("PutRolePolicy", &["RoleName", "PolicyName", "PolicyDocument"], put)
        .on(&[("RoleName", "role")]),
    Operation::new("GetRolePolicy", &["RoleName", "PolicyName"], get).on(&[("RoleName", "role")]),
    Operation::new("DeleteRolePolicy", &["RoleName", "PolicyName"], delete).on(&[("RoleName", "role")]),
    Operation::new("ListRolePolicies", &["RoleName", "Marker", "MaxItems"], list).on(&[("RoleName", "role")]),
    Operation::new("PutRolePermissionsBoundary", &["RoleName", "PermissionsBoundary"], put_boundary)
        .on(&[("RoleName", "role")]),
    Operation::new("DeleteRolePermissionsBoundary", &["RoleName"], delete_boundary)
        .on(&[("RoleName", "role")]),
    Operation::new("AttachUserPolicy", &["UserName", "PolicyArn"], attach).on(&[("UserName", "user")]),
    Operation::new("DetachUserPolicy", &["UserName", "PolicyArn"], detach).on(&[("UserName", "user")]),
    Operation::new(
        "ListAttachedUserPolicies",
        &["UserName", "PathPrefix", "Marker", "MaxItems"],
        list_attached,
    )
    .on(&[("UserName", "user")]),
    Operation::new("PutUserPolicy", &["UserName", "PolicyName", "PolicyDocument"], put)
        .on(&[("UserName", "user")]),
    Operation::new("GetUserPolicy", &["UserName", "PolicyName"], get).on(&[("UserName", "user")]),
    Operation::new("DeleteUserPolicy", &["UserName", "PolicyName"], delete).on(&[("UserName", "user")]),
    Operation::new("ListUserPolicies", &["UserName", "Marker", "MaxItems"], list).on(&[("UserName", "user")]),
    Operation::new("PutUserPermissionsBoundary", &["UserName", "PermissionsBoundary"], put_boundary)
        .on(&[("UserName", "user")]),
    Operation::new("DeleteUserPermissionsBoundary", &["UserName"], delete_boundary)
        .on(&[("UserName", "user")]),
];

/// What a role or user may do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grants {
    /// The ARNs of managed policies.
    pub(crate) attached: BTreeSet<String>,
    /// Policies of its own, by name.
    pub(crate) inline: BTreeMap<String, String>,
    /// The ARN of the policy that it can never exceed.
    pub(crate) boundary: Option<String>,
}

impl Grants {
    /// Returns what somebody with one managed policy may do.
    pub(super) fn with(policy_arn: &str) -> Self {
        Self { attached: BTreeSet::from([policy_arn.to_owned()]), ..Self::default() }
    }

    /// Returns the boundary as answers have it.
    pub(super) fn shown_boundary(&self) -> Option<Value> {
        let shown =
            |arn: &String| json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn });
        self.boundary.as_ref().map(shown)
    }
}

/// Returns the boundary that a call gives, which has to be a policy that exists.
pub(super) fn boundary(world: &mut World, call: &Call) -> Result<Option<String>, Refusal> {
    let Some(arn) = call.parameters.text("PermissionsBoundary") else { return Ok(None) };
    if managed::document(world.directory(&call.caller.account), arn).is_none() {
        return Err(no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable.")));
    }
    Ok(Some(arn.to_owned()))
}

/// Checks that nothing is left which keeps a role or user from being deleted.
pub(super) fn check_deletable(grants: &Grants) -> Result<(), Refusal> {
    if !grants.attached.is_empty() {
        let message = "Cannot delete entity, must detach all policies first.";
        return Err(conflict("DeleteConflict", message));
    }
    if !grants.inline.is_empty() {
        return Err(conflict("DeleteConflict", "Cannot delete entity, must delete policies first."));
    }
    Ok(())
}

/// Whom a call is about.
struct Holder<'a> {
    /// The name's parameter.
    parameter: &'static str,
    name: String,
    grants: &'a mut Grants,
    /// How many characters its own policies may have together (quotas "Role inline policy size"
    /// and "User inline policy size").
    most_characters: usize,
}

/// Returns the role or user that a call names, to be read.
fn holder<'a>(world: &'a mut World, call: &Call) -> Result<Holder<'a>, Refusal> {
    if call.operation.contains("User") {
        let user = user::named(world, call)?;
        let name = user.name.clone();
        return Ok(Holder { parameter: "UserName", name, grants: &mut user.grants, most_characters: 2048 });
    }
    let role = role::named(world, call)?;
    let name = role.name.clone();
    Ok(Holder { parameter: "RoleName", name, grants: &mut role.grants, most_characters: 10_240 })
}

/// Returns the role or user that a call names, to be changed.
fn changed<'a>(world: &'a mut World, call: &Call) -> Result<Holder<'a>, Refusal> {
    if !call.operation.contains("User") {
        role::changeable(world, call)?;
    }
    holder(world, call)
}

fn attach(world: &mut World, call: &Call) -> Answer {
    let arn = validation::required(&call.parameters, "PolicyArn")?;
    if managed::document(world.directory(&call.caller.account), arn).is_none() {
        return Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")));
    }
    // A user may have as many.
    let most = world.quota(&call.caller.account, quotas::POLICIES_OF_ROLE);
    let holder = changed(world, call)?;
    if !holder.grants.attached.contains(arn) && holder.grants.attached.len() >= most {
        let quota = if holder.parameter == "UserName" { "PoliciesPerUser" } else { "PoliciesPerRole" };
        return Err(limit(quota, most));
    }
    holder.grants.attached.insert(arn.to_owned());
    Ok(Value::Null)
}

fn detach(world: &mut World, call: &Call) -> Answer {
    let arn = validation::required(&call.parameters, "PolicyArn")?;
    if !changed(world, call)?.grants.attached.remove(arn) {
        return Err(no_such_entity(format!("Policy {arn} was not found.")));
    }
    Ok(Value::Null)
}

fn list_attached(world: &mut World, call: &Call) -> Answer {
    let has_prefix = path_prefix(&call.parameters);
    let attached = &holder(world, call)?.grants.attached;
    let attached = attached.iter().filter(|arn| has_prefix(managed::path_of(arn)));
    page(
        &call.parameters,
        "AttachedPolicies",
        attached.map(|arn| (arn, arn)),
        |arn| json!({ "PolicyName": managed::name_of(arn), "PolicyArn": arn }),
    )
}

fn put(world: &mut World, call: &Call) -> Answer {
    let name = validation::name(&call.parameters, "PolicyName", 128)?;
    let document = validation::required(&call.parameters, "PolicyDocument")?;
    Document::permissions(document).map_err(trust::malformed)?;
    let holder = changed(world, call)?;
    let others = holder.grants.inline.iter().filter(|(other, _)| *other != name);
    let most = holder.most_characters;
    if others.map(|(_, document)| size(document)).sum::<usize>() + size(document) > most {
        let kind = if holder.parameter == "UserName" { "user" } else { "role" };
        let message = format!("Maximum policy size of {most} bytes exceeded for {kind} {}", holder.name);
        return Err(conflict("LimitExceeded", message));
    }
    holder.grants.inline.insert(name.to_owned(), document.to_owned());
    Ok(Value::Null)
}

fn get(world: &mut World, call: &Call) -> Answer {
    let name = validation::name(&call.parameters, "PolicyName", 128)?;
    let holder = holder(world, call)?;
    let document = holder.grants.inline.get(name).ok_or_else(|| unknown_inline(name))?;
    Ok(json!({
        holder.parameter: holder.name,
        "PolicyName": name,
        "PolicyDocument": encoded(document),
    }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let name = validation::name(&call.parameters, "PolicyName", 128)?;
    let removed = changed(world, call)?.grants.inline.remove(name);
    removed.map(|_| Value::Null).ok_or_else(|| unknown_inline(name))
}

fn unknown_inline(name: &str) -> Refusal {
    no_such_entity(format!("The policy with name {name} cannot be found."))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let names = &holder(world, call)?.grants.inline;
    page(&call.parameters, "PolicyNames", names.keys().map(|name| (name, name)), |name| json!(name))
}

fn put_boundary(world: &mut World, call: &Call) -> Answer {
    validation::required(&call.parameters, "PermissionsBoundary")?;
    let boundary = boundary(world, call)?;
    changed(world, call)?.grants.boundary = boundary;
    Ok(Value::Null)
}

fn delete_boundary(world: &mut World, call: &Call) -> Answer {
    let holder = changed(world, call)?;
    if holder.grants.boundary.take().is_none() {
        let message = format!("{} does not have a permissions boundary.", holder.name);
        return Err(no_such_entity(message));
    }
    Ok(Value::Null)
}

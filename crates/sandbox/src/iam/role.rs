//! Roles: identities that are assumed by whom their trust policy names.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::{encoded, page, path, path_prefix, time, within};
use super::grants::Grants;
use super::tags::{self, Tags};
use super::trust::Trust;
use super::{conflict, grants, limit, no_such_entity, profile};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::quotas;
use crate::validation;
use crate::world::{AccountId, World, later};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateRole",
        &[
            "RoleName",
            "AssumeRolePolicyDocument",
            "Path",
            "Description",
            "MaxSessionDuration",
            "PermissionsBoundary",
            "Tags",
        ],
        create,
    )
    .on(&[("RoleName", "role")]),
    Operation::new("GetRole", &["RoleName"], get).on(&[("RoleName", "role")]),
    Operation::new("ListRoles", &["PathPrefix", "Marker", "MaxItems"], list),
    Operation::new("UpdateRole", &["RoleName", "Description", "MaxSessionDuration"], update)
        .on(&[("RoleName", "role")]),
    Operation::new("UpdateRoleDescription", &["RoleName", "Description"], update_description)
        .on(&[("RoleName", "role")]),
    Operation::new("UpdateAssumeRolePolicy", &["RoleName", "PolicyDocument"], update_trust)
        .on(&[("RoleName", "role")]),
    Operation::new("DeleteRole", &["RoleName"], delete).on(&[("RoleName", "role")]),
];

/// How long a role may let its sessions be, in seconds (API reference, `CreateRole`).
const SESSIONS: (i64, i64) = (3600, 43_200);

/// A role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(super) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(super) made_at: Timestamp,
    /// When other services than IAM begin to know it.
    known_at: Timestamp,
    pub(crate) trust: Trust,
    description: Option<String>,
    /// In seconds.
    pub(crate) longest_session: i64,
    pub(crate) grants: Grants,
    pub(crate) tags: Tags,
}

impl Role {
    /// Makes one of the roles that the management account has in a new account.
    pub(super) fn of_new_account(world: &mut World, account: &AccountId, name: &str) -> Self {
        let manager = world.organization.management.clone();
        let grants = Grants::with("arn:aws:iam::aws:policy/AdministratorAccess");
        let role = Self::new(world, account, "/", name, Trust::of_account(&manager)).granted(grants);
        Self { known_at: role.made_at, ..role }
    }

    /// Makes a role that may do nothing.
    pub(super) fn new(world: &mut World, account: &AccountId, path: &str, name: &str, trust: Trust) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            id: world.new_unique_id("AROA"),
            arn: format!("arn:aws:iam::{account}:role{path}{name}"),
            made_at: world.now(),
            known_at: later(world.now(), world.rules.iam_delay),
            trust,
            description: None,
            longest_session: SESSIONS.0,
            grants: Grants::default(),
            tags: Tags::new(),
        }
    }

    /// Describes it.
    pub(super) fn described(self, description: Option<String>) -> Self {
        Self { description, ..self }
    }

    fn granted(self, grants: Grants) -> Self {
        Self { grants, ..self }
    }

    /// Tells whether other services than IAM know it yet: IAM is eventually consistent.
    pub(crate) fn is_known(&self, world: &World) -> bool {
        self.known_at <= world.now()
    }

    /// Tells whether only the service that it is of may change it.
    pub(super) fn is_linked(&self) -> bool {
        self.path.starts_with("/aws-service-role/")
    }
}

/// Returns the role that a call names.
pub(super) fn named<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Role, Refusal> {
    let name = validation::name(&call.parameters, "RoleName", 64)?;
    let found = world.directory(&call.caller.account).roles.get_mut(name);
    found.ok_or_else(|| no_such_entity(format!("The role with name {name} cannot be found.")))
}

/// Returns the role that a call names, which may be changed.
pub(super) fn changeable<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Role, Refusal> {
    let role = named(world, call)?;
    if role.is_linked() {
        let name = &role.name;
        let message = format!(
            "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
        );
        return Err(Refusal::new("UnmodifiableEntity", message));
    }
    Ok(role)
}

/// Returns a role as answers have it.
pub(super) fn shown(world: &World, role: &Role) -> Value {
    json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": time(role.made_at),
        "AssumeRolePolicyDocument": encoded(&role.trust.document(world)),
        "Description": role.description,
        "MaxSessionDuration": role.longest_session,
        "PermissionsBoundary": role.grants.shown_boundary(),
        "Tags": tags::shown(&role.tags),
    })
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let name = validation::name(parameters, "RoleName", 64)?;
    let path = path(parameters)?;
    let text = validation::required(parameters, "AssumeRolePolicyDocument")?;
    let longest_session = longest_session(parameters)?.unwrap_or(SESSIONS.0);
    let description = description(parameters)?;
    let trust = Trust::read(world, text)?;
    let boundary = grants::boundary(world, call)?;
    let tags = tags::given(parameters)?;
    let account = call.caller.account.clone();
    let most = world.quota(&call.caller.account, quotas::ROLES);
    let roles = &world.directory(&account).roles;
    if roles.keys().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(conflict("EntityAlreadyExists", format!("Role with name {name} already exists.")));
    }
    if roles.len() >= most {
        return Err(limit("RolesPerAccount", most));
    }
    let grants = Grants { boundary, ..Grants::default() };
    let role = Role::new(world, &account, &path, name, trust).described(description).granted(grants);
    let role = Role { longest_session, tags, ..role };
    let answer = within("Role", shown(world, &role));
    world.directory(&account).roles.insert(name.to_owned(), role);
    Ok(answer)
}

fn longest_session(parameters: &Parameters) -> Result<Option<i64>, Refusal> {
    validation::integer(parameters, "MaxSessionDuration", SESSIONS.0, SESSIONS.1)
}

fn description(parameters: &Parameters) -> Result<Option<String>, Refusal> {
    let Some(text) = parameters.text("Description") else { return Ok(None) };
    validation::length("Description", text, 0, 1000)?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn get(world: &mut World, call: &Call) -> Answer {
    let role = named(world, call)?.clone();
    Ok(within("Role", shown(world, &role)))
}

/// Lists roles, without "permissions boundary and tags" (API reference, `ListRoles`).
fn list(world: &mut World, call: &Call) -> Answer {
    let has_prefix = path_prefix(&call.parameters);
    let roles = world.directory(&call.caller.account).roles.clone();
    let listed = |role: &Role| {
        let mut value = shown(world, role);
        for left_out in ["PermissionsBoundary", "Tags"] {
            value[left_out] = Value::Null;
        }
        value
    };
    page(&call.parameters, "Roles", roles.iter().filter(|(_, role)| has_prefix(&role.path)), listed)
}

fn update(world: &mut World, call: &Call) -> Answer {
    let longest_session = longest_session(&call.parameters)?;
    let description = description(&call.parameters)?;
    let role = changeable(world, call)?;
    role.longest_session = longest_session.unwrap_or(role.longest_session);
    if call.parameters.0.contains_key("Description") {
        role.description = description;
    }
    Ok(json!({}))
}

fn update_description(world: &mut World, call: &Call) -> Answer {
    let description = description(&call.parameters)?;
    named(world, call)?.description = description;
    get(world, call)
}

fn update_trust(world: &mut World, call: &Call) -> Answer {
    let trust = Trust::read(world, validation::required(&call.parameters, "PolicyDocument")?)?;
    changeable(world, call)?.trust = trust;
    Ok(Value::Null)
}

/// Deletes a role: "before attempting to delete a role, remove the following attached items: inline
/// policies, attached managed policies, instance profile" (API reference, `DeleteRole`).
fn delete(world: &mut World, call: &Call) -> Answer {
    let role = changeable(world, call)?;
    let name = role.name.clone();
    grants::check_deletable(&role.grants)?;
    let mut profiles = world.directory(&call.caller.account).profiles.values();
    if profiles.any(|profile| profile.role.as_ref() == Some(&name)) {
        return Err(profile::has_role());
    }
    world.directory(&call.caller.account).roles.remove(&name);
    Ok(Value::Null)
}

#[cfg(test)]
mod tests;

//! IAM: roles, users, policies and providers of web identities, for each account on its own.

mod access_key;
mod account;
mod answers;
mod authorization;
mod aws_managed;
mod grants;
mod linked;
mod managed;
mod profile;
mod provider;
mod role;
pub(crate) mod service;
mod simulation;
mod tags;
mod trust;
mod user;
mod versions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::access::{Context, of_tags, set};
use crate::call::{Call, Need, Operation, Refusal};
use crate::world::{AccountId, World};
pub(crate) use answers::time;
pub(crate) use grants::Grants;
use linked::Deletion;
pub(crate) use linked::ensure as ensure_linked_role;
pub(crate) use linked::need as need_of_linked_role;
use managed::ManagedPolicy;
pub(crate) use managed::document;
use profile::Profile;
pub(crate) use provider::Provider;
pub(crate) use role::Role;
pub(crate) use tags::{given as given_tags, principals, tagged};
use user::User;

/// What IAM has of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Directory {
    pub(crate) roles: BTreeMap<String, Role>,
    users: BTreeMap<String, User>,
    /// By ARN. Those of AWS are not among them.
    policies: BTreeMap<String, ManagedPolicy>,
    profiles: BTreeMap<String, Profile>,
    /// By ARN.
    providers: BTreeMap<String, Provider>,
    /// Those of service-linked roles, by their tasks.
    deletions: BTreeMap<String, Deletion>,
}

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    let tables = [
        role::OPERATIONS,
        grants::OPERATIONS,
        managed::OPERATIONS,
        versions::OPERATIONS,
        tags::OPERATIONS,
        user::OPERATIONS,
        access_key::OPERATIONS,
        account::OPERATIONS,
        authorization::OPERATIONS,
        linked::OPERATIONS,
        profile::OPERATIONS,
        provider::OPERATIONS,
        simulation::OPERATIONS,
    ];
    tables.into_iter().flatten()
}

impl Directory {
    /// Returns what a user may do.
    pub(crate) fn grants_of_user(&self, name: &str, id: &str) -> Option<&Grants> {
        self.users.get(name).filter(|user| user.id == id).map(|user| &user.grants)
    }

    /// Returns the ARN of a thing.
    fn arn(&self, kind: &str, name: &str) -> Option<String> {
        match kind {
            "role" => self.roles.get(name).map(|role| role.arn.clone()),
            "user" => self.users.get(name).map(|user| user.arn.clone()),
            "instance-profile" => self.profiles.get(name).map(|profile| profile.arn.clone()),
            _ => None,
        }
    }

    /// Returns the condition keys of a thing: its tags, and the boundary that it has.
    fn context(&self, kind: &str, arn: &str) -> Context {
        let name = managed::name_of(arn);
        let role = self.roles.get(name).filter(|_| kind == "role");
        let user = self.users.get(name).filter(|_| kind == "user");
        let tags = role.map(|role| &role.tags).or(user.map(|user| &user.tags));
        let tags = tags.or_else(|| self.policies.get(arn).map(|policy| &policy.tags));
        let tags = tags.or_else(|| self.providers.get(arn).map(|provider| &provider.tags));
        let tags = tags.or_else(|| {
            let profile = self.profiles.get(name).filter(|_| kind == "instance-profile");
            profile.map(|profile| &profile.tags)
        });
        let mut context = tags.map(|tags| of_tags(tags, "iam")).unwrap_or_default();
        let grants = role.map(|role| &role.grants).or(user.map(|user| &user.grants));
        if let Some(boundary) = grants.and_then(|grants| grants.boundary.as_ref()) {
            set(&mut context, "iam:PermissionsBoundary", boundary);
        }
        context
    }

    /// Returns the tags of a user.
    pub(crate) fn tags_of_user(&self, name: &str) -> BTreeMap<String, String> {
        self.users.get(name).map(|user| user.tags.clone()).unwrap_or_default()
    }
}

/// Returns the ARN of what an action is done to, and the condition keys of the thing.
pub(crate) fn resource(world: &World, call: &Call, kind: &str, name: &str) -> (String, Context) {
    let account = &call.caller.account;
    let arn = match kind {
        _ if name.starts_with("arn:") => name.to_owned(),
        "linked-role" => {
            let (path, name) = linked::path_and_name(name).unwrap_or_else(|| ("/".to_owned(), name));
            format!("arn:aws:iam::{account}:role{path}{name}")
        }
        "oidc-provider" => {
            format!("arn:aws:iam::{account}:oidc-provider/{}", name.trim_start_matches("https://"))
        }
        _ => {
            let known = world.directories.get(account).and_then(|directory| directory.arn(kind, name));
            let path = call.parameters.text("Path").unwrap_or("/");
            known.unwrap_or_else(|| format!("arn:aws:iam::{account}:{kind}{path}{name}"))
        }
    };
    let context = world.directories.get(account).map(|directory| directory.context(kind, &arn));
    (arn, context.unwrap_or_default())
}

/// Returns the permission for tags that a call gives to what it makes: `CreateRole` with tags needs
/// `iam:TagRole` too ("Permissions required for tagging IAM roles").
pub(crate) fn tagging(operation: &str, need: &Need) -> Option<Need> {
    let kind = operation.strip_prefix("Create")?;
    Some(Need { action: format!("iam:Tag{kind}"), ..need.clone() })
}

/// Tells whether an ARN is that of a role or user, as far as other services know. Of accounts outside of the
/// organization nothing is known here, so theirs are taken for existing.
pub(crate) fn is_principal(world: &World, arn: &str) -> bool {
    let thing = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(':'));
    let Some((account, thing)) = thing else { return false };
    let Ok(account) = account.parse::<AccountId>() else { return false };
    let is_entity = thing.starts_with("role/") || thing.starts_with("user/");
    is_entity && (!world.directories.contains_key(&account) || trust::unique_id(world, arn).is_some())
}

/// Returns the permission to hand a role over to a service ("Grant a user permissions to pass a
/// role to an AWS service").
pub(crate) fn passing(world: &World, call: &Call, role: &str, service: &str) -> Need {
    let (resource, mut context) = resource(world, call, "role", role);
    set(&mut context, "iam:PassedToService", service);
    Need { action: "iam:PassRole".to_owned(), resource, context }
}

/// The roles by which the management account acts in every account.
const ROLES_OF_NEW_ACCOUNTS: [&str; 2] = ["OrganizationAccountAccessRole", "Deployer"];

/// Gives a new account the roles by which the management account acts in it: the one that
/// Organizations makes, and one by the name that deploying tools use.
pub(crate) fn open_account(world: &mut World, account: &AccountId) {
    for name in ROLES_OF_NEW_ACCOUNTS {
        let role = Role::of_new_account(world, account, name);
        world.directory(account).roles.insert(name.to_owned(), role);
    }
}

/// Refuses what names something that is not there.
fn no_such_entity(message: impl Into<String>) -> Refusal {
    Refusal { status: 404, ..Refusal::new("NoSuchEntity", message) }
}

/// Refuses what contradicts something that is there.
fn conflict(code: &str, message: impl Into<String>) -> Refusal {
    Refusal { status: 409, ..Refusal::new(code, message) }
}

/// Refuses what would be more than an account may have.
fn limit(quota: &str, most: usize) -> Refusal {
    conflict("LimitExceeded", format!("Cannot exceed quota for {quota}: {most}"))
}

/// Counts what quotas on policies count: "IAM does not count white space".
fn size(document: &str) -> usize {
    document.chars().filter(|character| !character.is_whitespace()).count()
}

//! IAM: roles, users, policies and providers of web identities, for each account on its own.

mod access_key;
mod answers;
mod aws_managed;
mod grants;
mod managed;
mod role;
mod tags;
mod trust;
mod user;
mod versions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::access::{Context, of_tags, set};
use crate::call::{Call, Operation, Refusal};
use crate::world::{AccountId, World};
pub(crate) use answers::time;
pub(crate) use grants::Grants;
use managed::ManagedPolicy;
pub(crate) use managed::document;
pub(crate) use role::Role;
pub(crate) use tags::given as given_tags;
use user::User;

/// What IAM has of one account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Directory {
    pub(crate) roles: BTreeMap<String, Role>,
    users: BTreeMap<String, User>,
    /// By ARN. Those of AWS are not among them.
    policies: BTreeMap<String, ManagedPolicy>,
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
    ];
    tables.into_iter().flatten()
}

impl Directory {
    /// Returns what a user may do.
    pub(crate) fn grants_of_user(&self, name: &str, id: &str) -> Option<&Grants> {
        self.users.get(name).filter(|user| user.id == id).map(|user| &user.grants)
    }

    /// Returns the tags of a user.
    pub(crate) fn tags_of_user(&self, name: &str) -> BTreeMap<String, String> {
        self.users.get(name).map(|user| user.tags.clone()).unwrap_or_default()
    }
}

/// Returns the ARN of what an action is done to, and the condition keys of the thing.
pub(crate) fn resource(world: &World, call: &Call, kind: &str, name: &str) -> (String, Context) {
    if name.starts_with("arn:") {
        let policy = world.directories.get(&call.caller.account).and_then(|own| own.policies.get(name));
        return (name.to_owned(), policy.map(|policy| of_tags(&policy.tags, "iam")).unwrap_or_default());
    }
    let account = &call.caller.account;
    let directory = world.directories.get(account);
    let found = directory.and_then(|directory| match kind {
        "role" => directory.roles.get(name).map(|role| (role.arn.clone(), &role.tags, &role.grants)),
        "user" => directory.users.get(name).map(|user| (user.arn.clone(), &user.tags, &user.grants)),
        _ => None,
    });
    let Some((arn, tags, grants)) = found else {
        let path = call.parameters.text("Path").unwrap_or("/");
        return (format!("arn:aws:iam::{account}:{kind}{path}{name}"), Context::new());
    };
    let mut context = of_tags(tags, "iam");
    if let Some(boundary) = &grants.boundary {
        set(&mut context, "iam:PermissionsBoundary", boundary);
    }
    (arn, context)
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

//! Users: identities with access keys that last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::{page, path, path_prefix, time, within};
use super::grants::{self, Grants};
use super::tags::{self, Tags};
use super::{conflict, limit, no_such_entity};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::identity::Identity;
use crate::quotas;
use crate::validation;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateUser", &["UserName", "Path", "PermissionsBoundary", "Tags"], create)
        .on(&[("UserName", "user")]),
    Operation::new("GetUser", &["UserName"], get).on(&[("UserName", "user")]),
    Operation::new("ListUsers", &["PathPrefix", "Marker", "MaxItems"], list),
    Operation::new("DeleteUser", &["UserName"], delete).on(&[("UserName", "user")]),
];

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) arn: String,
    made_at: Timestamp,
    pub(super) grants: Grants,
    pub(super) tags: Tags,
    /// Its access keys, and since when it has them.
    pub(super) keys: Vec<(String, Timestamp)>,
}

/// Returns the user that a call names; a user who names none means itself.
pub(super) fn named<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut User, Refusal> {
    let name = match &call.caller.identity {
        Identity::User(name) if !call.parameters.0.contains_key("UserName") => name,
        Identity::User(_) | Identity::Administrator | Identity::Role(_) | Identity::Nobody => {
            validation::name(&call.parameters, "UserName", 64)?
        }
    };
    let found = world.directory(&call.caller.account).users.get_mut(name);
    found.ok_or_else(|| no_such_entity(format!("The user with name {name} cannot be found.")))
}

/// Returns a user as answers have it.
pub(super) fn shown(user: &User) -> Value {
    json!({
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": time(user.made_at),
        "PermissionsBoundary": user.grants.shown_boundary(),
        "Tags": tags::shown(&user.tags),
    })
}

fn create(world: &mut World, call: &Call) -> Answer {
    let name = validation::name(&call.parameters, "UserName", 64)?;
    let path = path(&call.parameters)?;
    let boundary = grants::boundary(world, call)?;
    let tags = tags::given(&call.parameters)?;
    let account = &call.caller.account;
    let most = world.quota(&call.caller.account, quotas::USERS);
    let users = &world.directory(account).users;
    if users.keys().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(conflict("EntityAlreadyExists", format!("User with name {name} already exists.")));
    }
    if users.len() >= most {
        return Err(limit("UsersPerAccount", most));
    }
    let user = User {
        name: name.to_owned(),
        arn: format!("arn:aws:iam::{account}:user{path}{name}"),
        path,
        id: world.new_unique_id("AIDA"),
        made_at: world.now(),
        grants: Grants { boundary, ..Grants::default() },
        tags,
        keys: Vec::new(),
    };
    let answer = within("User", shown(&user));
    world.directory(account).users.insert(name.to_owned(), user);
    Ok(answer)
}

fn get(world: &mut World, call: &Call) -> Answer {
    Ok(within("User", shown(named(world, call)?)))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let has_prefix = path_prefix(&call.parameters);
    let users = world.directory(&call.caller.account).users.iter();
    page(&call.parameters, "Users", users.filter(|(_, user)| has_prefix(&user.path)), shown)
}

/// Deletes a user: first "delete the items attached to the user", keys and policies (API reference,
/// `DeleteUser`).
fn delete(world: &mut World, call: &Call) -> Answer {
    let user = named(world, call)?;
    if !user.keys.is_empty() {
        let message = "Cannot delete entity, must delete access keys first.";
        return Err(conflict("DeleteConflict", message));
    }
    grants::check_deletable(&user.grants)?;
    let name = user.name.clone();
    world.directory(&call.caller.account).users.remove(&name);
    Ok(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Account, text};

    #[test]
    fn a_user_has_two_keys_at_most() {
        let mut account = Account::new();
        let named = json!({ "UserName": "somebody" });
        let user = account.ok("iam:CreateUser", named.clone())["User"].clone();
        assert_eq!(user["Arn"], "arn:aws:iam::111111111111:user/somebody");
        account.refused("iam:CreateUser", named.clone(), "EntityAlreadyExists");
        let first = account.ok("iam:CreateAccessKey", named.clone())["AccessKey"].clone();
        account.ok("iam:CreateAccessKey", named.clone());
        account.refused("iam:CreateAccessKey", named.clone(), "LimitExceeded");
        account.with(&first, |somebody| {
            let identity = somebody.ok("sts:GetCallerIdentity", json!({}));
            assert_eq!((&identity["Arn"], &identity["UserId"]), (&user["Arn"], &user["UserId"]));
            // "If a user name is not specified, IAM determines the user name implicitly."
            assert_eq!(somebody.ok("iam:GetUser", json!({}))["User"]["UserName"], "somebody");
        });
        account.refused("iam:DeleteUser", named.clone(), "DeleteConflict");
        let listed = account.ok("iam:ListAccessKeys", named.clone());
        for key in listed["AccessKeyMetadata"].as_array().into_iter().flatten() {
            let key = json!({ "UserName": "somebody", "AccessKeyId": key["AccessKeyId"] });
            account.ok("iam:DeleteAccessKey", key.clone());
            account.refused("iam:DeleteAccessKey", key, "NoSuchEntity");
        }
        account.ok("iam:DeleteUser", named.clone());
        account.refused("iam:GetUser", named, "NoSuchEntity");
    }

    #[test]
    fn a_key_can_be_switched_off() {
        let mut account = Account::new();
        let named = json!({ "UserName": "somebody" });
        account.ok("iam:CreateUser", named.clone());
        let key = text(&account.ok("iam:CreateAccessKey", named.clone())["AccessKey"]["AccessKeyId"]);
        let status = |status: &str| json!({ "UserName": "somebody", "AccessKeyId": key, "Status": status });
        account.refused("iam:UpdateAccessKey", status("Lost"), "ValidationError");
        account.ok("iam:UpdateAccessKey", status("Inactive"));
        assert!(!account.world().credentials[&key].active);
        let listed = account.ok("iam:ListAccessKeys", named);
        assert_eq!(listed["AccessKeyMetadata"][0]["Status"], "Inactive");
    }
}

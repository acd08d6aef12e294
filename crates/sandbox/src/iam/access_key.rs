//! Access keys of users.

use serde_json::{Value, json};

use super::answers::{page, time, within};
use super::{limit, no_such_entity, user};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::identity::{Caller, Credentials, Identity};
use crate::validation;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateAccessKey", &["UserName"], create).on(&[("UserName", "user")]),
    Operation::new("UpdateAccessKey", &["UserName", "AccessKeyId", "Status"], update)
        .on(&[("UserName", "user")]),
    Operation::new("ListAccessKeys", &["UserName", "Marker", "MaxItems"], list).on(&[("UserName", "user")]),
    Operation::new("DeleteAccessKey", &["UserName", "AccessKeyId"], delete).on(&[("UserName", "user")]),
];

/// How many access keys a user may have (quota "Access keys per IAM user").
const MOST: usize = 2;

fn create(world: &mut World, call: &Call) -> Answer {
    let user = user::named(world, call)?.clone();
    if user.keys.len() >= MOST {
        return Err(limit("AccessKeysPerUser", MOST));
    }
    let (key, secret_key) = world.new_key("AKIA");
    let made_at = world.now();
    let caller = Caller {
        account: call.caller.account.clone(),
        arn: user.arn,
        user_id: user.id,
        identity: Identity::User(user.name.clone()),
    };
    let answer = json!({
        "UserName": user.name,
        "AccessKeyId": key,
        "Status": "Active",
        "SecretAccessKey": secret_key,
        "CreateDate": time(made_at),
    });
    user::named(world, call)?.keys.push((key.clone(), made_at));
    let credentials = Credentials { secret_key, session_token: None, caller, expires: None, active: true };
    world.credentials.insert(key, credentials);
    Ok(within("AccessKey", answer))
}

/// Returns the key that a call names, which has to be one of the user's.
fn named<'a>(world: &mut World, call: &'a Call) -> Result<&'a str, Refusal> {
    let key = validation::required(&call.parameters, "AccessKeyId")?;
    let is_of_user = user::named(world, call)?.keys.iter().any(|(known, _)| known == key);
    let message = format!("The Access Key with id {key} cannot be found.");
    is_of_user.then_some(key).ok_or_else(|| no_such_entity(message))
}

fn update(world: &mut World, call: &Call) -> Answer {
    let status = validation::required(&call.parameters, "Status")?;
    if !["Active", "Inactive"].contains(&status) {
        let constraint = "Member must satisfy enum value set: [Active, Inactive]";
        return Err(validation::failed("Status", status, constraint));
    }
    let key = named(world, call)?;
    if let Some(credentials) = world.credentials.get_mut(key) {
        credentials.active = status == "Active";
    }
    Ok(Value::Null)
}

fn list(world: &mut World, call: &Call) -> Answer {
    let user = user::named(world, call)?.clone();
    let status = |key: &String| {
        let is_active = world.credentials.get(key).is_some_and(|credentials| credentials.active);
        if is_active { "Active" } else { "Inactive" }
    };
    let keys = user.keys.iter().map(|entry| (&entry.0, entry));
    page(&call.parameters, "AccessKeyMetadata", keys, |(key, made_at)| {
        json!({
            "UserName": user.name,
            "AccessKeyId": key,
            "Status": status(key),
            "CreateDate": time(*made_at),
        })
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let key = named(world, call)?;
    world.credentials.remove(key);
    user::named(world, call)?.keys.retain(|(known, _)| known != key);
    Ok(Value::Null)
}

//! STS: who somebody is, and credentials of roles.

mod assume_role;
mod pods;
mod session;
mod web_identity;

use serde_json::json;

use crate::call::{Answer, Call, Operation, Permission, Refusal};
use crate::validation;
use crate::world::World;
pub(crate) use pods::{PodRole, PodSession, assume_for_pod};

const OPERATIONS: &[Operation] = &[
    // "No permissions are required to perform this operation."
    Operation::new("GetCallerIdentity", &[], get_caller_identity).with(Permission::Free),
    Operation::new("GetAccessKeyInfo", &["AccessKeyId"], get_access_key_info),
    Operation::new("DecodeAuthorizationMessage", &["EncodedMessage"], decode_authorization_message),
];

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    [OPERATIONS, assume_role::OPERATIONS, web_identity::OPERATIONS].into_iter().flatten()
}

#[expect(clippy::unnecessary_wraps, reason = "every operation has this type")]
fn get_caller_identity(_: &mut World, call: &Call) -> Answer {
    let caller = &call.caller;
    Ok(json!({ "UserId": caller.user_id, "Account": caller.account.as_str(), "Arn": caller.arn }))
}

fn get_access_key_info(world: &mut World, call: &Call) -> Answer {
    let key = validation::required(&call.parameters, "AccessKeyId")?;
    let issued = world.credentials.get(key).map(|credentials| credentials.caller.account.clone());
    let account = issued.or_else(|| key.parse().ok()).ok_or_else(|| {
        let message = format!("Access key {key} is not known");
        Refusal::new("ValidationError", message)
    })?;
    Ok(json!({ "Account": account.as_str() }))
}

fn decode_authorization_message(_: &mut World, call: &Call) -> Answer {
    let encoded = validation::required(&call.parameters, "EncodedMessage")?;
    let decoded = crate::access::decoded_denial(encoded).ok_or_else(|| {
        Refusal::new("InvalidAuthorizationMessageException", "The specified message is not valid.")
    })?;
    Ok(json!({ "DecodedMessage": decoded }))
}

//! STS: who somebody is.

use serde_json::json;

use crate::call::{Answer, Call, Operation};
use crate::world::World;

/// The operations.
pub(crate) const OPERATIONS: &[Operation] = &[Operation::new("GetCallerIdentity", &[], get_caller_identity)];

#[expect(clippy::unnecessary_wraps, reason = "every operation has this type")]
fn get_caller_identity(_: &mut World, call: &Call) -> Answer {
    let caller = &call.caller;
    Ok(json!({ "Arn": caller.arn, "UserId": caller.user_id, "Account": caller.account.as_str() }))
}

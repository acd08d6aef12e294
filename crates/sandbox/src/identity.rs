//! Who calls: from the credentials of a request to an account and a principal in it.

use crate::call::Refusal;
use crate::server::Incoming;
use crate::signature::Authorization;
use crate::world::{AccountId, World};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    /// The principal, such as `arn:aws:iam::111122223333:root`.
    pub(crate) arn: String,
    /// The principal's unique id; an account's own is its number.
    pub(crate) user_id: String,
}

impl Caller {
    /// Returns the administrator of an account.
    pub(crate) fn administrator(account: AccountId) -> Self {
        let arn = format!("arn:aws:iam::{account}:root");
        Self { user_id: account.to_string(), arn, account }
    }
}

/// The access key of the management account's administrator, as known from other emulators.
const WELL_KNOWN_KEY: &str = "test";

/// Finds out who signed a request.
///
/// An access key that is a number of twelve digits is the administrator of that account, whatever
/// the secret: a sandbox has nothing to hide. Credentials that it issued itself are verified.
///
/// # Errors
/// With the codes that the services answer to unknown keys and wrong signatures.
pub(crate) fn caller(
    world: &World,
    authorization: &Authorization,
    request: &Incoming,
) -> Result<Caller, Refusal> {
    let key = authorization.access_key.as_str();
    if key == WELL_KNOWN_KEY {
        return Ok(Caller::administrator(world.organization.management.clone()));
    }
    if let Ok(account) = key.parse::<AccountId>() {
        return if world.organization.accounts.contains_key(&account) {
            Ok(Caller::administrator(account))
        } else {
            Err(unknown_key(&format!("there is no account {account}")))
        };
    }
    let Some(credentials) = world.credentials.get(key) else {
        return Err(unknown_key("the access key was not issued here"));
    };
    let token = request.header("x-amz-security-token");
    if token != credentials.session_token.as_deref() {
        return Err(unknown_key("the session token is not the one of the access key"));
    }
    if !authorization.is_of(&credentials.secret_key, request) {
        let message = "The request signature we calculated does not match the signature you provided.";
        return Err(Refusal::forbidden("SignatureDoesNotMatch", message));
    }
    if credentials.expires.is_some_and(|expires| expires <= world.now()) {
        return Err(Refusal::forbidden(
            "ExpiredToken",
            "The security token included in the request is expired",
        ));
    }
    Ok(credentials.caller())
}

fn unknown_key(why: &str) -> Refusal {
    let message = format!("The security token included in the request is invalid: {why}");
    Refusal::forbidden("InvalidClientTokenId", message)
}

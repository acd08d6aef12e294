//! Who calls: from the credentials of a request to an account and a principal in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::Refusal;
use crate::policy::Principal;
use crate::protocol::Service;
use crate::server::Incoming;
use crate::signature::Authorization;
use crate::world::{AccountId, World};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    /// The principal, such as `arn:aws:iam::111122223333:root`.
    pub(crate) arn: String,
    /// The principal's unique id; an account's own is its number.
    pub(crate) user_id: String,
    pub(crate) identity: Identity,
}

/// What a caller is, which tells what restricts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Identity {
    /// Of an account, whom no policy restricts.
    Administrator,
    /// A user of IAM, by name.
    User(String),
    /// Somebody who assumed a role.
    Role(Session),
    /// Somebody without credentials, who may only bring those of another provider.
    Nobody,
}

/// An assumed role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) role_name: String,
    pub(crate) role_arn: String,
    /// Tells the role from another one that has its name later.
    pub(crate) role_id: String,
    /// A policy that restricts the session further.
    pub(crate) policy: Option<String>,
    /// Managed policies that do the same.
    pub(crate) policy_arns: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The keys of the tags that the next role in a chain gets too.
    pub(crate) transitive: Vec<String>,
}

/// Credentials that the sandbox issued.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) secret_key: String,
    pub(crate) session_token: Option<String>,
    pub(crate) caller: Caller,
    /// Those of users do not expire.
    pub(crate) expires: Option<Timestamp>,
    /// Those of users can be switched off.
    pub(crate) active: bool,
}

impl Caller {
    /// Returns the administrator of an account.
    pub(crate) fn administrator(account: AccountId) -> Self {
        let arn = format!("arn:aws:iam::{account}:root");
        Self { user_id: account.to_string(), arn, account, identity: Identity::Administrator }
    }

    /// Returns somebody without credentials. What is asked so is counted on the account that
    /// manages the organization.
    fn nobody(account: AccountId) -> Self {
        let unknown = "anonymous".to_owned();
        Self { account, arn: unknown.clone(), user_id: unknown, identity: Identity::Nobody }
    }

    /// Returns the names by which a policy may mean the caller itself, its account aside.
    pub(crate) fn own_names(&self) -> Vec<Principal> {
        match &self.identity {
            Identity::Administrator | Identity::User(_) => vec![Principal::Aws(self.arn.clone())],
            Identity::Role(session) => {
                vec![Principal::Aws(self.arn.clone()), Principal::Aws(session.role_arn.clone())]
            }
            Identity::Nobody => Vec::new(),
        }
    }

    /// Returns the name by which a policy means everybody whom the caller's account trusts.
    pub(crate) fn account_name(&self) -> Principal {
        Principal::Aws(format!("arn:aws:iam::{}:root", self.account))
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
/// With the codes that the services answer to unknown keys, wrong signatures and old credentials.
pub(crate) fn caller(
    world: &World,
    service: Service,
    authorization: &Authorization,
    request: &Incoming,
) -> Result<Caller, Refusal> {
    let key = authorization.access_key.as_str();
    if authorization.is_unsigned() {
        return Ok(Caller::nobody(world.organization.management.clone()));
    }
    if key == WELL_KNOWN_KEY {
        return Ok(Caller::administrator(world.organization.management.clone()));
    }
    if let Ok(account) = key.parse::<AccountId>() {
        return if world.organization.accounts.contains_key(&account) {
            Ok(Caller::administrator(account))
        } else {
            Err(Trouble::UnknownKey("there is no such account").refusal(service))
        };
    }
    let credentials = world.credentials.get(key).filter(|credentials| credentials.active);
    let credentials = credentials.ok_or_else(|| {
        let why = "the access key was not issued here, or is not active";
        Trouble::UnknownKey(why).refusal(service)
    })?;
    let token = request.header("x-amz-security-token");
    if token != credentials.session_token.as_deref() {
        let why = "the session token is not the one of the access key";
        return Err(Trouble::UnknownKey(why).refusal(service));
    }
    if !authorization.is_of(&credentials.secret_key, request) {
        return Err(Trouble::Signature.refusal(service));
    }
    if credentials.expires.is_some_and(|expires| expires <= world.now()) {
        return Err(Trouble::Expired.refusal(service));
    }
    Ok(credentials.caller.clone())
}

/// What is wrong with credentials.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    UnknownKey(&'static str),
    Signature,
    Expired,
}

impl Trouble {
    /// Returns what a service says: EC2, the query services and those of JSON have codes of their
    /// own ("Common errors" of the API references).
    fn refusal(self, service: Service) -> Refusal {
        let (ec2, query, json) = match self {
            Self::UnknownKey(_) => ("AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"),
            Self::Signature => ("AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException"),
            Self::Expired => ("RequestExpired", "ExpiredToken", "ExpiredTokenException"),
        };
        match service {
            Service::Ec2 => {
                let status = if matches!(self, Self::Expired) { 400 } else { 401 };
                Refusal { status, ..Refusal::new(ec2, self.message(true)) }
            }
            Service::Iam | Service::Sts => Refusal::forbidden(query, self.message(false)),
            Service::Organizations | Service::Ram => Refusal::new(json, self.message(false)),
        }
    }

    fn message(self, is_ec2: bool) -> String {
        match self {
            Self::UnknownKey(why) if is_ec2 => {
                format!("AWS was not able to validate the provided access credentials: {why}")
            }
            Self::UnknownKey(why) => {
                format!("The security token included in the request is invalid: {why}")
            }
            Self::Signature => {
                "The request signature we calculated does not match the signature you provided.".to_owned()
            }
            Self::Expired if is_ec2 => "Request has expired.".to_owned(),
            Self::Expired => "The security token included in the request is expired".to_owned(),
        }
    }
}

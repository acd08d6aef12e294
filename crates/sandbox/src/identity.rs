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
    pub(crate) fn nobody(account: AccountId) -> Self {
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

/// Returns what a service says to credentials that have expired.
pub(crate) fn expired(service: Service) -> Refusal {
    Trouble::Expired.refusal(service)
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
            Service::Elb | Service::Iam | Service::Sts => Refusal::forbidden(query, self.message(false)),
            Service::Kubernetes => Refusal { status: 401, ..Refusal::new("Unauthorized", "Unauthorized") },
            Service::Eks
            | Service::EksAuth
            | Service::Organizations
            | Service::Quotas
            | Service::Ram
            | Service::Tagging => Refusal::new(json, self.message(false)),
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

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;
    use serde_json::{Value, json};

    use crate::dispatch;
    use crate::protocol;
    use crate::server::{Incoming, Outgoing};
    use crate::signature::sign;
    use crate::testing::{Account, text};

    /// Answers a request.
    fn answer(account: &mut Account, incoming: &Incoming) -> Outgoing {
        let request = match dispatch::read(incoming, "id") {
            Ok(request) => request,
            Err(answer) => return *answer,
        };
        let (service, operation) = (request.service, request.operation.clone());
        let world = account.world();
        let answer = super::caller(world, service, &request.authorization, incoming)
            .and_then(|caller| dispatch::run(world, &request.into_call(caller)));
        protocol::write(service, &operation, &answer, "id")
    }

    /// Asks a service who somebody is, or for VPCs, with credentials.
    fn ask(account: &mut Account, service: &str, credentials: &Value) -> Outgoing {
        let form: &[u8] = if service == "sts" { b"Action=GetCallerIdentity" } else { b"Action=DescribeVpcs" };
        let mut request = Incoming::post(form);
        if let Some(token) = credentials["SessionToken"].as_str() {
            let token = HeaderValue::from_str(token).expect("it is the text of a header");
            request.headers.insert("x-amz-security-token", token);
        }
        let key = |name: &str| text(&credentials[name]);
        sign(&mut request, service, &key("AccessKeyId"), &key("SecretAccessKey"));
        answer(account, &request)
    }

    #[track_caller]
    fn check(account: &mut Account, service: &str, credentials: &Value, status: u16, said: &str) {
        let answer = ask(account, service, credentials);
        let body = String::from_utf8(answer.body).expect("it is text");
        assert!(answer.status == status && body.contains(said), "{} {body}", answer.status);
    }

    fn session(account: &mut Account) -> Value {
        let role = json!({
            "RoleArn": "arn:aws:iam::222222222222:role/Deployer",
            "RoleSessionName": "run",
            "DurationSeconds": 900,
        });
        account.ok("sts:AssumeRole", role)["Credentials"].clone()
    }

    #[test]
    fn numbers_and_test_are_administrators() {
        let mut account = Account::new();
        for (key, arn) in [
            ("test", "arn:aws:iam::111111111111:root"),
            ("111111111111", "arn:aws:iam::111111111111:root"),
            ("222222222222", "arn:aws:iam::222222222222:root"),
        ] {
            let credentials = json!({ "AccessKeyId": key, "SecretAccessKey": "any" });
            check(&mut account, "sts", &credentials, 200, arn);
        }
        for key in ["999999999999", "AKIAEXAMPLE"] {
            let credentials = json!({ "AccessKeyId": key, "SecretAccessKey": "any" });
            check(&mut account, "sts", &credentials, 403, "InvalidClientTokenId");
            check(&mut account, "ec2", &credentials, 401, "AuthFailure");
        }
    }

    #[test]
    fn issued_credentials_are_verified() {
        let mut account = Account::new();
        let credentials = session(&mut account);
        check(&mut account, "sts", &credentials, 200, "arn:aws:sts::222222222222:assumed-role/Deployer/run");
        for (name, value, code, of_ec2) in [
            ("SecretAccessKey", json!("wrong"), "SignatureDoesNotMatch", "AuthFailure"),
            ("SessionToken", json!("wrong"), "InvalidClientTokenId", "AuthFailure"),
            ("SessionToken", Value::Null, "InvalidClientTokenId", "AuthFailure"),
        ] {
            let mut wrong = credentials.clone();
            wrong[name] = value;
            check(&mut account, "sts", &wrong, 403, code);
            check(&mut account, "ec2", &wrong, 401, of_ec2);
        }
    }

    #[test]
    fn sessions_end() {
        let mut account = Account::new();
        let credentials = session(&mut account);
        account.wait(899);
        check(&mut account, "ec2", &credentials, 200, "vpcSet");
        account.wait(1);
        check(&mut account, "sts", &credentials, 403, "ExpiredToken");
        check(&mut account, "ec2", &credentials, 400, "RequestExpired");
    }

    #[test]
    fn users_call_with_keys_that_are_active() {
        let mut account = Account::new();
        account.ok("iam:CreateUser", json!({ "UserName": "somebody" }));
        let key = account.ok("iam:CreateAccessKey", json!({ "UserName": "somebody" }))["AccessKey"].clone();
        check(&mut account, "sts", &key, 200, "arn:aws:iam::111111111111:user/somebody");
        let off = json!({
            "UserName": "somebody",
            "AccessKeyId": key["AccessKeyId"],
            "Status": "Inactive",
        });
        account.ok("iam:UpdateAccessKey", off);
        check(&mut account, "sts", &key, 403, "InvalidClientTokenId");
    }

    /// The request of a controller, which has nothing but the token of its cluster.
    #[test]
    fn web_identities_come_unsigned() {
        let mut account = Account::new();
        let form = b"Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::111111111111:role/Deployer\
            &RoleSessionName=run&WebIdentityToken=x";
        let refused = answer(&mut account, &Incoming::post(form));
        let body = String::from_utf8(refused.body).expect("it is text");
        assert!(refused.status == 400 && body.contains("InvalidIdentityToken"), "{body}");
        let other = answer(&mut account, &Incoming::post(b"Action=GetCallerIdentity"));
        assert_eq!(other.status, 403);
    }
}

//! Whose credentials a controller acts with: a role for its account of the cluster, or its instance's.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::object::{text, texts};
use super::reach::{AwsError, Done, SERVICE_ACCOUNT, Trouble};
use super::work::Work;
use crate::protocol::Service;

/// The credentials that a controller has.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    own: Option<Issued>,
    /// Those of roles that bindings name, by the role and the external id.
    assumed: BTreeMap<(String, String), Issued>,
}

/// Credentials that were issued.
#[derive(Debug, Clone)]
struct Issued {
    access_key: String,
    expires: Timestamp,
}

/// How long before their end credentials are replaced.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);
/// What sessions are called.
const SESSION: &str = "lbc-session";

impl Credentials {
    /// Returns the access key that the controller itself has; `None` if there is nobody who gives it one.
    ///
    /// # Errors
    /// If its role does not trust it.
    pub(super) fn access_key(work: &mut Work<'_>) -> Done<Option<String>> {
        let now = work.reach.now();
        if let Some(issued) = work.memory.credentials.own.as_ref().filter(|issued| issued.holds(now)) {
            return Ok(Some(issued.access_key.clone()));
        }
        let (namespace, name) = &work.settings.account;
        let account = SERVICE_ACCOUNT.get(work.reach, Some(namespace), name)?.unwrap_or_default();
        let role = texts(&account, "/metadata/annotations").remove("eks.amazonaws.com/role-arn");
        let issued = match role.filter(|role| !role.is_empty()) {
            Some(role) => by_web_identity(work, &role)?,
            None => match work.reach.pod_credentials() {
                Ok(answer) => Issued::read(&answer),
                Err(why) => return Err(Trouble::other(without_credentials(work, &why))),
            },
        };
        work.memory.credentials.own = Some(issued.clone());
        Ok(Some(issued.access_key))
    }

    /// Returns the access key for a role that a binding names.
    pub(super) fn assumed_key(work: &mut Work<'_>, role: &str, external_id: &str) -> Done<String> {
        let now = work.reach.now();
        let key = (role.to_owned(), external_id.to_owned());
        if let Some(issued) = work.memory.credentials.assumed.get(&key).filter(|issued| issued.holds(now)) {
            return Ok(issued.access_key.clone());
        }
        let mut parameters = json!({ "RoleArn": role, "RoleSessionName": SESSION });
        if !external_id.is_empty() {
            parameters["ExternalId"] = json!(external_id);
        }
        let issued = Issued::read(&work.call(Service::Sts, "AssumeRole", parameters)?);
        work.memory.credentials.assumed.insert(key, issued.clone());
        Ok(issued.access_key)
    }
}

impl Issued {
    fn read(answer: &Value) -> Self {
        let expires = text(answer, "/Credentials/Expiration").parse().unwrap_or(Timestamp::MAX);
        Self { access_key: text(answer, "/Credentials/AccessKeyId").to_owned(), expires }
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.expires.duration_since(now) > MARGIN
    }
}

/// Assumes the role that the account of the controller is annotated with.
fn by_web_identity(work: &mut Work<'_>, role: &str) -> Done<Issued> {
    let token = work.reach.web_identity();
    let parameters = json!({ "RoleArn": role, "RoleSessionName": SESSION, "WebIdentityToken": token });
    let answer = work.reach.aws(None, Service::Sts, "AssumeRoleWithWebIdentity", parameters);
    match answer {
        Ok(answer) => Ok(Issued::read(&answer)),
        Err(error) => Err(no_credentials(work, &error)),
    }
}

/// Says why there are no credentials, in the words of the controller's SDK.
fn no_credentials(work: &Work<'_>, error: &AwsError) -> Trouble {
    let trouble = work.refused(error.clone());
    let text = if work.settings.is_since(2, 10) {
        without_credentials(work, &trouble.to_string())
    } else {
        format!("WebIdentityErr: failed to retrieve credentials\ncaused by: {trouble}")
    };
    Trouble::Aws { error: Box::new(error.clone()), text }
}

fn without_credentials(work: &Work<'_>, why: &str) -> String {
    if work.settings.is_since(2, 10) {
        format!("get identity: get credentials: failed to refresh cached credentials, {why}")
    } else {
        format!("NoCredentialProviders: no valid providers in chain\ncaused by: {why}")
    }
}

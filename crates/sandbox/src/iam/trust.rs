//! Trust policies: who may assume a role, with names that follow those whom they mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{limit, size};
use crate::call::Refusal;
use crate::policy::{Document, Malformed, Principal};
use crate::world::{AccountId, World};

/// How long a trust policy may be (quota "Role trust policy length").
const MOST_CHARACTERS: usize = 2048;

/// A trust policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trust {
    document: Value,
    /// The unique ids of the roles and users that were named, by their ARNs: "IAM transforms the
    /// ARN to the unique principal ID when you save the policy", so that another one which gets the
    /// name later is not meant.
    ids: BTreeMap<String, String>,
}

/// What is known of a principal that a policy names.
enum Standing {
    /// It exists; roles and users have a unique id.
    Known(Option<String>),
    Unknown,
}

impl Trust {
    /// Reads a trust policy and looks its principals up.
    pub(super) fn read(world: &World, text: &str) -> Result<Self, Refusal> {
        let document = Document::trust(text).map_err(malformed)?;
        if size(text) > MOST_CHARACTERS {
            return Err(limit("ACLSizePerRole", MOST_CHARACTERS));
        }
        let mut ids = BTreeMap::new();
        for principal in document.principals() {
            let (kind, name) = match principal {
                Principal::Aws(name) => ("AWS", name),
                Principal::Federated(name) => ("Federated", name),
                Principal::Service(name) => ("Service", name),
            };
            match standing(world, principal) {
                Standing::Known(id) => ids.extend(id.map(|id| (name.clone(), id))),
                Standing::Unknown => {
                    let message = format!("Invalid principal in policy: \"{kind}\":\"{name}\"");
                    return Err(Refusal::new("MalformedPolicyDocument", message));
                }
            }
        }
        let document = serde_json::from_str(text).expect("it was read as JSON before");
        Ok(Self { document, ids })
    }

    /// Returns the policy of a role that trusts an account.
    pub(super) fn of_account(account: &AccountId) -> Self {
        let document = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
                "Action": ["sts:AssumeRole", "sts:TagSession"],
            }],
        });
        Self { document, ids: BTreeMap::new() }
    }

    /// Returns the policy of a role that a service assumes.
    pub(super) fn of_service(service: &str) -> Self {
        let document = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": service },
                "Action": "sts:AssumeRole",
            }],
        });
        Self { document, ids: BTreeMap::new() }
    }

    /// Returns the document as it is now: who was deleted is named by the unique id that nobody
    /// has any more, and account numbers are ARNs.
    pub(crate) fn document(&self, world: &World) -> String {
        let mut document = self.document.clone();
        let statements = match document.get_mut("Statement") {
            Some(Value::Array(statements)) => statements.as_mut_slice(),
            Some(statement) => std::slice::from_mut(statement),
            None => &mut [],
        };
        for statement in statements {
            for element in ["Principal", "NotPrincipal"] {
                match statement.get_mut(element).and_then(|principals| principals.get_mut("AWS")) {
                    Some(Value::Array(names)) => names.iter_mut().for_each(|name| self.rename(world, name)),
                    Some(name) => self.rename(world, name),
                    None => {}
                }
            }
        }
        document.to_string()
    }

    fn rename(&self, world: &World, name: &mut Value) {
        let Some(text) = name.as_str() else { return };
        if let Ok(account) = text.parse::<AccountId>() {
            *name = Value::String(format!("arn:aws:iam::{account}:root"));
        } else if let Some(id) = self.ids.get(text)
            && unique_id(world, text) != Some(id.as_str())
        {
            *name = Value::String(id.clone());
        }
    }
}

/// Refuses a document.
#[expect(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
pub(super) fn malformed(malformed: Malformed) -> Refusal {
    Refusal::new("MalformedPolicyDocument", malformed.to_string())
}

/// Tells whether a principal exists. Of accounts outside of the organization nothing is known
/// here, so they are taken for existing.
fn standing(world: &World, principal: &Principal) -> Standing {
    let name = match principal {
        Principal::Aws(name) => name,
        Principal::Service(name) if name.ends_with(".amazonaws.com") => return Standing::Known(None),
        Principal::Federated(name) if name.starts_with("arn:aws:iam::") || name.contains('.') => {
            return Standing::Known(None);
        }
        Principal::Service(_) | Principal::Federated(_) => return Standing::Unknown,
    };
    let parts: Vec<_> = name.splitn(6, ':').collect();
    let ["arn", "aws", service @ ("iam" | "sts"), "", account, thing] = parts[..] else {
        return Standing::Unknown;
    };
    let Ok(account) = account.parse::<AccountId>() else { return Standing::Unknown };
    let Some(directory) = world.directories.get(&account) else { return Standing::Known(None) };
    match thing.split_once('/') {
        None if thing == "root" && service == "iam" => Standing::Known(None),
        Some(("assumed-role", session)) if service == "sts" => {
            let role = session.split('/').next().unwrap_or_default();
            if directory.roles.contains_key(role) { Standing::Known(None) } else { Standing::Unknown }
        }
        Some(("role" | "user", _)) if service == "iam" => {
            unique_id(world, name).map_or(Standing::Unknown, |id| Standing::Known(Some(id.to_owned())))
        }
        _ => Standing::Unknown,
    }
}

/// Returns the unique id of the role or user with this ARN, if there is one and it is known yet.
pub(super) fn unique_id<'a>(world: &'a World, arn: &str) -> Option<&'a str> {
    let (account, thing) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
    let directory = world.directories.get(&account.parse::<AccountId>().ok()?)?;
    let (kind, path) = thing.split_once('/')?;
    let name = path.rsplit('/').next()?;
    let (id, known_arn) = match kind {
        "role" => {
            let role = directory.roles.get(name).filter(|role| role.is_known(world))?;
            (&role.id, &role.arn)
        }
        "user" => {
            let user = directory.users.get(name)?;
            (&user.id, &user.arn)
        }
        _ => return None,
    };
    (known_arn == arn).then_some(id)
}

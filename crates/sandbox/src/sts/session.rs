//! Sessions: what a call wants one to be, and the credentials that it gets.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::call::{Parameters, Refusal};
use crate::iam::{self, Role};
use crate::identity::{Caller, Credentials, Identity, Session};
use crate::policy::Document;
use crate::validation;
use crate::world::{AccountId, World, later};

/// How long a session is that nobody says more about, in seconds.
const USUAL: i64 = 3600;

/// The bounds of what a session may be asked to last, in seconds (API reference, `AssumeRole`).
const BOUNDS: (i64, i64) = (900, 43_200);

/// The role that a call names.
pub(super) struct Assumed {
    pub(super) account: AccountId,
    pub(super) role: Role,
}

/// Returns the role with an ARN, if there is one that STS knows yet.
pub(super) fn role(world: &World, arn: &str) -> Result<Option<Assumed>, Refusal> {
    let account_and_path = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
    let Some((account, path)) = account_and_path else {
        return Err(Refusal::new("ValidationError", format!("{arn} is invalid")));
    };
    let account: AccountId =
        account.parse().map_err(|_| Refusal::new("ValidationError", format!("{arn} is invalid")))?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let role = world.directories.get(&account).and_then(|directory| directory.roles.get(name));
    let role = role.filter(|role| role.arn == arn && role.is_known(world)).cloned();
    Ok(role.map(|role| Assumed { account, role }))
}

/// What a call wants a session to be.
pub(super) struct Wanted {
    name: String,
    /// In seconds.
    duration: i64,
    policy: Option<String>,
    policy_arns: Vec<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) transitive: Vec<String>,
}

impl Wanted {
    /// Reads what a call wants.
    pub(super) fn read(parameters: &Parameters) -> Result<Self, Refusal> {
        let duration = validation::integer(parameters, "DurationSeconds", BOUNDS.0, BOUNDS.1)?;
        let policy = parameters.text("Policy").filter(|text| !text.is_empty());
        if let Some(policy) = policy {
            validation::length("Policy", policy, 1, 2048)?;
            Document::permissions(policy)
                .map_err(|malformed| Refusal::new("MalformedPolicyDocument", malformed.to_string()))?;
        }
        let arns = parameters.tables("PolicyArns");
        let policy_arns = arns.iter().map(|arn| validation::required(arn, "arn").map(str::to_owned));
        Ok(Self {
            name: session_name(parameters)?,
            duration: duration.unwrap_or(USUAL),
            policy: policy.map(str::to_owned),
            policy_arns: policy_arns.collect::<Result<_, _>>()?,
            tags: iam::given_tags(parameters)?,
            transitive: parameters.texts("TransitiveTagKeys").into_iter().map(str::to_owned).collect(),
        })
    }

    /// Returns what the session of a pod is to be. Its tags go along to the next role in a chain.
    pub(super) fn of_pod(
        name: String,
        duration: i64,
        policy: Option<String>,
        tags: BTreeMap<String, String>,
    ) -> Self {
        let transitive = tags.keys().cloned().collect();
        Self { name, duration, policy, policy_arns: Vec::new(), tags, transitive }
    }

    /// Checks how long the session may be.
    pub(super) fn check_duration(&self, role: &Role, caller: &Caller) -> Result<(), Refusal> {
        let is_chained = matches!(caller.identity, Identity::Role(_));
        // "Role chaining limits your role session to a maximum of one hour."
        let message = if is_chained && self.duration > USUAL {
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        } else if self.duration > role.longest_session {
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        } else {
            return Ok(());
        };
        Err(Refusal::new("ValidationError", message))
    }

    /// Checks that the managed policies exist in the role's account.
    pub(super) fn check_policies(&self, world: &World, account: &AccountId) -> Result<(), Refusal> {
        let directory = world.directories.get(account);
        let is_known = |arn: &&String| directory.is_some_and(|known| iam::document(known, arn).is_some());
        let unknown = self.policy_arns.iter().find(|arn| !is_known(arn));
        unknown.map_or(Ok(()), |arn| {
            let message = format!("ARN {arn} is not valid: there is no such policy");
            Err(Refusal::new("MalformedPolicyDocument", message))
        })
    }

    /// Issues the credentials of the session, and returns the elements of the answer.
    pub(super) fn issue(self, world: &mut World, assumed: Assumed) -> Value {
        // Whoever has the credentials lives in its own time, and gets new ones by that: at whatever
        // speed the world runs, the session is as long there as on AWS.
        let lasting = SignedDuration::from_secs(self.duration).as_secs_f64() * world.clock.speed().max(1.0);
        let expires = later(world.now(), lasting);
        let caller = self.caller(assumed);
        let user = json!({ "AssumedRoleId": caller.user_id, "Arn": caller.arn });
        json!({ "AssumedRoleUser": user, "Credentials": credentials(world, caller, expires) })
    }

    /// Returns who has the session.
    pub(super) fn caller(self, assumed: Assumed) -> Caller {
        let Assumed { account, role } = assumed;
        Caller {
            arn: format!("arn:aws:sts::{account}:assumed-role/{}/{}", role.name, self.name),
            user_id: format!("{}:{}", role.id, self.name),
            account,
            identity: Identity::Role(Session {
                role_name: role.name,
                role_arn: role.arn,
                role_id: role.id,
                policy: self.policy,
                policy_arns: self.policy_arns,
                tags: self.tags,
                transitive: self.transitive,
            }),
        }
    }
}

/// Issues credentials that expire, and returns them as answers have them.
fn credentials(world: &mut World, caller: Caller, expires: jiff::Timestamp) -> Value {
    let (key, secret_key) = world.new_key("ASIA");
    let token = [world.new_secret(), world.new_secret(), world.new_secret()].concat();
    let answer = json!({
        "AccessKeyId": key,
        "SecretAccessKey": secret_key,
        "SessionToken": token,
        "Expiration": iam::time(expires),
    });
    let session_token = Some(token);
    let credentials = Credentials { secret_key, session_token, caller, expires: Some(expires), active: true };
    world.credentials.insert(key, credentials);
    answer
}

fn session_name(parameters: &Parameters) -> Result<String, Refusal> {
    let name = validation::required(parameters, "RoleSessionName")?;
    validation::length("RoleSessionName", name, 2, 64)?;
    if !name.chars().all(validation::is_name_character) {
        let constraint = "Member must satisfy regular expression pattern: [\\w+=,.@-]*";
        return Err(validation::failed("RoleSessionName", name, constraint));
    }
    Ok(name.to_owned())
}

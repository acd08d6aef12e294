//! Versions of managed policies: at most five, one of which is in force.

use serde_json::Value;

use super::answers::{page, within};
use super::managed::{self, ManagedPolicy, POLICY, Version, check_document, own, shown_version};
use super::{aws_managed, conflict, no_such_entity};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::validation;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreatePolicyVersion", &["PolicyArn", "PolicyDocument", "SetAsDefault"], create)
        .on(POLICY),
    Operation::new("GetPolicyVersion", &["PolicyArn", "VersionId"], get).on(POLICY),
    Operation::new("ListPolicyVersions", &["PolicyArn", "Marker", "MaxItems"], list).on(POLICY),
    Operation::new("SetDefaultPolicyVersion", &["PolicyArn", "VersionId"], set_default).on(POLICY),
    Operation::new("DeletePolicyVersion", &["PolicyArn", "VersionId"], delete).on(POLICY),
];

/// How many versions a policy may have (quota "Versions per managed policy").
const MOST: usize = 5;

fn create(world: &mut World, call: &Call) -> Answer {
    let document = validation::required(&call.parameters, "PolicyDocument")?;
    check_document(document)?;
    let is_default = call.parameters.flag("SetAsDefault")?.unwrap_or_default();
    let made_at = world.now();
    let policy = own(world, call)?;
    if policy.versions.len() >= MOST {
        let message = format!(
            "A managed policy can have up to {MOST} versions. Before you create a new version, you must \
             delete an existing version."
        );
        return Err(conflict("LimitExceeded", message));
    }
    policy.last_version += 1;
    let (number, version) = (policy.last_version, Version { document: document.to_owned(), made_at });
    policy.versions.insert(number, version.clone());
    policy.updated_at = made_at;
    if is_default {
        policy.default_version = number;
    }
    Ok(within("PolicyVersion", shown_version(policy, number, &version, false)))
}

/// Returns the policy of the account or of AWS that a call names.
fn readable(world: &mut World, call: &Call) -> Result<ManagedPolicy, Refusal> {
    let arn = validation::required(&call.parameters, "PolicyArn")?;
    let own = || world.directory(&call.caller.account).policies.get(arn).cloned();
    let policy = aws_managed::find(arn).map(aws_managed::AwsManaged::policy).or_else(own);
    policy.ok_or_else(|| managed::unknown(arn))
}

/// Returns the version that a call names.
fn number(policy: &ManagedPolicy, call: &Call) -> Result<u32, Refusal> {
    let id = validation::required(&call.parameters, "VersionId")?;
    let number = id.strip_prefix('v').and_then(|number| number.parse().ok());
    number.filter(|number| policy.versions.contains_key(number)).ok_or_else(|| {
        no_such_entity(format!("Policy {} version {id} does not exist or is not attachable.", policy.arn))
    })
}

fn get(world: &mut World, call: &Call) -> Answer {
    let policy = readable(world, call)?;
    let number = number(&policy, call)?;
    Ok(within("PolicyVersion", shown_version(&policy, number, &policy.versions[&number], true)))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let policy = readable(world, call)?;
    let keyed: Vec<_> =
        policy.versions.iter().map(|version| (format!("v{:09}", version.0), version)).collect();
    let versions = keyed.iter().map(|(key, version)| (key, *version));
    page(&call.parameters, "Versions", versions, |(number, version)| {
        shown_version(&policy, *number, version, false)
    })
}

fn set_default(world: &mut World, call: &Call) -> Answer {
    let now = world.now();
    let policy = own(world, call)?;
    policy.default_version = number(policy, call)?;
    policy.updated_at = now;
    Ok(Value::Null)
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let policy = own(world, call)?;
    let number = number(policy, call)?;
    if number == policy.default_version {
        let message = "Cannot delete the default version of a policy.";
        return Err(conflict("DeleteConflict", message));
    }
    policy.versions.remove(&number);
    Ok(Value::Null)
}

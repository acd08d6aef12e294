//! Tags of roles, users, policies and whatever else of IAM has them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answers::page;
use super::profile::{self, PROFILE};
use super::provider::{self, ARN, PROVIDER};
use super::{conflict, managed, role, user};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::tagged::Tagged;
use crate::validation;
use crate::world::World;

/// The tags of a thing.
pub(super) type Tags = BTreeMap<String, String>;

/// How many tags a thing may have ("IAM and AWS STS quotas").
const MOST: usize = 50;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("TagRole", &["RoleName", "Tags"], tag).on(&[("RoleName", "role")]),
    Operation::new("UntagRole", &["RoleName", "TagKeys"], untag).on(&[("RoleName", "role")]),
    Operation::new("ListRoleTags", &["RoleName", "Marker", "MaxItems"], list).on(&[("RoleName", "role")]),
    Operation::new("TagUser", &["UserName", "Tags"], tag).on(&[("UserName", "user")]),
    Operation::new("UntagUser", &["UserName", "TagKeys"], untag).on(&[("UserName", "user")]),
    Operation::new("ListUserTags", &["UserName", "Marker", "MaxItems"], list).on(&[("UserName", "user")]),
    Operation::new("TagPolicy", &["PolicyArn", "Tags"], tag).on(&[("PolicyArn", "policy")]),
    Operation::new("UntagPolicy", &["PolicyArn", "TagKeys"], untag).on(&[("PolicyArn", "policy")]),
    Operation::new("ListPolicyTags", &["PolicyArn", "Marker", "MaxItems"], list)
        .on(&[("PolicyArn", "policy")]),
    Operation::new("TagInstanceProfile", &["InstanceProfileName", "Tags"], tag).on(PROFILE),
    Operation::new("UntagInstanceProfile", &["InstanceProfileName", "TagKeys"], untag).on(PROFILE),
    Operation::new("ListInstanceProfileTags", &["InstanceProfileName", "Marker", "MaxItems"], list)
        .on(PROFILE),
    Operation::new("TagOpenIDConnectProvider", &[ARN, "Tags"], tag).on(PROVIDER),
    Operation::new("UntagOpenIDConnectProvider", &[ARN, "TagKeys"], untag).on(PROVIDER),
    Operation::new("ListOpenIDConnectProviderTags", &[ARN, "Marker", "MaxItems"], list).on(PROVIDER),
];

/// Returns what the caller has that has tags and is found by them: "IAM is a global service", which is told
/// in us-east-1, and of roles and users nothing is ("Supported resources", Tag Editor user guide).
pub(crate) fn tagged(world: &mut World, call: &Call) -> Vec<Tagged> {
    if call.region != "us-east-1" {
        return Vec::new();
    }
    let directory = world.directory(&call.caller.account);
    let policies = directory.policies.values().map(|thing| (&thing.arn, &thing.tags));
    let profiles = directory.profiles.values().map(|thing| (&thing.arn, &thing.tags));
    let providers = directory.providers.values().map(|thing| (&thing.arn, &thing.tags));
    let all = policies.chain(profiles).chain(providers);
    all.map(|(arn, tags)| Tagged { arn: arn.clone(), tags: tags.clone() }).collect()
}

/// Returns the ARNs of the roles and users of the caller's account, which the tagging API does not know. Roles of
/// services are not among them: a service makes one when it needs it, and nobody takes it away.
pub(crate) fn principals(world: &mut World, call: &Call) -> Vec<String> {
    if call.region != "us-east-1" {
        return Vec::new();
    }
    let directory = world.directory(&call.caller.account);
    let roles = directory.roles.values().filter(|role| !role.path.starts_with("/aws-service-role/"));
    roles.map(|role| role.arn.clone()).chain(directory.users.values().map(|user| user.arn.clone())).collect()
}

/// Returns the tags that a call gives.
pub(crate) fn given(parameters: &Parameters) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    add(&mut tags, parameters)?;
    Ok(tags)
}

/// Returns the tags as answers have them; `None` if there are none.
pub(super) fn shown(tags: &Tags) -> Option<Value> {
    (!tags.is_empty()).then(|| tags.iter().map(shown_tag).collect())
}

fn shown_tag((key, value): (&String, &String)) -> Value {
    json!({ "Key": key, "Value": value })
}

fn add(tags: &mut Tags, parameters: &Parameters) -> Result<(), Refusal> {
    let mut seen = Vec::new();
    for tag in parameters.tables("Tags") {
        let key = validation::required(&tag, "Key")?;
        let value = tag.text("Value").unwrap_or_default();
        validation::length("tags.1.member.key", key, 1, 128)?;
        validation::length("tags.1.member.value", value, 0, 256)?;
        if key.to_lowercase().starts_with("aws:") {
            let message = "Tag keys starting with 'aws:' are reserved for internal use";
            return Err(Refusal::new("InvalidInput", message));
        }
        // "Tag keys are not case sensitive" in IAM, though their case is kept.
        if seen.contains(&key.to_lowercase()) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Refusal::new("InvalidInput", message));
        }
        seen.push(key.to_lowercase());
        tags.retain(|known, _| !known.eq_ignore_ascii_case(key));
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MOST {
        let message = format!("The number of tags has reached the maximum limit of {MOST}.");
        return Err(conflict("LimitExceeded", message));
    }
    Ok(())
}

/// Returns the tags of what a call names.
fn named_tags<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut Tags, Refusal> {
    let operation = call.operation.as_str();
    if operation.contains("User") {
        Ok(&mut user::named(world, call)?.tags)
    } else if operation.contains("Policy") {
        Ok(&mut managed::own(world, call)?.tags)
    } else if operation.contains("InstanceProfile") {
        Ok(&mut profile::named(world, call)?.tags)
    } else if operation.contains("Provider") {
        Ok(&mut provider::named(world, call)?.tags)
    } else {
        Ok(&mut role::changeable(world, call)?.tags)
    }
}

fn tag(world: &mut World, call: &Call) -> Answer {
    let tags = named_tags(world, call)?;
    let mut all = tags.clone();
    add(&mut all, &call.parameters)?;
    *tags = all;
    Ok(Value::Null)
}

fn untag(world: &mut World, call: &Call) -> Answer {
    let keys = call.parameters.texts("TagKeys");
    let tags = named_tags(world, call)?;
    tags.retain(|key, _| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
    Ok(Value::Null)
}

fn list(world: &mut World, call: &Call) -> Answer {
    let tags = named_tags(world, call)?.clone();
    page(&call.parameters, "Tags", tags.iter().map(|tag| (tag.0, tag)), shown_tag)
}

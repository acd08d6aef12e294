//! Managed policies: of an account, in versions, which roles and users have attached.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::{encoded, page, path, path_prefix, time, within};
use super::grants::Grants;
use super::tags::{self, Tags};
use super::{Directory, aws_managed, conflict, limit, no_such_entity, size, trust};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::policy::Document;
use crate::quotas;
use crate::validation;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreatePolicy", &["PolicyName", "PolicyDocument", "Path", "Description", "Tags"], create)
        .on(&[("PolicyName", "policy")]),
    Operation::new("GetPolicy", &["PolicyArn"], get).on(POLICY),
    Operation::new(
        "ListPolicies",
        &["Scope", "OnlyAttached", "PathPrefix", "PolicyUsageFilter", "Marker", "MaxItems"],
        list,
    ),
    Operation::new("DeletePolicy", &["PolicyArn"], delete).on(POLICY),
    Operation::new(
        "ListEntitiesForPolicy",
        &["PolicyArn", "EntityFilter", "PathPrefix", "PolicyUsageFilter", "Marker", "MaxItems"],
        list_entities,
    )
    .on(POLICY),
];

/// What the operations on a policy are done to.
pub(super) const POLICY: &[(&str, &str)] = &[("PolicyArn", "policy")];

/// How long a policy may be (quota "Managed policy length").
pub(super) const MOST_CHARACTERS: usize = 6144;

/// A managed policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ManagedPolicy {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) made_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// By number. A number is never used again.
    pub(super) versions: BTreeMap<u32, Version>,
    pub(super) default_version: u32,
    pub(super) last_version: u32,
    pub(super) tags: Tags,
}

/// A version of a managed policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Version {
    pub(super) document: String,
    pub(super) made_at: Timestamp,
}

/// Returns the document of a policy of the account or of AWS, as it is in force.
pub(crate) fn document<'a>(directory: &'a Directory, arn: &str) -> Option<&'a str> {
    let own = || {
        let policy = directory.policies.get(arn)?;
        policy.versions.get(&policy.default_version).map(|version| version.document.as_str())
    };
    aws_managed::find(arn).map(|policy| policy.document).or_else(own)
}

/// Returns the name that is in an ARN.
pub(super) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Returns the path that is in an ARN.
pub(super) fn path_of(arn: &str) -> &str {
    let path = arn.find('/').zip(arn.rfind('/')).map(|(first, last)| &arn[first..=last]);
    path.unwrap_or("/")
}

/// Returns the account's own policy that a call names, which may be changed.
pub(super) fn own<'a>(world: &'a mut World, call: &Call) -> Result<&'a mut ManagedPolicy, Refusal> {
    let arn = validation::required(&call.parameters, "PolicyArn")?;
    if aws_managed::find(arn).is_some() {
        let message = "Cannot perform the operation on a policy of AWS.";
        return Err(Refusal::forbidden("AccessDenied", message));
    }
    world.directory(&call.caller.account).policies.get_mut(arn).ok_or_else(|| unknown(arn))
}

pub(super) fn unknown(arn: &str) -> Refusal {
    no_such_entity(format!("Policy {arn} was not found."))
}

/// Checks a document of permissions.
pub(super) fn check_document(text: &str) -> Result<(), Refusal> {
    Document::permissions(text).map_err(trust::malformed)?;
    if size(text) > MOST_CHARACTERS { Err(limit("PolicySize", MOST_CHARACTERS)) } else { Ok(()) }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let name = validation::name(parameters, "PolicyName", 128)?;
    let path = path(parameters)?;
    let document = validation::required(parameters, "PolicyDocument")?;
    check_document(document)?;
    let description = parameters.text("Description").unwrap_or_default();
    validation::length("Description", description, 0, 1000)?;
    let tags = tags::given(parameters)?;
    let arn = format!("arn:aws:iam::{}:policy{path}{name}", call.caller.account);
    let most = world.quota(&call.caller.account, quotas::POLICIES);
    let policies = &world.directory(&call.caller.account).policies;
    if policies.values().any(|policy| policy.name.eq_ignore_ascii_case(name)) {
        let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(conflict("EntityAlreadyExists", message));
    }
    if policies.len() >= most {
        return Err(limit("PoliciesPerAccount", most));
    }
    let made_at = world.now();
    let policy = ManagedPolicy {
        name: name.to_owned(),
        path,
        id: world.new_unique_id("ANPA"),
        arn: arn.clone(),
        description: (!description.is_empty()).then(|| description.to_owned()),
        made_at,
        updated_at: made_at,
        versions: BTreeMap::from([(1, Version { document: document.to_owned(), made_at })]),
        default_version: 1,
        last_version: 1,
        tags,
    };
    let answer = within("Policy", shown(&policy, Uses::default()));
    world.directory(&call.caller.account).policies.insert(arn, policy);
    Ok(answer)
}

/// How often a policy is used.
#[derive(Clone, Copy, Default)]
pub(super) struct Uses {
    pub(super) attached: usize,
    pub(super) boundaries: usize,
}

/// Counts how often each policy is used in an account, by ARN.
pub(super) fn uses(directory: &Directory) -> BTreeMap<&str, Uses> {
    let mut uses: BTreeMap<&str, Uses> = BTreeMap::new();
    for grants in all_grants(directory) {
        for arn in &grants.attached {
            uses.entry(arn).or_default().attached += 1;
        }
        if let Some(arn) = &grants.boundary {
            uses.entry(arn).or_default().boundaries += 1;
        }
    }
    uses
}

fn all_grants(directory: &Directory) -> impl Iterator<Item = &Grants> {
    let roles = directory.roles.values().map(|role| &role.grants);
    roles.chain(directory.users.values().map(|user| &user.grants))
}

/// Returns a policy as answers have it.
pub(super) fn shown(policy: &ManagedPolicy, uses: Uses) -> Value {
    json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default_version),
        "AttachmentCount": uses.attached,
        "PermissionsBoundaryUsageCount": uses.boundaries,
        "IsAttachable": true,
        "Description": policy.description,
        "CreateDate": time(policy.made_at),
        "UpdateDate": time(policy.updated_at),
        "Tags": tags::shown(&policy.tags),
    })
}

fn get(world: &mut World, call: &Call) -> Answer {
    let arn = validation::required(&call.parameters, "PolicyArn")?;
    let directory = world.directory(&call.caller.account);
    let uses = uses(directory).get(arn).copied().unwrap_or_default();
    let policy = aws_managed::find(arn).map(aws_managed::AwsManaged::policy);
    let policy = policy.or_else(|| directory.policies.get(arn).cloned()).ok_or_else(|| unknown(arn))?;
    Ok(within("Policy", shown(&policy, uses)))
}

/// Lists policies, without their descriptions and tags (API reference, `ListPolicies`).
fn list(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let scope = parameters.text("Scope").unwrap_or("All");
    if !["All", "AWS", "Local"].contains(&scope) {
        return Err(validation::failed(
            "Scope",
            scope,
            "Member must satisfy enum value set: [All, AWS, Local]",
        ));
    }
    let usage = parameters.text("PolicyUsageFilter");
    let only_attached = parameters.flag("OnlyAttached")?.unwrap_or_default();
    let has_prefix = path_prefix(parameters);
    let directory = world.directory(&call.caller.account);
    let uses = uses(directory);
    let of_aws = aws_managed::ALL.iter().filter(|_| scope != "Local").map(aws_managed::AwsManaged::policy);
    let own = directory.policies.values().filter(|_| scope != "AWS").cloned();
    let wanted = |policy: &ManagedPolicy| {
        let Uses { attached, boundaries } = uses.get(policy.arn.as_str()).copied().unwrap_or_default();
        let counted = match usage {
            Some("PermissionsPolicy") => attached > 0,
            Some("PermissionsBoundary") => boundaries > 0,
            _ => !only_attached || attached > 0,
        };
        counted && has_prefix(&policy.path)
    };
    let policies: BTreeMap<_, _> =
        of_aws.chain(own).filter(wanted).map(|policy| (policy.arn.clone(), policy)).collect();
    page(parameters, "Policies", policies.iter(), |policy| {
        let mut value = shown(policy, uses.get(policy.arn.as_str()).copied().unwrap_or_default());
        value["Description"] = Value::Null;
        value["Tags"] = Value::Null;
        value
    })
}

/// Deletes a policy: first "detach the policy from all users, groups, and roles" and "delete all
/// versions of the policy" but the default one (API reference, `DeletePolicy`).
fn delete(world: &mut World, call: &Call) -> Answer {
    let policy = own(world, call)?;
    let (arn, versions) = (policy.arn.clone(), policy.versions.len());
    let directory = world.directory(&call.caller.account);
    let used = uses(directory).get(arn.as_str()).copied().unwrap_or_default();
    if used.attached + used.boundaries > 0 {
        let message = "Cannot delete a policy attached to entities.";
        return Err(conflict("DeleteConflict", message));
    }
    if versions > 1 {
        let message = "This policy has more than one version. Before you delete a policy, you must delete the \
                       policy's versions. The default version is deleted with the policy.";
        return Err(conflict("DeleteConflict", message));
    }
    directory.policies.remove(&arn);
    Ok(Value::Null)
}

fn list_entities(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let arn = validation::required(parameters, "PolicyArn")?;
    let directory = world.directory(&call.caller.account);
    if document(directory, arn).is_none() {
        return Err(unknown(arn));
    }
    let has_prefix = path_prefix(parameters);
    let filter = parameters.text("EntityFilter");
    let is_of = |kind: &str| filter.is_none_or(|wanted| wanted == kind);
    let as_boundary = parameters.text("PolicyUsageFilter") == Some("PermissionsBoundary");
    let has = |grants: &Grants| {
        if as_boundary { grants.boundary.as_deref() == Some(arn) } else { grants.attached.contains(arn) }
    };
    let mut entities = BTreeMap::new();
    for role in directory.roles.values().filter(|role| is_of("Role") && has(&role.grants)) {
        let shown = json!({ "RoleName": role.name, "RoleId": role.id });
        entities.extend(has_prefix(&role.path).then(|| (format!("role/{}", role.name), shown)));
    }
    for user in directory.users.values().filter(|user| is_of("User") && has(&user.grants)) {
        let shown = json!({ "UserName": user.name, "UserId": user.id });
        entities.extend(has_prefix(&user.path).then(|| (format!("user/{}", user.name), shown)));
    }
    let mut answer = page(parameters, "PolicyRoles", entities.iter(), Value::clone)?;
    let (roles, users): (Vec<_>, Vec<_>) = answer["PolicyRoles"]
        .as_array()
        .into_iter()
        .flatten()
        .cloned()
        .partition(|entity| entity.get("RoleName").is_some());
    answer["PolicyRoles"] = roles.into();
    answer["PolicyUsers"] = users.into();
    answer["PolicyGroups"] = json!([]);
    Ok(answer)
}

/// Returns a version as answers have it.
pub(super) fn shown_version(policy: &ManagedPolicy, number: u32, version: &Version, whole: bool) -> Value {
    json!({
        "Document": whole.then(|| encoded(&version.document)),
        "VersionId": format!("v{number}"),
        "IsDefaultVersion": number == policy.default_version,
        "CreateDate": time(version.made_at),
    })
}

#[cfg(test)]
mod tests;

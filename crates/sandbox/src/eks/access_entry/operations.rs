//! Making, reading, changing and deleting access entries.

use serde_json::json;

use super::{AccessEntry, STANDARD};
use crate::call::{Answer, Call, Need, Operation, Refusal};
use crate::eks::refusals::{in_use, invalid, one_of, required};
use crate::eks::{PAGING, change, named, tags};
use crate::iam;
use crate::world::World;

/// The operations.
pub(in crate::eks) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateAccessEntry",
        &[
            "clusterName",
            "principalArn",
            "kubernetesGroups",
            "tags",
            "clientRequestToken",
            "username",
            "type",
        ],
        create,
    )
    .on(&[("clusterName", "cluster")])
    .also(needs),
    Operation::new("DescribeAccessEntry", &["clusterName", "principalArn"], describe).on(ENTRY),
    Operation::new(
        "ListAccessEntries",
        &["clusterName", "associatedPolicyArn", "maxResults", "nextToken"],
        list,
    )
    .on(&[("clusterName", "cluster")]),
    Operation::new(
        "UpdateAccessEntry",
        &["clusterName", "principalArn", "kubernetesGroups", "clientRequestToken", "username"],
        update,
    )
    .on(ENTRY),
    Operation::new("DeleteAccessEntry", &["clusterName", "principalArn"], delete).on(ENTRY),
];

/// What the operations on an entry are done to.
pub(super) const ENTRY: &[(&str, &str)] = &[("principalArn", "access-entry")];

/// The types of entries (API reference, `CreateAccessEntry`).
const TYPES: [&str; 7] =
    [STANDARD, "EC2", "EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX"];

/// What groups and names are not to begin with (API reference, `CreateAccessEntry`).
const RESERVED: [&str; 5] = ["system:", "eks:", "aws:", "amazon:", "iam:"];

fn needs(_: &World, call: &Call) -> Vec<Need> {
    tags::needs(call, "access-entry")
}

fn create(world: &mut World, call: &Call) -> Answer {
    let (cluster_name, principal) = (required(call, "clusterName")?, required(call, "principalArn")?);
    let cluster = named(world, call, cluster_name)?;
    cluster.check_has_entries()?;
    cluster.check_works()?;
    if cluster.access_entries.contains_key(principal) {
        let message = "The specified access entry resource is already in use on this cluster.";
        return Err(in_use(message).with("clusterName", cluster_name));
    }
    // Sessions of a role have other ARNs, which are nobody's here either.
    if !iam::is_principal(world, principal) {
        return Err(invalid("The specified principalArn is invalid: invalid principal."));
    }
    let kind = one_of("type", call.parameters.text("type").unwrap_or(STANDARD), &TYPES)?;
    let tags = tags::at_birth(&call.parameters)?;
    change(world, call, cluster_name, |cluster, moment| {
        let mut entry = AccessEntry { tags, ..AccessEntry::new(cluster, moment.at, principal, kind) };
        entry.read(call)?;
        let shown = entry.shown(cluster);
        cluster.access_entries.insert(principal.to_owned(), entry);
        Ok(json!({ "accessEntry": shown }))
    })
}

impl AccessEntry {
    /// Reads groups and name. Only entries of the type `STANDARD` can be told them.
    fn read(&mut self, call: &Call) -> Result<(), Refusal> {
        let parameters = &call.parameters;
        let is_told = ["kubernetesGroups", "username"].iter().any(|name| parameters.0.contains_key(*name));
        if is_told && self.kind != STANDARD {
            let message = format!("kubernetesGroups and username cannot be set for the type {}.", self.kind);
            return Err(invalid(message));
        }
        let groups = parameters.texts("kubernetesGroups");
        for text in groups.iter().copied().chain(parameters.text("username")) {
            if let Some(prefix) = RESERVED.iter().find(|prefix| text.starts_with(**prefix)) {
                let message =
                    format!("The kubernetes group name {text} is invalid, it cannot start with {prefix}");
                return Err(invalid(message));
            }
        }
        if parameters.0.contains_key("kubernetesGroups") {
            self.groups = groups.into_iter().map(str::to_owned).collect();
        }
        if let Some(username) = parameters.text("username").filter(|username| !username.is_empty()) {
            username.clone_into(&mut self.username);
        }
        Ok(())
    }
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let entry = cluster.entry(required(call, "principalArn")?)?;
    Ok(json!({ "accessEntry": entry.shown(cluster) }))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    cluster.check_has_entries()?;
    let policy = call.parameters.text("associatedPolicyArn");
    let chosen = cluster
        .access_entries
        .iter()
        .filter(|(_, entry)| policy.is_none_or(|policy| entry.policies.contains_key(policy)));
    let shown = chosen.map(|(principal, _)| (principal.clone(), json!(principal)));
    let (page, next) = PAGING.cut(&call.parameters, shown)?;
    Ok(json!({ "accessEntries": page, "nextToken": next }))
}

fn update(world: &mut World, call: &Call) -> Answer {
    let (cluster, principal) = (required(call, "clusterName")?, required(call, "principalArn")?);
    change(world, call, cluster, |cluster, moment| {
        let mut entry = cluster.entry(principal)?.clone();
        entry.read(call)?;
        entry.changed_at = moment.at;
        let shown = entry.shown(cluster);
        cluster.access_entries.insert(principal.to_owned(), entry);
        Ok(json!({ "accessEntry": shown }))
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let (cluster, principal) = (required(call, "clusterName")?, required(call, "principalArn")?);
    change(world, call, cluster, |cluster, _| {
        cluster.entry(principal)?;
        cluster.access_entries.remove(principal);
        Ok(json!({}))
    })
}

//! Tags of clusters and their parts.

use std::collections::BTreeMap;

use serde_json::json;

use super::cluster::Cluster;
use super::refusals::{invalid, required};
use super::{Clusters, change};
use crate::access::{Context, set};
use crate::call::{Answer, Call, Need, Operation, Parameters, Refusal};
use crate::tagged::Tagged;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("TagResource", &["resourceArn", "tags"], tag).on(RESOURCE),
    Operation::new("UntagResource", &["resourceArn", "tagKeys"], untag).on(RESOURCE),
    Operation::new("ListTagsForResource", &["resourceArn"], list).on(RESOURCE),
];

const RESOURCE: &[(&str, &str)] = &[("resourceArn", "any")];

/// How many tags a thing may have ("Organize Amazon EKS resources with tags", EKS user guide).
const MOST: usize = 50;

type Tags = BTreeMap<String, String>;

/// Returns the caller's clusters and their parts, with their tags.
pub(crate) fn tagged(world: &mut World, call: &Call) -> Vec<Tagged> {
    let clusters = world.clusters(&call.region).by_account.get(&call.caller.account);
    let parts = clusters.into_iter().flat_map(BTreeMap::values).flat_map(Cluster::parts);
    parts.map(|(arn, tags)| Tagged { arn: arn.clone(), tags: tags.clone() }).collect()
}

/// Returns the permission for tags that are given to what is made: on its ARN, as far as that is known
/// before it has an id.
pub(super) fn needs(call: &Call, kind: &str) -> Vec<Need> {
    if call.parameters.table("tags").0.is_empty() {
        return Vec::new();
    }
    let text = |name: &str| call.parameters.text(name);
    let part = ["nodegroupName", "addonName", "fargateProfileName"].into_iter().find_map(text);
    let path = match (text("clusterName"), part) {
        (Some(cluster), Some(part)) => format!("{cluster}/{part}/*"),
        (Some(cluster), None) => format!("{cluster}/*"),
        (None, _) => text("name").unwrap_or("*").to_owned(),
    };
    let resource = format!("arn:aws:eks:{}:{}:{kind}/{path}", call.region, call.caller.account);
    let mut context = Context::new();
    set(&mut context, "eks:CreateAction", &call.operation);
    vec![Need { action: "eks:TagResource".to_owned(), resource, context }]
}

/// Returns the tags that a call gives to what it makes.
pub(super) fn at_birth(parameters: &Parameters) -> Result<Tags, Refusal> {
    let mut tags = Tags::new();
    add(&mut tags, &parameters.table("tags")).map_err(invalid)?;
    Ok(tags)
}

/// Adds tags, or sets them anew; or says what is wrong with them.
fn add(tags: &mut Tags, added: &Parameters) -> Result<(), String> {
    for (key, value) in &added.0 {
        let value = value.as_str().ok_or_else(|| format!("The value of the tag {key} is no text."))?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err("Tag keys that begin with aws: are reserved for AWS.".to_owned());
        }
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err("Tag keys have 1 to 128 characters, values at most 256.".to_owned());
        }
        tags.insert(key.clone(), value.to_owned());
    }
    if tags.len() > MOST {
        return Err(format!("A resource has at most {MOST} tags."));
    }
    Ok(())
}

impl Cluster {
    /// Returns the ARN and the tags of a part of a kind, by its name in the cluster.
    pub(super) fn part(&self, kind: &str, name: &str) -> Option<(&str, &Tags)> {
        match kind {
            "cluster" => Some((&self.arn, &self.tags)),
            "nodegroup" => self.node_groups.get(name).map(|part| (part.arn.as_str(), &part.tags)),
            "addon" => self.addons.get(name).map(|part| (part.arn.as_str(), &part.tags)),
            "access-entry" => self.access_entries.get(name).map(|part| (part.arn.as_str(), &part.tags)),
            "podidentityassociation" => {
                self.associations.get(name).map(|part| (part.arn.as_str(), &part.tags))
            }
            "fargateprofile" => self.fargate_profiles.get(name).map(|part| (part.arn.as_str(), &part.tags)),
            _ => None,
        }
    }

    /// Returns the ARNs and tags of all its parts.
    fn parts(&self) -> impl Iterator<Item = (&String, &Tags)> {
        let own = std::iter::once((&self.arn, &self.tags));
        let groups = self.node_groups.values().map(|part| (&part.arn, &part.tags));
        let addons = self.addons.values().map(|part| (&part.arn, &part.tags));
        let entries = self.access_entries.values().map(|part| (&part.arn, &part.tags));
        let associations = self.associations.values().map(|part| (&part.arn, &part.tags));
        let profiles = self.fargate_profiles.values().map(|part| (&part.arn, &part.tags));
        own.chain(groups).chain(addons).chain(entries).chain(associations).chain(profiles)
    }

    /// Returns the tags of the part with an ARN, which may be changed.
    fn tags_of(&mut self, arn: &str) -> Option<&mut Tags> {
        let own = std::iter::once((&self.arn, &mut self.tags));
        let groups = self.node_groups.values_mut().map(|part| (&part.arn, &mut part.tags));
        let addons = self.addons.values_mut().map(|part| (&part.arn, &mut part.tags));
        let entries = self.access_entries.values_mut().map(|part| (&part.arn, &mut part.tags));
        let associations = self.associations.values_mut().map(|part| (&part.arn, &mut part.tags));
        let profiles = self.fargate_profiles.values_mut().map(|part| (&part.arn, &mut part.tags));
        let mut all = own.chain(groups).chain(addons).chain(entries).chain(associations).chain(profiles);
        all.find(|(known, _)| *known == arn).map(|(_, tags)| tags)
    }
}

/// Returns the tags of what an ARN names, for policies.
pub(super) fn of<'a>(clusters: &'a Clusters, call: &Call, arn: &str) -> Option<&'a Tags> {
    let cluster = clusters.by_account.get(&call.caller.account)?.get(cluster_of(call, arn)?)?;
    cluster.parts().find(|(known, _)| *known == arn).map(|(_, tags)| tags)
}

/// Returns the cluster in an ARN of the caller.
fn cluster_of<'a>(call: &Call, arn: &'a str) -> Option<&'a str> {
    let prefix = format!("arn:aws:eks:{}:{}:", call.region, call.caller.account);
    arn.strip_prefix(&prefix)?.split('/').nth(1)
}

/// Changes the tags of what a call names.
fn change_tags<T>(
    world: &mut World,
    call: &Call,
    act: impl FnOnce(&mut Tags) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let arn = required(call, "resourceArn").map_err(|refusal| bad(refusal.message))?;
    let missing = || {
        let message = format!("The specified resource could not be found: {arn}");
        Refusal { status: 404, ..Refusal::new("NotFoundException", message) }
    };
    if !arn.starts_with("arn:aws:eks:") {
        return Err(bad(format!("Invalid resource ARN: {arn}")));
    }
    let cluster = cluster_of(call, arn).ok_or_else(missing)?;
    change(world, call, cluster, |cluster, _| act(cluster.tags_of(arn).ok_or_else(missing)?))
        .map_err(|refusal| if refusal.code == "ResourceNotFoundException" { missing() } else { refusal })
}

fn bad(message: impl Into<String>) -> Refusal {
    Refusal::new("BadRequestException", message)
}

fn tag(world: &mut World, call: &Call) -> Answer {
    change_tags(world, call, |tags| {
        let mut all = tags.clone();
        add(&mut all, &call.parameters.table("tags")).map_err(bad)?;
        *tags = all;
        Ok(json!({}))
    })
}

fn untag(world: &mut World, call: &Call) -> Answer {
    change_tags(world, call, |tags| {
        for key in call.parameters.texts("tagKeys") {
            tags.remove(key);
        }
        Ok(json!({}))
    })
}

fn list(world: &mut World, call: &Call) -> Answer {
    change_tags(world, call, |tags| Ok(json!({ "tags": tags })))
}

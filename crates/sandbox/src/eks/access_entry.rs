//! Access entries: who may do what in a cluster, as far as EKS knows.

mod operations;
mod policies;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::refusals::{not_found, wrong_request};
use crate::call::{Call, Refusal};
use crate::cluster::User;
use crate::identity::{Caller, Identity};
use crate::world::seconds;
pub(super) use operations::OPERATIONS;
use policies::Associated;
pub(super) use policies::OPERATIONS as POLICY_OPERATIONS;

/// What a principal is in a cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AccessEntry {
    pub(super) principal: String,
    pub(super) arn: String,
    /// Such as `STANDARD`.
    kind: String,
    groups: Vec<String>,
    username: String,
    made_at: Timestamp,
    changed_at: Timestamp,
    /// By the ARNs of access policies.
    policies: BTreeMap<String, Associated>,
    pub(super) tags: BTreeMap<String, String>,
}

/// The type of entries for people and programs.
const STANDARD: &str = "STANDARD";
/// The type of entries for nodes that run Linux.
const NODES: &str = "EC2_LINUX";
/// The type of entries for pods of Fargate.
const FARGATE: &str = "FARGATE_LINUX";

impl AccessEntry {
    fn new(cluster: &Cluster, now: Timestamp, principal: &str, kind: &str) -> Self {
        Self {
            arn: arn(cluster, principal),
            username: username(principal, kind),
            groups: groups(kind),
            principal: principal.to_owned(),
            kind: kind.to_owned(),
            made_at: now,
            changed_at: now,
            policies: BTreeMap::new(),
            tags: BTreeMap::new(),
        }
    }

    /// Returns whom the cluster takes a caller for who has it.
    pub(super) fn user(&self, session: &str, caller: &Caller) -> User {
        let groups: Vec<_> = self.groups.iter().map(String::as_str).collect();
        let name = self.username.replace("{{SessionName}}", session);
        let policies = self.policies.iter().map(|(arn, associated)| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            (name.to_owned(), associated.namespaces().to_vec())
        });
        let uid = format!("aws-iam-authenticator:{}:{}", caller.account, caller.user_id);
        User { uid, policies: policies.collect(), ..User::new(&name, &groups) }
    }

    /// Returns it as answers have it.
    fn shown(&self, cluster: &Cluster) -> Value {
        json!({
            "clusterName": cluster.name,
            "principalArn": self.principal,
            "accessEntryArn": self.arn,
            "type": self.kind,
            "kubernetesGroups": self.groups,
            "username": self.username,
            "createdAt": seconds(self.made_at),
            "modifiedAt": seconds(self.changed_at),
            "tags": self.tags,
        })
    }
}

/// Returns the ARN of an entry, which has the principal's kind, account and name in it.
fn arn(cluster: &Cluster, principal: &str) -> String {
    let (account, thing) = principal.split(':').nth(4).zip(principal.split(':').nth(5)).unwrap_or_default();
    let (kind, name) =
        (thing.split('/').next().unwrap_or_default(), thing.rsplit('/').next().unwrap_or_default());
    let Cluster { name: cluster_name, region, account: owner, .. } = cluster;
    let id = cluster.derived_uuid(principal);
    format!("arn:aws:eks:{region}:{owner}:access-entry/{cluster_name}/{kind}/{account}/{name}/{id}")
}

/// Returns the name that a principal has in a cluster if none is given ("Create access entries", EKS user
/// guide, "username").
fn username(principal: &str, kind: &str) -> String {
    if kind == NODES {
        return "system:node:{{EC2PrivateDNSName}}".to_owned();
    }
    if kind == FARGATE {
        return "system:node:{{SessionName}}".to_owned();
    }
    match principal.split_once(":role/") {
        Some((prefix, path)) => {
            let name = path.rsplit('/').next().unwrap_or(path);
            format!("{}:assumed-role/{name}/{{{{SessionName}}}}", prefix.replace(":iam:", ":sts:"))
        }
        None => principal.to_owned(),
    }
}

fn groups(kind: &str) -> Vec<String> {
    let groups: &[&str] = match kind {
        NODES => &["system:nodes"],
        FARGATE => &["system:bootstrappers", "system:node-proxier", "system:nodes"],
        _ => &[],
    };
    groups.iter().map(|group| (*group).to_owned()).collect()
}

/// Returns the principal that a call is made by, as entries name it: a role or a user.
pub(super) fn principal_of(call: &Call) -> String {
    match &call.caller.identity {
        Identity::Role(session) => session.role_arn.clone(),
        Identity::User(_) | Identity::Administrator | Identity::Nobody => call.caller.arn.clone(),
    }
}

impl Cluster {
    /// Returns an entry.
    fn entry(&self, principal: &str) -> Result<&AccessEntry, Refusal> {
        self.check_has_entries()?;
        self.access_entries.get(principal).ok_or_else(|| {
            let message = "The specified principalArn could not be found. You can view your available access \
                 entries with 'list-access-entries'.";
            not_found(message).with("clusterName", self.name.as_str())
        })
    }

    /// Refuses what is about entries where the cluster knows everybody by its configuration map.
    fn check_has_entries(&self) -> Result<(), Refusal> {
        if self.settings.authentication.has_entries() {
            return Ok(());
        }
        let message = "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to \
             perform this operation.";
        Err(wrong_request(message).with("clusterName", self.name.as_str()))
    }

    /// Makes the entries that appear by themselves as soon as there are any: whoever made the cluster is its
    /// administrator, unless that was not wanted, and nodes and pods of Fargate are nodes.
    pub(super) fn add_entries(&mut self, now: Timestamp) {
        let nodes: Vec<_> = self.node_groups.values().map(|group| group.role_arn().to_owned()).collect();
        let pods: Vec<_> =
            self.fargate_profiles.values().map(|profile| profile.role_arn().to_owned()).collect();
        for role in &nodes {
            self.add_node_entry(now, role);
        }
        for role in &pods {
            self.add_fargate_entry(now, role);
        }
        let creator = self.creator.take_if(|_| self.settings.authentication.has_entries());
        if let Some(creator) = creator {
            let mut entry = AccessEntry::new(self, now, &creator, STANDARD);
            entry.associate(policies::ADMINISTRATOR, Associated::everywhere(now));
            self.access_entries.insert(creator, entry);
        }
    }

    /// Lets the nodes that have a role be nodes of the cluster.
    pub(super) fn add_node_entry(&mut self, now: Timestamp, role: &str) {
        self.add_entry(now, role, NODES);
    }

    /// Lets the pods of Fargate that are started with a role be nodes of the cluster.
    pub(super) fn add_fargate_entry(&mut self, now: Timestamp, role: &str) {
        self.add_entry(now, role, FARGATE);
    }

    fn add_entry(&mut self, now: Timestamp, principal: &str, kind: &str) {
        if self.settings.authentication.has_entries() && !self.access_entries.contains_key(principal) {
            let entry = AccessEntry::new(self, now, principal, kind);
            self.access_entries.insert(principal.to_owned(), entry);
        }
    }
}

//! Managed node groups: instances that EKS launches, and replaces when they are to be others.

mod config;
mod create;
mod machine;
mod nodes;
mod settings;
mod template;
#[cfg(test)]
mod tests;
mod upgrade;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::life::{Life, Part, Status};
use super::refusals::{in_use, not_found, required};
use super::{PAGING, change, named};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{Failure, World, seconds};
use machine::Machine;
pub(super) use settings::Settings;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    create::OPERATION,
    Operation::new("DescribeNodegroup", &["clusterName", "nodegroupName"], describe).on(NODE_GROUP),
    Operation::new("ListNodegroups", &["clusterName", "maxResults", "nextToken"], list)
        .on(&[("clusterName", "cluster")]),
    Operation::new("DeleteNodegroup", &["clusterName", "nodegroupName"], delete).on(NODE_GROUP),
];

/// The operations that change a node group.
pub(super) const CHANGES: &[Operation] = &[config::OPERATION, upgrade::OPERATION];

/// What the operations on a node group are done to.
const NODE_GROUP: &[(&str, &str)] = &[("nodegroupName", "nodegroup")];

/// How long it takes until the nodes of a group that is deleted are drained and terminated, and
/// then until the group is gone.
const DRAINED: SignedDuration = SignedDuration::from_mins(2);

/// A node group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NodeGroup {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) life: Life,
    made_at: Timestamp,
    changed_at: Timestamp,
    role_arn: String,
    /// Whether the role lets nodes join a cluster.
    may_join: bool,
    /// Whether the role lets the network plug-in give pods addresses.
    may_network: bool,
    subnets: Vec<String>,
    machine: Machine,
    /// The name of the group of Auto Scaling.
    scaling_group: String,
    /// In whose name instances are launched, by its unique id.
    requester: String,
    /// What can be changed.
    pub(super) settings: Settings,
    /// The ids of the instances that there are, or that are to be launched.
    nodes: Vec<String>,
    /// Whether the first instances have been launched.
    is_launched: bool,
    /// What is wrong with it.
    issues: Vec<Issue>,
    pub(super) tags: BTreeMap<String, String>,
}

/// Something that is wrong with a node group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Issue {
    failure: Failure,
    /// The ids of what it is about.
    things: Vec<String>,
}

impl NodeGroup {
    /// Returns how many nodes it has that work.
    pub(super) fn ready_nodes(&self) -> usize {
        if self.life.status == Status::Active { self.nodes.len() } else { 0 }
    }

    /// Returns the ids of its instances.
    pub(super) fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// Returns the role of its nodes.
    pub(super) fn role_arn(&self) -> &str {
        &self.role_arn
    }

    fn status(&self, cluster: &Cluster) -> &'static str {
        match self.life.status {
            Status::Creating => "CREATING",
            Status::Active
                if cluster.updates.values().any(|update| update.changes_node_group(&self.name)) =>
            {
                "UPDATING"
            }
            Status::Active if self.issues.is_empty() => "ACTIVE",
            Status::Active => "DEGRADED",
            Status::Failed => "CREATE_FAILED",
            Status::Deleting => "DELETING",
        }
    }

    /// Returns it as answers have it.
    fn shown(&self, cluster: &Cluster) -> Value {
        let issues = self.issues.iter().map(|Issue { failure, things }| {
            json!({ "code": failure.code, "message": failure.message, "resourceIds": things })
        });
        let mut shown = json!({
            "nodegroupName": self.name,
            "nodegroupArn": self.arn,
            "clusterName": cluster.name,
            "createdAt": seconds(self.made_at),
            "modifiedAt": seconds(self.changed_at),
            "status": self.status(cluster),
            "subnets": self.subnets,
            "nodeRole": self.role_arn,
            "health": { "issues": issues.collect::<Vec<_>>() },
            "tags": self.tags,
        });
        if self.is_launched {
            shown["resources"] = json!({ "autoScalingGroups": [{ "name": self.scaling_group }] });
        }
        for part in [self.machine.shown(), self.settings.shown()] {
            if let (Some(shown), Value::Object(part)) = (shown.as_object_mut(), part) {
                shown.extend(part);
            }
        }
        shown
    }
}

impl Cluster {
    /// Returns a node group.
    pub(super) fn node_group(&self, name: &str) -> Result<&NodeGroup, Refusal> {
        self.node_groups.get(name).ok_or_else(|| no_node_group(&self.name, name))
    }

    /// Returns a node group that can be changed: it works, and nothing else is being changed.
    fn ready_node_group(&self, name: &str) -> Result<&NodeGroup, Refusal> {
        let group = self.node_group(name)?;
        let going_on = self.updates.values().find(|update| update.changes_node_group(name));
        let message = match (going_on, group.life.status) {
            (Some(update), _) => format!(
                "Nodegroup cannot be updated as it is currently not in Active State: it has update {} in progress",
                update.id
            ),
            (None, Status::Active) => return Ok(group),
            (None, Status::Creating) => {
                "Nodegroup cannot be updated as its creation is in progress".to_owned()
            }
            (None, Status::Deleting) => {
                "Nodegroup cannot be updated as its deletion is in progress".to_owned()
            }
            (None, Status::Failed) => "Nodegroup cannot be updated as it has failed".to_owned(),
        };
        Err(in_use(message).with("clusterName", self.name.as_str()).with("nodegroupName", name))
    }
}

fn no_node_group(cluster: &str, name: &str) -> Refusal {
    let refusal = not_found(format!("No node group found for name: {name}."));
    refusal.with("clusterName", cluster).with("nodegroupName", name)
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let group = cluster.node_group(required(call, "nodegroupName")?)?;
    Ok(json!({ "nodegroup": group.shown(cluster) }))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let names = cluster.node_groups.keys().map(|name| (name.clone(), json!(name)));
    let (page, next) = PAGING.cut(&call.parameters, names)?;
    Ok(json!({ "nodegroups": page, "nextToken": next }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let (cluster, name) = (required(call, "clusterName")?, required(call, "nodegroupName")?);
    change(world, call, cluster, |cluster, moment| {
        let group = cluster.node_group(name)?;
        if group.life.status == Status::Deleting {
            let message = "Nodegroup cannot be deleted as its deletion is already in progress";
            return Err(in_use(message).with("nodegroupName", name));
        }
        if cluster.updates.values().any(|update| update.changes_node_group(name)) {
            let message = "Nodegroup cannot be deleted as an update of it is in progress";
            return Err(in_use(message).with("nodegroupName", name));
        }
        let at = moment.later(cluster, Part::NodeGroup(name.to_owned()), DRAINED);
        let life = Life { status: Status::Deleting, changes_at: Some(at), failure: None };
        cluster.set_node_group_life(name, life);
        Ok(json!({ "nodegroup": cluster.node_group(name)?.shown(cluster) }))
    })
}

impl Cluster {
    fn set_node_group_life(&mut self, name: &str, life: Life) {
        if let Some(group) = self.node_groups.get_mut(name) {
            group.life = life;
        }
    }
}

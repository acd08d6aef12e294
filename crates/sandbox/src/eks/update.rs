//! Updates: changes of clusters and their parts that take a while.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster::{self, Cluster};
use super::life::{Moment, Outcome, Part};
use super::refusals::{in_use, invalid, not_found, required};
use super::{PAGING, addon, named, node_group};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{Failure, World, seconds};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("DescribeUpdate", &["name", "updateId", "nodegroupName", "addonName"], describe)
        .on(&[("name", "cluster")]),
    Operation::new("ListUpdates", &["name", "nodegroupName", "addonName", "maxResults", "nextToken"], list)
        .on(&[("name", "cluster")]),
];

/// A change that takes a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Update {
    pub(super) id: String,
    /// Such as `VersionUpdate`.
    kind: String,
    /// What was asked for, by the names of EKS.
    parameters: Vec<(String, String)>,
    status: Status,
    made_at: Timestamp,
    ends_at: Option<Timestamp>,
    /// Why it fails; shown once it has.
    failure: Option<Failure>,
    change: Change,
}

/// What an update makes of a cluster or a part of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Change {
    Cluster {
        settings: Box<cluster::Settings>,
        /// Ids for interfaces in other subnets.
        interfaces: Vec<String>,
    },
    NodeGroup {
        name: String,
        settings: Box<node_group::Settings>,
        /// Ids for more instances, or others.
        instances: Vec<String>,
    },
    Addon {
        name: String,
        settings: Box<addon::Settings>,
        /// Ids for associations of its accounts of pods.
        associations: Vec<String>,
    },
}

/// What an update is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of<'a> {
    Cluster,
    NodeGroup(&'a str),
    Addon(&'a str),
}

/// How far an update is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    InProgress,
    Failed,
    Successful,
}

/// A change that begins.
pub(super) struct NewUpdate {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) parameters: Vec<(&'static str, String)>,
    pub(super) duration: SignedDuration,
    /// Why it will fail.
    pub(super) failure: Option<Failure>,
    pub(super) change: Change,
}

impl Change {
    fn of(&self) -> Of<'_> {
        match self {
            Self::Cluster { .. } => Of::Cluster,
            Self::NodeGroup { name, .. } => Of::NodeGroup(name),
            Self::Addon { name, .. } => Of::Addon(name),
        }
    }
}

impl Update {
    fn changes(&self, of: Of<'_>) -> bool {
        self.status == Status::InProgress && self.change.of() == of
    }

    /// Tells whether it goes on and is the cluster's own.
    pub(super) fn changes_cluster(&self) -> bool {
        self.changes(Of::Cluster)
    }

    /// Tells whether it goes on and is a node group's.
    pub(super) fn changes_node_group(&self, name: &str) -> bool {
        self.changes(Of::NodeGroup(name))
    }

    /// Tells whether it goes on and is an add-on's.
    pub(super) fn changes_addon(&self, name: &str) -> bool {
        self.changes(Of::Addon(name))
    }

    fn shown(&self) -> Value {
        let parameters = self.parameters.iter().map(|(kind, value)| json!({ "type": kind, "value": value }));
        let failure = self.failure.iter().filter(|_| self.status == Status::Failed);
        let errors = failure.map(|failure| {
            json!({ "errorCode": failure.code, "errorMessage": failure.message, "resourceIds": [] })
        });
        json!({
            "id": self.id,
            "type": self.kind,
            "status": match self.status {
                Status::InProgress => "InProgress",
                Status::Failed => "Failed",
                Status::Successful => "Successful",
            },
            "params": parameters.collect::<Vec<_>>(),
            "createdAt": seconds(self.made_at),
            "errors": errors.collect::<Vec<_>>(),
        })
    }
}

impl Cluster {
    /// Refuses to change what is not ready or is being changed: one change at a time.
    pub(super) fn check_quiet(&self, what: &str) -> Result<(), Refusal> {
        let going_on = self.updates.values().find(|update| update.changes_cluster());
        let Some(update) = going_on else { return Ok(()) };
        let (name, id) = (&self.name, &update.id);
        let message = format!("Cannot {what} because cluster {name} currently has update {id} in progress");
        Err(in_use(message).with("clusterName", name.as_str()))
    }

    /// Begins a change, and answers it.
    pub(super) fn begin_update(&mut self, moment: &mut Moment<'_>, new: NewUpdate) -> Value {
        let update = Update {
            kind: new.kind.to_owned(),
            parameters: new.parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            status: Status::InProgress,
            made_at: moment.at,
            ends_at: Some(moment.later(self, Part::Update(new.id.clone()), new.duration)),
            failure: new.failure,
            change: new.change,
            id: new.id.clone(),
        };
        let answer = json!({ "update": update.shown() });
        self.updates.insert(new.id, update);
        answer
    }

    /// Ends an update: what it was to change is changed, unless it fails.
    pub(super) fn settle_update(&mut self, moment: &mut Moment<'_>, id: &str) -> Outcome {
        let Some(update) = self.updates.get_mut(id) else { return Outcome::Stays };
        if update.ends_at.take_if(|due| *due == moment.at).is_none() {
            return Outcome::Stays;
        }
        if update.failure.is_some() {
            update.status = Status::Failed;
            if let Change::Addon { name, .. } = &update.change {
                let name = name.clone();
                self.leave_addon_behind(&name);
            }
            return Outcome::Stays;
        }
        update.status = Status::Successful;
        match update.change.clone() {
            Change::Cluster { settings, interfaces } => self.become_changed(moment, *settings, interfaces),
            Change::NodeGroup { name, settings, instances } => {
                self.change_node_group(moment, &name, *settings, instances);
            }
            Change::Addon { name, settings, associations } => {
                self.change_addon(moment, &name, *settings, associations);
            }
        }
        Outcome::Stays
    }

    /// Forgets the updates of a node group that is gone.
    pub(super) fn forget_updates_of_node_group(&mut self, name: &str) {
        self.updates.retain(|_, update| update.change.of() != Of::NodeGroup(name));
    }

    /// Forgets the updates of an add-on that is gone.
    pub(super) fn forget_updates_of_addon(&mut self, name: &str) {
        self.updates.retain(|_, update| update.change.of() != Of::Addon(name));
    }

    /// Returns the updates that a call is about: of the cluster, or of the part that it names.
    fn updates_of(&self, call: &Call) -> Result<BTreeMap<&String, &Update>, Refusal> {
        let of = match (call.parameters.text("nodegroupName"), call.parameters.text("addonName")) {
            (None, None) => Of::Cluster,
            (Some(group), None) => Of::NodeGroup(self.node_group(group)?.name.as_str()),
            (None, Some(addon)) => Of::Addon(self.addon(addon)?.name.as_str()),
            (Some(_), Some(_)) => {
                return Err(invalid("Only one of nodegroupName and addonName can be given."));
            }
        };
        Ok(self.updates.iter().filter(|(_, update)| update.change.of() == of).collect())
    }
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let (name, id) = (required(call, "name")?, required(call, "updateId")?);
    let updates = named(world, call, name)?.updates_of(call)?;
    let found = updates.into_iter().find(|(known, _)| *known == id);
    let (_, update) = found.ok_or_else(|| not_found(format!("No update found for ID: {id}")))?;
    Ok(json!({ "update": update.shown() }))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let updates = named(world, call, required(call, "name")?)?.updates_of(call)?;
    let ids = updates.into_keys().map(|id| (id.clone(), json!(id)));
    let (page, next) = PAGING.cut(&call.parameters, ids)?;
    Ok(json!({ "updateIds": page, "nextToken": next }))
}

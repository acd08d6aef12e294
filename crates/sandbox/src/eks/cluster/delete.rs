//! Deleting a cluster.

use jiff::SignedDuration;
use serde_json::json;

use super::Cluster;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::eks::change;
use crate::eks::life::{Part, Status};
use crate::eks::refusals::{in_use, required, wrong_request};
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation =
    Operation::new("DeleteCluster", &["name"], delete).on(&[("name", "cluster")]);

/// How long a cluster takes to go.
const DELETED: SignedDuration = SignedDuration::from_mins(3);

fn delete(world: &mut World, call: &Call) -> Answer {
    let name = required(call, "name")?;
    change(world, call, name, |cluster, moment| {
        check(cluster)?;
        cluster.life.status = Status::Deleting;
        cluster.life.changes_at = Some(moment.later(cluster, Part::Cluster, DELETED));
        Ok(json!({ "cluster": cluster.shown() }))
    })
}

/// "If you have node groups or Fargate profiles attached to the cluster, you must delete them
/// first"; one that is protected cannot be deleted (API reference, `DeleteCluster`).
fn check(cluster: &Cluster) -> Result<(), Refusal> {
    let refused = |message: &str| Err(in_use(message).with("clusterName", cluster.name.as_str()));
    if cluster.settings.is_protected {
        let message = "Cannot delete cluster because deletion protection is enabled. Disable it first.";
        return Err(wrong_request(message).with("clusterName", cluster.name.as_str()));
    }
    if cluster.life.status == Status::Deleting {
        return refused("Cannot delete cluster because its deletion is already in progress.");
    }
    if cluster.life.status == Status::Creating {
        return refused("Cannot delete cluster because its creation is in progress.");
    }
    if !cluster.node_groups.is_empty() {
        return refused("Cluster has nodegroups attached");
    }
    if !cluster.fargate_profiles.is_empty() {
        return refused("Cluster has Fargate profiles attached");
    }
    cluster.check_quiet("delete")
}

//! Giving a group's nodes another version: all of them are replaced.

use jiff::SignedDuration;

use super::NODE_GROUP;
use super::config::begin;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::eks::refusals::{invalid, required};
use crate::eks::{named, version};
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "UpdateNodegroupVersion",
    &["clusterName", "nodegroupName", "version", "releaseVersion", "force", "clientRequestToken"],
    update,
)
.on(NODE_GROUP);

/// How long it takes to replace the nodes of a group.
const REPLACED: SignedDuration = SignedDuration::from_mins(5);

fn update(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let group = cluster.ready_node_group(required(call, "nodegroupName")?)?;
    let mut settings = group.settings.clone();
    let current = &cluster.settings.version;
    let wanted = call.parameters.text("version").unwrap_or(current);
    check(&settings.version, wanted, current)?;
    let release = version::offered(wanted)?.image(call.parameters.text("releaseVersion"))?;
    if release == settings.release {
        return Err(invalid(format!("Nodegroup is already at the desired release version {release}")));
    }
    wanted.clone_into(&mut settings.version);
    release.clone_into(&mut settings.release);
    let parameters = vec![("Version", wanted.to_owned()), ("ReleaseVersion", release)];
    begin(world, call, "VersionUpdate", parameters, settings, REPLACED)
}

/// Nodes are not newer than their cluster, and "you can't roll back a node group to an earlier
/// Kubernetes version" (EKS user guide, "Update a managed node group for your cluster").
fn check(now: &str, wanted: &str, cluster: &str) -> Result<(), Refusal> {
    let (from, to, most) = (version::minor(now), version::minor(wanted), version::minor(cluster));
    if to < from {
        let message = format!("Nodegroup version can't be downgraded from {now} to {wanted}");
        return Err(invalid(message));
    }
    if to > most {
        let message = format!("Requested Nodegroup version {wanted} is newer than the cluster's, {cluster}");
        return Err(invalid(message));
    }
    Ok(())
}

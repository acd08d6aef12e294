//! Upgrading a cluster to the next version of Kubernetes.

use serde_json::json;

use super::Cluster;
use super::config::{failure, ready};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::eks::insight::Insight;
use crate::eks::refusals::{invalid, required, wrong_request};
use crate::eks::update::{Change, NewUpdate};
use crate::eks::{change, version};
use crate::world::{Failure, World};
use jiff::SignedDuration;

/// The operation.
pub(super) const OPERATION: Operation =
    Operation::new("UpdateClusterVersion", &["name", "version", "clientRequestToken", "force"], update)
        .on(&[("name", "cluster")]);

/// How long an upgrade of a control plane takes.
const UPGRADED: SignedDuration = SignedDuration::from_mins(9);
/// How many free addresses it needs: "Amazon EKS requires up to five available IP addresses from the
/// subnets that you specified when you created your cluster" (EKS user guide, "Update existing
/// cluster to new Kubernetes version").
const ADDRESSES: usize = 5;

fn update(world: &mut World, call: &Call) -> Answer {
    let (name, wanted) = (required(call, "name")?, required(call, "version")?);
    let cluster = ready(world, call, name)?;
    let offered = check(cluster, wanted)?;
    check_insights(cluster, call)?;
    let mut settings = cluster.settings.clone();
    wanted.clone_into(&mut settings.version);
    settings.platform = offered.platform();
    let subnets = settings.subnets.clone();
    let free = world.network(&call.region).free_addresses(&subnets);
    let lacks = (free < ADDRESSES).then(|| Failure {
        code: "IpNotAvailable".to_owned(),
        message: "The subnets of the cluster do not have enough free IP addresses.".to_owned(),
    });
    let (id, failure) = (world.new_uuid(), world.fate().map(failure).or(lacks));
    change(world, call, name, |cluster, moment| {
        let parameters = vec![("Version", wanted.to_owned()), ("PlatformVersion", settings.platform.clone())];
        let change = Change::Cluster { settings: Box::new(settings), interfaces: Vec::new() };
        let new = NewUpdate { id, kind: "VersionUpdate", parameters, duration: UPGRADED, failure, change };
        Ok(cluster.begin_update(moment, new))
    })
}

/// Refuses an upgrade that insights stand in the way of, unless it is forced (API reference,
/// `UpdateClusterVersion`, `force`).
fn check_insights(cluster: &Cluster, call: &Call) -> Result<(), Refusal> {
    let is_forced = call.parameters.flag("force")?.unwrap_or_default();
    if is_forced || !cluster.insights().iter().any(Insight::blocks) {
        return Ok(());
    }
    let message = "Cluster insights found issues that block the upgrade. Resolve them, or use the force flag to override \
         them.";
    Err(wrong_request(message).with("clusterName", cluster.name.as_str()))
}

/// Checks that a cluster can go on to a version: to the next minor version only, and only when
/// "all of your node groups' Kubernetes versions match the cluster's" (API reference,
/// `UpdateClusterVersion`).
fn check(cluster: &Cluster, wanted: &str) -> Result<&'static version::Offered, Refusal> {
    let now = &cluster.settings.version;
    let offered = version::offered(wanted)?;
    if wanted == now {
        return Err(invalid(format!("Cluster is already at the desired version {wanted}")));
    }
    if version::minor(wanted) != version::minor(now) + 1 {
        let message = format!("Unsupported Kubernetes minor version update from {now} to {wanted}");
        return Err(invalid(message).with("clusterName", cluster.name.as_str()));
    }
    let behind = cluster.node_groups.values().filter(|group| group.settings.version != *now);
    let behind: Vec<_> = behind.map(|group| group.name.as_str()).collect();
    if !behind.is_empty() {
        let message = format!(
            "Nodegroups {} must be updated to match cluster version {now} before updating cluster version",
            json!(behind)
        );
        return Err(wrong_request(message).with("clusterName", cluster.name.as_str()));
    }
    Ok(offered)
}

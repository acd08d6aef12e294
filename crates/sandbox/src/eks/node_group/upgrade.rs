//! Giving a group's nodes another version, or one of its launch template: all of them are replaced.

use jiff::SignedDuration;

use super::config::begin;
use super::machine::image;
use super::{NODE_GROUP, Settings, template};
use crate::call::{Answer, Call, Need, Operation, Refusal};
use crate::ec2::Launch;
use crate::eks::refusals::{invalid, required};
use crate::eks::{named, version};
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "UpdateNodegroupVersion",
    &[
        "clusterName",
        "nodegroupName",
        "version",
        "releaseVersion",
        "launchTemplate",
        "force",
        "clientRequestToken",
    ],
    update,
)
.on(NODE_GROUP)
.also(needs);

/// How long it takes to replace the nodes of a group.
const REPLACED: SignedDuration = SignedDuration::from_mins(5);

fn needs(_: &World, call: &Call) -> Vec<Need> {
    template::needs(call)
}

fn update(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let group = cluster.ready_node_group(required(call, "nodegroupName")?)?;
    let (before, current) = (group.settings.clone(), cluster.settings.version.clone());
    let vpc_id = cluster.vpc_id.clone();
    let launch = template::wanted(world, call, &vpc_id)?;
    check_template(before.launch.as_ref(), launch.as_ref())?;
    let launch = launch.or_else(|| before.launch.clone());
    let wanted = parameters.text("version").unwrap_or(&current);
    check_version(&before.version, wanted, &current)?;
    let release = image(parameters, wanted, launch.as_ref())?;
    let after = Settings { version: wanted.to_owned(), release, launch, ..before.clone() };
    if after == before {
        let message = format!("Nodegroup is already at the desired release version {}", after.release);
        return Err(invalid(message));
    }
    let mut shown = vec![("Version", after.version.clone()), ("ReleaseVersion", after.release.clone())];
    if let Some(launch) = after.launch.as_ref().filter(|_| after.launch != before.launch) {
        shown.push(("LaunchTemplateName", launch.name.clone()));
        shown.push(("LaunchTemplateVersion", launch.version.to_string()));
    }
    begin(world, call, "VersionUpdate", shown, after, REPLACED)
}

/// "You must specify the same launch template that was used to create the node group", in whatever version (API
/// reference, `UpdateNodegroupVersion`; EKS user guide, "Customize managed nodes with launch templates").
fn check_template(before: Option<&Launch>, wanted: Option<&Launch>) -> Result<(), Refusal> {
    match (before, wanted) {
        (_, None) => Ok(()),
        (Some(before), Some(wanted)) if before.id == wanted.id => {
            // Between an image of EKS and one of one's own, a group cannot change.
            if before.image_id.is_some() == wanted.image_id.is_some() {
                return Ok(());
            }
            Err(invalid("You cannot change between an AMI of EKS and a custom one."))
        }
        (Some(_), Some(_)) => {
            Err(invalid("You can only update to another version of the launch template of the node group."))
        }
        (None, Some(_)) => {
            let message = "You cannot specify a launch template: the node group was created without one.";
            Err(invalid(message))
        }
    }
}

/// Nodes are not newer than their cluster, and "you can't roll back a node group to an earlier
/// Kubernetes version" (EKS user guide, "Update a managed node group for your cluster").
fn check_version(now: &str, wanted: &str, cluster: &str) -> Result<(), Refusal> {
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

//! Add-ons: what EKS installs in a cluster and keeps up to date.

mod catalog;
mod create;
mod delete;
mod schema;
mod settings;
#[cfg(test)]
mod tests;
mod update;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::life::{Life, Moment, Outcome, Status};
use super::refusals::{not_found, required};
use super::{PAGING, named};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::cluster::AddOn;
use crate::world::{World, seconds};
pub(super) use catalog::{OPERATIONS as CATALOG, default_version, is_compatible};
pub(super) use settings::Settings;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    create::OPERATION,
    Operation::new("DescribeAddon", &["clusterName", "addonName"], describe).on(ADDON),
    Operation::new("ListAddons", &["clusterName", "maxResults", "nextToken"], list)
        .on(&[("clusterName", "cluster")]),
    update::OPERATION,
    delete::OPERATION,
];

/// What the operations on an add-on are done to.
const ADDON: &[(&str, &str)] = &[("addonName", "addon")];

/// How many pods the deployments of add-ons have if nobody says so.
pub(super) const USUAL_REPLICAS: i64 = 2;

/// The add-on that gives pods their addresses.
pub(super) const NETWORK_PLUGIN: &str = "vpc-cni";

/// An add-on of a cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Addon {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) life: Life,
    made_at: Timestamp,
    changed_at: Timestamp,
    /// What can be changed.
    settings: Settings,
    namespace: String,
    /// Whether the last update of it failed.
    is_behind: bool,
    /// Whether it leaves what it has installed behind when it goes.
    is_preserved: bool,
    pub(super) tags: BTreeMap<String, String>,
}

impl Addon {
    /// Tells whether it works, as long as it is not deleted.
    pub(super) fn is_active(&self) -> bool {
        self.life.status == Status::Active
    }

    /// Returns what of it is in the cluster: nothing while it is being made, or if it could not be.
    pub(super) fn installed(&self) -> Option<AddOn> {
        matches!(self.life.status, Status::Active | Status::Deleting).then(|| AddOn {
            name: self.name.clone(),
            version: self.settings.version.clone(),
            namespace: self.namespace.clone(),
            replicas: self.settings.replicas().unwrap_or(USUAL_REPLICAS),
        })
    }

    /// Returns its version.
    pub(super) fn version(&self) -> &str {
        &self.settings.version
    }

    /// Tells whether it acts with a role of its own.
    pub(super) fn has_role(&self) -> bool {
        self.settings.role_arn.is_some() || !self.settings.pod_roles.is_empty()
    }

    /// Tells whether its pods have no node to run on: it is no daemon, which would be content with
    /// as many as there are.
    fn lacks_nodes(&self, cluster: &Cluster) -> bool {
        catalog::needs_nodes(&self.name) && cluster.ready_nodes() == 0
    }

    fn status(&self, cluster: &Cluster) -> &'static str {
        match self.life.status {
            Status::Creating => "CREATING",
            Status::Active if cluster.is_changing_addon(&self.name) => "UPDATING",
            Status::Active if self.is_behind => "UPDATE_FAILED",
            Status::Active if self.lacks_nodes(cluster) => "DEGRADED",
            Status::Active => "ACTIVE",
            Status::Failed => "CREATE_FAILED",
            Status::Deleting => "DELETING",
        }
    }

    /// Returns it as answers have it.
    fn shown(&self, cluster: &Cluster) -> Value {
        let failure = self.life.shown_failure();
        let mut issues: Vec<_> = failure
            .map(|failure| json!({ "code": failure.code, "message": failure.message, "resourceIds": [] }))
            .into_iter()
            .collect();
        if self.status(cluster) == "DEGRADED" {
            issues.push(json!({
                "code": "InsufficientNumberOfReplicas",
                "message": "The add-on is unhealthy because it doesn't have the desired number of replicas.",
                "resourceIds": [],
            }));
        }
        let associations = cluster.associations_of(&self.arn);
        json!({
            "addonName": self.name,
            "clusterName": cluster.name,
            "addonArn": self.arn,
            "status": self.status(cluster),
            "addonVersion": self.settings.version,
            "createdAt": seconds(self.made_at),
            "modifiedAt": seconds(self.changed_at),
            "serviceAccountRoleArn": self.settings.role_arn,
            "configurationValues": self.settings.values,
            "podIdentityAssociations": (!associations.is_empty()).then_some(associations),
            "namespaceConfig": { "namespace": self.namespace },
            "health": { "issues": issues },
            "publisher": "eks",
            "owner": "aws",
            "tags": self.tags,
        })
    }
}

impl Cluster {
    /// Returns an add-on.
    pub(super) fn addon(&self, name: &str) -> Result<&Addon, Refusal> {
        self.addons.get(name).ok_or_else(|| {
            let message = format!("No addon: {name} found in cluster: {}", self.name);
            not_found(message).with("clusterName", self.name.as_str()).with("addonName", name)
        })
    }

    /// Lets happen what is due of an add-on.
    pub(super) fn settle_addon(&mut self, moment: &Moment<'_>, name: &str) -> Outcome {
        let Some(addon) = self.addons.get_mut(name) else { return Outcome::Stays };
        if !addon.life.is_due(moment.at) {
            return Outcome::Stays;
        }
        match addon.life.status {
            Status::Creating if addon.life.failure.is_some() => addon.life.status = Status::Failed,
            Status::Creating => addon.life.status = Status::Active,
            Status::Active | Status::Failed => {}
            Status::Deleting => self.remove_addon(name),
        }
        Outcome::Stays
    }
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let addon = cluster.addon(required(call, "addonName")?)?;
    Ok(json!({ "addon": addon.shown(cluster) }))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let names = cluster.addons.keys().map(|name| (name.clone(), json!(name)));
    let (page, next) = PAGING.cut(&call.parameters, names)?;
    Ok(json!({ "addons": page, "nextToken": next }))
}

//! Changing an add-on.

use jiff::SignedDuration;

use super::settings::Settings;
use super::{ADDON, Addon, create};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::eks::cluster::Cluster;
use crate::eks::life::{Moment, Status};
use crate::eks::refusals::{in_use, required};
use crate::eks::update::{Change, NewUpdate};
use crate::eks::{change, named, pod_identity, update_failure};
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "UpdateAddon",
    &[
        "clusterName",
        "addonName",
        "addonVersion",
        "serviceAccountRoleArn",
        "resolveConflicts",
        "clientRequestToken",
        "configurationValues",
        "podIdentityAssociations",
    ],
    update,
)
.on(ADDON)
.also(create::passes);

/// How long a change takes.
const CHANGED: SignedDuration = SignedDuration::from_secs(60);

fn update(world: &mut World, call: &Call) -> Answer {
    let (cluster_name, name) = (required(call, "clusterName")?, required(call, "addonName")?);
    let cluster = named(world, call, cluster_name)?;
    let before = ready(cluster, name)?.settings.clone();
    let kubernetes = cluster.settings.version.clone();
    let overwrites = call.parameters.text("resolveConflicts") == Some("OVERWRITE");
    let conflict = create::conflict(cluster, name).filter(|_| !overwrites);
    let settings = Settings::read(Some(before), world, call, name, &kubernetes)?;
    let (id, failure) = (world.new_uuid(), world.fate().map(update_failure).or(conflict));
    let associations = settings.pod_roles.keys().map(|_| pod_identity::new_id(world)).collect();
    let named = [
        ("addonVersion", "AddonVersion"),
        ("serviceAccountRoleArn", "ServiceAccountRoleArn"),
        ("resolveConflicts", "ResolveConflicts"),
        ("configurationValues", "ConfigurationValues"),
    ];
    let parameters = named
        .into_iter()
        .filter_map(|(parameter, name)| Some((name, call.parameters.text(parameter)?.to_owned())));
    let parameters = parameters.collect();
    change(world, call, cluster_name, |cluster, moment| {
        let change = Change::Addon { name: name.to_owned(), settings: Box::new(settings), associations };
        let new = NewUpdate { id, kind: "AddonUpdate", parameters, duration: CHANGED, failure, change };
        Ok(cluster.begin_update(moment, new))
    })
}

/// Returns an add-on that can be changed: nothing else is being changed of it. One that could not be made can
/// be made good so.
fn ready<'a>(cluster: &'a Cluster, name: &str) -> Result<&'a Addon, Refusal> {
    let addon = cluster.addon(name)?;
    let is_busy = cluster.is_changing_addon(name)
        || match addon.life.status {
            Status::Creating | Status::Deleting => true,
            Status::Active | Status::Failed => false,
        };
    if is_busy {
        let message = format!("Addon {name} cannot be updated: a change of it is in progress");
        return Err(in_use(message).with("addonName", name));
    }
    Ok(addon)
}

impl Cluster {
    /// Tells whether an add-on is being changed.
    pub(super) fn is_changing_addon(&self, name: &str) -> bool {
        self.updates.values().any(|update| update.changes_addon(name))
    }

    /// Lets an add-on become what an update makes of it.
    pub(in crate::eks) fn change_addon(
        &mut self,
        moment: &Moment<'_>,
        name: &str,
        settings: Settings,
        associations: Vec<String>,
    ) {
        let Some(addon) = self.addons.get_mut(name) else { return };
        (addon.changed_at, addon.is_behind) = (moment.at, false);
        addon.life.status = Status::Active;
        let (arn, namespace) = (addon.arn.clone(), addon.namespace.clone());
        let pod_roles = settings.pod_roles.clone();
        addon.settings = settings;
        self.own_addons.remove(name);
        self.dissociate_addon(&arn);
        // One that somebody else made for an account of pods in the meantime keeps it.
        drop(self.associate_addon(moment.at, &arn, &namespace, &pod_roles, associations));
    }

    /// Notes that an update of an add-on has failed.
    pub(in crate::eks) fn leave_addon_behind(&mut self, name: &str) {
        if let Some(addon) = self.addons.get_mut(name) {
            addon.is_behind = true;
        }
    }
}

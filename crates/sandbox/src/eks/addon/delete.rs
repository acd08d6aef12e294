//! Taking an add-on out of a cluster.

use jiff::SignedDuration;
use serde_json::json;

use super::ADDON;
use crate::call::{Answer, Call, Operation};
use crate::eks::change;
use crate::eks::cluster::Cluster;
use crate::eks::life::{Life, Part, Status};
use crate::eks::refusals::{required, wrong_request};
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation =
    Operation::new("DeleteAddon", &["clusterName", "addonName", "preserve"], delete).on(ADDON);

/// How long an add-on takes to go.
const DELETED: SignedDuration = SignedDuration::from_secs(20);

fn delete(world: &mut World, call: &Call) -> Answer {
    let (cluster, name) = (required(call, "clusterName")?, required(call, "addonName")?);
    let is_preserved = call.parameters.flag("preserve")?.unwrap_or_default();
    change(world, call, cluster, |cluster, moment| {
        let status = cluster.addon(name)?.life.status;
        if status == Status::Deleting || cluster.is_changing_addon(name) {
            let message = format!("Addon {name} cannot be deleted: a change of it is in progress");
            return Err(wrong_request(message).with("addonName", name));
        }
        let at = moment.later(cluster, Part::Addon(name.to_owned()), DELETED);
        if let Some(addon) = cluster.addons.get_mut(name) {
            addon.life = Life { status: Status::Deleting, changes_at: Some(at), failure: None };
            addon.is_preserved = is_preserved;
        }
        Ok(json!({ "addon": cluster.addon(name)?.shown(cluster) }))
    })
}

impl Cluster {
    /// Takes an add-on away. What it has installed goes too, unless it is preserved: "this option removes
    /// Amazon EKS management of any settings" (EKS user guide, "Remove an Amazon EKS add-on").
    pub(super) fn remove_addon(&mut self, name: &str) {
        let Some(addon) = self.addons.remove(name) else { return };
        if addon.is_preserved {
            self.own_addons.insert(name.to_owned());
        }
        self.dissociate_addon(&addon.arn);
        self.forget_updates_of_addon(name);
    }
}

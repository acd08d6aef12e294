//! Changing how many nodes a group has, and what they are labelled with.

use jiff::SignedDuration;
use serde_json::json;

use super::{NODE_GROUP, Settings};
use crate::call::{Answer, Call, Operation, Parameters};
use crate::eks::refusals::{invalid, required};
use crate::eks::update::{Change, NewUpdate};
use crate::eks::{change, named, update_failure};
use crate::quotas;
use crate::world::World;

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "UpdateNodegroupConfig",
    &[
        "clusterName",
        "nodegroupName",
        "labels",
        "taints",
        "scalingConfig",
        "updateConfig",
        "nodeRepairConfig",
        "warmPoolConfig",
        "clientRequestToken",
    ],
    update,
)
.on(NODE_GROUP);

/// How long a change takes.
const CHANGED: SignedDuration = SignedDuration::from_secs(60);

fn update(world: &mut World, call: &Call) -> Answer {
    let most = world.quota(&call.caller.account, quotas::NODES_OF_GROUP);
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let group = cluster.ready_node_group(required(call, "nodegroupName")?)?;
    let mut settings = group.settings.clone();
    settings.read_changes(&call.parameters, most)?;
    if settings == group.settings {
        return Err(invalid("No changes needed for the configuration of the node group."));
    }
    let parameters = parameters(&call.parameters);
    begin(world, call, "ConfigUpdate", parameters, settings, CHANGED)
}

/// Begins a change of a node group.
pub(super) fn begin(
    world: &mut World,
    call: &Call,
    kind: &'static str,
    parameters: Vec<(&'static str, String)>,
    settings: Settings,
    duration: SignedDuration,
) -> Answer {
    let (cluster, name) = (required(call, "clusterName")?, required(call, "nodegroupName")?);
    let (id, failure) = (world.new_uuid(), world.fate().map(update_failure));
    let instances = (0..settings.scaling.wanted()).map(|_| world.new_id("i")).collect();
    change(world, call, cluster, |cluster, moment| {
        let change = Change::NodeGroup { name: name.to_owned(), settings: Box::new(settings), instances };
        Ok(cluster.begin_update(moment, NewUpdate { id, kind, parameters, duration, failure, change }))
    })
}

/// Returns what was asked for, by the names of EKS (API reference, `UpdateParam`).
fn parameters(asked: &Parameters) -> Vec<(&'static str, String)> {
    let names: [(&str, &[(&str, &'static str)]); 6] = [
        ("labels", &[("addOrUpdateLabels", "LabelsToAdd"), ("removeLabels", "LabelsToRemove")]),
        ("taints", &[("addOrUpdateTaints", "TaintsToAdd"), ("removeTaints", "TaintsToRemove")]),
        ("scalingConfig", &[("minSize", "MinSize"), ("maxSize", "MaxSize"), ("desiredSize", "DesiredSize")]),
        (
            "updateConfig",
            &[
                ("maxUnavailable", "MaxUnavailable"),
                ("maxUnavailablePercentage", "MaxUnavailablePercentage"),
                ("updateStrategy", "UpdateStrategy"),
            ],
        ),
        ("nodeRepairConfig", &[("enabled", "NodeRepairEnabled")]),
        (
            "warmPoolConfig",
            &[
                ("enabled", "WarmPoolEnabled"),
                ("minSize", "WarmPoolMinSize"),
                ("maxGroupPreparedCapacity", "WarmPoolMaxGroupPreparedCapacity"),
                ("poolState", "WarmPoolState"),
                ("reuseOnScaleIn", "WarmPoolReuseOnScaleIn"),
            ],
        ),
    ];
    let mut shown = Vec::new();
    for (table, members) in names {
        let table = asked.table(table);
        for (member, name) in members {
            if let Some(value) = table.0.get(*member) {
                let text = value.as_str().map_or_else(|| json!(value).to_string(), str::to_owned);
                shown.push((*name, text));
            }
        }
    }
    shown
}

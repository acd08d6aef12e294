//! The one call that brings a node group closer to what is wanted.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::resource::Observed;

use super::NodeGroupStep;
use super::attributes::{
    LaunchTemplate, NodeGroupInputs, NodeGroupOutputs, Repair, Scaling, Taint, Update, WarmPool,
};
use crate::tags::next_step as next_tag_step;

/// What nodes run, as one `UpdateNodegroupVersion` changes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct VersionChange {
    /// The version of Kubernetes so far.
    pub(super) from: Option<String>,
    pub(super) version: Option<String>,
    pub(super) release_version: Option<String>,
    /// By id or by name, since EKS refuses both.
    pub(super) launch_template: Option<LaunchTemplate>,
    pub(super) force: bool,
}

/// Everything else, as one `UpdateNodegroupConfig` changes it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ConfigChange {
    pub(super) scaling: Option<Scaling>,
    pub(super) labels_to_set: BTreeMap<String, String>,
    pub(super) labels_to_remove: BTreeSet<String>,
    pub(super) taints_to_set: BTreeSet<Taint>,
    pub(super) taints_to_remove: BTreeSet<Taint>,
    pub(super) update: Option<Update>,
    pub(super) repair: Option<Repair>,
    pub(super) warm_pool: Option<WarmPool>,
}

/// Names the next call: what nodes run comes first, since it makes new ones.
pub(super) fn step(
    observed: &Observed<NodeGroupInputs, NodeGroupOutputs>,
    desired: Option<&NodeGroupInputs>,
) -> Option<NodeGroupStep> {
    let found = &observed.inputs;
    let Some(desired) = desired else { return Some(NodeGroupStep::Delete) };
    if observed.outputs.failed_update.is_some() {
        // The same call would fail again.
        return None;
    }
    let tag_step = next_tag_step(found.tags.as_ref(), desired.tags.as_ref());
    version_change(found, desired)
        .map(|change| NodeGroupStep::UpdateVersion(Box::new(change)))
        .or_else(|| config_change(found, desired).map(|change| NodeGroupStep::UpdateConfig(Box::new(change))))
        .or_else(|| {
            let arn = || observed.outputs.arn.clone();
            tag_step.map(|step| NodeGroupStep::Tag { arn: arn(), step })
        })
}

fn version_change(found: &NodeGroupInputs, desired: &NodeGroupInputs) -> Option<VersionChange> {
    let version = other(found.version.as_ref(), desired.version.as_ref());
    let release_version = other(found.release_version.as_ref(), desired.release_version.as_ref());
    let launch_template = launch_template(found.launch_template.as_ref(), desired.launch_template.as_ref());
    let differs = version.is_some() || release_version.is_some() || launch_template.is_some();
    differs.then(|| VersionChange {
        from: found.version.clone(),
        version,
        release_version,
        launch_template,
        force: desired.force_version_update == Some(true),
    })
}

/// Returns another version of the template that the group has. Another template is another group.
fn launch_template(
    found: Option<&LaunchTemplate>,
    desired: Option<&LaunchTemplate>,
) -> Option<LaunchTemplate> {
    let (found, desired) = (found?, desired?);
    other(found.version.as_ref(), desired.version.as_ref())?;
    let name = desired.name.clone().filter(|_| desired.id.is_none());
    Some(LaunchTemplate { id: desired.id.clone(), name, version: desired.version })
}

fn config_change(found: &NodeGroupInputs, desired: &NodeGroupInputs) -> Option<ConfigChange> {
    let change = ConfigChange {
        scaling: scaling(found.scaling.as_ref(), desired.scaling.as_ref()),
        update: update(found.update.as_ref(), desired.update.as_ref()),
        repair: repair(found.repair.as_ref(), desired.repair.as_ref()),
        warm_pool: warm_pool(found.warm_pool.as_ref(), desired.warm_pool.as_ref()),
        ..marks(found, desired)
    };
    (change != ConfigChange::default()).then_some(change)
}

/// The number of nodes stays, unless it does not fit between the limits any more.
fn scaling(found: Option<&Scaling>, desired: Option<&Scaling>) -> Option<Scaling> {
    let desired = desired?;
    let number = desired.desired.or(found.and_then(|found| found.desired));
    let number = number.map(|number| number.min(desired.max).max(desired.min));
    let wanted = Scaling { desired: number, ..desired.clone() };
    (found != Some(&wanted)).then_some(wanted)
}

/// Returns the labels and taints that come and go. A taint is told by its key and effect.
fn marks(found: &NodeGroupInputs, desired: &NodeGroupInputs) -> ConfigChange {
    let mut change = ConfigChange::default();
    if let Some(wanted) = &desired.labels {
        let found = found.labels.clone().unwrap_or_default();
        let set = wanted.iter().filter(|(key, value)| found.get(*key) != Some(*value));
        change.labels_to_set = set.map(|(key, value)| (key.clone(), value.clone())).collect();
        change.labels_to_remove = found.into_keys().filter(|key| !wanted.contains_key(key)).collect();
    }
    if let Some(wanted) = &desired.taints {
        let found = found.taints.clone().unwrap_or_default();
        let kept: BTreeSet<_> = wanted.iter().map(|taint| (&taint.key, &taint.effect)).collect();
        change.taints_to_set = wanted.difference(&found).cloned().collect();
        change.taints_to_remove =
            found.iter().filter(|taint| !kept.contains(&(&taint.key, &taint.effect))).cloned().collect();
    }
    change
}

/// A number and a percentage exclude each other: what is wanted takes the other's place.
fn update(found: Option<&Update>, desired: Option<&Update>) -> Option<Update> {
    let desired = desired?;
    let found = found.cloned().unwrap_or_default();
    let says_how_many = desired.max_unavailable.is_some() || desired.max_unavailable_percentage.is_some();
    let how_many = if says_how_many { desired } else { &found };
    let wanted = Update {
        max_unavailable: how_many.max_unavailable,
        max_unavailable_percentage: how_many.max_unavailable_percentage,
        strategy: desired.strategy.clone().or_else(|| found.strategy.clone()),
    };
    (wanted != found).then_some(wanted)
}

fn repair(found: Option<&Repair>, desired: Option<&Repair>) -> Option<Repair> {
    let desired = desired?;
    let found = found.cloned().unwrap_or_default();
    let says_unhealthy = desired.max_unhealthy_count.is_some() || desired.max_unhealthy_percentage.is_some();
    let unhealthy = if says_unhealthy { desired } else { &found };
    let says_parallel = desired.max_parallel_count.is_some() || desired.max_parallel_percentage.is_some();
    let parallel = if says_parallel { desired } else { &found };
    let wanted = Repair {
        enabled: desired.enabled.or(found.enabled),
        max_unhealthy_count: unhealthy.max_unhealthy_count,
        max_unhealthy_percentage: unhealthy.max_unhealthy_percentage,
        max_parallel_count: parallel.max_parallel_count,
        max_parallel_percentage: parallel.max_parallel_percentage,
        overrides: desired.overrides.clone().or_else(|| found.overrides.clone()),
    };
    (wanted != found).then_some(wanted)
}

fn warm_pool(found: Option<&WarmPool>, desired: Option<&WarmPool>) -> Option<WarmPool> {
    let desired = desired?;
    let found = found.cloned().unwrap_or_default();
    let wanted = WarmPool {
        enabled: desired.enabled.or(found.enabled),
        min: desired.min.or(found.min),
        max_prepared: desired.max_prepared.or(found.max_prepared),
        state: desired.state.clone().or_else(|| found.state.clone()),
        reuse_on_scale_in: desired.reuse_on_scale_in.or(found.reuse_on_scale_in),
    };
    (wanted != found).then_some(wanted)
}

/// Returns what is wanted if something else is there.
fn other<T: Clone + PartialEq>(found: Option<&T>, desired: Option<&T>) -> Option<T> {
    desired.filter(|desired| found != Some(*desired)).cloned()
}

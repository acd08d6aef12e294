//! The one call that brings a cluster closer to what is wanted.

use straddle_engine::resource::Observed;

use super::attributes::{AutoMode, ClusterInputs, ClusterOutputs, Endpoint, RemoteNetworks};
use super::{ClusterStep, Config};
use crate::tags::next_step as next_tag_step;

/// Names the next call. A cluster takes one change at a time; the version comes first.
pub(super) fn step(
    observed: &Observed<ClusterInputs, ClusterOutputs>,
    desired: Option<&ClusterInputs>,
) -> Option<ClusterStep> {
    let found = &observed.inputs;
    let Some(desired) = desired else {
        let is_protected = found.deletion_protection == Some(true);
        let unprotect = ClusterStep::UpdateConfig(Config::DeletionProtection(false));
        return Some(if is_protected { unprotect } else { ClusterStep::Delete });
    };
    if observed.outputs.failed_update.is_some() {
        // The same call would fail again.
        return None;
    }
    let tag_step = next_tag_step(found.tags.as_ref(), desired.tags.as_ref());
    version(found, desired)
        .or_else(|| access(found, desired).map(ClusterStep::UpdateConfig))
        .or_else(|| computing(found, desired).map(ClusterStep::UpdateConfig))
        .or_else(|| {
            let added = desired.encryption.clone().filter(|_| found.encryption.is_none());
            added.map(ClusterStep::AssociateEncryption)
        })
        .or_else(|| config(found, desired).map(ClusterStep::UpdateConfig))
        .or_else(|| {
            let arn = || observed.outputs.arn.clone();
            tag_step.map(|step| ClusterStep::Tag { arn: arn(), step })
        })
}

fn version(found: &ClusterInputs, desired: &ClusterInputs) -> Option<ClusterStep> {
    let to = other(found.version.as_ref(), desired.version.as_ref())?;
    let force = desired.force_version_update == Some(true);
    Some(ClusterStep::UpdateVersion { from: found.version.clone().unwrap_or_default(), to, force })
}

/// The way from `CONFIG_MAP` to `API` leads over both.
fn access(found: &ClusterInputs, desired: &ClusterInputs) -> Option<Config> {
    let found = found.access.as_ref().and_then(|access| access.authentication_mode.as_ref());
    let desired = desired.access.as_ref().and_then(|access| access.authentication_mode.as_ref());
    let mode = other(found, desired)?;
    let is_half_way = mode == "API" && found.is_none_or(|found| found == "CONFIG_MAP");
    Some(Config::Access(if is_half_way { "API_AND_CONFIG_MAP".to_owned() } else { mode }))
}

fn computing(found: &ClusterInputs, desired: &ClusterInputs) -> Option<Config> {
    let auto_mode =
        desired.auto_mode.as_ref().and_then(|desired| auto_mode(found.auto_mode.as_ref(), desired));
    auto_mode.map(Config::AutoMode).or_else(|| remote_networks(found, desired))
}

fn config(found: &ClusterInputs, desired: &ClusterInputs) -> Option<Config> {
    let logging = other(found.logging.as_ref(), desired.logging.as_ref());
    logging
        .map(Config::Logging)
        .or_else(|| {
            other(found.upgrade_policy.as_ref(), desired.upgrade_policy.as_ref()).map(Config::UpgradePolicy)
        })
        .or_else(|| endpoint(found.endpoint.as_ref(), desired.endpoint.as_ref()).map(Config::Endpoint))
        .or_else(|| other(Some(&found.subnet_ids), Some(&desired.subnet_ids)).map(Config::Subnets))
        .or_else(|| {
            other(found.security_group_ids.as_ref(), desired.security_group_ids.as_ref())
                .map(Config::SecurityGroups)
        })
        .or_else(|| other(found.zonal_shift.as_ref(), desired.zonal_shift.as_ref()).map(Config::ZonalShift))
        .or_else(|| {
            other(found.control_plane_tier.as_ref(), desired.control_plane_tier.as_ref())
                .map(Config::ControlPlaneTier)
        })
        .or_else(|| {
            other(found.deletion_protection.as_ref(), desired.deletion_protection.as_ref())
                .map(Config::DeletionProtection)
        })
}

/// Returns all of it: what nodes may be, and what goes on and off with them.
fn auto_mode(found: Option<&AutoMode>, desired: &AutoMode) -> Option<AutoMode> {
    let found = found.cloned().unwrap_or_default();
    let differs = found.enabled != desired.enabled
        || other(found.node_pools.as_ref(), desired.node_pools.as_ref()).is_some()
        || other(found.node_role_arn.as_ref(), desired.node_role_arn.as_ref()).is_some();
    differs.then(|| AutoMode {
        enabled: desired.enabled,
        node_pools: desired.node_pools.clone().or(found.node_pools),
        node_role_arn: desired.node_role_arn.clone().or(found.node_role_arn),
    })
}

fn remote_networks(found: &ClusterInputs, desired: &ClusterInputs) -> Option<Config> {
    let desired = desired.remote_networks.as_ref()?;
    let found = found.remote_networks.clone().unwrap_or_default();
    let whole = RemoteNetworks {
        node_cidrs: desired.node_cidrs.clone().or_else(|| found.node_cidrs.clone()),
        pod_cidrs: desired.pod_cidrs.clone().or_else(|| found.pod_cidrs.clone()),
    };
    (whole != found).then_some(Config::RemoteNetworks(whole))
}

/// Returns what is to be said of the endpoint. Ranges mean nothing to one that is not public.
fn endpoint(found: Option<&Endpoint>, desired: Option<&Endpoint>) -> Option<Endpoint> {
    let desired = desired?;
    let found = found.cloned().unwrap_or_default();
    let is_public = desired.public.or(found.public) != Some(false);
    let ranges = desired.public_access_cidrs.as_ref().filter(|_| is_public);
    let differs = other(found.public.as_ref(), desired.public.as_ref()).is_some()
        || other(found.private.as_ref(), desired.private.as_ref()).is_some()
        || other(found.public_access_cidrs.as_ref(), ranges).is_some();
    differs.then(|| Endpoint {
        public: desired.public.or(found.public),
        private: desired.private.or(found.private),
        public_access_cidrs: ranges.cloned(),
    })
}

/// Returns what is wanted if something else is there.
fn other<T: Clone + PartialEq>(found: Option<&T>, desired: Option<&T>) -> Option<T> {
    desired.filter(|desired| found != Some(*desired)).cloned()
}

//! The connection to a cluster, the kinds in it, and charts.
//!
//! Needs no AWS SDK: what a token is signed with comes from whoever has the account.

pub mod cluster;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "templates take values of any kind, and most of what looks at one knows a few of them"
)]
pub mod helm;
#[cfg(test)]
mod loading;
pub mod manifests;
mod object;
pub mod release;
pub mod token;

use straddle_engine::registry::Registry;

/// Adds the kinds of clusters, how these are connected to, and from where charts come.
#[must_use]
pub fn with_kinds(registry: Registry) -> Registry {
    registry
        .with_clusters(cluster::Clusters)
        .with_supplier(helm::ChartSupplier)
        .with::<object::Object>()
        .with_bundle::<manifests::KubernetesManifests>()
        .with_bundle::<release::HelmRelease>()
}

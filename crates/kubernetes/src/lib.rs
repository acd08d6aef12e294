//! The connection to a cluster, the kinds in it, and charts.
//!
//! Needs no AWS SDK: what a token is signed with comes from whoever has the account.

pub mod cluster;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "templates take values of any kind, and most of what looks at one knows a few of them"
)]
pub mod helm;
pub mod manifests;
mod object;
pub mod token;

use straddle_engine::registry::Registry;

/// Adds the kinds of clusters, and how they are connected to.
#[must_use]
pub fn with_kinds(registry: Registry) -> Registry {
    registry
        .with_clusters(cluster::Clusters)
        .with::<object::Object>()
        .with_bundle::<manifests::KubernetesManifests>()
}

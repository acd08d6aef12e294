//! Ids of what is below a cluster: the cluster's name, a slash, and what EKS calls the thing there:
//! `main/coredns`. Names of clusters have no slashes (API reference, `CreateCluster`).

use straddle_engine::address::RemoteId;

/// Returns the id of something below a cluster.
pub(crate) fn below(cluster: &str, name: &str) -> RemoteId {
    RemoteId::new(format!("{cluster}/{name}"))
}

/// Returns the cluster's name, and what the thing is called there.
pub(crate) fn parts(id: &str) -> (&str, &str) {
    id.split_once('/').unwrap_or((id, ""))
}

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

/// Describes what is wrong with something, in EKS's own words, with what it is about.
pub(crate) fn issue(code: Option<&str>, message: Option<&str>, resource_ids: &[String]) -> String {
    let said = code.into_iter().chain(message).collect::<Vec<_>>().join(": ");
    let about = resource_ids.join(", ");
    if about.is_empty() { said } else { format!("{said} ({about})") }
}

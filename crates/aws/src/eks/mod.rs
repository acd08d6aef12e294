//! The kinds of EKS, and what they share.

pub(crate) mod access_entry;
pub(crate) mod access_policy_association;
pub(crate) mod addon;
mod check;
pub(crate) mod cluster;
pub(crate) mod fargate_profile;
pub(crate) mod id;
mod memory;
mod named;
pub(crate) mod node_group;
pub(crate) mod pod_identity_association;
mod tags;
mod version;

pub(crate) use memory::Memory;

/// The service whose limits the calls of these kinds fall under.
const SERVICE: &str = "eks";

//! The kinds of EKS, and what they share.

pub(crate) mod access_entry;
pub(crate) mod access_policy_association;
pub(crate) mod addon;
mod id;
mod memory;
mod named;
pub(crate) mod pod_identity_association;
mod tags;

pub(crate) use memory::Memory;

/// The service whose limits the calls of these kinds fall under.
const SERVICE: &str = "eks";

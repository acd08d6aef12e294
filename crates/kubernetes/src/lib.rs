//! The connection to a cluster, the kinds in it, and charts.
//!
//! Needs no AWS SDK: what a token is signed with comes from whoever has the account.

pub mod manifests;
pub mod token;

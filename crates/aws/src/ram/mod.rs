//! The kinds of RAM, and what they share.

mod check;
mod listing;
mod member;
pub(crate) mod organization_sharing;
pub(crate) mod participants;
pub(crate) mod resource_share;
pub(crate) mod share_accepter;
mod tags;

/// The service whose limits the calls of these kinds fall under.
const SERVICE: &str = "ram";

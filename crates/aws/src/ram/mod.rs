//! The kinds of RAM, and what they share.

mod check;
mod listing;
mod member;
pub(crate) mod participants;
pub(crate) mod resource_share;
mod tags;

/// The service whose limits the calls of these kinds fall under.
const SERVICE: &str = "ram";

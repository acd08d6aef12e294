//! What a `Describe` call found, and where.

use straddle_engine::resource::Readiness;

use crate::client::{Client, Place};

/// How many things a page of a `Describe` call has: the most that EC2 gives.
pub(crate) const PAGE_SIZE: i32 = 1000;

/// What a `Describe` call found, and where.
pub(crate) struct Found<T> {
    /// The things, in the service's order.
    pub(crate) things: Vec<T>,
    /// Where they are.
    pub(crate) place: Place,
}

impl<T> Found<T> {
    /// Keeps what was found through this client.
    pub(crate) fn new(client: &Client, things: Vec<T>) -> Self {
        Self { things, place: client.place.clone() }
    }
}

/// Tells whether a thing with a life of its own can be used. The words are the service's.
pub(crate) fn readiness(state: Option<&str>, ready: &str) -> Readiness {
    match state {
        Some(state) if state.starts_with("failed") => Readiness::Failed(state.to_owned()),
        Some(state) if state != ready => Readiness::Pending(state.to_owned()),
        _ => Readiness::Ready,
    }
}

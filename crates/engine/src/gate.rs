//! Gates: places in the order of a run where something is waited for that no call of ours brings about.
//!
//! A plain reversal of the dependencies would wait for a load balancer to vanish before deleting
//! what makes it vanish. So a gate has edges of its own: *after* the Ingress is deleted and
//! *before* anything that the Ingress stood on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::address::{AccountName, Address};
use crate::plan::Plan;
use crate::provider::{BoxFuture, Connection, ProviderError};
use crate::resource::Readiness;
use crate::state::State;
use crate::value::ValueMap;

/// A sort of gate. A program registers those that its kinds need.
pub trait Gate: Send + Sync {
    /// Returns where gates of this sort stand in the run that carries out `plan`.
    fn place(&self, plan: &Plan, state: &State) -> Vec<Placement>;

    /// Looks whether the gate is open: ready, not yet and why, or never and why.
    fn check<'a>(
        &'a self,
        connections: &'a BTreeMap<AccountName, Connection>,
        placement: &'a Placement,
    ) -> BoxFuture<'a, Result<Readiness, ProviderError>>;

    /// Returns what to do about a gate that stayed closed, in whole sentences.
    fn advice(&self, _placement: &Placement) -> Option<String> {
        None
    }
}

/// Where one gate stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// What the wait is shown and reported as.
    pub address: Address,
    /// The account in which is waited, for the display.
    pub account: AccountName,
    /// What has to be done before the wait starts.
    pub after: Vec<Anchor>,
    /// What has to wait until the gate is open.
    pub before: Vec<Anchor>,
    /// What [`Gate::check`] needs to know. An attribute of a resource that is not known yet may be
    /// in it as such ([`Value::unknown`](crate::value::Value::unknown)): it is filled in once the wait starts.
    pub subject: ValueMap,
    /// How long the gate may stay closed.
    pub timeout: Duration,
    /// How long between two looks.
    pub poll: Duration,
}

/// One half of a resource's life in a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anchor {
    /// The resource is made or changed, if it is.
    Made(Address),
    /// The resource, or its former object, is deleted, if it is.
    Unmade(Address),
    /// A share lets go of what it is to hold no longer, if there is such a thing.
    Withdrawn(Address),
}

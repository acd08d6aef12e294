//! What has to be as the spec says before somebody else can take away what they made.

use std::collections::BTreeSet;

use crate::address::{Address, Target};
use crate::spec::Spec;
use crate::state::State;

/// Returns what everything in the state stands on that somebody else made: a controller, and whatever that
/// needs. An apply of this alone puts it right, so that a destroy after it comes to its end. What it was made for
/// is not among it: that may be on its way out already.
#[must_use]
pub fn needed_by_others(state: &State, spec: &Spec) -> BTreeSet<Target> {
    let made = || state.resources.values().filter(|resource| resource.lifecycle.made_by.is_some());
    let makers: BTreeSet<&Address> =
        made().flat_map(|resource| resource.lifecycle.made_by.iter().flatten()).collect();
    let needed = made().flat_map(|resource| &resource.dependencies);
    let is_ours = |address: &&Address| !makers.contains(address) && spec.resources.contains_key(*address);
    needed.filter(is_ours).cloned().map(Target::Resource).collect()
}

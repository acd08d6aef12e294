//! Whose a thing is: who may change it, how others are refused, and what holds it in place.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::describe::exact;
use crate::call::{Call, Refusal};
use crate::world::AccountId;

/// A thing with an id and an owner.
pub(super) trait Thing {
    /// How refusals name it, such as `routeTable`.
    const NOUN: &'static str;
    /// The code for an id that nobody has, such as `InvalidRouteTableID.NotFound`.
    const NOT_FOUND: &'static str;

    /// Returns the account that owns it.
    fn owner(&self) -> &AccountId;
}

/// Refuses an id that nobody has, or that the caller may not know.
pub(super) fn not_found<T: Thing>(id: &str) -> Refusal {
    Refusal::new(T::NOT_FOUND, format!("The {} ID '{id}' does not exist", T::NOUN))
}

/// Returns a thing that the caller may change.
///
/// `seen` tells whether the caller sees it: what is shared with it, it is not allowed to change;
/// what it does not see, does not exist for it.
pub(super) fn own<'a, T: Thing>(
    call: &Call,
    things: &'a mut BTreeMap<String, T>,
    id: &str,
    seen: bool,
) -> Result<&'a mut T, Refusal> {
    let thing = things.get_mut(id).ok_or_else(|| not_found::<T>(id))?;
    if *thing.owner() == call.caller.account {
        Ok(thing)
    } else if seen {
        let message = format!("You are not authorized to perform {} on {id}", call.operation);
        Err(Refusal::forbidden("UnauthorizedOperation", message))
    } else {
        Err(not_found::<T>(id))
    }
}

/// What stands on what: as long as something stands on a thing, it is not deleted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Dependents(BTreeMap<String, BTreeSet<String>>);

impl Dependents {
    /// Lets something stand on a thing.
    pub(super) fn add(&mut self, thing: &str, dependent: &str) {
        self.0.entry(thing.to_owned()).or_default().insert(dependent.to_owned());
    }

    /// Takes something from a thing that it stood on.
    pub(super) fn remove(&mut self, thing: &str, dependent: &str) {
        if let Some(dependents) = self.0.get_mut(thing) {
            dependents.remove(dependent);
            if dependents.is_empty() {
                self.0.remove(thing);
            }
        }
    }

    /// Tells whether anything stands on a thing.
    pub(super) fn any(&self, thing: &str) -> bool {
        self.0.contains_key(thing)
    }

    /// Returns the things whose ids begin so and that stand on a thing.
    pub(super) fn of(&self, thing: &str, prefix: &'static str) -> impl Iterator<Item = &String> {
        self.0.get(thing).into_iter().flatten().filter(move |id| id.starts_with(prefix))
    }

    /// Returns the things whose ids begin so and that stand on what a filter of the call names;
    /// `None` if the call has no such filter, or one with patterns.
    pub(super) fn named_by(
        &self,
        call: &Call,
        filter: &str,
        prefix: &'static str,
    ) -> Option<BTreeSet<String>> {
        let things = exact(&call.parameters, filter)?;
        Some(things.iter().flat_map(|thing| self.of(thing, prefix)).cloned().collect())
    }

    /// Refuses to delete a thing that something stands on.
    pub(super) fn check_none<T: Thing>(&self, id: &str) -> Result<(), Refusal> {
        if self.any(id) { Err(has_dependencies::<T>(id)) } else { Ok(()) }
    }
}

/// Refuses to delete a thing that something stands on.
pub(super) fn has_dependencies<T: Thing>(id: &str) -> Refusal {
    let message = format!("The {} '{id}' has dependencies and cannot be deleted.", T::NOUN);
    Refusal::new("DependencyViolation", message)
}

//! Which things are parts of others, and are written in their blocks.

use std::collections::BTreeMap;

use crate::address::{AccountName, Kind, RemoteId};
use crate::erased::ObservedValues;
use crate::registry::Registry;
use crate::schema::Expansion;
use crate::value::Value;

/// The things that have parts, and how each sort of part is told.
pub(super) struct Wholes<'a> {
    /// By the kind of the part: the kind of the whole, and how it has such parts.
    expansions: BTreeMap<&'a str, Vec<(&'a str, &'a Expansion)>>,
    /// By account, kind and id: the position of a thing.
    things: BTreeMap<(AccountName, Kind, RemoteId), usize>,
}

impl<'a> Wholes<'a> {
    /// Starts without a thing.
    pub(super) fn of(registry: &'a Registry) -> Self {
        let mut expansions = BTreeMap::<_, Vec<_>>::new();
        for schema in registry.kinds().map(|kind| kind.schema()) {
            for expansion in &schema.expansions {
                expansions.entry(expansion.child_kind).or_default().push((schema.kind.as_str(), expansion));
            }
        }
        Self { expansions, things: BTreeMap::new() }
    }

    /// Adds a thing that can have parts.
    pub(super) fn add(&mut self, account: &AccountName, kind: &Kind, id: &RemoteId, position: usize) {
        self.things.insert((account.clone(), kind.clone(), id.clone()), position);
    }

    /// Returns the thing that another one is a part of, and the attribute that it is written in.
    pub(super) fn part_of(
        &self,
        account: &AccountName,
        kind: &str,
        observed: &ObservedValues,
    ) -> Option<(usize, &'static str)> {
        let text = |name: &str| observed.inputs.get(name).and_then(Value::as_str);
        let mut expansions = self.expansions.get(kind).into_iter().flatten();
        expansions.find_map(|(whole, expansion)| {
            let parent = RemoteId::new(text(expansion.parent_attribute)?);
            let mut constants = expansion.constants().iter();
            if !constants.all(|(name, value)| text(name) == Some(*value)) {
                return None;
            }
            let position = self.things.get(&(account.clone(), Kind::new(*whole), parent))?;
            Some((*position, expansion.attribute))
        })
    }
}

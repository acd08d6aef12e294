//! Which things are parts of others, and are written in their blocks.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

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
        self.fitting(kind, observed).find_map(|(whole, expansion)| {
            let parent = RemoteId::new(text(observed, expansion.parent_attribute)?);
            let position = self.things.get(&(account.clone(), Kind::new(whole), parent))?;
            Some((*position, expansion.attribute))
        })
    }

    /// Returns the parts that name another whole which in turn needs theirs, such as the rules of two
    /// groups that let each other in. Written in the blocks of the wholes, these would need each other.
    pub(super) fn circular<'t>(
        &self,
        things: impl Iterator<Item = (usize, &'t str, &'t ObservedValues)>,
    ) -> BTreeSet<usize> {
        let mut needs = DiGraphMap::<&str, ()>::new();
        let mut parts = Vec::new();
        for (position, kind, observed) in things {
            let mut fitting = self.fitting(kind, observed);
            let parent = fitting.find_map(|(_, expansion)| text(observed, expansion.parent_attribute));
            let Some(parent) = parent else { continue };
            let named = observed.inputs.values().filter_map(Value::as_str).filter(|named| *named != parent);
            for named in named {
                needs.add_edge(parent, named, ());
                parts.push((position, parent, named));
            }
        }
        let circles: Vec<_> = tarjan_scc(&needs).into_iter().filter(|circle| circle.len() > 1).collect();
        let numbered = circles
            .iter()
            .enumerate()
            .flat_map(|(number, circle)| circle.iter().map(move |id| (*id, number)));
        let circle: BTreeMap<&str, usize> = numbered.collect();
        let within =
            |one: &str, other: &str| circle.contains_key(one) && circle.get(one) == circle.get(other);
        parts
            .into_iter()
            .filter(|(_, parent, named)| within(parent, named))
            .map(|(position, ..)| position)
            .collect()
    }

    /// Returns the kinds of wholes that may have a thing as a part, and how they have it.
    fn fitting<'s>(
        &'s self,
        kind: &str,
        observed: &'s ObservedValues,
    ) -> impl Iterator<Item = (&'a str, &'a Expansion)> + use<'s, 'a> {
        self.expansions.get(kind).into_iter().flatten().copied().filter(|(_, expansion)| {
            expansion.constants().iter().all(|(name, value)| text(observed, name) == Some(*value))
        })
    }
}

fn text<'o>(observed: &'o ObservedValues, name: &str) -> Option<&'o str> {
    observed.inputs.get(name).and_then(Value::as_str)
}

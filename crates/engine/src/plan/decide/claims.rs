//! What only one resource can have at a time, and who wants it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::address::{Address, Kind};
use crate::diagnostic::{Diagnostic, Span};
use crate::erased::AnyResource;
use crate::plan::decide::Decisions;
use crate::plan::inputs::exclusive_values;
use crate::resource::Home;
use crate::spec::ResourceNode;
use crate::value::ValueMap;

/// Who has what only one can have: by where that is, kind and values.
pub(super) type Claims<'a> = BTreeMap<(Home<'a>, Kind, Vec<String>), (Address, Span)>;

impl Decisions<'_> {
    /// Refuses two resources that want what only one can have.
    pub(super) fn claim(&mut self, node: &ResourceNode, kind: &dyn AnyResource, desired: &ValueMap) {
        let Some(values) = exclusive_values(kind, desired) else { return };
        let scope = self.registry.scope(&node.kind, self.spec.home(&node.account));
        let other = match self.claims.entry((scope, node.kind.clone(), values)) {
            Entry::Vacant(free) => {
                free.insert((node.address.clone(), node.span));
                return;
            }
            Entry::Occupied(taken) => taken.get().clone(),
        };
        let set = kind.exclusive().iter().filter(|name| desired.contains_key(**name));
        let names = set.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        let problem = Diagnostic::error("taken-twice", format!("two resources have the same {names}"))
            .with_detail(format!(
                "{} and {} have the same {names}, which only one can have.",
                other.0, node.address
            ))
            .with_hint("Take one of them out, or give it another value.")
            .with_span(node.span, "this one")
            .with_related(other.1, "and this one")
            .with_address(node.address.clone());
        self.diagnostics.push(problem);
    }
}

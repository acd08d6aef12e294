//! What the spec says about the state itself: which resources have new names, and which are to
//! be let go.

mod check;
mod read;

use std::collections::BTreeMap;

use crate::address::{Address, ComponentPath, Target};
use crate::diagnostic::Span;

pub(crate) use check::check_refactoring;
pub(crate) use read::{missing_attribute, read_name, read_refactoring, unknown_attribute};

/// What the `[[moved]]` and `[[removed]]` blocks of a spec say.
#[derive(Debug, Clone, Default)]
pub struct Refactoring {
    moves: BTreeMap<Target, Move>,
    removals: BTreeMap<Target, Removal>,
}

/// A `[[moved]]` block, by what it moves.
#[derive(Debug, Clone)]
struct Move {
    to: Target,
    span: Span,
    to_span: Span,
}

/// A `[[removed]]` block, by what it removes.
#[derive(Debug, Clone, Copy)]
struct Removal {
    destroy: bool,
    span: Span,
}

/// Moves that lead back to where they began: the place of each.
#[derive(Debug)]
struct Circle(Vec<Span>);

impl Refactoring {
    /// Adds what one instance of a component says of the things in it.
    pub(crate) fn add_within(&mut self, other: &Self, component: &ComponentPath) {
        for (from, found) in &other.moves {
            let moved = Move { to: found.to.within(component), ..found.clone() };
            self.moves.insert(from.within(component), moved);
        }
        let removals = other.removals.iter();
        self.removals.extend(removals.map(|(from, removal)| (from.within(component), *removal)));
    }

    /// Returns what the spec calls a resource of the state now, and where it says so last; `None`
    /// if it says nothing of the resource.
    pub(crate) fn new_name(&self, address: &Address) -> Option<(Address, Span)> {
        self.follow(address).expect("moves in a circle are refused when a spec is loaded")
    }

    /// Tells whether a resource that the spec no longer has is to be left alone.
    pub(crate) fn lets_go(&self, address: &Address) -> bool {
        !self.removals.is_empty() && self.removal(address).is_some_and(|removal| !removal.destroy)
    }

    /// Follows moves until none goes on from there.
    fn follow(&self, address: &Address) -> Result<Option<(Address, Span)>, Circle> {
        let mut now = None;
        let mut taken = Vec::new();
        while let Some((span, next)) = self.step(now.as_ref().map_or(address, |(now, _)| now)) {
            let again = taken.contains(&span);
            taken.push(span);
            if again {
                return Err(Circle(taken));
            }
            now = Some((next, span));
        }
        Ok(now)
    }

    fn step(&self, address: &Address) -> Option<(Span, Address)> {
        if self.moves.is_empty() {
            return None;
        }
        Target::covering(address).into_iter().find_map(|name| {
            let found = self.moves.get(&name)?;
            Some((found.span, name.renamed(&found.to, address)?))
        })
    }

    fn removal(&self, address: &Address) -> Option<&Removal> {
        Target::covering(address).iter().find_map(|name| self.removals.get(name))
    }
}

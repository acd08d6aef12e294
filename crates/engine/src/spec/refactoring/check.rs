//! Checks moves and removals against what the spec has.

use std::collections::BTreeSet;

use crate::address::{Address, Target};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::spec::Spec;
use crate::spec::refactoring::{Circle, Move, Refactoring};

/// Reports moves and removals that contradict the spec, or each other.
pub(crate) fn check_refactoring(spec: &Spec, diagnostics: &mut Diagnostics) {
    let Refactoring { moves, removals } = &spec.refactoring;
    if moves.is_empty() && removals.is_empty() {
        return;
    }
    let mut names = BTreeSet::new();
    for address in spec.resources.keys() {
        let covering = Target::covering(address);
        diagnostics.extend(covering.iter().filter_map(|name| still_there(spec, name, address)));
        names.extend(covering);
    }
    let mut reported = BTreeSet::new();
    for (from, found) in moves {
        match spec.refactoring.follow(&probe(from)) {
            // A circle is found once from each of its members.
            Err(Circle(spans)) if reported.insert(spans.iter().min().copied()) => {
                let related = spans.windows(2).map(|pair| pair[1]);
                let diagnostic = Diagnostic::error("moved-in-circle", "moved in a circle")
                    .with_span(spans[0], "leads back to itself")
                    .with_hint("Take one of the moves out.");
                let add = |diagnostic: Diagnostic, span| diagnostic.with_related(span, "goes on here");
                diagnostics.push(related.fold(diagnostic, add));
            }
            Err(_) => {}
            Ok(end) => {
                let (end, _) = end.expect("a move leads away from where it begins");
                diagnostics.extend(unknown_end(&spec.refactoring, found, &end, &names));
            }
        }
    }
}

/// Reports a resource that the spec still has although it was moved or removed.
fn still_there(spec: &Spec, name: &Target, address: &Address) -> Option<Diagnostic> {
    let Refactoring { moves, removals } = &spec.refactoring;
    let moved = moves.get(name).filter(|found| name.renamed(&found.to, address).is_some());
    let (span, verb) = match (moved, removals.get(name)) {
        (Some(moved), _) => (moved.span, "moved"),
        (None, Some(removal)) => (removal.span, "removed"),
        (None, None) => return None,
    };
    let diagnostic = Diagnostic::error("still-in-spec", format!("{verb}, and still in the spec"))
        .with_span(span, format!("`{address}` is still there"))
        .with_related(spec.resources[address].span, "here")
        .with_hint(format!("Take out the block, or the `[[{verb}]]`."));
    Some(diagnostic)
}

/// Returns an address that stands for everything that a name covers.
fn probe(name: &Target) -> Address {
    match name {
        Target::Resource(address) => address.clone(),
        Target::Component(component) => Address::new("component", "part").within(component.clone()),
    }
}

/// Reports a move that leads to nothing that the spec has, or has let go.
fn unknown_end(
    refactoring: &Refactoring,
    found: &Move,
    end: &Address,
    names: &BTreeSet<Target>,
) -> Option<Diagnostic> {
    let end_name = match &found.to {
        Target::Resource(_) => Target::Resource(end.clone()),
        Target::Component(_) => Target::Component(end.component().clone()),
    };
    if names.contains(&end_name) || refactoring.removal(end).is_some() {
        return None;
    }
    let diagnostic = Diagnostic::error("unknown-block", "unknown block")
        .with_span(found.to_span, format!("the spec has no `{end_name}`"))
        .with_hint("Name what the spec has now; a move whose target is gone can be taken out.");
    Some(diagnostic)
}

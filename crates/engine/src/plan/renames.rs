//! New names for resources of the state, as the spec's `[[moved]]` blocks say.

use std::collections::BTreeMap;

use crate::address::Address;
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::spec::Spec;
use crate::state::State;

/// Returns the new names of resources, by the old ones. What was moved before is not there any
/// more under its old name, and nothing is said of it.
///
/// # Errors
/// If a name is taken, or names several resources.
pub(crate) fn renames(spec: &Spec, state: &State) -> Result<BTreeMap<Address, Address>, Diagnostics> {
    let mut renames = BTreeMap::new();
    let mut takers = BTreeMap::<Address, &Address>::new();
    let mut diagnostics = Diagnostics::default();
    for address in state.resources.keys() {
        let Some((to, span)) = spec.refactoring.new_name(address) else { continue };
        if let Some(other) = takers.insert(to.clone(), address) {
            diagnostics.push(taken(other, &to, span, &format!("{address} is moved there too")));
        }
        diagnostics.extend(without_key(spec, &to, span));
        renames.insert(address.clone(), to);
    }
    for (to, from) in takers {
        if state.resources.contains_key(&to) && !renames.contains_key(&to) {
            let span = spec.refactoring.new_name(from).map(|(_, span)| span).expect("it was just moved");
            diagnostics.push(taken(from, &to, span, "the state has both"));
        }
    }
    if diagnostics.is_empty() { Ok(renames) } else { Err(diagnostics) }
}

fn taken(from: &Address, to: &Address, span: Span, why: &str) -> Diagnostic {
    Diagnostic::error("move-target-taken", "the new name is taken")
        .with_span(span, format!("{from} cannot become {to}: {why}"))
        .with_detail("A move gives an existing thing a name that no other thing has.")
        .with_hint("Take the `[[moved]]` out and delete one of the two, or let it go with `[[removed]]`.")
        .with_address(to.clone())
}

/// Reports a new name that stands for all resources of a block with `for_each`.
fn without_key(spec: &Spec, to: &Address, span: Span) -> Option<Diagnostic> {
    if to.key().is_some() || to.child_name().is_some() || spec.resources.contains_key(to) {
        return None;
    }
    let (first, _) = spec.resources.range(to..).next()?;
    (first.whole_block() == *to).then(|| {
        Diagnostic::error("missing-key", "missing key")
            .with_span(span, format!("`{to}` has `for_each` and is several resources"))
            .with_hint(format!("Say which one is meant, such as `{first}`."))
    })
}

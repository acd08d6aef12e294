//! Accepters of shares that nobody has to accept.

use std::collections::BTreeSet;

use crate::address::Address;
use crate::diagnostic::Diagnostic;
use crate::sharing::{Accepter, Sharing};
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::order::Wait;
use crate::value::Value;

impl Evaluator<'_> {
    /// Refuses accepters of shares that hold what is shared inside one organization only: there is no
    /// invitation, so that the accepter would wait in vain.
    pub(super) fn refuse_accepters(&mut self, sharing: &Sharing) {
        let Some(accepter) = sharing.accepter else { return };
        let accepters = self.drafts.values().filter(|draft| draft.kind.as_str() == accepter.kind);
        let needless = accepters.filter_map(|draft| {
            let share = self.accepted(accepter, draft)?;
            let thing = self.shared_inside(sharing, share)?;
            Some((draft.address.clone(), needless(sharing, accepter, draft, share, &thing)))
        });
        for (address, problem) in needless.collect::<Vec<_>>() {
            self.report(problem, Some(&address));
        }
    }

    /// Returns the share of the spec that an accepter names.
    fn accepted(&self, accepter: Accepter, draft: &Draft) -> Option<&Draft> {
        let named = self.scope.inputs.get(&draft.address)?.get(accepter.attribute)?;
        let Value::Unknown(unknown) = named else { return None };
        self.drafts.get(&unknown.origin.address).filter(|_| unknown.exact)
    }

    /// Returns something in a share that cannot be shared outside of an organization.
    fn shared_inside(&self, sharing: &Sharing, share: &Draft) -> Option<Address> {
        let pattern = share.attributes.get(sharing.resources)?;
        let mut held = BTreeSet::new();
        self.collect_dependencies(pattern, share.each.as_deref(), Wait::Parent, &mut held);
        let is_shareable = |thing: &Address| {
            self.drafts.get(thing).is_some_and(|thing| sharing.of(thing.kind.as_str()).is_some())
        };
        held.into_iter().find(is_shareable)
    }
}

/// Describes an accepter that nothing needs.
fn needless(
    sharing: &Sharing,
    accepter: Accepter,
    draft: &Draft,
    share: &Draft,
    thing: &Address,
) -> Diagnostic {
    let place = |draft: &Draft, attribute: &str| {
        draft.attributes.get(attribute).map_or(draft.span, |pattern| pattern.span)
    };
    Diagnostic::error("needless-accepter", "accepter of a share that nobody has to accept")
        .with_span(place(draft, accepter.attribute), format!("accepts `{}`", share.address))
        .with_related(place(share, sharing.resources), format!("holds `{thing}`"))
        .with_detail(format!(
            "`{thing}` can be shared inside one organization only, and there is no invitation to accept: its accounts \
             see what is shared with them by themselves."
        ))
        .with_hint(format!("Take `[{}]` out.", draft.address.block()))
}

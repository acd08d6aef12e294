//! What somebody else makes: which resources it is made for, and that it stands on what they stand on.
//!
//! A controller makes a load balancer for an Ingress, and takes it away once the Ingress goes. So on the
//! way down the Ingress, its *maker*, goes first, then the end of the load balancer is waited for, and
//! only then whatever the Ingress stood on may go: the controller among it. That last part is written
//! into the dependencies of what is made, so that it holds as well once the maker is gone.

use std::collections::BTreeSet;

use crate::address::Address;
use crate::spec::evaluator::{Draft, Evaluator};

impl Evaluator<'_> {
    /// Finds the makers of everything that somebody else makes.
    pub(crate) fn find_makers(&mut self) {
        let kind = |draft: &Draft| self.scope.registry.kind(draft.kind.as_str());
        let made: Vec<_> = self
            .drafts
            .values()
            .filter_map(|draft| Some((draft.address.clone(), kind(draft)?.made_by()?.of)))
            .collect();
        for (address, kinds) in made {
            let makers = self.makers(&self.drafts[&address], kinds);
            let needed = makers.iter().filter_map(|maker| self.drafts.get(maker));
            let stood_on: Vec<_> = needed.flat_map(|maker| maker.dependencies.iter().cloned()).collect();
            if let Some(draft) = self.drafts.get_mut(&address) {
                draft.dependencies.extend(stood_on.into_iter().filter(|needed| *needed != address));
                draft.lifecycle.made_by = Some(makers);
            }
        }
    }

    /// Returns what something is made for: of the resources of these kinds that it needs, those that no
    /// other of them needs in its turn.
    fn makers(&self, draft: &Draft, kinds: &[&str]) -> BTreeSet<Address> {
        let is_one = |address: &&Address| {
            self.drafts.get(*address).is_some_and(|needed| kinds.contains(&needed.kind.as_str()))
        };
        let named: BTreeSet<_> = draft.dependencies.iter().filter(is_one).collect();
        let needed: BTreeSet<_> = named.iter().flat_map(|one| &self.drafts[*one].dependencies).collect();
        named.into_iter().filter(|one| !needed.contains(*one)).cloned().collect()
    }
}

//! Decides about what nothing wants any more: resources, and former objects of resources.

use crate::address::Address;
use crate::plan::decide::Decisions;
use crate::plan::decide::changes::{deleted_attributes, protected, removal};
use crate::plan::{Change, ChangeAction, Reason};
use crate::spec::Lifecycle;
use crate::state::ResourceState;

impl Decisions<'_> {
    /// Decides about a resource that nothing wants any more.
    pub(crate) fn unwanted(&mut self, address: &Address, prior: &ResourceState, reason: &Reason) {
        self.deposed(address, Some(prior));
        let Some(object) = &prior.object else { return };
        let Some(kind) = self.kind(&prior.kind, address) else { return };
        let found = self.observations.get(address);
        let observed = found.and_then(|found| found.object.as_ref());
        let lifecycle = self.lifecycle_of(address, prior);
        let (action, reason) = if found.is_some_and(|found| found.is_out_of_reach) {
            (ChangeAction::Forget, Reason::OutOfReach)
        } else if observed.is_none() {
            (ChangeAction::Forget, Reason::Vanished { remote_id: object.remote_id.clone() })
        } else if kind.retained() {
            (ChangeAction::Forget, Reason::NeverDeleted)
        } else if lifecycle.retain_on_destroy {
            (ChangeAction::Forget, Reason::Retained)
        } else if self.spec.refactoring.lets_go(address) {
            (ChangeAction::Forget, Reason::Removed)
        } else if self.maker_stays(&lifecycle, reason) {
            (ChangeAction::Forget, Reason::MakerStays)
        } else {
            (ChangeAction::Delete, reason.clone())
        };
        if action == ChangeAction::Delete && lifecycle.prevent_destroy {
            self.diagnostics.push(protected(address, "deleted", std::slice::from_ref(&reason)));
        }
        let attributes = match action {
            ChangeAction::Delete => deleted_attributes(kind, object, &lifecycle),
            ChangeAction::Create
            | ChangeAction::Update
            | ChangeAction::Replace(_)
            | ChangeAction::DeleteDeposed
            | ChangeAction::Forget => Vec::new(),
        };
        self.changes.push(Change {
            action,
            remote_id: Some(object.remote_id.clone()),
            reasons: vec![reason],
            attributes,
            lifecycle,
            ..removal(address, prior)
        });
    }

    /// Tells whether something will not go away by itself, since what somebody else makes it for stays.
    /// Where the whole stack goes, whatever is outside of it is expected to go too.
    fn maker_stays(&self, lifecycle: &Lifecycle, reason: &Reason) -> bool {
        let Some(makers) = lifecycle.made_by.as_ref().filter(|_| !self.options.delete_made_by_others) else {
            return false;
        };
        let everything_goes = *reason == Reason::Destroy;
        let stays = |maker: &Address| {
            let prior = self.state.resources.get(maker);
            let retained = prior.is_some_and(|prior| self.lifecycle_of(maker, prior).retain_on_destroy);
            let wanted = self.spec.resources.contains_key(maker) && !everything_goes;
            wanted || retained || self.spec.refactoring.lets_go(maker)
        };
        makers.iter().any(stays) || (makers.is_empty() && !everything_goes)
    }

    /// Returns how the life of something that goes is managed: as of the last apply, and as the
    /// spec says now if it still has it.
    fn lifecycle_of(&self, address: &Address, prior: &ResourceState) -> Lifecycle {
        let Some(node) = self.spec.resources.get(address) else { return prior.lifecycle.clone() };
        Lifecycle {
            prevent_destroy: node.lifecycle.prevent_destroy || prior.lifecycle.prevent_destroy,
            retain_on_destroy: node.lifecycle.retain_on_destroy || prior.lifecycle.retain_on_destroy,
            sensitive: node.lifecycle.all_sensitive(Some(&prior.lifecycle)),
            ..node.lifecycle.clone()
        }
    }

    /// Plans the deletion of the objects that a resource was and is no longer, as far as they are there.
    pub(super) fn deposed(&mut self, address: &Address, prior: Option<&ResourceState>) {
        let Some(prior) = prior else { return };
        let found = self.observations.get(address);
        let is_there =
            |index: usize| found.is_none_or(|found| found.deposed.get(index).is_none_or(Option::is_some));
        for (_, object) in prior.deposed.iter().enumerate().filter(|(index, _)| is_there(*index)) {
            self.changes.push(Change {
                action: ChangeAction::DeleteDeposed,
                remote_id: Some(object.remote_id.clone()),
                reasons: vec![Reason::Deposed],
                ..removal(address, prior)
            });
        }
    }
}

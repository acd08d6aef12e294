//! What the shares of a spec hold, and for whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::sharing::{Cover, Sharing};
use crate::spec::boundary::Place;
use crate::spec::evaluator::{Draft, Evaluator};
use crate::spec::order::Wait;
use crate::value::Value;

/// The shares of a spec.
pub(super) struct Shares<'a> {
    all: Vec<Share<'a>>,
    /// By thing: the shares that hold it or a part of it.
    holders: BTreeMap<Address, BTreeSet<usize>>,
    /// Those of which it cannot be told what they hold, since a problem of theirs was reported.
    unclear: BTreeSet<usize>,
    /// Which share has which number.
    numbers: BTreeMap<&'a Address, usize>,
}

/// One share.
struct Share<'a> {
    address: &'a Address,
    place: Option<Place<'a>>,
    /// The accounts that it names.
    principals: BTreeSet<&'a str>,
    /// Whether it names a group of accounts, or something that is not known yet.
    open: bool,
    /// What it holds itself.
    held: BTreeSet<Address>,
}

/// Why no share covers a thing for an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// This share holds it, but does not name the account.
    Unnamed(Address),
    /// This share holds it, but cannot, since it lives elsewhere.
    Elsewhere(Address),
    /// This share names the account, but does not hold the thing.
    Omitted(Address),
    /// There is no such share.
    Unshared,
}

impl<'a> Shares<'a> {
    pub(super) fn of(evaluator: &'a Evaluator<'_>, sharing: &Sharing) -> Self {
        let mut found = Self {
            all: Vec::new(),
            holders: BTreeMap::new(),
            unclear: BTreeSet::new(),
            numbers: BTreeMap::new(),
        };
        for draft in evaluator.drafts.values().filter(|draft| draft.kind.as_str() == sharing.share) {
            found.add(evaluator, sharing, draft);
        }
        found.add_wholes(evaluator, sharing);
        found
    }

    fn add(&mut self, evaluator: &'a Evaluator<'_>, sharing: &Sharing, draft: &'a Draft) {
        let number = self.all.len();
        let inputs = evaluator.scope.inputs.get(&draft.address);
        let value = |attribute| inputs.and_then(|inputs| inputs.get(attribute));
        let items = |attribute| match value(attribute) {
            Some(Value::List(items)) => items.as_slice(),
            Some(other) => std::slice::from_ref(other),
            None => &[],
        };
        let mut held = BTreeSet::new();
        let mut unclear = false;
        for item in items(sharing.resources) {
            if let Value::Unknown(unknown) = item {
                unclear |= !unknown.exact;
                held.insert(unknown.origin.address.clone());
            }
        }
        if unclear && let Some(pattern) = draft.attributes.get(sharing.resources) {
            evaluator.collect_dependencies(pattern, draft.each.as_deref(), Wait::Parent, &mut held);
        }
        // What could not be evaluated stands for itself.
        if held.remove(&draft.address) {
            self.unclear.insert(number);
        }
        for thing in &held {
            self.holders.entry(thing.clone()).or_default().insert(number);
        }
        self.numbers.insert(&draft.address, number);
        let principals = items(sharing.principals);
        let (address, place) = (&draft.address, evaluator.place(draft));
        let named: BTreeSet<_> = principals.iter().filter_map(Value::as_str).collect();
        let open = principals.iter().any(|principal| !principal.as_str().is_some_and(is_account_id));
        self.all.push(Share { address, place, principals: named, open, held });
    }

    /// Lets a share of a part be one of the whole, where that is enough.
    fn add_wholes(&mut self, evaluator: &Evaluator<'_>, sharing: &Sharing) {
        let mut wholes = Vec::new();
        for shareable in sharing.shareable {
            let Cover::Part { kind, attribute } = shareable.cover else { continue };
            for (part, numbers) in &self.holders {
                let inputs =
                    evaluator.scope.inputs.get(part).filter(|_| evaluator.drafts[part].kind.as_str() == kind);
                if let Some(Value::Unknown(whole)) = inputs.and_then(|inputs| inputs.get(attribute)) {
                    wholes.push((whole.origin.address.clone(), numbers.clone()));
                }
            }
        }
        for (whole, numbers) in wholes {
            self.holders.entry(whole).or_default().extend(numbers);
        }
    }

    /// Returns what a share holds itself, if it names the account.
    pub(super) fn held_for(&self, share: &Address, account: &str) -> impl Iterator<Item = &Address> {
        let share = self.numbers.get(share).map(|number| &self.all[*number]);
        share.filter(|share| share.names(account)).into_iter().flat_map(|share| &share.held)
    }

    /// Returns the shares that hold a thing and name an account, or why there is none.
    pub(super) fn covering(
        &self,
        evaluator: &Evaluator<'_>,
        thing: &Address,
        account: &str,
    ) -> Result<BTreeSet<Address>, Gap> {
        let place = evaluator.drafts.get(thing).and_then(|thing| evaluator.place(thing));
        let nothing = BTreeSet::new();
        let holders = self.holders.get(thing).unwrap_or(&nothing);
        let here = |number: &&usize| self.all[**number].place == place;
        let names = |number: &&usize| self.all[**number].names(account);
        let address = |number: &usize| self.all[*number].address.clone();
        let covering: BTreeSet<_> =
            holders.iter().chain(&self.unclear).filter(here).filter(names).map(address).collect();
        if !covering.is_empty() || !self.unclear.is_empty() {
            return Ok(covering);
        }
        let numbers: Vec<_> = (0..self.all.len()).collect();
        let omitting = || numbers.iter().filter(here).find(names);
        Err(if let Some(share) = holders.iter().find(here) {
            Gap::Unnamed(address(share))
        } else if let Some(share) = holders.first() {
            Gap::Elsewhere(address(share))
        } else if let Some(share) = omitting() {
            Gap::Omitted(address(share))
        } else {
            Gap::Unshared
        })
    }
}

impl Share<'_> {
    /// Tells whether it is for an account, or for a group that may have it.
    fn names(&self, account: &str) -> bool {
        self.open || self.principals.contains(account)
    }
}

/// Tells whether a principal is one account; anything else may stand for many.
fn is_account_id(principal: &str) -> bool {
    principal.len() == 12 && principal.bytes().all(|byte| byte.is_ascii_digit())
}

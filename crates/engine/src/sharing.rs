//! How accounts lend things to each other: what a provider tells of it, as data.
//!
//! The engine knows no cloud, but it orders, checks and waits by this: a resource of one account
//! that stands on a thing of another one needs a share that holds the thing, and is made only
//! once its account sees the thing.

use crate::plan::{Change, ChangeAction, Reason};
use crate::registry::Registry;
use crate::spec::compare;
use crate::value::{Value, ValueMap};

/// How the things of one account are shared with others.
#[derive(Debug, Clone, Copy)]
pub struct Sharing {
    /// The kind of a share, such as `ram_resource_share`. It lives in the account that owns the things.
    pub share: &'static str,
    /// The attribute of a share that names the things: a set.
    pub resources: &'static str,
    /// The attribute of a share that names the accounts, or groups of accounts: a set.
    pub principals: &'static str,
    /// The kinds whose things can be shared.
    pub shareable: &'static [Shareable],
    /// The kind of what has to be there before any share: every share of a spec needs all of these.
    pub precondition: Option<&'static str>,
    /// What accepts a share in an account outside of the owner's organization. What is among
    /// [`Self::shareable`] is never shared outside, so that a share of it is not to be accepted.
    pub accepter: Option<Accepter>,
    /// What to look at when an account does not see what is shared with it, in whole sentences.
    pub advice: &'static str,
}

/// A kind that accepts shares.
#[derive(Debug, Clone, Copy)]
pub struct Accepter {
    /// The kind, such as `ram_share_accepter`.
    pub kind: &'static str,
    /// The attribute that names the share.
    pub attribute: &'static str,
}

/// A kind whose things can be used from another account.
#[derive(Debug, Clone, Copy)]
pub struct Shareable {
    /// The kind.
    pub kind: &'static str,
    /// How a share covers it.
    pub cover: Cover,
}

/// How a share covers a thing.
#[derive(Debug, Clone, Copy)]
pub enum Cover {
    /// The share names it, by this attribute.
    Itself {
        /// The attribute of the thing, such as `arn`.
        attribute: &'static str,
    },
    /// The share holds a part of it: a network is seen by whoever sees one of its subnets.
    Part {
        /// The kind of the part.
        kind: &'static str,
        /// The attribute of the part that refers to the thing.
        attribute: &'static str,
    },
}

impl Sharing {
    /// Returns how things of a kind are shared; `None` if they cannot be.
    #[must_use]
    pub fn of(&self, kind: &str) -> Option<&'static Shareable> {
        self.shareable.iter().find(|shareable| shareable.kind == kind)
    }
}

/// What a share lets go of in a change. It does so after everything else of the change is done,
/// and after everything that needed it has changed or gone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Withdrawal {
    /// By attribute: the things, or the accounts.
    pub(crate) values: ValueMap,
    /// Whether nothing else of the share changes.
    pub(crate) is_everything: bool,
}

impl Withdrawal {
    /// Returns what a share lets go of in a change; `None` if that is nothing, or no share.
    pub(crate) fn of(registry: &Registry, change: &Change) -> Option<Self> {
        let sharing = registry.sharing().filter(|sharing| change.kind.as_str() == sharing.share)?;
        if change.action != ChangeAction::Update {
            return None;
        }
        let mut values = ValueMap::new();
        let mut is_everything = change.reasons == [Reason::Differs];
        for attribute in &change.attributes {
            let members = [sharing.resources, sharing.principals].contains(&attribute.name.as_str());
            let before = attribute.before.as_list().unwrap_or_default();
            let after = attribute.after.as_list().unwrap_or_default();
            let left: Vec<_> = before.iter().filter(|item| !after.contains(item)).cloned().collect();
            // What is not known yet may be in it as well as out of it.
            is_everything &=
                members && attribute.after.is_known() && after.iter().all(|item| before.contains(item));
            if members && !left.is_empty() {
                values.insert(attribute.name.clone(), Value::List(left));
            }
        }
        (!values.is_empty()).then_some(Self { values, is_everything })
    }

    /// Returns the inputs of a share with those things and accounts still in them that it lets go of
    /// later, as far as it has them: what was let in in vain is not let in again.
    pub(crate) fn held_back(&self, mut inputs: ValueMap, observed: &ValueMap) -> ValueMap {
        for (name, left) in &self.values {
            let Some(Value::List(items)) = inputs.get_mut(name) else { continue };
            let has = observed.get(name).and_then(Value::as_list).unwrap_or_default();
            let left = left.as_list().unwrap_or_default().iter().filter(|item| has.contains(item));
            items.extend(left.cloned());
            items.sort_by(compare);
            items.dedup();
        }
        inputs
    }
}

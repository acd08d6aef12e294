//! Why a deletion stays refused: what still uses the thing, and who made that.
//!
//! A service says that something is in use, seldom by what. What it is may belong to another account
//! and may have been made by somebody's controller. So a deletion that stays refused is explained by
//! a [`Diagnosis`]: chains that lead from the thing to whoever has to let go of it.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::address::{AccountName, Address, Kind, RemoteId};
use crate::provider::{BoxFuture, Connection, ProviderError};
use crate::secrets::Secrets;
use crate::state::State;

/// Finds out what keeps things from being deleted. A program registers one for its kinds.
pub trait Diagnosis: Send + Sync {
    /// Returns what still uses a thing, by reads alone; nothing if that is not known.
    fn blockers<'a>(&'a self, case: Case<'a>) -> BoxFuture<'a, Result<Vec<Blocker>, ProviderError>>;
}

/// A deletion that stays refused.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What it is.
    pub kind: &'a Kind,
    /// Its id.
    pub remote_id: &'a RemoteId,
    /// Where it is.
    pub account: &'a AccountName,
    /// The connections of the run: what uses the thing may be seen better from another account.
    pub connections: &'a BTreeMap<AccountName, Connection>,
}

/// Something that uses the thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// From what uses the thing to what made that.
    pub chain: Vec<Link>,
    /// What to do about it, in whole sentences.
    pub advice: Option<String>,
}

/// One link of a chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What it is, such as `network interface`.
    pub what: String,
    /// Its id or name.
    pub id: String,
    /// The id of the account that it belongs to, if that is known.
    pub owner: Option<String>,
    /// What its service says of it.
    pub note: Option<String>,
    /// The resource that it is, if the stack has made it.
    pub address: Option<Address>,
}

impl Link {
    /// Names something.
    #[must_use]
    pub fn new(what: impl Into<String>, id: impl Into<String>) -> Self {
        Self { what: what.into(), id: id.into(), ..Self::default() }
    }

    /// Says whose it is.
    #[must_use]
    pub fn of(self, owner: Option<&str>) -> Self {
        Self { owner: owner.map(str::to_owned), ..self }
    }

    /// Says what its service says of it; nothing if that is empty.
    #[must_use]
    pub fn noted(self, note: Option<&str>) -> Self {
        Self { note: note.filter(|note| !note.is_empty()).map(str::to_owned), ..self }
    }
}

impl fmt::Display for Link {
    /// Writes `network interface eni-1 of account 444455556666 (Amazon EKS main)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.what, self.id)?;
        if let Some(address) = &self.address {
            write!(formatter, " = {address}")?;
        }
        if let Some(owner) = &self.owner {
            write!(formatter, " of account {owner}")?;
        }
        if let Some(note) = &self.note {
            write!(formatter, " ({note})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Blocker {
    /// Writes the chain with arrows.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, link) in self.chain.iter().enumerate() {
            let arrow = if position == 0 { "" } else { " <- " };
            write!(formatter, "{arrow}{link}")?;
        }
        Ok(())
    }
}

/// Says in one line what uses a thing.
#[must_use]
pub fn held_by(blockers: &[Blocker]) -> Option<String> {
    let (first, others) = blockers.split_first()?;
    let more = if others.is_empty() { String::new() } else { format!(", and {} more", others.len()) };
    Some(format!("{first}{more}"))
}

/// Returns what a diagnosis found with the addresses of what the stack has made, and without
/// sensitive values in the words of services.
pub(crate) fn told(blockers: Vec<Blocker>, state: &State, secrets: &Secrets) -> Vec<Blocker> {
    let ids: BTreeMap<&str, &Address> = state
        .resources
        .iter()
        .flat_map(|(address, resource)| {
            let objects = resource.object.iter().chain(&resource.deposed);
            objects.map(move |object| (object.remote_id.as_str(), address))
        })
        .collect();
    let link = |link: Link| Link {
        address: ids.get(link.id.as_str()).map(|address| (*address).clone()),
        note: link.note.as_deref().map(|note| secrets.hide(note).into_owned()),
        ..link
    };
    let blocker =
        |blocker: Blocker| Blocker { chain: blocker.chain.into_iter().map(link).collect(), ..blocker };
    blockers.into_iter().map(blocker).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_read_from_what_uses_the_thing_to_what_made_that() {
        let interface =
            Link::new("network interface", "eni-1").of(Some("444455556666")).noted(Some("Amazon EKS x"));
        let cluster = Link { address: Some(Address::new("eks_cluster", "x")), ..Link::new("cluster", "x") };
        let blocker = Blocker { chain: vec![interface, cluster.noted(Some(""))], advice: None };
        let text =
            "network interface eni-1 of account 444455556666 (Amazon EKS x) <- cluster x = eks_cluster.x";
        assert_eq!(held_by(std::slice::from_ref(&blocker)).as_deref(), Some(text));
        assert_eq!(held_by(&[blocker.clone(), blocker]), Some(format!("{text}, and 1 more")));
        assert_eq!(held_by(&[]), None);
    }
}

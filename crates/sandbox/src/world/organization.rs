//! The organization: which accounts there are, who manages them, and what they may do together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::AccountId;

/// The name of RAM among the services that the organization trusts.
pub(crate) const RAM: &str = "ram.amazonaws.com";

/// The accounts, and who manages them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Organization {
    pub(crate) management: AccountId,
    /// The names of the accounts, also of those that have left.
    pub(crate) accounts: BTreeMap<AccountId, String>,
    /// The accounts that have left.
    pub(crate) left: BTreeSet<AccountId>,
    /// By id.
    pub(crate) units: BTreeMap<String, Unit>,
    /// The units that accounts are in; those that are in none are right under the root.
    pub(crate) places: BTreeMap<AccountId, String>,
    /// The services that the organization trusts, and since when.
    pub(crate) services: BTreeMap<String, Timestamp>,
    /// From when on accounts may share with one another, unless RAM is no longer trusted.
    pub(crate) shares_since: Option<Timestamp>,
    pub(crate) made_at: Timestamp,
}

/// An organizational unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Unit {
    pub(crate) name: String,
    /// The id of the unit that it is in, or of the root.
    pub(crate) parent: String,
}

impl Organization {
    /// Makes an organization whose accounts may share with one another: what needs that is the
    /// rule, and what happens without it can be tried after `DisableAWSServiceAccess`.
    pub(crate) fn new(management: AccountId, accounts: BTreeMap<AccountId, String>, now: Timestamp) -> Self {
        Self {
            management,
            accounts,
            left: BTreeSet::new(),
            units: BTreeMap::new(),
            places: BTreeMap::new(),
            services: BTreeMap::from([(RAM.to_owned(), now)]),
            shares_since: Some(now),
            made_at: now,
        }
    }

    /// Returns its id: `o-` and ten characters.
    pub(crate) fn id(&self) -> String {
        format!("o-{}", &self.digits()[..10])
    }

    /// Returns the id of its root: `r-` and four characters.
    pub(crate) fn root(&self) -> String {
        format!("r-{}", &self.digits()[10..14])
    }

    /// Returns the ARN of something in it, such as `ou/o-…/ou-…`.
    pub(crate) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:organizations::{}:{resource}", self.management)
    }

    /// Returns the address of an account, which nobody reads.
    pub(crate) fn email(account: &AccountId) -> String {
        format!("account-{account}@example.com")
    }

    /// Tells whether an account is in it.
    pub(crate) fn has(&self, account: &AccountId) -> bool {
        self.accounts.contains_key(account) && !self.left.contains(account)
    }

    /// Returns the accounts that are in it, with their names.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&AccountId, &String)> {
        self.accounts.iter().filter(|(account, _)| !self.left.contains(account))
    }

    /// Returns the id of the unit or root that an account is in.
    pub(crate) fn place(&self, account: &AccountId) -> String {
        self.places.get(account).cloned().unwrap_or_else(|| self.root())
    }

    /// Tells whether an account is in a unit, or in one below it.
    pub(crate) fn is_in_unit(&self, account: &AccountId, unit: &str) -> bool {
        let mut place = self.places.get(account).filter(|_| self.has(account));
        while let Some(id) = place {
            if id == unit {
                return true;
            }
            place = self.units.get(id).map(|unit| &unit.parent);
        }
        false
    }

    /// Tells whether accounts may share with one another without invitations.
    pub(crate) fn shares(&self, now: Timestamp) -> bool {
        self.services.contains_key(RAM) && self.shares_since.is_some_and(|since| since <= now)
    }

    fn digits(&self) -> String {
        let hash = Sha256::digest(self.management.as_str().as_bytes());
        hash.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing into a text does not fail");
            text
        })
    }
}

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
    /// Service control policies, by id. The one that AWS makes is not among them.
    #[serde(default)]
    pub(crate) policies: BTreeMap<String, ControlPolicy>,
    /// The ids of the policies of the root, of units and of accounts, where these have been changed.
    #[serde(default)]
    pub(crate) attached: BTreeMap<String, BTreeSet<String>>,
    pub(crate) made_at: Timestamp,
}

/// The id of the policy that everything has from the beginning.
pub(crate) const FULL_ACCESS: &str = "p-FullAWSAccess";
/// What that says.
const FULL_ACCESS_CONTENT: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// A service control policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ControlPolicy {
    pub(crate) name: String,
    pub(crate) description: String,
    /// The document.
    pub(crate) content: String,
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
            policies: BTreeMap::new(),
            attached: BTreeMap::new(),
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

    /// Returns the ids of everything that policies can be attached to.
    pub(crate) fn targets(&self) -> Vec<String> {
        let accounts = self.members().map(|(account, _)| account.to_string());
        self.units.keys().cloned().chain([self.root()]).chain(accounts).collect()
    }

    /// Returns the ids of the policies of a root, unit or account.
    pub(crate) fn policies_of(&self, target: &str) -> BTreeSet<String> {
        let full = || BTreeSet::from([FULL_ACCESS.to_owned()]);
        self.attached.get(target).cloned().unwrap_or_else(full)
    }

    /// Returns the document of a policy.
    pub(crate) fn policy_content(&self, id: &str) -> &str {
        self.policies.get(id).map_or(FULL_ACCESS_CONTENT, |policy| &policy.content)
    }

    /// Returns the documents that limit an account, by level: those of the root, of the units down to it,
    /// and its own. "SCPs … don't affect users or roles in the management account"; and nothing is limited
    /// where there is only what everything has from the beginning.
    pub(crate) fn controls(&self, account: &AccountId) -> Vec<Vec<&str>> {
        if self.attached.is_empty() || self.management == *account || !self.has(account) {
            return Vec::new();
        }
        let mut levels = vec![account.to_string()];
        let mut place = self.place(account);
        while let Some(unit) = self.units.get(&place) {
            levels.push(std::mem::replace(&mut place, unit.parent.clone()));
        }
        levels.push(self.root());
        let contents = |target: &String| {
            self.policies_of(target).iter().map(|id| self.policy_content(id)).collect::<Vec<_>>()
        };
        levels.iter().map(contents).collect()
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

//! A spec that was read, expanded and checked.

use std::collections::{BTreeMap, BTreeSet};

use semver::VersionReq;

use crate::address::{AccountName, Address, Kind};
use crate::diagnostic::{Sources, Span};
use crate::provider::Account;
use crate::resource::{Home, ReplaceOrder, Timeouts};
use crate::secrets::Secrets;
use crate::spec::{ImportNode, Refactoring, Template};
use crate::value::AttributeReference;

/// Everything that the user wants, as atomic resources.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The files it was read from.
    pub sources: Sources,
    /// What holds for the whole stack.
    pub stack: Stack,
    /// The accounts, every value known.
    pub accounts: BTreeMap<AccountName, Account>,
    /// The resources, `for_each` and inline children expanded.
    pub resources: BTreeMap<Address, ResourceNode>,
    /// What resources of one account use of another one's.
    pub crossings: Vec<Crossing>,
    /// What the stack tells the outside.
    pub outputs: BTreeMap<String, OutputNode>,
    /// The values of variables that the spec calls sensitive.
    pub secrets: Secrets,
    /// Which resources of the state have new names, and which are to be let go.
    pub refactoring: Refactoring,
    /// Which things that exist become resources of the stack.
    pub imports: Vec<ImportNode>,
    /// SHA-256, in hexadecimal, of the texts of all files, also of those that expressions read, and the variables' values: equal digests mean equal specs.
    pub digest: String,
}

impl Spec {
    /// Returns where the resources of an account live.
    #[must_use]
    pub fn home(&self, account: &AccountName) -> Home<'_> {
        self.accounts.get(account).map_or_else(Home::default, Account::home)
    }
}

/// What holds for the whole stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Names the state file, and sessions in the accounts.
    pub name: String,
    /// The versions of this program that the spec is written for.
    pub requires: Option<VersionReq>,
}

/// One atomic resource: what is wanted of it, references still symbolic.
#[derive(Debug, Clone)]
pub struct ResourceNode {
    /// Its name.
    pub address: Address,
    /// What it is. A child has the child's kind, not that of its block.
    pub kind: Kind,
    /// Where it lives.
    pub account: AccountName,
    /// What the spec sets, the tags of the stack and of the file's defaults included.
    pub attributes: BTreeMap<String, Template>,
    /// What its attributes follow, by the attribute's name.
    pub follows: BTreeMap<String, Followed>,
    /// The resources that have to be there first: those that attributes refer to and those of
    /// `depends_on`. A block that expands is there once all its children are.
    pub dependencies: BTreeSet<Address>,
    /// Those of the dependencies that `depends_on` names.
    pub depends_on: BTreeSet<Address>,
    /// How its life is managed.
    pub lifecycle: Lifecycle,
    /// The block's header, or the place of a child inside its block.
    pub span: Span,
}

/// What an attribute follows: an attribute of another resource, of which it takes the value where the
/// spec sets none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The other attribute.
    pub reference: AttributeReference,
    /// Whether the spec sets the one that follows.
    pub is_written: bool,
}

/// A resource of one account that uses a thing of another one, which shares hold. It needs the
/// shares, and is made only once its account sees the thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crossing {
    /// The resource.
    pub resource: Address,
    /// The thing.
    pub thing: Address,
    /// The shares that hold the thing and name the resource's account.
    pub shares: BTreeSet<Address>,
}

/// How a resource's life is managed.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifecycle {
    /// Plans that would delete or replace it are refused, also when the block is gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prevent_destroy: bool,
    /// Destroying it only forgets it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retain_on_destroy: bool,
    /// The attributes whose differences are left alone.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub ignore_changes: BTreeSet<String>,
    /// In which order a replacement is done, if not the kind's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_order: Option<ReplaceOrder>,
    /// How long the engine waits, if not the kind's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    /// The attributes that must not be shown, since they are made of something sensitive; those
    /// that are sensitive by their kind are not among them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub sensitive: BTreeSet<String>,
    /// What somebody else makes it for, if this program does not make it: its makers, which go before
    /// it does. None of them is a resource of the stack if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_by: Option<BTreeSet<Address>>,
}

impl Lifecycle {
    /// Tells whether somebody else makes it.
    #[must_use]
    pub fn is_made_by_others(&self) -> bool {
        self.made_by.is_some()
    }

    /// Gives the resources that it names other names.
    pub(crate) fn rename(&mut self, rename: impl Fn(Address) -> Address) {
        if let Some(makers) = &mut self.made_by {
            *makers = std::mem::take(makers).into_iter().map(rename).collect();
        }
    }

    /// Tells whether a resource is one of its makers.
    pub(crate) fn is_made_for(&self, maker: &Address) -> bool {
        self.made_by.as_ref().is_some_and(|makers| makers.contains(maker))
    }

    /// Returns the attributes that are sensitive now or in another version of the resource.
    pub(crate) fn all_sensitive(&self, other: Option<&Self>) -> BTreeSet<String> {
        let others = other.into_iter().flat_map(|other| &other.sensitive);
        self.sensitive.iter().chain(others).cloned().collect()
    }
}

/// Something that the stack tells the outside.
#[derive(Debug, Clone)]
pub struct OutputNode {
    /// The value, references still symbolic.
    pub value: Template,
    /// What it is for.
    pub description: Option<String>,
    /// Whether the value is shown only to who asks for it by name.
    pub sensitive: bool,
    /// The header.
    pub span: Span,
}

//! What a plan says.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::address::{AccountName, Address, Kind, RemoteId};
use crate::difference::Form;
use crate::plan::Options;
use crate::preflight::Told;
use crate::resource::{Home, ReplaceOrder};
use crate::spec::Lifecycle;
use crate::value::{AttributeReference, Value, ValueMap};

/// What a run wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// What the spec says.
    Apply,
    /// That nothing of the stack is left.
    Destroy,
    /// That the state says what is there. No thing changes.
    Refresh,
}

/// Everything that a run would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What the run wants.
    pub mode: Mode,
    /// What the user asked for besides.
    #[serde(default, skip_serializing_if = "Options::is_default")]
    pub options: Options,
    /// The stack's name.
    pub stack: String,
    /// The state's lineage; minted with the first plan.
    pub lineage: String,
    /// The serial of the state that the plan was made from.
    pub serial: u64,
    /// [`crate::spec::Spec::digest`] of the spec that the plan was made from.
    pub spec_digest: String,
    /// Random; a plan is applied at most once.
    pub nonce: String,
    /// The accounts that the plan concerns.
    pub accounts: BTreeMap<AccountName, PlannedAccount>,
    /// The resources that get another name in the state; the things themselves stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renames: Vec<Rename>,
    /// The things that exist and become resources of the stack, as they are. Sorted by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imports: Vec<Import>,
    /// What was looked up, and what is looked up while the plan is carried out. Sorted by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lookups: Vec<LookedUp>,
    /// What changes, in an order in which it could be done one by one.
    pub changes: Vec<Change>,
    /// What would change too and is left out, sorted by address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What others changed since the last apply.
    pub drift: Vec<Drift>,
    /// How many resources stay as they are.
    pub unchanged: usize,
    /// The outputs that change.
    pub outputs: Vec<OutputChange>,
    /// What is worth knowing beside, as checks found it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
}

impl Plan {
    /// Tells whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self.mode {
            Mode::Apply | Mode::Destroy => {
                self.changes.is_empty()
                    && self.renames.is_empty()
                    && self.imports.is_empty()
                    && self.outputs.is_empty()
            }
            Mode::Refresh => self.drift.is_empty(),
        }
    }
}

/// Where a plan's resources live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedAccount {
    /// The account's id.
    pub id: String,
    /// The region.
    pub region: String,
}

/// A resource that gets another name in the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// What the state calls it.
    pub from: Address,
    /// What the spec calls it.
    pub to: Address,
}

/// What a `[lookup.NAME]` finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookedUp {
    /// The lookup.
    pub address: Address,
    /// What is looked up.
    pub kind: Kind,
    /// The account's name in the spec.
    pub account: AccountName,
    /// The region.
    pub region: String,
    /// What is asked for; parts may be unknown.
    pub inputs: ValueMap,
    /// What was found; `None` if it can be read only while the plan is carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<ValueMap>,
    /// Whether it is read while the plan is carried out, since something that it waits for changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub later: bool,
    /// The inputs that must not be shown.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sensitive: BTreeSet<String>,
}

/// A thing that exists and becomes a resource of the stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The resource that it becomes.
    pub address: Address,
    /// What it is.
    pub kind: Kind,
    /// The account's name in the spec.
    pub account: AccountName,
    /// The region.
    pub region: String,
    /// What the service calls it.
    pub remote_id: RemoteId,
    /// The id of the other stack that it is taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<String>,
}

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The resource.
    pub address: Address,
    /// What it is.
    pub kind: Kind,
    /// The account's name in the spec.
    pub account: AccountName,
    /// The account's id.
    pub account_id: String,
    /// The region.
    pub region: String,
    /// What is done.
    pub action: ChangeAction,
    /// What the service calls the object that is there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<RemoteId>,
    /// Why, the most important first.
    pub reasons: Vec<Reason>,
    /// The attributes that differ, sorted by name.
    pub attributes: Vec<AttributeChange>,
    /// Of the attributes that differ, those that the spec does not set, with what they follow.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub follows: BTreeMap<String, AttributeReference>,
    /// What is done before the last round, if there are several: the change itself is the last one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Round>,
    /// The number of the last round; `None` if the change has nothing to do with rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_round: Option<usize>,
    /// Every input as it will be; parts may be unknown. Empty for a deletion.
    pub inputs: ValueMap,
    /// The resources that it needs.
    pub dependencies: BTreeSet<Address>,
    /// How its life is managed.
    pub lifecycle: Lifecycle,
}

impl Change {
    /// Returns where the thing lives.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home { account_id: &self.account_id, region: &self.region }
    }
}

/// What is done of a change in one round, when the service does not make it at once, or does not make
/// at once what the thing needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Which round it is; the first is 1.
    pub number: usize,
    /// The attributes that change in it, sorted by name.
    pub attributes: Vec<AttributeChange>,
}

/// What is done to a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// Made.
    Create,
    /// Changed in place.
    Update,
    /// Made anew, and the old one deleted.
    Replace(ReplaceOrder),
    /// Deleted.
    Delete,
    /// A former object of the resource, replaced or made twice, is deleted.
    DeleteDeposed,
    /// Dropped from the state and left alone.
    Forget,
}

/// Why something changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why", deny_unknown_fields)]
pub enum Reason {
    /// The spec has it and the state does not.
    New,
    /// It was there and is gone; the state still has it.
    Vanished {
        /// What the service called it.
        remote_id: RemoteId,
    },
    /// Attributes differ from what the spec says.
    Differs,
    /// The service cannot change this attribute of an existing thing.
    CannotChange {
        /// The attribute.
        attribute: String,
    },
    /// The spec no longer has it.
    NotInSpec,
    /// The whole stack is being destroyed.
    Destroy,
    /// An earlier run ended before everything was done.
    Unfinished,
    /// A part of it failed; the update repairs it.
    Impaired {
        /// The service's own words.
        reason: String,
    },
    /// The service says that it will never be ready.
    Failed {
        /// The service's own words.
        reason: String,
    },
    /// The spec moved it to another account or region.
    Moved {
        /// Where it is: account and region.
        from: String,
    },
    /// It takes over what only one can have from something that takes over what it has, directly or
    /// by way of others: none of them could change first.
    Exchanged {
        /// What it takes it over from.
        with: Address,
    },
    /// It was replaced by another object, or made twice.
    Deposed,
    /// The spec says that destroying it only forgets it.
    Retained,
    /// Nothing of its kind is ever deleted, since others may rely on it.
    NeverDeleted,
    /// The spec says in `[[removed]]` that it is to be left alone.
    Removed,
    /// The cluster that it is in does not answer, and the user has it let go of then.
    OutOfReach,
    /// Somebody else makes it for something that stays: it will not go away, and is only no longer told of.
    MakerStays,
    /// The spec has another name for it, which the tag `straddle:address` of the thing follows.
    Renamed {
        /// What the state calls it.
        from: Address,
    },
    /// The user asked for its replacement.
    Asked,
    /// It existed before, and becomes a resource of the stack.
    Imported,
}

/// Something that would change and is left out of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The resource.
    pub address: Address,
    /// The account's name in the spec.
    pub account: AccountName,
    /// The region.
    pub region: String,
    /// What would be done.
    pub action: ChangeAction,
    /// Why it is left out.
    pub because: LeftOutBecause,
}

/// Why something is left out of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why", deny_unknown_fields)]
pub enum LeftOutBecause {
    /// It is not among the targets, and none of them needs it.
    NotTargeted,
    /// It is excluded.
    Excluded,
    /// It needs something that is excluded.
    Needs {
        /// What is excluded.
        address: Address,
    },
    /// Something that is left out too, and stays as it is, stands on it.
    NeededBy {
        /// What stands on it.
        address: Address,
    },
}

/// An attribute that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttributeChange {
    /// The attribute.
    pub name: String,
    /// What it is now; `Null` if it is not set.
    pub before: Value,
    /// What it will be; `Null` if it will not be set.
    pub after: Value,
    /// Whether this makes another object necessary.
    pub replaces: bool,
    /// Whether the value must not be shown.
    pub sensitive: bool,
    /// What the values mean, by which it is known where they differ.
    #[serde(default, skip_serializing_if = "Form::is_data")]
    pub form: Form,
}

/// What others changed since the last apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The resource.
    pub address: Address,
    /// What it is.
    pub kind: Kind,
    /// The account's name in the spec.
    pub account: AccountName,
    /// The region.
    pub region: String,
    /// What the service calls it.
    pub remote_id: RemoteId,
    /// Whether it is gone; then there are no attributes.
    pub gone: bool,
    /// What was last applied (`before`) and what is there now (`after`).
    pub attributes: Vec<AttributeChange>,
    /// Whether somebody else makes it, who alone can put it right.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_made_by_others: bool,
}

/// An output that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputChange {
    /// The output's name.
    pub name: String,
    /// What it is now; `Null` if there is none.
    pub before: Value,
    /// What it will be; `Null` if there will be none.
    pub after: Value,
    /// Whether the value must not be shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

//! The state: what was last applied, and what the services call it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{AccountName, Address, Kind, RemoteId};
use crate::resource::{Home, Intent};
use crate::spec::Lifecycle;
use crate::value::{Value, ValueMap};

/// Everything that is recorded of a stack between two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The stack's name.
    pub stack: String,
    /// 128 random bits in hexadecimal, minted with the first plan and never changed. The value
    /// of the tag `straddle:stack` on everything that the stack made.
    pub lineage: String,
    /// Grows by one with every change of the state.
    pub serial: u64,
    /// The nonce of the last saved plan that was applied, so that none is applied twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(default)]
    pub applied_plan: Option<String>,
    /// The resources that exist, or did when last looked at.
    pub resources: BTreeMap<Address, ResourceState>,
    /// Creates whose outcome nobody knows, by operation id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pending: BTreeMap<String, PendingCreate>,
    /// The outputs as of the last apply.
    #[serde(default)]
    pub outputs: BTreeMap<String, Value>,
    /// The names of those outputs that are shown only to who asks for them by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub sensitive_outputs: BTreeSet<String>,
}

impl State {
    /// Makes the state of a stack that has nothing yet.
    #[must_use]
    pub fn empty(stack: impl Into<String>, lineage: impl Into<String>) -> Self {
        Self {
            stack: stack.into(),
            lineage: lineage.into(),
            serial: 0,
            applied_plan: None,
            resources: BTreeMap::new(),
            pending: BTreeMap::new(),
            outputs: BTreeMap::new(),
            sensitive_outputs: BTreeSet::new(),
        }
    }
}

impl State {
    /// Tells whether some resource of this kind has the object already. `scope` is where ids of the
    /// kind are told apart, see [`Registry::scope`](crate::registry::Registry::scope).
    #[must_use]
    pub fn has(&self, scope: Home<'_>, kind: &Kind, id: &RemoteId) -> bool {
        let same = |resource: &&ResourceState| {
            let is_there = scope.region.is_empty() || resource.region == scope.region;
            resource.account_id == scope.account_id && is_there && resource.kind == *kind
        };
        let objects = |resource: &'_ ResourceState| {
            resource.object.iter().chain(&resource.deposed).any(|object| object.remote_id == *id)
        };
        self.resources.values().filter(same).any(objects)
    }
}

/// One resource: the object that it is now, and objects that it was and that still have to go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceState {
    /// What it is.
    pub kind: Kind,
    /// The account's name in the spec.
    pub account: AccountName,
    /// The account's id; an object never moves to another account.
    pub account_id: String,
    /// The region.
    pub region: String,
    /// What it is now; `None` while only deposed objects are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Object>,
    /// Objects that were replaced, or made twice, and still have to be deleted. Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deposed: Vec<Object>,
    /// The resources that it needs, for the order of deletion when its block is gone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dependencies: BTreeSet<Address>,
    /// How its life is managed, as of the last apply: protection outlives the block.
    #[serde(default)]
    pub lifecycle: Lifecycle,
}

impl ResourceState {
    /// Returns where its objects live.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home { account_id: &self.account_id, region: &self.region }
    }
}

/// One thing that a service made for us.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// What the service calls it.
    pub remote_id: RemoteId,
    /// The operation that made it, which its tag `straddle:op` names, or the import that it came with.
    pub operation_id: String,
    /// The inputs that the last apply set. Those, and those that the spec sets, are owned.
    pub inputs: ValueMap,
    /// What only the service knows, as last read.
    pub outputs: ValueMap,
    /// How far the last apply came.
    pub status: Status,
    /// Whether it was never ready yet: then its create goes on, which brings also those attributes to
    /// what is wanted whose later differences are left alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_being_made: bool,
    /// When it was made, or got its id. A thing that cannot be found shortly after is new, not gone.
    pub created_at: Timestamp,
    /// When a call was last sent that changes it, until the change has ended well: what came of the
    /// call may not be seen for the consistency window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

/// How far the last apply of an object came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", content = "reason", deny_unknown_fields)]
pub enum Status {
    /// Everything was done.
    Ready,
    /// The run ended before everything was done; the next apply goes on.
    Unfinished,
    /// The service says that it will never be ready.
    Failed(String),
}

/// A create that was sent, or may have been, and whose outcome nobody knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PendingCreate {
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
    /// The inputs that were sent.
    pub inputs: ValueMap,
    /// The client token that was sent.
    pub token: String,
    /// When the last attempt was about to be sent.
    pub last_attempt: Timestamp,
    /// The resources that it needs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dependencies: BTreeSet<Address>,
    /// How its life is managed.
    #[serde(default)]
    pub lifecycle: Lifecycle,
}

impl PendingCreate {
    /// Returns where what was made lives.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home { account_id: &self.account_id, region: &self.region }
    }

    /// Returns the intent as a kind wants it.
    #[must_use]
    pub fn intent(&self, operation_id: &str) -> Intent {
        Intent {
            address: self.address.clone(),
            operation_id: operation_id.to_owned(),
            token: self.token.clone(),
        }
    }
}

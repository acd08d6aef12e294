//! The journal: what a run is about to do and what came of it, each record durable before the
//! run goes on. Folding it into the state it started from ([`fold`](crate::state::fold())) gives
//! the state of now.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{AccountName, Address, Kind, RemoteId};
use crate::spec::Lifecycle;
use crate::state::{Object, ResourceState, Status};
use crate::value::{Value, ValueMap};

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "record", deny_unknown_fields)]
pub enum Record {
    /// The first line.
    Run(RunHeader),
    /// The spec has new names for resources: by the old one. They all change at once, before
    /// anything else is done.
    Renamed {
        /// The new names, by the old ones.
        names: BTreeMap<Address, Address>,
    },
    /// A thing that exists becomes a resource.
    Imported(Box<Imported>),
    /// An operation starts.
    Begin(Box<Begin>),
    /// A mutating call is about to be sent.
    Attempt {
        /// The operation that it belongs to.
        operation_id: String,
        /// The operation's name in the service's API.
        call: String,
        /// When.
        at: Timestamp,
    },
    /// The id of the thing is known, or has changed. Written before any wait or read.
    Identified {
        /// The operation that made it.
        operation_id: String,
        /// Its id.
        remote_id: RemoteId,
        /// When.
        at: Timestamp,
    },
    /// The operation turned out to have made one more thing than wanted.
    Surplus {
        /// The operation that made it.
        operation_id: String,
        /// Its id.
        remote_id: RemoteId,
        /// When.
        at: Timestamp,
    },
    /// An operation has ended.
    End {
        /// The operation.
        operation_id: String,
        /// What came of it.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
    /// A read found the object changed or gone; recorded when no operation follows from it.
    Observed {
        /// The resource.
        address: Address,
        /// What is there of the inputs that were last applied, if that is to count as applied.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inputs: Option<ValueMap>,
        /// What only the service knows, or `None` if the thing is gone.
        outputs: Option<ValueMap>,
    },
    /// The outputs of the stack.
    Outputs {
        /// By name.
        outputs: BTreeMap<String, Value>,
        /// The names of those that are shown only to who asks for them by name.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        sensitive: BTreeSet<String>,
    },
}

/// What a run starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunHeader {
    /// The state's lineage.
    pub lineage: String,
    /// The stack's name.
    pub stack: String,
    /// The serial of the state that the records are to be folded into. A state with a greater
    /// one has them already.
    pub serial: u64,
    /// The nonce of the saved plan that is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A thing that exists becomes a resource, as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Imported {
    /// Names the import, where an object names the operation that made it.
    pub operation_id: String,
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
    /// What the service calls the thing.
    pub remote_id: RemoteId,
    /// What is there of the inputs that the spec sets.
    pub inputs: ValueMap,
    /// What only the service knows.
    pub outputs: ValueMap,
    /// The resources that it needs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dependencies: BTreeSet<Address>,
    /// How its life is managed.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// When.
    pub at: Timestamp,
}

impl From<&Imported> for ResourceState {
    /// Returns the resource as it is right after its import, but for what it needs.
    fn from(imported: &Imported) -> Self {
        let object = Object {
            remote_id: imported.remote_id.clone(),
            operation_id: imported.operation_id.clone(),
            inputs: imported.inputs.clone(),
            outputs: imported.outputs.clone(),
            status: Status::Ready,
            is_being_made: false,
            created_at: imported.at,
            changed_at: None,
        };
        Self {
            kind: imported.kind.clone(),
            account: imported.account.clone(),
            account_id: imported.account_id.clone(),
            region: imported.region.clone(),
            object: Some(object),
            deposed: Vec::new(),
            dependencies: BTreeSet::new(),
            lifecycle: imported.lifecycle.clone(),
        }
    }
}

/// An operation on one object starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// Names the operation.
    pub operation_id: String,
    /// What it does.
    pub action: Action,
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
    /// The resources that it needs.
    pub dependencies: BTreeSet<Address>,
    /// How its life is managed.
    pub lifecycle: Lifecycle,
    /// When.
    pub at: Timestamp,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Action {
    /// Makes an object. One that is there already is deposed once the new one has an id.
    Create {
        /// Every input, resolved: recovery may have to send the same call again.
        inputs: ValueMap,
        /// The client token.
        token: String,
    },
    /// Brings the object to these inputs.
    Update {
        /// Every input, resolved.
        inputs: ValueMap,
    },
    /// Deletes the object with this id, the current one or a deposed one.
    Delete {
        /// Its id.
        remote_id: RemoteId,
    },
    /// Drops the object with this id from the state and leaves it alone.
    Forget {
        /// Its id.
        remote_id: RemoteId,
    },
}

/// What came of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is", deny_unknown_fields)]
pub enum Outcome {
    /// The object is as wanted.
    Ready {
        /// What only the service knows.
        outputs: ValueMap,
    },
    /// The object is gone, or forgotten.
    Gone,
    /// Nothing was made: a create that was surely refused, or proved never to have happened.
    NothingMade,
    /// The operation stopped on the way; the next apply goes on.
    Stopped {
        /// Whether the service says that the object will never be ready, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
}

//! What happens during a run, for whoever shows it.

use std::time::Duration;

use crate::address::{AccountName, Address, RemoteId};
use crate::diagnosis::Blocker;
use crate::preflight;

/// Is told what happens. Calls come from the engine's own task and must not block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn notify(&self, event: &Event);
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Another run has the state locked, and is waited for.
    WaitingForLock {
        /// Who has it, in words.
        holder: String,
        /// How long it is waited for at most.
        remaining: Duration,
    },
    /// The engine connects to these accounts and checks who it is there.
    Connecting {
        /// The accounts' names in the spec.
        accounts: Vec<AccountName>,
    },
    /// The live reads start.
    Refreshing {
        /// How many resources the state knows.
        resources: usize,
    },
    /// Things that were made a short while ago are not found, and looked for again.
    NotVisibleYet {
        /// The resources.
        addresses: Vec<Address>,
    },
    /// The live reads are done.
    Refreshed {
        /// How many read calls of kinds were made (pages not counted).
        listings: usize,
        /// How long it took.
        elapsed: Duration,
    },
    /// The checks before the run start.
    Checking {
        /// How many there are.
        checks: usize,
    },
    /// A check has ended.
    Checked {
        /// What came of it.
        checked: preflight::Checked,
        /// How many have not.
        remaining: usize,
    },
    /// A create of an earlier run has an unknown outcome and is searched for.
    Resolving {
        /// The resource.
        address: Address,
        /// How long it will be searched for at most.
        remaining: Duration,
    },
    /// An operation on a resource starts.
    OperationStarted {
        /// The operation.
        operation: OperationLabel,
    },
    /// A mutating call is sent.
    Call {
        /// The operation.
        operation: OperationLabel,
        /// The call's name in the service's API.
        call: String,
    },
    /// The thing has got its id.
    Identified {
        /// The operation.
        operation: OperationLabel,
        /// The id.
        remote_id: RemoteId,
    },
    /// An operation waits, or goes on waiting, for something.
    Waiting {
        /// The operation.
        operation: OperationLabel,
        /// For what, in the service's or the engine's words.
        reason: String,
        /// Since the operation started.
        elapsed: Duration,
    },
    /// It was found out what keeps a thing from being deleted.
    Blocked {
        /// The operation.
        operation: OperationLabel,
        /// What uses the thing.
        blockers: Vec<Blocker>,
    },
    /// An operation has ended well.
    OperationFinished {
        /// The operation.
        operation: OperationLabel,
        /// The thing's id, if it still exists.
        remote_id: Option<RemoteId>,
        /// How long it took.
        elapsed: Duration,
    },
    /// An operation has failed or was stopped.
    OperationFailed {
        /// The operation.
        operation: OperationLabel,
        /// Why, in whole sentences.
        error: String,
        /// How long it took.
        elapsed: Duration,
    },
    /// An operation was not started, since one that it needs has failed or the run was interrupted.
    OperationSkipped {
        /// The operation.
        operation: OperationLabel,
        /// The operation's address that held it back; `None` after an interrupt.
        because: Option<Address>,
    },
    /// The user asked to stop.
    Interrupted {
        /// Whether running operations are still waited for.
        waiting: bool,
    },
}

/// What an operation is shown as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationLabel {
    /// The resource.
    pub address: Address,
    /// What is done to it.
    pub verb: Verb,
    /// The account's name in the spec.
    pub account: AccountName,
    /// The region.
    pub region: String,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Makes a thing.
    Create,
    /// Changes it in place.
    Update,
    /// Deletes it.
    Delete,
    /// Drops it from the state.
    Forget,
    /// Takes out of a share what nothing uses any more.
    Withdraw,
    /// Brings it one round further on its way, of which the last one is an update.
    Advance,
    /// Waits for something that no call of ours brings about: at a gate, or until what somebody else made
    /// is gone.
    Wait,
    /// Waits until what somebody else makes is there and as wanted.
    Expect,
    /// Looks up something that exists.
    Look,
}

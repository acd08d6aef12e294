//! A run: what a command asks of the engine, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::address::{AccountName, Address};
use crate::audit::Audited;
use crate::diagnosis::Blocker;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::environment::Environment;
use crate::event::{Observer, Verb};
use crate::plan::Plan;
use crate::provider::{ErrorClass, ProviderError};
use crate::registry::Registry;
use crate::secrets::Secrets;
use crate::state::{Backend, StateError};
use crate::value::Value;

/// Everything that a run needs besides the spec.
pub struct Engine<'a> {
    /// The kinds and the provider.
    pub registry: &'a Registry,
    /// Where the state is kept.
    pub backend: &'a dyn Backend,
    /// The clock and the random source.
    pub environment: &'a dyn Environment,
    /// Who is told what happens.
    pub observer: &'a dyn Observer,
    /// Numbers that a user may set.
    pub settings: Settings,
    /// Asks the run to stop.
    pub interrupt: Interrupt,
}

/// Numbers that a user may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How many operations run at once.
    pub parallelism: usize,
    /// How many calls are under way at once in one account and service.
    pub calls_per_service: usize,
    /// How long after a call of unknown outcome its work may still become visible.
    pub consistency_window: Duration,
    /// How long calls are retried that are throttled, or that wait for something to propagate.
    pub retry_limit: Duration,
    /// How long a run waits for another one that has the state locked.
    pub lock_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            parallelism: 20,
            calls_per_service: 10,
            consistency_window: Duration::from_mins(2),
            retry_limit: Duration::from_mins(5),
            lock_timeout: Duration::ZERO,
        }
    }
}

/// Asks a run to stop; clones ask the same run.
#[derive(Debug, Clone)]
pub struct Interrupt {
    level: tokio::sync::watch::Sender<InterruptLevel>,
}

/// How urgently a run was asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InterruptLevel {
    /// Not at all.
    None,
    /// Nothing new is started; what is running may finish.
    Graceful,
    /// Nothing is waited for any more: ids are recorded already, calls under way are answered.
    Fast,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self { level: tokio::sync::watch::Sender::new(InterruptLevel::None) }
    }
}

impl Interrupt {
    /// Asks for more urgency: gracefully at first, fast from the second time on.
    pub fn request(&self) {
        self.level.send_modify(|level| {
            *level = match level {
                InterruptLevel::None => InterruptLevel::Graceful,
                InterruptLevel::Graceful | InterruptLevel::Fast => InterruptLevel::Fast,
            }
        });
    }

    /// Returns how urgently the run was asked to stop.
    #[must_use]
    pub fn level(&self) -> InterruptLevel {
        *self.level.borrow()
    }

    /// Returns when the level has been reached.
    pub async fn reached(&self, level: InterruptLevel) {
        let mut receiver = self.level.subscribe();
        // The sender lives as long as `self`.
        let _ = receiver.wait_for(|now| *now >= level).await;
    }
}

/// What came of an apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What was to be done.
    pub plan: Plan,
    /// What ended well.
    pub done: Vec<(Address, Verb)>,
    /// What failed.
    pub failures: Vec<Failure>,
    /// What was not started, since something that it needs failed, or the run was interrupted.
    pub skipped: Vec<(Address, Verb)>,
    /// Whether the user asked to stop, and something was left undone.
    pub interrupted: bool,
    /// The outputs of the stack now.
    pub outputs: BTreeMap<String, Value>,
    /// The names of those outputs that are shown only to who asks for them by name.
    pub sensitive_outputs: BTreeSet<String>,
    /// Why outputs could not be worked out, now that everything in them is known. They are what they
    /// were before.
    pub output_problems: Diagnostics,
    /// What the stack has left behind outside of its state, if everything was done.
    pub audited: Audited,
}

impl Report {
    /// Tells whether everything that was planned was done, and nothing of the stack is outside of its state.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty()
            && self.skipped.is_empty()
            && self.output_problems.is_empty()
            && !self.interrupted
            && self.audited.leftovers.is_empty()
    }
}

/// An operation that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The resource.
    pub address: Address,
    /// What was being done.
    pub verb: Verb,
    /// The account's name in the spec.
    pub account: AccountName,
    /// Why, in whole sentences.
    pub error: String,
    /// What to do, in whole sentences.
    pub hint: Option<String>,
    /// What is wrong with what the user wrote, and where, if that is the reason.
    pub problem: Option<Diagnostic>,
    /// What keeps the thing from being deleted, if that is the reason and as far as it is known.
    pub blockers: Vec<Blocker>,
}

/// Who decides whether a plan is carried out.
pub enum Approval<'a> {
    /// Somebody who is shown the plan.
    Ask(&'a mut (dyn FnMut(&Plan) -> bool + Send)),
    /// A plan that was shown and saved before; what would be done now must be the same.
    Saved(&'a Plan),
}

/// A run that could not do what was asked, before or instead of carrying out a plan.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The spec or the plan made of it has errors.
    #[error("the plan has errors")]
    Diagnostics(Diagnostics),
    /// The state cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The state cannot be written any more, after the run has begun to change things.
    #[error("what the run did can no longer be recorded: {0}")]
    Unrecorded(StateError),
    /// An account cannot be reached, or is another one.
    #[error("failed to connect to the account `{account}`")]
    Connect {
        /// The account's name in the spec.
        account: AccountName,
        /// Why.
        source: Box<ProviderError>,
    },
    /// A live read failed. Nothing was changed.
    #[error("failed to read {what} in the account `{account}`")]
    Read {
        /// The kind that was read.
        what: String,
        /// The account's name in the spec.
        account: AccountName,
        /// Why.
        source: Box<ProviderError>,
    },
    /// A saved plan does not fit any more.
    #[error("the saved plan is stale: {reason}")]
    Stale {
        /// What has changed since it was made.
        reason: String,
    },
    /// The plan was not approved.
    #[error("the plan was not approved; nothing was changed")]
    Declined,
    /// The user asked to stop before anything was changed.
    #[error("interrupted before anything was changed")]
    Interrupted,
}

impl RunError {
    /// Tells whether nobody answers there, however often it is tried.
    pub(crate) fn is_unreachable(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.class == ErrorClass::Unreachable)
    }

    /// Returns the error without sensitive values in the words of services.
    pub(crate) fn without(self, secrets: &Secrets) -> Self {
        match self {
            Self::Connect { account, source } => {
                Self::Connect { account, source: Box::new(source.without(secrets)) }
            }
            Self::Read { what, account, source } => {
                Self::Read { what, account, source: Box::new(source.without(secrets)) }
            }
            Self::Diagnostics(_)
            | Self::State(_)
            | Self::Unrecorded(_)
            | Self::Stale { .. }
            | Self::Declined
            | Self::Interrupted => self,
        }
    }
}

//! Why an operation does not come to its end.

use std::time::Duration;

use crate::diagnosis::Blocker;
use crate::diagnostic::Diagnostic;
use crate::provider::{ErrorClass, ProviderError};
use crate::state::StateError;

/// Why an operation does not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// A call was refused, or retried in vain.
    #[error("{0}")]
    Call(#[from] ProviderError),
    /// The credentials have expired: nothing more can be done in any account.
    #[error("{0}")]
    Expired(ProviderError),
    /// The service says that the thing will never be ready.
    #[error("will never be ready, says the service: {0}")]
    Failed(String),
    /// The service says that it cannot delete the thing.
    #[error("cannot be deleted, says the service: {0}")]
    NotDeleted(String),
    /// The thing went away while it was changed.
    #[error("{0}")]
    Vanished(String),
    /// The service takes a call again and again, and does not do what it says.
    #[error("{0}")]
    Unheeded(String),
    /// A part of the thing failed, and again after it was repaired, or nothing can repair it.
    #[error("{0}")]
    Impaired(String),
    /// The thing was not as wanted within the time limit.
    #[error("not done within {}: {reason}", seconds(*limit))]
    TimedOut {
        /// The time limit.
        limit: Duration,
        /// What was waited for last.
        reason: String,
    },
    /// Something used the thing for so long that it could not be deleted.
    #[error("not done within {}: {reason}", seconds(*limit))]
    Held {
        /// The time limit.
        limit: Duration,
        /// The service's words.
        reason: String,
        /// What uses it, as far as it could be found out.
        blockers: Vec<Blocker>,
    },
    /// A gate stayed closed.
    #[error("not open within {}: {reason}", seconds(*limit))]
    Closed {
        /// The time limit.
        limit: Duration,
        /// What was waited for last.
        reason: String,
        /// What to do.
        advice: Option<String>,
    },
    /// What somebody else makes, changes or takes away was not as wanted within the time limit.
    #[error("not done within {}: {reason}", seconds(*limit))]
    Awaited {
        /// The time limit.
        limit: Duration,
        /// What was waited for last.
        reason: String,
        /// What to do.
        advice: &'static str,
    },
    /// Something with the same natural key exists and is not ours.
    #[error("{0}")]
    Exists(ProviderError),
    /// A value is not what the plan promised.
    #[error("`{attribute}` is not what the plan promised: {promised} became {actual}")]
    Stale {
        /// The attribute.
        attribute: String,
        /// What the plan said.
        promised: String,
        /// What it is.
        actual: String,
    },
    /// What the user wrote cannot be worked out, now that everything in it is known.
    #[error("{place}: {}", told(problem))]
    Wrong {
        /// Where it stands, as `path:line:column`.
        place: String,
        /// What is wrong.
        problem: Box<Diagnostic>,
    },
    /// A defect: values that do not fit the kind.
    #[error("{0}")]
    Defect(String),
    /// The user asked not to wait any longer.
    #[error("interrupted; what was sent is recorded, and the next apply goes on")]
    Interrupted,
    /// The journal cannot be written any more.
    #[error("{0}")]
    Record(#[from] StateError),
}

impl Stop {
    /// Sorts a call that failed for good.
    pub(crate) fn from_call(error: ProviderError) -> Self {
        match error.class {
            ErrorClass::Expired => Self::Expired(error),
            ErrorClass::AlreadyExists => Self::Exists(error),
            ErrorClass::Throttled
            | ErrorClass::NotFound
            | ErrorClass::Propagation
            | ErrorClass::Busy
            | ErrorClass::Dependency
            | ErrorClass::AccessDenied
            | ErrorClass::Rejected
            | ErrorClass::Unreachable
            | ErrorClass::Ambiguous => Self::Call(error),
        }
    }

    /// Tells whether nothing more must be started after this.
    pub(crate) fn ends_the_run(&self) -> bool {
        matches!(self, Self::Record(_) | Self::Expired(_))
    }

    /// Returns what is wrong with what the user wrote, if that is the reason.
    pub(crate) fn problem(&self) -> Option<&Diagnostic> {
        if let Self::Wrong { problem, .. } = self { Some(problem) } else { None }
    }

    /// Returns what keeps the thing from being deleted, as far as it is known.
    pub(crate) fn blockers(&self) -> &[Blocker] {
        if let Self::Held { blockers, .. } = self { blockers } else { &[] }
    }

    /// Returns what to do, in whole sentences.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Closed { advice: Some(advice), .. } => advice.as_str(),
            Self::Awaited { advice, .. } => advice,
            Self::Held { blockers, .. } => {
                let advice = blockers.first().and_then(|first| first.advice.as_deref());
                advice.unwrap_or("Something still uses it. Remove that and run the same command again.")
            }
            Self::Expired(_) => "Renew the credentials and apply again: it goes on where it stopped.",
            Self::Call(error) if error.class == ErrorClass::AccessDenied => {
                "Give the account's role this permission and apply again: it goes on where it stopped."
            }
            Self::Call(error) if error.class == ErrorClass::Dependency => {
                "Something that this stack did not make still uses it. Remove that and run the same command again."
            }
            Self::Exists(_) => {
                "Something with the same name or range exists and does not belong to this resource. Make it part of the stack with `straddle import ADDRESS ID`, delete it, or choose another name or range."
            }
            Self::Failed(_) => {
                "Correct what the service complains about and apply again: what failed is then replaced."
            }
            Self::NotDeleted(_) => "Correct what the service complains about and run the same command again.",
            Self::Vanished(_) => "Apply again: what is gone is made anew.",
            Self::Unheeded(_) => "Plan again to see what the service has now.",
            Self::Impaired(_) => {
                "Correct what the service complains about and apply again: only the part that failed is made anew."
            }
            Self::TimedOut { .. } | Self::Closed { advice: None, .. } => {
                "Apply again: it goes on waiting. `timeouts` in the spec makes the limit longer."
            }
            Self::Wrong { problem, .. } => problem
                .hint
                .as_deref()
                .unwrap_or("Correct what is written there and apply again: it goes on where it stopped."),
            Self::Stale { .. } => "Apply again: the new plan has the value as it is now.",
            Self::Defect(_) => "This is a defect of straddle. Please report it with the plan.",
            Self::Record(_) => {
                "Make the state's folder writable, with free space, and run the same command again."
            }
            Self::Call(_) | Self::Interrupted => return None,
        };
        Some(hint.to_owned())
    }
}

/// Says what is wrong in one line.
fn told(problem: &Diagnostic) -> String {
    let Diagnostic { summary, label, detail, .. } = problem;
    let parts = [summary, label, detail].into_iter().filter(|part| !part.is_empty());
    parts.map(String::as_str).collect::<Vec<_>>().join(": ")
}

fn seconds(limit: Duration) -> String {
    match limit.as_secs() {
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

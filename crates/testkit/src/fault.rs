//! What can go wrong with a call.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// The service says that there were too many calls, and does nothing.
    Throttled,
    /// The service answers with an internal error and has done nothing. The caller cannot know.
    FailedBefore,
    /// The service does the work and answers with an internal error.
    FailedAfter,
    /// The service does the work; the answer never arrives.
    AnswerLost,
    /// The answer never arrives, and the service does the work so much later.
    Late(Duration),
    /// The caller may not do this.
    Denied,
    /// The caller's credentials are expired.
    Expired,
    /// The answer takes so much longer.
    Slow(Duration),
    /// The service does the work, and the thing that it made or changed fails.
    Fails,
    /// The user asks to stop while the call is under way, and does not wait if asked twice.
    Interrupt {
        /// Whether the user asks twice.
        twice: bool,
    },
    /// The caller's process dies before the call is sent.
    CrashBefore,
    /// The caller's process dies after the service has done the work.
    CrashAfter,
    /// The caller's process dies while the call is under way; it arrives so much later.
    CrashLate(Duration),
}

/// Which calls of a run something goes wrong with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    #[serde(default)]
    mutating: BTreeMap<usize, Fault>,
    #[serde(default)]
    reading: BTreeMap<usize, Fault>,
    #[serde(skip)]
    mutating_calls: usize,
    #[serde(skip)]
    reading_calls: usize,
}

impl Faults {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Lets this go wrong with the mutating call of this number, counted from 0.
    #[must_use]
    pub fn mutating(mut self, call: usize, fault: Fault) -> Self {
        self.mutating.insert(call, fault);
        self
    }

    /// Lets this go wrong with the reading call of this number, counted from 0.
    #[must_use]
    pub fn reading(mut self, call: usize, fault: Fault) -> Self {
        self.reading.insert(call, fault);
        self
    }

    /// Returns how many mutating calls were sent so far.
    #[must_use]
    pub fn mutating_calls(&self) -> usize {
        self.mutating_calls
    }

    /// Returns what goes wrong with the next call.
    pub(crate) fn next(&mut self, is_mutating: bool) -> Option<Fault> {
        let (calls, faults) = if is_mutating {
            (&mut self.mutating_calls, &self.mutating)
        } else {
            (&mut self.reading_calls, &self.reading)
        };
        let fault = faults.get(calls).copied();
        *calls += 1;
        fault
    }
}

impl Fault {
    /// Every fault of a mutating call after which the process goes on, with times that fit a
    /// consistency window of two minutes.
    pub const SURVIVABLE: [Self; 11] = [
        Self::Throttled,
        Self::FailedBefore,
        Self::FailedAfter,
        Self::AnswerLost,
        Self::Late(Duration::from_secs(45)),
        Self::Denied,
        Self::Expired,
        Self::Slow(Duration::from_secs(40)),
        Self::Fails,
        Self::Interrupt { twice: false },
        Self::Interrupt { twice: true },
    ];

    /// Every fault of a mutating call with which the process dies.
    pub const DEADLY: [Self; 3] =
        [Self::CrashBefore, Self::CrashAfter, Self::CrashLate(Duration::from_secs(30))];
}

//! Calls that arrive late: their senders have given up, and the work is done nevertheless.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::World;
use crate::call::{Answer, Call};
use crate::dispatch;

/// A call on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Late {
    due: Timestamp,
    call: Call,
}

impl World {
    /// Lets a call arrive at a time.
    pub(crate) fn delay(&mut self, call: Call, due: Timestamp) {
        let place = self.late.partition_point(|late| late.due <= due);
        self.late.insert(place, Late { due, call });
    }

    /// Returns when the next call arrives that is on its way.
    pub(crate) fn next_arrival(&self) -> Option<Timestamp> {
        self.late.first().map(|late| late.due)
    }

    /// Lets the next call arrive that is on its way, and returns it with what came of it.
    pub(crate) fn arrive(&mut self) -> Option<(Call, Answer)> {
        if self.late.is_empty() {
            return None;
        }
        let Late { call, .. } = self.late.remove(0);
        let answer = dispatch::run(self, &call);
        Some((call, answer))
    }
}

//! A clock that stands still while the program computes, and goes at once to the next moment at which anybody waits
//! for anything.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use straddle_engine::environment::Environment;
use tokio::time::Instant;

/// The time of a rehearsal, and ids that are the same each time.
pub(super) struct StageClock {
    start: Timestamp,
    since: Instant,
    drawn: AtomicU64,
    seed: u64,
}

impl StageClock {
    /// Begins at a time. Must be called inside a runtime whose time is paused. Another seed gives other ids.
    pub(super) fn new(start: Timestamp, seed: u64) -> Self {
        Self { start, since: Instant::now(), drawn: AtomicU64::new(0), seed }
    }
}

impl Environment for StageClock {
    fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.since.elapsed()).unwrap_or(SignedDuration::MAX);
        self.start.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// Returns numbers that do not repeat; that is all that ids need here.
    fn random(&self) -> u128 {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed) + 1;
        // Odd factors shuffle the bits and lose none.
        let mixed = u128::from(drawn).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        mixed ^ (u128::from(self.seed) << 64)
    }
}

//! The time of a world, which may run faster than ours or stand still until it is moved.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The clock of a world.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(crate) struct Clock {
    /// The world's time at `since`.
    base: Timestamp,
    since: Instant,
    /// How many seconds of the world pass in one of ours.
    speed: f64,
}

/// What is kept of a clock: while nobody runs the world, its time stands still.
#[derive(Clone, Serialize, Deserialize)]
struct Saved {
    now: Timestamp,
    speed: f64,
}

impl Clock {
    /// Starts a clock.
    pub(crate) fn new(start: Timestamp, speed: f64) -> Self {
        Self { base: start, since: Instant::now(), speed }
    }

    /// Returns the world's time.
    pub(crate) fn now(&self) -> Timestamp {
        later(self.base, self.since.elapsed().as_secs_f64() * self.speed)
    }

    /// Returns how many seconds of the world pass in one of ours.
    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    /// Goes on at another speed.
    pub(crate) fn set_speed(&mut self, speed: f64) {
        *self = Self::new(self.now(), speed);
    }

    /// Lets time pass at once.
    pub(crate) fn advance(&mut self, duration: SignedDuration) {
        self.base = self.base.checked_add(duration).unwrap_or(Timestamp::MAX);
    }

    /// Goes on from a time, unless it is later already. Time never goes back.
    pub(crate) fn catch_up(&mut self, time: Timestamp) {
        *self = Self::new(self.now().max(time), self.speed);
    }
}

/// Returns the time some seconds later, which stops at the end of time.
pub(crate) fn later(time: Timestamp, seconds: f64) -> Timestamp {
    let seconds = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX);
    time.checked_add(seconds).unwrap_or(Timestamp::MAX)
}

impl From<Saved> for Clock {
    fn from(saved: Saved) -> Self {
        Self::new(saved.now, saved.speed)
    }
}

impl From<Clock> for Saved {
    fn from(clock: Clock) -> Self {
        Self { now: clock.now(), speed: clock.speed }
    }
}

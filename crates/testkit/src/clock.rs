//! The time of the simulated world.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Time since the world began. It goes on with tokio's clock while a run is going on, and
/// stands still between runs unless it is put forward. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    hands: Arc<Mutex<Hands>>,
}

#[derive(Debug, Default)]
struct Hands {
    before: Duration,
    started: Option<Instant>,
}

impl Clock {
    /// Makes a clock that shows `now`.
    #[must_use]
    pub fn starting_at(now: Duration) -> Self {
        Self { hands: Arc::new(Mutex::new(Hands { before: now, started: None })) }
    }

    /// Returns the time since the world began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.hands().now()
    }

    /// Lets the clock go on with the clock of the runtime that this is called in, if it stands.
    pub fn start(&self) {
        self.hands().started.get_or_insert_with(Instant::now);
    }

    /// Stops the clock: the runtime is about to end.
    pub fn stop(&self) {
        let mut hands = self.hands();
        hands.before = hands.now();
        hands.started = None;
    }

    /// Puts the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.hands().before += duration;
    }

    fn hands(&self) -> std::sync::MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hands {
    fn now(&self) -> Duration {
        self.before + self.started.map_or(Duration::ZERO, |started| started.elapsed())
    }
}

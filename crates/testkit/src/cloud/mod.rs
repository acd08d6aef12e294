//! A deterministic cloud of several accounts.
//!
//! It is a value without threads and timers: every call is told the time, and what time brings
//! about is worked out then. It outlives the runs that use it, crashed ones included.

mod carry_out;
mod controller;
mod log;
mod object;
mod objects;
mod others;
mod request;
mod rules;
mod sharing;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use log::{Deed, Entry};
pub(crate) use object::texts;
pub use object::{Life, Object, Seen};
pub use request::{Action, Answer, Filter, Refusal, Request};
pub use rules::{IdScheme, Reference, Rules, Situation};

use crate::cloud::objects::Objects;
use crate::random::Random;

/// A deterministic cloud of several accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cloud {
    pace: Pace,
    random: Random,
    objects: Objects,
    #[serde(default = "yes")]
    has_quotas: bool,
    numbers: u64,
    late: Vec<Late>,
    #[serde(skip)]
    is_late_changed: bool,
    /// Whether the call that is being carried out has arrived late.
    #[serde(skip)]
    is_late: bool,
    now: Duration,
    #[serde(skip)]
    log: Vec<Entry>,
    #[serde(skip)]
    violations: Vec<String>,
}

/// How long things take in a cloud, each up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// How long a call is under way, there and back each.
    pub latency: Duration,
    /// How long reads may not find a new thing.
    pub discovery: Duration,
    /// How long reads may show a thing as it was before a change or its deletion.
    pub staleness: Duration,
    /// Whether reads may find a new thing and then not find it again for a while.
    pub flapping: bool,
    /// How long until an account sees what is shared with it; exactly so long.
    #[serde(default)]
    pub sharing: Duration,
    /// In percent of what the kinds say: how long things are pending, and take to delete.
    pub work: u32,
}

impl Pace {
    /// Everything happens at once.
    pub const INSTANT: Self = Self {
        latency: Duration::ZERO,
        discovery: Duration::ZERO,
        staleness: Duration::ZERO,
        flapping: false,
        sharing: Duration::ZERO,
        work: 0,
    };

    /// As slow and as inconsistent as a cloud is on a bad day.
    pub const REAL: Self = Self {
        latency: Duration::from_millis(200),
        discovery: Duration::from_secs(20),
        staleness: Duration::from_secs(10),
        flapping: true,
        sharing: Duration::from_secs(40),
        work: 100,
    };
}

/// What has changed in a cloud, for another that was equal before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    random: Random,
    numbers: u64,
    late: Option<Vec<Late>>,
    now: Duration,
    /// By place.
    objects: Vec<(usize, Object)>,
}

impl Difference {
    /// Tells whether nothing has changed but the time and what is left to chance.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.late.is_none() && self.objects.is_empty()
    }
}

/// A call that is still under way to the cloud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Late {
    due: Duration,
    request: Request,
}

impl Cloud {
    /// Makes an empty cloud; `seed` decides everything that is left to chance in it.
    #[must_use]
    pub fn new(seed: u64, pace: Pace) -> Self {
        Self {
            pace,
            random: Random::new(seed),
            objects: Objects::default(),
            has_quotas: true,
            numbers: 0,
            late: Vec::new(),
            is_late_changed: false,
            is_late: false,
            now: Duration::ZERO,
            log: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Lets the accounts have as many things as they want.
    #[must_use]
    pub fn without_quotas(self) -> Self {
        Self { has_quotas: false, ..self }
    }

    /// Returns how long a call is under way in one direction.
    pub fn latency(&mut self) -> Duration {
        self.random.duration(self.pace.latency)
    }

    /// Carries out a call that arrives at `now`, or refuses it.
    ///
    /// # Errors
    /// If the call is refused; then it has changed nothing.
    pub fn handle(&mut self, now: Duration, request: &Request) -> Result<Answer, Refusal> {
        self.settle(now);
        self.arrive(request)
    }

    /// Lets a call arrive later, whatever becomes of the caller.
    pub fn deliver_late(&mut self, due: Duration, request: Request) {
        self.late.push(Late { due, request });
        self.late.sort_by_key(|late| late.due);
        self.is_late_changed = true;
    }

    /// Carries out the late calls that have arrived by `now`.
    pub fn settle(&mut self, now: Duration) {
        while self.late.first().is_some_and(|late| late.due <= now) {
            let late = self.late.remove(0);
            self.is_late_changed = true;
            self.now = late.due;
            // Nobody is left to hear the answer.
            self.is_late = true;
            if !self.control(&late.request) {
                let _ = self.arrive(&late.request);
            }
            self.is_late = false;
        }
        self.now = now;
    }

    /// Returns what has changed since this was called last.
    pub fn take_difference(&mut self) -> Difference {
        let late = std::mem::take(&mut self.is_late_changed).then(|| self.late.clone());
        let objects = self.objects.take_touched();
        Difference { random: self.random.clone(), numbers: self.numbers, late, now: self.now, objects }
    }

    /// Becomes equal to the cloud that the difference was taken from.
    pub fn take_over(&mut self, difference: Difference) {
        let Difference { random, numbers, late, now, objects } = difference;
        (self.random, self.numbers, self.now) = (random, numbers, self.now.max(now));
        if let Some(late) = late {
            self.late = late;
        }
        self.objects.take_over(objects);
    }

    /// Returns when the last of the late calls arrives.
    #[must_use]
    pub fn quiet_at(&self) -> Option<Duration> {
        self.late.last().map(|late| late.due)
    }

    /// Returns everything that is there, in whatever condition, oldest first.
    pub fn live(&self) -> impl Iterator<Item = &Object> {
        self.objects.all().iter().filter(|object| object.is_live(self.now))
    }

    /// Returns everything that ever was, oldest first.
    #[must_use]
    pub fn objects(&self) -> &[Object] {
        self.objects.all()
    }

    /// Returns the time of the last call.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Returns the thing that has an id, or had it last.
    pub(crate) fn latest(&self, id: &str) -> Option<&Object> {
        self.objects.with_id(id).next_back().map(|place| &self.objects[place])
    }
}

impl FromIterator<String> for Filter {
    fn from_iter<I: IntoIterator<Item = String>>(ids: I) -> Self {
        Self::Ids(ids.into_iter().collect())
    }
}

fn yes() -> bool {
    true
}

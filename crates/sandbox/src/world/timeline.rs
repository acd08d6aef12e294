//! What happens by itself, and when.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What happens by itself, such as a gateway that gets ready after two minutes.
///
/// Nothing waits for it: whoever looks at a part of the world lets happen first what is due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Timeline<E: Ord> {
    due: BTreeSet<(Timestamp, E)>,
}

impl<E: Ord> Default for Timeline<E> {
    fn default() -> Self {
        Self { due: BTreeSet::new() }
    }
}

impl<E: Ord> Timeline<E> {
    /// Lets something happen when a time has passed, and returns when that will be.
    pub(crate) fn after(&mut self, now: Timestamp, duration: SignedDuration, event: E) -> Timestamp {
        let at = now.checked_add(duration).unwrap_or(Timestamp::MAX);
        self.due.insert((at, event));
        at
    }

    /// Takes the next thing that is due, with the time at which it happens.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<(Timestamp, E)> {
        let is_due = self.due.first().is_some_and(|(at, _)| *at <= now);
        if is_due { self.due.pop_first() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_happen_in_order_and_not_before_their_time() {
        let mut timeline = Timeline::default();
        let start = Timestamp::UNIX_EPOCH;
        let late = timeline.after(start, SignedDuration::from_secs(20), "late");
        let early = timeline.after(start, SignedDuration::from_secs(10), "early");
        assert_eq!(timeline.next(start), None);
        assert_eq!(timeline.next(early), Some((early, "early")));
        assert_eq!(timeline.next(early), None);
        assert_eq!(timeline.next(Timestamp::MAX), Some((late, "late")));
    }
}

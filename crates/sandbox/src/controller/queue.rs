//! What is to be done, and when it is tried again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// Things to do. What has failed is tried again after a wait that doubles each time.
#[derive(Debug)]
pub(super) struct Queue<K: Ord> {
    due: BTreeMap<K, Timestamp>,
    failures: BTreeMap<K, u32>,
}

/// How long the first wait is, and the longest one.
const WAITS: (SignedDuration, SignedDuration) =
    (SignedDuration::from_millis(5), SignedDuration::from_secs(1000));

impl<K: Ord> Default for Queue<K> {
    fn default() -> Self {
        Self { due: BTreeMap::new(), failures: BTreeMap::new() }
    }
}

impl<K: Ord + Clone> Queue<K> {
    /// Lets something be done, at once.
    pub(super) fn add(&mut self, key: K, now: Timestamp) {
        let due = self.due.entry(key).or_insert(now);
        *due = now.min(*due);
    }

    /// Returns when something is to be done next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    /// Takes what is to be done by now; of several things that which is due first.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<K> {
        let (key, _) =
            self.due.iter().filter(|(_, due)| **due <= now).min_by_key(|(key, due)| (**due, *key))?;
        let key = key.clone();
        self.due.remove(&key);
        Some(key)
    }

    /// Returns what is on the list.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.due.keys()
    }

    /// Notes that something is done.
    pub(super) fn succeeded(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// Notes that something has failed.
    pub(super) fn failed(&mut self, key: K, now: Timestamp) {
        let failures = self.failures.entry(key.clone()).or_insert(0);
        let wait = WAITS.0.checked_mul(1_i32.checked_shl(*failures).unwrap_or(i32::MAX));
        let wait = wait.unwrap_or(WAITS.1).min(WAITS.1);
        *failures = (*failures + 1).min(30);
        self.add(key, now.checked_add(wait).unwrap_or(Timestamp::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_end() {
        let mut queue = Queue::default();
        let (mut now, mut waits) = (Timestamp::UNIX_EPOCH, Vec::new());
        queue.add("group", now);
        for _ in 0..25 {
            let due = queue.next().expect("it is tried again");
            waits.push(due.duration_since(now).as_millis());
            now = due;
            assert_eq!(queue.take(now), Some("group"));
            queue.failed("group", now);
        }
        assert_eq!(waits[..5], [0, 5, 10, 20, 40]);
        // "About ten tries fall in the first six seconds."
        assert_eq!(waits[..11].iter().sum::<i128>(), 5 * 1023);
        assert_eq!(waits.last(), Some(&1_000_000));
        queue.add("group", now);
        assert_eq!(queue.take(now), Some("group"), "a change is a reason to try at once");
        queue.succeeded(&"group");
        queue.failed("group", now);
        assert_eq!(queue.next().map(|due| due.duration_since(now).as_millis()), Some(5));
    }
}

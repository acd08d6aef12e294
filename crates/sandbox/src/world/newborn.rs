//! What is so new that reads may not know it yet.

use std::collections::{BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// For how long ids count as new at most: longer than any service takes to know one.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);
/// How many ids are remembered at most.
const MOST: usize = 10_000;

/// The ids that were made last, with when.
#[derive(Debug, Clone, Default)]
pub(crate) struct Newborn(VecDeque<(Timestamp, String)>);

impl Newborn {
    /// Remembers an id.
    pub(super) fn add(&mut self, id: &str, now: Timestamp) {
        let is_old = |(made, _): &mut (Timestamp, String)| now.duration_since(*made) > LONGEST;
        while self.0.pop_front_if(is_old).is_some() {}
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((now, id.to_owned()));
    }

    /// Returns the ids that were made in the last seconds.
    pub(super) fn since(&self, seconds: f64, now: Timestamp) -> BTreeSet<String> {
        let is_new = |made: Timestamp| now.duration_since(made).as_secs_f64() < seconds;
        let newest = self.0.iter().rev().take_while(|(made, _)| is_new(*made));
        newest.map(|(_, id)| id.clone()).collect()
    }
}

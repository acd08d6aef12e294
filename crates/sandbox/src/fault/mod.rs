//! Faults: what goes wrong on purpose, where a rule says so or a seed decides.

mod chaos;
mod refusals;
mod rule;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::Serialize;

use crate::call::{Call, Operation};
use crate::operations;
use crate::world::later;

pub(crate) use chaos::Chaos;
pub(crate) use refusals::{capacity, internal, throttled};
pub(crate) use rule::Fault;
pub use rule::{Calls, FaultRule, Kind};

/// The rules of a sandbox, and how often each has met a call.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<Counted>,
    chaos: Option<Chaos>,
}

/// A rule with its counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Counted {
    #[serde(flatten)]
    rule: FaultRule,
    /// How many calls have matched.
    seen: u64,
    /// When the first of them got the fault.
    since: Option<Timestamp>,
    /// How many of them got the fault. A trial should look: a rule that never fired proves nothing.
    fired: u64,
}

impl Counted {
    /// Tells whether the call that was seen last gets the fault.
    fn is_due(&self, now: Timestamp) -> bool {
        let Self { rule, seen, since, .. } = self;
        let is_counted = || match rule.lasting {
            Some(seconds) => since.is_none_or(|since| now <= later(since, seconds)),
            None => rule.always || *seen <= rule.skip.saturating_add(rule.count),
        };
        *seen > rule.skip && is_counted()
    }
}

impl Faults {
    /// Begins with rules, and with chaos from a seed if there is one.
    pub(crate) fn new(rules: Vec<FaultRule>, chaos: Option<u64>) -> Self {
        let mut faults = Self { rules: Vec::new(), chaos: chaos.map(Chaos::new) };
        faults.replace(rules);
        faults
    }

    /// Puts other rules in the place of all.
    pub(crate) fn replace(&mut self, rules: Vec<FaultRule>) {
        self.rules = rules.into_iter().map(|rule| Counted { rule, seen: 0, since: None, fired: 0 }).collect();
    }

    /// Adds a rule.
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push(Counted { rule, seen: 0, since: None, fired: 0 });
    }

    /// Returns the rules with their counts.
    pub(crate) fn rules(&self) -> &[Counted] {
        &self.rules
    }

    /// Adds a rule that decides before the others.
    pub(crate) fn put_first(&mut self, rule: FaultRule) {
        self.rules.insert(0, Counted { rule, seen: 0, since: None, fired: 0 });
    }

    /// Takes the first rule away. Returns how many calls have had a fault by it.
    pub(crate) fn take_first(&mut self) -> u64 {
        if self.rules.is_empty() { 0 } else { self.rules.remove(0).fired }
    }

    /// Decides what goes wrong with a call. Every rule counts the calls that match it; of those
    /// that have a fault for this one, the first decides. `account` is the name of the caller's.
    pub(crate) fn decide(&mut self, call: &Call, account: &str, now: Timestamp) -> Option<Fault> {
        let is_read = operations::find(call.service, &call.operation).is_some_and(Operation::is_read);
        let mut decided = None;
        for counted in &mut self.rules {
            if !counted.rule.matches(call, account, is_read) {
                continue;
            }
            counted.seen += 1;
            if counted.is_due(now) && decided.is_none() {
                counted.since.get_or_insert(now);
                counted.fired += 1;
                decided = Some(counted.rule.fault());
            }
        }
        decided.or_else(|| self.chaos.as_mut().and_then(|chaos| chaos.decide(call, is_read)))
    }
}

//! Chaos: faults that a program should survive, where a seed decides.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Fault, Kind};
use crate::call::Call;

/// One call in so many gets a fault.
const ONE_IN: u64 = 12;
/// What goes wrong with calls that change something. None of it is for good: whoever tries again
/// in the right way gets what they want.
const WRITES: [Kind; 5] = [Kind::Throttle, Kind::Before, Kind::After, Kind::Lost, Kind::Late];
/// What goes wrong with those that change nothing.
const READS: [Kind; 4] = [Kind::Throttle, Kind::Before, Kind::Lost, Kind::NotFound];
/// How long reads do not know what is new, and how much later late work is done, in seconds of the world.
const SECONDS: f64 = 5.0;

/// Decides by a seed. The same calls of an account in the same order get the same faults, whatever
/// comes in between.
#[derive(Debug, Clone)]
pub(crate) struct Chaos {
    seed: u64,
    /// How often an account called an operation.
    calls: BTreeMap<String, u64>,
}

impl Chaos {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, calls: BTreeMap::new() }
    }

    pub(super) fn decide(&mut self, call: &Call, is_read: bool) -> Option<Fault> {
        let name = format!("{} {} {}", call.caller.account, call.service.scope(), call.operation);
        let number = self.calls.entry(name.clone()).or_default();
        *number += 1;
        let hash = Sha256::digest(format!("{} {name} {number}", self.seed));
        let (first, second) = hash.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().take(8).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        if number(first) % ONE_IN != 0 {
            return None;
        }
        let kinds = if is_read { &READS[..] } else { &WRITES[..] };
        let chosen = number(second) % kinds.len() as u64;
        let kind = kinds[usize::try_from(chosen).expect("there are few of them")];
        Some(Fault { kind, seconds: SECONDS, code: None, message: None })
    }
}

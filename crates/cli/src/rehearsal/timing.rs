//! How long the operations of a run took, and which of them the whole run waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use straddle_engine::event::{Event, Observer, OperationLabel};
use tokio::time::Instant;

use crate::render::operation_key;

/// An operation with its times, since the run began.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Timed {
    pub(crate) operation: OperationLabel,
    pub(crate) started: Duration,
    pub(crate) ended: Duration,
}

impl Timed {
    /// Returns how long it took.
    pub(crate) fn took(&self) -> Duration {
        self.ended.saturating_sub(self.started)
    }
}

/// Notes when operations begin and end.
pub(super) struct Timing {
    begun: Instant,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    started: BTreeMap<String, Duration>,
    done: Vec<Timed>,
}

impl Timing {
    pub(super) fn begin() -> Self {
        Self { begun: Instant::now(), inner: Mutex::default() }
    }

    /// Returns what has ended, in the order in which it did.
    pub(super) fn done(self) -> Vec<Timed> {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner).done
    }
}

impl Observer for Timing {
    fn notify(&self, event: &Event) {
        let now = self.begun.elapsed();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::OperationStarted { operation } = event {
            inner.started.insert(operation_key(operation), now);
        } else if let Event::OperationFinished { operation, .. } = event {
            let started = inner.started.remove(&operation_key(operation)).unwrap_or(now);
            inner.done.push(Timed { operation: operation.clone(), started, ended: now });
        }
    }
}

/// Returns the operations that the run waited for from its beginning to its end, in this order: before each of them
/// the one whose end let it begin. No time passes in a rehearsal without anybody waiting, so that one begins at the
/// very moment at which what it needs has ended.
pub(crate) fn critical_path(timed: &[Timed]) -> Vec<Timed> {
    let mut path: Vec<Timed> = Vec::new();
    let mut until = Duration::MAX;
    let last_before = |until: Duration| {
        let ended = timed.iter().filter(|timed| timed.ended <= until && timed.started < timed.ended);
        ended.max_by_key(|timed| (timed.ended, timed.took()))
    };
    while let Some(last) = last_before(until) {
        until = last.started;
        path.push(last.clone());
    }
    path.reverse();
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::running::tests::operation;

    fn timed(name: &str, started: u64, ended: u64) -> Timed {
        let address = format!("nat_gateway.{name}").parse().unwrap();
        let operation = OperationLabel { address, ..operation() };
        Timed { operation, started: Duration::from_secs(started), ended: Duration::from_secs(ended) }
    }

    #[test]
    fn the_path_goes_back_from_the_last_end_to_the_first_beginning() {
        let all = [
            timed("network", 0, 2),
            timed("aside", 0, 100),
            timed("at-once", 2, 2),
            timed("cluster", 2, 540),
            timed("nodes", 540, 720),
        ];
        let path = critical_path(&all);
        assert_eq!(path, [all[0].clone(), all[3].clone(), all[4].clone()]);
        assert_eq!(critical_path(&[]), []);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_not_on_it() {
        let timing = Timing::begin();
        timing.notify(&Event::OperationStarted { operation: operation() });
        tokio::time::advance(Duration::from_secs(3)).await;
        let (error, elapsed) = (String::new(), Duration::ZERO);
        timing.notify(&Event::OperationFailed { operation: operation(), error, elapsed });
        timing.notify(&Event::OperationStarted { operation: operation() });
        tokio::time::advance(Duration::from_secs(4)).await;
        let finished = Event::OperationFinished { operation: operation(), remote_id: None, elapsed };
        timing.notify(&finished);
        let expected =
            Timed { operation: operation(), started: Duration::from_secs(3), ended: Duration::from_secs(7) };
        assert_eq!(timing.done(), [expected]);
    }
}

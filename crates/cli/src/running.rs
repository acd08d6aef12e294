//! What a run is doing at the moment, and for how long: what heartbeats tell.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use straddle_engine::event::{Event, OperationLabel};
use tokio::time::Instant;

use crate::render::operation_key;

/// How often something that goes on without a word is spoken of.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(10);

/// What goes on, as the events have told.
#[derive(Default)]
pub(crate) struct Running {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    stage: Option<(&'static str, Instant)>,
    operations: BTreeMap<String, Work>,
}

struct Work {
    operation: OperationLabel,
    started: Instant,
    waits_for: Option<String>,
}

/// An operation that goes on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ongoing {
    pub(crate) operation: OperationLabel,
    pub(crate) elapsed: Duration,
    /// The call that has not been answered, or what the service is still busy with.
    pub(crate) waits_for: Option<String>,
}

/// Everything that goes on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    /// What the whole run is busy with before it carries anything out: `connecting`, `reading`,
    /// `checking`, or `resolving` what an earlier run may have made.
    pub(crate) stage: Option<(&'static str, Duration)>,
    pub(crate) operations: Vec<Ongoing>,
}

impl Running {
    /// Takes note of an event.
    pub(crate) fn note(&self, event: &Event) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::WaitingForLock { .. } => inner.enter("waiting_for_lock"),
            Event::Connecting { .. } => inner.enter("connecting"),
            Event::Resolving { .. } => inner.enter("resolving"),
            Event::Refreshing { .. } | Event::NotVisibleYet { .. } => inner.enter("reading"),
            Event::Checking { .. } => inner.enter("checking"),
            Event::Refreshed { .. } | Event::Checked { remaining: 0, .. } => inner.stage = None,
            Event::OperationStarted { operation } => inner.start(operation),
            Event::Call { operation, call } => inner.wait(operation, format!("the answer to {call}")),
            Event::Waiting { operation, reason, .. } => inner.wait(operation, reason.clone()),
            Event::OperationFinished { operation, .. } | Event::OperationFailed { operation, .. } => {
                inner.operations.remove(&operation_key(operation));
            }
            Event::Checked { .. }
            | Event::Identified { .. }
            | Event::Blocked { .. }
            | Event::OperationSkipped { .. }
            | Event::Interrupted { .. } => {}
        }
    }

    /// Returns what goes on now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let ongoing = |work: &Work| Ongoing {
            operation: work.operation.clone(),
            elapsed: work.started.elapsed(),
            waits_for: work.waits_for.clone(),
        };
        Snapshot {
            stage: inner.stage.map(|(stage, since)| (stage, since.elapsed())),
            operations: inner.operations.values().map(ongoing).collect(),
        }
    }
}

impl Inner {
    fn enter(&mut self, stage: &'static str) {
        if self.stage.is_none_or(|(current, _)| current != stage) {
            self.stage = Some((stage, Instant::now()));
        }
    }

    fn start(&mut self, operation: &OperationLabel) {
        self.stage = None;
        let work = Work { operation: operation.clone(), started: Instant::now(), waits_for: None };
        self.operations.insert(operation_key(operation), work);
    }

    fn wait(&mut self, operation: &OperationLabel, reason: String) {
        if let Some(work) = self.operations.get_mut(&operation_key(operation)) {
            work.waits_for = Some(reason);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use straddle_engine::address::AccountName;
    use straddle_engine::event::Verb;

    use super::*;

    /// Returns an operation that makes a NAT gateway.
    pub(crate) fn operation() -> OperationLabel {
        OperationLabel {
            address: "nat_gateway.main".parse().unwrap(),
            verb: Verb::Create,
            account: AccountName::new("network"),
            region: "us-east-1".to_owned(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stage_ends_where_the_next_begins_and_operations_end_one_by_one() {
        let running = Running::default();
        running.note(&Event::Connecting { accounts: Vec::new() });
        running.note(&Event::Refreshing { resources: 3 });
        tokio::time::advance(Duration::from_secs(4)).await;
        running.note(&Event::NotVisibleYet { addresses: Vec::new() });
        assert_eq!(running.snapshot().stage, Some(("reading", Duration::from_secs(4))));
        running.note(&Event::Refreshed { listings: 1, elapsed: Duration::ZERO });
        running.note(&Event::OperationStarted { operation: operation() });
        running.note(&Event::Call { operation: operation(), call: "CreateNatGateway".to_owned() });
        tokio::time::advance(Duration::from_secs(2)).await;
        let expected = Ongoing {
            operation: operation(),
            elapsed: Duration::from_secs(2),
            waits_for: Some("the answer to CreateNatGateway".to_owned()),
        };
        assert_eq!(running.snapshot(), Snapshot { stage: None, operations: vec![expected] });
        let (error, elapsed) = (String::new(), Duration::ZERO);
        running.note(&Event::OperationFailed { operation: operation(), error, elapsed });
        assert_eq!(running.snapshot(), Snapshot { stage: None, operations: Vec::new() });
    }
}

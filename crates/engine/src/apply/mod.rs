//! Carries out a plan: each operation recorded before, during and after, in the order of the graph.

mod birth;
mod gate;
mod make;
mod operation;
mod recorder;
mod settle;
mod stop;
mod unmake;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::access::Access;
use crate::address::Address;
use crate::apply::stop::Stop;
use crate::environment::random_id;
use crate::event::{Event, OperationLabel, Verb};
use crate::graph::Graph;
use crate::observation::Observations;
use crate::plan::{Mode, Plan, Values};
use crate::resource::Intent;
use crate::run::{Engine, InterruptLevel};
use crate::spec::Spec;
use crate::state::Record;
use crate::value::Value;

pub(crate) use recorder::Recorder;
pub(crate) use walk::{Walked, walk};

/// What the operations of a run share.
pub(crate) struct Run<'a> {
    pub(crate) engine: &'a Engine<'a>,
    pub(crate) access: &'a Access,
    pub(crate) spec: &'a Spec,
    pub(crate) plan: &'a Plan,
    pub(crate) graph: &'a Graph,
    pub(crate) observations: &'a Observations,
    pub(crate) recorder: &'a Recorder<'a>,
    pub(crate) values: Mutex<Values>,
}

impl Run<'_> {
    /// Names a new operation, with a client token that no other operation ever has.
    pub(crate) fn new_intent(&self, address: &Address) -> Intent {
        let operation_id = random_id(self.engine.environment);
        let identity = format!("{}|{address}|{operation_id}", self.plan.lineage);
        let token = data_encoding::BASE32_NOPAD.encode(&Sha256::digest(identity)).to_ascii_lowercase();
        Intent { address: address.clone(), operation_id, token }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.engine.environment.now()
    }

    pub(crate) fn notify(&self, event: &Event) {
        self.engine.observer.notify(event);
    }

    pub(crate) fn values(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, and tells what for.
    ///
    /// # Errors
    /// If the user asks not to wait.
    pub(crate) async fn pause(
        &self,
        label: &OperationLabel,
        started: Instant,
        delay: Duration,
        reason: &str,
    ) -> Result<(), Stop> {
        let (operation, reason) = (label.clone(), reason.to_owned());
        self.notify(&Event::Waiting { operation, reason, elapsed: started.elapsed() });
        tokio::select! {
            biased;
            () = self.engine.interrupt.reached(InterruptLevel::Fast) => Err(Stop::Interrupted),
            () = tokio::time::sleep(delay) => Ok(()),
        }
    }

    /// Returns the record of the stack's outputs as they are now, if they changed. Why one cannot be
    /// worked out is noted.
    pub(crate) fn outputs(&self, walked: &mut Walked) -> Option<Record> {
        let before = self.recorder.with_state(|state| state.outputs.clone());
        let complete = walked.failures.is_empty() && walked.skipped.is_empty();
        let outputs = match self.plan.mode {
            Mode::Destroy if complete => self.left_outputs(&before),
            Mode::Destroy | Mode::Refresh => return None,
            Mode::Apply => self.known_outputs(walked, &before),
        };
        (outputs != before).then_some(Record::Outputs { outputs })
    }

    /// Returns the outputs that a destroy leaves.
    fn left_outputs(&self, before: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let gone: BTreeSet<&String> = self.plan.outputs.iter().map(|output| &output.name).collect();
        let left = before.iter().filter(|(name, _)| !gone.contains(name));
        left.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Returns the outputs; those of what was not done, and those that cannot be worked out, stay as
    /// they were.
    fn known_outputs(
        &self,
        walked: &mut Walked,
        before: &BTreeMap<String, Value>,
    ) -> BTreeMap<String, Value> {
        let mut values = self.values().clone();
        let failed = walked.failures.iter().map(|failure| (&failure.address, failure.verb));
        let skipped = walked.skipped.iter().map(|(address, verb)| (address, *verb));
        // A gate is shown as a resource that is as it was.
        for (address, _) in failed.chain(skipped).filter(|(_, verb)| *verb != Verb::Wait) {
            values.forget(address);
        }
        let mut outputs = BTreeMap::new();
        for (name, node) in &self.spec.outputs {
            let value = match node.value.evaluate(&values) {
                Ok(value) => Some(value).filter(Value::is_known),
                Err(error) => {
                    walked.output_problems.push(*error.diagnostic);
                    None
                }
            };
            outputs.extend(value.or_else(|| before.get(name).cloned()).map(|value| (name.clone(), value)));
        }
        outputs
    }
}

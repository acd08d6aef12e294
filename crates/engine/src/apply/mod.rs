//! Carries out a plan: each operation recorded before, during and after, in the order of the graph.

mod birth;
mod expect;
mod gate;
mod look;
mod make;
mod operation;
mod recorder;
mod refusal;
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
use crate::plan::{Change, Mode, Plan, Values};
use crate::resource::Intent;
use crate::run::{Engine, InterruptLevel};
use crate::secrets::Secrets;
use crate::spec::Spec;
use crate::state::Record;
use crate::value::{Value, ValueMap};

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

    /// Returns what must not be shown of what is said about a change.
    pub(crate) fn secrets(&self, change: Option<&Change>) -> Secrets {
        let mut secrets = self.spec.secrets.clone();
        let Some(change) = change else { return secrets };
        let Some(kind) = self.engine.registry.kind(change.kind.as_str()) else { return secrets };
        let mut add = |sensitive: &BTreeSet<String>, inputs: &ValueMap| {
            secrets.add_inputs(&kind.schema().inputs, sensitive, inputs);
        };
        add(&change.lifecycle.sensitive, &change.inputs);
        if let Some(values) = self.values().get(&change.address) {
            add(&change.lifecycle.sensitive, &values.inputs);
        }
        self.recorder.with_state(|state| {
            if let Some(resource) = state.resources.get(&change.address) {
                let objects = resource.object.iter().chain(&resource.deposed);
                objects.for_each(|object| add(&resource.lifecycle.sensitive, &object.inputs));
            }
            let pending = state.pending.values().filter(|pending| pending.address == change.address);
            pending.for_each(|pending| add(&pending.lifecycle.sensitive, &pending.inputs));
        });
        secrets
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
        let (operation, reason) = (label.clone(), self.spec.secrets.hide(reason).into_owned());
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
        let before = self.recorder.with_state(|state| Outputs {
            values: state.outputs.clone(),
            sensitive: state.sensitive_outputs.clone(),
        });
        let complete = walked.failures.is_empty() && walked.skipped.is_empty();
        let outputs = match self.plan.mode {
            Mode::Destroy if complete => self.left_outputs(&before),
            Mode::Destroy | Mode::Refresh => return None,
            Mode::Apply => self.known_outputs(walked, &before),
        };
        let changed = outputs != before;
        changed.then_some(Record::Outputs { outputs: outputs.values, sensitive: outputs.sensitive })
    }

    /// Returns the outputs that a destroy leaves.
    fn left_outputs(&self, before: &Outputs) -> Outputs {
        let gone: BTreeSet<&String> = self.plan.outputs.iter().map(|output| &output.name).collect();
        let mut left = before.clone();
        left.values.retain(|name, _| !gone.contains(name));
        left.sensitive.retain(|name| !gone.contains(name));
        left
    }

    /// Returns the outputs; those of what was not done, and those that cannot be worked out, stay as
    /// they were.
    fn known_outputs(&self, walked: &mut Walked, before: &Outputs) -> Outputs {
        let mut values = self.values().clone();
        let failed = walked.failures.iter().map(|failure| (&failure.address, failure.verb));
        let skipped = walked.skipped.iter().map(|(address, verb)| (address, *verb));
        // A gate is shown as a resource that is as it was.
        for (address, _) in failed.chain(skipped).filter(|(_, verb)| *verb != Verb::Wait) {
            values.forget(address);
        }
        let mut outputs = Outputs::default();
        for (name, node) in &self.spec.outputs {
            let now = match node.value.evaluate(&values) {
                Ok(value) => Some(value).filter(Value::is_known),
                Err(error) => {
                    walked.output_problems.push(*error.diagnostic);
                    None
                }
            };
            let was_sensitive = now.is_none() && before.sensitive.contains(name);
            if let Some(value) = now.or_else(|| before.values.get(name).cloned()) {
                outputs.values.insert(name.clone(), value);
                outputs.sensitive.extend((node.sensitive || was_sensitive).then(|| name.clone()));
            }
        }
        outputs
    }
}

/// The outputs of a stack.
#[derive(Debug, Clone, Default, PartialEq)]
struct Outputs {
    values: BTreeMap<String, Value>,
    /// The names of those that are shown only to who asks for them by name.
    sensitive: BTreeSet<String>,
}

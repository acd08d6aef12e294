//! One operation on one object: what every sort of operation shares.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::access::Access;
use crate::address::{AccountName, Address, RemoteId};
use crate::apply::Run;
use crate::apply::stop::Stop;
use crate::erased::{AnyResource, ObservedValues};
use crate::event::{Event, OperationLabel, Verb};
use crate::plan::{Change, members, owned_tags};
use crate::provider::{BoxFuture, Connection, ProviderError};
use crate::refresh::age;
use crate::resource::{Intent, Timeouts};
use crate::schema::AttributeType;
use crate::state::{Action, Begin, Outcome, Record};
use crate::value::{Value, ValueMap};

/// One operation on one object.
pub(crate) struct Operation<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) change: &'a Change,
    pub(crate) kind: &'a dyn AnyResource,
    pub(crate) account: &'a AccountName,
    pub(crate) label: OperationLabel,
    pub(crate) intent: Intent,
    started: Instant,
}

impl<'a> Operation<'a> {
    pub(crate) fn new(run: &'a Run<'a>, change: &'a Change, kind: &'a dyn AnyResource, verb: Verb) -> Self {
        let (account, region) = (&change.account, change.region.clone());
        let label =
            OperationLabel { address: change.address.clone(), verb, account: account.clone(), region };
        let intent = run.new_intent(&change.address);
        Self { run, change, kind, account, label, intent, started: Instant::now() }
    }

    pub(crate) fn access(&self) -> &'a Access {
        self.run.access
    }

    pub(crate) fn address(&self) -> &'a Address {
        &self.change.address
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.change.lifecycle.timeouts.unwrap_or(self.kind.traits().timeouts)
    }

    /// Records that the operation starts.
    pub(crate) async fn begin(&self, action: Action) -> Result<(), Stop> {
        let change = self.change;
        let begin = Begin {
            operation_id: self.intent.operation_id.clone(),
            action,
            address: change.address.clone(),
            kind: change.kind.clone(),
            account: change.account.clone(),
            account_id: change.account_id.clone(),
            region: change.region.clone(),
            dependencies: change.dependencies.clone(),
            lifecycle: change.lifecycle.clone(),
            at: self.run.now(),
        };
        self.record(Record::Begin(Box::new(begin))).await
    }

    /// Records that a mutating call is about to be sent, then sends it.
    pub(crate) async fn call<T>(
        &self,
        name: &str,
        call: impl FnOnce() -> BoxFuture<'a, Result<T, ProviderError>>,
    ) -> Result<Result<T, ProviderError>, Stop> {
        let _permit = self.access().permit(self.account, self.kind.traits().service).await;
        self.attempted(name).await?;
        self.run.notify(&Event::Call { operation: self.label.clone(), call: name.to_owned() });
        Ok(call().await)
    }

    /// Records that something is about to be done about the object.
    pub(crate) async fn attempted(&self, call: &str) -> Result<(), Stop> {
        let operation_id = self.intent.operation_id.clone();
        self.record(Record::Attempt { operation_id, call: call.to_owned(), at: self.run.now() }).await
    }

    /// Tells whether an object was made so recently that reads may not find it yet.
    pub(crate) fn is_new(&self, id: &RemoteId) -> bool {
        let (now, window) = (self.run.now(), self.run.engine.settings.consistency_window);
        self.run.recorder.with_state(|state| {
            let resource = state.resources.get(self.address());
            let mut objects =
                resource.into_iter().flat_map(|resource| resource.object.iter().chain(&resource.deposed));
            objects.any(|object| object.remote_id == *id && age(object.created_at, now) < window)
        })
    }

    /// Returns those of the things that no resource of the state has: what another resource has is
    /// its, however alike the two are.
    pub(crate) fn unclaimed(&self, found: Vec<RemoteId>) -> Vec<RemoteId> {
        let change = self.change;
        self.run.recorder.with_state(|state| {
            let scope = self.run.engine.registry.scope(&change.kind, change.home());
            let free = |id: &RemoteId| !state.has(scope, &change.kind, id);
            found.into_iter().filter(free).collect()
        })
    }

    /// Records the id of what was made, or the new id of what was changed.
    pub(crate) async fn identified(&self, remote_id: &RemoteId) -> Result<(), Stop> {
        let operation_id = self.intent.operation_id.clone();
        self.record(Record::Identified { operation_id, remote_id: remote_id.clone(), at: self.run.now() })
            .await?;
        self.run.notify(&Event::Identified { operation: self.label.clone(), remote_id: remote_id.clone() });
        Ok(())
    }

    /// Records what came of the operation.
    pub(crate) async fn end(&self, outcome: Outcome) -> Result<(), Stop> {
        let operation_id = self.intent.operation_id.clone();
        self.record(Record::End { operation_id, outcome, at: self.run.now() }).await
    }

    pub(crate) async fn record(&self, record: Record) -> Result<(), Stop> {
        Ok(self.run.recorder.append(&[record]).await?)
    }

    /// Records that the operation stopped on the way, and passes on why.
    pub(crate) async fn stopped(&self, stop: Stop) -> Stop {
        let failed = match &stop {
            Stop::Failed(reason) | Stop::Impaired(reason) => {
                Some(self.run.secrets(Some(self.change)).hide(reason).into_owned())
            }
            Stop::Record(_) => return stop,
            Stop::Call(_)
            | Stop::NotDeleted(_)
            | Stop::Vanished(_)
            | Stop::Unheeded(_)
            | Stop::Expired(_)
            | Stop::TimedOut { .. }
            | Stop::Held { .. }
            | Stop::Closed { .. }
            | Stop::Awaited { .. }
            | Stop::Exists(_)
            | Stop::Stale { .. }
            | Stop::Wrong { .. }
            | Stop::Defect(_)
            | Stop::Interrupted => None,
        };
        match self.end(Outcome::Stopped { failed }).await {
            Ok(()) => stop,
            Err(unrecorded) => unrecorded,
        }
    }

    /// Waits, and tells what for.
    ///
    /// # Errors
    /// If the user asks not to wait.
    pub(crate) async fn pause(&self, delay: Duration, reason: &str) -> Result<(), Stop> {
        let reason = self.run.secrets(Some(self.change)).hide(reason).into_owned();
        self.run.pause(&self.label, self.started, delay, &reason).await
    }

    /// Reads the object as [`Self::owned`]; `None` if it is gone or not visible yet.
    pub(crate) async fn read(
        &self,
        id: &RemoteId,
        desired: Option<&ValueMap>,
    ) -> Result<Option<ObservedValues>, Stop> {
        let inputs = self.inputs_at(id, desired);
        let observed = self.access().read(self.kind, self.account, id, &inputs).await;
        let observed = observed.map_err(Stop::from_call)?;
        Ok(observed.map(|observed| self.owned(observed, desired)))
    }

    /// Returns the connection by which a thing with these inputs is reached.
    pub(crate) fn reach(&self, inputs: &ValueMap) -> Result<Connection, Stop> {
        self.access().reach(self.kind, self.account, inputs).map_err(Stop::from_call)
    }

    /// Returns the connection by which an object is reached that is to become `desired`, or to go.
    pub(crate) fn connection(&self, id: &RemoteId, desired: Option<&ValueMap>) -> Result<Connection, Stop> {
        self.reach(&self.inputs_at(id, desired))
    }

    /// Returns the inputs that say where an object is: those that it is to have, or was last given.
    fn inputs_at(&self, id: &RemoteId, desired: Option<&ValueMap>) -> ValueMap {
        let Some(attribute) = self.kind.through() else { return ValueMap::new() };
        let cluster = desired.and_then(|desired| desired.get(attribute)).cloned();
        let cluster = cluster.or_else(|| {
            self.run.recorder.with_state(|state| {
                let resource = state.resources.get(self.address())?;
                let mut objects = resource.object.iter().chain(&resource.deposed);
                let object = objects.find(|object| object.remote_id == *id)?;
                object.inputs.get(attribute).cloned()
            })
        });
        cluster.into_iter().map(|cluster| (attribute.to_owned(), cluster)).collect()
    }

    /// Returns what a read found with only our tags, and with what the service never returns as
    /// it was last applied.
    pub(crate) fn owned(&self, mut observed: ObservedValues, desired: Option<&ValueMap>) -> ObservedValues {
        let applied = self.applied();
        let schema = self.kind.schema();
        for source in desired.into_iter().chain([&applied]) {
            members::copy(&schema.inputs, |attribute| attribute.write_only, source, &mut observed.inputs);
        }
        for attribute in &schema.inputs {
            let name = attribute.name;
            let applied = applied.get(name);
            if let (AttributeType::Tags, Some(Value::Map(tags))) =
                (&attribute.attribute_type, observed.inputs.get_mut(name))
            {
                let owners = desired.and_then(|desired| desired.get(name)).into_iter().chain(applied);
                *tags = owned_tags(std::mem::take(tags), owners);
            }
        }
        observed
    }

    /// Returns the attributes that stay as they are found: none while the object is being made.
    pub(crate) fn left_alone(&self) -> BTreeSet<String> {
        let is_being_made = self.run.recorder.with_state(|state| {
            let object = state.resources.get(self.address()).and_then(|resource| resource.object.as_ref());
            object.is_some_and(|object| object.is_being_made)
        });
        if is_being_made { BTreeSet::new() } else { self.change.lifecycle.ignore_changes.clone() }
    }

    /// Returns the id of the object that is there, and the inputs that were set last.
    pub(crate) fn object(&self) -> Result<(RemoteId, ValueMap), Stop> {
        let object = self.run.recorder.with_state(|state| {
            let object = state.resources.get(self.address())?.object.as_ref()?;
            Some((object.remote_id.clone(), object.inputs.clone()))
        });
        object.ok_or_else(|| Stop::Defect("a change of an object without id".to_owned()))
    }

    /// Returns the inputs that the last apply set.
    fn applied(&self) -> ValueMap {
        self.run.recorder.with_state(|state| {
            let object = state.resources.get(self.address()).and_then(|resource| resource.object.as_ref());
            object.map(|object| object.inputs.clone()).unwrap_or_default()
        })
    }
}

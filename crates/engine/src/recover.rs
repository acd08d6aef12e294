//! Resolves the creates of an earlier run whose outcome nobody knows.
//!
//! Nothing is sent again here: a thing that the create made is found by its operation tag or its
//! natural key, and adopted. Only when the whole consistency window has passed without it being
//! seen is the create taken as never having happened.

use std::time::Duration;

use futures::future::try_join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::access::Access;
use crate::address::{Address, RemoteId};
use crate::environment::random_id;
use crate::erased::AnyResource;
use crate::event::Event;
use crate::provider::ProviderError;
use crate::refresh::{age, known_kind};
use crate::resource::Intent;
use crate::run::{Engine, InterruptLevel, RunError};
use crate::secrets::Secrets;
use crate::state::{Action, Object, Outcome, PendingCreate, Record, ResourceState, State, Status};

/// How long between two searches.
const SEARCH_POLL: Duration = Duration::from_secs(2);

/// Returns the records that say what came of every pending create. Reads only. What was to be made in a cluster that does
/// not answer counts as not made if that is to be forgotten.
///
/// # Errors
/// If a search fails, or the user asks to stop.
pub(crate) async fn resolve(
    engine: &Engine<'_>,
    access: &Access,
    state: &State,
    forget_unreachable: bool,
) -> Result<Vec<Record>, RunError> {
    let searches = state.pending.iter().map(|(operation_id, pending)| async move {
        match search(engine, access, state, operation_id, pending).await {
            Err(error) if forget_unreachable && error.is_unreachable() => {
                let (operation_id, at) = (operation_id.clone(), engine.environment.now());
                Ok(vec![Record::End { operation_id, outcome: Outcome::NothingMade, at }])
            }
            found => found,
        }
    });
    tokio::select! {
        biased;
        () = engine.interrupt.reached(InterruptLevel::Graceful) => Err(RunError::Interrupted),
        found = try_join_all(searches) => Ok(found?.concat()),
    }
}

async fn search(
    engine: &Engine<'_>,
    access: &Access,
    state: &State,
    operation_id: &str,
    pending: &PendingCreate,
) -> Result<Vec<Record>, RunError> {
    let kind = known_kind(engine.registry, &pending.kind, &pending.address)?;
    let intent = pending.intent(operation_id);
    let failed = |source: ProviderError| {
        let mut secrets = Secrets::default();
        secrets.add_inputs(&kind.schema().inputs, &pending.lifecycle.sensitive, &pending.inputs);
        RunError::Read {
            what: pending.kind.to_string(),
            account: pending.account.clone(),
            source: Box::new(source.without(&secrets)),
        }
    };
    let connection = access.reach(kind, &pending.account, &pending.inputs).map_err(failed)?;
    let started = Instant::now();
    loop {
        // What is not seen by a search that starts after the window has closed was never made.
        let remaining = remaining(engine, pending.last_attempt, started);
        engine.observer.notify(&Event::Resolving { address: pending.address.clone(), remaining });
        let find = || kind.find(&connection, &intent, &pending.inputs);
        let found = access.repeat(find, &pending.account, kind).await.map_err(failed)?;
        let at = engine.environment.now();
        let operation_id = operation_id.to_owned();
        let scope = engine.registry.scope(&pending.kind, pending.home());
        let free = |id: &&RemoteId| !state.has(scope, &pending.kind, id);
        let found: Vec<_> = found.iter().filter(free).cloned().collect();
        if let Some((first, others)) = found.split_first() {
            return Ok(adopted(&operation_id, first, others, at));
        }
        if remaining.is_zero() {
            return Ok(vec![Record::End { operation_id, outcome: Outcome::NothingMade, at }]);
        }
        tokio::time::sleep(SEARCH_POLL.min(remaining)).await;
    }
}

/// Returns the records that say under which ids things are now whose last change a run did not see
/// the end of, if the change gave them others: a thing without tags is found by its natural key.
/// Reads only.
///
/// # Errors
/// If a read fails, or the user asks to stop.
pub(crate) async fn follow(
    engine: &Engine<'_>,
    access: &Access,
    state: &State,
    forget_unreachable: bool,
) -> Result<Vec<Record>, RunError> {
    let unfinished = state.resources.iter().filter_map(|(address, resource)| {
        let object = resource.object.as_ref().filter(|object| object.status == Status::Unfinished)?;
        let kind = engine
            .registry
            .kind(resource.kind.as_str())
            .filter(|kind| kind.made_by().is_none() && !kind.schema().has_tags())?;
        Some(Lost { address, resource, object, kind: &**kind, changed_at: object.changed_at? })
    });
    let searches = unfinished.map(|lost| async {
        match lost.search(engine, access, state).await {
            Err(error) if forget_unreachable && error.is_unreachable() => Ok(Vec::new()),
            found => found,
        }
    });
    tokio::select! {
        biased;
        () = engine.interrupt.reached(InterruptLevel::Graceful) => Err(RunError::Interrupted),
        found = try_join_all(searches) => Ok(found?.concat()),
    }
}

/// A thing without tags whose last change did not come to its end.
struct Lost<'a> {
    address: &'a Address,
    resource: &'a ResourceState,
    object: &'a Object,
    kind: &'a dyn AnyResource,
    changed_at: Timestamp,
}

impl Lost<'_> {
    async fn search(
        self,
        engine: &Engine<'_>,
        access: &Access,
        state: &State,
    ) -> Result<Vec<Record>, RunError> {
        let Self { address, resource, object, kind, changed_at } = self;
        let account = &resource.account;
        let mut secrets = Secrets::default();
        secrets.add_inputs(&kind.schema().inputs, &resource.lifecycle.sensitive, &object.inputs);
        let failed = |source: ProviderError| RunError::Read {
            what: resource.kind.to_string(),
            account: account.clone(),
            source: Box::new(source.without(&secrets)),
        };
        let operation_id = random_id(engine.environment);
        let intent = Intent { address: address.clone(), operation_id, token: String::new() };
        let connection = access.reach(kind, account, &object.inputs).map_err(failed)?;
        let started = Instant::now();
        loop {
            // Until the window has closed a read may still show the old id, or the call may arrive.
            let remaining = remaining(engine, changed_at, started);
            let find = || kind.find(&connection, &intent, &object.inputs);
            let found = access.repeat(find, account, kind).await.map_err(failed)?;
            let scope = engine.registry.scope(&resource.kind, resource.home());
            let free = |id: &&RemoteId| !state.has(scope, &resource.kind, id);
            if let Some(id) = found.iter().find(free) {
                return Ok(self.renumbered(engine, id));
            }
            if remaining.is_zero() {
                return Ok(Vec::new());
            }
            engine.observer.notify(&Event::Resolving { address: address.clone(), remaining });
            tokio::time::sleep(SEARCH_POLL.min(remaining)).await;
        }
    }

    /// Returns the records of a change that has given the thing another id and is still unfinished.
    fn renumbered(&self, engine: &Engine<'_>, id: &RemoteId) -> Vec<Record> {
        let action = Action::Update { inputs: self.object.inputs.clone() };
        let begin = engine.begin(self.address, self.resource, action);
        let (operation_id, at) = (begin.operation_id.clone(), begin.at);
        let identified = Record::Identified { operation_id: operation_id.clone(), remote_id: id.clone(), at };
        let end = Record::End { operation_id, outcome: Outcome::Stopped { failed: None }, at };
        vec![Record::Begin(Box::new(begin)), identified, end]
    }
}

/// Returns how long is still to be looked for what came of a call.
fn remaining(engine: &Engine<'_>, sent_at: Timestamp, started: Instant) -> Duration {
    let age = age(sent_at, engine.environment.now());
    // The clock on the wall may have been set back since: never look longer than one window.
    engine.settings.consistency_window.saturating_sub(age.max(started.elapsed()))
}

/// Returns the records of a create that turned out to have made these things, oldest first.
pub(crate) fn adopted(
    operation_id: &str,
    first: &RemoteId,
    others: &[RemoteId],
    at: Timestamp,
) -> Vec<Record> {
    let operation_id = operation_id.to_owned();
    let surplus = others.iter().map(|remote_id| Record::Surplus {
        operation_id: operation_id.clone(),
        remote_id: remote_id.clone(),
        at,
    });
    let identified = Record::Identified { operation_id: operation_id.clone(), remote_id: first.clone(), at };
    std::iter::once(identified).chain(surplus).collect()
}

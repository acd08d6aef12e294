//! Live reads: one batched call per listing, account and page, not one per resource.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::try_join_all;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::access::{Access, ClusterKey, cluster_key};
use crate::address::{AccountName, Address, Kind, RemoteId};
use crate::erased::{AnyListing, AnyResource};
use crate::event::Event;
use crate::observation::{Observation, Observations};
use crate::provider::ProviderError;
use crate::registry::Registry;
use crate::run::{Engine, InterruptLevel, RunError};
use crate::state::{Object, ResourceState, State};
use crate::value::ValueMap;

/// How long between two looks for something that is too new to be seen.
const FRESH_POLL: Duration = Duration::from_secs(1);

/// How much is read of what costs calls of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// What the last apply has set, and what others may have added to it.
    Brief,
    /// Everything.
    Full,
}

/// How it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) depth: Depth,
    /// Whether it is no error that a cluster does not answer: what is in it is out of reach then.
    pub(crate) forget_unreachable: bool,
}

impl Reading {
    /// Everything is read, and everybody has to answer.
    pub(crate) const FULL: Self = Self { depth: Depth::Full, forget_unreachable: false };
}

/// Reads everything that the state has.
///
/// A thing that cannot be found shortly after it was made is new, not gone: it is looked for
/// until the consistency window has passed.
///
/// # Errors
/// If a read fails. Only an answer that does not have the thing makes it gone; that it may not
/// be read does not.
pub(crate) async fn refresh(
    engine: &Engine<'_>,
    access: &Access,
    state: &State,
    reading: Reading,
) -> Result<Observations, RunError> {
    let started = Instant::now();
    engine.observer.notify(&Event::Refreshing { resources: state.resources.len() });
    let all = read_all(engine, access, state, reading);
    let (observations, listings) = tokio::select! {
        biased;
        () = engine.interrupt.reached(InterruptLevel::Graceful) => return Err(RunError::Interrupted),
        result = all => result?,
    };
    engine.observer.notify(&Event::Refreshed { listings, elapsed: started.elapsed() });
    Ok(observations)
}

async fn read_all(
    engine: &Engine<'_>,
    access: &Access,
    state: &State,
    reading: Reading,
) -> Result<(Observations, usize), RunError> {
    let mut wanted: BTreeMap<_, _> = state.resources.iter().collect();
    let (mut observations, mut listings) = read_once(engine, access, &wanted, reading).await?;
    let (started, window) = (Instant::now(), engine.settings.consistency_window);
    let mut told = false;
    loop {
        let now = engine.environment.now();
        // The clock on the wall may have been set back since: never look longer than one window.
        let new = |object: &Object| age(object.created_at, now).max(started.elapsed()) < window;
        wanted.retain(|address, resource| {
            let observation = &observations[*address];
            if observation.is_out_of_reach {
                return false;
            }
            let object = resource.object.iter().zip(std::iter::once(&observation.object));
            let deposed = resource.deposed.iter().zip(&observation.deposed);
            object.chain(deposed).any(|(object, found)| found.is_none() && new(object))
        });
        if wanted.is_empty() {
            return Ok((observations, listings));
        }
        if !std::mem::replace(&mut told, true) {
            let addresses = wanted.keys().map(|address| (*address).clone()).collect();
            engine.observer.notify(&Event::NotVisibleYet { addresses });
        }
        tokio::time::sleep(FRESH_POLL).await;
        let (found, more) = read_once(engine, access, &wanted, reading).await?;
        observations.extend(found);
        listings += more;
    }
}

/// Reads in full what was read briefly; `None` if that is nothing.
///
/// # Errors
/// As [`refresh`].
pub(crate) async fn complete(
    engine: &Engine<'_>,
    access: &Access,
    state: &State,
    observations: &Observations,
) -> Result<Option<Observations>, RunError> {
    let is_brief = |address: &Address| observations.get(address).is_some_and(|found| found.is_brief);
    let wanted: BTreeMap<_, _> = state.resources.iter().filter(|(address, _)| is_brief(address)).collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let (found, _) = tokio::select! {
        biased;
        () = engine.interrupt.reached(InterruptLevel::Graceful) => return Err(RunError::Interrupted),
        found = read_once(engine, access, &wanted, Reading::FULL) => found?,
    };
    let mut observations = observations.clone();
    observations.extend(found);
    Ok(Some(observations))
}

/// Reads these resources, and says with how many listings.
pub(crate) async fn read_once(
    engine: &Engine<'_>,
    access: &Access,
    wanted: &BTreeMap<&Address, &ResourceState>,
    reading: Reading,
) -> Result<(Observations, usize), RunError> {
    let batches = batches(engine.registry, wanted)?;
    let reads = batches.iter().map(|(key, batch)| async move {
        match read_batch(access, key, batch, reading.depth).await {
            Err(error) if reading.forget_unreachable && error.is_unreachable() => Ok((key.clone(), None)),
            read => read.map(|(key, listing)| (key, Some(listing))),
        }
    });
    let answers: BTreeMap<_, _> = try_join_all(reads).await?.into_iter().collect();
    let mut observations = Observations::new();
    for (address, resource) in wanted {
        let kind = known_kind(engine.registry, &resource.kind, address)?;
        observations.insert((*address).clone(), observed(kind, resource, &answers, reading.depth));
    }
    Ok((observations, batches.len()))
}

/// Returns what was found of a resource. There is no listing from who did not answer.
fn observed(
    kind: &dyn AnyResource,
    resource: &ResourceState,
    answers: &BTreeMap<BatchKey, Option<AnyListing>>,
    depth: Depth,
) -> Observation {
    let answer = |object: &Object| answers[&batch_key(kind, resource, object)].as_ref();
    let observe = |object: &Object| kind.observe(answer(object)?, &object.remote_id);
    let mut observation = Observation {
        object: resource.object.as_ref().and_then(observe),
        deposed: resource.deposed.iter().map(observe).collect(),
        is_brief: false,
        is_out_of_reach: resource.object.iter().any(|object| answer(object).is_none()),
    };
    if let (Depth::Brief, Some(object)) = (depth, &resource.object) {
        remember(kind, object, &mut observation);
    }
    observation
}

/// Puts in the outputs that a brief read has left out, as they were read last, and takes note whether
/// any attribute was left out.
fn remember(kind: &dyn AnyResource, object: &Object, observation: &mut Observation) {
    let Some(observed) = &mut observation.object else { return };
    let (schema, spared) = (kind.schema(), kind.spared());
    for name in spared.iter().copied().filter(|name| schema.output(name).is_some()) {
        if observed.outputs.contains_key(name) {
            continue;
        }
        observation.is_brief = true;
        if let Some(value) = object.outputs.get(name) {
            observed.outputs.insert(name.to_owned(), value.clone());
        }
    }
    let left_out = |name: &&str| schema.input(name).is_some() && !observed.inputs.contains_key(*name);
    observation.is_brief |= spared.iter().any(left_out);
}

/// Returns how long ago something was; nothing if the clock was set back since.
pub(crate) fn age(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(then)).unwrap_or_default()
}

/// What is read with one call.
struct Batch<'a> {
    kind: &'a dyn AnyResource,
    /// The inputs of one of the things; all are reached as this one is.
    inputs: &'a ValueMap,
    ids: Vec<RemoteId>,
    /// The attributes that the last apply of one of them has set.
    owned: BTreeSet<String>,
}

/// The account, the listing, and the cluster if the things are in one.
type BatchKey = (AccountName, TypeId, Option<ClusterKey>);

fn batch_key(kind: &dyn AnyResource, resource: &ResourceState, object: &Object) -> BatchKey {
    let cluster = kind.through().and_then(|attribute| object.inputs.get(attribute)).map(cluster_key);
    (resource.account.clone(), kind.listing_id(), cluster)
}

fn batches<'a>(
    registry: &'a Registry,
    wanted: &BTreeMap<&Address, &'a ResourceState>,
) -> Result<BTreeMap<BatchKey, Batch<'a>>, RunError> {
    let mut batches = BTreeMap::new();
    for (address, resource) in wanted {
        let kind = known_kind(registry, &resource.kind, address)?;
        let spared = kind.spared();
        for object in resource.object.iter().chain(&resource.deposed) {
            let new = || Batch { kind, inputs: &object.inputs, ids: Vec::new(), owned: BTreeSet::new() };
            let batch = batches.entry(batch_key(kind, resource, object)).or_insert_with(new);
            batch.ids.push(object.remote_id.clone());
            batch.owned.extend(object.inputs.keys().filter(|name| spared.contains(&name.as_str())).cloned());
        }
    }
    Ok(batches)
}

async fn read_batch(
    access: &Access,
    key: &BatchKey,
    batch: &Batch<'_>,
    depth: Depth,
) -> Result<(BatchKey, AnyListing), RunError> {
    let account = &key.0;
    let failed = |source: ProviderError| {
        let what = batch.kind.schema().kind.to_string();
        RunError::Read { what, account: account.clone(), source: Box::new(source) }
    };
    let connection = access.reach(batch.kind, account, batch.inputs).map_err(failed)?;
    let read = || match depth {
        Depth::Brief => batch.kind.survey(&connection, &batch.ids, &batch.owned),
        Depth::Full => batch.kind.fetch(&connection, &batch.ids),
    };
    let listing = access.repeat(read, account, batch.kind).await.map_err(failed)?;
    Ok((key.clone(), listing))
}

/// Returns the kind of a resource in the state.
///
/// # Errors
/// If this program does not have it.
pub(crate) fn known_kind<'a>(
    registry: &'a Registry,
    kind: &Kind,
    address: &Address,
) -> Result<&'a dyn AnyResource, RunError> {
    registry.known(kind, address).map_err(|problem| RunError::Diagnostics((*problem).into()))
}

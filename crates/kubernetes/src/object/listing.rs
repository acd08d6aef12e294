//! Reads of many objects: one list for each kind and namespace, or single reads of a few.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::Value as Json;
use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{Listing, Readiness};
use straddle_engine::value::Value;

use super::controller;
use super::id::ObjectId;
use super::readiness::readiness;
use super::words;
use crate::cluster::{Call, Cluster};

/// From how many objects on a list is read instead of each of them.
const LISTED_FROM: usize = 4;
/// How many objects a page of a list has.
const PAGE: usize = 500;
/// How many reads of one cluster are under way at once.
const AT_ONCE: usize = 8;
/// Up to how many objects it is found out why one of them is not ready.
const EXPLAINED: usize = 3;

/// Objects by their ids.
pub(crate) struct Objects {
    /// What the spec or the state says of the cluster.
    pub(crate) cluster: Value,
    by_id: BTreeMap<RemoteId, Json>,
    states: BTreeMap<RemoteId, Readiness>,
}

impl Objects {
    /// Returns an object and whether it can be used.
    pub(crate) fn get(&self, id: &RemoteId) -> Option<(&Json, Readiness)> {
        let object = self.by_id.get(id)?;
        Some((object, self.states.get(id).cloned().unwrap_or(Readiness::Ready)))
    }
}

impl Listing for Objects {
    type Client = Cluster;

    async fn fetch(cluster: &Cluster, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let mut groups: BTreeMap<_, Vec<(RemoteId, ObjectId)>> = BTreeMap::new();
        for id in ids {
            // What is no id names nothing.
            let Some(object) = ObjectId::read(id) else { continue };
            let group = (object.api_version.clone(), object.kind.clone(), object.namespace.clone());
            groups.entry(group).or_default().push((id.clone(), object));
        }
        let reads: Vec<_> = groups.into_values().map(|group| read(cluster, group)).collect();
        let found: Vec<_> = stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        let objects: BTreeMap<_, _> = found.into_iter().flatten().collect();
        let mut states = BTreeMap::new();
        for (id, object) in &objects {
            let wait = ObjectId::read(id).and_then(|id| cluster.waits_for(&id.to_string()));
            let mut state = readiness(object, wait, None);
            let is_unclear = matches!(state, Readiness::Degraded(_) | Readiness::Impaired(_));
            if is_unclear && ids.len() <= EXPLAINED {
                let words = words::of(cluster, object).await;
                state = readiness(object, wait, Some(&words));
            }
            if let Readiness::Pending(reason) = &mut state
                && ids.len() <= EXPLAINED
                && controller::finalizers(object).any(controller::takes_away)
            {
                let why = controller::missing(cluster).await;
                let why = why.unwrap_or_else(|| "its log says what keeps it from that".to_owned());
                *reason = format!("{reason} ({why}); {}", controller::ADVICE);
            }
            states.insert(id.clone(), state);
        }
        Ok(Self { cluster: cluster.value().clone(), by_id: objects, states })
    }
}

/// Reads the objects of one kind and namespace that are there.
async fn read(
    cluster: &Cluster,
    group: Vec<(RemoteId, ObjectId)>,
) -> Result<Vec<(RemoteId, Json)>, ProviderError> {
    let (_, first) = &group[0];
    let resource = match cluster.resource(&first.api_version, &first.kind).await {
        Ok(resource) => resource,
        // Where there is no such kind, or no such cluster, there is no such object.
        Err(error) if error.class == ErrorClass::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let found: BTreeMap<String, Json> = if group.len() < LISTED_FROM {
        let mut reads = Vec::new();
        for (_, id) in &group {
            let path = resource.path(&id.api_version, id.namespace.as_deref(), &id.name);
            reads.push(one(cluster, path, id));
        }
        try_join_all(reads).await?.into_iter().flatten().collect()
    } else {
        let namespace = first.namespace.as_deref().unwrap_or("default");
        let path = resource.collection(&first.api_version, Some(namespace));
        list(cluster, &first.api_version, &first.kind, &path).await?
    };
    let of_id = |(remote_id, id): &(RemoteId, ObjectId)| {
        let object = found.get(&id.name)?;
        let uid = object["metadata"]["uid"].as_str();
        let is_same = id.uid.as_deref().is_none_or(|wanted| uid == Some(wanted));
        is_same.then(|| (remote_id.clone(), object.clone()))
    };
    Ok(group.iter().filter_map(of_id).collect())
}

/// Reads one object, if it is there.
async fn one(
    cluster: &Cluster,
    path: String,
    id: &ObjectId,
) -> Result<Option<(String, Json)>, ProviderError> {
    match cluster.call(Call::get(format!("get {}", id.kind), path)).await {
        Ok(object) => Ok(Some((id.name.clone(), object))),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads all objects of a collection, page by page.
async fn list(
    cluster: &Cluster,
    api_version: &str,
    kind: &str,
    path: &str,
) -> Result<BTreeMap<String, Json>, ProviderError> {
    let mut found = BTreeMap::new();
    let mut next: Option<String> = None;
    loop {
        let token = next.take().map(|token| format!("&continue={token}")).unwrap_or_default();
        let page =
            cluster.call(Call::get(format!("list {kind}"), format!("{path}?limit={PAGE}{token}"))).await?;
        for item in page["items"].as_array().into_iter().flatten() {
            let Some(name) = item["metadata"]["name"].as_str() else { continue };
            let mut object = item.clone();
            // The items of a list do not say what they are.
            object["apiVersion"] = api_version.into();
            object["kind"] = kind.into();
            found.insert(name.to_owned(), object);
        }
        match page["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => next = Some(crate::cluster::escaped(token)),
            None => return Ok(found),
        }
    }
}

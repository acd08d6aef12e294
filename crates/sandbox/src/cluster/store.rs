//! The objects of a cluster, and what has become of them lately.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::placement::Placement;

/// How many changes are remembered for those who watch.
const MOST_CHANGES: usize = 4096;

/// Where an object is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Such as `deployments.apps`.
    pub(crate) resource: String,
    /// Empty for what is in none.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    /// Names an object.
    pub(crate) fn new(resource: &str, namespace: &str, name: &str) -> Self {
        let (resource, namespace) = (resource.to_owned(), namespace.to_owned());
        Self { resource, namespace, name: name.to_owned() }
    }

    fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

/// Something that became of an object.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The version of the cluster since then.
    pub(crate) version: u64,
    pub(crate) key: Key,
    /// What it was before; absent for one that is new.
    pub(crate) before: Option<Arc<Value>>,
    /// What it is since; absent for one that is gone.
    pub(crate) after: Option<Arc<Value>>,
}

/// Every object of a cluster.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    /// Counts the changes.
    version: u64,
    /// From what ids are made.
    seed: String,
    made: u64,
    /// By resource, and by namespace and name in the order of lists.
    objects: BTreeMap<String, BTreeMap<String, Arc<Value>>>,
    /// What belongs to an object, by its id.
    owned: BTreeMap<String, BTreeSet<Key>>,
    /// The ids of all objects.
    uids: BTreeSet<String>,
    /// The ids of objects that are gone, and have left something.
    orphaned: Vec<String>,
    #[serde(default)]
    placement: Placement,
    #[serde(skip)]
    changes: VecDeque<Change>,
}

impl Store {
    pub(super) fn new(seed: &str) -> Self {
        Self { version: 1, seed: seed.to_owned(), ..Self::default() }
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Returns an object.
    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(&key.resource)?.get(&key.path())
    }

    /// Returns the objects of a resource in the order of lists, of one namespace or of all.
    pub(crate) fn list<'a>(
        &'a self,
        resource: &str,
        namespace: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Value>> + use<'a> {
        self.list_after(resource, namespace, "").map(|(_, object)| object)
    }

    /// Returns the objects that come after a place, with their places.
    pub(super) fn list_after<'a>(
        &'a self,
        resource: &str,
        namespace: &'a str,
        after: &str,
    ) -> impl Iterator<Item = (&'a str, &'a Arc<Value>)> + use<'a> {
        let prefix = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
        let start = if after.is_empty() {
            Bound::Included(prefix.clone())
        } else {
            Bound::Excluded(after.to_owned())
        };
        let of_resource = self.objects.get(resource).into_iter();
        of_resource
            .flat_map(move |objects| objects.range((start.clone(), Bound::Unbounded)))
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .map(|(path, object)| (path.as_str(), object))
    }

    /// Puts an object in its place with a new version, which it returns.
    pub(super) fn put(&mut self, key: &Key, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object["metadata"]["resourceVersion"] = Value::String(self.version.to_string());
        let object = Arc::new(object);
        let objects = self.objects.entry(key.resource.clone()).or_default();
        let before = objects.insert(key.path(), Arc::clone(&object));
        self.index(key, before.as_deref(), Some(&object));
        self.note(Change {
            version: self.version,
            key: key.clone(),
            before,
            after: Some(Arc::clone(&object)),
        });
        object
    }

    /// Takes an object away.
    pub(super) fn delete(&mut self, key: &Key) {
        let Some(objects) = self.objects.get_mut(&key.resource) else { return };
        let Some(before) = objects.remove(&key.path()) else { return };
        self.index(key, Some(&before), None);
        self.version += 1;
        let change = Change { version: self.version, key: key.clone(), before: Some(before), after: None };
        self.note(change);
    }

    /// Keeps in mind what belongs to what.
    fn index(&mut self, key: &Key, before: Option<&Value>, after: Option<&Value>) {
        if key.resource == "pods" {
            self.placement.note(key, before, after);
        }
        let owners = |object: Option<&Value>| -> Vec<String> {
            let owners = object.and_then(|object| object["metadata"]["ownerReferences"].as_array());
            let ids = owners.into_iter().flatten().filter_map(|owner| owner["uid"].as_str());
            ids.map(str::to_owned).collect()
        };
        for owner in owners(before) {
            if let Some(keys) = self.owned.get_mut(&owner) {
                keys.remove(key);
                if keys.is_empty() {
                    self.owned.remove(&owner);
                }
            }
        }
        for owner in owners(after) {
            self.owned.entry(owner).or_default().insert(key.clone());
        }
        let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        match (before, after) {
            (None, Some(after)) => drop(self.uids.insert(uid(after))),
            (Some(before), None) => {
                let uid = uid(before);
                self.uids.remove(&uid);
                if self.owned.contains_key(&uid) {
                    self.orphaned.push(uid);
                }
            }
            _ => {}
        }
    }

    /// Returns where pods are.
    pub(super) fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Returns what belongs to the object with an id.
    pub(super) fn owned_by(&self, uid: &str) -> Vec<Key> {
        self.owned.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Tells whether there is an object with an id.
    pub(super) fn has_uid(&self, uid: &str) -> bool {
        self.uids.contains(uid)
    }

    /// Returns the next object that is gone and has left something.
    pub(super) fn take_orphaned(&mut self) -> Option<String> {
        self.orphaned.pop()
    }

    /// Returns where the objects of a resource are.
    pub(super) fn keys_of(&self, resource: &str) -> Vec<Key> {
        let paths = self.objects.get(resource).into_iter().flat_map(BTreeMap::keys);
        paths
            .map(|path| {
                let (namespace, name) = path.split_once('/').unwrap_or_default();
                Key::new(resource, namespace, name)
            })
            .collect()
    }

    /// Returns where everything is that is in a namespace.
    pub(super) fn keys_in(&self, namespace: &str) -> Vec<Key> {
        let all = self.objects.keys().flat_map(|resource| {
            self.list_after(resource, namespace, "").map(move |(path, _)| (resource, path))
        });
        all.map(|(resource, path)| {
            let name = path.split_once('/').map_or(path, |(_, name)| name);
            Key::new(resource, namespace, name)
        })
        .collect()
    }

    fn note(&mut self, change: Change) {
        if self.changes.len() == MOST_CHANGES {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }

    /// Returns the version after which every change is remembered.
    pub(super) fn horizon(&self) -> u64 {
        self.changes.front().map_or(self.version, |change| change.version - 1)
    }

    /// Forgets the changes, as servers do after minutes.
    #[cfg(test)]
    pub(super) fn compact(&mut self) {
        self.changes.clear();
    }

    /// Returns the changes after a version, if they are remembered.
    pub(crate) fn changes_after(&self, version: u64) -> impl Iterator<Item = &Change> {
        let start = self.changes.partition_point(|change| change.version <= version);
        self.changes.range(start..)
    }

    /// Returns a new id in the form of a UUID. The same changes give the same ids.
    pub(super) fn new_uid(&mut self) -> String {
        let digits = HEXLOWER.encode(&self.hash());
        let part = |from: usize, to: usize| &digits[from..to];
        format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
    }

    /// Returns five letters and digits, as generated names end with.
    pub(super) fn new_suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        self.hash()[..5].iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
    }

    /// Returns a number below another one.
    pub(super) fn new_number(&mut self, below: u32) -> u32 {
        let hash = self.hash();
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % below
    }

    fn hash(&mut self) -> [u8; 32] {
        self.made += 1;
        Sha256::digest(format!("{} {}", self.seed, self.made)).into()
    }
}

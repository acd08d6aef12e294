//! What controllers and nodes do by themselves: after each write, and as time passes.

mod accounts;
mod collection;
mod daemon_sets;
mod definitions;
mod deployments;
mod endpoints;
mod jobs;
mod namespaces;
mod nodes;
mod pods;
mod replica_sets;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::body::{self, text};
use super::deletion::Deletion;
use super::managed::{self, Writing};
use super::preparation::{has_generation, is_released, raise_generation};
use super::request::Request;
use super::store::Key;
use super::user::{MASTERS, User};
use super::{ControlPlane, Machine, kind, time};

pub(super) use definitions::is_served;
pub(super) use pods::is_ready;

/// The program that most controllers are in.
const MANAGER: &str = "kube-controller-manager";

impl ControlPlane {
    /// Lets happen what is due, each thing at its own time.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        self.work(now);
        while let Some((at, _)) = self.due.first().filter(|(at, _)| *at <= now).cloned() {
            // What happens in the same moment is looked at together.
            while let Some((_, key)) = self.due.first().filter(|(due, _)| *due == at).cloned() {
                self.due.remove(&(at, key.clone()));
                self.touch(&key);
            }
            self.work(at);
        }
    }

    /// Returns when something happens next by itself.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Tells on which machines pods run from now on.
    pub(crate) fn set_machines(&mut self, machines: Vec<Machine>, now: Timestamp) {
        if self.machines != machines {
            self.machines = machines;
            nodes::sync(self, now);
            self.work(now);
        }
    }

    /// Returns the machine that a node is.
    pub(crate) fn machine(&self, node: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.name == node)
    }

    /// Tells which accounts' pods, of those that are made from now on, have roles by an association.
    pub(crate) fn set_identities(&mut self, identities: BTreeSet<(String, String)>) {
        self.identities = identities;
    }

    /// Lets all controllers look at what has changed.
    fn work(&mut self, now: Timestamp) {
        loop {
            while let Some(uid) = self.store.take_orphaned() {
                collection::collect(self, &uid, now);
            }
            let Some(key) = self.next_dirty() else { return };
            let object = self.store.get(&key).cloned();
            if let Some(object) = &object {
                collection::look(self, &key, object, now);
            }
            match key.resource.as_str() {
                "daemonsets.apps" => daemon_sets::look(self, &key, now),
                "deployments.apps" => deployments::look(self, &key, now),
                "replicasets.apps" => replica_sets::look(self, &key, now),
                "nodes" => nodes::look(self),
                "pods" => pods::look(self, &key, now),
                "services" => endpoints::look(self, &key, now),
                "jobs.batch" => jobs::look(self, &key, now),
                "namespaces" => namespaces::look(self, &key, now),
                "customresourcedefinitions.apiextensions.k8s.io" => definitions::look(self, &key, now),
                _ => {}
            }
            self.tell_owners(&key, object.as_deref());
        }
    }

    /// Returns the next object to look at. Namespaces that go come last: they look at everything in them.
    fn next_dirty(&mut self) -> Option<Key> {
        let is_going = |key: &Key| {
            key.resource == "namespaces" && self.store.get(key).is_some_and(|namespace| is_going(namespace))
        };
        let next = self.dirty.iter().find(|key| !is_going(key)).or(self.dirty.first()).cloned()?;
        self.dirty.take(&next)
    }

    /// Lets those look whose objects these are, and the namespace that waits until it is empty.
    pub(super) fn tell_owners(&mut self, key: &Key, object: Option<&Value>) {
        if !key.namespace.is_empty() {
            let namespace = Key::new("namespaces", "", &key.namespace);
            let is_going =
                self.store.get(&namespace).is_some_and(|it| !it["metadata"]["deletionTimestamp"].is_null());
            if is_going {
                self.touch(&namespace);
            }
        }
        for owner in object.into_iter().flat_map(owners) {
            let resource = match text(&owner["kind"]) {
                "DaemonSet" => "daemonsets.apps",
                "Deployment" => "deployments.apps",
                "ReplicaSet" => "replicasets.apps",
                "Job" => "jobs.batch",
                _ => continue,
            };
            self.touch(&Key::new(resource, &key.namespace, text(&owner["name"])));
        }
    }

    /// Lets controllers look at an object again later.
    fn later(&mut self, key: &Key, at: Timestamp) {
        self.due.insert((at, key.clone()));
    }

    /// Makes an object as a controller does.
    fn make(&mut self, manager: &str, resource: &str, object: &Value, now: Timestamp) -> Option<Arc<Value>> {
        let namespace = text(&object["metadata"]["namespace"]);
        let request = Request {
            method: "POST".to_owned(),
            path: kind::known(resource).path(namespace),
            content_type: "application/json".to_owned(),
            agent: manager.to_owned(),
            body: object.to_string(),
            ..Request::default()
        };
        let user = User::new(&format!("system:{manager}"), &[MASTERS]);
        let reply = self.carry_out(&user, &request, now).ok()?;
        let name = text(&reply.body["metadata"]["name"]);
        self.store.get(&Key::new(resource, namespace, name)).cloned()
    }

    /// Changes an object as a controller does, and tells whether that changed anything.
    fn change(
        &mut self,
        manager: &str,
        key: &Key,
        subresource: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Value),
    ) -> bool {
        let Some(old) = self.store.get(key).cloned() else { return false };
        let of_kind = kind::known(&key.resource);
        let mut before = Value::clone(&old);
        let managers = managed::take(&mut before);
        let mut new = before.clone();
        change(&mut new);
        if new == before {
            return false;
        }
        raise_generation(&of_kind, &before, &mut new);
        let (of, api_version, at) = (of_kind.of(), of_kind.api_version(), time(now));
        let ignored: &[&str] = if subresource == "status" { &["spec"] } else { &["status"] };
        let writing = Writing { of: &of, manager, api_version: &api_version, subresource, now: &at, ignored };
        let managers = writing.update(Some(&before), &new, managers);
        managed::put(&mut new, managers);
        let new = body::arranged(new);
        if is_released(&new) {
            self.store.delete(key);
        } else {
            self.store.put(key, new);
        }
        self.touch(key);
        true
    }

    /// Deletes an object as a controller does.
    pub(super) fn discard(&mut self, key: &Key, policy: &str, now: Timestamp) {
        let Some(of) = kind_of(self, key, now) else { return };
        let how = Deletion { policy: Some(policy.to_owned()), ..Deletion::default() };
        self.delete(&of, key, &how, now, false);
    }

    /// Tells what has become of an object.
    fn tell(
        &mut self,
        object: &Value,
        key: &Key,
        of: (&str, &str),
        component: &str,
        message: &str,
        now: Timestamp,
    ) {
        let (reason, form) = of;
        let of_kind = kind::known(&key.resource);
        let metadata = &object["metadata"];
        let suffix = format!("{:016x}", self.store.version());
        let event = json!({
            "metadata": { "name": format!("{}.{suffix}", key.name), "namespace": key.namespace },
            "involvedObject": {
                "kind": of_kind.kind, "namespace": key.namespace, "name": key.name, "uid": metadata["uid"],
                "apiVersion": of_kind.api_version(), "resourceVersion": metadata["resourceVersion"],
            },
            "reason": reason, "message": message, "type": form,
            "source": { "component": component }, "reportingComponent": component,
            "firstTimestamp": time(now), "lastTimestamp": time(now), "count": 1,
        });
        // An event that nobody keeps is no reason to stop.
        drop(self.make(MANAGER, "events", &event, now));
    }
}

/// Lets those look who have to do with an object that is gone.
pub(super) fn tell_of_gone(plane: &mut ControlPlane, key: &Key, object: &Value) {
    if key.resource == "pods" {
        pods::tell_services(plane, key, object);
    }
    plane.tell_owners(key, Some(object));
}

/// Returns the kind of an object, also of a custom one.
fn kind_of(plane: &ControlPlane, key: &Key, now: Timestamp) -> Option<Arc<kind::Kind>> {
    plane.kinds(now).into_iter().find(|kind| kind.stored_as() == key.resource)
}

fn owners(object: &Value) -> impl Iterator<Item = &Value> {
    object["metadata"]["ownerReferences"].as_array().into_iter().flatten()
}

fn is_going(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// Returns the reference by which an object belongs to another one.
fn owned_by(owner: &Value, resource: &str) -> Value {
    let of = kind::known(resource);
    debug_assert!(has_generation(&of) || resource == "services");
    json!({
        "apiVersion": of.api_version(), "kind": of.kind, "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

/// Sets a condition; its time of transition changes with its status only.
fn set_condition(conditions: &mut Value, wanted: Value) {
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else { return };
    let Some(place) = conditions.iter().position(|condition| condition["type"] == wanted["type"]) else {
        conditions.push(wanted);
        return;
    };
    let before = &conditions[place];
    let timeless = |condition: &Value| {
        [condition["status"].clone(), condition["reason"].clone(), condition["message"].clone()]
    };
    if timeless(before) == timeless(&wanted) {
        return;
    }
    let mut wanted = wanted;
    if before["status"] == wanted["status"] {
        wanted["lastTransitionTime"] = before["lastTransitionTime"].clone();
    }
    conditions[place] = wanted;
}

fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
}

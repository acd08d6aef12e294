//! What the AWS Load Balancer Controller does, while its Deployment runs in a cluster.
//!
//! It is a client like any other: it reads and writes objects through the API server of its cluster, and calls
//! AWS with the credentials of the role that its account there has, through the same front door as everybody. So
//! policies, faults and the log of requests hold for it too, and a world that is read again needs only its
//! calls. What it remembers is gone when the sandbox ends, as when its pod is started anew.
//!
//! [`Controller`] finds out what has changed and what is to be done. [`ingress`] goes from a [`group`] of
//! Ingresses, by way of what it is to have ([`build`], [`model`], [`names`]), to what it has ([`deploy`]);
//! [`binding`] lets the pods of a Service be the targets of a target group. What it does, in which order and
//! words, is recorded of the real one in `recordings/controller`.

mod annotations;
mod binding;
mod build;
mod credentials;
mod deploy;
mod events;
mod group;
mod ingress;
mod model;
mod names;
mod object;
mod queue;
mod reach;
mod running;
mod settings;
#[cfg(test)]
mod tests;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

use events::Mood;
use group::GroupId;
use object::{Key, key, name, namespace, text, texts};
use queue::Queue;
use reach::{ApiAnswer, ApiRequest, AwsError, Reach, Verb};
use reach::{
    BINDING, CLASS_PARAMETERS, Done, ENDPOINT_SLICE, INGRESS, INGRESS_CLASS, Resource, SERVICE, Trouble,
};
pub(crate) use running::Controllers;
use settings::{Instance, Settings};
use work::{Memory, Work};

/// A controller that runs.
#[derive(Debug)]
pub(crate) struct Controller {
    settings: Settings,
    memory: Memory,
    groups: Queue<GroupId>,
    bindings: Queue<Key>,
    /// What it has seen of objects, as far as a change of that is a reason to do something.
    seen: BTreeMap<Seen, String>,
    /// The version of all objects that it has seen.
    version: Option<u64>,
    /// Groups that it saw when it began. It looks at these twice, since it sees each kind of object on its own.
    again: BTreeSet<GroupId>,
}

/// What was seen: the kind, namespace and name of an object.
type Seen = (&'static str, Key);

/// The kinds of objects that it watches.
const WATCHED: [Resource; 6] = [INGRESS_CLASS, CLASS_PARAMETERS, INGRESS, SERVICE, BINDING, ENDPOINT_SLICE];
/// How much it does at once: more than ever is to be done, unless two rules contradict each other.
const MOST: usize = 10_000;

impl Controller {
    /// Starts a controller.
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            memory: Memory::default(),
            groups: Queue::default(),
            bindings: Queue::default(),
            seen: BTreeMap::new(),
            version: None,
            again: BTreeSet::new(),
        }
    }

    /// Returns how it was started.
    fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns when it does something next, if nothing changes until then.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.groups.next().into_iter().chain(self.bindings.next()).min()
    }

    /// Does all that is to be done by now.
    pub(crate) fn act(&mut self, reach: &mut dyn Reach) {
        for _ in 0..MOST {
            self.look(reach);
            let now = reach.now();
            let Self { settings, memory, groups, bindings, .. } = self;
            let mut work = Work { reach, settings, memory };
            if let Some(key) = bindings.take(now) {
                let done = binding::reconcile(&mut work, &key);
                note(bindings, key, &done, now);
            } else if let Some(group) = groups.take(now) {
                let done = ingress::reconcile(&mut work, &group);
                note(groups, group.clone(), &done, now);
                if done.is_ok() && self.again.remove(&group) {
                    self.groups.add(group, now);
                }
            } else {
                return;
            }
        }
    }

    /// Finds out what has changed, and puts what that concerns on the lists of what is to be done.
    fn look(&mut self, reach: &mut dyn Reach) {
        let version = reach.version();
        if self.version == Some(version) {
            return;
        }
        // A list that cannot be read is read the next time.
        if let Ok(Sight { changed, objects }) = self.sight(reach) {
            let is_first = self.version.is_none();
            for object in &changed {
                self.consider(reach, object, &objects);
            }
            if is_first {
                self.again = self.groups.keys().cloned().collect();
            }
            self.version = Some(version);
        }
    }

    /// Returns the objects, and which of them have changed.
    fn sight(&mut self, reach: &mut dyn Reach) -> Done<Sight> {
        let (mut objects, mut changed, mut seen) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        for resource in WATCHED {
            let list = resource.list(reach)?;
            for object in &list {
                let place = (resource.kind, key(object));
                let matters = matters(resource, object);
                if self.seen.get(&place) != Some(&matters) {
                    changed.push((resource, object.clone()));
                }
                seen.insert(place, matters);
            }
            objects.insert(resource.kind, list);
        }
        // Of what is gone, only its kind and name are known.
        for (kind, (namespace, name)) in self.seen.keys().filter(|place| !seen.contains_key(*place)) {
            let gone = json!({ "metadata": { "namespace": namespace, "name": name } });
            let resource = WATCHED.into_iter().find(|resource| resource.kind == *kind);
            changed.extend(resource.map(|resource| (resource, gone)));
        }
        self.seen = seen;
        Ok(Sight { changed, objects })
    }

    /// Puts what a changed object concerns on the lists.
    fn consider(&mut self, reach: &mut dyn Reach, (resource, object): &(Resource, Value), all: &Objects) {
        let now = reach.now();
        let is_gone = object["metadata"]["uid"].is_null();
        match resource.kind {
            // Before one of these is gone it was changed: its finalizer went.
            "Ingress" | "TargetGroupBinding" if is_gone => {}
            "Ingress" => self.consider_ingress(reach, object),
            "TargetGroupBinding" => self.bindings.add(key(object), now),
            "Service" => {
                let concerned = all["Ingress"].iter().filter(|ingress| refers(ingress, object));
                concerned.for_each(|ingress| self.consider_ingress(reach, ingress));
                self.consider_bindings(name(object), object, all, now);
            }
            "EndpointSlice" => {
                let service = texts(object, "/metadata/labels").remove("kubernetes.io/service-name");
                // Of a slice that is gone, its name tells whose it was: the Service's and a few letters.
                let of_name = || name(object).rsplit_once('-').map(|(service, _)| service.to_owned());
                if let Some(service) = service.or_else(of_name) {
                    self.consider_bindings(&service, object, all, now);
                }
            }
            // Classes, and what is said of them, concern all Ingresses.
            _ => all["Ingress"].iter().for_each(|ingress| self.consider_ingress(reach, ingress)),
        }
    }

    /// Puts the bindings of a Service on the list.
    fn consider_bindings(&mut self, service: &str, object: &Value, all: &Objects, now: Timestamp) {
        let is_bound = |binding: &&Value| {
            namespace(binding) == namespace(object) && text(binding, "/spec/serviceRef/name") == service
        };
        all["TargetGroupBinding"]
            .iter()
            .filter(is_bound)
            .for_each(|binding| self.bindings.add(key(binding), now));
    }

    /// Puts the groups on the list that an Ingress belongs to, or did.
    fn consider_ingress(&mut self, reach: &mut dyn Reach, ingress: &Value) {
        let now = reach.now();
        match group::membership(reach, &self.settings, ingress) {
            Ok(Some((group, _))) => self.groups.add(group, now),
            Err(trouble @ Trouble::Other(_)) => {
                let mut work = Work { reach, settings: &self.settings, memory: &mut self.memory };
                let message = format!("failed load groupID due to {trouble}");
                events::tell(&mut work, (INGRESS, ingress), Mood::Warning, ("FailedLoadGroupID", &message));
            }
            // The API server is asked again when the group is loaded.
            Ok(None) | Err(Trouble::Api { .. } | Trouble::Aws { .. }) => {}
        }
        for group in GroupId::holding(ingress) {
            self.groups.add(group, now);
        }
    }
}

/// All watched objects, by kind.
type Objects = BTreeMap<&'static str, Vec<Value>>;

/// What there is to be seen.
struct Sight {
    changed: Vec<(Resource, Value)>,
    objects: Objects,
}

fn note<K: Ord + Clone>(queue: &mut Queue<K>, key: K, done: &Done<()>, now: Timestamp) {
    match done {
        Ok(()) => queue.succeeded(&key),
        Err(_) => queue.failed(key, now),
    }
}

/// Returns what of an object matters: a change of its status or its finalizers is no reason to look at an
/// Ingress, but every change of a binding is.
fn matters(resource: Resource, object: &Value) -> String {
    let metadata = &object["metadata"];
    let matters = match resource.kind {
        "TargetGroupBinding" => json!([metadata["uid"], metadata["resourceVersion"]]),
        "EndpointSlice" => json!([metadata["uid"], object["endpoints"], object["ports"]]),
        _ => {
            json!([metadata["uid"], metadata["annotations"], metadata["deletionTimestamp"], object["spec"],])
        }
    };
    matters.to_string()
}

/// Tells whether an Ingress names a Service, in a backend or in an action that an annotation describes.
fn refers(ingress: &Value, service: &Value) -> bool {
    let name = name(service);
    let is_named = |backend: &Value| text(backend, "/service/name") == name;
    let rules = object::items(ingress, "/spec/rules").iter();
    let mut paths = rules.flat_map(|rule| object::items(rule, "/http/paths"));
    let in_annotation = || {
        let annotations = texts(ingress, "/metadata/annotations");
        annotations.iter().any(|(key, value)| key.contains("/actions.") && value.contains(name))
    };
    namespace(ingress) == namespace(service)
        && (paths.any(|path| is_named(&path["backend"]))
            || is_named(&ingress["spec"]["defaultBackend"])
            || in_annotation())
}

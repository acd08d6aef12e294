//! Definitions of custom resources: their names are accepted, and a moment later their objects are served.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{after, is_going, set_condition};
use crate::cluster::body::text;
use crate::cluster::custom;
use crate::cluster::store::Key;
use crate::cluster::{ControlPlane, time};

/// For how long the server does not know a kind yet whose definition is established.
const LATENCY: SignedDuration = SignedDuration::from_millis(500);
/// After how many seconds it is looked again whether the objects of a definition are gone.
const LOOKED: i64 = 1;

/// Tells whether the objects of a definition are served.
pub(in crate::cluster) fn is_served(definition: &Value, now: Timestamp) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    let mut established =
        conditions.into_iter().flatten().filter(|condition| condition["type"] == "Established");
    established.any(|condition| {
        let since = text(&condition["lastTransitionTime"]).parse::<Timestamp>();
        condition["status"] == "True" && since.is_ok_and(|since| now.duration_since(since) >= LATENCY)
    })
}

/// Looks at a definition.
pub(super) fn look(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let Some(definition) = plane.store.get(key).cloned() else { return };
    if is_going(&definition) {
        remove_objects(plane, key, now);
        return;
    }
    let names = definition["spec"]["names"].clone();
    let condition = |of: &str, reason: &str, message: &str| {
        json!({
            "type": of, "status": "True", "lastTransitionTime": time(now), "reason": reason, "message": message,
        })
    };
    plane.change("kube-apiserver", key, "status", now, |definition| {
        let status = &mut definition["status"];
        set_condition(
            &mut status["conditions"],
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        );
        let message = "the initial names have been accepted";
        set_condition(&mut status["conditions"], condition("Established", "InitialNamesAccepted", message));
        status["acceptedNames"] = names;
    });
}

fn remove_objects(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let objects: Vec<Key> = plane.store.keys_of(&key.name);
    for object in objects {
        let is_left = plane.store.get(&object).is_some_and(|object| is_going(object));
        if !is_left {
            plane.discard(&object, "Background", now);
        }
    }
    if plane.store.keys_of(&key.name).is_empty() {
        plane.change("kube-apiserver", key, "", now, |definition| {
            if let Some(metadata) = definition["metadata"].as_object_mut() {
                let others = metadata.get("finalizers").and_then(Value::as_array).into_iter().flatten();
                let others: Vec<_> =
                    others.filter(|finalizer| *finalizer != custom::CLEANUP).cloned().collect();
                metadata.insert("finalizers".to_owned(), json!(others));
            }
        });
    } else {
        plane.later(key, after(now, LOOKED));
    }
}

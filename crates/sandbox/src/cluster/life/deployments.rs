//! Deployments: a replica set for each form of the pods, and a way from one to the next.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::pods::hash;
use super::{MANAGER, after, is_going, owned_by};
use crate::cluster::body::text;
use crate::cluster::store::Key;
use crate::cluster::{ControlPlane, time};

const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Looks at a deployment.
pub(super) fn look(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let Some(deployment) = plane.store.get(key).cloned() else { return };
    if !is_going(&deployment) && deployment["spec"]["paused"] != true {
        let current = match sets(plane, &deployment).into_iter().find(|set| is_of(set, &deployment)) {
            Some(current) => Some(current),
            None => make_set(plane, key, &deployment, now),
        };
        let Some(current) = current else { return };
        revise(plane, key, &deployment, &current, now);
        scale(plane, key, &deployment, &current, now);
    }
    show(plane, key, now);
}

/// Returns the replica sets of a deployment.
fn sets(plane: &ControlPlane, deployment: &Value) -> Vec<Arc<Value>> {
    let keys = plane.store.owned_by(text(&deployment["metadata"]["uid"]));
    keys.iter().filter_map(|key| plane.store.get(key).cloned()).filter(|set| !is_going(set)).collect()
}

/// Tells whether a set's pods are as the deployment wants them now.
fn is_of(set: &Value, deployment: &Value) -> bool {
    let mut template = set["spec"]["template"].clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.shift_remove(HASH);
    }
    template == deployment["spec"]["template"]
}

fn make_set(plane: &mut ControlPlane, key: &Key, deployment: &Value, now: Timestamp) -> Option<Arc<Value>> {
    let spec = &deployment["spec"];
    let hash = hash(&spec["template"]);
    let mut template = spec["template"].clone();
    template["metadata"]["labels"][HASH] = json!(hash);
    let mut selector = spec["selector"].clone();
    selector["matchLabels"][HASH] = json!(hash);
    let revisions = sets(plane, deployment);
    let last = revisions
        .iter()
        .filter_map(|set| text(&set["metadata"]["annotations"][REVISION]).parse::<u64>().ok());
    let revision = last.max().unwrap_or(0) + 1;
    let wanted = number(&spec["replicas"]);
    let total: i64 = revisions.iter().map(|set| number(&set["spec"]["replicas"])).sum();
    let most = wanted + surge(spec);
    let first = if text(&spec["strategy"]["type"]) == "Recreate" && total > 0 {
        0
    } else {
        (most - total).min(wanted).max(0)
    };
    let name = format!("{}-{hash}", key.name);
    let set = json!({
        "metadata": {
            "name": name, "namespace": key.namespace, "labels": template["metadata"]["labels"],
            "annotations": {
                "deployment.kubernetes.io/desired-replicas": wanted.to_string(),
                "deployment.kubernetes.io/max-replicas": most.to_string(),
                REVISION: revision.to_string(),
            },
            "ownerReferences": [owned_by(deployment, "deployments.apps")],
        },
        "spec": { "replicas": first, "selector": selector, "template": template },
    });
    let made = plane.make(MANAGER, "replicasets.apps", &set, now);
    let message = format!("Created new replica set {name:?}");
    progress(plane, key, ("True", "NewReplicaSetCreated"), &message, now);
    if first > 0 {
        let message = format!("Scaled up replica set {name} from 0 to {first}");
        plane.tell(deployment, key, ("ScalingReplicaSet", "Normal"), "deployment-controller", &message, now);
    }
    made
}

fn progress(plane: &mut ControlPlane, key: &Key, of: (&str, &str), message: &str, now: Timestamp) {
    let (status, reason) = of;
    plane.change(MANAGER, key, "status", now, |deployment| {
        set_condition(
            &mut deployment["status"]["conditions"],
            condition("Progressing", status, reason, message, now),
        );
    });
}

/// Sets a condition. One that changes comes last.
fn set_condition(conditions: &mut Value, wanted: Value) {
    let mut all = conditions.as_array().cloned().unwrap_or_default();
    let place = all.iter().position(|condition| condition["type"] == wanted["type"]);
    let before = place.map(|place| all[place].clone());
    let is_same =
        |before: &Value| before["status"] == wanted["status"] && before["reason"] == wanted["reason"];
    if before.as_ref().is_some_and(is_same)
        && before.as_ref().is_some_and(|it| it["message"] == wanted["message"])
    {
        return;
    }
    let mut wanted = wanted;
    if let Some(before) = before.filter(|before| before["status"] == wanted["status"]) {
        wanted["lastTransitionTime"] = before["lastTransitionTime"].clone();
    }
    all.retain(|condition| condition["type"] != wanted["type"]);
    all.push(wanted);
    *conditions = Value::Array(all);
}

fn condition(of: &str, status: &str, reason: &str, message: &str, now: Timestamp) -> Value {
    json!({
        "type": of, "status": status, "lastUpdateTime": time(now), "lastTransitionTime": time(now),
        "reason": reason, "message": message,
    })
}

/// Notes which revision a deployment is at.
fn revise(plane: &mut ControlPlane, key: &Key, deployment: &Value, current: &Value, now: Timestamp) {
    let all = sets(plane, deployment);
    let revision = |set: &Value| text(&set["metadata"]["annotations"][REVISION]).parse::<u64>().unwrap_or(0);
    let own = revision(current);
    let others = all.iter().filter(|set| set["metadata"]["uid"] != current["metadata"]["uid"]);
    let last = others.map(|set| revision(set)).max().unwrap_or(0);
    let own = own.max(last + 1);
    let set = Key::new("replicasets.apps", &key.namespace, text(&current["metadata"]["name"]));
    plane.change(MANAGER, &set, "", now, |set| {
        set["metadata"]["annotations"][REVISION] = json!(own.to_string());
    });
    plane.change(MANAGER, key, "status", now, |deployment| {
        if !deployment["metadata"]["annotations"].is_object() {
            deployment["metadata"]["annotations"] = json!({});
        }
        deployment["metadata"]["annotations"][REVISION] = json!(own.to_string());
    });
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

/// Returns a number of replicas that is written as such or as a share.
fn share(value: &Value, of: i64, rounds_up: bool) -> i64 {
    match value {
        Value::String(text) => {
            let share: i64 = text.trim_end_matches('%').parse().unwrap_or(0);
            if rounds_up { (share * of + 99) / 100 } else { share * of / 100 }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => number(value),
    }
}

fn surge(spec: &Value) -> i64 {
    share(&spec["strategy"]["rollingUpdate"]["maxSurge"], number(&spec["replicas"]), true)
}

/// Lets the current set grow and the others shrink, as far as the strategy allows now.
fn scale(plane: &mut ControlPlane, key: &Key, deployment: &Value, current: &Value, now: Timestamp) {
    let spec = &deployment["spec"];
    let wanted = number(&spec["replicas"]);
    let all = sets(plane, deployment);
    let uid = &current["metadata"]["uid"];
    let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|set| set["metadata"]["uid"] == *uid);
    let Some(own) = own.first() else { return };
    let of_others: i64 = others.iter().map(|set| number(&set["spec"]["replicas"])).sum();
    let own_wanted = number(&own["spec"]["replicas"]);
    let is_recreated = text(&spec["strategy"]["type"]) == "Recreate";
    let target = if is_recreated {
        let gone = others.iter().all(|set| number(&set["status"]["replicas"]) == 0);
        if gone { wanted } else { 0 }
    } else {
        (wanted + surge(spec) - of_others).min(wanted).max(own_wanted.min(wanted))
    };
    resize(plane, key, deployment, own, target, now);
    let unavailable = share(&spec["strategy"]["rollingUpdate"]["maxUnavailable"], wanted, false);
    // Both may round to nothing: then one has to be unavailable for a moment.
    let unavailable = if surge(spec) == 0 { unavailable.max(1) } else { unavailable };
    let available = number(&own["status"]["availableReplicas"]).min(target);
    let mut left = if is_recreated { 0 } else { (wanted - unavailable - available).max(0) };
    for set in others {
        let ready = number(&set["status"]["availableReplicas"]).min(number(&set["spec"]["replicas"]));
        let kept = ready.min(left);
        left -= kept;
        resize(plane, key, deployment, &set, kept, now);
    }
}

fn resize(plane: &mut ControlPlane, key: &Key, deployment: &Value, set: &Value, target: i64, now: Timestamp) {
    let before = number(&set["spec"]["replicas"]);
    let name = text(&set["metadata"]["name"]);
    let at = Key::new("replicasets.apps", &key.namespace, name);
    let wanted = number(&deployment["spec"]["replicas"]);
    let most = wanted + surge(&deployment["spec"]);
    plane.change(MANAGER, &at, "", now, |set| {
        set["spec"]["replicas"] = json!(target);
        let annotations = &mut set["metadata"]["annotations"];
        annotations["deployment.kubernetes.io/desired-replicas"] = json!(wanted.to_string());
        annotations["deployment.kubernetes.io/max-replicas"] = json!(most.to_string());
    });
    if before != target {
        let way = if target > before { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {name} from {before} to {target}");
        plane.tell(deployment, key, ("ScalingReplicaSet", "Normal"), "deployment-controller", &message, now);
    }
}

/// Shows how far a deployment is.
fn show(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let Some(deployment) = plane.store.get(key).cloned() else { return };
    let all = sets(plane, &deployment);
    let sum = |field: &str| -> i64 { all.iter().map(|set| number(&set["status"][field])).sum() };
    let current = all.iter().find(|set| is_of(set, &deployment));
    let updated = current.map_or(0, |set| number(&set["status"]["replicas"]));
    let (replicas, ready, available) = (sum("replicas"), sum("readyReplicas"), sum("availableReplicas"));
    let spec = &deployment["spec"];
    let wanted = number(&spec["replicas"]);
    let asked: i64 = all.iter().map(|set| number(&set["spec"]["replicas"])).sum();
    let missing = (asked.max(wanted) - available).max(0);
    let unavailable = share(&spec["strategy"]["rollingUpdate"]["maxUnavailable"], wanted, false);
    let is_available = available >= wanted - unavailable;
    let is_complete = updated == wanted && replicas == wanted && available == wanted;
    let name = current.map(|set| text(&set["metadata"]["name"]).to_owned()).unwrap_or_default();
    let before = deployment["status"].clone();
    let has_moved = number(&before["updatedReplicas"]) < updated
        || number(&before["readyReplicas"]) < ready
        || number(&before["availableReplicas"]) < available;
    let late = if is_complete { None } else { deadline(&deployment, now) };
    if let Some(at) = late.filter(|at| *at > now) {
        plane.later(key, at);
    }
    plane.change(MANAGER, key, "status", now, |deployment| {
        let generation = deployment["metadata"]["generation"].clone();
        let mut conditions = deployment["status"]["conditions"].take();
        let (status, reason, message) = if is_available {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        set_condition(&mut conditions, condition("Available", status, reason, message, now));
        let moved = if is_complete {
            Some((
                "True",
                "NewReplicaSetAvailable",
                format!("ReplicaSet {name:?} has successfully progressed."),
            ))
        } else if late.is_some_and(|at| at <= now) && !has_moved {
            Some((
                "False",
                "ProgressDeadlineExceeded",
                format!("ReplicaSet {name:?} has timed out progressing."),
            ))
        } else if has_moved {
            Some(("True", "ReplicaSetUpdated", format!("ReplicaSet {name:?} is progressing.")))
        } else {
            None
        };
        if let Some((status, reason, message)) = moved {
            set_condition(&mut conditions, condition("Progressing", status, reason, &message, now));
        }
        let mut shown = json!({ "observedGeneration": generation });
        for (field, count) in [
            ("replicas", replicas),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", available),
            ("unavailableReplicas", missing),
        ] {
            if count > 0 {
                shown[field] = json!(count);
            }
        }
        shown["terminatingReplicas"] = json!(0);
        shown["conditions"] = conditions;
        deployment["status"] = shown;
    });
}

/// Returns until when a deployment has to have moved on.
fn deadline(deployment: &Value, now: Timestamp) -> Option<Timestamp> {
    let seconds = deployment["spec"]["progressDeadlineSeconds"].as_i64()?;
    let conditions = deployment["status"]["conditions"].as_array();
    let progress = conditions.into_iter().flatten().find(|condition| condition["type"] == "Progressing");
    let since = progress.filter(|condition| condition["reason"] != "NewReplicaSetAvailable");
    let since = since.and_then(|condition| text(&condition["lastUpdateTime"]).parse().ok()).unwrap_or(now);
    Some(after(since, seconds))
}

//! Replica sets: as many pods as are wanted.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{MANAGER, is_going, is_ready, owned_by};
use crate::cluster::ControlPlane;
use crate::cluster::body::text;
use crate::cluster::store::Key;

/// Looks at a replica set.
pub(super) fn look(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let Some(set) = plane.store.get(key).cloned() else { return };
    let mut pods = active_pods(plane, &set);
    let wanted = usize::try_from(set["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or(0);
    if !is_going(&set) {
        while pods.len() < wanted {
            let Some(pod) = make_pod(plane, key, &set, now) else { break };
            pods.push(pod);
        }
        // Those that are not ready go first.
        pods.sort_by_key(|pod| !is_ready(pod));
        for pod in pods.split_off(wanted.min(pods.len())) {
            let pod = Key::new("pods", &key.namespace, text(&pod["metadata"]["name"]));
            plane.discard(&pod, "Background", now);
        }
    }
    let pods = active_pods(plane, &set);
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    plane.change(MANAGER, key, "status", now, |set| {
        let generation = set["metadata"]["generation"].clone();
        let status = &mut set["status"];
        *status = json!({ "replicas": pods.len() });
        for (field, count) in
            [("fullyLabeledReplicas", pods.len()), ("readyReplicas", ready), ("availableReplicas", ready)]
        {
            if count > 0 {
                status[field] = json!(count);
            }
        }
        status["observedGeneration"] = generation;
        status["terminatingReplicas"] = json!(0);
    });
}

/// Returns the pods of a set that are not going.
fn active_pods(plane: &ControlPlane, set: &Value) -> Vec<Arc<Value>> {
    let keys = plane.store.owned_by(text(&set["metadata"]["uid"]));
    let pods =
        keys.iter().filter(|key| key.resource == "pods").filter_map(|key| plane.store.get(key).cloned());
    pods.filter(|pod| !is_going(pod)).collect()
}

fn make_pod(plane: &mut ControlPlane, key: &Key, set: &Value, now: Timestamp) -> Option<Arc<Value>> {
    let template = &set["spec"]["template"];
    let mut metadata = json!({
        "generateName": format!("{}-", key.name), "namespace": key.namespace,
        "labels": template["metadata"]["labels"], "ownerReferences": [owned_by(set, "replicasets.apps")],
    });
    if !template["metadata"]["annotations"].is_null() {
        metadata["annotations"] = template["metadata"]["annotations"].clone();
    }
    plane.make(MANAGER, "pods", &json!({ "metadata": metadata, "spec": template["spec"] }), now)
}

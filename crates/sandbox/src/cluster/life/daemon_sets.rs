//! Daemon sets: a pod on each node.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{MANAGER, is_going, is_ready, owned_by, pods};
use crate::cluster::ControlPlane;
use crate::cluster::body::text;
use crate::cluster::store::Key;

const REVISION: &str = "controller-revision-hash";

/// Looks at a daemon set.
pub(super) fn look(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let Some(set) = plane.store.get(key).cloned() else { return };
    let revision = pods::hash(&set["spec"]["template"]);
    let nodes = wanted_nodes(plane, &set);
    if !is_going(&set) {
        let mut having = by_node(plane, &set);
        for node in &nodes {
            if having.remove(node).is_none() {
                make_pod(plane, key, &set, (node, &revision), now);
            }
        }
        // The pods of nodes that are not meant any more.
        for pod in having.values() {
            discard(plane, key, pod, now);
        }
        renew(plane, key, &set, (&revision, nodes.len()), now);
    }
    show(plane, key, (&revision, nodes.len()), now);
}

/// Returns the nodes that a set wants a pod on.
fn wanted_nodes(plane: &ControlPlane, set: &Value) -> Vec<String> {
    let names = plane.machines.iter().map(|machine| machine.name.clone());
    let template = &set["spec"]["template"];
    names.filter(|name| pods::is_selected(plane, name, template)).collect()
}

/// Returns the pods of a set that are not going, by the node that each is for.
fn by_node(plane: &ControlPlane, set: &Value) -> BTreeMap<String, Arc<Value>> {
    let keys = plane.store.owned_by(text(&set["metadata"]["uid"]));
    let pods =
        keys.iter().filter(|key| key.resource == "pods").filter_map(|key| plane.store.get(key).cloned());
    pods.filter(|pod| !is_going(pod)).map(|pod| (pods::meant_node(&pod).to_owned(), pod)).collect()
}

fn make_pod(plane: &mut ControlPlane, key: &Key, set: &Value, of: (&str, &str), now: Timestamp) {
    let (node, revision) = of;
    let template = &set["spec"]["template"];
    let mut labels = template["metadata"]["labels"].clone();
    labels[REVISION] = json!(revision);
    labels["pod-template-generation"] = json!(set["metadata"]["generation"].to_string());
    let mut metadata = json!({
        "generateName": format!("{}-", key.name), "namespace": key.namespace, "labels": labels,
        "ownerReferences": [owned_by(set, "daemonsets.apps")],
    });
    if !template["metadata"]["annotations"].is_null() {
        metadata["annotations"] = template["metadata"]["annotations"].clone();
    }
    let mut spec = template["spec"].clone();
    let field = json!({ "key": "metadata.name", "operator": "In", "values": [node] });
    spec["affinity"] = json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{ "matchFields": [field] }],
    } } });
    let pod = json!({ "metadata": metadata, "spec": spec });
    if let Some(pod) = plane.make(MANAGER, "pods", &pod, now) {
        let message = format!("Created pod: {}", text(&pod["metadata"]["name"]));
        plane.tell(set, key, ("SuccessfulCreate", "Normal"), "daemonset-controller", &message, now);
    }
}

fn discard(plane: &mut ControlPlane, key: &Key, pod: &Value, now: Timestamp) {
    plane.discard(&Key::new("pods", &key.namespace, text(&pod["metadata"]["name"])), "Background", now);
}

/// Ends pods of an older form, as many as may be missing at once; the next look makes new ones.
fn renew(plane: &mut ControlPlane, key: &Key, set: &Value, of: (&str, usize), now: Timestamp) {
    let (revision, wanted) = of;
    let strategy = &set["spec"]["updateStrategy"];
    if text(&strategy["type"]) == "OnDelete" {
        return;
    }
    let most = pods::share(&strategy["rollingUpdate"]["maxUnavailable"], wanted).max(1);
    let pods = by_node(plane, set);
    let ready = pods.values().filter(|pod| is_ready(pod)).count();
    let mut left = most.saturating_sub(wanted.saturating_sub(ready));
    let is_old = |pod: &&Arc<Value>| text(&pod["metadata"]["labels"][REVISION]) != revision;
    for pod in pods.values().filter(is_old) {
        // Those that serve nobody are no loss.
        if is_ready(pod) {
            if left == 0 {
                continue;
            }
            left -= 1;
        }
        discard(plane, key, pod, now);
    }
}

/// Shows how far a set is.
fn show(plane: &mut ControlPlane, key: &Key, of: (&str, usize), now: Timestamp) {
    let (revision, wanted) = of;
    let Some(set) = plane.store.get(key).cloned() else { return };
    let pods = by_node(plane, &set);
    let count = |is_counted: &dyn Fn(&Value) -> bool| pods.values().filter(|pod| is_counted(pod)).count();
    let ready = count(&is_ready);
    let updated = count(&|pod| text(&pod["metadata"]["labels"][REVISION]) == revision);
    plane.change(MANAGER, key, "status", now, |set| {
        let generation = set["metadata"]["generation"].clone();
        let status = &mut set["status"];
        *status = json!({
            "currentNumberScheduled": pods.len(), "numberMisscheduled": 0, "desiredNumberScheduled": wanted,
            "numberReady": ready, "observedGeneration": generation,
        });
        for (field, count) in [
            ("updatedNumberScheduled", updated),
            ("numberAvailable", ready),
            ("numberUnavailable", wanted.saturating_sub(ready)),
        ] {
            if count > 0 {
                status[field] = json!(count);
            }
        }
    });
}

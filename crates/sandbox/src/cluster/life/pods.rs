//! Pods: they get a node and an address, become ready, and end.
//!
//! An image with the tag `broken` cannot be pulled: its pods never become ready.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{after, is_going, nodes};
use crate::cluster::body::text;
use crate::cluster::selector::Labels;
use crate::cluster::store::Key;
use crate::cluster::{ControlPlane, Machine, time};

/// How many seconds a pod takes to become ready once it has a node.
const STARTED: i64 = 8;
/// How many seconds a pod takes to end.
const ENDED: i64 = 2;
/// How many seconds the containers of a job work.
pub(super) const WORKED: i64 = 5;

/// Tells whether a pod is ready.
pub(in crate::cluster) fn is_ready(pod: &Value) -> bool {
    has_condition(pod, "Ready")
}

fn has_condition(pod: &Value, of: &str) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| condition["type"] == of && condition["status"] == "True")
}

/// Looks at a pod.
pub(super) fn look(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let Some(pod) = plane.store.get(key).cloned() else {
        // There is room for another one.
        nodes::look(plane);
        return;
    };
    tell_services(plane, key, &pod);
    let node = text(&pod["spec"]["nodeName"]).to_owned();
    if is_going(&pod) {
        end(plane, key, &pod, now);
    } else if node.is_empty() {
        schedule(plane, key, &pod, now);
    } else if plane.machines.iter().any(|machine| machine.name == node) {
        run(plane, key, &pod, now);
    }
}

/// Lets those services look that select a pod.
pub(super) fn tell_services(plane: &mut ControlPlane, key: &Key, pod: &Value) {
    let services = plane.store.list("services", &key.namespace);
    let meant: Vec<_> = services
        .filter(|service| {
            let selector = &service["spec"]["selector"];
            selector.is_object() && Labels::of_labels(selector).meet(&pod["metadata"]["labels"])
        })
        .map(|service| Key::new("services", &key.namespace, text(&service["metadata"]["name"])))
        .collect();
    for service in &meant {
        plane.touch(service);
    }
}

/// Returns what tells one form of pods from another: ten letters and digits, as servers write them.
pub(super) fn hash(template: &Value) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digest = Sha256::digest(template.to_string());
    digest[..10].iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

/// Returns a number of pods that is written as such or as a share of others, rounded up.
pub(super) fn share(value: &Value, of: usize) -> usize {
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    let percent = text(value).strip_suffix('%').and_then(|percent| percent.parse::<usize>().ok());
    number.or(percent.map(|percent| (percent * of).div_ceil(100))).unwrap_or(0)
}

/// Returns the one node that a pod of a daemon set is for; empty if it may be on any.
pub(super) fn meant_node(pod: &Value) -> &str {
    let required = &pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let field = &required["nodeSelectorTerms"][0]["matchFields"][0];
    if field["key"] == "metadata.name" { text(&field["values"][0]) } else { "" }
}

/// Tells whether a node has the labels that pods, as they are or as a template, want of it.
pub(super) fn is_selected(plane: &ControlPlane, node: &str, pod: &Value) -> bool {
    let selector = &pod["spec"]["nodeSelector"];
    let labels = plane.object("nodes", "", node).map(|node| &node["metadata"]["labels"]);
    !selector.is_object() || labels.is_some_and(|labels| Labels::of_labels(selector).meet(labels))
}

/// Tells whether a pod may be on a machine.
fn fits(plane: &ControlPlane, machine: &Machine, pod: &Value) -> bool {
    let meant = meant_node(pod);
    let node = plane.object("nodes", "", &machine.name);
    // The pods of daemon sets come to nodes that are closed to others too.
    let is_open = node.is_some_and(|node| node["spec"]["unschedulable"] != true) || !meant.is_empty();
    let has_room = pod["spec"]["hostNetwork"] == true
        || plane.store.placement().count(&machine.name) < machine.pod_addresses.len();
    is_open
        && has_room
        && (meant.is_empty() || meant == machine.name)
        && is_selected(plane, &machine.name, pod)
}

/// Gives a pod the machine with the fewest pods on which it may be.
fn schedule(plane: &mut ControlPlane, key: &Key, pod: &Value, now: Timestamp) {
    let free = plane.machines.iter().filter(|machine| fits(plane, machine, pod));
    let chosen = free.min_by_key(|machine| plane.store.placement().count(&machine.name));
    let Some(machine) = chosen.map(|machine| machine.name.clone()) else { return };
    plane.change("kube-scheduler", key, "binding", now, |pod| {
        pod["spec"]["nodeName"] = json!(machine);
        pod["status"]["conditions"] = json!([condition("PodScheduled", now)]);
        pod["status"]["startTime"] = json!(time(now));
    });
    plane.later(key, after(now, STARTED));
}

fn condition(of: &str, now: Timestamp) -> Value {
    json!({ "type": of, "status": "True", "lastProbeTime": null, "lastTransitionTime": time(now) })
}

/// Lets the containers of a pod run.
fn run(plane: &mut ControlPlane, key: &Key, pod: &Value, now: Timestamp) {
    let phase = text(&pod["status"]["phase"]);
    let started = text(&pod["status"]["startTime"]).parse::<Timestamp>();
    let Some(started) = started.ok().map(|start| after(start, STARTED)) else { return };
    if phase == "Pending" && now >= started {
        let is_broken = images(pod).any(|image| image.ends_with(":broken"));
        if is_broken { wait_for_image(plane, key, pod, now) } else { start(plane, key, pod, now) }
    }
    let is_of_job = super::owners(pod).any(|owner| owner["kind"] == "Job");
    if phase == "Running" && is_of_job {
        let done = after(started, WORKED);
        if now >= done { succeed(plane, key, now) } else { plane.later(key, done) }
    }
}

fn images(pod: &Value) -> impl Iterator<Item = &str> {
    pod["spec"]["containers"].as_array().into_iter().flatten().map(|container| text(&container["image"]))
}

fn wait_for_image(plane: &mut ControlPlane, key: &Key, pod: &Value, now: Timestamp) {
    let states = states(
        pod,
        |image| {
            let message = format!("Back-off pulling image {image:?}");
            json!({ "waiting": { "reason": "ImagePullBackOff", "message": message } })
        },
        false,
    );
    let is_new =
        plane.change("kubelet", key, "status", now, |pod| pod["status"]["containerStatuses"] = states);
    if is_new {
        for image in images(pod) {
            let message = format!("Failed to pull image {image:?}: not found");
            plane.tell(pod, key, ("Failed", "Warning"), "kubelet", &message, now);
        }
    }
}

fn states(pod: &Value, state: impl Fn(&str) -> Value, is_ready: bool) -> Value {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    containers
        .map(|container| {
            let image = text(&container["image"]);
            json!({
                "name": container["name"], "state": state(image), "lastState": {}, "ready": is_ready,
                "restartCount": 0, "image": image, "imageID": "", "started": is_ready,
            })
        })
        .collect()
}

fn start(plane: &mut ControlPlane, key: &Key, pod: &Value, now: Timestamp) {
    let node = text(&pod["spec"]["nodeName"]);
    let Some(machine) = plane.machines.iter().find(|machine| machine.name == node).cloned() else { return };
    let address = if pod["spec"]["hostNetwork"] == true {
        Some(machine.address)
    } else {
        let placement = plane.store.placement();
        machine.pod_addresses.iter().find(|address| !placement.is_taken(&address.to_string())).copied()
    };
    let Some(address) = address.map(|address| address.to_string()) else { return };
    let states = states(pod, |_| json!({ "running": { "startedAt": time(now) } }), true);
    plane.change("kubelet", key, "status", now, |pod| {
        let shown = &mut pod["status"];
        shown["phase"] = json!("Running");
        shown["hostIP"] = json!(machine.address.to_string());
        shown["hostIPs"] = json!([{ "ip": machine.address.to_string() }]);
        shown["podIP"] = json!(address);
        shown["podIPs"] = json!([{ "ip": address }]);
        let conditions =
            ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
        shown["conditions"] = conditions.iter().map(|of| condition(of, now)).collect();
        shown["containerStatuses"] = states;
    });
}

fn succeed(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    plane.change("kubelet", key, "status", now, |pod| {
        let states = states(
            pod,
            |_| json!({ "terminated": { "exitCode": 0, "reason": "Completed", "finishedAt": time(now) } }),
            false,
        );
        pod["status"]["phase"] = json!("Succeeded");
        pod["status"]["containerStatuses"] = states;
        pod["status"]["conditions"] = json!([condition("PodScheduled", now)]);
    });
}

/// Ends a pod a moment after it was told to.
fn end(plane: &mut ControlPlane, key: &Key, pod: &Value, now: Timestamp) {
    let grace = pod["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(0);
    let Ok(until) = text(&pod["metadata"]["deletionTimestamp"]).parse::<Timestamp>() else { return };
    let done = after(until, ENDED.min(grace) - grace);
    if now < done {
        plane.later(key, done);
        return;
    }
    if grace > 0 {
        plane.change("kubelet", key, "", now, |pod| pod["metadata"]["deletionGracePeriodSeconds"] = json!(0));
    }
}

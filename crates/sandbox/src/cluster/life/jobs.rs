//! Jobs: pods that work until they are done.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{MANAGER, is_going, owned_by};
use crate::cluster::body::text;
use crate::cluster::store::Key;
use crate::cluster::{ControlPlane, time};

/// Looks at a job.
pub(super) fn look(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let Some(job) = plane.store.get(key).cloned() else { return };
    if is_going(&job) || job["spec"]["suspend"] == true {
        return;
    }
    let uid = text(&job["metadata"]["uid"]);
    let pods: Vec<_> = plane
        .store
        .owned_by(uid)
        .iter()
        .filter(|key| key.resource == "pods")
        .filter_map(|key| plane.store.get(key).cloned())
        .collect();
    let wanted = count(&job["spec"]["completions"]).max(1);
    let done = pods.iter().filter(|pod| pod["status"]["phase"] == "Succeeded").count();
    let mut active = pods.len() - done;
    let most = count(&job["spec"]["parallelism"]).max(1);
    while done + active < wanted && active < most {
        let template = &job["spec"]["template"];
        let labels = json!({ "batch.kubernetes.io/job-name": key.name, "job-name": key.name });
        let mut labels_of_pod = template["metadata"]["labels"].clone();
        if !labels_of_pod.is_object() {
            labels_of_pod = json!({});
        }
        if let (Some(own), Some(more)) = (labels_of_pod.as_object_mut(), labels.as_object()) {
            own.extend(more.clone());
        }
        let pod = json!({
            "metadata": {
                "generateName": format!("{}-", key.name), "namespace": key.namespace, "labels": labels_of_pod,
                "ownerReferences": [owned_by(&job, "jobs.batch")],
            },
            "spec": template["spec"],
        });
        if plane.make(MANAGER, "pods", &pod, now).is_none() {
            break;
        }
        active += 1;
    }
    plane.change(MANAGER, key, "status", now, |job| {
        let status = &mut job["status"];
        if status["startTime"].is_null() {
            status["startTime"] = json!(time(now));
        }
        put_count(status, "active", active);
        put_count(status, "succeeded", done);
        if done >= wanted && status["completionTime"].is_null() {
            status["completionTime"] = json!(time(now));
            status["conditions"] = ["SuccessCriteriaMet", "Complete"]
                .iter()
                .map(|of| {
                    json!({
                        "type": of, "status": "True", "lastProbeTime": time(now), "lastTransitionTime": time(now),
                        "reason": "CompletionsReached", "message": "Reached expected number of succeeded pods",
                    })
                })
                .collect();
        }
    });
}

fn count(value: &Value) -> usize {
    value.as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
}

fn put_count(status: &mut Value, field: &str, count: usize) {
    match status.as_object_mut() {
        Some(status) if count == 0 => drop(status.shift_remove(field)),
        _ => status[field] = json!(count),
    }
}

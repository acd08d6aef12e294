//! Columns that only `-o wide` shows, and those of kinds that say how many of something there are.

use serde_json::{Value, json};

use super::{Row, items, number, told};
use crate::cluster::body::text;
use crate::cluster::selector;

const PODS_WIDE: &[Row] = &[
    ("IP", "string", 1, |object, _| told(&object["status"]["podIP"])),
    ("Node", "string", 1, |object, _| told(&object["spec"]["nodeName"])),
    ("Nominated Node", "string", 1, |object, _| told(&object["status"]["nominatedNodeName"])),
    ("Readiness Gates", "string", 1, |object, _| {
        let gates: Vec<_> =
            items(&object["spec"]["readinessGates"]).map(|gate| &gate["conditionType"]).collect();
        let met = |gate: &&&Value| {
            items(&object["status"]["conditions"])
                .any(|condition| condition["type"] == ***gate && condition["status"] == "True")
        };
        let count = gates.iter().filter(met).count();
        json!(if gates.is_empty() { "<none>".to_owned() } else { format!("{count}/{}", gates.len()) })
    }),
];

const NODES_WIDE: &[Row] = &[
    ("Internal-IP", "string", 1, |object, _| json!(address(object, "InternalIP"))),
    ("External-IP", "string", 1, |object, _| json!(address(object, "ExternalIP"))),
    ("OS-Image", "string", 1, |object, _| told(&object["status"]["nodeInfo"]["osImage"])),
    ("Kernel-Version", "string", 1, |object, _| told(&object["status"]["nodeInfo"]["kernelVersion"])),
    ("Container-Runtime", "string", 1, |object, _| {
        told(&object["status"]["nodeInfo"]["containerRuntimeVersion"])
    }),
];

const SERVICES_WIDE: &[Row] = &[("Selector", "string", 1, |object, _| {
    let selector = selector::written(&json!({ "matchLabels": object["spec"]["selector"] }));
    told(&json!(selector))
})];

const CONTAINERS: Row = ("Containers", "string", 1, |object, _| json!(of_containers(object, "name")));
const IMAGES: Row = ("Images", "string", 1, |object, _| json!(of_containers(object, "image")));
const SELECTOR: Row =
    ("Selector", "string", 1, |object, _| json!(selector::written(&object["spec"]["selector"])));

pub(super) const DAEMON_SETS: &[Row] = &[
    ("Desired", "integer", 0, |object, _| json!(number(&object["status"]["desiredNumberScheduled"]))),
    ("Current", "integer", 0, |object, _| json!(number(&object["status"]["currentNumberScheduled"]))),
    ("Ready", "integer", 0, |object, _| json!(number(&object["status"]["numberReady"]))),
    ("Up-to-date", "integer", 0, |object, _| json!(number(&object["status"]["updatedNumberScheduled"]))),
    ("Available", "integer", 0, |object, _| json!(number(&object["status"]["numberAvailable"]))),
    ("Node Selector", "string", 0, |object, _| {
        let labels = json!({ "matchLabels": object["spec"]["template"]["spec"]["nodeSelector"] });
        told(&json!(selector::written(&labels)))
    }),
];

pub(super) const BUDGETS: &[Row] = &[
    ("Min Available", "string", 0, |object, _| share(&object["spec"]["minAvailable"])),
    ("Max Unavailable", "string", 0, |object, _| share(&object["spec"]["maxUnavailable"])),
    ("Allowed Disruptions", "integer", 0, |object, _| json!(number(&object["status"]["disruptionsAllowed"]))),
];

fn share(value: &Value) -> Value {
    if value.is_null() {
        json!("N/A")
    } else {
        json!(value.as_str().map_or(value.to_string(), str::to_owned))
    }
}

fn of_containers(object: &Value, field: &str) -> String {
    let containers = items(&object["spec"]["template"]["spec"]["containers"]);
    containers.map(|container| text(&container[field])).collect::<Vec<_>>().join(",")
}

fn address(node: &Value, of: &str) -> String {
    let found = items(&node["status"]["addresses"]).find(|address| address["type"] == of);
    found.map_or_else(|| "<none>".to_owned(), |found| text(&found["address"]).to_owned())
}

/// Returns the columns that only `-o wide` shows, behind the age.
pub(super) fn wide(resource: &str) -> Vec<Row> {
    match resource {
        "pods" => PODS_WIDE.to_vec(),
        "nodes" => NODES_WIDE.to_vec(),
        "services" => SERVICES_WIDE.to_vec(),
        "daemonsets.apps" | "deployments.apps" | "jobs.batch" | "replicasets.apps" => {
            vec![CONTAINERS, IMAGES, SELECTOR]
        }
        _ => Vec::new(),
    }
}

//! Who answers for a service: the pods that it selects and that are ready.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{MANAGER, is_going, is_ready, owned_by};
use crate::cluster::body::text;
use crate::cluster::selector::Labels;
use crate::cluster::store::Key;
use crate::cluster::{ControlPlane, time};

/// Looks at a service.
pub(super) fn look(plane: &mut ControlPlane, key: &Key, now: Timestamp) {
    let endpoints = Key { resource: "endpoints".to_owned(), ..key.clone() };
    let Some(service) = plane.store.get(key).cloned() else {
        plane.discard(&endpoints, "Background", now);
        return;
    };
    if service["spec"]["selector"].as_object().is_none_or(serde_json::Map::is_empty) || is_going(&service) {
        return;
    }
    let selector = Labels::of_labels(&service["spec"]["selector"]);
    let pods = plane.store.list("pods", &key.namespace);
    let pods: Vec<_> = pods
        .filter(|pod| selector.meet(&pod["metadata"]["labels"]) && !text(&pod["status"]["podIP"]).is_empty())
        .filter(|pod| !is_going(pod))
        .cloned()
        .collect();
    let pods: Vec<&Value> = pods.iter().map(|pod| &**pod).collect();
    write_slice(plane, key, &service, &pods, now);
    write_endpoints(plane, &endpoints, &service, &pods, now);
}

/// Returns the port of a pod that a port of a service leads to.
fn target(port: &Value, pod: Option<&Value>) -> Option<i64> {
    match &port["targetPort"] {
        Value::Number(number) => number.as_i64(),
        Value::String(name) => {
            let containers = pod?["spec"]["containers"].as_array()?;
            let mut ports =
                containers.iter().flat_map(|container| container["ports"].as_array().into_iter().flatten());
            ports.find(|port| port["name"] == **name)?["containerPort"].as_i64()
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => port["port"].as_i64(),
    }
}

fn reference(pod: &Value) -> Value {
    let metadata = &pod["metadata"];
    json!({ "kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"] })
}

fn write_slice(plane: &mut ControlPlane, key: &Key, service: &Value, pods: &[&Value], now: Timestamp) {
    let ends: Vec<_> = pods
        .iter()
        .map(|pod| {
            let (ready, node) = (is_ready(pod), text(&pod["spec"]["nodeName"]));
            let mut end = json!({
                "addresses": [pod["status"]["podIP"]],
                "conditions": { "ready": ready, "serving": ready, "terminating": false },
                "targetRef": reference(pod), "nodeName": node,
            });
            let zone = &pod["metadata"]["labels"]["topology.kubernetes.io/zone"];
            let machine = plane.machines.iter().find(|machine| machine.name == node);
            if let Some(zone) =
                machine.map(|machine| json!(machine.zone)).or(zone.as_str().map(|zone| json!(zone)))
            {
                end["zone"] = zone;
            }
            end
        })
        .collect();
    let ports = service["spec"]["ports"].as_array().into_iter().flatten().filter_map(|port| {
        let number = target(port, pods.first().copied())?;
        Some(json!({ "name": text(&port["name"]), "protocol": port["protocol"], "port": number }))
    });
    let ports: Vec<_> = ports.collect();
    let (ends, ports) =
        if pods.is_empty() { (Value::Null, Value::Null) } else { (json!(ends), json!(ports)) };
    let slices = plane.store.list("endpointslices.discovery.k8s.io", &key.namespace);
    let own = slices.into_iter().find(|slice| {
        slice["metadata"]["labels"]["kubernetes.io/service-name"] == *key.name
            && slice["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"]
                == "endpointslice-controller.k8s.io"
    });
    let name = own.map(|own| text(&own["metadata"]["name"]).to_owned());
    if let Some(name) = name {
        let slice = Key::new("endpointslices.discovery.k8s.io", &key.namespace, &name);
        plane.change(MANAGER, &slice, "", now, |slice| {
            slice["endpoints"] = ends;
            slice["ports"] = ports;
        });
        return;
    }
    let slice = json!({
        "metadata": {
            "generateName": format!("{}-", key.name), "namespace": key.namespace,
            "labels": {
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                "kubernetes.io/service-name": key.name,
            },
            "annotations": { "endpoints.kubernetes.io/last-change-trigger-time": time(now) },
            "ownerReferences": [owned_by(service, "services")],
        },
        "addressType": "IPv4", "endpoints": ends, "ports": ports,
    });
    drop(plane.make(MANAGER, "endpointslices.discovery.k8s.io", &slice, now));
}

fn write_endpoints(plane: &mut ControlPlane, key: &Key, service: &Value, pods: &[&Value], now: Timestamp) {
    let addresses = |ready: bool| -> Vec<Value> {
        let chosen = pods.iter().filter(|pod| is_ready(pod) == ready);
        chosen
            .map(|pod| {
                json!({
                    "ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": reference(pod),
                })
            })
            .collect()
    };
    let ports = service["spec"]["ports"].as_array().into_iter().flatten().filter_map(|port| {
        let mut shown = json!({ "port": target(port, pods.first().copied())?, "protocol": port["protocol"] });
        if !port["name"].is_null() {
            shown["name"] = port["name"].clone();
        }
        Some(shown)
    });
    let mut subset = json!({});
    for (field, addresses) in [("addresses", addresses(true)), ("notReadyAddresses", addresses(false))] {
        if !addresses.is_empty() {
            subset[field] = json!(addresses);
        }
    }
    subset["ports"] = ports.collect();
    let subsets = if pods.is_empty() { None } else { Some(json!([subset])) };
    if plane.store.get(key).is_some() {
        plane.change(MANAGER, key, "", now, |endpoints| match (subsets, endpoints.as_object_mut()) {
            (Some(subsets), _) => endpoints["subsets"] = subsets,
            (None, Some(endpoints)) => drop(endpoints.shift_remove("subsets")),
            (None, None) => {}
        });
        return;
    }
    let mut endpoints = json!({ "metadata": {
        "name": key.name, "namespace": key.namespace,
        "labels": { "endpoints.kubernetes.io/managed-by": "endpoint-controller" },
        "annotations": { "endpoints.kubernetes.io/last-change-trigger-time": time(now) },
    } });
    if let Some(subsets) = subsets {
        endpoints["subsets"] = subsets;
    }
    drop(plane.make(MANAGER, "endpoints", &endpoints, now));
}

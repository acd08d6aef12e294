//! Nodes: the machines on which pods run, as objects.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::body::text;
use crate::cluster::store::Key;
use crate::cluster::{ControlPlane, Machine, time};

/// Makes nodes of new machines, and takes those away whose machines are gone, with their pods.
pub(super) fn sync(plane: &mut ControlPlane, now: Timestamp) {
    let wanted: BTreeSet<String> = plane.machines.iter().map(|machine| machine.name.clone()).collect();
    for key in plane.store.keys_of("nodes") {
        if !wanted.contains(&key.name) {
            plane.discard(&key, "Background", now);
        }
    }
    for machine in plane.machines.clone() {
        if plane.object("nodes", "", &machine.name).is_none() {
            let node = node(&machine);
            drop(plane.make("kubelet", "nodes", &node, now));
            let status = status(&machine, &plane.facts.version, now);
            let key = Key::new("nodes", "", &machine.name);
            plane.change("kubelet", &key, "status", now, |node| node["status"] = status);
        }
    }
    for key in plane.store.keys_of("pods") {
        let Some(pod) = plane.store.get(&key).cloned() else { continue };
        let node = text(&pod["spec"]["nodeName"]);
        if !node.is_empty() && !wanted.contains(node) {
            plane.store.delete(&key);
        }
        plane.touch(&key);
        super::pods::tell_services(plane, &key, &pod);
        plane.tell_owners(&key, Some(&pod));
    }
    for key in plane.store.keys_of("daemonsets.apps") {
        plane.touch(&key);
    }
}

/// Looks at a node that has changed: it may be open again, or have other labels.
pub(super) fn look(plane: &mut ControlPlane) {
    for pod in plane.store.placement().waiting() {
        plane.touch(&pod);
    }
}

fn node(machine: &Machine) -> Value {
    let Machine { name, instance_id, instance_type, node_group, region, zone, .. } = machine;
    json!({
        "metadata": { "name": name, "labels": {
            "beta.kubernetes.io/arch": "amd64",
            "beta.kubernetes.io/os": "linux",
            "eks.amazonaws.com/nodegroup": node_group,
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": instance_type,
            "topology.kubernetes.io/region": region,
            "topology.kubernetes.io/zone": zone,
        } },
        "spec": { "providerID": format!("aws:///{zone}/{instance_id}") },
    })
}

fn status(machine: &Machine, version: &str, now: Timestamp) -> Value {
    let size = json!({ "cpu": "2", "memory": "3977108Ki", "pods": machine.pod_addresses.len().to_string() });
    json!({
        "addresses": [
            { "type": "InternalIP", "address": machine.address.to_string() },
            { "type": "InternalDNS", "address": machine.name },
            { "type": "Hostname", "address": machine.name },
        ],
        "capacity": size, "allocatable": size,
        "conditions": [{
            "type": "Ready", "status": "True", "lastHeartbeatTime": time(now), "lastTransitionTime": time(now),
            "reason": "KubeletReady", "message": "kubelet is posting ready status",
        }],
        "nodeInfo": {
            "architecture": "amd64", "bootID": machine.instance_id, "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.12.40", "kubeProxyVersion": "", "kubeletVersion": format!("v{version}.0-eks-sandbox"),
            "machineID": machine.instance_id, "operatingSystem": "linux", "osImage": "Amazon Linux 2023",
            "systemUUID": machine.instance_id,
        },
    })
}

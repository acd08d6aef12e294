//! Which pods are on which nodes: those of daemon sets on each, others where they are wanted and have room.

use serde_json::{Value, json};

use super::Cluster;
use crate::cluster::{AddOn, Machine};

fn machine(number: u8) -> Machine {
    Machine {
        name: format!("node-{number}"),
        instance_id: format!("i-{number}"),
        instance_type: if number == 1 { "t3.medium" } else { "m5.large" }.to_owned(),
        node_group: "workers".to_owned(),
        region: "us-east-1".to_owned(),
        zone: "us-east-1a".to_owned(),
        address: [10, 0, number, 10].into(),
        pod_addresses: (20..24).map(|last| [10, 0, number, last].into()).collect(),
    }
}

fn with_machines(numbers: &[u8]) -> Cluster {
    let mut cluster = Cluster::new();
    let now = cluster.now;
    cluster.plane.set_machines(numbers.iter().map(|number| machine(*number)).collect(), now);
    cluster
}

fn pods(cluster: &mut Cluster, namespace: &str) -> Vec<Value> {
    let list = cluster.get(&format!("/api/v1/namespaces/{namespace}/pods"));
    list["items"].as_array().unwrap().clone()
}

/// Returns the nodes of pods that are ready, in order.
fn nodes(pods: &[Value]) -> Vec<String> {
    let running = pods.iter().filter(|pod| pod["status"]["phase"] == "Running");
    let mut nodes: Vec<_> =
        running.map(|pod| pod["spec"]["nodeName"].as_str().unwrap_or_default().to_owned()).collect();
    nodes.sort();
    nodes
}

fn agent(cluster: &mut Cluster, image: &str) {
    let spec = json!({
        "selector": { "matchLabels": { "app": "agent" } },
        "template": { "metadata": { "labels": { "app": "agent" } }, "spec": {
            "hostNetwork": true, "containers": [{ "name": "agent", "image": image }],
        } },
    });
    let set = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": "agent" }, "spec": spec,
    });
    let path = "/apis/apps/v1/namespaces/default/daemonsets/agent?fieldManager=me";
    cluster.ok("PATCH", path, "apply-patch+yaml", set);
}

#[test]
fn a_daemon_set_has_a_pod_on_each_node_and_renews_them_one_after_the_other() {
    let mut cluster = with_machines(&[1, 2]);
    agent(&mut cluster, "agent:1");
    cluster.wait(10);
    assert_eq!(nodes(&pods(&mut cluster, "default")), ["node-1", "node-2"]);
    let now = cluster.now;
    cluster.plane.set_machines([1, 2, 3].map(machine).to_vec(), now);
    cluster.wait(10);
    assert_eq!(nodes(&pods(&mut cluster, "default")), ["node-1", "node-2", "node-3"]);
    agent(&mut cluster, "agent:2");
    let ready = |cluster: &mut Cluster| {
        cluster.get("/apis/apps/v1/namespaces/default/daemonsets/agent")["status"]["numberReady"].clone()
    };
    for _ in 0..60 {
        cluster.wait(1);
        assert!(ready(&mut cluster).as_u64() >= Some(2), "more than one is missing at once");
    }
    let pods = pods(&mut cluster, "default");
    assert!(pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "agent:2"), "{pods:?}");
    assert_eq!(nodes(&pods).len(), 3);
    let now = cluster.now;
    cluster.plane.set_machines(vec![machine(3)], now);
    cluster.wait(5);
    assert_eq!(nodes(&self::pods(&mut cluster, "default")), ["node-3"]);
    let status = cluster.get("/apis/apps/v1/namespaces/default/daemonsets/agent")["status"].clone();
    assert_eq!((&status["desiredNumberScheduled"], &status["numberAvailable"]), (&json!(1), &json!(1)));
}

fn pod(cluster: &mut Cluster, name: &str, more: &Value) {
    let mut spec = json!({ "containers": [{ "name": "a", "image": "a:1" }] });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let pod = json!({ "metadata": { "name": name }, "spec": spec });
    cluster.ok("POST", "/api/v1/namespaces/default/pods", "json", pod);
}

#[test]
fn pods_wait_for_a_node_that_is_open_fits_and_has_an_address() {
    let mut cluster = with_machines(&[1, 2]);
    cluster.ok(
        "PATCH",
        "/api/v1/nodes/node-2",
        "merge-patch+json",
        json!({ "spec": { "unschedulable": true } }),
    );
    let large = json!({ "nodeSelector": { "node.kubernetes.io/instance-type": "m5.large" } });
    pod(&mut cluster, "large", &large);
    for number in 0..5 {
        pod(&mut cluster, &format!("any-{number}"), &json!({}));
    }
    cluster.wait(10);
    // A node has four addresses for pods.
    assert_eq!(nodes(&pods(&mut cluster, "default")), ["node-1"; 4]);
    cluster.ok(
        "PATCH",
        "/api/v1/nodes/node-2",
        "merge-patch+json",
        json!({ "spec": { "unschedulable": null } }),
    );
    cluster.wait(10);
    let all = pods(&mut cluster, "default");
    assert_eq!(nodes(&all).iter().filter(|node| *node == "node-2").count(), 2, "{all:?}");
    let addresses: std::collections::BTreeSet<_> =
        all.iter().map(|pod| pod["status"]["podIP"].as_str().unwrap()).collect();
    assert_eq!(addresses.len(), 6);
}

#[test]
fn who_waits_gets_the_place_of_a_pod_that_is_gone() {
    let mut cluster = with_machines(&[1]);
    for number in 0..5 {
        pod(&mut cluster, &format!("any-{number}"), &json!({}));
    }
    cluster.wait(10);
    let all = pods(&mut cluster, "default");
    let running = all.iter().find(|pod| pod["status"]["phase"] == "Running").unwrap();
    let name = running["metadata"]["name"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/namespaces/default/pods/{name}?gracePeriodSeconds=0");
    cluster.ok("DELETE", &path, "json", json!(null));
    cluster.wait(10);
    assert_eq!(nodes(&pods(&mut cluster, "default")).len(), 4);
}

#[test]
fn add_ons_bring_their_objects_change_them_and_take_them_along() {
    let mut cluster = with_machines(&[1, 2]);
    let add_on = |name: &str, version: &str| AddOn {
        name: name.to_owned(),
        version: version.to_owned(),
        namespace: "kube-system".to_owned(),
        replicas: 2,
    };
    let names = [
        "aws-ebs-csi-driver",
        "coredns",
        "eks-pod-identity-agent",
        "kube-proxy",
        "metrics-server",
        "vpc-cni",
    ];
    let all: Vec<_> = names.iter().map(|name| add_on(name, "v1.0.0-eksbuild.1")).collect();
    let now = cluster.now;
    cluster.plane.set_add_ons(&all, now);
    cluster.wait(20);
    let of = |cluster: &mut Cluster, plural: &str| -> Vec<String> {
        let list = cluster.get(&format!("/apis/apps/v1/namespaces/kube-system/{plural}"));
        let items = list["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of(&mut cluster, "deployments"), ["coredns", "ebs-csi-controller", "metrics-server"]);
    let sets = ["aws-node", "ebs-csi-node", "eks-pod-identity-agent", "kube-proxy"];
    assert_eq!(of(&mut cluster, "daemonsets"), sets);
    let service = cluster.get("/api/v1/namespaces/kube-system/services/kube-dns");
    assert_eq!(service["spec"]["clusterIP"], "10.100.0.10");
    let ready = cluster.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns");
    assert_eq!(ready["status"]["availableReplicas"], 2, "{ready}");
    let now = cluster.now;
    cluster.plane.set_add_ons(&[add_on("coredns", "v1.1.0-eksbuild.1")], now);
    cluster.wait(60);
    assert_eq!(of(&mut cluster, "daemonsets"), Vec::<String>::new());
    let coredns = cluster.get("/apis/apps/v1/namespaces/kube-system/deployments/coredns");
    let image = coredns["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
    assert!(image.ends_with("/coredns:v1.1.0-eksbuild.1"), "{image}");
    let pods = pods(&mut cluster, "kube-system");
    assert_eq!(nodes(&pods), ["node-1", "node-2"], "{pods:?}");
}

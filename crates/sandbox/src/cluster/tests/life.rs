//! What happens by itself in a cluster that has machines.

use serde_json::{Value, json};

use super::Cluster;
use crate::cluster::Machine;

fn with_machines() -> Cluster {
    let mut cluster = Cluster::new();
    let machine = |number: u8, zone: &str| Machine {
        name: format!("ip-10-0-{number}-10.ec2.internal"),
        instance_id: format!("i-0{number}"),
        instance_type: "t3.medium".to_owned(),
        node_group: "workers".to_owned(),
        region: "us-east-1".to_owned(),
        zone: zone.to_owned(),
        address: [10, 0, number, 10].into(),
        pod_addresses: (20..25).map(|last| [10, 0, number, last].into()).collect(),
    };
    let now = cluster.now;
    cluster.plane.set_machines(vec![machine(1, "us-east-1a"), machine(2, "us-east-1b")], now);
    cluster
}

fn apply(cluster: &mut Cluster, image: &str) -> Value {
    let spec = json!({
        "replicas": 2, "selector": { "matchLabels": { "app": "web" } },
        "template": {
            "metadata": { "labels": { "app": "web" } },
            "spec": { "containers": [{ "name": "web", "image": image, "ports": [{ "containerPort": 80 }] }] },
        },
    });
    let object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" }, "spec": spec,
    });
    let path = "/apis/apps/v1/namespaces/default/deployments/web?fieldManager=me&force=true";
    cluster.ok("PATCH", path, "apply-patch+yaml", object)
}

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/default/deployments/web";

#[test]
fn deployments_become_ready_and_services_lead_to_their_pods() {
    let mut cluster = with_machines();
    let service = json!({
        "metadata": { "name": "web" }, "spec": { "selector": { "app": "web" }, "ports": [{ "port": 80 }] },
    });
    cluster.ok("POST", "/api/v1/namespaces/default/services", "json", service);
    apply(&mut cluster, "web:1");
    let early = cluster.get(DEPLOYMENT);
    assert_eq!(early["status"]["unavailableReplicas"], 2, "{early}");
    cluster.wait(10);
    let ready = cluster.get(DEPLOYMENT);
    assert_eq!(
        (&ready["status"]["availableReplicas"], &ready["status"]["updatedReplicas"]),
        (&json!(2), &json!(2))
    );
    let endpoints = cluster.get("/api/v1/namespaces/default/endpoints/web");
    let addresses: Vec<_> =
        endpoints["subsets"][0]["addresses"].as_array().unwrap().iter().map(|it| &it["ip"]).collect();
    assert_eq!(addresses.len(), 2, "{endpoints}");
    assert_ne!(addresses[0], addresses[1]);
    apply(&mut cluster, "web:2");
    for _ in 0..6 {
        cluster.wait(10);
    }
    let rolled = cluster.get(DEPLOYMENT);
    let status = &rolled["status"];
    assert_eq!(
        (&status["observedGeneration"], &status["replicas"], &status["updatedReplicas"]),
        (&json!(2), &json!(2), &json!(2)),
        "{status}"
    );
    let pods = cluster.get("/api/v1/namespaces/default/pods");
    assert!(
        pods["items"].as_array().unwrap().iter().all(|pod| pod["spec"]["containers"][0]["image"] == "web:2"),
        "{pods}"
    );
    apply(&mut cluster, "web:broken");
    cluster.wait(700);
    let stuck = cluster.get(DEPLOYMENT);
    let conditions = stuck["status"]["conditions"].as_array().unwrap();
    assert!(conditions.iter().any(|it| it["reason"] == "ProgressDeadlineExceeded"), "{conditions:?}");
    assert_eq!(stuck["status"]["availableReplicas"], 2);
    cluster.ok("DELETE", DEPLOYMENT, "json", json!(null));
    cluster.wait(60);
    let left = cluster.get("/api/v1/namespaces/default/pods");
    assert_eq!(left["items"], json!([]));
}

#[test]
fn jobs_complete() {
    let mut cluster = with_machines();
    let template =
        json!({ "spec": { "restartPolicy": "Never", "containers": [{ "name": "it", "image": "it:1" }] } });
    let job = json!({ "metadata": { "name": "it" }, "spec": { "template": template, "completions": 2 } });
    cluster.ok("POST", "/apis/batch/v1/namespaces/default/jobs", "json", job);
    for _ in 0..6 {
        cluster.wait(10);
    }
    let done = cluster.get("/apis/batch/v1/namespaces/default/jobs/it");
    assert_eq!(done["status"]["succeeded"], 2, "{done}");
    assert_eq!(done["status"]["conditions"][1]["type"], "Complete");
}

#[test]
fn pods_go_with_their_machines_and_come_back_elsewhere() {
    let mut cluster = with_machines();
    apply(&mut cluster, "web:1");
    cluster.wait(10);
    let machines = vec![cluster.plane.machines[0].clone()];
    let now = cluster.now;
    cluster.plane.set_machines(machines, now);
    cluster.wait(20);
    let nodes = cluster.get("/api/v1/nodes");
    assert_eq!(nodes["items"].as_array().unwrap().len(), 1);
    let pods = cluster.get("/api/v1/namespaces/default/pods");
    let pods = pods["items"].as_array().unwrap();
    assert_eq!(pods.len(), 2);
    assert!(pods.iter().all(|pod| pod["spec"]["nodeName"] == "ip-10-0-1-10.ec2.internal"), "{pods:?}");
}

/// The state of a cluster is kept as a whole, and goes on as if nothing had happened.
#[test]
fn a_cluster_goes_on_from_what_was_written_down() {
    let mut cluster = with_machines();
    apply(&mut cluster, "web:1");
    let text = serde_json::to_string(&cluster.plane).unwrap();
    cluster.wait(10);
    let mut again = Cluster { plane: serde_json::from_str(&text).unwrap(), now: cluster.now };
    again.wait(0);
    assert_eq!(again.get("/api/v1/pods"), cluster.get("/api/v1/pods"));
}

//! A cluster's own side, reached with tokens of its accounts.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cluster::testing::{Request, call, token_user};
use crate::cluster::{ClusterName, User};
use crate::dispatch;
use crate::eks::testing::Ground;

fn name() -> ClusterName {
    let account = "111111111111".parse().unwrap();
    ClusterName { region: "us-east-1".to_owned(), account, name: "main".to_owned() }
}

/// Returns a token as `aws eks get-token` makes it, of somebody whose signature nobody checks.
fn token(key: &str, made: Timestamp) -> String {
    let date = made.strftime("%Y%m%dT%H%M%SZ").to_string();
    let url = format!(
        "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15\
         &X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F{}%2Fus-east-1%2Fsts%2Faws4_request\
         &X-Amz-Date={date}&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature=00",
        &date[..8]
    );
    format!("Bearer k8s-aws-v1.{}", BASE64URL_NOPAD.encode(url.as_bytes()))
}

fn get(ground: &mut Ground, user: &User, path: &str) -> Result<Value, u16> {
    let request = Request { method: "GET".to_owned(), path: path.to_owned(), ..Request::default() };
    let answer = dispatch::run(ground.account.world(), &call(&name(), user, &request));
    answer.map(|reply| reply["body"].clone()).map_err(|refusal| refusal.status)
}

#[test]
fn whoever_made_a_cluster_is_its_administrator_and_others_are_unknown() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    let now = Timestamp::now();
    let world = ground.account.world();
    let own = token_user(world, &name(), Some(&token("111111111111", now)), now).unwrap();
    assert_eq!(own.policies, [("AmazonEKSClusterAdminPolicy".to_owned(), Vec::new())]);
    assert_eq!(token_user(world, &name(), Some(&token("222222222222", now)), now), None);
    assert_eq!(token_user(world, &name(), Some(&token("111111111111", now)), Timestamp::UNIX_EPOCH), None);
    assert_eq!(token_user(world, &name(), Some("Bearer x"), now), None);
    let anonymous = token_user(world, &name(), None, now).unwrap();
    assert_eq!(get(&mut ground, &anonymous, "/api/v1/nodes"), Err(403));
    let namespaces = get(&mut ground, &own, "/api/v1/namespaces").unwrap();
    assert_eq!(namespaces["items"].as_array().unwrap().len(), 4);
}

#[test]
fn the_instances_of_node_groups_are_nodes_and_give_pods_addresses() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    ground.node_group(json!({}));
    let admin = User::new("admin", &["system:masters"]);
    let nodes = get(&mut ground, &admin, "/api/v1/nodes").unwrap();
    let instances = ground.instances();
    let nodes = nodes["items"].as_array().unwrap();
    assert!(!nodes.is_empty() && nodes.len() == instances.len(), "{nodes:?} {instances:?}");
    let name = nodes[0]["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("ip-10-0-") && name.ends_with(".ec2.internal"), "{name}");
    let pod = json!({
        "metadata": { "name": "a" }, "spec": { "containers": [{ "name": "a", "image": "a:1" }] },
    });
    let request = Request {
        method: "POST".to_owned(),
        path: "/api/v1/namespaces/default/pods".to_owned(),
        content_type: "application/json".to_owned(),
        body: pod.to_string(),
        ..Request::default()
    };
    dispatch::run(ground.account.world(), &call(&self::name(), &admin, &request)).unwrap();
    ground.account.wait(10);
    let pod = get(&mut ground, &admin, "/api/v1/namespaces/default/pods/a").unwrap();
    assert_eq!(pod["status"]["phase"], "Running");
    let address = pod["status"]["podIP"].as_str().unwrap();
    let of_interface = ground
        .interfaces()
        .into_iter()
        .any(|interface| interface.to_string().contains(&format!("\"{address}\"")));
    assert!(of_interface, "{address} belongs to no interface");
}

fn daemon_sets(ground: &mut Ground) -> Vec<String> {
    let admin = User::new("admin", &["system:masters"]);
    let list = get(ground, &admin, "/apis/apps/v1/namespaces/kube-system/daemonsets").unwrap();
    let names = list["items"].as_array().unwrap().iter();
    names.map(|set| set["metadata"]["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn add_ons_are_in_the_cluster_as_long_as_it_has_them() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    assert_eq!(daemon_sets(&mut ground), ["aws-node", "kube-proxy"]);
    let agent = json!({ "clusterName": "main", "addonName": "eks-pod-identity-agent" });
    ground.account.ok("eks:CreateAddon", agent.clone());
    ground.account.wait(60);
    assert_eq!(daemon_sets(&mut ground), ["aws-node", "eks-pod-identity-agent", "kube-proxy"]);
    ground.account.ok("eks:DeleteAddon", agent.clone());
    ground.account.wait(60);
    assert_eq!(daemon_sets(&mut ground), ["aws-node", "kube-proxy"]);
    ground.account.ok("eks:CreateAddon", agent.clone());
    ground.account.wait(60);
    let mut preserved = agent;
    preserved["preserve"] = json!(true);
    ground.account.ok("eks:DeleteAddon", preserved);
    ground.account.wait(60);
    assert_eq!(daemon_sets(&mut ground), ["aws-node", "eks-pod-identity-agent", "kube-proxy"]);
}

#[test]
fn a_bare_cluster_has_no_add_ons() {
    let mut ground = Ground::new();
    ground.cluster(json!({ "bootstrapSelfManagedAddons": false }));
    assert_eq!(daemon_sets(&mut ground), Vec::<String>::new());
}

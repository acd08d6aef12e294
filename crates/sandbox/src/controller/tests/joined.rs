//! A controller that its Deployment starts, in a cluster of the sandbox.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::stage::{OWNER, SUBJECT, Stage};
use crate::cluster::{self, ClusterName, MASTERS, Request, User};
use crate::eks;
use crate::fault::Faults;
use crate::playground::Playground;

const BALANCERS: (&str, &str) = ("elasticloadbalancing", "DescribeLoadBalancers");

fn cluster_name() -> ClusterName {
    let account = OWNER.parse().expect("it has twelve digits");
    ClusterName { region: "us-east-1".to_owned(), account, name: "main".to_owned() }
}

fn add_role(stage: &mut Stage, name: &str, service: &str, policies: &[&str]) {
    let actions = ["sts:AssumeRole", "sts:TagSession"];
    let statement = json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": actions });
    let trust = json!({ "Statement": [statement] }).to_string();
    stage.ok("iam", "CreateRole", json!({ "RoleName": name, "AssumeRolePolicyDocument": trust }));
    for policy in policies {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        stage.ok("iam", "AttachRolePolicy", json!({ "RoleName": name, "PolicyArn": arn }));
    }
}

/// Makes a cluster with nodes, whose pods the role of the controller trusts.
fn make_cluster(stage: &mut Stage) {
    add_role(stage, "cluster", "eks.amazonaws.com", &["AmazonEKSClusterPolicy"]);
    let of_nodes =
        ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"];
    add_role(stage, "nodes", "ec2.amazonaws.com", &of_nodes);
    let subnets = ["<subnet:private-a>", "<subnet:private-b>"].map(|name| stage.names[name].clone());
    let role = |name: &str| format!("arn:aws:iam::{OWNER}:role/{name}");
    let wanted = json!({
        "name": "main", "roleArn": role("cluster"), "resourcesVpcConfig": { "subnetIds": subnets },
        "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" },
    });
    stage.ok("eks", "CreateCluster", wanted);
    stage.world.clock.advance(SignedDuration::from_mins(10));
    let group =
        json!({ "clusterName": "main", "nodegroupName": "w", "subnets": subnets, "nodeRole": role("nodes") });
    stage.ok("eks", "CreateNodegroup", group);
    stage.world.clock.advance(SignedDuration::from_mins(5));
    let cluster = stage.ok("eks", "DescribeCluster", json!({ "name": "main" }))["cluster"].clone();
    let issuer = cluster["identity"]["oidc"]["issuer"].as_str().expect("it has one").to_owned();
    let provider = json!({ "Url": issuer, "ClientIDList": ["sts.amazonaws.com"] });
    stage.ok("iam", "CreateOpenIDConnectProvider", provider);
    stage.trust_issuer(&issuer, SUBJECT);
}

fn apply(playground: &mut Playground, path: &str, object: &Value) {
    let name = object["metadata"]["name"].as_str().expect("it has a name");
    let request = Request {
        method: "PATCH".to_owned(),
        path: format!("{path}/{name}"),
        query: "fieldManager=test&force=true".to_owned(),
        content_type: "application/apply-patch+yaml".to_owned(),
        body: object.to_string(),
        ..Request::default()
    };
    let user = User::new("admin", &[MASTERS]);
    let reply = cluster::perform(&mut playground.world, &cluster_name(), &user, &request);
    let reply = reply.unwrap_or_else(|refusal| panic!("{path}: {refusal}"));
    assert!(reply.status < 300, "{}", reply.body);
}

/// Lets time pass, a bit at a time, as it does while somebody looks.
fn wait(playground: &mut Playground, seconds: i64) {
    for _ in 0..seconds / 5 {
        playground.world.clock.advance(SignedDuration::from_secs(5));
        playground.let_arrive();
    }
}

fn apply_controller(playground: &mut Playground, replicas: u32) {
    let labels = json!({ "app": "lbc" });
    let container = json!({
        "name": "lbc",
        "image": "public.ecr.aws/eks/aws-load-balancer-controller:v2.13.4",
        "args": ["--cluster-name=main", "--default-target-type=ip"],
    });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "lbc", "namespace": "kube-system" },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "serviceAccountName": "aws-load-balancer-controller", "containers": [container] },
            },
        },
    });
    apply(playground, "/apis/apps/v1/namespaces/kube-system/deployments", &deployment);
}

fn apply_system(playground: &mut Playground, role: &str) {
    let definitions: Vec<Value> =
        serde_saphyr::from_multiple(include_str!("../../../chart/crds/crds.yaml")).expect("it is YAML");
    for definition in &definitions {
        apply(playground, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition);
    }
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {
            "name": "aws-load-balancer-controller", "namespace": "kube-system",
            "annotations": { "eks.amazonaws.com/role-arn": role },
        },
    });
    apply(playground, "/api/v1/namespaces/kube-system/serviceaccounts", &account);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": { "name": "lbc" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [
            { "kind": "ServiceAccount", "name": "aws-load-balancer-controller", "namespace": "kube-system" },
        ],
    });
    apply(playground, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding);
    let class = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
        "metadata": { "name": "alb" }, "spec": { "controller": "ingress.k8s.aws/alb" },
    });
    apply(playground, "/apis/networking.k8s.io/v1/ingressclasses", &class);
}

fn apply_game(playground: &mut Playground, subnets: &str, group: &str) {
    let labels = json!({ "app": "game" });
    let container = json!({ "name": "game", "image": "game-2048", "ports": [{ "containerPort": 80 }] });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "game", "namespace": "default" },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": labels },
            "template": { "metadata": { "labels": labels }, "spec": { "containers": [container] } },
        },
    });
    apply(playground, "/apis/apps/v1/namespaces/default/deployments", &deployment);
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": "game", "namespace": "default" },
        "spec": { "selector": labels, "ports": [{ "port": 80, "targetPort": 80 }] },
    });
    apply(playground, "/api/v1/namespaces/default/services", &service);
    let backend = json!({ "service": { "name": "game", "port": { "number": 80 } } });
    let path = json!({ "path": "/", "pathType": "Prefix", "backend": backend });
    let ingress = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {
            "name": "game", "namespace": "default",
            "annotations": {
                "alb.ingress.kubernetes.io/scheme": "internet-facing",
                "alb.ingress.kubernetes.io/subnets": subnets,
                "alb.ingress.kubernetes.io/security-groups": group,
            },
        },
        "spec": { "ingressClassName": "alb", "rules": [{ "http": { "paths": [path] } }] },
    });
    apply(playground, "/apis/networking.k8s.io/v1/namespaces/default/ingresses", &ingress);
}

#[test]
fn an_available_deployment_makes_load_balancers_and_takes_them_away() {
    let mut stage = Stage::new();
    make_cluster(&mut stage);
    let (subnets, group) = (
        ["<subnet:public-a>", "<subnet:public-b>"].map(|name| stage.names[name].clone()).join(","),
        stage.names["<sg:alb>"].clone(),
    );
    let mut playground = Playground::new(stage.world.clone(), Faults::new(Vec::new(), None), None);
    apply_system(&mut playground, &format!("arn:aws:iam::{OWNER}:role/AmazonEKSLoadBalancerControllerRole"));
    apply_game(&mut playground, &subnets, &group);
    wait(&mut playground, 120);
    let mut count = |playground: &Playground, list: &str, call: &str| {
        stage.world = playground.world.clone();
        stage.ok(BALANCERS.0, call, json!({}))[list].as_array().map(Vec::len)
    };
    assert_eq!(count(&playground, "LoadBalancers", BALANCERS.1), Some(0), "nobody makes any");
    apply_controller(&mut playground, 1);
    wait(&mut playground, 120);
    assert_eq!(count(&playground, "LoadBalancers", BALANCERS.1), Some(1));
    let ingress = |playground: &mut Playground| {
        eks::with_plane(&mut playground.world, &cluster_name(), |plane, _| {
            plane.object("ingresses.networking.k8s.io", "default", "game").map(|object| (**object).clone())
        })
        .flatten()
    };
    let seen = ingress(&mut playground).expect("it is there");
    assert!(seen["status"]["loadBalancer"]["ingress"][0]["hostname"].is_string(), "{seen}");
    let calls = playground.log.after(0).filter(|entry| entry.operation == "DescribeListenerAttributes");
    assert!(calls.count() > 0, "the version of the image says what it calls");
    let delete = Request {
        method: "DELETE".to_owned(),
        path: "/apis/networking.k8s.io/v1/namespaces/default/ingresses/game".to_owned(),
        ..Request::default()
    };
    let admin = User::new("admin", &[MASTERS]);
    cluster::perform(&mut playground.world, &cluster_name(), &admin, &delete).expect("it can be deleted");
    wait(&mut playground, 30);
    assert_eq!(ingress(&mut playground), None);
    assert_eq!(count(&playground, "TargetGroups", "DescribeTargetGroups"), Some(0));
}

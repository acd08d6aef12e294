//! A controller that its Deployment starts, in a cluster of the sandbox.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::stage::{OWNER, SUBJECT, Stage};
use crate::call::{Call, Parameters};
use crate::cluster::{self, ClusterName, MASTERS, Request, User};
use crate::eks;
use crate::fault::Faults;
use crate::identity::Caller;
use crate::playground::Playground;
use crate::protocol::Service;

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

/// Makes a call as the owner's administrator, which succeeds.
#[track_caller]
fn ask(playground: &mut Playground, service: &str, operation: &str, parameters: &Value) -> Value {
    let call = Call {
        service: Service::of_scope(service).expect("the sandbox has the service"),
        operation: operation.to_owned(),
        region: "us-east-1".to_owned(),
        caller: Caller::administrator(OWNER.parse().expect("it has twelve digits")),
        parameters: Parameters(parameters.as_object().cloned().expect("it is a table")),
        hidden: BTreeSet::new(),
    };
    playground.carry_out(call).0.unwrap_or_else(|refusal| panic!("{operation}: {refusal}"))
}

/// Returns the last warning that an Ingress got.
fn warning(playground: &mut Playground) -> String {
    let last = eks::with_plane(&mut playground.world, &cluster_name(), |plane, _| {
        let warnings = plane.store.list("events", "default").filter(|event| event["type"] == "Warning");
        let ours = warnings.filter(|event| event["involvedObject"]["kind"] == "Ingress");
        let last = ours.max_by_key(|event| event["lastTimestamp"].as_str().map(str::to_owned));
        last.map(|event| event["message"].as_str().unwrap_or_default().to_owned())
    });
    last.flatten().expect("there is one")
}

/// DOMAIN 5, "Pod Identity with target role", link by link: the pods are told of the role when they are made, the agent
/// runs, and both roles trust the one before.
#[test]
fn a_controller_gets_its_role_by_pod_identity() {
    let mut stage = Stage::new();
    make_cluster(&mut stage);
    add_role(&mut stage, "pods", "pods.eks.amazonaws.com", &[]);
    let role = |name: &str| format!("arn:aws:iam::{OWNER}:role/{name}");
    let target = "AmazonEKSLoadBalancerControllerRole";
    let to_target = json!({ "Statement": [
        { "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": role(target) },
    ] });
    let policy =
        json!({ "RoleName": "pods", "PolicyName": "target", "PolicyDocument": to_target.to_string() });
    stage.ok("iam", "PutRolePolicy", policy);
    let subnets = ["<subnet:public-a>", "<subnet:public-b>"].map(|name| stage.names[name].clone()).join(",");
    let group = stage.names["<sg:alb>"].clone();
    let world = &mut Playground::new(stage.world.clone(), Faults::new(Vec::new(), None), None);
    apply_system(world, "");
    apply_controller(world, 1);
    wait(world, 60);
    apply_game(world, &subnets, &group);
    wait(world, 60);
    let no_role = "Failed build model due to get identity: get credentials: failed to refresh cached credentials, no \
                   EC2 IMDS role found";
    assert!(warning(world).starts_with(no_role), "{}", warning(world));

    let association = json!({
        "clusterName": "main", "namespace": "kube-system", "serviceAccount": "aws-load-balancer-controller",
        "roleArn": role("pods"), "targetRoleArn": role(target),
    });
    let association = ask(world, "eks", "CreatePodIdentityAssociation", &association)["association"].clone();
    wait(world, 600);
    assert!(warning(world).starts_with(no_role), "pods that run already are not told of it");
    apply_controller(world, 0);
    wait(world, 120);
    apply_controller(world, 1);
    wait(world, 120);
    let no_agent = "Get \"http://169.254.170.23/v1/credentials\": dial tcp 169.254.170.23:80: connect: connection refused";
    assert!(warning(world).ends_with(no_agent), "{}", warning(world));

    let agent = json!({ "clusterName": "main", "addonName": "eks-pod-identity-agent" });
    ask(world, "eks", "CreateAddon", &agent);
    let trusting = |external_id: &Value, actions: &Value| {
        let trust = json!({ "Statement": [{
            "Effect": "Allow", "Action": actions, "Principal": { "AWS": role("pods") },
            "Condition": { "StringEquals": { "sts:ExternalId": external_id } },
        }] });
        json!({ "RoleName": target, "PolicyDocument": trust.to_string() })
    };
    let both = json!(["sts:AssumeRole", "sts:TagSession"]);
    for trust in
        [trusting(&json!("another"), &both), trusting(&association["externalId"], &json!("sts:AssumeRole"))]
    {
        ask(world, "iam", "UpdateAssumeRolePolicy", &trust);
        wait(world, 1200);
        let refused = "(AccessDeniedException): Unauthorized Exception! EKS does not have permissions to assume the \
                       target role., fault: client";
        assert!(warning(world).ends_with(refused), "{}", warning(world));
    }
    ask(world, "iam", "UpdateAssumeRolePolicy", &trusting(&association["externalId"], &both));
    wait(world, 1200);
    let made = ask(world, BALANCERS.0, BALANCERS.1, &json!({}));
    assert_eq!(made["LoadBalancers"].as_array().map(Vec::len), Some(1), "{}", warning(world));
    let mut asked = world.log.after(0).filter(|entry| entry.service == "eks-auth");
    let agent = asked.next().expect("the agent asks");
    assert!(agent.principal.contains(":assumed-role/nodes/i-"), "{}", agent.principal);
}

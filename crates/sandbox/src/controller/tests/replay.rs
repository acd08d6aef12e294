//! Plays each recording again: the same happens outside, and the controller does the same.
//!
//! What changes something is done in the same order by each half of the controller; what is only read, and the
//! events, are the same as often as they are recorded, unless something fails: how often it is tried again
//! depends on how long an attempt takes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::recording::{Act, Half, played, recorded};
use super::stage::{SUBJECT, Stage};
use crate::controller::{ApiRequest, Controller, Verb};

/// How long is waited at the end: longer than what a load balancer leaves in its subnets stays there.
const PATIENCE: f64 = 600.0;

/// What is done otherwise than recorded.
struct Difference {
    /// What recordings begin with.
    recording: &'static str,
    /// What is in the text of what was done.
    text: &'static str,
    /// Why it is not compared.
    reason: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        recording: "",
        text: "DescribeTargetHealth {\"TargetGroupArn\":\"arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/k8s-game2048-service2-#/#\",\"Targets\"",
        reason: "targets of the emulator are healthy at once; those of the sandbox are asked for until they are",
    },
    Difference {
        recording: "03",
        text: "internal-k8s-game2048",
        reason: "the DNS names of internal load balancers begin so on AWS, and not in the emulator",
    },
    Difference {
        recording: "03",
        text: "\"hostname\":\"k8s-game2048-ingress2-8a6e09ba2f",
        reason: "the other side of the line before",
    },
    Difference {
        recording: "13",
        text: "observedGeneration",
        reason: "recorded twice: the second attempt began before the first one's status had come back",
    },
    Difference {
        recording: "17",
        text: "BackendNotFound",
        reason: "the Service was gone a moment before the binding was deleted; here both are at once",
    },
    Difference {
        recording: "18",
        text: "/ingresses/ingress-2048/status",
        reason: "the new load balancer has another DNS name on AWS, and the same in the emulator",
    },
    Difference {
        recording: "",
        text: "DeleteSecurityGroup {\"GroupId\":\"<sg>\"} 400",
        reason: "the emulator has no interfaces of load balancers, which hold their groups for minutes",
    },
    Difference {
        recording: "16",
        text: "IngressClass.networking.k8s.io \\\"nginx\\\" not found",
        reason: "the class was deleted when the recording was cleaned up",
    },
];

/// Messages that the sandbox says in its own words, by what is recorded.
const WORDS: &[(&str, &str)] = &[
    (
        "The instance ID 'i-0aaaaaaaaaaaaaaa2' does not exist",
        "The IDs 'i-0aaaaaaaaaaaaaaa1, i-0aaaaaaaaaaaaaaa2' do not exist",
    ),
    (
        "The subnet ID 'subnet-0does-not-exist00' does not exist",
        "The ID 'subnet-0does-not-exist00' does not exist",
    ),
    (
        "The security group 'sg-0does-not-exist000' does not exist",
        "The ID 'sg-0does-not-exist000' does not exist",
    ),
    ("[<subnet:public-a> <subnet:public-a2>]", "[<subnet:public-a2> <subnet:public-a>]"),
];

/// Compares what was done with what is recorded.
#[track_caller]
fn check(name: &str, text: &str) {
    let recording: Value = serde_json::from_str(text).expect("it is JSON");
    let stage = play(&recording);
    let wanted = steps(&recording).filter_map(recorded);
    let wanted = comparable(name, wanted);
    let done = comparable(name, stage.deeds.iter().map(|deed| played(deed, &stage.names)));
    for half in [Half::Ingress, Half::Binding] {
        let writes = |acts: &[Act]| -> Vec<String> {
            let of = acts.iter().filter(|act| act.half == half && !act.is_read);
            let mut texts: Vec<_> = of.map(|act| act.text.clone()).collect();
            // What failed is tried again.
            texts.dedup();
            texts
        };
        assert_eq!(writes(&done), writes(&wanted), "{name}: what {half:?} changed");
    }
    let count = |acts: &[Act]| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for act in acts.iter().filter(|act| act.is_read) {
            *counts.entry(act.text.clone()).or_default() += 1;
        }
        counts
    };
    let (done_counts, wanted_counts) = (count(&done), count(&wanted));
    let keys = |counts: &BTreeMap<String, usize>| counts.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&done_counts), keys(&wanted_counts), "{name}: what was read and told");
    if !RACES.contains(&&name[..2]) {
        assert_eq!(done_counts, wanted_counts, "{name}: how often it was read and told");
    }
    check_end(stage);
}

/// Recordings in which an attempt failed, or two attempts met by chance: how often something is read and told in
/// these is not the same in every run of the real one either.
const RACES: &[&str] = &["02", "06", "07", "08", "09", "11", "12", "13", "14", "15", "17", "18", "19", "20"];

/// What is left at the end: nothing that the controller made, on either side.
#[track_caller]
fn check_end(mut stage: Stage) {
    for (service, call, list) in [
        ("elasticloadbalancing", "DescribeLoadBalancers", "LoadBalancers"),
        ("elasticloadbalancing", "DescribeTargetGroups", "TargetGroups"),
    ] {
        assert_eq!(stage.ok(service, call, json!({}))[list], json!([]));
    }
    let groups = stage.ok("ec2", "DescribeSecurityGroups", json!({}))["securityGroupInfo"].clone();
    assert!(!groups.to_string().contains("k8s-"), "{groups}");
    let left: Vec<_> = stage.api.objects.keys().filter(|path| path.contains("targetgroupbindings")).collect();
    assert_eq!(left, Vec::<&String>::new());
    let held: Vec<_> =
        stage.api.objects.values().filter(|object| !object["metadata"]["finalizers"].is_null()).collect();
    assert_eq!(held, Vec::<&Value>::new());
}

/// Returns what can be compared, in the same words.
fn comparable(name: &str, acts: impl Iterator<Item = Act>) -> Vec<Act> {
    let in_words = acts.map(|act| {
        let text = WORDS.iter().fold(act.text, |text, (recorded, own)| text.replace(recorded, own));
        Act { text: without_hashes(&text), ..act }
    });
    let differs = |act: &Act| {
        let mut differences = DIFFERENCES.iter().filter(|difference| name.starts_with(difference.recording));
        differences.any(|difference| !difference.reason.is_empty() && act.text.contains(difference.text))
    };
    in_words.filter(|act| !differs(act)).collect()
}

/// Takes the hash out of the names of target groups, which the tests of names compare: it follows from the id
/// that the API server gave the Service.
fn without_hashes(text: &str) -> String {
    const NAME: &str = "k8s-game2048-service2-";
    let mut parts = text.split(NAME);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_hexdigit());
        format!("{all}{NAME}#{rest}")
    })
}

fn steps(recording: &Value) -> impl Iterator<Item = &Value> {
    recording["steps"].as_array().expect("it has steps").iter()
}

/// Lets happen what the outside did, at its time, and the controller do what it does.
fn play(recording: &Value) -> Stage {
    let number = recording["name"].as_str().expect("it has a name")[..2].to_owned();
    let (mut stage, mut controller, mut last) = (Stage::new(), None, 0.0);
    match number.as_str() {
        "11" => stage.allow_all_but("elasticloadbalancing:CreateLoadBalancer"),
        "12" => stage.trust("system:serviceaccount:other:account"),
        "20" => stage.launch_nodes(),
        _ => {}
    }
    for step in steps(recording).filter(|step| step["by"] != "controller") {
        last = step["at_s"].as_f64().expect("it has a time");
        stage.play_until(controller.as_mut(), last);
        outside(&mut stage, &mut controller, step, &number);
    }
    if number == "17" {
        end_namespace(&mut stage, &mut controller, last);
    }
    stage.play_until(controller.as_mut(), last + PATIENCE);
    stage
}

fn outside(stage: &mut Stage, controller: &mut Option<Controller>, step: &Value, number: &str) {
    let said = step["phase"].as_str().or(step["note"].as_str()).unwrap_or_default();
    match (number, said) {
        (_, "controller starts" | "controller started again" | "controller restarted") => {
            *controller = Some(stage.controller("v2.8.2"));
        }
        (_, "controller stopped") => *controller = None,
        ("13", "namespace deleted too") => delete_bindings(stage),
        ("15", "Ingress deleted") => stage.allow_all_but("elasticloadbalancing:DeleteLoadBalancer"),
        (_, "permission granted") => stage.allow_all_but("nothing:AtAll"),
        (_, "trust fixed") => stage.trust(SUBJECT),
        (_, "scaled to 3") => stage.set_pods(&["10.0.128.11", "10.0.128.12", "10.0.128.13"]),
        (_, "scaled to 1") => stage.set_pods(&["10.0.128.12"]),
        (_, "pods become ready") => stage.set_pods(&["10.0.128.11"]),
        (_, note) if note.starts_with("2 pods") => stage.set_pods(&["10.0.128.11", "10.0.128.12"]),
        (_, "owner tags the public subnets with kubernetes.io/role/elb=1") => {
            let ids = ["<subnet:public-a>", "<subnet:public-b>"].map(|name| stage.names[name].clone());
            let tags = json!([{ "Key": "kubernetes.io/role/elb", "Value": "1" }]);
            stage.ok("ec2", "CreateTags", json!({ "ResourceId": ids, "Tag": tags }));
        }
        (_, "load balancer and listeners deleted outside") => {
            let all = stage.ok("elasticloadbalancing", "DescribeLoadBalancers", json!({}));
            let arn = &all["LoadBalancers"][0]["LoadBalancerArn"];
            stage.ok("elasticloadbalancing", "DeleteLoadBalancer", json!({ "LoadBalancerArn": arn }));
        }
        _ => {}
    }
    if step["by"] == "engine" {
        apply(stage, &step["request"]);
    }
}

/// Lets a namespace end as it is recorded: pods go one by one, then the Service and the bindings, then the rest.
fn end_namespace(stage: &mut Stage, controller: &mut Option<Controller>, since: f64) {
    let acts: [fn(&mut Stage); 3] = [
        |stage| stage.set_pods(&["10.0.128.12"]),
        |stage| stage.set_pods(&[]),
        |stage| {
            stage.api.is_ending = true;
            stage.api.delete("/api/v1/namespaces/game-2048/services/service-2048");
            delete_bindings(stage);
        },
    ];
    for (act, second) in acts.into_iter().zip([5.0, 5.1, 10.0]) {
        stage.play_until(controller.as_mut(), since + second);
        act(stage);
    }
    stage.play_until(controller.as_mut(), since + 11.0);
    stage.api.delete("/apis/networking.k8s.io/v1/namespaces/game-2048/ingresses/ingress-2048");
}

fn delete_bindings(stage: &mut Stage) {
    let paths = stage.api.objects.keys().filter(|path| path.contains("/targetgroupbindings/"));
    for path in paths.cloned().collect::<Vec<_>>() {
        stage.api.delete(&path);
    }
}

/// Carries out what the user's side changed through the API server, as far as the controller sees it.
fn apply(stage: &mut Stage, request: &Value) {
    let path = request["path"].as_str().expect("it has a path");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let is_seen = !path.ends_with("/namespaces/game-2048") && !path.contains("/deployments/");
    if !is_seen || request["method"] == "GET" {
        return;
    }
    if request["method"] == "DELETE" {
        stage.api.delete(path);
        return;
    }
    let text =
        stage.names.iter().fold(request["body"].to_string(), |text, (name, id)| text.replace(name, id));
    let body: Value = serde_json::from_str(&text).expect("it is still JSON");
    if query.contains("force") {
        stage.api.put(path, body);
    } else {
        stage.api.answer(&ApiRequest { verb: Verb::Merge, path: path.to_owned(), body: Some(body) });
    }
}

macro_rules! recordings {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                check($name, include_str!(concat!("../../../recordings/controller/", $name, ".json")));
            }
        )*
    };
}

recordings! {
    ingress_internet_facing: "01-ingress-internet-facing",
    managed_security_group: "02-managed-security-group",
    internal_scheme: "03-internal-scheme",
    group_name: "04-group-name",
    updates: "05-updates",
    no_subnets_annotation: "06-no-subnets-annotation",
    subnet_id_wrong: "07-subnet-id-wrong",
    one_zone: "08-one-zone",
    security_group_wrong: "09-security-group-wrong",
    service_missing: "10-service-missing",
    access_denied_create: "11-access-denied-create",
    assume_role_denied: "12-assume-role-denied",
    controller_stopped: "13-controller-stopped",
    deletion_protection: "14-deletion-protection",
    access_denied_delete: "15-access-denied-delete",
    other_class: "16-other-class",
    namespace_deleted: "17-namespace-deleted",
    alb_deleted_outside: "18-alb-deleted-outside",
    pods_not_ready: "19-pods-not-ready",
    managed_security_group_same_account: "20-managed-security-group-same-account",
}

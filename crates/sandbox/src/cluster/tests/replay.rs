//! Recorded exchanges with a real API server: the same requests get the same answers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::bindings::Bindings;
use super::{Cluster, admin};
use crate::cluster::door::refused;
use crate::cluster::request::{Reply, Request, Target};
use crate::cluster::status::{self, Failure};
use crate::cluster::user::{self, User};
use crate::cluster::watch::Watch;

/// Answers that are other ones here, by file and steps, and why.
const OTHERWISE: &[(&str, &[usize], &str)] = &[
    ("01", &[5, 7, 21, 22], "the kinds of the load balancer controller's chart are not installed"),
    ("01", &[24], "the documents are the sandbox's own, and so are their hashes"),
    ("01", &[26], "the recorded list is cut, and the sandbox has no aggregated servers"),
    ("05", &[0], "the object was left by another recording"),
    ("05", &[5, 6], "the server finds one of the two fields or both, as its hashes have it"),
    ("07", &[8, 12, 14, 15], "controllers act at once here, and not a second later"),
    ("08", &[0, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17, 19, 20], "there nodes were played by hand"),
    ("08", &[4], "the names of volumes are chosen at random"),
    ("09", &[0, 6, 7, 11], "there nodes were played by hand"),
    ("11", &[4, 11], "controllers act at once here, in fewer writes"),
    ("13", &[0], "names are accepted and established in one write here"),
    ("13", &[20], "the condition `Terminating` is not shown"),
    ("14", &[11], "the oldest version that is known is another one"),
    ("14", &[15], "versions are written out in the recorded text"),
    ("15", &[13], "the current version is written out in the recorded text"),
    ("15", &[15], "the same place in two lists has the same token here"),
    ("16", &[13], "rules come in the order of their bindings here"),
    ("16", &[23], "the YAML is the same, with other quotes"),
    ("16", &[34, 35], "the bodies are left out of the recording"),
    ("17", &[1, 2, 3], "the priority of a user is a matter of the sandbox's faults"),
    ("17", &[5, 6], "the pod was made by another recording"),
    ("18", &[5, 7, 10, 11], "two events have the same placeholder in their names"),
    ("30", &[32, 38, 43, 81, 90], "old pods go at once here, and there without nodes not at all"),
    ("31", &[5, 6, 14, 15, 25, 27], "old pods go at once here, and there without nodes not at all"),
    ("32", &[3, 4, 5, 7, 8, 11, 12, 18], "there nodes were played by hand"),
    ("33", &[3, 7, 27, 29], "the ages are those of that day"),
    ("33", &[8, 10, 11, 12], "there the address came twice, and was taken away in between"),
    ("33", &[31, 32, 33, 35], "there nodes were played by hand"),
    ("34", &[3, 6], "there others had written them before"),
    ("34", &[4, 5, 7, 8, 9, 36], "controllers act at once here, and not a second later"),
    ("34", &[28, 30, 31, 32], "there it was made and deleted within a second"),
    ("35", &[46, 47, 48, 49, 53, 54], "old pods go at once here, and there without nodes not at all"),
];

/// The files that were recorded right after those before them.
const CONTINUED: &[&str] = &["31", "32", "33"];

/// What somebody did beside the exchanges of a file.
type Beside = (&'static str, usize, fn(&mut Cluster));

/// Makes what a recording begins with: the objects of the game, of which the Ingress waits for its controller.
fn make_game(cluster: &mut Cluster) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cluster/tests/recordings");
    let text = std::fs::read(folder.join("30-kubectl-apply-server-side.json")).unwrap();
    let recording: Value = serde_json::from_slice(&text).unwrap();
    for step in steps(&recording).iter().filter(|step| step["request"]["method"] == "PATCH").take(4) {
        let asked = request(&step["request"], &mut Bindings::default());
        ask(cluster, &admin(), &asked);
    }
    hold_ingress(cluster, Some("ingress.k8s.aws/resources"));
}

fn hold_ingress(cluster: &mut Cluster, finalizer: Option<&str>) {
    let finalizers: Vec<_> = finalizer.into_iter().collect();
    let held = json!({ "metadata": { "finalizers": finalizers } });
    cluster.ok("PATCH", INGRESS, "merge-patch+json", held);
}

const INGRESS: &str = "/apis/networking.k8s.io/v1/namespaces/game-2048/ingresses/ingress-2048";
const GAME: &str = "/apis/apps/v1/namespaces/game-2048/deployments/deployment-2048";

const BESIDE: &[Beside] = &[
    ("13", 3, |cluster| cluster.wait_milliseconds(600)),
    ("14", 11, |cluster| cluster.plane.store.compact()),
    ("15", 0, make_pages),
    ("15", 14, |cluster| cluster.plane.store.compact()),
    ("15", 18, |cluster| cluster.wait(2)),
    ("20", 0, make_old_pages),
    ("19", 0, make_hook_service),
    ("20", 2, fill_old_pages),
    // The load balancer gets its address while somebody looks on.
    ("33", 13, |cluster| {
        let address =
            json!({ "hostname": "k8s-game2048-ingress2-0123456789-1234567890.us-east-1.elb.amazonaws.com" });
        let status = json!({ "status": { "loadBalancer": { "ingress": [address] } } });
        cluster.ok("PATCH", &format!("{INGRESS}/status?fieldManager=controller"), "merge-patch+json", status);
    }),
    ("34", 0, make_game),
    ("34", 10, |cluster| hold_ingress(cluster, None)),
    ("34", 27, make_game),
    ("30", 23, |cluster| {
        let replicas = json!({ "spec": { "replicas": 5 } });
        cluster.ok("PATCH", &format!("{GAME}?fieldManager=hand-edit"), "merge-patch+json", replicas);
        cluster.wait(1);
    }),
];

/// The recorded requests of a file whose bodies were changed after they were sent: what was sent then.
fn corrected(name: &str, step: usize, mut request: Request, cluster: &mut Cluster) -> Request {
    // The version that is to be replaced is written out in the recorded text.
    let versions = regex::Regex::new(r#"("/metadata/resourceVersion","value":)"\d+""#).unwrap();
    if versions.is_match(&request.body) {
        let now = cluster.ok("GET", &request.path, "", Value::Null);
        let version = format!("${{1}}{}", now["metadata"]["resourceVersion"]);
        request.body = versions.replace(&request.body, version).into_owned();
    }
    if name.starts_with("19") && step < 2 {
        request.body = request.body.replace("missing-service", "aws-load-balancer-webhook-service");
    }
    if name.starts_with("19") && [0, 5].contains(&step) {
        request.body = request.body.replace("Ignore", "Fail");
    }
    request
}

fn make_hook_service(cluster: &mut Cluster) {
    let spec = json!({ "selector": { "app": "controller" }, "ports": [{ "port": 443 }] });
    let service = json!({ "metadata": { "name": "aws-load-balancer-webhook-service" }, "spec": spec });
    cluster.ok("POST", "/api/v1/namespaces/kube-system/services", "json", service);
}

fn fill_old_pages(cluster: &mut Cluster) {
    for number in 0..5 {
        let path = format!("/api/v1/namespaces/rec-exp/configmaps/p{number}");
        cluster.ok("PATCH", &path, "merge-patch+json", json!({ "data": { "a": number.to_string() } }));
    }
    cluster.plane.store.compact();
}

fn make_pages(cluster: &mut Cluster) {
    let path = "/api/v1/namespaces/rec-w/configmaps";
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "b", "labels": { "app": "y" } },
        "data": { "k": "1" },
    });
    cluster.ok("PATCH", &format!("{path}/b?fieldManager=engine"), "apply-patch+yaml", map);
    cluster.wait(1);
    for number in 0..5 {
        let labels = json!({ "page": "yes", "odd": (number % 2).to_string() });
        let metadata = json!({ "name": format!("p{number}"), "labels": labels });
        let map = json!({ "metadata": metadata, "data": { "i": number.to_string() } });
        cluster.ok("POST", path, "json", map);
    }
}

fn make_old_pages(cluster: &mut Cluster) {
    for number in 0..5 {
        let metadata = json!({ "name": format!("p{number}") });
        let path = "/api/v1/namespaces/rec-exp/configmaps";
        cluster.ok("POST", path, "json", json!({ "metadata": metadata }));
    }
}

/// Something that was answered: the status, warnings, and a body or text.
struct Answer {
    status: u16,
    warnings: Vec<String>,
    body: Value,
    text: Option<(String, String)>,
}

/// A watch that goes on beside the steps.
struct Watching {
    step: usize,
    watch: Watch,
    recorded: Vec<Value>,
    told: Vec<Value>,
}

fn user(name: Option<&str>) -> User {
    match name {
        Some("admin") => admin(),
        Some(name) => User { uid: name.to_owned(), ..User::new(name, &["developers"]) },
        None => User::anonymous(),
    }
}

fn request(recorded: &Value, bindings: &mut Bindings) -> Request {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = bindings.fill(&text(&recorded["path"]));
    let (path, query) = path.split_once('?').unwrap_or((&path, ""));
    let body = match (recorded.get("body"), recorded.get("text")) {
        (Some(body), _) if !body.is_null() => body.to_string(),
        (_, Some(given)) => text(given),
        _ => String::new(),
    };
    Request {
        method: text(&recorded["method"]),
        path: path.to_owned(),
        query: query.to_owned(),
        accept: text(&recorded["headers"]["Accept"]),
        content_type: text(&recorded["headers"]["Content-Type"]),
        agent: String::new(),
        body: bindings.fill(&body),
    }
}

fn ask(cluster: &mut Cluster, user: &User, request: &Request) -> Answer {
    match cluster.ask(user, request) {
        Ok(Reply { status, body, text, warnings, .. }) => Answer { status, warnings, body, text },
        Err(failure) => refusal(failure),
    }
}

fn refusal(failure: Failure) -> Answer {
    let refusal = failure.refusal();
    let reply = refused(&refusal);
    let warnings = status::warnings(&refusal);
    Answer { status: reply.status, warnings, body: reply.body, text: reply.text }
}

/// Returns where an answer differs from the recorded one.
fn differences(recorded: &Value, answer: &Answer, bindings: &mut Bindings) -> Vec<String> {
    let mut found = Vec::new();
    if recorded["status"] != answer.status {
        found.push(format!("the status is {}, not {}", answer.status, recorded["status"]));
    }
    let warnings: Vec<_> = answer.warnings.iter().map(|warning| format!("299 - {warning:?}")).collect();
    let warning = recorded["headers"]["warning"].as_str().unwrap_or_default();
    if warnings.join(", ") != warning {
        found.push(format!("the warnings are {warnings:?}, not {warning}"));
    }
    let body = match &answer.text {
        Some((_, text)) if recorded["body"].is_object() => serde_json::from_str(text).unwrap_or_default(),
        _ => answer.body.clone(),
    };
    match (recorded.get("body"), recorded["text"].as_str()) {
        (Some(recorded), _) if !recorded.is_null() => bindings.differences(recorded, &body, "", &mut found),
        (_, Some(text)) => {
            let own =
                answer.text.as_ref().map_or_else(|| format!("{}\n", answer.body), |(_, own)| own.clone());
            if !bindings.fits(text, &own) {
                found.push(format!("the text is {own:?}, not {text:?}"));
            }
        }
        _ => {}
    }
    found
}

/// Returns the number of the latest time that an answer has.
fn latest(recorded: &Value) -> u64 {
    let times = regex::Regex::new(r"<time:(\d+)>").unwrap();
    let text = recorded.to_string();
    times.captures_iter(&text).filter_map(|found| found[1].parse().ok()).max().unwrap_or(0)
}

/// Begins a watch if that is what is asked for.
fn begin_watch(cluster: &mut Cluster, user: &User, request: &Request) -> Option<Result<Watch, Failure>> {
    let now = cluster.now;
    cluster.plane.settle(now);
    let Ok(Target::Place(place)) = request.target(&cluster.plane.kinds(now)) else { return None };
    if place.verb(request) != Ok("watch") {
        return None;
    }
    let allowed = user::check(&cluster.plane.store, user, &place, "watch");
    Some(allowed.and_then(|()| Watch::begin(&cluster.plane, &place, request, now)))
}

fn look(watching: &mut [Watching], cluster: &Cluster) {
    for watching in watching {
        let events = watching.watch.more(&cluster.plane, cluster.now);
        watching.told.extend(events);
    }
}

/// Returns the steps of a recording: its own, or those of the commands that somebody typed who may do everything.
/// Exchanges whose answers were left out or forced are notes.
fn steps(recording: &Value) -> Vec<Value> {
    let Some(commands) = recording["commands"].as_array() else {
        return recording["steps"].as_array().unwrap().clone();
    };
    let all = commands.iter().flat_map(|command| command["steps"].as_array().unwrap());
    let replayed = |step: &Value| {
        let response = step["response"].as_object().unwrap();
        let is_left_out = response.keys().any(|key| key.ends_with("left_out"));
        let is_forced = step["injected"] == true || response.contains_key("injected");
        let mut step = step.clone();
        if is_left_out || is_forced || response["status"] == 304 {
            return json!({ "note": "it is not whole" });
        }
        step["as"] = json!("admin");
        step
    };
    all.map(replayed).collect()
}

/// Replays a file, and goes on from where another one has ended. Returns what was answered otherwise, by step.
fn replay(name: &str, recording: &Value, cluster: &mut Cluster) -> BTreeMap<usize, Vec<String>> {
    let mut bindings = Bindings::default();
    let mut wrong = BTreeMap::new();
    let (mut watching, mut closed): (Vec<Watching>, Vec<Watching>) = (Vec::new(), Vec::new());
    let mut last = 1;
    prepare(cluster, recording);
    for (index, step) in steps(recording).iter().enumerate() {
        for (_, _, act) in BESIDE.iter().filter(|(file, at, _)| name.starts_with(file) && *at == index) {
            act(cluster);
        }
        look(&mut watching, cluster);
        let (Some(asked), Some(recorded)) = (step.get("request"), step.get("response")) else { continue };
        let time = latest(recorded);
        if time > last && recorded["stream"] != true {
            cluster.wait(1);
            last = time;
        }
        let request = corrected(name, index, request(asked, &mut bindings), cluster);
        let user = user(step["as"].as_str());
        if recorded["stream"] == true {
            let recorded: Vec<_> =
                recorded["lines"].as_array().unwrap().iter().map(|line| line["event"].clone()).collect();
            let Some(Ok(watch)) = begin_watch(cluster, &user, &request) else {
                wrong.insert(index, vec!["the watch is refused".to_owned()]);
                continue;
            };
            let mut begun = vec![Watching { step: index, watch, recorded, told: Vec::new() }];
            look(&mut begun, cluster);
            if step["response"]["closed_by_server"] == true {
                closed.append(&mut begun);
            } else {
                watching.append(&mut begun);
            }
            continue;
        }
        let answer = match (step["as"].as_str(), begin_watch(cluster, &user, &request)) {
            (Some("invalid-token"), _) => refusal(Failure::unauthorized()),
            (_, Some(Err(failure))) => refusal(failure),
            (_, Some(Ok(mut watch))) => {
                let events = watch.more(&cluster.plane, cluster.now);
                let text = events.iter().flat_map(|event| [event.to_string(), "\n".to_owned()]).collect();
                let text = Some(("application/json".to_owned(), text));
                Answer { status: 200, warnings: Vec::new(), body: Value::Null, text }
            }
            (_, None) => ask(cluster, &user, &request),
        };
        let found = differences(recorded, &answer, &mut bindings);
        look(&mut watching, cluster);
        if !found.is_empty() {
            wrong.insert(index, found);
        }
    }
    look(&mut watching, cluster);
    for Watching { step, recorded, told, .. } in closed.into_iter().chain(watching) {
        let mut found = Vec::new();
        bindings.differences(&Value::Array(recorded), &Value::Array(told), "", &mut found);
        if !found.is_empty() {
            wrong.insert(step, found);
        }
    }
    wrong
}

/// Makes the namespaces that were there before a recording began: those that it writes in.
fn prepare(cluster: &mut Cluster, recording: &Value) {
    let names = regex::Regex::new(r"/namespaces/(rec-[a-z]+)/").unwrap();
    let text = recording.to_string();
    let all: std::collections::BTreeSet<_> =
        names.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    for name in all.iter().filter(|name| !["rec-ns", "rec-missing", "rec-new"].contains(&name.as_str())) {
        let metadata = json!({ "name": name, "labels": { "purpose": "recording" } });
        cluster.ok("POST", "/api/v1/namespaces", "json", json!({ "metadata": metadata }));
    }
}

#[test]
fn recorded_requests_are_answered_as_recorded() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cluster/tests/recordings");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut problems, mut exchanges, mut cluster) = (Vec::new(), 0, Cluster::new());
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let recording: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        exchanges += steps(&recording).iter().filter(|step| step.get("request").is_some()).count();
        if !CONTINUED.iter().any(|number| name.starts_with(number)) {
            cluster = Cluster::new();
        }
        let wrong = replay(&name, &recording, &mut cluster);
        for (step, found) in &wrong {
            if !OTHERWISE.iter().any(|(file, at, _)| name.starts_with(file) && at.contains(step)) {
                problems.push(format!("{name} step {step}:\n    {}", found.join("\n    ")));
            }
        }
        for (file, steps, why) in OTHERWISE.iter().filter(|(file, ..)| name.starts_with(file)) {
            for step in steps.iter().filter(|step| !wrong.contains_key(step)) {
                problems.push(format!("{file} step {step} is as recorded, although: {why}"));
            }
        }
    }
    let count = problems.len();
    assert!(problems.is_empty(), "{count} of {exchanges} exchanges differ:\n{}", problems.join("\n"));
}

/// The time of a cluster is that of its calls.
#[test]
fn objects_have_the_time_of_the_call() {
    let mut cluster = Cluster::new();
    cluster.wait(5);
    let made = cluster.ok("POST", "/api/v1/namespaces", "json", json!({ "metadata": { "name": "a" } }));
    let at: Timestamp = made["metadata"]["creationTimestamp"].as_str().unwrap().parse().unwrap();
    assert_eq!(at, cluster.now);
}

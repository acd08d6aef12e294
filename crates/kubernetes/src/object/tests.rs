//! The kind against a small API server that answers as a real one was recorded to.

use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};
use straddle_engine::address::{AccountName, Address, RemoteId};
use straddle_engine::cluster::ClusterProvider;
use straddle_engine::outside::Outside;
use straddle_engine::provider::{Account, Connection, ErrorClass, ProviderError};
use straddle_engine::resource::{Home, Intent, Listing, Resource};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::attributes::ObjectInputs;
use super::listing::Objects;
use super::{Object, ObjectStep};
use crate::cluster::{Cluster, Clusters};

const UID: &str = "0a1b2c3d-0000-4000-8000-0123456789ab";

/// A request as the server has seen it: method, path with query, and body.
type Seen = (String, String, Json);

/// What is answered: the method, how the path begins, the status and the body.
type Answer = (&'static str, &'static str, u16, Json);

/// Serves until the future is done. Each request gets the first answer that fits.
async fn with_server<T>(answers: Vec<Answer>, test: impl AsyncFnOnce(&Cluster) -> T) -> (T, Vec<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let file = tempfile::NamedTempFile::new().unwrap();
    let kubeconfig = json!({
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "test",
    });
    std::fs::write(file.path(), kubeconfig.to_string()).unwrap();
    let account = Account {
        name: AccountName::new("apps"),
        id: "222222222222".to_owned(),
        region: "eu-central-1".to_owned(),
        settings: ValueMap::new(),
        stack: "test".to_owned(),
        sandbox: None,
        outside: Outside::Direct,
    };
    let path = file.path().display().to_string();
    let way = [("kubeconfig", path.as_str()), ("context", "test"), ("name", "test")];
    let way = Value::Map(way.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect());
    let connection = Clusters.connect(&account, &Connection::new(()), &way).unwrap();
    let result = tokio::select! {
        result = test(connection.client()) => result,
        () = serve(&listener, &answers, &seen) => unreachable!("it serves for ever"),
    };
    let seen = seen.lock().unwrap().clone();
    (result, seen)
}

async fn serve(listener: &TcpListener, answers: &[Answer], seen: &Mutex<Vec<Seen>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        let mut words = line.split_whitespace().map(str::to_owned);
        let (Some(method), Some(path)) = (words.next(), words.next()) else { continue };
        let mut length = 0;
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).await.unwrap();
            if header.trim().is_empty() {
                break;
            }
            if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        let fits = |answer: &&Answer| answer.0 == method && path.starts_with(answer.1);
        let missing = ("", "", 404, json!({"reason": "NotFound", "message": "not found"}));
        let (_, _, status, answer) = answers.iter().find(fits).unwrap_or(&missing);
        seen.lock().unwrap().push((method, path, body));
        let answer = answer.to_string();
        let head =
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", answer.len());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

/// The discovery document has a path that others begin with: it comes last.
fn with_discovery(mut answers: Vec<Answer>) -> Vec<Answer> {
    let resources = json!([{"name": "configmaps", "kind": "ConfigMap", "namespaced": true}]);
    answers.push(("GET", "/api/v1/namespaces/", 404, json!({"reason": "NotFound", "message": "not found"})));
    answers.push(("GET", "/api/v1", 200, json!({ "resources": resources })));
    answers
}

const PATH: &str = "/api/v1/namespaces/shop/configmaps/settings";

fn live(data: &Json) -> Json {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": {
            "name": "settings", "namespace": "shop", "uid": UID, "resourceVersion": "5",
            "labels": {"app.kubernetes.io/managed-by": "straddle"},
            "managedFields": [{"manager": "straddle", "operation": "Apply", "fieldsV1": {
                "f:data": {"f:a": {}}, "f:metadata": {"f:labels": {"f:app.kubernetes.io/managed-by": {}}},
            }}],
        },
    })
}

fn inputs(data: &str, more: &[(&str, &str)]) -> ObjectInputs {
    let manifest = format!(
        r#"{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "settings", "namespace": "shop"}}, "data": {data}}}"#
    );
    let mut inputs = ValueMap::from([
        ("cluster".to_owned(), Value::from("main")),
        ("manifest".to_owned(), straddle_engine::json::decode(&manifest).unwrap()),
    ]);
    inputs.extend(more.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))));
    let inputs = Object::canonical(Home { account_id: "222222222222", region: "r" }, inputs).unwrap();
    ObjectInputs::from_values(&inputs).unwrap()
}

fn intent() -> Intent {
    Intent {
        address: Address::new("kubernetes_object", "settings"),
        operation_id: "op-1".to_owned(),
        token: "token".to_owned(),
    }
}

fn conflict() -> Json {
    json!({"reason": "Conflict", "message": "Apply failed with 1 conflict", "details": {"causes": [
        {"reason": "FieldManagerConflict", "message": "conflict with \"other-tool\" using v1", "field": ".data.a"},
    ]}})
}

#[tokio::test]
async fn a_new_object_is_applied_under_our_name_and_known_by_its_uid() {
    let answers = with_discovery(vec![("PATCH", PATH, 201, live(&json!({"a": "1"})))]);
    let (id, seen) = with_server(answers, async |cluster: &Cluster| {
        Object::create(cluster, &intent(), &inputs(r#"{"a": "1"}"#, &[])).await.unwrap()
    })
    .await;
    assert_eq!(id.as_str(), format!("test/v1/ConfigMap/shop/settings@{UID}"));
    let (_, path, body) = seen.iter().find(|(method, ..)| method == "PATCH").unwrap();
    assert_eq!(path, &format!("{PATH}?fieldManager=straddle&fieldValidation=Strict"));
    assert_eq!(body["metadata"]["annotations"]["straddle/operation"], "op-1");
    assert_eq!(body["metadata"]["labels"]["app.kubernetes.io/managed-by"], "straddle");
}

#[tokio::test]
async fn what_others_have_made_is_not_taken_over_unless_that_is_said() {
    let answers = with_discovery(Vec::new());
    let mut answers = answers;
    answers.insert(0, ("GET", PATH, 200, live(&json!({"a": "1"}))));
    answers.insert(0, ("PATCH", PATH, 200, live(&json!({"a": "1"}))));
    let ((refused, forced), seen) = with_server(answers, async |cluster: &Cluster| {
        let refused = Object::create(cluster, &intent(), &inputs(r#"{"a": "1"}"#, &[])).await;
        let forced = inputs(r#"{"a": "1"}"#, &[("conflicts", "force")]);
        (refused, Object::create(cluster, &intent(), &forced).await)
    })
    .await;
    let error = refused.unwrap_err();
    assert_eq!(error.class, ErrorClass::Rejected);
    assert!(error.message.contains("Import it with the id `test/v1/ConfigMap/shop/settings`"), "{error}");
    forced.unwrap();
    let patches: Vec<_> = seen.iter().filter(|(method, ..)| method == "PATCH").collect();
    assert!(patches.len() == 1 && patches[0].1.contains("&force=true"), "{patches:?}");
}

#[tokio::test]
async fn a_create_that_was_made_before_a_crash_is_found_by_its_operation() {
    let mut object = live(&json!({"a": "1"}));
    object["metadata"]["annotations"] = json!({"straddle/operation": "op-1"});
    let answers = with_discovery(vec![("GET", PATH, 200, object)]);
    let ((found, other), _) = with_server(answers, async |cluster: &Cluster| {
        let inputs = inputs(r#"{"a": "1"}"#, &[]);
        let other = Intent { operation_id: "op-2".to_owned(), ..intent() };
        let found = Object::find(cluster, &intent(), &inputs).await.unwrap();
        (found, Object::find(cluster, &other, &inputs).await.unwrap())
    })
    .await;
    assert_eq!(found.len(), 1);
    assert!(other.is_empty());
}

#[tokio::test]
async fn a_dry_run_tells_whether_anything_would_change() {
    let object = live(&json!({"a": "1"}));
    let mut dry = object.clone();
    dry["metadata"]["resourceVersion"] = json!("6");
    let answers = with_discovery(vec![("GET", PATH, 200, object.clone()), ("PATCH", PATH, 200, dry)]);
    let (foreseen, seen) = with_server(answers, async |cluster: &Cluster| {
        let id = RemoteId::new("test/v1/ConfigMap/shop/settings");
        let listing = Objects::fetch(cluster, std::slice::from_ref(&id)).await.unwrap();
        let found = Object::observe(&listing, &id).unwrap();
        let wanted = inputs(r#"{"a": "1"}"#, &[]);
        assert!(Object::next_step(&found, Some(&wanted)).is_none());
        Object::foresee(cluster, Some(&found), &inputs(r#"{"a": "one"}"#, &[])).await.unwrap()
    })
    .await;
    // The server takes `one` for `1` here, so that nothing would change.
    assert_eq!(foreseen.found.unwrap().manifest, inputs(r#"{"a": "one"}"#, &[]).manifest);
    assert_eq!((foreseen.immutable, foreseen.refusal), (None, None));
    assert!(seen.iter().any(|(method, path, _)| method == "PATCH" && path.contains("&dryRun=All")));
    assert!(seen.iter().all(|(method, path, _)| method == "GET" || path.contains("dryRun=All")));
}

#[tokio::test]
async fn what_cannot_be_changed_in_place_is_told_with_the_field() {
    let refusal = json!({"reason": "Invalid", "message": "ConfigMap \"settings\" is invalid", "details": {"causes": [
        {"reason": "FieldValueForbidden", "message": "Forbidden: field is immutable when `immutable` is set", "field": "data"},
    ]}});
    let answers =
        with_discovery(vec![("GET", PATH, 200, live(&json!({"a": "1"}))), ("PATCH", PATH, 422, refusal)]);
    let (foreseen, _) = with_server(answers, async |cluster: &Cluster| {
        let id = RemoteId::new("test/v1/ConfigMap/shop/settings");
        let listing = Objects::fetch(cluster, std::slice::from_ref(&id)).await.unwrap();
        let found = Object::observe(&listing, &id).unwrap();
        Object::foresee(cluster, Some(&found), &inputs(r#"{"a": "2"}"#, &[])).await.unwrap()
    })
    .await;
    assert_eq!(foreseen.immutable.as_deref(), Some("manifest.data"));
    assert_eq!(foreseen.refusal, None);
}

#[tokio::test]
async fn a_conflict_is_told_before_the_apply_and_refused_by_it() {
    let mut answers = with_discovery(vec![("GET", PATH, 200, live(&json!({"a": "1"})))]);
    let forced: &'static str =
        "/api/v1/namespaces/shop/configmaps/settings?fieldManager=straddle&force=true&dryRun=All";
    answers.insert(0, ("PATCH", PATH, 409, conflict()));
    answers.insert(0, ("PATCH", forced, 200, live(&json!({"a": "2"}))));
    let ((foreseen, applied), _) = with_server(answers, async |cluster: &Cluster| {
        let id = RemoteId::new("test/v1/ConfigMap/shop/settings");
        let listing = Objects::fetch(cluster, std::slice::from_ref(&id)).await.unwrap();
        let found = Object::observe(&listing, &id).unwrap();
        let wanted = inputs(r#"{"a": "2"}"#, &[]);
        let foreseen = Object::foresee(cluster, Some(&found), &wanted).await.unwrap();
        let step = Object::next_step(&found, Some(&wanted)).unwrap();
        (foreseen, Object::perform(cluster, &id, &step).await)
    })
    .await;
    let message = foreseen.refusal.unwrap().message;
    assert!(message.contains("data.a is set by \"other-tool\" using v1"), "{message}");
    assert!(foreseen.found.is_some());
    let error = applied.unwrap_err();
    assert_eq!(error.class, ErrorClass::Rejected);
    assert!(
        error.message.contains("other-tool") && error.message.contains("conflicts = \"force\""),
        "{error}"
    );
}

#[tokio::test]
async fn many_objects_are_read_by_one_list_and_others_of_a_name_are_not_ours() {
    let items: Vec<_> = (0..5)
        .map(|number| json!({"metadata": {"name": format!("c{number}"), "namespace": "shop", "uid": UID}}))
        .collect();
    let list = "/api/v1/namespaces/shop/configmaps?limit=500";
    let mut answers = with_discovery(Vec::new());
    answers.insert(0, ("GET", list, 200, json!({"items": items, "metadata": {}})));
    let (found, seen) = with_server(answers, async |cluster: &Cluster| {
        let mut ids: Vec<_> =
            (0..6).map(|number| RemoteId::new(format!("test/v1/ConfigMap/shop/c{number}"))).collect();
        ids.push(RemoteId::new(format!("test/v1/ConfigMap/shop/c0@{}", UID.replace('0', "f"))));
        let listing = Objects::fetch(cluster, &ids).await.unwrap();
        ids.iter().map(|id| Object::observe(&listing, id).is_some()).collect::<Vec<_>>()
    })
    .await;
    assert_eq!(found, [true, true, true, true, true, false, false]);
    assert_eq!(seen.len(), 2, "{seen:?}");
}

#[tokio::test]
async fn a_deletion_means_this_object_and_no_other() {
    let answers = with_discovery(vec![("DELETE", PATH, 200, json!({"kind": "Status", "status": "Success"}))]);
    let ((), seen) = with_server(answers, async |cluster: &Cluster| {
        let id = RemoteId::new(format!("test/v1/ConfigMap/shop/settings@{UID}"));
        let step = ObjectStep::Delete { uid: UID.to_owned() };
        Object::perform(cluster, &id, &step).await.unwrap();
    })
    .await;
    let (_, _, body) = seen.iter().find(|(method, ..)| method == "DELETE").unwrap();
    assert_eq!(body["preconditions"]["uid"], UID);
    assert_eq!(body["propagationPolicy"], "Background");
}

#[test]
fn another_version_of_the_group_is_the_same_object() {
    let replaces = |attribute, before: &str, after: &str| {
        Object::must_replace(attribute, &Value::from(before), &Value::from(after))
    };
    assert!(!replaces("api_version", "autoscaling/v1", "autoscaling/v2"));
    assert!(replaces("api_version", "extensions/v1beta1", "networking.k8s.io/v1"));
    assert!(replaces("name", "a", "b"));
}

const INGRESS: &str = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web";
const BINDINGS: &str = "/apis/elbv2.k8s.aws/v1beta1/namespaces/shop/targetgroupbindings";
const WEBHOOKS: &str = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

/// Answers with an Ingress on its way out, one binding of it, and a Deployment of the controller.
fn of_controller(replicas: i64) -> Vec<Answer> {
    let object = |name: &str, finalizers: &[&str]| json!({"name": name, "namespace": "shop", "uid": UID, "finalizers": finalizers});
    let ingress = object("web", &["ingress.k8s.aws/resources", "example.com/other"]);
    let binding = object("k8s-shop-web", &["elbv2.k8s.aws/resources"]);
    let image = "public.ecr.aws/eks/aws-load-balancer-controller:v2.13.4";
    let deployment = json!({
        "metadata": {"name": "controller", "namespace": "kube-system"},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"image": image}]}}},
        "status": {"availableReplicas": replicas},
    });
    let kinds = json!([{"name": "ingresses", "kind": "Ingress", "namespaced": true}]);
    vec![
        ("GET", INGRESS, 200, json!({"kind": "Ingress", "metadata": ingress})),
        ("GET", BINDINGS, 200, json!({"items": [{"metadata": binding}]})),
        ("GET", "/apis/apps/v1/deployments", 200, json!({"items": [deployment], "metadata": {}})),
        ("GET", "/apis/networking.k8s.io/v1", 200, json!({ "resources": kinds })),
        ("DELETE", BINDINGS, 200, json!({})),
        ("PATCH", BINDINGS, 200, json!({})),
    ]
}

/// Lets the Ingress go.
async fn let_go(cluster: &Cluster) -> Result<Option<RemoteId>, ProviderError> {
    let id = RemoteId::new(format!("test/networking.k8s.io/v1/Ingress/shop/web@{UID}"));
    Object::perform(cluster, &id, &ObjectStep::LetGo { uid: UID.to_owned() }).await
}

#[tokio::test]
async fn what_only_the_controller_would_take_out_is_taken_out_and_nothing_else() {
    let mut answers = of_controller(0);
    answers.push(("PATCH", INGRESS, 200, json!({})));
    let (done, seen) = with_server(answers, let_go).await;
    done.unwrap();
    let changes: Vec<_> = seen.iter().filter(|(method, ..)| method != "GET").collect();
    let [(_, deleted, _), (_, stripped, binding), (_, _, ingress)] = changes.as_slice() else {
        panic!("{changes:#?}")
    };
    assert!(deleted.ends_with("/k8s-shop-web") && stripped.contains("/k8s-shop-web?"), "{changes:#?}");
    assert_eq!(binding["metadata"], json!({"uid": UID, "finalizers": []}));
    assert_eq!(ingress["metadata"], json!({"uid": UID, "finalizers": ["example.com/other"]}));
}

#[tokio::test]
async fn a_webhook_that_nobody_answers_is_silenced_only_if_it_is_ours() {
    let refusal = json!({"reason": "InternalError", "message":
        "Internal error occurred: failed calling webhook \"vingress.elbv2.k8s.aws\": no endpoints available"});
    for (manager, silences) in [("straddle", true), ("Helm", false)] {
        let configuration = json!({
            "metadata": {"name": "aws-load-balancer-webhook", "managedFields": [{"manager": manager}]},
            "webhooks": [{"name": "vingress.elbv2.k8s.aws"}],
        });
        let mut answers = of_controller(0);
        answers.push(("PATCH", INGRESS, 500, refusal.clone()));
        answers.push(("GET", WEBHOOKS, 200, json!({"items": [configuration]})));
        answers.push(("GET", "/apis/admissionregistration.k8s.io/v1/mutating", 200, json!({"items": []})));
        answers.push(("DELETE", WEBHOOKS, 200, json!({})));
        let (done, seen) = with_server(answers, let_go).await;
        let is_deleted =
            seen.iter().any(|(method, path, _)| method == "DELETE" && path.starts_with(WEBHOOKS));
        assert_eq!(is_deleted, silences, "{seen:#?}");
        let error = done.unwrap_err();
        // It is sent again, here with the same answer, or the user is told what to do.
        assert_eq!(error.class == ErrorClass::Propagation, silences, "{error}");
        assert_eq!(error.message.contains("kubectl delete"), !silences, "{error}");
    }
}

#[tokio::test]
async fn a_deletion_that_only_an_absent_controller_could_end_is_not_begun() {
    for (replicas, is_begun) in [(0, false), (2, true)] {
        let (may, _) = with_server(of_controller(replicas), async |cluster: &Cluster| {
            let id = RemoteId::new("test/networking.k8s.io/v1/Ingress/shop/web");
            let listing = Objects::fetch(cluster, std::slice::from_ref(&id)).await.unwrap();
            let found = Object::observe(&listing, &id).unwrap();
            Object::may_delete(cluster, &found).await
        })
        .await;
        assert_eq!(may.is_ok(), is_begun, "{may:?}");
        if let Err(error) = may {
            let told =
                ["scaled to zero: Deployment/kube-system/controller", "--repair", "--force-load-balancers"];
            assert!(told.iter().all(|word| error.message.contains(word)), "{error}");
        }
    }
}

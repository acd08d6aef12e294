//! What is asked before something is written: the namespace, the server's own rules, and webhooks.

use serde_json::{Value, json};

use super::ControlPlane;
use super::body::text;
use super::defaults::put;
use super::kind::Kind;
use super::selector::Labels;
use super::status::Failure;
use super::store::{Key, Store};

/// Refuses something new in a namespace that does not exist, or that is going.
pub(super) fn check_namespace(
    store: &Store,
    kind: &Kind,
    namespace: &str,
    name: &str,
) -> Result<(), Failure> {
    if !kind.namespaced {
        return Ok(());
    }
    let of = super::kind::known("namespaces");
    let found = store.get(&Key::new("namespaces", "", namespace));
    let found = found.ok_or_else(|| Failure::not_found(&of, namespace))?;
    if found["metadata"]["deletionTimestamp"].is_null() {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
    let told = format!("namespace {namespace} is being terminated");
    Err(Failure::forbidden(kind, name, &why).with_cause("NamespaceTerminating", &told, "metadata.namespace"))
}

/// Refuses to delete what a cluster cannot do without.
pub(super) fn check_deletion(kind: &Kind, name: &str) -> Result<(), Failure> {
    let is_kept = ["default", "kube-system", "kube-public", "kube-node-lease"].contains(&name);
    if kind.resource() == "namespaces" && is_kept {
        return Err(Failure::forbidden(kind, name, "this namespace may not be deleted"));
    }
    Ok(())
}

/// Adds what the server itself adds to something new.
pub(super) fn mutate(
    plane: &mut ControlPlane,
    kind: &Kind,
    at: &Key,
    object: &mut Value,
) -> Result<(), Failure> {
    match kind.resource().as_str() {
        "namespaces" => {
            object["spec"] = json!({ "finalizers": ["kubernetes"] });
            object["status"] = json!({ "phase": "Active" });
        }
        "events" | "events.events.k8s.io" => {
            put(object, "reportingComponent", json!(""));
            put(object, "reportingInstance", json!(""));
            put(object, "eventTime", Value::Null);
        }
        "pods" => admit_pod(plane, kind, at, object)?,
        _ => {}
    }
    Ok(())
}

/// Gives a pod its service account, with the token of that, and lets it stay for a while on a node that
/// fails.
fn admit_pod(plane: &mut ControlPlane, kind: &Kind, at: &Key, pod: &mut Value) -> Result<(), Failure> {
    let account = match text(&pod["spec"]["serviceAccountName"]) {
        "" => "default".to_owned(),
        account => account.to_owned(),
    };
    let found = plane.store.get(&Key::new("serviceaccounts", &at.namespace, &account));
    if found.is_none() {
        let why = format!(
            "error looking up service account {}/{account}: serviceaccount {account:?} not found",
            at.namespace
        );
        return Err(Failure::forbidden(kind, &at.name, &why));
    }
    let volume = format!("kube-api-access-{}", plane.store.new_suffix());
    let spec = &mut pod["spec"];
    spec["serviceAccountName"] = json!(account);
    spec["serviceAccount"] = json!(account);
    if spec["automountServiceAccountToken"] != false {
        let path = "/var/run/secrets/kubernetes.io/serviceaccount";
        mount(spec, &volume, &api_access(), path);
    }
    if plane.identities.contains(&(at.namespace.clone(), account)) {
        add_pod_identity(spec);
    }
    let waits = |key: &str| json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 });
    let tolerations = spec["tolerations"].as_array().cloned().unwrap_or_default();
    let own = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map(waits);
    spec["tolerations"] = tolerations.into_iter().chain(own).collect();
    spec["priority"] = match text(&spec["priorityClassName"]) {
        "system-cluster-critical" => json!(2_000_000_000),
        "system-node-critical" => json!(2_000_001_000),
        _ => json!(0),
    };
    spec["preemptionPolicy"] = json!("PreemptLowerPriority");
    pod["status"] = json!({ "phase": "Pending", "qosClass": "BestEffort" });
    Ok(())
}

fn api_access() -> Value {
    json!([
        { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
        { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
        { "downwardAPI": { "items": [
            { "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } },
        ] } },
    ])
}

/// Tells the containers of a pod where they get credentials by EKS Pod Identity, as EKS does by a webhook ("How
/// EKS Pod Identity works", EKS user guide).
fn add_pod_identity(spec: &mut Value) {
    const VOLUME: &str = "eks-pod-identity-token";
    const PATH: &str = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount";
    let token = json!({ "audience": "pods.eks.amazonaws.com", "expirationSeconds": 86_400, "path": VOLUME });
    mount(spec, VOLUME, &json!([{ "serviceAccountToken": token }]), PATH);
    let own = [
        (POD_IDENTITY_ADDRESS, "http://169.254.170.23/v1/credentials".to_owned()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", format!("{PATH}/{VOLUME}")),
    ];
    for container in containers(spec) {
        let mut variables = container["env"].as_array().cloned().unwrap_or_default();
        variables.extend(own.iter().map(|(name, value)| json!({ "name": name, "value": value })));
        container["env"] = json!(variables);
    }
}

/// The variable that tells programs of a pod where they get credentials.
pub(crate) const POD_IDENTITY_ADDRESS: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

fn containers(spec: &mut Value) -> impl Iterator<Item = &mut Value> {
    let lists = spec.as_object_mut().into_iter().flatten();
    let lists = lists.filter(|(name, _)| ["containers", "initContainers"].contains(&name.as_str()));
    lists.filter_map(|(_, list)| list.as_array_mut()).flatten()
}

/// Gives a pod a volume that is made of these sources, which its containers see under a path.
fn mount(spec: &mut Value, volume: &str, sources: &Value, path: &str) {
    let mut volumes = spec["volumes"].as_array().cloned().unwrap_or_default();
    volumes.push(json!({ "name": volume, "projected": { "sources": sources, "defaultMode": 420 } }));
    spec["volumes"] = json!(volumes);
    for container in containers(spec) {
        let mut mounts = container["volumeMounts"].as_array().cloned().unwrap_or_default();
        mounts.push(json!({ "name": volume, "readOnly": true, "mountPath": path }));
        container["volumeMounts"] = json!(mounts);
    }
}

/// Asks the webhooks that want to be asked about a write. Those of the sandbox allow everything; it is
/// refused where nobody answers.
pub(super) fn ask_webhooks(
    store: &Store,
    kind: &Kind,
    operation: &str,
    at: &Key,
    object: &Value,
) -> Result<(), Failure> {
    if kind.group == "admissionregistration.k8s.io" {
        return Ok(());
    }
    for configurations in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
        let resource = format!("{configurations}.admissionregistration.k8s.io");
        for configuration in store.list(&resource, "") {
            for webhook in configuration["webhooks"].as_array().into_iter().flatten() {
                if is_asked(store, webhook, kind, operation, at, object) {
                    call(store, webhook)?;
                }
            }
        }
    }
    Ok(())
}

fn is_asked(store: &Store, webhook: &Value, kind: &Kind, operation: &str, at: &Key, object: &Value) -> bool {
    let has = |list: &Value, wanted: &str| {
        list.as_array().into_iter().flatten().any(|one| one == "*" || one == wanted)
    };
    let by_rule = webhook["rules"].as_array().into_iter().flatten().any(|rule| {
        has(&rule["operations"], operation)
            && has(&rule["apiGroups"], &kind.group)
            && has(&rule["apiVersions"], &kind.version)
            && has(&rule["resources"], &kind.plural)
    });
    let labels = if kind.resource() == "namespaces" {
        Some(&object["metadata"]["labels"])
    } else {
        let namespace = store.get(&Key::new("namespaces", "", &at.namespace));
        namespace.map(|namespace| &namespace["metadata"]["labels"])
    };
    by_rule
        && labels.is_none_or(|labels| Labels::of_object(&webhook["namespaceSelector"]).meet(labels))
        && Labels::of_object(&webhook["objectSelector"]).meet(&object["metadata"]["labels"])
}

fn call(store: &Store, webhook: &Value) -> Result<(), Failure> {
    let service = &webhook["clientConfig"]["service"];
    let (namespace, name) = (text(&service["namespace"]), text(&service["name"]));
    let is_there = store.get(&Key::new("services", namespace, name)).is_some();
    let why = if !is_there {
        format!("service {name:?} not found")
    } else if !has_endpoints(store, namespace, name) {
        format!("no endpoints available for service {name:?}")
    } else {
        return Ok(());
    };
    if service.is_null() || webhook["failurePolicy"] == "Ignore" {
        return Ok(());
    }
    let (port, path) = (service["port"].as_i64().unwrap_or(443), text(&service["path"]));
    let timeout = webhook["timeoutSeconds"].as_i64().unwrap_or(10);
    let address = format!("https://{name}.{namespace}.svc:{port}{path}?timeout={timeout}s");
    let hook = text(&webhook["name"]);
    let told = format!("failed calling webhook {hook:?}: failed to call webhook: Post {address:?}: {why}");
    let failure = Failure::new(500, "InternalError", format!("Internal error occurred: {told}"));
    Err(failure.with_details(json!({ "causes": [{ "message": told }] })))
}

/// Tells whether somebody answers for a service.
pub(super) fn has_endpoints(store: &Store, namespace: &str, service: &str) -> bool {
    let slices = store.list("endpointslices.discovery.k8s.io", namespace);
    let mut own = slices.filter(|slice| slice["metadata"]["labels"]["kubernetes.io/service-name"] == service);
    own.any(|slice| {
        let endpoints = slice["endpoints"].as_array();
        endpoints.into_iter().flatten().any(|endpoint| endpoint["conditions"]["ready"] != false)
    })
}

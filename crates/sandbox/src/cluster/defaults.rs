//! What fields are if nobody sets them.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::body::{metadata, text};
use super::custom;
use super::kind::Kind;

/// Fills in what is not set.
pub(super) fn set(kind: &Kind, object: &mut Value, old: Option<&Value>) {
    match kind.stored_as().as_str() {
        "namespaces" => {
            let name = object["metadata"]["name"].clone();
            let labels = metadata(object).entry("labels").or_insert_with(|| json!({}));
            labels["kubernetes.io/metadata.name"] = name;
        }
        "pods" => {
            pod_spec(&mut object["spec"]);
            put(&mut object["spec"], "enableServiceLinks", json!(true));
        }
        "endpointslices.discovery.k8s.io" => {
            put(object, "endpoints", Value::Null);
            put(object, "ports", Value::Null);
        }
        "secrets" => secret(object),
        "services" => service(object, old),
        "deployments.apps" => deployment(object),
        "replicasets.apps" => {
            put(&mut object["spec"], "replicas", json!(1));
            pod_spec(&mut object["spec"]["template"]["spec"]);
        }
        "daemonsets.apps" => daemon_set(object),
        "statefulsets.apps" => stateful_set(object),
        "jobs.batch" => job(&mut object["spec"]),
        "cronjobs.batch" => cron_job(object),
        "networkpolicies.networking.k8s.io" => {
            let has = |field: &str| object["spec"].get(field).is_some();
            let types = if has("egress") { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
            put(&mut object["spec"], "policyTypes", types);
        }
        "customresourcedefinitions.apiextensions.k8s.io" => custom::set_defaults(object),
        "mutatingwebhookconfigurations.admissionregistration.k8s.io" => webhooks(object, true),
        "validatingwebhookconfigurations.admissionregistration.k8s.io" => webhooks(object, false),
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => {
            binding(object);
        }
        _ => {}
    }
    status(kind, object);
    if let Some(of) = &kind.custom {
        custom::set_values(&of.schema, object);
    }
}

/// Sets a field that is not there.
pub(super) fn put(table: &mut Value, field: &str, value: Value) {
    if table.is_null() {
        *table = json!({});
    }
    if let Some(table) = table.as_object_mut()
        && table.get(field).is_none_or(Value::is_null)
    {
        table.insert(field.to_owned(), value);
    }
}

fn each<'a>(object: &'a mut Value, list: &str) -> impl Iterator<Item = &'a mut Value> + use<'a> {
    object.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Kinds that say something about their state have a place for that from the start.
fn status(kind: &Kind, object: &mut Value) {
    let own = match kind.stored_as().as_str() {
        "services" | "ingresses.networking.k8s.io" => json!({ "loadBalancer": {} }),
        "deployments.apps" | "jobs.batch" | "cronjobs.batch" | "nodes" => json!({}),
        "replicasets.apps" => json!({ "replicas": 0 }),
        "statefulsets.apps" => json!({ "replicas": 0, "availableReplicas": 0 }),
        "daemonsets.apps" => json!({
            "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
        }),
        "poddisruptionbudgets.policy" => json!({
            "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
        }),
        _ => return,
    };
    put(object, "status", json!({}));
    let fields: Map<String, Value> = own.as_object().cloned().unwrap_or_default();
    for (field, value) in fields {
        put(&mut object["status"], &field, value);
    }
}

fn secret(secret: &mut Value) {
    let given = secret.as_object_mut().and_then(|secret| secret.shift_remove("stringData"));
    for (name, value) in given.as_ref().and_then(Value::as_object).into_iter().flatten() {
        put(secret, "data", json!({}));
        secret["data"][name] = json!(BASE64.encode(text(value).as_bytes()));
    }
    put(secret, "type", json!("Opaque"));
}

fn service(service: &mut Value, old: Option<&Value>) {
    let spec = &mut service["spec"];
    put(spec, "type", json!("ClusterIP"));
    let form = text(&spec["type"]).to_owned();
    for port in each(spec, "ports") {
        put(port, "protocol", json!("TCP"));
        let same = port["port"].clone();
        put(port, "targetPort", same);
    }
    put(spec, "sessionAffinity", json!("None"));
    if spec["sessionAffinity"] == "ClientIP" {
        put(spec, "sessionAffinityConfig", json!({ "clientIP": { "timeoutSeconds": 10_800 } }));
    }
    if form == "ExternalName" {
        return;
    }
    if let Some(old) = old.map(|old| &old["spec"]).filter(|old| !text(&old["clusterIP"]).is_empty()) {
        put(spec, "clusterIP", old["clusterIP"].clone());
    }
    if ["NodePort", "LoadBalancer"].contains(&form.as_str()) {
        put(spec, "externalTrafficPolicy", json!("Cluster"));
    } else if let Some(spec) = spec.as_object_mut() {
        spec.shift_remove("externalTrafficPolicy");
    }
    if form == "LoadBalancer" {
        put(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
    put(spec, "internalTrafficPolicy", json!("Cluster"));
}

fn deployment(deployment: &mut Value) {
    let spec = &mut deployment["spec"];
    put(spec, "replicas", json!(1));
    pod_spec(&mut spec["template"]["spec"]);
    put(spec, "strategy", json!({}));
    let strategy = &mut spec["strategy"];
    put(strategy, "type", json!("RollingUpdate"));
    if strategy["type"] == "RollingUpdate" {
        put(strategy, "rollingUpdate", json!({}));
        put(&mut strategy["rollingUpdate"], "maxUnavailable", json!("25%"));
        put(&mut strategy["rollingUpdate"], "maxSurge", json!("25%"));
    }
    put(spec, "revisionHistoryLimit", json!(10));
    put(spec, "progressDeadlineSeconds", json!(600));
}

fn daemon_set(set: &mut Value) {
    let spec = &mut set["spec"];
    pod_spec(&mut spec["template"]["spec"]);
    put(spec, "updateStrategy", json!({}));
    put(&mut spec["updateStrategy"], "type", json!("RollingUpdate"));
    if spec["updateStrategy"]["type"] == "RollingUpdate" {
        put(&mut spec["updateStrategy"], "rollingUpdate", json!({}));
        put(&mut spec["updateStrategy"]["rollingUpdate"], "maxUnavailable", json!(1));
        put(&mut spec["updateStrategy"]["rollingUpdate"], "maxSurge", json!(0));
    }
    put(spec, "revisionHistoryLimit", json!(10));
}

fn stateful_set(set: &mut Value) {
    let spec = &mut set["spec"];
    put(spec, "replicas", json!(1));
    pod_spec(&mut spec["template"]["spec"]);
    put(spec, "podManagementPolicy", json!("OrderedReady"));
    put(spec, "updateStrategy", json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } }));
    put(spec, "revisionHistoryLimit", json!(10));
    let kept = json!({ "whenDeleted": "Retain", "whenScaled": "Retain" });
    put(spec, "persistentVolumeClaimRetentionPolicy", kept);
}

fn job(spec: &mut Value) {
    pod_spec(&mut spec["template"]["spec"]);
    for (field, value) in [
        ("parallelism", json!(1)),
        ("completions", json!(1)),
        ("backoffLimit", json!(6)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("podReplacementPolicy", json!("TerminatingOrFailed")),
        ("manualSelector", json!(false)),
    ] {
        put(spec, field, value);
    }
}

fn cron_job(cron_job: &mut Value) {
    let spec = &mut cron_job["spec"];
    pod_spec(&mut spec["jobTemplate"]["spec"]["template"]["spec"]);
    put(spec, "concurrencyPolicy", json!("Allow"));
    put(spec, "suspend", json!(false));
    put(spec, "successfulJobsHistoryLimit", json!(3));
    put(spec, "failedJobsHistoryLimit", json!(1));
}

fn pod_spec(spec: &mut Value) {
    for list in ["initContainers", "containers"] {
        each(spec, list).for_each(container);
    }
    for volume in each(spec, "volumes") {
        for source in ["configMap", "secret", "projected", "downwardAPI"] {
            if let Some(source) = volume.get_mut(source) {
                put(source, "defaultMode", json!(420));
            }
        }
        if let Some(path) = volume.get_mut("hostPath") {
            put(path, "type", json!(""));
        }
    }
    put(spec, "restartPolicy", json!("Always"));
    put(spec, "terminationGracePeriodSeconds", json!(30));
    put(spec, "dnsPolicy", json!("ClusterFirst"));
    put(spec, "securityContext", json!({}));
    put(spec, "schedulerName", json!("default-scheduler"));
    if let Some(account) = spec.get("serviceAccountName").filter(|account| !account.is_null()).cloned() {
        put(spec, "serviceAccount", account);
    }
}

fn container(container: &mut Value) {
    for port in each(container, "ports") {
        put(port, "protocol", json!("TCP"));
    }
    for variable in each(container, "env") {
        if let Some(field) = variable.pointer_mut("/valueFrom/fieldRef") {
            put(field, "apiVersion", json!("v1"));
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe) else { continue };
        if let Some(get) = probe.get_mut("httpGet") {
            put(get, "path", json!("/"));
            put(get, "scheme", json!("HTTP"));
        }
        for (field, value) in
            [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
        {
            put(probe, field, json!(value));
        }
    }
    put(container, "resources", json!({}));
    put(container, "terminationMessagePath", json!("/dev/termination-log"));
    put(container, "terminationMessagePolicy", json!("File"));
    let image = text(&container["image"]).rsplit('/').next().unwrap_or_default().to_owned();
    let is_latest = !image.contains('@') && image.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    put(container, "imagePullPolicy", json!(if is_latest { "Always" } else { "IfNotPresent" }));
}

fn webhooks(configuration: &mut Value, are_mutating: bool) {
    for webhook in each(configuration, "webhooks") {
        if let Some(service) = webhook.pointer_mut("/clientConfig/service") {
            put(service, "port", json!(443));
        }
        for rule in each(webhook, "rules") {
            put(rule, "scope", json!("*"));
        }
        put(webhook, "failurePolicy", json!("Fail"));
        put(webhook, "matchPolicy", json!("Equivalent"));
        put(webhook, "namespaceSelector", json!({}));
        put(webhook, "objectSelector", json!({}));
        put(webhook, "timeoutSeconds", json!(10));
        if are_mutating {
            put(webhook, "reinvocationPolicy", json!("Never"));
        }
    }
}

fn binding(binding: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    for subject in each(binding, "subjects") {
        if subject["kind"] != "ServiceAccount" {
            put(subject, "apiGroup", json!(GROUP));
        }
    }
    put(&mut binding["roleRef"], "apiGroup", json!(GROUP));
}

//! What objects may be: the rules that a refusal with the code 422 names.

use serde_json::{Value, json};

use super::body::text;
use super::custom;
use super::kind::Kind;
use super::selector::Labels;
use super::status::Cause;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const UNCHANGEABLE: &str = "field is immutable";
/// How much data a configuration map or secret may have, in bytes.
const MOST_DATA: usize = 1 << 20;

/// Returns what is wrong with an object, also with how it has changed.
pub(super) fn check(
    kind: &Kind,
    object: &Value,
    old: Option<&Value>,
    warnings: &mut Vec<String>,
) -> Vec<Cause> {
    let mut causes = Vec::new();
    check_metadata(kind, object, old, &mut causes);
    match kind.stored_as().as_str() {
        "configmaps" => check_data(object, old, &mut causes),
        "secrets" => check_secret(object, old, &mut causes, warnings),
        "services" => check_service(object, old, &mut causes),
        "events" => check_event(object, &mut causes),
        "deployments.apps" | "replicasets.apps" | "daemonsets.apps" | "statefulsets.apps" => {
            check_workload(object, old, &mut causes);
        }
        "jobs.batch" => {
            check_pod_spec(&object["spec"]["template"]["spec"], "spec.template.spec", &mut causes);
        }
        "pods" => check_pod_spec(&object["spec"], "spec", &mut causes),
        "ingresses.networking.k8s.io" => check_ingress(object, &mut causes),
        "ingressclasses.networking.k8s.io" => {
            unchanged(object, old, "/spec/controller", "spec.controller", &mut causes);
        }
        "rolebindings.rbac.authorization.k8s.io" | "clusterrolebindings.rbac.authorization.k8s.io" => {
            check_binding(object, old, &mut causes);
        }
        "customresourcedefinitions.apiextensions.k8s.io" => custom::check_definition(object, &mut causes),
        _ => {}
    }
    if let Some(of) = &kind.custom {
        custom::check(&of.schema, object, "", &mut causes);
    }
    causes
}

fn check_metadata(kind: &Kind, object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let metadata = &object["metadata"];
    let name = text(&metadata["name"]);
    let is_label = |text: &str| {
        let is_end =
            |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && is_end(text.bytes().next())
            && is_end(text.bytes().last())
    };
    let (is_right, rule) = match kind.stored_as().as_str() {
        "namespaces" | "services" => (is_label(name) && name.len() <= 63, LABEL),
        resource if resource.ends_with("rbac.authorization.k8s.io") => {
            (!name.contains('/') && !name.contains('%'), "may not contain '/' or '%'")
        }
        _ => (name.split('.').all(is_label) && name.len() <= 253, SUBDOMAIN),
    };
    if old.is_none() && !is_right {
        causes.push(Cause::invalid("metadata.name", &json!(name), rule));
    }
    let Some(old) = old.filter(|old| !old["metadata"]["deletionTimestamp"].is_null()) else { return };
    let before = old["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
    let finalizers = metadata["finalizers"].as_array().into_iter().flatten();
    let new: Vec<_> =
        finalizers.filter(|finalizer| !before.contains(finalizer)).map(Value::to_string).collect();
    if !new.is_empty() {
        let found = format!("[]string{{{}}}", new.join(", "));
        let why = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers {found}"
        );
        let cause = Cause::forbidden("metadata.finalizers", &why);
        // The server finds this twice: for every object, and for every change.
        causes.extend([cause.clone(), cause]);
    }
}

fn unchanged(object: &Value, old: Option<&Value>, pointer: &str, field: &str, causes: &mut Vec<Cause>) {
    let Some(before) = old.and_then(|old| old.pointer(pointer)) else { return };
    let now = object.pointer(pointer).unwrap_or(&Value::Null);
    if before != now {
        causes.push(Cause::invalid(field, now, UNCHANGEABLE));
    }
}

fn check_data(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let size = |field: &str| -> usize {
        let entries = object[field].as_object().into_iter().flatten();
        entries.map(|(name, value)| name.len() + text(value).len()).sum()
    };
    if size("data") + size("binaryData") > MOST_DATA {
        causes.push(Cause::too_long("[]", MOST_DATA));
    }
    let Some(old) = old.filter(|old| old["immutable"] == true) else { return };
    let why = "field is immutable when `immutable` is set";
    for field in ["immutable", "data", "binaryData"] {
        if old[field] != object[field] {
            causes.push(Cause::forbidden(field, why));
        }
    }
}

fn check_secret(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>, warnings: &mut Vec<String>) {
    check_data(object, old, causes);
    unchanged(object, old, "/type", "type", causes);
    if object["type"] != "kubernetes.io/tls" {
        return;
    }
    for name in ["tls.crt", "tls.key"] {
        if object["data"].get(name).is_none() {
            causes.push(Cause::required(format!("data[{name}]"), ""));
        }
    }
    let certificate = data_encoding::BASE64.decode(text(&object["data"]["tls.crt"]).as_bytes());
    let is_pem = certificate.is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("-----BEGIN "));
    if causes.is_empty() && !is_pem {
        warnings.push("tls: failed to find any PEM data in certificate input".to_owned());
    }
}

fn check_service(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    let form = text(&spec["type"]);
    let address = text(&spec["clusterIP"]);
    let before = old.map(|old| text(&old["spec"]["clusterIP"])).filter(|address| !address.is_empty());
    if before.is_some_and(|before| before != address) && form != "ExternalName" {
        causes.push(Cause::invalid("spec.clusterIPs[0]", &json!([address]), "may not change once set"));
    }
    if address == "None" && ["NodePort", "LoadBalancer"].contains(&form) {
        let why = format!("may not be set to 'None' for {form} services");
        causes.push(Cause::invalid("spec.clusterIPs[0]", &json!(address), &why));
    }
    let ports = spec["ports"].as_array().map(Vec::as_slice).unwrap_or_default();
    if ports.is_empty() && address != "None" && form != "ExternalName" {
        causes.push(Cause::required("spec.ports", ""));
    }
    for (index, port) in ports.iter().enumerate() {
        let field = |name: &str| format!("spec.ports[{index}].{name}");
        if ports.len() > 1 && text(&port["name"]).is_empty() {
            causes.push(Cause::required(field("name"), ""));
        }
        for name in ["port", "targetPort"] {
            if port[name].as_i64().is_some_and(|number| !(1..=65_535).contains(&number)) {
                causes.push(Cause::invalid(
                    field(name),
                    &port[name],
                    "must be between 1 and 65535, inclusive",
                ));
            }
        }
    }
    let forms = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    if !forms.contains(&form) {
        causes.push(Cause::unsupported("spec.type", &json!(form), &forms));
    }
}

fn check_event(object: &Value, causes: &mut Vec<Cause>) {
    let (own, of) = (text(&object["metadata"]["namespace"]), text(&object["involvedObject"]["namespace"]));
    let expected = if of.is_empty() { "default" } else { of };
    if own != expected {
        causes.push(Cause::invalid("involvedObject.namespace", &json!(of), "does not match event.namespace"));
    }
}

fn check_workload(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    if spec["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
        let why = "must be greater than or equal to 0";
        causes.push(Cause::invalid("spec.replicas", &spec["replicas"], why));
    }
    let labels = &spec["template"]["metadata"]["labels"];
    if spec["selector"].is_null() {
        causes.push(Cause::required("spec.selector", ""));
    } else if !Labels::of_object(&spec["selector"]).meet(labels) {
        let shown = if labels.is_null() { json!({}) } else { labels.clone() };
        let why = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", &shown, why));
    }
    check_pod_spec(&spec["template"]["spec"], "spec.template.spec", causes);
    unchanged(object, old, "/spec/selector", "spec.selector", causes);
}

fn check_pod_spec(spec: &Value, path: &str, causes: &mut Vec<Cause>) {
    let containers = spec["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    if containers.is_empty() {
        causes.push(Cause::required(format!("{path}.containers"), ""));
    }
    for (index, container) in containers.iter().enumerate() {
        for field in ["name", "image"] {
            if text(&container[field]).is_empty() {
                causes.push(Cause::required(format!("{path}.containers[{index}].{field}"), ""));
            }
        }
        for (port, given) in container["ports"].as_array().into_iter().flatten().enumerate() {
            let number = &given["containerPort"];
            if number.as_i64().is_none_or(|number| !(1..=65_535).contains(&number)) {
                let field = format!("{path}.containers[{index}].ports[{port}].containerPort");
                causes.push(Cause::invalid(field, number, "must be between 1 and 65535, inclusive"));
            }
        }
    }
}

fn check_ingress(object: &Value, causes: &mut Vec<Cause>) {
    let spec = &object["spec"];
    let rules = spec["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rules.is_empty() && spec["defaultBackend"].is_null() {
        let why = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid("spec", &Value::Null, why));
    }
    for (rule, given) in rules.iter().enumerate() {
        for (path, given) in given["http"]["paths"].as_array().into_iter().flatten().enumerate() {
            let field = |name: &str| format!("spec.rules[{rule}].http.paths[{path}].{name}");
            let forms = ["Exact", "ImplementationSpecific", "Prefix"];
            match given["pathType"].as_str() {
                None => causes.push(Cause::required(field("pathType"), "pathType must be specified")),
                Some(form) if !forms.contains(&form) => {
                    causes.push(Cause::unsupported(field("pathType"), &json!(form), &forms));
                }
                Some("ImplementationSpecific") => {}
                Some(_) if !text(&given["path"]).starts_with('/') => {
                    causes.push(Cause::invalid(field("path"), &given["path"], "must be an absolute path"));
                }
                Some(_) => {}
            }
            let (service, resource) = (&given["backend"]["service"], &given["backend"]["resource"]);
            if service.is_null() && resource.is_null() {
                causes.push(Cause::required(field("backend"), "port name or number is required"));
            } else if !service.is_null() && text(&service["name"]).is_empty() {
                causes.push(Cause::required(field("backend.service.name"), ""));
            }
        }
    }
}

fn check_binding(object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
    let role = &object["roleRef"];
    if old.is_some_and(|old| old["roleRef"] != *role) {
        let shown = json!({ "APIGroup": role["apiGroup"], "Kind": role["kind"], "Name": role["name"] });
        causes.push(Cause::invalid("roleRef", &shown, "cannot change roleRef"));
    }
}

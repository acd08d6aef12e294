//! From what is written to what is wanted: manifests put into one form.

use data_encoding::BASE64;
use straddle_engine::resource::{Home, Problem};
use straddle_engine::value::{Value, ValueMap};

use crate::cluster::described;

/// The label that says what an object is managed by.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// What no manifest can set.
const SERVER_METADATA: [&str; 6] =
    ["creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"];

/// The kinds of Kubernetes itself that are in no namespace.
const IN_NO_NAMESPACE: [&str; 30] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "CustomResourceDefinition",
    "DeviceClass",
    "FlowSchema",
    "IPAddress",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "RuntimeClass",
    "ServiceCIDR",
    "StorageClass",
    "StorageVersion",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
];

/// Returns the inputs with the manifest in one form, and what is told apart by taken out of it.
///
/// # Errors
/// What is wrong with the manifest or the cluster.
pub(crate) fn canonical(home: Home<'_>, mut inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
    let mut problems = Vec::new();
    if let Some(cluster) = inputs.remove("cluster") {
        match described("cluster", home, cluster) {
            Ok(cluster) => drop(inputs.insert("cluster".to_owned(), cluster)),
            Err(problem) => problems.push(problem),
        }
    }
    match inputs.remove("manifest") {
        Some(Value::Map(manifest)) => match Manifest::read(manifest, &mut inputs) {
            Ok(manifest) => drop(inputs.insert("manifest".to_owned(), Value::Map(manifest))),
            Err(problem) => problems.push(problem),
        },
        Some(other) => drop(inputs.insert("manifest".to_owned(), other)),
        None => {}
    }
    if problems.is_empty() { Ok(inputs) } else { Err(problems) }
}

/// Tells whether things of a kind are in namespaces; `None` if only the cluster knows.
pub(crate) fn is_namespaced(api_version: &str, kind: &str) -> Option<bool> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    // Those of Kubernetes itself are the core, `apps` and the like, and `*.k8s.io`.
    let is_known = !group.contains('.')
        || group
            .strip_suffix(".k8s.io")
            .is_some_and(|group| !group.contains('.') || group.ends_with(".authorization"));
    is_known.then(|| !IN_NO_NAMESPACE.contains(&kind))
}

/// A manifest that is put into one form.
struct Manifest;

impl Manifest {
    fn read(manifest: ValueMap, inputs: &mut ValueMap) -> Result<ValueMap, Problem> {
        let mut manifest = without_nulls(manifest);
        manifest.remove("status");
        let api_version = word(&manifest, "apiVersion")?;
        let kind = word(&manifest, "kind")?;
        if let Some(kind) =
            kind.as_str().filter(|kind| kind.ends_with("List") && manifest.contains_key("items"))
        {
            return Err(wrong(
                format!("a `{kind}` is several objects"),
                Some("Write one block for each of its items."),
            ));
        }
        let mut metadata = match manifest.remove("metadata") {
            Some(Value::Map(metadata)) => metadata,
            Some(Value::Unknown(unknown)) => {
                manifest.insert("metadata".to_owned(), Value::Unknown(unknown));
                return Ok(manifest);
            }
            Some(_) | None => return Err(wrong("it has no table `metadata`", None)),
        };
        for key in SERVER_METADATA {
            metadata.remove(key);
        }
        let Some(name @ (Value::String(_) | Value::Unknown(_))) = metadata.get("name").cloned() else {
            let hint = "What is planned has to have a name, so that `generateName` cannot be.";
            return Err(wrong("it has no `metadata.name`", Some(hint)));
        };
        let namespace = namespace(&api_version, &kind, &mut metadata, inputs.remove("namespace"));
        label(&mut metadata);
        manifest.insert("metadata".to_owned(), Value::Map(metadata));
        if api_version.as_str() == Some("v1") && kind.as_str() == Some("Secret") {
            let data = secret_data(&mut manifest, inputs.remove("secret_data"))?;
            inputs.extend(data.map(|data| ("secret_data".to_owned(), data)));
        }
        inputs.extend(namespace.map(|namespace| ("namespace".to_owned(), namespace)));
        inputs.insert("api_version".to_owned(), api_version);
        inputs.insert("kind".to_owned(), kind);
        inputs.insert("name".to_owned(), name);
        Ok(manifest)
    }
}

/// Puts the namespace into the metadata, and returns it.
fn namespace(
    api_version: &Value,
    kind: &Value,
    metadata: &mut ValueMap,
    given: Option<Value>,
) -> Option<Value> {
    let known =
        api_version.as_str().zip(kind.as_str()).and_then(|(version, kind)| is_namespaced(version, kind));
    if known == Some(false) {
        metadata.remove("namespace");
        return None;
    }
    let written = metadata.get("namespace").cloned().filter(|namespace| namespace.as_str() != Some(""));
    let default = (known == Some(true)).then(|| Value::from("default"));
    let namespace = written.or(given).or(default)?;
    metadata.insert("namespace".to_owned(), namespace.clone());
    Some(namespace)
}

/// Adds the label of what an object is managed by, unless it has one.
fn label(metadata: &mut ValueMap) {
    match metadata.entry("labels".to_owned()).or_insert_with(|| Value::Map(ValueMap::new())) {
        Value::Map(labels) => {
            labels.entry(MANAGED_BY.to_owned()).or_insert_with(|| Value::from("straddle"));
        }
        // What is known later gets it then; what is no table is refused by the API server.
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Unknown(_) => {}
    }
}

/// Takes the data out of a Secret.
fn secret_data(manifest: &mut ValueMap, given: Option<Value>) -> Result<Option<Value>, Problem> {
    let mut data = match given {
        Some(Value::Map(given)) => given,
        Some(unknown @ Value::Unknown(_)) => return Ok(Some(unknown)),
        Some(_) | None => ValueMap::new(),
    };
    for (key, encoded) in [("data", true), ("stringData", false)] {
        match manifest.remove(key) {
            Some(Value::Map(entries)) => {
                for (name, value) in entries {
                    data.insert(name.clone(), encode(&name, value, encoded)?);
                }
            }
            Some(Value::Unknown(unknown)) => return Ok(Some(unknown.derived())),
            Some(_) => return Err(wrong(format!("`{key}` is no table"), None)),
            None => {}
        }
    }
    Ok((!data.is_empty()).then_some(Value::Map(data)))
}

fn encode(name: &str, value: Value, encoded: bool) -> Result<Value, Problem> {
    match value {
        Value::Unknown(unknown) => Ok(unknown.derived()),
        Value::String(text) if !encoded => Ok(Value::from(BASE64.encode(text.as_bytes()))),
        Value::String(text) => {
            let compact: String = text.split_whitespace().collect();
            BASE64.decode(compact.as_bytes()).map_err(|_| {
                let hint = "Write it below `stringData` as it is, or encode it with `base64encode(...)`.";
                wrong(format!("`data.{name}` is no Base64"), Some(hint))
            })?;
            Ok(Value::from(compact))
        }
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::List(_)
        | Value::Map(_) => {
            Err(wrong(format!("the data `{name}` is {}, and has to be a string", value.type_name()), None))
        }
    }
}

fn word(manifest: &ValueMap, key: &str) -> Result<Value, Problem> {
    match manifest.get(key) {
        Some(Value::String(text)) if text.is_empty() => Err(wrong(format!("its `{key}` is empty"), None)),
        Some(value @ (Value::String(_) | Value::Unknown(_))) => Ok(value.clone()),
        Some(_) | None => Err(wrong(format!("it has no `{key}`"), None)),
    }
}

/// Returns the entries without those that are null: as if they had not been written.
fn without_nulls(entries: ValueMap) -> ValueMap {
    let kept = entries.into_iter().filter(|(_, value)| !value.is_null());
    kept.map(|(key, value)| (key, dense(value))).collect()
}

fn dense(value: Value) -> Value {
    match value {
        Value::Map(entries) => Value::Map(without_nulls(entries)),
        Value::List(items) => Value::List(items.into_iter().map(dense).collect()),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::Unknown(_)) => other,
    }
}

fn wrong(what: impl Into<String>, hint: Option<&str>) -> Problem {
    let message = format!("It is no object of Kubernetes: {}.", what.into());
    Problem { attribute: "manifest", message, hint: hint.map(str::to_owned) }
}

#[cfg(test)]
mod tests {
    use straddle_engine::json::decode;

    use super::*;

    fn canonical_json(manifest: &str) -> Result<ValueMap, Vec<Problem>> {
        let manifest = decode(manifest).unwrap();
        let inputs =
            ValueMap::from([("cluster".to_owned(), Value::from("main")), ("manifest".to_owned(), manifest)]);
        canonical(Home { account_id: "1", region: "r" }, inputs)
    }

    #[test]
    fn a_manifest_is_put_into_one_form_once_and_for_all() {
        let inputs = canonical_json(
            r#"{"apiVersion": "apps/v1", "kind": "Deployment", "status": {},
                "metadata": {"name": "app", "creationTimestamp": null, "uid": "x"}, "spec": {"paused": null, "replicas": 2}}"#,
        )
        .unwrap();
        let expected = r#"{"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 2},
            "metadata": {"name": "app", "namespace": "default", "labels": {"app.kubernetes.io/managed-by": "straddle"}}}"#;
        assert_eq!(inputs["manifest"], decode(expected).unwrap());
        assert_eq!(inputs["namespace"], Value::from("default"));
        assert_eq!((&inputs["kind"], &inputs["name"]), (&"Deployment".into(), &"app".into()));
        assert_eq!(canonical(Home { account_id: "1", region: "r" }, inputs.clone()).unwrap(), inputs);
    }

    #[test]
    fn the_data_of_a_secret_is_told_apart_and_encoded() {
        let inputs = canonical_json(
            r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"},
                "data": {"a": "eA=="}, "stringData": {"b": "x"}}"#,
        )
        .unwrap();
        assert_eq!(inputs["secret_data"], decode(r#"{"a": "eA==", "b": "eA=="}"#).unwrap());
        let manifest = inputs["manifest"].as_map().unwrap();
        assert!(!manifest.contains_key("data") && !manifest.contains_key("stringData"));
        assert_eq!(canonical(Home { account_id: "1", region: "r" }, inputs.clone()).unwrap(), inputs);
    }

    #[test]
    fn what_is_in_no_namespace_gets_none() {
        for (version, kind, expected) in [
            ("v1", "Namespace", Some(false)),
            ("v1", "ServiceAccount", Some(true)),
            ("rbac.authorization.k8s.io/v1", "ClusterRole", Some(false)),
            ("rbac.authorization.k8s.io/v1", "RoleBinding", Some(true)),
            ("networking.k8s.io/v1", "Ingress", Some(true)),
            ("elbv2.k8s.aws/v1beta1", "IngressClassParams", None),
            ("gateway.networking.k8s.io/v1", "GatewayClass", None),
        ] {
            assert_eq!(is_namespaced(version, kind), expected, "{version} {kind}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (manifest, word) in [
            (r#"{"kind": "A", "metadata": {"name": "a"}}"#, "apiVersion"),
            (r#"{"apiVersion": "v1", "kind": "A", "metadata": {"generateName": "a-"}}"#, "metadata.name"),
            (r#"{"apiVersion": "v1", "kind": "List", "items": []}"#, "several objects"),
            (
                r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "%"}}"#,
                "Base64",
            ),
        ] {
            let problems = canonical_json(manifest).unwrap_err();
            assert!(problems[0].message.contains(word), "{problems:?}");
        }
    }
}

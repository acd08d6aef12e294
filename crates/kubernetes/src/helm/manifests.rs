//! What templates make, as objects: split, sorted, and hooks apart.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::chart::Chart;
use super::render::Query;
use super::yaml::{YamlError, document};

/// What a chart is, rendered.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// What is in `crds/`, which comes before everything else.
    pub crds: Vec<Manifest>,
    /// The objects, in the order in which they are made.
    pub objects: Vec<Manifest>,
    /// What is made at other times, in the order of their weights.
    pub hooks: Vec<Hook>,
    /// What the chart says to people.
    pub notes: Option<String>,
    /// What templates have looked up.
    pub lookups: BTreeSet<Query>,
    /// The calls of templates that return something else each time, with their arguments.
    pub chances: Vec<String>,
}

/// An object with where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The path of the template or file, which begins with the chart's name.
    pub source: String,
    /// The object. A `List` has been taken apart.
    pub object: Value,
}

/// An object that is made at certain times.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// The object.
    pub manifest: Manifest,
    /// When.
    pub events: BTreeSet<Event>,
    /// Smaller ones come first.
    pub weight: i64,
    /// When it is deleted.
    pub delete: BTreeSet<DeletePolicy>,
}

/// A time at which hooks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are Helm's own")]
pub enum Event {
    PreInstall,
    PostInstall,
    PreDelete,
    PostDelete,
    PreUpgrade,
    PostUpgrade,
    PreRollback,
    PostRollback,
    Test,
}

/// When a hook's object is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeletePolicy {
    /// Before it is made again, which is the rule if nothing is said.
    BeforeHookCreation,
    /// After it has succeeded.
    HookSucceeded,
    /// After it has failed.
    HookFailed,
}

/// What a template makes that is no object.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read.
    #[error("YAML parse error on {file}: error converting YAML to JSON: {source}")]
    Yaml {
        /// The template.
        file: String,
        /// What is wrong. Lines are those of the document, not of the template.
        source: YamlError,
    },
    /// It is something else.
    #[error("{file}: {problem}")]
    Content {
        /// The template.
        file: String,
        /// What is wrong.
        problem: String,
    },
}

/// The order in which Helm makes objects. Other kinds come last.
const ORDER: [&str; 38] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// The line between two documents, with the blanks before it.
static SEPARATOR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^|\s*\n)---\s*").expect("the pattern is right"));

/// Returns the objects in the order in which they are made, and the hooks.
pub(super) fn sorted(texts: &BTreeMap<String, String>) -> Result<(Vec<Manifest>, Vec<Hook>), ManifestError> {
    let (mut objects, mut hooks) = (Vec::new(), Vec::new());
    for (source, text) in texts {
        for object in objects_of(source, text)? {
            let manifest = Manifest { source: source.clone(), object };
            match annotation(&manifest.object, "helm.sh/hook") {
                None => objects.push(manifest),
                Some(_) => hooks.extend(hook(manifest)?),
            }
        }
    }
    objects.sort_by(|one, other| compare(kind_of(&one.object), kind_of(&other.object)));
    hooks.sort_by(|one, other| {
        let kind = |hook: &Hook| kind_of(&hook.manifest.object).to_owned();
        one.weight.cmp(&other.weight).then_with(|| compare(&kind(one), &kind(other)))
    });
    let objects = objects.into_iter().flat_map(flattened).collect();
    Ok((objects, hooks))
}

/// Returns the objects in `crds/`, those of inner charts first.
pub(super) fn crds(chart: &Chart, path: &str) -> Result<Vec<Manifest>, ManifestError> {
    let mut found = Vec::new();
    for file in chart.crd_files() {
        let source = format!("{path}/{}", file.name);
        for object in objects_of(&source, &file.text())? {
            found.extend(flattened(Manifest { source: source.clone(), object }));
        }
    }
    for inner in &chart.charts {
        found.extend(crds(inner, &format!("{path}/charts/{}", inner.name()))?);
    }
    Ok(found)
}

fn objects_of(source: &str, text: &str) -> Result<Vec<Value>, ManifestError> {
    let error =
        |problem: &str| ManifestError::Content { file: source.to_owned(), problem: problem.to_owned() };
    let mut objects = Vec::new();
    for part in SEPARATOR.split(text.trim()).filter(|part| !part.trim().is_empty()) {
        let object = document(part)
            .map_err(|problem| ManifestError::Yaml { file: source.to_owned(), source: problem })?;
        match &object {
            Value::Null => {}
            Value::Object(entries) if entries.is_empty() => {}
            Value::Object(_) if kind_of(&object).is_empty() => return Err(error("an object has no kind")),
            Value::Object(_) => objects.push(object),
            _ => return Err(error("what it makes is no object")),
        }
    }
    Ok(objects)
}

/// Takes a `List` apart.
fn flattened(manifest: Manifest) -> Vec<Manifest> {
    let is_list = kind_of(&manifest.object) == "List";
    match manifest.object.get("items") {
        Some(Value::Array(items)) if is_list => items
            .iter()
            .map(|item| Manifest { source: manifest.source.clone(), object: item.clone() })
            .flat_map(flattened)
            .collect(),
        _ => vec![manifest],
    }
}

fn kind_of(object: &Value) -> &str {
    object["kind"].as_str().unwrap_or_default()
}

fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object["metadata"]["annotations"].get(name)?.as_str()
}

/// Kinds that nobody knows come last, by name.
fn compare(one: &str, other: &str) -> Ordering {
    let place = |kind: &str| ORDER.iter().position(|known| *known == kind);
    match (place(one), place(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => one.cmp(other),
    }
}

fn hook(manifest: Manifest) -> Result<Option<Hook>, ManifestError> {
    let error = |problem: String| ManifestError::Content { file: manifest.source.clone(), problem };
    let read = |word: &str| {
        Ok(match word {
            "pre-install" => Event::PreInstall,
            "post-install" => Event::PostInstall,
            "pre-delete" => Event::PreDelete,
            "post-delete" => Event::PostDelete,
            "pre-upgrade" => Event::PreUpgrade,
            "post-upgrade" => Event::PostUpgrade,
            "pre-rollback" => Event::PreRollback,
            "post-rollback" => Event::PostRollback,
            "test" | "test-success" => Event::Test,
            // Of a version that is long gone, for what `crds/` has replaced.
            "crd-install" => return Ok(None),
            other => return Err(error(format!("{other:?} is no time for a hook"))),
        }
        .into())
    };
    let words = |text: &str| -> Vec<String> {
        text.split(',').map(|word| word.trim().to_lowercase()).filter(|word| !word.is_empty()).collect()
    };
    let events = words(annotation(&manifest.object, "helm.sh/hook").unwrap_or_default())
        .iter()
        .map(|word| read(word))
        .collect::<Result<Option<BTreeSet<_>>, _>>()?;
    let Some(events) = events else { return Ok(None) };
    let policies = words(annotation(&manifest.object, "helm.sh/hook-delete-policy").unwrap_or_default());
    let delete = policies
        .iter()
        .map(|word| match word.as_str() {
            "before-hook-creation" => Ok(DeletePolicy::BeforeHookCreation),
            "hook-succeeded" => Ok(DeletePolicy::HookSucceeded),
            "hook-failed" => Ok(DeletePolicy::HookFailed),
            other => Err(error(format!("{other:?} is no time to delete a hook"))),
        })
        .collect::<Result<BTreeSet<_>, _>>()?;
    let delete = if delete.is_empty() { [DeletePolicy::BeforeHookCreation].into() } else { delete };
    let weight = annotation(&manifest.object, "helm.sh/hook-weight").and_then(|text| text.parse().ok());
    Ok(Some(Hook { manifest, events, weight: weight.unwrap_or_default(), delete }))
}

//! The order of what a chart makes: definitions, hooks before, objects, hooks after.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use straddle_engine::value::{Value, ValueMap};

use crate::helm::{Event, Hook, Rendered};
use crate::manifests::object::Object;

/// When an object of a chart is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// What is in `crds/`, and the namespace.
    Definition,
    /// A hook before installing or upgrading.
    Before,
    /// What is no hook.
    Object,
    /// A hook after installing or upgrading.
    After,
}

/// Returns everything that is made, in its order. Hooks of deleting, rolling back and tests are left out.
pub(super) fn staged(rendered: &mut Rendered) -> Vec<(Stage, Json)> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for Hook { manifest, events, .. } in std::mem::take(&mut rendered.hooks) {
        let any = |wanted: &[Event]| wanted.iter().any(|event| events.contains(event));
        if any(&[Event::PreInstall, Event::PreUpgrade]) {
            before.push((Stage::Before, manifest.object));
        } else if any(&[Event::PostInstall, Event::PostUpgrade]) {
            after.push((Stage::After, manifest.object));
        }
    }
    let definitions = std::mem::take(&mut rendered.crds).into_iter();
    let definitions = definitions.map(|manifest| (Stage::Definition, manifest.object));
    let objects = std::mem::take(&mut rendered.objects).into_iter();
    let objects = objects.map(|manifest| (Stage::Object, manifest.object));
    definitions.chain(before).chain(objects).chain(after).collect()
}

/// Returns, for each of some objects in their order, the keys of those that have to be there before it.
/// Hooks come one after the other; nothing grows with the square of the number of objects.
pub(super) fn before(objects: &[(Stage, Object)]) -> Vec<Vec<String>> {
    let keyed: Vec<_> = objects.iter().map(|(stage, object)| (*stage, object.name.to_string())).collect();
    let keys = |wanted: Stage| {
        let of_stage = keyed.iter().filter(move |(stage, _)| *stage == wanted);
        of_stage.map(|(_, key)| key.clone()).collect::<Vec<_>>()
    };
    let (definitions, plain) = (keys(Stage::Definition), keys(Stage::Object));
    let last_before = keyed.iter().rfind(|(stage, _)| *stage == Stage::Before).map(|(_, key)| key.clone());
    let answering = Answering::of(objects);
    let mut previous: Option<&(Stage, String)> = None;
    let mut found = Vec::with_capacity(objects.len());
    for (keyed, (stage, object)) in keyed.iter().zip(objects) {
        let same = previous.filter(|(previous, _)| previous == stage).map(|(_, key)| vec![key.clone()]);
        let mut needed = match stage {
            Stage::Definition => Vec::new(),
            Stage::Before => same.unwrap_or_else(|| definitions.clone()),
            Stage::Object => match &last_before {
                Some(last) => vec![last.clone()],
                None if is_workload(object) => definitions.clone(),
                None => Vec::new(),
            },
            Stage::After => same.unwrap_or_else(|| plain.clone()),
        };
        if object.name.kind.ends_with("WebhookConfiguration") {
            needed.extend(answering.for_webhooks(object).filter(|key| *key != keyed.1));
        }
        found.push(needed);
        previous = Some(keyed);
    }
    found
}

fn is_workload(object: &Object) -> bool {
    ["Deployment", "StatefulSet", "DaemonSet"].contains(&object.name.kind.as_str())
}

/// Who answers for services: a webhook is asked as soon as its configuration is there, and refuses everything
/// as long as nobody answers.
struct Answering {
    /// The keys of workloads by namespace and name of a service.
    workloads: BTreeMap<(String, String), Vec<String>>,
}

impl Answering {
    fn of(objects: &[(Stage, Object)]) -> Self {
        let mut by_namespace: BTreeMap<&str, Vec<(&Object, &ValueMap)>> = BTreeMap::new();
        for (_, object) in objects.iter().filter(|(_, object)| is_workload(object)) {
            let labels = ["spec", "template", "metadata", "labels"];
            if let (Some(namespace), Some(labels)) =
                (&object.name.namespace, table(&object.manifest, &labels))
            {
                by_namespace.entry(namespace).or_default().push((object, labels));
            }
        }
        let mut workloads = BTreeMap::new();
        for (_, object) in objects.iter().filter(|(_, object)| object.name.kind == "Service") {
            let (Some(namespace), Some(selector)) =
                (&object.name.namespace, table(&object.manifest, &["spec", "selector"]))
            else {
                continue;
            };
            let selected = |labels: &ValueMap| {
                !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            };
            let here = by_namespace.get(namespace.as_str()).into_iter().flatten();
            let keys = here.filter(|(_, labels)| selected(labels)).map(|(object, _)| object.name.to_string());
            workloads.insert((namespace.clone(), object.name.name.clone()), keys.collect());
        }
        Self { workloads }
    }

    /// Returns the keys of what answers the webhooks of a configuration.
    fn for_webhooks(&self, configuration: &Object) -> impl Iterator<Item = String> {
        let webhooks = configuration.manifest.get("webhooks").and_then(Value::as_list).unwrap_or_default();
        let service = |webhook: &Value| {
            let service = table(webhook.as_map()?, &["clientConfig", "service"])?;
            let text = |key: &str| service.get(key)?.as_str().map(str::to_owned);
            Some((text("namespace")?, text("name")?))
        };
        let mut services: Vec<_> = webhooks.iter().filter_map(service).collect();
        services.sort();
        services.dedup();
        services.into_iter().filter_map(|service| self.workloads.get(&service)).flatten().cloned()
    }
}

/// Returns the table at a path in a table.
fn table<'a>(outer: &'a ValueMap, path: &[&str]) -> Option<&'a ValueMap> {
    path.iter().try_fold(outer, |table, key| table.get(*key)?.as_map())
}

#[cfg(test)]
mod tests {
    use straddle_engine::yaml;

    use super::*;
    use crate::manifests::object::ObjectName;

    fn object(text: &str) -> Object {
        let manifest = yaml::decode(text).expect("it is YAML");
        let manifest = manifest.as_map().expect("it is a table").clone();
        let name = ObjectName::of(&manifest).expect("it has a name");
        Object { manifest, name, place: None }
    }

    fn found(objects: &[(Stage, Object)]) -> Vec<String> {
        before(objects).into_iter().map(|keys| keys.join(" ")).collect()
    }

    #[test]
    fn hooks_come_one_after_the_other_around_the_objects() {
        let named = |(stage, name): (Stage, &str)| {
            (stage, object(&format!("{{apiVersion: v1, kind: Node, metadata: {{name: {name}}}}}")))
        };
        let objects = [
            (Stage::Definition, "crd"),
            (Stage::Before, "first"),
            (Stage::Before, "second"),
            (Stage::Object, "a"),
            (Stage::Object, "b"),
            (Stage::After, "third"),
            (Stage::After, "fourth"),
        ]
        .map(named);
        let expected =
            ["", "Node/crd", "Node/first", "Node/second", "Node/second", "Node/a Node/b", "Node/third"];
        assert_eq!(found(&objects), expected);
        assert_eq!(found(&objects[3..5]), ["", ""]);
    }

    #[test]
    fn a_webhook_is_asked_once_somebody_answers() {
        let of = |text: &str| (Stage::Object, object(text));
        let objects = [
            of(
                "{apiVersion: v1, kind: Service, metadata: {name: hook, namespace: n}, spec: {selector: {app: a}}}",
            ),
            of("{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: n}, \
                spec: {template: {metadata: {labels: {app: a, more: x}}}}}"),
            of("{apiVersion: apps/v1, kind: Deployment, metadata: {name: b, namespace: n}, \
                spec: {template: {metadata: {labels: {app: b}}}}}"),
            of("{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, \
                metadata: {name: w}, webhooks: [{clientConfig: {service: {name: hook, namespace: n}}}, \
                {clientConfig: {service: {name: hook, namespace: n}}}, {clientConfig: {url: x}}]}"),
        ];
        assert_eq!(found(&objects), ["", "", "", "Deployment/n/a"]);
    }
}

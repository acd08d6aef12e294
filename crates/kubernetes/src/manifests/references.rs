//! Which objects have to be there before another one, by what its manifest names.
//!
//! An API server takes objects in any order, but for namespaces and definitions; pods that lack something
//! only wait. Order saves those waits, and restarts, and on the way back it lets an Ingress go while the
//! Service and whoever balances its load are still there.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::value::{Value, ValueMap};

use crate::manifests::object::ObjectName;

/// Something that a manifest names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    kind: String,
    namespace: Option<String>,
    name: String,
}

/// Where pods of a kind are described inside of a manifest.
const POD_SPECS: [(&str, &[&str]); 8] = [
    ("CronJob", &["spec", "jobTemplate", "spec", "template", "spec"]),
    ("DaemonSet", &["spec", "template", "spec"]),
    ("Deployment", &["spec", "template", "spec"]),
    ("Job", &["spec", "template", "spec"]),
    ("Pod", &["spec"]),
    ("ReplicaSet", &["spec", "template", "spec"]),
    ("ReplicationController", &["spec", "template", "spec"]),
    ("StatefulSet", &["spec", "template", "spec"]),
];

/// Keys under which a Service is named wherever they stand in an object of these kinds.
const HAS_SERVICES: [&str; 5] = [
    "APIService",
    "CustomResourceDefinition",
    "Ingress",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// Returns, for each of several objects, the keys of those that have to be there before it.
pub(crate) fn order(objects: &BTreeMap<String, &ValueMap>) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys = BTreeMap::<Named, Vec<&String>>::new();
    let mut definitions = BTreeMap::<(String, String), &String>::new();
    for (key, manifest) in objects {
        let Some(name) = ObjectName::of(manifest) else { continue };
        if name.kind == "CustomResourceDefinition" {
            definitions.extend(defined(manifest).map(|defined| (defined, key)));
        }
        let named = Named { kind: name.kind, namespace: name.namespace, name: name.name };
        keys.entry(named).or_default().push(key);
    }
    let before = |(key, manifest): (&String, &&ValueMap)| {
        let Some(name) = ObjectName::of(manifest) else { return (key.clone(), BTreeSet::new()) };
        let named = named_by(&name, manifest).into_iter().filter_map(|named| keys.get(&named));
        let mut before: BTreeSet<String> = named.flatten().map(|key| (*key).clone()).collect();
        before.extend(definitions.get(&(name.group, name.kind)).map(|key| (*key).clone()));
        before.remove(key);
        (key.clone(), before)
    };
    without_circles(objects.iter().map(before).collect())
}

/// Returns the group and kind that a definition defines.
fn defined(manifest: &ValueMap) -> Option<(String, String)> {
    let spec = manifest.get("spec")?.as_map()?;
    let kind = spec.get("names")?.as_map()?.get("kind")?.as_str()?;
    Some((spec.get("group")?.as_str()?.to_owned(), kind.to_owned()))
}

/// Returns what an object names.
fn named_by(name: &ObjectName, manifest: &ValueMap) -> BTreeSet<Named> {
    let mut found = Finder { namespace: name.namespace.as_deref(), named: BTreeSet::new() };
    if let Some(namespace) = &name.namespace {
        found.add("Namespace", None, Some(namespace));
    }
    let spec = manifest.get("spec").and_then(Value::as_map);
    let at = |key: &str| spec.and_then(|spec| spec.get(key));
    if let Some((_, path)) = POD_SPECS.iter().find(|(kind, _)| *kind == name.kind) {
        found.pods(inside(manifest, path));
    }
    if HAS_SERVICES.contains(&name.kind.as_str()) {
        for value in manifest.values() {
            found.services(value);
        }
    }
    match name.kind.as_str() {
        "Ingress" => {
            found.add("IngressClass", None, at("ingressClassName").and_then(Value::as_str));
            for tls in at("tls").and_then(Value::as_list).unwrap_or_default() {
                found.own("Secret", tls, "secretName");
            }
        }
        "IngressClass" => found.reference(at("parameters"), false),
        "RoleBinding" | "ClusterRoleBinding" => {
            found.reference(manifest.get("roleRef"), true);
            for subject in manifest.get("subjects").and_then(Value::as_list).unwrap_or_default() {
                found.reference(Some(subject), true);
            }
        }
        "ServiceAccount" => {
            for key in ["secrets", "imagePullSecrets"] {
                for secret in manifest.get(key).and_then(Value::as_list).unwrap_or_default() {
                    found.own("Secret", secret, "name");
                }
            }
        }
        "HorizontalPodAutoscaler" => found.reference(at("scaleTargetRef"), true),
        "StatefulSet" => {
            let service = at("serviceName").and_then(Value::as_str);
            found.add("Service", name.namespace.as_deref(), service);
        }
        "PersistentVolumeClaim" => {
            found.add("StorageClass", None, at("storageClassName").and_then(Value::as_str));
        }
        "TargetGroupBinding" => {
            if let Some(service) = at("serviceRef") {
                found.own("Service", service, "name");
            }
        }
        _ => {}
    }
    found.named
}

struct Finder<'a> {
    /// Of the object that is looked at.
    namespace: Option<&'a str>,
    named: BTreeSet<Named>,
}

impl Finder<'_> {
    fn add(&mut self, kind: &str, namespace: Option<&str>, name: Option<&str>) {
        let Some(name) = name else { return };
        let namespace = namespace.map(str::to_owned);
        self.named.insert(Named { kind: kind.to_owned(), namespace, name: name.to_owned() });
    }

    /// Adds an object of the same namespace that `table` names under `key`.
    fn own(&mut self, kind: &str, table: &Value, key: &str) {
        let name = table.as_map().and_then(|table| table.get(key)).and_then(Value::as_str);
        self.add(kind, self.namespace, name);
    }

    /// Adds what a table with `kind` and `name` names: in its own namespace if it says one, in that of
    /// the object or in none.
    fn reference(&mut self, reference: Option<&Value>, is_in_same: bool) {
        let Some(table) = reference.and_then(Value::as_map) else { return };
        let text = |key: &str| table.get(key).and_then(Value::as_str);
        let Some(kind) = text("kind") else { return };
        self.add(kind, None, text("name"));
        let same = self.namespace.filter(|_| is_in_same);
        if let Some(namespace) = text("namespace").or(same) {
            self.add(kind, Some(namespace), text("name"));
        }
    }

    /// Adds what pods need to start.
    fn pods(&mut self, spec: Option<&ValueMap>) {
        let Some(spec) = spec else { return };
        let text = |key: &str| spec.get(key).and_then(Value::as_str);
        self.add("ServiceAccount", self.namespace, text("serviceAccountName").or(text("serviceAccount")));
        self.add("PriorityClass", None, text("priorityClassName"));
        self.add("RuntimeClass", None, text("runtimeClassName"));
        for secret in spec.get("imagePullSecrets").and_then(Value::as_list).unwrap_or_default() {
            self.own("Secret", secret, "name");
        }
        for key in ["initContainers", "containers", "volumes"] {
            spec.get(key).into_iter().for_each(|value| self.configuration(value));
        }
    }

    /// Adds the configuration that environments and volumes are made of, wherever it is named.
    fn configuration(&mut self, value: &Value) {
        for item in value.as_list().unwrap_or_default() {
            self.configuration(item);
        }
        for (key, value) in value.as_map().into_iter().flatten() {
            match key.as_str() {
                "configMap" | "configMapRef" | "configMapKeyRef" => self.own("ConfigMap", value, "name"),
                "secret" => {
                    // Of a volume, and of one that is projected.
                    self.own("Secret", value, "secretName");
                    self.own("Secret", value, "name");
                }
                "secretRef" | "secretKeyRef" => self.own("Secret", value, "name"),
                "persistentVolumeClaim" => self.own("PersistentVolumeClaim", value, "claimName"),
                _ => {}
            }
            self.configuration(value);
        }
    }

    /// Adds the Services that are named under `service`.
    fn services(&mut self, value: &Value) {
        for item in value.as_list().unwrap_or_default() {
            self.services(item);
        }
        for (key, value) in value.as_map().into_iter().flatten() {
            if key == "service"
                && let Some(table) = value.as_map()
            {
                let text = |key: &str| table.get(key).and_then(Value::as_str);
                let namespace = text("namespace").map(str::to_owned);
                let namespace = namespace.or_else(|| self.namespace.map(str::to_owned));
                self.add("Service", namespace.as_deref(), text("name"));
            }
            self.services(value);
        }
    }
}

fn inside<'a>(table: &'a ValueMap, path: &[&str]) -> Option<&'a ValueMap> {
    path.iter().try_fold(table, |table, key| table.get(*key)?.as_map())
}

/// Takes out the edges that close a circle, such as of a definition whose conversion webhook is answered
/// by pods of which the kind is defined by it.
fn without_circles(mut edges: BTreeMap<String, BTreeSet<String>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut done = BTreeSet::new();
    let starts: Vec<_> = edges.keys().cloned().collect();
    for start in starts {
        // From the start inwards, each with what is left to look at of what it waits for.
        let mut path: Vec<(String, Vec<String>)> = Vec::new();
        let mut on_path = BTreeSet::new();
        let mut next = Some(start).filter(|start| !done.contains(start));
        loop {
            if let Some(key) = next.take() {
                let before = edges.get(&key).into_iter().flatten().cloned().collect();
                on_path.insert(key.clone());
                path.push((key, before));
            }
            let Some((key, before)) = path.last_mut() else { break };
            match before.pop() {
                Some(other) if on_path.contains(&other) => {
                    let key = key.clone();
                    edges.get_mut(&key).expect("what is on the path has an entry").remove(&other);
                }
                Some(other) if done.contains(&other) => {}
                Some(other) => next = Some(other),
                None => {
                    on_path.remove(key);
                    done.insert(key.clone());
                    path.pop();
                }
            }
        }
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::yaml;

    /// Returns what waits for what, as `key <- key, key`.
    fn shown(text: &str) -> Vec<String> {
        let documents = yaml::read(text).expect("the text is YAML");
        let manifests: Vec<_> = documents.iter().map(yaml::Node::value).collect();
        let objects: BTreeMap<_, _> = manifests
            .iter()
            .filter_map(|manifest| {
                let manifest = manifest.as_map()?;
                Some((ObjectName::of(manifest)?.to_string(), manifest))
            })
            .collect();
        let line = |(key, before): (String, BTreeSet<String>)| {
            let before: Vec<_> = before.into_iter().collect();
            (!before.is_empty()).then(|| format!("{key} <- {}", before.join(", ")))
        };
        order(&objects).into_iter().filter_map(line).collect()
    }

    #[test]
    fn an_application_waits_for_what_it_names() {
        let text = "
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: shop}}
---
{apiVersion: v1, kind: Secret, metadata: {name: settings, namespace: other}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      serviceAccountName: web
      containers:
      - env:
        - name: A
          valueFrom: {configMapKeyRef: {name: settings, key: a}}
        envFrom: [{secretRef: {name: settings}}]
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web, namespace: shop}
spec:
  ingressClassName: alb
  rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: alb}, spec: {parameters: {kind: Parameters, name: alb}}}
---
{apiVersion: elbv2.example.com/v1, kind: Parameters, metadata: {name: alb}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: parameters.elbv2.example.com}
spec: {group: elbv2.example.com, names: {kind: Parameters}}
";
        assert_eq!(
            shown(text),
            [
                "ConfigMap/shop/settings <- Namespace/shop",
                "Deployment/shop/web <- ConfigMap/shop/settings, Namespace/shop, ServiceAccount/shop/web",
                "Ingress/shop/web <- IngressClass/alb, Namespace/shop, Service/shop/web",
                "IngressClass/alb <- Parameters/alb",
                "Parameters/alb <- CustomResourceDefinition/parameters.elbv2.example.com",
                "Service/shop/web <- Namespace/shop",
                "ServiceAccount/shop/web <- Namespace/shop",
            ]
        );
    }

    #[test]
    fn circles_are_cut() {
        let text = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: a}
spec: {group: example.com, names: {kind: Service}, conversion: {webhook: {clientConfig: {service: {name: hook, namespace: other}}}}}
---
{apiVersion: example.com/v1, kind: Service, metadata: {name: hook, namespace: other}}
";
        assert_eq!(shown(text), ["CustomResourceDefinition/a <- Service.example.com/other/hook"]);
    }

    #[test]
    fn bindings_wait_for_roles_and_accounts() {
        let text = "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: other}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}
subjects: [{kind: ServiceAccount, name: s, namespace: m}]
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: r}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: s, namespace: m}}
";
        assert_eq!(shown(text), ["RoleBinding/other/b <- ClusterRole/r, ServiceAccount/m/s"]);
    }
}

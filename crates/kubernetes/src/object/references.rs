//! What an object is called by others, and which others it names.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use straddle_engine::cluster::Standing;
use straddle_engine::value::{Value, ValueMap};

use super::manifest::is_namespaced;

/// Returns what an object is called, and what has to be there before it. Parts that are not known yet
/// name nothing.
pub(crate) fn standing(inputs: &ValueMap) -> Standing {
    let manifest = inputs.get("manifest").map(known).unwrap_or_default();
    let mut standing = Standing::default();
    let namespace = text(&manifest["metadata"]["namespace"]);
    let (Some(kind), Some(name)) = (text(&manifest["kind"]), text(&manifest["metadata"]["name"])) else {
        return standing;
    };
    let mut names = Names { namespace, needs: &mut standing.needs };
    names.of(kind, &manifest);
    if let Some(namespace) = namespace {
        names.need_global("Namespace", namespace);
    }
    if let Some((group, _)) = text(&manifest["apiVersion"]).and_then(|version| version.split_once('/')) {
        standing.needs.insert(defined(group, kind));
    }
    standing.names.insert(match namespace {
        Some(namespace) => format!("{kind}/{namespace}/{name}"),
        None => format!("{kind}/{name}"),
    });
    if kind == "CustomResourceDefinition" {
        let spec = &manifest["spec"];
        let kind = text(&spec["group"]).zip(text(&spec["names"]["kind"]));
        standing.names.extend(kind.map(|(group, kind)| defined(group, kind)));
    }
    if kind.ends_with("WebhookConfiguration") {
        standing.names.extend(admitted(&manifest));
    } else {
        standing.needs.extend(admission(text(&manifest["apiVersion"]).unwrap_or_default(), kind));
    }
    // What runs as somebody may do what the bindings of it say.
    if kind.ends_with("RoleBinding") {
        standing.names.extend(subjects(&manifest, namespace).map(|subject| format!("binding {subject}")));
    }
    standing
}

fn defined(group: &str, kind: &str) -> String {
    format!("definition {group}/{kind}")
}

/// Returns what the webhooks of a configuration have to agree to.
fn admitted(configuration: &Json) -> impl Iterator<Item = String> {
    let insisting = items(&configuration["webhooks"]).filter(|webhook| webhook["failurePolicy"] != "Ignore");
    let groups = |rule: &'_ Json| -> Vec<String> {
        let resources: Vec<_> = items(&rule["resources"]).filter_map(text).collect();
        let groups = items(&rule["apiGroups"]).filter_map(Json::as_str);
        groups.flat_map(|group| resources.iter().map(move |resource| agreed(group, resource))).collect()
    };
    insisting.flat_map(|webhook| items(&webhook["rules"])).flat_map(groups)
}

/// Returns the names of the webhooks that may have to agree to an object. What such webhooks are made of
/// themselves waits for none of them.
fn admission(api_version: &str, kind: &str) -> Vec<String> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    if is_namespaced(api_version, kind).is_some() && group != "networking.k8s.io" {
        return Vec::new();
    }
    let singular = kind.to_lowercase();
    let plural = if let Some(stem) = singular.strip_suffix('y') {
        format!("{stem}ies")
    } else if singular.ends_with(['s', 'x', 'h']) {
        format!("{singular}es")
    } else {
        format!("{singular}s")
    };
    // Some kinds are called by a plural themselves.
    let resources = [singular.as_str(), &plural, "*"];
    [group, "*"].iter().flat_map(|group| resources.map(|resource| agreed(group, resource))).collect()
}

fn agreed(group: &str, resource: &str) -> String {
    format!("admission {group}/{resource}")
}

fn subjects<'a>(binding: &'a Json, namespace: Option<&'a str>) -> impl Iterator<Item = String> + 'a {
    items(&binding["subjects"]).filter(|subject| subject["kind"] == "ServiceAccount").filter_map(
        move |subject| {
            let namespace = text(&subject["namespace"]).or(namespace)?;
            Some(format!("ServiceAccount/{namespace}/{}", text(&subject["name"])?))
        },
    )
}

/// Collects what an object names.
struct Names<'a> {
    namespace: Option<&'a str>,
    needs: &'a mut BTreeSet<String>,
}

impl Names<'_> {
    fn of(&mut self, kind: &str, manifest: &Json) {
        let spec = &manifest["spec"];
        match kind {
            "Pod" => self.pod(spec),
            "Deployment" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
                self.pod(&spec["template"]["spec"]);
            }
            "StatefulSet" => {
                self.pod(&spec["template"]["spec"]);
                self.need("Service", &spec["serviceName"]);
            }
            "CronJob" => self.pod(&spec["jobTemplate"]["spec"]["template"]["spec"]),
            "Ingress" => self.ingress(spec),
            "IngressClass" => {
                let parameters = &spec["parameters"];
                if let (Some(kind), Some(name)) = (text(&parameters["kind"]), text(&parameters["name"])) {
                    self.need_global(kind, name);
                }
            }
            "RoleBinding" | "ClusterRoleBinding" => self.binding(manifest),
            "HorizontalPodAutoscaler" => {
                let target = &spec["scaleTargetRef"];
                if let Some(kind) = text(&target["kind"]) {
                    self.need(kind, &target["name"]);
                }
            }
            "PersistentVolumeClaim" => self.need_named_global("StorageClass", &spec["storageClassName"]),
            "TargetGroupBinding" => self.need("Service", &spec["serviceRef"]["name"]),
            "ServiceAccount" => self.pull_secrets(&manifest["imagePullSecrets"]),
            "Secret" => {
                let annotations = &manifest["metadata"]["annotations"];
                self.need("ServiceAccount", &annotations["kubernetes.io/service-account.name"]);
            }
            "APIService" => self.service(&spec["service"]),
            "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" => {
                items(&manifest["webhooks"])
                    .for_each(|webhook| self.service(&webhook["clientConfig"]["service"]));
            }
            _ => {}
        }
    }

    fn pod(&mut self, pod: &Json) {
        if let Some((account, namespace)) = text(&pod["serviceAccountName"]).zip(self.namespace) {
            let account = format!("ServiceAccount/{namespace}/{account}");
            self.needs.insert(format!("binding {account}"));
            self.needs.insert(account);
        }
        self.pull_secrets(&pod["imagePullSecrets"]);
        self.need_named_global("PriorityClass", &pod["priorityClassName"]);
        self.need_named_global("RuntimeClass", &pod["runtimeClassName"]);
        for container in items(&pod["initContainers"]).chain(items(&pod["containers"])) {
            for source in items(&container["envFrom"]) {
                self.need("ConfigMap", &source["configMapRef"]["name"]);
                self.need("Secret", &source["secretRef"]["name"]);
            }
            for variable in items(&container["env"]) {
                self.need("ConfigMap", &variable["valueFrom"]["configMapKeyRef"]["name"]);
                self.need("Secret", &variable["valueFrom"]["secretKeyRef"]["name"]);
            }
        }
        for volume in items(&pod["volumes"]) {
            self.need("ConfigMap", &volume["configMap"]["name"]);
            self.need("Secret", &volume["secret"]["secretName"]);
            self.need("PersistentVolumeClaim", &volume["persistentVolumeClaim"]["claimName"]);
            for source in items(&volume["projected"]["sources"]) {
                self.need("ConfigMap", &source["configMap"]["name"]);
                self.need("Secret", &source["secret"]["name"]);
            }
        }
    }

    fn ingress(&mut self, spec: &Json) {
        self.need_named_global("IngressClass", &spec["ingressClassName"]);
        self.need("Service", &spec["defaultBackend"]["service"]["name"]);
        for path in items(&spec["rules"]).flat_map(|rule| items(&rule["http"]["paths"])) {
            self.need("Service", &path["backend"]["service"]["name"]);
        }
        items(&spec["tls"]).for_each(|tls| self.need("Secret", &tls["secretName"]));
    }

    fn binding(&mut self, binding: &Json) {
        let role = &binding["roleRef"];
        match text(&role["kind"]) {
            Some("ClusterRole") => self.need_named_global("ClusterRole", &role["name"]),
            Some("Role") => self.need("Role", &role["name"]),
            _ => {}
        }
        let subjects: Vec<_> = subjects(binding, self.namespace).collect();
        self.needs.extend(subjects);
    }

    fn service(&mut self, service: &Json) {
        if let (Some(namespace), Some(name)) = (text(&service["namespace"]), text(&service["name"])) {
            self.needs.insert(format!("Service/{namespace}/{name}"));
        }
    }

    fn pull_secrets(&mut self, secrets: &Json) {
        items(secrets).for_each(|secret| self.need("Secret", &secret["name"]));
    }

    fn need(&mut self, kind: &str, name: &Json) {
        if let (Some(name), Some(namespace)) = (text(name), self.namespace) {
            self.needs.insert(format!("{kind}/{namespace}/{name}"));
        }
    }

    fn need_named_global(&mut self, kind: &str, name: &Json) {
        if let Some(name) = text(name) {
            self.need_global(kind, name);
        }
    }

    fn need_global(&mut self, kind: &str, name: &str) {
        self.needs.insert(format!("{kind}/{name}"));
    }
}

fn text(value: &Json) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

fn items(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

/// Returns a value as JSON, with null for what is not known.
fn known(value: &Value) -> Json {
    match value {
        Value::List(items) => items.iter().map(known).collect(),
        Value::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), known(value))).collect(),
        Value::String(text) => Json::from(text.as_str()),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::Unknown(_) => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use straddle_engine::json::decode;

    use super::*;

    fn of(manifest: &str) -> Standing {
        standing(&ValueMap::from([("manifest".to_owned(), decode(manifest).unwrap())]))
    }

    fn texts(set: &BTreeSet<String>) -> Vec<&str> {
        set.iter().map(String::as_str).collect()
    }

    #[test]
    fn a_workload_names_what_its_pods_use() {
        let standing = of(
            r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app", "namespace": "n"},
            "spec": {"template": {"spec": {"serviceAccountName": "sa",
                "containers": [{"envFrom": [{"secretRef": {"name": "s"}}]}],
                "volumes": [{"configMap": {"name": "c"}}]}}}}"#,
        );
        assert_eq!(texts(&standing.names), ["Deployment/n/app"]);
        let expected = [
            "ConfigMap/n/c",
            "Namespace/n",
            "Secret/n/s",
            "ServiceAccount/n/sa",
            "binding ServiceAccount/n/sa",
            "definition apps/Deployment",
        ];
        assert_eq!(texts(&standing.needs), expected);
    }

    #[test]
    fn definitions_and_bindings_have_names_that_others_need() {
        let standing = of(r#"{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "params.x.io"}, "spec": {"group": "x.io", "names": {"kind": "Params"}}}"#);
        assert_eq!(
            texts(&standing.names),
            ["CustomResourceDefinition/params.x.io", "definition x.io/Params"]
        );
        let standing = of(r#"{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "b", "namespace": "n"}, "roleRef": {"kind": "Role", "name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "sa"}]}"#);
        assert!(standing.names.contains("binding ServiceAccount/n/sa"));
        assert!(standing.needs.contains("Role/n/r") && standing.needs.contains("ServiceAccount/n/sa"));
    }

    #[test]
    fn what_webhooks_have_to_agree_to_waits_for_their_configuration() {
        let webhooks = of(
            r#"{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "w"}, "webhooks": [
                {"failurePolicy": "Fail", "rules": [{"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"]},
                    {"apiGroups": ["x.io"], "resources": ["params", "policies"]}, {"apiGroups": [""], "resources": ["pods"]}]},
                {"failurePolicy": "Ignore", "rules": [{"apiGroups": ["y.io"], "resources": ["*"]}]}]}"#,
        );
        let waits = |version: &str, kind: &str| {
            let object = of(&format!(
                r#"{{"apiVersion": "{version}", "kind": "{kind}", "metadata": {{"name": "a", "namespace": "n"}}}}"#
            ));
            object.needs.intersection(&webhooks.names).next().is_some()
        };
        for (version, kind, expected) in [
            ("networking.k8s.io/v1", "Ingress", true),
            ("networking.k8s.io/v1", "IngressClass", false),
            ("x.io/v1", "Params", true),
            ("x.io/v2", "Policy", true),
            ("y.io/v1", "Thing", false),
            // What answers is a pod itself.
            ("v1", "Pod", false),
        ] {
            assert_eq!(waits(version, kind), expected, "{version} {kind}");
        }
    }

    #[test]
    fn an_ingress_names_its_class_and_services() {
        let standing = of(r#"{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": {"name": "i", "namespace": "n"}, "spec": {"ingressClassName": "alb",
            "rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]}}"#);
        for need in ["IngressClass/alb", "Service/n/web", "Namespace/n"] {
            assert!(standing.needs.contains(need), "{need}");
        }
    }
}

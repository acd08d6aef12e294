//! What an object of Kubernetes is called, and where it belongs.

use std::fmt;

use straddle_engine::value::{Value, ValueMap};

/// Kinds of Kubernetes' own whose objects are in no namespace, with their groups.
///
/// Source: the API reference of Kubernetes 1.33, resources with `"namespaced": false`.
const CLUSTER_SCOPED: [(&str, &str); 30] = [
    ("", "ComponentStatus"),
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
    ("certificates.k8s.io", "ClusterTrustBundle"),
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"),
    ("networking.k8s.io", "IPAddress"),
    ("networking.k8s.io", "IngressClass"),
    ("networking.k8s.io", "ServiceCIDR"),
    ("node.k8s.io", "RuntimeClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("resource.k8s.io", "DeviceClass"),
    ("resource.k8s.io", "ResourceSlice"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("storage.k8s.io", "VolumeAttributesClass"),
];

/// Groups of Kubernetes' own.
const OWN_GROUPS: [&str; 21] = [
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Kinds of Kubernetes' own that others have taken for kinds of theirs: these are named with their group.
const TAKEN_TWICE: [&str; 8] =
    ["Event", "Ingress", "Job", "NetworkPolicy", "Role", "Service", "Secret", "Node"];

/// Whether objects of a kind are in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// They are.
    Namespaced,
    /// They are in none.
    Cluster,
    /// The kind is none of Kubernetes' own.
    Untold,
}

/// Names one object of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectName {
    /// The part of `apiVersion` before `/`; empty for the core group.
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl ObjectName {
    /// Returns the name of an object with this manifest; `None` if a part of it is missing or not known.
    pub(crate) fn of(manifest: &ValueMap) -> Option<Self> {
        let text = |table: &ValueMap, key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
        let metadata = manifest.get("metadata")?.as_map()?;
        Some(Self {
            group: group_of(&text(manifest, "apiVersion")?).to_owned(),
            kind: text(manifest, "kind")?,
            namespace: text(metadata, "namespace"),
            name: text(metadata, "name")?,
        })
    }
}

/// As keys have it: `Kind/namespace/name`, or `Kind/name` in no namespace; `Kind.group` where a kind of
/// Kubernetes' own has the same name.
impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.kind)?;
        if !is_own_group(&self.group) && TAKEN_TWICE.contains(&self.kind.as_str()) {
            write!(formatter, ".{}", self.group)?;
        }
        if let Some(namespace) = &self.namespace {
            write!(formatter, "/{namespace}")?;
        }
        write!(formatter, "/{}", self.name)
    }
}

/// Returns the group in an `apiVersion`.
pub(crate) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Tells whether objects of a kind are in a namespace.
pub(crate) fn scope(group: &str, kind: &str) -> Scope {
    if CLUSTER_SCOPED.contains(&(group, kind)) {
        Scope::Cluster
    } else if is_own_group(group) {
        Scope::Namespaced
    } else {
        Scope::Untold
    }
}

fn is_own_group(group: &str) -> bool {
    OWN_GROUPS.contains(&group)
}

#[cfg(test)]
mod tests {
    use straddle_engine::yaml;

    use super::*;

    fn shown(text: &str) -> String {
        let manifest = yaml::decode(text).expect("the text is YAML");
        ObjectName::of(manifest.as_map().expect("it is a table")).expect("it has a name").to_string()
    }

    #[test]
    fn objects_are_named_by_kind_namespace_and_name() {
        assert_eq!(
            shown("{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: shop, name: web}}"),
            "Deployment/shop/web"
        );
        assert_eq!(shown("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"), "Namespace/shop");
        assert_eq!(
            shown("{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {namespace: a, name: b}}"),
            "Service.serving.knative.dev/a/b"
        );
    }

    #[test]
    fn scopes_of_own_kinds_are_known() {
        assert_eq!(scope("", "Namespace"), Scope::Cluster);
        assert_eq!(scope("networking.k8s.io", "IngressClass"), Scope::Cluster);
        assert_eq!(scope("networking.k8s.io", "Ingress"), Scope::Namespaced);
        assert_eq!(scope("elbv2.k8s.aws", "IngressClassParams"), Scope::Untold);
    }
}

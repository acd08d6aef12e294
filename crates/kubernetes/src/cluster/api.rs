//! What an API server has: the paths of things, by group, version and kind.

use std::fmt::Write;

use serde_json::Value as Json;

/// Something that an API server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiResource {
    /// The word in paths, such as `deployments`.
    pub(crate) plural: String,
    /// The kind.
    pub(crate) kind: String,
    /// Whether things of the kind are in namespaces.
    pub(crate) is_namespaced: bool,
}

impl ApiResource {
    /// Reads an `APIResourceList`; parts of things such as `deployments/scale` are left out.
    pub(crate) fn all(list: &Json) -> Vec<Self> {
        let resources = list["resources"].as_array().into_iter().flatten();
        let resource = |resource: &Json| {
            let plural = resource["name"].as_str().filter(|name| !name.contains('/'))?.to_owned();
            let kind = resource["kind"].as_str()?.to_owned();
            Some(Self { plural, kind, is_namespaced: resource["namespaced"].as_bool()? })
        };
        resources.filter_map(resource).collect()
    }

    /// Returns the one of a kind.
    pub(crate) fn find(resources: &[Self], kind: &str) -> Option<Self> {
        resources.iter().find(|resource| resource.kind == kind).cloned()
    }

    /// Returns the path of all things of the kind, of one namespace if they are in one.
    pub(crate) fn collection(&self, api_version: &str, namespace: Option<&str>) -> String {
        let group = group_path(api_version);
        match namespace.filter(|_| self.is_namespaced) {
            Some(namespace) => format!("{group}/namespaces/{namespace}/{}", self.plural),
            None => format!("{group}/{}", self.plural),
        }
    }

    /// Returns the path of one thing.
    pub(crate) fn path(&self, api_version: &str, namespace: Option<&str>, name: &str) -> String {
        let namespace = namespace.unwrap_or("default");
        format!("{}/{}", self.collection(api_version, Some(namespace)), escaped(name))
    }
}

/// Returns the path of a group and version.
pub(crate) fn group_path(api_version: &str) -> String {
    if api_version.contains('/') { format!("/apis/{api_version}") } else { format!("/api/{api_version}") }
}

/// Names of some kinds may have characters in them that mean something in a path.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_the_namespace_of_things_that_are_in_one() {
        let list = serde_json::json!({"resources": [
            {"name": "deployments/scale", "kind": "Scale", "namespaced": true},
            {"name": "deployments", "kind": "Deployment", "namespaced": true},
            {"name": "clusterroles", "kind": "ClusterRole", "namespaced": false},
        ]});
        let resources = ApiResource::all(&list);
        assert_eq!(resources.len(), 2);
        let deployment = ApiResource::find(&resources, "Deployment").unwrap();
        let path = deployment.path("apps/v1", Some("game"), "app");
        assert_eq!(path, "/apis/apps/v1/namespaces/game/deployments/app");
        let role = ApiResource::find(&resources, "ClusterRole").unwrap();
        let path = role.path("rbac.authorization.k8s.io/v1", Some("ignored"), "system:node");
        assert_eq!(path, "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode");
        assert_eq!(deployment.collection("v1", None), "/api/v1/deployments");
        assert_eq!(ApiResource::find(&resources, "Scale"), None);
    }
}

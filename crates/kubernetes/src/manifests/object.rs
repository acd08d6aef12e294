//! What an object of Kubernetes is called, and where it belongs.

use std::collections::BTreeSet;
use std::fmt;

use straddle_engine::bundle::{Member, Place};
use straddle_engine::value::{Value, ValueMap};

use crate::object::is_namespaced;

/// Kinds of Kubernetes' own that others have taken for kinds of theirs: these are named with their group.
const TAKEN_TWICE: [&str; 8] =
    ["Event", "Ingress", "Job", "NetworkPolicy", "Role", "Service", "Secret", "Node"];

/// Names one object of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectName {
    /// Such as `apps/v1`.
    pub(crate) api_version: String,
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
            api_version: text(manifest, "apiVersion")?,
            kind: text(manifest, "kind")?,
            namespace: text(metadata, "namespace"),
            name: text(metadata, "name")?,
        })
    }
}

impl ObjectName {
    /// Returns the part of the `apiVersion` before `/`; empty for the core group.
    pub(crate) fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Tells whether objects of the kind are in namespaces; `None` if only the cluster knows.
    pub(crate) fn is_namespaced(&self) -> Option<bool> {
        is_namespaced(&self.api_version, &self.kind)
    }
}

/// As keys have it: `Kind/namespace/name`, or `Kind/name` in no namespace; `Kind.group` where a kind of
/// Kubernetes' own has the same name.
impl fmt::Display for ObjectName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.kind)?;
        if self.is_namespaced().is_none() && TAKEN_TWICE.contains(&self.kind.as_str()) {
            write!(formatter, ".{}", self.group())?;
        }
        if let Some(namespace) = &self.namespace {
            write!(formatter, "/{namespace}")?;
        }
        write!(formatter, "/{}", self.name)
    }
}

/// An object that a stack is to have.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) manifest: ValueMap,
    pub(crate) name: ObjectName,
    /// Where its name is written, if in a file.
    pub(crate) place: Option<Place>,
}

impl Object {
    /// Returns the resource for the object, which waits for others by their keys.
    pub(crate) fn into_member(self, after: Vec<String>) -> Member {
        let attributes = ValueMap::from([("manifest".to_owned(), Value::Map(self.manifest))]);
        Member { key: self.name.to_string(), attributes, after, place: self.place }
    }
}

/// Gives objects a namespace that have to be in one and do not say it: that which is given, else `default`.
/// Objects of kinds that nobody here knows get only one that is given.
pub(crate) fn settle_namespaces(objects: &mut [Object], given: Option<&str>) {
    let in_none: BTreeSet<_> = objects.iter().filter_map(defined_in_no_namespace).collect();
    for object in objects {
        let is_namespaced = object.name.is_namespaced();
        let kind = (object.name.group().to_owned(), object.name.kind.clone());
        let Some(Value::Map(metadata)) = object.manifest.get_mut("metadata") else { continue };
        if is_namespaced == Some(false) || in_none.contains(&kind) {
            metadata.remove("namespace");
            object.name.namespace = None;
        } else if object.name.namespace.is_none() {
            object.name.namespace = given.or(is_namespaced.map(|_| "default")).map(str::to_owned);
            let namespace = object.name.namespace.as_deref().map(Value::from);
            metadata.extend(namespace.map(|namespace| ("namespace".to_owned(), namespace)));
        }
    }
}

/// Returns the group and kind that a definition defines, if objects of it are in no namespace.
fn defined_in_no_namespace(object: &Object) -> Option<(String, String)> {
    let is_definition = object.name.kind == "CustomResourceDefinition";
    let spec = object.manifest.get("spec").filter(|_| is_definition)?.as_map()?;
    let kind = spec.get("names")?.as_map()?.get("kind")?.as_str()?;
    let is_in_none = spec.get("scope")?.as_str() == Some("Cluster");
    is_in_none.then_some((spec.get("group")?.as_str()?.to_owned(), kind.to_owned()))
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
}

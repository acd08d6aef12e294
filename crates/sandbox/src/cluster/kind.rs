//! The kinds that a cluster serves: those that every cluster has, and those of its definitions.

use std::sync::{Arc, LazyLock};

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::schema::{self, Type};

/// A kind in one version of its group.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_field_names, reason = "objects have a field of this name")]
pub(super) struct Kind {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    pub(super) singular: String,
    pub(super) kind: String,
    pub(super) namespaced: bool,
    /// What may be done with it.
    #[serde(default = "usual_verbs")]
    pub(super) verbs: Vec<String>,
    #[serde(default)]
    pub(super) short_names: Vec<String>,
    #[serde(default)]
    pub(super) categories: Vec<String>,
    #[serde(default)]
    pub(super) subresources: Vec<Subresource>,
    /// The version in which objects are kept, if it is another one.
    stored_version: Option<String>,
    /// Whether nothing is kept of it.
    #[serde(default)]
    unhashed: bool,
    /// The name of its type.
    #[serde(rename = "type")]
    type_name: String,
    /// What the definition of a custom resource says of this version.
    #[serde(skip)]
    pub(super) custom: Option<Arc<Custom>>,
}

/// What a definition says of a version.
#[derive(Debug)]
pub(super) struct Custom {
    pub(super) schema: Value,
    pub(super) of: Type,
    pub(super) columns: Value,
    pub(super) list_kind: String,
}

/// A part of an object that has a path of its own.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Subresource {
    pub(super) name: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) group: String,
    #[serde(default)]
    pub(super) version: String,
    pub(super) verbs: Vec<String>,
}

static KINDS: LazyLock<Vec<Arc<Kind>>> = LazyLock::new(|| {
    let kinds: Vec<Kind> =
        serde_json::from_str(include_str!("data/kinds.json")).expect("the table of kinds can be read");
    kinds.into_iter().map(Arc::new).collect()
});

fn usual_verbs() -> Vec<String> {
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
        .map(str::to_owned)
        .to_vec()
}

/// Returns the kinds that every cluster has.
pub(super) fn built_in() -> &'static [Arc<Kind>] {
    &KINDS
}

/// Returns a kind that every cluster has, by its plural and group, such as `deployments.apps`.
pub(super) fn known(resource: &str) -> Arc<Kind> {
    let found = KINDS.iter().find(|kind| kind.resource() == resource);
    Arc::clone(found.expect("the kinds that the sandbox itself uses are in the table"))
}

impl Kind {
    /// Returns plural and group, such as `deployments.apps`; it tells kinds apart.
    pub(super) fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// Returns group and version, such as `apps/v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Returns the path of its objects in a namespace; in none if that is empty.
    pub(super) fn path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "/api/" } else { "/apis/" };
        let place = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
        format!("{root}{}{place}/{}", self.api_version(), self.plural)
    }

    /// Returns the resource under which objects are kept: events are the same in two groups.
    pub(super) fn stored_as(&self) -> String {
        match (self.group.as_str(), self.plural.as_str()) {
            ("events.k8s.io", "events") => "events".to_owned(),
            _ => self.resource(),
        }
    }

    /// Returns its type.
    pub(super) fn of(&self) -> Type {
        match &self.custom {
            Some(custom) => custom.of.clone(),
            None => Type::named(&self.type_name),
        }
    }

    /// Tells whether it has a part with a path of its own.
    pub(super) fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|part| part.name == name)
    }

    pub(super) fn list_kind(&self) -> String {
        self.custom.as_ref().map_or_else(|| format!("{}List", self.kind), |custom| custom.list_kind.clone())
    }

    /// Returns what tells clients in which version objects are kept.
    pub(super) fn hash(&self) -> Option<String> {
        let version = self.stored_version.as_ref().unwrap_or(&self.version);
        let digest = Sha256::digest(format!("{}/{version}/{}", self.group, self.kind));
        (!self.unhashed).then(|| BASE64.encode(&digest[..8]))
    }
}

/// Returns the kinds that a definition makes: one for each version that is served.
pub(super) fn of_definition(definition: &Value) -> Vec<Arc<Kind>> {
    let (spec, names) = (&definition["spec"], &definition["spec"]["names"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let versions = spec["versions"].as_array().into_iter().flatten();
    let stored = versions.clone().find(|version| version["storage"] == true);
    let stored = stored.map(|version| text(&version["name"]));
    versions
        .filter(|version| version["served"] == true)
        .map(|version| {
            let schema = version["schema"]["openAPIV3Schema"].clone();
            let custom = Custom {
                of: schema::of_custom(&schema),
                schema,
                columns: version["additionalPrinterColumns"].clone(),
                list_kind: text(&names["listKind"]),
            };
            let of_part = |name: &str| {
                let verbs = ["get", "patch", "update"].map(str::to_owned).to_vec();
                let (kind, group) = (text(&names["kind"]), text(&spec["group"]));
                Subresource { name: name.to_owned(), kind, group, version: text(&version["name"]), verbs }
            };
            let parts = ["status"].into_iter().filter(|name| version["subresources"].get(name).is_some());
            Arc::new(Kind {
                group: text(&spec["group"]),
                version: text(&version["name"]),
                plural: text(&names["plural"]),
                singular: text(&names["singular"]),
                kind: text(&names["kind"]),
                namespaced: spec["scope"] == "Namespaced",
                verbs: ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
                    .map(str::to_owned)
                    .to_vec(),
                short_names: texts(&names["shortNames"]),
                categories: texts(&names["categories"]),
                subresources: parts.map(of_part).collect(),
                stored_version: stored.clone(),
                unhashed: false,
                type_name: String::new(),
                custom: Some(Arc::new(custom)),
            })
        })
        .collect()
}

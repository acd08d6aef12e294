//! The attributes of `kubernetes_object`.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::document::Document;
use straddle_engine::schema::Attributes;
use straddle_engine::value::Value;

/// One object in a Kubernetes cluster, of any kind that its API server has.
///
/// It is set by server-side apply under the name `straddle`: fields that the manifest does not name are
/// left to others. A field that somebody else has set is refused, see `conflicts`.
///
/// Where `account` is not set, it is the account of the cluster. While the cluster is not there yet, its
/// objects are planned from what is written; once it is, the API server is asked what it would make of
/// the manifest, and only real differences are changes. An object waits for the objects that it names,
/// as far as they are in the same stack and cluster: its namespace, service account, config maps,
/// secrets, services and classes, and the definition of its kind.
///
/// It is ready when what it describes is there: a workload once it is rolled out, a job once it is done,
/// a definition once it is served.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub(crate) struct ObjectInputs {
    /// The cluster: a whole `eks_cluster` or lookup of one, as in `"${eks_cluster.main}"`; the name of a
    /// cluster of the account; or a table with `kubeconfig`, the path of a file, and `context`, a name in it.
    #[attribute(replace)]
    pub(crate) cluster: Value,
    /// The object, as a table or as YAML or JSON text, with `apiVersion`, `kind` and `metadata.name`.
    /// Without the label `app.kubernetes.io/managed-by` it gets that of `straddle`.
    pub(crate) manifest: Document,
    /// The data of a Secret, in Base64. It is taken out of `data` and `stringData` of the manifest.
    #[attribute(sensitive)]
    pub(crate) secret_data: Option<BTreeMap<String, String>>,
    /// What happens where somebody else has set a field to another value: `fail` names it, and who that is;
    /// `force` takes it over. With `force` an object that exists already is taken over as well. What a person has
    /// changed by `kubectl edit`, `patch`, `scale` and the like is put back in any case.
    #[attribute(write_only, one_of = ["fail", "force"])]
    pub(crate) conflicts: Option<String>,
    /// Whether to wait until what the object describes is there. If it is not set: for workloads, jobs,
    /// namespaces, definitions, API services and target group bindings; not for ingresses, services and whatever else.
    #[attribute(write_only)]
    pub(crate) wait: Option<bool>,
    /// The group and version, such as `apps/v1`. Taken from the manifest.
    #[attribute(replace)]
    pub(crate) api_version: Option<String>,
    /// The kind, such as `Deployment`. Taken from the manifest.
    #[attribute(replace)]
    pub(crate) kind: Option<String>,
    /// The namespace of an object that the manifest gives none; `default` if nothing says one.
    #[attribute(replace)]
    pub(crate) namespace: Option<String>,
    /// The name. Taken from the manifest.
    #[attribute(replace)]
    pub(crate) name: Option<String>,
}

impl ObjectInputs {
    /// Tells whether fields of others are taken over.
    pub(crate) fn is_forced(&self) -> bool {
        self.conflicts.as_deref() == Some("force")
    }
}

/// What the API server says of an object.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ObjectOutputs {
    /// Tells the object from others of its name before and after it.
    pub(crate) uid: String,
    /// What has to be done by others before the object can be gone, each under a name of theirs.
    #[attribute(volatile)]
    pub(crate) finalizers: BTreeSet<String>,
    /// What those who work with the object say of it.
    #[attribute(volatile)]
    pub(crate) status: Option<Document>,
}

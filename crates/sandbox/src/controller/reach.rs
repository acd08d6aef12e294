//! What a controller can reach: the API server of its cluster, and AWS.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::protocol::Service;

/// The world, as far as a controller in a cluster sees it.
pub(crate) trait Reach {
    /// Returns the world's time.
    fn now(&self) -> Timestamp;

    /// Returns a number that is another one whenever an object of the cluster has changed.
    fn version(&mut self) -> u64;

    /// Makes a call with the credentials of an access key; without one, as somebody whom nobody knows.
    fn aws(
        &mut self,
        access_key: Option<&str>,
        service: Service,
        operation: &str,
        parameters: Value,
    ) -> Result<Value, AwsError>;

    /// Sends a request to the API server of the cluster, with the token of the controller's account.
    fn kubernetes(&mut self, request: &ApiRequest) -> ApiAnswer;

    /// Returns the token of the controller's account that is meant for STS.
    fn web_identity(&mut self) -> String;

    /// Returns the credentials that EKS gives the pod, if its account has a role by an association. In the form of
    /// an answer of STS.
    ///
    /// # Errors
    /// With what an SDK says why it has found none.
    fn pod_credentials(&mut self) -> Result<Value, String>;
}

/// A call that AWS refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AwsError {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) request_id: String,
}

/// A request to an API server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiRequest {
    pub(crate) verb: Verb,
    /// With the query, if there is one.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
}

/// What is asked of an API server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Create,
    /// A merge patch (RFC 7396).
    Merge,
    /// A patch that knows how lists are merged.
    StrategicMerge,
    Delete,
}

/// The answer of an API server: an object, a list or a `Status`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ApiAnswer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Why a controller cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// AWS refused a call; with the words of the controller's SDK.
    #[error("{text}")]
    Aws { error: Box<AwsError>, text: String },
    /// The API server refused a request.
    #[error("{message}")]
    Api { status: u16, message: String },
    /// What is wanted makes no sense, or not now.
    #[error("{0}")]
    Other(String),
}

/// What comes of work.
pub(super) type Done<T> = Result<T, Trouble>;

impl Trouble {
    /// Makes one of a text.
    pub(super) fn other(text: impl Into<String>) -> Self {
        Self::Other(text.into())
    }

    /// Tells whether AWS refused a call with a code.
    pub(super) fn has_code(&self, code: &str) -> bool {
        matches!(self, Self::Aws { error, .. } if error.code == code)
    }

    /// Tells whether the API server has no such object.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Api { status: 404, .. })
    }
}

/// A kind of object, as the paths of the API server have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resource {
    /// What paths begin with.
    api: &'static str,
    plural: &'static str,
    pub(super) kind: &'static str,
}

/// Ingresses.
pub(super) const INGRESS: Resource =
    Resource { api: "/apis/networking.k8s.io/v1", plural: "ingresses", kind: "Ingress" };
/// Classes of Ingresses.
pub(super) const INGRESS_CLASS: Resource =
    Resource { api: "/apis/networking.k8s.io/v1", plural: "ingressclasses", kind: "IngressClass" };
/// What is said of all Ingresses of a class.
pub(super) const CLASS_PARAMETERS: Resource =
    Resource { api: "/apis/elbv2.k8s.aws/v1beta1", plural: "ingressclassparams", kind: "IngressClassParams" };
/// What ties a Service to a target group.
pub(super) const BINDING: Resource = Resource {
    api: "/apis/elbv2.k8s.aws/v1beta1",
    plural: "targetgroupbindings",
    kind: "TargetGroupBinding",
};
/// Services.
pub(super) const SERVICE: Resource = Resource { api: "/api/v1", plural: "services", kind: "Service" };
/// Nodes.
pub(super) const NODE: Resource = Resource { api: "/api/v1", plural: "nodes", kind: "Node" };
/// Who is behind a Service.
pub(super) const ENDPOINT_SLICE: Resource =
    Resource { api: "/apis/discovery.k8s.io/v1", plural: "endpointslices", kind: "EndpointSlice" };
/// Accounts of the cluster.
pub(super) const SERVICE_ACCOUNT: Resource =
    Resource { api: "/api/v1", plural: "serviceaccounts", kind: "ServiceAccount" };
/// Events.
pub(super) const EVENT: Resource = Resource { api: "/api/v1", plural: "events", kind: "Event" };

impl Resource {
    /// Returns the path of one object, or of the list of them.
    pub(super) fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let Self { api, plural, .. } = self;
        let namespace = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        let name = name.map(|name| format!("/{name}")).unwrap_or_default();
        format!("{api}{namespace}/{plural}{name}")
    }

    /// Returns an object; `None` if there is none.
    pub(super) fn get(
        &self,
        reach: &mut dyn Reach,
        namespace: Option<&str>,
        name: &str,
    ) -> Done<Option<Value>> {
        let request = ApiRequest { verb: Verb::Get, path: self.path(namespace, Some(name)), body: None };
        match send(reach, &request) {
            Ok(object) => Ok(Some(object)),
            Err(trouble) if trouble.is_not_found() => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Returns all objects, of all namespaces. A kind that the API server does not know has none.
    pub(super) fn list(&self, reach: &mut dyn Reach) -> Done<Vec<Value>> {
        let request = ApiRequest { verb: Verb::Get, path: self.path(None, None), body: None };
        match send(reach, &request) {
            Ok(mut list) => Ok(super::object::taken(&mut list, "items")),
            Err(trouble) if trouble.is_not_found() => Ok(Vec::new()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Makes an object.
    pub(super) fn create(&self, reach: &mut dyn Reach, namespace: &str, object: Value) -> Done<Value> {
        let path = self.path(Some(namespace), None);
        send(reach, &ApiRequest { verb: Verb::Create, path, body: Some(object) })
    }

    /// Changes an object, or one of its parts that have paths of their own.
    pub(super) fn merge(
        &self,
        reach: &mut dyn Reach,
        (namespace, name): (&str, &str),
        part: &str,
        patch: Value,
    ) -> Done<Value> {
        let place = self.path(Some(namespace), Some(name)) + part;
        send(reach, &ApiRequest { verb: Verb::Merge, path: place, body: Some(patch) })
    }

    /// Deletes an object; one that is gone already is no trouble.
    pub(super) fn delete(&self, reach: &mut dyn Reach, namespace: &str, name: &str) -> Done<()> {
        let options = json!({ "kind": "DeleteOptions", "apiVersion": "meta.k8s.io/__internal" });
        let path = self.path(Some(namespace), Some(name));
        match send(reach, &ApiRequest { verb: Verb::Delete, path, body: Some(options) }) {
            Ok(_) => Ok(()),
            Err(trouble) if trouble.is_not_found() => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }
}

/// Sends a request, and returns what was answered if it was not refused.
pub(super) fn send(reach: &mut dyn Reach, request: &ApiRequest) -> Done<Value> {
    let ApiAnswer { status, body } = reach.kubernetes(request);
    if (200..300).contains(&status) {
        return Ok(body);
    }
    let message = body["message"].as_str().unwrap_or("the server has no such resource").to_owned();
    Err(Trouble::Api { status, message })
}

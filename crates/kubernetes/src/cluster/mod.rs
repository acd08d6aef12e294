//! The connection to a cluster: how it is found, how a caller shows who it is, and single calls.

mod api;
mod description;
mod error;
mod kubeconfig;
mod provider;
mod tokens;

pub(crate) use api::{ApiResource, escaped};
pub(crate) use description::{ClusterDescription, described};
pub(crate) use error::is_webhook;
pub use provider::Clusters;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::Value as Json;
use straddle_engine::cluster::ClusterAccess;
use straddle_engine::outside::Outside;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::value::Value;
use tokio::sync::OnceCell;

use self::tokens::Tokens;

/// How often a cluster that has never answered is asked before a read gives up.
const FIRST_ATTEMPTS: u32 = 6;
/// The most of an answer that is no JSON which is shown.
const SHOWN: usize = 300;

/// A cluster, as things in it are reached.
pub(crate) struct Cluster {
    /// What the spec or the state says of it.
    value: Value,
    description: ClusterDescription,
    access: Option<Arc<dyn ClusterAccess>>,
    outside: Outside,
    /// Whether the account is one of a sandbox.
    is_sandbox: bool,
    tokens: Option<Tokens>,
    client: OnceCell<kube::Client>,
    /// What the API server has, by group and version.
    resources: Mutex<BTreeMap<String, Arc<Vec<ApiResource>>>>,
    /// Whether objects are waited for, where the spec says so, by kind, namespace and name.
    waits: Mutex<BTreeMap<String, bool>>,
    /// Whether it has answered in this run, and how often it has not before that.
    has_answered: AtomicBool,
    failures: AtomicU32,
}

/// One call of the API.
pub(crate) struct Call<'a> {
    /// The name of what is done, such as `patch Deployment`.
    pub(crate) operation: String,
    /// The method.
    pub(crate) method: Method,
    /// The path with its query.
    pub(crate) path: String,
    /// The body, and what it is.
    pub(crate) body: Option<(&'static str, &'a Json)>,
}

/// Why a call has failed.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// What to do about it.
    pub(crate) error: ProviderError,
    /// The fields that it is about, with what is said of each.
    pub(crate) fields: Vec<(String, String)>,
    /// Whether the cluster does not know who has called.
    is_of_unknown: bool,
}

impl From<ProviderError> for Refusal {
    fn from(error: ProviderError) -> Self {
        Self { error, fields: Vec::new(), is_of_unknown: false }
    }
}

impl Call<'_> {
    /// Reads a path.
    pub(crate) fn get(operation: impl Into<String>, path: impl Into<String>) -> Self {
        Self { operation: operation.into(), method: Method::GET, path: path.into(), body: None }
    }
}

impl Cluster {
    /// Returns what the spec or the state says of the cluster.
    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Returns what ids of things in the cluster begin with.
    pub(crate) fn name(&self) -> &str {
        &self.description.name
    }

    /// Takes note of what the spec says about waiting for an object.
    pub(crate) fn remember_wait(&self, object: &str, wait: Option<bool>) {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        match wait {
            Some(wait) => drop(waits.insert(object.to_owned(), wait)),
            None => drop(waits.remove(object)),
        }
    }

    /// Returns what the spec says about waiting for an object, as far as this run has heard of it.
    pub(crate) fn waits_for(&self, object: &str) -> Option<bool> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).get(object).copied()
    }

    /// Makes one call, and returns the answer.
    ///
    /// # Errors
    /// As the API server says it, or why it cannot be reached.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<Json, ProviderError> {
        self.ask(call).await.map_err(|refusal| refusal.error)
    }

    /// As [`Self::call`], for callers that want to know which fields a refusal is about. A token that the cluster
    /// does not take any more is replaced once: whoever is refused for it has changed nothing.
    pub(crate) async fn ask(&self, call: Call<'_>) -> Result<Json, Refusal> {
        let Some(tokens) = &self.tokens else { return self.ask_once(&call).await };
        match self.ask_once(&call).await {
            Err(refusal) if refusal.is_of_unknown => {
                tokens.forget().await;
                self.ask_once(&call).await
            }
            answer => answer,
        }
    }

    async fn ask_once(&self, call: &Call<'_>) -> Result<Json, Refusal> {
        let is_read = call.method == Method::GET;
        let operation = call.operation.clone();
        let client = self.client().await?;
        let request = self.request(call).await?;
        let answer = match client.send(request).await {
            Ok(answer) => answer,
            Err(failure) => return Err(self.unanswered(&operation, is_read, &failure).await.into()),
        };
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(|error| {
            let class = if is_read { ErrorClass::Throttled } else { ErrorClass::Ambiguous };
            ProviderError::new(class, &operation, format!("the answer broke off: {error}"))
        })?;
        let text = body.to_bytes();
        if status.is_success() {
            self.has_answered.store(true, Ordering::Relaxed);
            return serde_json::from_slice(&text).map_err(|error| {
                let message = format!("the answer is no JSON: {error}");
                ProviderError::new(ErrorClass::Ambiguous, &operation, message).into()
            });
        }
        let answer = serde_json::from_slice(&text).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(&text);
            serde_json::json!({ "message": text.trim().chars().take(SHOWN).collect::<String>() })
        });
        let has_answered = self.has_answered.load(Ordering::Relaxed);
        let fields = error::fields(&answer);
        let error = error::refused(&operation, status, &answer, is_read, has_answered);
        Err(Refusal { error, fields, is_of_unknown: status == http::StatusCode::UNAUTHORIZED })
    }

    async fn request(&self, call: &Call<'_>) -> Result<Request<Body>, ProviderError> {
        let mut request =
            Request::builder().method(call.method.clone()).uri(&call.path).header(ACCEPT, "application/json");
        if let Some(tokens) = &self.tokens {
            let token = format!("Bearer {}", tokens.token().await?);
            let mut header = HeaderValue::from_str(&token).expect("a token is letters, digits and `-._`");
            header.set_sensitive(true);
            request = request.header(AUTHORIZATION, header);
        }
        let body = match call.body {
            Some((content_type, body)) => {
                request = request.header(CONTENT_TYPE, content_type);
                Body::from(body.to_string().into_bytes())
            }
            None => Body::empty(),
        };
        request.body(body).map_err(|error| {
            ProviderError::new(ErrorClass::Rejected, &call.operation, format!("the path is wrong: {error}"))
        })
    }

    async fn client(&self) -> Result<&kube::Client, ProviderError> {
        self.client.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<kube::Client, ProviderError> {
        let refused = |message: String| ProviderError::new(ErrorClass::Rejected, "connect", message);
        let name = self.name();
        let description = match (&self.description, &self.access) {
            (named, Some(access)) if named.is_named_only() => {
                let found = access.describe(name).await?;
                let found = found.ok_or_else(|| gone(name, "the account has no such cluster"))?;
                let status = found.status.clone();
                named.with(found).ok_or_else(|| {
                    let message = format!("the cluster {name} cannot be reached yet: it is {status}");
                    ProviderError::new(ErrorClass::Throttled, "connect", message)
                })?
            }
            (description, _) => description.clone(),
        };
        let mut config = description.config(&self.outside, self.is_sandbox).await.map_err(refused)?;
        config.default_retry = false;
        config.connect_timeout = Some(std::time::Duration::from_secs(10));
        config.read_timeout = Some(std::time::Duration::from_mins(1));
        kube::Client::try_from(config).map_err(|error| refused(format!("the cluster {name}: {error}")))
    }

    /// Says what to do after a call without an answer. A cluster that the account no longer has is gone,
    /// and everything in it.
    async fn unanswered(&self, operation: &str, is_read: bool, failure: &kube::Error) -> ProviderError {
        let causes = error::causes(failure);
        let name = self.name();
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let gives_up = is_read && failures >= FIRST_ATTEMPTS && !self.has_answered.load(Ordering::Relaxed);
        if error::was_sent(failure) {
            let class = match (is_read, gives_up) {
                (true, true) => ErrorClass::Unreachable,
                (true, false) => ErrorClass::Throttled,
                (false, _) => ErrorClass::Ambiguous,
            };
            return ProviderError::new(
                class,
                operation,
                format!("the cluster {name} did not answer: {causes}"),
            );
        }
        if let Some(access) = &self.access
            && !self.description.is_of_kubeconfig()
        {
            match access.describe(name).await {
                Ok(None) => return gone(name, "the account no longer has the cluster"),
                Ok(Some(found)) if self.description.is_other_than(&found) => {
                    return gone(name, "the cluster of this name is another one now");
                }
                Ok(Some(_)) => {}
                Err(error) => return error,
            }
        }
        let class = if gives_up { ErrorClass::Unreachable } else { ErrorClass::Throttled };
        let message = format!(
            "the cluster {name} cannot be reached: {causes}. What is in a cluster that will never be reached again can \
             be let go of with `[[removed]]` and `destroy = false`"
        );
        ProviderError::new(class, operation, message)
    }

    /// Returns what the API server has under a kind.
    ///
    /// # Errors
    /// Of the class `NotFound` if it does not have the kind.
    pub(crate) async fn resource(&self, api_version: &str, kind: &str) -> Result<ApiResource, ProviderError> {
        let known = {
            let resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
            resources.get(api_version).cloned()
        };
        if let Some(found) = known.and_then(|resources| ApiResource::find(&resources, kind)) {
            return Ok(found);
        }
        let listed = self.call(Call::get("discover", api::group_path(api_version))).await?;
        let listed = Arc::new(ApiResource::all(&listed));
        let found = ApiResource::find(&listed, kind);
        let mut resources = self.resources.lock().unwrap_or_else(PoisonError::into_inner);
        resources.insert(api_version.to_owned(), listed);
        found.ok_or_else(|| {
            let message = format!("the cluster {} has no {kind} of {api_version}", self.name());
            ProviderError::new(ErrorClass::NotFound, "discover", message)
        })
    }
}

/// The code of an error that says that a cluster is no longer there.
pub(crate) const GONE: &str = "ClusterGone";

fn gone(name: &str, why: &str) -> ProviderError {
    let error = ProviderError::new(ErrorClass::NotFound, "connect", format!("the cluster {name}: {why}"));
    ProviderError { code: GONE.to_owned(), ..error }
}

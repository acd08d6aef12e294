//! What the engine needs of a provider: connections, and errors it can act on.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::address::AccountName;
use crate::cluster::ClusterAccess;
use crate::outside::Outside;
use crate::resource::Home;
use crate::schema::AttributeSchema;
use crate::secrets::Secrets;
use crate::value::ValueMap;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Connects to accounts. A program registers one for each cloud.
pub trait Provider: Send + Sync {
    /// Returns the settings that an `[account.NAME]` block takes besides `id` and `region`.
    fn account_attributes(&self) -> Vec<AttributeSchema>;

    /// Returns the part of the cloud that a region is in, as it stands in the names of things.
    fn partition(&self, _region: &str) -> &'static str {
        "aws"
    }

    /// Tells whether a service is another one in each region, by the word that its actions begin with.
    fn is_regional(&self, _service: &str) -> bool {
        true
    }

    /// Connects to one account in one region, and proves that it is the right one before
    /// any other call is made.
    fn connect<'a>(&'a self, account: &'a Account) -> BoxFuture<'a, Result<Connection, ProviderError>>;
}

/// An account as the spec describes it, every value known.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The name in the block's header.
    pub name: AccountName,
    /// The id that the credentials must prove to have.
    pub id: String,
    /// The region of everything in this account.
    pub region: String,
    /// The provider's own settings.
    pub settings: ValueMap,
    /// The stack's name, for the names of sessions.
    pub stack: String,
    /// Where a sandbox takes the place of the provider's services, such as `http://127.0.0.1:4566`:
    /// the account is reached there and nowhere else, whatever its settings and the environment
    /// say, with the credentials that a sandbox takes from everybody.
    pub sandbox: Option<String>,
    /// How hosts are reached that are no endpoint of the provider's services.
    pub outside: Outside,
}

impl Account {
    /// Returns where the resources of the account live.
    #[must_use]
    pub fn home(&self) -> Home<'_> {
        Home { account_id: &self.id, region: &self.region }
    }
}

/// A proven connection to one account in one region.
#[derive(Clone)]
pub struct Connection {
    client: Arc<dyn Any + Send + Sync>,
    clusters: Option<Arc<dyn ClusterAccess>>,
}

impl Connection {
    /// Wraps a kind's `Client`.
    #[must_use]
    pub fn new<C: Send + Sync + 'static>(client: C) -> Self {
        Self { client: Arc::new(client), clusters: None }
    }

    /// Adds how the account's clusters are reached.
    #[must_use]
    pub fn with_clusters(self, clusters: impl ClusterAccess + 'static) -> Self {
        Self { clusters: Some(Arc::new(clusters)), ..self }
    }

    /// Returns how the account's clusters are reached, if it can have any.
    #[must_use]
    pub fn clusters(&self) -> Option<&Arc<dyn ClusterAccess>> {
        self.clusters.as_ref()
    }

    /// Returns the client.
    ///
    /// # Panics
    /// If the connection was made by a provider with another client type.
    #[must_use]
    pub fn client<C: Send + Sync + 'static>(&self) -> &C {
        self.client.downcast_ref().expect("a kind is registered with the provider that makes its client")
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connection")
    }
}

/// What a failed call means for what to do next. Each provider sorts the codes of its services into these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Too many calls. Nothing was done; the same call may be sent again after a while.
    Throttled,
    /// The thing does not exist: deleted, or too new to be seen.
    NotFound,
    /// Something that the call depends on has not reached this service yet.
    Propagation,
    /// The service is busy with another change of the same thing.
    Busy,
    /// Something that still depends on the thing keeps it from being deleted.
    Dependency,
    /// Something with the same natural key exists already.
    AlreadyExists,
    /// The caller may not do this.
    AccessDenied,
    /// The credentials are expired.
    Expired,
    /// The service refused the call for another reason, and did nothing.
    Rejected,
    /// Nobody answers there, however often it is tried. Nothing was done.
    Unreachable,
    /// Nobody knows whether the call was carried out: no answer, or one that tells nothing.
    Ambiguous,
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {}{message}", self.code_prefix())]
pub struct ProviderError {
    /// What to do about it.
    pub class: ErrorClass,
    /// The operation's name in the service's API, such as `CreateVpc`.
    pub operation: String,
    /// The service's own code, such as `VpcLimitExceeded`; empty if it gave none.
    pub code: String,
    /// The service's own words.
    pub message: String,
    /// The id under which the service's support finds the call.
    pub request_id: Option<String>,
}

impl ProviderError {
    /// Describes a failed call that has no code or request id.
    #[must_use]
    pub fn new(class: ErrorClass, operation: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            class,
            operation: operation.into(),
            code: String::new(),
            message: message.into(),
            request_id: None,
        }
    }

    /// Returns the error without sensitive values in the service's words.
    pub(crate) fn without(self, secrets: &Secrets) -> Self {
        Self { message: secrets.hide(&self.message).into_owned(), ..self }
    }

    fn code_prefix(&self) -> String {
        if self.code.is_empty() { String::new() } else { format!("{}: ", self.code) }
    }
}

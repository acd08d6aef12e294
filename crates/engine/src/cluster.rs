//! Clusters: what is inside an account and has an API of its own.
//!
//! A kind whose things are in a cluster names the attribute that says which one
//! ([`Resource::THROUGH`](crate::resource::Resource::THROUGH)). Its value is bound late: it may be
//! unknown while planning, since the cluster is made by the same run, and it is recorded with each
//! thing, so that what is there can be read and deleted when the spec no longer has it.

use std::collections::BTreeSet;

use crate::provider::{Account, BoxFuture, Connection, ProviderError};
use crate::value::Value;

/// What an account can tell of its clusters, and how it vouches for a caller towards them.
pub trait ClusterAccess: Send + Sync {
    /// Returns an address of `GetCallerIdentity` that is signed for one cluster with the account's
    /// credentials, and good for a minute: its signed headers are `host` and `x-k8s-aws-id`, which is
    /// the cluster's name.
    fn presign<'a>(&'a self, cluster: &'a str) -> BoxFuture<'a, Result<String, ProviderError>>;

    /// Returns what the account knows of the cluster of this name; `None` if it has none.
    fn describe<'a>(
        &'a self,
        cluster: &'a str,
    ) -> BoxFuture<'a, Result<Option<ClusterDescription>, ProviderError>>;
}

/// What an account knows of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterDescription {
    /// Where its API is, such as `https://0123.gr7.eu-central-1.eks.amazonaws.com`; `None` while it is
    /// being made.
    pub endpoint: Option<String>,
    /// The certificate of its authority, PEM in Base64; `None` while it is being made.
    pub certificate_authority: Option<String>,
    /// The service's own word, such as `ACTIVE`.
    pub status: String,
}

/// Connects to clusters. A program registers one.
pub trait ClusterProvider: Send + Sync {
    /// Makes a connection to the cluster that the value describes. Nothing is sent yet.
    ///
    /// # Errors
    /// If the value does not say how the cluster is reached.
    fn connect(
        &self,
        account: &Account,
        connection: &Connection,
        cluster: &Value,
    ) -> Result<Connection, ProviderError>;

    /// Makes a token that tells a cluster of the account who is calling.
    fn token<'a>(
        &'a self,
        connection: &'a Connection,
        cluster: &'a str,
    ) -> BoxFuture<'a, Result<String, ProviderError>>;

    /// Puts an entry into the text of a file that tells other programs how to reach clusters, and returns
    /// the new text. Whatever else is in it stays; an empty text becomes a file with the entry alone.
    ///
    /// # Errors
    /// If the text is no such file.
    fn kubeconfig(&self, text: &str, login: &Login) -> Result<String, String>;
}

/// How another program gets into a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// What the entry is called: the names of its cluster, user and context.
    pub name: String,
    /// Where the API is.
    pub server: String,
    /// The certificate of its authority, PEM in Base64.
    pub certificate_authority: String,
    /// The name in the cluster's certificate, if it is not that of the server.
    pub tls_server_name: Option<String>,
    /// The namespace of commands that do not name one.
    pub namespace: Option<String>,
    /// The program that prints tokens.
    pub command: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// What a thing in a cluster is called there, and what it names.
///
/// The words are the provider's own: a thing waits for whatever of the same stack and cluster is called
/// what it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// What others may call it.
    pub names: BTreeSet<String>,
    /// What has to be there before it, as far as the stack has it.
    pub needs: BTreeSet<String>,
}

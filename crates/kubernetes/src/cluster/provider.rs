//! Connects to clusters.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32};

use straddle_engine::cluster::{ClusterProvider, Login};
use straddle_engine::provider::{Account, BoxFuture, Connection, ErrorClass, ProviderError};
use straddle_engine::value::Value;
use tokio::sync::OnceCell;

use super::tokens::Tokens;
use super::{Cluster, ClusterDescription, kubeconfig};
use crate::token;

/// Connects to clusters of EKS with an account's credentials, and to others as a kubeconfig says.
pub struct Clusters;

impl ClusterProvider for Clusters {
    fn connect(
        &self,
        account: &Account,
        connection: &Connection,
        cluster: &Value,
    ) -> Result<Connection, ProviderError> {
        let refused = |message: String| ProviderError::new(ErrorClass::Rejected, "connect", message);
        let description = ClusterDescription::read(cluster)
            .map_err(|what| refused(format!("`cluster` is wrong: {what}")))?;
        let access = connection.clusters().cloned();
        let tokens = access
            .as_ref()
            .filter(|_| !description.is_of_kubeconfig())
            .map(|access| Tokens::new(access.clone(), &description.name));
        Ok(Connection::new(Cluster {
            value: cluster.clone(),
            description,
            access,
            outside: account.outside.clone(),
            is_sandbox: account.sandbox.is_some(),
            tokens,
            client: OnceCell::new(),
            resources: Mutex::new(BTreeMap::new()),
            waits: Mutex::new(BTreeMap::new()),
            has_answered: AtomicBool::new(false),
            failures: AtomicU32::new(0),
        }))
    }

    fn token<'a>(
        &'a self,
        connection: &'a Connection,
        cluster: &'a str,
    ) -> BoxFuture<'a, Result<String, ProviderError>> {
        Box::pin(async move {
            let access = connection.clusters().ok_or_else(|| {
                let message = "the account can have no clusters";
                ProviderError::new(ErrorClass::Rejected, "token", message)
            })?;
            Ok(token::of_presigned_url(&access.presign(cluster).await?))
        })
    }

    fn kubeconfig(&self, text: &str, login: &Login) -> Result<String, String> {
        kubeconfig::merged(text, login)
    }
}

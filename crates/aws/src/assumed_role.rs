//! Credentials of a role that was assumed, whose account the answer to `AssumeRole` has told.

use std::sync::{Mutex, PoisonError};

use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

/// Gives out the first credentials of a role once, and then assumes the role again.
#[derive(Debug)]
pub(crate) struct AssumedRole {
    first: Mutex<Option<Credentials>>,
    role: AssumeRoleProvider,
}

impl AssumedRole {
    /// Assumes the role, and returns the account that it is in, if the answer says.
    ///
    /// # Errors
    /// If there are no credentials that may assume it.
    pub(crate) async fn assume(role: AssumeRoleProvider) -> Result<(Self, Option<String>), CredentialsError> {
        let first = role.provide_credentials().await?;
        let account = first.account_id().map(|account| account.as_str().to_owned());
        Ok((Self { first: Mutex::new(Some(first)), role }, account))
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        match self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(first) => future::ProvideCredentials::ready(Ok(first)),
            None => self.role.provide_credentials(),
        }
    }
}

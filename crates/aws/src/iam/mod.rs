//! The kinds of IAM, and what they share.
//!
//! IAM is global, takes no client tokens and goes by names: what has the name of a thing that is to
//! be made is ours only if its tags say so. It is also eventually consistent, so that what was made
//! or changed a moment ago may not be seen yet (IAM user guide, "Troubleshoot IAM": "Changes that I
//! make are not always immediately visible").

pub(crate) mod controller;
mod document;
pub(crate) mod instance_profile;
mod names;
pub(crate) mod openid_connect_provider;
mod permissions;
mod policies;
pub(crate) mod policy;
pub(crate) mod role;
pub(crate) mod role_policy;
pub(crate) mod role_policy_attachment;
pub(crate) mod role_trust;
pub(crate) mod roles;
pub(crate) mod service_linked_role;
mod tags;
#[cfg(test)]
mod testing;
pub(crate) mod trust;

use straddle_engine::provider::{ErrorClass, ProviderError};

/// The service whose limits the calls of these kinds fall under.
const SERVICE: &str = "iam";

/// What policies call the role that an attribute `role` names.
const ROLE: &str = "{role:arn}";

/// Takes that something is not there for an answer.
fn unless_missing<T>(answer: Result<T, ProviderError>) -> Result<Option<T>, ProviderError> {
    match answer {
        Ok(thing) => Ok(Some(thing)),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

//! Whose a thing is that has the name or the port of one that is to be made.
//!
//! The creates of Elastic Load Balancing take no token, and a create with the settings of a thing
//! that exists answers with that one, whoever made it. So each of them looks first, and takes for
//! its own only what carries the tag of its operation.

use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{Intent, OPERATION_TAG};

use super::tags;
use crate::client::Client;

/// Returns those of these things that the create of `intent` made.
pub(crate) async fn made_by(
    client: &Client,
    intent: &Intent,
    found: Vec<RemoteId>,
) -> Result<Vec<RemoteId>, ProviderError> {
    if found.is_empty() {
        return Ok(found);
    }
    let tags = tags::of(client, found).await?;
    let ours = tags.into_iter().filter(|(_, tags)| tags.0.get(OPERATION_TAG) == Some(&intent.operation_id));
    Ok(ours.map(|(arn, _)| arn).collect())
}

/// Returns what an earlier attempt of this create has made, given what has the same name; `None`
/// if there is nothing yet.
///
/// # Errors
/// If it belongs to somebody else, or cannot be read; nothing was made then.
pub(crate) async fn already_made(
    client: &Client,
    intent: &Intent,
    operation: &'static str,
    found: Result<Vec<RemoteId>, ProviderError>,
) -> Result<Option<RemoteId>, ProviderError> {
    let found = found.map_err(nothing_sent)?;
    let Some(first) = found.first().cloned() else { return Ok(None) };
    let ours = made_by(client, intent, found).await.map_err(nothing_sent)?;
    if let Some(arn) = ours.into_iter().next() {
        return Ok(Some(arn));
    }
    let message = format!("{first} exists already and was made by something else");
    Err(ProviderError::new(ErrorClass::AlreadyExists, operation, message))
}

/// A read that got no answer changed nothing, so the whole may be tried again.
fn nothing_sent(error: ProviderError) -> ProviderError {
    match error.class {
        ErrorClass::Ambiguous => ProviderError { class: ErrorClass::Throttled, ..error },
        ErrorClass::Throttled
        | ErrorClass::NotFound
        | ErrorClass::Propagation
        | ErrorClass::Busy
        | ErrorClass::Dependency
        | ErrorClass::AlreadyExists
        | ErrorClass::AccessDenied
        | ErrorClass::Expired
        | ErrorClass::Rejected
        | ErrorClass::Unreachable => error,
    }
}

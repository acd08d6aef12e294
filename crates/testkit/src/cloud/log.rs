//! What has happened in the cloud.

use std::time::Duration;

use straddle_engine::resource::ADDRESS_TAG;

use crate::cloud::{Answer, Cloud, Refusal, Request};

/// A call that reached the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was carried out or refused.
    pub time: Duration,
    /// The account of the caller.
    pub account: String,
    /// The operation's name in the service's API.
    pub operation: String,
    /// The kind of thing that it was about.
    pub kind: String,
    /// What it did.
    pub deed: Deed,
    /// The thing; `None` for a list and for a create that was refused.
    pub id: Option<String>,
    /// The tag value that names the thing's address, if it has one.
    pub address: Option<String>,
    /// The code with which it was refused.
    pub refusal: Option<String>,
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Lists.
    Read,
    /// Makes a thing.
    Make,
    /// Finds that the thing was made by an earlier call with the same token.
    MakeAgain,
    /// Changes one.
    Change,
    /// Deletes one.
    Delete,
}

impl Entry {
    /// Tells whether the call changed something.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.refusal.is_none() && matches!(self.deed, Deed::Make | Deed::Change | Deed::Delete)
    }
}

impl Cloud {
    /// Returns the calls that reached the cloud, oldest first.
    #[must_use]
    pub fn log(&self) -> &[Entry] {
        &self.log
    }

    /// Returns what no caller may ever do and one has done.
    #[must_use]
    pub fn violations(&self) -> &[String] {
        &self.violations
    }

    pub(super) fn record(&mut self, request: &Request, deed: Deed, result: &Result<Answer, Refusal>) {
        let id = match result {
            Ok(Answer::Id(id)) => Some(id.clone()),
            Ok(Answer::List(_)) | Err(_) => request.action.id().map(str::to_owned),
        };
        let tags = id.as_deref().and_then(|id| self.latest(id)).map(|object| &object.tags);
        self.log.push(Entry {
            time: self.now,
            account: request.account.clone(),
            operation: request.operation.clone(),
            kind: request.kind.clone(),
            deed,
            address: tags.and_then(|tags| tags.get(ADDRESS_TAG)).cloned(),
            id,
            refusal: result.as_ref().err().map(|refusal| refusal.code.clone()),
        });
    }
}

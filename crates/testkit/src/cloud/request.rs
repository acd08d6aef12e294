//! What a client can ask of the cloud, and what the cloud answers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use straddle_engine::provider::ErrorClass;
use straddle_engine::value::ValueMap;

use crate::cloud::Seen;

/// A call. It is data, so that it can also arrive after the caller has died.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The account that the caller's credentials belong to.
    pub account: String,
    /// The operation's name in the service's API.
    pub operation: String,
    /// The kind of thing that it is about.
    pub kind: String,
    /// What is asked.
    pub action: Action,
}

/// What a call asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Make a thing.
    Create {
        /// What it is to be.
        attributes: ValueMap,
        /// Its tags from birth.
        tags: BTreeMap<String, String>,
        /// The client token.
        token: Option<String>,
    },
    /// Change these attributes and leave the others.
    Change {
        /// The thing.
        id: String,
        /// The attributes.
        attributes: ValueMap,
    },
    /// As [`Action::Change`], but the thing gets a new id.
    Reissue {
        /// The thing.
        id: String,
        /// The attributes.
        attributes: ValueMap,
    },
    /// Put this into a list, unless it is in it.
    Add {
        /// The thing.
        id: String,
        /// The attribute.
        attribute: String,
        /// What to put in.
        item: String,
    },
    /// Take this out of a list, if it is in it.
    Take {
        /// The thing.
        id: String,
        /// The attribute.
        attribute: String,
        /// What to take out.
        item: String,
    },
    /// Set these tags and leave the others.
    SetTags {
        /// The thing.
        id: String,
        /// The tags.
        tags: BTreeMap<String, String>,
    },
    /// Remove tags.
    RemoveTags {
        /// The thing.
        id: String,
        /// Their keys.
        keys: BTreeSet<String>,
    },
    /// Delete a thing.
    Delete {
        /// The thing.
        id: String,
    },
    /// List the caller's things, and the parts of each.
    List {
        /// Which.
        filter: Filter,
    },
}

impl Action {
    /// Tells whether the call may change something.
    #[must_use]
    pub fn is_mutating(&self) -> bool {
        !matches!(self, Self::List { .. })
    }

    /// Returns the id of the thing that is to change.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Change { id, .. }
            | Self::Reissue { id, .. }
            | Self::Add { id, .. }
            | Self::Take { id, .. }
            | Self::SetTags { id, .. }
            | Self::RemoveTags { id, .. }
            | Self::Delete { id } => Some(id),
            Self::Create { .. } | Self::List { .. } => None,
        }
    }
}

/// Which things a list has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    /// All of the kind.
    All,
    /// Those with one of these ids, or with a part that has one of them.
    Ids(BTreeSet<String>),
    /// Those with this tag.
    Tag {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// Whatever other accounts have put into the caller's things with these ids.
    Standing {
        /// The things.
        ids: BTreeSet<String>,
    },
    /// Those with a part that has this attribute.
    Part {
        /// The attribute.
        attribute: String,
        /// Its value.
        value: String,
    },
}

/// What the cloud answers to a call that it carried out.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The id of the thing that was made or changed.
    Id(String),
    /// The things that were found, oldest first.
    List(Vec<Seen>),
}

/// What the cloud answers to a call that it did not carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it means.
    pub class: ErrorClass,
    /// The service's code, such as `DependencyViolation`.
    pub code: String,
    /// The service's words.
    pub message: String,
}

impl Refusal {
    /// Describes a call that was not carried out.
    #[must_use]
    pub fn new(class: ErrorClass, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, code: code.into(), message: message.into() }
    }
}

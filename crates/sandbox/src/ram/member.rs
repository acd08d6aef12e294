//! What is in a share, and whom it is shared with: its associations.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::share::Share;
use super::{ASSOCIATING, KEPT};
use crate::world::seconds;

/// An association of a share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) sort: Sort,
    /// The ARN of a resource, or the principal as it was given.
    pub(super) entity: String,
    /// Whether the principal is outside of the organization.
    pub(super) external: bool,
    pub(super) made_at: Timestamp,
    pub(super) phase: Phase,
}

/// Of which sort an association is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    Resource,
    Principal,
}

impl Sort {
    /// Returns RAM's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Resource => "RESOURCE",
            Self::Principal => "PRINCIPAL",
        }
    }
}

/// How an association stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// It waits for an invitation to be accepted, no longer than until then.
    Invited(Timestamp),
    /// The invitation was rejected, then.
    Rejected(Timestamp),
    /// It works from then on.
    Joins(Timestamp),
    /// It has ended by then.
    Leaves(Timestamp),
}

impl Member {
    /// Makes an association that works in a while.
    pub(super) fn joining(sort: Sort, entity: &str, now: Timestamp) -> Self {
        let phase = Phase::Joins(now.saturating_add(ASSOCIATING).unwrap_or(now));
        Self { sort, entity: entity.to_owned(), external: false, made_at: now, phase }
    }

    /// Returns RAM's word for how it stands.
    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        match self.phase {
            Phase::Invited(until) if now < until => "ASSOCIATING",
            Phase::Invited(_) | Phase::Rejected(_) => "FAILED",
            Phase::Joins(at) if now < at => "ASSOCIATING",
            Phase::Joins(_) => "ASSOCIATED",
            Phase::Leaves(at) if now < at => "DISASSOCIATING",
            Phase::Leaves(_) => "DISASSOCIATED",
        }
    }

    /// Tells whether it works or comes about, so that another one would be the same.
    pub(super) fn stands(&self, now: Timestamp) -> bool {
        match self.phase {
            Phase::Joins(_) => true,
            Phase::Invited(until) => now < until,
            Phase::Rejected(_) | Phase::Leaves(_) => false,
        }
    }

    /// Returns from when on it works, if it does.
    pub(super) fn joined_at(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Joins(at) => Some(at),
            Phase::Invited(_) | Phase::Rejected(_) | Phase::Leaves(_) => None,
        }
    }

    /// Lets it end.
    pub(super) fn leave(&mut self, now: Timestamp) {
        if !matches!(self.phase, Phase::Leaves(_)) {
            self.phase = Phase::Leaves(now.saturating_add(ASSOCIATING).unwrap_or(now));
        }
    }

    /// Tells whether it has ended so long ago that RAM no longer lists it.
    pub(super) fn is_forgotten(&self, now: Timestamp) -> bool {
        match self.phase {
            Phase::Leaves(at) => at.saturating_add(KEPT).is_ok_and(|end| end <= now),
            Phase::Invited(_) | Phase::Rejected(_) | Phase::Joins(_) => false,
        }
    }

    /// Returns it as RAM lists it.
    pub(super) fn shown(&self, share: &Share, now: Timestamp) -> Value {
        let message = match self.phase {
            Phase::Invited(until) if until <= now => Some("The invitation has expired."),
            Phase::Rejected(_) => Some("The invitation was rejected."),
            Phase::Invited(_) | Phase::Joins(_) | Phase::Leaves(_) => None,
        };
        let (Phase::Invited(at) | Phase::Rejected(at) | Phase::Joins(at) | Phase::Leaves(at)) = self.phase;
        json!({
            "resourceShareArn": share.arn,
            "resourceShareName": share.name,
            "associatedEntity": self.entity,
            "associationType": self.sort.as_str(),
            "status": self.status(now),
            "statusMessage": message,
            "creationTime": seconds(self.made_at),
            "lastUpdatedTime": seconds(if at <= now { at } else { self.made_at }),
            "external": self.external,
        })
    }
}

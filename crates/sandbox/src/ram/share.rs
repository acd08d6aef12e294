//! The shares of a region, and how they stand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::invitations::Invitation;
use super::member::{Member, Sort};
use super::principal::Principal;
use super::{ASSOCIATING, KEPT, unknown};
use crate::call::{Call, Refusal};
use crate::world::{AccountId, Organization, seconds};

/// What is shared in a region.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Shares {
    /// By ARN.
    pub(super) by_arn: BTreeMap<String, Share>,
    /// By ARN.
    pub(super) invitations: BTreeMap<String, Invitation>,
    /// By resource: the shares that it was ever in.
    pub(super) holders: BTreeMap<String, BTreeSet<String>>,
}

/// A share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Share {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) owner: AccountId,
    pub(super) allows_external: bool,
    pub(super) tags: BTreeMap<String, String>,
    /// In the order in which they were made; also those that ended, which are listed for a while.
    pub(super) members: BTreeMap<u64, Member>,
    pub(super) next_member: u64,
    pub(super) made_at: Timestamp,
    pub(super) changed_at: Timestamp,
    /// From when on it is deleted.
    pub(super) deleted_at: Option<Timestamp>,
}

impl Shares {
    /// Returns a share that the caller owns and that RAM still lists.
    pub(super) fn own(&mut self, call: &Call, arn: &str, now: Timestamp) -> Result<&mut Share, Refusal> {
        check_arn(arn)?;
        let found = self.by_arn.get_mut(arn);
        let found = found.filter(|share| share.owner == call.caller.account && !share.is_forgotten(now));
        found.ok_or_else(|| not_found(arn))
    }

    /// Returns a share that the caller owns and that is not deleted.
    pub(super) fn living(&mut self, call: &Call, arn: &str, now: Timestamp) -> Result<&mut Share, Refusal> {
        let share = self.own(call, arn, now)?;
        if share.deleted_at.is_some() {
            let message = format!("ResourceShare {arn} is {}.", share.status(now));
            return Err(Refusal::new("InvalidStateTransitionException", message));
        }
        Ok(share)
    }
}

impl Share {
    /// Returns RAM's word for how it stands.
    pub(super) fn status(&self, now: Timestamp) -> &'static str {
        match self.deleted_at {
            None => "ACTIVE",
            Some(at) if now < at => "DELETING",
            Some(_) => "DELETED",
        }
    }

    /// Tells whether it was deleted so long ago that RAM no longer lists it.
    pub(super) fn is_forgotten(&self, now: Timestamp) -> bool {
        let end = self.deleted_at.and_then(|at| at.saturating_add(KEPT).ok());
        end.is_some_and(|end| end <= now)
    }

    /// Returns the associations of one sort that work or come about.
    pub(super) fn standing(&self, sort: Sort, now: Timestamp) -> impl Iterator<Item = &Member> {
        self.members.values().filter(move |member| member.sort == sort && member.stands(now))
    }

    /// Returns the association with something that works or comes about.
    pub(super) fn member(&mut self, entity: &str, now: Timestamp) -> Option<&mut Member> {
        self.members.values_mut().find(|member| member.entity == entity && member.stands(now))
    }

    /// Adds an association.
    pub(super) fn add(&mut self, member: Member) {
        self.members.insert(self.next_member, member);
        self.next_member += 1;
    }

    /// Lets it end, and everything in it.
    pub(super) fn delete(&mut self, now: Timestamp) {
        self.members.values_mut().for_each(|member| member.leave(now));
        self.changed_at = now;
        self.deleted_at = Some(now.saturating_add(ASSOCIATING).unwrap_or(now));
    }

    /// Returns since when an account has a part in it, if it has: it needs no invitation, or has
    /// accepted it.
    pub(super) fn joined_by(&self, account: &AccountId, organization: &Organization) -> Option<Timestamp> {
        let principals = self.members.values().filter(|member| member.sort == Sort::Principal);
        let covering = principals.filter(|member| {
            Principal::known(&member.entity)
                .is_some_and(|principal| principal.covers(account, &self.owner, organization))
        });
        covering.filter_map(Member::joined_at).min().filter(|_| *account != self.owner)
    }

    /// Returns it as its owner or a participant sees it. Participants do not see its tags.
    pub(super) fn shown(&self, account: &AccountId, now: Timestamp) -> Value {
        let tags: Vec<_> =
            self.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        json!({
            "resourceShareArn": self.arn,
            "name": self.name,
            "owningAccountId": self.owner.as_str(),
            "allowExternalPrincipals": self.allows_external,
            "status": self.status(now),
            "tags": (self.owner == *account).then_some(tags),
            "creationTime": seconds(self.made_at),
            "lastUpdatedTime": seconds(self.deleted_at.filter(|at| *at <= now).unwrap_or(self.changed_at)),
            "featureSet": "STANDARD",
        })
    }
}

/// Refuses a share that is not there, or that the caller has no part in.
pub(super) fn not_found(arn: &str) -> Refusal {
    unknown(format!("ResourceShare {arn} could not be found."))
}

/// Checks that a text is the ARN of a share.
pub(super) fn check_arn(arn: &str) -> Result<(), Refusal> {
    if arn.starts_with("arn:aws:ram:") && arn.contains(":resource-share/") {
        return Ok(());
    }
    let message =
        format!("The specified resource share ARN {arn} is not valid. Verify the ARN and try again.");
    Err(Refusal::new("MalformedArnException", message))
}

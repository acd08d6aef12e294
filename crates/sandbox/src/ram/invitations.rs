//! Invitations: what an account outside of the organization has to accept.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::member::{Member, Phase};
use super::share::Share;
use super::shares::arns;
use super::{ASSOCIATING, PAGING, required, sight};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{AccountId, World, seconds};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "GetResourceShareInvitations",
        &["resourceShareInvitationArns", "resourceShareArns", "nextToken", "maxResults"],
        get,
    ),
    Operation::new("AcceptResourceShareInvitation", &["resourceShareInvitationArn", "clientToken"], accept),
    Operation::new("RejectResourceShareInvitation", &["resourceShareInvitationArn", "clientToken"], reject),
];

/// How long an invitation can be accepted ("Accepting and rejecting resource share invitations",
/// RAM user guide).
const PATIENCE: SignedDuration = SignedDuration::from_hours(12);

/// An invitation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Invitation {
    arn: String,
    pub(super) share: String,
    share_name: String,
    sender: AccountId,
    receiver: AccountId,
    /// The principal as the share has it.
    pub(super) principal: String,
    made_at: Timestamp,
    answer: Option<Reply>,
}

/// What the receiver said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Accepted,
    Rejected,
}

impl Invitation {
    /// Tells whether it can be accepted.
    pub(super) fn is_pending(&self, now: Timestamp) -> bool {
        self.status(now) == "PENDING"
    }

    fn status(&self, now: Timestamp) -> &'static str {
        match self.answer {
            Some(Reply::Accepted) => "ACCEPTED",
            Some(Reply::Rejected) => "REJECTED",
            None if now < end(self.made_at) => "PENDING",
            None => "EXPIRED",
        }
    }

    fn shown(&self, now: Timestamp) -> Value {
        json!({
            "resourceShareInvitationArn": self.arn,
            "resourceShareName": self.share_name,
            "resourceShareArn": self.share,
            "senderAccountId": self.sender.as_str(),
            "receiverAccountId": self.receiver.as_str(),
            "invitationTimestamp": seconds(self.made_at),
            "status": self.status(now),
        })
    }
}

fn end(made_at: Timestamp) -> Timestamp {
    made_at.saturating_add(PATIENCE).unwrap_or(Timestamp::MAX)
}

/// Invites an account, and returns how its association stands.
pub(super) fn invite(
    world: &mut World,
    call: &Call,
    share: &Share,
    principal: &str,
    receiver: &AccountId,
) -> Phase {
    let id = world.new_uuid();
    let invitation = Invitation {
        arn: format!("arn:aws:ram:{}:{}:resource-share-invitation/{id}", call.region, share.owner),
        share: share.arn.clone(),
        share_name: share.name.clone(),
        sender: share.owner.clone(),
        receiver: receiver.clone(),
        principal: principal.to_owned(),
        made_at: world.now(),
        answer: None,
    };
    let phase = Phase::Invited(end(invitation.made_at));
    world.shares(&call.region).invitations.insert(invitation.arn.clone(), invitation);
    phase
}

fn get(world: &mut World, call: &Call) -> Answer {
    let (parameters, now, account) = (&call.parameters, world.now(), &call.caller.account);
    let shares = arns(call)?;
    let wanted: BTreeSet<_> = parameters.texts("resourceShareInvitationArns").into_iter().collect();
    let all = &world.shares(&call.region).invitations;
    let own = |arn: &str| all.get(arn).filter(|invitation| invitation.receiver == *account);
    if let Some(missing) = wanted.iter().find(|arn| own(arn).is_none()) {
        return Err(not_found(missing));
    }
    let listed = all.values().filter(|invitation| {
        invitation.receiver == *account
            && (wanted.is_empty() || wanted.contains(invitation.arn.as_str()))
            && (shares.is_empty() || shares.contains(invitation.share.as_str()))
    });
    let (page, next) =
        PAGING.cut(parameters, listed.map(|invitation| (invitation.arn.clone(), invitation.shown(now))))?;
    Ok(json!({ "resourceShareInvitations": page, "nextToken": next }))
}

fn not_found(arn: &str) -> Refusal {
    let message = format!("ResourceShareInvitation {arn} could not be found.");
    Refusal::new("ResourceShareInvitationArnNotFoundException", message)
}

fn accept(world: &mut World, call: &Call) -> Answer {
    let joined = world.now().saturating_add(ASSOCIATING).unwrap_or(Timestamp::MAX);
    reply(world, call, Reply::Accepted, Phase::Joins(joined))
}

fn reject(world: &mut World, call: &Call) -> Answer {
    let rejected = Phase::Rejected(world.now());
    reply(world, call, Reply::Rejected, rejected)
}

fn reply(world: &mut World, call: &Call, reply: Reply, phase: Phase) -> Answer {
    let (arn, now) = (required(call, "resourceShareInvitationArn")?, world.now());
    let shares = world.shares(&call.region);
    let found = shares.invitations.get_mut(arn);
    let invitation = found
        .filter(|invitation| invitation.receiver == call.caller.account)
        .ok_or_else(|| not_found(arn))?;
    let ended = match invitation.status(now) {
        "ACCEPTED" => Some("AlreadyAccepted"),
        "REJECTED" => Some("AlreadyRejected"),
        "EXPIRED" => Some("Expired"),
        _ => None,
    };
    if let Some(ended) = ended {
        let message = format!("ResourceShareInvitation {arn} is {}.", invitation.status(now));
        return Err(Refusal::new(format!("ResourceShareInvitation{ended}Exception"), message));
    }
    invitation.answer = Some(reply);
    let (shown, principal) = (invitation.shown(now), invitation.principal.clone());
    let share = invitation.share.clone();
    let share = shares.by_arn.get_mut(&share).ok_or_else(|| not_found(arn))?;
    if let Some(member) = share.member(&principal, now) {
        member.phase = phase;
    }
    let resources = share.members.values().map(|member: &Member| member.entity.clone()).collect();
    sight::settle(world, &call.region, &resources);
    Ok(json!({ "resourceShareInvitation": shown, "clientToken": call.parameters.text("clientToken") }))
}

#[cfg(test)]
mod tests;

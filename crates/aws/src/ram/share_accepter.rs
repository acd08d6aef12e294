//! `ram_share_accepter`: that an account takes what one outside of its organization shares with it.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ram::operation::get_resource_share_invitations::GetResourceShareInvitationsOutput;
use aws_sdk_ram::types::{
    ResourceOwner, ResourceShare, ResourceShareInvitation, ResourceShareInvitationStatus, ResourceShareStatus,
};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::Depiction;
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use super::{SERVICE, listing};
use crate::client::Client;
use crate::ec2::check::problem;
use crate::error::failed;

const ACCEPT: &str = "AcceptResourceShareInvitation";
const LEAVE: &str = "DisassociateResourceShare";

/// The kind.
pub(crate) struct ShareAccepter;

/// That this account accepts a share of an account outside of its organization. Inside one
/// organization there is no invitation, and nothing to accept: so never for subnets, which cannot
/// be shared outside.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ShareAccepterInputs {
    /// The ARN of the share, such as `"${ram_resource_share.NAME.arn}"`.
    #[attribute(replace, refers_to = "ram_resource_share")]
    resource_share_arn: String,
}

/// What RAM says about the share in the account that accepted it.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ShareAccepterOutputs {
    /// The share's name.
    share_name: Option<String>,
    /// The account that owns the share.
    owner_id: Option<String>,
}

/// The shares that other accounts let this one use, by ARN.
pub(crate) struct ReceivedShares(BTreeMap<String, ResourceShare>);

impl ReceivedShares {
    fn new(shares: Vec<ResourceShare>) -> Self {
        let by_arn = |share: ResourceShare| Some((share.resource_share_arn()?.to_owned(), share));
        Self(shares.into_iter().filter_map(by_arn).collect())
    }
}

impl Listing for ReceivedShares {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        listing::shares(client, &ResourceOwner::OtherAccounts, ids).await.map(Self::new)
    }
}

/// Leaves the share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leave;

impl Step for Leave {
    fn operation(&self) -> &'static str {
        LEAVE
    }
}

impl Resource for ShareAccepter {
    const KIND: &'static str = "ram_share_accepter";
    const ID_FORM: &'static str = "arn:*:ram:*:*:resource-share/*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        // An invitation is accepted once; the second time RAM says that it was.
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(3),
    };
    const DEPICTION: Depiction = Depiction::PART;
    const EXAMPLE: &'static str = include_str!("share_accepter/example.toml");
    const ARN: &'static str = "{resource_share_arn}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ram:GetResourceShares"]),
        Need::create(&["ram:GetResourceShareInvitations", "ram:AcceptResourceShareInvitation"]),
        Need::delete(&["ram:DisassociateResourceShare"]).on(&["{arn}"]),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["resource_share_arn"];

    type Inputs = ShareAccepterInputs;
    type Outputs = ShareAccepterOutputs;
    type Client = Client;
    type Listing = ReceivedShares;
    type Step = Leave;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let arn = inputs.get("resource_share_arn").and_then(Value::as_str);
        let wrong = arn.filter(|arn| !(arn.contains(":ram:") && arn.contains(":resource-share/")));
        let describe = |arn| {
            let message = format!("`{arn}` is not the ARN of a share.");
            problem("resource_share_arn", message, "Write `${ram_resource_share.NAME.arn}`.")
        };
        wrong.map(describe).into_iter().collect()
    }

    fn observe(
        listing: &ReceivedShares,
        id: &RemoteId,
    ) -> Option<Observed<ShareAccepterInputs, ShareAccepterOutputs>> {
        let share = listing.0.get(id.as_str())?;
        let readiness = match share.status().map(ResourceShareStatus::as_str) {
            Some("DELETED") => return None,
            Some("ACTIVE") | None => Readiness::Ready,
            Some(state) => Readiness::Pending(state.to_ascii_lowercase()),
        };
        Some(Observed {
            inputs: ShareAccepterInputs { resource_share_arn: id.as_str().to_owned() },
            outputs: ShareAccepterOutputs {
                share_name: share.name().map(str::to_owned),
                owner_id: share.owning_account_id().map(str::to_owned),
            },
            readiness,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &ShareAccepterInputs,
    ) -> Result<RemoteId, ProviderError> {
        let arn = inputs.resource_share_arn.as_str();
        match what_to_do(&invitations(client, arn).await?) {
            Todo::Accept(invitation) => {
                let call = client.ram.writes.accept_resource_share_invitation();
                let call = call.resource_share_invitation_arn(invitation).client_token(&intent.token);
                call.send().await.map_err(failed(ACCEPT))?;
            }
            Todo::Nothing => {}
            Todo::Ended(status) => return Err(ended(arn, &status)),
            Todo::NotInvited => return Err(not_invited(arn, is_received(client, arn).await?)),
        }
        Ok(RemoteId::new(arn))
    }

    fn next_step(
        _: &Observed<ShareAccepterInputs, ShareAccepterOutputs>,
        desired: Option<&ShareAccepterInputs>,
    ) -> Option<Leave> {
        desired.is_none().then_some(Leave)
    }

    async fn perform(client: &Client, id: &RemoteId, _: &Leave) -> Result<Option<RemoteId>, ProviderError> {
        let call = client.ram.writes.disassociate_resource_share().resource_share_arn(id.as_str());
        call.principals(&client.place.account).send().await.map_err(failed(LEAVE)).map_err(cannot_leave)?;
        Ok(None)
    }

    async fn find(
        client: &Client,
        _: &Intent,
        inputs: &ShareAccepterInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let arn = inputs.resource_share_arn.as_str();
        Ok(is_received(client, arn).await?.then(|| RemoteId::new(arn)).into_iter().collect())
    }
}

async fn is_received(client: &Client, arn: &str) -> Result<bool, ProviderError> {
    let id = RemoteId::new(arn);
    let received = ReceivedShares::fetch(client, std::slice::from_ref(&id)).await?;
    Ok(ShareAccepter::observe(&received, &id).is_some())
}

/// Reads the invitations to a share. A page may be empty and not be the last one.
async fn invitations(client: &Client, arn: &str) -> Result<Vec<ResourceShareInvitation>, ProviderError> {
    let call = client.ram.reads.get_resource_share_invitations().resource_share_arns(arn);
    let pages = call.into_paginator().send();
    let pages: Result<Vec<GetResourceShareInvitationsOutput>, _> = pages.collect().await;
    let pages = match pages.map_err(failed("GetResourceShareInvitations")) {
        // A share of which this account knows nothing.
        Err(error) if error.class == ErrorClass::NotFound => Vec::new(),
        pages => pages?,
    };
    let invitations = pages.into_iter().flat_map(|page| page.resource_share_invitations.unwrap_or_default());
    Ok(invitations.filter(|invitation| invitation.resource_share_arn() == Some(arn)).collect())
}

/// What is to be done about the invitations to a share.
#[derive(Debug, PartialEq)]
enum Todo {
    /// This one waits to be accepted.
    Accept(String),
    /// One was accepted.
    Nothing,
    /// There was one, which can no longer be accepted: RAM's word for why.
    Ended(String),
    /// There is none, or none yet.
    NotInvited,
}

fn what_to_do(invitations: &[ResourceShareInvitation]) -> Todo {
    let of = |status: &ResourceShareInvitationStatus| {
        invitations.iter().find(|invitation| invitation.status() == Some(status))
    };
    let pending = of(&ResourceShareInvitationStatus::Pending);
    if let Some(arn) = pending.and_then(ResourceShareInvitation::resource_share_invitation_arn) {
        return Todo::Accept(arn.to_owned());
    }
    if of(&ResourceShareInvitationStatus::Accepted).is_some() {
        return Todo::Nothing;
    }
    let ended = invitations.iter().find_map(ResourceShareInvitation::status);
    ended.map_or(Todo::NotInvited, |status| Todo::Ended(status.as_str().to_ascii_lowercase()))
}

fn ended(arn: &str, status: &str) -> ProviderError {
    let message = format!(
        "the invitation to {arn} is {status}. Let the owner invite again: take this account out of the share's \
         `principals`, apply, put it back and apply again"
    );
    ProviderError::new(ErrorClass::Rejected, ACCEPT, message)
}

/// Without an invitation, what can be used already needs none; anything else may still arrive.
fn not_invited(arn: &str, received: bool) -> ProviderError {
    if received {
        let message = format!(
            "there is no invitation to {arn}, and this account can use the share already: inside one \
             organization nothing has to be accepted. Take the `ram_share_accepter` out of the spec"
        );
        return ProviderError::new(ErrorClass::Rejected, ACCEPT, message);
    }
    let message = format!(
        "this account has no invitation to {arn}. Check that the share names it in `principals` and allows \
         external principals. Subnets can be shared inside one organization only, where there are no \
         invitations: for a share of subnets, take the `ram_share_accepter` out of the spec"
    );
    ProviderError::new(ErrorClass::Propagation, ACCEPT, message)
}

/// Says what to do about a share that the account may not leave, since it is in the organization.
fn cannot_leave(mut error: ProviderError) -> ProviderError {
    if error.code == "OperationNotPermittedException" {
        error.message = format!(
            "{}. An account cannot leave a share of its own organization: let the owner take it out of the \
             share, or set `retain_on_destroy = true`",
            error.message.trim_end_matches('.')
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Answer, Asked, answered_by, intent};

    const ARN: &str = "arn:aws:ram:us-east-1:111122223333:resource-share/1";

    fn received(status: &str) -> Option<Observed<ShareAccepterInputs, ShareAccepterOutputs>> {
        let share = ResourceShare::builder()
            .resource_share_arn(ARN)
            .name("prefixes")
            .owning_account_id("111122223333")
            .status(ResourceShareStatus::from(status));
        ShareAccepter::observe(&ReceivedShares::new(vec![share.build()]), &RemoteId::new(ARN))
    }

    #[test]
    fn a_share_is_accepted_as_long_as_the_account_can_use_it() {
        let seen = received("ACTIVE").expect("it is listed");
        assert_eq!(
            (seen.inputs.resource_share_arn.as_str(), seen.readiness.clone()),
            (ARN, Readiness::Ready)
        );
        assert_eq!(seen.outputs.share_name.as_deref(), Some("prefixes"));
        assert_eq!(ShareAccepter::next_step(&seen, Some(&seen.inputs)), None);
        assert_eq!(ShareAccepter::next_step(&seen, None), Some(Leave));
        assert_eq!(received("DELETED"), None);
        let deleting = received("DELETING").map(|seen| seen.readiness);
        assert_eq!(deleting, Some(Readiness::Pending("deleting".to_owned())));
    }

    #[test]
    fn the_invitation_that_waits_is_accepted() {
        let invitations = |statuses: &[&str]| {
            let invitation = |status: &&str| {
                ResourceShareInvitation::builder()
                    .resource_share_invitation_arn(format!("arn:{status}"))
                    .status(ResourceShareInvitationStatus::from(*status))
                    .build()
            };
            what_to_do(&statuses.iter().map(invitation).collect::<Vec<_>>())
        };
        assert_eq!(invitations(&["EXPIRED", "ACCEPTED", "PENDING"]), Todo::Accept("arn:PENDING".to_owned()));
        assert_eq!(invitations(&["EXPIRED", "ACCEPTED"]), Todo::Nothing);
        assert_eq!(invitations(&["EXPIRED"]), Todo::Ended("expired".to_owned()));
        assert_eq!(invitations(&[]), Todo::NotInvited);
    }

    /// A RAM with these invitations, of which the first page is empty, and these shares of others.
    fn ram(asked: &Asked, invitations: &str, shares: &str) -> Answer {
        match asked.operation.as_str() {
            "getresourceshareinvitations" if asked.body.contains("\"nextToken\":\"2\"") => {
                Ok(format!("{{\"resourceShareInvitations\":[{invitations}]}}"))
            }
            "getresourceshareinvitations" => {
                Ok("{\"resourceShareInvitations\":[],\"nextToken\":\"2\"}".to_owned())
            }
            "getresourceshares" => Ok(format!("{{\"resourceShares\":[{shares}]}}")),
            "acceptresourceshareinvitation" => Ok("{}".to_owned()),
            _ => Err("NotCalled"),
        }
    }

    /// Accepts the share; returns what came of it and the last call.
    async fn accepted(invitations: &str, shares: &str) -> (Result<RemoteId, ProviderError>, Asked) {
        let inputs = ShareAccepterInputs { resource_share_arn: ARN.to_owned() };
        let intent = intent("ram_share_accepter");
        let create = async |client: &Client| ShareAccepter::create(client, &intent, &inputs).await;
        let (made, mut log) = answered_by(|asked| ram(asked, invitations, shares), create).await;
        (made, log.pop().expect("something was asked"))
    }

    #[tokio::test]
    async fn an_invitation_after_an_empty_page_is_accepted_with_the_token() {
        let invitation = format!(
            "{{\"resourceShareArn\":\"{ARN}\",\"resourceShareInvitationArn\":\"arn:invitation\",\"status\":\"PENDING\"}}"
        );
        let (made, asked) = accepted(&invitation, "").await;
        assert_eq!(made, Ok(RemoteId::new(ARN)));
        assert_eq!(asked.operation, "acceptresourceshareinvitation");
        assert!(asked.body.contains("arn:invitation") && asked.body.contains("token-1"), "{asked:?}");
    }

    #[tokio::test]
    async fn a_share_that_needs_no_invitation_is_not_accepted() {
        let share = format!("{{\"resourceShareArn\":\"{ARN}\",\"status\":\"ACTIVE\"}}");
        let (made, asked) = accepted("", &share).await;
        assert_eq!(made.map_err(|error| error.class), Err(ErrorClass::Rejected));
        assert!(asked.operation == "getresourceshares" && asked.body.contains("OTHER-ACCOUNTS"), "{asked:?}");
        let (made, _) = accepted("", "").await;
        assert_eq!(made.map_err(|error| error.class), Err(ErrorClass::Propagation));
    }

    #[test]
    fn without_an_invitation_it_is_said_why_there_may_be_none() {
        let inside = not_invited(ARN, true);
        assert_eq!(inside.class, ErrorClass::Rejected);
        assert!(inside.message.contains("inside one organization nothing has to be accepted"), "{inside}");
        let none = not_invited(ARN, false);
        assert_eq!(none.class, ErrorClass::Propagation);
        assert!(none.message.contains("for a share of subnets, take the `ram_share_accepter` out"), "{none}");
        assert!(ended(ARN, "expired").message.contains("invite again"));
    }

    #[test]
    fn a_share_of_the_own_organization_cannot_be_left() {
        let error = |code: &str| {
            let error = ProviderError::new(ErrorClass::Rejected, LEAVE, "No.");
            cannot_leave(ProviderError { code: code.to_owned(), ..error }).message
        };
        assert!(error("OperationNotPermittedException").contains("`retain_on_destroy = true`"));
        assert_eq!(error("InvalidParameterException"), "No.");
    }

    #[test]
    fn only_shares_are_accepted() {
        let problems = |arn: &str| {
            ShareAccepter::check(&[("resource_share_arn".to_owned(), Value::from(arn))].into()).len()
        };
        assert_eq!((problems(ARN), problems("arn:aws:ec2:us-east-1:1:subnet/subnet-1")), (0, 1));
    }
}

//! `ram_resource_share`: what an account lets others use.
//!
//! Members are sets of the share and not resources of their own: the call that makes the share
//! carries the first ones. Steps let one member in or out a call. They carry no client token,
//! since the pair of share and member is a key of its own: the SDK sends each call once, and what
//! came of it is read before the next one is named, so a second one can at worst find it done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_ram::types::{self, ResourceShareAssociationType, ResourceShareStatus};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::Depiction;
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::listing::{self, OwnShare, OwnShares};
use super::member::{self, Member, Members, Standing, members};
use super::{SERVICE, check, tags};
use crate::client::Client;
use crate::error::{answered, failed};
use crate::tags::{TagStep, next_step as next_tag_step};

/// The kind.
pub(crate) struct ResourceShare;

/// Resources that other accounts may use. It is ready once everybody inside the organization has
/// them; accounts outside of it have to accept an invitation, which it does not wait for.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ResourceShareInputs {
    /// The name. Several shares may have the same.
    name: String,
    /// The ARNs of what is shared, such as `"${subnet.private[*].arn}"`.
    #[attribute(default = Vec::<Value>::new())]
    resources: Option<BTreeSet<String>>,
    /// Whom it is shared with: ids of accounts, ARNs of organizations, of organizational units, or
    /// of IAM roles and users.
    #[attribute(default = Vec::<Value>::new())]
    principals: Option<BTreeSet<String>>,
    /// Whether accounts outside of the organization can be let in. RAM's own default is true.
    #[attribute(default = false, always)]
    allow_external_principals: Option<bool>,
    /// The ARNs of RAM's permissions for the types of resources. If they are not set, RAM attaches
    /// the default one of each type. The new share is there before the old one goes.
    #[attribute(replace, write_only)]
    permissions: Option<BTreeSet<String>>,
    /// The tags. They are those of the share, not of what is in it.
    tags: Option<Tags>,
}

/// What RAM says about a share.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ResourceShareOutputs {
    /// The ARN.
    arn: String,
    /// The account that owns the share.
    owner_id: Option<String>,
    /// The accounts that have not accepted the invitation yet.
    #[attribute(volatile)]
    awaiting_acceptance: Option<BTreeSet<String>>,
    /// The members that could not be let in, with RAM's reason.
    #[attribute(volatile)]
    failed_members: Option<BTreeMap<String, String>>,
}

/// What is let into a share, or out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entity {
    Resource(String),
    Principal(String),
}

/// A change of a share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ShareStep {
    Associate(Entity),
    Disassociate(Entity),
    Update { name: String, allow_external_principals: bool },
    Tag(TagStep),
    Delete,
}

impl Step for ShareStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Associate(_) => "AssociateResourceShare",
            Self::Disassociate(_) => "DisassociateResourceShare",
            Self::Update { .. } => "UpdateResourceShare",
            Self::Tag(step) => tags::operation(step),
            Self::Delete => "DeleteResourceShare",
        }
    }
}

impl Resource for ResourceShare {
    const KIND: &'static str = "ram_resource_share";
    const ID_FORM: &'static str = "arn:*:ram:*:*:resource-share/*";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        // Two shares may have the same members, so nobody is shut out meanwhile.
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(10),
        poll: Duration::from_secs(3),
    };
    const DEPICTION: Depiction = Depiction { title: "RAM share", ..Depiction::PART };
    const EXAMPLE: &'static str = include_str!("resource_share/example.toml");
    const ARN: &'static str = "arn:{partition}:ram:{region}:{account}:resource-share/*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["ram:GetResourceShares", "ram:GetResourceShareAssociations"]),
        Need::create(&["ram:CreateResourceShare"]),
        Need::update(&["ram:AssociateResourceShare", "ram:DisassociateResourceShare"])
            .on(&["{arn}"])
            .changing(&["resources", "principals"]),
        Need::update(&["ram:UpdateResourceShare"])
            .on(&["{arn}"])
            .changing(&["name", "allow_external_principals"]),
        Need::update(&["ram:TagResource", "ram:UntagResource"]).on(&["{arn}"]).changing(&["tags"]),
        // Before anybody loses a subnet, nothing of theirs may be left in it.
        Need::update(&["ec2:DescribeNetworkInterfaces"]).changing(&["resources", "principals"]),
        Need::delete(&["ec2:DescribeNetworkInterfaces"]),
        Need::delete(&["ram:DeleteResourceShare"]).on(&["{arn}"]),
    ];

    type Inputs = ResourceShareInputs;
    type Outputs = ResourceShareOutputs;
    type Client = Client;
    type Listing = OwnShares;
    type Step = ShareStep;

    fn check_in(account_id: &str, inputs: &ValueMap) -> Vec<Problem> {
        check::share(account_id, inputs)
    }

    fn observe(
        listing: &OwnShares,
        id: &RemoteId,
    ) -> Option<Observed<ResourceShareInputs, ResourceShareOutputs>> {
        listing.get(id).map(|share| observed(share, id))
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &ResourceShareInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client
            .ram
            .writes
            .create_resource_share()
            .client_token(&intent.token)
            .name(&inputs.name)
            .set_resource_arns(texts(inputs.resources.as_ref()))
            .set_principals(texts(inputs.principals.as_ref()))
            .allow_external_principals(inputs.allow_external_principals.unwrap_or(false))
            .set_permission_arns(texts(inputs.permissions.as_ref()))
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        let answer = call.send().await.map_err(failed("CreateResourceShare")).map_err(explained)?;
        let arn = answer.resource_share().and_then(types::ResourceShare::resource_share_arn);
        answered("CreateResourceShare", arn).map(RemoteId::new)
    }

    /// Who comes is let in before who goes is let out, so that a principal that stands for more
    /// accounts can take the place of one without a gap.
    fn next_step(
        observed: &Observed<ResourceShareInputs, ResourceShareOutputs>,
        desired: Option<&ResourceShareInputs>,
    ) -> Option<ShareStep> {
        let Some(desired) = desired else { return Some(ShareStep::Delete) };
        if matches!(observed.readiness, Readiness::Failed(_)) {
            // Nothing but another share helps.
            return None;
        }
        let found = &observed.inputs;
        failed_member(observed)
            .map(ShareStep::Disassociate)
            .or_else(|| update(found, desired).filter(|_| desired.allow_external_principals == Some(true)))
            .or_else(|| difference(desired, found).map(ShareStep::Associate))
            .or_else(|| difference(found, desired).map(ShareStep::Disassociate))
            .or_else(|| update(found, desired))
            .or_else(|| next_tag_step(found.tags.as_ref(), desired.tags.as_ref()).map(ShareStep::Tag))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &ShareStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, share, operation) = (&client.ram.writes, id.as_str(), step.operation());
        match step {
            ShareStep::Associate(entity) => {
                let call = writes.associate_resource_share().resource_share_arn(share);
                let call = match entity {
                    Entity::Resource(arn) => call.resource_arns(arn),
                    Entity::Principal(principal) => call.principals(principal),
                };
                call.send().await.map_err(failed(operation)).map_err(explained)?;
            }
            ShareStep::Disassociate(entity) => {
                let call = writes.disassociate_resource_share().resource_share_arn(share);
                let call = match entity {
                    Entity::Resource(arn) => call.resource_arns(arn),
                    Entity::Principal(principal) => call.principals(principal),
                };
                call.send().await.map_err(failed(operation))?;
            }
            ShareStep::Update { name, allow_external_principals } => {
                let call = writes.update_resource_share().resource_share_arn(share).name(name);
                let call = call.allow_external_principals(*allow_external_principals);
                call.send().await.map_err(failed(operation))?;
            }
            ShareStep::Tag(step) => tags::perform(client, id, step).await?,
            ShareStep::Delete => {
                let call = writes.delete_resource_share().resource_share_arn(share);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &ResourceShareInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        listing::made_by(client, intent, &inputs.name).await
    }
}

fn texts(set: Option<&BTreeSet<String>>) -> Option<Vec<String>> {
    set.filter(|set| !set.is_empty()).map(|set| set.iter().cloned().collect())
}

/// Says what to do where RAM refuses since the organization does not let its accounts share.
///
/// It refuses in the same words for a while after the sharing was switched on ("that onboarding
/// process is still in progress"), so the call is made again before that is taken for its answer.
fn explained(mut error: ProviderError) -> ProviderError {
    let codes = ["OperationNotPermittedException", "InvalidParameterException", "UnknownResourceException"];
    if codes.contains(&error.code.as_str()) {
        if error.message.contains("still in progress") {
            error.class = ErrorClass::Propagation;
        }
        error.message = with_remedy(&error.message);
    }
    error
}

/// Adds to words of RAM's about the organization what lets its accounts share with one another.
fn with_remedy(message: &str) -> String {
    if !message.to_ascii_lowercase().contains("organization") {
        return message.to_owned();
    }
    format!(
        "{}. If sharing inside the organization is off, switch it on with a `ram_organization_sharing` with \
         `enable = true` in `[account.management]`, or with `aws ram enable-sharing-with-aws-organization` in \
         the management account",
        message.trim_end_matches('.')
    )
}

fn observed(found: &OwnShare, id: &RemoteId) -> Observed<ResourceShareInputs, ResourceShareOutputs> {
    let OwnShare { share, associations } = found;
    let resources = members(associations, &ResourceShareAssociationType::Resource);
    let principals = members(associations, &ResourceShareAssociationType::Principal);
    // RAM's own default; only what says no keeps invitations away.
    let allow_external_principals = share.allow_external_principals() != Some(false);
    let awaiting = awaiting_acceptance(&principals, allow_external_principals);
    Observed {
        readiness: readiness(share, [&resources, &principals], &awaiting),
        outputs: ResourceShareOutputs {
            arn: id.as_str().to_owned(),
            owner_id: share.owning_account_id().map(str::to_owned),
            awaiting_acceptance: Some(awaiting),
            failed_members: Some(failed_members([&resources, &principals])),
        },
        inputs: ResourceShareInputs {
            name: share.name().unwrap_or_default().to_owned(),
            resources: Some(present(&resources)),
            principals: Some(present(&principals)),
            allow_external_principals: Some(allow_external_principals),
            permissions: None,
            tags: Some(tags::observed(share.tags())),
        },
    }
}

/// Returns the members that are in the share or on their way into it, also in vain.
fn present(members: &Members<'_>) -> BTreeSet<String> {
    let stays = |member: &Member<'_>| !matches!(member.standing, Standing::Gone | Standing::Leaving);
    members.iter().filter(|(_, member)| stays(member)).map(|(entity, _)| (*entity).to_owned()).collect()
}

/// Returns those who may have been invited: not an organization and its units. Whether they accept
/// is nothing that the share can wait for: what accepts may need the share.
fn awaiting_acceptance(principals: &Members<'_>, allow_external_principals: bool) -> BTreeSet<String> {
    let invited = principals.iter().filter(|(entity, member)| {
        allow_external_principals
            && member.standing == Standing::Coming
            && !entity.contains(":organizations:")
    });
    invited.map(|(entity, _)| (*entity).to_owned()).collect()
}

fn failed_members(members: [&Members<'_>; 2]) -> BTreeMap<String, String> {
    let all = members.into_iter().flatten();
    let failed = all.filter(|(_, member)| member.standing == Standing::Failed);
    let reason = |member: &Member<'_>| with_remedy(member.message.unwrap_or("RAM gives no reason"));
    failed.map(|(entity, member)| ((*entity).to_owned(), reason(member))).collect()
}

/// What failed comes first: it is let out before anything is waited for.
fn readiness(
    share: &types::ResourceShare,
    members: [&Members<'_>; 2],
    awaiting: &BTreeSet<String>,
) -> Readiness {
    match share.status().map(ResourceShareStatus::as_str) {
        Some("ACTIVE") | None => {}
        Some("FAILED") => {
            return Readiness::Failed(with_remedy(share.status_message().unwrap_or("RAM gives no reason")));
        }
        Some(state) => return Readiness::Pending(state.to_ascii_lowercase()),
    }
    let failed = failed_members(members);
    if !failed.is_empty() {
        let reasons: Vec<_> =
            failed.iter().map(|(entity, reason)| format!("{}: {reason}", member::name(entity))).collect();
        return Readiness::Impaired(reasons.join("; "));
    }
    let standing = |standing: Standing| {
        let found = members.into_iter().flatten().filter(move |(_, member)| member.standing == standing);
        found.map(|(entity, _)| *entity).filter(|entity| !awaiting.contains(*entity))
    };
    let names = |entities: Vec<&str>| entities.into_iter().map(member::name).collect::<Vec<_>>().join(", ");
    let of = |wanted| Some(names(standing(wanted).collect())).filter(|names| !names.is_empty());
    if let Some(names) = of(Standing::Coming) {
        return Readiness::Pending(format!("{names} to be let in"));
    }
    if let Some(names) = of(Standing::Leaving) {
        return Readiness::Pending(format!("{names} to be let out"));
    }
    // No call of ours lifts this, so no step comes of it.
    of(Standing::Suspended)
        .map_or(Readiness::Ready, |names| Readiness::Impaired(format!("RAM has suspended {names}")))
}

fn failed_member(observed: &Observed<ResourceShareInputs, ResourceShareOutputs>) -> Option<Entity> {
    let failed = observed.outputs.failed_members.as_ref()?.keys().next()?;
    let resources = observed.inputs.resources.as_ref();
    let is_resource = resources.is_some_and(|resources| resources.contains(failed));
    Some(if is_resource { Entity::Resource(failed.clone()) } else { Entity::Principal(failed.clone()) })
}

/// Returns a member that the one has and the other has not. Sets that the spec leaves open are
/// left alone.
fn difference(one: &ResourceShareInputs, other: &ResourceShareInputs) -> Option<Entity> {
    let lacks = |one: &Option<BTreeSet<String>>, other: &Option<BTreeSet<String>>| {
        one.as_ref()?.difference(other.as_ref()?).next().cloned()
    };
    lacks(&one.resources, &other.resources)
        .map(Entity::Resource)
        .or_else(|| lacks(&one.principals, &other.principals).map(Entity::Principal))
}

fn update(found: &ResourceShareInputs, desired: &ResourceShareInputs) -> Option<ShareStep> {
    let external = desired.allow_external_principals.or(found.allow_external_principals);
    let same = desired.name == found.name && external == found.allow_external_principals;
    (!same).then(|| ShareStep::Update {
        name: desired.name.clone(),
        allow_external_principals: external.unwrap_or(false),
    })
}

#[cfg(test)]
mod tests;

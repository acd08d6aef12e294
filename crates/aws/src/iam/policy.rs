//! `iam_policy`: what somebody may do, under a name of its own.

use std::time::Duration;

use aws_sdk_iam::types;
use futures::try_join;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form, Theme};
use straddle_engine::permission::Need;
use straddle_engine::policy::Policy;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Home, Intent, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::permissions::{self, MOST_CHARACTERS};
use super::policies::{Policies, WholePolicy, get_policy};
use super::tags::{TagStep, Tagged};
use super::{SERVICE, controller, document, names, tags, unless_missing};
use crate::client::{Client, Place};
use crate::error::{answered, failed};

/// How many versions a policy has at most (IAM user guide, "Versioning IAM policies").
const MOST_VERSIONS: usize = 5;

/// The kind. Its ids are the policies' ARNs.
pub(crate) struct ManagedPolicy;

/// What somebody may do: a policy of the account's own that roles have by its ARN.
#[derive(Debug, Clone, PartialEq, Attributes)]
pub(crate) struct ManagedPolicyInputs {
    /// The name: up to 128 letters, digits and `_+=,.@-`. An account has each name once, whatever the
    /// path.
    #[attribute(replace, normalize = names::normalize)]
    name: String,
    /// The path, which becomes part of the ARN.
    #[attribute(replace, default = "/", normalize = names::normalize_path)]
    path: Option<String>,
    /// What the policy is for: up to 1000 characters.
    #[attribute(replace, default = "", normalize = names::normalize_description)]
    description: Option<String>,
    /// The policy itself, as a table or JSON text, of the version `2012-10-17` unless it says
    /// otherwise. It is compared by what it means. It has up to 6144 characters besides white space.
    /// That of the AWS Load Balancer Controller has a short form: `{ load_balancer_controller =
    /// "v2.13.4" }`. A change makes a new version and then puts it in force; where
    /// there are five versions, the oldest one goes first.
    document: Policy,
    /// The tags.
    tags: Option<Tags>,
}

/// What IAM says about a policy.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ManagedPolicyOutputs {
    /// The ARN.
    arn: String,
    /// The id that no other policy ever gets.
    unique_id: String,
    /// The version that is in force.
    #[attribute(volatile)]
    default_version_id: String,
    /// The versions that are not in force, oldest first.
    #[attribute(volatile)]
    other_version_ids: Option<Vec<String>>,
    /// What the newest of these says: a change that was cut short.
    #[attribute(volatile)]
    newest_document: Option<Policy>,
}

/// A change of a policy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ManagedPolicyStep {
    CreateVersion(Policy),
    SetDefault(String),
    DeleteVersion(String),
    Tag(TagStep),
    Delete,
}

impl Step for ManagedPolicyStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::CreateVersion(_) => "CreatePolicyVersion",
            Self::SetDefault(_) => "SetDefaultPolicyVersion",
            Self::DeleteVersion(_) => "DeletePolicyVersion",
            Self::Tag(step) => Tagged::Policy.operation(step),
            Self::Delete => "DeletePolicy",
        }
    }
}

impl Resource for ManagedPolicy {
    const KIND: &'static str = "iam_policy";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(2),
    };
    const DEPICTION: Depiction =
        Depiction { title: "policy", form: Form::Note, theme: Theme::Identity, ..Depiction::THING };
    const ID_FORM: &'static str = "arn:*:iam::*:policy/*";
    const EXAMPLE: &'static str = include_str!("policy/example.toml");
    const ARN: &'static str = "arn:{partition}:iam::{account}:policy{path|/}{name}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"]).on(&["{arn}"]),
        Need::create(&["iam:CreatePolicy", "iam:TagPolicy"]).on(&["{arn}"]),
        Need::update(&["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicyVersion"])
            .on(&["{arn}"])
            .changing(&["document"]),
        Need::update(&["iam:TagPolicy", "iam:UntagPolicy"]).on(&["{arn}"]).changing(&["tags"]),
        Need::delete(&["iam:DeletePolicy"]).on(&["{arn}"]),
        Need::delete(&["iam:DeletePolicyVersion"]).on(&["{arn}"]).setting(&["other_version_ids"]),
        Need::delete(&["iam:ListEntitiesForPolicy"]).on(&["{arn}"]).to_repair(),
    ];
    const EXCLUSIVE: &'static [&'static str] = &["name"];
    const IDENTITY: &'static [&'static str] = &["name", "path"];

    type Inputs = ManagedPolicyInputs;
    type Outputs = ManagedPolicyOutputs;
    type Client = Client;
    type Listing = Policies;
    type Step = ManagedPolicyStep;

    fn canonical(home: Home<'_>, inputs: ValueMap) -> Result<ValueMap, Vec<Problem>> {
        let inputs = controller::canonical("document", &Place::of(home), inputs)?;
        Ok(document::versioned("document", inputs))
    }

    fn shorthands(_: Home<'_>, attribute: &str, value: &Value) -> Vec<Value> {
        if attribute == "document" { controller::shorthands(value) } else { Vec::new() }
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        permissions::check("document", MOST_CHARACTERS, inputs)
    }

    fn observe(
        listing: &Policies,
        id: &RemoteId,
    ) -> Option<Observed<ManagedPolicyInputs, ManagedPolicyOutputs>> {
        let WholePolicy { policy, document, others, newest } = listing.policies.get(id)?;
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Some(Observed {
            inputs: ManagedPolicyInputs {
                name: text(policy.policy_name()),
                path: Some(policy.path().unwrap_or("/").to_owned()),
                description: Some(text(policy.description())),
                document: document.clone(),
                tags: Some(tags::observed(policy.tags())),
            },
            outputs: ManagedPolicyOutputs {
                arn: text(policy.arn()),
                unique_id: text(policy.policy_id()),
                default_version_id: text(policy.default_version_id()),
                other_version_ids: others.clone(),
                newest_document: newest.clone(),
            },
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &ManagedPolicyInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client
            .iam
            .writes
            .create_policy()
            .policy_name(&inputs.name)
            .set_path(inputs.path.clone())
            .set_description(inputs.description.clone().filter(|text| !text.is_empty()))
            .set_policy_document(inputs.document.to_text())
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        let answer = call.send().await.map_err(failed("CreatePolicy"))?;
        let arn = answer.policy().and_then(types::Policy::arn);
        answered("CreatePolicy", arn).map(RemoteId::new)
    }

    fn next_step(
        observed: &Observed<ManagedPolicyInputs, ManagedPolicyOutputs>,
        desired: Option<&ManagedPolicyInputs>,
    ) -> Option<ManagedPolicyStep> {
        let others = observed.outputs.other_version_ids.as_deref().unwrap_or_default();
        let oldest = || others.first().cloned().map(ManagedPolicyStep::DeleteVersion);
        let Some(desired) = desired else { return Some(oldest().unwrap_or(ManagedPolicyStep::Delete)) };
        let found = &observed.inputs;
        if desired.document != found.document {
            // A version is made first and put in force by a call of its own: until the one is known
            // everywhere, the other stays in force.
            let made = others
                .last()
                .filter(|_| observed.outputs.newest_document.as_ref() == Some(&desired.document));
            return Some(match made {
                Some(version) => ManagedPolicyStep::SetDefault(version.clone()),
                None => (others.len() + 1 >= MOST_VERSIONS)
                    .then(oldest)
                    .flatten()
                    .unwrap_or_else(|| ManagedPolicyStep::CreateVersion(desired.document.clone())),
            });
        }
        tags::next_step(found.tags.as_ref(), desired.tags.as_ref()).map(ManagedPolicyStep::Tag)
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &ManagedPolicyStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, arn, operation) = (&client.iam.writes, id.as_str(), step.operation());
        match step {
            ManagedPolicyStep::CreateVersion(document) => {
                let call = writes.create_policy_version().policy_arn(arn).set_as_default(false);
                let call = call.set_policy_document(document.to_text());
                call.send().await.map_err(failed(operation))?;
            }
            ManagedPolicyStep::SetDefault(version) => {
                let call = writes.set_default_policy_version().policy_arn(arn).version_id(version);
                call.send().await.map_err(failed(operation))?;
            }
            ManagedPolicyStep::DeleteVersion(version) => {
                let call = writes.delete_policy_version().policy_arn(arn).version_id(version);
                call.send().await.map_err(failed(operation))?;
            }
            ManagedPolicyStep::Tag(step) => Tagged::Policy.perform(client, id, step).await?,
            ManagedPolicyStep::Delete => {
                let answer = writes.delete_policy().policy_arn(arn).send().await.map_err(failed(operation));
                if let Err(error) = answer {
                    return Err(explained(client, arn, error).await);
                }
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &ManagedPolicyInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let path = inputs.path.as_deref().unwrap_or("/");
        let arn = client.place.iam_arn(&format!("policy{path}{}", inputs.name));
        let policy = unless_missing(get_policy(client, &arn).await)?;
        let ours = policy.filter(|policy| tags::are_ours(policy.tags(), intent, inputs.tags.as_ref()));
        Ok(ours.map(|_| RemoteId::new(arn)).into_iter().collect())
    }
}

/// Says who still has a policy that is not deleted for that reason. Nothing is taken off them:
/// they are not this stack's.
async fn explained(client: &Client, arn: &str, mut error: ProviderError) -> ProviderError {
    if error.class != ErrorClass::Dependency {
        return error;
    }
    let Ok(users) = users(client, arn).await else { return error };
    if !users.is_empty() {
        error.message = format!("{} It is still on {}", error.message, users.join(", "));
    }
    error
}

async fn users(client: &Client, arn: &str) -> Result<Vec<String>, ProviderError> {
    let list = |usage: types::PolicyUsageType| {
        let call = client.iam.reads.list_entities_for_policy().policy_arn(arn).policy_usage_filter(usage);
        async { call.into_paginator().send().collect::<Result<Vec<_>, _>>().await }
    };
    let (attached, bounded) = try_join!(
        list(types::PolicyUsageType::PermissionsPolicy),
        list(types::PolicyUsageType::PermissionsBoundary)
    )
    .map_err(failed("ListEntitiesForPolicy"))?;
    let mut users = Vec::new();
    for (pages, as_what) in [(attached, ""), (bounded, " as its boundary")] {
        for page in pages {
            let names = page.policy_roles().iter().filter_map(|role| Some(("role", role.role_name()?)));
            let names =
                names.chain(page.policy_users().iter().filter_map(|it| Some(("user", it.user_name()?))));
            let names =
                names.chain(page.policy_groups().iter().filter_map(|it| Some(("group", it.group_name()?))));
            users.extend(names.map(|(sort, name)| format!("the {sort} {name}{as_what}")));
        }
    }
    Ok(users)
}

#[cfg(test)]
mod tests;

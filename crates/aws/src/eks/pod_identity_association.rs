//! `eks_pod_identity_association`: the role that pods have by their service account.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_eks::types;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Arrow, Depiction, End, Form, Relation};
use straddle_engine::permission::Need;
use straddle_engine::policy::Policy;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::named::CLUSTER;
use super::{SERVICE, id, tags};
use crate::client::Client;
use crate::each::each;
use crate::ec2::check::{is, is_set, problem};
use crate::error::{answered, failed};
use crate::tags::{TagStep, next_step as next_tag_step};

/// The kind. Its ids are the cluster's name and EKS's own id: `main/a-abcdefghijklmnop1`.
pub(crate) struct PodIdentityAssociation;

/// The role that the pods of a service account have, without an OIDC provider. The cluster needs
/// the add-on `eks-pod-identity-agent`; pods on Fargate or Windows have no roles that way.
///
/// With a `target_role_arn`, which can be of another account, pods have that role, by way of the
/// first one. The target has to trust the first role with `sts:AssumeRole` and `sts:TagSession`, and
/// should do so only with the `external_id` that EKS makes up for the association. Pods go on with
/// credentials that they have got: up to 6 hours, with a target 59 minutes (EKS user guide, "How EKS
/// Pod Identity works"). Restart them after a change.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct PodIdentityAssociationInputs {
    /// The cluster's name.
    #[attribute(replace, refers_to = "eks_cluster")]
    cluster_name: String,
    /// The namespace of the service account.
    #[attribute(replace)]
    namespace: String,
    /// The name of the service account. It need not exist yet.
    #[attribute(replace)]
    service_account: String,
    /// The ARN of the role, which is of the cluster's account and trusts `pods.eks.amazonaws.com`.
    role_arn: String,
    /// The ARN of the role that the pods get by way of the first one. Empty: they get the first one.
    #[attribute(default = "")]
    target_role_arn: Option<String>,
    /// Whether the sessions go without the tags that name the cluster, the namespace and the pod.
    #[attribute(default = false)]
    disable_session_tags: Option<bool>,
    /// What the pods may do at most, of what the role may: an IAM policy, as a table or JSON text. It
    /// needs `disable_session_tags = true`. Empty: they may do all of it.
    #[attribute(default = ValueMap::new())]
    policy: Option<Policy>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EKS says about an association.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct PodIdentityAssociationOutputs {
    /// The ARN.
    arn: String,
    /// EKS's own id, without the cluster's name.
    association_id: String,
    /// What the target role's trust has to ask for as `sts:ExternalId`; there is one only with a
    /// `target_role_arn`.
    #[attribute(volatile)]
    external_id: Option<String>,
    /// The ARN of the add-on that the association belongs to, if it belongs to one.
    owner_arn: Option<String>,
}

/// Associations by their ids.
pub(crate) struct Associations(BTreeMap<RemoteId, types::PodIdentityAssociation>);

impl Listing for Associations {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        each(ids, |id| describe(client, id)).await.map(Self)
    }
}

/// A change of an association.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PodIdentityAssociationStep {
    Update(Box<Update>),
    Tag { arn: String, step: TagStep },
    Delete,
}

/// Everything of an association that can change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Update {
    role_arn: String,
    /// Empty for none: what is left out stays.
    target_role_arn: String,
    disable_session_tags: bool,
    policy: Policy,
}

impl Step for PodIdentityAssociationStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Update(_) => "UpdatePodIdentityAssociation",
            Self::Tag { step, .. } => tags::operation(step),
            Self::Delete => "DeletePodIdentityAssociation",
        }
    }
}

impl Resource for PodIdentityAssociation {
    const KIND: &'static str = "eks_pod_identity_association";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        // A service account has one.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(5),
    };
    const DEPICTION: Depiction = Depiction {
        title: "Pod Identity",
        form: Form::Note,
        within: &["cluster_name"],
        arrows: &[
            Arrow::new(Relation::Trust, End::Named("cluster_name"), End::Named("target_role_arn"))
                .labelled(&["service_account"]),
            Arrow::new(Relation::Trust, End::Named("cluster_name"), End::Named("role_arn"))
                .labelled(&["service_account"]),
        ],
        ..Depiction::THING
    };
    const ARN: &'static str =
        "arn:{partition}:eks:{region}:{account}:podidentityassociation/{cluster_name}/*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["eks:DescribePodIdentityAssociation"]).on(&["{arn}"]),
        Need::create(&["eks:CreatePodIdentityAssociation", "eks:ListPodIdentityAssociations"]).on(&[CLUSTER]),
        tags::GIVEN_AT_BIRTH,
        Need::create(&["iam:PassRole", "iam:GetRole"]).on(&["{role_arn}"]),
        Need::update(&["eks:UpdatePodIdentityAssociation"]).on(&["{arn}"]).changing(&[
            "role_arn",
            "target_role_arn",
            "disable_session_tags",
            "policy",
        ]),
        Need::update(&["iam:PassRole", "iam:GetRole"]).on(&["{role_arn}"]).changing(&["role_arn"]),
        tags::CHANGED,
        Need::delete(&["eks:DeletePodIdentityAssociation"]).on(&["{arn}"]),
    ];
    const ID_FORM: &'static str = "NAME/a-*";
    const EXAMPLE: &'static str = include_str!("pod_identity_association/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["service_account", "namespace", "cluster_name"];
    const IDENTITY: &'static [&'static str] = &["cluster_name"];

    type Inputs = PodIdentityAssociationInputs;
    type Outputs = PodIdentityAssociationOutputs;
    type Client = Client;
    type Listing = Associations;
    type Step = PodIdentityAssociationStep;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let tagged = is(inputs, "disable_session_tags", false) || !is_set(inputs, "disable_session_tags");
        let limited = is_set(inputs, "policy") && !is(inputs, "policy", ValueMap::new());
        let problem = (limited && tagged).then(|| {
            problem(
                "policy",
                "A policy of an association and tags of its sessions do not go together.",
                "Add `disable_session_tags = true`.",
            )
        });
        problem.into_iter().collect()
    }

    /// The role is passed to EKS, and roles are passed within their account alone.
    fn check_in(account_id: &str, inputs: &ValueMap) -> Vec<Problem> {
        let mut problems = Self::check(inputs);
        let arn = inputs.get("role_arn").and_then(Value::as_str).unwrap_or_default();
        let other = arn.split(':').nth(4).filter(|account| !account.is_empty() && *account != account_id);
        problems.extend(other.map(|account| {
            problem(
                "role_arn",
                format!("The role is of account {account}, and the cluster of account {account_id}."),
                "Name a role of the cluster's account that may assume the other one, and write that one as \
                 `target_role_arn`.",
            )
        }));
        problems
    }

    fn observe(
        listing: &Associations,
        id: &RemoteId,
    ) -> Option<Observed<PodIdentityAssociationInputs, PodIdentityAssociationOutputs>> {
        let association = listing.0.get(id)?;
        let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
        Some(Observed {
            inputs: PodIdentityAssociationInputs {
                cluster_name: text(association.cluster_name()),
                namespace: text(association.namespace()),
                service_account: text(association.service_account()),
                role_arn: text(association.role_arn()),
                target_role_arn: Some(text(association.target_role_arn())),
                disable_session_tags: Some(association.disable_session_tags() == Some(true)),
                policy: Some(observed_policy(association)),
                tags: Some(tags::observed(association.tags())),
            },
            outputs: PodIdentityAssociationOutputs {
                arn: text(association.association_arn()),
                association_id: text(association.association_id()),
                external_id: association.external_id().map(str::to_owned),
                owner_arn: association.owner_arn().map(str::to_owned),
            },
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &PodIdentityAssociationInputs,
    ) -> Result<RemoteId, ProviderError> {
        const OPERATION: &str = "CreatePodIdentityAssociation";
        let call = client
            .eks
            .writes
            .create_pod_identity_association()
            .client_request_token(&intent.token)
            .cluster_name(&inputs.cluster_name)
            .namespace(&inputs.namespace)
            .service_account(&inputs.service_account)
            .role_arn(&inputs.role_arn)
            .set_target_role_arn(inputs.target_role_arn.clone().filter(|arn| !arn.is_empty()))
            .set_disable_session_tags(inputs.disable_session_tags)
            .set_policy(inputs.policy.as_ref().and_then(policy_text))
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        let answer = call.send().await.map_err(failed(OPERATION))?;
        let association = answer.association();
        let association_id = association.and_then(types::PodIdentityAssociation::association_id);
        Ok(id::below(&inputs.cluster_name, answered(OPERATION, association_id)?))
    }

    fn next_step(
        observed: &Observed<PodIdentityAssociationInputs, PodIdentityAssociationOutputs>,
        desired: Option<&PodIdentityAssociationInputs>,
    ) -> Option<PodIdentityAssociationStep> {
        let Some(desired) = desired else { return Some(PodIdentityAssociationStep::Delete) };
        let found = &observed.inputs;
        let (is, wanted) = (Update::of(found, found), Update::of(desired, found));
        if is != wanted {
            return Some(PodIdentityAssociationStep::Update(Box::new(wanted)));
        }
        let arn = observed.outputs.arn.clone();
        let step = next_tag_step(found.tags.as_ref(), desired.tags.as_ref());
        step.map(|step| PodIdentityAssociationStep::Tag { arn, step })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &PodIdentityAssociationStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (cluster, association) = id::parts(id.as_str());
        let writes = &client.eks.writes;
        match step {
            PodIdentityAssociationStep::Update(update) => {
                let call = writes
                    .update_pod_identity_association()
                    .cluster_name(cluster)
                    .association_id(association)
                    .role_arn(&update.role_arn)
                    .target_role_arn(&update.target_role_arn)
                    .disable_session_tags(update.disable_session_tags)
                    .policy(policy_text(&update.policy).unwrap_or_default());
                call.send().await.map_err(failed(step.operation()))?;
            }
            PodIdentityAssociationStep::Tag { arn, step } => tags::perform(client, arn, step).await?,
            PodIdentityAssociationStep::Delete => {
                let call = writes.delete_pod_identity_association().cluster_name(cluster);
                call.association_id(association).send().await.map_err(failed(step.operation()))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &PodIdentityAssociationInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let cluster = &inputs.cluster_name;
        let call = client.eks.reads.list_pod_identity_associations().cluster_name(cluster);
        let call = call.namespace(&inputs.namespace).service_account(&inputs.service_account);
        let pages = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let listed = match pages.map_err(failed("ListPodIdentityAssociations")) {
            Ok(listed) => listed,
            Err(error) if error.class == ErrorClass::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let ids = listed.iter().filter_map(|summary| Some(id::below(cluster, summary.association_id()?)));
        let ids: Vec<_> = ids.collect();
        let Associations(found) = Associations::fetch(client, &ids).await?;
        let ours = found.into_iter().filter(|(_, association)| tags::are_of(intent, association.tags()));
        Ok(ours.map(|(id, _)| id).collect())
    }
}

impl Update {
    /// Returns what is wanted; what is left open stays as it is.
    fn of(desired: &PodIdentityAssociationInputs, found: &PodIdentityAssociationInputs) -> Self {
        let target = desired.target_role_arn.as_ref().or(found.target_role_arn.as_ref());
        let tags = desired.disable_session_tags.or(found.disable_session_tags);
        Self {
            role_arn: desired.role_arn.clone(),
            target_role_arn: target.cloned().unwrap_or_default(),
            disable_session_tags: tags.unwrap_or_default(),
            policy: desired.policy.as_ref().or(found.policy.as_ref()).cloned().unwrap_or_else(no_policy),
        }
    }
}

fn no_policy() -> Policy {
    Policy::from(Value::Map(ValueMap::new()))
}

fn observed_policy(association: &types::PodIdentityAssociation) -> Policy {
    let text = association.policy().filter(|text| !text.is_empty());
    text.map_or_else(no_policy, Policy::from_text)
}

/// Returns the policy as EKS takes it; `None` for one that is empty.
fn policy_text(policy: &Policy) -> Option<String> {
    (*policy != no_policy()).then(|| policy.to_text()).flatten()
}

async fn describe(client: &Client, id: RemoteId) -> Result<types::PodIdentityAssociation, ProviderError> {
    const OPERATION: &str = "DescribePodIdentityAssociation";
    let (cluster, association) = id::parts(id.as_str());
    let call = client.eks.reads.describe_pod_identity_association().cluster_name(cluster);
    let answer = call.association_id(association).send().await.map_err(failed(OPERATION))?;
    answered(OPERATION, answer.association)
}

#[cfg(test)]
mod tests;

//! `eks_fargate_profile`: which pods of a cluster run without nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_eks::types::{
    self, FargateProfileHealth, FargateProfileIssue, FargateProfileIssueCode, FargateProfileSelector,
    FargateProfileStatus,
};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::ValueMap;

use super::check::{check_name, length};
use super::named::CLUSTER;
use super::{SERVICE, id, tags};
use crate::client::Client;
use crate::each::each;
use crate::ec2::check::problem;
use crate::error::{answered, failed};
use crate::tags::{TagStep, next_step as next_tag_step};

/// The kind. Its ids are the cluster's name and the profile's: `main/system`.
pub(crate) struct Profile;

/// How many letters a name has at most, and how many selectors a profile (API reference,
/// `CreateFargateProfile`).
const NAME_LENGTH: usize = 100;
const SELECTORS: usize = 5;

/// Which pods of a cluster run on Fargate, without nodes. Nothing of it but the tags can be changed in
/// place. A cluster makes and deletes one profile at a time; others wait.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ProfileInputs {
    /// The cluster's name.
    #[attribute(replace, refers_to = "eks_cluster")]
    cluster_name: String,
    /// The name: letters, digits, `-` and `_`, at most 100.
    #[attribute(replace)]
    name: String,
    /// The ARN of the role that Fargate has, which trusts `eks-fargate-pods.amazonaws.com`.
    #[attribute(replace)]
    pod_execution_role_arn: String,
    /// The subnets that the pods are in: private ones, without a way to an internet gateway.
    #[attribute(replace, refers_to = "subnet", holds)]
    subnet_ids: BTreeSet<String>,
    /// The pods: five selectors at most, of which one has to fit.
    #[attribute(replace)]
    selectors: BTreeSet<Selector>,
    /// The tags. They are those of the profile, not of the pods.
    tags: Option<Tags>,
}

/// What pods have to be like.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Attributes)]
pub(crate) struct Selector {
    /// The namespace; `*` and `?` stand for other characters.
    namespace: String,
    /// The labels that they all have.
    labels: Option<BTreeMap<String, String>>,
}

/// What EKS says about a profile.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ProfileOutputs {
    /// The ARN.
    arn: String,
    /// What EKS calls its state, such as `ACTIVE`.
    #[attribute(volatile)]
    status: Option<String>,
}

/// Profiles by id.
pub(crate) struct Profiles(BTreeMap<RemoteId, types::FargateProfile>);

impl Listing for Profiles {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        each(ids, |id| async move { describe(client, &id).await }).await.map(Self)
    }
}

async fn describe(client: &Client, id: &RemoteId) -> Result<types::FargateProfile, ProviderError> {
    let (cluster, name) = id::parts(id.as_str());
    let call = client.eks.reads.describe_fargate_profile().cluster_name(cluster).fargate_profile_name(name);
    let answer = call.send().await.map_err(failed("DescribeFargateProfile"))?;
    answered("DescribeFargateProfile", answer.fargate_profile)
}

/// A change of a profile.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ProfileStep {
    Tag { arn: String, step: TagStep },
    Delete,
}

impl Step for ProfileStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Tag { step, .. } => tags::operation(step),
            Self::Delete => "DeleteFargateProfile",
        }
    }
}

impl Resource for Profile {
    const KIND: &'static str = "eks_fargate_profile";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(30),
        poll: Duration::from_secs(10),
    };
    const DEPICTION: Depiction = Depiction {
        title: "Fargate profile",
        theme: Theme::Compute,
        within: &["cluster_name", "subnet_ids"],
        ..Depiction::THING
    };
    const ARN: &'static str = "arn:{partition}:eks:{region}:{account}:fargateprofile/{cluster_name}/{name}/*";
    const ID_FORM: &'static str = "NAME/NAME";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["eks:DescribeFargateProfile"]).on(&["{arn}"]),
        Need::create(&["eks:CreateFargateProfile"]).on(&[CLUSTER, "{arn}"]),
        tags::GIVEN_AT_BIRTH,
        Need::create(&["iam:GetRole"]).on(&["{pod_execution_role_arn}"]),
        Need::create(&["iam:PassRole"])
            .on(&["{pod_execution_role_arn}"])
            .given(&[("iam:PassedToService", "eks-fargate-pods.amazonaws.com")]),
        Need::create(&["iam:CreateServiceLinkedRole"])
            .on(&["arn:{partition}:iam::{account}:role/aws-service-role/eks-fargate.amazonaws.com/*"])
            .given(&[("iam:AWSServiceName", "eks-fargate.amazonaws.com")]),
        tags::CHANGED,
        Need::delete(&["eks:DeleteFargateProfile"]).on(&["{arn}"]),
    ];
    const EXAMPLE: &'static str = include_str!("fargate_profile/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["name", "cluster_name"];
    const IDENTITY: &'static [&'static str] = &["cluster_name", "name"];

    type Inputs = ProfileInputs;
    type Outputs = ProfileOutputs;
    type Client = Client;
    type Listing = Profiles;
    type Step = ProfileStep;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let count = length(inputs, "selectors");
        let selectors = count.filter(|count| !(1..=SELECTORS).contains(count)).map(|count| {
            problem(
                "selectors",
                format!("A profile has 1 to {SELECTORS} selectors, and these are {count}."),
                "Write a profile of its own for more.",
            )
        });
        check_name(inputs, NAME_LENGTH).into_iter().chain(selectors).collect()
    }

    fn observe(listing: &Profiles, id: &RemoteId) -> Option<Observed<ProfileInputs, ProfileOutputs>> {
        listing.0.get(id).map(observed)
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &ProfileInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client
            .eks
            .writes
            .create_fargate_profile()
            .client_request_token(&intent.token)
            .cluster_name(&inputs.cluster_name)
            .fargate_profile_name(&inputs.name)
            .pod_execution_role_arn(&inputs.pod_execution_role_arn)
            .set_subnets(Some(inputs.subnet_ids.iter().cloned().collect()))
            .set_selectors(Some(inputs.selectors.iter().map(selector).collect()))
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        call.send().await.map_err(failed("CreateFargateProfile")).map_err(one_at_a_time)?;
        Ok(id::below(&inputs.cluster_name, &inputs.name))
    }

    fn next_step(
        observed: &Observed<ProfileInputs, ProfileOutputs>,
        desired: Option<&ProfileInputs>,
    ) -> Option<ProfileStep> {
        let Some(desired) = desired else { return Some(ProfileStep::Delete) };
        let arn = observed.outputs.arn.clone();
        let step = next_tag_step(observed.inputs.tags.as_ref(), desired.tags.as_ref());
        step.map(|step| ProfileStep::Tag { arn, step })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &ProfileStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        match step {
            ProfileStep::Tag { arn, step } => tags::perform(client, arn, step).await?,
            ProfileStep::Delete => {
                let (cluster, name) = id::parts(id.as_str());
                let call = client.eks.writes.delete_fargate_profile().cluster_name(cluster);
                let answer = call.fargate_profile_name(name).send().await;
                answer.map_err(failed(step.operation())).map_err(one_at_a_time)?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &ProfileInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let id = id::below(&inputs.cluster_name, &inputs.name);
        match describe(client, &id).await {
            Ok(profile) if tags::are_of(intent, profile.tags()) => Ok(vec![id]),
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.class == ErrorClass::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// While another profile of the cluster is made or deleted, EKS takes no other (EKS user guide, "Define
/// which Pods use AWS Fargate when launched"). It says so in the code for a name that is taken.
fn one_at_a_time(mut error: ProviderError) -> ProviderError {
    if error.message.contains("currently has Fargate profile") {
        error.class = ErrorClass::Busy;
    }
    error
}

fn selector(selector: &Selector) -> FargateProfileSelector {
    let labels = selector.labels.clone().map(|labels| labels.into_iter().collect());
    FargateProfileSelector::builder().namespace(&selector.namespace).set_labels(labels).build()
}

fn observed(profile: &types::FargateProfile) -> Observed<ProfileInputs, ProfileOutputs> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let selector = |selector: &FargateProfileSelector| Selector {
        namespace: text(selector.namespace()),
        labels: selector
            .labels()
            .filter(|labels| !labels.is_empty())
            .map(|labels| labels.clone().into_iter().collect()),
    };
    Observed {
        inputs: ProfileInputs {
            cluster_name: text(profile.cluster_name()),
            name: text(profile.fargate_profile_name()),
            pod_execution_role_arn: text(profile.pod_execution_role_arn()),
            subnet_ids: profile.subnets().iter().cloned().collect(),
            selectors: profile.selectors().iter().map(selector).collect(),
            tags: Some(tags::observed(profile.tags())),
        },
        outputs: ProfileOutputs {
            arn: text(profile.fargate_profile_arn()),
            status: profile.status().map(|status| status.as_str().to_owned()),
        },
        readiness: readiness(profile),
    }
}

fn readiness(profile: &types::FargateProfile) -> Readiness {
    match profile.status().map(FargateProfileStatus::as_str) {
        Some("ACTIVE") | None => Readiness::Ready,
        Some("CREATE_FAILED" | "DELETE_FAILED") => {
            let words = |issue: &FargateProfileIssue| {
                let code = issue.code().map(FargateProfileIssueCode::as_str);
                id::issue(code, issue.message(), issue.resource_ids())
            };
            let issues = profile.health().map(FargateProfileHealth::issues).unwrap_or_default();
            let issues: Vec<_> = issues.iter().map(words).collect();
            Readiness::Failed(if issues.is_empty() {
                "EKS does not say why".to_owned()
            } else {
                issues.join("; ")
            })
        }
        Some(status) => Readiness::Pending(status.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests;

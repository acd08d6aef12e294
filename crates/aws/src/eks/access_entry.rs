//! `eks_access_entry`: whom of IAM a cluster knows. Its policies are resources of their own.

mod check;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_eks::types;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, STACK_TAG, Step,
    Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Expansion, ExpansionShape, Tags};
use straddle_engine::value::{Value, ValueMap};

use super::named::CLUSTER;
use super::{SERVICE, id, tags};
use crate::client::Client;
use crate::each::each;
use crate::error::{answered, failed};
use crate::essential;
use crate::tags::{TagStep, next_step as next_tag_step};

/// The kind. Its ids are the cluster's name and the principal: `main/arn:aws:iam::111122223333:role/Admin`.
pub(crate) struct AccessEntry;

/// Lets a role or user of IAM into a cluster, whose `authentication_mode` has to be `API` or
/// `API_AND_CONFIG_MAP`. What it may do there say its policies, and its groups in the cluster.
///
/// EKS makes some entries by itself: of whoever made the cluster, and of the roles of nodes. Such an
/// entry is taken over where the spec says of it what it is already.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct AccessEntryInputs {
    /// The cluster's name.
    #[attribute(replace, refers_to = "eks_cluster")]
    cluster_name: String,
    /// The ARN of the role or user; of a session, that of its role.
    #[attribute(replace)]
    principal_arn: String,
    /// `STANDARD` for people and programs, the others for nodes.
    #[attribute(replace, default = "STANDARD", one_of = [
        "STANDARD", "EC2_LINUX", "EC2_WINDOWS", "EC2", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX"
    ])]
    r#type: Option<String>,
    /// The groups that it is in for the cluster's own role bindings.
    #[attribute(default = Vec::<Value>::new())]
    kubernetes_groups: Option<BTreeSet<String>>,
    /// The name that it has in the cluster. If it is not set, EKS makes one of the ARN.
    user_name: Option<String>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EKS says about an entry.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct AccessEntryOutputs {
    /// The ARN.
    arn: String,
}

/// Entries by their ids.
pub(crate) struct AccessEntries(BTreeMap<RemoteId, types::AccessEntry>);

impl Listing for AccessEntries {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        each(ids, |id| describe(client, id)).await.map(Self)
    }
}

/// A change of an entry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AccessEntryStep {
    /// The whole of it: what a call leaves out is not always kept.
    Update {
        kubernetes_groups: BTreeSet<String>,
        user_name: Option<String>,
    },
    Tag {
        arn: String,
        step: TagStep,
    },
    Delete,
}

impl Step for AccessEntryStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Update { .. } => "UpdateAccessEntry",
            Self::Tag { step, .. } => tags::operation(step),
            Self::Delete => "DeleteAccessEntry",
        }
    }
}

impl Resource for AccessEntry {
    const KIND: &'static str = "eks_access_entry";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        // A cluster has one for each principal.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(5),
    };
    const DEPICTION: Depiction =
        Depiction { title: "access entry", form: Form::Note, within: &["cluster_name"], ..Depiction::THING };
    const ARN: &'static str = "arn:{partition}:eks:{region}:{account}:access-entry/{cluster_name}/*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["eks:DescribeAccessEntry"]).on(&["{arn}"]),
        Need::create(&["eks:CreateAccessEntry"]).on(&[CLUSTER]),
        tags::GIVEN_AT_BIRTH,
        Need::update(&["eks:UpdateAccessEntry"]).on(&["{arn}"]).changing(&["kubernetes_groups", "user_name"]),
        tags::CHANGED,
        Need::delete(&["eks:DeleteAccessEntry"]).on(&["{arn}"]),
    ];
    const ID_FORM: &'static str = "NAME/arn:*:iam::*";
    const EXAMPLE: &'static str = include_str!("access_entry/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["principal_arn", "cluster_name"];
    const IDENTITY: &'static [&'static str] = &["cluster_name", "principal_arn"];

    type Inputs = AccessEntryInputs;
    type Outputs = AccessEntryOutputs;
    type Client = Client;
    type Listing = AccessEntries;
    type Step = AccessEntryStep;

    fn expansions() -> Vec<Expansion> {
        vec![Expansion {
            attribute: "policies",
            documentation: "What it may do: policies of EKS, each with its scope.",
            child_kind: "eks_access_policy_association",
            role: "policy",
            parent_attribute: "access_entry_id",
            shape: ExpansionShape::Tables { name: "policy_arn", constants: &[] },
        }]
    }

    fn essential(found: ValueMap) -> ValueMap {
        let names = found.get("principal_arn").and_then(Value::as_str).map(names_of_eks).unwrap_or_default();
        essential::unless_chosen(found, "user_name", &names)
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        check::problems(inputs)
    }

    fn observe(
        listing: &AccessEntries,
        id: &RemoteId,
    ) -> Option<Observed<AccessEntryInputs, AccessEntryOutputs>> {
        let entry = listing.0.get(id)?;
        Some(Observed {
            inputs: observed_inputs(entry),
            outputs: AccessEntryOutputs { arn: entry.access_entry_arn().unwrap_or_default().to_owned() },
            readiness: Readiness::Ready,
        })
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &AccessEntryInputs,
    ) -> Result<RemoteId, ProviderError> {
        let groups = inputs.kubernetes_groups.clone().filter(|groups| !groups.is_empty());
        let call = client
            .eks
            .writes
            .create_access_entry()
            .client_request_token(&intent.token)
            .cluster_name(&inputs.cluster_name)
            .principal_arn(&inputs.principal_arn)
            .set_type(inputs.r#type.clone())
            .set_kubernetes_groups(groups.map(|groups| groups.into_iter().collect()))
            .set_username(inputs.user_name.clone())
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        call.send().await.map_err(failed("CreateAccessEntry"))?;
        Ok(id::below(&inputs.cluster_name, &inputs.principal_arn))
    }

    fn next_step(
        observed: &Observed<AccessEntryInputs, AccessEntryOutputs>,
        desired: Option<&AccessEntryInputs>,
    ) -> Option<AccessEntryStep> {
        let Some(desired) = desired else { return Some(AccessEntryStep::Delete) };
        let found = &observed.inputs;
        if !is_as_wanted(found, desired) {
            let groups = desired.kubernetes_groups.clone().or_else(|| found.kubernetes_groups.clone());
            return Some(AccessEntryStep::Update {
                kubernetes_groups: groups.unwrap_or_default(),
                user_name: desired.user_name.clone().or_else(|| found.user_name.clone()),
            });
        }
        let arn = observed.outputs.arn.clone();
        let step = next_tag_step(found.tags.as_ref(), desired.tags.as_ref());
        step.map(|step| AccessEntryStep::Tag { arn, step })
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &AccessEntryStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (cluster, principal) = id::parts(id.as_str());
        let writes = &client.eks.writes;
        match step {
            AccessEntryStep::Update { kubernetes_groups, user_name } => {
                let call = writes.update_access_entry().cluster_name(cluster).principal_arn(principal);
                let call = call.set_kubernetes_groups(Some(kubernetes_groups.iter().cloned().collect()));
                let call = call.set_username(user_name.clone());
                call.send().await.map_err(failed(step.operation()))?;
            }
            AccessEntryStep::Tag { arn, step } => tags::perform(client, arn, step).await?,
            AccessEntryStep::Delete => {
                let call = writes.delete_access_entry().cluster_name(cluster).principal_arn(principal);
                call.send().await.map_err(failed(step.operation()))?;
            }
        }
        Ok(None)
    }

    /// Whose entry it is tells its tag. One without tags of a stack is EKS's own or made by hand,
    /// and is taken over if it is as wanted.
    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &AccessEntryInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let id = id::below(&inputs.cluster_name, &inputs.principal_arn);
        let entry = match describe(client, id.clone()).await {
            Ok(entry) => entry,
            Err(error) if error.class == ErrorClass::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let is_nobodys = entry.tags().is_none_or(|tags| !tags.contains_key(STACK_TAG));
        let found = observed_inputs(&entry);
        let is_same = is_as_wanted(&found, inputs) && !differs(found.r#type.as_ref(), inputs.r#type.as_ref());
        let ours = tags::are_of(intent, entry.tags()) || (is_nobodys && is_same);
        Ok(ours.then_some(id).into_iter().collect())
    }
}

fn observed_inputs(entry: &types::AccessEntry) -> AccessEntryInputs {
    AccessEntryInputs {
        cluster_name: entry.cluster_name().unwrap_or_default().to_owned(),
        principal_arn: entry.principal_arn().unwrap_or_default().to_owned(),
        r#type: entry.r#type().map(str::to_owned),
        kubernetes_groups: Some(entry.kubernetes_groups().iter().cloned().collect()),
        user_name: entry.username().map(str::to_owned),
        tags: Some(tags::observed(entry.tags())),
    }
}

/// Compares what can be changed, tags aside.
fn is_as_wanted(found: &AccessEntryInputs, desired: &AccessEntryInputs) -> bool {
    !differs(found.kubernetes_groups.as_ref(), desired.kubernetes_groups.as_ref())
        && !differs(found.user_name.as_ref(), desired.user_name.as_ref())
}

/// Tells whether something is wanted and is not there.
fn differs<T: PartialEq>(found: Option<&T>, desired: Option<&T>) -> bool {
    desired.is_some() && found != desired
}

async fn describe(client: &Client, id: RemoteId) -> Result<types::AccessEntry, ProviderError> {
    const OPERATION: &str = "DescribeAccessEntry";
    let (cluster, principal) = id::parts(id.as_str());
    let call = client.eks.reads.describe_access_entry().cluster_name(cluster).principal_arn(principal);
    let answer = call.send().await.map_err(failed(OPERATION))?;
    answered(OPERATION, answer.access_entry)
}

/// Returns the names in the cluster of which EKS makes one for a principal where none is set: the ARN, or of
/// a role that of its sessions (EKS user guide, "Create access entries").
fn names_of_eks(principal: &str) -> Vec<Value> {
    let role = principal.split_once(":role/").map(|(start, path)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        format!("{}:assumed-role/{name}/{{{{SessionName}}}}", start.replacen(":iam:", ":sts:", 1))
    });
    std::iter::once(principal.to_owned()).chain(role).map(Value::from).collect()
}

#[cfg(test)]
mod tests;

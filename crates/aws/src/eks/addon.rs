//! `eks_addon`: software of a cluster that EKS installs and keeps.

mod listing;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_eks::types::{AddonNamespaceConfigRequest, AddonPodIdentityAssociations, ResolveConflicts};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form};
use straddle_engine::document::Document;
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Observed, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use self::listing::Addons;
use super::memory::Updated;
use super::named::CLUSTER;
use super::{SERVICE, id, tags};
use crate::client::Client;
use crate::error::failed;
use crate::essential;
use crate::tags::{TagStep, next_step as next_tag_step};

/// The associations of the cluster, whose ids are not known before they are read.
const ASSOCIATIONS: &str = "arn:{partition}:eks:{region}:{account}:podidentityassociation/{cluster_name}/*";

/// What `UpdateAddon` changes.
const CHANGEABLE: &[&str] =
    &["version", "configuration_values", "service_account_role_arn", "pod_identity_associations"];

/// The kind. Its ids are the cluster's name and the add-on's: `main/coredns`.
pub(crate) struct Addon;

/// Software of a cluster that EKS installs and keeps, such as `vpc-cni`, `kube-proxy`, `coredns`
/// or `eks-pod-identity-agent`. What needs nodes to run on, such as `coredns`, is ready only once
/// there are some: let it depend on the node group.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct AddonInputs {
    /// The cluster's name.
    #[attribute(replace, refers_to = "eks_cluster")]
    cluster_name: String,
    /// The add-on's name, as `aws eks describe-addon-versions` lists it.
    #[attribute(replace)]
    name: String,
    /// The add-on's version, such as `v1.20.1-eksbuild.1`. If it is not set, it is the one that EKS runs by
    /// default with the cluster's version of Kubernetes, also once that is another one; a later one that is
    /// there stays. Whether the default has become another one is asked when something of the stack changes.
    #[attribute(follows = "cluster_name.version")]
    version: Option<String>,
    /// Settings of the add-on, a table or JSON or YAML text, compared as data. Which there are, and
    /// of which types, tells `aws eks describe-addon-configuration`.
    #[attribute(default = ValueMap::new())]
    configuration_values: Option<Document>,
    /// The role that its service account has by the cluster's OIDC provider. Empty: what it needs, it
    /// may do by the role of its node.
    #[attribute(default = "")]
    service_account_role_arn: Option<String>,
    /// The roles that its service accounts have by EKS Pod Identity, by the account's name. Such
    /// associations belong to the add-on and need no `eks_pod_identity_association`.
    #[attribute(default = ValueMap::new())]
    pod_identity_associations: Option<BTreeMap<String, String>>,
    /// The namespace that it is installed into. If it is not set, the add-on's own.
    #[attribute(replace)]
    namespace: Option<String>,
    /// What happens when the add-on is made and the cluster has a copy of it that nobody keeps:
    /// `OVERWRITE` takes that over, `NONE` and `PRESERVE` fail where the two differ.
    #[attribute(write_only, default = "OVERWRITE", one_of = ["OVERWRITE", "NONE", "PRESERVE"])]
    resolve_conflicts_on_create: Option<String>,
    /// What happens when the add-on is changed and somebody has changed its objects in the cluster:
    /// `NONE` fails and says which, `OVERWRITE` undoes that, `PRESERVE` leaves it.
    #[attribute(write_only, default = "NONE", one_of = ["OVERWRITE", "NONE", "PRESERVE"])]
    resolve_conflicts_on_update: Option<String>,
    /// Whether the software goes on running in the cluster when the add-on is deleted. EKS keeps it
    /// no longer then.
    #[attribute(write_only, default = false)]
    preserve: Option<bool>,
    /// The tags.
    tags: Option<Tags>,
}

/// What EKS says about an add-on.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct AddonOutputs {
    /// The ARN.
    arn: String,
    /// Who has made the software.
    publisher: Option<String>,
    /// Who answers for it, such as `aws`.
    owner: Option<String>,
    /// The version that EKS runs by default, by version of Kubernetes.
    default_versions: Option<BTreeMap<String, String>>,
}

/// A change of an add-on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AddonStep {
    Update(Box<Update>),
    Tag { arn: String, step: TagStep },
    Delete { preserve: bool },
}

/// Everything of an add-on that a change can be about. What a call leaves out goes on as it is, but
/// the role, without which the add-on falls back to that of its node.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Update {
    version: Option<String>,
    service_account_role_arn: Option<String>,
    configuration_values: Option<Document>,
    pod_identity_associations: Option<BTreeMap<String, String>>,
    resolve_conflicts: String,
}

impl Step for AddonStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Update(_) => "UpdateAddon",
            Self::Tag { step, .. } => tags::operation(step),
            Self::Delete { .. } => "DeleteAddon",
        }
    }
}

impl Resource for Addon {
    const KIND: &'static str = "eks_addon";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        // A cluster has an add-on once.
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts { delete: Duration::from_mins(40), ..Timeouts::minutes(20) },
        poll: Duration::from_secs(10),
    };
    const DEPICTION: Depiction =
        Depiction { title: "add-on", form: Form::Note, within: &["cluster_name"], ..Depiction::THING };
    const ARN: &'static str = "arn:{partition}:eks:{region}:{account}:addon/{cluster_name}/{name}/*";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["eks:DescribeAddon"]).on(&["{arn}"]),
        Need::read(&["eks:DescribeAddonVersions"]),
        Need::read(&["eks:DescribePodIdentityAssociation"])
            .on(&[ASSOCIATIONS])
            .setting(&["pod_identity_associations"]),
        Need::create(&["eks:CreateAddon"]).on(&[CLUSTER]),
        tags::GIVEN_AT_BIRTH,
        Need::create(&["iam:PassRole"]).on(&["{service_account_role_arn}", "{pod_identity_associations}"]),
        Need::create(&["eks:CreatePodIdentityAssociation"])
            .on(&[CLUSTER])
            .setting(&["pod_identity_associations"]),
        Need::update(&["eks:UpdateAddon", "eks:DescribeUpdate"]).on(&["{arn}"]).changing(CHANGEABLE),
        Need::update(&["eks:DescribeUpdate"]).on(&[CLUSTER]).changing(CHANGEABLE),
        Need::update(&["iam:PassRole"])
            .on(&["{service_account_role_arn}", "{pod_identity_associations}"])
            .changing(&["service_account_role_arn", "pod_identity_associations"]),
        Need::update(&["eks:CreatePodIdentityAssociation"])
            .on(&[CLUSTER])
            .changing(&["pod_identity_associations"]),
        Need::update(&["eks:UpdatePodIdentityAssociation", "eks:DeletePodIdentityAssociation"])
            .on(&[ASSOCIATIONS])
            .changing(&["pod_identity_associations"]),
        tags::CHANGED,
        Need::delete(&["eks:DeleteAddon"]).on(&["{arn}"]),
    ];
    const ID_FORM: &'static str = "NAME/NAME";
    const EXAMPLE: &'static str = include_str!("addon/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["name", "cluster_name"];
    const IDENTITY: &'static [&'static str] = &["cluster_name", "name"];

    type Inputs = AddonInputs;
    type Outputs = AddonOutputs;
    type Client = Client;
    type Listing = Addons;
    type Step = AddonStep;

    /// EKS gives a new add-on the default version.
    fn essential(found: ValueMap) -> ValueMap {
        essential::unless_chosen(found, "namespace", &[Value::from("kube-system")])
    }

    fn follow(
        _: &str,
        followed: &Value,
        found: Option<&Observed<AddonInputs, AddonOutputs>>,
    ) -> Option<Value> {
        let Observed { inputs, outputs, .. } = found?;
        let default = outputs.default_versions.as_ref()?.get(followed.as_str()?)?;
        let is_later = |found: &&String| numbers(found) > numbers(default);
        Some(Value::from(inputs.version.as_ref().filter(is_later).unwrap_or(default).as_str()))
    }

    fn observe(listing: &Addons, id: &RemoteId) -> Option<Observed<AddonInputs, AddonOutputs>> {
        listing.observe(id)
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &AddonInputs,
    ) -> Result<RemoteId, ProviderError> {
        let conflicts = inputs.resolve_conflicts_on_create.as_deref().unwrap_or("OVERWRITE");
        let namespace = inputs.namespace.clone();
        let namespace = namespace.map(|name| AddonNamespaceConfigRequest::builder().namespace(name).build());
        let call = client
            .eks
            .writes
            .create_addon()
            .client_request_token(&intent.token)
            .cluster_name(&inputs.cluster_name)
            .addon_name(&inputs.name)
            .set_addon_version(inputs.version.clone())
            .set_configuration_values(configuration(inputs.configuration_values.as_ref()))
            .set_service_account_role_arn(role(inputs.service_account_role_arn.as_ref()))
            .set_pod_identity_associations(inputs.pod_identity_associations.as_ref().map(associations))
            .set_namespace_config(namespace)
            .resolve_conflicts(ResolveConflicts::from(conflicts))
            .set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        call.send().await.map_err(failed("CreateAddon"))?;
        Ok(id::below(&inputs.cluster_name, &inputs.name))
    }

    fn next_step(
        observed: &Observed<AddonInputs, AddonOutputs>,
        desired: Option<&AddonInputs>,
    ) -> Option<AddonStep> {
        let Some(desired) = desired else {
            return Some(AddonStep::Delete { preserve: observed.inputs.preserve == Some(true) });
        };
        let arn = observed.outputs.arn.clone();
        let tag_step = next_tag_step(observed.inputs.tags.as_ref(), desired.tags.as_ref());
        update_step(observed, desired).or_else(|| tag_step.map(|step| AddonStep::Tag { arn, step }))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &AddonStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (cluster, name) = id::parts(id.as_str());
        let writes = &client.eks.writes;
        match step {
            AddonStep::Update(update) => {
                let wanted = update.pod_identity_associations.as_ref();
                let call = writes
                    .update_addon()
                    .cluster_name(cluster)
                    .addon_name(name)
                    .set_addon_version(update.version.clone())
                    .set_service_account_role_arn(role(update.service_account_role_arn.as_ref()))
                    .set_configuration_values(
                        update.configuration_values.as_ref().and_then(Document::to_text),
                    )
                    .set_pod_identity_associations(wanted.map(associations))
                    .resolve_conflicts(ResolveConflicts::from(update.resolve_conflicts.as_str()));
                let answer = call.send().await.map_err(failed(step.operation()))?;
                client.eks_memory.begun(Updated::Addon(id.clone()), answer.update());
            }
            AddonStep::Tag { arn, step } => tags::perform(client, arn, step).await?,
            AddonStep::Delete { preserve } => {
                let call = writes.delete_addon().cluster_name(cluster).addon_name(name).preserve(*preserve);
                call.send().await.map_err(failed(step.operation()))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &AddonInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let id = id::below(&inputs.cluster_name, &inputs.name);
        match listing::describe(client, &id).await {
            Ok(addon) if tags::are_of(intent, addon.tags()) => Ok(vec![id]),
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.class == ErrorClass::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

/// Names the update that is still needed. One that failed is made again.
fn update_step(observed: &Observed<AddonInputs, AddonOutputs>, desired: &AddonInputs) -> Option<AddonStep> {
    let found = &observed.inputs;
    let differs = differs(found.version.as_ref(), desired.version.as_ref())
        || differs(found.configuration_values.as_ref(), desired.configuration_values.as_ref())
        || differs(found.service_account_role_arn.as_ref(), desired.service_account_role_arn.as_ref())
        || differs(found.pod_identity_associations.as_ref(), desired.pod_identity_associations.as_ref());
    let again = matches!(observed.readiness, Readiness::Impaired(_));
    (differs || again).then(|| {
        let conflicts = desired.resolve_conflicts_on_update.as_deref().unwrap_or("NONE");
        let associations = desired.pod_identity_associations.as_ref();
        let associations =
            associations.filter(|wanted| found.pod_identity_associations.as_ref() != Some(*wanted));
        AddonStep::Update(Box::new(Update {
            version: desired.version.clone().or_else(|| found.version.clone()),
            service_account_role_arn: desired
                .service_account_role_arn
                .clone()
                .or_else(|| found.service_account_role_arn.clone()),
            configuration_values: desired
                .configuration_values
                .clone()
                .or_else(|| found.configuration_values.clone()),
            pod_identity_associations: associations.cloned(),
            resolve_conflicts: conflicts.to_owned(),
        }))
    })
}

/// Returns the numbers of a version, by which versions are compared: `v1.20.1-eksbuild.1`.
fn numbers(version: &str) -> Vec<u64> {
    let digits = version.split(|character: char| !character.is_ascii_digit());
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

/// Tells whether something is wanted and is not there.
fn differs<T: PartialEq>(found: Option<&T>, desired: Option<&T>) -> bool {
    desired.is_some() && found != desired
}

/// Returns the settings as EKS takes them; a new add-on without any is sent none.
fn configuration(values: Option<&Document>) -> Option<String> {
    values.filter(|values| !values.is_empty()).and_then(Document::to_text)
}

fn role(arn: Option<&String>) -> Option<String> {
    arn.filter(|arn| !arn.is_empty()).cloned()
}

fn associations(roles: &BTreeMap<String, String>) -> Vec<AddonPodIdentityAssociations> {
    let association = |(account, role): (&String, &String)| {
        let association = AddonPodIdentityAssociations::builder().service_account(account).role_arn(role);
        association.build().expect("it has both of its parts")
    };
    roles.iter().map(association).collect()
}

#[cfg(test)]
mod tests;

//! `eks_cluster`: a control plane of Kubernetes.

mod attributes;
mod check;
mod listing;
mod next;
mod request;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_eks::types::Update;
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Form, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Observed, Problem, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits, Way,
};
use straddle_engine::value::{Value, ValueMap};

use self::attributes::{AutoMode, ClusterInputs, ClusterOutputs, Encryption, Endpoint, RemoteNetworks};
use self::listing::Clusters;
use super::memory::Updated;
use super::{SERVICE, tags, version};
use crate::client::Client;
use crate::error::failed;
use crate::essential;
use crate::tags::TagStep;

/// The kind. Its ids are the clusters' names.
pub(crate) struct Cluster;

/// A change of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ClusterStep {
    UpdateVersion { from: String, to: String, force: bool },
    UpdateConfig(Config),
    AssociateEncryption(Encryption),
    Tag { arn: String, step: TagStep },
    Delete,
}

/// What one `UpdateClusterConfig` is about: it takes one kind of change at a time (API reference).
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Config {
    Access(String),
    AutoMode(AutoMode),
    RemoteNetworks(RemoteNetworks),
    Logging(BTreeSet<String>),
    UpgradePolicy(String),
    Endpoint(Endpoint),
    Subnets(BTreeSet<String>),
    SecurityGroups(BTreeSet<String>),
    ZonalShift(bool),
    ControlPlaneTier(String),
    DeletionProtection(bool),
}

impl Step for ClusterStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::UpdateVersion { .. } => "UpdateClusterVersion",
            Self::UpdateConfig(_) => "UpdateClusterConfig",
            Self::AssociateEncryption(_) => "AssociateEncryptionConfig",
            Self::Tag { step, .. } => tags::operation(step),
            Self::Delete => "DeleteCluster",
        }
    }
}

impl Resource for Cluster {
    const KIND: &'static str = "eks_cluster";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts {
            create: Duration::from_mins(30),
            update: Duration::from_hours(1),
            delete: Duration::from_mins(30),
        },
        poll: Duration::from_secs(15),
    };
    const DEPICTION: Depiction = Depiction {
        title: "EKS cluster",
        form: Form::Frame,
        theme: Theme::Compute,
        within: &["subnet_ids"],
        details: &["version"],
        ..Depiction::THING
    };
    const ARN: &'static str = "arn:{partition}:eks:{region}:{account}:cluster/{name}";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["eks:DescribeCluster"]).on(&["{arn}"]),
        Need::create(&["eks:CreateCluster"]).on(&["{arn}"]),
        tags::GIVEN_AT_BIRTH,
        Need::create(&["iam:PassRole"])
            .on(&["{role_arn}"])
            .given(&[("iam:PassedToService", "eks.amazonaws.com")]),
        Need::create(&["iam:CreateServiceLinkedRole"])
            .on(&["arn:{partition}:iam::{account}:role/aws-service-role/eks.amazonaws.com/*"])
            .given(&[("iam:AWSServiceName", "eks.amazonaws.com")]),
        Need::update(&["eks:UpdateClusterVersion", "eks:DescribeUpdate"])
            .on(&["{arn}"])
            .changing(&["version"]),
        Need::update(&["eks:UpdateClusterConfig", "eks:DescribeUpdate"]).on(&["{arn}"]).changing(&[
            "access",
            "auto_mode",
            "remote_networks",
            "logging",
            "upgrade_policy",
            "endpoint",
            "subnet_ids",
            "security_group_ids",
            "zonal_shift",
            "control_plane_tier",
            "deletion_protection",
        ]),
        Need::update(&["eks:AssociateEncryptionConfig", "eks:DescribeUpdate"])
            .on(&["{arn}"])
            .changing(&["encryption"]),
        tags::CHANGED,
        Need::delete(&["eks:UpdateClusterConfig"]).on(&["{arn}"]).only_if("deletion_protection", "true"),
        Need::delete(&["eks:DeleteCluster"]).on(&["{arn}"]),
    ];
    const ID_FORM: &'static str = "NAME";
    const EXAMPLE: &'static str = include_str!("cluster/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["name"];
    const IDENTITY: &'static [&'static str] = &["name"];

    type Inputs = ClusterInputs;
    type Outputs = ClusterOutputs;
    type Client = Client;
    type Listing = Clusters;
    type Step = ClusterStep;

    fn essential(found: ValueMap) -> ValueMap {
        let network = "kubernetes_network";
        let ranges = ["10.100.0.0/16", "172.20.0.0/16"].map(Value::from);
        let found = essential::member_unless_chosen(found, network, "ip_family", &[Value::from("ipv4")]);
        let found = essential::member_unless_chosen(found, network, "service_ipv4_cidr", &ranges);
        let off = Value::Map(ValueMap::from([("enabled".to_owned(), Value::from(false))]));
        essential::unless_chosen(found, "auto_mode", &[off])
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        check::problems(inputs)
    }

    fn advice(inputs: &ValueMap) -> Vec<Problem> {
        check::advice(inputs)
    }

    /// What only counts at birth, and is never returned, may be written down later. A key can be added
    /// where there is none.
    fn must_replace(attribute: &str, before: &Value, _: &Value) -> bool {
        let is_added_in_place =
            ["access.bootstrap_creator_admin", "bootstrap_self_managed_addons", "encryption.key_arn"];
        !(before.is_null() && is_added_in_place.contains(&attribute))
    }

    fn waypoint(attribute: &str, way: &Way<'_>) -> Option<Value> {
        (attribute == "version").then(|| version::stop(way)).flatten()
    }

    fn check_change(attribute: &'static str, before: &Value, after: &Value) -> Option<Problem> {
        (attribute == "version").then(|| version::check_change(attribute, before, after)).flatten()
    }

    fn observe(listing: &Clusters, id: &RemoteId) -> Option<Observed<ClusterInputs, ClusterOutputs>> {
        listing.observe(id)
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &ClusterInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client.eks.writes.create_cluster().client_request_token(&intent.token);
        let call = request::create(call, inputs).set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        call.send().await.map_err(failed("CreateCluster"))?;
        Ok(RemoteId::new(inputs.name.as_str()))
    }

    fn next_step(
        observed: &Observed<ClusterInputs, ClusterOutputs>,
        desired: Option<&ClusterInputs>,
    ) -> Option<ClusterStep> {
        next::step(observed, desired)
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &ClusterStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, name, operation) = (&client.eks.writes, id.as_str(), step.operation());
        let begun = |update: Option<&Update>| client.eks_memory.begun(Updated::Cluster(id.clone()), update);
        match step {
            ClusterStep::UpdateVersion { from, to, force } => {
                version::forward(operation, from, to)?;
                let call = writes.update_cluster_version().name(name).version(version::next(from, to));
                let answer = call.set_force(force.then_some(true)).send().await.map_err(failed(operation))?;
                begun(answer.update());
            }
            ClusterStep::UpdateConfig(config) => {
                let call = request::update(writes.update_cluster_config().name(name), config);
                let answer = call.send().await.map_err(failed(operation))?;
                begun(answer.update());
            }
            ClusterStep::AssociateEncryption(encryption) => {
                let call = writes.associate_encryption_config().cluster_name(name);
                let call = call.encryption_config(request::encryption(encryption));
                let answer = call.send().await.map_err(failed(operation))?;
                begun(answer.update());
            }
            ClusterStep::Tag { arn, step } => tags::perform(client, arn, step).await?,
            ClusterStep::Delete => {
                writes.delete_cluster().name(name).send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &ClusterInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        match listing::describe(client, &inputs.name).await {
            Ok(cluster) if tags::are_of(intent, cluster.tags()) => {
                Ok(vec![RemoteId::new(inputs.name.as_str())])
            }
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.class == ErrorClass::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;

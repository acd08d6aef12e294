//! `eks_node_group`: nodes of a cluster that EKS makes, updates and replaces.

mod attributes;
mod check;
mod listing;
mod next;
mod request;

use std::time::Duration;

use straddle_engine::address::RemoteId;
use straddle_engine::depiction::{Depiction, Theme};
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Observed, Problem, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits, Way,
};
use straddle_engine::value::{Value, ValueMap};

use self::attributes::{NodeGroupInputs, NodeGroupOutputs};
use self::listing::NodeGroups;
use self::next::{ConfigChange, VersionChange};
use super::memory::Updated;
use super::named::CLUSTER;
use super::{SERVICE, id, tags, version};
use crate::client::Client;
use crate::error::failed;
use crate::essential;
use crate::tags::TagStep;

/// The kind. Its ids are the cluster's name and the group's: `main/workers`.
pub(crate) struct NodeGroup;

/// A change of a node group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeGroupStep {
    UpdateVersion(Box<VersionChange>),
    UpdateConfig(Box<ConfigChange>),
    Tag { arn: String, step: TagStep },
    Delete,
}

impl Step for NodeGroupStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::UpdateVersion(_) => "UpdateNodegroupVersion",
            Self::UpdateConfig(_) => "UpdateNodegroupConfig",
            Self::Tag { step, .. } => tags::operation(step),
            Self::Delete => "DeleteNodegroup",
        }
    }
}

impl Resource for NodeGroup {
    const KIND: &'static str = "eks_node_group";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        recovery: Recovery::Token,
        replace_order: ReplaceOrder::CreateFirst,
        timeouts: Timeouts::minutes(60),
        poll: Duration::from_secs(15),
    };
    const DEPICTION: Depiction = Depiction {
        title: "node group",
        theme: Theme::Compute,
        within: &["cluster_name", "subnet_ids"],
        details: &["instance_types", "scaling"],
        ..Depiction::THING
    };
    const ARN: &'static str = "arn:{partition}:eks:{region}:{account}:nodegroup/{cluster_name}/{name}/*";
    const ID_FORM: &'static str = "NAME/NAME";
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["eks:DescribeNodegroup"]).on(&["{arn}"]),
        tags::GIVEN_AT_BIRTH,
        Need::create(&["eks:CreateNodegroup"]).on(&[CLUSTER, "{arn}"]),
        Need::create(&["iam:GetRole", "iam:ListAttachedRolePolicies"]).on(&["{role_arn}"]),
        Need::create(&["iam:PassRole"])
            .on(&["{role_arn}"])
            .given(&[("iam:PassedToService", "eks.amazonaws.com")]),
        Need::create(&["iam:CreateServiceLinkedRole"])
            .on(&["arn:{partition}:iam::{account}:role/aws-service-role/eks-nodegroup.amazonaws.com/*"])
            .given(&[("iam:AWSServiceName", "eks-nodegroup.amazonaws.com")]),
        Need::update(&["eks:UpdateNodegroupVersion", "eks:DescribeUpdate"]).on(&["{arn}"]).changing(&[
            "version",
            "release_version",
            "launch_template",
        ]),
        Need::update(&["eks:UpdateNodegroupConfig", "eks:DescribeUpdate"]).on(&["{arn}"]).changing(&[
            "scaling",
            "labels",
            "taints",
            "update",
            "repair",
            "warm_pool",
        ]),
        tags::CHANGED,
        Need::delete(&["eks:DeleteNodegroup"]).on(&["{arn}"]),
    ];
    const EXAMPLE: &'static str = include_str!("node_group/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["name", "cluster_name"];
    const IDENTITY: &'static [&'static str] = &["cluster_name", "name"];

    type Inputs = NodeGroupInputs;
    type Outputs = NodeGroupOutputs;
    type Client = Client;
    type Listing = NodeGroups;
    type Step = NodeGroupStep;

    fn essential(found: ValueMap) -> ValueMap {
        let found = essential::without(found, &["release_version"]);
        let found = essential::unless_chosen(found, "disk_size", &[Value::from(20)]);
        let found = essential::unless_chosen(found, "ami_type", &[Value::from("AL2023_x86_64_STANDARD")]);
        essential::member_unless_chosen(found, "update", "max_unavailable", &[Value::from(1)])
    }

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        check::problems(inputs)
    }

    /// EKS gives a new group the version of its cluster. Nodes with an image of their own have the
    /// version that is in it, and none that could be set (API reference, `CreateNodegroup`).
    fn follow(
        _: &str,
        followed: &Value,
        found: Option<&Observed<NodeGroupInputs, NodeGroupOutputs>>,
    ) -> Option<Value> {
        let has_own_image = found?.inputs.ami_type.as_deref() == Some("CUSTOM");
        (!has_own_image).then(|| followed.clone())
    }

    fn waypoint(attribute: &str, way: &Way<'_>) -> Option<Value> {
        (attribute == "version").then(|| version::held_back(way)).flatten()
    }

    fn check_change(attribute: &'static str, before: &Value, after: &Value) -> Option<Problem> {
        (attribute == "version").then(|| version::check_change(attribute, before, after)).flatten()
    }

    fn observe(listing: &NodeGroups, id: &RemoteId) -> Option<Observed<NodeGroupInputs, NodeGroupOutputs>> {
        listing.observe(id)
    }

    async fn create(
        client: &Client,
        intent: &Intent,
        inputs: &NodeGroupInputs,
    ) -> Result<RemoteId, ProviderError> {
        let call = client.eks.writes.create_nodegroup().client_request_token(&intent.token);
        let call = request::create(call, inputs).set_tags(Some(tags::at_birth(intent, inputs.tags.as_ref())));
        call.send().await.map_err(failed("CreateNodegroup"))?;
        Ok(id::below(&inputs.cluster_name, &inputs.name))
    }

    fn next_step(
        observed: &Observed<NodeGroupInputs, NodeGroupOutputs>,
        desired: Option<&NodeGroupInputs>,
    ) -> Option<NodeGroupStep> {
        next::step(observed, desired)
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &NodeGroupStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        let (writes, operation) = (&client.eks.writes, step.operation());
        let (cluster, name) = id::parts(id.as_str());
        let updated = Updated::NodeGroup(id.clone());
        match step {
            NodeGroupStep::UpdateVersion(change) => {
                if let (Some(from), Some(to)) = (&change.from, &change.version) {
                    version::forward(operation, from, to)?;
                }
                let call = writes.update_nodegroup_version().cluster_name(cluster).nodegroup_name(name);
                let call = request::update_version(call, change);
                let answer = call.send().await.map_err(failed(operation))?;
                client.eks_memory.begun(updated, answer.update());
            }
            NodeGroupStep::UpdateConfig(change) => {
                let call = writes.update_nodegroup_config().cluster_name(cluster).nodegroup_name(name);
                let call = request::update_config(call, change);
                let answer = call.send().await.map_err(failed(operation))?;
                client.eks_memory.begun(updated, answer.update());
            }
            NodeGroupStep::Tag { arn, step } => tags::perform(client, arn, step).await?,
            NodeGroupStep::Delete => {
                let call = writes.delete_nodegroup().cluster_name(cluster).nodegroup_name(name);
                call.send().await.map_err(failed(operation))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        intent: &Intent,
        inputs: &NodeGroupInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let id = id::below(&inputs.cluster_name, &inputs.name);
        match listing::describe(client, &id).await {
            Ok(group) if tags::are_of(intent, group.tags()) => Ok(vec![id]),
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.class == ErrorClass::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;

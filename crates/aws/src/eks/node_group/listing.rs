//! Node groups as EKS has them: each is read by its name, with the update that this run has begun.

use std::collections::BTreeMap;

use aws_sdk_eks::types::{
    self, AmiTypes, CapacityTypes, Issue, NodegroupIssueCode, NodegroupStatus, NodegroupUpdateStrategies,
    RepairAction, TaintEffect, WarmPoolState,
};
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Listing, Observed, Readiness};

use super::attributes::{
    LaunchTemplate, NodeGroupInputs, NodeGroupOutputs, RemoteAccess, Repair, RepairOverride, Scaling, Taint,
    Update, WarmPool,
};
use crate::client::Client;
use crate::each::each;
use crate::eks::memory::{Progress, Updated};
use crate::eks::{id, tags};
use crate::error::{answered, failed};

/// Node groups by id.
pub(crate) struct NodeGroups(BTreeMap<RemoteId, (types::Nodegroup, Progress)>);

impl Listing for NodeGroups {
    type Client = Client;

    /// The update first: if it is done, what is read after it is what it made.
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let read = |id: RemoteId| async move {
            let progress = client.eks_memory.progress(client, Updated::NodeGroup(id.clone())).await?;
            Ok((describe(client, &id).await?, progress))
        };
        each(ids, read).await.map(Self)
    }
}

impl NodeGroups {
    /// Returns the group as the engine sees it.
    pub(super) fn observe(&self, id: &RemoteId) -> Option<Observed<NodeGroupInputs, NodeGroupOutputs>> {
        self.0.get(id).map(|(group, progress)| observed(group, progress))
    }
}

/// Reads a node group.
pub(super) async fn describe(client: &Client, id: &RemoteId) -> Result<types::Nodegroup, ProviderError> {
    let (cluster, name) = id::parts(id.as_str());
    let call = client.eks.reads.describe_nodegroup().cluster_name(cluster).nodegroup_name(name);
    let answer = call.send().await.map_err(failed("DescribeNodegroup"))?;
    answered("DescribeNodegroup", answer.nodegroup)
}

/// Returns a node group as the engine sees it.
pub(super) fn observed(
    group: &types::Nodegroup,
    progress: &Progress,
) -> Observed<NodeGroupInputs, NodeGroupOutputs> {
    Observed {
        inputs: inputs(group),
        outputs: outputs(group, progress),
        readiness: readiness(group, progress),
    }
}

/// A group that is degraded goes on, and may recover by itself or by a change.
fn readiness(group: &types::Nodegroup, progress: &Progress) -> Readiness {
    let status = group.status().map(NodegroupStatus::as_str);
    let issues = issues(group);
    match (status, progress) {
        (Some("CREATE_FAILED" | "DELETE_FAILED"), _) => {
            Readiness::Failed(if issues.is_empty() { "EKS does not say why".to_owned() } else { issues })
        }
        (Some("ACTIVE" | "DEGRADED") | None, Progress::UnderWay) => {
            Readiness::Pending("update in progress".to_owned())
        }
        (Some("ACTIVE" | "DEGRADED") | None, Progress::Failed(reason)) => Readiness::Impaired(reason.clone()),
        (Some("DEGRADED"), Progress::Done) => {
            Readiness::Impaired(if issues.is_empty() { "degraded".to_owned() } else { issues })
        }
        (Some("ACTIVE") | None, Progress::Done) => Readiness::Ready,
        (Some(status), _) if issues.is_empty() => Readiness::Pending(status.to_ascii_lowercase()),
        (Some(status), _) => Readiness::Pending(format!("{}: {issues}", status.to_ascii_lowercase())),
    }
}

fn issues(group: &types::Nodegroup) -> String {
    let words = |issue: &Issue| {
        id::issue(issue.code().map(NodegroupIssueCode::as_str), issue.message(), issue.resource_ids())
    };
    let issues = group.health().map(aws_sdk_eks::types::NodegroupHealth::issues).unwrap_or_default();
    issues.iter().map(words).collect::<Vec<_>>().join("; ")
}

fn outputs(group: &types::Nodegroup, progress: &Progress) -> NodeGroupOutputs {
    let resources = group.resources();
    let groups =
        resources.map(aws_sdk_eks::types::NodegroupResources::auto_scaling_groups).unwrap_or_default();
    let names = groups.iter().filter_map(|group| group.name()).map(str::to_owned).collect();
    let remote_access = resources.and_then(|resources| resources.remote_access_security_group());
    let failed_update = if let Progress::Failed(reason) = progress { Some(reason.clone()) } else { None };
    NodeGroupOutputs {
        arn: group.nodegroup_arn().unwrap_or_default().to_owned(),
        autoscaling_group_names: Some(names),
        remote_access_security_group_id: remote_access.map(str::to_owned),
        status: group.status().map(|status| status.as_str().to_owned()),
        failed_update,
    }
}

fn inputs(group: &types::Nodegroup) -> NodeGroupInputs {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let required = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let labels = group.labels().cloned().unwrap_or_default();
    let capacity_type = group.capacity_type().map_or("ON_DEMAND", CapacityTypes::as_str);
    NodeGroupInputs {
        cluster_name: required(group.cluster_name()),
        name: required(group.nodegroup_name()),
        role_arn: required(group.node_role()),
        subnet_ids: group.subnets().iter().cloned().collect(),
        scaling: group.scaling_config().map(scaling),
        instance_types: Some(group.instance_types().to_vec()).filter(|types| !types.is_empty()),
        ami_type: text(group.ami_type().map(AmiTypes::as_str)),
        capacity_type: Some(capacity_type.to_owned()),
        disk_size: group.disk_size().map(i64::from),
        remote_access: group.remote_access().map(remote_access),
        launch_template: group.launch_template().map(launch_template),
        version: text(group.version()),
        release_version: text(group.release_version()),
        force_version_update: None,
        labels: Some(labels.into_iter().collect()),
        taints: Some(group.taints().iter().map(taint).collect()),
        update: group.update_config().map(update),
        repair: Some(group.node_repair_config().map_or_else(no_repair, repair)),
        warm_pool: group.warm_pool_config().map(warm_pool),
        tags: Some(tags::observed(group.tags())),
    }
}

fn scaling(scaling: &types::NodegroupScalingConfig) -> Scaling {
    let number = |number: Option<i32>| i64::from(number.unwrap_or_default());
    Scaling {
        min: number(scaling.min_size()),
        desired: scaling.desired_size().map(i64::from),
        max: number(scaling.max_size()),
    }
}

fn remote_access(access: &types::RemoteAccessConfig) -> RemoteAccess {
    let groups: std::collections::BTreeSet<_> = access.source_security_groups().iter().cloned().collect();
    RemoteAccess {
        ec2_ssh_key: access.ec2_ssh_key().map(str::to_owned),
        source_security_group_ids: Some(groups).filter(|groups| !groups.is_empty()),
    }
}

fn launch_template(template: &types::LaunchTemplateSpecification) -> LaunchTemplate {
    LaunchTemplate {
        id: template.id().map(str::to_owned),
        name: template.name().map(str::to_owned),
        version: template.version().and_then(|version| version.parse().ok()),
    }
}

fn taint(taint: &types::Taint) -> Taint {
    Taint {
        effect: taint.effect().map_or("", TaintEffect::as_str).to_owned(),
        key: taint.key().unwrap_or_default().to_owned(),
        value: taint.value().filter(|value| !value.is_empty()).map(str::to_owned),
    }
}

fn update(update: &types::NodegroupUpdateConfig) -> Update {
    let strategy = update.update_strategy().map_or("DEFAULT", NodegroupUpdateStrategies::as_str);
    Update {
        max_unavailable: update.max_unavailable().map(i64::from),
        max_unavailable_percentage: update.max_unavailable_percentage().map(i64::from),
        strategy: Some(strategy.to_owned()),
    }
}

fn no_repair() -> Repair {
    Repair { enabled: Some(false), overrides: Some(std::collections::BTreeSet::new()), ..Repair::default() }
}

fn repair(repair: &types::NodeRepairConfig) -> Repair {
    let of = |rule: &types::NodeRepairConfigOverrides| RepairOverride {
        action: rule.repair_action().map_or("", RepairAction::as_str).to_owned(),
        condition: rule.node_monitoring_condition().unwrap_or_default().to_owned(),
        minutes: rule.min_repair_wait_time_mins().map(i64::from).unwrap_or_default(),
        reason: rule.node_unhealthy_reason().unwrap_or_default().to_owned(),
    };
    Repair {
        enabled: Some(repair.enabled().unwrap_or(false)),
        max_unhealthy_count: repair.max_unhealthy_node_threshold_count().map(i64::from),
        max_unhealthy_percentage: repair.max_unhealthy_node_threshold_percentage().map(i64::from),
        max_parallel_count: repair.max_parallel_nodes_repaired_count().map(i64::from),
        max_parallel_percentage: repair.max_parallel_nodes_repaired_percentage().map(i64::from),
        overrides: Some(repair.node_repair_config_overrides().iter().map(of).collect()),
    }
}

fn warm_pool(pool: &types::WarmPoolConfig) -> WarmPool {
    WarmPool {
        enabled: Some(pool.enabled().unwrap_or(false)),
        min: pool.min_size().map(i64::from),
        max_prepared: pool.max_group_prepared_capacity().map(i64::from),
        state: pool.pool_state().map(WarmPoolState::as_str).map(str::to_owned),
        reuse_on_scale_in: pool.reuse_on_scale_in(),
    }
}

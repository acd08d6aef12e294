//! What is sent to EKS of a node group.

use aws_sdk_eks::operation::create_nodegroup::builders::CreateNodegroupFluentBuilder;
use aws_sdk_eks::operation::update_nodegroup_config::builders::UpdateNodegroupConfigFluentBuilder;
use aws_sdk_eks::operation::update_nodegroup_version::builders::UpdateNodegroupVersionFluentBuilder;
use aws_sdk_eks::types::{
    self, AmiTypes, CapacityTypes, LaunchTemplateSpecification, NodeRepairConfig, NodeRepairConfigOverrides,
    NodegroupScalingConfig, NodegroupUpdateConfig, NodegroupUpdateStrategies, RemoteAccessConfig,
    RepairAction, TaintEffect, UpdateLabelsPayload, UpdateTaintsPayload, WarmPoolConfig, WarmPoolState,
};

use super::attributes::{
    LaunchTemplate, NodeGroupInputs, RemoteAccess, Repair, RepairOverride, Scaling, Taint, Update, WarmPool,
};
use super::next::{ConfigChange, VersionChange};

/// Says everything about a new node group but its tags.
pub(super) fn create(
    call: CreateNodegroupFluentBuilder,
    inputs: &NodeGroupInputs,
) -> CreateNodegroupFluentBuilder {
    let labels = inputs.labels.clone().map(|labels| labels.into_iter().collect());
    let taints = inputs.taints.as_ref().map(|taints| taints.iter().map(taint).collect());
    call.cluster_name(&inputs.cluster_name)
        .nodegroup_name(&inputs.name)
        .node_role(&inputs.role_arn)
        .set_subnets(Some(inputs.subnet_ids.iter().cloned().collect()))
        .set_scaling_config(inputs.scaling.as_ref().map(scaling))
        .set_instance_types(inputs.instance_types.clone())
        .set_ami_type(inputs.ami_type.as_deref().map(AmiTypes::from))
        .set_capacity_type(inputs.capacity_type.as_deref().map(CapacityTypes::from))
        .set_disk_size(inputs.disk_size.map(number))
        .set_remote_access(inputs.remote_access.as_ref().map(remote_access))
        .set_launch_template(inputs.launch_template.as_ref().map(launch_template))
        .set_version(inputs.version.clone())
        .set_release_version(inputs.release_version.clone())
        .set_labels(labels)
        .set_taints(taints)
        .set_update_config(inputs.update.as_ref().map(update))
        .set_node_repair_config(inputs.repair.as_ref().map(repair))
        .set_warm_pool_config(inputs.warm_pool.as_ref().map(warm_pool))
}

/// Says what nodes are to run.
pub(super) fn update_version(
    call: UpdateNodegroupVersionFluentBuilder,
    change: &VersionChange,
) -> UpdateNodegroupVersionFluentBuilder {
    call.set_version(change.version.clone())
        .set_release_version(change.release_version.clone())
        .set_launch_template(change.launch_template.as_ref().map(launch_template))
        .set_force(change.force.then_some(true))
}

/// Says what else is to change.
pub(super) fn update_config(
    call: UpdateNodegroupConfigFluentBuilder,
    change: &ConfigChange,
) -> UpdateNodegroupConfigFluentBuilder {
    call.set_scaling_config(change.scaling.as_ref().map(scaling))
        .set_labels(labels(change))
        .set_taints(taints(change))
        .set_update_config(change.update.as_ref().map(update))
        .set_node_repair_config(change.repair.as_ref().map(repair))
        .set_warm_pool_config(change.warm_pool.as_ref().map(warm_pool))
}

fn labels(change: &ConfigChange) -> Option<UpdateLabelsPayload> {
    let set = Some(&change.labels_to_set).filter(|labels| !labels.is_empty());
    let remove = Some(&change.labels_to_remove).filter(|keys| !keys.is_empty());
    (set.is_some() || remove.is_some()).then(|| {
        UpdateLabelsPayload::builder()
            .set_add_or_update_labels(set.map(|labels| labels.clone().into_iter().collect()))
            .set_remove_labels(remove.map(|keys| keys.iter().cloned().collect()))
            .build()
    })
}

fn taints(change: &ConfigChange) -> Option<UpdateTaintsPayload> {
    let set = Some(&change.taints_to_set).filter(|taints| !taints.is_empty());
    let remove = Some(&change.taints_to_remove).filter(|taints| !taints.is_empty());
    (set.is_some() || remove.is_some()).then(|| {
        UpdateTaintsPayload::builder()
            .set_add_or_update_taints(set.map(|taints| taints.iter().map(taint).collect()))
            .set_remove_taints(remove.map(|taints| taints.iter().map(taint).collect()))
            .build()
    })
}

/// The numbers were checked to fit.
fn number(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn scaling(scaling: &Scaling) -> NodegroupScalingConfig {
    NodegroupScalingConfig::builder()
        .min_size(number(scaling.min))
        .max_size(number(scaling.max))
        .set_desired_size(scaling.desired.map(number))
        .build()
}

fn remote_access(access: &RemoteAccess) -> RemoteAccessConfig {
    let groups = access.source_security_group_ids.as_ref();
    RemoteAccessConfig::builder()
        .set_ec2_ssh_key(access.ec2_ssh_key.clone())
        .set_source_security_groups(groups.map(|groups| groups.iter().cloned().collect()))
        .build()
}

fn launch_template(template: &LaunchTemplate) -> LaunchTemplateSpecification {
    LaunchTemplateSpecification::builder()
        .set_id(template.id.clone())
        .set_name(template.name.clone())
        .set_version(template.version.map(|version| version.to_string()))
        .build()
}

fn taint(taint: &Taint) -> types::Taint {
    types::Taint::builder()
        .key(&taint.key)
        .set_value(taint.value.clone())
        .effect(TaintEffect::from(taint.effect.as_str()))
        .build()
}

fn update(update: &Update) -> NodegroupUpdateConfig {
    NodegroupUpdateConfig::builder()
        .set_max_unavailable(update.max_unavailable.map(number))
        .set_max_unavailable_percentage(update.max_unavailable_percentage.map(number))
        .set_update_strategy(update.strategy.as_deref().map(NodegroupUpdateStrategies::from))
        .build()
}

fn repair(repair: &Repair) -> NodeRepairConfig {
    let overrides = repair.overrides.as_ref().filter(|overrides| !overrides.is_empty());
    NodeRepairConfig::builder()
        .set_enabled(repair.enabled)
        .set_max_unhealthy_node_threshold_count(repair.max_unhealthy_count.map(number))
        .set_max_unhealthy_node_threshold_percentage(repair.max_unhealthy_percentage.map(number))
        .set_max_parallel_nodes_repaired_count(repair.max_parallel_count.map(number))
        .set_max_parallel_nodes_repaired_percentage(repair.max_parallel_percentage.map(number))
        .set_node_repair_config_overrides(
            overrides.map(|overrides| overrides.iter().map(repair_override).collect()),
        )
        .build()
}

fn repair_override(rule: &RepairOverride) -> NodeRepairConfigOverrides {
    NodeRepairConfigOverrides::builder()
        .node_monitoring_condition(&rule.condition)
        .node_unhealthy_reason(&rule.reason)
        .min_repair_wait_time_mins(number(rule.minutes))
        .repair_action(RepairAction::from(rule.action.as_str()))
        .build()
}

fn warm_pool(pool: &WarmPool) -> WarmPoolConfig {
    WarmPoolConfig::builder()
        .set_enabled(pool.enabled)
        .set_min_size(pool.min.map(number))
        .set_max_group_prepared_capacity(pool.max_prepared.map(number))
        .set_pool_state(pool.state.as_deref().map(WarmPoolState::from))
        .set_reuse_on_scale_in(pool.reuse_on_scale_in)
        .build()
}

//! What is sent to EKS of a cluster.

use std::collections::BTreeSet;

use aws_sdk_eks::operation::create_cluster::builders::CreateClusterFluentBuilder;
use aws_sdk_eks::operation::update_cluster_config::builders::UpdateClusterConfigFluentBuilder;
use aws_sdk_eks::types::builders::{KubernetesNetworkConfigRequestBuilder, VpcConfigRequestBuilder};
use aws_sdk_eks::types::{
    AuthenticationMode, BlockStorage, ComputeConfigRequest, ControlPlaneScalingConfig,
    CreateAccessConfigRequest, ElasticLoadBalancing, EncryptionConfig, IpFamily,
    KubernetesNetworkConfigRequest, LogSetup, LogType, Logging, Provider, ProvisionedControlPlaneTier,
    RemoteNetworkConfigRequest, RemoteNodeNetwork, RemotePodNetwork, StorageConfigRequest, SupportType,
    UpdateAccessConfigRequest, UpgradePolicyRequest, VpcConfigRequest, ZonalShiftConfigRequest,
};

use super::Config;
use super::attributes::{Access, AutoMode, ClusterInputs, Encryption, Endpoint, RemoteNetworks};

/// The logs that there are.
const LOGS: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

/// Says everything about a new cluster but its tags.
pub(super) fn create(call: CreateClusterFluentBuilder, inputs: &ClusterInputs) -> CreateClusterFluentBuilder {
    let vpc = endpoint(&inputs.endpoint.clone().unwrap_or_default());
    let vpc = vpc
        .set_subnet_ids(Some(texts(&inputs.subnet_ids)))
        .set_security_group_ids(inputs.security_group_ids.as_ref().map(texts));
    let auto_mode = inputs.auto_mode.as_ref();
    let zonal_shift = inputs.zonal_shift;
    call.name(&inputs.name)
        .set_version(inputs.version.clone())
        .role_arn(&inputs.role_arn)
        .resources_vpc_config(vpc.build())
        .set_kubernetes_network_config(kubernetes_network(inputs))
        .set_logging(inputs.logging.as_ref().map(logging))
        .set_encryption_config(inputs.encryption.as_ref().map(|key| vec![encryption(key)]))
        .set_access_config(inputs.access.as_ref().map(access))
        .set_bootstrap_self_managed_addons(inputs.bootstrap_self_managed_addons)
        .set_upgrade_policy(inputs.upgrade_policy.as_deref().map(upgrade_policy))
        .set_zonal_shift_config(zonal_shift.map(self::zonal_shift))
        .set_remote_network_config(inputs.remote_networks.as_ref().map(remote_networks))
        .set_compute_config(auto_mode.map(compute))
        .set_storage_config(auto_mode.map(|auto_mode| storage(auto_mode.enabled)))
        .set_deletion_protection(inputs.deletion_protection)
        .set_control_plane_scaling_config(inputs.control_plane_tier.as_deref().map(tier))
}

/// Says one change of a cluster.
pub(super) fn update(
    call: UpdateClusterConfigFluentBuilder,
    config: &Config,
) -> UpdateClusterConfigFluentBuilder {
    let vpc = VpcConfigRequest::builder;
    match config {
        Config::Access(mode) => {
            let mode = AuthenticationMode::from(mode.as_str());
            call.access_config(UpdateAccessConfigRequest::builder().authentication_mode(mode).build())
        }
        Config::AutoMode(auto_mode) => {
            let balancing = balancing(KubernetesNetworkConfigRequest::builder(), auto_mode.enabled);
            call.compute_config(compute(auto_mode))
                .kubernetes_network_config(balancing.build())
                .storage_config(storage(auto_mode.enabled))
        }
        Config::RemoteNetworks(networks) => call.remote_network_config(remote_networks(networks)),
        Config::Logging(logs) => call.logging(logging(logs)),
        Config::UpgradePolicy(policy) => call.upgrade_policy(upgrade_policy(policy)),
        Config::Endpoint(wanted) => call.resources_vpc_config(endpoint(wanted).build()),
        Config::Subnets(ids) => call.resources_vpc_config(vpc().set_subnet_ids(Some(texts(ids))).build()),
        Config::SecurityGroups(ids) => {
            call.resources_vpc_config(vpc().set_security_group_ids(Some(texts(ids))).build())
        }
        Config::ZonalShift(on) => call.zonal_shift_config(zonal_shift(*on)),
        Config::ControlPlaneTier(name) => call.control_plane_scaling_config(tier(name)),
        Config::DeletionProtection(on) => call.deletion_protection(*on),
    }
}

/// Says with which key the data is encrypted: all of it (API reference, `EncryptionConfig`).
pub(super) fn encryption(encryption: &Encryption) -> EncryptionConfig {
    let provider = Provider::builder().key_arn(&encryption.key_arn).build();
    EncryptionConfig::builder().provider(provider).build()
}

fn texts(set: &BTreeSet<String>) -> Vec<String> {
    set.iter().cloned().collect()
}

fn endpoint(endpoint: &Endpoint) -> VpcConfigRequestBuilder {
    VpcConfigRequest::builder()
        .set_endpoint_public_access(endpoint.public)
        .set_endpoint_private_access(endpoint.private)
        .set_public_access_cidrs(endpoint.public_access_cidrs.as_ref().map(texts))
}

fn access(access: &Access) -> CreateAccessConfigRequest {
    let mode = access.authentication_mode.as_deref().map(AuthenticationMode::from);
    CreateAccessConfigRequest::builder()
        .set_authentication_mode(mode)
        .set_bootstrap_cluster_creator_admin_permissions(access.bootstrap_creator_admin)
        .build()
}

fn kubernetes_network(inputs: &ClusterInputs) -> Option<KubernetesNetworkConfigRequest> {
    let network = inputs.kubernetes_network.as_ref();
    if network.is_none() && inputs.auto_mode.is_none() {
        return None;
    }
    let request = KubernetesNetworkConfigRequest::builder()
        .set_ip_family(network.and_then(|network| network.ip_family.as_deref()).map(IpFamily::from))
        .set_service_ipv4_cidr(network.and_then(|network| network.service_ipv4_cidr.clone()));
    Some(match &inputs.auto_mode {
        Some(auto_mode) => balancing(request, auto_mode.enabled).build(),
        None => request.build(),
    })
}

/// Load balancers, like volumes, come from EKS exactly where nodes do (API reference).
fn balancing(
    network: KubernetesNetworkConfigRequestBuilder,
    on: bool,
) -> KubernetesNetworkConfigRequestBuilder {
    network.elastic_load_balancing(ElasticLoadBalancing::builder().enabled(on).build())
}

fn compute(auto_mode: &AutoMode) -> ComputeConfigRequest {
    let pools = auto_mode.node_pools.as_ref().filter(|_| auto_mode.enabled);
    ComputeConfigRequest::builder()
        .enabled(auto_mode.enabled)
        .set_node_pools(pools.map(texts))
        .set_node_role_arn(auto_mode.node_role_arn.clone().filter(|_| auto_mode.enabled))
        .build()
}

fn storage(on: bool) -> StorageConfigRequest {
    StorageConfigRequest::builder().block_storage(BlockStorage::builder().enabled(on).build()).build()
}

/// Says of every log whether it is on.
fn logging(on: &BTreeSet<String>) -> Logging {
    let (on, off): (Vec<_>, Vec<_>) = LOGS.into_iter().partition(|log| on.contains(*log));
    let setup = |logs: Vec<&str>, enabled| {
        let types = logs.into_iter().map(LogType::from).collect();
        LogSetup::builder().set_types(Some(types)).enabled(enabled).build()
    };
    let setups = [(on, true), (off, false)].into_iter().filter(|(logs, _)| !logs.is_empty());
    let setups = setups.map(|(logs, enabled)| setup(logs, enabled)).collect();
    Logging::builder().set_cluster_logging(Some(setups)).build()
}

fn upgrade_policy(policy: &str) -> UpgradePolicyRequest {
    UpgradePolicyRequest::builder().support_type(SupportType::from(policy)).build()
}

fn zonal_shift(on: bool) -> ZonalShiftConfigRequest {
    ZonalShiftConfigRequest::builder().enabled(on).build()
}

fn tier(name: &str) -> ControlPlaneScalingConfig {
    ControlPlaneScalingConfig::builder().tier(ProvisionedControlPlaneTier::from(name)).build()
}

fn remote_networks(networks: &RemoteNetworks) -> RemoteNetworkConfigRequest {
    let ranges = |ranges: Option<&BTreeSet<String>>| ranges.map(texts).unwrap_or_default();
    let (nodes, pods) = (ranges(networks.node_cidrs.as_ref()), ranges(networks.pod_cidrs.as_ref()));
    let nodes = Some(nodes).filter(|nodes| !nodes.is_empty());
    let pods = Some(pods).filter(|pods| !pods.is_empty());
    let node = |ranges| vec![RemoteNodeNetwork::builder().set_cidrs(Some(ranges)).build()];
    let pod = |ranges| vec![RemotePodNetwork::builder().set_cidrs(Some(ranges)).build()];
    RemoteNetworkConfigRequest::builder()
        .set_remote_node_networks(Some(nodes.map(node).unwrap_or_default()))
        .set_remote_pod_networks(Some(pods.map(pod).unwrap_or_default()))
        .build()
}

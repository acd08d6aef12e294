//! Clusters as EKS has them: each is read by its name, with the update that this run has begun.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eks::types::{
    self, AuthenticationMode, ClusterIssue, ClusterIssueCode, ClusterStatus, IpFamily, LogType,
    ProvisionedControlPlaneTier, SupportType, VpcConfigResponse,
};
use straddle_engine::address::RemoteId;
use straddle_engine::provider::ProviderError;
use straddle_engine::resource::{Listing, Observed, Readiness};

use super::attributes::{
    Access, AutoMode, ClusterInputs, ClusterOutputs, Encryption, Endpoint, KubernetesNetwork, RemoteNetworks,
};
use crate::client::Client;
use crate::each::each;
use crate::ec2::rule::normalize_cidr;
use crate::eks::memory::{Progress, Updated};
use crate::eks::{id, tags};
use crate::error::{answered, failed};

/// Clusters by name.
pub(crate) struct Clusters(BTreeMap<RemoteId, (types::Cluster, Progress)>);

impl Listing for Clusters {
    type Client = Client;

    /// The update first: if it is done, what is read after it is what it made.
    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let read = |id: RemoteId| async move {
            let progress = client.eks_memory.progress(client, Updated::Cluster(id.clone())).await?;
            Ok((describe(client, id.as_str()).await?, progress))
        };
        each(ids, read).await.map(Self)
    }
}

impl Clusters {
    /// Returns the cluster as the engine sees it.
    pub(super) fn observe(&self, id: &RemoteId) -> Option<Observed<ClusterInputs, ClusterOutputs>> {
        self.0.get(id).map(|(cluster, progress)| observed(cluster, progress))
    }
}

/// Reads a cluster.
pub(super) async fn describe(client: &Client, name: &str) -> Result<types::Cluster, ProviderError> {
    let call = client.eks.reads.describe_cluster().name(name);
    let answer = call.send().await.map_err(failed("DescribeCluster"))?;
    answered("DescribeCluster", answer.cluster)
}

/// Returns a cluster as the engine sees it.
pub(super) fn observed(
    cluster: &types::Cluster,
    progress: &Progress,
) -> Observed<ClusterInputs, ClusterOutputs> {
    Observed {
        inputs: inputs(cluster),
        outputs: outputs(cluster, progress),
        readiness: readiness(cluster, progress),
    }
}

fn readiness(cluster: &types::Cluster, progress: &Progress) -> Readiness {
    match (cluster.status().map(ClusterStatus::as_str), progress) {
        (Some("FAILED"), _) => {
            let issues = issues(cluster).join("; ");
            Readiness::Failed(if issues.is_empty() { "EKS does not say why".to_owned() } else { issues })
        }
        (Some("ACTIVE") | None, Progress::UnderWay) => Readiness::Pending("update in progress".to_owned()),
        (Some("ACTIVE") | None, Progress::Failed(reason)) => Readiness::Impaired(reason.clone()),
        (Some("ACTIVE") | None, Progress::Done) => Readiness::Ready,
        (Some(status), _) => Readiness::Pending(status.to_ascii_lowercase()),
    }
}

fn issues(cluster: &types::Cluster) -> Vec<String> {
    let words = |issue: &ClusterIssue| {
        id::issue(issue.code().map(ClusterIssueCode::as_str), issue.message(), issue.resource_ids())
    };
    cluster.health().map(|health| health.issues().iter().map(words).collect()).unwrap_or_default()
}

fn outputs(cluster: &types::Cluster, progress: &Progress) -> ClusterOutputs {
    let network = cluster.kubernetes_network_config();
    let service_cidr = network.and_then(|network| {
        network.service_ipv4_cidr().or(network.service_ipv6_cidr()).filter(|range| !range.is_empty())
    });
    let vpc = cluster.resources_vpc_config();
    let authority = cluster.certificate_authority().and_then(types::Certificate::data);
    let issuer = cluster.identity().and_then(types::Identity::oidc).and_then(types::Oidc::issuer);
    let failed_update = if let Progress::Failed(reason) = progress { Some(reason.clone()) } else { None };
    let text = |text: Option<&str>| text.map(str::to_owned);
    ClusterOutputs {
        arn: cluster.arn().unwrap_or_default().to_owned(),
        endpoint_url: text(cluster.endpoint()),
        certificate_authority: text(authority),
        oidc_issuer: text(issuer),
        cluster_security_group_id: text(vpc.and_then(VpcConfigResponse::cluster_security_group_id)),
        vpc_id: text(vpc.and_then(VpcConfigResponse::vpc_id)),
        service_cidr: text(service_cidr),
        platform_version: text(cluster.platform_version()),
        status: text(cluster.status().map(ClusterStatus::as_str)),
        health_issues: Some(issues(cluster)),
        failed_update,
    }
}

fn inputs(cluster: &types::Cluster) -> ClusterInputs {
    let vpc = cluster.resources_vpc_config();
    let access = cluster.access_config();
    let mode = access.and_then(|access| access.authentication_mode()).map(AuthenticationMode::as_str);
    let policy = cluster.upgrade_policy().and_then(|policy| policy.support_type()).map(SupportType::as_str);
    let shift = cluster.zonal_shift_config().and_then(aws_sdk_eks::types::ZonalShiftConfigResponse::enabled);
    let tier = cluster.control_plane_scaling_config().and_then(|scaling| scaling.tier());
    ClusterInputs {
        name: cluster.name().unwrap_or_default().to_owned(),
        version: cluster.version().map(str::to_owned),
        force_version_update: None,
        role_arn: cluster.role_arn().unwrap_or_default().to_owned(),
        subnet_ids: set(vpc.map(VpcConfigResponse::subnet_ids)),
        security_group_ids: Some(set(vpc.map(VpcConfigResponse::security_group_ids))),
        endpoint: vpc.map(endpoint),
        access: Some(Access { authentication_mode: mode.map(str::to_owned), bootstrap_creator_admin: None }),
        bootstrap_self_managed_addons: None,
        // What EKS leaves out is its default.
        upgrade_policy: Some(policy.unwrap_or("EXTENDED").to_owned()),
        logging: Some(logging(cluster)),
        encryption: encryption(cluster),
        kubernetes_network: cluster.kubernetes_network_config().map(kubernetes_network),
        auto_mode: Some(auto_mode(cluster)),
        remote_networks: Some(remote_networks(cluster)),
        zonal_shift: Some(shift.unwrap_or(false)),
        control_plane_tier: Some(tier.map_or("standard", ProvisionedControlPlaneTier::as_str).to_owned()),
        deletion_protection: Some(cluster.deletion_protection().unwrap_or(false)),
        tags: Some(tags::observed(cluster.tags())),
    }
}

fn endpoint(vpc: &VpcConfigResponse) -> Endpoint {
    Endpoint {
        public: Some(vpc.endpoint_public_access()),
        private: Some(vpc.endpoint_private_access()),
        public_access_cidrs: Some(ranges(vpc.public_access_cidrs())),
    }
}

/// Returns the logs that are on; EKS names those that are off as well.
fn logging(cluster: &types::Cluster) -> BTreeSet<String> {
    let setups = cluster.logging().map(aws_sdk_eks::types::Logging::cluster_logging).unwrap_or_default();
    let enabled = setups.iter().filter(|setup| setup.enabled() == Some(true));
    enabled.flat_map(aws_sdk_eks::types::LogSetup::types).map(LogType::as_str).map(str::to_owned).collect()
}

fn encryption(cluster: &types::Cluster) -> Option<Encryption> {
    let provider = cluster.encryption_config().first()?.provider()?;
    Some(Encryption { key_arn: provider.key_arn()?.to_owned() })
}

fn kubernetes_network(network: &types::KubernetesNetworkConfigResponse) -> KubernetesNetwork {
    KubernetesNetwork {
        ip_family: network.ip_family().map(IpFamily::as_str).map(str::to_owned),
        service_ipv4_cidr: network.service_ipv4_cidr().map(str::to_owned),
    }
}

fn auto_mode(cluster: &types::Cluster) -> AutoMode {
    let compute = cluster.compute_config();
    AutoMode {
        enabled: compute.and_then(aws_sdk_eks::types::ComputeConfigResponse::enabled) == Some(true),
        node_pools: Some(set(compute.map(aws_sdk_eks::types::ComputeConfigResponse::node_pools))),
        node_role_arn: compute.and_then(|compute| compute.node_role_arn()).map(str::to_owned),
    }
}

fn remote_networks(cluster: &types::Cluster) -> RemoteNetworks {
    let remote = cluster.remote_network_config();
    let nodes =
        remote.map(aws_sdk_eks::types::RemoteNetworkConfigResponse::remote_node_networks).unwrap_or_default();
    let pods =
        remote.map(aws_sdk_eks::types::RemoteNetworkConfigResponse::remote_pod_networks).unwrap_or_default();
    RemoteNetworks {
        node_cidrs: Some(ranges(nodes.iter().flat_map(aws_sdk_eks::types::RemoteNodeNetwork::cidrs))),
        pod_cidrs: Some(ranges(pods.iter().flat_map(aws_sdk_eks::types::RemotePodNetwork::cidrs))),
    }
}

fn set(texts: Option<&[String]>) -> BTreeSet<String> {
    texts.unwrap_or_default().iter().cloned().collect()
}

fn ranges<'a>(texts: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    texts.into_iter().map(|text| normalize_cidr(text).unwrap_or_else(|_| text.clone())).collect()
}

//! `lookup` of an `eks_cluster`.

use straddle_engine::lookup::{Lookup, Match};
use straddle_engine::provider::ProviderError;
use straddle_engine::schema::{Attributes, Tags};

use super::none_if_missing;
use crate::client::Client;
use crate::error::{answered, failed};

/// The lookup.
pub(crate) struct FindCluster;

/// A cluster of EKS that exists.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ClusterInputs {
    /// The name.
    name: String,
}

/// What EKS says of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ClusterOutputs {
    /// The ARN.
    arn: String,
    /// The version of Kubernetes.
    version: Option<String>,
    /// Such as `ACTIVE`.
    status: Option<String>,
    /// Where the API is.
    endpoint: Option<String>,
    /// The certificate of the API's authority, in Base64.
    certificate_authority: Option<String>,
    /// The URL of the issuer of tokens for service accounts.
    oidc_issuer: Option<String>,
    /// The role of the control plane.
    role_arn: Option<String>,
    /// The VPC.
    vpc_id: Option<String>,
    /// The subnets of the control plane.
    subnet_ids: Vec<String>,
    /// The group that EKS made for the control plane and the nodes.
    cluster_security_group_id: Option<String>,
    /// Further groups of the control plane.
    security_group_ids: Vec<String>,
    /// The range of the addresses of services.
    service_ipv4_cidr: Option<String>,
    /// Its tags.
    tags: Tags,
}

impl Lookup for FindCluster {
    const KIND: &'static str = "eks_cluster";
    const SERVICE: &'static str = "eks";
    const ACTIONS: &'static [&'static str] = &["eks:DescribeCluster"];
    const EXAMPLE: &'static str = r#"
[lookup.cluster]
kind    = "eks_cluster"
account = "apps"
name    = "demo"

[output.issuer]
value = "${lookup.cluster.oidc_issuer}"
"#;

    type Inputs = ClusterInputs;
    type Outputs = ClusterOutputs;
    type Client = Client;

    async fn read(
        client: &Client,
        inputs: &ClusterInputs,
    ) -> Result<Vec<Match<ClusterOutputs>>, ProviderError> {
        let call = client.eks.reads.describe_cluster().name(&inputs.name);
        let answer = none_if_missing(call.send().await.map_err(failed("DescribeCluster")))?;
        let Some(cluster) = answer.as_ref().and_then(|answer| answer.cluster()) else {
            return Ok(Vec::new());
        };
        let network = cluster.resources_vpc_config();
        let texts = |texts: &[String]| texts.to_vec();
        let tags = cluster.tags().into_iter().flatten();
        let outputs = ClusterOutputs {
            arn: answered("DescribeCluster", cluster.arn())?.to_owned(),
            version: cluster.version().map(str::to_owned),
            status: cluster.status().map(|status| status.as_str().to_owned()),
            endpoint: cluster.endpoint().map(str::to_owned),
            certificate_authority: cluster
                .certificate_authority()
                .and_then(|authority| authority.data())
                .map(str::to_owned),
            oidc_issuer: cluster
                .identity()
                .and_then(|identity| identity.oidc())
                .and_then(|oidc| oidc.issuer())
                .map(str::to_owned),
            role_arn: cluster.role_arn().map(str::to_owned),
            vpc_id: network.and_then(|network| network.vpc_id()).map(str::to_owned),
            subnet_ids: network.map(|network| texts(network.subnet_ids())).unwrap_or_default(),
            cluster_security_group_id: network
                .and_then(|network| network.cluster_security_group_id())
                .map(str::to_owned),
            security_group_ids: network
                .map(|network| texts(network.security_group_ids()))
                .unwrap_or_default(),
            service_ipv4_cidr: cluster
                .kubernetes_network_config()
                .and_then(|config| config.service_ipv4_cidr())
                .map(str::to_owned),
            tags: Tags(tags.map(|(key, value)| (key.clone(), value.clone())).collect()),
        };
        Ok(vec![Match { id: inputs.name.clone(), name: None, outputs }])
    }
}

//! What a spec says of a cluster, and what only EKS knows.

use std::collections::BTreeSet;

use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::Value;

use crate::ec2::rule::normalize_cidr;
use crate::eks::version;

/// A control plane of Kubernetes. Its nodes are an `eks_node_group` each. Its subnets may be another
/// account's that shares them; it waits for the share by itself.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ClusterInputs {
    /// The name: letters, digits, `-` and `_`, at most 100.
    #[attribute(replace)]
    pub(super) name: String,
    /// The version of Kubernetes, such as `1.35`. It goes up by one minor version at a time, with node
    /// groups and add-ons in between, and never back. If it is not set, EKS takes its default one, and it
    /// stays as it is.
    #[attribute(stepwise, normalize = version::normalize)]
    pub(super) version: Option<String>,
    /// Whether versions go up also where EKS sees something in the way (`aws eks list-insights`).
    #[attribute(write_only, default = false)]
    pub(super) force_version_update: Option<bool>,
    /// The ARN of the role that EKS has in this account, which trusts `eks.amazonaws.com`.
    #[attribute(replace)]
    pub(super) role_arn: String,
    /// The subnets that its interfaces are in, of two zones at least. In place they become others of the
    /// same zones.
    #[attribute(refers_to = "subnet", holds)]
    pub(super) subnet_ids: BTreeSet<String>,
    /// More security groups for its interfaces, five at most, beside the one that EKS makes.
    #[attribute(refers_to = "security_group", holds, default = Vec::<Value>::new())]
    pub(super) security_group_ids: Option<BTreeSet<String>>,
    /// From where its API is reached.
    pub(super) endpoint: Option<Endpoint>,
    /// How those who come to its API are known.
    pub(super) access: Option<Access>,
    /// Whether EKS installs `vpc-cni`, `kube-proxy` and `coredns` without keeping them. With `false` they
    /// come as an `eks_addon` each. Only counts when the cluster is made; EKS does by default.
    #[attribute(replace, write_only)]
    pub(super) bootstrap_self_managed_addons: Option<bool>,
    /// What happens when standard support for its version ends: `STANDARD` takes it to the next version,
    /// `EXTENDED` keeps it, for six times the price of the control plane.
    #[attribute(default = "EXTENDED", one_of = ["STANDARD", "EXTENDED"])]
    pub(super) upgrade_policy: Option<String>,
    /// The logs that go to `CloudWatch`: `api`, `audit`, `authenticator`, `controllerManager`, `scheduler`.
    #[attribute(
        default = Vec::<Value>::new(),
        one_of = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
    )]
    pub(super) logging: Option<BTreeSet<String>>,
    /// With which key of KMS the cluster's data is encrypted instead of AWS's own. It can be added, and not
    /// be taken away or become another one.
    pub(super) encryption: Option<Encryption>,
    /// The addresses inside the cluster.
    pub(super) kubernetes_network: Option<KubernetesNetwork>,
    /// Whether EKS keeps nodes, volumes and load balancers by itself (EKS Auto Mode).
    pub(super) auto_mode: Option<AutoMode>,
    /// Where hybrid nodes and their pods are, outside of AWS.
    pub(super) remote_networks: Option<RemoteNetworks>,
    /// Whether traffic may be moved away from a zone that has failed.
    #[attribute(default = false)]
    pub(super) zonal_shift: Option<bool>,
    /// How large the control plane is kept; more than `standard` costs more.
    #[attribute(default = "standard", one_of = ["standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"])]
    pub(super) control_plane_tier: Option<String>,
    /// Whether EKS refuses to delete it. A deletion by this program switches that off first; what must
    /// stay is protected by `prevent_destroy`.
    #[attribute(default = false)]
    pub(super) deletion_protection: Option<bool>,
    /// The tags.
    pub(super) tags: Option<Tags>,
}

/// From where the API of a cluster is reached.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Endpoint {
    /// Whether it is from the internet.
    #[attribute(default = true)]
    pub(super) public: Option<bool>,
    /// Whether it is from the VPC, without leaving it.
    #[attribute(default = false)]
    pub(super) private: Option<bool>,
    /// The ranges that may come from the internet.
    #[attribute(default = vec!["0.0.0.0/0"], normalize = normalize_cidr)]
    pub(super) public_access_cidrs: Option<BTreeSet<String>>,
}

/// How those who come to the API of a cluster are known.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Access {
    /// By what is in the cluster (`CONFIG_MAP`, what EKS takes if nothing is set), by access entries
    /// (`API`), or by both. It goes from `CONFIG_MAP` towards `API`, and never back.
    #[attribute(one_of = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"])]
    pub(super) authentication_mode: Option<String>,
    /// Whether whoever makes the cluster may do everything in it. Only counts when the cluster is made;
    /// EKS lets them by default.
    #[attribute(replace, write_only)]
    pub(super) bootstrap_creator_admin: Option<bool>,
}

/// With which key the data of a cluster is encrypted.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Encryption {
    /// The ARN of a symmetric key of the same region.
    #[attribute(replace)]
    pub(super) key_arn: String,
}

/// The addresses inside a cluster.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct KubernetesNetwork {
    /// The family of the addresses of pods and services; EKS takes `ipv4` if it is not set.
    #[attribute(replace, one_of = ["ipv4", "ipv6"])]
    pub(super) ip_family: Option<String>,
    /// The range of the addresses of services: private, between /24 and /12, and not one of the VPC. If it
    /// is not set, EKS takes 10.100.0.0/16 or 172.20.0.0/16.
    #[attribute(replace, normalize = normalize_cidr)]
    pub(super) service_ipv4_cidr: Option<String>,
}

/// What EKS keeps by itself.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct AutoMode {
    /// Whether it does.
    pub(super) enabled: bool,
    /// The pools of nodes that it keeps: `general-purpose`, `system`.
    #[attribute(one_of = ["general-purpose", "system"])]
    pub(super) node_pools: Option<BTreeSet<String>>,
    /// The ARN of the role of its nodes. Needed with any pool.
    pub(super) node_role_arn: Option<String>,
}

/// Where hybrid nodes and their pods are.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RemoteNetworks {
    /// The ranges of the nodes.
    #[attribute(default = Vec::<Value>::new(), normalize = normalize_cidr)]
    pub(super) node_cidrs: Option<BTreeSet<String>>,
    /// The ranges of the pods.
    #[attribute(default = Vec::<Value>::new(), normalize = normalize_cidr)]
    pub(super) pod_cidrs: Option<BTreeSet<String>>,
}

/// What EKS says about a cluster.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct ClusterOutputs {
    /// The ARN.
    pub(super) arn: String,
    /// The URL of its API.
    pub(super) endpoint_url: Option<String>,
    /// The certificate that its API shows itself by, in base64.
    pub(super) certificate_authority: Option<String>,
    /// The URL of who issues its service accounts' tokens; what an `iam_openid_connect_provider` takes.
    pub(super) oidc_issuer: Option<String>,
    /// The security group that EKS makes for its interfaces and for nodes. It belongs to the cluster's
    /// account, also in a VPC of another one.
    pub(super) cluster_security_group_id: Option<String>,
    /// The VPC of its subnets.
    pub(super) vpc_id: Option<String>,
    /// The range of the addresses of services.
    pub(super) service_cidr: Option<String>,
    /// The version of EKS's own parts, such as `eks.4`.
    #[attribute(volatile)]
    pub(super) platform_version: Option<String>,
    /// What EKS calls its state, such as `ACTIVE`.
    #[attribute(volatile)]
    pub(super) status: Option<String>,
    /// What EKS finds wrong with it while it works.
    #[attribute(volatile)]
    pub(super) health_issues: Option<Vec<String>>,
    /// Why the last change that this run has begun did not come about.
    #[attribute(volatile)]
    pub(super) failed_update: Option<String>,
}

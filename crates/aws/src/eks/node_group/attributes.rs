//! What a spec says of a node group, and what only EKS knows.

use std::collections::{BTreeMap, BTreeSet};

use straddle_engine::schema::{Attributes, Tags};
use straddle_engine::value::{Value, ValueMap};

use crate::eks::version;

/// Nodes of a cluster that EKS makes, updates and replaces by itself. They need the cluster's network
/// add-on, and a way to pull images: let it depend on both.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct NodeGroupInputs {
    /// The cluster's name.
    #[attribute(replace, refers_to = "eks_cluster")]
    pub(super) cluster_name: String,
    /// The name: letters, digits, `-` and `_`, at most 63.
    #[attribute(replace)]
    pub(super) name: String,
    /// The ARN of the role of the nodes, which trusts `ec2.amazonaws.com`.
    #[attribute(replace)]
    pub(super) role_arn: String,
    /// The subnets that the nodes are in.
    #[attribute(replace, refers_to = "subnet", holds)]
    pub(super) subnet_ids: BTreeSet<String>,
    /// How many nodes there are.
    pub(super) scaling: Option<Scaling>,
    /// The types of the instances, the preferred one first. EKS takes `t3.medium` if neither this nor a
    /// launch template says one.
    #[attribute(replace)]
    pub(super) instance_types: Option<Vec<String>>,
    /// What the nodes run, such as `AL2023_x86_64_STANDARD`. EKS takes what fits the instances.
    #[attribute(replace)]
    pub(super) ami_type: Option<String>,
    /// How the instances are bought.
    #[attribute(replace, default = "ON_DEMAND", one_of = ["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"])]
    pub(super) capacity_type: Option<String>,
    /// The size of a node's disk in gigabytes: 20 if neither this nor a launch template says one.
    #[attribute(replace)]
    pub(super) disk_size: Option<i64>,
    /// Who may log in to the nodes. A launch template says that otherwise.
    pub(super) remote_access: Option<RemoteAccess>,
    /// The launch template that the instances are made by. It must not name subnets nor a role. With
    /// security groups of its own, nodes do not get the cluster's.
    pub(super) launch_template: Option<LaunchTemplate>,
    /// The version of Kubernetes that the nodes run, such as `1.35`; never back. If it is not set, they
    /// have the cluster's, and go along with it when that is updated.
    #[attribute(follows = "cluster_name.version", normalize = version::normalize)]
    pub(super) version: Option<String>,
    /// The version of the image that the nodes run, such as `1.35.0-20260512`. If it is not set, the
    /// latest of each version.
    pub(super) release_version: Option<String>,
    /// Whether nodes go in an update also if their pods cannot be moved away.
    #[attribute(write_only, default = false)]
    pub(super) force_version_update: Option<bool>,
    /// The labels that the nodes have in Kubernetes.
    #[attribute(default = ValueMap::new())]
    pub(super) labels: Option<BTreeMap<String, String>>,
    /// What keeps pods away from the nodes that do not say otherwise.
    #[attribute(default = Vec::<Value>::new())]
    pub(super) taints: Option<BTreeSet<Taint>>,
    /// How nodes are replaced in an update.
    pub(super) update: Option<Update>,
    /// Whether, and how, nodes that do not work are replaced.
    pub(super) repair: Option<Repair>,
    /// Instances that stand ready to become nodes.
    pub(super) warm_pool: Option<WarmPool>,
    /// The tags. They are those of the group; its instances get theirs by a launch template.
    pub(super) tags: Option<Tags>,
}

/// How many nodes there are.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Scaling {
    /// At least so many.
    pub(super) min: i64,
    /// So many now. An autoscaler changes it between the two others.
    #[attribute(handed_over)]
    pub(super) desired: Option<i64>,
    /// At most so many.
    pub(super) max: i64,
}

/// Who may log in to nodes.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct RemoteAccess {
    /// The name of the key pair.
    #[attribute(replace)]
    pub(super) ec2_ssh_key: Option<String>,
    /// The groups from whose members it is allowed. Without any, it is from everywhere.
    #[attribute(replace, refers_to = "security_group")]
    pub(super) source_security_group_ids: Option<BTreeSet<String>>,
}

/// The launch template that instances are made by.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct LaunchTemplate {
    /// Its id. Either this or its name.
    #[attribute(replace, refers_to = "launch_template", holds)]
    pub(super) id: Option<String>,
    /// Its name.
    #[attribute(replace)]
    pub(super) name: Option<String>,
    /// Its version, such as `"${launch_template.nodes.latest_version}"`: then nodes follow when the template
    /// changes. If it is not set, a new group takes the default one, and stays with that.
    pub(super) version: Option<i64>,
}

/// Something that keeps pods away.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Attributes)]
pub(crate) struct Taint {
    /// What it does.
    #[attribute(one_of = ["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"])]
    pub(super) effect: String,
    /// Its key.
    pub(super) key: String,
    /// Its value.
    pub(super) value: Option<String>,
}

/// How nodes are replaced in an update.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Update {
    /// How many are replaced at once; one, if neither this nor the other is set.
    pub(super) max_unavailable: Option<i64>,
    /// How many are replaced at once, in percent.
    pub(super) max_unavailable_percentage: Option<i64>,
    /// Whether new nodes come before old ones go (`DEFAULT`), or the other way round.
    #[attribute(default = "DEFAULT", one_of = ["DEFAULT", "MINIMAL"])]
    pub(super) strategy: Option<String>,
}

/// Whether, and how, nodes that do not work are replaced.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct Repair {
    /// Whether they are.
    #[attribute(default = false)]
    pub(super) enabled: Option<bool>,
    /// With how many that do not work nothing is repaired any more.
    pub(super) max_unhealthy_count: Option<i64>,
    /// The same in percent.
    pub(super) max_unhealthy_percentage: Option<i64>,
    /// How many are repaired at once.
    pub(super) max_parallel_count: Option<i64>,
    /// The same in percent.
    pub(super) max_parallel_percentage: Option<i64>,
    /// What is done about conditions otherwise than by default.
    #[attribute(default = Vec::<Value>::new())]
    pub(super) overrides: Option<BTreeSet<RepairOverride>>,
}

/// What is done about a condition of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Attributes)]
pub(crate) struct RepairOverride {
    /// What is done.
    #[attribute(one_of = ["Replace", "Reboot", "NoAction"])]
    pub(super) action: String,
    /// The condition that the agent in the node reports.
    pub(super) condition: String,
    /// After how many minutes.
    pub(super) minutes: i64,
    /// The reason that the agent gives.
    pub(super) reason: String,
}

/// Instances that stand ready to become nodes.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct WarmPool {
    /// Whether there are any.
    #[attribute(default = false)]
    pub(super) enabled: Option<bool>,
    /// At least so many.
    pub(super) min: Option<i64>,
    /// So many at most, together with the nodes.
    pub(super) max_prepared: Option<i64>,
    /// What they do meanwhile.
    #[attribute(one_of = ["STOPPED", "RUNNING", "HIBERNATED"])]
    pub(super) state: Option<String>,
    /// Whether nodes that are no longer needed go there.
    pub(super) reuse_on_scale_in: Option<bool>,
}

/// What EKS says about a node group.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct NodeGroupOutputs {
    /// The ARN.
    pub(super) arn: String,
    /// The names of the autoscaling groups that it is made of.
    pub(super) autoscaling_group_names: Option<Vec<String>>,
    /// The security group that lets in who may log in.
    pub(super) remote_access_security_group_id: Option<String>,
    /// What EKS calls its state, such as `ACTIVE`.
    #[attribute(volatile)]
    pub(super) status: Option<String>,
    /// Why the last change that this run has begun did not come about.
    #[attribute(volatile)]
    pub(super) failed_update: Option<String>,
}

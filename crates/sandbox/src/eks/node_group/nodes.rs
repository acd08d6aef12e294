//! The nodes of a group: they are launched, join the cluster, are replaced and go.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{Issue, NodeGroup, Settings};
use crate::ec2::{Network, NewInstance, addresses_of_interface};
use crate::eks::cluster::Cluster;
use crate::eks::life::{Moment, Outcome, Part, Status};
use crate::world::Failure;

/// How long it takes until the first instances are launched.
pub(super) const LAUNCHED: SignedDuration = SignedDuration::from_secs(40);
/// How long after that nodes take to join the cluster: a group takes three minutes in all.
const JOINED: SignedDuration = SignedDuration::from_secs(140);
/// How often it is looked whether nodes have joined that do not.
const LOOKED: SignedDuration = SignedDuration::from_secs(20);
/// How long nodes may take to join before the group has failed.
const PATIENCE: SignedDuration = SignedDuration::from_mins(20);

impl Cluster {
    /// Lets happen what is due of a node group.
    pub(in crate::eks) fn settle_node_group(&mut self, moment: &mut Moment<'_>, name: &str) -> Outcome {
        let has_plugin = self.has_network_plugin();
        // It is taken out, since what happens to it depends on its cluster.
        let Some(mut group) = self.node_groups.remove(name) else { return Outcome::Stays };
        let (mut stays, mut next) = (true, None);
        if group.life.is_due(moment.at) {
            match group.life.status {
                Status::Creating if !group.is_launched => {
                    next = group.begin(self, moment.network);
                }
                Status::Creating => next = group.join(self, moment),
                Status::Active | Status::Failed => {}
                Status::Deleting if group.nodes.is_empty() => stays = false,
                Status::Deleting => {
                    for node in std::mem::take(&mut group.nodes) {
                        moment.network.terminate_instance(&node, has_plugin);
                    }
                    next = Some(super::DRAINED);
                }
            }
        }
        if !stays {
            self.forget_updates_of_node_group(name);
            return Outcome::Stays;
        }
        group.life.changes_at = next
            .map(|next| moment.later(self, Part::NodeGroup(name.to_owned()), next))
            .or(group.life.changes_at);
        self.node_groups.insert(name.to_owned(), group);
        Outcome::Stays
    }

    /// Lets a node group become what an update makes of it: other images mean other nodes.
    pub(in crate::eks) fn change_node_group(
        &mut self,
        moment: &mut Moment<'_>,
        name: &str,
        settings: Settings,
        instances: Vec<String>,
    ) {
        let has_plugin = self.has_network_plugin();
        let Some(mut group) = self.node_groups.remove(name) else { return };
        let replaces = settings.release != group.settings.release || settings.launch != group.settings.launch;
        group.settings = settings;
        group.changed_at = moment.at;
        let kept = if replaces { 0 } else { group.settings.scaling.wanted() };
        let surplus = group.nodes.split_off(kept.min(group.nodes.len()));
        for node in surplus {
            moment.network.terminate_instance(&node, has_plugin);
        }
        let missing = group.settings.scaling.wanted().saturating_sub(group.nodes.len());
        group.issues.clear();
        let before = group.nodes.len();
        group.launch(self, moment.network, instances.into_iter().take(missing).collect());
        if has_plugin {
            group.extend(self, moment.network, &group.nodes[before..]);
        }
        self.node_groups.insert(name.to_owned(), group);
    }
}

impl NodeGroup {
    /// Launches the first instances, and returns how long they take to join.
    fn begin(&mut self, cluster: &Cluster, network: &mut Network) -> Option<SignedDuration> {
        if let Some(failure) = self.life.failure.clone() {
            self.fail(failure, Vec::new());
            return None;
        }
        self.is_launched = true;
        let wanted = std::mem::take(&mut self.nodes);
        self.launch(cluster, network, wanted);
        Some(JOINED)
    }

    /// Lets the nodes join if they can, and returns when to look again if they cannot yet.
    fn join(&mut self, cluster: &Cluster, moment: &mut Moment<'_>) -> Option<SignedDuration> {
        let may_network = self.may_network || cluster.network_plugin_has_role();
        let works = self.may_join && cluster.has_network_plugin() && may_network;
        if self.issues.is_empty() && (works || self.nodes.is_empty()) {
            self.life.status = Status::Active;
            self.extend(cluster, moment.network, &self.nodes);
            return None;
        }
        if moment.at.duration_since(self.made_at) < PATIENCE {
            return Some(LOOKED);
        }
        if let Some(Issue { failure, things }) = self.issues.pop() {
            self.fail(failure, things);
            return None;
        }
        let message = if self.may_join && cluster.has_network_plugin() {
            "Unhealthy nodes in the kubernetes cluster"
        } else {
            "Instances failed to join the kubernetes cluster"
        };
        let failure = Failure { code: "NodeCreationFailure".to_owned(), message: message.to_owned() };
        self.fail(failure, self.nodes.clone());
        None
    }

    fn fail(&mut self, failure: Failure, things: Vec<String>) {
        self.life.status = Status::Failed;
        self.issues.push(Issue { failure, things });
    }

    /// Launches instances, in one subnet after the other. Where there is no room, that is an issue.
    fn launch(&mut self, cluster: &Cluster, network: &mut Network, ids: Vec<String>) {
        for id in ids {
            let position = self.nodes.len() % self.subnets.len();
            let new = NewInstance {
                id: id.clone(),
                owner: cluster.account.clone(),
                subnet_id: self.subnets[position].clone(),
                groups: self.groups(cluster),
                instance_type: self.machine.instance_type(self.settings.launch.as_ref()).to_owned(),
                requester: self.requester.clone(),
                profile_arn: self.profile_arn(cluster),
                is_spot: self.machine.is_spot(),
                tags: self.instance_tags(cluster),
            };
            match network.launch_instance(new) {
                Ok(()) => self.nodes.push(id),
                Err(refusal) => {
                    let message = format!(
                        "Could not launch {} Instances. {} - {} Launching EC2 instance failed.",
                        if self.machine.is_spot() { "Spot" } else { "On-Demand" },
                        refusal.code,
                        refusal.message
                    );
                    let failure = Failure { code: "AsgInstanceLaunchFailures".to_owned(), message };
                    self.issues = vec![Issue { failure, things: vec![self.scaling_group.clone()] }];
                }
            }
        }
    }

    /// Lets the network plug-in give nodes a second interface, and addresses for pods.
    fn extend(&self, cluster: &Cluster, network: &mut Network, nodes: &[String]) {
        let more = addresses(self.machine.instance_type(self.settings.launch.as_ref())) - 1;
        for node in nodes {
            let tags = [
                ("cluster.k8s.amazonaws.com/name", cluster.name.clone()),
                ("node.k8s.amazonaws.com/instance_id", node.clone()),
            ];
            let tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            network.extend_instance(node, format!("aws-K8S-{node}"), more, tags);
        }
    }

    /// EKS makes the instance profile, in a form of its own.
    fn profile_arn(&self, cluster: &Cluster) -> String {
        let uuid = self.arn.rsplit('/').next().unwrap_or_default();
        format!("arn:aws:iam::{}:instance-profile/eks-{uuid}", cluster.account)
    }

    /// Returns the groups of nodes: those of the launch template, or the cluster's own ("the cluster security
    /// group is only added if you don't specify security groups", EKS user guide).
    fn groups(&self, cluster: &Cluster) -> Vec<String> {
        let said =
            self.settings.launch.as_ref().map(|launch| &launch.groups).filter(|groups| !groups.is_empty());
        said.cloned().unwrap_or_else(|| cluster.group_id.iter().cloned().collect())
    }

    fn instance_tags(&self, cluster: &Cluster) -> BTreeMap<String, String> {
        let name = &cluster.name;
        let mut all = self.settings.launch.as_ref().map(|launch| launch.tags.clone()).unwrap_or_default();
        let tags = [
            ("aws:autoscaling:groupName".to_owned(), self.scaling_group.clone()),
            ("eks:cluster-name".to_owned(), name.clone()),
            ("eks:nodegroup-name".to_owned(), self.name.clone()),
            ("k8s.io/cluster-autoscaler/enabled".to_owned(), "true".to_owned()),
            (format!("k8s.io/cluster-autoscaler/{name}"), "owned".to_owned()),
            (format!("kubernetes.io/cluster/{name}"), "owned".to_owned()),
        ];
        all.extend(tags);
        all
    }
}

/// Returns how many addresses an interface of an instance can have; of a type that is not described here,
/// by the size ("Maximum IP addresses per network interface", EC2 user guide; those of the families t3, m5
/// and c5, less rather than more).
fn addresses(instance_type: &str) -> usize {
    if let Some(known) = addresses_of_interface(instance_type) {
        return known;
    }
    match instance_type.rsplit('.').next().unwrap_or_default() {
        "nano" | "micro" => 2,
        "small" => 4,
        "medium" => 6,
        "large" => 10,
        _ => 15,
    }
}

//! A cluster with everything below it, and what it stands on in its account.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eks::primitives::DateTime;
use aws_sdk_eks::types::{
    AccessEntry, Addon, AuthenticationMode, Cluster, FargateProfile, Nodegroup, PodIdentityAssociation,
};
use futures::future::try_join_all;
use straddle_engine::provider::ProviderError;

use super::{CLUSTER, Place, Tour, pairs};
use crate::client::Client;
use crate::eks::id::below;
use crate::error::{answered, failed};
use straddle_engine::discovery::Stuck;

/// What EKS lets whoever made a cluster do in it (EKS user guide, "Grant IAM users access to Kubernetes with
/// EKS access entries").
const ADMIN: &str = ":cluster-access-policy/AmazonEKSClusterAdminPolicy";
/// The add-ons that nodes need to become ready, and that have to outlive them: where the network's goes first,
/// the interfaces that it has made are left.
const OF_NODES: [&str; 3] = ["eks-pod-identity-agent", "kube-proxy", "vpc-cni"];
/// The type of entries that are of people and programs.
const STANDARD: &str = "STANDARD";
/// How the names of service-linked roles are told in their ARNs.
pub(super) const SERVICE_LINKED: &str = ":role/aws-service-role/";

/// What is below a cluster.
#[derive(Default)]
struct Below {
    node_groups: Vec<Nodegroup>,
    add_ons: Vec<Addon>,
    profiles: Vec<FargateProfile>,
    associations: Vec<PodIdentityAssociation>,
    entries: Vec<Entry>,
}

/// An access entry with the ARNs of its policies.
struct Entry {
    entry: AccessEntry,
    policies: Vec<String>,
}

impl<'a> Tour<'a> {
    /// Adds a cluster, its roles first.
    pub(super) async fn cluster(&mut self, at: Place<'a>, cluster: &Cluster) -> Result<(), Stuck> {
        let below = read_below(at.client, cluster).await.map_err(|source| at.stuck(source))?;
        let issuer = cluster.identity().and_then(|identity| identity.oidc()).and_then(|oidc| oidc.issuer());
        self.file = CLUSTER;
        for role in roles(cluster, &below) {
            self.role_with_arn(at, &role).await?;
        }
        self.cluster_itself(at, cluster);
        let name = cluster.name().unwrap_or_default();
        if let Some(issuer) = issuer {
            self.trusted(at, name, issuer).await?;
        }
        self.file = CLUSTER;
        let stuck = |source| at.stuck(source);
        let (of_nodes, of_pods): (Vec<_>, Vec<_>) =
            below.add_ons.iter().filter_map(Addon::addon_name).partition(|name| OF_NODES.contains(name));
        let of_nodes: Vec<_> = of_nodes.iter().map(|add_on| self::below(name, add_on).to_string()).collect();
        for id in &of_nodes {
            self.add(at, "eks_addon", id.as_str());
        }
        self.node_groups(at, name, &below.node_groups, &of_nodes).await.map_err(stuck)?;
        let groups = below.node_groups.iter().filter_map(Nodegroup::nodegroup_name);
        let groups: Vec<_> = groups.map(|group| self::below(name, group).to_string()).collect();
        for id in of_pods.iter().map(|add_on| self::below(name, add_on).to_string()) {
            self.add(at, "eks_addon", id.as_str());
            self.let_wait(&id, groups.iter().map(|group| ("eks_node_group", group.clone())));
        }
        for profile in below.profiles.iter().filter_map(FargateProfile::fargate_profile_name) {
            self.add(at, "eks_fargate_profile", self::below(name, profile).to_string());
        }
        self.associations(at, name, &below.associations);
        self.entries(at, cluster, &below);
        if let Some(group) = cluster.resources_vpc_config().and_then(|it| it.cluster_security_group_id()) {
            self.rules_of_cluster(at, group).await.map_err(stuck)?;
        }
        Ok(())
    }

    fn cluster_itself(&mut self, at: Place<'a>, cluster: &Cluster) {
        let name = cluster.name().unwrap_or_default();
        self.add_tagged(at, "eks_cluster", name, texts(cluster.tags()));
    }

    async fn node_groups(
        &mut self,
        at: Place<'a>,
        cluster: &str,
        groups: &[Nodegroup],
        add_ons: &[String],
    ) -> Result<(), ProviderError> {
        let templates: BTreeSet<_> =
            groups.iter().filter_map(|group| group.launch_template()?.id()).map(str::to_owned).collect();
        if !templates.is_empty() {
            let call = at.client.ec2.reads.describe_launch_templates();
            let call = call.set_launch_template_ids(Some(templates.into_iter().collect()));
            let answer = call.send().await.map_err(failed("DescribeLaunchTemplates"))?;
            for template in answer.launch_templates() {
                let Some(id) = template.launch_template_id() else { continue };
                self.add_tagged(at, "launch_template", id, pairs(template.tags()));
            }
        }
        for group in groups {
            let Some(name) = group.nodegroup_name() else { continue };
            let id = below(cluster, name).to_string();
            self.add_tagged(at, "eks_node_group", id.as_str(), texts(group.tags()));
            let ways = self.ways_out(group.subnets().iter().map(String::as_str));
            let add_ons = add_ons.iter().map(|add_on| ("eks_addon", add_on.clone()));
            self.let_wait(&id, ways.into_iter().chain(add_ons));
        }
        Ok(())
    }

    fn associations(&mut self, at: Place<'a>, cluster: &str, associations: &[PodIdentityAssociation]) {
        // Those of add-ons are written with them.
        for association in associations.iter().filter(|association| association.owner_arn().is_none()) {
            let Some(id) = association.association_id() else { continue };
            let name = association.service_account().map(str::to_owned);
            self.add_thing(at, "eks_pod_identity_association", below(cluster, id).to_string(), name, None);
        }
    }

    fn entries(&mut self, at: Place<'a>, cluster: &Cluster, below: &Below) {
        let name = cluster.name().unwrap_or_default();
        for Entry { entry, policies } in &below.entries {
            let Some(principal) = entry.principal_arn() else { continue };
            if let Some(why) = made_by_eks(cluster, below, entry) {
                self.leave_out(format!(
                    "The access entry of {principal} in the cluster {name} is left out: EKS made it for {why}."
                ));
                continue;
            }
            let id = self::below(name, principal).to_string();
            let people_call_it = principal.rsplit('/').next().map(str::to_owned);
            self.add_thing(at, "eks_access_entry", id.as_str(), people_call_it, None);
            for arn in policies {
                self.add(at, "eks_access_policy_association", format!("{id}/{arn}"));
            }
        }
    }
}

/// Reads a cluster.
pub(super) async fn describe(client: &Client, name: &str) -> Result<Cluster, ProviderError> {
    let answer = client.eks.reads.describe_cluster().name(name).send().await;
    answered("DescribeCluster", answer.map_err(failed("DescribeCluster"))?.cluster)
}

/// Reads the clusters of an account that are in a network.
pub(super) async fn in_network(client: &Client, vpc: &str) -> Result<Vec<Cluster>, ProviderError> {
    let names = client.eks.reads.list_clusters().into_paginator().items().send();
    let names = names.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListClusters"))?;
    let clusters = try_join_all(names.iter().map(|name| describe(client, name))).await?;
    let is_there =
        |cluster: &Cluster| cluster.resources_vpc_config().and_then(|config| config.vpc_id()) == Some(vpc);
    Ok(clusters.into_iter().filter(is_there).collect())
}

async fn read_below(client: &Client, cluster: &Cluster) -> Result<Below, ProviderError> {
    let (reads, name) = (&client.eks.reads, cluster.name().unwrap_or_default());
    let mut below = Below::default();
    let names = reads.list_nodegroups().cluster_name(name).into_paginator().items().send();
    for group in names.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListNodegroups"))? {
        let call = reads.describe_nodegroup().cluster_name(name).nodegroup_name(group);
        below.node_groups.extend(call.send().await.map_err(failed("DescribeNodegroup"))?.nodegroup);
    }
    let names = reads.list_addons().cluster_name(name).into_paginator().items().send();
    for add_on in names.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListAddons"))? {
        let call = reads.describe_addon().cluster_name(name).addon_name(add_on);
        below.add_ons.extend(call.send().await.map_err(failed("DescribeAddon"))?.addon);
    }
    let names = reads.list_fargate_profiles().cluster_name(name).into_paginator().items().send();
    for profile in names.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListFargateProfiles"))? {
        let call = reads.describe_fargate_profile().cluster_name(name).fargate_profile_name(profile);
        let answer = call.send().await.map_err(failed("DescribeFargateProfile"))?;
        below.profiles.extend(answer.fargate_profile);
    }
    let listed = reads.list_pod_identity_associations().cluster_name(name).into_paginator().items().send();
    let listed = listed.collect::<Result<Vec<_>, _>>().await;
    for id in
        listed.map_err(failed("ListPodIdentityAssociations"))?.iter().filter_map(|it| it.association_id())
    {
        let call = reads.describe_pod_identity_association().cluster_name(name).association_id(id);
        let answer = call.send().await.map_err(failed("DescribePodIdentityAssociation"))?;
        below.associations.extend(answer.association);
    }
    below.entries = read_entries(client, cluster).await?;
    Ok(below)
}

async fn read_entries(client: &Client, cluster: &Cluster) -> Result<Vec<Entry>, ProviderError> {
    let (reads, name) = (&client.eks.reads, cluster.name().unwrap_or_default());
    let mode = cluster.access_config().and_then(|access| access.authentication_mode());
    // A cluster that knows people by what is in it alone refuses the question.
    if mode.is_none_or(|mode| *mode == AuthenticationMode::ConfigMap) {
        return Ok(Vec::new());
    }
    let listed = reads.list_access_entries().cluster_name(name).into_paginator().items().send();
    let mut entries = Vec::new();
    for principal in listed.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListAccessEntries"))? {
        let call = reads.describe_access_entry().cluster_name(name).principal_arn(&principal);
        let entry = call.send().await.map_err(failed("DescribeAccessEntry"))?.access_entry;
        let call = reads.list_associated_access_policies().cluster_name(name).principal_arn(&principal);
        let policies = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        let policies = policies.map_err(failed("ListAssociatedAccessPolicies"))?;
        let policies = policies.into_iter().filter_map(|policy| policy.policy_arn).collect();
        entries.extend(entry.map(|entry| Entry { entry, policies }));
    }
    Ok(entries)
}

/// Returns the ARNs of the roles that a cluster and what is below it have, each once, in that order.
fn roles(cluster: &Cluster, below: &Below) -> Vec<String> {
    let of_groups = below.node_groups.iter().filter_map(Nodegroup::node_role);
    let of_profiles = below.profiles.iter().filter_map(FargateProfile::pod_execution_role_arn);
    let of_add_ons = below.add_ons.iter().filter_map(Addon::service_account_role_arn);
    let of_pods =
        below.associations.iter().flat_map(|it| it.role_arn().into_iter().chain(it.target_role_arn()));
    let all =
        cluster.role_arn().into_iter().chain(of_groups).chain(of_profiles).chain(of_add_ons).chain(of_pods);
    let mut known = BTreeSet::new();
    all.filter(|arn| !arn.is_empty() && known.insert(arn.to_string())).map(str::to_owned).collect()
}

/// Says for what EKS has made an access entry by itself; `None` if somebody else has made it.
fn made_by_eks(cluster: &Cluster, below: &Below, entry: &AccessEntry) -> Option<&'static str> {
    let principal = entry.principal_arn()?;
    if principal.contains(SERVICE_LINKED) {
        return Some("a service of its own");
    }
    let nodes = below.node_groups.iter().filter_map(Nodegroup::node_role);
    let pods = below.profiles.iter().filter_map(FargateProfile::pod_execution_role_arn);
    let is_standard = entry.r#type().is_none_or(|word| word == STANDARD);
    if !is_standard && nodes.chain(pods).any(|role| role == principal) {
        return Some("the nodes that it manages");
    }
    let is_creators = creator(cluster, below).is_some_and(|creator| creator == principal);
    is_creators.then_some("whoever made the cluster, as it seems")
}

/// Returns who made a cluster, if EKS seems to have made an entry for them, as it does unless it is told
/// otherwise: that is the first one, since nobody can make any before the cluster is there. What it was told
/// is in the answer to `CreateCluster`, and need not be in that to `DescribeCluster`.
fn creator<'b>(cluster: &Cluster, below: &'b Below) -> Option<&'b str> {
    let bootstraps = cluster.access_config()?.bootstrap_cluster_creator_admin_permissions().unwrap_or(true);
    let of_people = below.entries.iter().filter(|it| {
        let principal = it.entry.principal_arn().unwrap_or_default();
        it.entry.r#type().is_none_or(|word| word == STANDARD) && !principal.contains(SERVICE_LINKED)
    });
    let first = of_people.min_by_key(|it| it.entry.created_at().map(DateTime::secs))?;
    let is_admin = first.policies.iter().any(|policy| policy.ends_with(ADMIN));
    first.entry.principal_arn().filter(|_| bootstraps && is_admin)
}

fn texts(tags: Option<&std::collections::HashMap<String, String>>) -> impl Iterator<Item = (&str, &str)> {
    let sorted: BTreeMap<_, _> =
        tags.into_iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    sorted.into_iter()
}

#[cfg(test)]
mod tests {
    use aws_sdk_eks::types::AccessConfigResponse;

    use super::*;

    #[test]
    fn entries_of_eks_are_told_from_those_of_a_person() {
        let access =
            AccessConfigResponse::builder().bootstrap_cluster_creator_admin_permissions(true).build();
        let cluster = Cluster::builder().name("main").access_config(access).build();
        let node_role = "arn:aws:iam::222222222222:role/nodes";
        let linked =
            "arn:aws:iam::222222222222:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS";
        let of = |name: &str| format!("arn:aws:iam::222222222222:{name}");
        let entry = |principal: &str, word: &str, made: i64, policies: &[&str]| {
            let entry = AccessEntry::builder().principal_arn(principal).r#type(word);
            let entry = entry.created_at(DateTime::from_secs(made)).build();
            Entry {
                entry,
                policies: policies.iter().map(|policy| format!("arn:aws:eks::aws{policy}")).collect(),
            }
        };
        let entries = vec![
            entry(linked, STANDARD, 1, &[]),
            entry(node_role, "EC2_LINUX", 2, &[]),
            entry(&of("user/anna"), STANDARD, 3, &[ADMIN]),
            entry(&of("user/ben"), STANDARD, 4, &[ADMIN]),
            entry(&of("role/own-nodes"), "EC2_LINUX", 5, &[]),
        ];
        let groups = vec![Nodegroup::builder().node_role(node_role).build()];
        let below = Below { node_groups: groups, entries, ..Below::default() };
        let left = |cluster: &Cluster| {
            let made = below.entries.iter().filter(|it| made_by_eks(cluster, &below, &it.entry).is_none());
            made.filter_map(|it| it.entry.principal_arn()).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(left(&cluster), [of("user/ben"), of("role/own-nodes")]);
        let access =
            AccessConfigResponse::builder().bootstrap_cluster_creator_admin_permissions(false).build();
        let bare = Cluster::builder().name("main").access_config(access).build();
        assert_eq!(left(&bare), [of("user/anna"), of("user/ben"), of("role/own-nodes")]);
    }
}

//! Pods: whether the nodes have places for them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{InstanceTypeInfo, VCpuInfo};
use futures::future::join_all;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Fate, Finding, Item, Subject};
use straddle_engine::provider::ProviderError;

use super::capacity::{NODE_GROUP, described, instance_types};
use super::controller::OBJECT;
use super::{found, is_cluster};

/// Whether the pods of a cluster fit on its nodes.
pub(crate) struct PodPlaces;

/// What runs on each node of every cluster: the network add-on and the proxy; and the two pods that
/// resolve names (EKS user guide, "Amazon EKS add-ons").
const SYSTEM_OF_A_NODE: i64 = 2;
const SYSTEM: i64 = 2;
/// How many pods a node has at most, by whether it has many processors ("Choose an optimal Amazon EC2
/// node instance type", EKS user guide).
const MOST: (i64, i64) = (110, 250);
const MANY_PROCESSORS: i32 = 30;

impl Check for PodPlaces {
    const NAME: &'static str = "pod_places";
    const ABOUT: &'static str = "the nodes of clusters have places for the pods of the plan";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["ec2:DescribeInstanceTypes"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let looks = subject
            .lasting("eks_cluster")
            .map(|cluster| async move { found(&cluster.account, look(cluster, subject).await) });
        join_all(looks).await.concat()
    }
}

async fn look(cluster: &Item, subject: &Subject<'_>) -> Result<Vec<Finding>, ProviderError> {
    let of_cluster = |item: &&Item, path: &str| is_cluster(item.value(path), cluster, subject);
    let objects = subject.lasting(OBJECT).filter(|object| of_cluster(object, "cluster.name"));
    let workloads: Vec<_> = objects.filter_map(|object| Some((object, Workload::of(object)?))).collect();
    let groups = subject.lasting(NODE_GROUP).filter(|group| of_cluster(group, "cluster_name"));
    let groups: Vec<_> = groups.collect();
    let is_new = |item: &&Item| matches!(item.fate, Fate::Made | Fate::Changed);
    let concerned = groups.iter().any(is_new) || workloads.iter().any(|(object, _)| is_new(object));
    // Fargate and Auto Mode make places as they are needed.
    let grows = subject.lasting("eks_fargate_profile").any(|profile| of_cluster(&profile, "cluster_name"))
        || cluster.value("auto_mode").is_some();
    if !concerned || grows || groups.is_empty() || workloads.is_empty() {
        return Ok(Vec::new());
    }
    let types: BTreeSet<_> = groups.iter().flat_map(|group| instance_types(group)).collect();
    let client = subject.account(&cluster.account).1.client();
    let known = if types.is_empty() { BTreeMap::new() } else { described(client, &types).await? };
    let has_prefixes = subject.lasting("eks_addon").any(|addon| {
        let path = "configuration_values.env.ENABLE_PREFIX_DELEGATION";
        of_cluster(&addon, "cluster_name") && addon.text(path) == Some("true")
    });
    let mut nodes = Vec::new();
    for group in &groups {
        // The smallest is what a group may get.
        let types = instance_types(group);
        let places = types.iter().filter_map(|name| places_of(known.get(name)?, has_prefixes)).min();
        let Some(places) = places else {
            let message = format!("The instance types of {} are not in the spec.", group.address);
            return Ok(vec![Finding::skipped(&cluster.account, message)]);
        };
        let desired = group.number("scaling.desired").unwrap_or(2);
        nodes.push(Nodes { places, desired, most: group.number("scaling.max").unwrap_or(desired) });
    }
    let workloads: Vec<_> = workloads.into_iter().map(|(_, workload)| workload).collect();
    Ok(vec![judge(cluster, &workloads, &nodes)])
}

/// What makes pods.
#[derive(Debug, PartialEq, Eq)]
enum Workload {
    /// So many.
    Pods(i64),
    /// One on each node.
    Daemon,
}

impl Workload {
    fn of(object: &Item) -> Option<Self> {
        match object.text("manifest.kind")? {
            "Deployment" | "StatefulSet" | "ReplicaSet" => {
                Some(Self::Pods(object.number("manifest.spec.replicas").unwrap_or(1)))
            }
            "Pod" => Some(Self::Pods(1)),
            "DaemonSet" => Some(Self::Daemon),
            _ => None,
        }
    }
}

/// The nodes of a group.
struct Nodes {
    /// How many pods run on one.
    places: i64,
    desired: i64,
    most: i64,
}

/// Returns how many pods a node takes: one for each address of its interfaces but their own, and the two
/// that use the node's; with prefixes, as many as a node may have.
fn places_of(info: &InstanceTypeInfo, has_prefixes: bool) -> Option<i64> {
    let network = info.network_info()?;
    let interfaces = i64::from(network.maximum_network_interfaces()?);
    let addresses = i64::from(network.ipv4_addresses_per_interface()?);
    let processors = info.v_cpu_info().and_then(VCpuInfo::default_v_cpus).unwrap_or_default();
    let most = if processors < MANY_PROCESSORS { MOST.0 } else { MOST.1 };
    Some(if has_prefixes { most } else { most.min(interfaces * (addresses - 1) + 2) })
}

fn judge(cluster: &Item, workloads: &[Workload], nodes: &[Nodes]) -> Finding {
    let Item { account, address, .. } = cluster;
    let daemons = workloads.iter().filter(|one| **one == Workload::Daemon).count();
    let of_a_node = SYSTEM_OF_A_NODE + i64::try_from(daemons).unwrap_or(i64::MAX);
    let wanted = workloads.iter().map(|one| if let Workload::Pods(count) = one { *count } else { 0 });
    let wanted = wanted.sum::<i64>() + SYSTEM;
    let places = |count: fn(&Nodes) -> i64| -> i64 {
        nodes.iter().map(|group| count(group) * (group.places - of_a_node).max(0)).sum()
    };
    let (now, most) = (places(|group| group.desired), places(|group| group.most));
    let facts = format!(
        "The plan leads to {wanted} pods in {address}, whose nodes have places for {now}, for {most} at most."
    );
    if wanted <= now {
        return Finding::ok(account, facts);
    }
    let remedy = if wanted <= most {
        "Raise `scaling.desired` of a node group, unless something in the cluster does so by itself."
    } else {
        "Raise `scaling.max` of a node group, or take larger instances; what finds no place stays pending."
    };
    Finding::warning(account, facts, remedy)
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::NetworkInfo;
    use straddle_engine::preflight::Verdict;

    use super::*;
    use crate::preflight::testing::{item, json};

    fn info(processors: i32, interfaces: i32, addresses: i32) -> InstanceTypeInfo {
        let network = NetworkInfo::builder().maximum_network_interfaces(interfaces);
        InstanceTypeInfo::builder()
            .network_info(network.ipv4_addresses_per_interface(addresses).build())
            .v_cpu_info(VCpuInfo::builder().default_v_cpus(processors).build())
            .build()
    }

    #[test]
    fn a_node_has_a_place_for_each_address_of_its_pods() {
        // A t3.medium, an m5.4xlarge and an m5.16xlarge.
        assert_eq!(places_of(&info(2, 3, 6), false), Some(17));
        assert_eq!(places_of(&info(16, 8, 30), false), Some(110));
        assert_eq!(places_of(&info(64, 15, 50), false), Some(250));
        assert_eq!(places_of(&info(2, 3, 6), true), Some(110));
    }

    #[test]
    fn workloads_are_told_by_their_manifests() {
        let workload = |text: &str| Workload::of(&item(OBJECT, &[("manifest", json(text))]));
        assert_eq!(workload(r#"{"kind": "Deployment", "spec": {"replicas": 5}}"#), Some(Workload::Pods(5)));
        assert_eq!(workload(r#"{"kind": "StatefulSet"}"#), Some(Workload::Pods(1)));
        assert_eq!(workload(r#"{"kind": "DaemonSet"}"#), Some(Workload::Daemon));
        assert_eq!(workload(r#"{"kind": "Service"}"#), None);
    }

    #[test]
    fn pods_have_to_fit_at_the_desired_size() {
        let cluster = item("eks_cluster", &[]);
        let nodes = [Nodes { places: 17, desired: 2, most: 4 }];
        let verdict = |pods, daemons: usize| {
            let daemons = std::iter::repeat_with(|| Workload::Daemon).take(daemons);
            let workloads: Vec<_> = daemons.chain([Workload::Pods(pods)]).collect();
            let finding = judge(&cluster, &workloads, &nodes);
            (finding.verdict, finding.remedy.is_some_and(|remedy| remedy.contains("scaling.max")))
        };
        assert_eq!(verdict(28, 0), (Verdict::Ok, false));
        assert_eq!(verdict(29, 0), (Verdict::Warning, false));
        assert_eq!(verdict(28, 1), (Verdict::Warning, false));
        assert_eq!(verdict(59, 0), (Verdict::Warning, true));
    }
}

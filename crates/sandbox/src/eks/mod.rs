//! EKS: clusters, and what belongs to them.
//!
//! Most of what is asked for takes minutes: the call answers at once, and [`life`] tells what
//! happens when. A cluster and its nodes stand in the [network](crate::ec2) with interfaces that
//! are the caller's, also where the subnets are another account's.

mod access_entry;
mod addon;
mod cluster;
mod fargate_profile;
mod insight;
mod life;
mod node_group;
mod objects;
mod pod_identity;
mod refusals;
mod roles;
mod routes;
mod tags;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod update;
mod version;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::access::{Context, of_tags};
use crate::call::{Call, Operation, Refusal};
use crate::cluster::{ClusterName, ControlPlane, User};
use crate::identity::Caller;
use crate::outside::Authority;
use crate::page::Paging;
use crate::world::{AccountId, Timeline, World};
use cluster::{Cluster, failure as cluster_failure, update_failure};
pub(crate) use life::settle;
use life::{Event, Moment};
pub(crate) use pod_identity::{AUTH_OPERATIONS, Lacking, pod_caller};
use refusals::not_found;
pub(crate) use routes::{AUTH_ROUTES, LISTS, ROUTES};
pub(crate) use tags::tagged;

/// The clusters of a region, of all accounts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Clusters {
    /// By name.
    by_account: BTreeMap<AccountId, BTreeMap<String, Cluster>>,
    /// What happens by itself, and when.
    timeline: Timeline<Event>,
}

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        access_entry::OPERATIONS,
        access_entry::POLICY_OPERATIONS,
        addon::CATALOG,
        addon::OPERATIONS,
        cluster::OPERATIONS,
        cluster::CHANGES,
        fargate_profile::OPERATIONS,
        insight::OPERATIONS,
        node_group::OPERATIONS,
        node_group::CHANGES,
        pod_identity::OPERATIONS,
        tags::OPERATIONS,
        update::OPERATIONS,
        version::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

const PAGING: Paging = Paging {
    size: "maxResults",
    token: "nextToken",
    usual: 100,
    most: 100,
    wrong_size: "InvalidParameterException",
    wrong_token: "InvalidParameterException",
};

/// Returns the ARN of what an action is done to, and the condition keys of the thing.
pub(crate) fn resource(world: &World, call: &Call, kind: &str, name: &str) -> (String, Context) {
    if name.starts_with("arn:") && kind == "any" {
        let tags = world.clusters.get(&call.region).and_then(|clusters| tags::of(clusters, call, name));
        return (name.to_owned(), tags.map(|tags| of_tags(tags, "eks")).unwrap_or_default());
    }
    let parameters = &call.parameters;
    let cluster = parameters.text("clusterName").or_else(|| parameters.text("name")).unwrap_or(name);
    let of_account =
        world.clusters.get(&call.region).and_then(|all| all.by_account.get(&call.caller.account));
    let found = of_account.and_then(|clusters| clusters.get(cluster));
    let part = found.and_then(|cluster| cluster.part(kind, name));
    let context = part.map(|(_, tags)| of_tags(tags, "eks")).unwrap_or_default();
    let expected = || {
        let below = if kind == "cluster" { cluster.to_owned() } else { format!("{cluster}/{name}/*") };
        format!("arn:aws:eks:{}:{}:{kind}/{below}", call.region, call.caller.account)
    };
    (part.map_or_else(expected, |(arn, _)| arn.to_owned()), context)
}

/// Returns the cluster whose endpoint has this host, if it works.
pub(crate) fn cluster_of(world: &World, host: &str) -> Option<ClusterName> {
    let all = world.clusters.values().flat_map(|clusters| clusters.by_account.values());
    let found = all.flat_map(BTreeMap::values).find(|cluster| cluster.host() == host)?;
    let Cluster { region, account, name, .. } = found;
    Some(ClusterName { region: region.clone(), account: account.clone(), name: name.clone() })
}

/// Returns the clusters of all accounts that work, with their VPCs.
pub(crate) fn working(world: &World) -> Vec<(ClusterName, String)> {
    let all = world.clusters.values().flat_map(|clusters| clusters.by_account.values());
    let working = all.flat_map(BTreeMap::values).filter(|cluster| cluster.plane.is_some());
    let named = working.map(|cluster| {
        let Cluster { region, account, name, vpc_id, .. } = cluster;
        let (region, account, name) = (region.clone(), account.clone(), name.clone());
        (ClusterName { region, account, name }, vpc_id.clone())
    });
    named.collect()
}

/// Returns who issues the identities of a cluster's pods.
pub(crate) fn issuer_of(world: &World, name: &ClusterName) -> Option<String> {
    world.clusters.get(&name.region)?.by_account.get(&name.account)?.get(&name.name).map(Cluster::own_issuer)
}

/// Returns whom a cluster takes a caller for; `None` if it does not know them.
pub(crate) fn user_of(world: &mut World, name: &ClusterName, caller: &Caller) -> Option<User> {
    let cluster = world.clusters(&name.region).by_account.get(&name.account)?.get(&name.name)?;
    cluster.user(caller)
}

/// Works with the objects of a cluster, and lets happen what follows; `None` if there is no such cluster
/// that works.
pub(crate) fn with_plane<T>(
    world: &mut World,
    name: &ClusterName,
    work: impl FnOnce(&mut ControlPlane, Timestamp) -> T,
) -> Option<T> {
    let at = world.now();
    world.network(&name.region);
    let World { clusters, networks, .. } = world;
    let (clusters, network) = (clusters.get_mut(&name.region)?, networks.get_mut(&name.region)?);
    let Clusters { by_account, timeline } = clusters;
    let cluster = by_account.get_mut(&name.account)?.get_mut(&name.name)?;
    cluster.settle_objects(&mut Moment { at, network, timeline });
    let done = work(cluster.plane.as_mut()?, at);
    cluster.settle_objects(&mut Moment { at, network, timeline });
    Some(done)
}

/// Returns who certifies a cluster, by the host of its endpoint; `None` if no cluster has that.
pub(crate) fn authority_of(world: &World, host: &str) -> Option<Authority> {
    let clusters = world.clusters.values().flat_map(|clusters| clusters.by_account.values());
    clusters.flat_map(BTreeMap::values).find(|cluster| cluster.host() == host).map(Cluster::authority)
}

/// Returns a cluster of the caller.
fn named<'a>(world: &'a mut World, call: &Call, name: &str) -> Result<&'a Cluster, Refusal> {
    let clusters = world.clusters(&call.region);
    let found = clusters.by_account.get(&call.caller.account).and_then(|clusters| clusters.get(name));
    found.ok_or_else(|| no_cluster(name))
}

/// Changes a cluster of the caller, and what it has in the network.
fn change<T>(
    world: &mut World,
    call: &Call,
    name: &str,
    change: impl FnOnce(&mut Cluster, &mut Moment<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    named(world, call, name)?;
    let at = world.now();
    world.network(&call.region);
    let World { clusters, networks, .. } = world;
    let (Some(clusters), Some(network)) = (clusters.get_mut(&call.region), networks.get_mut(&call.region))
    else {
        return Err(no_cluster(name));
    };
    let Clusters { by_account, timeline } = clusters;
    let found = by_account.get_mut(&call.caller.account).and_then(|clusters| clusters.get_mut(name));
    change(found.ok_or_else(|| no_cluster(name))?, &mut Moment { at, network, timeline })
}

/// Refuses a name that no cluster has, in the words of EKS.
fn no_cluster(name: &str) -> Refusal {
    not_found(format!("No cluster found for name: {name}.")).with("clusterName", name)
}

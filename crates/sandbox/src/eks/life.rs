//! What happens to clusters and their parts by themselves, and when.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Clusters;
use super::cluster::Cluster;
use crate::ec2::Network;
use crate::world::{AccountId, Failure, Timeline, World};

/// Something of a cluster changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Event {
    account: AccountId,
    cluster: String,
    part: Part,
}

/// What of a cluster changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Part {
    Cluster,
    Update(String),
    NodeGroup(String),
    Addon(String),
    FargateProfile(String),
    /// What is in the cluster.
    Objects,
}

/// How far something is, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Life {
    pub(super) status: Status,
    /// When its status changes next.
    pub(super) changes_at: Option<Timestamp>,
    /// Why it fails; shown once it has failed.
    pub(super) failure: Option<Failure>,
}

/// How far something is. An update that goes on is the update's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Status {
    Creating,
    Active,
    Failed,
    Deleting,
}

/// A moment in which a cluster changes.
pub(super) struct Moment<'a> {
    pub(super) at: Timestamp,
    pub(super) network: &'a mut Network,
    pub(super) timeline: &'a mut Timeline<Event>,
}

/// Whether something is still there after it has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Stays,
    Gone,
}

impl Life {
    /// Begins with something that is being made; `failure` is why it will fail.
    pub(super) fn begin(failure: Option<Failure>) -> Self {
        Self { status: Status::Creating, changes_at: None, failure }
    }

    /// Tells whether it is due to change at a time, and takes that off.
    pub(super) fn is_due(&mut self, at: Timestamp) -> bool {
        self.changes_at.take_if(|due| *due == at).is_some()
    }

    /// Returns why it has failed, if it has.
    pub(super) fn shown_failure(&self) -> Option<&Failure> {
        self.failure.as_ref().filter(|_| self.status == Status::Failed)
    }
}

impl Moment<'_> {
    /// Lets a part of a cluster change later, and returns when that will be.
    pub(super) fn later(&mut self, cluster: &Cluster, part: Part, duration: SignedDuration) -> Timestamp {
        let event = Event { account: cluster.account.clone(), cluster: cluster.name.clone(), part };
        self.timeline.after(self.at, duration, event)
    }
}

/// Lets happen what is due in a region.
pub(crate) fn settle(world: &mut World, region: &str) {
    let now = world.now();
    let World { clusters, networks, .. } = world;
    let Some(clusters) = clusters.get_mut(region) else { return };
    let Clusters { by_account, timeline } = clusters;
    while let Some((at, event)) = timeline.next(now) {
        let network = networks.entry(region.to_owned()).or_default();
        network.settle(at);
        let Some(clusters) = by_account.get_mut(&event.account) else { continue };
        let Some(cluster) = clusters.get_mut(&event.cluster) else { continue };
        let mut moment = Moment { at, network, timeline };
        let outcome = match event.part {
            Part::Cluster => cluster.settle(&mut moment),
            Part::Update(id) => cluster.settle_update(&mut moment, &id),
            Part::NodeGroup(name) => cluster.settle_node_group(&mut moment, &name),
            Part::Addon(name) => cluster.settle_addon(&moment, &name),
            Part::FargateProfile(name) => cluster.settle_fargate_profile(&moment, &name),
            Part::Objects => Outcome::Stays,
        };
        if outcome == Outcome::Stays {
            cluster.settle_objects(&mut moment);
        } else {
            clusters.remove(&event.cluster);
        }
    }
}

//! What EKS asks of networks, and what clusters have in them.

use super::address_range::overlap;
use super::ownership::not_found;
use super::security_group::{Peer, Permission, Rule, SecurityGroup};
use super::subnet::Subnet;
use super::tags::Tags;
use super::zones::zones;
use super::{Network, Place};
use crate::call::{Call, Refusal};
use crate::world::AccountId;

/// The security group that a cluster has.
pub(crate) struct ClusterGroup<'a> {
    /// The ids of the group and of its two rules.
    pub(crate) ids: [String; 3],
    pub(crate) owner: AccountId,
    pub(crate) vpc_id: &'a str,
    pub(crate) name: String,
    pub(crate) tags: Tags,
}

/// What the groups of clusters are described by.
const DESCRIPTION: &str = "EKS created security group applied to ENI that is attached to EKS Control Plane master \
     nodes, as well as any managed workloads.";

impl Network {
    /// Returns the subnets with these ids, as the caller sees them.
    ///
    /// # Errors
    /// If the caller does not see one of them.
    pub(crate) fn places(&self, call: &Call, ids: &[&str]) -> Result<Vec<Place>, Refusal> {
        let account = &call.caller.account;
        let place = |id: &&str| self.place(account, id).ok_or_else(|| not_found::<Subnet>(id));
        ids.iter().map(place).collect()
    }

    /// Returns the zones of the region: their ids, and the caller's names for them.
    #[expect(clippy::unused_self, reason = "zones are a part of the network")]
    pub(crate) fn zones(&self, call: &Call) -> Vec<(String, String)> {
        zones(&call.region, &call.caller.account).into_iter().map(|zone| (zone.id, zone.name)).collect()
    }

    /// Tells whether a range has an address in common with those of a VPC.
    pub(crate) fn overlaps(&self, vpc_id: &str, range: &str) -> bool {
        let (Ok(range), Some(vpc)) = (range.parse(), self.vpcs.get(vpc_id)) else { return false };
        vpc.ranges().iter().any(|own| overlap(own, &range))
    }

    /// Tells whether a subnet leads straight to an internet gateway.
    pub(crate) fn is_public(&self, subnet_id: &str) -> bool {
        self.default_target(subnet_id).is_some_and(|target| target.starts_with("igw-"))
    }

    /// Returns how many addresses are left in subnets together.
    pub(crate) fn free_addresses(&self, subnets: &[String]) -> usize {
        subnets.iter().filter_map(|id| self.subnets.get(id)).map(|subnet| subnet.addresses.available()).sum()
    }

    /// Makes the security group of a cluster: its members reach one another and everything else
    /// ("View Amazon EKS security group requirements for clusters", EKS user guide).
    pub(crate) fn add_cluster_group(&mut self, new: ClusterGroup<'_>) {
        let [id, ingress, egress] = new.ids;
        let itself = Peer::Group { id: id.clone(), account: new.owner.clone() };
        self.add_group(SecurityGroup::new(&id, new.owner, new.vpc_id, new.name, DESCRIPTION, new.tags));
        self.add_rule(Rule::new(ingress, &id, false, Permission::all(itself)));
        self.add_rule(Rule::new(egress, &id, true, Permission::all(Peer::everybody())));
    }

    /// Deletes a group unless an interface has it or a rule of another group names it: then it
    /// stays behind.
    pub(crate) fn remove_free_group(&mut self, id: &str) {
        if !self.dependents.any(id) {
            self.remove_group(id);
        }
    }
}

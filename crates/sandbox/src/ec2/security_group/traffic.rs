//! What groups let through: "a security group controls the traffic that is allowed to reach and leave the
//! resources that it is associated with" ("Security groups", VPC user guide).

use std::net::Ipv4Addr;

use super::permission::Peer;
use crate::ec2::Network;
use crate::ec2::network_interface::NetworkInterface;

impl Network {
    /// Tells whether groups let TCP to a port in from somewhere in the internet, wherever that is.
    pub(crate) fn lets_internet_in(&self, groups: &[String], port: u16) -> bool {
        let groups_there = groups.iter().filter_map(|id| self.groups.get(id));
        let mut rules = groups_there.flat_map(|group| self.rules_of(group));
        let is_of_internet = |peer: &Peer| match peer {
            Peer::Ipv4(range) => !range.network().is_private(),
            Peer::Ipv6(_) | Peer::PrefixList(_) => true,
            Peer::Group { .. } => false,
        };
        rules.any(|rule| {
            !rule.is_egress && rule.permission.lets_tcp(port) && is_of_internet(&rule.permission.peer)
        })
    }

    /// Tells whether groups let TCP to a port through from one interface to an address of another one: the
    /// rules of both sides have to. An interface without groups is not filtered.
    ///
    /// A rule that names a group means the private addresses of the interfaces which have that group,
    /// whosever it is.
    pub(in crate::ec2) fn lets_through(
        &self,
        from: &NetworkInterface,
        (to, address): (&NetworkInterface, Ipv4Addr),
        port: u16,
    ) -> bool {
        let leaves = self.allows(&from.groups, true, port, (to, address));
        leaves && self.allows(&to.groups, false, port, (from, from.primary_address()))
    }

    /// Tells whether one of the groups lets TCP to a port through, in a direction, with a peer.
    fn allows(
        &self,
        groups: &[String],
        is_egress: bool,
        port: u16,
        (peer, address): (&NetworkInterface, Ipv4Addr),
    ) -> bool {
        let is_meant = |meant: &Peer| match meant {
            Peer::Ipv4(range) => range.contains(&address),
            Peer::Group { id, .. } => peer.groups.contains(id),
            // The lists are of services of AWS, which have their addresses outside of VPCs.
            Peer::Ipv6(_) | Peer::PrefixList(_) => false,
        };
        let groups_there = groups.iter().filter_map(|id| self.groups.get(id));
        let mut rules = groups_there.flat_map(|group| self.rules_of(group));
        let lets = rules.any(|rule| {
            rule.is_egress == is_egress && rule.permission.lets_tcp(port) && is_meant(&rule.permission.peer)
        });
        groups.is_empty() || lets
    }
}

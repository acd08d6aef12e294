//! What other services have in the network, and what they have to know to put it there.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ipnet::IpNet;
use jiff::SignedDuration;

use super::address::Association;
use super::network_interface::NetworkInterface;
use super::ownership::Thing;
use super::zones::zones;
use super::{Event, Network};
use crate::call::Refusal;
use crate::world::AccountId;

/// A subnet, as a service sees it that is to put something there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) subnet_id: String,
    pub(crate) vpc_id: String,
    pub(crate) zone_id: String,
    /// How many addresses are left.
    pub(crate) free: usize,
    /// Whether it has a range of IPv6.
    pub(crate) has_ipv6: bool,
}

/// How an Elastic IP address is that somebody names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allocation {
    Unknown,
    Free,
    InUse,
}

/// The interfaces of a VPC, by their addresses.
pub(crate) struct Hosts<'a> {
    network: &'a Network,
    by_address: BTreeMap<Ipv4Addr, &'a NetworkInterface>,
}

/// An instance as those see it who run something there.
pub(crate) struct Host {
    pub(crate) instance_type: String,
    pub(crate) zone_id: String,
    pub(crate) address: Ipv4Addr,
    /// What it can give away.
    pub(crate) more_addresses: Vec<Ipv4Addr>,
}

impl Network {
    /// Returns a subnet that an account sees.
    pub(crate) fn place(&self, account: &AccountId, subnet_id: &str) -> Option<Place> {
        let subnet = self.subnets.get(subnet_id).filter(|subnet| self.sees_subnet(subnet, account))?;
        Some(Place {
            subnet_id: subnet_id.to_owned(),
            vpc_id: subnet.vpc_id.clone(),
            zone_id: subnet.zone_id.clone(),
            free: subnet.addresses.available(),
            has_ipv6: subnet.ranges().len() > 1,
        })
    }

    /// Returns the subnet of a VPC that an address is in, whoever sees it.
    pub(crate) fn subnet_of_address(&self, vpc_id: &str, address: Ipv4Addr) -> Option<&str> {
        let has = |range: &IpNet| matches!(range, IpNet::V4(range) if range.contains(&address));
        let subnet = self.subnets_of(vpc_id).find(|subnet| subnet.ranges().iter().any(has))?;
        Some(&subnet.id)
    }

    /// Returns where an account's instance is, as long as it runs.
    pub(crate) fn place_of_instance(&self, account: &AccountId, id: &str) -> Option<Place> {
        let instance = self.instances.get(id).filter(|instance| instance.owner() == account)?;
        instance.primary_interface()?;
        self.place(account, &instance.subnet_id)
    }

    /// Returns what an instance is to pods, as long as it runs.
    pub(crate) fn machine(&self, id: &str) -> Option<Host> {
        let instance = self.instances.get(id)?;
        let primary = instance.primary_interface()?;
        let address = self.interfaces.get(primary)?.primary_address();
        let interfaces =
            std::iter::once(primary).chain(instance.more_interfaces().iter().map(String::as_str));
        let interfaces = interfaces.filter_map(|id| self.interfaces.get(id));
        // The first address of each interface is the machine's own.
        let more_addresses = interfaces.flat_map(|interface| interface.addresses().skip(1)).collect();
        let zone_id = self.subnets.get(&instance.subnet_id)?.zone_id.clone();
        Some(Host { instance_type: instance.kind().to_owned(), zone_id, address, more_addresses })
    }

    /// Returns whose a VPC is that an account sees.
    pub(crate) fn owner_of_vpc(&self, account: &AccountId, vpc_id: &str) -> Option<&AccountId> {
        self.vpcs.get(vpc_id).filter(|vpc| self.sees_vpc(vpc, account)).map(Thing::owner)
    }

    /// Tells whether a VPC has a way to the internet.
    pub(crate) fn has_internet_gateway(&self, vpc_id: &str) -> bool {
        self.vpcs.get(vpc_id).is_some_and(|vpc| vpc.gateway_id.is_some())
    }

    /// Returns the group that an account's interfaces in its VPC have if none are named, in a list.
    ///
    /// # Errors
    /// If the VPC is not the account's.
    pub(crate) fn default_group(&self, account: &AccountId, vpc_id: &str) -> Result<Vec<String>, Refusal> {
        self.groups_of_interface(account, vpc_id, &[])
    }

    /// Returns the VPC of a group that an account may give to what it has: its own groups.
    pub(crate) fn vpc_of_group(&self, account: &AccountId, group: &str) -> Option<&str> {
        let group = self.groups.get(group).filter(|group| group.owner() == account)?;
        Some(&group.vpc_id)
    }

    /// Tells how the Elastic IP address is that an account names.
    pub(crate) fn allocation(&self, account: &AccountId, id: &str) -> Allocation {
        match self.addresses.get(id).filter(|address| address.owner() == account) {
            None => Allocation::Unknown,
            Some(address) if address.association.is_some() => Allocation::InUse,
            Some(_) => Allocation::Free,
        }
    }

    /// Lets an Elastic IP address stand for the first address of an interface.
    pub(crate) fn publish_as(&mut self, interface_id: &str, allocation: &str, association: String) {
        let Some(interface) = self.interfaces.get(interface_id) else { return };
        let private_address = interface.primary_address();
        let interface_id = interface_id.to_owned();
        self.associate(allocation, Association { id: association, interface_id, private_address });
    }

    /// Returns the first private address of an interface, and the public one that stands for it.
    pub(crate) fn addresses_of(&self, interface_id: &str) -> Option<(Ipv4Addr, Option<Ipv4Addr>)> {
        let interface = self.interfaces.get(interface_id)?;
        Some((interface.primary_address(), interface.public_address()))
    }

    /// Lets an interface go that its service needs no more, after a while.
    pub(crate) fn give_up_interface(&mut self, id: &str, lingers: SignedDuration) {
        self.timeline.after(self.now, lingers, Event::Interface(id.to_owned()));
    }

    /// Returns the interfaces of a VPC.
    pub(crate) fn hosts(&self, vpc_id: &str) -> Hosts<'_> {
        let subnets = self.subnets_of(vpc_id);
        let ids = subnets.flat_map(|subnet| self.dependents.of(&subnet.id, "eni-"));
        let interfaces = ids.filter_map(|id| self.interfaces.get(id));
        let by_address = interfaces
            .flat_map(|interface| interface.addresses().map(move |address| (address, interface)))
            .collect();
        Hosts { network: self, by_address }
    }
}

impl Hosts<'_> {
    /// Returns the first address of an instance that runs.
    pub(crate) fn address_of_instance(&self, id: &str) -> Option<Ipv4Addr> {
        let interface = self.network.instances.get(id)?.primary_interface()?;
        self.network.interfaces.get(interface).map(NetworkInterface::primary_address)
    }

    /// Tells whether groups let traffic of TCP to a port through, from every one of some interfaces to the
    /// interface that has an address. Nobody who has no such address answers.
    pub(crate) fn reach(&self, from: &[&str], to: Ipv4Addr, port: u16) -> bool {
        let Some(target) = self.by_address.get(&to) else { return false };
        let mut from = from.iter().filter_map(|id| self.network.interfaces.get(*id));
        from.all(|from| self.network.lets_through(from, (target, to), port))
    }
}

/// Returns the name that a zone has in an account.
pub(crate) fn zone_name(region: &str, account: &AccountId, zone_id: &str) -> Option<String> {
    zones(region, account).into_iter().find(|zone| zone.id == zone_id).map(|zone| zone.name)
}

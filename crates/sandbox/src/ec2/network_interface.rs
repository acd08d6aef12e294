//! Network interfaces: what has addresses in a subnet.
//!
//! Whatever is put into a subnet (a NAT gateway, an endpoint, a node, a load balancer) has one,
//! and a subnet with one is not deleted.

mod operations;

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::Network;
use super::ownership::{Thing, not_found};
use super::subnet::Subnet;
use super::tags::Tags;
use crate::call::Refusal;
use crate::world::AccountId;

pub(super) use operations::{OPERATIONS, private_name};

/// A network interface.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NetworkInterface {
    pub(super) id: String,
    /// A participant's interface is the participant's, in the owner's subnet.
    owner: AccountId,
    pub(super) vpc_id: String,
    pub(super) subnet_id: String,
    description: String,
    interface_type: String,
    requester: Requester,
    attachment: Option<Attachment>,
    pub(super) groups: Vec<String>,
    /// The first one is the primary.
    addresses: Vec<PrivateAddress>,
    pub(super) tags: Tags,
}

/// The instance that an interface is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attachment {
    pub(super) instance_id: String,
    /// 0 is the primary interface, which goes with its instance.
    pub(super) device: u32,
}

/// Who made an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Requester {
    /// A principal of the account, by its unique id.
    Principal(String),
    /// A service, by the id that it shows: the interface is in use, and the service alone changes
    /// and deletes it.
    Service(String),
}

/// An address of an interface in its subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct PrivateAddress {
    address: Ipv4Addr,
    public: Option<PublicAddress>,
}

/// The address by which the internet knows a private one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PublicAddress {
    pub(super) address: Ipv4Addr,
    /// An account, or a service such as `amazon-elb`.
    pub(super) owner: String,
    pub(super) allocation_id: Option<String>,
    pub(super) association_id: Option<String>,
}

/// What an interface is made from.
#[derive(Debug, Clone)]
pub(crate) struct NewInterface {
    pub(crate) owner: AccountId,
    pub(crate) subnet_id: String,
    pub(crate) description: String,
    /// Such as `interface` or `nat_gateway`.
    pub(crate) interface_type: &'static str,
    pub(crate) requester: Requester,
    /// The ids of security groups.
    pub(crate) groups: Vec<String>,
    /// Its primary address; `None` is any of the subnet's.
    pub(crate) address: Option<Ipv4Addr>,
    pub(crate) tags: Tags,
}

impl Thing for NetworkInterface {
    const NOUN: &'static str = "networkInterface";
    const NOT_FOUND: &'static str = "InvalidNetworkInterfaceID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Attachment {
    /// Tells whether the interface is deleted with its instance.
    fn goes_with_instance(&self) -> bool {
        self.device == 0
    }
}

impl NetworkInterface {
    /// Returns its primary address.
    pub(super) fn primary_address(&self) -> Ipv4Addr {
        self.addresses[0].address
    }

    /// Returns its addresses, the primary one first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        self.addresses.iter().map(|own| own.address)
    }

    /// Returns the address by which the internet knows its primary address.
    pub(super) fn public_address(&self) -> Option<Ipv4Addr> {
        self.addresses[0].public.as_ref().map(|public| public.address)
    }

    /// Tells whether it has this address.
    pub(super) fn has_address(&self, address: Ipv4Addr) -> bool {
        self.addresses.iter().any(|own| own.address == address)
    }

    /// Tells whether a service made it.
    pub(super) fn is_managed(&self) -> bool {
        matches!(self.requester, Requester::Service(_))
    }

    /// Tells whether it is a service's or an instance's.
    fn is_in_use(&self) -> bool {
        self.is_managed() || self.attachment.is_some()
    }
}

impl Network {
    /// Puts an interface into a subnet.
    ///
    /// # Errors
    /// If there is no such subnet, or the subnet has not the address or none that is free.
    pub(crate) fn add_interface(&mut self, id: &str, new: NewInterface) -> Result<(), Refusal> {
        let subnet =
            self.subnets.get_mut(&new.subnet_id).ok_or_else(|| not_found::<Subnet>(&new.subnet_id))?;
        let address = subnet.addresses.take(new.address)?;
        let interface = NetworkInterface {
            id: id.to_owned(),
            owner: new.owner,
            vpc_id: subnet.vpc_id.clone(),
            subnet_id: new.subnet_id,
            description: new.description,
            interface_type: new.interface_type.to_owned(),
            requester: new.requester,
            attachment: None,
            groups: new.groups,
            addresses: vec![PrivateAddress { address, public: None }],
            tags: new.tags,
        };
        for thing in stands_on(&interface) {
            self.dependents.add(thing, id);
        }
        self.interfaces.insert(id.to_owned(), interface);
        Ok(())
    }

    /// Takes an interface out of its subnet, and what was associated with it from it.
    pub(crate) fn remove_interface(&mut self, id: &str) {
        let Some(interface) = self.interfaces.get(id) else { return };
        let addresses: Vec<_> = interface.addresses.iter().map(|own| own.address).collect();
        for address in addresses {
            self.remove_private_address(id, address);
        }
        let Some(interface) = self.interfaces.remove(id) else { return };
        for thing in stands_on(&interface) {
            self.dependents.remove(thing, id);
        }
    }

    /// Attaches an interface to an instance, or detaches it.
    pub(super) fn attach_interface(&mut self, id: &str, attachment: Option<Attachment>) {
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.attachment = attachment;
        }
    }

    /// Gives an interface other groups.
    pub(crate) fn set_groups(&mut self, id: &str, groups: &[String]) {
        let Some(interface) = self.interfaces.get_mut(id) else { return };
        let before = std::mem::replace(&mut interface.groups, groups.to_vec());
        for group in &before {
            self.dependents.remove(group, id);
        }
        for group in groups {
            self.dependents.add(group, id);
        }
    }

    /// Gives an interface one more address; `None` is any of the subnet's.
    ///
    /// # Errors
    /// If there is no such interface, or the subnet has not the address or none that is free.
    pub(super) fn add_private_address(
        &mut self,
        id: &str,
        wanted: Option<Ipv4Addr>,
    ) -> Result<Ipv4Addr, Refusal> {
        let missing = || not_found::<NetworkInterface>(id);
        let interface = self.interfaces.get_mut(id).ok_or_else(missing)?;
        let subnet = self.subnets.get_mut(&interface.subnet_id).ok_or_else(missing)?;
        let address = subnet.addresses.take(wanted)?;
        interface.addresses.push(PrivateAddress { address, public: None });
        Ok(address)
    }

    /// Takes an address from an interface, and what was associated with it.
    pub(super) fn remove_private_address(&mut self, id: &str, address: Ipv4Addr) {
        self.unmap(id, address);
        let Some(interface) = self.interfaces.get_mut(id) else { return };
        interface.addresses.retain(|own| own.address != address);
        if let Some(subnet) = self.subnets.get_mut(&interface.subnet_id) {
            subnet.addresses.give_back(address);
        }
    }

    /// Makes an address of an interface known to the internet. The VPC's internet gateway cannot
    /// be detached as long as it is.
    pub(super) fn map(&mut self, id: &str, address: Ipv4Addr, public: PublicAddress) {
        let Some(interface) = self.interfaces.get_mut(id) else { return };
        let Some(own) = interface.addresses.iter_mut().find(|own| own.address == address) else { return };
        own.public = Some(public);
        if let Some(gateway) = self.vpcs.get(&interface.vpc_id).and_then(|vpc| vpc.gateway_id.as_deref()) {
            self.dependents.add(gateway, &mapping(id, address));
        }
    }

    /// Hides an address of an interface from the internet again.
    pub(super) fn unmap(&mut self, id: &str, address: Ipv4Addr) {
        let Some(interface) = self.interfaces.get_mut(id) else { return };
        let Some(own) = interface.addresses.iter_mut().find(|own| own.address == address) else { return };
        let Some(public) = own.public.take() else { return };
        if let Some(gateway) = self.vpcs.get(&interface.vpc_id).and_then(|vpc| vpc.gateway_id.as_deref()) {
            self.dependents.remove(gateway, &mapping(id, address));
        }
        let elastic = public.allocation_id.and_then(|allocation| self.addresses.get_mut(&allocation));
        if let Some(elastic) = elastic {
            elastic.association = None;
        }
    }
}

/// Names what stands on an internet gateway.
fn mapping(interface: &str, address: Ipv4Addr) -> String {
    format!("{interface} {address}")
}

/// Returns what cannot be deleted as long as the interface is there.
fn stands_on(interface: &NetworkInterface) -> impl Iterator<Item = &String> {
    std::iter::once(&interface.subnet_id).chain(&interface.groups)
}

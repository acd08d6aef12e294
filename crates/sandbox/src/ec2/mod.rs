//! EC2: networks that accounts of one organization share.

mod address;
mod address_pool;
mod address_range;
mod attributes;
mod cluster;
mod describe;
mod hosting;
mod instance;
mod instance_type;
mod internet_gateway;
mod launch_template;
mod nat_gateway;
mod network_acl;
mod network_interface;
mod ownership;
mod permissions;
mod prefix_list;
mod public_access;
mod region;
mod route_table;
mod security_group;
mod sharing;
mod subnet;
mod tagging;
pub(crate) mod tags;
#[cfg(test)]
pub(crate) mod testing;
mod vpc;
mod vpc_endpoint;
mod zones;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::call::{Call, Operation, Refusal};
use crate::world::{AccountId, Timeline};
use address::{Address, PublicAddresses};
pub(crate) use cluster::ClusterGroup;
pub(crate) use describe::like;
pub(crate) use hosting::{Allocation, Hosts, Place, zone_name};
use instance::Instance;
pub(crate) use instance::NewInstance;
pub(crate) use instance_type::addresses_of_interface;
use internet_gateway::InternetGateway;
pub(crate) use launch_template::Launch;
use launch_template::LaunchTemplate;
use nat_gateway::NatGateway;
use network_acl::NetworkAcl;
use network_interface::NetworkInterface;
pub(crate) use network_interface::{NewInterface, Requester};
use ownership::Dependents;
pub(crate) use permissions::needs;
use public_access::PublicAccess;
use route_table::RouteTable;
use security_group::{Rule, SecurityGroup};
use sharing::Shared;
use subnet::Subnet;
pub(crate) use tagging::tagged;
use vpc::Vpc;
use vpc_endpoint::VpcEndpoint;

/// The things of EC2 in one region, of all accounts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Network {
    vpcs: BTreeMap<String, Vpc>,
    subnets: BTreeMap<String, Subnet>,
    /// How many ranges of IPv6 were given to VPCs.
    ipv6_ranges: u32,
    access_lists: BTreeMap<String, NetworkAcl>,
    internet_gateways: BTreeMap<String, InternetGateway>,
    addresses: BTreeMap<String, Address>,
    public_addresses: PublicAddresses,
    interfaces: BTreeMap<String, NetworkInterface>,
    #[serde(default)]
    instances: BTreeMap<String, Instance>,
    #[serde(default)]
    launch_templates: BTreeMap<String, LaunchTemplate>,
    /// The ids of launch templates, by owner and name.
    #[serde(default)]
    template_names: BTreeMap<String, String>,
    nat_gateways: BTreeMap<String, NatGateway>,
    route_tables: BTreeMap<String, RouteTable>,
    /// By the ids of associations: route tables.
    table_associations: BTreeMap<String, String>,
    groups: BTreeMap<String, SecurityGroup>,
    /// The ids of groups, by VPC, name and owner.
    group_names: BTreeMap<String, String>,
    /// How many groups accounts have, but for those that VPCs are born with.
    group_counts: BTreeMap<AccountId, usize>,
    rules: BTreeMap<String, Rule>,
    endpoints: BTreeMap<String, VpcEndpoint>,
    /// What accounts forbid their VPCs.
    #[serde(default)]
    public_access: PublicAccess,
    /// What stands on what: on VPCs and subnets whatever is in them.
    dependents: Dependents,
    /// What happens by itself, and when.
    timeline: Timeline<Event>,
    /// The time at which things are looked at.
    now: Timestamp,
    /// What accounts see of what is not theirs.
    pub(crate) shared: Shared,
}

/// What happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Event {
    /// Something of a NAT gateway changes.
    NatGateway(String),
    /// Something of a VPC endpoint changes.
    VpcEndpoint(String),
    /// An instance that is gone is forgotten.
    Instance(String),
    /// An interface goes that nobody needs any more.
    Interface(String),
}

impl Network {
    /// Lets happen what is due.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        while let Some((at, event)) = self.timeline.next(now) {
            self.now = at;
            match event {
                Event::NatGateway(id) => self.settle_nat_gateway(&id, at),
                Event::VpcEndpoint(id) => self.settle_endpoint(&id, at),
                Event::Instance(id) => self.forget_instance(&id),
                Event::Interface(id) => self.remove_interface(&id),
            }
        }
        self.now = now;
    }
}

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        address::OPERATIONS,
        address::ASSOCIATION_OPERATIONS,
        attributes::OPERATIONS,
        instance::OPERATIONS,
        instance_type::OPERATIONS,
        internet_gateway::OPERATIONS,
        launch_template::OPERATIONS,
        launch_template::VERSION_OPERATIONS,
        nat_gateway::OPERATIONS,
        nat_gateway::ADDRESS_OPERATIONS,
        network_acl::OPERATIONS,
        network_interface::OPERATIONS,
        route_table::OPERATIONS,
        route_table::ASSOCIATION_OPERATIONS,
        route_table::ROUTE_OPERATIONS,
        prefix_list::OPERATIONS,
        public_access::OPERATIONS,
        region::OPERATIONS,
        security_group::OPERATIONS,
        subnet::OPERATIONS,
        subnet::IPV6_OPERATIONS,
        tagging::OPERATIONS,
        vpc::OPERATIONS,
        vpc::ATTRIBUTE_OPERATIONS,
        vpc::RANGE_OPERATIONS,
        vpc_endpoint::OPERATIONS,
        zones::OPERATIONS,
    ]
    .into_iter()
    .chain(security_group::MORE_OPERATIONS)
    .flatten()
}

/// Answers a dry run: everything that would be refused was refused before this is asked.
fn dry_run(call: &Call) -> Result<(), Refusal> {
    if call.parameters.flag("DryRun")?.unwrap_or_default() {
        let message = "Request would have succeeded, but DryRun flag is set.";
        return Err(Refusal { status: 412, ..Refusal::new("DryRunOperation", message) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Checks whether you have the required permissions for the action" (common query parameters, `DryRun`).
    #[test]
    fn everything_can_be_tried() {
        let without = operations().filter(|operation| !operation.parameters.contains(&"DryRun"));
        let mut names: Vec<_> = without.map(|operation| operation.name).collect();
        names.sort_unstable();
        // These have no such parameter in the API either.
        let expected = [
            "AssociateSubnetCidrBlock",
            "AssociateVpcCidrBlock",
            "DisassociateSubnetCidrBlock",
            "DisassociateVpcCidrBlock",
            "ModifySubnetAttribute",
            "ModifyVpcAttribute",
        ];
        assert_eq!(names, expected);
    }
}

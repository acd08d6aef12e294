//! NAT gateways: the ways out for subnets without public addresses.

mod addresses;
mod create;
mod life;
#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Description, describe, texts};
use super::ownership::{Thing, not_found, own};
use super::tags::Tags;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{AccountId, Failure, World};

pub(super) use addresses::OPERATIONS as ADDRESS_OPERATIONS;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    create::OPERATION,
    Operation::new(
        "DescribeNatGateways",
        &["NatGatewayId", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_gateways,
    ),
    Operation::new("DeleteNatGateway", &["NatGatewayId", "DryRun"], delete),
];

/// A NAT gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NatGateway {
    id: String,
    owner: AccountId,
    pub(super) vpc_id: String,
    subnet_id: String,
    connectivity: Connectivity,
    state: State,
    /// When its state changes next.
    changes_at: Option<Timestamp>,
    /// One that is going to fail has none.
    interface_id: Option<String>,
    /// The first one is the primary.
    addresses: Vec<NatAddress>,
    /// Why it fails; shown once it has failed.
    failure: Option<Failure>,
    made_at: Timestamp,
    deleted_at: Option<Timestamp>,
    pub(super) tags: Tags,
}

/// Where a gateway leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Connectivity {
    /// The internet.
    Public,
    /// Other private networks.
    Private,
}

/// How far a gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Pending,
    Failed,
    Available,
    Deleting,
    Deleted,
}

/// An address of a gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct NatAddress {
    private_address: Option<Ipv4Addr>,
    allocation_id: Option<String>,
    association_id: Option<String>,
    public_ip: Option<Ipv4Addr>,
    status: Status,
    /// When its status changes next.
    changes_at: Option<Timestamp>,
}

/// How far an address of a gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Status {
    Assigning,
    Unassigning,
    Associating,
    Disassociating,
    Succeeded,
}

impl Thing for NatGateway {
    const NOUN: &'static str = "natGateway";
    const NOT_FOUND: &'static str = "NatGatewayNotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Connectivity {
    fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Available => "available",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Assigning => "assigning",
            Self::Unassigning => "unassigning",
            Self::Associating => "associating",
            Self::Disassociating => "disassociating",
            Self::Succeeded => "succeeded",
        }
    }

    fn is_leaving(self) -> bool {
        matches!(self, Self::Unassigning | Self::Disassociating)
    }
}

impl NatGateway {
    /// Tells whether traffic can be sent to it, now or soon.
    pub(super) fn takes_traffic(&self) -> bool {
        matches!(self.state, State::Pending | State::Available)
    }
}

impl Network {
    /// Returns a gateway that the caller may change. "Participants cannot create, delete, or
    /// describe NAT gateways in a shared VPC subnet" (VPC user guide, responsibilities and
    /// permissions).
    pub(super) fn own_nat_gateway(&mut self, call: &Call, id: &str) -> Result<&mut NatGateway, Refusal> {
        let gateway = own(call, &mut self.nat_gateways, id, false)?;
        if gateway.state == State::Deleted { Err(not_found::<NatGateway>(id)) } else { Ok(gateway) }
    }
}

fn describe_gateways(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "natGatewaySet",
        ids: "NatGatewayId",
        not_found: NatGateway::NOT_FOUND,
        visible: &|gateway: &NatGateway| gateway.owner == call.caller.account,
        filter: &filtered,
        shown: &shown,
        page: (5, 1000),
    };
    describe(call, &network.nat_gateways, &description)
}

fn shown(gateway: &NatGateway) -> Value {
    let failure = gateway.failure.as_ref().filter(|_| gateway.state == State::Failed);
    json!({
        "natGatewayId": gateway.id,
        "vpcId": gateway.vpc_id,
        "subnetId": gateway.subnet_id,
        "connectivityType": gateway.connectivity.name(),
        "availabilityMode": "zonal",
        "state": gateway.state.name(),
        "failureCode": failure.map(|failure| &failure.code),
        "failureMessage": failure.map(|failure| &failure.message),
        "createTime": gateway.made_at,
        "deleteTime": gateway.deleted_at,
        "natGatewayAddressSet": shown_addresses(gateway, |_| true),
        "tagSet": tags::shown(&gateway.tags),
    })
}

/// Returns those of a gateway's addresses that are chosen.
fn shown_addresses(gateway: &NatGateway, chosen: impl Fn(&NatAddress) -> bool) -> Vec<Value> {
    let all = gateway.addresses.iter().enumerate();
    all.filter(|(_, address)| chosen(address))
        .map(|(position, address)| {
            json!({
                "allocationId": address.allocation_id,
                "associationId": address.association_id,
                "networkInterfaceId": gateway.interface_id,
                "privateIp": address.private_address,
                "publicIp": address.public_ip,
                "isPrimary": position == 0,
                "status": gateway.interface_id.as_ref().map(|_| address.status.name()),
            })
        })
        .collect()
}

fn filtered(gateway: &NatGateway, filter: &str) -> Option<Vec<String>> {
    Some(match filter {
        "nat-gateway-id" => texts([&gateway.id]),
        "state" => texts([gateway.state.name()]),
        "subnet-id" => texts([&gateway.subnet_id]),
        "vpc-id" => texts([&gateway.vpc_id]),
        _ => return tags::filtered(&gateway.tags, filter),
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("NatGatewayId")?;
    let network = world.network(&call.region);
    network.own_nat_gateway(call, id)?;
    dry_run(call)?;
    network.begin_to_delete_nat_gateway(id);
    Ok(json!({ "natGatewayId": id }))
}

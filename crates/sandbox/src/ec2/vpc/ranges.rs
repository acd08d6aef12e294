//! The ranges that a VPC gets besides the one that it is born with.

use std::net::Ipv6Addr;

use ipnet::{IpNet, Ipv6Net};
use serde_json::{Value, json};

use super::Vpc;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::Network;
use crate::ec2::address_range::{self, ASSOCIATED, AddressRange, overlap};
use crate::quotas;
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "AssociateVpcCidrBlock",
        &["VpcId", "CidrBlock", "AmazonProvidedIpv6CidrBlock", "Ipv4IpamPoolId", "Ipv4NetmaskLength"],
        associate,
    ),
    Operation::new("DisassociateVpcCidrBlock", &["AssociationId"], disassociate),
];

impl Vpc {
    /// Returns its ranges.
    pub(in crate::ec2) fn ranges(&self) -> Vec<IpNet> {
        self.associated_ranges().map(|range| range.range).collect()
    }

    /// Returns its ranges of IPv4 or of IPv6.
    pub(super) fn ranges_of(&self, ipv6: bool) -> impl Iterator<Item = AddressRange> {
        self.associated_ranges().filter(move |range| range.is_ipv6() == ipv6)
    }

    pub(in crate::ec2) fn associated_ranges(&self) -> impl Iterator<Item = AddressRange> {
        std::iter::once(self.primary_range()).chain(self.more_ranges.clone())
    }

    fn primary_range(&self) -> AddressRange {
        let association_id = self.id.replace("vpc-", "vpc-cidr-assoc-");
        AddressRange { association_id, range: self.cidr_block.into() }
    }

    /// Returns the ranges as answers have them.
    pub(super) fn shown_ranges(&self, ipv6: bool, call: &Call) -> Vec<Value> {
        self.ranges_of(ipv6).map(|range| range.shown(ASSOCIATED, call)).collect()
    }
}

impl Network {
    /// Returns a range of IPv6 that nobody else has: of those for documentation (RFC 3849), with
    /// 56 bits, as Amazon gives them.
    fn give_ipv6_range(&mut self) -> Ipv6Net {
        let number = self.ipv6_ranges;
        self.ipv6_ranges += 1;
        let first = u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0));
        let address = Ipv6Addr::from(first | u128::from(number) << (128 - AMAZON_PREFIX));
        Ipv6Net::new_assert(address, AMAZON_PREFIX)
    }

    /// Gives a VPC that is there one more range of IPv6.
    pub(super) fn add_ipv6_range(&mut self, vpc_id: &str, association_id: String) -> Option<AddressRange> {
        let range = AddressRange { association_id, range: self.give_ipv6_range().into() };
        self.vpcs.get_mut(vpc_id)?.more_ranges.push(range.clone());
        Some(range)
    }
}

/// "Requests an Amazon-provided IPv6 CIDR block with a /56 prefix length" (API reference,
/// `AssociateVpcCidrBlock`).
const AMAZON_PREFIX: u8 = 56;

/// Refuses pools of IP Address Manager, which nobody has here.
pub(super) fn check_pools(call: &Call) -> Result<(), Refusal> {
    match call.parameters.text("Ipv4IpamPoolId") {
        Some(pool) => {
            let message = format!("The ipam-pool ID '{pool}' does not exist");
            Err(Refusal::new("InvalidIpamPoolId.NotFound", message))
        }
        None => Ok(()),
    }
}

fn associate(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let id = parameters.required("VpcId")?;
    check_pools(call)?;
    let wants_ipv6 = parameters.flag("AmazonProvidedIpv6CidrBlock")?.unwrap_or_default();
    let wanted = if wants_ipv6 { None } else { Some(wanted_range(call)?) };
    let most = world.quota(&call.caller.account, quotas::RANGES);
    let vpc = world.network(&call.region).own_vpc(call, id)?;
    if vpc.ranges_of(wants_ipv6).count() >= most {
        let message = format!("This network '{id}' has met its maximum number of allowed CIDRs: {most}");
        return Err(Refusal::new("CidrLimitExceeded", message));
    }
    if let Some(wanted) = wanted.filter(|wanted| vpc.ranges().iter().any(|range| overlap(range, wanted))) {
        let message = format!("The CIDR '{wanted}' conflicts with another one of the VPC");
        return Err(Refusal::new("InvalidVpc.Range", message));
    }
    let association_id = world.new_id("vpc-cidr-assoc");
    let network = world.network(&call.region);
    let made = match wanted {
        Some(range) => {
            let range = AddressRange { association_id, range };
            network.own_vpc(call, id)?.more_ranges.push(range.clone());
            Some(range)
        }
        None => network.add_ipv6_range(id, association_id),
    };
    Ok(json!({ "vpcId": id, field(wants_ipv6): made.map(|range| range.shown("associating", call)) }))
}

/// Returns the range of IPv4 that a call wants.
fn wanted_range(call: &Call) -> Result<IpNet, Refusal> {
    let text = call.parameters.required("CidrBlock")?;
    match address_range::read("cidrBlock", text)? {
        range @ IpNet::V4(_) if (16..=28).contains(&range.prefix_len()) => Ok(range),
        IpNet::V4(_) => Err(Refusal::new("InvalidVpc.Range", format!("The CIDR '{text}' is invalid."))),
        IpNet::V6(_) => Err(Refusal::value("cidrBlock", text)),
    }
}

/// Returns the field of answers that has an association.
fn field(ipv6: bool) -> &'static str {
    if ipv6 { "ipv6CidrBlockAssociation" } else { "cidrBlockAssociation" }
}

fn disassociate(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("AssociationId")?;
    let network = world.network(&call.region);
    let has = |vpc: &&Vpc| vpc.owner == call.caller.account && vpc.associated_ranges().any(is(id));
    let Some(vpc) = network.vpcs.values().find(has) else {
        let message = format!("The vpc CIDR block association ID '{id}' does not exist");
        return Err(Refusal::new("InvalidVpcCidrBlockAssociationID.NotFound", message));
    };
    let vpc_id = vpc.id.clone();
    // "You cannot disassociate the CIDR block with which you originally created the VPC" (API
    // reference, `DisassociateVpcCidrBlock`).
    let Some(range) = vpc.more_ranges.iter().find(|range| range.association_id == id).cloned() else {
        let message = format!(
            "The vpc CIDR block with association ID {id} may not be disassociated. It is the primary IPv4 CIDR \
             block of the VPC"
        );
        return Err(Refusal::new("OperationNotPermitted", message));
    };
    if network.subnets_of(&vpc_id).any(|subnet| subnet.ranges().iter().any(|own| range.range.contains(own))) {
        let message = format!("The vpc {vpc_id} currently has a subnet within CIDR block {}", range.range);
        return Err(Refusal::new("InvalidCidrBlock.InUse", message));
    }
    let vpc = network.own_vpc(call, &vpc_id)?;
    vpc.more_ranges.retain(|range| range.association_id != id);
    Ok(json!({ "vpcId": vpc_id, field(range.is_ipv6()): range.shown("disassociating", call) }))
}

fn is(id: &str) -> impl Fn(AddressRange) -> bool {
    move |range| range.association_id == id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{list, with_subnet};
    use crate::testing::text;

    #[test]
    fn a_vpc_gets_a_second_range_which_every_table_knows() {
        let (mut account, vpc, _) = with_subnet();
        let wanted = json!({ "VpcId": vpc, "CidrBlock": "100.64.0.7/16" });
        let made = account.ok("AssociateVpcCidrBlock", wanted.clone())["cidrBlockAssociation"].clone();
        assert_eq!(made["cidrBlock"], "100.64.0.0/16");
        account.refused("AssociateVpcCidrBlock", wanted, "InvalidVpc.Range");
        let filter = json!([{ "Name": "cidr-block-association.cidr-block", "Value": ["100.64.*"] }]);
        let seen = account.ok("DescribeVpcs", json!({ "Filter": filter }));
        let ranges = list(&list(&seen, "vpcSet")[0], "cidrBlockAssociationSet").clone();
        assert_eq!(ranges.len(), 2);
        let tables = account.ok("DescribeRouteTables", json!({}));
        assert_eq!(list(&list(&tables, "routeTableSet")[0], "routeSet").len(), 2);
        let inside = json!({ "VpcId": vpc, "CidrBlock": "100.64.1.0/24" });
        let subnet = text(&account.ok("CreateSubnet", inside)["subnet"]["subnetId"]);
        let one = json!({ "AssociationId": made["associationId"] });
        account.refused("DisassociateVpcCidrBlock", one.clone(), "InvalidCidrBlock.InUse");
        account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
        account.ok("DisassociateVpcCidrBlock", one.clone());
        account.refused("DisassociateVpcCidrBlock", one, "InvalidVpcCidrBlockAssociationID.NotFound");
        let primary = json!({ "AssociationId": ranges[0]["associationId"] });
        account.refused("DisassociateVpcCidrBlock", primary, "OperationNotPermitted");
    }

    #[test]
    fn a_vpc_gets_ranges_of_ipv6_from_amazon() {
        let (mut account, vpc, _) = with_subnet();
        let wanted = json!({ "VpcId": vpc, "AmazonProvidedIpv6CidrBlock": "true" });
        let made = account.ok("AssociateVpcCidrBlock", wanted.clone())["ipv6CidrBlockAssociation"].clone();
        assert_eq!(made["ipv6CidrBlock"], "2001:db8::/56");
        assert_eq!(made["ipv6CidrBlockState"]["state"], "associating");
        let filter = json!([{ "Name": "ipv6-cidr-block-association.association-id", "Value": [made["associationId"]] }]);
        let seen = account.ok("DescribeVpcs", json!({ "Filter": filter }));
        let range = &list(&seen, "vpcSet")[0]["ipv6CidrBlockAssociationSet"][0];
        assert_eq!(range["ipv6CidrBlockState"]["state"], "associated");
        for _ in 1..quotas::RANGES.value {
            account.ok("AssociateVpcCidrBlock", wanted.clone());
        }
        account.refused("AssociateVpcCidrBlock", wanted, "CidrLimitExceeded");
        account.ok("DisassociateVpcCidrBlock", json!({ "AssociationId": made["associationId"] }));
        let born = json!({ "CidrBlock": "10.1.0.0/16", "AmazonProvidedIpv6CidrBlock": "true" });
        let born = account.ok("CreateVpc", born)["vpc"].clone();
        assert_eq!(born["ipv6CidrBlockAssociationSet"][0]["ipv6CidrBlock"], "2001:db8:0:500::/56");
    }

    #[test]
    fn ranges_that_cannot_be_are_refused() {
        let (mut account, vpc, subnet) = with_subnet();
        for (parameters, code) in [
            (json!({ "VpcId": vpc }), "MissingParameter"),
            (json!({ "VpcId": vpc, "CidrBlock": "10.1.0.0/8" }), "InvalidVpc.Range"),
            (json!({ "VpcId": vpc, "CidrBlock": "2001:db8::/56" }), "InvalidParameterValue"),
            (json!({ "VpcId": vpc, "Ipv4IpamPoolId": "ipam-pool-0" }), "InvalidIpamPoolId.NotFound"),
        ] {
            account.refused("AssociateVpcCidrBlock", parameters, code);
        }
        let pool = json!({ "Ipv4IpamPoolId": "ipam-pool-0", "Ipv4NetmaskLength": "16" });
        account.refused("CreateVpc", pool, "InvalidIpamPoolId.NotFound");
        account.share_with_other(&subnet);
        account.other(|other| {
            let wanted = json!({ "VpcId": vpc, "CidrBlock": "100.64.0.0/16" });
            other.refused("AssociateVpcCidrBlock", wanted, "UnauthorizedOperation");
            let primary = json!({ "AssociationId": vpc.replace("vpc-", "vpc-cidr-assoc-") });
            let code = "InvalidVpcCidrBlockAssociationID.NotFound";
            other.refused("DisassociateVpcCidrBlock", primary, code);
        });
    }
}

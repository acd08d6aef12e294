//! The ranges of IPv6 that subnets have besides that of IPv4.

use ipnet::IpNet;
use serde_json::json;

use super::Subnet;
use super::attributes::Switch;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::Network;
use crate::ec2::address_range::{self, AddressRange};
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new("AssociateSubnetCidrBlock", &["SubnetId", "Ipv6CidrBlock"], associate),
    Operation::new("DisassociateSubnetCidrBlock", &["AssociationId"], disassociate),
];

/// Returns the range of IPv6 that a call wants for a subnet of a VPC, if it wants one.
pub(super) fn wanted(network: &Network, call: &Call, vpc_id: &str) -> Result<Option<IpNet>, Refusal> {
    let Some(text) = call.parameters.text("Ipv6CidrBlock") else { return Ok(None) };
    let range = match address_range::read("ipv6CidrBlock", text)? {
        range @ IpNet::V6(_) => range,
        IpNet::V4(_) => return Err(Refusal::value("ipv6CidrBlock", text)),
    };
    let length = range.prefix_len();
    // "Possible IPv6 netmask lengths are between /44 and /64 in increments of /4" (VPC user guide,
    // "Add or remove an IPv6 CIDR block from your subnet").
    let fits = (44..=64).contains(&length) && length % 4 == 0;
    let inside =
        network.vpcs.get(vpc_id).is_some_and(|vpc| vpc.ranges().iter().any(|own| own.contains(&range)));
    if !fits || !inside {
        return Err(Refusal::new("InvalidSubnet.Range", format!("The IPv6 CIDR '{text}' is invalid.")));
    }
    network.check_apart(vpc_id, &range)?;
    Ok(Some(range))
}

/// Makes the association of a subnet with its range: a subnet has one at most.
pub(super) fn range_of(subnet_id: &str, range: IpNet) -> AddressRange {
    AddressRange { association_id: subnet_id.replace("subnet-", "subnet-cidr-assoc-"), range }
}

fn associate(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("SubnetId")?;
    call.parameters.required("Ipv6CidrBlock")?;
    let network = world.network(&call.region);
    let subnet = network.own_subnet(call, id)?;
    // "You can only associate a single IPv6 CIDR block with your subnet" (API reference,
    // `AssociateSubnetCidrBlock`).
    if subnet.ipv6.is_some() {
        let message = format!("{id} has an IPv6 CIDR block already");
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    let vpc_id = subnet.vpc_id.clone();
    let wanted = wanted(network, call, &vpc_id)?;
    let range = wanted.map(|range| range_of(id, range));
    network.own_subnet(call, id)?.ipv6.clone_from(&range);
    let shown = range.map(|range| range.shown("associating", call));
    Ok(json!({ "subnetId": id, "ipv6CidrBlockAssociation": shown }))
}

fn disassociate(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("AssociationId")?;
    let subnet_id = id.replace("subnet-cidr-assoc-", "subnet-");
    let network = world.network(&call.region);
    let is_there = |subnet: &&mut Subnet| subnet.ipv6.as_ref().is_some_and(|own| own.association_id == id);
    // Who does not own the subnet, does not know of the association.
    let Some(subnet) = network.own_subnet(call, &subnet_id).ok().filter(is_there) else {
        let message = format!("The subnet CIDR block association ID '{id}' does not exist");
        return Err(Refusal::new("InvalidSubnetCidrBlockAssociationID.NotFound", message));
    };
    if subnet.settings.is_on(Switch::AssignIpv6) {
        let message = format!(
            "The subnet IPv6 CIDR block with association ID {id} may not be disassociated, because its subnet has \
             assign-ipv6-address-on-creation set to true."
        );
        return Err(Refusal::new("InvalidCidrBlock.InUse", message));
    }
    let shown = subnet.ipv6.take().map(|range| range.shown("disassociating", call));
    Ok(json!({ "subnetId": subnet_id, "ipv6CidrBlockAssociation": shown }))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::ec2::testing::with_subnet;
    use crate::testing::Account;

    /// Makes an account whose VPC has a range of IPv6.
    fn with_range() -> (Account, String, String) {
        let (mut account, vpc, subnet) = with_subnet();
        let wanted = json!({ "VpcId": vpc, "AmazonProvidedIpv6CidrBlock": "true" });
        account.ok("AssociateVpcCidrBlock", wanted);
        (account, vpc, subnet)
    }

    fn range(account: &mut Account, subnet: &str) -> Value {
        let seen = account.ok("DescribeSubnets", json!({ "SubnetId": [subnet] }));
        seen["subnetSet"][0]["ipv6CidrBlockAssociationSet"][0].clone()
    }

    #[test]
    fn a_subnet_gets_a_range_and_loses_it() {
        let (mut account, _, subnet) = with_range();
        let with = |range: &str| json!({ "SubnetId": subnet, "Ipv6CidrBlock": range });
        for (wanted, code) in [
            ("2001:db8:0:0100::/64", "InvalidSubnet.Range"),
            ("2001:db8::/63", "InvalidSubnet.Range"),
            ("10.0.0.0/24", "InvalidParameterValue"),
            ("x", "InvalidParameterValue"),
        ] {
            account.refused("AssociateSubnetCidrBlock", with(wanted), code);
        }
        account.ok("AssociateSubnetCidrBlock", with("2001:db8:0:5::7/64"));
        account.refused("AssociateSubnetCidrBlock", with("2001:db8:0:6::/64"), "InvalidParameterValue");
        let seen = range(&mut account, &subnet);
        assert_eq!(seen["ipv6CidrBlock"], "2001:db8:0:5::/64");
        assert_eq!(seen["ipv6CidrBlockState"]["state"], "associated");
        let filter = json!([{ "Name": "ipv6-cidr-block-association.ipv6-cidr-block", "Value": ["2001*"] }]);
        let found = account.ok("DescribeSubnets", json!({ "Filter": filter }));
        assert_eq!(found["subnetSet"][0]["subnetId"], subnet.as_str());
        let one = json!({ "AssociationId": seen["associationId"] });
        account.ok("DisassociateSubnetCidrBlock", one.clone());
        account.refused("DisassociateSubnetCidrBlock", one, "InvalidSubnetCidrBlockAssociationID.NotFound");
        assert_eq!(range(&mut account, &subnet), Value::Null);
    }

    #[test]
    fn interfaces_get_addresses_only_where_there_is_a_range() {
        let (mut account, vpc, subnet) = with_range();
        let assign = |on: &str| json!({ "SubnetId": subnet, "AssignIpv6AddressOnCreation": { "Value": on } });
        account.refused("ModifySubnetAttribute", assign("true"), "InvalidParameterValue");
        let wanted = json!({ "SubnetId": subnet, "Ipv6CidrBlock": "2001:db8::/64" });
        account.ok("AssociateSubnetCidrBlock", wanted);
        account.ok("ModifySubnetAttribute", assign("true"));
        let one = json!({ "AssociationId": range(&mut account, &subnet)["associationId"] });
        account.refused("DisassociateSubnetCidrBlock", one.clone(), "InvalidCidrBlock.InUse");
        let of_vpc = account.ok("DescribeVpcs", json!({ "VpcId": [vpc] }));
        let of_vpc = of_vpc["vpcSet"][0]["ipv6CidrBlockAssociationSet"][0]["associationId"].clone();
        let of_vpc = json!({ "AssociationId": of_vpc });
        account.refused("DisassociateVpcCidrBlock", of_vpc.clone(), "InvalidCidrBlock.InUse");
        account.ok("ModifySubnetAttribute", assign("false"));
        account.ok("DisassociateSubnetCidrBlock", one);
        account.ok("DisassociateVpcCidrBlock", of_vpc);
    }

    #[test]
    fn a_subnet_is_born_with_a_range_that_no_other_has() {
        let (mut account, vpc, subnet) = with_range();
        let wanted = json!({ "VpcId": vpc, "CidrBlock": "10.0.2.0/24", "Ipv6CidrBlock": "2001:db8::/64" });
        let made = account.ok("CreateSubnet", wanted)["subnet"].clone();
        assert_eq!(made["ipv6CidrBlockAssociationSet"][0]["ipv6CidrBlock"], "2001:db8::/64");
        let same = json!({ "SubnetId": subnet, "Ipv6CidrBlock": "2001:db8::/60" });
        account.refused("AssociateSubnetCidrBlock", same, "InvalidSubnet.Conflict");
        let association = made["ipv6CidrBlockAssociationSet"][0]["associationId"].clone();
        account.share_with_other(&subnet);
        account.other(|other| {
            let wanted = json!({ "SubnetId": subnet, "Ipv6CidrBlock": "2001:db8:0:1::/64" });
            other.refused("AssociateSubnetCidrBlock", wanted, "UnauthorizedOperation");
            let one = json!({ "AssociationId": association });
            let code = "InvalidSubnetCidrBlockAssociationID.NotFound";
            other.refused("DisassociateSubnetCidrBlock", one, code);
        });
    }
}

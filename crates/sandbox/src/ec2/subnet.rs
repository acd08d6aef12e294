//! Subnets: parts of a VPC in one zone, which other accounts may see and use.

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address_pool::AddressPool;
use super::describe::{Description, describe};
use super::ownership::{Thing, not_found, own};
use super::tags::Tags;
use super::zones::zones;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{AccountId, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateSubnet",
        &["VpcId", "CidrBlock", "AvailabilityZone", "AvailabilityZoneId", "TagSpecification", "DryRun"],
        create,
    ),
    Operation::new(
        "DescribeSubnets",
        &["SubnetId", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_subnets,
    ),
    Operation::new(
        "ModifySubnetAttribute",
        &["SubnetId", "MapPublicIpOnLaunch", "PrivateDnsHostnameTypeOnLaunch"],
        modify_attribute,
    ),
    Operation::new("DeleteSubnet", &["SubnetId", "DryRun"], delete),
];

/// A subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Subnet {
    pub(super) id: String,
    pub(super) owner: AccountId,
    pub(super) vpc_id: String,
    pub(super) cidr_block: Ipv4Net,
    pub(super) addresses: AddressPool,
    pub(super) zone_id: String,
    /// The association with a route table; without one the VPC's main table counts.
    pub(super) table_association: Option<String>,
    map_public_ip_on_launch: bool,
    hostname_type: String,
    pub(super) tags: Tags,
}

impl Thing for Subnet {
    const NOUN: &'static str = "subnet";
    const NOT_FOUND: &'static str = "InvalidSubnetID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Network {
    /// Tells whether an account sees a subnet: its own, and those that are shared with it.
    pub(super) fn sees_subnet(&self, subnet: &Subnet, account: &AccountId) -> bool {
        subnet.owner == *account || self.shared.is_seen(&subnet.id, account, self.now)
    }

    /// Returns a subnet that the caller sees.
    pub(super) fn seen_subnet(&self, call: &Call, id: &str) -> Result<&Subnet, Refusal> {
        let found = self.subnets.get(id).filter(|subnet| self.sees_subnet(subnet, &call.caller.account));
        found.ok_or_else(|| not_found::<Subnet>(id))
    }

    /// Returns a subnet that the caller may change.
    pub(super) fn own_subnet(&mut self, call: &Call, id: &str) -> Result<&mut Subnet, Refusal> {
        let seen = self.seen_subnet(call, id).is_ok();
        own(call, &mut self.subnets, id, seen)
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let vpc_id = parameters.required("VpcId")?;
    let text = parameters.required("CidrBlock")?;
    let cidr_block: Ipv4Net = text.parse().map_err(|_| Refusal::value("cidrBlock", text))?;
    let zone_id = zone_of(call)?;
    let tags = tags::at_birth(parameters, "subnet")?;
    let owner = call.caller.account.clone();
    let network = world.network(&call.region);
    let range = network.own_vpc(call, vpc_id)?.cidr_block;
    check_range(network, vpc_id, range, cidr_block.trunc())?;
    dry_run(call)?;
    let subnet = Subnet {
        id: world.new_id("subnet"),
        owner,
        vpc_id: vpc_id.to_owned(),
        // EC2 takes away the bits behind the prefix: 100.68.0.18/18 becomes 100.68.0.0/18.
        cidr_block: cidr_block.trunc(),
        addresses: AddressPool::new(cidr_block.trunc()),
        zone_id,
        table_association: None,
        map_public_ip_on_launch: false,
        hostname_type: "ip-name".to_owned(),
        tags,
    };
    let answer = json!({ "subnet": shown(&subnet, call) });
    let network = world.network(&call.region);
    network.dependents.add(&subnet.vpc_id, &subnet.id);
    network.subnets.insert(subnet.id.clone(), subnet);
    Ok(answer)
}

fn zone_of(call: &Call) -> Result<String, Refusal> {
    let all = zones(&call.region, &call.caller.account);
    let (id, name) = (call.parameters.text("AvailabilityZoneId"), call.parameters.text("AvailabilityZone"));
    let zone = all
        .into_iter()
        .find(|zone| id.is_none_or(|id| zone.id == id) && name.is_none_or(|name| zone.name == name));
    zone.map(|zone| zone.id)
        .ok_or_else(|| Refusal::value("availabilityZone", id.or(name).unwrap_or_default()))
}

/// Checks that a range is within the VPC's, big enough and nobody else's.
fn check_range(network: &Network, vpc_id: &str, range: Ipv4Net, wanted: Ipv4Net) -> Result<(), Refusal> {
    if !(16..=28).contains(&wanted.prefix_len()) || !range.contains(&wanted) {
        return Err(Refusal::new("InvalidSubnet.Range", format!("The CIDR '{wanted}' is invalid.")));
    }
    let overlaps = |other: &Subnet| {
        let others = other.cidr_block;
        other.vpc_id == vpc_id && (others.contains(&wanted) || wanted.contains(&others))
    };
    if network.subnets.values().any(overlaps) {
        let message = format!("The CIDR '{wanted}' conflicts with another subnet");
        return Err(Refusal::new("InvalidSubnet.Conflict", message));
    }
    Ok(())
}

fn describe_subnets(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "subnetSet",
        ids: "SubnetId",
        not_found: Subnet::NOT_FOUND,
        visible: &|subnet| network.sees_subnet(subnet, &call.caller.account),
        filter: &filtered,
        shown: &|subnet| shown(subnet, call),
        page: (5, 1000),
    };
    describe(call, &network.subnets, &description)
}

fn shown(subnet: &Subnet, call: &Call) -> Value {
    let account = &call.caller.account;
    let zone = zones(&call.region, account).into_iter().find(|zone| zone.id == subnet.zone_id);
    // "Tags for the resources within the shared VPC are not shared with the participants."
    let tags = (subnet.owner == *account).then(|| tags::shown(&subnet.tags));
    json!({
        "subnetId": subnet.id,
        "subnetArn": format!("arn:aws:ec2:{}:{}:subnet/{}", call.region, subnet.owner, subnet.id),
        "ownerId": subnet.owner.as_str(),
        "vpcId": subnet.vpc_id,
        "state": "available",
        "cidrBlock": subnet.cidr_block,
        "availableIpAddressCount": subnet.addresses.available(),
        "availabilityZone": zone.map(|zone| zone.name),
        "availabilityZoneId": subnet.zone_id,
        "defaultForAz": false,
        "mapPublicIpOnLaunch": subnet.map_public_ip_on_launch,
        "assignIpv6AddressOnCreation": false,
        "ipv6CidrBlockAssociationSet": [],
        "ipv6Native": false,
        "enableDns64": false,
        "privateDnsNameOptionsOnLaunch": {
            "hostnameType": subnet.hostname_type,
            "enableResourceNameDnsARecord": false,
            "enableResourceNameDnsAAAARecord": false,
        },
        "tagSet": tags,
    })
}

fn filtered(subnet: &Subnet, filter: &str) -> Option<Vec<String>> {
    let value = match filter {
        "subnet-id" => subnet.id.clone(),
        "vpc-id" => subnet.vpc_id.clone(),
        "owner-id" => subnet.owner.to_string(),
        "state" => "available".to_owned(),
        "available-ip-address-count" => subnet.addresses.available().to_string(),
        "cidr-block" | "cidr" | "cidrBlock" => subnet.cidr_block.to_string(),
        "availability-zone-id" | "availabilityZoneId" => subnet.zone_id.clone(),
        "default-for-az" | "defaultForAz" => "false".to_owned(),
        _ => return tags::filtered(&subnet.tags, filter),
    };
    Some(vec![value])
}

/// Changes one attribute: "you can only modify one attribute at a time" (API reference,
/// `ModifySubnetAttribute`).
fn modify_attribute(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let id = parameters.required("SubnetId")?;
    let map_public = parameters.table("MapPublicIpOnLaunch").flag("Value")?;
    let hostname_type = parameters.text("PrivateDnsHostnameTypeOnLaunch");
    if usize::from(map_public.is_some()) + usize::from(hostname_type.is_some()) != 1 {
        let message = "Exactly one attribute can be modified in a request";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    if let Some(other) = hostname_type.filter(|name| !["ip-name", "resource-name"].contains(name)) {
        return Err(Refusal::value("privateDnsHostnameTypeOnLaunch", other));
    }
    let subnet = world.network(&call.region).own_subnet(call, id)?;
    subnet.map_public_ip_on_launch = map_public.unwrap_or(subnet.map_public_ip_on_launch);
    if let Some(hostname_type) = hostname_type {
        hostname_type.clone_into(&mut subnet.hostname_type);
    }
    Ok(json!({ "return": true }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("SubnetId")?;
    let network = world.network(&call.region);
    let subnet = network.own_subnet(call, id)?;
    let (vpc_id, association) = (subnet.vpc_id.clone(), subnet.table_association.clone());
    network.dependents.check_none::<Subnet>(id)?;
    dry_run(call)?;
    if let Some(association) = association {
        network.remove_table_association(&association);
    }
    network.subnets.remove(id);
    network.dependents.remove(&vpc_id, id);
    Ok(json!({ "return": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::with_subnet;

    #[test]
    fn a_subnet_is_made_as_ec2_has_it() {
        let (mut account, _, subnet) = with_subnet();
        let seen = account.ok("DescribeSubnets", json!({ "SubnetId": [subnet] }))["subnetSet"][0].clone();
        assert_eq!(seen["cidrBlock"], "10.0.1.0/24");
        assert_eq!(seen["availableIpAddressCount"], 251);
        assert_eq!(seen["availabilityZoneId"], "use1-az2");
    }

    #[test]
    fn ranges_are_inside_and_apart() {
        let (mut account, vpc, _) = with_subnet();
        for (range, code) in [
            ("10.0.1.128/25", "InvalidSubnet.Conflict"),
            ("10.0.0.0/16", "InvalidSubnet.Conflict"),
            ("10.1.0.0/24", "InvalidSubnet.Range"),
            ("10.0.2.0/29", "InvalidSubnet.Range"),
        ] {
            account.refused("CreateSubnet", json!({ "VpcId": vpc, "CidrBlock": range }), code);
        }
        account.refused(
            "CreateSubnet",
            json!({ "VpcId": "vpc-0", "CidrBlock": "10.0.2.0/24" }),
            "InvalidVpcID.NotFound",
        );
    }

    #[test]
    fn a_vpc_with_a_subnet_is_not_deleted() {
        let (mut account, vpc, subnet) = with_subnet();
        account.refused("DeleteVpc", json!({ "VpcId": vpc }), "DependencyViolation");
        account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
        account.ok("DeleteVpc", json!({ "VpcId": vpc }));
    }

    #[test]
    fn a_participant_sees_and_changes_nothing() {
        let (mut owner, vpc, subnet) = with_subnet();
        owner.other(|participant| {
            participant.refused(
                "DescribeSubnets",
                json!({ "SubnetId": [subnet] }),
                "InvalidSubnetID.NotFound",
            );
            participant.refused("DescribeVpcs", json!({ "VpcId": [vpc] }), "InvalidVpcID.NotFound");
        });
        owner.share_with_other(&subnet);
        owner.other(|participant| {
            let seen = participant.ok("DescribeSubnets", json!({ "SubnetId": [subnet] }));
            assert_eq!(seen["subnetSet"][0]["tagSet"], Value::Null);
            assert_eq!(seen["subnetSet"][0]["ownerId"], "111111111111");
            participant.ok("DescribeVpcs", json!({ "VpcId": [vpc] }));
            participant.refused("DeleteSubnet", json!({ "SubnetId": subnet }), "UnauthorizedOperation");
            let change = json!({ "SubnetId": subnet, "MapPublicIpOnLaunch": { "Value": "true" } });
            participant.refused("ModifySubnetAttribute", change, "UnauthorizedOperation");
        });
    }

    #[test]
    fn attributes_change_one_by_one() {
        let (mut account, _, subnet) = with_subnet();
        let change = json!({ "SubnetId": subnet, "MapPublicIpOnLaunch": { "Value": "true" } });
        account.ok("ModifySubnetAttribute", change.clone());
        let seen = account.ok("DescribeSubnets", json!({ "SubnetId": [subnet] }));
        assert_eq!(seen["subnetSet"][0]["mapPublicIpOnLaunch"], true);
        let mut two = change;
        two["PrivateDnsHostnameTypeOnLaunch"] = json!("resource-name");
        account.refused("ModifySubnetAttribute", two, "InvalidParameterCombination");
    }
}

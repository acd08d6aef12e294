//! Subnets: parts of a VPC in one zone, which other accounts may see and use.

mod attributes;
mod ipv6;

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address_pool::AddressPool;
use super::address_range::{self, ASSOCIATED, AddressRange, overlap};
use super::describe::{Description, describe_among, texts};
use super::ownership::{Thing, not_found, own};
use super::tags::Tags;
use super::zones::zones;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::quotas;
use crate::world::{AccountId, World};
use attributes::{Settings, Switch};

pub(super) use ipv6::OPERATIONS as IPV6_OPERATIONS;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateSubnet",
        &[
            "VpcId",
            "CidrBlock",
            "Ipv6CidrBlock",
            "AvailabilityZone",
            "AvailabilityZoneId",
            "TagSpecification",
            "DryRun",
        ],
        create,
    ),
    Operation::new(
        "DescribeSubnets",
        &["SubnetId", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_subnets,
    ),
    attributes::OPERATION,
    Operation::new("DeleteSubnet", &["SubnetId", "DryRun"], delete),
];

/// A subnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Subnet {
    pub(super) id: String,
    pub(super) owner: AccountId,
    pub(super) vpc_id: String,
    cidr_block: Ipv4Net,
    ipv6: Option<AddressRange>,
    pub(super) addresses: AddressPool,
    pub(super) zone_id: String,
    /// The association with a route table; without one the VPC's main table counts.
    pub(super) table_association: Option<String>,
    settings: Settings,
    pub(super) tags: Tags,
}

impl Thing for Subnet {
    const NOUN: &'static str = "subnet";
    const NOT_FOUND: &'static str = "InvalidSubnetID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Subnet {
    /// Returns its ranges.
    pub(super) fn ranges(&self) -> Vec<IpNet> {
        let ipv6 = self.ipv6.as_ref().map(|range| range.range);
        std::iter::once(self.cidr_block.into()).chain(ipv6).collect()
    }
}

impl Network {
    /// Returns the subnets of a VPC.
    pub(super) fn subnets_of(&self, vpc_id: &str) -> impl Iterator<Item = &Subnet> {
        self.dependents.of(vpc_id, "subnet-").filter_map(|id| self.subnets.get(id))
    }

    /// Refuses a range that a subnet of the VPC has, or a part of it.
    fn check_apart(&self, vpc_id: &str, wanted: &IpNet) -> Result<(), Refusal> {
        let overlaps = |subnet: &Subnet| subnet.ranges().iter().any(|range| overlap(range, wanted));
        if self.subnets_of(vpc_id).any(overlaps) {
            let message = format!("The CIDR '{wanted}' conflicts with another subnet");
            return Err(Refusal::new("InvalidSubnet.Conflict", message));
        }
        Ok(())
    }

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
    // EC2 takes away the bits behind the prefix: 100.68.0.18/18 becomes 100.68.0.0/18.
    let cidr_block = cidr_block.trunc();
    let zone_id = zone_of(call)?;
    let tags = tags::at_birth(parameters, "subnet")?;
    let most = world.quota(&call.caller.account, quotas::SUBNETS);
    let network = world.network(&call.region);
    let ranges = network.own_vpc(call, vpc_id)?.ranges();
    check_range(network, vpc_id, &ranges, cidr_block)?;
    let ipv6 = ipv6::wanted(network, call, vpc_id)?;
    if network.subnets_of(vpc_id).count() >= most {
        let message = "The maximum number of subnets has been reached.";
        return Err(Refusal::new("SubnetLimitExceeded", message));
    }
    dry_run(call)?;
    let id = world.new_id("subnet");
    let subnet = Subnet {
        owner: call.caller.account.clone(),
        vpc_id: vpc_id.to_owned(),
        cidr_block,
        ipv6: ipv6.map(|range| ipv6::range_of(&id, range)),
        id,
        addresses: AddressPool::new(cidr_block),
        zone_id,
        table_association: None,
        settings: Settings::default(),
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
fn check_range(network: &Network, vpc_id: &str, ranges: &[IpNet], wanted: Ipv4Net) -> Result<(), Refusal> {
    let range = wanted.into();
    if !(16..=28).contains(&wanted.prefix_len()) || !ranges.iter().any(|own| own.contains(&range)) {
        return Err(Refusal::new("InvalidSubnet.Range", format!("The CIDR '{wanted}' is invalid.")));
    }
    network.check_apart(vpc_id, &range)
}

fn describe_subnets(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "subnetSet",
        ids: "SubnetId",
        not_found: Subnet::NOT_FOUND,
        visible: &|subnet| network.sees_subnet(subnet, &call.caller.account),
        filter: &|subnet, filter| filtered(subnet, call, filter),
        shown: &|subnet| shown(subnet, call),
        page: (5, 1000),
    };
    let among = network.dependents.named_by(call, "vpc-id", "subnet-");
    describe_among(call, &network.subnets, among, &description)
}

fn shown(subnet: &Subnet, call: &Call) -> Value {
    let ipv6 = subnet.ipv6.iter().map(|range| range.shown(ASSOCIATED, call));
    // "Tags for the resources within the shared VPC are not shared with the participants."
    let tags = (subnet.owner == call.caller.account).then(|| tags::shown(&subnet.tags));
    let settings = &subnet.settings;
    json!({
        "subnetId": subnet.id,
        "subnetArn": arn(subnet, call),
        "ownerId": subnet.owner.as_str(),
        "vpcId": subnet.vpc_id,
        "state": "available",
        "cidrBlock": subnet.cidr_block,
        "availableIpAddressCount": subnet.addresses.available(),
        "availabilityZone": zone_name(subnet, call),
        "availabilityZoneId": subnet.zone_id,
        "defaultForAz": false,
        "mapPublicIpOnLaunch": settings.is_on(Switch::MapPublicIp),
        "mapCustomerOwnedIpOnLaunch": false,
        "assignIpv6AddressOnCreation": settings.is_on(Switch::AssignIpv6),
        "ipv6CidrBlockAssociationSet": ipv6.collect::<Vec<_>>(),
        "ipv6Native": false,
        "enableDns64": settings.is_on(Switch::Dns64),
        "privateDnsNameOptionsOnLaunch": {
            "hostnameType": settings.hostname_type,
            "enableResourceNameDnsARecord": settings.is_on(Switch::ARecord),
            "enableResourceNameDnsAAAARecord": settings.is_on(Switch::AaaaRecord),
        },
        "blockPublicAccessStates": { "internetGatewayBlockMode": "off" },
        "tagSet": tags,
    })
}

fn arn(subnet: &Subnet, call: &Call) -> String {
    format!("arn:aws:ec2:{}:{}:subnet/{}", call.region, subnet.owner, subnet.id)
}

/// Returns the name that the caller's account has for the zone.
fn zone_name(subnet: &Subnet, call: &Call) -> Option<String> {
    let zones = zones(&call.region, &call.caller.account);
    zones.into_iter().find(|zone| zone.id == subnet.zone_id).map(|zone| zone.name)
}

fn filtered(subnet: &Subnet, call: &Call, filter: &str) -> Option<Vec<String>> {
    if let Some(part) = filter.strip_prefix("ipv6-cidr-block-association.") {
        return address_range::filtered(subnet.ipv6.iter(), part);
    }
    let settings = &subnet.settings;
    Some(match filter {
        "subnet-id" => texts([&subnet.id]),
        "subnet-arn" => texts([arn(subnet, call)]),
        "vpc-id" => texts([&subnet.vpc_id]),
        "owner-id" => texts([&subnet.owner]),
        "state" => texts(["available"]),
        "available-ip-address-count" => texts([subnet.addresses.available()]),
        "cidr-block" | "cidr" | "cidrBlock" => texts([subnet.cidr_block]),
        "availability-zone" | "availabilityZone" => texts(zone_name(subnet, call)),
        "availability-zone-id" | "availabilityZoneId" => texts([&subnet.zone_id]),
        "default-for-az" | "defaultForAz" | "ipv6-native" => texts([false]),
        "map-public-ip-on-launch" => texts([settings.is_on(Switch::MapPublicIp)]),
        "enable-dns64" => texts([settings.is_on(Switch::Dns64)]),
        "private-dns-name-options-on-launch.hostname-type" => texts([&settings.hostname_type]),
        "private-dns-name-options-on-launch.enable-resource-name-dns-a-record" => {
            texts([settings.is_on(Switch::ARecord)])
        }
        "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record" => {
            texts([settings.is_on(Switch::AaaaRecord)])
        }
        _ => return tags::filtered(&subnet.tags, filter),
    })
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
    use crate::ec2::testing::{list, with_subnet};

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
    fn a_vpc_has_two_hundred_subnets() {
        let (mut account, vpc, _) = with_subnet();
        let wanted = |number: usize| {
            let range = format!("10.0.{}.{}/28", number / 16 + 2, number % 16 * 16);
            json!({ "VpcId": vpc, "CidrBlock": range })
        };
        for number in 1..quotas::SUBNETS.value {
            account.ok("CreateSubnet", wanted(number));
        }
        account.refused("CreateSubnet", wanted(quotas::SUBNETS.value), "SubnetLimitExceeded");
    }

    #[test]
    fn filters_choose() {
        let (mut account, vpc, _) = with_subnet();
        account.ok("CreateSubnet", json!({ "VpcId": vpc, "CidrBlock": "10.0.2.0/24" }));
        for (name, value, found) in [
            ("vpc-id", vpc.as_str(), 2),
            ("vpc-id", "vpc-0", 0),
            ("availability-zone-id", "use1-az2", 1),
            ("availability-zone", "us-east-1*", 2),
            ("cidr-block", "10.0.2.0/24", 1),
            ("map-public-ip-on-launch", "true", 0),
            ("subnet-arn", "arn:aws:ec2:us-east-1:111111111111:subnet/*", 2),
            ("tag:Name", "a", 1),
        ] {
            let filter = json!([{ "Name": name, "Value": [value] }]);
            let seen = account.ok("DescribeSubnets", json!({ "Filter": filter }));
            assert_eq!(list(&seen, "subnetSet").len(), found, "{name}");
        }
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
}

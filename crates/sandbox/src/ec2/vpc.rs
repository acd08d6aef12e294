//! VPCs: ranges of addresses with settings.

mod attributes;
mod ranges;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address_range::{self, AddressRange};
use super::describe::{Description, describe, texts};
use super::ownership::{Thing, not_found, own};
use super::tags::Tags;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::quotas;
use crate::world::{AccountId, World};

pub(super) use attributes::OPERATIONS as ATTRIBUTE_OPERATIONS;
pub(super) use ranges::OPERATIONS as RANGE_OPERATIONS;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreateVpc",
        &[
            "CidrBlock",
            "Ipv4IpamPoolId",
            "Ipv4NetmaskLength",
            "AmazonProvidedIpv6CidrBlock",
            "InstanceTenancy",
            "TagSpecification",
            "DryRun",
        ],
        create,
    ),
    Operation::new("DescribeVpcs", &["VpcId", "Filter", "MaxResults", "NextToken", "DryRun"], describe_vpcs),
    Operation::new("DeleteVpc", &["VpcId", "DryRun"], delete),
];

/// A VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Vpc {
    id: String,
    owner: AccountId,
    cidr_block: Ipv4Net,
    more_ranges: Vec<AddressRange>,
    /// The internet gateway that is attached.
    pub(super) gateway_id: Option<String>,
    pub(super) main_table_id: String,
    /// The network access list that it is born with.
    pub(super) acl_id: String,
    tenancy: String,
    dns_support: bool,
    dns_hostnames: bool,
    usage_metrics: bool,
    pub(super) tags: Tags,
}

impl Thing for Vpc {
    const NOUN: &'static str = "vpc";
    const NOT_FOUND: &'static str = "InvalidVpcID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Vpc {
    /// Tells whether hosts in it have names, which private names of services need.
    pub(super) fn names_hosts(&self) -> bool {
        self.dns_support && self.dns_hostnames
    }
}

impl Network {
    /// Tells whether an account sees a VPC: its own, and those of subnets that are shared with it.
    pub(super) fn sees_vpc(&self, vpc: &Vpc, account: &AccountId) -> bool {
        let shared = || self.shared.seen(account, self.now).filter_map(|subnet| self.subnets.get(subnet));
        vpc.owner == *account || shared().any(|subnet| subnet.vpc_id == vpc.id)
    }

    /// Returns a VPC that the caller sees.
    pub(super) fn seen_vpc(&self, call: &Call, id: &str) -> Result<&Vpc, Refusal> {
        let found = self.vpcs.get(id).filter(|vpc| self.sees_vpc(vpc, &call.caller.account));
        found.ok_or_else(|| not_found::<Vpc>(id))
    }

    /// Returns a VPC that the caller may change.
    pub(super) fn own_vpc(&mut self, call: &Call, id: &str) -> Result<&mut Vpc, Refusal> {
        let seen = self.vpcs.get(id).is_some_and(|vpc| self.sees_vpc(vpc, &call.caller.account));
        own(call, &mut self.vpcs, id, seen)
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let cidr_block = wanted_range(call)?;
    let wants_ipv6 = call.parameters.flag("AmazonProvidedIpv6CidrBlock")?.unwrap_or_default();
    let tenancy = call.parameters.text("InstanceTenancy").unwrap_or("default");
    if !["default", "dedicated"].contains(&tenancy) {
        return Err(Refusal::value("instanceTenancy", tenancy));
    }
    let tags = tags::at_birth(&call.parameters, "vpc")?;
    let owner = call.caller.account.clone();
    let most = world.quota(&owner, quotas::VPCS);
    let own = world.network(&call.region).vpcs.values().filter(|vpc| vpc.owner == owner).count();
    if own >= most {
        let message = "The maximum number of VPCs has been reached.";
        return Err(Refusal::new("VpcLimitExceeded", message));
    }
    dry_run(call)?;
    let vpc = Vpc {
        id: world.new_id("vpc"),
        owner,
        cidr_block,
        more_ranges: Vec::new(),
        gateway_id: None,
        main_table_id: String::new(),
        acl_id: String::new(),
        tenancy: tenancy.to_owned(),
        dns_support: true,
        dns_hostnames: false,
        usage_metrics: false,
        tags,
    };
    let id = vpc.id.clone();
    world.network(&call.region).vpcs.insert(id.clone(), vpc);
    equip(world, call, &id, wants_ipv6);
    let network = world.network(&call.region);
    Ok(json!({ "vpc": shown(network, &network.vpcs[&id], call) }))
}

/// Returns the range of IPv4 that a call wants.
fn wanted_range(call: &Call) -> Result<Ipv4Net, Refusal> {
    ranges::check_pools(call)?;
    let text = call.parameters.required("CidrBlock")?;
    let range: Ipv4Net = text.parse().map_err(|_| Refusal::value("cidrBlock", text))?;
    // "VPC CIDR blocks", VPC user guide.
    if !(16..=28).contains(&range.prefix_len()) {
        return Err(Refusal::new("InvalidVpc.Range", format!("The CIDR '{text}' is invalid.")));
    }
    // EC2 takes away the bits behind the prefix.
    Ok(range.trunc())
}

/// Gives a VPC what every one is born with, and what goes with it.
fn equip(world: &mut World, call: &Call, id: &str, wants_ipv6: bool) {
    let (table, association) = (world.new_id("rtb"), world.new_id("rtbassoc"));
    let (list, range) = (world.new_id("acl"), world.new_id("vpc-cidr-assoc"));
    let group = [world.new_id("sg"), world.new_id("sgr"), world.new_id("sgr")];
    let network = world.network(&call.region);
    network.add_default_group(group, id, &call.caller.account);
    network.add_main_table(id, &table, &association);
    network.add_default_acl(id, &list);
    if wants_ipv6 {
        network.add_ipv6_range(id, range);
    }
}

fn describe_vpcs(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "vpcSet",
        ids: "VpcId",
        not_found: Vpc::NOT_FOUND,
        visible: &|vpc| network.sees_vpc(vpc, &call.caller.account),
        filter: &filtered,
        shown: &|vpc| shown(network, vpc, call),
        page: (5, 1000),
    };
    describe(call, &network.vpcs, &description)
}

fn shown(network: &Network, vpc: &Vpc, call: &Call) -> Value {
    json!({
        "vpcId": vpc.id,
        "ownerId": vpc.owner.as_str(),
        "state": "available",
        "cidrBlock": vpc.cidr_block,
        "cidrBlockAssociationSet": vpc.shown_ranges(false, call),
        "ipv6CidrBlockAssociationSet": vpc.shown_ranges(true, call),
        "dhcpOptionsId": dhcp_options_id(vpc),
        "instanceTenancy": vpc.tenancy,
        "isDefault": false,
        "blockPublicAccessStates": { "internetGatewayBlockMode": network.block_mode(&vpc.owner, &vpc.id) },
        "tagSet": (vpc.owner == call.caller.account).then(|| tags::shown(&vpc.tags)),
    })
}

/// Returns the id of the set of DHCP options that an account has from the beginning.
fn dhcp_options_id(vpc: &Vpc) -> String {
    format!("dopt-0{}0000", vpc.owner)
}

fn filtered(vpc: &Vpc, filter: &str) -> Option<Vec<String>> {
    let ranges = |ipv6: bool| vpc.ranges_of(ipv6).collect::<Vec<_>>();
    if let Some(part) = filter.strip_prefix("cidr-block-association.") {
        return address_range::filtered(ranges(false).iter(), part);
    }
    if let Some(part) = filter.strip_prefix("ipv6-cidr-block-association.") {
        return address_range::filtered(ranges(true).iter(), part);
    }
    Some(match filter {
        "vpc-id" => texts([&vpc.id]),
        "owner-id" => texts([&vpc.owner]),
        "state" => texts(["available"]),
        "cidr" => texts([vpc.cidr_block]),
        "dhcp-options-id" => texts([dhcp_options_id(vpc)]),
        "is-default" | "isDefault" => texts([false]),
        _ => return tags::filtered(&vpc.tags, filter),
    })
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("VpcId")?;
    let network = world.network(&call.region);
    let vpc = network.own_vpc(call, id)?;
    let (main_table, list) = (vpc.main_table_id.clone(), vpc.acl_id.clone());
    network.dependents.check_none::<Vpc>(id)?;
    dry_run(call)?;
    network.remove_main_table(&main_table);
    network.remove_default_group(id, &call.caller.account);
    network.access_lists.remove(&list);
    network.vpcs.remove(id);
    Ok(json!({ "return": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Account, text};

    #[test]
    fn a_vpc_is_made_described_and_deleted() {
        let mut account = Account::new();
        let made = account.ok("CreateVpc", json!({ "CidrBlock": "10.0.3.4/16" }));
        let id = text(&made["vpc"]["vpcId"]);
        assert_eq!(made["vpc"]["cidrBlock"], "10.0.0.0/16");
        let asked = json!({ "Filter": [{ "Name": "dhcp-options-id", "Value": ["dopt-*"] }] });
        assert_eq!(account.ok("DescribeVpcs", asked)["vpcSet"][0]["vpcId"], id.as_str());
        account.ok("DeleteVpc", json!({ "VpcId": id }));
        account.refused("DescribeVpcs", json!({ "VpcId": [id] }), "InvalidVpcID.NotFound");
        account.refused("DeleteVpc", json!({ "VpcId": id }), "InvalidVpcID.NotFound");
    }

    #[test]
    fn filters_and_pages_choose() {
        let mut account = Account::new();
        for name in ["a", "b", "c"] {
            let tag = json!([{ "ResourceType": "vpc", "Tag": [{ "Key": "Name", "Value": name }] }]);
            account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16", "TagSpecification": tag }));
        }
        let filter = json!([{ "Name": "tag:Name", "Value": ["a", "c"] }]);
        let found = account.ok("DescribeVpcs", json!({ "Filter": filter }));
        assert_eq!(found["vpcSet"].as_array().map(Vec::len), Some(2));
        account.refused("DescribeVpcs", json!({ "MaxResults": "1" }), "InvalidParameterValue");
        account.refused("DescribeVpcs", json!({ "NextToken": "?" }), "InvalidNextToken");
        let unknown = json!([{ "Name": "colour", "Value": ["a"] }]);
        account.refused("DescribeVpcs", json!({ "Filter": unknown }), "InvalidParameterValue");
    }

    #[test]
    fn what_ec2_refuses_is_refused() {
        let mut account = Account::new();
        account.refused("CreateVpc", json!({}), "MissingParameter");
        account.refused("CreateVpc", json!({ "CidrBlock": "10.0.0.0/8" }), "InvalidVpc.Range");
        account.refused("CreateVpc", json!({ "CidrBlock": "x" }), "InvalidParameterValue");
        account.refused("CreateVpc", json!({ "Colour": "red" }), "UnknownParameter");
        let dry = json!({ "CidrBlock": "10.0.0.0/16", "DryRun": "true" });
        account.refused("CreateVpc", dry, "DryRunOperation");
        for _ in 0..quotas::VPCS.value {
            account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }));
        }
        account.refused("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }), "VpcLimitExceeded");
    }
}

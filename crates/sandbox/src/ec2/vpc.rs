//! VPCs: ranges of addresses with settings.

use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Description, describe};
use super::ownership::{Thing, not_found, own};
use super::tags::Tags;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{AccountId, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateVpc", &["CidrBlock", "InstanceTenancy", "TagSpecification", "DryRun"], create),
    Operation::new("DescribeVpcs", &["VpcId", "Filter", "MaxResults", "NextToken", "DryRun"], describe_vpcs),
    Operation::new("DescribeVpcAttribute", &["VpcId", "Attribute", "DryRun"], describe_attribute),
    Operation::new(
        "ModifyVpcAttribute",
        &["VpcId", "EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"],
        modify_attribute,
    ),
    Operation::new("DeleteVpc", &["VpcId", "DryRun"], delete),
];

/// How many VPCs an account may have in a region (quota L-F678F1CE).
const QUOTA: usize = 5;

/// A VPC.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Vpc {
    id: String,
    owner: AccountId,
    pub(super) cidr_block: Ipv4Net,
    /// The internet gateway that is attached.
    pub(super) gateway_id: Option<String>,
    pub(super) main_table_id: String,
    tenancy: String,
    dns_support: bool,
    dns_hostnames: bool,
    usage_metrics: bool,
    pub(super) tags: Tags,
    made_at: Timestamp,
}

impl Thing for Vpc {
    const NOUN: &'static str = "vpc";
    const NOT_FOUND: &'static str = "InvalidVpcID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Vpc {
    /// Returns its ranges.
    pub(super) fn ranges(&self) -> Vec<IpNet> {
        vec![self.cidr_block.into()]
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
    let text = call.parameters.required("CidrBlock")?;
    let cidr_block: Ipv4Net = text.parse().map_err(|_| Refusal::value("cidrBlock", text))?;
    // "VPC CIDR blocks", VPC user guide.
    if !(16..=28).contains(&cidr_block.prefix_len()) {
        return Err(Refusal::new("InvalidVpc.Range", format!("The CIDR '{text}' is invalid.")));
    }
    let tenancy = call.parameters.text("InstanceTenancy").unwrap_or("default");
    if !["default", "dedicated"].contains(&tenancy) {
        return Err(Refusal::value("instanceTenancy", tenancy));
    }
    let tags = tags::at_birth(&call.parameters, "vpc")?;
    let owner = call.caller.account.clone();
    let own = world.network(&call.region).vpcs.values().filter(|vpc| vpc.owner == owner).count();
    if own >= QUOTA {
        let message = "The maximum number of VPCs has been reached.";
        return Err(Refusal::new("VpcLimitExceeded", message));
    }
    dry_run(call)?;
    let vpc = Vpc {
        id: world.new_id("vpc"),
        owner,
        // EC2 takes away the bits behind the prefix.
        cidr_block: cidr_block.trunc(),
        gateway_id: None,
        main_table_id: String::new(),
        tenancy: tenancy.to_owned(),
        dns_support: true,
        dns_hostnames: false,
        usage_metrics: false,
        tags,
        made_at: world.now(),
    };
    let answer = json!({ "vpc": shown(&vpc, &call.caller.account) });
    let (table, association) = (world.new_id("rtb"), world.new_id("rtbassoc"));
    let group = [world.new_id("sg"), world.new_id("sgr"), world.new_id("sgr")];
    let network = world.network(&call.region);
    let id = vpc.id.clone();
    network.add_default_group(group, &id, &vpc.owner);
    network.vpcs.insert(id.clone(), vpc);
    network.add_main_table(&id, &table, &association);
    Ok(answer)
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
        shown: &|vpc| shown(vpc, &call.caller.account),
        page: (5, 1000),
    };
    describe(call, &network.vpcs, &description)
}

fn shown(vpc: &Vpc, account: &AccountId) -> Value {
    json!({
        "vpcId": vpc.id,
        "ownerId": vpc.owner.as_str(),
        "state": "available",
        "cidrBlock": vpc.cidr_block,
        "cidrBlockAssociationSet": [{
            "associationId": association_id(vpc),
            "cidrBlock": vpc.cidr_block,
            "cidrBlockState": { "state": "associated" },
        }],
        "dhcpOptionsId": "default",
        "instanceTenancy": vpc.tenancy,
        "isDefault": false,
        "tagSet": (vpc.owner == *account).then(|| tags::shown(&vpc.tags)),
    })
}

fn association_id(vpc: &Vpc) -> String {
    vpc.id.replace("vpc-", "vpc-cidr-assoc-")
}

fn filtered(vpc: &Vpc, filter: &str) -> Option<Vec<String>> {
    let value = match filter {
        "vpc-id" => vpc.id.clone(),
        "owner-id" => vpc.owner.to_string(),
        "state" => "available".to_owned(),
        "cidr" | "cidr-block-association.cidr-block" => vpc.cidr_block.to_string(),
        "is-default" | "isDefault" => "false".to_owned(),
        _ => return tags::filtered(&vpc.tags, filter),
    };
    Some(vec![value])
}

fn describe_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("VpcId")?;
    let attribute = call.parameters.required("Attribute")?;
    let vpc = world.network(&call.region).own_vpc(call, id)?;
    let value = match attribute {
        "enableDnsSupport" => vpc.dns_support,
        "enableDnsHostnames" => vpc.dns_hostnames,
        "enableNetworkAddressUsageMetrics" => vpc.usage_metrics,
        _ => return Err(Refusal::value("attribute", attribute)),
    };
    Ok(json!({ "vpcId": id, attribute: { "value": value } }))
}

/// Changes one attribute: "you can modify only one at a time" (API reference, `ModifyVpcAttribute`).
fn modify_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("VpcId")?;
    let value = |name: &str| call.parameters.table(name).flag("Value");
    let (support, hostnames) = (value("EnableDnsSupport")?, value("EnableDnsHostnames")?);
    let metrics = value("EnableNetworkAddressUsageMetrics")?;
    let given = [support, hostnames, metrics].into_iter().flatten().count();
    if given != 1 {
        let message = "Exactly one attribute can be modified in a request";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    let vpc = world.network(&call.region).own_vpc(call, id)?;
    if hostnames == Some(true) && !vpc.dns_support {
        let message = "DNS hostnames need DNS support, which is disabled";
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    vpc.dns_support = support.unwrap_or(vpc.dns_support);
    vpc.dns_hostnames = hostnames.unwrap_or(vpc.dns_hostnames);
    vpc.usage_metrics = metrics.unwrap_or(vpc.usage_metrics);
    Ok(json!({ "return": true }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("VpcId")?;
    let network = world.network(&call.region);
    let main_table = network.own_vpc(call, id)?.main_table_id.clone();
    network.dependents.check_none::<Vpc>(id)?;
    dry_run(call)?;
    network.remove_main_table(&main_table);
    network.remove_default_group(id, &call.caller.account);
    network.vpcs.remove(id);
    Ok(json!({ "return": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Account, text};

    #[test]
    fn a_vpc_is_made_described_changed_and_deleted() {
        let mut account = Account::new();
        let made = account.ok("CreateVpc", json!({ "CidrBlock": "10.0.3.4/16" }));
        let id = text(&made["vpc"]["vpcId"]);
        assert_eq!(made["vpc"]["cidrBlock"], "10.0.0.0/16");
        let asked = json!({ "VpcId": id, "Attribute": "enableDnsHostnames" });
        let before = account.ok("DescribeVpcAttribute", asked.clone());
        assert_eq!(before["enableDnsHostnames"]["value"], false);
        account.ok("ModifyVpcAttribute", json!({ "VpcId": id, "EnableDnsHostnames": { "Value": "true" } }));
        assert_eq!(account.ok("DescribeVpcAttribute", asked)["enableDnsHostnames"]["value"], true);
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
        for _ in 0..QUOTA {
            account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }));
        }
        account.refused("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }), "VpcLimitExceeded");
    }
}

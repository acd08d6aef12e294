//! The settings of VPCs.

use serde_json::json;

use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::dry_run;
use crate::world::World;

/// The operations.
pub(in crate::ec2) const OPERATIONS: &[Operation] = &[
    Operation::new("DescribeVpcAttribute", &["VpcId", "Attribute", "DryRun"], describe_attribute),
    Operation::new(
        "ModifyVpcAttribute",
        &["VpcId", "EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"],
        modify_attribute,
    ),
    Operation::new("ModifyVpcTenancy", &["VpcId", "InstanceTenancy", "DryRun"], modify_tenancy),
];

/// "Participants can describe VPCs, their attributes, and the DHCP option sets" (VPC user guide,
/// responsibilities and permissions).
fn describe_attribute(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("VpcId")?;
    let attribute = call.parameters.required("Attribute")?;
    let vpc = world.network(&call.region).seen_vpc(call, id)?;
    let value = match attribute {
        "enableDnsSupport" => vpc.dns_support,
        "enableDnsHostnames" => vpc.dns_hostnames,
        "enableNetworkAddressUsageMetrics" => vpc.usage_metrics,
        _ => return Err(Refusal::value("attribute", attribute)),
    };
    dry_run(call)?;
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

/// "You can change the instance tenancy attribute of a VPC to default only" (API reference,
/// `ModifyVpcTenancy`).
fn modify_tenancy(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("VpcId")?;
    let tenancy = call.parameters.required("InstanceTenancy")?;
    if tenancy != "default" {
        return Err(Refusal::value("instanceTenancy", tenancy));
    }
    let vpc = world.network(&call.region).own_vpc(call, id)?;
    dry_run(call)?;
    tenancy.clone_into(&mut vpc.tenancy);
    Ok(json!({ "return": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::with_subnet;
    use crate::testing::{Account, text};

    #[test]
    fn attributes_change_one_by_one() {
        let (mut account, vpc, _) = with_subnet();
        let asked = json!({ "VpcId": vpc, "Attribute": "enableDnsHostnames" });
        assert_eq!(account.ok("DescribeVpcAttribute", asked.clone())["enableDnsHostnames"]["value"], false);
        account.ok("ModifyVpcAttribute", json!({ "VpcId": vpc, "EnableDnsHostnames": { "Value": "true" } }));
        assert_eq!(account.ok("DescribeVpcAttribute", asked)["enableDnsHostnames"]["value"], true);
        let two = json!({
            "VpcId": vpc,
            "EnableDnsSupport": { "Value": "true" },
            "EnableDnsHostnames": { "Value": "true" },
        });
        account.refused("ModifyVpcAttribute", two, "InvalidParameterCombination");
        let unknown = json!({ "VpcId": vpc, "Attribute": "colour" });
        account.refused("DescribeVpcAttribute", unknown, "InvalidParameterValue");
    }

    #[test]
    fn dedicated_tenancy_ends_and_does_not_begin() {
        let mut account = Account::new();
        let wanted = json!({ "CidrBlock": "10.0.0.0/16", "InstanceTenancy": "dedicated" });
        let vpc = text(&account.ok("CreateVpc", wanted)["vpc"]["vpcId"]);
        account.ok("ModifyVpcTenancy", json!({ "VpcId": vpc, "InstanceTenancy": "default" }));
        let seen = account.ok("DescribeVpcs", json!({ "VpcId": [vpc] }));
        assert_eq!(seen["vpcSet"][0]["instanceTenancy"], "default");
        let back = json!({ "VpcId": vpc, "InstanceTenancy": "dedicated" });
        account.refused("ModifyVpcTenancy", back, "InvalidParameterValue");
    }

    #[test]
    fn a_participant_reads_attributes_and_changes_none() {
        let (mut owner, vpc, subnet) = with_subnet();
        let asked = json!({ "VpcId": vpc, "Attribute": "enableDnsSupport" });
        owner.other(|other| other.refused("DescribeVpcAttribute", asked.clone(), "InvalidVpcID.NotFound"));
        owner.share_with_other(&subnet);
        owner.other(|other| {
            assert_eq!(other.ok("DescribeVpcAttribute", asked)["enableDnsSupport"]["value"], true);
            let change = json!({ "VpcId": vpc, "EnableDnsSupport": { "Value": "false" } });
            other.refused("ModifyVpcAttribute", change, "UnauthorizedOperation");
            let tenancy = json!({ "VpcId": vpc, "InstanceTenancy": "default" });
            other.refused("ModifyVpcTenancy", tenancy, "UnauthorizedOperation");
            other.refused("DeleteVpc", json!({ "VpcId": vpc }), "UnauthorizedOperation");
        });
    }
}

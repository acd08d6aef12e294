//! Internet gateways: the ways between VPCs and the internet.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Description, describe, texts};
use super::ownership::{Thing, has_dependencies, own};
use super::tags::Tags;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::quotas;
use crate::world::{AccountId, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateInternetGateway", &["TagSpecification", "DryRun"], create),
    Operation::new("AttachInternetGateway", &["InternetGatewayId", "VpcId", "DryRun"], attach),
    Operation::new(
        "DescribeInternetGateways",
        &["InternetGatewayId", "Filter", "MaxResults", "NextToken", "DryRun"],
        describe_gateways,
    ),
    Operation::new("DetachInternetGateway", &["InternetGatewayId", "VpcId", "DryRun"], detach),
    Operation::new("DeleteInternetGateway", &["InternetGatewayId", "DryRun"], delete),
];

/// An internet gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct InternetGateway {
    id: String,
    owner: AccountId,
    /// The VPC that it is attached to.
    pub(super) vpc_id: Option<String>,
    pub(super) tags: Tags,
}

impl Thing for InternetGateway {
    const NOUN: &'static str = "internetGateway";
    const NOT_FOUND: &'static str = "InvalidInternetGatewayID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Network {
    /// Tells whether an account sees a gateway: its own, and those of VPCs that it sees.
    /// "Participants can describe internet gateways in a shared VPC subnet" (VPC user guide,
    /// responsibilities and permissions).
    fn sees_gateway(&self, gateway: &InternetGateway, account: &AccountId) -> bool {
        let vpc = gateway.vpc_id.as_ref().and_then(|id| self.vpcs.get(id));
        gateway.owner == *account || vpc.is_some_and(|vpc| self.sees_vpc(vpc, account))
    }

    pub(super) fn own_gateway(&mut self, call: &Call, id: &str) -> Result<&mut InternetGateway, Refusal> {
        let gateway = self.internet_gateways.get(id);
        let seen = gateway.is_some_and(|gateway| self.sees_gateway(gateway, &call.caller.account));
        own(call, &mut self.internet_gateways, id, seen)
    }
}

fn create(world: &mut World, call: &Call) -> Answer {
    let tags = tags::at_birth(&call.parameters, "internet-gateway")?;
    let owner = call.caller.account.clone();
    let most = world.quota(&owner, quotas::INTERNET_GATEWAYS);
    let network = world.network(&call.region);
    let own = network.internet_gateways.values().filter(|gateway| gateway.owner == owner).count();
    if own >= most {
        let message = "The maximum number of internet gateways has been reached.";
        return Err(Refusal::new("InternetGatewayLimitExceeded", message));
    }
    dry_run(call)?;
    let gateway = InternetGateway { id: world.new_id("igw"), owner, vpc_id: None, tags };
    let answer = json!({ "internetGateway": shown(&gateway, call) });
    world.network(&call.region).internet_gateways.insert(gateway.id.clone(), gateway);
    Ok(answer)
}

fn attach(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("InternetGatewayId")?;
    let vpc_id = call.parameters.required("VpcId")?;
    let network = world.network(&call.region);
    let attached_to = network.own_gateway(call, id)?.vpc_id.clone();
    let vpc = network.own_vpc(call, vpc_id)?;
    if let Some(other) = attached_to {
        let message = format!("resource {id} is already attached to network {other}");
        return Err(Refusal::new("Resource.AlreadyAssociated", message));
    }
    if vpc.gateway_id.is_some() {
        let message = format!("Network {vpc_id} already has an internet gateway attached");
        return Err(Refusal::new("InvalidParameterValue", message));
    }
    dry_run(call)?;
    vpc.gateway_id = Some(id.to_owned());
    network.own_gateway(call, id)?.vpc_id = Some(vpc_id.to_owned());
    network.dependents.add(vpc_id, id);
    Ok(json!({ "return": true }))
}

fn describe_gateways(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "internetGatewaySet",
        ids: "InternetGatewayId",
        not_found: InternetGateway::NOT_FOUND,
        visible: &|gateway| network.sees_gateway(gateway, &call.caller.account),
        filter: &filtered,
        shown: &|gateway| shown(gateway, call),
        page: (5, 1000),
    };
    describe(call, &network.internet_gateways, &description)
}

fn shown(gateway: &InternetGateway, call: &Call) -> Value {
    let attachment = |vpc_id: &String| json!({ "vpcId": vpc_id, "state": ATTACHED });
    json!({
        "internetGatewayId": gateway.id,
        "ownerId": gateway.owner.as_str(),
        "attachmentSet": gateway.vpc_id.iter().map(attachment).collect::<Vec<_>>(),
        "tagSet": (gateway.owner == call.caller.account).then(|| tags::shown(&gateway.tags)),
    })
}

/// The state of an attachment: "for an internet gateway, the state is `available` when attached to
/// a VPC" (API reference, `InternetGatewayAttachment`).
const ATTACHED: &str = "available";

fn filtered(gateway: &InternetGateway, filter: &str) -> Option<Vec<String>> {
    Some(match filter {
        "internet-gateway-id" => texts([&gateway.id]),
        "owner-id" => texts([&gateway.owner]),
        "attachment.vpc-id" => texts(&gateway.vpc_id),
        "attachment.state" => texts(gateway.vpc_id.as_ref().map(|_| ATTACHED)),
        _ => return tags::filtered(&gateway.tags, filter),
    })
}

fn detach(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("InternetGatewayId")?;
    let vpc_id = call.parameters.required("VpcId")?;
    let network = world.network(&call.region);
    let attached_to = network.own_gateway(call, id)?.vpc_id.clone();
    network.own_vpc(call, vpc_id)?;
    if attached_to.as_deref() != Some(vpc_id) {
        let message = format!("resource {id} is not attached to network {vpc_id}");
        return Err(Refusal::new("Gateway.NotAttached", message));
    }
    if network.dependents.any(id) {
        let message = format!(
            "Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before \
             detaching the gateway."
        );
        return Err(Refusal::new("DependencyViolation", message));
    }
    dry_run(call)?;
    network.own_vpc(call, vpc_id)?.gateway_id = None;
    network.own_gateway(call, id)?.vpc_id = None;
    network.dependents.remove(vpc_id, id);
    Ok(json!({ "return": true }))
}

/// "You must detach the internet gateway from the VPC before you can delete it" (API reference,
/// `DeleteInternetGateway`).
fn delete(world: &mut World, call: &Call) -> Answer {
    let id = call.parameters.required("InternetGatewayId")?;
    let network = world.network(&call.region);
    if network.own_gateway(call, id)?.vpc_id.is_some() {
        return Err(has_dependencies::<InternetGateway>(id));
    }
    dry_run(call)?;
    network.internet_gateways.remove(id);
    Ok(json!({ "return": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{gateway, list, with_subnet};
    use crate::testing::text;

    #[test]
    fn a_gateway_is_made_attached_detached_and_deleted() {
        let (mut account, vpc, subnet) = with_subnet();
        let id = gateway(&mut account);
        let both = json!({ "InternetGatewayId": id, "VpcId": vpc });
        let one = json!({ "InternetGatewayId": id });
        account.refused("DetachInternetGateway", both.clone(), "Gateway.NotAttached");
        account.ok("AttachInternetGateway", both.clone());
        let filter = json!([{ "Name": "attachment.vpc-id", "Value": [vpc] }]);
        let seen = account.ok("DescribeInternetGateways", json!({ "Filter": filter }));
        assert_eq!(list(&seen, "internetGatewaySet")[0]["attachmentSet"][0]["state"], "available");
        account.refused("AttachInternetGateway", both.clone(), "Resource.AlreadyAssociated");
        account.refused("DeleteInternetGateway", one.clone(), "DependencyViolation");
        account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
        account.refused("DeleteVpc", json!({ "VpcId": vpc }), "DependencyViolation");
        account.ok("DetachInternetGateway", both.clone());
        account.ok("DeleteInternetGateway", one.clone());
        account.refused("DeleteInternetGateway", one, "InvalidInternetGatewayID.NotFound");
        account.refused("AttachInternetGateway", both, "InvalidInternetGatewayID.NotFound");
        account.ok("DeleteVpc", json!({ "VpcId": vpc }));
    }

    /// "You can attach only one internet gateway to a VPC at a time", and five are a region's
    /// ("Amazon VPC quotas").
    #[test]
    fn a_vpc_has_one_gateway_and_an_account_five() {
        let (mut account, vpc, _) = with_subnet();
        let first = gateway(&mut account);
        account.ok("AttachInternetGateway", json!({ "InternetGatewayId": first, "VpcId": vpc }));
        let second = json!({ "InternetGatewayId": gateway(&mut account), "VpcId": vpc });
        account.refused("AttachInternetGateway", second, "InvalidParameterValue");
        account.refused("CreateInternetGateway", json!({ "DryRun": "true" }), "DryRunOperation");
        for _ in 2..quotas::INTERNET_GATEWAYS.value {
            gateway(&mut account);
        }
        account.refused("CreateInternetGateway", json!({}), "InternetGatewayLimitExceeded");
        account.other(|other| {
            gateway(other);
        });
    }

    #[test]
    fn a_participant_describes_the_gateway_of_the_shared_vpc_and_changes_nothing() {
        let (mut owner, vpc, subnet) = with_subnet();
        let tag = json!([{ "ResourceType": "internet-gateway", "Tag": [{ "Key": "a", "Value": "b" }] }]);
        let made = owner.ok("CreateInternetGateway", json!({ "TagSpecification": tag }));
        assert_eq!(made["internetGateway"]["tagSet"][0]["value"], "b");
        let id = text(&made["internetGateway"]["internetGatewayId"]);
        let both = json!({ "InternetGatewayId": id, "VpcId": vpc });
        owner.other(|other| {
            other.refused("AttachInternetGateway", both.clone(), "InvalidInternetGatewayID.NotFound");
        });
        owner.share_with_other(&subnet);
        owner.ok("AttachInternetGateway", both.clone());
        owner.other(|other| {
            let seen = other.ok("DescribeInternetGateways", json!({ "InternetGatewayId": [id] }));
            assert_eq!(seen["internetGatewaySet"][0]["tagSet"], Value::Null);
            other.refused("DetachInternetGateway", both.clone(), "UnauthorizedOperation");
            other.refused(
                "DeleteInternetGateway",
                json!({ "InternetGatewayId": id }),
                "UnauthorizedOperation",
            );
            let own = json!({ "InternetGatewayId": gateway(other), "VpcId": vpc });
            other.refused("AttachInternetGateway", own, "UnauthorizedOperation");
        });
    }
}

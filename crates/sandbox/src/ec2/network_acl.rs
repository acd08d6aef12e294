//! Network access lists: every VPC is born with one that lets everything through.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::describe::{Description, describe, texts};
use super::ownership::{Thing, own};
use super::tags::Tags;
use super::{Network, dry_run, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{AccountId, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "DescribeNetworkAcls",
    &["NetworkAclId", "Filter", "MaxResults", "NextToken", "DryRun"],
    describe_lists,
)];

/// The list that a VPC is born with. It counts for all of its subnets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct NetworkAcl {
    id: String,
    owner: AccountId,
    vpc_id: String,
    pub(super) tags: Tags,
}

impl Thing for NetworkAcl {
    const NOUN: &'static str = "networkAcl";
    const NOT_FOUND: &'static str = "InvalidNetworkAclID.NotFound";

    fn owner(&self) -> &AccountId {
        &self.owner
    }
}

impl Network {
    /// Gives a VPC the list that it is born with, and that goes with it.
    pub(super) fn add_default_acl(&mut self, vpc_id: &str, id: &str) {
        let Some(vpc) = self.vpcs.get_mut(vpc_id) else { return };
        id.clone_into(&mut vpc.acl_id);
        let list = NetworkAcl {
            id: id.to_owned(),
            owner: vpc.owner().clone(),
            vpc_id: vpc_id.to_owned(),
            tags: Tags::new(),
        };
        self.access_lists.insert(id.to_owned(), list);
    }

    /// Returns a list that the caller may change.
    pub(super) fn own_acl(&mut self, call: &Call, id: &str) -> Result<&mut NetworkAcl, Refusal> {
        let seen = self.access_lists.get(id).is_some_and(|list| self.seen_vpc(call, &list.vpc_id).is_ok());
        own(call, &mut self.access_lists, id, seen)
    }
}

/// "Participants can describe NACLs created by VPC owners in a shared VPC subnet" (VPC user guide,
/// responsibilities and permissions).
fn describe_lists(world: &mut World, call: &Call) -> Answer {
    dry_run(call)?;
    let network = world.network(&call.region);
    let description = Description {
        list: "networkAclSet",
        ids: "NetworkAclId",
        not_found: NetworkAcl::NOT_FOUND,
        visible: &|list: &NetworkAcl| network.seen_vpc(call, &list.vpc_id).is_ok(),
        filter: &|list, filter| filtered(network, list, call, filter),
        shown: &|list| shown(network, list, call),
        page: (5, 1000),
    };
    describe(call, &network.access_lists, &description)
}

fn shown(network: &Network, list: &NetworkAcl, call: &Call) -> Value {
    let association = |subnet: &str| {
        json!({
            "networkAclAssociationId": association_id(subnet),
            "networkAclId": list.id,
            "subnetId": subnet,
        })
    };
    json!({
        "networkAclId": list.id,
        "vpcId": list.vpc_id,
        "ownerId": list.owner.as_str(),
        "default": true,
        "entrySet": entries(),
        "associationSet": subnets(network, list, call).map(association).collect::<Vec<_>>(),
        "tagSet": (list.owner == call.caller.account).then(|| tags::shown(&list.tags)),
    })
}

/// Returns the subnets of the list's VPC that the caller sees.
fn subnets<'a>(network: &'a Network, list: &'a NetworkAcl, call: &'a Call) -> impl Iterator<Item = &'a str> {
    let subnets = network.subnets_of(&list.vpc_id);
    subnets
        .filter(|subnet| network.sees_subnet(subnet, &call.caller.account))
        .map(|subnet| subnet.id.as_str())
}

fn association_id(subnet: &str) -> String {
    subnet.replace("subnet-", "aclassoc-")
}

/// The number of the entry for whatever no other lets through, which is shown as `*`.
const LAST_RULE: u16 = 32767;

/// Returns the entries: everything may pass in both directions (VPC user guide, "Default network
/// ACL for a VPC").
fn entries() -> Vec<Value> {
    let entry = |egress: bool, number: u16, action: &str| {
        json!({
            "cidrBlock": "0.0.0.0/0",
            "egress": egress,
            "protocol": "-1",
            "ruleAction": action,
            "ruleNumber": number,
        })
    };
    let both = |egress| [entry(egress, 100, "allow"), entry(egress, LAST_RULE, "deny")];
    [true, false].into_iter().flat_map(both).collect()
}

fn filtered(network: &Network, list: &NetworkAcl, call: &Call, filter: &str) -> Option<Vec<String>> {
    let subnets = subnets(network, list, call);
    Some(match filter {
        "network-acl-id" => texts([&list.id]),
        "vpc-id" => texts([&list.vpc_id]),
        "owner-id" => texts([&list.owner]),
        "default" => texts([true]),
        "association.association-id" => texts(subnets.map(association_id)),
        "association.network-acl-id" => texts(subnets.map(|_| &list.id)),
        "association.subnet-id" => texts(subnets),
        _ => return tags::filtered(&list.tags, filter),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::testing::{list, with_subnet};

    #[test]
    fn a_vpc_is_born_with_a_list_that_goes_with_it() {
        let (mut account, vpc, subnet) = with_subnet();
        let filter = json!([{ "Name": "association.subnet-id", "Value": [subnet] }]);
        let seen = account.ok("DescribeNetworkAcls", json!({ "Filter": filter }));
        let acl = &list(&seen, "networkAclSet")[0];
        assert_eq!((&acl["vpcId"], &acl["default"]), (&json!(vpc), &json!(true)));
        assert_eq!(list(acl, "entrySet").len(), 4);
        let tag = json!({ "ResourceId": [acl["networkAclId"]], "Tag": [{ "Key": "a", "Value": "b" }] });
        account.ok("CreateTags", tag);
        let filter = json!([{ "Name": "tag:a", "Value": ["b"] }]);
        let seen = account.ok("DescribeNetworkAcls", json!({ "Filter": filter }));
        assert_eq!(list(&seen, "networkAclSet").len(), 1);
        account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
        account.ok("DeleteVpc", json!({ "VpcId": vpc }));
        assert!(list(&account.ok("DescribeNetworkAcls", json!({})), "networkAclSet").is_empty());
    }

    #[test]
    fn a_participant_sees_the_list_and_its_own_subnets_of_it() {
        let (mut owner, vpc, subnet) = with_subnet();
        owner.ok("CreateSubnet", json!({ "VpcId": vpc, "CidrBlock": "10.0.2.0/24" }));
        owner.other(|other| {
            assert!(list(&other.ok("DescribeNetworkAcls", json!({})), "networkAclSet").is_empty());
        });
        owner.share_with_other(&subnet);
        owner.other(|other| {
            let seen = other.ok("DescribeNetworkAcls", json!({}));
            let acl = &list(&seen, "networkAclSet")[0];
            assert_eq!(list(acl, "associationSet").len(), 1);
            assert_eq!(acl["tagSet"], Value::Null);
            let tag = json!({ "ResourceId": [acl["networkAclId"]], "Tag": [{ "Key": "a", "Value": "b" }] });
            other.refused("CreateTags", tag, "UnauthorizedOperation");
        });
    }
}

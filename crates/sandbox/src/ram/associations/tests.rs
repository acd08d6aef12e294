//! Members of shares, over time.

use serde_json::{Value, json};

use crate::ram::ASSOCIATING;
use crate::ram::testing::{sees, share, subnet};
use crate::testing::Account;

const OTHER: &str = "222222222222";
const ASSOCIATE: &str = "ram:AssociateResourceShare";
const DISASSOCIATE: &str = "ram:DisassociateResourceShare";
const GET: &str = "ram:GetResourceShareAssociations";

fn statuses(account: &mut Account, share: &str, sort: &str) -> Vec<Value> {
    let asked = json!({ "associationType": sort, "resourceShareArns": [share] });
    let listed = account.ok(GET, asked);
    let all = listed["resourceShareAssociations"].as_array().cloned().unwrap_or_default();
    all.iter().map(|association| association["status"].clone()).collect()
}

#[test]
fn associations_come_and_go_over_time() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    let share = share(&mut account, &[], &[OTHER]);
    let wanted = json!({ "resourceShareArn": share, "resourceArns": [arn] });
    let made = account.ok(ASSOCIATE, wanted.clone());
    assert_eq!(made["resourceShareAssociations"][0]["status"], "ASSOCIATING");
    account.ok(ASSOCIATE, wanted.clone());
    assert_eq!(statuses(&mut account, &share, "RESOURCE"), ["ASSOCIATING"], "it is in it once");
    account.wait(ASSOCIATING.as_secs());
    assert_eq!(statuses(&mut account, &share, "RESOURCE"), ["ASSOCIATED"]);
    account.wait(60);
    assert!(sees(&mut account, &id));
    account.ok(DISASSOCIATE, wanted.clone());
    assert!(!sees(&mut account, &id));
    assert_eq!(statuses(&mut account, &share, "RESOURCE"), ["DISASSOCIATING"]);
    account.refused(DISASSOCIATE, wanted.clone(), "UnknownResourceException");
    account.wait(ASSOCIATING.as_secs());
    account.ok(ASSOCIATE, wanted);
    // RAM goes on listing what ended, beside what was made anew.
    assert_eq!(statuses(&mut account, &share, "RESOURCE"), ["DISASSOCIATED", "ASSOCIATING"]);
    account.wait(60);
    assert!(sees(&mut account, &id));
    account.wait(7200);
    assert_eq!(statuses(&mut account, &share, "RESOURCE"), ["ASSOCIATED"]);
}

#[test]
fn a_principal_that_goes_no_longer_sees() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    let share = share(&mut account, &[&arn], &[OTHER]);
    account.wait(60);
    assert!(sees(&mut account, &id));
    let principal = json!({ "resourceShareArn": share, "principals": [OTHER] });
    account.other(|other| {
        other.refused(DISASSOCIATE, principal.clone(), "OperationNotPermittedException");
        other.refused(ASSOCIATE, principal.clone(), "UnknownResourceException");
    });
    account.ok(DISASSOCIATE, principal.clone());
    assert!(!sees(&mut account, &id));
    account.other(|other| other.refused(DISASSOCIATE, principal, "UnknownResourceException"));
}

#[test]
fn subnets_stay_inside_the_organization() {
    let mut account = Account::new();
    let (_, arn) = subnet(&mut account);
    let open = json!({ "name": "open", "principals": ["333333333333"] });
    let made = account.ok("ram:CreateResourceShare", open);
    let wanted =
        json!({ "resourceShareArn": made["resourceShare"]["resourceShareArn"], "resourceArns": [arn] });
    account.refused(ASSOCIATE, wanted, "InvalidParameterException");
    let with_subnet = account.ok("ram:CreateResourceShare", json!({ "name": "s", "resourceArns": [arn] }));
    let with_subnet = &with_subnet["resourceShare"]["resourceShareArn"];
    let outside = json!({ "resourceShareArn": with_subnet, "principals": ["333333333333"] });
    account.refused(ASSOCIATE, outside, "OperationNotPermittedException");
    account.ok("organizations:DisableAWSServiceAccess", json!({ "ServicePrincipal": "ram.amazonaws.com" }));
    let again = json!({ "resourceShareArn": with_subnet, "resourceArns": [arn] });
    account.refused(ASSOCIATE, again, "InvalidParameterException");
}

#[test]
fn associations_are_chosen() {
    let mut account = Account::new();
    let (_, arn) = subnet(&mut account);
    let share = share(&mut account, &[&arn], &[OTHER]);
    let mut count = |asked: Value| {
        account.ok(GET, asked)["resourceShareAssociations"].as_array().map(Vec::len).unwrap_or_default()
    };
    assert_eq!(count(json!({ "associationType": "RESOURCE", "resourceArn": arn })), 1);
    assert_eq!(count(json!({ "associationType": "PRINCIPAL", "principal": OTHER })), 1);
    assert_eq!(count(json!({ "associationType": "PRINCIPAL", "principal": "333333333333" })), 0);
    assert_eq!(count(json!({ "associationType": "PRINCIPAL", "associationStatus": "ASSOCIATED" })), 0);
    for asked in [
        json!({ "associationType": "SOURCE" }),
        json!({ "associationType": "PRINCIPAL", "resourceArn": arn }),
        json!({ "associationType": "RESOURCE", "principal": OTHER }),
    ] {
        account.refused(GET, asked, "InvalidParameterException");
    }
    account.other(|other| {
        let asked = json!({ "associationType": "RESOURCE", "resourceShareArns": [share] });
        other.refused(GET, asked, "UnknownResourceException");
    });
}

#[test]
fn resources_and_principals_are_listed_on_both_sides() {
    let mut account = Account::new();
    let (_, arn) = subnet(&mut account);
    let share = share(&mut account, &[&arn], &[OTHER]);
    let own = json!({ "resourceOwner": "SELF" });
    let listed = account.ok("ram:ListResources", own.clone());
    assert_eq!(listed["resources"][0]["status"], "PENDING");
    assert_eq!(account.ok("ram:ListPrincipals", own)["principals"][0]["id"], OTHER);
    let others = json!({ "resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [share] });
    account.other(|other| {
        assert_eq!(other.ok("ram:ListResources", others.clone())["resources"], json!([]));
    });
    account.wait(ASSOCIATING.as_secs());
    account.other(|other| {
        let listed = other.ok("ram:ListResources", others.clone());
        assert_eq!(listed["resources"][0]["arn"], arn.as_str());
        assert_eq!(listed["resources"][0]["type"], "ec2:Subnet");
        let principals = other.ok("ram:ListPrincipals", others);
        assert_eq!(principals["principals"][0]["id"], "111111111111");
    });
    let wrong = json!({ "resourceOwner": "SELF", "resourceType": "ec2:Vpc" });
    account.refused("ram:ListResources", wrong, "InvalidParameterException");
}

/// "The participant's resources continue to run in the shared subnet" and it can no longer make
/// any; the owner cannot delete a subnet with them ("Unshare a shared subnet", VPC user guide).
#[test]
fn what_a_participant_has_goes_on_after_unsharing() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    let share = share(&mut account, &[&arn], &[OTHER]);
    account.wait(60);
    let (mut group, mut interface) = (Value::Null, Value::Null);
    let mut vpc = Value::Null;
    account.other(|other| {
        let seen = other.ok("DescribeSubnets", json!({ "SubnetId": [id] }));
        vpc = seen["subnetSet"][0]["vpcId"].clone();
        let wanted = json!({ "VpcId": vpc, "GroupName": "node", "GroupDescription": "test" });
        group = other.ok("CreateSecurityGroup", wanted)["groupId"].clone();
        let wanted = json!({ "SubnetId": id, "SecurityGroupId": [group] });
        let made = other.ok("CreateNetworkInterface", wanted);
        interface = made["networkInterface"]["networkInterfaceId"].clone();
    });
    account.ok("ram:DeleteResourceShare", json!({ "resourceShareArn": share }));
    account.refused("DeleteSubnet", json!({ "SubnetId": id }), "DependencyViolation");
    account.other(|other| {
        other.ok("DescribeNetworkInterfaces", json!({ "NetworkInterfaceId": [interface] }));
        other.ok("DescribeSecurityGroups", json!({ "GroupId": [group] }));
        let more = json!({ "SubnetId": id, "SecurityGroupId": [group] });
        other.refused("CreateNetworkInterface", more, "InvalidSubnetID.NotFound");
        let more = json!({ "VpcId": vpc, "GroupName": "more", "GroupDescription": "test" });
        other.refused("CreateSecurityGroup", more, "InvalidVpcID.NotFound");
        other.ok("DeleteNetworkInterface", json!({ "NetworkInterfaceId": interface }));
    });
    account.ok("DeleteSubnet", json!({ "SubnetId": id }));
    account.refused("DeleteVpc", json!({ "VpcId": vpc }), "DependencyViolation");
    account.other(|other| {
        other.ok("DeleteSecurityGroup", json!({ "GroupId": group }));
    });
    account.ok("DeleteVpc", json!({ "VpcId": vpc }));
}

#[test]
fn a_subnet_that_is_deleted_is_no_longer_available() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    share(&mut account, &[&arn], &[OTHER]);
    account.wait(60);
    account.ok("DeleteSubnet", json!({ "SubnetId": id }));
    let listed = account.ok("ram:ListResources", json!({ "resourceOwner": "SELF" }));
    assert_eq!(listed["resources"][0]["status"], "UNAVAILABLE");
}

//! Groups, and who holds them in place.

mod rules;

use serde_json::{Value, json};

use crate::ec2::testing::{group, list, with_subnet};
use crate::quotas;
use crate::testing::{Account, text};

const INGRESS: &str = "AuthorizeSecurityGroupIngress";

fn web(range: &str) -> Value {
    json!([{ "IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", "IpRanges": [{ "CidrIp": range }] }])
}

fn from_group(id: &str, account: &str) -> Value {
    let pair = json!({ "GroupId": id, "UserId": account });
    json!([{ "IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", "Groups": [pair] }])
}

fn rules(account: &mut Account, group: &str) -> Vec<Value> {
    let of_group = json!([{ "Name": "group-id", "Value": [group] }]);
    let answer = account.ok("DescribeSecurityGroupRules", json!({ "Filter": of_group }));
    list(&answer, "securityGroupRuleSet").clone()
}

#[test]
fn a_group_is_born_with_a_rule_that_lets_everything_out() {
    let (mut account, vpc, _) = with_subnet();
    let wanted = json!({
        "VpcId": vpc,
        "GroupName": " web ",
        "GroupDescription": "for the web",
        "TagSpecification": [{ "ResourceType": "security-group", "Tag": [{ "Key": "k", "Value": "v" }] }],
    });
    let made = account.ok("CreateSecurityGroup", wanted);
    let id = text(&made["groupId"]);
    let described = account.ok("DescribeSecurityGroups", json!({ "GroupId": [id] }));
    let found = &described["securityGroupInfo"][0];
    assert_eq!(found["groupName"], "web");
    assert_eq!(found["tagSet"], json!([{ "key": "k", "value": "v" }]));
    assert_eq!(found["ipPermissions"], json!([]));
    let egress = &found["ipPermissionsEgress"][0];
    assert_eq!((&egress["ipProtocol"], &egress["fromPort"]), (&json!("-1"), &Value::Null));
    assert_eq!(egress["ipRanges"][0]["cidrIp"], "0.0.0.0/0");
    let rules = rules(&mut account, &id);
    assert_eq!(rules.len(), 1);
    assert_eq!((&rules[0]["isEgress"], &rules[0]["fromPort"]), (&json!(true), &json!(-1)));
    account.ok("DeleteSecurityGroup", json!({ "GroupId": id }));
    account.refused("DescribeSecurityGroups", json!({ "GroupId": [id] }), "InvalidGroup.NotFound");
    account.refused("DeleteSecurityGroup", json!({ "GroupId": id }), "InvalidGroup.NotFound");
}

#[test]
fn what_ec2_refuses_to_make_is_refused() {
    let (mut account, vpc, _) = with_subnet();
    group(&mut account, &vpc, "web");
    for (more, code) in [
        (json!({ "GroupName": "WEB" }), "InvalidGroup.Duplicate"),
        (json!({ "GroupName": "sg-1" }), "InvalidParameterValue"),
        (json!({ "GroupName": "default" }), "InvalidGroup.Reserved"),
        (json!({ "GroupName": "it's" }), "InvalidParameterValue"),
        (json!({ "GroupName": "a", "GroupDescription": "x".repeat(256) }), "InvalidParameterValue"),
        (json!({ "GroupName": "a", "GroupDescription": null }), "MissingParameter"),
        (json!({ "GroupName": "a", "VpcId": "vpc-0" }), "InvalidVpcID.NotFound"),
        (json!({ "GroupName": "a", "VpcId": null }), "VPCIdNotSpecified"),
        (json!({ "GroupName": "a", "DryRun": "true" }), "DryRunOperation"),
    ] {
        let mut wanted = json!({ "VpcId": vpc, "GroupDescription": "test" });
        wanted.as_object_mut().expect("a table").extend(more.as_object().cloned().expect("a table"));
        account.refused("CreateSecurityGroup", wanted, code);
    }
}

#[test]
fn every_vpc_has_a_group_that_goes_with_it() {
    let (mut account, vpc, subnet) = with_subnet();
    let default =
        json!([{ "Name": "vpc-id", "Value": [vpc] }, { "Name": "group-name", "Value": ["default"] }]);
    let found = account.ok("DescribeSecurityGroups", json!({ "Filter": default }));
    let id = text(&found["securityGroupInfo"][0]["groupId"]);
    assert_eq!(found["securityGroupInfo"][0]["ipPermissions"][0]["groups"][0]["groupId"], id.as_str());
    account.refused("DeleteSecurityGroup", json!({ "GroupId": id }), "CannotDelete");
    let made = account.ok("CreateNetworkInterface", json!({ "SubnetId": subnet }));
    assert_eq!(made["networkInterface"]["groupSet"], json!([{ "groupId": id, "groupName": "default" }]));
    let interface = &made["networkInterface"]["networkInterfaceId"];
    account.ok("DeleteNetworkInterface", json!({ "NetworkInterfaceId": interface }));
    account.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
    let other = group(&mut account, &vpc, "web");
    account.refused("DeleteVpc", json!({ "VpcId": vpc }), "DependencyViolation");
    account.ok("DeleteSecurityGroup", json!({ "GroupId": other }));
    account.ok("DeleteVpc", json!({ "VpcId": vpc }));
    account.refused("DescribeSecurityGroups", json!({ "GroupId": [id] }), "InvalidGroup.NotFound");
}

#[test]
fn a_group_in_use_or_named_by_another_is_not_deleted() {
    let (mut account, vpc, subnet) = with_subnet();
    let (one, two) = (group(&mut account, &vpc, "one"), group(&mut account, &vpc, "two"));
    let wanted = json!({ "SubnetId": subnet, "SecurityGroupId": [one] });
    let interface =
        account.ok("CreateNetworkInterface", wanted)["networkInterface"]["networkInterfaceId"].clone();
    account.refused("DeleteSecurityGroup", json!({ "GroupId": one }), "DependencyViolation");
    account.ok("DeleteNetworkInterface", json!({ "NetworkInterfaceId": interface }));
    let itself = json!({ "GroupId": one, "IpPermissions": from_group(&one, "111111111111") });
    account.ok(INGRESS, itself);
    let named = json!({ "GroupId": two, "IpPermissions": from_group(&one, "111111111111") });
    account.ok(INGRESS, named.clone());
    account.refused("DeleteSecurityGroup", json!({ "GroupId": one }), "DependencyViolation");
    account.ok("RevokeSecurityGroupIngress", named);
    account.ok("DeleteSecurityGroup", json!({ "GroupId": one }));
    assert!(rules(&mut account, &one).is_empty(), "its rules went with it");
}

#[test]
fn the_group_of_a_participant_holds_that_of_the_owner() {
    let (mut owner, vpc, subnet) = with_subnet();
    let alb = group(&mut owner, &vpc, "alb");
    owner.other(|participant| {
        let wanted = json!({ "VpcId": vpc, "GroupName": "node", "GroupDescription": "nodes" });
        participant.refused("CreateSecurityGroup", wanted, "InvalidVpcID.NotFound");
    });
    owner.share_with_other(&subnet);
    let mut node = String::new();
    owner.other(|participant| {
        node = group(participant, &vpc, "node");
        participant.refused("DescribeSecurityGroups", json!({ "GroupId": [alb] }), "InvalidGroup.NotFound");
        participant.refused("DeleteSecurityGroup", json!({ "GroupId": alb }), "InvalidGroup.NotFound");
        // Who says nothing of the account means its own.
        let unsaid = json!([{ "IpProtocol": "-1", "Groups": [{ "GroupId": alb }] }]);
        let unsaid = json!({ "GroupId": node, "IpPermissions": unsaid });
        participant.refused(INGRESS, unsaid, "InvalidGroup.NotFound");
        let named = json!({ "GroupId": node, "IpPermissions": from_group(&alb, "111111111111") });
        let made = participant.ok(INGRESS, named);
        let info = &made["securityGroupRuleSet"][0]["referencedGroupInfo"];
        assert_eq!((&info["groupId"], &info["userId"]), (&json!(alb), &json!("111111111111")));
        // Groups of the owner are not for participants: neither its default one nor any other.
        let interface = json!({ "SubnetId": subnet });
        participant.refused("CreateNetworkInterface", interface, "InvalidGroup.NotFound");
        let interface = json!({ "SubnetId": subnet, "SecurityGroupId": [alb] });
        participant.refused("CreateNetworkInterface", interface, "InvalidGroup.NotFound");
        let interface = json!({ "SubnetId": subnet, "SecurityGroupId": [node] });
        participant.ok("CreateNetworkInterface", interface);
    });
    owner.refused("DeleteSecurityGroup", json!({ "GroupId": alb }), "DependencyViolation");
    // The owner sees the participant's group and cannot change it.
    let seen = owner.ok("DescribeSecurityGroups", json!({ "GroupId": [node] }));
    assert_eq!(seen["securityGroupInfo"][0]["ownerId"], "222222222222");
    assert_eq!(seen["securityGroupInfo"][0]["tagSet"], Value::Null);
    let named = json!({ "GroupId": node, "IpPermissions": web("0.0.0.0/0") });
    owner.refused(INGRESS, named, "UnauthorizedOperation");
    owner.refused("DeleteSecurityGroup", json!({ "GroupId": node }), "UnauthorizedOperation");
    owner.other(|participant| {
        let named = json!({ "GroupId": node, "IpPermissions": from_group(&alb, "111111111111") });
        participant.ok("RevokeSecurityGroupIngress", named);
    });
    owner.ok("DeleteSecurityGroup", json!({ "GroupId": alb }));
    // The participant's group holds the VPC in place.
    owner.refused("DeleteVpc", json!({ "VpcId": vpc }), "DependencyViolation");
}

#[test]
fn filters_look_at_groups_and_into_rules() {
    let (mut account, vpc, _) = with_subnet();
    let (one, two) = (group(&mut account, &vpc, "one"), group(&mut account, &vpc, "two"));
    account.ok(INGRESS, json!({ "GroupId": one, "IpPermissions": web("10.0.0.0/8") }));
    account.ok(INGRESS, json!({ "GroupId": two, "IpPermissions": from_group(&one, "111111111111") }));
    let mut found = |filters: &[(&str, &str)]| {
        let filters: Value =
            filters.iter().map(|(name, value)| json!({ "Name": name, "Value": [value] })).collect();
        let answer = account.ok("DescribeSecurityGroups", json!({ "Filter": filters }));
        let names = list(&answer, "securityGroupInfo").iter().map(|group| text(&group["groupName"]));
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(found(&[("vpc-id", &vpc), ("group-name", "one")]), "one");
    assert_eq!(found(&[("vpc-id", &vpc), ("group-name", "ONE")]), "");
    assert_eq!(found(&[("vpc-id", &vpc), ("group-name", "*o*")]), "one two");
    assert_eq!(found(&[("group-id", &two)]), "two");
    assert_eq!(found(&[("description", "test"), ("owner-id", "111111111111")]), "one two");
    assert_eq!(found(&[("ip-permission.cidr", "10.0.0.0/8")]), "one");
    assert_eq!(found(&[("ip-permission.group-id", &one)]), "two");
    assert_eq!(found(&[("ip-permission.user-id", "1*")]), "default two");
    assert_eq!(found(&[("ip-permission.from-port", "80")]), "one two");
    assert_eq!(found(&[("egress.ip-permission.protocol", "-1")]), "default one two");
    let wrong = json!({ "Filter": [{ "Name": "ip-permission.colour", "Value": ["red"] }] });
    account.refused("DescribeSecurityGroups", wrong, "InvalidParameterValue");
    let by_name = json!({ "GroupName": ["one"] });
    account.refused("DescribeSecurityGroups", by_name, "InvalidGroup.NotFound");
    let usable = account.ok("GetSecurityGroupsForVpc", json!({ "VpcId": vpc }));
    assert_eq!(list(&usable, "securityGroupForVpcSet").len(), 3);
}

#[test]
fn interfaces_take_five_groups_of_their_vpc() {
    let (mut account, vpc, subnet) = with_subnet();
    let other = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.9.0.0/16" }))["vpc"]["vpcId"]);
    let elsewhere = group(&mut account, &other, "elsewhere");
    let wanted = json!({ "SubnetId": subnet, "SecurityGroupId": [elsewhere] });
    account.refused("CreateNetworkInterface", wanted, "InvalidGroup.NotFound");
    let groups: Vec<_> = (0..6).map(|number| group(&mut account, &vpc, &format!("g{number}"))).collect();
    let wanted = json!({ "SubnetId": subnet, "SecurityGroupId": groups });
    account.refused("CreateNetworkInterface", wanted, "SecurityGroupsPerInterfaceLimitExceeded");
    let wanted = json!({ "SubnetId": subnet, "SecurityGroupId": groups[..5] });
    account.ok("CreateNetworkInterface", wanted);
}

/// Ten thousand groups in four accounts, as many as each may have: made, described by id and paged
/// through. Nothing of it may look at all of them each time.
#[test]
fn ten_thousand_groups_are_made_and_paged_through() {
    let mut account = Account::new();
    for number in ["333333333333", "444444444444", "555555555555", "666666666666"] {
        account.stranger(number, |account| {
            let vpc = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"]);
            for name in 0..quotas::GROUPS.value {
                let id = group(account, &vpc, &format!("g{name}"));
                account.ok("DescribeSecurityGroups", json!({ "GroupId": [id] }));
            }
            let more = json!({ "VpcId": vpc, "GroupName": "more", "GroupDescription": "test" });
            account.refused("CreateSecurityGroup", more, "SecurityGroupLimitExceeded");
            let (mut seen, mut token) = (0, Value::Null);
            loop {
                let asked = json!({ "MaxResults": "100", "NextToken": token });
                let page = account.ok("DescribeSecurityGroups", asked);
                seen += list(&page, "securityGroupInfo").len();
                token = page["nextToken"].clone();
                if token.is_null() {
                    break;
                }
            }
            assert_eq!(seen, quotas::GROUPS.value + 1, "the default group is one more");
        });
    }
}

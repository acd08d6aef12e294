use serde_json::{Value, json};

use super::QUOTA;
use crate::ec2::testing::{group, list, with_subnet};
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
fn rules_have_one_form() {
    let (mut account, vpc, _) = with_subnet();
    let id = group(&mut account, &vpc, "web");
    for (asked, protocol, from, to, range) in [
        (json!({ "IpProtocol": "6", "FromPort": "80", "ToPort": "90" }), "tcp", 80, 90, "10.1.2.3/8"),
        (json!({ "IpProtocol": "ICMP", "FromPort": "-1", "ToPort": "-1" }), "icmp", -1, -1, "10.0.0.0/8"),
        (json!({ "IpProtocol": "icmp", "FromPort": "3", "ToPort": "4" }), "icmp", 3, 4, "10.0.0.0/8"),
        (json!({ "IpProtocol": "-1", "FromPort": "1", "ToPort": "2" }), "-1", -1, -1, "10.0.0.0/8"),
        (json!({ "IpProtocol": "50" }), "50", -1, -1, "10.0.0.0/8"),
    ] {
        let mut asked = asked;
        asked["IpRanges"] = json!([{ "CidrIp": range, "Description": "" }]);
        let made = account.ok(INGRESS, json!({ "GroupId": id, "IpPermissions": [asked] }));
        let rule = &made["securityGroupRuleSet"][0];
        assert_eq!(rule["ipProtocol"], protocol);
        assert_eq!((&rule["fromPort"], &rule["toPort"]), (&json!(from), &json!(to)));
        assert_eq!(rule["cidrIpv4"], "10.0.0.0/8");
        assert_eq!(rule["description"], Value::Null);
    }
    let simple = json!({ "GroupId": id, "IpProtocol": "udp", "FromPort": "53", "ToPort": "53", "CidrIp": "0.0.0.0/0" });
    account.ok(INGRESS, simple);
    let v6 = json!([{ "IpProtocol": "tcp", "FromPort": "80", "ToPort": "90", "Ipv6Ranges": [{ "CidrIpv6": "2001:DB8::1/64" }] }]);
    account.ok(INGRESS, json!({ "GroupId": id, "IpPermissions": v6 }));
    let described = account.ok("DescribeSecurityGroups", json!({ "GroupId": [id] }));
    let permissions = list(&described["securityGroupInfo"][0], "ipPermissions");
    let web = permissions.iter().find(|one| one["ipProtocol"] == "tcp").expect("it is there");
    assert_eq!(web["ipRanges"].as_array().map(Vec::len), Some(1));
    assert_eq!(web["ipv6Ranges"][0]["cidrIpv6"], "2001:db8::/64");
}

#[test]
fn what_is_no_rule_is_refused() {
    let (mut account, vpc, _) = with_subnet();
    let id = group(&mut account, &vpc, "web");
    let other = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.9.0.0/16" }))["vpc"]["vpcId"]);
    let elsewhere = group(&mut account, &other, "elsewhere");
    let range = json!([{ "CidrIp": "0.0.0.0/0" }]);
    for (asked, code) in [
        (json!([{ "IpProtocol": "tcp", "IpRanges": range }]), "InvalidParameterValue"),
        (
            json!([{ "IpProtocol": "tcp", "FromPort": "2", "ToPort": "1", "IpRanges": range }]),
            "InvalidParameterValue",
        ),
        (
            json!([{ "IpProtocol": "icmp", "FromPort": "-1", "ToPort": "1", "IpRanges": range }]),
            "InvalidParameterValue",
        ),
        (json!([{ "IpProtocol": "http", "IpRanges": range }]), "InvalidParameterValue"),
        (json!([{ "IpProtocol": "-1" }]), "MissingParameter"),
        (json!([]), "MissingParameter"),
        (json!([{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "10.0.0.1" }] }]), "InvalidParameterValue"),
        (
            json!([{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "10.0.0.0/8", "Description": "é" }] }]),
            "InvalidParameterValue",
        ),
        (json!([{ "IpProtocol": "-1", "IpRanges": [range[0], range[0]] }]), "InvalidParameterValue"),
        (json!([{ "IpProtocol": "-1", "Groups": [{ "GroupId": "sg-0" }] }]), "InvalidGroup.NotFound"),
        (json!([{ "IpProtocol": "-1", "Groups": [{ "GroupId": elsewhere }] }]), "InvalidGroup.NotFound"),
        (
            json!([{ "IpProtocol": "-1", "Groups": [{ "GroupId": id, "UserId": "222222222222" }] }]),
            "InvalidGroup.NotFound",
        ),
        (
            json!([{ "IpProtocol": "-1", "PrefixListIds": [{ "PrefixListId": "pl-0" }] }]),
            "InvalidPrefixListID.NotFound",
        ),
    ] {
        account.refused(INGRESS, json!({ "GroupId": id, "IpPermissions": asked }), code);
    }
    let asked = json!({ "GroupId": "sg-0", "IpPermissions": web("0.0.0.0/0") });
    account.refused(INGRESS, asked, "InvalidGroup.NotFound");
    let dry = json!({ "GroupId": id, "IpPermissions": web("0.0.0.0/0"), "DryRun": "true" });
    account.refused(INGRESS, dry, "DryRunOperation");
    assert_eq!(rules(&mut account, &id).len(), 1);
}

#[test]
fn a_rule_is_there_once_and_at_most_sixty_are() {
    let (mut account, vpc, _) = with_subnet();
    let id = group(&mut account, &vpc, "web");
    let asked = json!({ "GroupId": id, "IpPermissions": web("10.0.0.0/8") });
    account.ok(INGRESS, asked.clone());
    account.refused(INGRESS, asked, "InvalidPermission.Duplicate");
    let ranges = |from: usize, to: usize| -> Value {
        (from..to).map(|number| json!({ "CidrIp": format!("10.0.{number}.0/24") })).collect()
    };
    let many = |ranges: Value| {
        let permission = json!({ "IpProtocol": "-1", "IpRanges": ranges });
        json!({ "GroupId": id, "IpPermissions": [permission] })
    };
    account.refused(INGRESS, many(ranges(0, 60)), "RulesPerSecurityGroupLimitExceeded");
    account.ok(INGRESS, many(ranges(0, 59)));
    account.refused(INGRESS, many(ranges(59, 60)), "RulesPerSecurityGroupLimitExceeded");
    // Each direction and each family has its own sixty.
    account.ok("AuthorizeSecurityGroupEgress", many(ranges(0, 59)));
    let v6 = json!([{ "IpProtocol": "-1", "Ipv6Ranges": [{ "CidrIpv6": "::/0" }] }]);
    account.ok(INGRESS, json!({ "GroupId": id, "IpPermissions": v6 }));
}

#[test]
fn rules_are_revoked_by_id_or_by_what_they_allow() {
    let (mut account, vpc, _) = with_subnet();
    let id = group(&mut account, &vpc, "web");
    let egress = text(&rules(&mut account, &id)[0]["securityGroupRuleId"]);
    let revoke = "RevokeSecurityGroupEgress";
    let by_id = json!({ "GroupId": id, "SecurityGroupRuleId": [egress] });
    account.refused("RevokeSecurityGroupIngress", by_id.clone(), "InvalidSecurityGroupRuleId.NotFound");
    let answer = account.ok(revoke, by_id.clone());
    assert_eq!(answer["revokedSecurityGroupRuleSet"][0]["cidrIpv4"], "0.0.0.0/0");
    account.refused(revoke, by_id, "InvalidSecurityGroupRuleId.NotFound");
    account.ok(INGRESS, json!({ "GroupId": id, "IpPermissions": web("10.0.0.0/8") }));
    // One that is not there keeps all.
    let mut two = web("10.0.0.0/8");
    two[0]["IpRanges"] = json!([{ "CidrIp": "10.0.0.0/8" }, { "CidrIp": "10.0.0.0/9" }]);
    let two = json!({ "GroupId": id, "IpPermissions": two });
    account.refused("RevokeSecurityGroupIngress", two, "InvalidPermission.NotFound");
    assert_eq!(rules(&mut account, &id).len(), 1);
    account.refused("RevokeSecurityGroupIngress", json!({ "GroupId": id }), "MissingParameter");
    let mut described = web("10.0.0.0/8");
    described[0]["IpRanges"][0]["Description"] = json!("another text");
    account.ok("RevokeSecurityGroupIngress", json!({ "GroupId": id, "IpPermissions": described }));
    assert!(rules(&mut account, &id).is_empty());
}

#[test]
fn rules_change_and_keep_their_ids() {
    let (mut account, vpc, _) = with_subnet();
    let id = group(&mut account, &vpc, "web");
    let tags = json!([{ "ResourceType": "security-group-rule", "Tag": [{ "Key": "k", "Value": "v" }] }]);
    let wanted = json!({ "GroupId": id, "IpPermissions": web("10.0.0.0/8"), "TagSpecification": tags });
    let made = account.ok(INGRESS, wanted);
    let rule = text(&made["securityGroupRuleSet"][0]["securityGroupRuleId"]);
    let modify = |asked: Value| json!({ "GroupId": id, "SecurityGroupRule": [{ "SecurityGroupRuleId": rule, "SecurityGroupRule": asked }] });
    let https = json!({
        "IpProtocol": "tcp", "FromPort": "443", "ToPort": "443", "CidrIpv4": "10.1.0.0/16", "Description": "https",
    });
    account.ok("ModifySecurityGroupRules", modify(https.clone()));
    let found = account.ok("DescribeSecurityGroupRules", json!({ "SecurityGroupRuleId": [rule] }));
    let found = &found["securityGroupRuleSet"][0];
    assert_eq!((&found["fromPort"], &found["cidrIpv4"]), (&json!(443), &json!("10.1.0.0/16")));
    assert_eq!(found["description"], "https");
    assert_eq!(found["tagSet"], json!([{ "key": "k", "value": "v" }]));
    let v6 = json!({ "IpProtocol": "tcp", "FromPort": "443", "ToPort": "443", "CidrIpv6": "::/0" });
    account.refused("ModifySecurityGroupRules", modify(v6), "InvalidParameterCombination");
    let none = json!({ "IpProtocol": "-1" });
    account.refused("ModifySecurityGroupRules", modify(none), "InvalidParameterCombination");
    account.ok(INGRESS, json!({ "GroupId": id, "IpPermissions": web("10.0.0.0/8") }));
    let same = json!({ "IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", "CidrIpv4": "10.0.0.0/8" });
    account.refused("ModifySecurityGroupRules", modify(same), "InvalidPermission.Duplicate");
    let unknown = json!({ "GroupId": id, "SecurityGroupRule": [{ "SecurityGroupRuleId": "sgr-0", "SecurityGroupRule": https }] });
    account.refused("ModifySecurityGroupRules", unknown, "InvalidSecurityGroupRuleId.NotFound");
}

#[test]
fn a_changed_rule_lets_go_of_the_group_that_it_named() {
    let (mut account, vpc, _) = with_subnet();
    let ids = ["one", "two", "three"].map(|name| group(&mut account, &vpc, name));
    let named = json!({ "GroupId": ids[0], "IpPermissions": from_group(&ids[1], "111111111111") });
    let rule = account.ok(INGRESS, named)["securityGroupRuleSet"][0]["securityGroupRuleId"].clone();
    let asked = json!({ "IpProtocol": "-1", "ReferencedGroupId": ids[2] });
    let asked = json!([{ "SecurityGroupRuleId": rule, "SecurityGroupRule": asked }]);
    account.ok("ModifySecurityGroupRules", json!({ "GroupId": ids[0], "SecurityGroupRule": asked }));
    account.ok("DeleteSecurityGroup", json!({ "GroupId": ids[1] }));
    account.refused("DeleteSecurityGroup", json!({ "GroupId": ids[2] }), "DependencyViolation");
}

#[test]
fn descriptions_change_alone() {
    let (mut account, vpc, _) = with_subnet();
    let id = group(&mut account, &vpc, "web");
    let made = account.ok(INGRESS, json!({ "GroupId": id, "IpPermissions": web("10.0.0.0/8") }));
    let rule = made["securityGroupRuleSet"][0]["securityGroupRuleId"].clone();
    let update = "UpdateSecurityGroupRuleDescriptionsIngress";
    let named = |text: &str| json!([{ "SecurityGroupRuleId": rule, "Description": text }]);
    account.ok(update, json!({ "GroupId": id, "SecurityGroupRuleDescription": named("one") }));
    let described = |account: &mut Account| {
        let found = account.ok("DescribeSecurityGroupRules", json!({ "SecurityGroupRuleId": [rule] }));
        found["securityGroupRuleSet"][0]["description"].clone()
    };
    assert_eq!(described(&mut account), "one");
    let mut alike = web("10.0.0.0/8");
    alike[0]["IpRanges"][0]["Description"] = json!("two");
    account.ok(update, json!({ "GroupId": id, "IpPermissions": alike }));
    assert_eq!(described(&mut account), "two");
    account.ok(update, json!({ "GroupId": id, "IpPermissions": web("10.0.0.0/8") }));
    assert_eq!(described(&mut account), Value::Null);
    let missing = json!({ "GroupId": id, "IpPermissions": web("10.0.0.0/9") });
    account.refused(update, missing, "InvalidPermission.NotFound");
    account.refused(update, json!({ "GroupId": id }), "MissingParameter");
    let of_egress = json!({ "GroupId": id, "SecurityGroupRuleDescription": named("one") });
    let code = "InvalidSecurityGroupRuleId.NotFound";
    account.refused("UpdateSecurityGroupRuleDescriptionsEgress", of_egress, code);
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
            for name in 0..QUOTA {
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
            assert_eq!(seen, QUOTA + 1, "the default group is one more");
        });
    }
}

//! Rules of groups.

use serde_json::{Value, json};

use super::{INGRESS, from_group, rules, web};
use crate::ec2::testing::{group, list, with_subnet};
use crate::testing::{Account, text};

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

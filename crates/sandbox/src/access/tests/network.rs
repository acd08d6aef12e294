//! Resources, tags and conditions of EC2 and RAM.

use serde_json::{Value, json};

use super::{allow, grant, user};
use crate::testing::{Account, text};

const DENIED: &str = "UnauthorizedOperation";

fn tagged(kind: &str, value: &str) -> Value {
    json!([{ "ResourceType": kind, "Tag": [{ "Key": "team", "Value": value }] }])
}

fn vpc(team: &str) -> Value {
    json!({ "CidrBlock": "10.0.0.0/16", "TagSpecification": tagged("vpc", team) })
}

/// Making with tags needs `ec2:CreateTags` on what is made, with `ec2:CreateAction`.
#[test]
fn tags_at_birth_are_allowed_of_their_own() {
    let mut account = Account::new().enforcing();
    let key = user(&mut account, "somebody", &json!([allow(&json!("ec2:CreateVpc"))]));
    account.with(&key, |somebody| {
        let message = somebody.message("CreateVpc", vpc("a"), DENIED);
        assert!(message.contains("perform: ec2:CreateTags on resource: arn:aws:ec2:"), "{message}");
        somebody.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }));
    });
    let tagging = |action: &str| {
        let mut statement = allow(&json!("ec2:CreateTags"));
        statement["Resource"] = json!("arn:aws:ec2:*:111111111111:vpc/*");
        statement["Condition"] = json!({ "StringEquals": { "ec2:CreateAction": action } });
        json!([allow(&json!("ec2:CreateVpc")), statement])
    };
    grant(&mut account, "somebody", &tagging("CreateSubnet"));
    account.with(&key, |somebody| somebody.refused("CreateVpc", vpc("a"), DENIED));
    grant(&mut account, "somebody", &tagging("CreateVpc"));
    let mut made = Value::Null;
    account.with(&key, |somebody| made = somebody.ok("CreateVpc", vpc("a")));
    // Tagging later is no birth.
    let later = json!({ "ResourceId": [made["vpc"]["vpcId"]], "Tag": [{ "Key": "x", "Value": "" }] });
    account.with(&key, |somebody| somebody.refused("CreateTags", later, DENIED));
}

#[test]
fn tags_of_things_and_calls_are_conditions() {
    let mut account = Account::new().enforcing();
    let of_team = json!([
        {
            "Effect": "Allow", "Action": ["ec2:CreateVpc", "ec2:CreateTags"], "Resource": "*",
            "Condition": {
                "StringEquals": { "aws:RequestTag/team": "a" },
                "ForAllValues:StringEquals": { "aws:TagKeys": ["team"] },
            },
        },
        {
            "Effect": "Allow", "Action": ["ec2:DeleteVpc", "ec2:ModifyVpcAttribute"],
            "Resource": "arn:aws:ec2:us-east-1:111111111111:vpc/*",
            "Condition": { "StringEquals": { "aws:ResourceTag/team": "a" } },
        },
    ]);
    let key = user(&mut account, "somebody", &of_team);
    let id = |made: &Value| text(&made["vpc"]["vpcId"]);
    let others = id(&account.ok("CreateVpc", vpc("b")));
    account.with(&key, |somebody| {
        somebody.refused("CreateVpc", vpc("b"), DENIED);
        somebody.refused("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }), DENIED);
        let mut two = vpc("a");
        two["TagSpecification"][0]["Tag"] =
            json!([{ "Key": "team", "Value": "a" }, { "Key": "more", "Value": "" }]);
        somebody.refused("CreateVpc", two, DENIED);
        let own = id(&somebody.ok("CreateVpc", vpc("a")));
        somebody.refused("DeleteVpc", json!({ "VpcId": others }), DENIED);
        somebody.ok("DeleteVpc", json!({ "VpcId": own }));
    });
}

/// Each thing that is named is asked about, with its owner's account in the ARN.
#[test]
fn every_thing_that_is_named_is_asked_about() {
    let mut account = Account::new().enforcing();
    let made = account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }));
    let vpc = text(&made["vpc"]["vpcId"]);
    let on = |resources: Value| json!([{ "Effect": "Allow", "Action": "ec2:*", "Resource": resources }]);
    let (subnets, vpcs) = ("arn:aws:ec2:*:*:subnet/*", format!("arn:aws:ec2:*:111111111111:vpc/{vpc}"));
    let key = user(&mut account, "somebody", &on(json!([subnets])));
    let subnet = json!({ "VpcId": vpc, "CidrBlock": "10.0.0.0/24" });
    account.with(&key, |somebody| {
        let message = somebody.message("CreateSubnet", subnet.clone(), DENIED);
        assert!(message.contains(&format!("vpc/{vpc} because")), "{message}");
    });
    grant(&mut account, "somebody", &on(json!([vpcs])));
    account.with(&key, |somebody| {
        let message = somebody.message("CreateSubnet", subnet.clone(), DENIED);
        assert!(message.contains("subnet/* because"), "{message}");
    });
    grant(&mut account, "somebody", &on(json!([subnets, vpcs])));
    let mut made = Value::Null;
    account.with(&key, |somebody| made = somebody.ok("CreateSubnet", subnet));
    let subnet = text(&made["subnet"]["subnetId"]);
    // A route's target is not what is changed: the table is.
    let tables = "arn:aws:ec2:*:*:route-table/*";
    grant(&mut account, "somebody", &on(json!([tables, vpcs, subnets])));
    let gateway =
        text(&account.ok("CreateInternetGateway", json!({}))["internetGateway"]["internetGatewayId"]);
    account.ok("AttachInternetGateway", json!({ "InternetGatewayId": gateway, "VpcId": vpc }));
    account.with(&key, |somebody| {
        let table =
            text(&somebody.ok("CreateRouteTable", json!({ "VpcId": vpc }))["routeTable"]["routeTableId"]);
        let route = json!({
            "RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway,
        });
        somebody.ok("CreateRoute", route);
        let association = json!({ "RouteTableId": table, "SubnetId": subnet });
        let association = text(&somebody.ok("AssociateRouteTable", association)["associationId"]);
        somebody.ok("DisassociateRouteTable", json!({ "AssociationId": association }));
        somebody.refused("DeleteInternetGateway", json!({ "InternetGatewayId": gateway }), DENIED);
    });
}

/// A participant's policy names the owner's subnet with the owner's account, and sees no tags.
#[test]
fn what_is_shared_is_the_owners() {
    let mut account = Account::new().enforcing();
    let vpc = text(&account.ok("CreateVpc", json!({ "CidrBlock": "10.0.0.0/16" }))["vpc"]["vpcId"]);
    let subnet = json!({
        "VpcId": vpc, "CidrBlock": "10.0.0.0/24", "TagSpecification": tagged("subnet", "a"),
    });
    let subnet = text(&account.ok("CreateSubnet", subnet)["subnet"]["subnetId"]);
    account.share_with_other(&subnet);
    account.other(|participant| {
        let group = json!({ "GroupName": "own", "GroupDescription": "own", "VpcId": vpc });
        let group = text(&participant.ok("CreateSecurityGroup", group)["groupId"]);
        let interface = json!({ "SubnetId": subnet, "SecurityGroupId": [group] });
        let on = |condition: Value| {
            json!([{
                "Effect": "Allow", "Action": "ec2:CreateNetworkInterface",
                "Resource": ["arn:aws:ec2:*:222222222222:network-interface/*",
                    "arn:aws:ec2:*:222222222222:security-group/*", "arn:aws:ec2:*:111111111111:subnet/*"],
                "Condition": condition,
            }])
        };
        let vpc_arn = format!("arn:aws:ec2:us-east-1:111111111111:vpc/{vpc}");
        let key = user(participant, "somebody", &on(json!({ "ArnEqualsIfExists": { "ec2:Vpc": vpc_arn } })));
        participant.with(&key, |somebody| {
            somebody.ok("CreateNetworkInterface", interface.clone());
        });
        let with_tags = json!({ "StringEqualsIfExists": { "aws:ResourceTag/team": "b" } });
        grant(participant, "somebody", &on(with_tags));
        participant.with(&key, |somebody| {
            somebody.ok("CreateNetworkInterface", interface.clone());
        });
        let elsewhere = json!({ "ArnEqualsIfExists": { "ec2:Vpc": "arn:aws:ec2:*:*:vpc/another" } });
        grant(participant, "somebody", &on(elsewhere));
        participant.with(&key, |somebody| somebody.refused("CreateNetworkInterface", interface, DENIED));
    });
}

#[test]
fn shares_are_allowed_by_their_tags() {
    let mut account = Account::new().enforcing();
    let tag = |value: &str| json!([{ "key": "team", "value": value }]);
    let of_team = json!([
        {
            "Effect": "Allow", "Action": "ram:CreateResourceShare", "Resource": "*",
            "Condition": { "StringEquals": { "aws:RequestTag/team": "a" } },
        },
        {
            "Effect": "Allow", "Action": "ram:DeleteResourceShare", "Resource": "arn:aws:ram:*:*:resource-share/*",
            "Condition": { "StringEquals": { "aws:ResourceTag/team": "a" } },
        },
    ]);
    let key = user(&mut account, "somebody", &of_team);
    let share = |value: &str| json!({ "name": "subnets", "tags": tag(value) });
    let arn = |made: &Value| made["resourceShare"]["resourceShareArn"].clone();
    let others = arn(&account.ok("ram:CreateResourceShare", share("b")));
    account.with(&key, |somebody| {
        somebody.refused("ram:CreateResourceShare", share("b"), "AccessDeniedException");
        let own = arn(&somebody.ok("ram:CreateResourceShare", share("a")));
        let delete = |arn: &Value| json!({ "resourceShareArn": arn });
        somebody.refused("ram:DeleteResourceShare", delete(&others), "AccessDeniedException");
        somebody.ok("ram:DeleteResourceShare", delete(&own));
    });
}

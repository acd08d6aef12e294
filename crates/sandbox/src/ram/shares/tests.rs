//! The life of shares.

use serde_json::{Value, json};

use crate::ram::testing::{sees, share, subnet};
use crate::ram::{ASSOCIATING, KEPT, SIGHT};
use crate::testing::{Account, text};

const OTHER: &str = "222222222222";
const CREATE: &str = "ram:CreateResourceShare";
const GET: &str = "ram:GetResourceShares";
const DELETE: &str = "ram:DeleteResourceShare";

fn status(account: &mut Account, arn: &str) -> Value {
    let asked = json!({ "resourceOwner": "SELF", "resourceShareArns": [arn] });
    account.ok(GET, asked)["resourceShares"][0]["status"].clone()
}

#[test]
fn a_participant_sees_a_subnet_a_while_after_it_is_shared() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    let share = share(&mut account, &[&arn], &[OTHER]);
    assert_eq!(status(&mut account, &share), "ACTIVE");
    assert!(!sees(&mut account, &id));
    // What is associated is not yet seen: there is no read after write in the participant.
    account.wait(ASSOCIATING.as_secs());
    assert!(!sees(&mut account, &id));
    account.wait(SIGHT.as_secs());
    assert!(sees(&mut account, &id));
    account.other(|other| {
        let seen = other.ok(GET, json!({ "resourceOwner": "OTHER-ACCOUNTS" }));
        assert_eq!(seen["resourceShares"][0]["resourceShareArn"], share.as_str());
        assert_eq!(seen["resourceShares"][0]["tags"], Value::Null);
        assert_eq!(other.ok(GET, json!({ "resourceOwner": "SELF" }))["resourceShares"], json!([]));
        other.refused(DELETE, json!({ "resourceShareArn": share }), "UnknownResourceException");
    });
}

#[test]
fn a_deleted_share_is_listed_for_two_hours() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    let share = share(&mut account, &[&arn], &[OTHER]);
    account.wait(60);
    let named = json!({ "resourceShareArn": share });
    assert_eq!(account.ok(DELETE, named.clone())["returnValue"], true);
    assert!(!sees(&mut account, &id));
    assert_eq!(status(&mut account, &share), "DELETING");
    account.refused(DELETE, named.clone(), "InvalidStateTransitionException");
    account.wait(ASSOCIATING.as_secs());
    assert_eq!(status(&mut account, &share), "DELETED");
    account.wait(KEPT.as_secs());
    let asked = json!({ "resourceOwner": "SELF", "resourceShareArns": [share] });
    account.refused(GET, asked, "UnknownResourceException");
    account.refused(DELETE, named, "UnknownResourceException");
}

#[test]
fn a_subnet_in_two_shares_stays_visible_while_one_is_left() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    let one = share(&mut account, &[&arn], &[OTHER]);
    account.wait(60);
    let two = share(&mut account, &[&arn], &[OTHER]);
    assert!(sees(&mut account, &id), "another share takes nothing away");
    account.wait(60);
    account.ok(DELETE, json!({ "resourceShareArn": one }));
    assert!(sees(&mut account, &id));
    account.ok(DELETE, json!({ "resourceShareArn": two }));
    assert!(!sees(&mut account, &id));
}

#[test]
fn an_organization_or_a_unit_stands_for_its_accounts() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    let described = account.ok("organizations:DescribeOrganization", json!({}));
    let organization = text(&described["Organization"]["Arn"]);
    let whole = share(&mut account, &[&arn], &[&organization]);
    account.wait(60);
    assert!(sees(&mut account, &id));
    account.ok(DELETE, json!({ "resourceShareArn": whole }));
    let root = text(&account.ok("organizations:ListRoots", json!({}))["Roots"][0]["Id"]);
    let unit = json!({ "ParentId": root, "Name": "workloads" });
    let unit = account.ok("organizations:CreateOrganizationalUnit", unit);
    let unit = &unit["OrganizationalUnit"];
    share(&mut account, &[&arn], &[&text(&unit["Arn"])]);
    account.wait(60);
    assert!(!sees(&mut account, &id), "it is in no unit");
    let moved = json!({ "AccountId": OTHER, "SourceParentId": root, "DestinationParentId": unit["Id"] });
    account.ok("organizations:MoveAccount", moved);
    assert!(sees(&mut account, &id));
    account.ok("organizations:RemoveAccountFromOrganization", json!({ "AccountId": OTHER }));
    assert!(!sees(&mut account, &id));
}

#[test]
fn without_organization_sharing_no_subnet_is_shared() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    share(&mut account, &[&arn], &[OTHER]);
    account.wait(60);
    let ram = json!({ "ServicePrincipal": "ram.amazonaws.com" });
    account.ok("organizations:DisableAWSServiceAccess", ram.clone());
    assert!(!sees(&mut account, &id));
    let wanted = json!({ "name": "n", "resourceArns": [arn], "principals": [OTHER] });
    account.refused(CREATE, wanted.clone(), "OperationNotPermittedException");
    let described = account.ok("organizations:DescribeOrganization", json!({}));
    let whole = json!({ "name": "n", "principals": [described["Organization"]["Arn"]] });
    account.refused(CREATE, whole, "UnknownResourceException");
    // Trusting the service leaves out the role that RAM needs.
    account.ok("organizations:EnableAWSServiceAccess", ram);
    account.refused(CREATE, wanted.clone(), "OperationNotPermittedException");
    account.ok("ram:EnableSharingWithAwsOrganization", json!({}));
    account.refused(CREATE, wanted.clone(), "OperationNotPermittedException");
    account.wait(10);
    account.ok(CREATE, wanted);
    assert!(sees(&mut account, &id), "what was shared before is shared again");
}

#[test]
fn what_ram_refuses_to_make_is_refused() {
    let mut account = Account::new();
    let (_, arn) = subnet(&mut account);
    let foreign = arn.replace("111111111111", OTHER);
    let elsewhere = arn.replace("us-east-1", "eu-west-1");
    for (wanted, code) in [
        (json!({}), "MissingRequiredParameterException"),
        (json!({ "resourceArns": ["subnet-1"] }), "MalformedArnException"),
        (json!({ "resourceArns": [foreign] }), "OperationNotPermittedException"),
        (json!({ "resourceArns": [elsewhere] }), "UnknownResourceException"),
        (json!({ "resourceArns": [format!("{arn}0")] }), "UnknownResourceException"),
        (json!({ "resourceArns": ["arn:aws:s3:::bucket"] }), "InvalidParameterException"),
        (json!({ "principals": ["o-abc"] }), "InvalidParameterException"),
        (json!({ "principals": ["111111111111"] }), "InvalidParameterException"),
        (
            json!({ "principals": ["arn:aws:organizations::1:organization/o-abc"] }),
            "InvalidParameterException",
        ),
        (
            json!({ "principals": ["arn:aws:organizations::111111111111:organization/o-abc"] }),
            "UnknownResourceException",
        ),
        (
            json!({ "principals": ["333333333333"], "allowExternalPrincipals": false }),
            "OperationNotPermittedException",
        ),
        (json!({ "principals": ["333333333333"], "resourceArns": [arn] }), "OperationNotPermittedException"),
        (
            json!({ "principals": ["arn:aws:iam::222222222222:role/r"], "resourceArns": [arn] }),
            "OperationNotPermittedException",
        ),
        (json!({ "permissionArns": ["arn:aws:ram::aws:permission/x"] }), "UnknownResourceException"),
        (json!({ "permissionArns": ["x"] }), "MalformedArnException"),
        (json!({ "tags": [{ "key": "aws:x", "value": "" }] }), "TagPolicyViolationException"),
        (json!({ "principals": vec![OTHER; 101] }), "ResourceShareLimitExceededException"),
    ] {
        let mut wanted = wanted;
        if wanted != json!({}) {
            wanted["name"] = json!("n");
        }
        account.refused(CREATE, wanted, code);
    }
    assert_eq!(account.ok(GET, json!({ "resourceOwner": "SELF" }))["resourceShares"], json!([]));
}

#[test]
fn shares_are_chosen_by_name_status_and_tags() {
    let mut account = Account::new();
    for (name, value) in [("a", "1"), ("b", "2"), ("c", "1")] {
        account.ok(CREATE, json!({ "name": name, "tags": [{ "key": "k", "value": value }] }));
    }
    let mut names = |more: Value| {
        let mut asked = json!({ "resourceOwner": "SELF" });
        asked.as_object_mut().expect("a table").extend(more.as_object().cloned().expect("a table"));
        let listed = account.ok(GET, asked);
        let shares = listed["resourceShares"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<_> = shares.iter().map(|share| text(&share["name"])).collect();
        names.sort();
        names.concat()
    };
    assert_eq!(names(json!({ "name": "b" })), "b");
    assert_eq!(names(json!({ "resourceShareStatus": "DELETED" })), "");
    assert_eq!(names(json!({ "tagFilters": [{ "tagKey": "k", "tagValues": ["1"] }] })), "ac");
    assert_eq!(names(json!({ "tagFilters": [{ "tagKey": "k" }] })), "abc");
    assert_eq!(names(json!({ "tagFilters": [{ "tagKey": "other" }] })), "");
    assert_eq!(names(json!({ "maxResults": 2 })).len(), 2);
    account.refused(GET, json!({}), "MissingRequiredParameterException");
    account.refused(GET, json!({ "resourceOwner": "ME" }), "InvalidParameterException");
    account.refused(GET, json!({ "resourceOwner": "SELF", "nextToken": "?" }), "InvalidNextTokenException");
    let wrong = json!({ "resourceOwner": "SELF", "resourceShareArns": ["x"] });
    account.refused(GET, wrong, "MalformedArnException");
}

#[test]
fn a_share_is_renamed_tagged_and_closed() {
    let mut account = Account::new();
    let made = account.ok(CREATE, json!({ "name": "a", "principals": ["333333333333"] }));
    let arn = text(&made["resourceShare"]["resourceShareArn"]);
    assert_eq!(made["resourceShare"]["allowExternalPrincipals"], true);
    let close = json!({ "resourceShareArn": arn, "allowExternalPrincipals": false });
    account.refused("ram:UpdateResourceShare", close.clone(), "InvalidParameterException");
    let out = json!({ "resourceShareArn": arn, "principals": ["333333333333"] });
    account.ok("ram:DisassociateResourceShare", out);
    let ram = json!({ "ServicePrincipal": "ram.amazonaws.com" });
    account.ok("organizations:DisableAWSServiceAccess", ram);
    account.refused("ram:UpdateResourceShare", close.clone(), "OperationNotPermittedException");
    account.ok("ram:EnableSharingWithAwsOrganization", json!({}));
    account.wait(10);
    account.ok("ram:UpdateResourceShare", close);
    account.ok("ram:UpdateResourceShare", json!({ "resourceShareArn": arn, "name": "b" }));
    let tags = json!({ "resourceShareArn": arn, "tags": [{ "key": "k", "value": "v" }] });
    account.ok("ram:TagResource", tags);
    let asked = json!({ "resourceOwner": "SELF" });
    let share = account.ok(GET, asked.clone())["resourceShares"][0].clone();
    assert_eq!((&share["name"], &share["allowExternalPrincipals"]), (&json!("b"), &json!(false)));
    assert_eq!(share["tags"], json!([{ "key": "k", "value": "v" }]));
    account.ok("ram:UntagResource", json!({ "resourceShareArn": arn, "tagKeys": ["k"] }));
    assert_eq!(account.ok(GET, asked)["resourceShares"][0]["tags"], json!([]));
    let many: Vec<_> = (0..51).map(|number| json!({ "key": number.to_string(), "value": "" })).collect();
    let many = json!({ "resourceShareArn": arn, "tags": many });
    account.refused("ram:TagResource", many, "TagLimitExceededException");
}

#[test]
fn a_world_that_was_kept_goes_on_sharing() {
    let mut account = Account::new();
    let (id, arn) = subnet(&mut account);
    share(&mut account, &[&arn], &[OTHER]);
    account.ok(CREATE, json!({ "name": "open", "principals": ["333333333333"] }));
    let vpc = account.ok("DescribeVpcs", json!({}))["vpcSet"][0]["vpcId"].clone();
    let group = json!({ "VpcId": vpc, "GroupName": "web", "GroupDescription": "test" });
    let group = account.ok("CreateSecurityGroup", group)["groupId"].clone();
    let endpoint = json!({ "VpcId": vpc, "ServiceName": "com.amazonaws.us-east-1.s3" });
    account.ok("CreateVpcEndpoint", endpoint);
    let kept = serde_json::to_string(account.world()).expect("a world has a JSON form");
    *account.world() = serde_json::from_str(&kept).expect("it was written so");
    account.wait(60);
    assert!(sees(&mut account, &id));
    account.ok("DescribeSecurityGroups", json!({ "GroupId": [group] }));
    account.outsider(|outsider| {
        let listed = outsider.ok("ram:GetResourceShareInvitations", json!({}));
        assert_eq!(listed["resourceShareInvitations"].as_array().map(Vec::len), Some(1));
    });
    assert_eq!(serde_json::to_string(account.world()).expect("it has still").len(), kept.len());
}

//! The life of roles.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::testing::{Account, text};

fn trust(principal: &Value) -> String {
    let statement = json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn creating(name: &str) -> Value {
    let document = trust(&json!({ "Service": "ec2.amazonaws.com" }));
    json!({ "RoleName": name, "AssumeRolePolicyDocument": document })
}

/// Returns the trust policy of a role as it is shown.
fn shown_trust(account: &mut Account, name: &str) -> Value {
    let role = account.ok("iam:GetRole", json!({ "RoleName": name }));
    let encoded = text(&role["Role"]["AssumeRolePolicyDocument"]);
    assert!(!encoded.contains(['{', '"', ' ', ':']), "{encoded}");
    let decoded = percent_decode_str(&encoded).decode_utf8().expect("it is text");
    serde_json::from_str(&decoded).expect("it is JSON")
}

#[test]
fn a_role_is_made_changed_and_deleted() {
    let mut account = Account::new();
    let mut wanted = creating("nodes");
    wanted["Path"] = json!("/teams/a/");
    wanted["Description"] = json!("for nodes");
    wanted["Tags"] = json!([{ "Key": "team", "Value": "a" }]);
    let role = account.ok("iam:CreateRole", wanted)["Role"].clone();
    assert_eq!(role["Arn"], "arn:aws:iam::111111111111:role/teams/a/nodes");
    assert_eq!(role["MaxSessionDuration"], 3600);
    let id = text(&role["RoleId"]);
    assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
    account.ok("iam:UpdateRole", json!({ "RoleName": "nodes", "MaxSessionDuration": "7200" }));
    let changed = account.ok("iam:GetRole", json!({ "RoleName": "nodes" }))["Role"].clone();
    assert_eq!(
        (&changed["Description"], &changed["MaxSessionDuration"]),
        (&json!("for nodes"), &json!(7200))
    );
    assert_eq!(changed["Tags"], json!([{ "Key": "team", "Value": "a" }]));
    account.ok("iam:UpdateRole", json!({ "RoleName": "nodes", "Description": "" }));
    let changed = account.ok("iam:GetRole", json!({ "RoleName": "nodes" }));
    assert_eq!(changed["Role"]["Description"], Value::Null);
    account.ok("iam:DeleteRole", json!({ "RoleName": "nodes" }));
    account.refused("iam:GetRole", json!({ "RoleName": "nodes" }), "NoSuchEntity");
    account.refused("iam:DeleteRole", json!({ "RoleName": "nodes" }), "NoSuchEntity");
}

#[test]
fn wrong_roles_are_refused() {
    let mut account = Account::new();
    account.ok("iam:CreateRole", creating("nodes"));
    // "Names are not distinguished by case."
    account.refused("iam:CreateRole", creating("Nodes"), "EntityAlreadyExists");
    account.refused("iam:CreateRole", creating("with space"), "ValidationError");
    account.refused("iam:CreateRole", creating(&"x".repeat(65)), "ValidationError");
    account.refused("iam:CreateRole", json!({ "RoleName": "x" }), "ValidationError");
    for (name, value, code) in [
        ("Path", json!("no-slash"), "ValidationError"),
        ("MaxSessionDuration", json!(3599), "ValidationError"),
        ("AssumeRolePolicyDocument", json!("{"), "MalformedPolicyDocument"),
        ("PermissionsBoundary", json!("arn:aws:iam::aws:policy/None"), "NoSuchEntity"),
        ("Tags", json!([{ "Key": "aws:x", "Value": "" }]), "InvalidInput"),
        ("Colour", json!("red"), "UnknownParameter"),
    ] {
        let mut wrong = creating("other");
        wrong[name] = value;
        account.refused("iam:CreateRole", wrong, code);
    }
    let mut long = creating("other");
    long["AssumeRolePolicyDocument"] = json!(trust(&json!({ "Federated": vec!["a.example"; 200] })));
    account.refused("iam:CreateRole", long, "LimitExceeded");
}

/// "Before attempting to delete a role, remove the following attached items" (`DeleteRole`).
#[test]
fn what_hangs_on_a_role_keeps_it() {
    let mut account = Account::new();
    account.ok("iam:CreateRole", creating("nodes"));
    let arn = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy";
    let attachment = json!({ "RoleName": "nodes", "PolicyArn": arn });
    account.ok("iam:AttachRolePolicy", attachment.clone());
    account.ok("iam:AttachRolePolicy", attachment.clone());
    account.refused("iam:DeleteRole", json!({ "RoleName": "nodes" }), "DeleteConflict");
    account.ok("iam:DetachRolePolicy", attachment.clone());
    account.refused("iam:DetachRolePolicy", attachment, "NoSuchEntity");
    let document = json!({ "Statement": [{ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" }] });
    let inline = json!({ "RoleName": "nodes", "PolicyName": "own", "PolicyDocument": document.to_string() });
    account.ok("iam:PutRolePolicy", inline);
    account.refused("iam:DeleteRole", json!({ "RoleName": "nodes" }), "DeleteConflict");
    let own = json!({ "RoleName": "nodes", "PolicyName": "own" });
    let read = account.ok("iam:GetRolePolicy", own.clone());
    let text = text(&read["PolicyDocument"]);
    assert_eq!(percent_decode_str(&text).decode_utf8_lossy(), document.to_string());
    account.ok("iam:DeleteRolePolicy", own.clone());
    account.refused("iam:DeleteRolePolicy", own.clone(), "NoSuchEntity");
    account.refused("iam:GetRolePolicy", own, "NoSuchEntity");
    account.ok("iam:DeleteRole", json!({ "RoleName": "nodes" }));
}

/// "Invalid principal in policy" for whom there is not, and the unique id for whom there was.
#[test]
fn trust_follows_those_whom_it_names() {
    let mut account = Account::new();
    let arn = "arn:aws:iam::222222222222:role/guest";
    let mut wanted = creating("host");
    wanted["AssumeRolePolicyDocument"] = json!(trust(&json!({ "AWS": [arn, "222222222222"] })));
    let message = account.message("iam:CreateRole", wanted.clone(), "MalformedPolicyDocument");
    assert_eq!(message, format!("Invalid principal in policy: \"AWS\":\"{arn}\""));
    let mut id = String::new();
    account.other(|other| {
        id = text(&other.ok("iam:CreateRole", creating("guest"))["Role"]["RoleId"]);
    });
    account.ok("iam:CreateRole", wanted);
    let named = |first: &str| json!([first, "arn:aws:iam::222222222222:root"]);
    assert_eq!(shown_trust(&mut account, "host")["Statement"][0]["Principal"]["AWS"], named(arn));
    account.other(|other| {
        other.ok("iam:DeleteRole", json!({ "RoleName": "guest" }));
    });
    assert_eq!(shown_trust(&mut account, "host")["Statement"][0]["Principal"]["AWS"], named(&id));
    account.other(|other| {
        other.ok("iam:CreateRole", creating("guest"));
    });
    assert_eq!(shown_trust(&mut account, "host")["Statement"][0]["Principal"]["AWS"], named(&id));
    let again = trust(&json!({ "AWS": arn }));
    account.ok("iam:UpdateAssumeRolePolicy", json!({ "RoleName": "host", "PolicyDocument": again }));
    assert_eq!(shown_trust(&mut account, "host")["Statement"][0]["Principal"]["AWS"], arn);
}

#[test]
fn roles_are_listed_in_pages() {
    let mut account = Account::new();
    for name in ["a", "b", "c"] {
        let mut wanted = creating(name);
        wanted["Path"] = json!("/x/");
        account.ok("iam:CreateRole", wanted);
    }
    let first = account.ok("iam:ListRoles", json!({ "PathPrefix": "/x/", "MaxItems": "2" }));
    assert_eq!((&first["IsTruncated"], &first["Roles"][1]["RoleName"]), (&json!(true), &json!("b")));
    // What goes meanwhile, also the last one of the page, skips nothing.
    account.ok("iam:DeleteRole", json!({ "RoleName": "b" }));
    let next = json!({ "PathPrefix": "/x/", "MaxItems": "2", "Marker": first["Marker"] });
    let second = account.ok("iam:ListRoles", next);
    assert_eq!((&second["IsTruncated"], &second["Marker"]), (&json!(false), &Value::Null));
    assert_eq!(second["Roles"][0]["RoleName"], "c");
    assert_eq!(second["Roles"].as_array().map(Vec::len), Some(1));
    account.refused("iam:ListRoles", json!({ "MaxItems": 1001 }), "ValidationError");
    account.refused("iam:ListRoles", json!({ "Marker": "!" }), "ValidationError");
}

#[test]
fn quotas_of_a_role_are_kept() {
    let mut account = Account::new();
    account.ok("iam:CreateRole", creating("nodes"));
    let document =
        json!({ "Statement": [{ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" }] }).to_string();
    for number in 0..11 {
        let name = format!("p{number}");
        let wanted = json!({ "PolicyName": name, "PolicyDocument": document });
        let arn = text(&account.ok("iam:CreatePolicy", wanted)["Policy"]["Arn"]);
        let attachment = json!({ "RoleName": "nodes", "PolicyArn": arn });
        if number < 10 {
            account.ok("iam:AttachRolePolicy", attachment);
        } else {
            let message = account.message("iam:AttachRolePolicy", attachment, "LimitExceeded");
            assert_eq!(message, "Cannot exceed quota for PoliciesPerRole: 10");
        }
    }
    let actions: Vec<_> = (0..600).map(|number| format!("ec2:Action{number:06}")).collect();
    let long =
        json!({ "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] }).to_string();
    let inline = json!({ "RoleName": "nodes", "PolicyName": "own", "PolicyDocument": long });
    account.refused("iam:PutRolePolicy", inline, "LimitExceeded");
    let managed = json!({ "PolicyName": "long", "PolicyDocument": long });
    account.refused("iam:CreatePolicy", managed, "LimitExceeded");
}

#[test]
fn boundaries_and_tags_come_and_go() {
    let mut account = Account::new();
    account.ok("iam:CreateRole", creating("nodes"));
    let role = json!({ "RoleName": "nodes" });
    account.refused("iam:DeleteRolePermissionsBoundary", role.clone(), "NoSuchEntity");
    let arn = "arn:aws:iam::aws:policy/PowerUserAccess";
    account.ok("iam:PutRolePermissionsBoundary", json!({ "RoleName": "nodes", "PermissionsBoundary": arn }));
    let shown = account.ok("iam:GetRole", role.clone());
    assert_eq!(shown["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"], arn);
    account.ok("iam:DeleteRolePermissionsBoundary", role.clone());
    let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "B", "Value": "2" }]);
    account.ok("iam:TagRole", json!({ "RoleName": "nodes", "Tags": tags }));
    account.ok("iam:TagRole", json!({ "RoleName": "nodes", "Tags": [{ "Key": "b", "Value": "3" }] }));
    let listed = account.ok("iam:ListRoleTags", role.clone());
    assert_eq!(listed["Tags"], json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "3" }]));
    account.ok("iam:UntagRole", json!({ "RoleName": "nodes", "TagKeys": ["a", "b"] }));
    assert_eq!(account.ok("iam:ListRoleTags", role)["Tags"], json!([]));
}

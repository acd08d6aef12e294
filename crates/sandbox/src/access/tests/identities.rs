//! The policies of identities, boundaries, sessions and trust, together.

use serde_json::{Value, json};

use super::{allow, grant, user};
use crate::testing::{Account, text};

fn vpc() -> Value {
    json!({ "CidrBlock": "10.0.0.0/16" })
}

#[test]
fn nothing_is_allowed_but_what_a_policy_allows() {
    let mut account = Account::new().enforcing();
    // "The root user … is not restricted by identity-based policies."
    account.ok("CreateVpc", vpc());
    let key = user(&mut account, "reader", &json!([allow(&json!("ec2:Describe*"))]));
    account.with(&key, |reader| {
        reader.ok("DescribeVpcs", json!({}));
        let message = reader.message("CreateVpc", vpc(), "UnauthorizedOperation");
        let expected = "You are not authorized to perform this operation. User: \
            arn:aws:iam::111111111111:user/reader is not authorized to perform: ec2:CreateVpc on resource: \
            arn:aws:ec2:us-east-1:111111111111:vpc/* because no identity-based policy allows the \
            ec2:CreateVpc action. Encoded authorization failure message: ";
        assert!(message.starts_with(expected), "{message}");
        let message = reader.message("iam:GetRole", json!({ "RoleName": "Deployer" }), "AccessDenied");
        assert_eq!(
            message,
            "User: arn:aws:iam::111111111111:user/reader is not authorized to perform: iam:GetRole on \
             resource: arn:aws:iam::111111111111:role/Deployer because no identity-based policy allows the \
             iam:GetRole action"
        );
        let message = reader.message("iam:GetUser", json!({}), "AccessDenied");
        assert!(message.contains("on resource: arn:aws:iam::111111111111:user/reader because"), "{message}");
        reader.refused("ram:GetResourceShares", json!({ "resourceOwner": "SELF" }), "AccessDeniedException");
        reader.ok("sts:GetCallerIdentity", json!({}));
    });
}

/// "An explicit deny in any of these policies overrides the allow."
#[test]
fn a_denial_outweighs() {
    let mut account = Account::new().enforcing();
    let deny = json!({ "Effect": "Deny", "Action": "ec2:CreateVpc", "Resource": "*" });
    let key = user(&mut account, "somebody", &json!([allow(&json!("*")), deny]));
    account.with(&key, |somebody| {
        let message = somebody.message("CreateVpc", vpc(), "UnauthorizedOperation");
        assert!(message.contains("with an explicit deny in an identity-based policy"), "{message}");
        somebody.ok("AllocateAddress", json!({}));
    });
}

#[test]
fn a_boundary_and_a_session_policy_restrict() {
    let mut account = Account::new().enforcing();
    let key = user(&mut account, "somebody", &json!([allow(&json!("*"))]));
    let document = json!({ "Statement": [allow(&json!("sts:*"))] }).to_string();
    let boundary =
        account.ok("iam:CreatePolicy", json!({ "PolicyName": "bound", "PolicyDocument": document }));
    let bounded = json!({ "UserName": "somebody", "PermissionsBoundary": boundary["Policy"]["Arn"] });
    account.ok("iam:PutUserPermissionsBoundary", bounded);
    account.with(&key, |somebody| {
        let message = somebody.message("CreateVpc", vpc(), "UnauthorizedOperation");
        assert!(message.contains("because no permissions boundary allows the ec2:CreateVpc"), "{message}");
    });
    let role = json!({
        "RoleArn": "arn:aws:iam::111111111111:role/Deployer",
        "RoleSessionName": "run",
        "Policy": json!({ "Statement": [allow(&json!("ec2:Describe*"))] }).to_string(),
    });
    let session = account.ok("sts:AssumeRole", role);
    account.with(&session["Credentials"], |session| {
        session.ok("DescribeVpcs", json!({}));
        let message = session.message("CreateVpc", vpc(), "UnauthorizedOperation");
        assert!(message.contains("because no session policy allows the ec2:CreateVpc"), "{message}");
    });
}

#[test]
fn sessions_of_a_role_that_is_gone_may_do_nothing() {
    let mut account = Account::new().enforcing();
    let assume = json!({ "RoleArn": "arn:aws:iam::111111111111:role/Deployer", "RoleSessionName": "run" });
    let session = account.ok("sts:AssumeRole", assume);
    account.with(&session["Credentials"], |session| {
        session.ok("CreateVpc", vpc());
    });
    let attachment = json!({
        "RoleName": "Deployer",
        "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
    });
    account.ok("iam:DetachRolePolicy", attachment);
    account.ok("iam:DeleteRole", json!({ "RoleName": "Deployer" }));
    account.with(&session["Credentials"], |session| {
        session.refused("CreateVpc", vpc(), "UnauthorizedOperation");
    });
}

/// Within an account trust is enough where it names the caller; across accounts "both the
/// trusting and the trusted account" have to agree ("Cross-account policy evaluation logic").
#[test]
fn assuming_a_role_needs_both_sides() {
    let mut account = Account::new().enforcing();
    let key = user(&mut account, "somebody", &json!([allow(&json!("ec2:*"))]));
    let trust = |principal: &str| {
        let statement = json!({
            "Effect": "Allow", "Principal": { "AWS": principal }, "Action": "sts:AssumeRole",
        });
        json!({ "Statement": [statement] }).to_string()
    };
    let somebody = "arn:aws:iam::111111111111:user/somebody";
    let make = |account: &mut Account, name: &str, principal: &str| {
        let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": trust(principal) });
        text(&account.ok("iam:CreateRole", role)["Role"]["Arn"])
    };
    let by_name = make(&mut account, "by-name", somebody);
    let by_account = make(&mut account, "by-account", "111111111111");
    let mut elsewhere = String::new();
    account.other(|other| elsewhere = make(other, "elsewhere", somebody));
    let assume = |role: &str| json!({ "RoleArn": role, "RoleSessionName": "run" });
    account.with(&key, |somebody| {
        somebody.ok("sts:AssumeRole", assume(&by_name));
        for role in [&by_account, &elsewhere] {
            let message = somebody.message("sts:AssumeRole", assume(role), "AccessDenied");
            assert!(message.ends_with("because no identity-based policy allows the sts:AssumeRole action"));
        }
    });
    let of_role = json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [elsewhere] });
    grant(&mut account, "somebody", &json!([of_role]));
    account.with(&key, |somebody| {
        somebody.ok("sts:AssumeRole", assume(&elsewhere));
        somebody.refused("sts:AssumeRole", assume(&by_account), "AccessDenied");
    });
    let deny = json!({ "Effect": "Deny", "Action": "sts:*", "Resource": "*" });
    grant(&mut account, "somebody", &json!([deny]));
    account.with(&key, |somebody| {
        somebody.refused("sts:AssumeRole", assume(&by_name), "AccessDenied");
    });
}

#[test]
fn roles_are_passed_and_tagged_by_whom_that_is_allowed() {
    let mut account = Account::new().enforcing();
    let trust = json!({ "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole",
    }] });
    let role = json!({
        "RoleName": "nodes",
        "AssumeRolePolicyDocument": trust.to_string(),
        "Tags": [{ "Key": "team", "Value": "a" }],
    });
    let creating = json!(["iam:CreateRole", "iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"]);
    let key = user(&mut account, "somebody", &json!([allow(&creating)]));
    let profile = json!({ "InstanceProfileName": "nodes" });
    let both = json!({ "InstanceProfileName": "nodes", "RoleName": "nodes" });
    account.with(&key, |somebody| {
        let message = somebody.message("iam:CreateRole", role.clone(), "AccessDenied");
        assert!(message.contains("perform: iam:TagRole on resource"), "{message}");
    });
    let of_team = json!({
        "Effect": "Allow", "Action": "iam:TagRole", "Resource": "*",
        "Condition": { "StringEquals": { "aws:RequestTag/team": "a" } },
    });
    grant(&mut account, "somebody", &json!([allow(&creating), of_team]));
    account.with(&key, |somebody| {
        somebody.ok("iam:CreateRole", role);
        somebody.ok("iam:CreateInstanceProfile", profile);
        let message = somebody.message("iam:AddRoleToInstanceProfile", both.clone(), "AccessDenied");
        assert!(message.contains("perform: iam:PassRole on resource"), "{message}");
    });
    let passing = |service: &str| {
        json!({
            "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::*:role/nodes",
            "Condition": { "StringEquals": { "iam:PassedToService": service } },
        })
    };
    grant(&mut account, "somebody", &json!([allow(&creating), passing("eks.amazonaws.com")]));
    account.with(&key, |somebody| {
        somebody.refused("iam:AddRoleToInstanceProfile", both.clone(), "AccessDenied");
    });
    grant(&mut account, "somebody", &json!([allow(&creating), passing("ec2.amazonaws.com")]));
    account.with(&key, |somebody| {
        somebody.ok("iam:AddRoleToInstanceProfile", both);
    });
}

#[test]
fn the_organization_is_a_condition() {
    let mut account = Account::new().enforcing();
    let organization =
        text(&account.ok("organizations:DescribeOrganization", json!({}))["Organization"]["Id"]);
    let within = |id: &str| {
        let mut statement = allow(&json!("ec2:*"));
        statement["Condition"] = json!({ "StringEquals": { "aws:PrincipalOrgID": id } });
        json!([statement])
    };
    let key = user(&mut account, "somebody", &within(&organization));
    account.with(&key, |somebody| {
        somebody.ok("CreateVpc", vpc());
    });
    grant(&mut account, "somebody", &within("o-another"));
    account.with(&key, |somebody| somebody.refused("CreateVpc", vpc(), "UnauthorizedOperation"));
}

#[test]
fn denials_of_ec2_can_be_decoded() {
    let mut account = Account::new().enforcing();
    let key = user(&mut account, "somebody", &json!([allow(&json!("sts:DecodeAuthorizationMessage"))]));
    account.with(&key, |somebody| {
        let message = somebody.message("CreateVpc", vpc(), "UnauthorizedOperation");
        let encoded = message.rsplit(' ').next().expect("it ends with the encoded message");
        let call = json!({ "EncodedMessage": encoded });
        let decoded = text(&somebody.ok("sts:DecodeAuthorizationMessage", call)["DecodedMessage"]);
        let decoded: Value = serde_json::from_str(&decoded).expect("it is JSON");
        assert_eq!(decoded["context"]["action"], "ec2:CreateVpc");
        assert_eq!(decoded["explicitDeny"], false);
        let other = json!({ "EncodedMessage": "x" });
        somebody.refused("sts:DecodeAuthorizationMessage", other, "InvalidAuthorizationMessageException");
    });
}

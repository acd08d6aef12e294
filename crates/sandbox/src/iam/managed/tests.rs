//! The life of managed policies and of their versions.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::testing::{Account, text};

fn allowing(action: &str) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] })
        .to_string()
}

fn policy(account: &mut Account) -> Value {
    let wanted = json!({
        "PolicyName": "network",
        "PolicyDocument": allowing("ec2:*"),
        "Description": "networks",
        "Tags": [{ "Key": "team", "Value": "a" }],
    });
    account.ok("iam:CreatePolicy", wanted)["Policy"].clone()
}

#[test]
fn a_policy_has_at_most_five_versions() {
    let mut account = Account::new();
    let made = policy(&mut account);
    let arn = text(&made["Arn"]);
    assert_eq!(arn, "arn:aws:iam::111111111111:policy/network");
    assert_eq!(made["DefaultVersionId"], "v1");
    let version = |set_as_default: bool| json!({ "PolicyArn": arn, "PolicyDocument": allowing("s3:*"), "SetAsDefault": set_as_default });
    for number in 2..=5 {
        let made = account.ok("iam:CreatePolicyVersion", version(number == 3));
        assert_eq!(made["PolicyVersion"]["VersionId"], format!("v{number}"));
    }
    account.refused("iam:CreatePolicyVersion", version(false), "LimitExceeded");
    let named = |id: &str| json!({ "PolicyArn": arn, "VersionId": id });
    account.refused("iam:DeletePolicyVersion", named("v3"), "DeleteConflict");
    account.refused("iam:DeletePolicyVersion", named("v9"), "NoSuchEntity");
    account.ok("iam:DeletePolicyVersion", named("v1"));
    // A number is never used again.
    let made = account.ok("iam:CreatePolicyVersion", version(false));
    assert_eq!(made["PolicyVersion"]["VersionId"], "v6");
    account.ok("iam:SetDefaultPolicyVersion", named("v6"));
    let read = account.ok("iam:GetPolicyVersion", named("v6"));
    assert_eq!(read["PolicyVersion"]["IsDefaultVersion"], true);
    let document = text(&read["PolicyVersion"]["Document"]);
    assert_eq!(percent_decode_str(&document).decode_utf8_lossy(), allowing("s3:*"));
    let listed = account.ok("iam:ListPolicyVersions", json!({ "PolicyArn": arn }));
    let ids: Vec<_> =
        listed["Versions"].as_array().into_iter().flatten().map(|one| &one["VersionId"]).collect();
    assert_eq!(ids, ["v2", "v3", "v4", "v5", "v6"]);
}

/// "Before you can delete a managed policy, you must first detach the policy … You must also delete
/// all the policy's versions" (API reference, `DeletePolicy`).
#[test]
fn what_uses_a_policy_keeps_it() {
    let mut account = Account::new();
    let arn = text(&policy(&mut account)["Arn"]);
    account.ok("iam:CreateUser", json!({ "UserName": "somebody" }));
    let attachment = json!({ "UserName": "somebody", "PolicyArn": arn });
    account.ok("iam:AttachUserPolicy", attachment.clone());
    let named = json!({ "PolicyArn": arn });
    assert_eq!(account.ok("iam:GetPolicy", named.clone())["Policy"]["AttachmentCount"], 1);
    let entities = account.ok("iam:ListEntitiesForPolicy", named.clone());
    assert_eq!(entities["PolicyUsers"][0]["UserName"], "somebody");
    assert_eq!(entities["PolicyRoles"], json!([]));
    account.refused("iam:DeletePolicy", named.clone(), "DeleteConflict");
    account.ok("iam:DetachUserPolicy", attachment);
    let version = json!({ "PolicyArn": arn, "PolicyDocument": allowing("s3:*"), "SetAsDefault": true });
    account.ok("iam:CreatePolicyVersion", version);
    account.refused("iam:DeletePolicy", named.clone(), "DeleteConflict");
    account.ok("iam:DeletePolicyVersion", json!({ "PolicyArn": arn, "VersionId": "v1" }));
    account.ok("iam:DeletePolicy", named.clone());
    account.refused("iam:DeletePolicy", named.clone(), "NoSuchEntity");
    account.refused("iam:GetPolicy", named, "NoSuchEntity");
}

#[test]
fn wrong_policies_are_refused() {
    let mut account = Account::new();
    policy(&mut account);
    let wanted = |name: &str, document: &str| json!({ "PolicyName": name, "PolicyDocument": document });
    account.refused("iam:CreatePolicy", wanted("Network", &allowing("ec2:*")), "EntityAlreadyExists");
    for document in ["", "{}", &allowing("everything")] {
        let refused = wanted("other", document);
        let code = if document.is_empty() { "ValidationError" } else { "MalformedPolicyDocument" };
        account.refused("iam:CreatePolicy", refused, code);
    }
    // What the sandbox cannot evaluate it says, rather than to let it pass.
    let dated = json!({ "Statement": [{
        "Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": { "DateLessThan": { "aws:CurrentTime": "2030-01-01T00:00:00Z" } },
    }] });
    let message =
        account.message("iam:CreatePolicy", wanted("other", &dated.to_string()), "MalformedPolicyDocument");
    assert_eq!(message, "the sandbox does not know the condition operator DateLessThan");
}

#[test]
fn policies_of_aws_are_there_and_stay() {
    let mut account = Account::new();
    policy(&mut account);
    let arn = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy";
    let named = json!({ "PolicyArn": arn });
    assert_eq!(account.ok("iam:GetPolicy", named.clone())["Policy"]["PolicyName"], "AmazonEKS_CNI_Policy");
    account.refused("iam:DeletePolicy", named, "AccessDenied");
    let own = account.ok("iam:ListPolicies", json!({ "Scope": "Local" }));
    assert_eq!(own["Policies"].as_array().map(Vec::len), Some(1));
    let attached = account.ok("iam:ListPolicies", json!({ "Scope": "AWS", "OnlyAttached": "true" }));
    assert_eq!(attached["Policies"][0]["PolicyName"], "AdministratorAccess");
    assert_eq!(attached["Policies"].as_array().map(Vec::len), Some(1));
}

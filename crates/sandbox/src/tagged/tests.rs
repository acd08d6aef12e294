//! What is found by tags, over all services.

use serde_json::{Value, json};

use crate::ec2::testing::with_subnet;
use crate::testing::{Account, text};

fn found(account: &mut Account, parameters: Value) -> Vec<String> {
    let answer = account.ok("tagging:GetResources", parameters);
    let found = answer["ResourceTagMappingList"].as_array().into_iter().flatten();
    found.map(|thing| text(&thing["ResourceARN"])).collect()
}

/// An account with a tagged subnet, target group, policy, role and share.
fn account() -> (Account, String) {
    let (mut account, vpc, subnet) = with_subnet();
    let tags = json!([{ "Key": "Name", "Value": "a" }, { "Key": "env", "Value": "test" }]);
    let wanted = json!({ "Name": "web", "Protocol": "HTTP", "Port": "80", "VpcId": vpc, "Tags": tags });
    account.ok("elasticloadbalancing:CreateTargetGroup", wanted);
    let document = json!({ "Statement": [{ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" }] });
    let policy = json!({ "PolicyName": "p", "PolicyDocument": document.to_string(), "Tags": tags });
    account.ok("iam:CreatePolicy", policy);
    account.ok("iam:TagRole", json!({ "RoleName": "Deployer", "Tags": tags }));
    account
        .ok("ram:CreateResourceShare", json!({ "name": "s", "tags": [{ "key": "env", "value": "prod" }] }));
    (account, subnet)
}

/// "Returns all the tagged or previously tagged resources that are located in the specified Region": of IAM
/// neither roles nor users are among them ("Services that support the Resource Groups Tagging API").
#[test]
fn everything_with_tags_is_found_but_roles() {
    let (mut account, subnet) = account();
    let all = found(&mut account, json!({}));
    assert_eq!(all.len(), 4, "{all:?}");
    assert!(all.contains(&format!("arn:aws:ec2:us-east-1:111111111111:subnet/{subnet}")), "{all:?}");
    assert!(all.contains(&"arn:aws:iam::111111111111:policy/p".to_owned()), "{all:?}");
    account.other(|other| assert!(found(other, json!({})).is_empty()));
}

/// `TagFilters`: all keys, any of the values, which may be left out; `ResourceTypeFilters`: any type.
#[test]
fn filters_choose() {
    let (mut account, _) = account();
    let tag = |key: &str, values: &[&str]| json!([{ "Key": key, "Values": values }]);
    for (parameters, number) in [
        (json!({ "TagFilters": tag("env", &[]) }), 3),
        (json!({ "TagFilters": tag("env", &["prod"]) }), 1),
        (json!({ "TagFilters": tag("env", &["prod", "test"]) }), 3),
        (json!({ "TagFilters": [{ "Key": "env" }, { "Key": "Name", "Values": ["a"] }] }), 2),
        (json!({ "TagFilters": tag("colour", &[]) }), 0),
        (json!({ "ResourceTypeFilters": ["ec2"] }), 1),
        (json!({ "ResourceTypeFilters": ["ec2:subnet", "elasticloadbalancing:targetgroup"] }), 2),
        (json!({ "ResourceTypeFilters": ["ec2:sub"] }), 0),
        (json!({ "ResourceARNList": ["arn:aws:iam::111111111111:policy/p"] }), 1),
    ] {
        assert_eq!(found(&mut account, parameters.clone()).len(), number, "{parameters}");
    }
    for wrong in [
        json!({ "ResourceARNList": ["arn:x"], "TagFilters": tag("env", &[]) }),
        json!({ "TagFilters": [{ "Values": ["a"] }] }),
        json!({ "TagFilters": [{ "Key": "a", "Values": vec!["v"; 21] }] }),
        json!({ "ResourceTypeFilters": vec!["ec2"; 101] }),
        json!({ "ResourcesPerPage": 0 }),
        json!({ "TagsPerPage": 50 }),
        json!({ "PaginationToken": "?" }),
    ] {
        account.refused("tagging:GetResources", wrong, "InvalidParameterException");
    }
}

#[test]
fn keys_values_and_pages() {
    let (mut account, _) = account();
    assert_eq!(account.ok("tagging:GetTagKeys", json!({}))["TagKeys"], json!(["Name", "env"]));
    let values = account.ok("tagging:GetTagValues", json!({ "Key": "env" }));
    assert_eq!(values, json!({ "TagValues": ["prod", "test"], "PaginationToken": "" }));
    account.refused("tagging:GetTagValues", json!({}), "InvalidParameterException");
    let first = account.ok("tagging:GetResources", json!({ "ResourcesPerPage": 3, "PaginationToken": "" }));
    let rest = json!({ "PaginationToken": first["PaginationToken"] });
    assert_eq!(found(&mut account, rest).len(), 1);
}

//! Who may do what in a cluster.

use serde_json::{Value, json};

use crate::eks::testing::{Ground, add_role, role, with};
use crate::testing::text;

const ADMIN: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";
const VIEW: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";

fn of(principal: &str) -> Value {
    json!({ "clusterName": "main", "principalArn": principal })
}

fn entries(ground: &mut Ground) -> Value {
    ground.account.ok("eks:ListAccessEntries", json!({ "clusterName": "main" }))["accessEntries"].clone()
}

/// EKS user guide, "Grant IAM users access to Kubernetes with EKS access entries": the creator and the nodes
/// of managed groups have entries without anybody's doing.
#[test]
fn creators_and_nodes_have_entries_by_themselves() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    ground.node_group(json!({}));
    let root = "arn:aws:iam::111111111111:root";
    assert_eq!(entries(&mut ground), json!([role("nodes"), root]));
    let policies = ground.account.ok("eks:ListAssociatedAccessPolicies", of(root));
    assert_eq!(policies["associatedAccessPolicies"][0]["policyArn"], ADMIN);
    let nodes = ground.account.ok("eks:DescribeAccessEntry", of(&role("nodes")))["accessEntry"].clone();
    assert_eq!((&nodes["type"], &nodes["kubernetesGroups"]), (&json!("EC2_LINUX"), &json!(["system:nodes"])));
    assert_eq!(nodes["username"], "system:node:{{EC2PrivateDNSName}}");
    let view = with(of(&role("nodes")), json!({ "policyArn": VIEW, "accessScope": { "type": "cluster" } }));
    ground.account.refused("eks:AssociateAccessPolicy", view, "InvalidRequestException");
}

/// API reference, `CreateAccessConfigRequest`: the creator need not become an administrator.
#[test]
fn creators_are_no_administrators_where_that_is_said() {
    let mut ground = Ground::new();
    let access = json!({ "authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": false });
    ground.cluster(json!({ "accessConfig": access }));
    assert_eq!(entries(&mut ground), json!([]));
}

/// EKS user guide, "Change authentication mode to use access entries": they appear with the mode.
#[test]
fn entries_need_a_mode_that_has_them() {
    let mut ground = Ground::new();
    ground.cluster(json!({ "accessConfig": { "authenticationMode": "CONFIG_MAP" } }));
    ground.node_group(json!({}));
    let list = json!({ "clusterName": "main" });
    ground.account.refused("eks:ListAccessEntries", list, "InvalidRequestException");
    ground.account.refused("eks:CreateAccessEntry", of(&role("cluster")), "InvalidRequestException");
    let both = json!({ "name": "main", "accessConfig": { "authenticationMode": "API_AND_CONFIG_MAP" } });
    ground.account.ok("eks:UpdateClusterConfig", both);
    ground.account.wait(120);
    assert_eq!(entries(&mut ground), json!([role("nodes"), "arn:aws:iam::111111111111:root"]));
}

/// API reference, `CreateAccessEntry` and `AssociateAccessPolicy`.
#[test]
fn entries_are_made_changed_and_deleted() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    add_role(&mut ground.account, "people", "ec2.amazonaws.com", &[]);
    let people = role("people");
    for wrong in [
        json!({ "principalArn": role("none") }),
        json!({ "principalArn": "arn:aws:sts::111111111111:assumed-role/people/me" }),
        json!({ "type": "BETTER" }),
        json!({ "kubernetesGroups": ["system:masters"] }),
        json!({ "type": "EC2_LINUX", "kubernetesGroups": ["readers"] }),
    ] {
        ground.account.refused(
            "eks:CreateAccessEntry",
            with(of(&people), wrong),
            "InvalidParameterException",
        );
    }
    let wanted = with(of(&people), json!({ "kubernetesGroups": ["readers"], "tags": { "a": "b" } }));
    let made = ground.account.ok("eks:CreateAccessEntry", wanted.clone())["accessEntry"].clone();
    assert_eq!(made["username"], "arn:aws:sts::111111111111:assumed-role/people/{{SessionName}}");
    ground.account.refused("eks:CreateAccessEntry", wanted, "ResourceInUseException");
    let arn = text(&made["accessEntryArn"]);
    assert!(
        arn.starts_with("arn:aws:eks:us-east-1:111111111111:access-entry/main/role/111111111111/people/"),
        "{arn}"
    );
    assert_eq!(
        ground.account.ok("eks:ListTagsForResource", json!({ "resourceArn": arn }))["tags"],
        json!({ "a": "b" })
    );
    let update = with(of(&people), json!({ "kubernetesGroups": [], "username": "me" }));
    let updated = ground.account.ok("eks:UpdateAccessEntry", update)["accessEntry"].clone();
    assert_eq!((&updated["username"], &updated["kubernetesGroups"]), (&json!("me"), &json!([])));
    for wrong in [
        json!({ "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "accessScope": { "type": "cluster" } }),
        json!({ "policyArn": VIEW, "accessScope": { "type": "namespace" } }),
        json!({ "policyArn": VIEW, "accessScope": { "type": "cluster", "namespaces": ["web"] } }),
        json!({ "policyArn": VIEW, "accessScope": { "type": "world" } }),
    ] {
        let wrong = with(of(&people), wrong);
        ground.account.refused("eks:AssociateAccessPolicy", wrong, "InvalidParameterException");
    }
    for scope in [json!({ "type": "cluster" }), json!({ "type": "namespace", "namespaces": ["web"] })] {
        let view = with(of(&people), json!({ "policyArn": VIEW, "accessScope": scope }));
        ground.account.ok("eks:AssociateAccessPolicy", view);
    }
    let policies = ground.account.ok("eks:ListAssociatedAccessPolicies", of(&people));
    assert_eq!(policies["associatedAccessPolicies"].as_array().map(Vec::len), Some(1));
    assert_eq!(policies["associatedAccessPolicies"][0]["accessScope"]["namespaces"], json!(["web"]));
    let with_view = json!({ "clusterName": "main", "associatedPolicyArn": VIEW });
    assert_eq!(ground.account.ok("eks:ListAccessEntries", with_view)["accessEntries"], json!([people]));
    let view = with(of(&people), json!({ "policyArn": VIEW }));
    ground.account.ok("eks:DisassociateAccessPolicy", view.clone());
    ground.account.refused("eks:DisassociateAccessPolicy", view, "ResourceNotFoundException");
    ground.account.ok("eks:DeleteAccessEntry", of(&people));
    ground.account.refused("eks:DeleteAccessEntry", of(&people), "ResourceNotFoundException");
    let all = ground.account.ok("eks:ListAccessPolicies", json!({}));
    assert!(all["accessPolicies"].to_string().contains(ADMIN), "{all}");
}

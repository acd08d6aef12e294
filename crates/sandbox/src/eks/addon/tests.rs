//! The life of an add-on.

use serde_json::{Value, json};

use crate::eks::testing::{Ground, add_role, role, with};
use crate::testing::text;
use crate::world::Failure;

fn named(name: &str) -> Value {
    json!({ "clusterName": "main", "addonName": name })
}

fn seen(ground: &mut Ground, name: &str) -> Value {
    ground.account.ok("eks:DescribeAddon", named(name))["addon"].clone()
}

fn add(ground: &mut Ground, name: &str, more: Value) -> Value {
    ground.account.ok("eks:CreateAddon", with(named(name), more));
    ground.account.wait(60);
    seen(ground, name)
}

/// A cluster that has nothing installed.
fn bare() -> Ground {
    let mut ground = Ground::new();
    ground.cluster(json!({ "bootstrapSelfManagedAddons": false }));
    ground
}

/// DOMAIN 2.4: "coredns is DEGRADED until nodes exist"; daemons are content with none. Nodes join once pods
/// can get addresses.
#[test]
fn daemons_need_no_nodes_and_nodes_need_the_network_plugin() {
    let mut ground = bare();
    for name in ["kube-proxy", "eks-pod-identity-agent"] {
        assert_eq!(add(&mut ground, name, json!({}))["status"], "ACTIVE", "{name}");
    }
    let waiting = add(&mut ground, "coredns", json!({}));
    assert_eq!(waiting["status"], "DEGRADED");
    assert_eq!(waiting["health"]["issues"][0]["code"], "InsufficientNumberOfReplicas");
    assert_eq!(ground.node_group(json!({}))["status"], "CREATING");
    let plugin = add(&mut ground, "vpc-cni", json!({ "tags": { "a": "b" } }));
    assert_eq!((&plugin["status"], &plugin["tags"]), (&json!("ACTIVE"), &json!({ "a": "b" })));
    ground.account.wait(20);
    assert_eq!(ground.seen_group()["status"], "ACTIVE");
    assert_eq!(seen(&mut ground, "coredns")["status"], "ACTIVE");
    let all = ground.account.ok("eks:ListAddons", json!({ "clusterName": "main" }));
    assert_eq!(all["addons"], json!(["coredns", "eks-pod-identity-agent", "kube-proxy", "vpc-cni"]));
}

/// DOMAIN 2.4, "Del": without the plug-in nobody deletes the interfaces that it has made.
#[test]
fn interfaces_stay_behind_where_the_plugin_went_first() {
    let mut ground = bare();
    add(&mut ground, "vpc-cni", json!({}));
    ground.node_group(json!({}));
    ground.account.ok("eks:DeleteAddon", named("vpc-cni"));
    ground.account.wait(20);
    ground.account.refused("eks:DescribeAddon", named("vpc-cni"), "ResourceNotFoundException");
    ground.account.ok("eks:DeleteNodegroup", json!({ "clusterName": "main", "nodegroupName": "workers" }));
    ground.account.wait(600);
    let left: Vec<_> = ground.interfaces().into_iter().filter(|one| one["status"] == "available").collect();
    assert_eq!(left.len(), 2);
    for one in left {
        assert!(text(&one["description"]).starts_with("aws-K8S-i-"), "{one}");
        let id = json!({ "NetworkInterfaceId": one["networkInterfaceId"] });
        ground.account.ok("DeleteNetworkInterface", id);
    }
}

/// API reference, `CreateAddon`, `resolveConflicts`: what is in the cluster already is adopted only if that is
/// said; `DeleteAddon`, `preserve`: it can be left there.
#[test]
fn what_is_there_already_is_adopted_or_in_conflict() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    let failed = add(&mut ground, "vpc-cni", json!({}));
    assert_eq!(failed["status"], "CREATE_FAILED");
    assert_eq!(failed["health"]["issues"][0]["code"], "ConfigurationConflict");
    let overwriting = with(named("vpc-cni"), json!({ "resolveConflicts": "OVERWRITE" }));
    ground.account.ok("eks:UpdateAddon", overwriting);
    ground.account.wait(60);
    assert_eq!(seen(&mut ground, "vpc-cni")["status"], "ACTIVE");
    ground.account.ok("eks:DeleteAddon", with(named("vpc-cni"), json!({ "preserve": "true" })));
    ground.account.wait(20);
    assert_eq!(ground.node_group(json!({}))["status"], "ACTIVE", "the plug-in is still there");
    assert_eq!(
        add(&mut ground, "kube-proxy", json!({ "resolveConflicts": "OVERWRITE" }))["status"],
        "ACTIVE"
    );
}

/// API reference, `CreateAddon`; `DescribeAddonConfiguration` has the schema.
#[test]
fn what_is_asked_for_is_checked() {
    let mut ground = Ground::new();
    ground.account.refused("eks:CreateAddon", named("coredns"), "ResourceNotFoundException");
    let cluster = ground.wanted(json!({}));
    ground.account.ok("eks:CreateCluster", cluster);
    ground.account.refused("eks:CreateAddon", named("coredns"), "InvalidRequestException");
    ground.account.wait(9 * 60);
    for (name, wrong) in [
        ("colour", json!({})),
        ("coredns", json!({ "addonVersion": "v1.11.4-eksbuild.24" })),
        ("coredns", json!({ "resolveConflicts": "MAYBE" })),
        ("coredns", json!({ "configurationValues": "{\"replicaCount\":\"2\"}" })),
        ("coredns", json!({ "configurationValues": "{\"colour\":1}" })),
        ("coredns", json!({ "configurationValues": "replicaCount: 2" })),
        ("vpc-cni", json!({ "serviceAccountRoleArn": role("none") })),
        (
            "vpc-cni",
            json!({ "podIdentityAssociations": [{ "serviceAccount": "aws-node", "roleArn": role("nodes") }] }),
        ),
        ("vpc-cni", json!({ "podIdentityAssociations": [{ "serviceAccount": "aws-node" }] })),
    ] {
        ground.account.refused("eks:CreateAddon", with(named(name), wrong), "InvalidParameterException");
    }
    let values = r#"{"replicaCount":3,"autoScaling":{"enabled":true}}"#;
    let more = json!({ "configurationValues": values, "resolveConflicts": "OVERWRITE" });
    assert_eq!(add(&mut ground, "coredns", more)["configurationValues"], values);
    ground.account.refused("eks:CreateAddon", named("coredns"), "ResourceInUseException");
}

#[test]
fn an_addon_is_updated_one_change_at_a_time() {
    let mut ground = bare();
    add(&mut ground, "vpc-cni", json!({ "addonVersion": "v1.20.4-eksbuild.2" }));
    let newer = with(named("vpc-cni"), json!({ "addonVersion": "v1.21.1-eksbuild.1" }));
    let begun = ground.account.ok("eks:UpdateAddon", newer.clone());
    assert_eq!(begun["update"]["params"], json!([{ "type": "AddonVersion", "value": "v1.21.1-eksbuild.1" }]));
    assert_eq!(seen(&mut ground, "vpc-cni")["status"], "UPDATING");
    let busy = ground.account.message("eks:UpdateAddon", newer.clone(), "ResourceInUseException");
    assert!(busy.contains("in progress"), "{busy}");
    ground.account.refused("eks:DeleteAddon", named("vpc-cni"), "InvalidRequestException");
    ground.account.wait(60);
    assert_eq!(seen(&mut ground, "vpc-cni")["addonVersion"], "v1.21.1-eksbuild.1");
    let of_addon = json!({ "addonName": "vpc-cni" });
    assert_eq!(ground.update(&begun, of_addon.clone())["status"], "Successful");
    let ids = ground.account.ok("eks:ListUpdates", with(json!({ "name": "main" }), of_addon));
    assert_eq!(ids["updateIds"].as_array().map(Vec::len), Some(1));
    ground.account.doom(Failure { code: "InternalError".to_owned(), message: "no".to_owned() });
    ground.account.ok("eks:UpdateAddon", newer);
    ground.account.wait(60);
    assert_eq!(seen(&mut ground, "vpc-cni")["status"], "UPDATE_FAILED");
}

/// EKS user guide, "Assign IAM roles to Amazon EKS add-ons with EKS Pod Identity": the associations are the
/// add-on's, and go with it.
#[test]
fn an_addon_has_pod_identities_of_its_own() {
    let mut ground = bare();
    add_role(&mut ground.account, "plugin", "pods.eks.amazonaws.com", &["AmazonEKS_CNI_Policy"]);
    add_role(&mut ground.account, "plain", "ec2.amazonaws.com", &["AmazonEKSWorkerNodePolicy"]);
    let roles = json!([{ "serviceAccount": "aws-node", "roleArn": role("plugin") }]);
    let plugin = add(&mut ground, "vpc-cni", json!({ "podIdentityAssociations": roles }));
    let arn = text(&plugin["podIdentityAssociations"][0]);
    let id = arn.rsplit('/').next().unwrap_or_default().to_owned();
    let association = json!({ "clusterName": "main", "associationId": id });
    ground.account.refused(
        "eks:DeletePodIdentityAssociation",
        association.clone(),
        "InvalidRequestException",
    );
    let ready = ground.node_group(json!({ "nodeRole": role("plain") }));
    assert_eq!(ready["status"], "ACTIVE", "the plug-in has a role of its own");
    ground.account.ok("eks:DeleteAddon", named("vpc-cni"));
    ground.account.wait(20);
    ground.account.refused("eks:DescribePodIdentityAssociation", association, "ResourceNotFoundException");
}

/// API reference, `DescribeAddonVersions` and `DescribeAddonConfiguration`.
#[test]
fn versions_and_schemas_are_described() {
    let mut ground = Ground::new();
    let asked = json!({ "addonName": "coredns", "kubernetesVersion": "1.33" });
    let found = ground.account.ok("eks:DescribeAddonVersions", asked)["addons"].clone();
    let versions: Vec<_> =
        found[0]["addonVersions"].as_array().unwrap().iter().map(|one| text(&one["addonVersion"])).collect();
    assert_eq!(versions, ["v1.12.4-eksbuild.1", "v1.11.4-eksbuild.24"]);
    let compatible = &found[0]["addonVersions"][0]["compatibilities"][0];
    assert_eq!(
        (&compatible["clusterVersion"], &compatible["defaultVersion"]),
        (&json!("1.33"), &json!(true))
    );
    let storage = ground.account.ok("eks:DescribeAddonVersions", json!({ "types": ["storage"] }));
    assert_eq!(storage["addons"].as_array().map(Vec::len), Some(1));
    let version = json!({ "addonName": "vpc-cni", "addonVersion": "v1.21.1-eksbuild.1" });
    let configuration = ground.account.ok("eks:DescribeAddonConfiguration", version);
    let schema: Value =
        serde_json::from_str(&text(&configuration["configurationSchema"])).expect("it is JSON");
    assert_eq!(schema["properties"]["env"]["type"], "object");
    assert_eq!(configuration["podIdentityConfiguration"][0]["serviceAccount"], "aws-node");
    let none = json!({ "addonName": "vpc-cni", "addonVersion": "v0" });
    ground.account.refused("eks:DescribeAddonConfiguration", none, "ResourceNotFoundException");
    ground.account.refused(
        "eks:DescribeAddonVersions",
        json!({ "addonName": "x" }),
        "InvalidParameterException",
    );
}

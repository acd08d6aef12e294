//! The life of a cluster.

use serde_json::{Value, json};

use crate::eks::testing::{Ground, add_role, role, with};
use crate::testing::text;
use crate::world::Failure;

const MAIN: fn() -> Value = || json!({ "name": "main" });

/// DOMAIN 2.4 and 5: a cluster stands in subnets that another account shares; its interfaces and
/// its group are its own account's, and the owner sees them and cannot delete the subnets.
#[test]
fn a_cluster_lives_in_the_network_of_another_account() {
    let mut ground = Ground::shared();
    let wanted = ground.wanted(json!({ "tags": { "env": "test" } }));
    let made = ground.account.ok("eks:CreateCluster", wanted)["cluster"].clone();
    assert_eq!(made["status"], "CREATING");
    assert_eq!(made["accessConfig"]["bootstrapClusterCreatorAdminPermissions"], true);
    assert_eq!((&made["endpoint"], &made["identity"]), (&Value::Null, &Value::Null));
    ground.account.wait(9 * 60 - 1);
    assert_eq!(ground.seen()["status"], "CREATING");
    ground.account.wait(1);
    let ready = ground.seen();
    assert_eq!(ready["status"], "ACTIVE");
    assert_eq!(ready["arn"], "arn:aws:eks:us-east-1:111111111111:cluster/main");
    assert_eq!(ready["version"], "1.35");
    assert_eq!(ready["resourcesVpcConfig"]["vpcId"], ground.vpc.as_str());
    assert_eq!(ready["kubernetesNetworkConfig"]["serviceIpv4Cidr"], "172.20.0.0/16");
    assert_eq!(ready["tags"]["env"], "test");
    let issuer = text(&ready["identity"]["oidc"]["issuer"]);
    assert!(issuer.starts_with("https://oidc.eks.us-east-1.amazonaws.com/id/"), "{issuer}");
    let group = text(&ready["resourcesVpcConfig"]["clusterSecurityGroupId"]);
    let shown = ground.account.ok("DescribeSecurityGroups", json!({ "GroupId": [group] }));
    let shown = &shown["securityGroupInfo"][0];
    assert!(text(&shown["groupName"]).starts_with("eks-cluster-sg-main-"), "{shown}");
    assert_eq!(shown["ipPermissions"][0]["groups"][0]["groupId"], group.as_str());
    assert!(shown["tagSet"].to_string().contains("aws:eks:cluster-name"), "{shown}");
    let (vpc, subnet) = (ground.vpc.clone(), ground.subnets[0].clone());
    ground.account.other(|owner| {
        let filter = json!([{ "Name": "description", "Value": ["Amazon EKS main"] }]);
        let seen = owner.ok("DescribeNetworkInterfaces", json!({ "Filter": filter }));
        let seen = seen["networkInterfaceSet"].as_array().unwrap();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0]["ownerId"], "111111111111");
        assert_eq!(
            (&seen[0]["requesterManaged"], &seen[0]["groupSet"][0]["groupId"]),
            (&json!(true), &json!(group))
        );
        owner.refused("DeleteSubnet", json!({ "SubnetId": subnet }), "DependencyViolation");
        owner.refused("eks:DescribeCluster", MAIN(), "ResourceNotFoundException");
    });
    assert_eq!(ground.account.ok("eks:DeleteCluster", MAIN())["cluster"]["status"], "DELETING");
    ground.account.refused("eks:DeleteCluster", MAIN(), "ResourceInUseException");
    ground.account.wait(3 * 60);
    let message = ground.account.message("eks:DescribeCluster", MAIN(), "ResourceNotFoundException");
    assert_eq!(message, "No cluster found for name: main.");
    ground.account.other(|owner| {
        owner.ok("DeleteSubnet", json!({ "SubnetId": subnet }));
        let groups =
            owner.ok("DescribeSecurityGroups", json!({ "Filter": [{ "Name": "vpc-id", "Value": [vpc] }] }));
        assert_eq!(groups["securityGroupInfo"].as_array().map(Vec::len), Some(1), "only the default is left");
    });
}

/// DOMAIN 2.4: "if another SG references the cluster SG its deletion is blocked and it is orphaned".
#[test]
fn a_group_that_a_rule_of_another_names_stays_behind() {
    let mut ground = Ground::new();
    let cluster = ground.cluster(json!({}));
    let group = &cluster["resourcesVpcConfig"]["clusterSecurityGroupId"];
    let other = json!({ "VpcId": ground.vpc, "GroupName": "web", "GroupDescription": "web" });
    let other = ground.account.ok("CreateSecurityGroup", other)["groupId"].clone();
    let rule = json!({ "GroupId": other, "IpPermissions": [
        { "IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", "Groups": [{ "GroupId": group }] },
    ] });
    ground.account.ok("AuthorizeSecurityGroupEgress", rule);
    ground.account.ok("eks:DeleteCluster", MAIN());
    ground.account.wait(3 * 60);
    ground.account.refused("eks:DescribeCluster", MAIN(), "ResourceNotFoundException");
    ground.account.ok("DescribeSecurityGroups", json!({ "GroupId": [group] }));
    assert_eq!(ground.interfaces(), Vec::<Value>::new());
}

/// EKS user guide, "View Amazon EKS networking requirements for VPC and subnets".
#[test]
fn subnets_are_in_two_zones_that_have_control_planes() {
    let mut ground = Ground::new();
    let network = |ids: Value| json!({ "resourcesVpcConfig": { "subnetIds": ids } });
    let one = ground.wanted(network(json!([ground.subnets[0]])));
    let message = ground.account.message("eks:CreateCluster", one, "InvalidParameterException");
    assert_eq!(message, "Subnets specified must be in at least two different AZs");
    let none = ground.wanted(network(json!([ground.subnets[0], "subnet-0"])));
    let message = ground.account.message("eks:CreateCluster", none, "InvalidParameterException");
    assert!(message.contains("'subnet-0' does not exist"), "{message}");
    let third = json!({ "VpcId": ground.vpc, "CidrBlock": "10.0.3.0/24", "AvailabilityZoneId": "use1-az3" });
    let third = ground.account.ok("CreateSubnet", third)["subnet"]["subnetId"].clone();
    let bad = ground.wanted(network(json!([ground.subnets[0], third])));
    let message = ground.account.message("eks:CreateCluster", bad, "UnsupportedAvailabilityZoneException");
    assert!(message.contains("Retry and choose from these availability zones: us-east-1"), "{message}");
}

/// The messages are those that the provider of Terraform waits out; see DOMAIN 2.4.
#[test]
fn the_role_is_known_trusts_eks_and_may_enough() {
    let mut ground = Ground::new();
    add_role(&mut ground.account, "bare", "eks.amazonaws.com", &[]);
    ground.account.world().rules.iam_delay = 8.0;
    add_role(&mut ground.account, "late", "eks.amazonaws.com", &["AmazonEKSClusterPolicy"]);
    for (name, said) in [
        ("none", "does not exist"),
        ("late", "does not exist"),
        ("nodes", "Role could not be assumed because the trusted entity is not correct"),
        ("bare", "doesn't have the Amazon EKS Managed Policies associated"),
    ] {
        let wanted = ground.wanted(json!({ "roleArn": role(name) }));
        let message = ground.account.message("eks:CreateCluster", wanted, "InvalidParameterException");
        assert!(message.contains(said), "{message}");
    }
    let other = ground.wanted(json!({ "roleArn": "arn:aws:iam::222222222222:role/cluster" }));
    ground.account.refused("eks:CreateCluster", other, "AccessDeniedException");
    ground.account.wait(8);
    let late = ground.wanted(json!({ "roleArn": role("late") }));
    ground.account.ok("eks:CreateCluster", late);
}

/// API reference, `CreateCluster`: names, versions, endpoints, ranges; and tokens.
#[test]
fn what_is_asked_for_is_checked() {
    let mut ground = Ground::new();
    for wrong in [
        json!({ "name": "-main" }),
        json!({ "version": "1.20" }),
        json!({ "resourcesVpcConfig": { "subnetIds": ground.subnets, "endpointPublicAccess": false } }),
        json!({ "resourcesVpcConfig": { "subnetIds": ground.subnets, "publicAccessCidrs": ["x"] } }),
        json!({ "resourcesVpcConfig": { "subnetIds": ground.subnets, "securityGroupIds": ["sg-0"] } }),
        json!({ "kubernetesNetworkConfig": { "serviceIpv4Cidr": "10.0.0.0/16" } }),
        json!({ "kubernetesNetworkConfig": { "serviceIpv4Cidr": "8.8.0.0/16" } }),
        json!({ "accessConfig": { "bootstrapClusterCreatorAdminPermissions": false } }),
        json!({ "logging": { "clusterLogging": [{ "types": ["all"], "enabled": true }] } }),
        json!({ "remoteNetworkConfig": { "remoteNodeNetworks": [{ "cidrs": ["x"] }] } }),
        json!({ "tags": { "aws:x": "y" } }),
    ] {
        let wanted = ground.wanted(wrong);
        ground.account.refused("eks:CreateCluster", wanted, "InvalidParameterException");
    }
    let wanted = ground.wanted(json!({ "clientRequestToken": "t" }));
    let first = ground.account.ok("eks:CreateCluster", wanted.clone());
    assert_eq!(ground.account.ok("eks:CreateCluster", wanted.clone()), first);
    let other = with(wanted, json!({ "clientRequestToken": "u" }));
    let message = ground.account.message("eks:CreateCluster", other, "ResourceInUseException");
    assert_eq!(message, "Cluster already exists with name: main");
}

#[test]
fn a_cluster_that_fails_says_why_and_is_deleted() {
    let mut ground = Ground::new();
    ground.account.doom(Failure { code: "InternalError".to_owned(), message: "no".to_owned() });
    let wanted = ground.wanted(json!({}));
    ground.account.ok("eks:CreateCluster", wanted);
    ground.account.wait(4 * 60);
    let failed = ground.seen();
    assert_eq!(failed["status"], "FAILED");
    assert_eq!(failed["health"]["issues"][0]["code"], "InternalFailure");
    ground.account.ok("eks:DeleteCluster", MAIN());
    ground.account.wait(3 * 60);
    assert_eq!(ground.account.ok("eks:ListClusters", json!({}))["clusters"], json!([]));
}

/// API reference, `UpdateClusterConfig`: one change at a time, of one kind, and it takes a while.
#[test]
fn one_kind_of_change_at_a_time() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    let change = |more: Value| with(MAIN(), more);
    let private = json!({ "resourcesVpcConfig": { "endpointPrivateAccess": true } });
    let both = with(private.clone(), json!({ "deletionProtection": true }));
    let message =
        ground.account.message("eks:UpdateClusterConfig", change(both), "InvalidParameterException");
    assert_eq!(message, "Only one type of update can be allowed.");
    let begun = ground.account.ok("eks:UpdateClusterConfig", change(private.clone()));
    assert_eq!(
        (&begun["update"]["type"], &begun["update"]["status"]),
        (&json!("EndpointAccessUpdate"), &json!("InProgress"))
    );
    assert_eq!(ground.seen()["status"], "UPDATING");
    let logs = json!({ "logging": { "clusterLogging": [{ "types": ["api"], "enabled": true }] } });
    let busy =
        ground.account.message("eks:UpdateClusterConfig", change(logs.clone()), "ResourceInUseException");
    assert!(busy.contains("in progress"), "{busy}");
    ground.account.refused("eks:DeleteCluster", MAIN(), "ResourceInUseException");
    ground.account.wait(2 * 60);
    assert_eq!(ground.update(&begun, json!({}))["status"], "Successful");
    let seen = ground.seen();
    assert_eq!(
        (&seen["status"], &seen["resourcesVpcConfig"]["endpointPrivateAccess"]),
        (&json!("ACTIVE"), &json!(true))
    );
    ground.account.refused("eks:UpdateClusterConfig", change(private), "InvalidParameterException");
    for (asked, shown) in [
        (logs, json!("api")),
        (json!({ "upgradePolicy": { "supportType": "STANDARD" } }), json!("STANDARD")),
        (json!({ "zonalShiftConfig": { "enabled": true } }), json!("zonalShiftConfig")),
        (json!({ "controlPlaneScalingConfig": { "tier": "tier-xl" } }), json!("tier-xl")),
        (
            json!({ "remoteNetworkConfig": { "remoteNodeNetworks": [{ "cidrs": ["192.168.0.0/24"] }] } }),
            json!("192.168.0.0/24"),
        ),
    ] {
        ground.account.ok("eks:UpdateClusterConfig", change(asked));
        ground.account.wait(2 * 60);
        assert!(ground.seen().to_string().contains(&shown.to_string()), "{shown}");
    }
    let ids = ground.account.ok("eks:ListUpdates", MAIN());
    assert_eq!(ids["updateIds"].as_array().map(Vec::len), Some(6));
}

#[test]
fn an_update_that_fails_changes_nothing() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    ground.account.doom(Failure { code: "EniLimitReached".to_owned(), message: "no".to_owned() });
    let private = json!({ "name": "main", "resourcesVpcConfig": { "endpointPrivateAccess": true } });
    let begun = ground.account.ok("eks:UpdateClusterConfig", private);
    ground.account.wait(2 * 60);
    let failed = ground.update(&begun, json!({}));
    assert_eq!(
        (&failed["status"], &failed["errors"][0]["errorCode"]),
        (&json!("Failed"), &json!("EniLimitReached"))
    );
    let seen = ground.seen();
    assert_eq!(
        (&seen["status"], &seen["resourcesVpcConfig"]["endpointPrivateAccess"]),
        (&json!("ACTIVE"), &json!(false))
    );
}

/// EKS user guide, "Change authentication mode to use access entries": it cannot be taken back.
#[test]
fn authentication_goes_one_way() {
    let mut ground = Ground::new();
    ground.cluster(json!({ "accessConfig": { "authenticationMode": "CONFIG_MAP" } }));
    let change = |mode: &str| json!({ "name": "main", "accessConfig": { "authenticationMode": mode } });
    ground.account.refused("eks:UpdateClusterConfig", change("API"), "InvalidParameterException");
    for mode in ["API_AND_CONFIG_MAP", "API"] {
        ground.account.ok("eks:UpdateClusterConfig", change(mode));
        ground.account.wait(2 * 60);
        assert_eq!(ground.seen()["accessConfig"]["authenticationMode"], mode);
    }
    let back = change("API_AND_CONFIG_MAP");
    ground.account.refused("eks:UpdateClusterConfig", back, "InvalidParameterException");
}

/// API reference, `UpdateClusterConfig` (`deletionProtection`) and `AssociateEncryptionConfig`.
#[test]
fn protection_keeps_a_cluster_and_encryption_stays() {
    let mut ground = Ground::new();
    ground.cluster(json!({ "deletionProtection": true }));
    ground.account.refused("eks:DeleteCluster", MAIN(), "InvalidRequestException");
    ground.account.ok("eks:UpdateClusterConfig", with(MAIN(), json!({ "deletionProtection": false })));
    ground.account.wait(2 * 60);
    let key = json!({ "keyArn": "arn:aws:kms:us-east-1:111111111111:key/a" });
    let encryption = json!([{ "resources": ["secrets"], "provider": key }]);
    let encryption = json!({ "clusterName": "main", "encryptionConfig": encryption });
    ground.account.ok("eks:AssociateEncryptionConfig", encryption.clone());
    ground.account.wait(2 * 60);
    assert_eq!(ground.seen()["encryptionConfig"][0]["provider"], key);
    ground.account.refused("eks:AssociateEncryptionConfig", encryption, "InvalidParameterException");
    ground.account.ok("eks:DeleteCluster", MAIN());
}

/// API reference, `UpdateClusterVersion`; EKS user guide, "Update existing cluster to new
/// Kubernetes version": one minor version at a time, and never back.
#[test]
fn versions_follow_one_another() {
    let mut ground = Ground::new();
    ground.cluster(json!({ "version": "1.33" }));
    let to = |version: &str| json!({ "name": "main", "version": version });
    for wrong in ["1.35", "1.33", "1.32", "2.0"] {
        ground.account.refused("eks:UpdateClusterVersion", to(wrong), "InvalidParameterException");
    }
    ground.node_group(json!({}));
    let begun = ground.account.ok("eks:UpdateClusterVersion", to("1.34"));
    assert_eq!(begun["update"]["type"], "VersionUpdate");
    ground.account.wait(9 * 60 - 1);
    assert_eq!(ground.seen()["version"], "1.33");
    ground.account.wait(1);
    assert_eq!(ground.seen()["version"], "1.34");
    let message = ground.account.message("eks:UpdateClusterVersion", to("1.35"), "InvalidRequestException");
    assert!(message.contains(r#"Nodegroups ["workers"] must be updated"#), "{message}");
    let nodes = json!({ "clusterName": "main", "nodegroupName": "workers" });
    ground.account.ok("eks:UpdateNodegroupVersion", nodes);
    ground.account.wait(5 * 60);
    ground.account.ok("eks:UpdateClusterVersion", to("1.35"));
}

/// EKS user guide: an upgrade "requires up to five available IP addresses".
#[test]
fn an_upgrade_needs_free_addresses() {
    let mut ground = Ground::new();
    let small = ["10.0.8.0/28", "10.0.9.0/28"].map(|range| {
        let zone = if range.starts_with("10.0.8") { "use1-az1" } else { "use1-az2" };
        let wanted = json!({ "VpcId": ground.vpc, "CidrBlock": range, "AvailabilityZoneId": zone });
        text(&ground.account.ok("CreateSubnet", wanted)["subnet"]["subnetId"])
    });
    let network = json!({ "subnetIds": small });
    ground.cluster(json!({ "version": "1.33", "resourcesVpcConfig": network }));
    for number in 0..16 {
        ground.account.ok("CreateNetworkInterface", json!({ "SubnetId": small[number % 2] }));
    }
    let begun = ground.account.ok("eks:UpdateClusterVersion", json!({ "name": "main", "version": "1.34" }));
    ground.account.wait(9 * 60);
    let failed = ground.update(&begun, json!({}));
    assert_eq!(failed["errors"][0]["errorCode"], "IpNotAvailable");
    assert_eq!(ground.seen()["version"], "1.33");
}

/// API reference, `UpdateClusterConfig`: other subnets of the same VPC, in the same zones.
#[test]
fn a_cluster_moves_to_other_subnets_of_its_zones() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    let other = ["use1-az1", "use1-az2", "use1-az4"].map(|zone| {
        let range = format!("10.0.{}.0/24", 20 + zone.len() + usize::from(zone.as_bytes()[7]));
        let wanted = json!({ "VpcId": ground.vpc, "CidrBlock": range, "AvailabilityZoneId": zone });
        text(&ground.account.ok("CreateSubnet", wanted)["subnet"]["subnetId"])
    });
    let change = |ids: &[String]| json!({ "name": "main", "resourcesVpcConfig": { "subnetIds": ids } });
    ground.account.refused("eks:UpdateClusterConfig", change(&other[1..]), "InvalidParameterException");
    ground.account.ok("eks:UpdateClusterConfig", change(&other[..2]));
    ground.account.wait(2 * 60);
    let subnets: Vec<_> = ground.interfaces().iter().map(|interface| text(&interface["subnetId"])).collect();
    assert_eq!(subnets.len(), 2);
    assert!(subnets.iter().all(|subnet| other[..2].contains(subnet)), "{subnets:?}");
    ground.account.ok("DeleteSubnet", json!({ "SubnetId": ground.subnets[0] }));
}

/// API reference, `TagResource`, with the codes that only these operations have.
#[test]
fn clusters_are_tagged() {
    let mut ground = Ground::new();
    let arn = ground.cluster(json!({}))["arn"].clone();
    let named = |more: Value| with(json!({ "resourceArn": arn }), more);
    ground.account.ok("eks:TagResource", named(json!({ "tags": { "a": "1", "b": "2" } })));
    ground.account.ok("eks:UntagResource", named(json!({ "tagKeys": ["a"] })));
    assert_eq!(ground.account.ok("eks:ListTagsForResource", named(json!({})))["tags"], json!({ "b": "2" }));
    assert_eq!(ground.seen()["tags"], json!({ "b": "2" }));
    let reserved = named(json!({ "tags": { "aws:a": "1" } }));
    ground.account.refused("eks:TagResource", reserved, "BadRequestException");
    let none = json!({ "resourceArn": "arn:aws:eks:us-east-1:111111111111:cluster/none" });
    ground.account.refused("eks:ListTagsForResource", none, "NotFoundException");
}

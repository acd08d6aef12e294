//! The life of a node group.

use serde_json::{Value, json};

use crate::eks::testing::{Ground, add_role, role, with};
use crate::testing::text;
use crate::world::Failure;

const WORKERS: fn() -> Value = || json!({ "clusterName": "main", "nodegroupName": "workers" });

fn descriptions(ground: &mut Ground) -> Vec<String> {
    let mut all: Vec<_> =
        ground.interfaces().iter().map(|interface| text(&interface["description"])).collect();
    all.sort();
    all
}

/// DOMAIN 2.4: without groups of a launch template "the nodes carry the cluster SG"; the network
/// plug-in adds interfaces; all of them are the participant's, in the owner's subnets.
#[test]
fn nodes_stand_in_the_network_of_another_account() {
    let mut ground = Ground::shared();
    let cluster = ground.cluster(json!({}));
    let wanted =
        ground.wanted_group(json!({ "scalingConfig": { "minSize": 2, "maxSize": 4, "desiredSize": 2 } }));
    let made = ground.account.ok("eks:CreateNodegroup", wanted)["nodegroup"].clone();
    assert_eq!((&made["status"], &made["resources"]), (&json!("CREATING"), &Value::Null));
    ground.account.wait(3 * 60 - 1);
    assert_eq!(ground.seen_group()["status"], "CREATING");
    assert_eq!(ground.instances().len(), 2, "they run before they have joined");
    ground.account.wait(1);
    let ready = ground.seen_group();
    assert_eq!(ready["status"], "ACTIVE");
    assert_eq!(ready["instanceTypes"], json!(["t3.medium"]));
    assert_eq!((&ready["amiType"], &ready["diskSize"]), (&json!("AL2023_x86_64_STANDARD"), &json!(20)));
    assert_eq!(ready["releaseVersion"], "1.35.0-20260202");
    let scaling_group = text(&ready["resources"]["autoScalingGroups"][0]["name"]);
    assert!(scaling_group.starts_with("eks-workers-"), "{scaling_group}");
    let nodes = ground.instances();
    let subnet = ground.subnets[0].clone();
    let group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"].clone();
    ground.account.other(|owner| {
        let filter = json!([{ "Name": "attachment.instance-id", "Value": [nodes[0]] }]);
        let seen = owner.ok("DescribeNetworkInterfaces", json!({ "Filter": filter }));
        let seen = seen["networkInterfaceSet"].as_array().unwrap();
        assert_eq!(seen.len(), 2, "its own and that of the plug-in");
        for interface in seen {
            assert_eq!(
                (&interface["ownerId"], &interface["status"]),
                (&json!("111111111111"), &json!("in-use"))
            );
            assert_eq!(interface["groupSet"][0]["groupId"], group);
            assert_eq!(
                interface["privateIpAddressesSet"].as_array().map(Vec::len),
                Some(6),
                "t3.medium has six"
            );
        }
        assert_eq!(owner.ok("DescribeInstances", json!({}))["reservationSet"], json!([]));
        owner.refused("DeleteSubnet", json!({ "SubnetId": subnet }), "DependencyViolation");
    });
    ground.account.refused("eks:DeleteCluster", json!({ "name": "main" }), "ResourceInUseException");
    ground.account.ok("eks:DeleteNodegroup", WORKERS());
    ground.account.refused("eks:DeleteNodegroup", WORKERS(), "ResourceInUseException");
    ground.account.wait(2 * 60);
    assert_eq!(ground.instances(), Vec::<String>::new());
    let left = descriptions(&mut ground);
    assert_eq!(left.iter().filter(|description| description.starts_with("aws-K8S-i-")).count(), 2);
    ground.account.wait(2 * 60);
    ground.account.refused("eks:DescribeNodegroup", WORKERS(), "ResourceNotFoundException");
    assert_eq!(descriptions(&mut ground), ["Amazon EKS main", "Amazon EKS main"]);
    let gone = json!({ "InstanceId": [nodes[0]] });
    let gone = ground.account.ok("DescribeInstances", gone)["reservationSet"][0]["instancesSet"][0].clone();
    assert_eq!(gone["instanceState"]["name"], "terminated");
    ground.account.wait(3600);
    ground.account.refused(
        "DescribeInstances",
        json!({ "InstanceId": [nodes[0]] }),
        "InvalidInstanceID.NotFound",
    );
}

/// EKS user guide, "Amazon EKS node IAM role", and "Installation and considerations" of the
/// network plug-in: without either, nodes do not join, and after a while the group has failed.
#[test]
fn nodes_that_cannot_join_fail() {
    for (more, has_plugin) in [(json!({ "nodeRole": role("bare") }), true), (json!({}), false)] {
        let mut ground = Ground::new();
        add_role(&mut ground.account, "bare", "ec2.amazonaws.com", &[]);
        ground.cluster(json!({ "bootstrapSelfManagedAddons": has_plugin }));
        assert_eq!(ground.node_group(more)["status"], "CREATING");
        ground.account.wait(18 * 60);
        let failed = ground.seen_group();
        assert_eq!(failed["status"], "CREATE_FAILED");
        assert_eq!(failed["health"]["issues"][0]["code"], "NodeCreationFailure");
        assert_eq!(
            failed["health"]["issues"][0]["message"],
            "Instances failed to join the kubernetes cluster"
        );
        ground.account.ok("eks:DeleteNodegroup", WORKERS());
        ground.account.wait(4 * 60);
        ground.account.refused("eks:DescribeNodegroup", WORKERS(), "ResourceNotFoundException");
    }
}

#[test]
fn a_group_that_a_fault_lets_fail_says_why() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    ground.account.doom(Failure { code: "InstanceLimitExceeded".to_owned(), message: "no".to_owned() });
    let failed = ground.node_group(json!({}));
    assert_eq!(
        (&failed["status"], &failed["health"]["issues"][0]["code"]),
        (&json!("CREATE_FAILED"), &json!("InstanceLimitExceeded"))
    );
    assert_eq!(ground.instances(), Vec::<String>::new());
}

#[test]
fn instances_without_an_address_are_not_launched() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    let small = json!({ "VpcId": ground.vpc, "CidrBlock": "10.0.9.0/28", "AvailabilityZoneId": "use1-az1" });
    let small = text(&ground.account.ok("CreateSubnet", small)["subnet"]["subnetId"]);
    for _ in 0..10 {
        ground.account.ok("CreateNetworkInterface", json!({ "SubnetId": small }));
    }
    ground.node_group(json!({ "subnets": [small] }));
    ground.account.wait(18 * 60);
    let failed = ground.seen_group();
    let issue = &failed["health"]["issues"][0];
    assert_eq!(
        (&failed["status"], &issue["code"]),
        (&json!("CREATE_FAILED"), &json!("AsgInstanceLaunchFailures"))
    );
    assert!(text(&issue["message"]).contains("InsufficientFreeAddressesInSubnet"), "{issue}");
}

/// API reference, `CreateNodegroup`.
#[test]
fn what_is_asked_for_is_checked() {
    let mut ground = Ground::new();
    let wanted = ground.wanted_group(json!({}));
    ground.account.refused("eks:CreateNodegroup", wanted.clone(), "ResourceNotFoundException");
    let cluster = ground.wanted(json!({}));
    ground.account.ok("eks:CreateCluster", cluster);
    ground.account.refused("eks:CreateNodegroup", wanted.clone(), "InvalidRequestException");
    ground.account.wait(9 * 60);
    for wrong in [
        json!({ "nodegroupName": "" }),
        json!({ "scalingConfig": { "minSize": 3, "maxSize": 4, "desiredSize": 2 } }),
        json!({ "scalingConfig": { "minSize": 1, "maxSize": 4, "desiredSize": 5 } }),
        json!({ "scalingConfig": { "minSize": 0, "maxSize": 0, "desiredSize": 0 } }),
        json!({ "instanceTypes": ["t3"] }),
        json!({ "instanceTypes": ["t4g.medium"], "amiType": "AL2023_x86_64_STANDARD" }),
        json!({ "amiType": "AL2_x86_64" }),
        json!({ "capacityType": "FREE" }),
        json!({ "version": "1.34" }),
        json!({ "releaseVersion": "1.34.2-20260114" }),
        json!({ "subnets": [] }),
        json!({ "subnets": ["subnet-0"] }),
        json!({ "nodeRole": role("cluster") }),
        json!({ "labels": { "kubernetes.io/x": "y" } }),
        json!({ "taints": [{ "key": "a", "effect": "NEVER" }] }),
        json!({ "updateConfig": { "maxUnavailable": 1, "maxUnavailablePercentage": 5 } }),
        json!({ "updateConfig": { "maxUnavailable": 0 } }),
        json!({ "warmPoolConfig": { "poolState": "COLD" } }),
    ] {
        let wanted = ground.wanted_group(wrong);
        ground.account.refused("eks:CreateNodegroup", wanted, "InvalidParameterException");
    }
    ground.account.ok("eks:CreateNodegroup", wanted.clone());
    let message = ground.account.message("eks:CreateNodegroup", wanted, "ResourceInUseException");
    assert_eq!(message, "NodeGroup already exists with name workers and cluster name main");
    let arm = ground.wanted_group(json!({ "nodegroupName": "arm", "instanceTypes": ["m7g.large"] }));
    let arm = ground.account.ok("eks:CreateNodegroup", arm);
    assert_eq!(arm["nodegroup"]["amiType"], "AL2023_ARM_64_STANDARD");
}

/// Quota L-6D54EA21: "Managed node groups per cluster" is 30.
#[test]
fn a_cluster_has_thirty_node_groups() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    let wanted = |ground: &Ground, number: usize| {
        let none = json!({ "minSize": 0, "maxSize": 1, "desiredSize": 0 });
        ground.wanted_group(json!({ "nodegroupName": format!("n{number}"), "scalingConfig": none }))
    };
    for number in 0..30 {
        let wanted = wanted(&ground, number);
        ground.account.ok("eks:CreateNodegroup", wanted);
    }
    let wanted = wanted(&ground, 30);
    ground.account.refused("eks:CreateNodegroup", wanted, "ResourceLimitExceededException");
    let page = json!({ "clusterName": "main", "maxResults": "20" });
    let first = ground.account.ok("eks:ListNodegroups", page.clone());
    let second = with(page, json!({ "nextToken": first["nextToken"] }));
    let second = ground.account.ok("eks:ListNodegroups", second);
    assert_eq!(second["nodegroups"].as_array().map(Vec::len), Some(10));
}

/// API reference, `UpdateNodegroupConfig`: labels and taints are added and removed one by one.
#[test]
fn nodes_are_scaled_and_labelled() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    let taint = json!([{ "key": "only", "value": "web", "effect": "NO_SCHEDULE" }]);
    ground.node_group(json!({ "labels": { "a": "1", "b": "2" }, "taints": taint }));
    let before = ground.instances();
    let change = json!({
        "scalingConfig": { "maxSize": 3, "desiredSize": 3 },
        "labels": { "addOrUpdateLabels": { "a": "3" }, "removeLabels": ["b"] },
        "taints": { "removeTaints": taint },
        "updateConfig": { "maxUnavailablePercentage": 50 },
        "warmPoolConfig": { "enabled": true, "minSize": 1 },
    });
    let begun = ground.account.ok("eks:UpdateNodegroupConfig", with(WORKERS(), change.clone()));
    assert_eq!(ground.seen_group()["status"], "UPDATING");
    assert_eq!(ground.seen()["status"], "ACTIVE");
    let busy = with(WORKERS(), json!({ "labels": { "removeLabels": ["a"] } }));
    let busy = ground.account.message("eks:UpdateNodegroupConfig", busy, "ResourceInUseException");
    assert!(busy.contains("in progress"), "{busy}");
    ground.account.refused("eks:DeleteNodegroup", WORKERS(), "ResourceInUseException");
    ground.account.wait(60);
    let of_group = json!({ "nodegroupName": "workers" });
    assert_eq!(ground.update(&begun, of_group.clone())["status"], "Successful");
    let changed = ground.seen_group();
    assert_eq!((&changed["labels"], &changed["taints"]), (&json!({ "a": "3" }), &Value::Null));
    assert_eq!(changed["updateConfig"], json!({ "maxUnavailablePercentage": 50 }));
    assert_eq!(changed["warmPoolConfig"], json!({ "enabled": true, "minSize": 1 }));
    let after = ground.instances();
    assert_eq!(after.len(), 3);
    assert!(before.iter().all(|node| after.contains(node)), "those that were there stay");
    let same = with(WORKERS(), json!({ "scalingConfig": { "desiredSize": 3 } }));
    ground.account.refused("eks:UpdateNodegroupConfig", same, "InvalidParameterException");
    let ids = ground.account.ok("eks:ListUpdates", with(json!({ "name": "main" }), of_group));
    assert_eq!(ids["updateIds"].as_array().map(Vec::len), Some(1));
    assert_eq!(ground.account.ok("eks:ListUpdates", json!({ "name": "main" }))["updateIds"], json!([]));
}

/// EKS user guide, "Update a managed node group for your cluster": all nodes are replaced, and a
/// group does not go back.
#[test]
fn another_version_means_other_nodes() {
    let mut ground = Ground::new();
    ground.cluster(json!({ "version": "1.34" }));
    ground.node_group(json!({ "releaseVersion": "1.34.2-20251209" }));
    let before = ground.instances();
    ground.account.ok("eks:UpdateNodegroupVersion", WORKERS());
    ground.account.wait(5 * 60);
    assert_eq!(ground.seen_group()["releaseVersion"], "1.34.2-20260114");
    let after = ground.instances();
    assert_eq!(after.len(), before.len());
    assert!(before.iter().all(|node| !after.contains(node)));
    for wrong in [
        json!({}),
        json!({ "version": "1.33" }),
        json!({ "version": "1.35" }),
        json!({ "releaseVersion": "x" }),
    ] {
        let wrong = with(WORKERS(), wrong);
        ground.account.refused("eks:UpdateNodegroupVersion", wrong, "InvalidParameterException");
    }
}

/// Makes the launch template `nodes`, with another version of it.
fn template(ground: &mut Ground, data: &Value) -> String {
    let wanted = json!({ "LaunchTemplateName": "nodes", "LaunchTemplateData": data });
    let id = text(&ground.account.ok("CreateLaunchTemplate", wanted)["launchTemplate"]["launchTemplateId"]);
    let second = json!({
        "LaunchTemplateId": id,
        "SourceVersion": "1",
        "LaunchTemplateData": { "MetadataOptions": { "HttpTokens": "required" } },
    });
    ground.account.ok("CreateLaunchTemplateVersion", second);
    id
}

/// EKS user guide, "Customize managed nodes with launch templates".
#[test]
fn a_launch_template_says_what_nodes_are() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    let group = json!({ "VpcId": ground.vpc, "GroupName": "nodes", "GroupDescription": "nodes" });
    let group = ground.account.ok("CreateSecurityGroup", group)["groupId"].clone();
    let tags = json!([{ "ResourceType": "instance", "Tag": [{ "Key": "team", "Value": "web" }] }]);
    let data = json!({ "InstanceType": "m7g.large", "SecurityGroupId": [group], "TagSpecification": tags });
    let id = template(&mut ground, &data);
    for wrong in [
        json!({ "launchTemplate": { "id": id, "name": "nodes" } }),
        json!({ "launchTemplate": { "name": "none" } }),
        json!({ "launchTemplate": { "id": id, "version": "9" } }),
        json!({ "launchTemplate": { "id": id }, "instanceTypes": ["m7g.large"] }),
        json!({ "launchTemplate": { "id": id }, "diskSize": 30 }),
        json!({ "launchTemplate": { "id": id }, "amiType": "AL2023_x86_64_STANDARD" }),
    ] {
        let wanted = ground.wanted_group(wrong);
        ground.account.refused("eks:CreateNodegroup", wanted, "InvalidParameterException");
    }
    let made = ground.node_group(json!({ "launchTemplate": { "id": id, "version": "1" } }));
    assert_eq!(made["launchTemplate"], json!({ "id": id, "name": "nodes", "version": "1" }));
    assert_eq!((&made["amiType"], &made["instanceTypes"]), (&json!("AL2023_ARM_64_STANDARD"), &Value::Null));
    let before = ground.instances();
    let node = ground.account.ok("DescribeInstances", json!({ "InstanceId": [before[0]] }));
    let node = &node["reservationSet"][0]["instancesSet"][0];
    assert_eq!((&node["instanceType"], &node["groupSet"][0]["groupId"]), (&json!("m7g.large"), &group));
    assert!(node["tagSet"].to_string().contains("team"), "{node}");
    let second = with(WORKERS(), json!({ "launchTemplate": { "name": "nodes", "version": "2" } }));
    let begun = ground.account.ok("eks:UpdateNodegroupVersion", second.clone());
    assert!(begun["update"]["params"].to_string().contains("LaunchTemplateVersion"), "{begun}");
    ground.account.wait(5 * 60);
    assert_eq!(ground.seen_group()["launchTemplate"]["version"], "2");
    assert!(ground.instances().iter().all(|node| !before.contains(node)));
    ground.account.refused("eks:UpdateNodegroupVersion", second, "InvalidParameterException");
}

/// EKS user guide, "Specifying an AMI": the image is the template's, and so is its version.
#[test]
fn an_image_of_ones_own_has_no_release() {
    let mut ground = Ground::new();
    ground.cluster(json!({}));
    let id = template(&mut ground, &json!({ "ImageId": "ami-0aaaaaaaaaaaaaaa1" }));
    let made = ground.node_group(json!({ "launchTemplate": { "id": id }, "instanceTypes": ["t3.large"] }));
    assert_eq!(
        (&made["amiType"], &made["releaseVersion"]),
        (&json!("CUSTOM"), &json!("ami-0aaaaaaaaaaaaaaa1"))
    );
    let release = with(WORKERS(), json!({ "releaseVersion": "1.35.0-20260120" }));
    ground.account.refused("eks:UpdateNodegroupVersion", release, "InvalidParameterException");
    let plain = ground.wanted_group(json!({ "nodegroupName": "plain" }));
    ground.account.ok("eks:CreateNodegroup", plain);
    ground.account.wait(180);
    let late = json!({ "clusterName": "main", "nodegroupName": "plain", "launchTemplate": { "id": id } });
    ground.account.refused("eks:UpdateNodegroupVersion", late, "InvalidParameterException");
}

/// EKS user guide: what EKS says itself, a launch template does not say.
#[test]
fn a_launch_template_leaves_subnets_and_profiles_to_eks() {
    for wrong in [
        json!({ "NetworkInterface": [{ "DeviceIndex": "0", "SubnetId": "subnet-1" }] }),
        json!({ "IamInstanceProfile": { "Name": "nodes" } }),
        json!({ "SecurityGroupId": ["sg-0"] }),
    ] {
        let mut ground = Ground::new();
        ground.cluster(json!({}));
        let id = template(&mut ground, &wrong);
        let wanted = ground.wanted_group(json!({ "launchTemplate": { "id": id } }));
        ground.account.refused("eks:CreateNodegroup", wanted, "InvalidParameterException");
    }
}

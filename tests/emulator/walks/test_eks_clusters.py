"""EKS: clusters in the subnets of another account, their changes and versions."""

from typing import Any

from .eks import cluster, ground, node_group, role, role_arn, wanted
from .network import subnet
from .walk import Walk, filters, number, only_sandbox

pytestmark = only_sandbox("moto's clusters are ready at once and stand in no network (see the list in tests/README.md)")

_MAIN = {"name": "main"}


def _eks(walk: Walk) -> Any:
    return walk.client("apps", "eks")


def test_a_cluster_stands_in_shared_subnets(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    made = eks.create_cluster(**wanted(place, tags={"env": "test"}, clientRequestToken="t" * 32))["cluster"]
    assert (made["status"], made["roleArn"]) == ("CREATING", role_arn("cluster"))
    again = eks.create_cluster(**wanted(place, tags={"env": "test"}, clientRequestToken="t" * 32))["cluster"]
    assert again["createdAt"] == made["createdAt"]
    walk.refused(
        "InvalidParameterException", "a token is for one request", eks.create_cluster,
        **wanted(place, clientRequestToken="t" * 32),
    )  # fmt: skip
    walk.pass_time(600)
    eks.get_waiter("cluster_active").wait(name="main", WaiterConfig={"Delay": 0, "MaxAttempts": 2})
    ready = eks.describe_cluster(name="main")["cluster"]
    assert ready["identity"]["oidc"]["issuer"].startswith("https://oidc.eks.us-east-1.amazonaws.com/id/")
    assert (ready["tags"], ready["resourcesVpcConfig"]["vpcId"]) == ({"env": "test"}, place.vpc)
    owner = walk.client("network")
    seen = owner.describe_network_interfaces(Filters=filters(description="Amazon EKS main"))["NetworkInterfaces"]
    assert {one["OwnerId"] for one in seen} == {number("apps")} and len(seen) == 2
    held = "Share your VPC subnets: an owner cannot delete a subnet that holds a participant's interfaces"
    walk.refused("DependencyViolation", held, owner.delete_subnet, SubnetId=place.subnets[0])
    assert eks.list_clusters()["clusters"] == ["main"]
    # "AWSServiceRoleForAmazonEKS" is made on first use.
    walk.client("apps", "iam").get_role(RoleName="AWSServiceRoleForAmazonEKS")
    assert eks.delete_cluster(name="main")["cluster"]["status"] == "DELETING"
    walk.refused("ResourceInUseException", "DeleteCluster: it is being deleted", eks.delete_cluster, name="main")
    walk.pass_time(300)
    gone = "DescribeCluster: ResourceNotFoundException"
    walk.refused("ResourceNotFoundException", gone, eks.describe_cluster, name="main")
    owner.delete_subnet(SubnetId=place.subnets[0])


def test_what_a_cluster_needs(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    create = eks.create_cluster
    two_zones = {"subnetIds": place.subnets[:1]}
    fact = "EKS network requirements: subnets in at least two zones"
    walk.refused("InvalidParameterException", fact, create, **wanted(place, resourcesVpcConfig=two_zones))
    third = subnet(walk, place.vpc, "10.0.3.0/24", "use1-az3")["SubnetArn"]
    ram = walk.client("network", "ram")
    [share] = ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    ram.associate_resource_share(resourceShareArn=share["resourceShareArn"], resourceArns=[third])
    walk.pass_time(60)
    forbidden = {"subnetIds": [place.subnets[0], third.split("/")[1]]}
    fact = "EKS network requirements: no control planes in use1-az3"
    walk.refused(
        "UnsupportedAvailabilityZoneException", fact, create, **wanted(place, resourcesVpcConfig=forbidden)
    )
    other = role(walk, "cluster", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"], "network")
    fact = "a role can be passed to services of its own account only"
    walk.refused("AccessDeniedException", fact, create, **wanted(place, roleArn=other))
    untrusted = wanted(place, roleArn=role_arn("nodes"))
    walk.refused("InvalidParameterException", "Amazon EKS cluster IAM role: trust", create, **untrusted)


def test_one_change_at_a_time(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    cluster(walk, place)
    update = eks.update_cluster_config(**_MAIN, resourcesVpcConfig={"endpointPrivateAccess": True})["update"]
    assert (update["status"], update["type"]) == ("InProgress", "EndpointAccessUpdate")
    assert eks.describe_cluster(**_MAIN)["cluster"]["status"] == "UPDATING"
    busy = "UpdateClusterConfig: ResourceInUseException while an update is in progress"
    walk.refused("ResourceInUseException", busy, eks.update_cluster_config, **_MAIN, deletionProtection=True)
    walk.pass_time(180)
    done = eks.describe_update(**_MAIN, updateId=update["id"])["update"]
    assert (done["status"], done["errors"]) == ("Successful", [])
    assert eks.describe_cluster(**_MAIN)["cluster"]["resourcesVpcConfig"]["endpointPrivateAccess"]
    both = {"deletionProtection": True, "upgradePolicy": {"supportType": "STANDARD"}}
    one = "Only one type of update can be allowed"
    walk.refused("InvalidParameterException", one, eks.update_cluster_config, **_MAIN, **both)
    eks.update_cluster_config(**_MAIN, deletionProtection=True)
    walk.pass_time(180)
    protected = "DeleteCluster: deletion protection has to be off"
    walk.refused("InvalidRequestException", protected, eks.delete_cluster, **_MAIN)
    key = {"keyArn": f"arn:aws:kms:us-east-1:{number('apps')}:key/a"}
    eks.associate_encryption_config(clusterName="main", encryptionConfig=[{"resources": ["secrets"], "provider": key}])
    walk.pass_time(180)
    assert len(walk.pages(eks, "list_updates", "updateIds", 2, **_MAIN)) == 3


def test_versions_follow_one_another(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    versions = eks.describe_cluster_versions(includeAll=True)["clusterVersions"]
    names = [version["clusterVersion"] for version in versions]
    assert [version["clusterVersion"] for version in versions if version["defaultVersion"]] == names[:1]
    newest, before, first = names[:3]
    assert len(walk.pages(eks, "describe_cluster_versions", "clusterVersions", 2, includeAll=True)) == len(names)
    cluster(walk, place, version=first)
    node_group(walk, place)
    step = "UpdateClusterVersion: one minor version at a time"
    walk.refused("InvalidParameterException", step, eks.update_cluster_version, **_MAIN, version=newest)
    eks.update_cluster_version(**_MAIN, version=before)
    walk.pass_time(600)
    assert eks.describe_cluster(**_MAIN)["cluster"]["version"] == before
    match = "UpdateClusterVersion: all of your node groups' Kubernetes versions must match the cluster's"
    walk.refused("InvalidRequestException", match, eks.update_cluster_version, **_MAIN, version=newest)
    nodes = {"clusterName": "main", "nodegroupName": "workers"}
    update = eks.update_nodegroup_version(**nodes)["update"]
    walk.pass_time(360)
    done = eks.describe_update(**_MAIN, nodegroupName="workers", updateId=update["id"])["update"]
    assert done["status"] == "Successful"
    assert eks.describe_nodegroup(**nodes)["nodegroup"]["version"] == before
    eks.update_cluster_version(**_MAIN, version=newest)


def test_tags(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    arn = cluster(walk, place)["arn"]
    eks.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    eks.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    reserved = "Tag your resources: aws: is reserved"
    walk.refused("BadRequestException", reserved, eks.tag_resource, resourceArn=arn, tags={"aws:x": "y"})
    none = arn.replace("main", "none")
    walk.refused("NotFoundException", "ListTagsForResource", eks.list_tags_for_resource, resourceArn=none)

"""EKS: node groups, and what their nodes have in the subnets of another account."""

from typing import Any

from .eks import cluster, ground, node_group, role_arn
from .walk import Walk, filters, number, only_sandbox

pytestmark = only_sandbox("moto's node groups are ready at once and have no nodes (see the list in tests/README.md)")

_WORKERS = {"clusterName": "main", "nodegroupName": "workers"}


def _eks(walk: Walk) -> Any:
    return walk.client("apps", "eks")


def _instances(walk: Walk) -> list[dict[str, Any]]:
    ec2 = walk.client("apps")
    pages = ec2.get_paginator("describe_instances").paginate(Filters=filters(instance_state_name="running"))
    return [one for page in pages for reservation in page["Reservations"] for one in reservation["Instances"]]


def test_nodes_stand_in_shared_subnets(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    group = cluster(walk, place)["resourcesVpcConfig"]["clusterSecurityGroupId"]
    made = node_group(walk, place, scalingConfig={"minSize": 2, "maxSize": 3, "desiredSize": 2}, tags={"a": "b"})
    assert (made["status"], made["instanceTypes"], made["tags"]) == ("ACTIVE", ["t3.medium"], {"a": "b"})
    assert made["resources"]["autoScalingGroups"][0]["name"].startswith("eks-workers-")
    nodes = _instances(walk)
    assert len(nodes) == 2 and {node["SubnetId"] for node in nodes} == set(place.subnets)
    assert {one["GroupId"] for node in nodes for one in node["SecurityGroups"]} == {group}
    owner = walk.client("network")
    ours = filters(attachment_instance_id=nodes[0]["InstanceId"])
    # The filter's name has a dot where the helper writes a dash.
    ours[0]["Name"] = "attachment.instance-id"
    seen = owner.describe_network_interfaces(Filters=ours)["NetworkInterfaces"]
    assert len(seen) == 2 and {one["OwnerId"] for one in seen} == {number("apps")}
    attached = "Delete a security group: not while it is associated with an instance's interface"
    walk.refused("DependencyViolation", attached, walk.client("apps").delete_security_group, GroupId=group)
    apart = "DeleteCluster: node groups have to be deleted first"
    walk.refused("ResourceInUseException", apart, eks.delete_cluster, name="main")
    eks.delete_nodegroup(**_WORKERS)
    walk.pass_time(150)
    assert _instances(walk) == []
    left = owner.describe_network_interfaces(Filters=filters(status="available"))["NetworkInterfaces"]
    assert {one["Description"][:10] for one in left} == {"aws-K8S-i-"}, "the plug-in's interfaces go last"
    walk.pass_time(150)
    walk.refused("ResourceNotFoundException", "DescribeNodegroup", eks.describe_nodegroup, **_WORKERS)
    assert owner.describe_network_interfaces(Filters=filters(status="available"))["NetworkInterfaces"] == []
    eks.delete_cluster(name="main")


def test_what_a_node_group_needs(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    create, wanted = eks.create_nodegroup, {**_WORKERS, "subnets": place.subnets, "nodeRole": role_arn("nodes")}
    walk.refused("ResourceNotFoundException", "CreateNodegroup: the cluster has to exist", create, **wanted)
    cluster(walk, place)
    trust = "Amazon EKS node IAM role: ec2.amazonaws.com has to be trusted"
    walk.refused("InvalidParameterException", trust, create, **wanted | {"nodeRole": role_arn("cluster")})
    sizes = {"minSize": 2, "maxSize": 2, "desiredSize": 1}
    bounds = "CreateNodegroup: desiredSize is between minSize and maxSize"
    walk.refused("InvalidParameterException", bounds, create, **wanted, scalingConfig=sizes)
    create(**wanted)
    walk.refused("ResourceInUseException", "names of node groups are unique", create, **wanted)


def test_nodes_are_scaled(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    cluster(walk, place)
    node_group(walk, place, labels={"a": "1"})
    update = eks.update_nodegroup_config(
        **_WORKERS, scalingConfig={"desiredSize": 1}, labels={"removeLabels": ["a"], "addOrUpdateLabels": {"b": "2"}}
    )["update"]
    assert {one["type"] for one in update["params"]} == {"DesiredSize", "LabelsToAdd", "LabelsToRemove"}
    walk.pass_time(90)
    done = eks.describe_nodegroup(**_WORKERS)["nodegroup"]
    assert (done["status"], done["labels"], len(_instances(walk))) == ("ACTIVE", {"b": "2"}, 1)
    assert eks.list_updates(name="main", nodegroupName="workers")["updateIds"] == [update["id"]]
    assert eks.list_nodegroups(clusterName="main")["nodegroups"] == ["workers"]

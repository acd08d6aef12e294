"""What the walks through EKS begin with: the network account's subnets, shared with the apps account, and
roles of the apps account."""

import json
from dataclasses import dataclass
from typing import Any

from .network import share, subnet, vpc
from .walk import Walk, number

_AWS = "arn:aws:iam::aws:policy/"
_NODES = ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"]


@dataclass
class Ground:
    """Where a cluster can stand."""

    vpc: str
    subnets: list[str]


def role(walk: Walk, name: str, service: str, policies: list[str], account: str = "apps") -> str:
    """Makes a role that a service assumes."""
    iam = walk.client(account, "iam")
    principal = {"Effect": "Allow", "Principal": {"Service": service}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [principal]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for policy in policies:
        iam.attach_role_policy(RoleName=name, PolicyArn=_AWS + policy)
    return str(arn)


def role_arn(name: str, account: str = "apps") -> str:
    """Returns the ARN of a role."""
    return f"arn:aws:iam::{number(account)}:role/{name}"


def ground(walk: Walk) -> Ground:
    """Makes subnets in two zones that both accounts see, and the roles of clusters and nodes."""
    vpc_id = vpc(walk)
    subnets = [subnet(walk, vpc_id, f"10.0.{zone}.0/24", f"use1-az{zone}") for zone in (1, 2)]
    share(walk, *(made["SubnetArn"] for made in subnets))
    role(walk, "cluster", "eks.amazonaws.com", ["AmazonEKSClusterPolicy"])
    role(walk, "nodes", "ec2.amazonaws.com", _NODES)
    return Ground(vpc_id, [made["SubnetId"] for made in subnets])


def wanted(place: Ground, **more: Any) -> dict[str, Any]:
    """Returns what the cluster `main` is made from."""
    network = {"subnetIds": place.subnets}
    access = {"authenticationMode": "API_AND_CONFIG_MAP"}
    base = {"name": "main", "roleArn": role_arn("cluster"), "resourcesVpcConfig": network, "accessConfig": access}
    return base | more


def cluster(walk: Walk, place: Ground, **more: Any) -> dict[str, Any]:
    """Makes the cluster `main`, and waits until it is ready."""
    eks = walk.client("apps", "eks")
    eks.create_cluster(**wanted(place, **more))
    walk.pass_time(600)
    return dict(eks.describe_cluster(name="main")["cluster"])


def node_group(walk: Walk, place: Ground, **more: Any) -> dict[str, Any]:
    """Makes the node group `workers` of the cluster `main`, and waits until it is ready."""
    eks, named = walk.client("apps", "eks"), {"clusterName": "main", "nodegroupName": "workers"}
    eks.create_nodegroup(**named, nodeRole=role_arn("nodes"), subnets=place.subnets, **more)
    walk.pass_time(240)
    return dict(eks.describe_nodegroup(**named)["nodegroup"])

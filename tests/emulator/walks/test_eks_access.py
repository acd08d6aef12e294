"""EKS: who may do what in a cluster, and pods without nodes."""

from typing import Any

from .eks import cluster, ground, node_group, role, role_arn
from .walk import Walk, only_sandbox

pytestmark = only_sandbox("moto has no access entries, and its profiles are ready at once (see the list in tests/README.md)")

_MAIN = {"clusterName": "main"}
_VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


def _eks(walk: Walk) -> Any:
    return walk.client("apps", "eks")


def test_entries_of_principals(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    cluster(walk, place)
    node_group(walk, place)
    own = eks.list_access_entries(**_MAIN)["accessEntries"]
    assert role_arn("nodes") in own and len(own) == 2, "that of the creator and that of the nodes"
    people = role(walk, "people", "ec2.amazonaws.com", [])
    named = {**_MAIN, "principalArn": people}
    made = eks.create_access_entry(**named, kubernetesGroups=["readers"], tags={"a": "b"})["accessEntry"]
    assert eks.list_tags_for_resource(resourceArn=made["accessEntryArn"])["tags"] == {"a": "b"}
    walk.refused("ResourceInUseException", "CreateAccessEntry", eks.create_access_entry, **named)
    nobody = {**_MAIN, "principalArn": role_arn("nobody")}
    fact = "CreateAccessEntry: the principal has to exist"
    walk.refused("InvalidParameterException", fact, eks.create_access_entry, **nobody)
    assert eks.update_access_entry(**named, username="me")["accessEntry"]["username"] == "me"
    assert eks.describe_access_entry(**named)["accessEntry"]["kubernetesGroups"] == ["readers"]
    scope = {"type": "namespace", "namespaces": ["web"]}
    eks.associate_access_policy(**named, policyArn=_VIEW, accessScope=scope)
    [policy] = eks.list_associated_access_policies(**named)["associatedAccessPolicies"]
    assert (policy["policyArn"], policy["accessScope"]) == (_VIEW, scope)
    assert eks.list_access_entries(**_MAIN, associatedPolicyArn=_VIEW)["accessEntries"] == [people]
    nodes = {**_MAIN, "principalArn": role_arn("nodes"), "policyArn": _VIEW, "accessScope": {"type": "cluster"}}
    fact = "AssociateAccessPolicy: entries of nodes have no access policies"
    walk.refused("InvalidRequestException", fact, eks.associate_access_policy, **nodes)
    eks.disassociate_access_policy(**named, policyArn=_VIEW)
    eks.delete_access_entry(**named)
    walk.refused("ResourceNotFoundException", "DescribeAccessEntry", eks.describe_access_entry, **named)
    assert len(walk.pages(eks, "list_access_policies", "accessPolicies", 5)) > 5


def test_profiles_come_and_go_one_by_one(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    cluster(walk, place)
    role(walk, "pods", "eks-fargate-pods.amazonaws.com", ["AmazonEKSFargatePodExecutionRolePolicy"])
    create = eks.create_fargate_profile
    wanted = {**_MAIN, "podExecutionRoleArn": role_arn("pods"), "selectors": [{"namespace": "web"}]}
    made = eks.create_fargate_profile(**wanted, fargateProfileName="one", subnets=place.subnets)["fargateProfile"]
    assert made["status"] == "CREATING"
    one = "CreateFargateProfile: one profile at a time can be CREATING"
    walk.refused("ResourceInUseException", one, create, **wanted, fargateProfileName="two")
    walk.pass_time(120)
    create(**wanted, fargateProfileName="two")
    walk.pass_time(120)
    assert eks.describe_fargate_profile(**_MAIN, fargateProfileName="two")["fargateProfile"]["status"] == "ACTIVE"
    assert walk.pages(eks, "list_fargate_profiles", "fargateProfileNames", 1, **_MAIN) == ["one", "two"]
    apart = "DeleteCluster: Fargate profiles have to be deleted first"
    walk.refused("ResourceInUseException", apart, eks.delete_cluster, name="main")
    for name in ["one", "two"]:
        eks.delete_fargate_profile(**_MAIN, fargateProfileName=name)
        walk.pass_time(150)
    assert eks.list_fargate_profiles(**_MAIN)["fargateProfileNames"] == []


def test_only_a_pod_has_a_role_by_its_token(walk: Walk) -> None:
    place = ground(walk)
    cluster(walk, place)
    assume = walk.client("apps", "eks-auth").assume_role_for_pod_identity
    walk.refused("InvalidTokenException", "AssumeRoleForPodIdentity", assume, **_MAIN, token="no.token.atall")

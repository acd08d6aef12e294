"""EKS: add-ons, and the pod identities of theirs and of others."""

import json
from typing import Any

from .eks import cluster, ground, node_group, role, role_arn
from .walk import Walk, only_sandbox

pytestmark = only_sandbox("moto's add-ons are ready at once, and it knows none (see the list in tests/README.md)")

_MAIN = {"clusterName": "main"}


def _eks(walk: Walk) -> Any:
    return walk.client("apps", "eks")


def _status(walk: Walk, name: str) -> str:
    return str(_eks(walk).describe_addon(**_MAIN, addonName=name)["addon"]["status"])


def test_addons_come_around_the_nodes(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    cluster(walk, place, bootstrapSelfManagedAddons=False)
    for name in ["vpc-cni", "kube-proxy", "eks-pod-identity-agent", "coredns"]:
        eks.create_addon(**_MAIN, addonName=name, tags={"a": "b"})
    walk.pass_time(60)
    assert {_status(walk, name) for name in ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"]} == {"ACTIVE"}
    assert _status(walk, "coredns") == "DEGRADED", "Update add-ons: coredns needs nodes"
    node_group(walk, place)
    assert _status(walk, "coredns") == "ACTIVE"
    assert len(walk.pages(eks, "list_addons", "addons", 3, **_MAIN)) == 4
    walk.refused("ResourceInUseException", "CreateAddon", eks.create_addon, **_MAIN, addonName="coredns")
    update = eks.update_addon(**_MAIN, addonName="coredns", configurationValues=json.dumps({"replicaCount": 3}))["update"]
    busy = "UpdateAddon: ResourceInUseException while an update is in progress"
    walk.refused("ResourceInUseException", busy, eks.update_addon, **_MAIN, addonName="coredns")
    walk.pass_time(60)
    done = eks.describe_update(name="main", addonName="coredns", updateId=update["id"])["update"]
    assert (done["type"], done["status"]) == ("AddonUpdate", "Successful")
    arn = eks.describe_addon(**_MAIN, addonName="coredns")["addon"]["addonArn"]
    assert eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}
    eks.delete_addon(**_MAIN, addonName="coredns")
    walk.pass_time(60)
    walk.refused("ResourceNotFoundException", "DescribeAddon", eks.describe_addon, **_MAIN, addonName="coredns")


def test_addons_are_described(walk: Walk) -> None:
    eks = _eks(walk)
    found = walk.pages(eks, "describe_addon_versions", "addons", 2, kubernetesVersion="1.35")
    assert "coredns" in {one["addonName"] for one in found}
    [coredns] = eks.describe_addon_versions(addonName="coredns", types=["networking"])["addons"]
    version = coredns["addonVersions"][0]["addonVersion"]
    described = eks.describe_addon_configuration(addonName="coredns", addonVersion=version)
    assert json.loads(described["configurationSchema"])["properties"]["replicaCount"] == {"type": "integer"}
    unknown = "DescribeAddonVersions: InvalidParameterException for an unknown add-on"
    walk.refused("InvalidParameterException", unknown, eks.describe_addon_versions, addonName="colour")


def test_pods_have_roles(walk: Walk) -> None:
    place, eks = ground(walk), _eks(walk)
    cluster(walk, place)
    role(walk, "pods", "pods.eks.amazonaws.com", [])
    create = eks.create_pod_identity_association
    wanted = {**_MAIN, "namespace": "kube-system", "serviceAccount": "controller", "roleArn": role_arn("pods")}
    target = role_arn("controller", "network")
    made = eks.create_pod_identity_association(**wanted, targetRoleArn=target)["association"]
    assert made["externalId"] and made["targetRoleArn"] == target
    walk.refused("ResourceInUseException", "one association for each service account", create, **wanted)
    trust = "EKS Pod Identity role: pods.eks.amazonaws.com has to be trusted"
    other = wanted | {"serviceAccount": "other", "roleArn": role_arn("nodes")}
    walk.refused("InvalidParameterException", trust, create, **other)
    create(**wanted | {"serviceAccount": "second"})
    listed = walk.pages(eks, "list_pod_identity_associations", "associations", 1, **_MAIN, namespace="kube-system")
    assert {one["serviceAccount"] for one in listed} == {"controller", "second"}
    named = {**_MAIN, "associationId": made["associationId"]}
    changed = eks.update_pod_identity_association(**named, disableSessionTags=True)["association"]
    assert changed["disableSessionTags"] and changed["externalId"] == made["externalId"]
    assert eks.describe_pod_identity_association(**named)["association"]["associationArn"] == made["associationArn"]
    eks.delete_pod_identity_association(**named)
    gone = "DescribePodIdentityAssociation: ResourceNotFoundException"
    walk.refused("ResourceNotFoundException", gone, eks.describe_pod_identity_association, **named)

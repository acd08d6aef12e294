"""A cluster goes up by two minor versions: in rounds, in which add-ons and nodes come as far before it
goes on. And what else stands below a cluster: add-ons, access entries, Pod Identity."""

from collections.abc import Iterator

import pytest

from .clusters import ACCOUNTS, ROLES, Clusters
from .proxy import Proxy
from .request import Entry
from .straddle import Straddle
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "no other has add-ons, nor versions that go one by one")

STACK = f"""
[stack]
name = "upgrade"
{ACCOUNTS}{ROLES}"""

NETWORK = """
[vpc.main]
cidr_block           = "10.0.0.0/16"
enable_dns_hostnames = true

[subnet.private]
for_each             = { a = { id = "use1-az1", number = 0 }, b = { id = "use1-az2", number = 1 } }
vpc_id               = "${vpc.main.id}"
cidr_block           = "${cidrsubnet(vpc.main.cidr_block, 4, each.value.number)}"
availability_zone_id = "${each.value.id}"

[iam_role.pods]
name  = "pods"
trust = { service = "pods.eks.amazonaws.com" }

[iam_role.target]
account = "network"
name    = "target"
trust   = { role = "${iam_role.pods.arn}", external_id = "none yet", session_tags = true }

[eks_cluster.main]
name       = "main"
version    = "VERSION"
role_arn   = "${iam_role.cluster.arn}"
subnet_ids = "${subnet.private[*].id}"
access     = { authentication_mode = "API", bootstrap_creator_admin = true }

[eks_addon.kube_proxy]
cluster_name = "${eks_cluster.main.name}"
name         = "kube-proxy"

[eks_addon.agent]
cluster_name = "${eks_cluster.main.name}"
name         = "eks-pod-identity-agent"

[eks_node_group.workers]
cluster_name   = "${eks_cluster.main.name}"
name           = "workers"
role_arn       = "${iam_role.nodes.arn}"
subnet_ids     = "${subnet.private[*].id}"
instance_types = ["t3.medium"]
scaling        = { min = 1, desired = 2, max = 4 }
depends_on     = ["eks_addon.kube_proxy"]

[eks_addon.coredns]
cluster_name         = "${eks_cluster.main.name}"
name                 = "coredns"
configuration_values = { replicaCount = REPLICAS }
depends_on           = ["eks_node_group.workers"]

[eks_access_entry.admin]
cluster_name      = "${eks_cluster.main.name}"
principal_arn     = "arn:aws:iam::222222222222:role/Deployer2"
kubernetes_groups = ["GROUP"]
policies          = [
  { policy_arn = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", access_scope = SCOPE },
]
depends_on        = ["iam_role.admin"]

[iam_role.admin]
name  = "Deployer2"
trust = { account = "222222222222" }

[eks_pod_identity_association.controller]
cluster_name    = "${eks_cluster.main.name}"
namespace       = "kube-system"
service_account = "controller"
role_arn        = "${iam_role.pods.arn}"
target_role_arn = "${iam_role.target.arn}"
depends_on      = ["eks_addon.agent"]

[output.external_id]
value = "${eks_pod_identity_association.controller.external_id}"
"""


WHOLE = '{ type = "cluster" }'
PART = '{ type = "namespace", namespaces = ["shop"] }'


class Upgrade(Clusters):
    """The spec in an empty world, written anew before each run."""

    def __init__(self, straddle: Straddle, world: World, proxy: Proxy) -> None:
        super().__init__(straddle, world, proxy)
        self.write()

    def write(self, version: str = "1.33", replicas: int = 2, group: str = "viewers", scope: str = WHOLE) -> None:
        """Writes the spec."""
        values = {"VERSION": version, "REPLICAS": str(replicas), "GROUP": group, "SCOPE": scope}
        text = NETWORK
        for name, value in values.items():
            text = text.replace(name, value)
        self.straddle.write_spec({"stack.toml": STACK + text})

    def versions(self) -> dict[str, str]:
        """Returns the versions of everything that has one."""
        eks = self.eks
        found = {"cluster": self.cluster()["version"], "workers": self.workers()["version"]}
        for name in ("kube-proxy", "coredns"):
            found[name] = eks.describe_addon(clusterName="main", addonName=name)["addon"]["addonVersion"]
        return found

    def steps(self) -> list[str]:
        """Returns what was updated, in the order in which it was asked for."""
        calls = [entry for entry in self.proxy.log if entry.service == "eks" and is_update(entry)]
        return [entry.operation for entry in calls]


def is_update(entry: Entry) -> bool:
    """Whether a request changes a version."""
    return entry.operation in ("UpdateClusterVersion", "UpdateNodegroupVersion", "UpdateAddon")


@pytest.fixture
def upgrade(straddle: Straddle, world: World, proxy: Proxy) -> Iterator[Upgrade]:
    """The spec in an empty world; nothing is applied."""
    yield Upgrade(straddle, world, proxy)


def test_two_minor_versions_are_two_rounds(upgrade: Upgrade) -> None:
    upgrade.apply()
    upgrade.assert_converged()
    before = upgrade.versions()
    upgrade.write(version="1.35", replicas=3)
    plan = upgrade.run("plan", "--detailed-exitcode", code=2).stdout
    rounds = plan.split("In 2 rounds", 1)[1]
    first, last = rounds.split("  2 ", 1)
    for step in ('eks_cluster.main: version "1.33" -> "1.34"', 'eks_node_group.workers: version "1.33" -> "1.34"'):
        assert step in first, plan
    assert 'eks_cluster.main: version "1.34" -> "1.35"' in last, plan
    assert "configuration_values" in last and "configuration_values" not in first, plan
    assert "version follows eks_cluster.main.version" in plan

    upgrade.apply()
    upgrade.assert_converged()
    after = upgrade.versions()
    assert (after["cluster"], after["workers"]) == ("1.35", "1.35")
    assert after["kube-proxy"].startswith("v1.35.") and before["kube-proxy"].startswith("v1.33.")
    steps = upgrade.steps()
    cluster = [place for place, step in enumerate(steps) if step == "UpdateClusterVersion"]
    nodes = [place for place, step in enumerate(steps) if step == "UpdateNodegroupVersion"]
    assert len(cluster) == len(nodes) == 2 and cluster[0] < nodes[0] < cluster[1] < nodes[1], steps


def test_a_version_never_goes_back(upgrade: Upgrade) -> None:
    upgrade.write(version="1.34")
    upgrade.apply()
    upgrade.write(version="1.33")
    said = upgrade.plan(code=1)
    assert "change that the service never makes" in said and 'Write `version = "1.34"` or a later one.' in said


def test_what_is_below_a_cluster_changes_in_place_and_goes(upgrade: Upgrade) -> None:
    upgrade.apply()
    upgrade.assert_converged()
    eks = upgrade.eks
    listed = eks.list_pod_identity_associations(clusterName="main", serviceAccount="controller")["associations"]
    named = {"clusterName": "main", "associationId": listed[0]["associationId"]}
    external_id = eks.describe_pod_identity_association(**named)["association"]["externalId"]
    outputs = upgrade.outputs()
    assert outputs == {"external_id": external_id}

    upgrade.write(group="editors", scope=PART, replicas=4)
    upgrade.apply()
    upgrade.assert_converged()
    eks, entry = upgrade.eks, "arn:aws:iam::222222222222:role/Deployer2"
    found = eks.describe_access_entry(clusterName="main", principalArn=entry)["accessEntry"]
    assert found["kubernetesGroups"] == ["editors"]
    policies = eks.list_associated_access_policies(clusterName="main", principalArn=entry)
    assert policies["associatedAccessPolicies"][0]["accessScope"] == {"type": "namespace", "namespaces": ["shop"]}

    eks.update_access_entry(clusterName="main", principalArn=entry, kubernetesGroups=["theirs"])
    plan = upgrade.plan("--detailed-exitcode", code=2)
    assert "Changed outside of straddle" in plan and '"theirs"' in plan
    upgrade.apply()
    upgrade.assert_converged()
    upgrade.destroy()
    assert upgrade.eks.list_clusters()["clusters"] == []

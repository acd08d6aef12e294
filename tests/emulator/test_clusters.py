"""A cluster of account B in subnets that account A shares: made behind the share's gate, changed one call
at a time, repaired, failed with EKS's own reasons, killed, and taken down before what it stands on."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from . import accounts
from .clusters import ACCOUNTS, ROLES, Clusters
from .inventory import inventory
from .proxy import Proxy, Stage
from .request import Entry
from .sandbox import Sandbox
from .straddle import Straddle
from .test_kill import STAGES, Assassin
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "no other has clusters in shared subnets")

STACK = f"""
[stack]
name = "clusters"
{ACCOUNTS}{ROLES}"""

NETWORK = """
[vpc.main]
account              = "network"
cidr_block           = "10.0.0.0/16"
enable_dns_hostnames = true

[subnet.private]
account              = "network"
for_each             = { a = { id = "use1-az1", number = 0 }, b = { id = "use1-az2", number = 1 } }
vpc_id               = "${vpc.main.id}"
cidr_block           = "${cidrsubnet(vpc.main.cidr_block, 4, each.value.number)}"
availability_zone_id = "${each.value.id}"

[ram_resource_share.private]
account    = "network"
name       = "private"
resources  = "${subnet.private[*].arn}"
principals = ["${account.apps.id}"]

[security_group.alb]
account     = "network"
name        = "alb"
description = "In front"
vpc_id      = "${vpc.main.id}"

[security_group_rule.pods]
security_group_id = "${eks_cluster.main.cluster_security_group_id}"
direction         = "ingress"
protocol          = "tcp"
ports             = "80"
source            = "${security_group.alb.id}"

[output.issuer]
value = "${eks_cluster.main.oidc_issuer}"
"""

CLUSTER = """
[eks_cluster.main]
name       = "main"
version    = "1.33"
role_arn   = "${iam_role.cluster.arn}"
subnet_ids = "${subnet.private[*].id}"
"""

WORKERS = """
[eks_node_group.workers]
cluster_name   = "${eks_cluster.main.name}"
name           = "workers"
role_arn       = "${iam_role.nodes.arn}"
subnet_ids     = "${subnet.private[*].id}"
instance_types = ["t3.medium"]
scaling        = { min = 1, desired = 2, max = 4 }
"""

CREATE = "CreateCluster"


class Shared(Clusters):
    """The spec in an empty world, written anew before each run."""

    def __init__(self, straddle: Straddle, world: World, proxy: Proxy) -> None:
        super().__init__(straddle, world, proxy)
        self.write()

    def write(self, cluster: str = "", workers: str = "", without_workers: bool = False) -> None:
        """Writes the spec with more lines for the cluster and for its nodes; a line takes the place
        of one that sets the same."""
        group = "" if without_workers else edited(WORKERS, workers)
        self.straddle.write_spec({"stack.toml": STACK + NETWORK + edited(CLUSTER, cluster) + group})

    def settled(self) -> None:
        """Waits until nothing that somebody else has begun is going on."""
        while self.cluster()["status"] != "ACTIVE" or self.workers()["status"] != "ACTIVE":
            time.sleep(0.1)

    def changes(self) -> list[str]:
        """Returns the calls of EKS that changed something since the last look, in order."""
        calls = [entry for entry in self.proxy.log if entry.service == "eks" and not entry.is_read]
        new, self._seen = calls[self._seen :], len(calls)
        return [entry.operation for entry in new]

    _seen = 0


def edited(text: str, more: str) -> str:
    """Returns a block with lines put in, which take the places of those that set the same."""
    lines = [line for line in more.strip().splitlines() if line]
    names = {line.split("=")[0].strip() for line in lines}
    kept = [line for line in text.splitlines() if line.split("=")[0].strip() not in names]
    return "\n".join([*kept, *lines]) + "\n"


@pytest.fixture
def clusters(straddle: Straddle, world: World, proxy: Proxy) -> Iterator[Shared]:
    """The spec in an empty world; nothing is applied."""
    yield Shared(straddle, world, proxy)


def position(proxy: Proxy, operation: str, account: str) -> int:
    """Returns when a call was done, as its place in the log."""
    done = [entry.sequence for entry in proxy.log if entry.operation == operation]
    assert done, f"{operation} was never asked for in {account}"
    return done[-1]


def test_a_cluster_lives_in_shared_subnets_and_goes_before_the_share(clusters: Shared) -> None:
    clusters.apply()
    clusters.assert_converged()
    proxy = clusters.proxy
    shared = position(proxy, "CreateResourceShare", "network")
    assert shared < position(proxy, CREATE, "apps"), "the share comes first, though nobody wrote that"

    cluster = clusters.cluster()
    outputs = clusters.outputs()
    assert outputs == {"issuer": cluster["identity"]["oidc"]["issuer"]}
    group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
    clusters.world.forget_sessions()
    rules = clusters.world.client("apps").describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [group]}]
    )["SecurityGroupRules"]
    named = [rule["ReferencedGroupInfo"] for rule in rules if rule.get("FromPort") == 80]
    assert [info["UserId"] for info in named] == [accounts.NETWORK], "the other account's group is told by it"

    clusters.destroy()
    assert clusters.eks.list_clusters()["clusters"] == []
    clusters.world.forget_sessions()
    for account in accounts.NAMES:
        assert inventory(clusters.world, account) == []
    order = ["DeleteNodegroup", "DeleteCluster", "DeleteResourceShare"]
    places = [position(proxy, operation, "both") for operation in order]
    assert places == sorted(places)


# Lines of the spec, the calls that they take, and what EKS says then: the way there, and the value.
CLUSTER_CHANGES: list[tuple[str, list[str], tuple[str, ...], object]] = [
    ('logging = ["audit"]', ["UpdateClusterConfig"], ("logging", "clusterLogging"), "audit"),
    ('upgrade_policy = "STANDARD"', ["UpdateClusterConfig"], ("upgradePolicy", "supportType"), "STANDARD"),
    (
        'endpoint = { private = true, public_access_cidrs = ["203.0.113.0/24"] }',
        ["UpdateClusterConfig"],
        ("resourcesVpcConfig", "publicAccessCidrs"),
        ["203.0.113.0/24"],
    ),
    (
        'access = { authentication_mode = "API" }',
        ["UpdateClusterConfig", "UpdateClusterConfig"],
        ("accessConfig", "authenticationMode"),
        "API",
    ),
    ("zonal_shift = true", ["UpdateClusterConfig"], ("zonalShiftConfig", "enabled"), True),
    ("deletion_protection = true", ["UpdateClusterConfig"], ("deletionProtection",), True),
    ('tags = { team = "web" }', ["TagResource"], ("tags", "team"), "web"),
]

WORKER_CHANGES: list[tuple[str, list[str], tuple[str, ...], object]] = [
    ('labels = { team = "web" }', ["UpdateNodegroupConfig"], ("labels",), {"team": "web"}),
    ('labels = { tier = "front" }', ["UpdateNodegroupConfig"], ("labels",), {"tier": "front"}),
    (
        'taints = [{ key = "dedicated", value = "web", effect = "NO_SCHEDULE" }]',
        ["UpdateNodegroupConfig"],
        ("taints",),
        [{"key": "dedicated", "value": "web", "effect": "NO_SCHEDULE"}],
    ),
    ("taints = []", ["UpdateNodegroupConfig"], ("taints",), []),
    ("scaling = { min = 1, desired = 3, max = 5 }", ["UpdateNodegroupConfig"], ("scalingConfig", "desiredSize"), 3),
    ("update = { max_unavailable_percentage = 50 }", ["UpdateNodegroupConfig"], ("updateConfig",), 50),
    ("repair = { enabled = true }", ["UpdateNodegroupConfig"], ("nodeRepairConfig", "enabled"), True),
    ('tags = { team = "web" }', ["TagResource"], ("tags", "team"), "web"),
]


def value_at(thing: Any, way: tuple[str, ...]) -> Any:
    """Returns what is at the end of a way into what EKS says; nothing if there is no such way."""
    for name in way:
        thing = (thing or {}).get(name)
    return thing


def assert_like(found: object, expected: object) -> None:
    """Checks what EKS says; of a table and of logs, that what is expected is in it."""
    if isinstance(expected, str) and isinstance(found, list):
        found = [name for setup in found if setup["enabled"] for name in setup["types"]]
        expected = [expected]
    if isinstance(expected, int) and isinstance(found, dict):
        found = found.get("maxUnavailablePercentage")
    assert (found or []) == expected or found == expected


def test_each_attribute_of_a_cluster_is_changed_by_calls_of_its_own(clusters: Shared) -> None:
    clusters.write(without_workers=True)
    clusters.apply()
    clusters.changes()
    lines = ""
    for line, calls, way, expected in CLUSTER_CHANGES:
        lines = edited(lines, line)
        clusters.write(cluster=lines, without_workers=True)
        clusters.apply()
        made = clusters.changes()
        assert len(made) == len(calls) and all(map(str.__contains__, made, calls)), (line, made)
        assert_like(value_at(clusters.cluster(), way), expected)
        clusters.assert_converged()
    # What protects it is switched off by a call of its own before it goes.
    clusters.destroy()
    assert clusters.changes() == ["UpdateClusterConfig", "DeleteCluster"]


def test_each_attribute_of_a_node_group_is_changed_in_place(clusters: Shared) -> None:
    clusters.apply()
    clusters.changes()
    lines = ""
    for line, calls, way, expected in WORKER_CHANGES:
        lines = edited(lines, line)
        clusters.write(workers=lines)
        clusters.apply()
        made = clusters.changes()
        assert len(made) == len(calls) and all(map(str.__contains__, made, calls)), (line, made)
        assert_like(value_at(clusters.workers(), way), expected)
        clusters.assert_converged()


def test_versions_go_up_by_one_and_never_back(clusters: Shared) -> None:
    clusters.apply()
    clusters.changes()
    clusters.write(cluster='version = "1.34"', workers='version = "1.34"')
    clusters.apply()
    made = clusters.changes()
    assert made == ["UpdateClusterVersion", "UpdateNodegroupVersion"], made
    assert clusters.cluster()["version"] == clusters.workers()["version"] == "1.34"
    clusters.assert_converged()
    clusters.write(cluster='version = "1.33"', workers='version = "1.34"')
    told = clusters.apply(code=1)
    assert "change that the service never makes" in told and clusters.changes() == []
    assert clusters.cluster()["version"] == "1.34"


def test_what_others_change_is_shown_and_repaired(clusters: Shared) -> None:
    clusters.write(cluster='logging = ["api"]', workers='labels = { team = "web" }')
    clusters.apply()
    named = {"clusterName": "main", "nodegroupName": "workers"}
    clusters.eks.update_cluster_config(
        name="main", logging={"clusterLogging": [{"types": ["api"], "enabled": False}]}
    )
    clusters.eks.update_nodegroup_config(
        **named, labels={"addOrUpdateLabels": {"team": "theirs"}}, scalingConfig={"desiredSize": 3}
    )
    clusters.settled()
    plan = clusters.plan()
    assert "2 to change" in plan and '"theirs" -> "web"' in plan
    clusters.apply()
    clusters.assert_converged()
    assert clusters.workers()["labels"] == {"team": "web"}
    assert clusters.workers()["scalingConfig"]["desiredSize"] == 3, "an autoscaler's number is left alone"
    # Limits that change take the number along only as far as they must.
    clusters.write(cluster='logging = ["api"]', workers="scaling = { min = 1, desired = 2, max = 6 }")
    clusters.apply()
    assert clusters.workers()["scalingConfig"] == {"minSize": 1, "desiredSize": 3, "maxSize": 6}


def let_fail(sandbox: Sandbox, operation: str, code: str, message: str) -> None:
    """Lets what the next call of this operation begins fail by and by."""
    rule = {"fault": "fails", "service": "eks", "operation": operation, "code": code, "message": message}
    sandbox.order("POST", "faults", rule)


def test_a_node_group_that_fails_says_why_and_is_replaced(clusters: Shared, sandbox: Sandbox) -> None:
    let_fail(sandbox, "CreateNodegroup", "InstanceLimitExceeded", "you have enough of them")
    told = clusters.apply(code=3)
    assert "InstanceLimitExceeded: you have enough of them" in told
    plan = clusters.plan()
    assert "1 to replace" in plan and "InstanceLimitExceeded: you have enough of them" in plan
    clusters.apply()
    clusters.assert_converged()


def test_a_cluster_that_fails_says_why_and_is_replaced(clusters: Shared, sandbox: Sandbox) -> None:
    clusters.write(without_workers=True)
    let_fail(sandbox, "CreateCluster", "InternalFailure", "something broke")
    assert "InternalFailure: something broke" in clusters.apply(code=3)
    clusters.apply()
    clusters.assert_converged()


def test_an_update_that_fails_is_told_once(clusters: Shared, sandbox: Sandbox) -> None:
    clusters.write(without_workers=True)
    clusters.apply()
    clusters.write(cluster='logging = ["api"]', without_workers=True)
    let_fail(sandbox, "UpdateClusterConfig", "AccessDenied", "no way into the logs")
    clusters.changes()
    told = clusters.apply(code=3)
    assert "the update failed: AccessDenied: no way into the logs" in told
    assert clusters.changes() == ["UpdateClusterConfig"], "it is not begun again by itself"
    assert "no way into the logs" not in clusters.plan()
    clusters.apply()
    clusters.assert_converged()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("path", [CREATE, "CreateNodegroup"])
def test_a_run_killed_in_a_create_is_finished_by_the_next(
    clusters: Shared, path: str, stage: Stage
) -> None:
    class At(Assassin):
        """Kills at the call."""

        def __call__(self, entry: Entry, reached: Stage) -> bool:
            if entry.operation != path or reached != stage or self.killed_at is not None:
                return True
            self.killed_at = entry
            self.strike()
            return False

    assassin = At(0, stage)
    clusters.proxy.on_request = assassin
    assassin.running = clusters.straddle.start("apply", "--auto-approve", clusters.straddle.spec)
    assassin.running.wait(60)
    assert assassin.killed_at is not None
    clusters.proxy.clear()
    clusters.apply()
    clusters.assert_converged()
    assert clusters.eks.list_clusters()["clusters"] == ["main"]
    assert clusters.eks.list_nodegroups(clusterName="main")["nodegroups"] == ["workers"]


TEMPLATE = """
[launch_template.nodes]
account          = "apps"
name             = "nodes"
metadata_options = { http_tokens = "required", http_put_response_hop_limit = %d }
"""

BY_TEMPLATE = 'launch_template = { id = "${launch_template.nodes.id}", version = "${launch_template.nodes.latest_version}" }'


def test_nodes_follow_their_launch_template(clusters: Shared) -> None:
    def write(hops: int) -> None:
        clusters.write(workers=BY_TEMPLATE)
        clusters.straddle.write_spec({"template.toml": TEMPLATE % hops})

    write(1)
    clusters.apply()
    clusters.assert_converged()
    assert clusters.workers()["launchTemplate"]["version"] == "1"
    clusters.changes()
    write(2)
    assert "2 to change" in clusters.plan()
    clusters.apply()
    clusters.assert_converged()
    assert clusters.workers()["launchTemplate"]["version"] == "2"
    assert clusters.changes() == ["UpdateNodegroupVersion"]
    clusters.destroy()
    clusters.world.forget_sessions()
    assert clusters.world.client("apps").describe_launch_templates()["LaunchTemplates"] == []


PROFILES = """
[iam_role.pods]
name     = "pods"
trust    = { service = "eks-fargate-pods.amazonaws.com" }
policies = ["arn:aws:iam::aws:policy/AmazonEKSFargatePodExecutionRolePolicy"]

[eks_fargate_profile.all]
for_each               = { one = "a", two = "b", three = "c" }
cluster_name           = "${eks_cluster.main.name}"
name                   = "${each.key}"
pod_execution_role_arn = "${iam_role.pods.arn}"
subnet_ids             = "${subnet.private[*].id}"
selectors              = [{ namespace = "${each.value}" }]
"""


def test_profiles_are_made_and_deleted_one_at_a_time(clusters: Shared) -> None:
    clusters.write(without_workers=True)
    clusters.straddle.write_spec({"profiles.toml": '[defaults]\naccount = "apps"\n' + PROFILES})
    clusters.apply()
    clusters.assert_converged()
    names = clusters.eks.list_fargate_profiles(clusterName="main")["fargateProfileNames"]
    assert sorted(names) == ["one", "three", "two"]
    clusters.straddle.write_spec({"profiles.toml": ""})
    clusters.apply()
    assert clusters.eks.list_fargate_profiles(clusterName="main")["fargateProfileNames"] == []
    clusters.assert_converged()

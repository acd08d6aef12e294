"""The whole walkthrough, made by hand in two accounts, becomes a stack: the spec of it is written in files
like those of `specs/cross-account-alb`, its plan shows imports and tags alone, and a destroy leaves
nothing. What a controller or EKS makes is left out, and said."""

import json
import re
from typing import Any

import pytest

from . import accounts
from .by_hand import CLUSTER, STACK, BalancersByHand, ClusterByHand, ControllerByHand, NetworkByHand
from .mission import existing
from .straddle import Straddle
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "no other has a cluster in shared subnets")

# An id, or the ARN of something that the spec has; people who are let in are none of it.
LITERAL = re.compile(
    r"\"(vpc|subnet|igw|nat|rtb|sg|eipalloc)-[0-9a-f]+\"|\"arn:aws:[a-z]+:[^:\"]*:(111111111111|222222222222):[^\"]+\""
)

SHORT = STACK + """
[iam_policy.controller]
account  = "network"
name     = "any"
document = { load_balancer_controller = "v3.5.0", security_groups = false }
"""


def built_in_policy(straddle: Straddle) -> dict[str, Any]:
    """Returns the controller's policy as this program has it."""
    straddle.write_spec({"stack.toml": SHORT})
    plan = straddle.run("plan", straddle.spec, "--json").expect().json()
    attributes = {one["name"]: one["after"] for one in plan["changes"][0]["attributes"]}
    document: Any = attributes["document"]
    return dict(json.loads(document) if isinstance(document, str) else document)


class Walkthrough:
    """Everything, made by hand."""

    def __init__(self, straddle: Straddle, world: World) -> None:
        policy = built_in_policy(straddle)
        self.network = NetworkByHand(world)
        self.cluster = ClusterByHand(self.network)
        self.controller = ControllerByHand(self.cluster, policy)
        self.balancers = BalancersByHand(self.network)
        straddle.write_spec({"stack.toml": STACK})


@pytest.fixture
def walkthrough(straddle: Straddle, world: World) -> Walkthrough:
    """What somebody has made."""
    return Walkthrough(straddle, world)


def set_up(straddle: Straddle, *where: str) -> dict[str, Any]:
    """Writes the spec of it."""
    done: dict[str, Any] = straddle.run("import-setup", straddle.spec, *where, "--json").expect().json()
    return done


def assert_imports_and_tags_alone(straddle: Straddle, things: int) -> None:
    """Checks that a plan imports everything, and changes nothing but the stack's tags."""
    plan = straddle.run("plan", straddle.spec, "--json").expect().json()
    assert len(plan["imports"]) == things
    summary = plan["summary"]
    assert summary["create"] == summary["replace"] == summary["delete"] == 0, plan["changes"]
    for change in plan["changes"]:
        assert [attribute["name"] for attribute in change["attributes"]] == ["tags"], change
        before, after = (change["attributes"][0][side] or {} for side in ["before", "after"])
        assert set(after) - set(before) == {"straddle:stack", "straddle:address"}, change


def test_the_whole_walkthrough_is_taken_over_and_goes(
    straddle: Straddle, world: World, walkthrough: Walkthrough
) -> None:
    done = set_up(straddle, "--from", f"network/vpc/{walkthrough.network.vpc}")
    assert done["files"] == ["network.toml", "cluster.toml", "controller.toml", "imports.toml"]
    texts = {name: (straddle.spec / name).read_text() for name in done["files"][:3]}
    for name, text in texts.items():
        lines = [line for line in text.splitlines() if not line.startswith("principal_arn ")]
        assert not [line for line in lines if LITERAL.search(line)], f"{name}:\n{text}"
    for name, expected in [
        ("network.toml", '= ["${subnet.private_a.arn}", "${subnet.private_b.arn}"]'),
        ("cluster.toml", 'trust    = { service = "eks.amazonaws.com" }'),
        ("cluster.toml", '["${subnet.private_a.id}", "${subnet.private_b.id}"]'),
        ("cluster.toml", "${eks_cluster.eks_test_drive.cluster_security_group_id}"),
        ("cluster.toml", "${security_group.alb_sg.id}"),
        ("cluster.toml", '"alpha.eksctl.io/cluster-name" = "EKSTestDrive"'),
        ("cluster.toml", '"eks_addon.vpc_cni"'),
        ("cluster.toml", 'depends_on   = ["eks_node_group.ng_1_workers"]'),
        ("network.toml", 'depends_on    = ["route_table.public"]'),
        ("controller.toml", "${eks_cluster.eks_test_drive.oidc_issuer}"),
        ("controller.toml", 'load_balancer_controller = "v3.5.0"'),
        ("controller.toml", 'service_accounts = ["kube-system/aws-load-balancer-controller"]'),
        ("controller.toml", "# The load balancer k8s-game2048-ingress2-1ae88303d5 of the account"),
        ("controller.toml", "[load_balancer.front]"),
    ]:
        assert expected in texts[name], f"{expected}\n\n{name}:\n{texts[name]}"
    straddle.run("fmt", "--check", straddle.spec).expect()
    said = "\n".join(done["left_out"])
    for expected in ["EKS made it for whoever made the cluster", "EKS made it for the nodes", "of the Ingress game-2048"]:
        assert expected in said, said
    assert_imports_and_tags_alone(straddle, done["things"])
    straddle.run("apply", straddle.spec, "--auto-approve", timeout=120).expect()
    straddle.run("plan", straddle.spec, "--detailed-exitcode").expect()
    again = straddle.run("import-setup", straddle.spec, "--cluster", f"apps/{CLUSTER}").expect()
    assert "Nothing was found that the stack does not have already." in again.stdout
    walkthrough.balancers.controller_cleans_up(walkthrough.network)
    straddle.run("destroy", straddle.spec, "--auto-approve", timeout=120).expect()
    # The people who were let into the cluster are none of it.
    people = {"apps": {"iam_role": 1}}
    for account in accounts.NAMES:
        assert existing(world, account) == people.get(account, {}), account
    assert world.client("apps", "iam").get_role(RoleName="admins")["Role"]["RoleName"] == "admins"


def test_a_walk_from_the_cluster_finds_the_same(straddle: Straddle, walkthrough: Walkthrough) -> None:
    assert walkthrough.network.vpc
    done = set_up(straddle, "--cluster", f"apps/{CLUSTER}")
    assert done["files"] == ["network.toml", "cluster.toml", "controller.toml", "imports.toml"]
    assert_imports_and_tags_alone(straddle, done["things"])


def test_what_only_counts_at_birth_may_be_written_of_what_is_imported(
    straddle: Straddle, walkthrough: Walkthrough
) -> None:
    assert walkthrough.cluster
    done = set_up(straddle, "--cluster", f"apps/{CLUSTER}")
    file = straddle.spec / "cluster.toml"
    text = file.read_text()
    mode = 'authentication_mode = "API_AND_CONFIG_MAP"'
    assert text.count(mode) == 1, text
    file.write_text(text.replace(mode, mode + ", bootstrap_creator_admin = true"))
    assert_imports_and_tags_alone(straddle, done["things"])


def test_what_is_protected_is_kept_and_said(
    straddle: Straddle, world: World, walkthrough: Walkthrough
) -> None:
    eks = world.client("apps", "eks")
    set_up(straddle, "--from", f"network/vpc/{walkthrough.network.vpc}")
    file = straddle.spec / "cluster.toml"
    header = "[eks_cluster.eks_test_drive]\n"
    file.write_text(file.read_text().replace(header, header + "prevent_destroy = true\n"))
    straddle.run("apply", straddle.spec, "--auto-approve", timeout=120).expect()
    refused = straddle.run("destroy", straddle.spec, "--auto-approve").expect(1)
    assert "eks_cluster.eks_test_drive" in refused.stderr and "prevent_destroy" in refused.stderr, refused
    assert eks.describe_cluster(name=CLUSTER)["cluster"]["status"] == "ACTIVE"

"""The whole spec changes: an attribute of each kind that AWS can change, in place, and what it cannot,
by another thing. The next plan is empty each time."""

import re
from pathlib import Path
from typing import Any

import pytest

from .mission import Mission

pytestmark = pytest.mark.only_on("sandbox", "only the sandbox shows shared subnets and has add-ons")

REFERENCE = Path(__file__).resolve().parent.parent.parent / "specs/reference"

NAMED = 'tags = { Name = "named" }'

# What each edit changes: address, attribute; then file, text and what comes in its place.
Edit = tuple[str, str, str, str, str]

IN_PLACE: list[Edit] = [
    (
        "vpc.main",
        "enable_network_address_usage_metrics",
        "network.toml",
        'tags                 = { Name = "shared" }',
        'tags                 = { Name = "shared" }\nenable_network_address_usage_metrics = true',
    ),
    (
        "subnet.private['a']",
        "enable_resource_name_dns_a_record_on_launch",
        "network.toml",
        "map_public_ip_on_launch = false",
        "map_public_ip_on_launch = false\nenable_resource_name_dns_a_record_on_launch = true",
    ),
    (
        "internet_gateway.main",
        "tags",
        "network.toml",
        "[internet_gateway.main]",
        f"[internet_gateway.main]\n{NAMED}",
    ),
    ("eip.nat", "tags", "network.toml", "[eip.nat]", f"[eip.nat]\n{NAMED}"),
    ("nat_gateway.main", "tags", "network.toml", "[nat_gateway.main]", f"[nat_gateway.main]\n{NAMED}"),
    ("route_table.public", "tags", "network.toml", "[route_table.public]", f"[route_table.public]\n{NAMED}"),
    (
        "route_table.private/route['0.0.0.0/0']",
        "target",
        "network.toml",
        '"${nat_gateway.main.id}" }',
        '"${internet_gateway.main.id}" }  # for a while',
    ),
    (
        "ram_resource_share.private_subnets",
        "name",
        "network.toml",
        '"eks-private-subnets"',
        '"private-subnets"',
    ),
    ("security_group.alb", "tags", "network.toml", "[security_group.alb]", f"[security_group.alb]\n{NAMED}"),
    (
        "security_group_rule.pods_from_alb",
        "ports",
        "cluster.toml",
        'ports             = "80"',
        'ports             = "8080"',
    ),
    (
        "iam_role.lb_controller",
        "description",
        "identity.toml",
        "[iam_role.lb_controller]",
        '[iam_role.lb_controller]\ndescription = "Under which the controller works"',
    ),
    (
        "iam_openid_connect_provider.cluster",
        "audiences",
        "identity.toml",
        '["sts.amazonaws.com"]',
        '["sts.amazonaws.com", "shop"]',
    ),
    (
        "iam_policy.lb_controller",
        "document",
        "identity.toml",
        "security_groups = false",
        "security_groups = true",
    ),
    (
        "eks_cluster.main",
        "logging",
        "cluster.toml",
        "[eks_cluster.main]",
        '[eks_cluster.main]\nlogging = ["audit"]',
    ),
    (
        "eks_addon.coredns",
        "configuration_values",
        "cluster.toml",
        "[eks_addon.coredns]",
        "[eks_addon.coredns]\nconfiguration_values = { replicaCount = 3 }",
    ),
    ("eks_node_group.workers", "scaling", "cluster.toml", "max = 4", "max = 5"),
]

# Another instance of a block that has several changes along with the first one.
ALONG = {"subnet.private['b']"}


def changes(mission: Mission) -> dict[str, tuple[str, list[str]]]:
    """Returns what the next plan does to what, and because of which attributes."""

    def action(change: dict[str, Any]) -> str:
        return "replace" if "replace" in change["action"] else str(change["action"])

    return {
        change["address"]: (action(change), [attribute["name"] for attribute in change["attributes"]])
        for change in mission.plan_data()["changes"]
    }


def replaces(address: str, attribute: str) -> bool:
    """Tells what the reference says of another value of an attribute."""
    text = (REFERENCE / f"{address.split('.')[0]}.md").read_text()
    if "/" in address:
        text = (REFERENCE / f"{address.split('/')[1].split('[')[0]}.md").read_text()
    found = re.search(rf"^- `{attribute}` .*$", text, re.MULTILINE)
    assert found, f"the reference does not have {attribute} of {address}"
    return "Another value means another resource." in found.group(0)


def test_an_attribute_of_each_kind_changes_in_place(whole: Mission) -> None:
    ids = whole.ids()
    for _, _, file, old, new in IN_PLACE:
        whole.edit(old, new, file)
    expected = {address: ("update", [attribute]) for address, attribute, *_ in IN_PLACE}
    found = changes(whole)
    assert {address: change for address, change in found.items() if address not in ALONG} == expected
    assert not any(replaces(address, attribute) for address, attribute, *_ in IN_PLACE)
    whole.apply()
    whole.assert_converged()
    assert whole.ids() == ids
    # And back: what is no longer set goes back to AWS's default.
    for _, _, file, old, new in reversed(IN_PLACE):
        whole.edit(new, old, file)
    assert set(changes(whole)) == set(found)
    whole.apply()
    whole.assert_converged()
    assert whole.ids() == ids


# What becomes another thing: addresses, of the first of which the attribute changes.
REPLACING: dict[str, tuple[list[Edit], set[str]]] = {
    "a role, a policy and what goes by their names": (
        [
            ("iam_role.nodes", "name", "cluster.toml", '"${var.cluster_name}-nodes"', '"shop-nodes"'),
            (
                "iam_policy.lb_controller",
                "name",
                "identity.toml",
                '"AWSLoadBalancerControllerIAMPolicy"',
                '"Controller"',
            ),
            (
                "iam_role.lb_controller",
                "name",
                "identity.toml",
                '"AmazonEKSLoadBalancerControllerRole"',
                '"Controller"',
            ),
        ],
        {"eks_node_group.workers"},
    ),
    "nodes of another type": (
        [("eks_node_group.workers", "instance_types", "cluster.toml", '"t3.medium"', '"t3.large"')],
        set(),
    ),
    "public subnets with other addresses": (
        [
            (
                "subnet.public['a']",
                "cidr_block",
                "network.toml",
                "cidrsubnet(vpc.main.cidr_block, 4, each.value.number)",
                "cidrsubnet(vpc.main.cidr_block, 4, 4 + each.value.number)",
            )
        ],
        {"subnet.public['b']", "nat_gateway.main"},
    ),
    "a group with another description": (
        [
            (
                "security_group.alb",
                "description",
                "network.toml",
                "Load balancer in front of game-2048",
                "In front of the game",
            )
        ],
        {"security_group_rule.pods_from_alb"},
    ),
    "a cluster of another name": (
        [("eks_cluster.main", "name", "stack.toml", '"EKSTestDrive"', '"Shop"')],
        {
            "iam_role.cluster",
            "eks_addon.coredns",
            "eks_node_group.workers",
            "iam_openid_connect_provider.cluster",
        },
    ),
}


@pytest.mark.parametrize("case", REPLACING)
def test_what_cannot_change_is_replaced(whole: Mission, case: str) -> None:
    edits, along = REPLACING[case]
    ids = whole.ids()
    for address, attribute, file, old, new in edits:
        whole.edit(old, new, file)
        assert replaces(address, attribute)
    found = changes(whole)
    replaced = {address for address, (action, _) in found.items() if action == "replace"}
    assert replaced >= along | {address for address, *_ in edits}, found
    whole.apply()
    whole.assert_converged()
    now = whole.ids()
    untouched = {address for address in ids if address not in found}
    assert {address: now[address] for address in untouched} == {address: ids[address] for address in untouched}

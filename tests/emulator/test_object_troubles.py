"""Troubles of objects: who else has a field, what somebody has changed or deleted by hand, what is held by a
finalizer, what a cluster says when it is busy, and a cluster that does not answer. One cluster of the sandbox for all
of them; what others do is done with kubectl."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .clusters import ROLES, said
from .hands import Hands
from .objects import CLUSTER, GROUND, NAMESPACE, NETWORK, SETTINGS, STACK, Stack

pytestmark = [
    pytest.mark.only_on("sandbox", "moto's clusters have no objects"),
    pytest.mark.usefixtures("built"),
]

SPEC = GROUND + NAMESPACE + SETTINGS


def adding(line: str, block: str) -> str:
    """Returns a block of an object with one more line."""
    where = 'cluster = "${eks_cluster.main}"\n'
    assert where in block
    return block.replace(where, where + line + "\n")


FORCED = GROUND + NAMESPACE + adding('conflicts = "force"', SETTINGS)
IN_A_HURRY = 'timeouts = { delete = "6s" }'
HELD = '{"metadata": {"finalizers": ["example.com/hold"]}}'
FREE = '{"metadata": {"finalizers": null}}'


@pytest.fixture(scope="module")
def cluster(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    """One cluster for all tests of this file."""
    with Hands(Stack(tmp_path_factory.mktemp("troubles"), SPEC)) as hands:
        yield hands


@pytest.fixture
def hands(cluster: Hands) -> Hands:
    """The cluster, with everything as the spec says."""
    assert cluster.server is not None
    cluster.server.order("DELETE", "faults")
    cluster.stack.write(SPEC)
    cluster.stack.apply()
    return cluster


def colour(hands: Hands) -> str:
    """Returns what is in the cluster."""
    return str(hands.object("configmap", "settings", "-n", "shop")["data"]["COLOUR"])


def test_a_field_of_another_program_is_refused_with_its_name_and_taken_over_if_told_to(hands: Hands) -> None:
    theirs = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {COLOUR: red}\n"
    hands.kubectl(
        "apply", "--server-side", "--force-conflicts", "--field-manager=painter", "-f", "-", given=theirs
    )
    refused = said(hands.stack.apply(code=1))
    for word in ("kubernetes_object.settings", "data.COLOUR", '"painter"', 'conflicts = "force"'):
        assert word in refused, refused
    assert colour(hands) == "red"
    hands.stack.write(FORCED)
    hands.stack.apply()
    assert colour(hands) == "blue"
    hands.stack.assert_converged()


def test_what_somebody_has_changed_by_hand_is_shown_and_put_back(hands: Hands) -> None:
    hands.kubectl("patch", "configmap", "settings", "-n", "shop", "-p", '{"data": {"COLOUR": "red", "MORE": "x"}}')
    planned = said(hands.stack.plan())
    assert '"red"' in planned and '"blue"' in planned, planned
    hands.stack.apply()
    # What nobody has asked for is the business of whoever has added it.
    assert hands.object("configmap", "settings", "-n", "shop")["data"] == {
        "COLOUR": "blue", "SIZE": "large", "MORE": "x",
    }
    hands.stack.assert_converged()


def test_what_somebody_has_deleted_is_made_anew(hands: Hands) -> None:
    hands.kubectl("delete", "configmap", "settings", "-n", "shop")
    planned = said(hands.stack.plan())
    assert "kubernetes_object.settings" in planned and "kubernetes_object.shop" not in planned, planned
    hands.stack.apply()
    assert colour(hands) == "blue"
    # Another one of the same name is none of ours.
    hands.kubectl("delete", "configmap", "settings", "-n", "shop")
    hands.kubectl("create", "configmap", "settings", "-n", "shop", "--from-literal", "COLOUR=green")
    refused = said(hands.stack.apply(code=1))
    for word in ("exists already", "kubectl-create", "main/v1/ConfigMap/shop/settings", 'conflicts = "force"'):
        assert word in refused, refused
    hands.stack.write(FORCED)
    hands.stack.apply()
    assert colour(hands) == "blue"


def test_a_finalizer_that_holds_an_object_is_named_and_the_next_run_goes_on(hands: Hands) -> None:
    hands.stack.write(GROUND + NAMESPACE + adding(IN_A_HURRY, SETTINGS))
    hands.stack.apply()
    hands.kubectl("patch", "configmap", "settings", "-n", "shop", "-p", HELD)
    hands.stack.write(GROUND + NAMESPACE)
    stuck = said(hands.stack.apply(code=3))
    for word in ("kubernetes_object.settings", "`example.com/hold`", "whoever has put it there takes it away"):
        assert word in stuck, stuck
    hands.kubectl("patch", "configmap", "settings", "-n", "shop", "-p", FREE)
    hands.stack.apply()
    assert "NotFound" in hands.refused("get", "configmap", "settings", "-n", "shop")
    hands.stack.assert_converged()


def test_a_namespace_that_does_not_go_says_what_is_left_in_it(hands: Hands) -> None:
    hands.stack.write(GROUND + adding(IN_A_HURRY, NAMESPACE))
    hands.stack.apply()
    hands.kubectl("create", "configmap", "theirs", "-n", "shop")
    hands.kubectl("patch", "configmap", "theirs", "-n", "shop", "-p", HELD)
    hands.stack.write(GROUND)
    stuck = said(hands.stack.apply(code=3))
    for word in ("kubernetes_object.shop", "configmaps. has 1 resource instances", "example.com/hold in 1 resource"):
        assert word in stuck, stuck
    hands.kubectl("patch", "configmap", "theirs", "-n", "shop", "-p", FREE)
    hands.stack.apply()
    assert "NotFound" in hands.refused("get", "namespace", "shop")
    hands.stack.assert_converged()


@pytest.mark.parametrize("fault", ["throttle", "before", "after", "lost", "expired"])
def test_a_cluster_that_is_busy_loses_answers_or_forgets_a_token_is_asked_again(hands: Hands, fault: str) -> None:
    assert hands.server is not None
    hands.stack.write(GROUND)
    hands.stack.apply()
    hands.stack.write(SPEC)
    # Those of the plan are dry runs.
    for path in ("/api/v1/namespaces/shop", "/api/v1/namespaces/shop/configmaps/settings"):
        rule = {"fault": fault, "service": "kubernetes", "operation": "Patch"}
        query = "fieldManager=straddle&fieldValidation=Strict"
        hands.server.order("POST", "faults", rule | {"parameters": {"path": path, "query": query}})
    hands.stack.apply()
    assert [rule["fired"] for rule in hands.server.order("GET", "faults")["faults"]] == [1, 1]
    assert colour(hands) == "blue"
    hands.server.order("DELETE", "faults")
    hands.stack.assert_converged()


def test_a_cluster_that_does_not_answer_stops_a_plan_with_its_name(hands: Hands) -> None:
    assert hands.server is not None
    hands.server.order("POST", "faults", {"fault": "lost", "service": "kubernetes", "always": True})
    failed = said(hands.stack.plan(code=1))
    assert "the cluster main did not answer" in failed, failed
    hands.server.order("DELETE", "faults")
    hands.stack.assert_converged()


def test_objects_are_in_clusters_of_two_accounts(tmp_path: Path) -> None:
    of_other = {"[account.apps]": "[account.network]", "222222222222": "111111111111"}
    account = STACK.split("[account.apps]")[1]
    parts = []
    for block in (ROLES, NETWORK, CLUSTER, NAMESPACE, SETTINGS):
        parts.append(in_account(block, "apps"))
        parts.append(in_account(block, "network", "2"))
    other = "[account.network]" + account.replace("222222222222", of_other["222222222222"])
    stack = Stack(tmp_path, STACK + other + "".join(parts))
    stack.apply()
    asked = {request.account for request in stack.requests() if request.path.endswith("/configmaps/settings")}
    assert asked == {"111111111111", "222222222222"}
    for cluster, account in (("main", "apps"), ("main", "network")):
        words = ("kubeconfig", "spec", "--cluster", cluster, "--account", account, "--sandbox")
        written = stack.run(*words).stdout
        assert f"- {account}\n" in written
    refused = stack.run("kubeconfig", "spec", "--cluster", "main", "--sandbox", code=1)
    assert "--account" in refused.stderr
    stack.assert_converged()
    stack.destroy()
    assert stack.run("state", "list", "spec", "--sandbox", "--json").json()["resources"] == {}


def in_account(block: str, account: str, suffix: str = "") -> str:
    """Returns blocks in an account, their names with something behind them."""
    def head(found: re.Match[str]) -> str:
        return f'[{found[1]}.{found[2]}{suffix}]\naccount = "{account}"'

    block = re.sub(r"^\[(\w+)\.(\w+)\]$", head, block, flags=re.MULTILINE)
    block = re.sub(r"^\[(\w+)\.(\w+)\.manifest\]$", rf"[\g<1>.\g<2>{suffix}.manifest]", block, flags=re.MULTILINE)
    names = r"(iam_role|vpc|subnet|eks_cluster)\.(cluster|nodes|main|private)\b"
    return re.sub(rf"(\$\{{[^}}]*?){names}", rf"\g<1>\g<2>.\g<3>{suffix}", block)

"""The walkthrough, `specs/cross-account-alb`, with what goes wrong in it for people: each trouble is said in words that
lead out of it, and nothing is left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .sister import Sister

pytestmark = [
    pytest.mark.only_on("sandbox", "the others have no clusters with objects"),
    pytest.mark.usefixtures("built"),
]

CONTROLLER = "/apis/apps/v1/namespaces/kube-system/deployments/aws-load-balancer-controller"
INGRESS = "/apis/networking.k8s.io/v1/namespaces/game-2048/ingresses/ingress-2048"
OF_INGRESS = "of kubernetes_manifests.game_2048['Ingress/game-2048/ingress-2048']"
LOAD_BALANCER = "[ingress_load_balancer.game_2048]"
# What an apply may wait for somebody who does not come, in seconds of the test's own time.
SHORT = 'timeouts = { create = "10s" }'


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Sister]:
    """The walkthrough, in a world in which policies decide."""
    with Sister(tmp_path, "cross-account-alb") as walk:
        yield walk


def balancers(walk: Sister) -> list[str]:
    """Returns the names of the load balancers in account A."""
    found = walk.client("network", "elbv2").describe_load_balancers()["LoadBalancers"]
    return [one["LoadBalancerName"] for one in found]


@pytest.mark.parametrize("way", ["--repair", "--force-load-balancers"])
def test_a_controller_that_is_scaled_to_zero_keeps_nothing_for_ever(walk: Sister, way: str) -> None:
    walk.apply()
    walk.scale(CONTROLLER, 0)
    stopped = walk.destroy(code=3)
    for word in ("the AWS Load Balancer Controller is scaled to zero", "--repair", "--force-load-balancers"):
        assert word in stopped, stopped
    assert len(balancers(walk)) == 1, "what only the controller takes away has stayed"
    walk.destroy(way)
    walk.assert_gone()


def test_a_trust_with_another_subject_is_found_before_and_after(walk: Sister) -> None:
    right, wrong = '"kube-system/aws-load-balancer-controller"', '"kube-system/another"'
    walk.change("identity.toml", right, wrong)
    told = walk.apply(code=1)
    assert "The controller runs as" in told and "kube-system:another" in told, told
    walk.assert_gone()
    walk.change("game-2048.toml", LOAD_BALANCER, f"{LOAD_BALANCER}\n{SHORT}")
    told = walk.apply("--skip", "controller", code=3)
    assert "the controller has made nothing yet" in told, told
    assert f"{OF_INGRESS} is said: Failed" in told and "AssumeRoleWithWebIdentity" in told, told
    walk.change("identity.toml", wrong, right)
    walk.apply()
    assert walk.visit(walk.url())[0] == 200
    walk.destroy()
    walk.assert_gone()


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        # A policy from before the chart.
        ("identity.toml", 'load_balancer_controller = "v2.13.4", chart = "1.13.4"',
         'load_balancer_controller = "v2.5.4", chart = "1.5.5"', "elasticloadbalancing:"),
        # The group of the cluster's account in the place of one of the load balancer's.
        ("game-2048.toml", '"${security_group.alb.id}"', '"${eks_cluster.main.cluster_security_group_id}"',
         "names a group of eks_cluster.main, in the account apps"),
    ],
    ids=["policy", "group"],
)  # fmt: skip
def test_what_does_not_fit_is_found_before_anything_is_made(
    walk: Sister, file: str, old: str, new: str, told: str
) -> None:
    walk.change(file, old, new)
    refused = walk.apply(code=1)
    assert told in refused and "Nothing was changed" in refused, refused
    walk.assert_gone()


def test_subnets_that_nothing_names_are_said_and_leak_nothing(walk: Sister) -> None:
    # A controller that does not look where routes lead.
    walk.change("controller.toml", '"1.13.4"', '"1.8.2"')
    walk.change("identity.toml", '"v2.13.4", chart = "1.13.4"', '"v2.8.2", chart = "1.8.2"')
    walk.change("game-2048.toml", '"alb.ingress.kubernetes.io/subnets" ', '"example.com/subnets" ')
    walk.change("network.toml", ', "kubernetes.io/role/elb" = "1"', "")
    walk.change("game-2048.toml", LOAD_BALANCER, f"{LOAD_BALANCER}\n{SHORT}")
    told = walk.apply(code=3)
    assert "does not have the tag kubernetes.io/role/elb: only a load balancer that names it gets into it" in told
    assert "the controller has made nothing yet" in told and "or a subnet" in told, told
    assert f"{OF_INGRESS} is said: FailedBuildModel: " in told and "subnet" in told.split(OF_INGRESS)[-1], told
    walk.destroy()
    walk.assert_gone()


def test_credentials_that_expire_in_a_long_apply_are_said_and_the_next_one_goes_on(walk: Sister) -> None:
    # The cluster has taken its time.
    expired = {"fault": "expired", "account": "apps", "service": "eks", "operation": "CreateNodegroup", "always": True}
    walk.server.order("POST", "faults", expired)
    told = walk.apply(code=3)
    for words in ("eks_node_group.workers in the account `apps`", "ExpiredToken", "Renew the credentials"):
        assert words in told, told
    walk.server.order("DELETE", "faults")
    walk.apply()
    assert walk.visit(walk.url())[0] == 200
    walk.assert_converged()
    walk.destroy()
    walk.assert_gone()


# All that the cluster is asked from outside of it. The controller in it goes on, or does not either.
FROM_OUTSIDE = {"principal": "arn:aws:iam::*:root"}


@pytest.mark.parametrize("whose", [FROM_OUTSIDE, {}], ids=["from outside", "by anybody"])
def test_a_cluster_that_cannot_be_reached_stops_a_destroy_until_it_is_let_go_of(
    walk: Sister, whose: dict[str, str]
) -> None:
    walk.apply()
    walk.server.order("POST", "faults", {"fault": "lost", "service": "kubernetes", "always": True} | whose)
    before = walk.server.order("GET", "world")["networks"]
    for command in (walk.destroy, walk.apply):
        stopped = command(code=1)
        for word in ("the cluster EKSTestDrive", "did not answer", "--forget-unreachable-clusters"):
            assert word in stopped, stopped
    assert walk.server.order("GET", "world")["networks"].keys() == before.keys()
    assert len(balancers(walk)) == 1
    flags = ("--forget-unreachable-clusters", "--force-load-balancers")
    planned = walk.rehearse("plan", "--destroy", *flags).stdout
    assert "its cluster does not answer: it is only forgotten" in planned, planned
    walk.destroy(*flags)
    walk.assert_gone()

"""The walkthrough, `specs/cross-account-alb`, and the other ways to the same end, `specs/pod-identity` and
`specs/target-group-binding`: from nothing to an address that answers, and back, in the right order; with the links of
their chains broken one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .accounts import NETWORK
from .sister import Sister

pytestmark = [
    pytest.mark.only_on("sandbox", "the others have no clusters with objects"),
    pytest.mark.usefixtures("built"),
]


@pytest.fixture
def sister(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Sister]:
    """The spec that the test names, in a world in which policies decide."""
    with Sister(tmp_path, request.param) as sister:
        yield sister


@pytest.fixture
def identity(tmp_path: Path) -> Iterator[Sister]:
    """The spec in which the controller gets its role by Pod Identity."""
    with Sister(tmp_path, "pod-identity") as sister:
        yield sister


@pytest.fixture
def binding(tmp_path: Path) -> Iterator[Sister]:
    """The spec in which the controller registers pods, and nothing else."""
    with Sister(tmp_path, "target-group-binding") as sister:
        yield sister


CONTROLLER = ("Delete", "/apis/apps/v1/namespaces/kube-system/deployments/aws-load-balancer-controller")
INGRESS = ("Delete", "/apis/networking.k8s.io/v1/namespaces/game-2048/ingresses/ingress-2048")
BINDING_OBJECT = ("Delete", "/apis/elbv2.k8s.aws/v1beta1/namespaces/game-2048/targetgroupbindings/game-2048")
# What goes after what in a destroy.
ENDS = {
    "cross-account-alb": [
        INGRESS, ("DeleteLoadBalancer",), CONTROLLER, ("DeleteOpenIDConnectProvider",), ("DeleteCluster",),
        ("DeleteResourceShare",),
    ],
    "pod-identity": [
        INGRESS, ("DeleteLoadBalancer",), CONTROLLER, ("DeletePodIdentityAssociation",), ("DeleteCluster",),
        ("DeleteResourceShare",),
    ],
    "target-group-binding": [
        BINDING_OBJECT, ("DeregisterTargets",), CONTROLLER, ("DeleteOpenIDConnectProvider",), ("DeleteCluster",),
        ("DeleteResourceShare",),
    ],
}  # fmt: skip


WEBHOOK = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/aws-load-balancer-webhook"


def assert_the_webhook_was_there_first(sister: Sister) -> None:
    """Checks that nobody asked for the Ingress before the webhook that has to agree to it answered."""
    asked = sister.requests()
    first = next(place for place, request in enumerate(asked) if request.path == INGRESS[1])
    assert WEBHOOK in {request.path for request in asked[:first]}
    ready = [request.operation == "Get" and request.path == CONTROLLER[1] for request in asked[:first]]
    assert any(ready), "whether the controller is ready was not looked at"
    refused = [str(request) for request in asked if request.operation == "Patch" and request.outcome != "ok"]
    assert refused == []


def assert_nobody_was_in_the_subnets(sister: Sister) -> None:
    """Checks that account A looked for interfaces of others between the end of their cluster and that of the share."""
    last, share = sister.place("DeleteCluster"), sister.place("DeleteResourceShare")
    between = sister.requests()[last:share]
    assert any(
        request.operation == "DescribeNetworkInterfaces" and request.account == NETWORK for request in between
    )


@pytest.mark.parametrize("sister", list(ENDS), indirect=True)
def test_from_nothing_to_an_address_that_answers_and_back(sister: Sister) -> None:
    sister.apply()
    status, page = sister.visit(sister.url())
    assert status == 200 and "<html" in page.lower(), page
    sister.assert_converged()
    if sister.spec_name == "cross-account-alb":
        assert_the_webhook_was_there_first(sister)
    told = sister.destroy()
    assert f"Searched apps and network: nothing of the stack {sister.spec_name} is left." in told
    sister.assert_gone()
    assert_nobody_was_in_the_subnets(sister)
    places = [sister.place(*end) for end in ENDS[sister.spec_name]]
    assert places == sorted(places), places


# What an apply may wait for somebody who does not come, in seconds of the test's own time.
SHORT = 'timeouts = { create = "10s" }'
BINDING = "[kubernetes_object.game_2048_targets]"
LOAD_BALANCER = "[ingress_load_balancer.game_2048]"


def test_a_wrong_external_id_stops_an_apply_before_anything_is_made(binding: Sister) -> None:
    binding.change("controller.toml", 'external_id = "${var.external_id}" }', 'external_id = "another" }')
    told = binding.apply(code=1)
    assert "target_group_bindings" in told and "asks for another external id than it is given" in told, told
    binding.assert_gone()


def test_a_role_that_does_not_trust_the_controller_any_more_is_said_and_leaks_nothing(binding: Sister) -> None:
    binding.change("controller.toml", 'external_id = "${var.external_id}" }', 'external_id = "another" }')
    binding.change("game-2048.toml", BINDING, f"{BINDING}\n{SHORT}")
    told = binding.apply("--skip", "target_group_bindings", code=3)
    assert "the controller has not registered the targets" in told, told
    # The binding has its finalizer, and the controller cannot take it away: it has registered nothing, and may not look.
    binding.change("controller.toml", 'external_id = "another" }', 'external_id = "${var.external_id}" }')
    binding.apply()
    assert binding.visit(binding.url())[0] == 200
    binding.destroy()
    binding.assert_gone()


def test_a_role_that_may_not_register_targets_is_named(binding: Sister) -> None:
    binding.change("controller.toml", '"elasticloadbalancing:RegisterTargets", ', "")
    told = binding.apply(code=1)
    assert "do not allow elasticloadbalancing:RegisterTargets" in told, told
    binding.change("game-2048.toml", BINDING, f"{BINDING}\n{SHORT}")
    told = binding.apply("--skip", "target_group_bindings", code=3)
    assert "the controller has not registered the targets" in told, told
    binding.destroy()
    binding.assert_gone()


def test_a_controller_that_knows_no_roles_is_refused(binding: Sister) -> None:
    binding.change("controller.toml", "1.13.4", "1.8.2")
    told = binding.apply(code=1)
    assert "the controller v2.8.2 does not know `iamRoleArnToAssume`" in told, told
    binding.assert_gone()


AGENT = """[eks_addon.pod_identity_agent]
cluster_name = "${eks_cluster.main.name}"
name         = "eks-pod-identity-agent"
"""
WAITS = 'depends_on      = ["eks_addon.pod_identity_agent"]'


def test_nodes_without_the_agent_are_found_before_and_after(identity: Sister) -> None:
    identity.change("cluster.toml", AGENT, "# no agent\n")
    identity.change("controller.toml", WAITS, "")
    told = identity.apply(code=1)
    assert "needs the agent of EKS Pod Identity on the nodes" in told, told
    identity.assert_gone()
    identity.change("game-2048.toml", LOAD_BALANCER, f"{LOAD_BALANCER}\n{SHORT}")
    told = identity.apply("--skip", "pod_identity", code=3)
    assert "the controller has made nothing yet" in told, told
    # The controller tries again by itself once the agent is there.
    identity.change("cluster.toml", "# no agent\n", AGENT)
    identity.change("game-2048.toml", SHORT, "")
    identity.apply()
    assert identity.visit(identity.url())[0] == 200
    identity.destroy()
    identity.assert_gone()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'external_id  = "${eks_pod_identity_association.lb_controller.external_id}"',
            'external_id  = "made-up"',
            "asks for another external id than it is given",
        ),
        ("session_tags = true ", "session_tags = false", "with tags of its session, which that does not allow"),
        (', "sts:TagSession"]', "]", "its policies do not allow sts:TagSession"),
        ('service = "pods.eks.amazonaws.com"', 'service = "ec2.amazonaws.com"', "does not let EKS take it for them"),
    ],
)
def test_a_broken_link_between_the_roles_is_named(identity: Sister, old: str, new: str, told: str) -> None:
    identity.change("controller.toml", old, new)
    assert told in identity.apply(code=1)
    identity.assert_gone()

"""Faults in every call, and `kill -9`, while roles, policies and providers are made and deleted."""

import pytest

from .faults import FirstOfEach
from .identities import BIRTHS, DEATHS, Identities
from .proxy import Proxy, Stage
from .straddle import Straddle
from .test_faults import PASSING
from .test_kill import moments
from .world import World


@pytest.fixture
def identities(straddle: Straddle, world: World, proxy: Proxy) -> Identities:
    """The spec in an empty world; nothing is applied."""
    return Identities(straddle, world, proxy)


@pytest.mark.parametrize("fault", PASSING)
def test_identities_survive_a_fault_in_every_call(identities: Identities, fault: str) -> None:
    births = identities.proxy.add("*", fault, times=None, matching=FirstOfEach())
    identities.apply()
    assert set(BIRTHS) <= {entry.operation for entry in births.fired}
    identities.proxy.clear()
    identities.assert_converged()
    deaths = identities.proxy.add("*", fault, times=None, matching=FirstOfEach())
    identities.destroy()
    assert set(DEATHS) <= {entry.operation for entry in deaths.fired}
    identities.proxy.clear()
    identities.assert_gone()


CHANGED = [
    ('"ec2:Describe*"', '"ec2:*"', {"CreatePolicyVersion", "SetDefaultPolicyVersion"}),
    ('"s3:GetObject"', '"s3:*"', {"PutRolePolicy"}),
    ('"Pods of the controller"', '"All pods"', {"UpdateRole"}),
    ('"ec2.amazonaws.com"', '"ssm.amazonaws.com"', {"UpdateAssumeRolePolicy"}),
    ('permissions_boundary = "${iam_policy.limits.arn}"', "", {"DeleteRolePermissionsBoundary"}),
    ('"${iam_role.nodes.id}"', '"${iam_role.target.id}"', {"AddRoleToInstanceProfile"}),
    ('team = "platform"', 'team = "shop"', {"TagRole", "TagPolicy"}),
]


@pytest.mark.one_in(3)
@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize(("before", "after", "calls"), CHANGED)
def test_changes_survive_a_fault_in_every_call(
    identities: Identities, before: str, after: str, calls: set[str], fault: str
) -> None:
    identities.apply()
    identities.change(before, after)
    rule = identities.proxy.add("*", fault, times=None, matching=FirstOfEach())
    identities.apply()
    assert calls <= {entry.operation for entry in rule.fired}
    identities.proxy.clear()
    identities.assert_converged()


@pytest.mark.one_in(2)
@pytest.mark.parametrize("operation", sorted(BIRTHS))
def test_what_a_refused_call_left_undone_is_done_by_the_next_apply(
    identities: Identities, operation: str
) -> None:
    rule = identities.proxy.add(operation, "denied", times=None)
    failed = identities.apply(code=3)
    assert rule.fired and operation in failed.words
    identities.proxy.clear()
    identities.apply()
    identities.assert_converged()


@pytest.mark.parametrize("operation", ["CreateRole", "CreatePolicy", "CreateOpenIDConnectProvider"])
def test_a_call_that_lands_after_its_connection_broke_is_found_by_its_name(
    identities: Identities, operation: str
) -> None:
    rule = identities.proxy.add(operation, "late", seconds=0.7)
    identities.apply()
    assert rule.fired
    identities.proxy.wait_for_late()
    identities.proxy.clear()
    identities.assert_converged()


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("call", "stage"), moments(sum(BIRTHS.values())))
def test_an_apply_that_was_killed_is_finished(identities: Identities, call: int, stage: Stage) -> None:
    identities.kill("apply", call, stage)
    identities.apply()
    identities.assert_converged()


@pytest.mark.one_in(7)
@pytest.mark.parametrize(("call", "stage"), moments(sum(DEATHS.values())))
def test_a_destroy_that_was_killed_is_finished(identities: Identities, call: int, stage: Stage) -> None:
    identities.apply()
    identities.kill("destroy", call, stage)
    identities.destroy()
    identities.assert_gone()

"""The AWS part of the mission: from nothing in both accounts, and back to nothing."""

import random

import pytest

from .faults import FirstOfEach
from .mission import Mission
from .network import Ran

pytestmark = pytest.mark.only_on("sandbox", "only the sandbox shows shared subnets and has add-ons")

# What may happen to every call, and does not end the run.
PASSING = ["before", "after", "lost", "throttle"]


# What a plan of everything asks at most: besides one for each list, one for the roles of an account, two for
# a policy, and one for each other thing of IAM and EKS.
PLAN_REQUESTS = 26


def first(ran: Ran, operation: str, worked: int = 200) -> int:
    """Returns where in the log an operation was carried out for the first time."""
    return next(
        number
        for number, entry in enumerate(ran.entries)
        if entry.operation == operation and entry.worked == worked
    )


def last(ran: Ran, operation: str) -> int:
    """Returns where in the log an operation was asked for the last time."""
    return max(number for number, entry in enumerate(ran.entries) if entry.operation == operation)


def test_from_nothing_in_both_accounts_and_back(mission: Mission) -> None:
    made = mission.apply()
    mission.assert_converged()
    looked = mission.plan(code=0)
    assert len(looked.entries) <= PLAN_REQUESTS, looked.reads
    # B sees the subnets before the cluster is made in them, A has the provider before the role that
    # trusts it, and nodes come once their network is set up.
    assert first(made, "CreateResourceShare") < first(made, "CreateCluster")
    assert first(made, "CreateCluster") < first(made, "CreateOpenIDConnectProvider")
    assert first(made, "CreateAddon") < first(made, "CreateNodegroup")

    gone = mission.destroy()
    mission.assert_gone()
    assert "Destroy complete: 0 created, 0 changed, 36 deleted" in gone.words
    # The rule that names A's group goes before the group, and the share once B has nothing in it.
    assert first(gone, "RevokeSecurityGroupIngress") < first(gone, "DeleteSecurityGroup")
    assert last(gone, "DeleteNodegroup") < first(gone, "DeleteCluster") < first(gone, "DeleteResourceShare")
    assert first(gone, "DeleteResourceShare") < last(gone, "DeleteSubnet") < first(gone, "DeleteVpc")


@pytest.mark.parametrize("fault", PASSING)
def test_a_fault_in_every_call_is_survived(mission: Mission, fault: str) -> None:
    made = mission.proxy.add("*", fault, times=None, matching=FirstOfEach())
    mission.apply()
    assert len(made.fired) >= 41
    mission.proxy.clear()
    mission.assert_converged()
    gone = mission.proxy.add("*", fault, times=None, matching=FirstOfEach())
    mission.destroy()
    assert len(gone.fired) >= 38
    mission.proxy.clear()
    mission.assert_gone()


def test_throttling_of_a_third_of_all_calls_is_survived(mission: Mission) -> None:
    chance = random.Random(7)
    throttled = mission.proxy.add("*", "throttle", times=None, matching=lambda _: chance.random() < 0.3)
    mission.apply()
    mission.destroy()
    assert len(throttled.fired) > 60
    mission.proxy.clear()
    mission.assert_gone()

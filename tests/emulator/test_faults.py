"""Faults of the service in each call that changes something: answers that are lost, errors
before and after the work, throttling, and credentials that end or do not suffice."""

import pytest

from .faults import FirstOfEach, Rule
from .network import BIRTHS, DEATHS, Network

# Every call of an apply, one by one.
EACH = [(operation, nth) for operation, count in BIRTHS.items() for nth in range(1, count + 1)]
EACH += [("ModifySubnetAttribute", 1)]

# What may happen to every call, and does not end the run.
PASSING = ["before", "after", "lost", "throttle"]


def strike_each(network: Network, fault: str) -> Rule:
    """Puts a fault into every call that changes something, but not into its repetition."""
    return network.proxy.add("*", fault, times=None, matching=FirstOfEach())


@pytest.mark.one_in(3)
@pytest.mark.parametrize("fault", ["lost", "after"])
@pytest.mark.parametrize(("operation", "nth"), EACH)
def test_a_call_whose_work_was_done_unseen_is_not_done_twice(
    network: Network, operation: str, nth: int, fault: str
) -> None:
    rule = network.proxy.add(operation, fault, nth=nth)
    network.apply()
    assert [entry.worked for entry in rule.fired] == [200]
    network.proxy.clear()
    network.assert_converged()


@pytest.mark.parametrize("fault", PASSING)
def test_an_apply_survives_a_fault_in_every_call(network: Network, fault: str) -> None:
    rule = strike_each(network, fault)
    network.apply()
    assert len(rule.fired) >= len(EACH)
    network.proxy.clear()
    network.assert_converged()


@pytest.mark.parametrize("fault", PASSING)
def test_a_destroy_survives_a_fault_in_every_call(network: Network, fault: str) -> None:
    network.apply()
    rule = strike_each(network, fault)
    network.destroy()
    assert len(rule.fired) >= sum(DEATHS.values())
    network.proxy.clear()
    network.assert_gone()


@pytest.mark.parametrize("operation", ["CreateVpc", "AllocateAddress", "CreateSubnet", "CreateResourceShare"])
def test_a_call_that_lands_after_its_connection_broke_is_not_made_twice(
    network: Network, operation: str
) -> None:
    rule = network.proxy.add(operation, "late", seconds=0.7)
    network.apply()
    assert rule.fired
    network.proxy.clear()
    network.assert_converged()


@pytest.mark.one_in(3)
@pytest.mark.parametrize("fault", ["denied", "expired"])
@pytest.mark.parametrize("operation", [*BIRTHS, "ModifySubnetAttribute"])
def test_what_a_refused_call_left_undone_is_done_by_the_next_apply(
    network: Network, operation: str, fault: str
) -> None:
    rule = network.proxy.add(operation, fault, times=None)
    failed = network.apply(code=3)
    assert rule.fired and operation in failed.words
    network.proxy.clear()
    network.apply()
    network.assert_converged()


def test_what_credentials_that_ended_left_undone_says_what_to_do(network: Network) -> None:
    rule = network.proxy.add("*", "expired", nth=9, times=None, matching=lambda entry: not entry.is_read)
    failed = network.apply(code=3)
    assert "Renew the credentials and apply again" in failed.words
    # What was under way at the same time may still be sent, and nothing after that.
    assert 1 <= len(rule.fired) <= 8
    network.proxy.clear()
    network.apply()
    network.assert_converged()


@pytest.mark.parametrize("fault", ["throttle", "before", "lost"])
def test_reads_are_tried_again(network: Network, fault: str) -> None:
    network.apply()
    rule = network.proxy.add("Describe*", fault, nth=1, times=4)
    network.assert_converged()
    assert len(rule.fired) == 4

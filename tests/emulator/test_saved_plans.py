"""Saved plans: carried out once, and only if everything is still as it was when they were made."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .network import BIRTHS, Network, Ran


def save(network: Network, *arguments: str) -> Path:
    """Saves a plan and returns its file."""
    path = network.straddle.folder / "saved.plan"
    ran = network.run("plan", "--out", path, *arguments)
    assert ran.mutations == [] and path.stat().st_mode & 0o077 == 0
    return path


def apply(network: Network, plan: Path, *arguments: str, code: int = 0) -> Ran:
    """Carries out a saved plan."""
    return network.run("apply", "--plan", plan, *arguments, code=code)


def refuse(network: Network, plan: Path, because: str, *arguments: str) -> None:
    """Checks that a saved plan is refused, and that nothing is touched."""
    files = network.files()
    ran = apply(network, plan, *arguments, code=1)
    assert "the saved plan is stale" in ran.words and because in ran.words, ran
    assert ran.mutations == []
    assert network.files() == files


def test_a_saved_plan_is_carried_out_once(network: Network) -> None:
    plan = save(network)
    ran = apply(network, plan)
    assert set(BIRTHS) <= set(ran.calls)
    network.assert_converged()
    refuse(network, plan, "applied already")


def test_a_saved_plan_of_a_stack_without_state_is_not_carried_out_twice_in_two_folders(
    network: Network,
) -> None:
    plan = save(network)
    apply(network, plan)
    network.destroy()
    refuse(network, plan, "Nothing was changed")
    assert network.things() == []


def test_a_saved_plan_that_was_begun_is_not_begun_again(network: Network) -> None:
    plan = save(network)
    rule = network.proxy.add("CreateNatGateway", "denied")
    apply(network, plan, code=3)
    assert rule.fired
    network.proxy.clear()
    refuse(network, plan, "applied already")
    network.apply()
    network.assert_converged()


def test_a_saved_destroy_is_carried_out(network: Network) -> None:
    network.apply()
    plan = save(network, "--destroy")
    apply(network, plan)
    network.assert_gone()


def change_spec(network: Network) -> None:
    """Another name for the VPC."""
    network.edit('{ Name = "shared" }', '{ Name = "other" }')


def change_live(network: Network) -> None:
    """Somebody sets a tag of ours to another value."""
    vpc = network.ids()["vpc.main"]
    network.client.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "theirs"}])


def delete_live(network: Network) -> None:
    """Somebody deletes something."""
    table = network.ids()["route_table.public"]
    network.client.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")


def change_state(network: Network) -> None:
    """Somebody applies something else, and then has the spec as before."""
    network.edit('"1" }\n\n[subnet.private]', '"1", more = "x" }\n\n[subnet.private]')
    network.apply()
    network.edit(', more = "x"', "")


@pytest.mark.parametrize("change", [change_spec, change_live, delete_live, change_state])
def test_a_saved_plan_is_refused_when_something_has_changed(
    network: Network, change: Callable[[Network], None]
) -> None:
    network.apply()
    network.edit("[eip.nat]", '[eip.nat]\ntags = { Name = "nat" }')
    plan = save(network)
    change(network)
    refuse(network, plan, "")
    # It says so for a reason: what is planned now is another thing.
    network.apply()
    network.assert_converged()


def test_a_saved_plan_is_refused_with_another_variable(network: Network) -> None:
    plan = save(network)
    zones = 'zones={ a = { id = "use1-az1", number = 0 }, b = { id = "use1-az4", number = 1 } }'
    refuse(network, plan, "the spec or its variables", "--var", zones)
    assert network.things() == []


@pytest.mark.parametrize(
    "damage", [b"", b"{}", b"not a plan", b'{"format":"straddle-plan","version":2,"plan":{}}']
)
def test_a_file_that_is_no_plan_is_refused(network: Network, damage: bytes) -> None:
    plan = network.straddle.folder / "saved.plan"
    plan.write_bytes(damage)
    ran = apply(network, plan, code=1)
    assert "not a saved plan" in ran.words and ran.entries == []


def test_a_plan_that_was_cut_short_is_refused(network: Network) -> None:
    plan = save(network)
    plan.write_bytes(plan.read_bytes()[:-20])
    ran = apply(network, plan, code=1)
    assert ran.entries == [] and network.things() == []

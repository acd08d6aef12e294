"""Faults in every call, and `kill -9`, while groups that name each other and endpoints are made and
taken down."""

from functools import partial

import pytest

from .inventory import by_kind, inventory
from .proxy import Proxy, Stage
from .straddle import Straddle
from .test_faults import PASSING, FirstOfEach
from .test_groups_and_endpoints import SPEC, endpoints
from .test_kill import kill_at
from .world import World

# How many calls that change something a first apply surely makes.
BIRTHS = 14

THINGS = {"vpc": 1, "subnet": 1, "route_table": 1, "security_group": 2, "security_group_rule": 4}


class Troubled:
    """The spec in a world in which things go wrong."""

    def __init__(self, straddle: Straddle, world: World, proxy: Proxy) -> None:
        self._straddle = straddle
        self._world = world
        self.proxy = proxy
        straddle.write_spec({"main.toml": SPEC})

    def run(self, command: str, *arguments: str) -> None:
        """Runs a command that has to succeed."""
        self._straddle.run(command, *arguments, self._straddle.spec).expect(0)

    def kill(self, command: str, call: int, stage: Stage) -> None:
        """Starts a command and kills it at that moment."""
        start = partial(self._straddle.start, command, "--auto-approve", self._straddle.spec)
        kill_at(self.proxy, start, call, stage)

    def assert_made(self) -> None:
        """Checks that everything is there once, as the spec says."""
        self.run("plan", "--detailed-exitcode")
        assert by_kind(inventory(self._world, "network")) == THINGS
        found = self._world.client("network").describe_vpc_endpoints()["VpcEndpoints"]
        assert len([endpoint for endpoint in found if endpoint["State"].lower() == "available"]) == 2

    def assert_gone(self) -> None:
        """Checks that nothing is left."""
        assert endpoints(self._world.client("network")) == {} and inventory(self._world, "network") == []


@pytest.fixture
def troubled(straddle: Straddle, world: World, proxy: Proxy) -> Troubled:
    """The spec in an empty world; nothing is applied."""
    return Troubled(straddle, world, proxy)


@pytest.mark.parametrize("fault", PASSING)
def test_groups_and_endpoints_survive_a_fault_in_every_call(troubled: Troubled, fault: str) -> None:
    births = troubled.proxy.add("*", fault, times=None, matching=FirstOfEach())
    troubled.run("apply", "--auto-approve")
    assert len(births.fired) >= BIRTHS
    assert {"CreateVpcEndpoint", "CreateSecurityGroup"} <= {entry.operation for entry in births.fired}
    troubled.proxy.clear()
    troubled.assert_made()
    deaths = troubled.proxy.add("*", fault, times=None, matching=FirstOfEach())
    troubled.run("destroy", "--auto-approve")
    assert "DeleteVpcEndpoints" in {entry.operation for entry in deaths.fired}
    troubled.proxy.clear()
    troubled.assert_gone()


@pytest.mark.one_in(3)
@pytest.mark.parametrize("stage", [Stage.RECEIVED, Stage.WORKED])
@pytest.mark.parametrize("call", range(4, BIRTHS + 1, 3))
def test_groups_and_endpoints_that_were_killed_are_finished(troubled: Troubled, call: int, stage: Stage) -> None:
    troubled.kill("apply", call, stage)
    troubled.run("apply", "--auto-approve")
    troubled.assert_made()
    troubled.kill("destroy", call // 2, stage)
    troubled.run("destroy", "--auto-approve")
    troubled.assert_gone()

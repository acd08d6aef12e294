"""The whole spec is made and taken away by runs that are killed again and again, and while IAM tells EKS
late of new roles: it converges, nothing is made twice, and nothing is left."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .mission import Mission
from .proxy import Proxy, Stage
from .sandbox import SPEED, Sandbox
from .straddle import Straddle
from .test_kill import STAGES, Assassin
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "only the sandbox shows shared subnets and has add-ons")

# How many runs are killed at least, of some forty calls that an apply or a destroy makes.
KILLS = 7

# A create that was never sent is searched for so long.
QUICKLY = {"STRADDLE_CONSISTENCY_WINDOW": "300ms"}


def killed_until_it_ends(mission: Mission, command: str, stage: Stage) -> int:
    """Starts a command again and again, each time killed at a stage of its third call that changes
    something, until one has so few left that it ends by itself. Returns how many were killed."""
    for kills in range(60):
        assassin = Assassin(3, stage)
        mission.proxy.on_request = assassin
        assassin.running = mission.start(command)
        done = assassin.running.wait(mission.patience)
        mission.proxy.clear()
        if assassin.killed_at is None:
            assert done.code == 0, done
            return kills
        assert done.code == -signal.SIGKILL, done
    raise AssertionError(f"{command} never ends")


@pytest.mark.parametrize("stage", STAGES)
def test_what_is_killed_again_and_again_converges(mission: Mission, stage: Stage) -> None:
    mission.straddle.environment |= QUICKLY
    assert killed_until_it_ends(mission, "apply", stage) >= KILLS
    mission.assert_converged()
    assert killed_until_it_ends(mission, "destroy", stage) >= KILLS
    mission.assert_gone()


@pytest.fixture
def late(built: None, tmp_path: Path) -> Iterator[Mission]:
    """The spec where roles are known to other services late: ten seconds in the time of the program, so that a busy
    machine does not come too late to be refused."""
    with Sandbox(options=(f"--iam-delay={10 * SPEED}s",)) as server:
        with Proxy(server) as proxy:
            world = World(server)
            folder = tmp_path / "late"
            folder.mkdir()
            yield Mission(Straddle(folder, world, proxy.endpoint), world, proxy)


def test_roles_that_eks_knows_late_are_waited_for(late: Mission) -> None:
    made = late.apply()
    refused = [entry for entry in made.entries if entry.operation == "CreateCluster" and entry.status != 200]
    assert refused, "EKS knew the role at once"
    late.assert_converged()
    late.destroy()
    late.assert_gone()

"""`kill -9` at every sort of moment: the next run finishes what was begun, and nothing is made
twice, lost or forgotten."""

import random
import signal
import time
from collections.abc import Callable

import pytest

from .network import BIRTHS as BIRTH_CALLS
from .network import Network
from .proxy import Hook, Proxy, Stage
from .request import Entry
from .straddle import Running

# How many calls that change something a run surely makes.
BIRTHS = 23
DEATHS = 20

# Births that AWS has no token for: a second one makes a second thing, or is refused.
TOKENLESS = set(BIRTH_CALLS) - {"CreateNatGateway", "CreateRouteTable", "CreateResourceShare"}

STAGES = [Stage.RECEIVED, Stage.WORKED, Stage.ANSWERED]


def moments(calls: int) -> list[tuple[int, Stage]]:
    """Returns every moment of a run of so many calls: each call with its three stages."""
    return [(call, stage) for call in range(1, calls + 1) for stage in STAGES]


class Assassin:
    """A hook that kills the run at a stage of its nth call that changes something."""

    def __init__(self, call: int, stage: Stage) -> None:
        self.running: Running | None = None
        self.killed_at: Entry | None = None
        self._moment = (call, stage)
        self._counted: list[int] = []

    def __call__(self, entry: Entry, stage: Stage) -> bool:
        if entry.is_read:
            return True
        if stage == Stage.RECEIVED:
            self._counted.append(entry.sequence)
        call, wanted = self._moment
        if stage != wanted or self._counted.index(entry.sequence) + 1 != call:
            return True
        # Noted first: who waits for the end of the run looks at it at once.
        self.killed_at = entry
        self.strike()
        return False

    def strike(self) -> None:
        """Kills it."""
        while self.running is None:
            time.sleep(0.001)
        self.running.kill()


def kill_at(proxy: Proxy, start: Callable[[], Running], call: int, stage: Stage) -> None:
    """Starts a run whose requests go through the proxy, and kills it at that moment."""
    assassin = Assassin(call, stage)
    hook: Hook = assassin
    proxy.on_request = hook
    assassin.running = start()
    done = assassin.running.wait()
    proxy.clear()
    assert assassin.killed_at is not None and done.code == -signal.SIGKILL, done


def kill(network: Network, command: str, call: int, stage: Stage) -> None:
    """Starts a command on the main spec and kills it at that moment."""
    kill_at(network.proxy, lambda: network.start(command), call, stage)


@pytest.mark.one_in(5)
@pytest.mark.parametrize(("call", "stage"), moments(BIRTHS))
def test_an_apply_that_was_killed_is_finished(network: Network, call: int, stage: Stage) -> None:
    kill(network, "apply", call, stage)
    network.apply()
    network.assert_converged()


@pytest.mark.one_in(2)
@pytest.mark.parametrize("operation", sorted(TOKENLESS))
def test_a_request_that_lands_after_its_sender_was_killed_is_not_made_twice(
    network: Network, operation: str
) -> None:
    landing = network.proxy.add(operation, "late", seconds=1.0)

    def strike(entry: Entry, stage: Stage) -> bool:
        if entry.operation == operation and stage == Stage.RECEIVED:
            assassin.strike()
        return True

    assassin = Assassin(0, Stage.RECEIVED)
    network.proxy.on_request = strike
    assassin.running = network.start("apply")
    assert assassin.running.wait().code == -signal.SIGKILL
    network.proxy.on_request = None
    # The next run starts while the request is still under way.
    network.apply()
    assert len(landing.fired) == 1
    network.proxy.wait_for_late()
    network.proxy.clear()
    network.apply()
    network.assert_converged()


@pytest.mark.parametrize("seed", range(4))
def test_an_apply_that_was_killed_at_any_time_is_finished(network: Network, seed: int) -> None:
    running = network.start("apply")
    time.sleep(random.Random(seed).uniform(0.05, 1.0))
    running.kill()
    network.apply()
    network.assert_converged()


def test_an_apply_that_is_killed_again_and_again_is_finished(network: Network) -> None:
    for call, stage in [(4, Stage.WORKED), (3, Stage.RECEIVED), (3, Stage.WORKED), (2, Stage.ANSWERED)]:
        kill(network, "apply", call, stage)
    network.apply()
    network.assert_converged()


def test_a_destroy_finishes_what_a_killed_apply_has_made(network: Network) -> None:
    kill(network, "apply", 9, Stage.WORKED)
    network.destroy()
    network.assert_gone()


@pytest.mark.one_in(7)
@pytest.mark.parametrize(("call", "stage"), moments(DEATHS))
def test_a_destroy_that_was_killed_is_finished(network: Network, call: int, stage: Stage) -> None:
    network.apply()
    kill(network, "destroy", call, stage)
    network.destroy()
    network.assert_gone()

"""The policies that `straddle iam-policy` prints are enough, and each action in them is needed: in a
sandbox that asks policies, somebody who has exactly these, and somebody who lacks one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .grants import Person, Policy, actions, printed, with_only
from .network import Network, Ran
from .proxy import Proxy
from .sandbox import Sandbox
from .straddle import Straddle
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "it decides about every call of every service")


@pytest.fixture(scope="module")
def strict(built: None) -> Iterator[Sandbox]:
    """A sandbox in which policies decide."""
    with Sandbox(enforce_iam=True) as server:
        assert isinstance(server, Sandbox)
        yield server


class Trial:
    """The main spec in a strict sandbox, and somebody who may nothing yet."""

    def __init__(self, strict: Sandbox, proxy: Proxy, folder: Path) -> None:
        folder.mkdir()
        world = World(strict)
        self.straddle = Straddle(folder, world, proxy.endpoint)
        self.network = Network(self.straddle, world, proxy)
        self.person = Person(world, self.straddle)

    def printed(self, *arguments: str) -> list[Policy]:
        """Returns what is printed for the account of the spec."""
        return printed(self.straddle, "network", *self.network.spec, *arguments)

    def grow(self, command: list[str], policies: list[Policy]) -> set[str]:
        """Runs a command again and again, each time with the actions that it was told to lack, until
        it succeeds. Returns them."""
        allowed: set[str] = set()
        while True:
            self.person.may(with_only(policies, allowed))
            ran = self.network.run(*command, code=None)
            if ran.done.code == 0:
                return allowed
            missing = named(ran, actions(policies) - allowed)
            assert missing, f"with {sorted(allowed)}, what is missing is not said:\n{ran}"
            allowed |= missing


def named(ran: Ran, wanted: set[str]) -> set[str]:
    """Returns those actions that a run says it lacks, in an account that it names."""
    assert "network" in ran.words, ran
    return {action for action in wanted if f"{action} " in ran.words}


@pytest.fixture
def trial(strict: Sandbox, tmp_path: Path) -> Iterator[Trial]:
    """The main spec, nothing applied, and somebody who may nothing."""
    with Proxy(strict) as proxy:
        yield Trial(strict, proxy, tmp_path / "trial")


APPLY = ["apply", "--auto-approve"]
DESTROY = ["destroy", "--auto-approve"]


def test_the_printed_policies_are_enough_for_a_whole_life(trial: Trial) -> None:
    apply = trial.printed("--phase", "apply")
    trial.person.may(apply)
    trial.network.apply()
    trial.person.may(trial.printed("--phase", "plan"))
    trial.network.assert_converged()
    # What is there is known by its id now.
    destroy = trial.printed("--phase", "destroy")
    assert any("arn:aws:ec2:us-east-1:111111111111:vpc/vpc-" in str(policy) for policy in destroy)
    trial.person.may(destroy)
    trial.network.destroy()
    trial.network.assert_gone()


def test_every_action_of_a_plan_is_needed_and_named(trial: Trial) -> None:
    trial.person.may(trial.printed("--phase", "apply"))
    trial.network.apply()
    policies = trial.printed("--phase", "plan")
    assert trial.grow(["plan"], policies) == actions(policies)


def test_every_action_of_an_apply_is_needed_and_named(trial: Trial) -> None:
    policies = trial.printed("--phase", "apply")
    assert trial.grow(APPLY, policies) == actions(policies)
    trial.network.assert_converged()


def test_every_action_of_a_destroy_is_needed_and_named(trial: Trial) -> None:
    trial.person.may(trial.printed("--phase", "apply"))
    trial.network.apply()
    policies = trial.printed("--phase", "destroy")
    assert trial.grow(DESTROY, policies) == actions(policies)
    trial.network.assert_gone()


def test_an_apply_that_lacks_one_action_fails_and_goes_on_with_it(trial: Trial) -> None:
    policies = trial.printed("--phase", "apply")
    everything = actions(policies)
    for action in sorted(everything):
        trial.person.may(with_only(policies, everything - {action}))
        ran = trial.network.run(*APPLY, code=None)
        assert ran.done.code != 0 and named(ran, {action}), f"without {action}:\n{ran}"
        trial.person.may(trial.printed("--phase", "apply", "--phase", "destroy"))
        trial.network.apply()
        trial.network.assert_converged()
        trial.network.destroy()

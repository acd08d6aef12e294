"""The policies that `straddle iam-policy` prints are enough for the whole main spec, and each action in
them is needed: in a sandbox that asks policies, somebody who has exactly these, and somebody who lacks one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import accounts
from .grants import Actions, Deployer, Person, Policy, actions, everything, needed, printed, with_only
from .mission import Mission
from .network import keep
from .proxy import Proxy
from .sandbox import Sandbox
from .straddle import Done, Straddle
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "it decides about every call of every service")

@pytest.fixture(scope="module")
def strict(built: None) -> Iterator[Sandbox]:
    """A sandbox in which policies decide."""
    with Sandbox(options=("--enforce-iam",)) as server:
        assert isinstance(server, Sandbox)
        yield server


class Trial:
    """A spec in a strict sandbox, and somebody in each of its accounts who may nothing yet."""

    def __init__(self, strict: Sandbox, proxy: Proxy, folder: Path) -> None:
        folder.mkdir()
        world = World(strict)
        self.straddle = Straddle(folder, world, proxy.endpoint)
        self.mission = Mission(self.straddle, world, proxy)
        self.people = {"network": Person(world, self.straddle), "apps": Deployer(world)}
        for person in self.people.values():
            person.may([])

    def printed(self, *phases: str) -> dict[str, list[Policy]]:
        """Returns what is printed for each account."""
        arguments = [word for phase in phases for word in ("--phase", phase)]
        return {
            account: printed(self.straddle, account, *self.mission.spec, *arguments) for account in self.people
        }

    def may(self, policies: dict[str, list[Policy]]) -> None:
        """Allows just that."""
        for account, person in self.people.items():
            person.may(policies[account])

    def assert_each_is_needed(self, phase: str, looked: bool = False) -> None:
        """Checks that each action that is printed for a phase is needed then, and named where it is
        missing. `looked` leaves out what a plan needs, of which a trial has shown that before."""
        policies = self.printed(phase)
        command = ["plan"] if phase == "plan" else [phase, "--auto-approve"]
        given = everything(self.printed("plan")) if looked else {}

        def try_with(allowed: Actions) -> Done:
            self.may({account: with_only(policies[account], allowed[account]) for account in policies})
            return self.mission.run(*command, code=None).done

        needed(policies, try_with, given)


@pytest.fixture
def trial(strict: Sandbox, tmp_path: Path) -> Iterator[Trial]:
    """The main spec, nothing applied, and nobody who may anything."""
    with Proxy(strict) as proxy:
        yield Trial(strict, proxy, tmp_path / "trial")


def test_the_printed_policies_are_enough_for_a_whole_life(trial: Trial) -> None:
    trial.may(trial.printed("apply"))
    trial.mission.apply()
    trial.may(trial.printed("plan"))
    # Of more than the program looks at, an administrator has to tell.
    assert "No changes." in trial.mission.plan(code=None).stdout
    destroy = trial.printed("destroy")
    # What is there is known by its id now.
    assert any("arn:aws:ec2:us-east-1:111111111111:vpc/vpc-" in str(policy) for policy in destroy["network"])
    trial.may(destroy)
    trial.mission.destroy()
    assert trial.mission.state()["resources"] == {}


def test_every_action_is_needed_and_named(trial: Trial) -> None:
    trial.assert_each_is_needed("apply")
    # Where nothing changes, less is read.
    trial.mission.edit('{ Name = "shared" }', '{ Name = "other" }')
    trial.assert_each_is_needed("plan")
    trial.assert_each_is_needed("destroy", looked=True)
    assert trial.mission.state()["resources"] == {}


PATHS = """
[defaults]
account = "network"

[iam_policy.own]
name     = "own"
path     = "/team/"
document = { Statement = [{ Effect = "Allow", Action = "ec2:Describe*", Resource = "*" }] }

[iam_role.nodes]
name     = "nodes"
path     = "/team/nodes/"
trust    = { service = "ec2.amazonaws.com" }
policies = ["${iam_policy.own.arn}"]

[iam_role.nodes.inline_policies]
read = { Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::a/*" }] }

[iam_instance_profile.nodes]
name = "nodes"
path = "/team/"
role = "${iam_role.nodes.id}"

[iam_role.later]
name = "later"
path = "/team/"

[iam_role_trust.later]
role       = "later"
trust      = { service = "ec2.amazonaws.com" }
depends_on = ["iam_role.later"]
"""


def test_paths_of_roles_and_policies_are_in_what_is_printed(trial: Trial) -> None:
    keep(trial.straddle.spec, ["stack.toml"])
    trial.straddle.write_spec({"paths.toml": PATHS})
    policies = trial.printed("apply")
    (attaching,) = [
        statement
        for policy in policies["network"]
        for statement in policy["Statement"]
        if "iam:AttachRolePolicy" in statement["Action"]
    ]
    assert attaching["Resource"] == "arn:aws:iam::111111111111:role/team/nodes/nodes"
    trial.assert_each_is_needed("apply")
    # A version of a policy that is no longer in force goes before the policy.
    trial.mission.edit("ec2:Describe*", "ec2:Get*", file="paths.toml")
    trial.assert_each_is_needed("plan")
    # What is on a role of another name is taken off the old one, and put on the new one.
    trial.mission.edit('name     = "nodes"\npath     = "/team/nodes/"', 'name = "n2"\npath = "/team/"', "paths.toml")
    trial.may(trial.printed("apply"))
    trial.mission.apply()
    assert "iam:DeletePolicyVersion" in actions(trial.printed("destroy")["network"])
    trial.assert_each_is_needed("destroy", looked=True)
    assert trial.mission.state()["resources"] == {}

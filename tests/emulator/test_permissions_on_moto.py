"""The printed policies are enough on moto as well, as far as it judges: by the actions of users' signed
calls, without ARNs and conditions. Only of EC2 does it refuse in a form that a client can read: its
refusals of IAM, EKS and RAM are no answers of these services. `test_permissions` has the rest."""

from collections.abc import Iterator

import pytest

from . import query
from .grants import Person, actions, needed, printed, with_only
from .server import Server
from .straddle import Done, Straddle
from .world import World

pytestmark = pytest.mark.only_on("moto", "the sandbox decides about more")

# Without spaces in texts: of a call with them, moto does not know the signature.
SPEC = """
[stack]
name = "permissions"

[account.network]
id      = "111111111111"
region  = "us-east-1"
profile = "network-admin"

[defaults]
account = "network"

[vpc.main]
cidr_block           = "10.0.0.0/16"
enable_dns_hostnames = true

[internet_gateway.main]
vpc_id = "${vpc.main.id}"

[subnet.public]
vpc_id     = "${vpc.main.id}"
cidr_block = "10.0.0.0/24"

[route_table.public]
vpc_id  = "${vpc.main.id}"
routes  = { "0.0.0.0/0" = "${internet_gateway.main.id}" }
subnets = ["${subnet.public.id}"]

[security_group.web]
name        = "web"
description = "front"
vpc_id      = "${vpc.main.id}"
ingress     = [{ protocol = "tcp", ports = "80", cidr = "0.0.0.0/0" }]
"""

# Moto wants no second permission of a call that gives tags.
NEVER_ASKED = {"ec2:CreateTags"}


class Judged:
    """The spec, past the proxy, since nobody signs its own calls, and somebody who may nothing yet."""

    def __init__(self, straddle: Straddle, world: World) -> None:
        self.straddle = straddle
        self.server = world.server
        straddle.environment["AWS_ENDPOINT_URL"] = world.server.endpoint
        straddle.write_spec({"stack.toml": SPEC})
        self.person = Person(world, straddle)

    def run(self, *command: str, may: set[str]) -> Done:
        """Runs a command of somebody who may just this."""
        statement = {"Effect": "Allow", "Action": sorted(may), "Resource": "*"}
        self.person.may([{"Version": "2012-10-17", "Statement": [statement]}] if may else [])
        judge(self.server, True)
        try:
            return self.straddle.run(*command, self.straddle.spec)
        finally:
            judge(self.server, False)

    def assert_each_is_needed(self, phase: str, *command: str) -> None:
        """Checks that each action that is printed for a phase is needed, and named where it is missing."""
        policies = printed(self.straddle, "network", self.straddle.spec, "--phase", phase)
        asked = with_only(policies, actions(policies) - NEVER_ASKED)
        needed({"network": asked}, lambda allowed: self.run(*command, may=allowed["network"]), given={})


def judge(server: Server, on: bool) -> None:
    """Lets policies decide from the next call on, or never."""
    query.post(server.address, "/moto-api/reset-auth", "0" if on else "inf", {})


@pytest.fixture
def judged(straddle: Straddle, world: World) -> Iterator[Judged]:
    """The spec in an empty world."""
    yield Judged(straddle, world)


def test_every_action_is_needed_and_named(judged: Judged) -> None:
    judged.assert_each_is_needed("apply", "apply", "--auto-approve")
    judged.assert_each_is_needed("plan", "plan")
    judged.assert_each_is_needed("destroy", "destroy", "--auto-approve")
    state = judged.straddle.run("state", "list", judged.straddle.spec, "--json").expect(0).json()
    assert state["resources"] == {}

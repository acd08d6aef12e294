"""The sandbox's own faults, put in over its control endpoint, in each call that changes something:
errors before and after the work, lost answers, work that is done late, throttling, credentials
that end, and reads that do not know yet what is new."""

import threading
from datetime import datetime
from typing import Any

import pytest

from .faults import FirstOfEach
from .network import BIRTHS, DEATHS, Network
from .proxy import Stage
from .request import Entry
from .sandbox import SPEED, Sandbox

pytestmark = pytest.mark.only_on("sandbox", "others have no faults of their own")

# How many calls change something: with public addresses for two subnets; and, if the NAT gateway
# has gone when the address is read, without DisassociateAddress.
CHANGES = {"apply": sum(BIRTHS.values()) + 2, "destroy": sum(DEATHS.values()) - 1}

# What may happen to every call, and does not end the run.
PASSING = ["before", "after", "lost", "late", "throttle"]

# How long late work is on its way, in seconds of the world, and how long a run searches for it.
LATE = 0.1 * SPEED
SEARCH = "600ms"

# Calls that make something and have no client token: the second one makes a second thing.
TOKENLESS = ["AllocateAddress", "CreateInternetGateway", "CreateSubnet", "CreateVpc"]


class Strikes:
    """A hook that has the sandbox strike the next request if it is the first of its content. It
    looks on only: the rule and the fault are the sandbox's."""

    def __init__(self, sandbox: Sandbox, fault: str) -> None:
        self._sandbox = sandbox
        self._fault = fault
        self._is_first = FirstOfEach()
        self._lock = threading.Lock()

    def __call__(self, entry: Entry, stage: Stage) -> bool:
        with self._lock:
            if stage == Stage.RECEIVED and self._is_first(entry):
                self._sandbox.order("POST", "faults", self._rule(entry))
        return True

    def _rule(self, entry: Entry) -> dict[str, Any]:
        # What is in a table or list has other names in the sandbox, and is not needed to tell them apart.
        plain = {name: value for name, value in entry.parameters.items() if "." not in name}
        plain = {name: value for name, value in plain.items() if isinstance(value, str) and name != "Version"}
        rule = {"fault": self._fault, "operation": entry.operation, "parameters": plain, "seconds": LATE}
        return {"service": entry.service, **rule}


def rules(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Returns the rules of a sandbox, each with how often it `fired`."""
    return list(sandbox.order("GET", "faults")["faults"])


def strike_each(network: Network, sandbox: Sandbox, fault: str) -> None:
    """Puts a fault into every call that changes something, but not into its repetition."""
    network.straddle.environment["STRADDLE_CONSISTENCY_WINDOW"] = SEARCH
    network.proxy.on_request = Strikes(sandbox, fault)


def assert_struck(network: Network, sandbox: Sandbox, least: int) -> None:
    """Checks that the sandbox has struck so many calls, each once. Ends the faults."""
    network.proxy.clear()
    fired = [rule["fired"] for rule in rules(sandbox)]
    assert len(fired) >= least and set(fired) == {1}, rules(sandbox)
    sandbox.order("DELETE", "faults")


def assert_nothing_leaked(network: Network) -> None:
    """Checks that everything is there once, and that nothing is on its way any more."""
    network.assert_converged()
    assert network.leftovers() == []


@pytest.mark.parametrize("fault", PASSING)
def test_apply_and_destroy_survive_a_fault_of_the_sandbox_in_every_call(
    network: Network, sandbox: Sandbox, fault: str
) -> None:
    strike_each(network, sandbox, fault)
    network.apply()
    assert_struck(network, sandbox, CHANGES["apply"])
    assert_nothing_leaked(network)
    strike_each(network, sandbox, fault)
    network.destroy()
    assert_struck(network, sandbox, CHANGES["destroy"])
    sandbox.order("POST", "clock", {"advance": LATE})
    network.assert_gone()


@pytest.mark.parametrize("command", ["apply", "destroy"])
def test_the_next_run_goes_on_where_credentials_ended(
    network: Network, sandbox: Sandbox, command: str
) -> None:
    if command == "destroy":
        network.apply()
    strike_each(network, sandbox, "expired")
    failed = 0
    while (ran := network.run(command, "--auto-approve", code=None)).done.code != 0:
        assert ran.done.code == 3 and "Renew the credentials" in ran.words, ran
        failed += 1
    # What is sent at the same time is refused in the same run.
    assert 4 <= failed <= CHANGES[command] + 1
    assert_struck(network, sandbox, CHANGES[command])
    if command == "apply":
        assert_nothing_leaked(network)
    else:
        network.assert_gone()


def test_what_nobody_knows_for_a_minute_is_waited_for(network: Network, sandbox: Sandbox) -> None:
    # "An API command might not be immediately visible to all subsequent commands" (EC2 guide).
    minute = 60
    sandbox.order("POST", "faults", {"fault": "not_found", "always": True, "seconds": minute})
    before = sandbox.order("GET", "status")["requests"]
    network.apply()
    assert rules(sandbox)[0]["fired"] > CHANGES["apply"]
    requests = sandbox.requests(after=before)
    (vpc,) = [request for request in requests if request["operation"] == "CreateVpc"]
    users = [request for request in requests if request["operation"] in ("CreateSubnet", "CreateRouteTable")]
    waited = [(time_of(request) - time_of(vpc)).total_seconds() for request in users]
    assert len(waited) == 6 and min(waited) >= minute, waited
    sandbox.order("DELETE", "faults")
    assert_nothing_leaked(network)
    network.destroy()
    network.assert_gone()


def time_of(request: dict[str, Any]) -> datetime:
    """Returns when a request was answered, in the time of the world."""
    return datetime.fromisoformat(request["time"])


@pytest.mark.one_in(3)
@pytest.mark.parametrize("fault", ["lost", "late"])
@pytest.mark.parametrize("operation", TOKENLESS)
def test_what_has_no_token_is_looked_for_before_it_is_made_again(
    network: Network, sandbox: Sandbox, operation: str, fault: str
) -> None:
    network.straddle.environment["STRADDLE_CONSISTENCY_WINDOW"] = SEARCH
    sandbox.order("POST", "faults", {"fault": fault, "operation": operation, "seconds": LATE})
    # Nor do the searches find at once what is there.
    sandbox.order("POST", "faults", {"fault": "not_found", "always": True, "seconds": LATE})
    network.apply()
    assert rules(sandbox)[0]["fired"] == 1
    sandbox.order("DELETE", "faults")
    assert_nothing_leaked(network)

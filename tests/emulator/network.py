"""The network of the main spec, `specs/cross-account-alb --env sandbox`, as trials use it: the
commands, what each of them sent, and what must be true when all is done. `mission` has the rest."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import accounts
from .inventory import Thing, by_kind, inventory
from .world import World
from .proxy import Proxy
from .request import Entry
from .straddle import Done, Running, Straddle

SPEC = "specs/cross-account-alb"
STATE = "cross-account-alb.sandbox"
# What of the spec is account A's network, which every server has.
FILES = ["stack.toml", "network.toml"]

# What the spec makes, and how often.
THINGS = {
    "vpc": 1,
    "subnet": 4,
    "internet_gateway": 1,
    "eip": 1,
    "nat_gateway": 1,
    "route_table": 2,
    "ram_resource_share": 1,
    "security_group": 1,
    "security_group_rule": 2,
}

# Those that stand in a table: kind, count.
ENTRIES = {"route": 2, "route_table_association": 4}

# Every call that changes something in a first apply, and how often. Not so ModifySubnetAttribute:
# the first subnet that moto makes is public by itself, so that there are one, two or three.
BIRTHS = {
    "AllocateAddress": 1,
    "AssociateRouteTable": 4,
    "AttachInternetGateway": 1,
    "AuthorizeSecurityGroupEgress": 1,
    "AuthorizeSecurityGroupIngress": 1,
    "CreateInternetGateway": 1,
    "CreateNatGateway": 1,
    "CreateResourceShare": 1,
    "CreateRoute": 2,
    "CreateRouteTable": 2,
    "CreateSecurityGroup": 1,
    "CreateSubnet": 4,
    "CreateVpc": 1,
    "ModifyVpcAttribute": 1,
    # The rule that lets everything out of a new group.
    "RevokeSecurityGroupEgress": 1,
}

# Every call that changes something in a destroy. When the address was read, the NAT gateway still
# had it, hence DisassociateAddress.
DEATHS = {
    "DeleteInternetGateway": 1,
    "DeleteNatGateway": 1,
    "DeleteResourceShare": 1,
    "DeleteRoute": 2,
    "DeleteRouteTable": 2,
    "DeleteSecurityGroup": 1,
    "DeleteSubnet": 4,
    "DeleteVpc": 1,
    "DetachInternetGateway": 1,
    "DisassociateAddress": 1,
    "DisassociateRouteTable": 4,
    "ReleaseAddress": 1,
    "RevokeSecurityGroupEgress": 1,
    "RevokeSecurityGroupIngress": 1,
}


@dataclass(frozen=True)
class Ran:
    """A run that has ended, with the requests that it sent."""

    done: Done
    entries: list[Entry]

    @property
    def stdout(self) -> str:
        """What it printed."""
        return self.done.stdout

    @property
    def words(self) -> str:
        """What it told people, without the breaks between lines."""
        return " ".join(self.done.stderr.split())

    @property
    def mutations(self) -> list[Entry]:
        """The requests that change something."""
        return [entry for entry in self.entries if not entry.is_read]

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was called that changes something."""
        return Counter(entry.operation for entry in self.mutations)

    @property
    def reads(self) -> Counter[str]:
        """How often each operation was called that changes nothing."""
        return Counter(entry.operation for entry in self.entries if entry.is_read)

    def __str__(self) -> str:
        return f"{self.done}\n--- requests\n" + "\n".join(map(str, self.entries))


class Network:
    """The spec in a world: a copy of it to change, a state folder, a proxy."""

    files_of_spec: list[str] = FILES
    """The files of the spec that are used; all if there are none."""
    patience = 60.0
    """How long a command may take, in seconds."""

    def __init__(self, straddle: Straddle, world: World, proxy: Proxy) -> None:
        self.straddle = straddle
        self.world = world
        self.proxy = proxy
        straddle.copy_spec(SPEC)
        if self.files_of_spec:
            keep(straddle.spec, self.files_of_spec)
        self.spec = [straddle.spec, "--env", "sandbox"]

    @property
    def client(self) -> Any:
        """A boto3 client for the account that everything is in, past the proxy."""
        return self.world.client("network")

    @property
    def shares(self) -> Any:
        """A boto3 client for RAM in the same account, past the proxy."""
        return self.world.client("network", "ram")

    @property
    def state_file(self) -> Path:
        """The state of the stack."""
        return self.straddle.state / f"{STATE}.json"

    def run(self, command: str, *arguments: str | Path, code: int | None = 0, **variables: str) -> Ran:
        """Runs a command on the spec. `code` None takes any exit code."""
        before = len(self.proxy.log)
        done = self.straddle.run(command, *self.spec, *arguments, timeout=self.patience, **variables)
        ran = Ran(done, list(self.proxy.log)[before:])
        assert code is None or done.code == code, f"exit code {done.code}, expected {code}\n{ran}"
        return ran

    def apply(self, *arguments: str | Path, code: int | None = 0) -> Ran:
        """Applies without asking."""
        return self.run("apply", "--auto-approve", *arguments, code=code)

    def destroy(self, *arguments: str | Path, code: int | None = 0) -> Ran:
        """Destroys without asking."""
        return self.run("destroy", "--auto-approve", *arguments, code=code)

    def plan(self, *arguments: str | Path, code: int | None = 2) -> Ran:
        """Plans; without `code`, there must be changes."""
        return self.run("plan", "--detailed-exitcode", *arguments, code=code)

    def start(self, command: str, *arguments: str | Path) -> Running:
        """Starts an apply or destroy that does not ask."""
        return self.straddle.start(command, *self.spec, "--auto-approve", *arguments)

    def edit(self, old: str, new: str, file: str = "network.toml") -> None:
        """Replaces the only occurrence of a text in the copy of the spec."""
        path = self.straddle.spec / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))

    def state(self) -> dict[str, Any]:
        """Returns the state as the program tells it."""
        return self.straddle.run("state", "list", *self.spec, "--json").expect(0).json()

    def ids(self) -> dict[str, str]:
        """Returns the id of everything in the state, by address."""
        resources = self.state()["resources"]
        return {address: entry["object"]["remote_id"] for address, entry in resources.items()}

    def files(self, lock: bool = False) -> dict[str, bytes]:
        """Returns everything in the state folder but the lock, which says who had it last."""
        paths = sorted(self.straddle.state.iterdir())
        return {path.name: path.read_bytes() for path in paths if lock or path.suffix != ".lock"}

    def things(self) -> list[Thing]:
        """Returns what really exists in the account."""
        return inventory(self.world, "network")

    def assert_converged(self, things: dict[str, int] | None = None) -> None:
        """Checks that what exists is what the state has, neither more nor less, that it is what
        the spec says, and that nothing was sent to other accounts."""
        plan = self.plan(code=None)
        assert plan.done.code == 0 and "No changes." in plan.stdout, plan
        assert by_kind(self.assert_known()) == (THINGS if things is None else things)

    def assert_known(self) -> list[Thing]:
        """Checks that the state and the account have the same things, each once, all finished.
        Returns what exists."""
        state = self.state()
        assert not state.get("pending"), state["pending"]
        entries = state["resources"].values()
        unfinished = [entry for entry in entries if entry["object"]["status"] != {"is": "ready"}]
        assert not unfinished and not any(entry.get("deposed") for entry in entries), unfinished
        known = Counter(entry["object"]["remote_id"] for entry in entries)
        assert set(known.values()) <= {1}, known
        things = self.things()
        assert set(known) == {thing.id for thing in things} | set(table_entries(things))
        self.assert_in_one_account()
        return things

    def assert_gone(self) -> None:
        """Checks that nothing is left, neither in the account nor in the state."""
        assert self.things() == []
        state = self.state()
        assert state["resources"] == {} and not state.get("pending"), state
        self.assert_in_one_account()

    def assert_in_one_account(self) -> None:
        """Checks that nothing was ever sent to another account than that of the network."""
        assert {entry.account for entry in self.proxy.log} <= {accounts.NETWORK}

    def take_nat_gateway_away(self, gateway: str) -> None:
        """Deletes the NAT gateway past the program, and waits until its address is free. Moto keeps
        that associated for ever, unlike AWS."""
        self.client.delete_nat_gateway(NatGatewayId=gateway)
        self.client.get_waiter("nat_gateway_deleted").wait(
            NatGatewayIds=[gateway], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        (address,) = self.client.describe_addresses()["Addresses"]
        if "AssociationId" in address:
            self.client.disassociate_address(AssociationId=address["AssociationId"])

    def leftovers(self) -> list[Thing]:
        """Returns what exists in accounts in which this spec makes nothing."""
        others = [name for name in accounts.NAMES if name != "network"]
        return [thing for name in others for thing in inventory(self.world, name)]


def keep(spec: Path, files: list[str]) -> None:
    """Takes everything out of a copy of the spec but these files, and the environments."""
    for path in spec.glob("*.toml"):
        if path.name not in files:
            path.unlink()


def table_entries(things: list[Thing]) -> list[str]:
    """Returns what stands in the route tables among these things, under the names that the
    program gives it: `rtb-1_0.0.0.0/0` for a route, `rtb-1/rtbassoc-2` for an association."""
    found = []
    for table in (thing for thing in things if thing.kind == "route_table"):
        routes = [route for route in table.detail["Routes"] if route.get("GatewayId") != "local"]
        found += [f"{table.id}_{route['DestinationCidrBlock']}" for route in routes]
        found += [f"{table.id}/{entry['RouteTableAssociationId']}" for entry in table.detail["Associations"]]
    return found

"""Account A's part of the walkthrough, typed by hand: the aws CLI, unmodified, with nothing but
the environment that the sandbox prints; and what account B then sees and may do."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import accounts
from .sandbox import Sandbox, binary
from .server import Server
from .virtual_environment import TRIALS
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "no other shows a shared subnet to the second account")

ZONES = ["use1-az1", "use1-az2"]
_PYTHON = TRIALS.folder / "bin" / "python"

# Loads what the sandbox prints, and nothing else, into a shell that has no variable of AWS's.
_SCRIPT = 'eval "$("$0" sandbox env --state "$1" --account "$2")" && shift 2 && exec "$@"'


class Hands:
    """Somebody at a shell, as the administrator of one account."""

    def __init__(self, world: Path, account: str, home: Path) -> None:
        self._shell = ["sh", "-c", _SCRIPT, str(binary()), str(world), account]
        self._environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "AWS_PAGER": ""}
        prompt = [str(_PYTHON), str(Path(__file__).with_name("aws_prompt.py"))]
        self._prompt = subprocess.Popen(
            [*self._shell, *prompt],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def leave(self) -> None:
        """Ends the shell."""
        self._prompt.communicate(timeout=30)

    def try_program(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Starts the program itself, as the shell does."""
        aws = [str(_PYTHON), str(_PYTHON.with_name("aws")), *words]
        command, environment = [*self._shell, *aws], self._environment
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    def try_aws(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Types a command."""
        assert self._prompt.stdin is not None and self._prompt.stdout is not None
        self._prompt.stdin.write(json.dumps(words) + "\n")
        self._prompt.stdin.flush()
        done = json.loads(self._prompt.stdout.readline())
        return subprocess.CompletedProcess(words, done["code"], done["stdout"], done["stderr"])

    def aws(self, *words: str) -> Any:
        """Types a command that has to succeed, and returns what it answers."""
        done = self.try_aws(*words)
        assert done.returncode == 0, f"aws {' '.join(words)}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def refused(self, code: str, *words: str) -> None:
        """Types a command that has to be refused with this code."""
        done = self.try_aws(*words)
        assert done.returncode != 0 and f"({code})" in done.stderr, f"aws {' '.join(words)}\n{done.stderr}"


@pytest.fixture
def shell(server: Server, world: World, tmp_path: Path) -> Iterator[dict[str, Hands]]:
    """Somebody at a shell for each account."""
    assert isinstance(server, Sandbox)
    names = {"network": "network", "apps": "apps", "home": "management"}
    hands = {name: Hands(server.world_file, known, tmp_path) for name, known in names.items()}
    yield hands
    for one in hands.values():
        one.leave()


class Walk:
    """What somebody has made in account A."""

    def __init__(self, hands: Hands, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.aws = hands.aws
        self.refused = hands.refused
        self.vpc = self.aws("ec2", "create-vpc", "--cidr-block", "10.0.0.0/16")["Vpc"]["VpcId"]
        self.aws("ec2", "modify-vpc-attribute", "--vpc-id", self.vpc, "--enable-dns-hostnames")
        self.public = [self.subnet(f"10.0.{16 * index}.0/20", zone) for index, zone in enumerate(ZONES)]
        self.private = [self.subnet(f"10.0.{128 + 16 * index}.0/20", zone) for index, zone in enumerate(ZONES)]
        self.gateway = self._way_in()
        self.allocation, self.nat = self._way_out()
        self.tables = [
            self.table("--gateway-id", self.gateway, self.public),
            self.table("--nat-gateway-id", self.nat, self.private),
        ]

    def subnet(self, block: str, zone: str) -> dict[str, Any]:
        """Makes a subnet with a name."""
        where = ["--vpc-id", self.vpc, "--cidr-block", block, "--availability-zone-id", zone]
        tag = "ResourceType=subnet,Tags=[{Key=Name,Value=mine}]"
        made: dict[str, Any] = self.aws("ec2", "create-subnet", *where, "--tag-specifications", tag)["Subnet"]
        return made

    def _way_in(self) -> str:
        gateway = str(self.aws("ec2", "create-internet-gateway")["InternetGateway"]["InternetGatewayId"])
        self.aws("ec2", "attach-internet-gateway", "--vpc-id", self.vpc, "--internet-gateway-id", gateway)
        return gateway

    def _way_out(self) -> tuple[str, str]:
        allocation = self.aws("ec2", "allocate-address", "--domain", "vpc")["AllocationId"]
        where = ["--subnet-id", self.public[0]["SubnetId"], "--allocation-id", allocation]
        nat = self.aws("ec2", "create-nat-gateway", *where)["NatGateway"]
        assert nat["State"] == "pending"
        self.wait("nat-gateway-available", nat["NatGatewayId"])
        return allocation, nat["NatGatewayId"]

    def wait(self, until: str, nat: str) -> None:
        """Waits for a NAT gateway, after the time that one takes: the CLI looks every 15 seconds only."""
        self._sandbox.order("POST", "clock", {"advance": 600})
        self.aws("ec2", "wait", until, "--nat-gateway-ids", nat)

    def table(self, option: str, target: str, subnets: list[dict[str, Any]]) -> tuple[str, list[str]]:
        """Makes a route table that leads out by a target, and lets subnets go by it."""
        table = self.aws("ec2", "create-route-table", "--vpc-id", self.vpc)["RouteTable"]["RouteTableId"]
        everywhere = ["--destination-cidr-block", "0.0.0.0/0"]
        self.aws("ec2", "create-route", "--route-table-id", table, *everywhere, option, target)
        associations = []
        for subnet in subnets:
            what = ["--route-table-id", table, "--subnet-id", subnet["SubnetId"]]
            associations.append(self.aws("ec2", "associate-route-table", *what)["AssociationId"])
        return table, associations

    def share(self) -> str:
        """Shares the private subnets with account B."""
        arns = [subnet["SubnetArn"] for subnet in self.private]
        what = ["--name", "private", "--resource-arns", *arns, "--principals", accounts.APPS]
        made = self.aws("ram", "create-resource-share", *what, "--no-allow-external-principals")
        return str(made["resourceShare"]["resourceShareArn"])

    def clear_up(self) -> None:
        """Takes everything away, in the only order in which AWS lets it go."""
        self.refused("DependencyViolation", "ec2", "delete-vpc", "--vpc-id", self.vpc)
        detach = ["ec2", "detach-internet-gateway", "--vpc-id", self.vpc, "--internet-gateway-id", self.gateway]
        # The NAT gateway's address is mapped in the VPC.
        self.refused("DependencyViolation", *detach)
        release = ["ec2", "release-address", "--allocation-id", self.allocation]
        self.refused("InvalidIPAddress.InUse", *release)
        self.aws("ec2", "delete-nat-gateway", "--nat-gateway-id", self.nat)
        self.wait("nat-gateway-deleted", self.nat)
        self.aws(*release)
        self.aws(*detach)
        self.aws("ec2", "delete-internet-gateway", "--internet-gateway-id", self.gateway)
        for table, associations in self.tables:
            self.refused("DependencyViolation", "ec2", "delete-route-table", "--route-table-id", table)
            for association in associations:
                self.aws("ec2", "disassociate-route-table", "--association-id", association)
            self.aws("ec2", "delete-route-table", "--route-table-id", table)
        for subnet in [*self.public, *self.private]:
            self.aws("ec2", "delete-subnet", "--subnet-id", subnet["SubnetId"])
        self.aws("ec2", "delete-vpc", "--vpc-id", self.vpc)


def seen_by(hands: Hands, count: int) -> list[dict[str, Any]]:
    """Returns the subnets that somebody sees, as soon as they are so many."""
    deadline = time.monotonic() + 30
    while True:
        subnets: list[dict[str, Any]] = hands.aws("ec2", "describe-subnets")["Subnets"]
        if len(subnets) == count or time.monotonic() > deadline:
            assert len(subnets) == count, subnets
            return subnets


def test_the_walkthrough_is_typed_and_account_b_sees_what_is_shared(
    shell: dict[str, Hands], sandbox: Sandbox
) -> None:
    walk = Walk(shell["network"], sandbox)
    b = shell["apps"]
    # Started by its name and at the prompt, it says the same.
    words = ["ec2", "describe-vpcs", "--vpc-ids", walk.vpc]
    started = shell["network"].try_program(*words)
    assert started.returncode == 0 and started.stdout == shell["network"].try_aws(*words).stdout, started
    assert b.aws("ec2", "describe-subnets")["Subnets"] == []
    shell["home"].aws("ram", "enable-sharing-with-aws-organization")
    share = walk.share()
    seen = {subnet["SubnetId"]: subnet for subnet in seen_by(b, 2)}
    for subnet in walk.private:
        # "Tags for the resources within the shared VPC are not shared with the participants."
        shared = seen[subnet["SubnetId"]]
        assert (shared["OwnerId"], shared.get("Tags", [])) == (accounts.NETWORK, [])
        assert shared["AvailabilityZoneId"] == subnet["AvailabilityZoneId"]
    assert [vpc["VpcId"] for vpc in b.aws("ec2", "describe-vpcs")["Vpcs"]] == [walk.vpc]
    group = check_rights_of_a_participant(b, walk)
    # What B has in the VPC keeps it there, whoever owns it.
    walk.aws("ram", "delete-resource-share", "--resource-share-arn", share)
    seen_by(b, 0)
    b.aws("ec2", "delete-security-group", "--group-id", group)
    walk.clear_up()


def check_rights_of_a_participant(b: Hands, walk: Walk) -> str:
    """B makes a group in the shared VPC, and changes nothing of A's. Returns the group."""
    what = ["--group-name", "nodes", "--description", "nodes of B", "--vpc-id", walk.vpc]
    group = b.aws("ec2", "create-security-group", *what)["GroupId"]
    subnet = walk.private[0]["SubnetId"]
    for words in [
        ["delete-subnet", "--subnet-id", subnet],
        ["modify-subnet-attribute", "--subnet-id", subnet, "--map-public-ip-on-launch"],
        ["create-tags", "--resources", subnet, "--tags", "Key=a,Value=b"],
        ["create-subnet", "--vpc-id", walk.vpc, "--cidr-block", "10.0.240.0/24"],
        ["delete-vpc", "--vpc-id", walk.vpc],
    ]:
        b.refused("UnauthorizedOperation", "ec2", *words)
    # A sees the group of its guest, and cannot take it away.
    walk.refused("UnauthorizedOperation", "ec2", "delete-security-group", "--group-id", group)
    return str(group)

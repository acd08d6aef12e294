"""The program's own sandbox: commands with `--sandbox` in an empty folder, without an account or a
variable of AWS's, with `kill -9` and chaos; and `straddle sandbox` as a process beside others."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import accounts
from .inventory import by_kind, inventory
from .network import FILES, SPEC, THINGS, keep
from .sandbox import CREDENTIALS, Sandbox
from .shell import PATIENCE, SANDBOX, Shell
from .straddle import REPOSITORY, Done
from .world import World

pytestmark = [
    pytest.mark.only_on("sandbox", "it is about that one"),
    pytest.mark.usefixtures("built"),
]


class NetworkShell(Shell):
    """Somebody in a folder with nothing but the network of the main spec, who has no account."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "cross-account-alb.sandbox")
        shutil.copytree(REPOSITORY / SPEC, self.spec)
        keep(self.spec, FILES)

    def orders(self) -> int:
        """Returns how many requests that change something have been made in the sandbox."""
        file = self.world_file.with_name(f"{self.world_file.name}.requests")
        lines = file.read_text().splitlines() if file.exists() else []
        return sum(not is_read(line) for line in lines)

    def assert_converged(self) -> None:
        """Checks that nothing is left to do and that everything is there, once."""
        assert "No changes." in self.rehearse("plan", "--detailed-exitcode").stdout
        assert self.things() == THINGS

    def things(self) -> dict[str, int]:
        """Opens the world and counts what is there. There is nothing in the other accounts."""
        with Sandbox(self.world_file) as sandbox:
            world = World(sandbox, CREDENTIALS)
            for other in ("apps", "home"):
                assert inventory(world, other) == []
            return by_kind(inventory(world, "network"))


def is_read(line: str) -> bool:
    """Whether a line of the log is about a request that changes nothing, or not whole."""
    _, found, rest = line.partition('"operation":"')
    return not found or rest.startswith(("Describe", "Get", "List", "AssumeRole"))


@pytest.fixture
def shell(tmp_path: Path) -> NetworkShell:
    """Somebody in a folder with nothing but the spec."""
    return NetworkShell(tmp_path)


def test_commands_go_on_in_the_world_of_those_before(shell: NetworkShell) -> None:
    shell.rehearse("plan", "--detailed-exitcode", code=2)
    assert shell.rehearse("apply", "--auto-approve").stderr.count("created vpc-") == 1
    shell.assert_converged()
    listed = shell.run("state", "list", "spec", "--sandbox", "--json").json()
    assert len(listed["resources"]) == 20
    shell.rehearse("destroy", "--auto-approve")
    assert shell.things() == {}
    assert {path.name for path in shell.folder.iterdir()} == {"spec"}


def kill_after(shell: NetworkShell, command: str, orders: int) -> None:
    """Starts a command, which is killed when it has given so many orders, and its sandbox with it."""
    wanted = shell.orders() + orders
    process = shell.start(command, "spec", *SANDBOX, "--auto-approve")
    deadline = time.monotonic() + PATIENCE
    while shell.orders() < wanted and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    assert process.returncode == -9, "it ended too early"


@pytest.mark.parametrize("orders", [1, 3, 8, 14, 20, 24])
def test_an_apply_that_was_killed_with_its_sandbox_is_finished(shell: NetworkShell, orders: int) -> None:
    kill_after(shell, "apply", orders)
    shell.rehearse("apply", "--auto-approve")
    shell.assert_converged()


def test_what_is_killed_again_and_again_is_finished_and_destroyed(shell: NetworkShell) -> None:
    for orders in (2, 4, 6):
        kill_after(shell, "apply", orders)
    shell.rehearse("apply", "--auto-approve")
    shell.assert_converged()
    for orders in (3, 8):
        kill_after(shell, "destroy", orders)
    shell.rehearse("destroy", "--auto-approve")
    assert shell.things() == {}


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_chaos_is_survived(shell: NetworkShell, seed: str) -> None:
    shell.rehearse("apply", "--auto-approve", "--chaos", seed)
    assert '"fault":"' in shell.world_file.with_name(f"{shell.world_file.name}.requests").read_text()
    shell.assert_converged()
    shell.rehearse("destroy", "--auto-approve", "--chaos", seed)
    assert shell.things() == {}


class Process:
    """`straddle sandbox start --background`, with the commands that are about it."""

    def __init__(self, shell: NetworkShell) -> None:
        self.shell = shell
        self.number = 0

    def order(self, command: str, *words: str, code: int = 0) -> Done:
        """Types a command about the world."""
        return self.shell.run("sandbox", command, "--state", "mine.world", *words, code=code)

    def start(self, *words: str) -> Any:
        """Starts it; returns what it says about itself."""
        accounts_ = [f"--account=apps={accounts.APPS}", f"--management={accounts.HOME}"]
        started = self.order("start", "--background", "--json", *accounts_, *words).json()["sandbox"]
        self.number = started["process_id"]
        return started

    def aws(self, account: str) -> Any:
        """Returns a boto3 client with the environment that the program prints for an account."""
        import boto3

        printed = self.order("env", "--json", "--account", account).json()["environment"]
        return boto3.client(
            "ec2",
            endpoint_url=printed["AWS_ENDPOINT_URL"],
            region_name=printed["AWS_REGION"],
            aws_access_key_id=printed["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=printed["AWS_SECRET_ACCESS_KEY"],
        )

    def kill(self) -> None:
        """Ends it as `kill -9` does."""
        os.kill(self.number, 9)
        deadline = time.monotonic() + PATIENCE
        while is_running(self.number) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.number = 0


def is_running(number: int) -> bool:
    """Whether there is such a process. One that ended stays listed until somebody asks for it."""
    try:
        return ") Z " not in Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False


@pytest.fixture
def process(shell: NetworkShell) -> Iterator[Process]:
    """Nothing runs yet; whatever the test starts ends with it."""
    process = Process(shell)
    yield process
    if process.number and is_running(process.number):
        process.kill()


def test_a_sandbox_in_the_background_is_asked_emptied_and_ended(process: Process) -> None:
    started = process.start("--speed=60")
    status = process.order("status", "--json").json()
    assert (status["process_id"], status["endpoint"]) == (process.number, started["endpoint"])
    assert status["accounts"] == {accounts.APPS: "apps", accounts.HOME: "management"} and status["speed"] == 60
    vpc = process.aws("apps").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]
    assert vpc["OwnerId"] == accounts.APPS
    assert process.aws(accounts.HOME).describe_vpcs()["Vpcs"] == []
    lines = [json.loads(line) for line in process.order("log", "--json").stdout.splitlines()]
    asked = [(line["account"], line["operation"], line["outcome"]) for line in lines]
    assert asked == [(accounts.APPS, "CreateVpc", "ok"), (accounts.HOME, "DescribeVpcs", "ok")]
    assert f"{accounts.APPS} ec2 CreateVpc" in process.order("log").stdout
    process.order("reset")
    assert process.aws("apps").describe_vpcs()["Vpcs"] == []
    kept = process.aws("apps").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    process.order("stop")
    assert not is_running(process.number)
    assert "straddle sandbox start" in process.order("status", code=1).stderr
    process.start()
    assert [vpc["VpcId"] for vpc in process.aws("apps").describe_vpcs()["Vpcs"]] == [kept]


def test_a_sandbox_that_was_killed_has_kept_what_it_answered_and_is_not_asked(process: Process) -> None:
    process.start()
    made = process.aws("apps").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    process.kill()
    for command in ("status", "stop", "env"):
        assert "nobody serves" in process.order(command, code=1).stderr.lower()
    process.start()
    assert [vpc["VpcId"] for vpc in process.aws("apps").describe_vpcs()["Vpcs"]] == [made]


# In the background the reason is another process's.
@pytest.mark.parametrize("background", [[], ["--background"]])
def test_a_world_is_served_by_one_at_a_time(process: Process, background: list[str]) -> None:
    process.start()
    refused = process.order("start", *background, code=4)
    assert f"process {process.number}" in refused.stderr and "straddle sandbox stop" in refused.stderr
    assert process.order("status", "--json").json()["process_id"] == process.number


@pytest.mark.parametrize("background", [[], ["--background"]])
def test_a_port_that_is_taken_is_named(process: Process, background: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = process.order("start", "--port", port, *background, code=1)
    assert f"127.0.0.1:{port}" in refused.stderr and "--port" in refused.stderr


def test_a_run_uses_the_sandbox_that_serves_its_world(shell: NetworkShell) -> None:
    with Sandbox(shell.world_file) as sandbox:
        shell.rehearse("apply", "--auto-approve")
        assert by_kind(inventory(World(sandbox, CREDENTIALS), "network")) == THINGS
        assert "No changes." in shell.rehearse("plan", "--detailed-exitcode").stdout
    shell.assert_converged()


def test_the_whole_spec_is_made_in_both_accounts_and_taken_away(tmp_path: Path) -> None:
    shell = NetworkShell(tmp_path)
    shutil.copytree(REPOSITORY / SPEC, shell.spec, dirs_exist_ok=True)
    shell.rehearse("apply", "--auto-approve")
    assert "No changes." in shell.rehearse("plan", "--detailed-exitcode").stdout
    shell.rehearse("destroy", "--auto-approve")
    assert shell.things() == {}

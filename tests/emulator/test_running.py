"""Tests of how commands are run: by `straddle.py`, with a stand-in for the binary,
and by the script `on-moto`."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import pytest


from .accounts import APPS, HOME, NETWORK
from .inventory import by_kind, inventory
from .moto import Moto
from .world import World
from .proxy import Proxy, Stage
from .request import Entry
from .straddle import Straddle
from .virtual_environment import Environment, HarnessError

ON_MOTO = Path(__file__).resolve().parent.parent / "on-moto"

STAND_IN = f"""#!{sys.executable}
import json, os, sys, time
import boto3
if sys.argv[1] == "plan":
    print(json.dumps({{"arguments": sys.argv[1:], "state": os.environ["STRADDLE_STATE_DIR"]}}))
if sys.argv[1] == "apply":
    boto3.Session(profile_name="network-admin").client("ec2").create_vpc(CidrBlock="10.0.0.0/16")
    print("applied", flush=True)
if sys.argv[1] == "sleep":
    print("asleep", flush=True)
    time.sleep(60)
sys.exit(int(os.environ.get("CODE", "0")))
"""


@pytest.fixture
def stand_in(
    tmp_path: Path, world: World, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> Straddle:
    """A runner whose binary is the script above."""
    binary = tmp_path / "stand-in"
    binary.write_text(STAND_IN)
    binary.chmod(0o755)
    monkeypatch.setenv("STRADDLE_BIN", str(binary))
    return Straddle(tmp_path, world, proxy.endpoint)


def test_a_run_has_folders_of_its_own_and_its_plan_is_read(stand_in: Straddle) -> None:
    stand_in.write_spec({"network.toml": "", "envs/sandbox.toml": ""})
    assert stand_in.plan("--env", "sandbox") == {
        "arguments": ["plan", "--json", str(stand_in.spec), "--env", "sandbox"],
        "state": str(stand_in.state),
    }
    assert stand_in.state.is_dir() and stand_in.state.stat().st_mode & 0o077 == 0
    assert stand_in.run("plan", CODE="2").expect(2).seconds < 60
    with pytest.raises(AssertionError, match="exit code 2, expected 0"):
        stand_in.run("plan", CODE="2").expect()


def test_a_run_goes_through_the_proxy_into_its_account(
    stand_in: Straddle, world: World, proxy: Proxy
) -> None:
    assert stand_in.run("apply").expect().stdout == "applied\n"
    assert [(entry.operation, entry.account) for entry in proxy.log] == [("CreateVpc", NETWORK)]
    assert by_kind(inventory(world, "network")) == {"vpc": 1}


@pytest.mark.parametrize(("stage", "left"), [(Stage.RECEIVED, {}), (Stage.WORKED, {"vpc": 1})])
def test_a_run_can_be_killed_at_a_request(
    stand_in: Straddle, world: World, proxy: Proxy, stage: Stage, left: dict[str, int]
) -> None:
    running = None

    def kill(entry: Entry, now: Stage) -> bool:
        if entry.operation == "CreateVpc" and now == stage:
            while running is None:
                time.sleep(0.01)
            running.kill()
            return False
        return True

    proxy.on_request = kill
    running = stand_in.start("apply")
    done = running.wait()
    assert (done.code, done.stdout) == (-signal.SIGKILL, "")
    assert by_kind(inventory(world, "network")) == left


def test_a_run_can_be_interrupted_or_takes_too_long(stand_in: Straddle) -> None:
    running = stand_in.start("sleep")
    running.interrupt(signal.SIGTERM)
    assert running.wait().code == -signal.SIGTERM
    slow = stand_in.start("sleep")
    with pytest.raises(AssertionError, match="not finished after 0.1 s"):
        slow.wait(timeout=0.1)
    assert not slow.is_running


def test_moto_goes_with_its_starter() -> None:
    with Moto() as moto:
        number = moto.process_id
        assert moto._process is not None and moto._process.stdin is not None
        # What the kernel does with the pipes of a starter that was killed.
        moto._process.stdin.close()
        assert moto._process.wait(timeout=10) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


class OnMoto(subprocess.Popen[str]):
    """The script, started with some arguments."""

    def __init__(self, *command: str, **settings: Any) -> None:
        # Inherited by the moto that it starts: others may run theirs at the same time.
        self.mark = f"TRIAL={uuid.uuid4()}"
        environment = settings.pop("env", dict(os.environ))
        super().__init__(
            [sys.executable, str(ON_MOTO), *command],
            env=environment | dict([self.mark.split("=")]),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **settings,
        )

    def motos(self) -> int:
        """Counts the running moto servers that it started."""
        count = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
            except OSError:
                continue
            count += b"emulator/serve.py" in command and self.mark.encode() in environment
        return count


def test_on_moto_leads_to_three_accounts_and_to_none_of_the_users() -> None:
    program = """
import boto3
def account(session): return session.client("sts").get_caller_identity()["Account"]
home = boto3.Session()
role = dict(RoleArn="arn:aws:iam::222222222222:role/Deployer", RoleSessionName="trial")
keys = home.client("sts").assume_role(**role)["Credentials"]
apps = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
print(account(home), account(boto3.Session(profile_name="network-admin")), account(apps))
"""
    users = os.environ | {"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "mine", "AWS_ACCESS_KEY_ID": "mine"}
    process = OnMoto(sys.executable, "-c", program, env=users)
    assert process.communicate() == (f"{HOME} {NETWORK} {APPS}\n", "")
    assert process.returncode == 0 and process.motos() == 0


def test_on_moto_removes_its_files() -> None:
    process = OnMoto("sh", "-c", 'touch "$STRADDLE_STATE_DIR/x"; echo "$STRADDLE_STATE_DIR"')
    folder = Path(process.communicate()[0].strip())
    assert folder.is_absolute() and not folder.parent.exists()


@pytest.mark.parametrize(
    ("command", "code", "complaint"),
    [
        (["sh", "-c", "exit 7"], 7, ""),
        (["sh", "-c", "kill -9 $$"], 137, ""),
        (["no-such-command"], 127, "cannot run no-such-command"),
        (["--no-such-option"], 125, "unknown option"),
    ],
)
def test_on_moto_passes_the_exit_code_on(command: list[str], code: int, complaint: str) -> None:
    process = OnMoto(*command)
    errors = process.communicate()[1]
    assert (process.returncode, complaint in errors) == (code, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_on_moto_passes_signals_on_and_cleans_up(number: int) -> None:
    name = signal.Signals(number).name.removeprefix("SIG")
    script = f'trap "echo got it; exit 5" {name}; echo ready; while :; do sleep 0.05; done'
    process = OnMoto("bash", "-c", script)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    assert process.motos() == 1
    process.send_signal(number)
    assert (process.communicate()[0], process.returncode) == ("got it\n", 5)
    assert process.motos() == 0


def test_on_moto_killed_leaves_no_moto() -> None:
    process = OnMoto("sh", "-c", "echo ready; read -r never", stdin=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 10
    while process.motos() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.motos() == 0


def test_on_moto_without_cargo_says_so() -> None:
    process = OnMoto(env={"PATH": ""})
    assert process.communicate()[1].startswith("on-moto: cargo is not on the PATH")
    assert process.returncode == 125


def test_on_moto_alone_plans_applies_plans_and_destroys(tmp_path: Path) -> None:
    cargo = tmp_path / "cargo"
    cargo.write_text('#!/bin/sh\necho "ran $*"\ncase "$*" in *"$FAILING"*) exit 3;; esac\n')
    cargo.chmod(0o755)
    users = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    spec = "specs/two-networks --var account_id=999999999999"
    steps = [
        f"plan {spec}",
        f"apply --auto-approve {spec}",
        f"plan --detailed-exitcode {spec}",
        f"destroy --auto-approve {spec}",
    ]
    shown = [f"\n$ cargo run --quiet -- {step}\nran run --quiet -- {step}\n" for step in steps]

    process = OnMoto(env=users | {"FAILING": "nothing"})
    assert process.communicate() == ("ran build\n" + "".join(shown), "")
    assert process.returncode == 0

    process = OnMoto(env=users | {"FAILING": "detailed"})
    assert process.communicate()[0] == "ran build\n" + "".join(shown[:3])
    assert process.returncode == 3


@pytest.fixture
def elsewhere(tmp_path: Path) -> Environment:
    """A virtual environment in a temporary folder."""
    (tmp_path / "requirements.txt").write_text("")
    return Environment(tmp_path / ".venv", tmp_path / "requirements.txt")


def test_two_at_once_build_the_environment_once(
    elsewhere: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = []

    def build(environment: Environment) -> None:
        builds.append(time.monotonic())
        time.sleep(0.3)
        environment.python.parent.mkdir(parents=True, exist_ok=True)
        environment.python.touch()
        environment.stamp.write_text(environment.fingerprint())

    monkeypatch.setattr(Environment, "_build", build)
    threads = [threading.Thread(target=elsewhere.prepare) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1 and elsewhere.is_current()
    elsewhere.requirements.write_text("# changed")
    elsewhere.prepare()
    assert len(builds) == 2


def test_a_failing_installation_says_so(elsewhere: Environment) -> None:
    elsewhere.requirements.write_text("./no-such-package.whl\n")
    with pytest.raises(HarnessError, match="(?s)installing tests/requirements.txt.*no-such-package"):
        elsewhere.prepare()
    assert not elsewhere.is_current()

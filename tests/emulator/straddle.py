"""Runs the real binary in a folder of its own against an endpoint.

    straddle.write_spec({"network.toml": "..."})
    done = straddle.run("apply", "--auto-approve", straddle.spec)
    running = straddle.start("apply", "--auto-approve", straddle.spec)
    running.kill()

The binary is `target/debug/straddle`, or what STRADDLE_BIN names. It is never
built from here.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import accounts
from .sandbox import binary
from .world import World

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Done:
    """A run that has ended."""

    arguments: list[str]
    code: int
    """The exit code; negative if a signal ended it (-9 = killed)."""
    stdout: str
    stderr: str
    seconds: float

    def json(self) -> Any:
        """Returns standard output as JSON."""
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise AssertionError(f"no JSON on standard output ({error}):\n{self}") from error

    def expect(self, code: int = 0) -> "Done":
        """Returns itself if it ended with that exit code, and fails the test if not."""
        assert self.code == code, f"exit code {self.code}, expected {code}\n{self}"
        return self

    def __str__(self) -> str:
        return (
            f"$ straddle {' '.join(self.arguments)}  (exit code {self.code}, {self.seconds:.1f} s)\n"
            f"--- stdout\n{self.stdout}--- stderr\n{self.stderr}"
        )


class Running:
    """A run that has been started, to be killed, interrupted or waited for."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._arguments = command[1:]
        self._began = time.monotonic()
        # Files, not pipes: nobody reads while a test watches the proxy.
        self._stdout = (folder / "stdout").open("w+b")
        self._stderr = (folder / "stderr").open("w+b")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=self._stderr,
            # A Ctrl-C at pytest's terminal is not part of the trial.
            start_new_session=True,
        )

    @property
    def process_id(self) -> int:
        """The process, say for strace."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> None:
        """Ends it as `kill -9` does: no code of its own runs any more. Returns when
        it is gone, so that whatever happens next happens after its death."""
        self._process.kill()
        self._process.wait()

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """Sends a signal, Ctrl-C if none is named, and returns at once."""
        self._process.send_signal(number)

    def wait(self, timeout: float = 60) -> Done:
        """Waits for the end and returns all about it; kills it when time is up."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"not finished after {timeout} s\n{self._done(-9)}") from None
        return self._done(code)

    def _done(self, code: int) -> Done:
        seconds = time.monotonic() - self._began
        texts = []
        for file in (self._stdout, self._stderr):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        return Done(self._arguments, code, texts[0], texts[1], seconds)


class Straddle:
    """The binary with a spec folder, a state folder and credentials of its own."""

    def __init__(self, folder: Path, world: World, endpoint: str) -> None:
        self.folder = folder
        self.spec = folder / "spec"
        self.spec.mkdir()
        self.environment = accounts.environment(folder, endpoint, world.credentials)
        """The whole environment of every run; change it at will."""
        # What moto has done shows at once, so that a search need not last for minutes.
        self.environment["STRADDLE_CONSISTENCY_WINDOW"] = "2s"
        # What the checks before an apply ask is no part of most trials; `test_preflight.py` is about them.
        self.environment["STRADDLE_SKIP_PREFLIGHT"] = "1"
        self.state = Path(self.environment["STRADDLE_STATE_DIR"])
        self._runs = 0

    def write_spec(self, files: dict[str, str]) -> Path:
        """Writes files into the spec folder (`envs/x.toml` works) and returns the folder."""
        for name, text in files.items():
            path = self.spec / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self.spec

    def copy_spec(self, source: str | Path) -> Path:
        """Copies a spec of the repository, such as `specs/cross-account-alb`."""
        shutil.copytree(REPOSITORY / source, self.spec, dirs_exist_ok=True)
        return self.spec

    def run(self, *arguments: str | Path, timeout: float = 60, **variables: str) -> Done:
        """Runs the binary to its end. `variables` are added to the environment."""
        return self.start(*arguments, **variables).wait(timeout)

    def start(self, *arguments: str | Path, **variables: str) -> Running:
        """Starts the binary and returns at once."""
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        command = [str(binary()), *map(str, arguments)]
        return Running(command, self.environment | variables, folder)

    def plan(self, *arguments: str | Path) -> Any:
        """Plans the spec folder and returns the plan's JSON."""
        return self.run("plan", "--json", self.spec, *arguments).expect(0).json()

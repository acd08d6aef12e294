"""Somebody at a shell beside the program, with unmodified kubectl and aws CLI, in a sandbox that serves the world
of a stack with a cluster."""

import json
import os
import signal
import subprocess
from typing import Any

import pytest
from binaries import NotFetched
from binaries import binary as fetched

from .objects import Stack
from .sandbox import Sandbox
from .shell import PATIENCE
from .virtual_environment import TRIALS


class Hands:
    """Somebody at a shell with kubectl and the aws CLI, and with the kubeconfig that the program has written."""

    def __init__(self, stack: Stack) -> None:
        try:
            self.kubectl_path = fetched("kubectl", "3.17.2")
        except NotFetched as error:
            pytest.skip(str(error))
        self.stack = stack
        self.stack.apply()
        self.server: Sandbox | None = None
        self.serve()

    def __enter__(self) -> "Hands":
        return self

    def __exit__(self, *_: object) -> None:
        if self.server is not None:
            self.server.stop()

    def serve(self) -> None:
        """Starts a sandbox that goes on with the world."""
        self.server = Sandbox(self.stack.world_file)
        self.server.start()
        self.stack.run("kubeconfig", "spec", "--cluster", "main", "--sandbox", "--write", "kubeconfig")
        printed = self.stack.run("sandbox", "env", "--json", "--account", "apps", "--state", str(self.stack.world_file))
        self.environment = {"HOME": str(self.stack.folder), "PATH": "/usr/bin:/bin", "AWS_PAGER": ""}
        self.environment |= printed.json()["environment"]
        self.environment["KUBECONFIG"] = str(self.stack.folder / "kubeconfig")

    def kill(self) -> None:
        """Ends the sandbox as `kill -9` does."""
        assert self.server is not None
        os.kill(self.server.process_id, signal.SIGKILL)
        self.server.stop()

    def tries(self, program: list[str], words: tuple[str, ...], given: str = "") -> subprocess.CompletedProcess[str]:
        """Types a command."""
        return subprocess.run(
            [*program, *words], cwd=self.stack.folder, env=self.environment, input=given,
            capture_output=True, text=True, timeout=PATIENCE,
        )

    def kubectl(self, *words: str, given: str = "", code: int = 0) -> str:
        """Types a command, which has to end with that exit code; returns what it says."""
        done = self.tries([str(self.kubectl_path)], words, given)
        assert done.returncode == code, f"kubectl {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def refused(self, *words: str) -> str:
        """Types a command that has to be refused."""
        return self.kubectl(*words, code=1)

    def object(self, *words: str) -> Any:
        """Returns an object."""
        return json.loads(self.kubectl("get", *words, "-o", "json"))

    def aws(self, *words: str) -> Any:
        """Types a command of the aws CLI, which has to succeed, and returns what it answers."""
        done = self.tries([str(TRIALS.folder / "bin" / "python"), str(TRIALS.folder / "bin" / "aws")], words)
        assert done.returncode == 0, f"aws {' '.join(words)}\n{done.stderr}"
        return json.loads(done.stdout)

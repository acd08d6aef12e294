"""Somebody in a folder with a spec and no account, who types commands with `--sandbox`; and what has been asked
of the world since: of AWS and of clusters, in one order."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .sandbox import SPEED, binary
from .straddle import Done
from .virtual_environment import without_aws

# How long commands may take on a busy machine.
PATIENCE = 120

SANDBOX = ["--sandbox", f"--speed={SPEED}"]


@dataclass(frozen=True)
class Request:
    """A line of the sandbox's log."""

    sequence: int
    account: str
    service: str
    """Such as `ec2`; `kubernetes` for requests to clusters."""
    operation: str
    """Such as `CreateVpc`; of clusters `Get`, `List`, `Watch`, `Create`, `Update`, `Patch` or `Delete`."""
    parameters: dict[str, Any]
    outcome: str
    principal: str

    @property
    def path(self) -> str:
        """The path of a request to a cluster, such as `/api/v1/namespaces/shop`."""
        return str(self.parameters.get("path", ""))

    def __str__(self) -> str:
        return f"{self.sequence} {self.account} {self.service} {self.operation} {self.path} {self.outcome}"


class Shell:
    """A folder with a spec in `spec`. `stack` is the name of the stack, by which its world is called."""

    def __init__(self, folder: Path, stack: str) -> None:
        self.folder = folder
        self.spec = folder / "spec"
        self.world_file = self.spec / "state" / "sandbox" / f"{stack}.world"
        kept = without_aws(dict(os.environ))
        self.environment = {name: value for name, value in kept.items() if not name.startswith("STRADDLE_")}
        self.environment["HOME"] = str(folder)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Types a command and returns at once."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [str(binary()), *words], cwd=self.folder, env=self.environment, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *words: str, code: int = 0) -> Done:
        """Types a command, which has to end with that exit code."""
        began = time.monotonic()
        process = self.start(*words)
        stdout, stderr = process.communicate(timeout=PATIENCE)
        done = Done(list(words), process.returncode, stdout, stderr, time.monotonic() - began)
        return done.expect(code)

    def rehearse(self, command: str, *words: str, code: int = 0) -> Done:
        """Types a command with `--sandbox`."""
        return self.run(command, "spec", *SANDBOX, *words, code=code)

    def requests(self, after: int = 0) -> list[Request]:
        """Returns what was asked of the world, oldest first, from behind that number on."""
        file = self.world_file.with_name(f"{self.world_file.name}.requests")
        # A line that is being written has no end yet.
        text, _, _ = file.read_text().rpartition("\n") if file.exists() else ("", "", "")
        lines = [json.loads(line) for line in text.splitlines()]
        names = Request.__dataclass_fields__
        all_ = [Request(**{name: line[name] for name in names}) for line in lines]
        return [request for request in all_ if request.sequence > after]

    def place(self, operation: str, path: str = "", outcome: str = "ok") -> int:
        """Returns the place in that order of the last request like this, which there must be."""
        all_ = self.requests()
        places = [
            index
            for index, request in enumerate(all_)
            if request.operation == operation and request.outcome == outcome and request.path.startswith(path)
        ]
        assert places, f"nobody asked for {operation} {path}:\n" + "\n".join(map(str, all_))
        return places[-1]

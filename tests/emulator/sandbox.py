"""Starts, resets and stops the program's own sandbox."""

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from . import accounts, query
from .server import Server

_REPOSITORY = Path(__file__).resolve().parent.parent.parent

# How many times faster than on AWS things get ready.
SPEED = 600


def binary() -> Path:
    """Returns the path of the binary under test, which need not exist."""
    return Path(os.environ.get("STRADDLE_BIN") or _REPOSITORY / "target/debug/straddle").absolute()


def _administrator(account: str) -> accounts.Keys:
    """An access key that is an account's number is its administrator's, whatever the secret."""
    return accounts.Keys(account, "any")


# They are the same in every world.
CREDENTIALS = accounts.Credentials(
    network=_administrator(accounts.NETWORK), home=_administrator(accounts.HOME)
)


class Sandbox(Server):
    """`straddle sandbox start`, with the accounts of `accounts` in one organization."""

    name = "the sandbox"
    manager = "home"
    is_completed = False

    def __init__(self, world_file: Path | None = None, options: tuple[str, ...] = ()) -> None:
        """Makes a world, or goes on with one that a command has made. `options` are more of
        `straddle sandbox start`, such as `--enforce-iam`."""
        super().__init__()
        self._options = options
        self._folder = tempfile.TemporaryDirectory(prefix="straddle-sandbox-")
        self.world_file = world_file or Path(self._folder.name) / "world"
        """Where it keeps its world, by which its commands find it."""

    def stop(self) -> None:
        """Ends it; a world that it made goes with it."""
        super().stop()
        self._folder.cleanup()

    def command(self) -> list[str]:
        """Returns the command that serves."""
        named = {"network": accounts.NETWORK, "apps": accounts.APPS}
        members = [f"--account={name}={number}" for name, number in named.items()]
        world = f"--state={self.world_file}"
        home = f"--management={accounts.HOME}"
        return [str(binary()), "sandbox", "start", world, home, f"--speed={SPEED}", *members, *self._options]

    def port_of(self, said: bytes) -> int | None:
        """Reads the port in `export AWS_ENDPOINT_URL='http://127.0.0.1:4566'`."""
        found = re.search(rb"AWS_ENDPOINT_URL='http://127.0.0.1:([0-9]+)'\n", said)
        return int(found.group(1)) if found else None

    def order(self, method: str, path: str, body: Any = None) -> Any:
        """Gives an order to the control endpoint: `order("POST", "clock", {"advance": 60})`."""
        text = "" if body is None else json.dumps(body)
        return json.loads(query.send(self.address, method, f"/_sandbox/{path}", text, {}))

    def requests(self, after: int = 0) -> list[dict[str, Any]]:
        """Returns its own log, from behind the request of that number on."""
        return list(self.order("GET", f"log?after={after}")["requests"])

    def reset(self) -> accounts.Credentials:
        """Empties the world, without rules for faults; the accounts stay."""
        self.order("DELETE", "faults")
        self.order("POST", "reset")
        return CREDENTIALS

    def account_of(self, access_key: str) -> str:
        """Asks STS. Unlike GetCallerIdentity, this needs no signature of that key."""
        if not access_key:
            # AssumeRoleWithWebIdentity is not signed.
            return ""
        parameters = {"AccessKeyId": access_key}
        answer = query.call(self.address, "sts", "GetAccessKeyInfo", parameters, access_key=accounts.HOME)
        return query.element(answer, "Account")

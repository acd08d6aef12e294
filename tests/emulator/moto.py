"""Starts, resets and stops a moto server.

Standard library only: `on-moto` does it with any Python.
"""

import sys
from pathlib import Path

from . import accounts, query
from .server import Server

_SERVE = Path(__file__).with_name("serve.py")


class Moto(Server):
    """A moto server, completed by what `serve` says."""

    name = "moto"
    manager = "network"
    is_completed = True

    def __init__(self, python: str | Path = sys.executable) -> None:
        """`python` is that of `tests/.venv`."""
        super().__init__()
        self._python = str(python)

    def command(self) -> list[str]:
        """Returns the command that serves."""
        # -I: with the script's folder on the path, `import moto` would find this file.
        return [self._python, "-I", str(_SERVE)]

    def port_of(self, said: bytes) -> int | None:
        """Reads the first line, which is the port."""
        return int(said) if said.endswith(b"\n") else None

    def reset(self) -> accounts.Credentials:
        """Empties the world, creates users and role anew and returns their keys."""
        query.post(self.address, "/moto-api/reset", "", {})
        return accounts.seed(self.address)

    def account_of(self, access_key: str) -> str:
        """Asks STS, for moto checks no signature."""
        answer = query.call(
            self.address, "sts", "GetCallerIdentity", {}, access_key=access_key or "unsigned"
        )
        return query.element(answer, "Account")

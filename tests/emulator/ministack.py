"""Starts, resets and stops a ministack server."""

from pathlib import Path

from . import accounts, query
from .server import Server
from .virtual_environment import MINISTACK

_SERVE = Path(__file__).with_name("serve_ministack.py")


def _administrator(account: str) -> accounts.Keys:
    """An access key that is an account's number is that account's."""
    return accounts.Keys(account, "any")


class Ministack(Server):
    """A ministack server. It has no shares of RAM and looks at no permissions."""

    name = "ministack"
    manager = "home"
    is_completed = False

    def __enter__(self) -> Server:
        """Installs it first, once."""
        MINISTACK.prepare()
        return super().__enter__()

    def command(self) -> list[str]:
        """Returns the command that serves."""
        return [str(MINISTACK.python), "-I", str(_SERVE)]

    def port_of(self, said: bytes) -> int | None:
        """Reads the first line, which is the port."""
        return int(said) if said.endswith(b"\n") else None

    def reset(self) -> accounts.Credentials:
        """Empties the world; whoever names an account is in it."""
        query.post(self.address, "/_ministack/reset", "", {})
        return accounts.Credentials(
            network=_administrator(accounts.NETWORK), home=_administrator(accounts.HOME)
        )

    def account_of(self, access_key: str) -> str:
        """Asks STS, for it checks no signature."""
        answer = query.call(
            self.address, "sts", "GetCallerIdentity", {}, access_key=access_key or "unsigned"
        )
        return query.element(answer, "Account")

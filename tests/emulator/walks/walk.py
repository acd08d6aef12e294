"""A world to walk through: clients of its accounts, time that passes on demand, and refusals with
the facts of AWS that they stand on."""

import http.client
import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from .. import accounts
from ..sandbox import SPEED, Sandbox
from ..world import World
from .differences import ANSWERS, REFUSALS

_NAMES = {"network": accounts.NETWORK, "apps": accounts.APPS, "home": accounts.HOME}


class Walk:
    """What a walk needs of its world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._is_sandbox = isinstance(world.server, Sandbox)

    def client(self, account: str, service: str = "ec2") -> Any:
        """Returns a client of an account."""
        return self._world.client(account, service)

    def client_with(self, service: str, keys: dict[str, Any]) -> Any:
        """Returns a client with the keys that IAM or STS gave."""
        return self._world.client_with(service, keys)

    def is_like_aws(self, difference: str) -> bool:
        """Tells whether the server does as AWS where moto does not; see `differences`."""
        assert difference in ANSWERS, f"{difference} is not among the differences"
        return self._is_sandbox

    def refused(self, code: str, fact: str, call: Callable[..., Any], **parameters: Any) -> None:
        """Makes a call that has to be refused with a code; `fact` is why AWS refuses it."""
        operation = call.__self__.meta.method_to_api_mapping[call.__name__]  # type: ignore[attr-defined]
        expected: str | None = code
        if not self._is_sandbox and (operation, code) in REFUSALS:
            expected = REFUSALS[operation, code]
        if expected is None:
            # moto would do it, which would be in the way of what comes after.
            return
        got = refusal(call, **parameters)
        assert got == expected, f"{operation} is answered {got}, not {expected}. AWS: {fact}"

    def dry_runs(self, call: Callable[..., Any], **parameters: Any) -> None:
        """Asks whether a call would be done ("Dry runs", EC2 API reference, common parameters)."""
        self.refused(
            "DryRunOperation", "DryRun checks whether the action would succeed", call, DryRun=True, **parameters
        )

    def pages(self, client: Any, method: str, key: str, size: int, **parameters: Any) -> list[Any]:
        """Reads a list in pages of one size, each of which but the last is full."""
        pages = client.get_paginator(method).paginate(PaginationConfig={"PageSize": size}, **parameters)
        lengths, items = [], []
        for page in pages:
            lengths.append(len(page[key]))
            items += page[key]
        if self.is_like_aws("paging"):
            assert all(length == size for length in lengths[:-1]) and lengths[-1] <= size, lengths
            assert len(lengths) > 1, f"{method} has one page of {lengths}"
        return items

    def order(self, method: str, path: str, body: Any = None) -> Any:
        """Orders something of the sandbox at its control endpoint."""
        connection = http.client.HTTPConnection(*self._world.server.address, timeout=60)
        try:
            connection.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        assert response.status == 200, answer
        return answer

    def pass_time(self, seconds: float) -> None:
        """Lets time pass. With moto everything is ready at once."""
        if self._is_sandbox:
            self.order("POST", "clock", {"advance": seconds})
            self._world.forget_sessions()

    def hold_time(self) -> None:
        """Lets time stand still, so that no session ends while a slow machine is thinking."""
        if self._is_sandbox:
            self.order("POST", "clock", {"speed": 0})

    def release_time(self) -> None:
        """Lets time go on, and takes all faults away."""
        if self._is_sandbox:
            self.order("DELETE", "faults")
            self.order("POST", "clock", {"speed": SPEED})

    def fault(self, kind: str, operation: str, **more: Any) -> None:
        """Lets something go wrong with the next call of an operation."""
        self.order("POST", "faults", {"fault": kind, "operation": operation, **more})

    def fired(self) -> int:
        """Tells how many calls got a fault."""
        return sum(rule["fired"] for rule in self.order("GET", "faults")["faults"])


def refusal(call: Callable[..., Any], **parameters: Any) -> str | None:
    """Makes a call and returns the code with which it is refused; None if it is not."""
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except ResponseParserError:
        # moto's server breaks with a page in HTML.
        return "500"
    return None


def filters(**by_name: str | list[str]) -> list[dict[str, Any]]:
    """Writes filters: `filters(vpc_id="vpc-1")` is the filter `vpc-id`."""
    listed = {name: [value] if isinstance(value, str) else value for name, value in by_name.items()}
    return [{"Name": name.replace("_", "-"), "Values": values} for name, values in listed.items()]


def tag_filters(**tags: str) -> list[dict[str, Any]]:
    """Writes filters by tags: `tag_filters(Name="a")` is the filter `tag:Name`."""
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]


def named(kind: str, name: str) -> list[dict[str, Any]]:
    """Gives what is made a name."""
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def ids(things: Iterable[dict[str, Any]], key: str) -> list[str]:
    """Returns the ids of things, sorted."""
    return sorted(thing[key] for thing in things)


def number(account: str) -> str:
    """Returns an account's number."""
    return _NAMES[account]


def only_sandbox(why: str) -> pytest.MarkDecorator:
    """Marks a walk that moto cannot go."""
    return pytest.mark.only_on("sandbox", why)

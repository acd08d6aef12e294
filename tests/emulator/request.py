"""What an AWS request says on the wire, and the log that keeps it.

Understands the query protocol (EC2, IAM, STS: a form with `Action`), the JSON
protocols (`X-Amz-Target`) and, by method and path, the REST ones (EKS, RAM).
"""

import enum
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPMessage

from . import rest
from .server import Server

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_ERROR_CODE = re.compile(rb"<Code>([^<]*)</Code>|\"__type\"\s*:\s*\"(?:[^\"]*#)?([^\"]*)\"")
_READS = ("Describe", "Get", "List", "AssumeRole", "GET ", "HEAD ")


class Outcome(enum.StrEnum):
    """What became of a request."""

    OPEN = "open"
    """Not decided yet."""
    FORWARDED = "forwarded"
    """The server did the work and the client was sent its answer."""
    INJECTED = "injected"
    """The server never saw it; the client was sent an error of ours."""
    LOST = "lost"
    """The server did the work; the client was sent an error of ours, or nothing."""
    LATE = "late"
    """The client was sent nothing; the server gets the request afterwards."""
    DROPPED = "dropped"
    """The server never saw it and the client was sent nothing: a test's hook said so."""
    REPLAYED = "replayed"
    """The client was sent the answer that its client token got before."""
    BROKEN = "broken"
    """The server did not answer at all. A fault of the harness, not of the client."""
    SILENT = "silent"
    """The server closed the connection without an answer, which the client was passed on as it
    is: a fault of the sandbox's own."""


@dataclass
class Request:
    """An HTTP request as it came in."""

    method: str
    path: str
    headers: HTTPMessage
    body: bytes


@dataclass
class Entry:
    """One request in the log."""

    sequence: int
    """Counts from 1, in the order in which the requests came in."""
    time: float
    """Seconds since the epoch."""
    service: str
    """As in the signature: `ec2`, `sts`, `iam`."""
    region: str
    access_key: str
    account: str
    """The account that the access key belongs to."""
    operation: str
    """`CreateVpc`; method and path where no service has such an operation."""
    parameters: dict[str, object]
    """As on the wire: `{"CidrBlock": "10.0.0.0/16", "TagSpecification.1.Tag.1.Key": ..}`."""
    outcome: Outcome = Outcome.OPEN
    fault: str | None = None
    """The fault that a rule put in, if any."""
    status: int | None = None
    """The HTTP status that the client was sent; None if it was sent nothing."""
    error: str | None = None
    """The error code in that answer."""
    worked: int | None = None
    """The HTTP status that the server answered, whatever the client was sent; None if it
    has not seen the request."""
    answer: bytes = field(default=b"", repr=False)
    """The body that the server answered."""

    @property
    def is_read(self) -> bool:
        """Whether the operation changes nothing."""
        return self.operation.startswith(_READS)

    @property
    def tags(self) -> dict[str, str]:
        """The tags that the request asks for: at birth, or by CreateTags."""
        if self.service == "ram":
            return {tag["key"]: tag["value"] for tag in self.parameters.get("tags", [])}
        if self.service == "eks":
            return dict(self.parameters.get("tags") or {})
        found = {}
        for name, value in self.parameters.items():
            if re.search(r"\bTag\.\d+\.Key$", name):
                found[str(value)] = str(self.parameters.get(f"{name[:-3]}Value", ""))
        return found

    def __str__(self) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(self.time)) + f"{self.time % 1:.3f}"[1:]
        fault = f" ({self.fault})" if self.fault else ""
        worked = f" worked={self.worked}" if self.worked != self.status else ""
        return (
            f"#{self.sequence} {clock} {self.service} {self.account} {self.operation}: {self.outcome}"
            f"{fault} {self.status or '-'}{' ' + self.error if self.error else ''}{worked}"
        )


class Log:
    """The requests of one proxy, in order."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    def __str__(self) -> str:
        return "\n".join(str(entry) for entry in self)

    def of(self, operation: str, account: str | None = None) -> list[Entry]:
        """Returns the requests for one operation, of one account if given."""
        return [
            entry
            for entry in self
            if entry.operation == operation and account in (None, entry.account)
        ]

    @property
    def mutations(self) -> list[Entry]:
        """The requests that change something, whether they were let through or not."""
        return [entry for entry in self if not entry.is_read]

    def add(self, request: Request, account_of: "AccountLookup") -> Entry:
        """Appends an entry for a request that came in and returns it."""
        access_key, region, service = _credential(request.headers)
        operation, parameters = _operation(service, request)
        # Asked before the lock is taken: it may be a call to the server.
        account = account_of(access_key)
        with self._lock:
            entry = Entry(
                sequence=len(self._entries) + 1,
                time=time.time(),
                service=service,
                region=region,
                access_key=access_key,
                account=account,
                operation=operation,
                parameters=parameters,
            )
            self._entries.append(entry)
        return entry


class AccountLookup:
    """Finds the account of an access key by asking the server, once for each key.

    Asking needs no knowledge of where a key came from, so keys of users, of
    assumed roles and of tests are all told apart alike.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._known: dict[str, str] = {}

    def __call__(self, access_key: str) -> str:
        if access_key not in self._known:
            self._known[access_key] = self._server.account_of(access_key)
        return self._known[access_key]


def error_code(body: bytes) -> str | None:
    """Returns the error code in the body of an answer."""
    found = _ERROR_CODE.search(body)
    return (found.group(1) or found.group(2)).decode() if found else None


def _credential(headers: HTTPMessage) -> tuple[str, str, str]:
    found = _CREDENTIAL.search(headers.get("Authorization", ""))
    return (found.group(1), found.group(2), found.group(3)) if found else ("", "", "")


def _operation(service: str, request: Request) -> tuple[str, dict[str, object]]:
    path, _, query_string = request.path.partition("?")
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2], _json(request.body)
    if "form" in request.headers.get("Content-Type", "") or "Action=" in query_string:
        form = request.body.decode() or query_string
        parameters = dict(urllib.parse.parse_qsl(form, keep_blank_values=True))
        return parameters.pop("Action", "?"), dict(parameters)
    in_path = dict(urllib.parse.parse_qsl(query_string, keep_blank_values=True))
    unknown: tuple[str, dict[str, str]] = (f"{request.method} {path}", {})
    name, of_path = rest.operation(service, request.method, path) or unknown
    return name, _json(request.body) | in_path | of_path


def _json(body: bytes) -> dict[str, object]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}

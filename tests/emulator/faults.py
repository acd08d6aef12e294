"""The faults that the proxy can put in, the rules that say where, and the errors
that a client then sees, in the shape in which AWS sends them."""

import enum
import fnmatch
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .request import Entry


class Fault(enum.StrEnum):
    """What goes wrong."""

    BEFORE = "before"
    """The service fails before the work: 500, nothing done."""
    AFTER = "after"
    """The service fails after the work: 500, all done."""
    LOST = "lost"
    """The work is done and the connection closes without an answer."""
    THROTTLE = "throttle"
    """The caller is told to slow down; nothing done."""
    DELAY = "delay"
    """The request waits for `seconds` on its way to the service. Longer than the
    client's patience, this is a request that lands after the client gave up."""
    LATE = "late"
    """The connection closes at once without an answer, and the request reaches
    the service `seconds` later."""
    EXPIRED = "expired"
    """The caller's credentials have expired; nothing done."""
    DENIED = "denied"
    """The caller may not do this; nothing done."""


@dataclass
class Rule:
    """Puts a fault into the `nth` request that matches, and into the `times - 1`
    that match after it.

    Each rule counts the requests that match it by itself. Where several fire on
    one request, the one that was added first decides.
    """

    operation: str
    """The operation's name; `*` and `?` work: `Create*`."""
    fault: Fault
    nth: int = 1
    times: int | None = 1
    """How often it fires; None = from the nth on, always."""
    account: str | None = None
    service: str | None = None
    matching: Callable[[Entry], bool] | None = None
    """A further condition, say on the parameters."""
    seconds: float = 0.0
    """For `delay` and `late`."""
    seen: int = 0
    """How many requests matched so far."""
    fired: list[Entry] = field(default_factory=list)
    """The requests that got the fault. A test should look: a rule that never
    fired has proved nothing."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def fires(self, entry: Entry) -> bool:
        """Counts the request if it matches and tells whether it gets the fault."""
        if not self._matches(entry):
            return False
        with self._lock:
            self.seen += 1
            last = None if self.times is None else self.nth + self.times - 1
            return self.seen >= self.nth and (last is None or self.seen <= last)

    def _matches(self, entry: Entry) -> bool:
        return (
            fnmatch.fnmatchcase(entry.operation, self.operation)
            and self.account in (None, entry.account)
            and self.service in (None, entry.service)
            and (self.matching is None or self.matching(entry))
        )


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class _Error:
    """One error under the names that the protocols have for it."""

    message: str
    ec2: tuple[int, str]
    query: tuple[int, str]
    json: tuple[int, str]


_INTERNAL = _Error(
    "An internal error has occurred",
    ec2=(500, "InternalError"),
    query=(500, "InternalFailure"),
    json=(500, "InternalServerException"),
)

_ERRORS = {
    Fault.BEFORE: _INTERNAL,
    Fault.AFTER: _INTERNAL,
    Fault.THROTTLE: _Error(
        "Request limit exceeded.",
        ec2=(503, "RequestLimitExceeded"),
        query=(400, "Throttling"),
        json=(429, "ThrottlingException"),
    ),
    Fault.EXPIRED: _Error(
        "The security token included in the request is expired",
        ec2=(400, "RequestExpired"),
        query=(403, "ExpiredToken"),
        json=(403, "ExpiredTokenException"),
    ),
    Fault.DENIED: _Error(
        "You are not authorized to perform this operation.",
        ec2=(403, "UnauthorizedOperation"),
        query=(403, "AccessDenied"),
        json=(403, "AccessDeniedException"),
    ),
}

_QUERY_SERVICES = ("autoscaling", "cloudformation", "elasticloadbalancing", "iam", "sts")


def error_answer(fault: Fault, entry: Entry) -> Answer:
    """Returns the error that AWS would send for a fault, in the protocol of the
    service that was asked."""
    error = _ERRORS[fault]
    if entry.service == "ec2":
        return ec2_error(*error.ec2, error.message, _request_id(entry))
    if entry.service in _QUERY_SERVICES:
        return _query_error(*error.query, error.message, _request_id(entry))
    return json_error(*error.json, error.message, _request_id(entry))


def ec2_error(status: int, code: str, message: str, request_id: str = "") -> Answer:
    """Returns an error in EC2's own shape, which differs from every other service's."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        f"<RequestID>{request_id}</RequestID></Response>"
    )
    return Answer(status, [("Content-Type", "text/xml;charset=UTF-8")], body.encode())


def _query_error(status: int, code: str, message: str, request_id: str) -> Answer:
    blame = "Receiver" if status >= 500 else "Sender"
    body = (
        f"<ErrorResponse><Error><Type>{blame}</Type><Code>{code}</Code>"
        f"<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    headers = [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)]
    return Answer(status, headers, body.encode())


def json_error(status: int, code: str, message: str, request_id: str = "") -> Answer:
    """Returns an error in the shape of the JSON protocols."""
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", code),
        ("x-amzn-RequestId", request_id),
    ]
    return Answer(status, headers, json.dumps({"__type": code, "message": message}).encode())


def _request_id(entry: Entry) -> str:
    # Leads from an error message of the client's back to the line in the log.
    return f"00000000-0000-4000-8000-{entry.sequence:012d}"


class FirstOfEach:
    """Matches the first request of each content, and never its repetition."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, entry: Entry) -> bool:
        # A repetition has the same parameters; one that is a new operation has other tags.
        about = {
            name: value
            for name, value in entry.parameters.items()
            if "tag" not in name.lower() and name.lower() not in ("clienttoken", "clientrequesttoken")
        }
        address = entry.tags.get("straddle:address", "")
        key = f"{entry.operation} {address} {sorted(about.items())}"
        is_first = not entry.is_read and key not in self._seen
        self._seen.add(key)
        return is_first

"""A proxy in front of a server that logs every request and puts in faults.

    with Proxy(server) as proxy:
        rule = proxy.add("CreateVpc", "lost")
        ...                                    # run straddle with proxy.endpoint
        assert rule.fired and proxy.log.of("CreateVpc")[0].worked == 200

To the client it is an AWS endpoint that keeps connections alive, as AWS does and
moto does not.
"""

import enum
import http.client
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .corrections import Corrections
from .faults import Answer, Fault, Rule, ec2_error, error_answer
from .request import AccountLookup, Entry, Log, Outcome, Request, error_code
from .server import Server
from .tokens import TokenMemory

# Those of the server's headers that are about its own connection, or that AWS has not.
_NOT_PASSED_ON = ("connection", "content-length", "date", "server", "status", "transfer-encoding")


class Stage(enum.StrEnum):
    """When a hook is called in the life of a request."""

    RECEIVED = "received"
    """The request is here and the server has not seen it."""
    WORKED = "worked"
    """The server has answered and the client has not been told."""
    ANSWERED = "answered"
    """The answer has been sent to the client."""


Hook = Callable[[Entry, Stage], bool | None]
"""Called for each request at each stage it reaches. At `RECEIVED`, returning False
drops the request: the server never sees it. At `WORKED`, returning False drops the answer.
It may kill the client at any of the three."""

Rewrite = Callable[[Entry, Answer], Answer]
"""Called with each answer of the server; returns what the client is sent instead. For what
the server cannot show, such as things that another account has in a shared subnet."""


class Proxy:
    """A fault-injecting proxy on a loopback port of its own, as a context manager."""

    def __init__(self, server: Server, client_tokens: bool = True) -> None:
        """`client_tokens` makes up for the missing memory of them; see `tokens`."""
        self.log = Log()
        self.rules: list[Rule] = []
        self.on_request: Hook | None = None
        self.rewrite: Rewrite | None = None
        self._address = server.address
        self._account_of = AccountLookup(server)
        self._corrections = Corrections(server.address) if server.is_completed else None
        self._tokens = TokenMemory() if client_tokens and server.is_completed else None
        self._late: list[threading.Timer] = []
        self._listener = _Listener(("127.0.0.1", 0), _Handler)
        self._listener.proxy = self
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for timer in self._late:
            # It must not land in the next test's world.
            timer.cancel()
        self._listener.shutdown()
        self._listener.server_close()

    @property
    def endpoint(self) -> str:
        """The URL to use as `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def add(self, operation: str, fault: str | Fault, **settings: Any) -> Rule:
        """Adds a rule and returns it; the settings are those of `Rule`."""
        rule = Rule(operation, Fault(fault), **settings)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Removes the rules and the hooks, say before the run that must recover."""
        self.rules = []
        self.on_request = self.rewrite = None

    def wait_for_late(self) -> None:
        """Returns when every `late` request has reached the server."""
        for timer in self._late:
            timer.join()

    def handle(self, request: Request) -> tuple[Entry, Answer | None]:
        """Logs a request and returns what to answer; None = close without an answer."""
        entry = self.log.add(request, self._account_of)
        if not self.call_hook(entry, Stage.RECEIVED):
            entry.outcome = Outcome.DROPPED
            return entry, None
        # Every rule counts, not only those before the first that fires.
        firing = [rule for rule in self.rules if rule.fires(entry)]
        if firing:
            firing[0].fired.append(entry)
            entry.fault = firing[0].fault
        answer = self._act(firing[0] if firing else None, entry, request)
        if entry.outcome == Outcome.SILENT:
            answer = None
        if answer is not None:
            entry.status = answer.status
            entry.error = error_code(answer.body) if answer.status >= 400 else None
        return entry, answer

    def call_hook(self, entry: Entry, stage: Stage) -> bool:
        """Calls the test's hook, if there is one; False = go no further."""
        hook = self.on_request
        return hook is None or hook(entry, stage) is not False

    def _act(self, rule: Rule | None, entry: Entry, request: Request) -> Answer | None:
        match rule.fault if rule else None:
            case None:
                return self._deliver(entry, request)
            case Fault.DELAY:
                time.sleep(rule.seconds)
                return self._deliver(entry, request)
            case Fault.AFTER:
                if self._deliver(entry, request) is None:
                    return None
                entry.outcome = Outcome.LOST
                return error_answer(Fault.AFTER, entry)
            case Fault.LOST:
                self._deliver(entry, request)
                entry.outcome = Outcome.LOST
                return None
            case Fault.LATE:
                self._send_later(rule.seconds, entry, request)
                return None
            case refusal:
                entry.outcome = Outcome.INJECTED
                return error_answer(refusal, entry)

    def _deliver(self, entry: Entry, request: Request) -> Answer | None:
        """Lets the server do the work; None if the hook dropped the answer."""
        answer = self._work(entry, request)
        if self.call_hook(entry, Stage.WORKED):
            return answer
        entry.outcome = Outcome.LOST
        return None

    def _work(self, entry: Entry, request: Request) -> Answer:
        def forward(entry: Entry) -> Answer:
            refusal = self._corrections and self._corrections.refusal(entry)
            answer = refusal or self._forward(entry, request)
            if entry.outcome not in (Outcome.BROKEN, Outcome.SILENT):
                entry.worked, entry.answer = answer.status, answer.body
                if self._corrections is not None:
                    self._corrections.complete(entry)
            return answer if self.rewrite is None else self.rewrite(entry, answer)

        # The memory of tokens says so if it answers in the server's place.
        if entry.outcome == Outcome.OPEN:
            entry.outcome = Outcome.FORWARDED
        return forward(entry) if self._tokens is None else self._tokens.work(entry, forward)

    def _send_later(self, seconds: float, entry: Entry, request: Request) -> None:
        entry.outcome = Outcome.LATE
        timer = threading.Timer(seconds, self._work, (entry, request))
        timer.daemon = True
        self._late.append(timer)
        timer.start()

    def _forward(self, entry: Entry, request: Request) -> Answer:
        connection = http.client.HTTPConnection(*self._address, timeout=120)
        try:
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name.lower() not in ("connection", "content-length", "expect"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(request.body)))
            connection.putheader("Connection", "close")
            connection.endheaders(request.body)
            response = connection.getresponse()
            return Answer(response.status, response.getheaders(), response.read())
        except (OSError, http.client.HTTPException) as error:
            is_silent = isinstance(error, (ConnectionResetError, http.client.RemoteDisconnected))
            entry.outcome = Outcome.SILENT if is_silent else Outcome.BROKEN
            return ec2_error(502, "ServerDoesNotAnswer", type(error).__name__)
        finally:
            connection.close()


class _Listener(ThreadingHTTPServer):
    proxy: Proxy
    daemon_threads = True
    # A client that keeps its connection open must not keep a test from ending.
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing about clients that went away: tests kill them on purpose."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet, or each answer waits for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Listener

    def log_message(self, *_: object) -> None:
        """Prints nothing: the log is `Proxy.log`."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, self.headers, self.rfile.read(length))
        proxy = self.server.proxy
        entry, answer = proxy.handle(request)
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in _NOT_PASSED_ON:
                self.send_header(name, value)
        # Clients check their clock against it.
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()
        proxy.call_hook(entry, Stage.ANSWERED)

    do_DELETE = do_GET = do_HEAD = do_PATCH = do_POST = do_PUT = _serve

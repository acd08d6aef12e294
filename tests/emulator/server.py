"""A server that stands in for AWS on this machine: how it is started and stopped, and what the
harness asks of it whichever it is."""

import abc
import os
import select
import subprocess
import tempfile
import time

from . import accounts
from .virtual_environment import HarnessError, without_aws

# Importing moto takes two seconds on an idle machine, far more on a busy one.
_START_SECONDS = 120


class Server(abc.ABC):
    """A server of our own on a loopback port, as a context manager.

    Its world is empty at the start and after each `reset`, but for what `accounts` says.
    """

    name: str
    """What people call it."""
    manager: str
    """The account that manages the organization, or may make one."""
    is_completed: bool
    """Whether the proxy makes up for what it lacks: memory of client tokens, and `corrections`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()
        self.address = ("127.0.0.1", 0)

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The URL to use as `AWS_ENDPOINT_URL`."""
        return f"http://{self.address[0]}:{self.address[1]}"

    @property
    def process_id(self) -> int:
        """The server's process, for tests of the harness."""
        assert self._process is not None, f"{self.name} is not running"
        return self._process.pid

    def start(self) -> None:
        """Starts the server and returns when it answers."""
        self._process = subprocess.Popen(
            self.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=without_aws(dict(os.environ)),
            # Ctrl-C is for the command under test, which still needs the server to finish.
            start_new_session=True,
        )
        try:
            self.address = ("127.0.0.1", self._read_port())
        except BaseException:
            self.stop()
            raise

    def _read_port(self) -> int:
        assert self._process is not None and self._process.stdout is not None
        # Past the buffer of `stdout`, of which `select` knows nothing.
        said, descriptor = b"", self._process.stdout.fileno()
        deadline = time.monotonic() + _START_SECONDS
        while select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            part = os.read(descriptor, 4096)
            said += part
            port = self.port_of(said)
            if port is not None:
                return port
            if not part:
                break
        raise HarnessError(f"{self.name} did not start:\n{self.log_text()[-2000:]}")

    def stop(self) -> None:
        """Ends the server, by its process id."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log_text(self) -> str:
        """Returns what the server wrote, where the reason for a 500 is found."""
        # Not seek and read: the position is shared with the server, which writes at it.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    @abc.abstractmethod
    def command(self) -> list[str]:
        """Returns the command that serves."""

    @abc.abstractmethod
    def port_of(self, said: bytes) -> int | None:
        """Reads the port in what the server has printed so far; None if it is not there yet."""

    @abc.abstractmethod
    def reset(self) -> accounts.Credentials:
        """Empties the world and returns the keys to its accounts (the old ones are gone)."""

    @abc.abstractmethod
    def account_of(self, access_key: str) -> str:
        """Returns the account that an access key belongs to."""

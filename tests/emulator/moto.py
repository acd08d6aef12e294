"""Starts, resets and stops a moto server, and talks to it with boto3.

Starting needs the standard library only (`on-moto` does it with any Python);
boto3 is looked for when a client is asked for, which only the tests do.
"""

import functools
import os
import select
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from . import accounts, query
from .virtual_environment import HarnessError, without_aws

_SERVE = Path(__file__).with_name("serve.py")

# Importing moto takes two seconds on an idle machine, far more on a busy one.
_START_SECONDS = 120


class Moto:
    """A moto server of our own on a loopback port, as a context manager.

    Its world is empty at the start and after each `reset`, but for the users and
    the role of `accounts`.
    """

    def __init__(self, python: str | Path = sys.executable) -> None:
        """`python` is that of `tests/.venv`."""
        self._python = str(python)
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()
        self.address = ("127.0.0.1", 0)

    def __enter__(self) -> "Moto":
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
        assert self._process is not None, "moto is not running"
        return self._process.pid

    def start(self) -> None:
        """Starts the server and returns when it answers."""
        self._process = subprocess.Popen(
            # -I: with the script's folder on the path, `import moto` would find this file.
            [self._python, "-I", str(_SERVE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=without_aws(dict(os.environ)),
            # Ctrl-C is for the command under test, which still needs moto to finish.
            start_new_session=True,
        )
        try:
            self.address = ("127.0.0.1", self._read_port())
        except BaseException:
            self.stop()
            raise

    def _read_port(self) -> int:
        assert self._process is not None and self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _START_SECONDS)
        line = self._process.stdout.readline() if ready else b""
        if not line.strip().isdigit():
            raise HarnessError(f"moto did not start:\n{self.log_text()[-2000:]}")
        return int(line)

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

    def reset(self) -> accounts.Credentials:
        """Empties the world, creates users and role anew and returns their keys
        (the old ones are gone)."""
        query.post(self.address, "/moto-api/reset", "", {})
        return accounts.seed(self.address)

    def log_text(self) -> str:
        """Returns what the server wrote, where the reason for a 500 of moto's is found."""
        # Not seek and read: the position is shared with the server, which writes at it.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")


class World:
    """One test's emulated world: a freshly reset moto and the keys to its accounts."""

    def __init__(self, moto: Moto) -> None:
        self.moto = moto
        self.credentials = moto.reset()
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, account: str, service: str = "ec2", endpoint: str | None = None) -> Any:
        """Returns a boto3 client for an account (`network`, `apps` or `home`).

        It talks to moto itself, past any proxy, unless `endpoint` says otherwise,
        and tries each call once, so that a test sees every fault it put in.
        """
        endpoint = endpoint or self.moto.endpoint
        # Hooks of the proxy call this in threads of their own, and making a client
        # is neither quick nor safe to do twice at once.
        with _CLIENTS:
            key = (account, service, endpoint)
            if key not in self._clients:
                self._clients[key] = self._new_client(*key)
            return self._clients[key]

    def _new_client(self, account: str, service: str, endpoint: str) -> Any:
        if account != "apps":
            return _client(service, endpoint, getattr(self.credentials, account))
        # Past the proxy: its log shall hold what the test is about.
        sts = _client("sts", self.moto.endpoint, self.credentials.home)
        answer = sts.assume_role(RoleArn=accounts.DEPLOYER, RoleSessionName="harness")["Credentials"]
        keys = accounts.Keys(answer["AccessKeyId"], answer["SecretAccessKey"])
        return _client(service, endpoint, keys, answer["SessionToken"])


_CLIENTS = threading.Lock()


@functools.cache
def _session() -> Any:
    import boto3

    # One for all clients: it reads the description of a service, which is slow, once.
    return boto3.session.Session()


def _client(service: str, endpoint: str, keys: accounts.Keys, token: str | None = None) -> Any:
    from botocore.config import Config

    return _session().client(
        service,
        region_name=query.REGION,
        endpoint_url=endpoint,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )

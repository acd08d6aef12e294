"""One test's world, and the boto3 clients that look into it."""

import functools
import threading
from typing import Any

from . import accounts, query
from .server import Server


class World:
    """One test's world: a server, and the keys to its accounts."""

    def __init__(self, server: Server, credentials: accounts.Credentials | None = None) -> None:
        """Empties the server, unless there are credentials for what is there."""
        self.server = server
        self.credentials = credentials or server.reset()
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, account: str, service: str = "ec2", endpoint: str | None = None) -> Any:
        """Returns a boto3 client for an account (`network`, `apps` or `home`).

        It talks to the server itself, past any proxy, unless `endpoint` says otherwise,
        and tries each call once, so that a test sees every fault it put in.
        """
        endpoint = endpoint or self.server.endpoint
        # Hooks of the proxy call this in threads of their own, and making a client
        # is neither quick nor safe to do twice at once.
        with _CLIENTS:
            key = (account, service, endpoint)
            if key not in self._clients:
                self._clients[key] = self._new_client(*key)
            return self._clients[key]

    def client_with(self, service: str, keys: dict[str, Any]) -> Any:
        """Returns a client with keys as IAM and STS answer them."""
        of_account = accounts.Keys(keys["AccessKeyId"], keys["SecretAccessKey"])
        with _CLIENTS:
            return _client(service, self.server.endpoint, of_account, keys.get("SessionToken"))

    def forget_sessions(self) -> None:
        """Lets clients be made anew, as those of sessions that time has ended."""
        with _CLIENTS:
            self._clients.clear()

    def _new_client(self, account: str, service: str, endpoint: str) -> Any:
        if account != "apps":
            return _client(service, endpoint, getattr(self.credentials, account))
        # Past the proxy: its log shall hold what the test is about.
        sts = _client("sts", self.server.endpoint, self.credentials.home)
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

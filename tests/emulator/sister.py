"""A spec of a whole set-up with a server of its world, which `--sandbox` finds: what it leaves in all accounts, and what
somebody on the internet is answered."""

import http.client
import json
import shutil
import socket
import ssl
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .accounts import NAMES
from .mission import existing
from .sandbox import CREDENTIALS, Sandbox
from .shell import Shell
from .straddle import REPOSITORY, Done
from .world import World


class Sister(Shell, AbstractContextManager["Sister"]):
    """A copy of a spec to change, in a world in which policies decide."""

    world: World

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, f"{name}.sandbox")
        self.spec_name = name
        shutil.copytree(REPOSITORY / "specs" / name, self.spec)
        self.world_file.parent.mkdir(parents=True)
        self.server = Sandbox(self.world_file, ("--enforce-iam",))

    def __enter__(self) -> "Sister":
        self.server.__enter__()
        self.world = World(self.server, CREDENTIALS)
        return self

    def __exit__(self, *failure: object) -> None:
        self.server.stop()

    def apply(self, *words: str, code: int = 0) -> str:
        """Applies the spec; returns what was said."""
        return said(self.rehearse("apply", "--auto-approve", *words, code=code))

    def destroy(self, *words: str, code: int = 0) -> str:
        """Destroys everything; returns what was said."""
        return said(self.rehearse("destroy", "--auto-approve", *words, code=code))

    def change(self, file: str, old: str, new: str) -> None:
        """Changes a file of the spec."""
        path = self.spec / file
        text = path.read_text()
        assert old in text, f"{file} has no {old}"
        path.write_text(text.replace(old, new))

    def client(self, account: str, service: str) -> Any:
        """Returns a client whose credentials have not ended: hours of the world pass in a test."""
        self.world.forget_sessions()
        return self.world.client(account, service)

    def url(self) -> str:
        """Returns where the game is."""
        done = self.run("output", "url", "--raw", "--spec", "spec", "--sandbox")
        return done.stdout.strip()

    def visit(self, url: str) -> tuple[int, str]:
        """Asks as a browser would; returns the status and the page."""
        connection = http.client.HTTPConnection(self._outside("plain"), timeout=30)
        connection.request("GET", "/", headers={"Host": url.removeprefix("http://").split("/")[0]})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the cluster as its administrator would; a change is a patch to merge."""
        [name] = self.client("apps", "eks").list_clusters()["clusters"]
        endpoint = self.client("apps", "eks").describe_cluster(name=name)["cluster"]["endpoint"]
        token = self.run("token", "spec", "--cluster", name, "--sandbox").json()["status"]["token"]
        connection = _Elsewhere(self._outside("tls"), urlsplit(endpoint).hostname or "")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
        return json.loads(text)

    def scale(self, path: str, replicas: int) -> None:
        """Says how many pods a Deployment has, and waits until it has so many."""
        self.api("PATCH", path, {"spec": {"replicas": replicas}})
        for _ in range(100):
            if (self.api("GET", path)["status"].get("availableReplicas") or 0) == replicas:
                return
            time.sleep(0.05)
        raise AssertionError(f"{path} never has {replicas} pods")

    def _outside(self, door: str) -> str:
        status = self.run("sandbox", "status", "--json", f"--state={self.world_file}").json()
        return str(status["outside"][door])

    def assert_converged(self) -> None:
        """Checks that nothing is left to do."""
        assert "No changes." in self.rehearse("plan", "--detailed-exitcode").stdout

    def assert_gone(self) -> None:
        """Checks that nothing is left in any account, nor in the state."""
        state = self.run("state", "list", "spec", "--sandbox", "--json").json() or {}
        assert not state.get("resources") and not state.get("pending"), state
        self.world.forget_sessions()
        for account in NAMES:
            # What EKS and ELB act with comes at first use, and stays.
            assert existing(self.world, account) == {}, account
            ec2, elb = self.client(account, "ec2"), self.client(account, "elbv2")
            assert ec2.describe_network_interfaces()["NetworkInterfaces"] == [], account
            assert elb.describe_load_balancers()["LoadBalancers"] == [], account
            assert elb.describe_target_groups()["TargetGroups"] == [], account


class _Elsewhere(http.client.HTTPSConnection):
    """A connection to a host that is on this machine. Who it is was looked at by the program itself."""

    def __init__(self, address: str, host: str) -> None:
        self._context_for_all = ssl.create_default_context()
        self._context_for_all.check_hostname = False
        self._context_for_all.verify_mode = ssl.CERT_NONE
        super().__init__(host, timeout=30, context=self._context_for_all)
        self._address = address.rsplit(":", 1)

    def connect(self) -> None:
        """Connects there, under the host's own name."""
        plain = socket.create_connection((self._address[0], int(self._address[1])), 10)
        self.sock = self._context_for_all.wrap_socket(plain, server_hostname=self.host)


def said(done: Done) -> str:
    """Returns what a run printed, without the breaks between lines."""
    return " ".join((done.stdout + done.stderr).split())

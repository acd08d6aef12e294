"""Charts from a repository on this machine: which version is taken, what is locked, and what is said when it is not
the one that was locked."""

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .objects import GROUND, Stack
from .shell import Shell

pytestmark = [
    pytest.mark.only_on("sandbox", "no server is asked: once is enough"),
    pytest.mark.usefixtures("built"),
]

SPEC = """
[stack]
name = "shop"

[account.apps]
id     = "222222222222"
region = "us-east-1"

[helm_release.web]
cluster    = "demo"
repository = "{repository}"
chart      = "web"
version    = "{version}"
"""

TEMPLATE = """
apiVersion: v1
kind: ConfigMap
metadata: {{name: web}}
data: {{content: "{content}"}}
"""


class Repository:
    """A folder with packed charts and their index, served by plain HTTP."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self.asked: list[str] = []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, format: str, *arguments: object) -> None:
                asked.append(self.path)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self._index: dict[str, str] = {}

    def publish(self, version: str, content: str = "") -> None:
        """Puts a version of the chart there, in the place of another one with that name."""
        files = {
            "web/Chart.yaml": f"apiVersion: v2\nname: web\nversion: {version}\n",
            "web/templates/web.yaml": TEMPLATE.format(content=content or version),
        }
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, text in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))
        (self._folder / f"web-{version}.tgz").write_bytes(packed.getvalue())
        self._index[version] = hashlib.sha256(packed.getvalue()).hexdigest()
        entries = [
            {"name": "web", "version": version, "urls": [f"web-{version}.tgz"], "digest": digest}
            for version, digest in self._index.items()
        ]
        (self._folder / "index.yaml").write_text(json.dumps({"apiVersion": "v1", "entries": {"web": entries}}))


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    repository = Repository(tmp_path / "repository")
    repository.publish("1.0.0")
    repository.publish("1.1.0")
    thread = threading.Thread(target=repository.server.serve_forever)
    thread.start()
    yield repository
    repository.server.shutdown()
    thread.join()
    repository.server.server_close()


@pytest.fixture
def shell(tmp_path: Path, repository: Repository) -> Shell:
    shell = Shell(tmp_path, "shop")
    shell.spec.mkdir()
    write(shell, repository, "^1")
    return shell


def write(shell: Shell, repository: Repository, version: str) -> None:
    text = SPEC.format(repository=repository.address, version=version)
    (shell.spec / "main.toml").write_text(text)


def test_what_is_locked_stays_until_it_is_updated(shell: Shell, repository: Repository) -> None:
    refused = shell.run("validate", "spec", code=1).stderr
    assert "The version of the chart web is not locked: `^1` allows several." in refused
    assert "straddle charts lock" in refused
    lock = shell.spec / "charts.lock"
    assert "would change" in shell.run("charts", "lock", "spec", "--check", code=2).stderr
    assert not lock.exists()
    assert f"+ web ^1 of {repository.address}: 1.1.0" in shell.run("charts", "lock", "spec").stdout
    assert "The spec is valid: 1 resource" in shell.run("validate", "spec").stdout

    repository.publish("1.2.0")
    before = lock.read_text()
    shell.run("charts", "lock", "spec", "--check")
    shell.run("charts", "lock", "spec")
    assert lock.read_text() == before
    listed = json.loads(shell.run("charts", "list", "spec", "--newest", "--json").stdout)["charts"]
    assert [(chart["locked"], chart["newest"]) for chart in listed] == [("1.1.0", "1.2.0")]
    missing = shell.run("charts", "update", "spec", "--chart", "other", code=1).stderr
    assert "`other`" in missing and "`web`" in missing
    updated = json.loads(shell.run("charts", "update", "spec", "--chart", "web", "--json").stdout)
    assert [(chart["before"], chart["version"]) for chart in updated["charts"]] == [("1.1.0", "1.2.0")]
    assert "locked 1.2.0" in shell.run("charts", "list", "spec").stdout


def test_what_was_fetched_needs_no_repository(shell: Shell, repository: Repository) -> None:
    write(shell, repository, "1.0.0")
    shell.run("validate", "spec")
    assert repository.asked == ["/index.yaml", "/web-1.0.0.tgz"]
    shell.run("validate", "spec")
    shell.run("graph", "spec")
    assert len(repository.asked) == 2


def test_another_archive_of_a_locked_version_is_refused(shell: Shell, repository: Repository) -> None:
    shell.run("charts", "lock", "spec")
    repository.publish("1.1.0", content="something else")
    (shell.folder / ".cache").rename(shell.folder / "lost")
    refused = " ".join(shell.run("validate", "spec", code=1).stderr.split())
    assert "but charts.lock says" in refused and "straddle charts update --chart web" in refused
    assert "another archive of 1.1.0" in shell.run("charts", "update", "spec", "--chart", "web").stdout
    shell.run("validate", "spec")


def test_a_chart_beside_the_lock_file_is_refused(shell: Shell, repository: Repository) -> None:
    shell.run("charts", "lock", "spec")
    write(shell, repository, "1.0.0")
    refused = shell.run("validate", "spec", code=1).stderr
    assert "charts.lock does not have the chart web in the version `1.0.0`" in refused
    assert "main.toml:12:14" in refused
    shell.run("charts", "lock", "spec", "--prune")
    assert (shell.spec / "charts.lock").read_text().count("[[chart]]") == 1
    (shell.spec / "charts.lock").write_text("[[chart")
    broken = shell.run("validate", "spec", code=1).stderr
    assert "charts.lock cannot be read" in broken
    assert (shell.spec / "charts.lock").read_text() == "[[chart"


def test_what_is_not_there_is_said_with_its_place(shell: Shell, repository: Repository) -> None:
    write(shell, repository, "^3")
    refused = shell.run("charts", "lock", "spec", code=1).stderr
    assert "main.toml:12:14" in refused
    assert "has no version of web that is ^3; the newest is 1.1.0" in refused
    assert not (shell.spec / "charts.lock").exists()


RELEASE = """
[helm_release.crds]
cluster    = "${eks_cluster.main}"
repository = "https://aws.github.io/eks-charts"
chart      = "aws-load-balancer-controller"
version    = "1.13.4"
values     = { clusterName = "main", region = "us-east-1", vpcId = "${vpc.main.id}", replicaCount = 0, createIngressClassResource = false }
wait       = false
"""


def test_a_chart_that_is_not_to_be_had_any_more_keeps_nothing(tmp_path: Path) -> None:
    stack = Stack(tmp_path, GROUND + RELEASE)
    stack.apply("--skip", "controller")
    stack.assert_converged()
    stack.write(GROUND + RELEASE.replace("1.13.4", "9.9.9"))
    refused = " ".join(stack.plan(code=1).stderr.split())
    assert "has no version of aws-load-balancer-controller that is 9.9.9" in refused
    destroyed = stack.destroy().stderr
    assert "charts are left out" in destroyed
    assert "helm_release.crds['CustomResourceDefinition/ingressclassparams.elbv2.k8s.aws']" in destroyed
    assert "Destroy complete" in destroyed

"""Releases of a chart in the folder of the spec, by the real program: each object has its own line in the plan, what is
changed is changed alone, and what stands already is gone on with. What others do is done with kubectl."""

import json
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .clusters import said
from .hands import Hands
from .objects import GROUND, NAMESPACE, Stack

pytestmark = [
    pytest.mark.only_on("sandbox", "moto's clusters have no objects"),
    pytest.mark.usefixtures("built"),
]

CHART = Path(__file__).parent / "charts" / "shop"

RELEASE = """
[helm_release.shop]
cluster    = "${eks_cluster.main}"
chart      = "charts/shop"
namespace  = "shop"
values     = { colour = "blue", owner = "${iam_role.nodes.arn}" }
depends_on = ["kubernetes_object.shop"]
"""
FORCED = RELEASE + 'conflicts = "force"\n'
BESIDE = GROUND + NAMESPACE

# What the chart makes with its own values, in the namespace unless said otherwise.
OBJECTS = [
    "ConfigMap/shop/after",
    "ConfigMap/shop/first-before",
    "ConfigMap/shop/second-before",
    "ConfigMap/shop/shop-cache",
    "ConfigMap/shop/shop-settings",
    "CustomResourceDefinition/orders.shop.example.com",
    "Order/shop/first",
    "Secret/shop/shop-password",
    "Secret/shop/shop-tls",
    "Service/shop/shop",
    "ServiceAccount/shop/shop-audit",
]


class Release(Stack):
    """A stack with a copy of the chart, which tests change."""

    def __init__(self, folder: Path, text: str) -> None:
        super().__init__(folder, text)
        self.renew()

    @property
    def chart(self) -> Path:
        """The folder of the chart."""
        return self.spec / "charts" / "shop"

    def renew(self) -> None:
        """Puts the chart there as it was."""
        shutil.rmtree(self.chart, ignore_errors=True)
        shutil.copytree(CHART, self.chart)

    def edit(self, file: str, old: str, new: str) -> None:
        """Changes a file of the chart."""
        text = (self.chart / file).read_text()
        assert old in text, text
        (self.chart / file).write_text(text.replace(old, new))

    def changes(self) -> dict[str, str]:
        """Returns the action of each object of the release that a plan changes."""
        planned = json.loads(self.plan("--json").stdout)
        return {
            change["address"].removeprefix("helm_release.shop['").removesuffix("']"): change["action"]
            for change in planned["changes"]
        }

    def sent(self, after: int) -> list[str]:
        """Returns the paths in the cluster that were written to behind that many requests, dry runs left out."""
        writes = ("Create", "Patch", "Update", "Delete")
        return [
            request.path
            for request in self.requests()[after:]
            if request.service == "kubernetes" and request.operation in writes
            and "dryRun" not in str(request.parameters.get("query", ""))
        ]

    def now(self) -> int:
        """Returns how many requests there were; their own numbers begin anew with each run."""
        return len(self.requests())


@pytest.fixture(scope="module")
def cluster(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    """One cluster for the tests that change a release; the plan of all was made when it was not there."""
    with Hands(Release(tmp_path_factory.mktemp("releases"), BESIDE + RELEASE)) as hands:
        yield hands


@pytest.fixture
def hands(cluster: Hands) -> Hands:
    """The cluster, with the release as the chart has it."""
    release_of(cluster).renew()
    cluster.stack.write(BESIDE + RELEASE)
    cluster.stack.apply()
    return cluster


def release_of(hands: Hands) -> Release:
    """Returns the stack."""
    assert isinstance(hands.stack, Release)
    return hands.stack


def assert_is_there(hands: Hands, *keys: str) -> None:
    """Checks that objects are in the cluster."""
    for key in keys:
        kind, *_, name = key.split("/")
        hands.object(kind, name, "-n", "shop")


def test_a_release_is_planned_without_its_cluster_made_in_order_and_taken_away(tmp_path: Path) -> None:
    release = Release(tmp_path, BESIDE + RELEASE)
    planned = {key for key, action in release.changes().items() if action == "create"}
    assert planned.issuperset(OBJECTS), planned
    assert "ConfigMap/shop/never" not in planned
    release.apply()
    sent = [path.rpartition("/")[2] for path in release.sent(0)]
    order = ["orders.shop.example.com", "first-before", "second-before", "shop-settings", "after"]
    assert [name for name in sent if name in order] == order
    # A key that is drawn by chance is drawn once.
    before = release.now()
    release.assert_converged()
    release.apply()
    assert release.sent(before) == []
    release.destroy()
    assert release.run("state", "list", "spec", "--sandbox", "--json").json()["resources"] == {}
    # What answers for an object goes before what it needs.
    gone = [path.rpartition("/")[2] for path in release.sent(before)]
    assert gone.index("first") < gone.index("orders.shop.example.com") and gone[-1] == "shop", gone


def test_one_value_changes_one_object(hands: Hands) -> None:
    release = release_of(hands)
    drawn = hands.object("secret", "shop-tls", "-n", "shop")["data"]
    release.edit("values.yaml", "Welcome to", "Goodbye from")
    assert release.changes() == {"ConfigMap/shop/shop-settings": "update"}
    shown = said(release.plan())
    assert '"Welcome to shop"' in shown and '"Goodbye from shop"' in shown and "COLOUR" not in shown, shown
    before = release.now()
    release.apply()
    assert release.sent(before) == ["/api/v1/namespaces/shop/configmaps/shop-settings"]
    assert hands.object("configmap", "shop-settings", "-n", "shop")["data"]["BANNER"] == "Goodbye from shop"
    assert hands.object("secret", "shop-tls", "-n", "shop")["data"] == drawn
    release.assert_converged()


def test_the_next_version_of_a_chart_shows_what_it_changes_object_by_object(hands: Hands) -> None:
    release = release_of(hands)
    password = hands.object("secret", "shop-password", "-n", "shop")["data"]
    release.edit("Chart.yaml", "version: 1.0.0", "version: 1.1.0")
    fields = "amount: {type: integer}"
    release.edit("crds/orders.yaml", fields, fields + "\n                urgent: {type: boolean}")
    release.edit("templates/order.yaml", "amount: 3", "amount: 4\n  urgent: true")
    release.edit("values.yaml", "[start, basket]", "[start, basket, orders]")
    release.edit("values.yaml", "enabled: true", "enabled: false")
    (release.chart / "templates" / "audit.yaml").unlink()
    (release.chart / "templates" / "account.yaml").write_text(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: clerk}\n"
    )
    assert release.changes() == {
        "CustomResourceDefinition/orders.shop.example.com": "update",
        "Order/shop/first": "update",
        "ConfigMap/shop/shop-settings": "update",
        "ConfigMap/shop/shop-cache": "delete",
        "ServiceAccount/shop/shop-audit": "delete",
        "ServiceAccount/shop/clerk": "create",
    }
    release.apply()
    assert hands.object("orders", "first", "-n", "shop")["spec"] == {"amount": 4, "urgent": True}
    assert "urgent" in json.dumps(hands.object("crd", "orders.shop.example.com")["spec"])
    assert hands.object("secret", "shop-password", "-n", "shop")["data"] == password
    for kind, name in (("configmap", "shop-cache"), ("serviceaccount", "shop-audit")):
        assert "NotFound" in hands.refused("get", kind, name, "-n", "shop")
    before = release.now()
    release.assert_converged()
    assert release.sent(before) == []


def test_a_field_of_somebody_else_is_refused_with_the_object_of_the_chart(hands: Hands) -> None:
    theirs = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-settings, namespace: shop}\ndata: {COLOUR: red}\n"
    hands.kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=painter", "-f", "-", given=theirs)
    refused = said(hands.stack.apply(code=1))
    for word in ("helm_release.shop['ConfigMap/shop/shop-settings']", "data.COLOUR", '"painter"', 'conflicts = "force"'):
        assert word in refused, refused
    hands.stack.write(BESIDE + FORCED)
    hands.stack.apply()
    assert hands.object("configmap", "shop-settings", "-n", "shop")["data"]["COLOUR"] == "blue"
    hands.stack.assert_converged()


def test_what_helm_has_left_half_installed_is_taken_over_if_that_is_told(hands: Hands) -> None:
    hands.stack.write(BESIDE)
    hands.stack.apply()
    labels = "labels: {app.kubernetes.io/managed-by: Helm}"
    names = "annotations: {meta.helm.sh/release-name: shop, meta.helm.sh/release-namespace: shop}"
    theirs = f"apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: shop-audit, namespace: shop, {labels}, {names}}}\n"
    theirs += "---\n" + theirs.replace("ServiceAccount", "ConfigMap").replace("shop-audit", "shop-settings")
    theirs += "data: {COLOUR: red}\n"
    hands.kubectl("create", "--field-manager=helm", "-f", "-", given=theirs)
    hands.stack.write(BESIDE + RELEASE)
    refused = said(hands.stack.apply(code=1))
    for word in ("helm_release.shop['ConfigMap/shop/shop-settings']", "exists already", "helm", 'conflicts = "force"'):
        assert word in refused, refused
    hands.stack.write(BESIDE + FORCED)
    hands.stack.apply()
    assert_is_there(hands, *OBJECTS)
    assert hands.object("configmap", "shop-settings", "-n", "shop")["data"]["COLOUR"] == "blue"
    hands.stack.assert_converged()


@pytest.mark.one_in(3)
@pytest.mark.parametrize("written", [1, 5, 9])
def test_a_release_half_installed_goes_on(tmp_path: Path, written: int) -> None:
    """A run is killed when the cluster has been asked to make that many objects of a release."""
    release = Release(tmp_path, BESIDE)
    release.apply()
    release.write(BESIDE + RELEASE)
    before = release.now()
    running = release.start("apply", "spec", "--sandbox", "--speed=600", "--auto-approve", "--skip", "egress")
    until = time.monotonic() + 60
    while len(release.sent(before)) < written and running.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert len(release.sent(before)) >= written
    release.apply()
    release.assert_converged()
    assert release.changes() == {}
    keys = set(release.run("state", "list", "spec", "--sandbox", "--json").json()["resources"])
    assert {f"helm_release.shop['{key}']" for key in OBJECTS} <= keys
    release.destroy()


def test_what_is_wrong_with_a_chart_is_said_with_its_place(tmp_path: Path) -> None:
    release = Release(tmp_path, BESIDE + RELEASE)

    def refused() -> str:
        said_ = " ".join(release.run("validate", "spec", code=1).stderr.split())
        release.renew()
        return said_

    release.edit("templates/order.yaml", "amount: 3", "amount: {{ .Values.nothing.there }}")
    assert "shop/templates/order.yaml:6" in refused()
    release.edit("templates/order.yaml", "amount: 3", "amount: {{ getHostByName `a` }}")
    said_ = refused()
    assert "getHostByName" in said_ and "order.yaml" in said_, said_
    release.edit("values.yaml", "audit: true", "audit: sometimes")
    said_ = refused()
    assert "audit" in said_ and "boolean" in said_, said_
    release.edit("values.yaml", "colour: blue", "colour: blue\nnothing: [")
    assert "values.yaml" in refused()
    release.edit("Chart.yaml", "name: cache", "name: cellar")
    assert "cellar" in refused()
    shutil.rmtree(release.chart)
    assert "charts/shop" in refused()
    release.run("validate", "spec")

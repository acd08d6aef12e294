"""What the program has made, as unmodified kubectl and aws CLI see it, and what they make beside it: one cluster of
the sandbox for all of them. What kubectl is refused is what a real API server refuses it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import accounts
from .hands import Hands
from .objects import GROUND, MANIFESTS, NAMESPACE, NODES, SETTINGS, Stack

pytestmark = [
    pytest.mark.only_on("sandbox", "moto's clusters have no objects"),
    pytest.mark.usefixtures("built"),
]

SPEC = (
    GROUND
    + NODES
    + NAMESPACE
    + SETTINGS
    + """
[kubernetes_manifests.shop]
cluster    = "${eks_cluster.main}"
files      = ["manifests/*.yaml"]
namespace  = "shop"
depends_on = ["eks_node_group.workers"]

[eks_addon.agent]
cluster_name = "${eks_cluster.main.name}"
name         = "eks-pod-identity-agent"

[load_balancer.inner]
name     = "inner"
internal = true
subnets  = "${subnet.private[*].id}"
"""
)

MORE = """
apiVersion: v1
kind: ConfigMap
metadata: {name: theirs, namespace: shop, labels: {by: hand}}
data: {SIZE: small}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: theirs, namespace: shop, labels: {by: hand}}
spec:
  replicas: 1
  selector: {matchLabels: {app: theirs}}
  template:
    metadata: {labels: {app: theirs}}
    spec: {containers: [{name: theirs, image: "nginx:1.27"}]}
"""


@pytest.fixture(scope="module")
def hands(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hands]:
    """One cluster for all tests of this file, in which each has names of its own."""
    with Hands(Stack(tmp_path_factory.mktemp("kubectl"), SPEC, {"web.yaml": MANIFESTS})) as hands:
        yield hands


def rows(text: str) -> list[list[str]]:
    """Returns the rows of a table, without its head."""
    return [line.split() for line in text.splitlines()[1:] if line.strip()]


def test_what_was_made_is_seen_in_tables(hands: Hands) -> None:
    nodes = hands.kubectl("get", "nodes", "-o", "wide")
    for word in ("INTERNAL-IP", "CONTAINER-RUNTIME", "v1.33", "Ready", "10.0."):
        assert word in nodes
    zones = rows(hands.kubectl("get", "nodes", "-L", "topology.kubernetes.io/zone"))
    assert len({row[-1] for row in zones}) == 2
    sets = {row[0]: row[1:6] for row in rows(hands.kubectl("get", "daemonsets", "-n", "kube-system"))}
    names = {"aws-node", "eks-pod-identity-agent", "kube-proxy"}
    assert sets == {name: ["2"] * 5 for name in names}
    shop = hands.kubectl("get", "all", "-n", "shop")
    for word in ("pod/web-", "service/web", "deployment.apps/web", "replicaset.apps/web-"):
        assert word in shop
    assert [row[1] for row in rows(hands.kubectl("get", "deployments", "-A", "--no-headers=false"))] == ["coredns", "web"]
    pods = rows(hands.kubectl("get", "pods", "-n", "shop", "-l", "app=web", "-o", "wide"))
    assert [row[1:3] for row in pods] == [["1/1", "Running"]] * 2
    assert "blue" in hands.kubectl("get", "configmap", "settings", "-n", "shop", "-o", "yaml")
    listed = hands.kubectl("api-resources", "--no-headers")
    for kind in ("DaemonSet", "Ingress", "CustomResourceDefinition", "Lease"):
        assert f" {kind}\n" in listed


def test_what_was_made_is_described_and_explained(hands: Hands) -> None:
    described = hands.kubectl("describe", "deployment", "web", "-n", "shop")
    for word in ("app.kubernetes.io/managed-by=straddle", "2 available", "NewReplicaSetAvailable", "ScalingReplicaSet"):
        assert word in described
    assert described.count("Controlled By:") == 0
    pods = hands.kubectl("describe", "pods", "-n", "shop", "-l", "app=web")
    assert pods.count("Controlled By:  ReplicaSet/web-") == 2
    service = hands.kubectl("describe", "service", "web", "-n", "shop")
    assert ":80,10.0." in service
    node = hands.kubectl("describe", "node", hands.object("nodes")["items"][0]["metadata"]["name"])
    for word in ("eks.amazonaws.com/nodegroup=workers", "Unschedulable:      false", "kube-proxy-"):
        assert word in node
    explained = hands.kubectl("explain", "ingress.spec.rules.http.paths.backend.service.port")
    assert "number" in explained and "<integer>" in explained
    assert "rolled out" in hands.kubectl("rollout", "status", "deployment/web", "-n", "shop")
    assert "rolled out" in hands.kubectl("rollout", "status", "daemonset/aws-node", "-n", "kube-system")
    assert "nginx:1.27" in hands.kubectl("logs", "deployment/web", "-n", "shop")
    assert "Server Version: v1.33" in hands.kubectl("version")
    hands.kubectl("wait", "--for=condition=Available", "deployment/web", "-n", "shop", "--timeout=30s")


def test_who_asks_is_known_and_may_do_everything(hands: Hands) -> None:
    assert "root" in hands.kubectl("auth", "whoami")
    assert hands.kubectl("auth", "can-i", "create", "deployments", "-n", "shop").strip() == "yes"
    # What access policies of EKS allow is in no list: they are no roles of the cluster.
    assert "selfsubjectaccessreviews.authorization.k8s.io" in hands.kubectl("auth", "can-i", "--list")
    jailed = hands.kubectl("auth", "can-i", "get", "secrets", "--as", "system:serviceaccount:shop:default", code=1)
    assert jailed.strip() == "no"
    assert hands.kubectl("get", "pods", "-n", "shop", "--as", "anna", "--as-group", "system:masters").count("web-") == 2
    token = hands.kubectl("create", "token", "default", "-n", "shop").strip()
    climbing = ["--token", token, "--kubeconfig", str(anonymous(hands)), "--as", "anna"]
    assert "cannot impersonate" in hands.refused("get", "pods", *climbing)


def test_typed_commands_make_things(hands: Hands) -> None:
    """These send the binary form."""
    hands.kubectl("create", "namespace", "typed")
    hands.kubectl("create", "configmap", "map", "-n", "typed", "--from-literal", "a=b")
    hands.kubectl("create", "secret", "generic", "secret", "-n", "typed", "--from-literal", "a=b")
    hands.kubectl("create", "serviceaccount", "robot", "-n", "typed")
    hands.kubectl("create", "role", "reader", "-n", "typed", "--verb=get,list", "--resource=pods,secrets")
    hands.kubectl("create", "rolebinding", "reader", "-n", "typed", "--role=reader", "--serviceaccount=typed:robot")
    hands.kubectl("create", "deployment", "web", "-n", "typed", "--image=nginx:1.27", "--replicas=2", "--port=80")
    hands.kubectl("expose", "deployment", "web", "-n", "typed", "--port=80", "--target-port=http")
    hands.kubectl("create", "ingress", "web", "-n", "typed", "--rule=example.com/*=web:80")
    hands.kubectl("create", "job", "once", "-n", "typed", "--image=busybox:1.37")
    hands.kubectl("create", "cronjob", "daily", "-n", "typed", "--image=busybox:1.37", "--schedule=0 0 * * *")
    hands.kubectl("create", "poddisruptionbudget", "web", "-n", "typed", "--selector=app=web", "--min-available=1")
    hands.kubectl("run", "once", "-n", "typed", "--image=busybox:1.37", "--restart=Never", "--env=A=b")
    assert hands.object("secret", "secret", "-n", "typed")["data"] == {"a": "Yg=="}
    assert hands.object("configmap", "map", "-n", "typed")["data"] == {"a": "b"}
    assert hands.object("role", "reader", "-n", "typed")["rules"][0]["verbs"] == ["get", "list"]
    rule = hands.object("ingress", "web", "-n", "typed")["spec"]["rules"][0]
    assert rule["http"]["paths"][0]["backend"] == {"service": {"name": "web", "port": {"number": 80}}}
    assert hands.object("service", "web", "-n", "typed")["spec"]["ports"][0]["targetPort"] == "http"
    hands.kubectl("wait", "--for=condition=Available", "deployment/web", "-n", "typed", "--timeout=60s")
    hands.kubectl("wait", "--for=condition=complete", "job/once", "-n", "typed", "--timeout=60s")
    robot = ["--as", "system:serviceaccount:typed:robot", "-n", "typed"]
    assert hands.kubectl("auth", "can-i", "list", "secrets", *robot).strip() == "yes"
    assert len(hands.kubectl("create", "token", "robot", "-n", "typed", "--duration=1h").split(".")) == 3
    hands.kubectl("scale", "deployment/web", "-n", "typed", "--replicas=0")
    hands.kubectl("wait", "--for=delete", "pod", "-l", "app=web", "-n", "typed", "--timeout=60s")
    assert hands.object("deployment", "web", "-n", "typed")["spec"]["replicas"] == 0
    assert "AlreadyExists" in hands.refused("create", "namespace", "typed")
    hands.kubectl("delete", "namespace", "typed", "--timeout=60s")
    assert "NotFound" in hands.refused("get", "namespace", "typed")


def test_files_are_applied_changed_and_deleted(hands: Hands) -> None:
    assert "deployment.apps/theirs created" in hands.kubectl("apply", "-f", "-", given=MORE)
    assert "deployment.apps/theirs unchanged" in hands.kubectl("apply", "-f", "-", given=MORE)
    more = MORE.replace("nginx:1.27", "nginx:1.28")
    assert hands.kubectl("diff", "-f", "-", given=more, code=1).count("nginx:1.28") == 1
    assert "deployment.apps/theirs configured" in hands.kubectl("apply", "-f", "-", given=more)
    hands.kubectl("rollout", "status", "deployment/theirs", "-n", "shop", "--timeout=60s")
    hands.kubectl("rollout", "undo", "deployment/theirs", "-n", "shop")
    hands.kubectl("rollout", "status", "deployment/theirs", "-n", "shop", "--timeout=60s")
    assert "nginx:1.27" in hands.kubectl("get", "deployment", "theirs", "-n", "shop", "-o", "wide")
    hands.kubectl("set", "env", "deployment/theirs", "-n", "shop", "A=b")
    hands.kubectl("delete", "-f", "-", "--timeout=60s", given=MORE)
    assert "No resources found" in hands.kubectl("get", "configmaps,deployments", "-l", "by=hand", "-n", "shop")


def test_what_is_not_so_is_refused_in_the_servers_words(hands: Hands) -> None:
    wrong = MORE.replace("data: {SIZE", "dato: {SIZE")
    assert 'unknown field "dato"' in hands.kubectl("apply", "-f", "-", "-l", "by=hand", given=wrong, code=1)
    hands.kubectl("delete", "deployment", "theirs", "-n", "shop", "--ignore-not-found", "--timeout=60s")
    server_side = ["apply", "--server-side", "-f", "-"]
    ours = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: shop}\ndata: {COLOUR: red}\n"
    conflict = hands.kubectl(*server_side, given=ours, code=1)
    assert 'conflict with "straddle": .data.COLOUR' in conflict, conflict
    assert "runs no containers" in hands.refused("exec", "deployment/web", "-n", "shop", "--", "ls")
    assert "doesn't have a resource type" in hands.refused("get", "frogs")
    unknown = hands.refused("get", "pods", "--token", "nobody", "--kubeconfig", str(anonymous(hands)))
    assert "must be logged in" in unknown


def anonymous(hands: Hands) -> Path:
    """Returns a kubeconfig that leads to the cluster, and says nothing of who asks."""
    path = hands.stack.folder / "anonymous"
    path.write_text(hands.kubectl("config", "view", "--raw"))
    for words in (("unset", "users.main"), ("set-credentials", "main")):
        hands.kubectl("config", *words, "--kubeconfig", str(path))
    return path


def test_the_cli_of_aws_agrees_and_its_tokens_are_good(hands: Hands) -> None:
    cluster = hands.aws("eks", "describe-cluster", "--name", "main")["cluster"]
    [entry] = json.loads(hands.kubectl("config", "view", "--raw", "-o", "json"))["clusters"]
    assert cluster["endpoint"] == f"https://{entry['cluster']['tls-server-name']}"
    assert cluster["certificateAuthority"]["data"] == entry["cluster"]["certificate-authority-data"]
    path = anonymous(hands)
    token = hands.aws("eks", "get-token", "--cluster-name", "main")["status"]["token"]
    assert "web-" in hands.kubectl("get", "pods", "-n", "shop", "--token", token, "--kubeconfig", str(path))
    keys = hands.environment["AWS_ACCESS_KEY_ID"]
    hands.environment["AWS_ACCESS_KEY_ID"] = accounts.HOME
    stranger = hands.aws("eks", "get-token", "--cluster-name", "main")["status"]["token"]
    hands.environment["AWS_ACCESS_KEY_ID"] = keys
    assert "must be logged in" in hands.refused("get", "pods", "--token", stranger, "--kubeconfig", str(path))
    [balancer] = hands.aws("elbv2", "describe-load-balancers", "--names", "inner")["LoadBalancers"]
    assert (balancer["Scheme"], balancer["State"]["Code"]) == ("internal", "active")
    agent = hands.aws("eks", "describe-addon", "--cluster-name", "main", "--addon-name", "eks-pod-identity-agent")
    assert agent["addon"]["status"] == "ACTIVE"


def test_nodes_are_closed_emptied_and_opened(hands: Hands) -> None:
    node = hands.object("nodes")["items"][0]["metadata"]["name"]
    drained = hands.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s")
    assert "drained" in drained and "ignoring DaemonSet-managed Pods: kube-system/" in drained
    hands.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")
    pods = hands.object("pods", "-n", "shop", "-l", "app=web")["items"]
    assert node not in [pod["spec"]["nodeName"] for pod in pods]
    assert "SchedulingDisabled" in hands.kubectl("get", "node", node)
    hands.kubectl("uncordon", node)


def test_a_world_that_is_opened_again_has_the_objects_of_its_clusters(hands: Hands) -> None:
    hands.kubectl("create", "configmap", "kept", "-n", "shop", "--from-literal", "a=b")

    def all_of_them() -> dict[str, str]:
        listed = hands.object("configmaps,deployments,daemonsets,pods,nodes,serviceaccounts,services", "-A")["items"]
        return {item["metadata"]["uid"]: f"{item['kind']}/{item['metadata']['name']}" for item in listed}

    before = all_of_them()
    assert "ConfigMap/kept" in before.values()
    hands.kill()
    hands.serve()
    assert all_of_them() == before
    hands.kubectl("delete", "configmap", "kept", "-n", "shop")


def test_nothing_of_all_this_is_a_change_for_the_program(hands: Hands) -> None:
    """The last one: nothing that others have made beside it, and nothing of how pods are, is its business."""
    hands.kubectl("create", "configmap", "last", "-n", "shop")
    hands.kubectl("get", "configmaps", "-n", "shop")
    hands.stack.assert_converged()
    path = "/api/v1/namespaces/shop/configmaps"
    asked = {request.operation for request in hands.stack.requests() if request.path == path}
    assert asked >= {"Create", "List"}, asked

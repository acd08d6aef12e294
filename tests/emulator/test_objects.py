"""Objects in a cluster of the sandbox, by the real program: made with the cluster itself, changed in
place, and taken away with it."""

import os
import subprocess
from pathlib import Path

import pytest

from .sandbox import SPEED, binary
from .straddle import Done
from .virtual_environment import without_aws

pytestmark = [
    pytest.mark.only_on("sandbox", "moto's clusters have no objects"),
    pytest.mark.usefixtures("built"),
]

# The subnets lead nowhere, which no object cares about.
NO_WAY_OUT = ["--skip", "egress"]

# How long a command may take on a busy machine.
PATIENCE = 120

STACK = """
[stack]
name = "objects"

[account.apps]
id     = "222222222222"
region = "us-east-1"

[iam_role.cluster]
name     = "cluster"
trust    = { service = "eks.amazonaws.com" }
policies = ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"]

[iam_role.nodes]
name     = "nodes"
trust    = { service = "ec2.amazonaws.com" }
policies = [
  "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
  "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
  "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly",
]

[vpc.main]
cidr_block           = "10.0.0.0/16"
enable_dns_hostnames = true

[subnet.private]
for_each             = { a = { id = "use1-az1", number = 0 }, b = { id = "use1-az2", number = 1 } }
vpc_id               = "${vpc.main.id}"
cidr_block           = "${cidrsubnet(vpc.main.cidr_block, 4, each.value.number)}"
availability_zone_id = "${each.value.id}"

[eks_cluster.main]
name           = "main"
version        = "1.33"
role_arn       = "${iam_role.cluster.arn}"
subnet_ids     = "${subnet.private[*].id}"
upgrade_policy = "EXTENDED"
access         = { authentication_mode = "API_AND_CONFIG_MAP", bootstrap_creator_admin = true }

[eks_node_group.workers]
cluster_name   = "${eks_cluster.main.name}"
name           = "workers"
role_arn       = "${iam_role.nodes.arn}"
subnet_ids     = "${subnet.private[*].id}"
instance_types = ["t3.medium"]
scaling        = { min = 1, desired = 2, max = 4 }

[kubernetes_object.shop]
cluster = "${eks_cluster.main}"

[kubernetes_object.shop.manifest]
apiVersion    = "v1"
kind          = "Namespace"
metadata.name = "shop"

[kubernetes_object.settings]
cluster = "${eks_cluster.main}"

[kubernetes_object.settings.manifest]
apiVersion         = "v1"
kind               = "ConfigMap"
metadata.name      = "settings"
metadata.namespace = "shop"
data               = { COLOUR = "blue", ROLE = "${iam_role.nodes.arn}" }

[kubernetes_manifests.shop]
cluster    = "${eks_cluster.main}"
files      = ["manifests/*.yaml"]
namespace  = "shop"
depends_on = ["eks_node_group.workers"]
"""

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        - name: web
          image: nginx:1.27
          ports:
            - containerPort: 80
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: {app: web}
  ports:
    - port: 80
"""


class Stack:
    """The stack in a folder of its own, for somebody who has no account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "spec" / "manifests").mkdir(parents=True)
        self.write(STACK)
        (folder / "spec" / "manifests" / "web.yaml").write_text(MANIFESTS)
        kept = without_aws(dict(os.environ))
        self._environment = {name: value for name, value in kept.items() if not name.startswith("STRADDLE_")}
        self._environment["HOME"] = str(folder)

    def write(self, text: str) -> None:
        """Writes what the spec says from now on."""
        (self.folder / "spec" / "stack.toml").write_text(text)

    def run(self, command: str, *words: str) -> Done:
        """Types a command with `--sandbox`, which has to succeed."""
        words = (command, "spec", "--sandbox", f"--speed={SPEED}", *words)
        done = subprocess.run(
            [str(binary()), *words],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Done(list(words), done.returncode, done.stdout, done.stderr, 0).expect()

    def assert_converged(self) -> None:
        """Checks that nothing is left to do."""
        assert "No changes." in self.run("plan", "--detailed-exitcode").stdout


def test_objects_are_made_with_their_cluster_changed_and_taken_away(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    made = stack.run("apply", "--auto-approve", *NO_WAY_OUT)
    for address in ("kubernetes_object.shop", "kubernetes_manifests.shop['Deployment/shop/web']"):
        assert address in made.stdout, made
    stack.assert_converged()

    stack.write(STACK.replace('"blue"', '"green"'))
    changed = stack.run("apply", "--auto-approve", *NO_WAY_OUT)
    assert "0 created, 1 changed, 0 deleted" in changed.stderr, changed
    stack.assert_converged()

    taken = stack.run("destroy", "--auto-approve")
    assert "15 deleted" in taken.stderr, taken
    # Everything is made anew: nothing of the first cluster was left that could be in the way.
    stack.run("apply", "--auto-approve", *NO_WAY_OUT)
    stack.assert_converged()

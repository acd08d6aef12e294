"""What trials of objects in clusters have in common: a cluster with two nodes in a network of its own."""

from pathlib import Path

from .clusters import ROLES
from .shell import Shell
from .straddle import Done

# The subnets lead nowhere, which no object cares about.
NO_WAY_OUT = ["--skip", "egress"]

STACK = """
[stack]
name = "objects"

[account.apps]
id     = "222222222222"
region = "us-east-1"
"""

NETWORK = """
[vpc.main]
cidr_block           = "10.0.0.0/16"
enable_dns_hostnames = true

[subnet.private]
for_each             = { a = { id = "use1-az1", number = 0 }, b = { id = "use1-az2", number = 1 } }
vpc_id               = "${vpc.main.id}"
cidr_block           = "${cidrsubnet(vpc.main.cidr_block, 4, each.value.number)}"
availability_zone_id = "${each.value.id}"
"""

CLUSTER = """
[eks_cluster.main]
name           = "main"
version        = "1.33"
role_arn       = "${iam_role.cluster.arn}"
subnet_ids     = "${subnet.private[*].id}"
upgrade_policy = "EXTENDED"
access         = { authentication_mode = "API_AND_CONFIG_MAP", bootstrap_creator_admin = true }
"""

NODES = """
[eks_node_group.workers]
cluster_name   = "${eks_cluster.main.name}"
name           = "workers"
role_arn       = "${iam_role.nodes.arn}"
subnet_ids     = "${subnet.private[*].id}"
instance_types = ["t3.medium"]
scaling        = { min = 1, desired = 2, max = 4 }
"""

NAMESPACE = """
[kubernetes_object.shop]
cluster = "${eks_cluster.main}"

[kubernetes_object.shop.manifest]
apiVersion    = "v1"
kind          = "Namespace"
metadata.name = "shop"
"""

SETTINGS = """
[kubernetes_object.settings]
cluster = "${eks_cluster.main}"

[kubernetes_object.settings.manifest]
apiVersion         = "v1"
kind               = "ConfigMap"
metadata.name      = "settings"
metadata.namespace = "shop"
data               = { COLOUR = "blue", SIZE = "large" }
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

GROUND = STACK + ROLES + NETWORK + CLUSTER


class Stack(Shell):
    """A stack in a folder of its own."""

    def __init__(self, folder: Path, text: str, manifests: dict[str, str] | None = None) -> None:
        super().__init__(folder, "objects")
        (self.spec / "manifests").mkdir(parents=True)
        for name, manifest in (manifests or {}).items():
            (self.spec / "manifests" / name).write_text(manifest)
        self.write(text)

    def write(self, text: str) -> None:
        """Writes what the spec says from now on."""
        (self.spec / "stack.toml").write_text(text)

    def apply(self, *words: str, code: int = 0) -> Done:
        """Applies the spec."""
        return self.rehearse("apply", "--auto-approve", *NO_WAY_OUT, *words, code=code)

    def destroy(self, code: int = 0) -> Done:
        """Destroys everything."""
        return self.rehearse("destroy", "--auto-approve", code=code)

    def plan(self, *words: str, code: int = 0) -> Done:
        """Plans."""
        return self.rehearse("plan", *words, code=code)

    def assert_converged(self) -> None:
        """Checks that nothing is left to do."""
        assert "No changes." in self.plan("--detailed-exitcode").stdout

"""What trials of clusters have in common: both accounts and the roles of a cluster and its nodes as a spec,
and a spec of clusters in a world, with its commands."""

from typing import Any

from .proxy import Proxy
from .straddle import Done, Straddle
from .world import World

ACCOUNTS = """
[account.network]
id      = "111111111111"
region  = "us-east-1"
profile = "network-admin"

[account.apps]
id       = "222222222222"
region   = "us-east-1"
role_arn = "arn:aws:iam::222222222222:role/Deployer"

[defaults]
account = "apps"
"""

ROLES = """
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
"""


class Clusters:
    """A spec in an empty world; a cluster in it is called `main`, and its nodes `workers`."""

    def __init__(self, straddle: Straddle, world: World, proxy: Proxy) -> None:
        self.straddle = straddle
        self.world = world
        self.proxy = proxy

    @property
    def eks(self) -> Any:
        """A client whose credentials have not ended: hours of the world pass in a test."""
        self.world.forget_sessions()
        return self.world.client("apps", "eks")

    def run(self, command: str, *arguments: str, code: int = 0) -> Done:
        """Runs a command."""
        return self.straddle.run(command, self.straddle.spec, *arguments, timeout=240).expect(code)

    def apply(self, code: int = 0) -> str:
        """Applies the spec; returns what was said."""
        return said(self.run("apply", "--auto-approve", code=code))

    def destroy(self) -> None:
        """Destroys everything."""
        self.run("destroy", "--auto-approve")

    def plan(self, *arguments: str, code: int = 0) -> str:
        """Plans; returns what was said."""
        return said(self.run("plan", *arguments, code=code))

    def outputs(self) -> Any:
        """Returns the outputs."""
        return self.straddle.run("output", "--spec", self.straddle.spec, "--json").json()

    def assert_converged(self) -> None:
        """Checks that nothing is left to do."""
        assert "No changes." in self.plan("--detailed-exitcode")

    def cluster(self) -> dict[str, Any]:
        """Returns what EKS says of the cluster."""
        return dict(self.eks.describe_cluster(name="main")["cluster"])

    def workers(self) -> dict[str, Any]:
        """Returns what EKS says of the nodes."""
        return dict(self.eks.describe_nodegroup(clusterName="main", nodegroupName="workers")["nodegroup"])


def said(done: Done) -> str:
    """Returns what a run printed, without the breaks between lines."""
    return " ".join((done.stdout + done.stderr).split())

"""What the main spec makes of AWS, in both accounts: what exists of it there, and what must be true of that. What is
in its cluster is for `test_sister_specs`."""

from collections import Counter
from typing import Any

from . import accounts
from .inventory import by_kind, inventory
from .network import Network
from .world import World

# What the spec makes in each account, and how often. The cluster's own group and its rules are
# EKS's, and so are the groups and interfaces of nodes.
NETWORK_THINGS = {
    "vpc": 1,
    "subnet": 4,
    "internet_gateway": 1,
    "eip": 1,
    "nat_gateway": 1,
    "route_table": 2,
    "ram_resource_share": 1,
    "security_group": 1,
    "security_group_rule": 2,
    "iam_openid_connect_provider": 1,
    "iam_policy": 1,
    "iam_role": 1,
}
APPS_THINGS = {"iam_role": 2, "eks_cluster": 1, "eks_node_group": 1, "eks_addon": 3}


# The roles that every account of the sandbox has from the start.
GIVEN_ROLES = ["Deployer", "OrganizationAccountAccessRole"]


class Mission(Network):
    """What the spec makes of AWS, in a world."""

    files_of_spec = ["stack.toml", "network.toml", "cluster.toml", "identity.toml"]
    patience = 300.0

    def plan_data(self, *arguments: str) -> dict[str, Any]:
        """Returns the next plan as data."""
        done = self.straddle.run("plan", "--json", *self.spec, *arguments, timeout=self.patience)
        return dict(done.expect(0).json())

    def of(self, account: str, service: str = "ec2") -> Any:
        """Returns a client of an account, past the proxy, whose session has not ended meanwhile."""
        self.world.forget_sessions()
        return self.world.client(account, service)

    def assert_converged(self, things: dict[str, int] | None = None) -> None:
        """Checks that what exists is what the spec says, that all of it is in the state, and that the
        next plan has nothing to do."""
        assert things is None, "the things of the mission are always the same"
        plan = self.plan(code=None)
        assert plan.done.code == 0 and "No changes." in plan.stdout, plan
        state = self.state()
        assert not state.get("pending"), state["pending"]
        objects = [entry["object"] for entry in state["resources"].values()]
        assert all(one["status"] == {"is": "ready"} for one in objects), objects
        assert not any(entry.get("deposed") for entry in state["resources"].values())
        ids = Counter((entry["kind"], entry["object"]["remote_id"]) for entry in state["resources"].values())
        assert set(ids.values()) == {1}, ids
        network = existing(self.world, "network")
        assert network == NETWORK_THINGS, network
        apps = existing(self.world, "apps")
        ours = {kind: count for kind, count in apps.items() if kind in APPS_THINGS}
        assert ours == APPS_THINGS, apps

    def assert_gone(self) -> None:
        """Checks that nothing is left, neither in the accounts nor in the state, nor anything that
        EKS made for the cluster."""
        state = self.state()
        assert state["resources"] == {} and not state.get("pending"), state
        for account in accounts.NAMES:
            assert existing(self.world, account) == {}, account
            interfaces = self.world.client(account).describe_network_interfaces()["NetworkInterfaces"]
            assert interfaces == [], account


def existing(world: World, account: str) -> dict[str, int]:
    """Counts what exists in an account, by kind; kinds without any are left out. What AWS makes by
    itself does not count: service-linked roles and its managed policies."""
    found = Counter(by_kind(inventory(world, account)))
    iam = world.client(account, "iam")
    roles = [role for role in iam.list_roles()["Roles"] if not role["Path"].startswith("/aws-service-role/")]
    found["iam_role"] = len([role for role in roles if role["RoleName"] not in GIVEN_ROLES])
    found["iam_policy"] = len(iam.list_policies(Scope="Local")["Policies"])
    found["iam_openid_connect_provider"] = len(
        iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    )
    eks = world.client(account, "eks")
    clusters = eks.list_clusters()["clusters"]
    found["eks_cluster"] = len(clusters)
    for name in clusters:
        found["eks_node_group"] += len(eks.list_nodegroups(clusterName=name)["nodegroups"])
        found["eks_addon"] += len(eks.list_addons(clusterName=name)["addons"])
    return {kind: count for kind, count in found.items() if count}

"""A spec of every kind of IAM, in two accounts, and what is really there of it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from . import accounts
from .network import Ran
from .proxy import Proxy, Stage
from .straddle import Straddle
from .test_kill import kill_at
from .world import World

ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/A1B2C3"
PROVIDER = f"arn:aws:iam::{accounts.NETWORK}:oidc-provider/{ISSUER}"
POLICY = f"arn:aws:iam::{accounts.NETWORK}:policy/controller"
LIMITS = f"arn:aws:iam::{accounts.NETWORK}:policy/limits"

SPEC = f"""
[stack]
name = "identities"

[account.network]
id      = "{accounts.NETWORK}"
region  = "us-east-1"
profile = "network-admin"

[account.apps]
id       = "{accounts.APPS}"
region   = "us-east-1"
role_arn = "{accounts.DEPLOYER}"

[defaults]
account = "network"
tags    = {{ team = "platform" }}

[iam_openid_connect_provider.cluster]
url = "{ISSUER}"

[iam_policy.controller]
name        = "controller"
description = "What the controller may do"
document    = {{ Statement = [{{ Effect = "Allow", Action = "ec2:Describe*", Resource = "*" }}] }}

[iam_policy.limits]
name     = "limits"
document = '{{"Statement": {{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}}}'

[iam_role.controller]
name                 = "controller"
description          = "Pods of the controller"
max_session_duration = 7200
permissions_boundary = "${{iam_policy.limits.arn}}"
policies             = ["${{iam_policy.controller.arn}}"]

[iam_role.controller.trust]
oidc_provider    = "${{iam_openid_connect_provider.cluster.arn}}"
service_accounts = ["kube-system/controller"]

[iam_role.controller.inline_policies]
read  = {{ Statement = [{{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::a/*" }}] }}
write = {{ Statement = [{{ Effect = "Allow", Action = "s3:PutObject", Resource = "arn:aws:s3:::b/*" }}] }}

[iam_role.nodes]
name  = "nodes"
trust = {{ service = "ec2.amazonaws.com" }}

[iam_instance_profile.nodes]
name = "nodes"
role = "${{iam_role.nodes.id}}"

[iam_role.pods]
account = "apps"
name    = "pods"
trust   = {{ service = "pods.eks.amazonaws.com" }}

[iam_role.target]
name = "target"

[iam_role_trust.target]
role  = "${{iam_role.target.id}}"
trust = {{ role = "${{iam_role.pods.arn}}", external_id = "shop-1", session_tags = true }}

[iam_service_linked_role.load_balancing]
aws_service_name = "elasticloadbalancing.amazonaws.com"
"""

# What the spec makes in both accounts, a service-linked role aside.
THINGS = {
    ("network", "provider", PROVIDER),
    ("network", "policy", POLICY),
    ("network", "policy", LIMITS),
    ("network", "role", "controller"),
    ("network", "role", "nodes"),
    ("network", "role", "target"),
    ("network", "profile", "nodes"),
    ("apps", "role", "pods"),
}

# Every call that changes something in a first apply.
BIRTHS = {
    "AddRoleToInstanceProfile": 1,
    "AttachRolePolicy": 1,
    "CreateInstanceProfile": 1,
    "CreateOpenIDConnectProvider": 1,
    "CreatePolicy": 2,
    "CreateRole": 4,
    "CreateServiceLinkedRole": 1,
    "PutRolePolicy": 2,
    "UpdateAssumeRolePolicy": 1,
}

# Every call that changes something in a destroy.
DEATHS = {
    "DeleteInstanceProfile": 1,
    "DeleteOpenIDConnectProvider": 1,
    "DeletePolicy": 2,
    "DeleteRole": 4,
    "DeleteRolePolicy": 2,
    "DetachRolePolicy": 1,
    "RemoveRoleFromInstanceProfile": 1,
    "UpdateAssumeRolePolicy": 1,
}


class Identities:
    """The spec in a world: a folder to change it in, a state, a proxy."""

    def __init__(self, straddle: Straddle, world: World, proxy: Proxy) -> None:
        self.straddle = straddle
        self.world = world
        self.proxy = proxy
        self._before = self._everything()
        self.write(SPEC)

    @property
    def iam(self) -> Any:
        """A boto3 client for account A, past the proxy."""
        return self.world.client("network", "iam")

    def write(self, spec: str) -> None:
        """Writes the spec."""
        self.straddle.write_spec({"main.toml": spec})

    def change(self, before: str, after: str) -> None:
        """Writes the spec with another text in the place of one that it has."""
        assert SPEC.count(before) == 1, before
        self.write(SPEC.replace(before, after))

    def run(self, command: str, *arguments: str, code: int = 0) -> Ran:
        """Runs a command on the spec, and returns what it sent besides."""
        before = len(self.proxy.log)
        done = self.straddle.run(command, self.straddle.spec, *arguments)
        return Ran(done.expect(code), [entry for entry in self.proxy.log][before:])

    def apply(self, code: int = 0) -> Ran:
        """Applies it."""
        return self.run("apply", "--auto-approve", code=code)

    def destroy(self, code: int = 0) -> Ran:
        """Destroys it."""
        return self.run("destroy", "--auto-approve", code=code)

    def kill(self, command: str, call: int, stage: Stage) -> None:
        """Starts a command and kills it at that moment."""
        kill_at(
            self.proxy,
            partial(self.straddle.start, command, "--auto-approve", self.straddle.spec),
            call,
            stage,
        )

    def things(self) -> set[tuple[str, str, str]]:
        """Returns what is there that was not there at first: account, sort and name or ARN."""
        return self._everything() - self._before

    def assert_converged(self) -> None:
        """Checks that everything is there, and that nothing is left to do."""
        plan = self.run("plan", "--detailed-exitcode")
        assert plan.mutations == []
        assert self.things() == THINGS, plan

    def assert_gone(self) -> None:
        """Checks that nothing is left."""
        assert self.things() == set()

    def _everything(self) -> set[tuple[str, str, str]]:
        return {(account, *thing) for account in ("network", "apps") for thing in self._of(account)}

    def _of(self, account: str) -> list[tuple[str, str]]:
        iam = self.world.client(account, "iam")
        lists: list[tuple[str, Callable[[], dict[str, Any]], str, str]] = [
            ("role", iam.list_roles, "Roles", "RoleName"),
            ("policy", partial(iam.list_policies, Scope="Local"), "Policies", "Arn"),
            ("profile", iam.list_instance_profiles, "InstanceProfiles", "InstanceProfileName"),
            ("provider", iam.list_open_id_connect_providers, "OpenIDConnectProviderList", "Arn"),
        ]
        things = [
            (sort, detail[name], str(detail.get("Path", "/")))
            for sort, call, member, name in lists
            for detail in call()[member]
        ]
        return [(sort, name) for sort, name, path in things if not path.startswith("/aws-service-role/")]

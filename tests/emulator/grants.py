"""Somebody who may do just what policies say, where they are asked, and which of them are needed."""

from __future__ import annotations

import abc
import json
import re
from collections.abc import Callable
from typing import Any

from . import accounts
from .straddle import Done, Straddle
from .world import World

Policy = dict[str, Any]
# By account.
Actions = dict[str, set[str]]

_USER = "least"
_ROLE = accounts.DEPLOYER.rsplit("/", 1)[-1]
_POLICY = "printed"


def printed(straddle: Straddle, account: str, *arguments: Any) -> list[Policy]:
    """Returns the policies that `straddle iam-policy` prints."""
    done = straddle.run("iam-policy", "--account", account, *arguments).expect(0).json()
    return done if isinstance(done, list) else [done]


def actions(policies: list[Policy]) -> set[str]:
    """Returns every action that the policies allow."""
    statements = [statement for policy in policies for statement in policy["Statement"]]
    return {action for statement in statements for action in _list(statement["Action"])}


def with_only(policies: list[Policy], wanted: set[str]) -> list[Policy]:
    """Returns the policies without other actions than these."""

    def kept(policy: Policy) -> Policy:
        statements = [
            statement | {"Action": [action for action in _list(statement["Action"]) if action in wanted]}
            for statement in policy["Statement"]
        ]
        return policy | {"Statement": [statement for statement in statements if statement["Action"]]}

    return [policy for policy in map(kept, policies) if policy["Statement"]]


def everything(policies: dict[str, list[Policy]]) -> Actions:
    """Returns every action that the policies allow."""
    return {account: actions(of_account) for account, of_account in policies.items()}


def needed(policies: dict[str, list[Policy]], try_with: Callable[[Actions], Done], given: Actions) -> None:
    """Checks that each action of the policies is needed, and named where it is missing: tries a command
    with none but the given ones, then with those that it was told to lack, and so on until it succeeds."""
    allowed = {account: given.get(account, set()) & actions(policies[account]) for account in policies}
    done = try_with(allowed)
    while done.code != 0:
        missing = named(done)
        new = {account: missing[account] - allowed[account] for account in allowed}
        assert any(new.values()), f"with {allowed}, what is missing is not said:\n{done}"
        for account in allowed:
            allowed[account] |= new[account]
        done = try_with(allowed)
    # What is more than needed, and what is missing in the policies.
    surplus = {account: of_account - allowed[account] for account, of_account in everything(policies).items()}
    unprinted = {account: allowed[account] - actions(policies[account]) for account in policies}
    assert not any(surplus.values()) and not any(unprinted.values()), (surplus, unprinted)


def named(done: Done) -> Actions:
    """Returns those actions that a run says it lacks, by account."""
    words = " ".join(done.stderr.split())
    said = re.findall(r"User: arn:aws:\w+::(\d+):\S+ is not authorized to perform: ([\w-]+:\w+)", words)
    found: Actions = {"network": set(), "apps": set()}
    for account in found:
        found[account] = {action for number, action in said if number == accounts.NAMES[account]}
        assert not found[account] or f"`{account}`" in words or f"[{account} " in words, done
    return found


class Grantee(abc.ABC):
    """Somebody whose policies a test chooses."""

    def __init__(self, iam: Any) -> None:
        self._iam = iam

    def may(self, policies: list[Policy]) -> None:
        """Allows what the policies allow, and nothing else."""
        for arn in self.attached():
            self.detach(arn)
            if f"policy/{_POLICY}" in arn:
                self._iam.delete_policy(PolicyArn=arn)
        for number, policy in enumerate(policies):
            made = self._iam.create_policy(
                PolicyName=f"{_POLICY}-{number}", PolicyDocument=json.dumps(policy)
            )
            self.attach(made["Policy"]["Arn"])

    @abc.abstractmethod
    def attached(self) -> list[str]:
        """Returns the policies that it has."""

    @abc.abstractmethod
    def attach(self, arn: str) -> None:
        """Gives it a policy."""

    @abc.abstractmethod
    def detach(self, arn: str) -> None:
        """Takes a policy from it."""


class Person(Grantee):
    """A user of the account `network` with an access key, by which the profile of the spec acts."""

    def __init__(self, world: World, straddle: Straddle) -> None:
        super().__init__(world.client("network", "iam"))
        self._iam.create_user(UserName=_USER)
        key = self._iam.create_access_key(UserName=_USER)["AccessKey"]
        keys = accounts.Keys(key["AccessKeyId"], key["SecretAccessKey"])
        accounts.write_credentials(straddle.folder, accounts.Credentials(keys, world.credentials.home))

    def attached(self) -> list[str]:
        """Returns the policies that it has."""
        found = self._iam.list_attached_user_policies(UserName=_USER)["AttachedPolicies"]
        return [policy["PolicyArn"] for policy in found]

    def attach(self, arn: str) -> None:
        """Gives it a policy."""
        self._iam.attach_user_policy(UserName=_USER, PolicyArn=arn)

    def detach(self, arn: str) -> None:
        """Takes a policy from it."""
        self._iam.detach_user_policy(UserName=_USER, PolicyArn=arn)


class Deployer(Grantee):
    """The role of the account `apps` by which the spec acts there."""

    def __init__(self, world: World) -> None:
        # The role itself is about to lose its rights.
        administrator = {"AccessKeyId": accounts.APPS, "SecretAccessKey": "any"}
        super().__init__(world.client_with("iam", administrator))

    def attached(self) -> list[str]:
        """Returns the policies that it has."""
        found = self._iam.list_attached_role_policies(RoleName=_ROLE)["AttachedPolicies"]
        return [policy["PolicyArn"] for policy in found]

    def attach(self, arn: str) -> None:
        """Gives it a policy."""
        self._iam.attach_role_policy(RoleName=_ROLE, PolicyArn=arn)

    def detach(self, arn: str) -> None:
        """Takes a policy from it."""
        self._iam.detach_role_policy(RoleName=_ROLE, PolicyArn=arn)


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value

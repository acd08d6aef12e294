"""Somebody who may do just what policies say, in a sandbox that asks them."""

from __future__ import annotations

import json
from typing import Any

from . import accounts
from .straddle import Straddle
from .world import World

Policy = dict[str, Any]

# Neither is anybody's before a test makes it.
_USER = "least"
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


class Person:
    """A user of the account `network` with an access key, by which the profile of the spec acts."""

    def __init__(self, world: World, straddle: Straddle) -> None:
        self._iam = world.client("network", "iam")
        self._iam.create_user(UserName=_USER)
        key = self._iam.create_access_key(UserName=_USER)["AccessKey"]
        keys = accounts.Keys(key["AccessKeyId"], key["SecretAccessKey"])
        accounts.write_credentials(straddle.folder, accounts.Credentials(keys, world.credentials.home))

    def may(self, policies: list[Policy]) -> None:
        """Allows what the policies allow, and nothing else."""
        for arn in [entry["PolicyArn"] for entry in self._attached()]:
            self._iam.detach_user_policy(UserName=_USER, PolicyArn=arn)
            self._iam.delete_policy(PolicyArn=arn)
        for number, policy in enumerate(policies):
            made = self._iam.create_policy(
                PolicyName=f"{_POLICY}-{number}", PolicyDocument=json.dumps(policy)
            )
            self._iam.attach_user_policy(UserName=_USER, PolicyArn=made["Policy"]["Arn"])

    def _attached(self) -> list[dict[str, str]]:
        return list(self._iam.list_attached_user_policies(UserName=_USER)["AttachedPolicies"])


def _list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value

"""The accounts of the emulated world, and the files and variables that lead to them.

Three of them, so that a call can only land in the right one for the right reason:

- `network` (111111111111) is reached with the profile `network-admin`;
- `apps` (222222222222) is reached by assuming its role `Deployer`;
- `home` (999999999999) is where the default credentials belong. Nothing should
  ever be made there: what is, was made by code that forgot to assume the role.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from . import query
from .virtual_environment import without_aws

NETWORK = "111111111111"
APPS = "222222222222"
HOME = "999999999999"

NAMES = {"network": NETWORK, "apps": APPS, "home": HOME}

DEPLOYER = f"arn:aws:iam::{APPS}:role/Deployer"

_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    f'"Principal":{{"AWS":"arn:aws:iam::{HOME}:root"}}}}]}}'
)


@dataclass(frozen=True)
class Keys:
    """The static credentials of one user."""

    access_key: str
    secret_key: str


@dataclass(frozen=True)
class Credentials:
    """What a world starts with: a user in `network`, a user in `home` and, in
    `apps`, the role that the latter may assume."""

    network: Keys
    home: Keys


def seed(address: tuple[str, int]) -> Credentials:
    """Creates the users and the role in an empty moto."""
    query.call(
        address,
        "iam",
        "CreateRole",
        {"RoleName": "Deployer", "AssumeRolePolicyDocument": _TRUST},
        account=APPS,
    )
    return Credentials(
        network=_create_user(address, NETWORK, "network-admin"),
        home=_create_user(address, HOME, "operator"),
    )


def _create_user(address: tuple[str, int], account: str, name: str) -> Keys:
    user = {"UserName": name}
    query.call(address, "iam", "CreateUser", user, account=account)
    answer = query.call(address, "iam", "CreateAccessKey", user, account=account)
    return Keys(query.element(answer, "AccessKeyId"), query.element(answer, "SecretAccessKey"))


def environment(folder: Path, endpoint: str, credentials: Credentials) -> dict[str, str]:
    """Writes the AWS files below `folder` and returns the whole environment of a
    command: the caller's own, without anything of AWS's, plus what leads to moto.

    No credentials of the user's are within reach of the command, so no real
    account can be touched, even by code that ignores the endpoint.
    """
    config = folder / "config"
    config.write_text(
        f"[default]\nregion = {query.REGION}\n\n[profile network-admin]\nregion = {query.REGION}\n"
    )
    secrets = write_credentials(folder, credentials)
    state = folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    result = without_aws(dict(os.environ))
    result |= {
        "AWS_CONFIG_FILE": str(config),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_SHARED_CREDENTIALS_FILE": str(secrets),
        "STRADDLE_STATE_DIR": str(state),
    }
    # A proxy that is set for the world outside must not get loopback requests.
    for name in ("NO_PROXY", "no_proxy"):
        result[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1", "localhost"]))
    return result


def write_credentials(folder: Path, credentials: Credentials) -> Path:
    """Writes the file that leads to the keys, and returns its path."""
    secrets = folder / "credentials"
    secrets.touch(mode=0o600)
    secrets.write_text(
        _section("default", credentials.home) + "\n" + _section("network-admin", credentials.network)
    )
    return secrets


def _section(name: str, keys: Keys) -> str:
    return (
        f"[{name}]\n"
        f"aws_access_key_id = {keys.access_key}\n"
        f"aws_secret_access_key = {keys.secret_key}\n"
    )

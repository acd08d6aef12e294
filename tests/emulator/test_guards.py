"""What stops a run before it does harm: the wrong account, missing permissions, damaged or
foreign state files, another run."""

import json
from collections.abc import Callable

import pytest

from . import accounts
from .inventory import by_kind
from .network import STATE, THINGS, Network


def give_credentials(network: Network, of: str) -> None:
    """Lets the profile of the network account lead to another one's credentials."""
    keys = getattr(network.world.credentials, of)
    path = network.straddle.folder / "credentials"
    theirs = network.world.credentials.network
    text = path.read_text().replace(theirs.access_key, keys.access_key)
    path.write_text(text.replace(theirs.secret_key, keys.secret_key))


@pytest.mark.parametrize("command", ["plan", "apply", "destroy"])
def test_credentials_of_another_account_are_refused_at_once(network: Network, command: str) -> None:
    network.apply()
    files = network.files()
    give_credentials(network, "home")
    ran = network.run(command, *([] if command == "plan" else ["--auto-approve"]), code=1)
    assert {entry.operation for entry in ran.entries} == {"GetCallerIdentity"}
    assert f"must be {accounts.NETWORK}, but its credentials belong to {accounts.HOME}" in ran.words
    assert network.files() == files and by_kind(network.things()) == THINGS


def test_a_profile_that_does_not_exist_is_named(network: Network) -> None:
    network.edit('"network-admin"', '"nobody"', "stack.toml")
    ran = network.apply(code=1)
    assert ran.entries == [] and "profile `nobody`" in ran.words


READS = [
    "DescribeAddresses",
    "DescribeInternetGateways",
    "DescribeNatGateways",
    "DescribeRouteTables",
    "DescribeSubnets",
    "DescribeVpcAttribute",
    "DescribeVpcs",
]


def test_what_may_not_be_read_is_not_taken_for_gone(network: Network) -> None:
    network.apply()
    files = network.files()
    for operation in READS:
        for command in (["plan"], ["apply", "--auto-approve"]):
            rule = network.proxy.add(operation, "denied", times=None)
            ran = network.run(*command, code=1)
            assert rule.fired and ran.mutations == []
            assert operation in ran.words and "UnauthorizedOperation" in ran.words
            assert network.files() == files
            network.proxy.clear()
    network.assert_converged()


def write_nothing(network: Network) -> None:
    """What a full disk leaves behind other programs."""
    network.state_file.write_bytes(b"")


def cut_short(network: Network) -> None:
    """Half a file."""
    content = network.state_file.read_bytes()
    network.state_file.write_bytes(content[: len(content) // 2])


def change_a_value(network: Network) -> None:
    """An id that somebody wrote by hand."""
    content = network.state_file.read_bytes()
    identifier = network.ids()["vpc.main"].encode()
    network.state_file.write_bytes(content.replace(identifier, b"vpc-00000000000000000"))


def change_stack(network: Network) -> None:
    """The state of another stack."""
    network.state_file.rename(network.state_file.with_name("kept"))
    document = json.loads(network.state_file.with_name("kept").read_bytes())
    document["state"]["stack"] = "another"
    network.state_file.write_text(json.dumps(document))


def make_newer(network: Network) -> None:
    """What a later version of the program would write."""
    document = json.loads(network.state_file.read_bytes())
    network.state_file.write_text(json.dumps(document | {"format": 99, "program": "99.0.0"}))


def remove(network: Network) -> None:
    """Gone, while its backup and lock are still there."""
    network.state_file.unlink()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (write_nothing, "it is empty"),
        (cut_short, "is not usable"),
        (change_a_value, "its checksum does not fit"),
        (change_stack, "is not usable"),
        (make_newer, "straddle 99.0.0 wrote it in format 99"),
        (remove, "Nothing was changed"),
    ],
)
def test_a_state_that_cannot_be_used_is_never_taken_for_none(
    network: Network, damage: Callable[[Network], None], words: str
) -> None:
    network.apply()
    # The second serial, so that there is a backup.
    network.edit('{ Name = "shared" }', '{ Name = "other" }')
    network.apply()
    damage(network)
    files = network.files()
    for command in (["plan"], ["apply", "--auto-approve"], ["destroy", "--auto-approve"]):
        ran = network.run(*command, code=1)
        assert ran.entries == [] and words in ran.words, ran
        assert network.files() == files
    assert by_kind(network.things()) == THINGS


def test_state_files_are_for_their_owner_alone(network: Network) -> None:
    network.apply()
    modes = {path.name: path.stat().st_mode & 0o777 for path in network.straddle.state.iterdir()}
    assert f"{STATE}.json" in modes and set(modes.values()) == {0o600}


def test_an_account_that_changes_its_id_is_refused(network: Network) -> None:
    network.apply()
    ran = network.plan("--var", f"network_account_id={accounts.HOME}", code=1)
    assert ran.entries == [] and accounts.NETWORK in ran.words and accounts.HOME in ran.words


def test_without_approval_nothing_is_made(network: Network) -> None:
    ran = network.run("apply", code=1)
    assert ran.entries == [] and "--auto-approve" in ran.words
    assert network.things() == []

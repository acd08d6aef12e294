"""The checks before an apply, against accounts of the sandbox: what is well there, what stops a run
before anything is written, and what is only told."""

import json
from typing import Any

import pytest

from . import accounts
from .network import Network
from .sandbox import Sandbox
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "it knows quotas, zones, organizations and versions")

Findings = list[dict[str, Any]]


@pytest.fixture
def checked(network: Network) -> Network:
    """The main spec, whose applies check beforehand."""
    del network.straddle.environment["STRADDLE_SKIP_PREFLIGHT"]
    return network


def preflight(network: Network, *arguments: str, code: int = 0) -> dict[str, Findings]:
    """Runs the checks, and returns what they found by their names."""
    ran = network.run("preflight", "--json", *arguments, code=code)
    assert not ran.mutations or all("DryRun" in str(entry.parameters) for entry in ran.mutations), ran
    return {check["name"]: check["findings"] for check in ran.done.json()["checks"]}


def verdicts(findings: Findings) -> set[str]:
    """Returns how bad it is."""
    return {finding["verdict"] for finding in findings}


def texts(findings: Findings) -> str:
    """Returns everything that was found."""
    return " ".join(finding["message"] for finding in findings)


def test_nothing_is_wrong_with_empty_accounts(checked: Network) -> None:
    found = preflight(checked)
    failed = {name: findings for name, findings in found.items() if "failed" in verdicts(findings)}
    assert not failed, json.dumps(failed, indent=2)
    # Here, the profile is the account's administrator, whom nothing holds back.
    assert verdicts(found["credentials"]) == {"warning"} and accounts.NETWORK in texts(found["credentials"])
    assert verdicts(found["regions"]) == verdicts(found["clock"]) == {"ok"}
    assert "use1-az1 is us-east-1" in texts(found["zones"])
    assert verdicts(found["ranges"]) == {"ok"}
    assert verdicts(found["dry_runs"]) == {"ok"}
    checked.apply()
    checked.assert_converged()
    # There is nothing to do any more, and nothing is asked.
    ran = checked.apply()
    assert not [entry for entry in ran.entries if entry.operation == "DescribeAvailabilityZones"]


def test_what_fails_stops_an_apply_before_anything_is_written(checked: Network) -> None:
    checked.edit("use1-az2", "use1-az9", "stack.toml")
    ran = checked.apply(code=1)
    assert "There is no zone use1-az9" in ran.words and "--skip zones" in ran.words
    assert "Nothing was changed." in ran.words
    assert [entry for entry in ran.mutations if "DryRun" not in str(entry.parameters)] == []
    assert not checked.state_file.exists()
    found = preflight(checked, "--only", "zones", code=1)
    assert list(found) == ["zones"] and "failed" in verdicts(found["zones"])
    # Whoever knows better goes on, and is refused by EC2.
    assert "InvalidParameterValue" in checked.apply("--skip", "zones", code=None).words


def test_what_others_have_used_up_is_counted(checked: Network, world: World) -> None:
    for number in range(5):
        world.client("network").create_vpc(CidrBlock=f"10.{number + 1}.0.0/16")
    found = preflight(checked, code=1)
    assert "failed" in verdicts(found["quotas"]) and "There are 5 VPCs" in texts(found["quotas"])


def test_accounts_that_share_are_looked_up_in_the_organization(checked: Network, sandbox: Sandbox) -> None:
    found = preflight(checked)
    assert "All are in the organization o-" in texts(found["organization"])
    # Only the management account, which the spec does not have, could tell more.
    assert verdicts(found["organization_sharing"]) == {"warning"}


def test_a_destroy_names_what_others_have_in_the_network(checked: Network, world: World) -> None:
    checked.apply()
    assert verdicts(preflight(checked, "--destroy")["foreign_things"]) == {"ok"}
    subnet = checked.ids()["subnet.private['a']"]
    world.client("network").create_network_interface(SubnetId=subnet, Description="somebody's")
    findings = preflight(checked, "--destroy")["foreign_things"]
    assert verdicts(findings) == {"warning"} and "somebody's" in texts(findings)

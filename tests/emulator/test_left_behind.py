"""What keeps a thing from being deleted is explained, and what is left behind is named at the end."""

import json
from typing import Any

import pytest

from .straddle import Straddle
from .world import World

SPEC = """
[stack]
name = "left"

[account.network]
id      = "111111111111"
region  = "us-east-1"
profile = "network-admin"

[vpc.main]
cidr_block = "10.0.0.0/16"

[subnet.main]
vpc_id               = "${vpc.main.id}"
cidr_block           = "10.0.0.0/24"
availability_zone_id = "use1-az1"
timeouts             = { delete = "5s" }
"""


def apply(straddle: Straddle, world: World) -> Any:
    """Applies the spec, and returns the client of its account."""
    straddle.write_spec({"main.toml": SPEC})
    straddle.run("apply", "--auto-approve", straddle.spec).expect(0)
    return world.client("network")


@pytest.mark.only_on("sandbox", "moto deletes a subnet with whatever is in it")
def test_what_is_in_a_subnet_is_named_when_it_cannot_be_deleted(straddle: Straddle, world: World) -> None:
    client = apply(straddle, world)
    [subnet] = client.describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.0.0.0/24"]}])["Subnets"]
    made = client.create_network_interface(SubnetId=subnet["SubnetId"], Description="by hand")
    interface = made["NetworkInterface"]["NetworkInterfaceId"]
    done = straddle.run("destroy", "--auto-approve", "--json", straddle.spec).expect(3)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    [blocked] = [event for event in events if event["type"] == "blocked"]
    [failed] = events[-1]["failed"]
    for blockers in [blocked["blockers"], failed["blockers"]]:
        [link] = blockers[0]["chain"]
        assert (link["what"], link["id"], link["note"]) == ("network interface", interface, "by hand")
    client.delete_network_interface(NetworkInterfaceId=interface)
    straddle.run("destroy", "--auto-approve", straddle.spec).expect(0)


def test_what_is_left_behind_is_named(straddle: Straddle, world: World) -> None:
    client = apply(straddle, world)
    [vpc] = client.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]
    [stack] = [tag for tag in vpc["Tags"] if tag["Key"] == "straddle:stack"]
    stray = client.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    client.create_tags(Resources=[stray], Tags=[stack])
    done = straddle.run("destroy", "--auto-approve", straddle.spec).expect(3)
    assert f"vpc {stray} in the account network" in done.stderr and "1 left behind" in done.stderr
    client.delete_vpc(VpcId=stray)

"""What somebody made by hand, following the walkthrough, becomes a stack: the spec of it is written, its
plan shows imports and tags, and after the apply nothing is left to do; nothing is made, changed or
deleted but tags."""

import re
from typing import Any

import pytest

from . import accounts
from .straddle import Straddle
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "no other shows a shared subnet to the second account")

ZONES = {"a": "use1-az1", "b": "use1-az2"}

STACK = f"""\
[stack]
name = "taken-over"

[account.network]
id      = "{accounts.NETWORK}"
region  = "us-east-1"
profile = "network-admin"

[account.apps]
id       = "{accounts.APPS}"
region   = "us-east-1"
role_arn = "{accounts.DEPLOYER}"
"""


def tagged(kind: str, name: str, **more: str) -> list[dict[str, Any]]:
    """Returns tags as the calls take them."""
    tags = [{"Key": key, "Value": value} for key, value in {"Name": name, **more}.items()]
    return [{"ResourceType": kind, "Tags": tags}]


class ByHand:
    """The network of the walkthrough, and the groups of both accounts, as a person makes them."""

    def __init__(self, world: World) -> None:
        self.ec2 = world.client("network")
        self.ram = world.client("network", "ram")
        self.apps = world.client("apps")
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc", "eks-vpc", owner="anna"))
        self.vpc = vpc["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.public = {letter: self.subnet("public", letter, number) for number, letter in enumerate(ZONES)}
        self.private = {letter: self.subnet("private", letter, number + 8) for number, letter in enumerate(ZONES)}
        for subnet in self.public.values():
            self.ec2.modify_subnet_attribute(SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True})
        tags = tagged("internet-gateway", "eks-igw")
        self.gateway = self.ec2.create_internet_gateway(TagSpecifications=tags)["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(VpcId=self.vpc, InternetGatewayId=self.gateway)
        self.table("public", list(self.public.values()), GatewayId=self.gateway)
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        where = {"SubnetId": self.public["a"]["SubnetId"], "AllocationId": address}
        self.nat = self.ec2.create_nat_gateway(**where, TagSpecifications=tagged("natgateway", "eks-nat"))
        self.nat = self.nat["NatGateway"]["NatGatewayId"]
        self.ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[self.nat], WaiterConfig={"Delay": 1})
        self.table("private", list(self.private.values()), NatGatewayId=self.nat)
        self.group = self.ec2.create_security_group(
            GroupName="alb-sg",
            Description="HTTP from anywhere",
            VpcId=self.vpc,
            TagSpecifications=tagged("security-group", "alb-sg"),
        )["GroupId"]
        everywhere = [{"CidrIp": "0.0.0.0/0", "Description": "HTTP"}]
        port = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": everywhere}
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[port])
        self.ram.create_resource_share(
            name="eks-private-subnets",
            resourceArns=[subnet["SubnetArn"] for subnet in self.private.values()],
            principals=[accounts.APPS],
            allowExternalPrincipals=False,
        )

    def subnet(self, tier: str, letter: str, number: int) -> dict[str, Any]:
        """Makes a subnet with a name."""
        made: dict[str, Any] = self.ec2.create_subnet(
            VpcId=self.vpc,
            CidrBlock=f"10.0.{16 * number}.0/20",
            AvailabilityZoneId=ZONES[letter],
            TagSpecifications=tagged("subnet", f"{tier}-{letter}", tier=tier),
        )["Subnet"]
        return made

    def table(self, name: str, subnets: list[dict[str, Any]], **target: str) -> None:
        """Makes a route table that leads out by a target, and lets subnets go by it."""
        tags = tagged("route-table", name)
        table = self.ec2.create_route_table(VpcId=self.vpc, TagSpecifications=tags)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
        for subnet in subnets:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])


@pytest.fixture
def by_hand(world: World) -> ByHand:
    """What somebody has made."""
    return ByHand(world)


def set_up(straddle: Straddle, by_hand: ByHand) -> dict[str, Any]:
    """Writes the spec of it."""
    straddle.write_spec({"stack.toml": STACK})
    where = f"network/vpc/{by_hand.vpc}"
    done: dict[str, Any] = straddle.run("import-setup", straddle.spec, "--from", where, "--json").expect().json()
    return done


def test_the_plan_of_what_was_written_has_imports_and_tags_alone(straddle: Straddle, by_hand: ByHand) -> None:
    done = set_up(straddle, by_hand)
    assert done["files"] == ["network.toml", "imports.toml"]
    assert any("default group" in sentence for sentence in done["left_out"])
    text = (straddle.spec / "network.toml").read_text()
    assert not re.search(r"\"(vpc|subnet|igw|nat|rtb|sg|eipalloc)-[0-9a-f]+", text), text
    for expected in ["[vpc.eks_vpc]", "[subnet.private_a]", "${nat_gateway.eks_nat.id}", "${account.apps.id}"]:
        assert expected in text, text
    plan = straddle.run("plan", straddle.spec, "--json").expect().json()
    assert len(plan["imports"]) == done["things"]
    assert plan["summary"]["create"] == plan["summary"]["replace"] == plan["summary"]["delete"] == 0
    for change in plan["changes"]:
        assert [attribute["name"] for attribute in change["attributes"]] == ["tags"], change
        before, after = (change["attributes"][0][side] or {} for side in ["before", "after"])
        assert set(after) - set(before) == {"straddle:stack", "straddle:address"}, change
    straddle.run("fmt", "--check", straddle.spec).expect()


def test_after_the_apply_nothing_is_left_to_do(straddle: Straddle, by_hand: ByHand) -> None:
    set_up(straddle, by_hand)
    straddle.run("apply", straddle.spec, "--auto-approve").expect()
    straddle.run("plan", straddle.spec, "--detailed-exitcode").expect()
    vpc = by_hand.ec2.describe_vpcs(VpcIds=[by_hand.vpc])["Vpcs"][0]
    tags = {tag["Key"]: tag["Value"] for tag in vpc["Tags"]}
    assert tags["owner"] == "anna" and tags["straddle:address"] == "vpc.eks_vpc"
    (straddle.spec / "imports.toml").unlink()
    straddle.run("plan", straddle.spec, "--detailed-exitcode").expect()
    again = straddle.run("import-setup", straddle.spec, "--from", f"network/vpc/{by_hand.vpc}").expect()
    assert "Nothing was found that the stack does not have already." in again.stdout
    straddle.run("destroy", straddle.spec, "--auto-approve").expect()
    assert by_hand.ec2.describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [by_hand.vpc]}])["Vpcs"] == []


def test_what_is_there_is_not_written_over(straddle: Straddle, by_hand: ByHand) -> None:
    straddle.write_spec({"stack.toml": STACK, "imports.toml": "# mine\n"})
    where = f"network/vpc/{by_hand.vpc}"
    refused = straddle.run("import-setup", straddle.spec, "--from", where).expect(1)
    assert "error[file-exists]" in refused.stderr
    assert (straddle.spec / "imports.toml").read_text() == "# mine\n"
    assert not (straddle.spec / "network.toml").exists()
    wrong = straddle.run("import-setup", straddle.spec, "--from", f"apps/vpc/{by_hand.vpc}").expect(1)
    assert "belongs to the account" in wrong.stderr or "there is no VPC" in wrong.stderr
    unknown = straddle.run("import-setup", straddle.spec, "--from", "network/subnet/subnet-1").expect(1)
    assert "error[unknown-kind]" in unknown.stderr

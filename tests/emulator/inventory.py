"""What is really there: every live thing of an account that the network kinds make.

Asked of moto itself, past the program and the proxy, so that a trial can compare
what exists with what the program believes.
"""

from dataclasses import dataclass
from typing import Any

from . import accounts
from .world import World


@dataclass(frozen=True)
class Thing:
    """Something that exists."""

    kind: str
    """As in a spec: `vpc`, `nat_gateway`."""
    id: str
    tags: tuple[tuple[str, str], ...]
    detail: dict[str, Any]
    """What the service said about it."""

    def __hash__(self) -> int:
        return hash(self.id)

    def tag(self, key: str) -> str | None:
        """Returns the value of one tag."""
        return dict(self.tags).get(key)


# Kind, operation, member of the answer, member that holds the id.
_LISTS = [
    ("vpc", "describe_vpcs", "Vpcs", "VpcId"),
    ("subnet", "describe_subnets", "Subnets", "SubnetId"),
    ("internet_gateway", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("eip", "describe_addresses", "Addresses", "AllocationId"),
    ("nat_gateway", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("route_table", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("security_group", "describe_security_groups", "SecurityGroups", "GroupId"),
]


def inventory(world: World, account: str) -> list[Thing]:
    """Returns all live things of an account, without what AWS makes by itself: the
    default VPC and its parts, and each VPC's main route table and default security group.
    A deleted NAT gateway or share, which stays listed, is not alive."""
    client = world.client(account)
    found = []
    # Only moto has one. What stands in no VPC must not pass for a part of it.
    default_vpc = ""
    number = accounts.NAMES[account]
    for kind, operation, member, id_member in _LISTS:
        for detail in getattr(client, operation)()[member]:
            if detail.get("OwnerId", number) != number:
                # Another account's, which shares it.
                continue
            if detail.get("IsDefault"):
                default_vpc = detail["VpcId"]
            elif _counts(kind, detail) and detail.get("VpcId") != default_vpc:
                found.append(_thing(kind, detail[id_member], detail))
    groups = {thing.id for thing in found if thing.kind == "security_group"}
    for detail in client.describe_security_group_rules()["SecurityGroupRules"]:
        if detail["GroupId"] in groups:
            found.append(_thing("security_group_rule", detail["SecurityGroupRuleId"], detail))
    return found + [_share(detail) for detail in _shares(world, account)]


def by_kind(things: list[Thing]) -> dict[str, int]:
    """Counts things by kind; kinds without any are left out."""
    counts: dict[str, int] = {}
    for thing in things:
        counts[thing.kind] = counts.get(thing.kind, 0) + 1
    return counts


def _counts(kind: str, detail: dict[str, Any]) -> bool:
    if kind == "nat_gateway":
        return detail["State"] not in ("deleted", "failed")
    if kind == "security_group":
        return detail["GroupName"] != "default"
    if kind == "route_table":
        return not any(association.get("Main") for association in detail["Associations"])
    return True


def _shares(world: World, account: str) -> list[dict[str, Any]]:
    """Returns the shares of an account. RAM goes on listing those that are deleted."""
    shares = world.client(account, "ram").get_resource_shares(resourceOwner="SELF")["resourceShares"]
    return [share for share in shares if share["status"] != "DELETED"]


def _share(detail: dict[str, Any]) -> Thing:
    tags = tuple((tag["key"], tag["value"]) for tag in detail["tags"])
    return Thing("ram_resource_share", detail["resourceShareArn"], tags, detail)


def _thing(kind: str, identifier: str, detail: dict[str, Any]) -> Thing:
    tags = tuple((tag["Key"], tag["Value"]) for tag in detail.get("Tags", []))
    return Thing(kind, identifier, tags, detail)

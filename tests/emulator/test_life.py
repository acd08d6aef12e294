"""The life of the main spec: made, left alone, taken down."""

from collections import Counter
from collections.abc import Callable

from . import accounts
from .inventory import Thing, by_kind
from .network import BIRTHS, DEATHS, ENTRIES, THINGS, Network, Ran
from .request import Entry

OWNERSHIP = {"straddle:stack", "straddle:address", "straddle:op"}

# By subnet: range, zone, public addresses, tag that Kubernetes looks for.
SUBNETS = {
    "public-a": ("10.0.0.0/20", "use1-az1", True, "kubernetes.io/role/elb"),
    "public-b": ("10.0.16.0/20", "use1-az2", True, "kubernetes.io/role/elb"),
    "private-a": ("10.0.128.0/20", "use1-az1", False, "kubernetes.io/role/internal-elb"),
    "private-b": ("10.0.144.0/20", "use1-az2", False, "kubernetes.io/role/internal-elb"),
}

# What a plan of the whole stack reads: one call for each kind, account and page. A VPC's three
# switches take one DescribeVpcAttribute each, of which the spec sets one, and routes, associations and
# tables are one DescribeRouteTables. Members of shares are listed apart from them, by sort.
READS_OF_A_PLAN = {
    "GetCallerIdentity": 1,
    "DescribeVpcs": 1,
    "DescribeVpcAttribute": 1,
    "DescribeSubnets": 1,
    "DescribeInternetGateways": 1,
    "DescribeAddresses": 1,
    "DescribeNatGateways": 1,
    "DescribeRouteTables": 1,
    "DescribeSecurityGroups": 1,
    "DescribeSecurityGroupRules": 1,
    "GetResourceShares": 1,
    "GetResourceShareAssociations": 2,
}


def test_an_apply_makes_exactly_what_the_spec_says(network: Network) -> None:
    ran = network.apply()
    changes = sum(THINGS.values()) + sum(ENTRIES.values())
    assert f"Plan: {changes} to create, 0 to change, 0 to replace, 0 to delete" in ran.stdout
    network.assert_converged()
    assert network.leftovers() == []
    things = network.things()
    check_vpc_and_gateways(network, things)
    check_subnets(things)
    check_tables(things)
    check_share(network, things)
    check_group(things)
    check_tags(network, things)
    check_order_of_birth(ran)
    calls = ran.calls
    assert calls.pop("ModifySubnetAttribute") in (1, 2, 3)
    assert calls == BIRTHS
    assert network.straddle.run("output", "--spec", *network.spec, "--json").expect(0).json() == {
        "vpc_id": one(things, "vpc").id,
        "private_subnet_ids": [named(things, "private-a").id, named(things, "private-b").id],
        "nat_address": one(things, "eip").detail["PublicIp"],
    }


def check_vpc_and_gateways(network: Network, things: list[Thing]) -> None:
    """The VPC has host names, its way out is attached, the NAT gateway has the address."""
    vpc, gateway, address, nat = (
        one(things, kind) for kind in ("vpc", "internet_gateway", "eip", "nat_gateway")
    )
    assert vpc.detail["CidrBlock"] == "10.0.0.0/16" and vpc.tag("Name") == "shared"
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = network.client.describe_vpc_attribute(VpcId=vpc.id, Attribute=attribute)
        assert answer[attribute[0].upper() + attribute[1:]]["Value"] is True
    assert [entry["VpcId"] for entry in gateway.detail["Attachments"]] == [vpc.id]
    assert nat.detail["State"] == "available" and nat.detail["SubnetId"] == named(things, "public-a").id
    assert [entry["AllocationId"] for entry in nat.detail["NatGatewayAddresses"]] == [address.id]


def check_subnets(things: list[Thing]) -> None:
    """Each subnet has its range, zone and switch."""
    subnets = [thing for thing in things if thing.kind == "subnet"]
    assert {subnet.tag("Name") for subnet in subnets} == set(SUBNETS)
    for subnet in subnets:
        cidr, zone, public, role = SUBNETS[str(subnet.tag("Name"))]
        assert subnet.detail["VpcId"] == one(things, "vpc").id
        assert subnet.detail["CidrBlock"] == cidr
        assert subnet.detail["AvailabilityZoneId"] == zone
        assert subnet.detail["MapPublicIpOnLaunch"] is public
        assert subnet.tag(role) == "1" and subnet.tag("project") == "cross-account-alb"


def check_tables(things: list[Thing]) -> None:
    """Public subnets lead to the internet gateway, private ones to the NAT gateway."""
    targets = {"public": one(things, "internet_gateway").id, "private": one(things, "nat_gateway").id}
    for name, target in targets.items():
        (table,) = (thing for thing in things if thing.tag("straddle:address") == f"route_table.{name}")
        routes = {route["DestinationCidrBlock"]: target_of(route) for route in table.detail["Routes"]}
        assert routes == {"10.0.0.0/16": "local", "0.0.0.0/0": target}
        subnets = {association["SubnetId"] for association in table.detail["Associations"]}
        assert subnets == {named(things, f"{name}-{zone}").id for zone in "ab"}


def check_share(network: Network, things: list[Thing]) -> None:
    """The private subnets are shared with the other account, and with nobody outside."""
    share = one(things, "ram_resource_share")
    assert share.detail["name"] == "eks-private-subnets"
    assert share.detail["allowExternalPrincipals"] is False
    subnets = {named(things, name).detail["SubnetArn"] for name in ("private-a", "private-b")}
    for sort, members in [("RESOURCE", subnets), ("PRINCIPAL", {accounts.APPS})]:
        answer = network.shares.get_resource_share_associations(
            associationType=sort, resourceShareArns=[share.id]
        )
        found = answer["resourceShareAssociations"]
        assert {association["associatedEntity"] for association in found} == members


def check_group(things: list[Thing]) -> None:
    """The load balancer lets in HTTP from everywhere, and out what goes to the pods, and no more."""
    group = one(things, "security_group")
    assert group.detail["GroupName"] == "game-2048-alb" and group.detail["VpcId"] == one(things, "vpc").id
    rules = [thing.detail for thing in things if thing.kind == "security_group_rule"]
    allowed = {
        (rule["IsEgress"], rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule["CidrIpv4"], rule["Description"])
        for rule in rules
    }
    assert allowed == {
        (False, "tcp", 80, 80, "0.0.0.0/0", "HTTP from anywhere"),
        (True, "tcp", 80, 80, "10.0.0.0/16", "to the pods"),
    }


def check_tags(network: Network, things: list[Thing]) -> None:
    """Everything that can carry them has our tags, and each was made by an operation of its own."""
    state = network.state()
    assert all({key for key, _ in thing.tags} > OWNERSHIP for thing in things)
    assert {thing.tag("straddle:stack") for thing in things} == {state["lineage"]}
    made = {
        entry["object"]["remote_id"]: entry["object"]["operation_id"] for entry in state["resources"].values()
    }
    assert {thing.id: thing.tag("straddle:op") for thing in things}.items() <= made.items()
    assert len({thing.tag("straddle:op") for thing in things}) == len(things)


def check_order_of_birth(ran: Ran) -> None:
    """A NAT gateway fails without an attached gateway and a route to it."""
    way_out = first(ran, "CreateRoute", lambda entry: "GatewayId" in entry.parameters)
    assert last(ran, "AttachInternetGateway") < way_out < first(ran, "CreateNatGateway")
    assert last(ran, "AllocateAddress") < first(ran, "CreateNatGateway")
    assert first(ran, "CreateVpc") < first(ran, "CreateSubnet")
    private = [
        first(ran, "CreateSubnet", lambda entry, name=name: entry.tags.get("Name") == name)
        for name in ("private-a", "private-b")
    ]
    assert max(private) < first(ran, "CreateResourceShare"), "a share comes after what is in it"


def test_a_second_plan_finds_nothing_and_touches_nothing(network: Network) -> None:
    network.apply()
    files = network.files(lock=True)
    plan = network.plan(code=0)
    assert "No changes. All 20 resources are as the spec says." in plan.stdout
    assert plan.mutations == [] and plan.reads == READS_OF_A_PLAN
    assert {entry.account for entry in plan.entries} == {accounts.NETWORK}
    assert network.files(lock=True) == files
    # What the service alone knows may have changed while others were made: it is recorded once.
    network.apply()
    settled = network.files()
    apply = network.apply()
    assert apply.mutations == [] and apply.reads == READS_OF_A_PLAN
    assert network.files() == settled


def test_a_first_plan_writes_nothing(network: Network) -> None:
    plan = network.plan(code=2)
    # It tells what the account calls the zones of its new subnets; there is nothing else to look at yet.
    reads = {"GetCallerIdentity": 1, "DescribeAvailabilityZones": 1}
    assert plan.mutations == [] and plan.reads == reads
    assert network.files(lock=True) == {}


def test_a_destroy_leaves_nothing_of_ours_and_all_of_others(network: Network) -> None:
    client = network.client
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    client.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20", AvailabilityZoneId="use1-az1")
    gateway = client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    client.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = client.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    client.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    client.allocate_address(Domain="vpc")
    foreign = network.things()
    network.apply()
    things = network.things()
    assert by_kind(things) == Counter(THINGS) + Counter(by_kind(foreign))
    shared = {named(things, name).id for name in ("private-a", "private-b")}

    ran = network.destroy()
    assert [thing.detail for thing in network.things()] == [thing.detail for thing in foreign]
    assert network.leftovers() == [] and network.state()["resources"] == {}
    assert ran.calls == DEATHS
    check_order_of_death(ran)
    in_share = first(ran, "DeleteSubnet", lambda entry: entry.parameters["SubnetId"] in shared)
    assert last(ran, "DeleteResourceShare") < in_share, "a share goes before what is in it"
    assert "Nothing of the stack cross-account-alb is left." in network.destroy().stdout


def check_order_of_death(ran: Ran) -> None:
    """What stands on something goes before it."""
    for entry in ran.mutations:
        if entry.operation == "DeleteRouteTable":
            inside = [
                other
                for other in ran.mutations
                if other.operation == "DeleteRoute"
                and other.parameters["RouteTableId"] == entry.parameters["RouteTableId"]
            ]
            assert inside and all(other.sequence < entry.sequence for other in inside)
    pairs = [
        ("DisassociateRouteTable", "DeleteVpc"),
        ("DeleteNatGateway", "ReleaseAddress"),
        ("DetachInternetGateway", "DeleteInternetGateway"),
        ("DeleteSubnet", "DeleteVpc"),
        ("DeleteRouteTable", "DeleteVpc"),
        ("DeleteNatGateway", "DetachInternetGateway"),
        ("DeleteInternetGateway", "DeleteVpc"),
        ("RevokeSecurityGroupIngress", "DeleteSecurityGroup"),
        ("RevokeSecurityGroupEgress", "DeleteSecurityGroup"),
        ("DeleteSecurityGroup", "DeleteVpc"),
    ]
    for before, after in pairs:
        assert last(ran, before) < first(ran, after), f"{after} before the last {before}\n{ran}"
    assert last(ran, "DeleteRoute") < first(ran, "DetachInternetGateway")
    assert first(ran, "DeleteRoute") < first(ran, "DeleteNatGateway") < last(ran, "DeleteRoute"), (
        "a NAT gateway goes after the route that leads to it, and before its own way out"
    )


def one(things: list[Thing], kind: str) -> Thing:
    """Returns the only thing of a kind."""
    (found,) = (thing for thing in things if thing.kind == kind)
    return found


def named(things: list[Thing], name: str) -> Thing:
    """Returns the thing with this name."""
    (found,) = (thing for thing in things if thing.tag("Name") == name)
    return found


def target_of(route: dict[str, str]) -> str:
    """Returns where a route goes."""
    return route.get("GatewayId") or route["NatGatewayId"]


def sequences(ran: Ran, operation: str, matching: Callable[[Entry], bool] = lambda _: True) -> list[int]:
    """Returns the places of an operation's calls in the log."""
    found = [entry.sequence for entry in ran.mutations if entry.operation == operation and matching(entry)]
    assert found, f"no {operation}\n{ran}"
    return found


def first(ran: Ran, operation: str, matching: Callable[[Entry], bool] = lambda _: True) -> int:
    """Returns the place of the first call."""
    return min(sequences(ran, operation, matching))


def last(ran: Ran, operation: str) -> int:
    """Returns the place of the last call."""
    return max(sequences(ran, operation))

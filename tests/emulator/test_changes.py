"""Changes of the spec: in place where AWS can, by another object where it cannot, and each
time the next plan is empty."""

from collections import Counter

import pytest

from .network import THINGS, Network

EVERYTHING_IN_PLACE = [
    ("vpc.main", "enable_dns_hostnames = true ", "enable_dns_hostnames = false ", "ModifyVpcAttribute", 1),
    (
        "vpc.main",
        'cidr_block           = "10.0.0.0/16"',
        'cidr_block           = "10.0.0.0/16"\nenable_network_address_usage_metrics = true',
        "ModifyVpcAttribute",
        1,
    ),
    ("vpc.main", '{ Name = "shared" }', '{ Name = "other" }', "CreateTags", 1),
    (
        "subnet.public['a']",
        "map_public_ip_on_launch = true",
        "map_public_ip_on_launch = false",
        "ModifySubnetAttribute",
        2,
    ),
    ("subnet.private['b']", ', "kubernetes.io/role/internal-elb" = "1"', "", "DeleteTags", 2),
    (
        "internet_gateway.main",
        "[internet_gateway.main]",
        '[internet_gateway.main]\ntags = { Name = "out" }',
        "CreateTags",
        1,
    ),
    ("eip.nat", "[eip.nat]", '[eip.nat]\ntags = { Name = "nat" }', "CreateTags", 1),
    (
        "nat_gateway.main",
        "[nat_gateway.main]",
        '[nat_gateway.main]\ntags = { Name = "nat" }',
        "CreateTags",
        1,
    ),
    (
        "route_table.private",
        "[route_table.private]",
        '[route_table.private]\ntags = { Name = "private" }',
        "CreateTags",
        1,
    ),
    (
        "route_table.private/route['0.0.0.0/0']",
        "${nat_gateway.main.id}",
        "${internet_gateway.main.id}",
        "ReplaceRoute",
        1,
    ),
    (
        "security_group.alb",
        '"Load balancer in front of game-2048"',
        '"Load balancer in front of game-2048"\ntags = { Name = "alb" }',
        "CreateTags",
        1,
    ),
    (
        "security_group.alb/ingress['HTTP from anywhere']",
        'ports = "80", cidr = "0.0.0.0/0"',
        'ports = "80-81", cidr = "198.51.100.0/24"',
        "ModifySecurityGroupRules",
        1,
    ),
    ("ram_resource_share.private_subnets", '"eks-private-subnets"', '"subnets"', "UpdateResourceShare", 1),
    (
        "ram_resource_share.private_subnets",
        "[ram_resource_share.private_subnets]",
        '[ram_resource_share.private_subnets]\ntags = { Name = "apps" }',
        "TagResource",
        1,
    ),
    (
        "ram_resource_share.private_subnets",
        '"${account.apps.id}"',
        '"${account.apps.id}", "999999999999"',
        "AssociateResourceShare",
        1,
    ),
]


@pytest.mark.parametrize(("address", "old", "new", "operation", "times"), EVERYTHING_IN_PLACE)
def test_what_aws_can_change_is_changed_in_place(
    standing: Network, address: str, old: str, new: str, operation: str, times: int
) -> None:
    before = standing.ids()
    standing.edit(old, new)
    plan = standing.plan(code=2)
    assert f"0 to create, {times} to change, 0 to replace, 0 to delete" in plan.stdout
    assert f"~ {address} " in plan.stdout and before[address] in plan.stdout
    ran = standing.apply()
    assert ran.calls == {operation: times}
    assert standing.ids() == before
    standing.assert_converged()


def replaced(
    network: Network, old: str, new: str, address: str, attribute: str
) -> tuple[dict[str, str], Counter[str]]:
    """Makes a change, checks that the plan says why the thing is replaced, applies it, and
    returns the former ids and the calls."""
    before = network.ids()
    network.edit(old, new)
    plan = network.plan(code=2)
    (block,) = (
        block for block in plan.stdout.split("\n\n") if f"+ {address} " in block or f"- {address} " in block
    )
    assert f"must be replaced: {attribute}" in block, plan
    assert before[address] in block
    ran = network.apply()
    network.assert_converged()
    assert network.ids()[address] != before[address]
    return before, ran.calls


def kept(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Returns the addresses whose objects are the same."""
    return {address for address in before if after.get(address) == before[address]}


def test_another_range_makes_other_subnets_and_keeps_the_rest(standing: Network) -> None:
    old, new = "4, 8 + each.value.number", "4, 10 + each.value.number"
    before, calls = replaced(standing, old, new, "subnet.private['a']", "cidr_block")
    after = standing.ids()
    changed = set(before) - kept(before, after)
    assert {address.split("/")[0] for address in changed} == {
        "subnet.private['a']",
        "subnet.private['b']",
        "route_table.private",
    }
    assert kept(before, after) >= {"route_table.private", "nat_gateway.main", "vpc.main"}
    assert calls["CreateSubnet"] == calls["DeleteSubnet"] == 2 and "CreateVpc" not in calls


def test_another_zone_makes_another_subnet_and_nat_gateway(standing: Network) -> None:
    standing.edit('"use1-az1"', '"use1-az4"', "stack.toml")
    before = standing.ids()
    plan = standing.plan(code=2)
    assert "must be replaced: availability_zone_id cannot be changed in place" in plan.stdout
    ran = standing.apply()
    standing.assert_converged()
    assert ran.calls["CreateSubnet"] == 2 and ran.calls["CreateNatGateway"] == 1
    assert kept(before, standing.ids()) >= {
        "eip.nat",
        "vpc.main",
        "subnet.public['b']",
        "route_table.private",
    }


def test_another_subnet_makes_another_nat_gateway_with_the_same_address(standing: Network) -> None:
    old, new = "${subnet.public['a'].id}", "${subnet.public['b'].id}"
    before, calls = replaced(standing, old, new, "nat_gateway.main", "subnet_id")
    assert standing.ids()["eip.nat"] == before["eip.nat"]
    assert calls["CreateNatGateway"] == calls["DeleteNatGateway"] == 1 and "AllocateAddress" not in calls


def test_another_address_makes_another_nat_gateway(standing: Network) -> None:
    # "The Elastic IP address to recover": one that the account had before.
    mine = standing.client.allocate_address(Domain="vpc")
    standing.client.release_address(AllocationId=mine["AllocationId"])
    wanted = f'[eip.nat]\naddress = "{mine["PublicIp"]}"'
    before, calls = replaced(standing, "[eip.nat]", wanted, "eip.nat", "address")
    assert standing.ids()["nat_gateway.main"] != before["nat_gateway.main"]
    assert calls["AllocateAddress"] == calls["ReleaseAddress"] == calls["CreateNatGateway"] == 1


def test_another_destination_makes_another_route(standing: Network) -> None:
    before = standing.ids()
    table = '[route_table.public]\nvpc_id  = "${vpc.main.id}"\nroutes  = '
    standing.edit(table + '{ "0.0.0.0/0" ', table + '{ "0.0.0.0/1" ')
    ran = standing.apply()
    assert ran.calls == {"CreateRoute": 1, "DeleteRoute": 1}
    assert standing.ids()["route_table.public"] == before["route_table.public"]
    standing.assert_converged()
    standing.edit(table + '{ "0.0.0.0/1" ', table + '{ "0.0.0.0/0" ')
    standing.apply()
    standing.assert_converged()


def test_another_text_makes_a_rule_anew_in_its_place(standing: Network) -> None:
    before = standing.ids()
    standing.edit('"HTTP from anywhere"', '"HTTP from everywhere"')
    ran = standing.apply()
    assert ran.calls == {"RevokeSecurityGroupIngress": 1, "AuthorizeSecurityGroupIngress": 1}
    revoked, made = (entry.operation for entry in ran.mutations)
    assert (revoked, made) == ("RevokeSecurityGroupIngress", "AuthorizeSecurityGroupIngress")
    assert standing.ids()["security_group.alb"] == before["security_group.alb"]
    standing.assert_converged()
    standing.edit('"HTTP from everywhere"', '"HTTP from anywhere"')
    standing.apply()
    standing.assert_converged()


def test_a_group_of_the_same_name_goes_before_the_next(standing: Network) -> None:
    _, calls = replaced(
        standing, '"Load balancer in front of game-2048"', '"Load balancer"', "security_group.alb", "description"
    )
    assert calls["DeleteSecurityGroup"] == calls["CreateSecurityGroup"] == 1


def test_a_subnet_moves_from_one_table_to_another_in_one_apply(standing: Network) -> None:
    public, private = "subnet.public['a'] subnet.public['b'] subnet.private['a']", "subnet.private['b']"
    standing.edit('subnets = "${subnet.public[*].id}"', f"subnets = {listed(public)}")
    standing.edit('subnets = "${subnet.private[*].id}"', f"subnets = {listed(private)}")
    standing.apply()
    standing.assert_converged()


def listed(addresses: str) -> str:
    """Writes a list of ids as a spec has it."""
    return "[" + ", ".join(f'"${{{address}.id}}"' for address in addresses.split()) + "]"


def test_another_zone_more_makes_only_what_is_new(standing: Network) -> None:
    standing.edit("number = 1 } }", 'number = 1 }, c = { id = "use1-az3", number = 2 } }', "stack.toml")
    before = standing.ids()
    ran = standing.apply()
    assert ran.calls["CreateSubnet"] == 2 and kept(before, standing.ids()) == set(before)
    assert ran.calls["AssociateResourceShare"] == 1 and "DisassociateResourceShare" not in ran.calls
    standing.assert_converged(THINGS | {"subnet": 6})
    standing.edit(', c = { id = "use1-az3", number = 2 } }', " }", "stack.toml")
    ran = standing.apply()
    assert ran.calls["DeleteSubnet"] == 2 and ran.calls["DisassociateResourceShare"] == 1
    assert standing.ids() == before
    standing.assert_converged()


def test_another_range_of_the_vpc_makes_everything_anew(standing: Network) -> None:
    before, calls = replaced(standing, '"10.0.0.0/16"', '"10.1.0.0/16"', "vpc.main", "cidr_block")
    assert calls["CreateVpc"] == calls["DeleteVpc"] == 1
    in_place = {"eip.nat", "internet_gateway.main", "ram_resource_share.private_subnets"}
    assert kept(before, standing.ids()) <= in_place


def test_what_leaves_the_spec_leaves_the_account(standing: Network) -> None:
    text = (standing.straddle.spec / "network.toml").read_text()
    start, end = text.index("[route_table.private]"), text.index("[ram_resource_share.private_subnets]")
    (standing.straddle.spec / "network.toml").write_text(text[:start] + text[end:])
    inside = [address for address in standing.ids() if address.startswith("route_table.private/association")]
    ran = standing.apply()
    assert ran.calls == {"DeleteRouteTable": 1, "DeleteRoute": 1, "DisassociateRouteTable": len(inside)}
    standing.assert_converged(THINGS | {"route_table": 1})
    (standing.straddle.spec / "network.toml").write_text(text)
    standing.apply()
    standing.assert_converged()

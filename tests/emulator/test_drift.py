"""What others change behind the program's back: a plan shows it with the old and the new value,
an apply repairs it, and the next plan is empty."""

import re
from collections.abc import Callable

import pytest

from . import accounts
from .network import Network

Ids = dict[str, str]
Shown = list[str]
"""Patterns, one after the other in the section about drift."""

# "DetachInternetGateway: the VPC must not contain any running instances with Elastic IP addresses."
WHILE_MAPPED = pytest.mark.only_on("moto", "AWS detaches no gateway while addresses are mapped")

TAGGED = [
    "vpc.main",
    "subnet.public['a']",
    "internet_gateway.main",
    "eip.nat",
    "nat_gateway.main",
    "route_table.public",
    "security_group.alb",
    "security_group.alb/ingress['HTTP from anywhere']",
]


def drift_section(stdout: str) -> str:
    """Returns the part of a plan that says what others changed."""
    found = re.search(
        r"Changed outside of straddle since the last apply\n(.*)\nChanges of the stack", stdout, re.DOTALL
    )
    assert found, f"no section about drift\n{stdout}"
    return found.group(1)


def check(network: Network, shown: Shown, *arguments: str) -> None:
    """Plans, compares what is shown with what was done, repairs it and plans again."""
    plan = network.plan(*arguments, code=2)
    assert plan.mutations == []
    section = drift_section(plan.stdout)
    for pattern in shown:
        assert re.search(pattern, section), f"{pattern} is not in:\n{plan}"
    network.apply(*arguments)
    network.assert_converged()


def gone(address: str, ids: Ids) -> str:
    """What is shown of something that is gone."""
    return rf"! {re.escape(address)} .*{re.escape(ids[address])} is gone"


def differs(address: str, *rows: str) -> Shown:
    """What is shown of something that differs."""
    return [rf"! {re.escape(address)} .* differs", *rows]


@pytest.mark.one_in(2)
@pytest.mark.parametrize("address", TAGGED)
def test_a_tag_is_set_back(standing: Network, address: str) -> None:
    identifier = standing.ids()[address]
    standing.client.create_tags(Resources=[identifier], Tags=[{"Key": "project", "Value": "theirs"}])
    check(standing, differs(address, 'project += +"cross-account-alb" -> "theirs"'))


@pytest.mark.one_in(2)
@pytest.mark.parametrize("address", TAGGED)
def test_a_tag_that_was_removed_comes_back(standing: Network, address: str) -> None:
    tag = [{"Key": "project"}, {"Key": "straddle:address"}]
    standing.client.delete_tags(Resources=[standing.ids()[address]], Tags=tag)
    check(standing, differs(address, '- project += +"cross-account-alb"', '- "straddle:address" += '))


@pytest.mark.one_in(2)
@pytest.mark.parametrize("address", TAGGED)
def test_a_tag_of_others_is_left_alone(standing: Network, address: str) -> None:
    identifier = standing.ids()[address]
    standing.client.create_tags(Resources=[identifier], Tags=[{"Key": "theirs", "Value": "x"}])
    standing.assert_converged()
    (thing,) = (thing for thing in standing.things() if thing.id == identifier)
    assert thing.tag("theirs") == "x"


def test_what_the_spec_leaves_out_is_left_alone(standing: Network) -> None:
    vpc = standing.ids()["vpc.main"]
    usage = {"EnableNetworkAddressUsageMetrics": {"Value": True}}
    standing.client.modify_vpc_attribute(VpcId=vpc, **usage)
    standing.assert_converged()
    answer = standing.client.describe_vpc_attribute(VpcId=vpc, Attribute="enableNetworkAddressUsageMetrics")
    assert answer["EnableNetworkAddressUsageMetrics"]["Value"] is True


def switch_host_names(network: Network, ids: Ids) -> Shown:
    """EKS nodes would not come up any more."""
    network.client.modify_vpc_attribute(VpcId=ids["vpc.main"], EnableDnsHostnames={"Value": False})
    return differs("vpc.main", "enable_dns_hostnames += +true -> false")


def make_subnet_public(network: Network, ids: Ids) -> Shown:
    """Pods would get public addresses."""
    identifier = ids["subnet.private['b']"]
    network.client.modify_subnet_attribute(SubnetId=identifier, MapPublicIpOnLaunch={"Value": True})
    return differs("subnet.private['b']", "map_public_ip_on_launch += +false -> true")


def detach_gateway(network: Network, ids: Ids) -> Shown:
    """No way out."""
    gateway, vpc = ids["internet_gateway.main"], ids["vpc.main"]
    network.client.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return differs("internet_gateway.main", f'vpc_id += +"{vpc}"')


def delete_gateway(network: Network, ids: Ids) -> Shown:
    """No way out, for good."""
    detach_gateway(network, ids)
    network.client.delete_internet_gateway(InternetGatewayId=ids["internet_gateway.main"])
    return [gone("internet_gateway.main", ids)]


def move_gateway(network: Network, ids: Ids) -> Shown:
    """Attached to another VPC, which is not ours."""
    detach_gateway(network, ids)
    other = network.client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0][
        "VpcId"
    ]
    network.client.attach_internet_gateway(InternetGatewayId=ids["internet_gateway.main"], VpcId=other)
    return differs("internet_gateway.main", f'vpc_id += +"{ids["vpc.main"]}" -> "{other}"')


def delete_nat_gateway(network: Network, ids: Ids) -> Shown:
    """Its address stays."""
    network.take_nat_gateway_away(ids["nat_gateway.main"])
    return [gone("nat_gateway.main", ids)]


def release_address(network: Network, ids: Ids) -> Shown:
    """With the NAT gateway that has it."""
    delete_nat_gateway(network, ids)
    network.client.release_address(AllocationId=ids["eip.nat"])
    return [gone("eip.nat", ids), gone("nat_gateway.main", ids)]


def redirect_route(network: Network, ids: Ids) -> Shown:
    """Pods reach the internet past the NAT gateway."""
    table, gateway, nat = ids["route_table.private"], ids["internet_gateway.main"], ids["nat_gateway.main"]
    network.client.replace_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return differs("route_table.private/route['0.0.0.0/0']", f'target += +"{nat}" -> "{gateway}"')


def delete_route(network: Network, ids: Ids) -> Shown:
    """No way out."""
    network.client.delete_route(RouteTableId=ids["route_table.public"], DestinationCidrBlock="0.0.0.0/0")
    return [gone("route_table.public/route['0.0.0.0/0']", ids)]


def association(address: str, ids: Ids) -> str:
    """Returns AWS's id of an association."""
    return ids[address].split("/")[1]


def remove_association(network: Network, ids: Ids) -> Shown:
    """The subnet goes by the main table."""
    address = "route_table.public/association['a']"
    network.client.disassociate_route_table(AssociationId=association(address, ids))
    return [gone(address, ids)]


def move_association(network: Network, ids: Ids) -> Shown:
    """A private subnet goes by the public table."""
    address = "route_table.private/association['a']"
    identifier, table = association(address, ids), ids["route_table.public"]
    network.client.replace_route_table_association(AssociationId=identifier, RouteTableId=table)
    return [gone(address, ids)]


def delete_table(network: Network, ids: Ids) -> Shown:
    """With all that is in it."""
    for address in (address for address in ids if address.startswith("route_table.private/association")):
        network.client.disassociate_route_table(AssociationId=association(address, ids))
    network.client.delete_route_table(RouteTableId=ids["route_table.private"])
    lost = [address for address in ids if address.startswith("route_table.private")]
    return [gone(address, ids) for address in lost]


def delete_subnet(network: Network, ids: Ids) -> Shown:
    """With its association."""
    address = "route_table.private/association['b']"
    network.client.disassociate_route_table(AssociationId=association(address, ids))
    network.client.delete_subnet(SubnetId=ids["subnet.private['b']"])
    return [gone("subnet.private['b']", ids), gone(address, ids)]


HTTP = "security_group.alb/ingress['HTTP from anywhere']"


def rule_of_others(ids: Ids) -> dict[str, object]:
    """A rule that nobody's spec has."""
    ranges = [{"CidrIp": "198.51.100.7/32", "Description": "for a moment"}]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges}
    return {"GroupId": ids["security_group.alb"], "IpPermissions": [permission]}


def let_in(network: Network, ids: Ids) -> Shown:
    """Somebody from outside gets in."""
    network.client.authorize_security_group_ingress(**rule_of_others(ids))
    row = r'[+] "sgr-\w+ ingress tcp 22 from 198.51.100.7/32 \(for a moment\)"'
    return differs("security_group.alb", row)


def let_out(network: Network, ids: Ids) -> Shown:
    """Everything gets out, as in a group that is new, and to one address besides."""
    network.client.authorize_security_group_egress(**rule_of_others(ids))
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    group = ids["security_group.alb"]
    network.client.authorize_security_group_egress(GroupId=group, IpPermissions=[everything])
    return differs("security_group.alb", r'[+] "sgr-\w+ egress all to 0.0.0.0/0"', r'"sgr-\w+ egress tcp 22 to')


def change_rule(network: Network, ids: Ids) -> Shown:
    """The load balancer is not reached any more."""
    rule = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "CidrIpv4": "10.0.0.0/8"}
    rule["Description"] = "theirs"
    network.client.modify_security_group_rules(
        GroupId=ids["security_group.alb"],
        SecurityGroupRules=[{"SecurityGroupRuleId": ids[HTTP], "SecurityGroupRule": rule}],
    )
    rows = ['cidr += +"0.0.0.0/0" -> "10.0.0.0/8"', '-> "theirs"', 'ports += +"80" -> "8080"']
    return differs(HTTP, *rows)


def disown_rule(network: Network, ids: Ids) -> Shown:
    """Our rule without our tags is still ours, and not revoked beside one that is not."""
    tags = [{"Key": key} for key in ("straddle:stack", "straddle:address", "straddle:op")]
    network.client.delete_tags(Resources=[ids[HTTP]], Tags=tags)
    return let_in(network, ids) + differs(HTTP, '- "straddle:stack"')


def revoke_rule(network: Network, ids: Ids) -> Shown:
    """The load balancer is not reached any more."""
    network.client.revoke_security_group_ingress(
        GroupId=ids["security_group.alb"], SecurityGroupRuleIds=[ids[HTTP]]
    )
    return [gone(HTTP, ids)]


def delete_group(network: Network, ids: Ids) -> Shown:
    """With all that is in it."""
    network.client.delete_security_group(GroupId=ids["security_group.alb"])
    return [gone(address, ids) for address in sorted(ids) if address.startswith("security_group.alb")]


SHARE = "ram_resource_share.private_subnets"


def shut_out_of_share(network: Network, ids: Ids) -> Shown:
    """The other account could make nothing more."""
    network.shares.disassociate_resource_share(resourceShareArn=ids[SHARE], principals=[accounts.APPS])
    return differs(SHARE, f'- "{accounts.APPS}"')


def let_into_share(network: Network, ids: Ids) -> Shown:
    """Somebody else could make things in the subnets."""
    network.shares.associate_resource_share(resourceShareArn=ids[SHARE], principals=[accounts.HOME])
    return differs(SHARE, f'[+] "{accounts.HOME}"')


def open_share(network: Network, ids: Ids) -> Shown:
    """Accounts outside of the organization could be let in."""
    network.shares.update_resource_share(
        resourceShareArn=ids[SHARE], name="theirs", allowExternalPrincipals=True
    )
    return differs(SHARE, "allow_external_principals += +false -> true", 'name += +".*" -> "theirs"')


def delete_share(network: Network, ids: Ids) -> Shown:
    """RAM goes on listing it, as deleted."""
    network.shares.delete_resource_share(resourceShareArn=ids[SHARE])
    return [gone(SHARE, ids)]


@pytest.mark.parametrize(
    "change",
    [
        switch_host_names,
        make_subnet_public,
        *(pytest.param(change, marks=WHILE_MAPPED) for change in (detach_gateway, delete_gateway, move_gateway)),
        delete_nat_gateway,
        release_address,
        redirect_route,
        delete_route,
        remove_association,
        move_association,
        delete_table,
        delete_subnet,
        shut_out_of_share,
        let_into_share,
        open_share,
        delete_share,
        let_in,
        let_out,
        change_rule,
        disown_rule,
        revoke_rule,
        delete_group,
    ],
)
def test_drift_is_shown_and_repaired(standing: Network, change: Callable[[Network, Ids], Shown]) -> None:
    check(standing, change(standing, standing.ids()))


def test_everything_that_is_gone_is_made_again(standing: Network) -> None:
    ids = standing.ids()
    release_address(standing, ids)
    delete_table(standing, ids)
    for address in (address for address in ids if address.startswith("route_table.public/association")):
        standing.client.disassociate_route_table(AssociationId=association(address, ids))
    standing.client.delete_route_table(RouteTableId=ids["route_table.public"])
    delete_gateway(standing, ids)
    delete_share(standing, ids)
    delete_group(standing, ids)
    for address in [address for address in ids if address.startswith("subnet.")]:
        standing.client.delete_subnet(SubnetId=ids[address])
    standing.client.delete_vpc(VpcId=ids["vpc.main"])
    for refused in (standing.plan(code=1), standing.destroy(code=1)):
        assert "error[resources-missing]" in refused.words and refused.mutations == []
    check(standing, [gone(address, ids) for address in sorted(ids)], "--allow-missing")


def test_what_is_gone_is_not_deleted_again(standing: Network) -> None:
    ids = standing.ids()
    delete_nat_gateway(standing, ids)
    delete_route(standing, ids)
    ran = standing.destroy()
    assert "DeleteNatGateway" not in ran.calls
    standing.assert_gone()
    standing.apply()
    standing.assert_converged()

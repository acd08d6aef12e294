"""The checks before an apply, against accounts of the sandbox: what is well there, what stops a run
before anything is written, and what is only told."""

import json
from typing import Any

import pytest

from . import accounts
from .mission import Mission
from .network import Network
from .sandbox import Sandbox
from .straddle import Straddle
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


def test_a_plan_tells_what_each_account_calls_the_zones(mission: Mission) -> None:
    names = {
        account: {
            zone["ZoneId"]: zone["ZoneName"]
            for zone in mission.of(account).describe_availability_zones()["AvailabilityZones"]
        }
        for account in accounts.NAMES
    }
    assert names["network"] != names["apps"]
    planned = mission.plan()
    table = planned.stdout.split("Zones, as each account calls them")[1]
    for zone in ["use1-az1", "use1-az2"]:
        assert f"{zone} is {names['apps'][zone]} in apps, {names['network'][zone]} in network." in table
    told = mission.plan_data()["told"]
    assert [one["heading"] for one in told] == ["Zones, as each account calls them"] and len(told[0]["findings"]) == 2
    # A zone that is not there is told before an apply stops at it.
    mission.edit("use1-az2", "use1-az9", "stack.toml")
    assert "[network] There is no zone use1-az9" in mission.plan().stdout


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


IN_A_NETWORK_OF_OTHERS = """
[stack]
name = "guest"

[account.network]
id      = "111111111111"
region  = "us-east-1"
profile = "network-admin"

[defaults]
account = "network"

[eks_cluster.main]
name       = "main"
role_arn   = "arn:aws:iam::111111111111:role/cluster"
subnet_ids = [SUBNETS]
endpoint   = { public_access_cidrs = ["10.0.0.0/8"] }

[eks_node_group.workers]
cluster_name = "${eks_cluster.main.name}"
name         = "workers"
role_arn     = "arn:aws:iam::111111111111:role/nodes"
subnet_ids   = [SUBNETS]
scaling      = { min = 1, desired = 1, max = 500 }

[load_balancer.web]
name    = "web"
subnets = [SUBNETS]

[kubernetes_object.web]
cluster  = "${eks_cluster.main}"
manifest = { apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "web" }, spec = { replicas = 40, \
selector = { matchLabels = { app = "web" } }, template = { metadata = { labels = { app = "web" } }, spec = { \
containers = [{ name = "web", image = "registry.example/web:1" }] } } } }
"""


def test_a_network_of_others_is_looked_at(straddle: Straddle, world: World) -> None:
    ec2 = world.client("network")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = {"use1-az1": "10.0.0.0/24", "use1-az2": "10.0.1.0/24"}
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZoneId=zone)["Subnet"]["SubnetId"]
        for zone, block in zones.items()
    ]
    balancers = world.client("network", "elbv2")
    taken = balancers.create_load_balancer(Name="web", Subnets=subnets, Scheme="internal")
    names = ", ".join(f'"{subnet}"' for subnet in [*subnets, "subnet-0000000000000000f"])
    straddle.write_spec({"stack.toml": IN_A_NETWORK_OF_OTHERS.replace("SUBNETS", names)})
    done = straddle.run("preflight", straddle.spec, "--json").expect(1)
    found = {check["name"]: check["findings"] for check in done.json()["checks"]}

    existing = found["existing_networks"]
    assert verdicts(existing) == {"failed"}, existing
    assert "This account has no subnet subnet-0000000000000000f" in texts(existing)
    assert f"{vpc} does not resolve the names of its instances" in texts(existing)
    assert f"{subnets[0]} leads nowhere" in texts(found["egress"])
    assert taken["LoadBalancers"][0]["LoadBalancerArn"] in texts(found["load_balancer_names"])
    assert "500 nodes in eks_node_group.workers, and the quota is 450" in texts(found["quotas"])
    assert verdicts(found["cluster_endpoint"]) == {"failed"}, found["cluster_endpoint"]
    assert verdicts(found["pod_places"]) == {"warning"} and "42 pods" in texts(found["pod_places"])

    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    ec2.create_route(
        RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
    )
    text = IN_A_NETWORK_OF_OTHERS.replace("SUBNETS", ", ".join(f'"{subnet}"' for subnet in subnets))
    straddle.write_spec({"stack.toml": text})
    done = straddle.run("preflight", straddle.spec, "--json", "--only", "existing_networks", "--only", "egress")
    found = {check["name"]: check["findings"] for check in done.expect(0).json()["checks"]}
    assert verdicts(found["existing_networks"]) == verdicts(found["egress"]) == {"ok"}, found
    assert f"{subnets[0]} leads out" in texts(found["egress"])


def test_a_destroy_names_what_others_have_made_of_the_network(checked: Network, world: World) -> None:
    checked.apply()
    ids = checked.ids()
    ec2 = world.client("network")
    ec2.create_security_group(GroupName="somebody", Description="of others", VpcId=ids["vpc.main"])
    table = ec2.create_route_table(VpcId=ids["vpc.main"])["RouteTable"]["RouteTableId"]
    findings = preflight(checked, "--destroy")["foreign_things"]
    assert verdicts(findings) == {"warning"}, findings
    assert f"the route table {table} of account {accounts.NETWORK}" in texts(findings)
    assert '"somebody" of account' in texts(findings)

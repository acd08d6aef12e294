"""The kinds that need one account only, on whatever stands in for AWS: made, nothing left to plan, changed
in place, repaired, and taken away."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .clusters import ROLES
from .straddle import Done, Straddle
from .world import World

pytestmark = pytest.mark.on_every_server

ACCOUNT = """
[stack]
name = "alone"

[account.network]
id      = "111111111111"
region  = "us-east-1"
profile = "network-admin"

[defaults]
account = "network"
tags    = { team = "web" }
"""

NETWORK = """
[vpc.main]
cidr_block           = "10.0.0.0/16"
enable_dns_hostnames = true

[internet_gateway.main]
vpc_id = "${vpc.main.id}"

[subnet.public]
for_each          = { a = "us-east-1b", b = "us-east-1c" }
vpc_id            = "${vpc.main.id}"
cidr_block        = "${cidrsubnet(vpc.main.cidr_block, 4, each.key == 'a' ? 0 : 1)}"
availability_zone = "${each.value}"

[route_table.public]
vpc_id  = "${vpc.main.id}"
routes  = { "0.0.0.0/0" = "${internet_gateway.main.id}" }
subnets = "${subnet.public[*].id}"

[security_group.web]
name        = "web"
description = "In front"
vpc_id      = "${vpc.main.id}"
ingress     = [{ protocol = "tcp", ports = "80", cidr = "0.0.0.0/0", description = "HTTP" }]
"""

ADDRESSES = """
[eip.nat]

[nat_gateway.main]
subnet_id     = "${subnet.public['a'].id}"
allocation_id = "${eip.nat.id}"
depends_on    = ["route_table.public"]
"""

IDENTITIES = """
[iam_policy.own]
name     = "own"
document = { Statement = [{ Effect = "Allow", Action = "ec2:Describe*", Resource = "*" }] }

[iam_role.cluster]
name        = "cluster"
description = "Of the cluster"
trust       = { service = "eks.amazonaws.com" }
policies    = ["${iam_policy.own.arn}"]

[iam_role.cluster.inline_policies]
read = { Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::a/*" }] }

[iam_role.nodes]
name  = "nodes"
trust = { service = "ec2.amazonaws.com" }

[iam_instance_profile.nodes]
name = "nodes"
role = "${iam_role.nodes.id}"

[iam_openid_connect_provider.cluster]
url         = "oidc.eks.us-east-1.amazonaws.com/id/A1B2C3"
thumbprints = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
"""

BALANCERS = """
[load_balancer.web]
name            = "web"
subnets         = "${subnet.public[*].id}"
security_groups = ["${security_group.web.id}"]
depends_on      = ["internet_gateway.main"]

[target_group.web]
name        = "web"
protocol    = "HTTP"
port        = 80
target_type = "ip"
vpc_id      = "${vpc.main.id}"

[listener.web]
load_balancer_arn = "${load_balancer.web.arn}"
protocol          = "HTTP"
port              = 80
default_action    = { type = "forward", target_group_arn = "${target_group.web.arn}" }
"""

CLUSTER = ROLES + """
[eks_cluster.main]
name           = "main"
version        = "1.33"
role_arn       = "${iam_role.cluster.arn}"
subnet_ids     = "${subnet.public[*].id}"
depends_on     = ["route_table.public"]

[eks_node_group.workers]
cluster_name   = "${eks_cluster.main.name}"
name           = "workers"
version        = "1.33"
role_arn       = "${iam_role.nodes.arn}"
subnet_ids     = "${subnet.public[*].id}"
instance_types = ["t3.medium"]
scaling        = { min = 1, desired = 2, max = 4 }
"""

ROLE = "arn:aws:iam::111111111111:role/cluster"

# What others do to one of these things: a client of a service, ids by address.
Deed = Callable[[Any, dict[str, str]], object]

# What a server lacks of this, and how that shows: what takes it is left out there.
LACKS = {
    "moto": {
        "AttachRolePolicy": "AWS's own policies are not there",
        "UpdateNodegroupConfig": "there is no DescribeUpdate, by which its end is seen",
    },
    "ministack": {
        "DescribeNatGateways": "the answer does not have the ids of addresses",
        "SetDefaultPolicyVersion": "there is no such action",
        "UpdateNodegroupConfig": "there is no such route",
        "TagResource": "DescribeCluster goes on with the old tags",
    },
}


@dataclass(frozen=True)
class Edit:
    """A text in a spec, and what comes in its place."""

    old: str
    new: str
    takes: str = ""
    """The operation without which it is left out."""


@dataclass(frozen=True)
class Part:
    """Some kinds, with what they stand on."""

    spec: str
    edits: list[Edit]
    """What is changed in place."""
    service: str
    deed: Deed
    """What somebody else changes."""
    address: str
    """Of what."""
    takes: str = ""
    """The operation without which all of it is left out."""


PARTS = {
    "network": Part(
        NETWORK,
        [Edit("enable_dns_hostnames = true", "enable_dns_hostnames = false"), Edit('"80", cidr', '"8080", cidr')],
        "ec2",
        lambda ec2, ids: ec2.revoke_security_group_ingress(
            GroupId=ids["security_group.web"], SecurityGroupRuleIds=[ids["security_group.web/ingress['HTTP']"]]
        ),
        "security_group.web/ingress['HTTP']",
    ),
    "addresses": Part(
        NETWORK + ADDRESSES,
        [Edit("[eip.nat]", '[eip.nat]\ntags = { Name = "nat" }')],
        "ec2",
        lambda ec2, ids: ec2.create_tags(
            Resources=[ids["nat_gateway.main"]], Tags=[{"Key": "team", "Value": "theirs"}]
        ),
        "nat_gateway.main",
        "DescribeNatGateways",
    ),
    "identities": Part(
        IDENTITIES,
        [
            Edit('"Of the cluster"', '"Of clusters"'),
            Edit('"ec2:Describe*"', '"ec2:Get*"', "SetDefaultPolicyVersion"),
        ],
        "iam",
        lambda iam, ids: iam.detach_role_policy(RoleName="cluster", PolicyArn=ids["iam_policy.own"]),
        "iam_role.cluster/policy['iam_policy.own']",
    ),
    "balancers": Part(
        NETWORK + BALANCERS,
        [Edit("[load_balancer.web]", "[load_balancer.web]\nidle_timeout = 120")],
        "elbv2",
        lambda elb, ids: elb.delete_listener(ListenerArn=ids["listener.web"]),
        "listener.web",
    ),
    "cluster": Part(
        NETWORK + CLUSTER,
        [
            Edit("[eks_cluster.main]", '[eks_cluster.main]\ntags = { stage = "trial" }', "TagResource"),
            Edit("max = 4", "max = 5", "UpdateNodegroupConfig"),
        ],
        "eks",
        lambda eks, ids: delete_nodes(eks),
        "eks_node_group.workers",
    ),
}


def delete_nodes(eks: Any) -> None:
    """Somebody deletes the nodes."""
    workers = {"clusterName": "main", "nodegroupName": "workers"}
    eks.delete_nodegroup(**workers)
    eks.get_waiter("nodegroup_deleted").wait(**workers, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


class Alone:
    """A spec of one account in an empty world."""

    def __init__(self, straddle: Straddle) -> None:
        self.straddle = straddle

    def write(self, text: str) -> None:
        """Writes the spec."""
        self.straddle.write_spec({"stack.toml": ACCOUNT + text})

    def run(self, command: str, *arguments: str, code: int = 0) -> Done:
        """Runs a command."""
        return self.straddle.run(command, self.straddle.spec, *arguments, timeout=120).expect(code)

    def apply(self) -> None:
        """Applies, after which nothing is left to do."""
        self.run("apply", "--auto-approve")
        assert "No changes." in self.run("plan", "--detailed-exitcode").stdout

    def state(self) -> dict[str, Any]:
        """Returns what the state has, by address."""
        listed = self.straddle.run("state", "list", self.straddle.spec, "--json").expect(0)
        return dict(listed.json()["resources"])


@pytest.mark.parametrize("name", PARTS)
def test_a_life_in_one_account(straddle: Straddle, world: World, name: str) -> None:
    part, alone = PARTS[name], Alone(straddle)
    lacking = LACKS.get(world.server.name, {})
    if part.takes in lacking:
        pytest.skip(f"{part.takes}: {lacking[part.takes]}")
    spec = part.spec
    if "AttachRolePolicy" in lacking:
        spec = re.sub(r"^policies = \[\s*\"arn:aws:iam::aws:[^]]*\]\n", "", spec, flags=re.MULTILINE)
    alone.write(spec)
    alone.apply()
    ids = {address: entry["object"]["remote_id"] for address, entry in alone.state().items()}

    part.deed(world.client("network", part.service), ids)
    plan = alone.run("plan", "--detailed-exitcode", code=2)
    assert part.address in plan.stdout.split("Changes of the stack")[0], plan
    alone.apply()
    ids = {address: entry["object"]["remote_id"] for address, entry in alone.state().items()}

    changed = spec
    for edit in part.edits:
        assert changed.count(edit.old) == 1, edit
        if edit.takes not in lacking:
            changed = changed.replace(edit.old, edit.new)
    if changed != spec:
        alone.write(changed)
        assert "0 to create" in alone.run("plan", "--detailed-exitcode", code=2).stdout
        alone.apply()
    assert {address: entry["object"]["remote_id"] for address, entry in alone.state().items()} == ids

    alone.run("destroy", "--auto-approve")
    assert alone.state() == {}


@pytest.mark.only_on("ministack", "the others have it")
def test_what_is_left_out_is_still_lacking(world: World) -> None:
    """Fails once it is there: then it is no longer to be left out."""
    ec2, iam, eks = (world.client("network", service) for service in ("ec2", "iam", "eks"))
    found = []
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)
    (gateway,) = ec2.describe_nat_gateways()["NatGateways"]
    if not any(address == one.get("AllocationId") for one in gateway["NatGatewayAddresses"]):
        found.append("DescribeNatGateways")
    allowed = '{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}'
    document = f'{{"Version": "2012-10-17", "Statement": {allowed}}}'
    policy = iam.create_policy(PolicyName="own", PolicyDocument=document)["Policy"]["Arn"]
    with pytest.raises(ClientError, match="SetDefaultPolicyVersion"):
        iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
    found.append("SetDefaultPolicyVersion")
    with pytest.raises(ClientError, match="No route"):
        eks.update_nodegroup_config(clusterName="main", nodegroupName="workers", labels={})
    found.append("UpdateNodegroupConfig")
    cluster = {"subnetIds": [subnet]}
    made = eks.create_cluster(name="main", roleArn=ROLE, resourcesVpcConfig=cluster)["cluster"]
    eks.tag_resource(resourceArn=made["arn"], tags={"team": "web"})
    if "team" not in eks.describe_cluster(name="main")["cluster"]["tags"]:
        found.append("TagResource")
    assert found == list(LACKS["ministack"])

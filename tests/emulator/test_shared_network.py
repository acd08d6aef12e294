"""`specs/shared-network`: a group of account B in account A's VPC, made when B really sees the VPC,
and gone before the share is; in another order AWS refuses."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from . import accounts
from .inventory import by_kind, inventory
from .proxy import Proxy
from .request import Entry
from .straddle import Straddle
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "no other shows a shared subnet to the second account")

# What it makes in each account.
OWNED = {"vpc": 1, "subnet": 2, "ram_resource_share": 1, "security_group": 1, "security_group_rule": 1}
STANDING_ON_IT = {"security_group": 1, "security_group_rule": 2}

SHARE = "ram_resource_share.private_subnets"


class SharedNetwork:
    """The spec in an empty world."""

    def __init__(self, straddle: Straddle, world: World, proxy: Proxy) -> None:
        self.straddle = straddle
        self.world = world
        self.proxy = proxy
        straddle.copy_spec("specs/shared-network")
        self.owner = world.client("network")
        self.shares = world.client("network", "ram")
        self.participant = world.client("apps")

    def run(self, command: str, *arguments: str, code: int = 0) -> str:
        """Runs a command; returns what it printed, without the breaks between lines."""
        done = self.straddle.run(command, self.straddle.spec, "--env", "sandbox", *arguments).expect(code)
        return " ".join((done.stdout + done.stderr).split())

    def apply(self) -> dict[str, str]:
        """Applies; returns the id of everything, by address."""
        self.run("apply", "--auto-approve")
        resources = self.straddle.run("state", "list", self.straddle.spec, "--env", "sandbox", "--json").json()
        return {address: entry["object"]["remote_id"] for address, entry in resources["resources"].items()}

    def assert_converged(self) -> None:
        """Checks that nothing is left to do, and that everything is there, once."""
        assert "No changes." in self.run("plan", "--detailed-exitcode")
        assert by_kind(inventory(self.world, "network")) == OWNED
        assert by_kind(inventory(self.world, "apps")) == STANDING_ON_IT
        assert inventory(self.world, "home") == []

    def assert_gone(self) -> None:
        """Checks that nothing is left anywhere."""
        for account in accounts.NAMES:
            assert inventory(self.world, account) == []

    def done(self, operation: str, account: str) -> Entry:
        """Returns the request of an account that did this, of which there is one."""
        (entry,) = [entry for entry in self.proxy.log.of(operation, account) if entry.worked == 200]
        return entry


@pytest.fixture
def shared(straddle: Straddle, world: World, proxy: Proxy) -> SharedNetwork:
    """The spec in an empty world; nothing is applied."""
    return SharedNetwork(straddle, world, proxy)


def refused(call: Any, **parameters: Any) -> str:
    """Returns the code with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def test_what_stands_on_a_share_is_made_when_it_is_seen(shared: SharedNetwork) -> None:
    ids = shared.apply()
    made = shared.done("CreateSecurityGroup", accounts.APPS)
    assert shared.done("CreateResourceShare", accounts.NETWORK).sequence < made.sequence
    looks = [entry for entry in shared.proxy.log.of("DescribeVpcs", accounts.APPS) if entry.sequence < made.sequence]
    assert ids["vpc.main"].encode() in looks[-1].answer
    # Nothing was tried that was refused.
    assert {entry.worked for entry in shared.proxy.log.mutations} == {200}
    shared.assert_converged()
    address = "security_group.pods/ingress['from the load balancer of account A']"
    rules = shared.participant.describe_security_group_rules(SecurityGroupRuleIds=[ids[address]])
    named = rules["SecurityGroupRules"][0]["ReferencedGroupInfo"]
    assert (named["GroupId"], named["UserId"]) == (ids["security_group.balancer"], accounts.NETWORK)


def test_what_others_change_on_both_sides_is_repaired(shared: SharedNetwork) -> None:
    ids = shared.apply()
    address = "security_group.pods/ingress['from the load balancer of account A']"
    shared.participant.revoke_security_group_ingress(
        GroupId=ids["security_group.pods"], SecurityGroupRuleIds=[ids[address]]
    )
    shared.shares.disassociate_resource_share(resourceShareArn=ids[SHARE], principals=[accounts.APPS])
    words = shared.run("plan", "--detailed-exitcode", code=2)
    assert f"{address} [apps us-east-1] {ids[address]} is gone" in words
    assert f"{SHARE} [network us-east-1]" in words and f'+ "{accounts.APPS}"' in words
    repaired = shared.apply()
    assert repaired[SHARE] == ids[SHARE]
    assert repaired["security_group.pods"] == ids["security_group.pods"]
    shared.assert_converged()


def test_the_share_goes_after_what_stands_on_it(shared: SharedNetwork) -> None:
    shared.apply()
    shared.run("destroy", "--auto-approve")
    gone = shared.done("DeleteSecurityGroup", accounts.APPS).sequence
    unshared = shared.done("DeleteResourceShare", accounts.NETWORK).sequence
    subnets = [entry.sequence for entry in shared.proxy.log.of("DeleteSubnet")]
    assert gone < unshared < min(subnets)
    # The group of A is named by a rule of B's, and goes when that does not name it any more.
    revoked = shared.done("RevokeSecurityGroupIngress", accounts.APPS).sequence
    assert revoked < shared.done("DeleteSecurityGroup", accounts.NETWORK).sequence
    assert {entry.worked for entry in shared.proxy.log.mutations} == {200}
    shared.assert_gone()


def test_by_hand_another_order_is_refused(shared: SharedNetwork) -> None:
    ids = shared.apply()
    vpc, group = ids["vpc.main"], ids["security_group.pods"]
    # "The owner can't delete or modify a participant's security groups" (VPC user guide).
    assert refused(shared.owner.delete_security_group, GroupId=group) == "UnauthorizedOperation"
    balancer = ids["security_group.balancer"]
    assert refused(shared.owner.delete_security_group, GroupId=balancer) == "DependencyViolation"
    subnet = ids["subnet.private['a']"]
    assert refused(shared.participant.delete_subnet, SubnetId=subnet) == "UnauthorizedOperation"
    shared.shares.delete_resource_share(resourceShareArn=ids[SHARE])
    # What B has stays, and keeps the VPC; B can make nothing more there.
    more = {"VpcId": vpc, "GroupName": "more", "Description": "more"}
    assert refused(shared.participant.create_security_group, **more) == "InvalidVpcID.NotFound"
    for name in ("a", "b"):
        shared.owner.delete_subnet(SubnetId=ids[f"subnet.private['{name}']"])
    assert refused(shared.owner.delete_vpc, VpcId=vpc) == "DependencyViolation"
    shared.run("destroy", "--auto-approve", "--allow-missing")
    shared.assert_gone()

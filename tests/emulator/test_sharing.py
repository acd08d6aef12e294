"""Sharing inside an organization: checked before the first share, switched on if the spec says so,
and never switched off. And the end of sharing: when nobody has anything left in the subnets."""

import pytest

from . import accounts
from .faults import Answer
from .network import THINGS, Network
from .proxy import Proxy
from .request import Entry
from .straddle import Straddle
from .world import World

SPEC = """
[stack]
name = "sharing"

[account.management]
id     = "{manager}"
region = "us-east-1"
{credentials}

[ram_resource_share.main]
name       = "main"
principals = ["222222222222"]

[ram_organization_sharing.main]
"""


class Organization:
    """A spec with a share, in an account that may manage an organization."""

    def __init__(self, straddle: Straddle, world: World, proxy: Proxy) -> None:
        self.straddle = straddle
        self.proxy = proxy
        self._is_founded = world.server.name != "moto"
        self.manager = accounts.NAMES[world.server.manager]
        self._organizations = world.client(world.server.manager, "organizations")
        self._shares = world.client(world.server.manager, "ram")

    def found(self) -> None:
        """Makes the organization, in which nobody shares yet."""
        if self._is_founded:
            self.switch_off()
        else:
            self._organizations.create_organization(FeatureSet="ALL")

    def switch_on(self) -> None:
        """Lets its accounts share, as somebody else would."""
        self._shares.enable_sharing_with_aws_organization()

    def switch_off(self) -> None:
        """Lets nobody share any more, as somebody else would."""
        self._organizations.disable_aws_service_access(ServicePrincipal="ram.amazonaws.com")

    def is_on(self) -> bool:
        """Whether its accounts can share."""
        services = self._organizations.list_aws_service_access_for_organization()
        names = [service["ServicePrincipal"] for service in services["EnabledServicePrincipals"]]
        return "ram.amazonaws.com" in names

    def open_share(self) -> None:
        """Lets accounts outside of the organization into the share, as somebody else would."""
        (share,) = self._shares.get_resource_shares(resourceOwner="SELF")["resourceShares"]
        arn = share["resourceShareArn"]
        self._shares.update_resource_share(resourceShareArn=arn, name="main", allowExternalPrincipals=True)

    def write(self, attributes: str = "") -> None:
        """Writes the spec, with these attributes of the condition."""
        credentials = 'profile = "network-admin"' if self.manager == accounts.NETWORK else ""
        spec = SPEC.format(manager=self.manager, credentials=credentials)
        self.straddle.write_spec({"stack.toml": spec + attributes})

    def run(self, command: str, *arguments: str, code: int = 0) -> str:
        """Runs a command; returns what it printed."""
        done = self.straddle.run(command, *arguments, self.straddle.spec).expect(code)
        return " ".join((done.stdout + done.stderr).split())

    def calls(self) -> list[str]:
        """Returns every call that changed something, in order."""
        return [entry.operation for entry in self.proxy.log.mutations if entry.worked == 200]


@pytest.fixture
def organization(straddle: Straddle, world: World, proxy: Proxy) -> Organization:
    """The spec in an empty world."""
    organization = Organization(straddle, world, proxy)
    organization.write()
    return organization


def test_sharing_that_is_off_says_how_to_switch_it_on(organization: Organization) -> None:
    organization.found()
    words = organization.run("apply", "--auto-approve", code=3)
    assert "`enable = true`" in words and "aws ram enable-sharing-with-aws-organization" in words
    assert organization.calls() == [] and not organization.is_on()
    assert "ram_resource_share.main" in words, "the share waits for it"


@pytest.mark.only_on("moto", "every account is in the organization")
def test_an_account_without_organization_is_told_which_one_it_must_be(organization: Organization) -> None:
    organization.write("enable = true")
    words = organization.run("apply", "--auto-approve", code=3)
    assert "Only the organization's management account can do this" in words
    assert organization.calls() == []


def test_a_share_is_closed_to_the_outside_unless_the_spec_says_otherwise(organization: Organization) -> None:
    organization.found()
    organization.switch_on()
    organization.run("apply", "--auto-approve")
    organization.open_share()
    words = organization.run("plan", "--detailed-exitcode", code=2)
    assert "allow_external_principals = true -> false" in words
    organization.run("apply", "--auto-approve")
    assert organization.calls() == ["CreateResourceShare", "UpdateResourceShare"]
    assert "No changes." in organization.run("plan", "--detailed-exitcode")


def test_sharing_that_is_on_is_left_alone(organization: Organization) -> None:
    organization.found()
    organization.switch_on()
    organization.run("apply", "--auto-approve")
    assert organization.calls() == ["CreateResourceShare"]
    assert "No changes." in organization.run("plan", "--detailed-exitcode")


def test_sharing_is_switched_on_before_the_first_share_and_never_off(organization: Organization) -> None:
    organization.found()
    organization.write("enable = true")
    organization.run("apply", "--auto-approve")
    assert organization.calls() == ["EnableSharingWithAwsOrganization", "CreateResourceShare"]
    assert "No changes." in organization.run("plan", "--detailed-exitcode")
    words = organization.run("destroy", "--auto-approve")
    assert "others may rely on it: stays in the account" in words
    assert organization.calls()[2:] == ["DeleteResourceShare"] and organization.is_on()
    assert {entry.account for entry in organization.proxy.log} == {organization.manager}


def test_sharing_that_others_switched_off_is_shown_and_switched_on_again(organization: Organization) -> None:
    organization.found()
    organization.write("enable = true")
    organization.run("apply", "--auto-approve")
    organization.switch_off()
    words = organization.run("plan", "--detailed-exitcode", code=2)
    assert "ram_organization_sharing.main [management us-east-1] ram.amazonaws.com is gone" in words
    organization.run("apply", "--auto-approve")
    assert organization.is_on()
    assert "No changes." in organization.run("plan", "--detailed-exitcode")


class Lodger:
    """Lets an interface of the other account be seen in a subnet: moto shows one account nothing
    of another's."""

    def __init__(self, subnet: str) -> None:
        self._interface = (
            "<item><networkInterfaceId>eni-1</networkInterfaceId>"
            f"<subnetId>{subnet}</subnetId><ownerId>{accounts.APPS}</ownerId>"
            "<description>Amazon EKS main</description></item>"
        )
        self.asked: list[Entry] = []

    def __call__(self, entry: Entry, answer: Answer) -> Answer:
        if entry.operation != "DescribeNetworkInterfaces":
            return answer
        self.asked.append(entry)
        end = b"</networkInterfaceSet>"
        body = answer.body.replace(b"<networkInterfaceSet/>", b"<networkInterfaceSet>" + end)
        assert end in body, body
        return Answer(answer.status, answer.headers, body.replace(end, self._interface.encode() + end))


def test_a_share_stays_as_long_as_somebody_is_in_its_subnets(network: Network) -> None:
    network.edit('"eks-private-subnets"', '"eks-private-subnets"\ntimeouts = { delete = "1s" }')
    network.apply()
    ids = network.ids()
    subnet = ids["subnet.private['b']"]
    lodger = Lodger(subnet)
    network.proxy.rewrite = lodger
    ran = network.destroy(code=3)
    assert f"eni-1 of account {accounts.APPS} in {subnet} (Amazon EKS main)" in ran.words
    asked = {str(value) for entry in lodger.asked for value in entry.parameters.values()}
    assert {ids["subnet.private['a']"], subnet} <= asked and ids["subnet.public['a']"] not in asked
    assert "DeleteResourceShare" not in ran.calls
    left = {thing.id for thing in network.things()}
    assert {ids["ram_resource_share.private_subnets"], ids["subnet.private['a']"], subnet} <= left
    network.proxy.clear()
    network.destroy()
    network.assert_gone()


def test_what_stays_shared_is_waited_for_by_nobody(network: Network) -> None:
    network.apply()
    subnet = network.ids()["subnet.private['b']"]
    network.proxy.rewrite = Lodger(subnet)
    network.edit('"eks-private-subnets"', '"subnets"')
    ran = network.apply()
    assert ran.calls == {"UpdateResourceShare": 1} and "DescribeNetworkInterfaces" not in ran.reads
    network.assert_converged(THINGS)

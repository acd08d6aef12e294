"""NAT gateways that fail after they were made: explained in the service's own words, offered for
replacement, replaced, and cleaned up."""

import re
from xml.etree import ElementTree

import pytest

from .network import THINGS, Network
from .proxy import Answer
from .request import Entry

CODE = "InsufficientFreeAddressesInSubnet"
MESSAGE = "Subnet has insufficient free addresses to create this NAT gateway"
WHY = f"will never be ready, says the service: {CODE}: {MESSAGE}"
ADDRESS = "nat_gateway.main"


class Failing:
    """Shows the first NAT gateway that is made as failed for as long as it is there: those of moto
    never fail."""

    def __init__(self) -> None:
        self.gateway: str | None = None
        self.shown = 0

    def __call__(self, entry: Entry, answer: Answer) -> Answer:
        if entry.operation == "CreateNatGateway" and self.gateway is None and answer.status == 200:
            (self.gateway,) = re.findall("<natGatewayId>([^<]+)", answer.body.decode())
        if entry.operation != "DescribeNatGateways" or self.gateway is None:
            return answer
        tree = ElementTree.fromstring(answer.body)
        for item in tree.iterfind("{*}natGatewaySet/{*}item"):
            state = item.find("{*}state")
            if item.findtext("{*}natGatewayId") == self.gateway and state is not None:
                self._fail(item, state)
        return Answer(answer.status, answer.headers, ElementTree.tostring(tree, default_namespace=_space(tree)))

    def _fail(self, item: ElementTree.Element, state: ElementTree.Element) -> None:
        if state.text != "available":
            return
        state.text = "failed"
        for name, text in {"failureCode": CODE, "failureMessage": MESSAGE}.items():
            ElementTree.SubElement(item, f"{{{_space(state)}}}{name}").text = text
        self.shown += 1


def _space(element: ElementTree.Element) -> str:
    """Returns the namespace of an element."""
    return element.tag.removeprefix("{").partition("}")[0]


@pytest.fixture
def failed(network: Network) -> str:
    """Applies the main spec, of which the NAT gateway fails; returns that gateway."""
    failing = Failing()
    network.proxy.rewrite = failing
    ran = network.apply(code=3)
    assert failing.shown and failing.gateway is not None, ran
    assert f"{ADDRESS} in the account `network`: {WHY}." in ran.words
    assert "Correct what the service complains about and apply again: what failed is then replaced." in ran.words
    assert "1 failed, 1 not started" in ran.words, "the route needs it, everything else goes on"
    return failing.gateway


def test_a_failed_nat_gateway_is_explained_and_replaced(network: Network, failed: str) -> None:
    shown = network.plan()
    assert f"-/+ {ADDRESS} [network us-east-1] {failed}\n      {WHY}\n" in shown.stdout
    plan = network.plan("--json").done.json()
    (change,) = [change for change in plan["changes"] if change["address"] == ADDRESS]
    assert change["action"] == {"replace": "delete_first"}
    assert change["reasons"][0] == {"why": "failed", "reason": f"{CODE}: {MESSAGE}"}
    ran = network.apply()
    assert ran.calls["DeleteNatGateway"] == ran.calls["CreateNatGateway"] == 1, ran
    assert network.ids()[ADDRESS] != failed
    network.assert_converged(THINGS)
    network.destroy()
    network.assert_gone()


def test_a_failed_nat_gateway_is_remembered_with_its_reason(network: Network, failed: str) -> None:
    entry = network.state()["resources"][ADDRESS]["object"]
    assert entry["remote_id"] == failed
    assert entry["status"] == {"is": "failed", "reason": f"{CODE}: {MESSAGE}"}
    listed = network.straddle.run("state", "list", *network.spec).expect(0)
    assert f"{failed} (failed: {CODE}: {MESSAGE})" in listed.stdout
    assert WHY in network.plan("--refresh=false").stdout


def test_a_failed_nat_gateway_that_aws_took_away_is_made_anew(network: Network, failed: str) -> None:
    """AWS deletes a failed gateway by itself after about an hour."""
    network.take_nat_gateway_away(failed)
    assert f"is gone; it was {failed}" in network.plan().stdout
    ran = network.apply()
    assert ran.calls["CreateNatGateway"] == 1 and "DeleteNatGateway" not in ran.calls
    network.assert_converged(THINGS)


def test_a_failed_nat_gateway_is_destroyed_with_the_rest(network: Network, failed: str) -> None:
    ran = network.destroy()
    assert ran.calls["DeleteNatGateway"] == 1
    network.assert_gone()

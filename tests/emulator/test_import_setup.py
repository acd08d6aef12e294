"""What somebody made by hand, following the walkthrough, becomes a stack: the spec of it is written, its
plan shows imports and tags, and after the apply nothing is left to do; nothing is made, changed or
deleted but tags."""

import re
from typing import Any

import pytest

from .by_hand import STACK, NetworkByHand
from .straddle import Straddle
from .world import World

pytestmark = pytest.mark.only_on("sandbox", "no other shows a shared subnet to the second account")

@pytest.fixture
def by_hand(world: World) -> NetworkByHand:
    """What somebody has made."""
    return NetworkByHand(world)


def set_up(straddle: Straddle, by_hand: NetworkByHand) -> dict[str, Any]:
    """Writes the spec of it."""
    straddle.write_spec({"stack.toml": STACK})
    where = f"network/vpc/{by_hand.vpc}"
    done: dict[str, Any] = straddle.run("import-setup", straddle.spec, "--from", where, "--json").expect().json()
    return done


def test_the_plan_of_what_was_written_has_imports_and_tags_alone(straddle: Straddle, by_hand: NetworkByHand) -> None:
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


def test_after_the_apply_nothing_is_left_to_do(straddle: Straddle, by_hand: NetworkByHand) -> None:
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


def test_what_is_there_is_not_written_over(straddle: Straddle, by_hand: NetworkByHand) -> None:
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


def test_groups_that_name_each_other_are_no_circle(straddle: Straddle, by_hand: NetworkByHand) -> None:
    ec2 = by_hand.world.client("network")
    groups = [
        ec2.create_security_group(GroupName=name, Description=name, VpcId=by_hand.vpc)["GroupId"]
        for name in ["front", "back"]
    ]
    for group, other in zip(groups, reversed(groups), strict=True):
        pair = [{"GroupId": other}]
        permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": pair}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    set_up(straddle, by_hand)
    text = (straddle.spec / "network.toml").read_text()
    for group, other in [("front", "back"), ("back", "front")]:
        rule = text.split(f"[security_group_rule.{group}_ingress]")[1].split("\n[")[0]
        assert f"${{security_group.{group}.id}}" in rule and f"${{security_group.{other}.id}}" in rule, text
    summary = straddle.run("plan", straddle.spec, "--json").expect().json()["summary"]
    assert summary["create"] == summary["replace"] == summary["delete"] == 0, summary
    straddle.run("apply", straddle.spec, "--auto-approve", timeout=120).expect()
    straddle.run("plan", straddle.spec, "--detailed-exitcode").expect()
    straddle.run("destroy", straddle.spec, "--auto-approve", timeout=120).expect()

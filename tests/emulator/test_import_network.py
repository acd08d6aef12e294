"""A network with a load balancer in front, made by hand in one account, becomes a stack and goes: what moto
has of the walkthrough, and the sandbox as well."""

from . import accounts
from .by_hand import STACK, BalancersByHand, NetworkByHand
from .straddle import Straddle
from .test_import_walkthrough import assert_imports_and_tags_alone, set_up
from .world import World


def test_a_network_of_one_account_is_taken_over_and_goes(straddle: Straddle, world: World) -> None:
    network = NetworkByHand(world, share=False)
    balancers = BalancersByHand(network)
    straddle.write_spec({"stack.toml": STACK})
    done = set_up(straddle, "--from", f"network/vpc/{network.vpc}")
    assert done["files"] == ["network.toml", "controller.toml", "imports.toml"], done
    assert any(balancers.controllers in sentence for sentence in done["left_out"]), done
    text = (straddle.spec / "controller.toml").read_text()
    for expected in ["[load_balancer.front]", "${load_balancer.front.arn}", "${target_group.front.arn}"]:
        assert expected in text, text
    assert balancers.arn not in (straddle.spec / "imports.toml").read_text()
    assert_imports_and_tags_alone(straddle, done["things"])
    straddle.run("apply", straddle.spec, "--auto-approve").expect()
    straddle.run("plan", straddle.spec, "--detailed-exitcode").expect()
    balancers.controller_cleans_up(network)
    straddle.run("destroy", straddle.spec, "--auto-approve", timeout=120).expect()
    vpcs = world.client("network").describe_vpcs(Filters=[{"Name": "vpc-id", "Values": [network.vpc]}])["Vpcs"]
    assert vpcs == [], accounts.NETWORK


def test_ids_that_cannot_be_are_told(straddle: Straddle) -> None:
    block = '\n[iam_role.mine]\naccount = "network"\nname = "mine"\ntrust = { service = "ec2.amazonaws.com" }\n'
    straddle.write_spec({"stack.toml": STACK + block})
    arn = f"arn:aws:iam::{accounts.NETWORK}:role/mine"
    refused = straddle.run("import", "iam_role.mine", arn, straddle.spec)
    assert refused.code == 1 and "error[wrong-id]" in refused.stderr and "Write `mine`." in refused.stderr, refused

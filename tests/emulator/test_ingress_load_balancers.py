"""Load balancers that a controller makes of an Ingress. A stand-in for the controller makes and takes
away what the real one does, with its names and tags, when the test says so."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .balancers import RANGES, STACK
from .straddle import Done, Straddle
from .world import World

NAME = "k8s-game2048-ingress2-1ae88303d5"
TAGS = {"elbv2.k8s.aws/cluster": "EKSTestDrive", "ingress.k8s.aws/stack": "game-2048/ingress-2048"}

SPEC = STACK + """
[ingress_load_balancer.game]
healthy_targets = 0
timeouts        = { create = "40s", update = "40s", delete = "40s" }
depends_on      = ["internet_gateway.main"]

[ingress_load_balancer.game.ingress]
cluster   = { name = "EKSTestDrive" }
kind      = "Ingress"
namespace = "game-2048"
name      = "ingress-2048"

[ingress_load_balancer.game.ingress.manifest.metadata.annotations]
"alb.ingress.kubernetes.io/scheme"          = "internet-facing"
"alb.ingress.kubernetes.io/target-type"     = "ip"
"alb.ingress.kubernetes.io/subnets"         = "${join(',', subnet.public[*].id)}"
"alb.ingress.kubernetes.io/security-groups" = "${security_group.web.id}"

[output.url]
value = "${ingress_load_balancer.game.url}"
"""


class Controller:
    """What the controller does in account A, as far as it can be seen there."""

    def __init__(self, world: World) -> None:
        self._ec2, self._elb = world.client("network"), world.client("network", "elbv2")
        self._threads: list[threading.Thread] = []

    def later(self, work: Callable[[], None], when: Callable[[], bool]) -> None:
        """Does its work once something has come to pass."""

        def wait() -> None:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                if when():
                    return work()
                time.sleep(0.2)

        thread = threading.Thread(target=wait, daemon=True)
        thread.start()
        self._threads.append(thread)

    def join(self) -> None:
        """Waits until it has nothing left to do."""
        for thread in self._threads:
            thread.join(70)
            assert not thread.is_alive()

    def subnets(self) -> list[str]:
        """The subnets that the Ingress names."""
        ranges = {"Name": "cidr-block", "Values": RANGES}
        return [found["SubnetId"] for found in self._ec2.describe_subnets(Filters=[ranges])["Subnets"]]

    def has_ground(self) -> bool:
        """Whether there is all that the load balancer stands on."""
        return len(self.subnets()) == 2 and bool(self._groups())

    def _groups(self) -> list[dict[str, Any]]:
        named = {"Name": "group-name", "Values": ["web"]}
        return list(self._ec2.describe_security_groups(Filters=[named])["SecurityGroups"])

    def make(self) -> None:
        """Makes target group, load balancer and listener, in the controller's order."""
        [group] = self._groups()
        tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
        target_group = self._elb.create_target_group(
            Name="k8s-game2048-service2-25975f05db", TargetType="ip", Port=80, Protocol="HTTP",
            VpcId=group["VpcId"],
            Tags=[*tags, {"Key": "ingress.k8s.aws/resource", "Value": "game-2048/ingress-2048-service-2048:80"}],
        )["TargetGroups"][0]["TargetGroupArn"]
        balancer = self._elb.create_load_balancer(
            Name=NAME, Subnets=self.subnets(), SecurityGroups=[group["GroupId"]], Scheme="internet-facing",
            Tags=[*tags, {"Key": "ingress.k8s.aws/resource", "Value": "LoadBalancer"}],
        )["LoadBalancers"][0]["LoadBalancerArn"]
        self._elb.create_listener(
            LoadBalancerArn=balancer, Port=80, Protocol="HTTP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )

    def remove(self) -> None:
        """Takes them away, the target group after a while."""
        for balancer in self.balancers():
            self._elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        time.sleep(2)
        for group in self.target_groups():
            self._elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])

    def balancers(self) -> list[dict[str, Any]]:
        """Every load balancer."""
        return list(self._elb.describe_load_balancers()["LoadBalancers"])

    def target_groups(self) -> list[dict[str, Any]]:
        """Every target group."""
        return list(self._elb.describe_target_groups()["TargetGroups"])


@pytest.fixture
def controller(world: World) -> Iterator[Controller]:
    """The stand-in."""
    controller = Controller(world)
    yield controller
    controller.join()


def applied(straddle: Straddle, controller: Controller, spec: str = SPEC) -> Done:
    """Applies the spec, while the controller does its part."""
    straddle.write_spec({"main.toml": spec})
    controller.later(controller.make, controller.has_ground)
    return straddle.run("apply", "--auto-approve", straddle.spec, timeout=120).expect(0)


def test_it_is_foretold_and_waited_for_both_ways(straddle: Straddle, controller: Controller) -> None:
    straddle.write_spec({"main.toml": SPEC})
    shown = straddle.run("plan", straddle.spec).expect(0).stdout
    assert "(+) ingress_load_balancer.game" in shown and NAME in shown and "1 to wait for" in shown
    done = applied(straddle, controller)
    [balancer] = controller.balancers()
    assert f"http://{balancer['DNSName']}/" in done.stdout
    straddle.run("plan", "--detailed-exitcode", straddle.spec).expect(0)

    running = straddle.start("destroy", "--auto-approve", straddle.spec)
    # Long enough for everything that it would do without waiting.
    time.sleep(5)
    assert running.is_running and controller.balancers() and controller.has_ground()
    controller.remove()
    running.wait(120).expect(0)
    assert not controller.subnets()


def test_nothing_under_it_goes_without_the_controller(straddle: Straddle, controller: Controller) -> None:
    # All of that time is waited for nothing.
    applied(straddle, controller, SPEC.replace('delete = "40s"', 'delete = "15s"'))
    failed = straddle.run("destroy", "--auto-approve", straddle.spec, timeout=120).expect(3)
    assert f"the load balancer {NAME}" in failed.stderr and "--force-load-balancers" in failed.stderr
    assert controller.balancers() and controller.has_ground()
    straddle.run("destroy", "--auto-approve", "--force-load-balancers", straddle.spec, timeout=120).expect(0)
    assert not controller.balancers() and not controller.target_groups() and not controller.subnets()


def test_one_that_does_not_come_is_told_and_found_later(straddle: Straddle, controller: Controller) -> None:
    spec = SPEC.replace('create = "40s"', 'create = "3s"')
    straddle.write_spec({"main.toml": spec})
    failed = straddle.run("apply", "--auto-approve", straddle.spec).expect(3)
    assert f"the load balancer {NAME} is missing" in failed.stderr
    assert "the log of the controller" in " ".join(failed.stderr.split())
    controller.make()
    straddle.run("apply", "--auto-approve", straddle.spec).expect(0)
    running = straddle.start("destroy", "--auto-approve", straddle.spec)
    time.sleep(2)
    running.kill()
    controller.remove()
    straddle.run("destroy", "--auto-approve", straddle.spec, timeout=120).expect(0)
    assert not controller.subnets()


def test_what_others_change_of_it_is_told_and_left_alone(
    straddle: Straddle, controller: Controller, world: World
) -> None:
    applied(straddle, controller)
    [balancer] = controller.balancers()
    network, client = world.client("network"), world.client("network", "elbv2")
    theirs = network.create_security_group(GroupName="theirs", Description="-", VpcId=balancer["VpcId"])["GroupId"]
    client.set_security_groups(LoadBalancerArn=balancer["LoadBalancerArn"], SecurityGroups=[theirs])
    plan = straddle.plan()
    assert plan["changes"] == [] and [drift["address"] for drift in plan["drift"]] == ["ingress_load_balancer.game"]
    controller.remove()
    network.delete_security_group(GroupId=theirs)
    straddle.run("destroy", "--auto-approve", straddle.spec, timeout=120).expect(0)

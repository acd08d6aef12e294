"""Load balancers, target groups and listeners that the program makes itself: made, changed in place,
replaced where the service needs it, and taken down."""

from typing import Any

from .balancers import RANGES, STACK
from .straddle import Straddle
from .world import World

SPEC = STACK + """
[load_balancer.web]
name                       = "web"
subnets                    = ["${subnet.public['use1-az1'].id}", "${subnet.public['use1-az2'].id}"]
security_groups            = ["${security_group.web.id}"]
idle_timeout               = 120
enable_deletion_protection = true
tags                       = { team = "net" }
depends_on                 = ["internet_gateway.main"]

[target_group.web]
name         = "web"
target_type  = "ip"
port         = 80
protocol     = "HTTP"
vpc_id       = "${vpc.main.id}"
health_check = { path = "/healthz", interval = 20 }
stickiness   = { enabled = true, type = "lb_cookie" }

[listener.http]
load_balancer_arn = "${load_balancer.web.arn}"
port              = 80
protocol          = "HTTP"
default_action    = { type = "forward", target_group_arn = "${target_group.web.arn}" }

[output.name]
value = "${load_balancer.web.dns_name}"
"""

CHANGES = [
    ("idle_timeout               = 120\n", ""),
    ('{ path = "/healthz", interval = 20 }', '{ path = "/" }'),
    ('{ team = "net" }', '{ team = "web" }'),
    (
        '{ type = "forward", target_group_arn = "${target_group.web.arn}" }',
        '{ type = "fixed-response", fixed_response = { status_code = "503", content_type = "text/plain" } }',
    ),
]


def balancers(world: World) -> list[dict[str, Any]]:
    """Returns the load balancers."""
    return list(world.client("network", "elbv2").describe_load_balancers()["LoadBalancers"])


def attribute(world: World, arn: str, key: str) -> str:
    """Returns an attribute of a load balancer."""
    client = world.client("network", "elbv2")
    found = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {str(pair["Key"]): str(pair["Value"]) for pair in found}[key]


def test_load_balancers_live_change_and_die(straddle: Straddle, world: World) -> None:
    straddle.write_spec({"main.toml": SPEC})
    straddle.run("apply", "--auto-approve", straddle.spec).expect(0)
    straddle.run("plan", "--detailed-exitcode", straddle.spec).expect(0)
    [made] = balancers(world)
    arn = made["LoadBalancerArn"]
    assert attribute(world, arn, "idle_timeout.timeout_seconds") == "120"
    assert attribute(world, arn, "deletion_protection.enabled") == "true"

    changed = SPEC
    for before, after in CHANGES:
        assert before in changed
        changed = changed.replace(before, after)
    straddle.write_spec({"main.toml": changed})
    straddle.run("apply", "--auto-approve", straddle.spec).expect(0)
    straddle.run("plan", "--detailed-exitcode", straddle.spec).expect(0)
    [after] = balancers(world)
    assert after["LoadBalancerArn"] == arn
    assert attribute(world, arn, "idle_timeout.timeout_seconds") == "60"
    client = world.client("network", "elbv2")
    [listener] = client.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    [action] = listener["DefaultActions"]
    assert action["Type"] == "fixed-response"
    [group] = client.describe_target_groups()["TargetGroups"]
    assert (group["HealthCheckPath"], group["HealthCheckIntervalSeconds"]) == ("/", 30)

    straddle.run("destroy", "--auto-approve", straddle.spec).expect(0)
    assert balancers(world) == []
    assert client.describe_target_groups()["TargetGroups"] == []


def test_a_load_balancer_of_that_name_is_not_taken(straddle: Straddle, world: World) -> None:
    straddle.write_spec({"main.toml": SPEC})
    straddle.run(
        "apply", "--auto-approve", "--target", "subnet.public", "--target", "internet_gateway.main", straddle.spec
    ).expect(0)
    client = world.client("network", "elbv2")
    subnets = [subnet["SubnetId"] for subnet in world.client("network").describe_subnets(
        Filters=[{"Name": "cidr-block", "Values": RANGES}]
    )["Subnets"]]
    client.create_load_balancer(Name="web", Subnets=subnets)
    done = straddle.run("apply", "--auto-approve", straddle.spec).expect(3)
    assert "exists already and was made by something else" in done.stderr
    [theirs] = balancers(world)
    client.delete_load_balancer(LoadBalancerArn=theirs["LoadBalancerArn"])
    straddle.run("apply", "--auto-approve", straddle.spec).expect(0)
    straddle.run("destroy", "--auto-approve", straddle.spec).expect(0)


def test_a_lost_answer_makes_no_second_thing(straddle: Straddle, world: World, proxy: Any) -> None:
    straddle.write_spec({"main.toml": SPEC})
    for operation in ["CreateLoadBalancer", "CreateTargetGroup", "CreateListener"]:
        rule = proxy.add(operation, "lost")
        straddle.run("apply", "--auto-approve", straddle.spec).expect(0)
        proxy.clear()
        assert rule.fired
        assert len(balancers(world)) == 1
        straddle.run("destroy", "--auto-approve", straddle.spec).expect(0)

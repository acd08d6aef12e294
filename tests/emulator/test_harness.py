"""Tests of the harness itself: each fault is shown to do, and to leave undone, what
it says, by asking the server afterwards."""

import http.client
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from .accounts import APPS, DEPLOYER, HOME, NETWORK
from .inventory import by_kind, inventory
from .proxy import Proxy, Stage
from .request import Outcome
from .sandbox import Sandbox
from .world import World


def create_vpc(client: Any, **more: Any) -> str:
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "straddle:op", "Value": "one"}]}]
    return client.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags, **more)["Vpc"]["VpcId"]


def vpcs(world: World, account: str = "network") -> int:
    return by_kind(inventory(world, account)).get("vpc", 0)


def refusal(call: Any, *arguments: Any, **settings: Any) -> tuple[str, int]:
    """Returns code and status of the error that a call gets."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **settings)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def client(world: World, proxy: Proxy) -> Any:
    """EC2 of the network account, through the proxy."""
    return world.client("network", endpoint=proxy.endpoint)


def test_each_account_is_reached_by_its_own_way(world: World) -> None:
    for name, number in (("network", NETWORK), ("apps", APPS), ("home", HOME)):
        assert world.client(name, "sts").get_caller_identity()["Account"] == number
    role = world.client("apps", "iam").get_role(RoleName="Deployer")["Role"]
    assert role["Arn"] == DEPLOYER


def test_accounts_are_worlds_apart(world: World) -> None:
    create_vpc(world.client("network"))
    assert [vpcs(world, name) for name in ("network", "apps", "home")] == [1, 0, 0]


def test_a_reset_empties_the_world(world: World) -> None:
    create_vpc(world.client("network"))
    assert vpcs(World(world.server)) == 0


def test_without_rules_everything_gets_through_and_is_logged(world: World, proxy: Proxy, client: Any) -> None:
    vpc = create_vpc(client)
    entry = proxy.log[0]
    assert (entry.sequence, entry.service, entry.region) == (1, "ec2", "us-east-1")
    assert (entry.operation, entry.account) == ("CreateVpc", NETWORK)
    assert entry.parameters["CidrBlock"] == "10.0.0.0/16"
    assert entry.tags == {"straddle:op": "one"}
    assert (entry.outcome, entry.status, entry.worked) == (Outcome.FORWARDED, 200, 200)
    assert vpc in entry.answer.decode() and not entry.is_read
    assert [thing.tag("straddle:op") for thing in inventory(world, "network")] == ["one"]


def test_errors_of_moto_get_through_and_are_logged(proxy: Proxy, client: Any) -> None:
    assert refusal(client.delete_vpc, VpcId="vpc-0") == ("InvalidVpcID.NotFound", 400)
    assert (proxy.log[0].outcome, proxy.log[0].error) == (Outcome.FORWARDED, "InvalidVpcID.NotFound")


def test_the_log_knows_the_account_of_an_assumed_role(world: World, proxy: Proxy) -> None:
    home = world.client("home", "sts", endpoint=proxy.endpoint)
    home.assume_role(RoleArn=DEPLOYER, RoleSessionName="trial")
    create_vpc(world.client("apps", endpoint=proxy.endpoint))
    assert [(entry.account, entry.operation) for entry in proxy.log if entry.service != "sts"] == [
        (APPS, "CreateVpc")
    ]
    assert [entry.account for entry in proxy.log.of("AssumeRole")] == [HOME]
    assert proxy.log.mutations == proxy.log.of("CreateVpc", APPS)


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("before", "InternalError", 500),
        ("throttle", "RequestLimitExceeded", 503),
        ("expired", "RequestExpired", 400),
        ("denied", "UnauthorizedOperation", 403),
    ],
)
def test_refusals_leave_the_work_undone(
    world: World, proxy: Proxy, client: Any, fault: str, code: str, status: int
) -> None:
    rule = proxy.add("CreateVpc", fault)
    assert refusal(create_vpc, client) == (code, status)
    entry = proxy.log[0]
    assert (entry.outcome, entry.fault, entry.error) == (Outcome.INJECTED, fault, code)
    assert (entry.status, entry.worked, rule.fired) == (status, None, [entry])
    assert vpcs(world) == 0


def test_after_fails_and_the_work_is_done(world: World, proxy: Proxy, client: Any) -> None:
    proxy.add("CreateVpc", "after")
    assert refusal(create_vpc, client) == ("InternalError", 500)
    assert (proxy.log[0].outcome, proxy.log[0].status, proxy.log[0].worked) == (Outcome.LOST, 500, 200)
    assert vpcs(world) == 1


def test_lost_answers_nothing_and_the_work_is_done(world: World, proxy: Proxy, client: Any) -> None:
    proxy.add("CreateVpc", "lost")
    with pytest.raises(ConnectionClosedError):
        create_vpc(client)
    assert (proxy.log[0].outcome, proxy.log[0].status, proxy.log[0].worked) == (Outcome.LOST, None, 200)
    assert vpcs(world) == 1


def test_delay_does_the_work_after_a_while(world: World, proxy: Proxy, client: Any) -> None:
    proxy.add("CreateVpc", "delay", seconds=0.3)
    began = time.monotonic()
    create_vpc(client)
    assert time.monotonic() - began >= 0.3
    assert proxy.log[0].outcome == Outcome.FORWARDED and vpcs(world) == 1


def test_late_does_the_work_when_the_client_has_given_up(world: World, proxy: Proxy, client: Any) -> None:
    proxy.add("CreateVpc", "late", seconds=3)
    with pytest.raises(ConnectionClosedError):
        create_vpc(client)
    assert (proxy.log[0].outcome, proxy.log[0].worked, vpcs(world)) == (Outcome.LATE, None, 0)
    proxy.wait_for_late()
    assert (proxy.log[0].worked, vpcs(world)) == (200, 1)


def test_late_work_never_lands_in_the_next_world(world: World, client: Any, proxy: Proxy) -> None:
    with Proxy(world.server) as other:
        other.add("CreateVpc", "late", seconds=0.3)
        with pytest.raises(ConnectionClosedError):
            create_vpc(world.client("network", endpoint=other.endpoint))
    time.sleep(0.5)
    assert vpcs(world) == 0


def test_rules_count_by_operation_and_account(world: World, proxy: Proxy, client: Any) -> None:
    rule = proxy.add("Create*", "before", nth=2, times=2, account=NETWORK)
    apps = world.client("apps", endpoint=proxy.endpoint)
    assert create_vpc(apps) and create_vpc(client) and create_vpc(apps)
    assert refusal(create_vpc, client)[1] == refusal(create_vpc, client)[1] == 500
    assert create_vpc(client)
    assert (len(rule.fired), rule.seen, vpcs(world)) == (2, 4, 2)


def test_a_rule_may_look_at_parameters_and_fire_for_ever(world: World, proxy: Proxy, client: Any) -> None:
    proxy.add("CreateVpc", "throttle", times=None, matching=lambda entry: "straddle:op" in entry.tags)
    for _ in range(3):
        assert refusal(create_vpc, client)[1] == 503
    client.create_vpc(CidrBlock="10.1.0.0/16")
    proxy.clear()
    assert create_vpc(client) and vpcs(world) == 2


def test_other_services_fail_in_their_own_protocol(world: World, proxy: Proxy) -> None:
    iam = world.client("network", "iam", endpoint=proxy.endpoint)
    for fault, expected in (
        ("before", ("InternalFailure", 500)),
        ("throttle", ("Throttling", 400)),
        ("expired", ("ExpiredToken", 403)),
        ("denied", ("AccessDenied", 403)),
    ):
        proxy.add("GetRole", fault)
        assert refusal(iam.get_role, RoleName="x") == expected
        proxy.clear()
    eks = world.client("network", "eks", endpoint=proxy.endpoint)
    proxy.add("ListClusters", "denied")
    assert refusal(eks.list_clusters) == ("AccessDeniedException", 403)


def test_hooks_see_each_stage_and_may_stop_it(world: World, proxy: Proxy, client: Any) -> None:
    seen: list[tuple[Stage, int]] = []

    def watch(entry: Any, stage: Stage) -> None:
        seen.append((stage, vpcs(world)))

    proxy.on_request = watch
    create_vpc(client)
    deadline = time.monotonic() + 5
    while len(seen) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == [(Stage.RECEIVED, 0), (Stage.WORKED, 1), (Stage.ANSWERED, 1)]

    for stage, outcome, left in ((Stage.RECEIVED, Outcome.DROPPED, 1), (Stage.WORKED, Outcome.LOST, 2)):
        proxy.on_request = lambda entry, now, stop=stage: now != stop
        with pytest.raises(ConnectionClosedError):
            create_vpc(client)
        assert (proxy.log[-1].outcome, vpcs(world)) == (outcome, left)


@pytest.mark.only_on("moto", "others remember tokens themselves")
def test_client_tokens_are_remembered(world: World, proxy: Proxy, client: Any) -> None:
    vpc, other = create_vpc(client), create_vpc(client)

    def create(vpc: str, token: str) -> str:
        return client.create_route_table(VpcId=vpc, ClientToken=token)["RouteTable"]["RouteTableId"]

    proxy.add("CreateRouteTable", "lost")
    with pytest.raises(ConnectionClosedError):
        create(vpc, "first")
    again = create(vpc, "first")
    assert proxy.log[-1].outcome == Outcome.REPLAYED
    assert again in proxy.log.of("CreateRouteTable")[0].answer.decode()
    assert refusal(create, other, "first") == ("IdempotentParameterMismatch", 400)
    assert create(vpc, "second") != again
    assert by_kind(inventory(world, "network"))["route_table"] == 2


@pytest.mark.only_on("moto", "others remember tokens themselves")
def test_moto_itself_forgets_client_tokens(world: World) -> None:
    """If this fails, moto has learned it, and `tokens.py` can go."""
    client = world.client("network")
    vpc = create_vpc(client)
    for _ in range(2):
        client.create_route_table(VpcId=vpc, ClientToken="same")
    assert by_kind(inventory(world, "network"))["route_table"] == 2


@pytest.mark.only_on("moto", "what is not signed is refused")
def test_connections_are_kept_alive(proxy: Proxy, client: Any) -> None:
    connection = http.client.HTTPConnection(proxy.endpoint.removeprefix("http://"))
    sockets = set()
    for _ in range(3):
        connection.request("POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sts/aws4_request",
        })
        response = connection.getresponse()
        assert response.status == 200 and response.read()
        sockets.add(connection.sock.getsockname())
    connection.close()
    assert len(sockets) == 1


def test_a_server_that_does_not_answer_is_called_broken(world: World) -> None:
    keys = world.credentials.network
    with Proxy(world.server) as proxy:
        proxy._account_of._known[keys.access_key] = NETWORK
        proxy._address = ("127.0.0.1", 1)
        client = world.client("network", endpoint=proxy.endpoint)
        assert refusal(create_vpc, client) == ("ServerDoesNotAnswer", 502)
        assert (proxy.log[0].outcome, proxy.log[0].worked) == (Outcome.BROKEN, None)


@pytest.mark.only_on("sandbox", "others have no faults of their own")
def test_a_server_that_says_nothing_is_passed_on_as_it_is(sandbox: Sandbox, world: World) -> None:
    sandbox.order("POST", "faults", {"fault": "lost", "operation": "CreateVpc"})
    with Proxy(sandbox) as proxy:
        with pytest.raises(ConnectionClosedError):
            create_vpc(world.client("network", endpoint=proxy.endpoint))
        assert (proxy.log[0].outcome, proxy.log[0].status) == (Outcome.SILENT, None)
    assert by_kind(inventory(world, "network")) == {"vpc": 1}


def test_the_inventory_leaves_out_what_aws_makes_by_itself(world: World) -> None:
    client = world.client("network")
    assert inventory(world, "network") == []
    vpc = create_vpc(client)
    subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20", AvailabilityZoneId="use1-az1")
    subnet_id = subnet["Subnet"]["SubnetId"]
    client.allocate_address()
    # A public one would fail without a way to the internet, where that is looked at.
    gateway = client.create_nat_gateway(SubnetId=subnet_id, ConnectivityType="private")["NatGateway"]
    expected = {"vpc": 1, "subnet": 1, "eip": 1, "nat_gateway": 1}
    assert by_kind(inventory(world, "network")) == expected
    client.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
    client.get_waiter("nat_gateway_deleted").wait(
        NatGatewayIds=[gateway["NatGatewayId"]], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    del expected["nat_gateway"]
    assert by_kind(inventory(world, "network")) == expected

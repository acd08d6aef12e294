"""The sandbox's faults, as boto3 meets them."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from .network import attached_gateway, subnet, vpc
from .walk import Walk, only_sandbox, refusal

pytestmark = only_sandbox("the faults are the sandbox's own; on moto the proxy makes them")

_BLOCK = {"CidrBlock": "10.0.0.0/16"}


def _vpcs(walk: Walk) -> int:
    return len(walk.client("network").describe_vpcs()["Vpcs"])


# "RequestLimitExceeded" of the EC2 API reference (Request throttling); "Throttling" and
# "ThrottlingException" of the common errors of IAM, STS and RAM; Organizations' TooManyRequestsException.
@pytest.mark.parametrize(
    ("service", "method", "operation", "code"),
    [
        ("ec2", "describe_vpcs", "DescribeVpcs", "RequestLimitExceeded"),
        ("iam", "list_users", "ListUsers", "Throttling"),
        ("sts", "get_caller_identity", "GetCallerIdentity", "Throttling"),
        ("ram", "get_resource_share_invitations", "GetResourceShareInvitations", "ThrottlingException"),
        ("organizations", "describe_organization", "DescribeOrganization", "TooManyRequestsException"),
    ],
)
def test_throttled(walk: Walk, service: str, method: str, operation: str, code: str) -> None:
    call = getattr(walk.client("network", service), method)
    walk.fault("throttle", operation)
    walk.refused(code, "common errors: the request was denied due to request throttling", call)
    assert refusal(call) is None and walk.fired() == 1


# "InternalError: An internal error has occurred. Retry your request" (error codes of the EC2 API
# reference); whether the work was done, nobody says.
@pytest.mark.parametrize(("kind", "made"), [("before", 0), ("after", 1)])
def test_internal_errors(walk: Walk, kind: str, made: int) -> None:
    walk.fault(kind, "CreateVpc")
    internal = "error codes of the EC2 API reference: InternalError, retry your request"
    walk.refused("InternalError", internal, walk.client("network").create_vpc, **_BLOCK)
    assert (_vpcs(walk), walk.fired()) == (made, 1)


def test_lost_answers(walk: Walk) -> None:
    # "If a request times out or the connection breaks, it might be that the request has
    # completed successfully" (Ensuring idempotency in Amazon EC2 API requests).
    walk.fault("lost", "CreateVpc")
    with pytest.raises(ConnectionClosedError):
        walk.client("network").create_vpc(**_BLOCK)
    assert _vpcs(walk) == 1


def test_late_arrival(walk: Walk) -> None:
    # The same page: what a client gave up may still be carried out.
    walk.fault("late", "CreateVpc", seconds=30)
    with pytest.raises(ConnectionClosedError):
        walk.client("network").create_vpc(**_BLOCK)
    assert _vpcs(walk) == 0
    walk.pass_time(31)
    assert _vpcs(walk) == 1


def test_slow_answers(walk: Walk) -> None:
    # How long an answer takes, no service promises; SDKs give up after a read timeout of theirs.
    walk.fault("slow", "CreateVpc", seconds=0.3)
    before = time.monotonic()
    walk.client("network").create_vpc(**_BLOCK)
    assert time.monotonic() - before >= 0.3 and _vpcs(walk) == 1


# "RequestExpired" of EC2's error codes; "ExpiredToken" of the common errors of the others.
@pytest.mark.parametrize(
    ("service", "method", "operation", "code"),
    [
        ("ec2", "describe_vpcs", "DescribeVpcs", "RequestExpired"),
        ("iam", "list_users", "ListUsers", "ExpiredToken"),
    ],
)
def test_expired(walk: Walk, service: str, method: str, operation: str, code: str) -> None:
    walk.fault("expired", operation)
    walk.refused(
        code, "common errors: the credentials have expired", getattr(walk.client("network", service), method)
    )


# "UnauthorizedOperation" of EC2's error codes, with a message for DecodeAuthorizationMessage;
# "AccessDenied" and "AccessDeniedException" of the common errors of the others.
@pytest.mark.parametrize(
    ("service", "method", "operation", "code"),
    [
        ("ec2", "describe_vpcs", "DescribeVpcs", "UnauthorizedOperation"),
        ("iam", "list_users", "ListUsers", "AccessDenied"),
        ("ram", "get_resource_share_invitations", "GetResourceShareInvitations", "AccessDeniedException"),
    ],
)
def test_denied(walk: Walk, service: str, method: str, operation: str, code: str) -> None:
    walk.fault("denied", operation)
    walk.refused(code, "common errors: not authorized", getattr(walk.client("network", service), method))


def test_what_is_new_is_not_found_for_a_while(walk: Walk) -> None:
    # "The Amazon EC2 API follows an eventual consistency model": what a call made may not be
    # visible to subsequent ones (Eventual consistency in the EC2 API).
    ec2, vpc_id = walk.client("network"), vpc(walk)
    walk.fault("not_found", "DescribeVpcs", seconds=60, always=True)
    consistency = "Eventual consistency in the Amazon EC2 API"
    walk.refused("InvalidVpcID.NotFound", consistency, ec2.describe_vpcs, VpcIds=[vpc_id])
    walk.pass_time(61)
    assert len(ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"]) == 1


def test_capacity(walk: Walk) -> None:
    # "InsufficientCapacity: There is not enough capacity to fulfill your request" (error codes).
    walk.fault("capacity", "AllocateAddress", code="InsufficientAddressCapacity")
    allocate: Callable[..., Any] = walk.client("network").allocate_address
    code = "InsufficientAddressCapacity"
    walk.refused(code, "error codes of the EC2 API reference: not enough available addresses", allocate)
    assert refusal(allocate) is None


def test_a_state_that_fails(walk: Walk) -> None:
    # "Troubleshoot NAT gateways": creation fails later, with FailureCode and FailureMessage.
    ec2, vpc_id = walk.client("network"), vpc(walk)
    attached_gateway(walk, vpc_id)
    walk.fault("fails", "CreateNatGateway", code="InternalError", message="no luck")
    where = {
        "SubnetId": subnet(walk, vpc_id)["SubnetId"],
        "AllocationId": ec2.allocate_address()["AllocationId"],
    }
    gateway = ec2.create_nat_gateway(**where)["NatGateway"]
    assert gateway["State"] == "pending"
    walk.pass_time(300)
    [seen] = ec2.describe_nat_gateways(NatGatewayIds=[gateway["NatGatewayId"]])["NatGateways"]
    assert (seen["State"], seen["FailureCode"], seen["FailureMessage"]) == (
        "failed",
        "InternalError",
        "no luck",
    )

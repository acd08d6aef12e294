"""NAT gateways, from pending to deleted."""

from typing import Any

from .network import attached_gateway, subnet, vpc
from .walk import Walk, filters, named, only_sandbox, tag_filters

_CODES = "error codes of the EC2 API reference"
# Nobody waits in earnest: time passes on demand.
_AT_ONCE = {"Delay": 0, "MaxAttempts": 1}


def _public(walk: Walk) -> tuple[dict[str, Any], str, str]:
    """Makes a VPC with a way out and a subnet in it; returns what a gateway needs."""
    vpc_id = vpc(walk)
    attached_gateway(walk, vpc_id)
    subnet_id = subnet(walk, vpc_id)["SubnetId"]
    allocation = walk.client("network").allocate_address(Domain="vpc")["AllocationId"]
    return {"SubnetId": subnet_id, "AllocationId": allocation}, vpc_id, subnet_id


def test_a_gateway_lives_and_goes(walk: Walk) -> None:
    ec2 = walk.client("network")
    wanted, vpc_id, subnet_id = _public(walk)
    walk.dry_runs(ec2.create_nat_gateway, **wanted)
    made = ec2.create_nat_gateway(**wanted, TagSpecifications=named("natgateway", "out"))["NatGateway"]
    gateway = made["NatGatewayId"]
    if walk.is_like_aws("states"):
        assert made["State"] == "pending"
        used = "DeleteSubnet: you must terminate everything in the subnet first; a NAT gateway has an interface in it"
        walk.refused("DependencyViolation", used, ec2.delete_subnet, SubnetId=subnet_id)
    walk.pass_time(300)
    ec2.get_waiter("nat_gateway_available").wait(NatGatewayIds=[gateway], WaiterConfig=_AT_ONCE)
    [seen] = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    [address] = seen["NatGatewayAddresses"]
    assert (address["AllocationId"], seen["SubnetId"]) == (wanted["AllocationId"], subnet_id)
    assert seen["Tags"] == [{"Key": "Name", "Value": "out"}]
    if walk.is_like_aws("states"):
        assert address["PrivateIp"].startswith("10.0.1.")
    found = ec2.describe_nat_gateways(Filters=filters(vpc_id=vpc_id, state="available"))["NatGateways"]
    assert [one["NatGatewayId"] for one in found] == [gateway]
    if walk.is_like_aws("DescribeNatGateways by tag"):
        assert ec2.describe_nat_gateways(Filters=tag_filters(Name="other"))["NatGateways"] == []
    in_use = "ReleaseAddress: an address in use gives InvalidIPAddress.InUse"
    allocation = {"AllocationId": wanted["AllocationId"]}
    walk.refused("InvalidIPAddress.InUse", in_use, ec2.release_address, **allocation)
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    walk.pass_time(300)
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[gateway], WaiterConfig=_AT_ONCE)
    if walk.is_like_aws("unknown NAT gateways"):
        # "Deleting a NAT gateway disassociates its Elastic IP address, but does not release it."
        ec2.release_address(**allocation)
        walk.pass_time(2 * 60 * 60)
        gone = f"{_CODES}: the specified NAT gateway does not exist"
        walk.refused("NatGatewayNotFound", gone, ec2.delete_nat_gateway, NatGatewayId=gateway)
        walk.refused("NatGatewayNotFound", gone, ec2.describe_nat_gateways, NatGatewayIds=[gateway])


@only_sandbox("moto's NAT gateways never fail")
def test_what_is_wrong_shows_later(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    subnet_id = subnet(walk, vpc_id)["SubnetId"]
    allocation = ec2.allocate_address()["AllocationId"]
    wanted = {"SubnetId": subnet_id, "AllocationId": allocation}
    missing = f"{_CODES}: the specified Elastic IP address does not exist"
    unknown = {"SubnetId": subnet_id, "AllocationId": "eipalloc-0123456789abcdef0"}
    walk.refused("InvalidElasticIpID.NotFound", missing, ec2.create_nat_gateway, **unknown)
    both = "CreateNatGateway: you cannot associate an Elastic IP address with a private NAT gateway"
    private = {**wanted, "ConnectivityType": "private"}
    walk.refused("InvalidParameterCombination", both, ec2.create_nat_gateway, **private)
    made = ec2.create_nat_gateway(**wanted, ClientToken="one")["NatGateway"]
    again = ec2.create_nat_gateway(**wanted, ClientToken="one")["NatGateway"]
    assert again["NatGatewayId"] == made["NatGatewayId"]
    token = "Ensuring idempotency in EC2 API requests: other parameters give IdempotentParameterMismatch"
    walk.refused("IdempotentParameterMismatch", token, ec2.create_nat_gateway, **private, ClientToken="one")
    walk.pass_time(300)
    # "Troubleshoot NAT gateways": the creation fails later, with a code and a message.
    [seen] = ec2.describe_nat_gateways(NatGatewayIds=[made["NatGatewayId"]])["NatGateways"]
    assert (seen["State"], seen["FailureCode"]) == ("failed", "Gateway.NotAttached")


@only_sandbox("moto has no further addresses of NAT gateways")
def test_a_public_gateway_gets_more_addresses(walk: Walk) -> None:
    ec2 = walk.client("network")
    wanted, _, _ = _public(walk)
    gateway = ec2.create_nat_gateway(**wanted)["NatGateway"]["NatGatewayId"]
    more = ec2.allocate_address()["AllocationId"]
    both = {"NatGatewayId": gateway, "AllocationIds": [more]}
    state = "AssociateNatGatewayAddress: the gateway has to be available; IncorrectState (error codes)"
    walk.refused("IncorrectState", state, ec2.associate_nat_gateway_address, **both)
    walk.pass_time(300)
    [made] = ec2.associate_nat_gateway_address(**both)["NatGatewayAddresses"]
    assert (made["AllocationId"], made["Status"], made["IsPrimary"]) == (more, "associating", False)
    taken = f"{_CODES}: Resource.AlreadyAssociated, the address is in use"
    walk.refused("Resource.AlreadyAssociated", taken, ec2.associate_nat_gateway_address, **both)
    walk.pass_time(300)
    [seen] = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    primary, second = seen["NatGatewayAddresses"]
    first = "DisassociateNatGatewayAddress: you cannot disassociate your primary EIP"
    away = {"NatGatewayId": gateway, "AssociationIds": [primary["AssociationId"]]}
    walk.refused("InvalidParameterValue", first, ec2.disassociate_nat_gateway_address, **away)
    missing = {"NatGatewayId": gateway, "AssociationIds": ["eipassoc-0123456789abcdef0"]}
    walk.refused("InvalidAssociationID.NotFound", _CODES, ec2.disassociate_nat_gateway_address, **missing)
    ec2.disassociate_nat_gateway_address(NatGatewayId=gateway, AssociationIds=[second["AssociationId"]])
    walk.pass_time(600)
    [seen] = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    assert len(seen["NatGatewayAddresses"]) == 1
    ec2.release_address(AllocationId=more)


@only_sandbox("moto has no private addresses of NAT gateways")
def test_a_private_gateway_gets_more_addresses(walk: Walk) -> None:
    ec2 = walk.client("network")
    subnet_id = subnet(walk, vpc(walk))["SubnetId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet_id, ConnectivityType="private")["NatGateway"][
        "NatGatewayId"
    ]
    walk.pass_time(300)
    [made] = ec2.assign_private_nat_gateway_address(NatGatewayId=gateway, PrivateIpAddresses=["10.0.1.77"])[
        "NatGatewayAddresses"
    ]
    assert made["PrivateIp"] == "10.0.1.77"
    walk.pass_time(300)
    away = {"NatGatewayId": gateway, "PrivateIpAddresses": ["10.0.1.77"]}
    ec2.unassign_private_nat_gateway_address(**away)
    walk.pass_time(600)
    [seen] = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
    assert len(seen["NatGatewayAddresses"]) == 1
    elastic = "AssociateNatGatewayAddress: for public NAT gateways"
    allocation = ec2.allocate_address()["AllocationId"]
    both = {"NatGatewayId": gateway, "AllocationIds": [allocation]}
    walk.refused("InvalidParameterValue", elastic, ec2.associate_nat_gateway_address, **both)


@only_sandbox("moto has no quotas")
def test_a_zone_has_five_gateways_read_in_pages(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    first = subnet(walk, vpc_id)["SubnetId"]
    other = subnet(walk, vpc_id, "10.0.2.0/24", "use1-az2")["SubnetId"]
    for _ in range(5):
        ec2.create_nat_gateway(SubnetId=first, ConnectivityType="private")
    quota = "Amazon VPC quotas: NAT gateways per Availability Zone, 5"
    walk.refused(
        "NatGatewayLimitExceeded", quota, ec2.create_nat_gateway, SubnetId=first, ConnectivityType="private"
    )
    ec2.create_nat_gateway(SubnetId=other, ConnectivityType="private")
    assert len(walk.pages(ec2, "describe_nat_gateways", "NatGateways", 5)) == 6

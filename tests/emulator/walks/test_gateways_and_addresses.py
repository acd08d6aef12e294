"""Internet gateways and Elastic IP addresses."""

from .network import attached_gateway, subnet, vpc
from .walk import Walk, filters, ids, named, number, only_sandbox, tag_filters

_CODES = "error codes of the EC2 API reference"


def test_a_gateway_is_attached_to_one_vpc(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    walk.dry_runs(ec2.create_internet_gateway)
    made = ec2.create_internet_gateway(TagSpecifications=named("internet-gateway", "out"))["InternetGateway"]
    gateway = made["InternetGatewayId"]
    assert (made["Attachments"], made["Tags"]) == ([], [{"Key": "Name", "Value": "out"}])
    both = {"InternetGatewayId": gateway, "VpcId": vpc_id}
    walk.refused("Gateway.NotAttached", f"{_CODES}: it isn't attached", ec2.detach_internet_gateway, **both)
    ec2.attach_internet_gateway(**both)
    for chosen in [
        {"InternetGatewayIds": [gateway]},
        {"Filters": filters(**{"attachment.vpc-id": vpc_id})},
        {"Filters": tag_filters(Name="out")},
    ]:
        [seen] = ec2.describe_internet_gateways(**chosen)["InternetGateways"]
        # "For an internet gateway, the state is available when attached" (InternetGatewayAttachment).
        assert seen["Attachments"] == [{"State": "available", "VpcId": vpc_id}]
    again = f"{_CODES}: the specified resource is already attached"
    walk.refused("Resource.AlreadyAssociated", again, ec2.attach_internet_gateway, **both)
    other = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    one = "Internet gateways, VPC user guide: a VPC has one at a time"
    second = {"InternetGatewayId": other, "VpcId": vpc_id}
    walk.refused("InvalidParameterValue", one, ec2.attach_internet_gateway, **second)
    first = "DeleteInternetGateway: you must detach the internet gateway from the VPC first"
    walk.refused("DependencyViolation", first, ec2.delete_internet_gateway, InternetGatewayId=gateway)
    walk.refused("DependencyViolation", "DeleteVpc: detach all gateways first", ec2.delete_vpc, VpcId=vpc_id)
    ec2.detach_internet_gateway(**both)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    code = "InvalidInternetGatewayID.NotFound"
    walk.refused(code, _CODES, ec2.delete_internet_gateway, InternetGatewayId=gateway)
    walk.refused(code, _CODES, ec2.describe_internet_gateways, InternetGatewayIds=[gateway])


@only_sandbox("moto has no quotas")
def test_gateways_and_addresses_have_quotas(walk: Walk) -> None:
    ec2 = walk.client("network")
    for _ in range(5):
        ec2.create_internet_gateway()
        ec2.allocate_address(Domain="vpc")
    quota = "Amazon VPC quotas: internet gateways per Region, 5"
    walk.refused("InternetGatewayLimitExceeded", quota, ec2.create_internet_gateway)
    walk.refused("AddressLimitExceeded", "Amazon VPC quotas: Elastic IPs per Region, 5", ec2.allocate_address)


def test_an_address_is_allocated_and_released(walk: Walk) -> None:
    ec2 = walk.client("network")
    walk.dry_runs(ec2.allocate_address)
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=named("elastic-ip", "nat"))
    one = {"AllocationId": made["AllocationId"]}
    for chosen in [
        {"AllocationIds": [made["AllocationId"]]},
        {"PublicIps": [made["PublicIp"]]},
        {"Filters": filters(public_ip=made["PublicIp"], domain="vpc")},
        {"Filters": tag_filters(Name="nat")},
    ]:
        [seen] = ec2.describe_addresses(**chosen)["Addresses"]
        assert (seen["PublicIp"], "AssociationId" in seen) == (made["PublicIp"], False)
    ec2.release_address(**one)
    walk.refused("InvalidAllocationID.NotFound", _CODES, ec2.release_address, **one)
    walk.refused(
        "InvalidAllocationID.NotFound", _CODES, ec2.describe_addresses, AllocationIds=[made["AllocationId"]]
    )
    walk.refused("InvalidAddress.NotFound", _CODES, ec2.describe_addresses, PublicIps=[made["PublicIp"]])


@only_sandbox("moto gives every address it is asked for, from any pool")
def test_addresses_come_back_to_who_had_them(walk: Walk) -> None:
    ec2 = walk.client("network")
    made = ec2.allocate_address()
    ec2.release_address(AllocationId=made["AllocationId"])
    back = "ReleaseAddress: you might be able to recover it, unless it is another account's"
    walk.refused(
        "InvalidAddress.NotFound", back, walk.client("apps").allocate_address, Address=made["PublicIp"]
    )
    again = ec2.allocate_address(Address=made["PublicIp"])
    assert again["PublicIp"] == made["PublicIp"]
    pool = {"PublicIpv4Pool": "ipv4pool-ec2-0123456789abcdef0"}
    walk.refused("InvalidPublicIpv4PoolID.NotFound", _CODES, ec2.allocate_address, **pool)
    walk.refused(
        "InvalidIpamPoolId.NotFound", _CODES, ec2.allocate_address, IpamPoolId="ipam-pool-0123456789abcdef0"
    )
    border = (
        "ReleaseAddress: if you provide an incorrect network border group, you receive InvalidAddress.NotFound"
    )
    wrong = {"AllocationId": again["AllocationId"], "NetworkBorderGroup": "us-west-2"}
    walk.refused("InvalidAddress.NotFound", border, ec2.release_address, **wrong)


def test_an_address_is_mapped_to_an_interface(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    subnet_id = subnet(walk, vpc_id)["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet_id)["NetworkInterface"]["NetworkInterfaceId"]
    made = ec2.allocate_address(Domain="vpc")
    both = {"AllocationId": made["AllocationId"], "NetworkInterfaceId": interface}
    attach = f"{_CODES}: an internet gateway must be attached to the VPC"
    walk.refused("Gateway.NotAttached", attach, ec2.associate_address, **both)
    gateway = attached_gateway(walk, vpc_id)
    association = ec2.associate_address(**both)["AssociationId"]
    [seen] = ec2.describe_addresses(AllocationIds=[made["AllocationId"]])["Addresses"]
    assert (seen["AssociationId"], seen["NetworkInterfaceId"]) == (association, interface)
    assert seen["NetworkInterfaceOwnerId"] == number("network")
    in_use = "ReleaseAddress: you must disassociate it first, otherwise InvalidIPAddress.InUse"
    walk.refused("InvalidIPAddress.InUse", in_use, ec2.release_address, AllocationId=made["AllocationId"])
    mapped = "DetachInternetGateway: the VPC must not contain any running instances with Elastic IP addresses"
    detach = {"InternetGatewayId": gateway, "VpcId": vpc_id}
    walk.refused("DependencyViolation", mapped, ec2.detach_internet_gateway, **detach)
    other = ec2.create_network_interface(SubnetId=subnet_id)["NetworkInterface"]["NetworkInterfaceId"]
    taken = "AssociateAddress: AllowReassociation; without it, an address that is associated is an error"
    moved = {"AllocationId": made["AllocationId"], "NetworkInterfaceId": other, "AllowReassociation": False}
    walk.refused("Resource.AlreadyAssociated", taken, ec2.associate_address, **moved)
    ec2.disassociate_address(AssociationId=association)
    gone = f"{_CODES}: the specified association ID does not exist"
    walk.refused("InvalidAssociationID.NotFound", gone, ec2.disassociate_address, AssociationId=association)
    ec2.detach_internet_gateway(**detach)
    assert ids(ec2.describe_addresses()["Addresses"], "AllocationId") == [made["AllocationId"]]

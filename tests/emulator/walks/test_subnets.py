"""Subnets of one account."""

from .network import subnet, vpc
from .walk import Walk, filters, ids, named, number, only_sandbox, tag_filters

_CODES = "error codes of the EC2 API reference"


def test_a_subnet_is_made_described_and_deleted(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    where = {"VpcId": vpc_id, "CidrBlock": "10.0.1.0/24", "AvailabilityZoneId": "use1-az2"}
    walk.dry_runs(ec2.create_subnet, **where)
    made = ec2.create_subnet(**where, TagSpecifications=named("subnet", "a"))["Subnet"]
    subnet_id = made["SubnetId"]
    assert made["SubnetArn"] == f"arn:aws:ec2:us-east-1:{number('network')}:subnet/{subnet_id}"
    # "Amazon reserves the first four IP addresses and the last" (Subnet CIDR blocks, VPC user guide).
    assert (made["AvailableIpAddressCount"], made["AvailabilityZoneId"]) == (251, "use1-az2")
    ec2.get_waiter("subnet_available").wait(SubnetIds=[subnet_id])
    for chosen in [
        {"SubnetIds": [subnet_id]},
        {"Filters": tag_filters(Name="a")},
        {"Filters": filters(vpc_id=vpc_id, cidr_block="10.0.1.0/24", state="available")},
        {"Filters": filters(availability_zone_id="use1-az2", vpc_id=vpc_id)},
    ]:
        assert ids(ec2.describe_subnets(**chosen)["Subnets"], "SubnetId") == [subnet_id], chosen
    depends = "DeleteVpc: you must detach or delete all gateways and resources that are associated with the VPC"
    walk.refused("DependencyViolation", depends, ec2.delete_vpc, VpcId=vpc_id)
    ec2.delete_subnet(SubnetId=subnet_id)
    walk.refused("InvalidSubnetID.NotFound", _CODES, ec2.delete_subnet, SubnetId=subnet_id)
    walk.refused("InvalidSubnetID.NotFound", _CODES, ec2.describe_subnets, SubnetIds=[subnet_id])
    ec2.delete_vpc(VpcId=vpc_id)


def test_ranges_are_apart_and_inside_the_vpc(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    made = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.7/24")["Subnet"]
    if walk.is_like_aws("host bits"):
        assert made["CidrBlock"] == "10.0.1.0/24"
    conflict = f"{_CODES}: the specified CIDR block conflicts with that of another subnet in your VPC"
    walk.refused("InvalidSubnet.Conflict", conflict, ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.0.1.128/25")
    outside = f"{_CODES}: the CIDR block you've specified for the subnet is not valid"
    walk.refused("InvalidSubnet.Range", outside, ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.1.0.0/24")
    missing = {"VpcId": "vpc-0123456789abcdef0", "CidrBlock": "10.0.2.0/24"}
    walk.refused("InvalidVpcID.NotFound", _CODES, ec2.create_subnet, **missing)
    zone = {"VpcId": vpc_id, "CidrBlock": "10.0.2.0/24", "AvailabilityZone": "us-east-1z"}
    walk.refused("InvalidParameterValue", _CODES, ec2.create_subnet, **zone)


def test_attributes_change_one_at_a_time(walk: Walk) -> None:
    ec2 = walk.client("network")
    subnet_id = subnet(walk, vpc(walk))["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet_id, MapPublicIpOnLaunch={"Value": True})
    ec2.modify_subnet_attribute(SubnetId=subnet_id, EnableResourceNameDnsARecordOnLaunch={"Value": True})
    [seen] = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"]
    assert seen["MapPublicIpOnLaunch"]
    assert seen["PrivateDnsNameOptionsOnLaunch"]["EnableResourceNameDnsARecord"]
    one = "ModifySubnetAttribute: you can only modify one attribute at a time"
    two = {"MapPublicIpOnLaunch": {"Value": False}, "EnableResourceNameDnsARecordOnLaunch": {"Value": False}}
    walk.refused("InvalidParameterCombination", one, ec2.modify_subnet_attribute, SubnetId=subnet_id, **two)
    ipv6 = "ModifySubnetAttribute: addresses of IPv6 are assigned only where the subnet has a range of them"
    on = {"AssignIpv6AddressOnCreation": {"Value": True}}
    walk.refused("InvalidParameterValue", ipv6, ec2.modify_subnet_attribute, SubnetId=subnet_id, **on)


def test_a_subnet_gets_a_range_of_ipv6(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    subnet_id = subnet(walk, vpc_id)["SubnetId"]
    ec2.associate_vpc_cidr_block(VpcId=vpc_id, AmazonProvidedIpv6CidrBlock=True)
    [of_vpc] = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    block = of_vpc["Ipv6CidrBlock"].replace("/56", "/64")
    made = ec2.associate_subnet_cidr_block(SubnetId=subnet_id, Ipv6CidrBlock=block)["Ipv6CidrBlockAssociation"]
    assert made["Ipv6CidrBlock"] == block
    association = {"AssociationId": made["AssociationId"]}
    second = "AssociateSubnetCidrBlock: you can only associate a single IPv6 CIDR block with your subnet"
    again = {"SubnetId": subnet_id, "Ipv6CidrBlock": block}
    walk.refused("InvalidParameterValue", second, ec2.associate_subnet_cidr_block, **again)
    used = "DisassociateVpcCidrBlock: disassociate the subnets' ranges first"
    of_vpc_id = {"AssociationId": of_vpc["AssociationId"]}
    walk.refused("InvalidCidrBlock.InUse", used, ec2.disassociate_vpc_cidr_block, **of_vpc_id)
    ec2.disassociate_subnet_cidr_block(**association)
    code = "InvalidSubnetCidrBlockAssociationID.NotFound"
    walk.refused(code, _CODES, ec2.disassociate_subnet_cidr_block, **association)


def test_many_subnets_are_read_in_pages(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    made = [subnet(walk, vpc_id, f"10.0.{number_}.0/24")["SubnetId"] for number_ in range(12)]
    seen = walk.pages(ec2, "describe_subnets", "Subnets", 5, Filters=filters(vpc_id=vpc_id))
    assert ids(seen, "SubnetId") == sorted(made)


@only_sandbox("moto has no quota")
def test_a_vpc_has_200_subnets(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    for number_ in range(200):
        subnet(walk, vpc_id, f"10.0.{number_}.0/24")
    quota = "Amazon VPC quotas: subnets per VPC, 200"
    walk.refused("SubnetLimitExceeded", quota, ec2.create_subnet, VpcId=vpc_id, CidrBlock="10.0.250.0/24")

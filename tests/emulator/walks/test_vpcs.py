"""VPCs, what they are born with, and what EC2 tells of an account."""

import pytest

from .walk import Walk, filters, ids, named, number, only_sandbox, tag_filters


def test_a_vpc_is_born_described_and_deleted(walk: Walk) -> None:
    ec2 = walk.client("network")
    walk.dry_runs(ec2.create_vpc, CidrBlock="10.0.0.0/16")
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=named("vpc", "mine"))["Vpc"]
    vpc = made["VpcId"]
    assert (made["CidrBlock"], made["IsDefault"], made["InstanceTenancy"]) == ("10.0.0.0/16", False, "default")
    assert (made["OwnerId"], made["Tags"]) == (number("network"), [{"Key": "Name", "Value": "mine"}])
    ec2.get_waiter("vpc_available").wait(VpcIds=[vpc])
    for chosen in [
        {"VpcIds": [vpc]},
        {"Filters": tag_filters(Name="mine")},
        {"Filters": filters(cidr="10.0.0.0/16", state="available", owner_id=number("network"))},
        {"Filters": filters(vpc_id=[vpc, "vpc-0"])},
    ]:
        assert ids(ec2.describe_vpcs(**chosen)["Vpcs"], "VpcId") == [vpc], chosen
    assert ec2.describe_vpcs(Filters=tag_filters(Name="other"))["Vpcs"] == []
    ec2.delete_vpc(VpcId=vpc)
    gone = "error codes of the EC2 API reference: the specified VPC doesn't exist"
    walk.refused("InvalidVpcID.NotFound", gone, ec2.describe_vpcs, VpcIds=[vpc])
    walk.refused("InvalidVpcID.NotFound", gone, ec2.delete_vpc, VpcId=vpc)


def test_a_vpc_has_a_main_table_a_group_and_an_access_list(walk: Walk) -> None:
    ec2 = walk.client("network")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    # "Your VPC automatically comes with a main route table", "... a default network ACL", "...
    # default security groups" (VPC user guide).
    [table] = ec2.describe_route_tables(Filters=filters(vpc_id=vpc))["RouteTables"]
    assert [association["Main"] for association in table["Associations"]] == [True]
    assert [(route["DestinationCidrBlock"], route["GatewayId"]) for route in table["Routes"]] == [
        ("10.0.0.0/16", "local")
    ]
    [group] = ec2.describe_security_groups(Filters=filters(vpc_id=vpc))["SecurityGroups"]
    assert (group["GroupName"], group["Description"]) == ("default", "default VPC security group")
    if walk.is_like_aws("default groups"):
        assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    [acl] = ec2.describe_network_acls(Filters=filters(vpc_id=vpc))["NetworkAcls"]
    assert acl["IsDefault"]
    assert len(acl["Entries"]) >= 4, "IPv4 in both directions, each let in by 100 and refused by 32767"
    missing = "error codes of the EC2 API reference"
    walk.refused(
        "InvalidNetworkAclID.NotFound",
        missing,
        ec2.describe_network_acls,
        NetworkAclIds=["acl-0123456789abcdef0"],
    )
    reserved = "DeleteSecurityGroup: you cannot delete a default security group"
    walk.refused("CannotDelete", reserved, ec2.delete_security_group, GroupId=group["GroupId"])
    main = "DeleteRouteTable: you can't delete the main route table"
    walk.refused("DependencyViolation", main, ec2.delete_route_table, RouteTableId=table["RouteTableId"])
    ec2.delete_vpc(VpcId=vpc)


def test_attributes_change_one_at_a_time(walk: Walk) -> None:
    ec2 = walk.client("network")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def value(attribute: str) -> bool:
        answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
        return bool(answer[attribute[0].upper() + attribute[1:]]["Value"])

    # "By default, custom VPCs have DNS resolution on and hostnames off" (DNS attributes, VPC user guide).
    assert value("enableDnsSupport") and not value("enableDnsHostnames")
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    assert value("enableDnsHostnames")
    one = "ModifyVpcAttribute: you can modify only one attribute at a time"
    both = {"EnableDnsHostnames": {"Value": False}, "EnableDnsSupport": {"Value": False}}
    walk.refused("InvalidParameterCombination", one, ec2.modify_vpc_attribute, VpcId=vpc, **both)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": False})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    need = "ModifyVpcAttribute: you can only enable DNS hostnames if you've enabled DNS support"
    hostnames = {"EnableDnsHostnames": {"Value": True}}
    walk.refused("InvalidParameterValue", need, ec2.modify_vpc_attribute, VpcId=vpc, **hostnames)


def test_a_vpc_gets_more_ranges(walk: Walk) -> None:
    ec2 = walk.client("network")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="100.64.0.0/16")["CidrBlockAssociation"]
    [seen] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    ranges = {one["CidrBlock"]: one["CidrBlockState"]["State"] for one in seen["CidrBlockAssociationSet"]}
    assert ranges == {"10.0.0.0/16": "associated", "100.64.0.0/16": "associated"}
    overlap = "AssociateVpcCidrBlock, VPC CIDR blocks: the CIDR block must not overlap with any existing one"
    walk.refused(
        "InvalidVpc.Range", overlap, ec2.associate_vpc_cidr_block, VpcId=vpc, CidrBlock="100.64.1.0/24"
    )
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="100.64.1.0/24")["Subnet"]["SubnetId"]
    association = {"AssociationId": made["AssociationId"]}
    used = (
        "DisassociateVpcCidrBlock: you must detach or delete all resources associated with the CIDR block first"
    )
    walk.refused("InvalidCidrBlock.InUse", used, ec2.disassociate_vpc_cidr_block, **association)
    ec2.delete_subnet(SubnetId=subnet)
    if walk.is_like_aws("disassociated ranges"):
        ec2.disassociate_vpc_cidr_block(**association)
    primary = {one["CidrBlock"]: one["AssociationId"] for one in seen["CidrBlockAssociationSet"]}["10.0.0.0/16"]
    first = "DisassociateVpcCidrBlock: you cannot disassociate the CIDR block with which you created the VPC"
    walk.refused("OperationNotPermitted", first, ec2.disassociate_vpc_cidr_block, AssociationId=primary)
    gone = "error codes of the EC2 API reference"
    walk.refused(
        "InvalidVpcCidrBlockAssociationID.NotFound", gone, ec2.disassociate_vpc_cidr_block, **association
    )
    ec2.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    [seen] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    [ipv6] = [one["Ipv6CidrBlock"] for one in seen["Ipv6CidrBlockAssociationSet"]]
    assert ipv6.endswith("/56"), "Amazon's ranges have a /56 prefix length (AssociateVpcCidrBlock)"


@only_sandbox("moto lacks quotas, IPAM pools and the tenancy of VPCs")
def test_quotas_pools_and_tenancy(walk: Walk) -> None:
    ec2 = walk.client("network")
    made = ec2.create_vpc(CidrBlock="10.0.0.0/16", InstanceTenancy="dedicated")["Vpc"]
    ec2.modify_vpc_tenancy(VpcId=made["VpcId"], InstanceTenancy="default")
    assert ec2.describe_vpcs(VpcIds=[made["VpcId"]])["Vpcs"][0]["InstanceTenancy"] == "default"
    pool = "error codes of the EC2 API reference"
    walk.refused(
        "InvalidIpamPoolId.NotFound", pool, ec2.create_vpc, Ipv4IpamPoolId="ipam-pool-1", Ipv4NetmaskLength=20
    )
    missing = (
        "CreateVpc: you must specify either a CIDR block or an IPAM pool; MissingParameter (common errors)"
    )
    walk.refused("MissingParameter", missing, ec2.create_vpc)
    for number_ in range(4):
        ec2.associate_vpc_cidr_block(VpcId=made["VpcId"], CidrBlock=f"100.{64 + number_}.0.0/16")
    ranges = "Amazon VPC quotas: IPv4 CIDR blocks per VPC, 5"
    walk.refused(
        "CidrLimitExceeded",
        ranges,
        ec2.associate_vpc_cidr_block,
        VpcId=made["VpcId"],
        CidrBlock="100.80.0.0/16",
    )
    for _ in range(4):
        ec2.create_vpc(CidrBlock="10.0.0.0/16")
    quota = "Amazon VPC quotas: VPCs per Region, 5"
    walk.refused("VpcLimitExceeded", quota, ec2.create_vpc, CidrBlock="10.0.0.0/16")
    # Five are a page's least (DescribeVpcs, MaxResults), so that a second one needs the default of another account.
    assert ec2.describe_vpcs(MaxResults=5).get("NextToken") is None


@pytest.mark.parametrize("block", ["10.0.0.0/8", "10.0.0.0/29"])
def test_a_range_has_between_16_and_65536_addresses(walk: Walk, block: str) -> None:
    # "The allowed block size is between a /16 netmask and /28 netmask" (VPC CIDR blocks, VPC user guide).
    size = "VPC CIDR blocks: between a /16 netmask and /28 netmask"
    walk.refused("InvalidVpc.Range", size, walk.client("network").create_vpc, CidrBlock=block)


def test_lists_are_read_by_filters_and_pages(walk: Walk) -> None:
    ec2 = walk.client("network")
    walk.refused("InvalidNextToken", "error codes of the EC2 API reference", ec2.describe_vpcs, NextToken="?")
    size = "DescribeVpcs: MaxResults has a maximum value of 1000"
    walk.refused("InvalidParameterValue", size, ec2.describe_vpcs, MaxResults=1001)
    unknown = "error codes of the EC2 API reference: InvalidParameterValue, The filter is invalid"
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    walk.refused("InvalidParameterValue", unknown, ec2.describe_vpcs, Filters=filters(colour="red"))
    many = [str(value) for value in range(201)]
    limit = "Filter (EC2 API reference): the maximum number of filter values on a single call is 200"
    walk.refused("FilterLimitExceeded", limit, ec2.describe_vpcs, Filters=filters(vpc_id=many))


def test_zones_have_names_of_each_account_and_ids_of_all(walk: Walk) -> None:
    zones = {}
    for account in ["network", "apps"]:
        ec2 = walk.client(account)
        seen = ec2.describe_availability_zones()["AvailabilityZones"]
        zones[account] = {zone["ZoneName"]: zone["ZoneId"] for zone in seen}
        assert {zone["State"] for zone in seen} == {"available"}
        one = seen[0]
        [same] = ec2.describe_availability_zones(ZoneIds=[one["ZoneId"]])["AvailabilityZones"]
        assert same["ZoneName"] == one["ZoneName"]
    assert sorted(zones["network"].values()) == sorted(zones["apps"].values())
    if walk.is_like_aws("zone names"):
        # "The Availability Zone us-east-1a for your account might not have the same location as
        # us-east-1a for another account" (AZ IDs for your AWS resources, RAM user guide).
        assert zones["network"] != zones["apps"]
    missing = "error codes of the EC2 API reference: InvalidParameterValue for a zone that is not there"
    walk.refused(
        "InvalidParameterValue",
        missing,
        walk.client("network").describe_availability_zones,
        ZoneNames=["us-east-1z"],
    )


def test_what_an_account_has_from_the_beginning(walk: Walk) -> None:
    ec2 = walk.client("network")
    names = {one["AttributeName"] for one in ec2.describe_account_attributes()["AccountAttributes"]}
    assert {"supported-platforms", "default-vpc", "max-elastic-ips"} <= names
    assert ec2.describe_instances()["Reservations"] == []
    instance = "error codes of the EC2 API reference: the specified instance does not exist"
    walk.refused(
        "InvalidInstanceID.NotFound", instance, ec2.describe_instances, InstanceIds=["i-0123456789abcdef0"]
    )


def test_the_lists_of_aws_services(walk: Walk) -> None:
    ec2 = walk.client("network")
    name = "com.amazonaws.us-east-1.s3"
    [managed] = ec2.describe_managed_prefix_lists(Filters=filters(prefix_list_name=name))["PrefixLists"]
    assert (managed["OwnerId"], managed["AddressFamily"]) == ("AWS", "IPv4")
    entries = ec2.get_managed_prefix_list_entries(PrefixListId=managed["PrefixListId"])["Entries"]
    [plain] = ec2.describe_prefix_lists(Filters=filters(prefix_list_name=name))["PrefixLists"]
    assert plain["PrefixListId"] == managed["PrefixListId"]
    assert entries
    if walk.is_like_aws("ranges of prefix lists"):
        assert sorted(plain["Cidrs"]) == sorted(entry["Cidr"] for entry in entries)
    gone = "error codes of the EC2 API reference: the specified prefix list ID does not exist"
    walk.refused("InvalidPrefixListID.NotFound", gone, ec2.describe_prefix_lists, PrefixListIds=["pl-01234567"])

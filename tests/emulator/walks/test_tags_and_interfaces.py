"""Tags of whatever has them, and network interfaces."""

from .network import attached_gateway, group, subnet, table, vpc
from .walk import Walk, filters, ids, named, number, only_sandbox, tag_filters

_CODES = "error codes of the EC2 API reference"


def test_everything_is_tagged(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    things = [
        vpc_id,
        subnet(walk, vpc_id)["SubnetId"],
        attached_gateway(walk, vpc_id),
        group(walk, vpc_id),
        table(walk, vpc_id),
        ec2.allocate_address(Domain="vpc")["AllocationId"],
    ]
    tags = [{"Key": "env", "Value": "test"}, {"Key": "team", "Value": "web"}]
    walk.dry_runs(ec2.create_tags, Resources=things, Tags=tags)
    ec2.create_tags(Resources=things, Tags=tags)
    seen = ec2.describe_tags(Filters=filters(key="env", value="test"))["Tags"]
    assert ids(seen, "ResourceId") == sorted(things)
    assert {one["ResourceType"] for one in seen} >= {"vpc", "subnet", "internet-gateway", "route-table"}
    assert ids(ec2.describe_subnets(Filters=tag_filters(team="web"))["Subnets"], "SubnetId") == [things[1]]
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "env", "Value": "live"}])
    [seen_vpc] = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"]
    assert {tag["Key"]: tag["Value"] for tag in seen_vpc["Tags"]} == {"env": "live", "team": "web"}
    # "If you specify a tag key with a value, the tag is deleted only if its value is this one".
    ec2.delete_tags(Resources=things, Tags=[{"Key": "env", "Value": "test"}])
    ec2.delete_tags(Resources=things, Tags=[{"Key": "team"}])
    left = ec2.describe_tags(Filters=filters(resource_id=things))["Tags"]
    assert [(tag["ResourceId"], tag["Key"], tag["Value"]) for tag in left] == [(vpc_id, "env", "live")]


def test_wrong_tags_are_refused(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    tag = [{"Key": "a", "Value": "1"}]
    for thing, code in [
        ("thing-1", "InvalidID"),
        ("vpc-0123456789abcdef0", "InvalidVpcID.NotFound"),
        ("sgr-0123456789abcdef0", "InvalidSecurityGroupRuleId.NotFound"),
    ]:
        walk.refused(code, _CODES, ec2.create_tags, Resources=[thing], Tags=tag)
    reserved = "Tag restrictions, EC2 user guide: the aws: prefix is reserved"
    walk.refused(
        "InvalidParameterValue", reserved, ec2.create_tags, Resources=[vpc_id], Tags=[{"Key": "aws:a"}]
    )
    many = [{"Key": str(number_)} for number_ in range(51)]
    limit = "Tag restrictions, EC2 user guide: maximum number of tags per resource, 50"
    walk.refused("TagLimitExceeded", limit, ec2.create_tags, Resources=[vpc_id], Tags=many)


def test_many_tags_are_read_in_pages(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    keys = [f"k{number_:02}" for number_ in range(13)]
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": key, "Value": "v"} for key in keys])
    assert ids(walk.pages(ec2, "describe_tags", "Tags", 5, Filters=filters(resource_id=vpc_id)), "Key") == keys


def test_an_interface_is_made_described_and_deleted(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    subnet_id, group_id = subnet(walk, vpc_id)["SubnetId"], group(walk, vpc_id)
    wanted = {"SubnetId": subnet_id, "Groups": [group_id], "PrivateIpAddress": "10.0.1.9"}
    walk.dry_runs(ec2.create_network_interface, **wanted)
    made = ec2.create_network_interface(**wanted, TagSpecifications=named("network-interface", "mine"))
    interface = made["NetworkInterface"]["NetworkInterfaceId"]
    for chosen in [
        {"NetworkInterfaceIds": [interface]},
        {"Filters": filters(subnet_id=subnet_id, group_id=group_id)},
        {"Filters": tag_filters(Name="mine")},
    ]:
        [seen] = ec2.describe_network_interfaces(**chosen)["NetworkInterfaces"]
        assert (seen["PrivateIpAddress"], seen["OwnerId"]) == ("10.0.1.9", number("network"))
    taken = f"{_CODES}: InvalidIPAddress.InUse, the specified IP address is already in use"
    walk.refused("InvalidIPAddress.InUse", taken, ec2.create_network_interface, **wanted)
    used = "DeleteSubnet: you must terminate everything in the subnet first"
    walk.refused("DependencyViolation", used, ec2.delete_subnet, SubnetId=subnet_id)
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    code = "InvalidNetworkInterfaceID.NotFound"
    walk.refused(code, _CODES, ec2.delete_network_interface, NetworkInterfaceId=interface)
    walk.refused(code, _CODES, ec2.describe_network_interfaces, NetworkInterfaceIds=[interface])
    ec2.delete_subnet(SubnetId=subnet_id)


@only_sandbox("moto knows no tokens here, and gives one page")
def test_interfaces_have_tokens_and_pages(walk: Walk) -> None:
    ec2 = walk.client("network")
    subnet_id = subnet(walk, vpc(walk))["SubnetId"]
    first = ec2.create_network_interface(SubnetId=subnet_id, ClientToken="one")["NetworkInterface"]
    again = ec2.create_network_interface(SubnetId=subnet_id, ClientToken="one")["NetworkInterface"]
    assert again["NetworkInterfaceId"] == first["NetworkInterfaceId"]
    for _ in range(7):
        ec2.create_network_interface(SubnetId=subnet_id)
    assert len(walk.pages(ec2, "describe_network_interfaces", "NetworkInterfaces", 5)) == 8

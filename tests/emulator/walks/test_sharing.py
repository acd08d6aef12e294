"""What a participant sees of a shared VPC, and what it may do there."""

from .network import attached_gateway, group, share, subnet, table, vpc
from .walk import Walk, filters, ids, named, number, only_sandbox

pytestmark = only_sandbox("no other shows a shared subnet to the second account")

# "Responsibilities and permissions for owners and participants", VPC user guide.
_RIGHTS = "Share your VPC subnets with other accounts, VPC user guide, responsibilities and permissions"


def test_a_participant_sees_what_is_shared_without_tags(walk: Walk) -> None:
    a, b, vpc_id = walk.client("network"), walk.client("apps"), vpc(walk)
    a.create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "mine"}])
    shared, kept = subnet(walk, vpc_id), subnet(walk, vpc_id, "10.0.2.0/24")
    a.create_tags(Resources=[shared["SubnetId"]], Tags=[{"Key": "Name", "Value": "mine"}])
    table_id, hidden = table(walk, vpc_id), table(walk, vpc_id)
    a.associate_route_table(RouteTableId=table_id, SubnetId=shared["SubnetId"])
    assert b.describe_subnets()["Subnets"] == [] == b.describe_vpcs()["Vpcs"]
    arn = share(walk, shared["SubnetArn"])
    [seen] = b.describe_subnets()["Subnets"]
    assert (seen["SubnetId"], seen["OwnerId"], seen.get("Tags", [])) == (
        shared["SubnetId"],
        number("network"),
        [],
    )
    # The id of a zone means the same place for every account, its name does not (AZ IDs, RAM user guide).
    assert seen["AvailabilityZoneId"] == shared["AvailabilityZoneId"] == "use1-az1"
    assert seen["AvailabilityZone"] != shared["AvailabilityZone"]
    [seen_vpc] = b.describe_vpcs()["Vpcs"]
    assert (seen_vpc["VpcId"], seen_vpc["OwnerId"], seen_vpc.get("Tags", [])) == (vpc_id, number("network"), [])
    assert b.describe_vpc_attribute(VpcId=vpc_id, Attribute="enableDnsSupport")["EnableDnsSupport"]["Value"]
    seen_tables = ids(b.describe_route_tables()["RouteTables"], "RouteTableId")
    assert table_id in seen_tables and hidden not in seen_tables
    assert b.describe_tags()["Tags"] == []
    missing = "error codes of the EC2 API reference: what is not shared does not exist for another account"
    walk.refused("InvalidSubnetID.NotFound", missing, b.describe_subnets, SubnetIds=[kept["SubnetId"]])
    walk.client("network", "ram").delete_resource_share(resourceShareArn=arn)
    walk.pass_time(60)
    assert b.describe_subnets()["Subnets"] == []


def test_a_participant_changes_nothing_of_the_owner(walk: Walk) -> None:
    a, b, vpc_id = walk.client("network"), walk.client("apps"), vpc(walk)
    shared, gateway, table_id = subnet(walk, vpc_id), attached_gateway(walk, vpc_id), table(walk, vpc_id)
    subnet_id = shared["SubnetId"]
    association = a.associate_route_table(RouteTableId=table_id, SubnetId=subnet_id)["AssociationId"]
    interface = a.create_network_interface(SubnetId=subnet_id)["NetworkInterface"]["NetworkInterfaceId"]
    allocation = a.allocate_address()["AllocationId"]
    nat = a.create_nat_gateway(SubnetId=subnet_id, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    share(walk, shared["SubnetArn"])
    tags = {"Tags": [{"Key": "a", "Value": "b"}]}
    own = {"AllocationId": b.allocate_address()["AllocationId"]}
    for call, parameters in [
        (b.delete_subnet, {"SubnetId": subnet_id}),
        (b.modify_subnet_attribute, {"SubnetId": subnet_id, "MapPublicIpOnLaunch": {"Value": True}}),
        (b.create_subnet, {"VpcId": vpc_id, "CidrBlock": "10.0.9.0/24"}),
        (b.delete_vpc, {"VpcId": vpc_id}),
        (b.modify_vpc_attribute, {"VpcId": vpc_id, "EnableDnsSupport": {"Value": False}}),
        (b.associate_vpc_cidr_block, {"VpcId": vpc_id, "CidrBlock": "100.64.0.0/16"}),
        (b.create_tags, {"Resources": [subnet_id], **tags}),
        (b.delete_tags, {"Resources": [vpc_id], **tags}),
        (b.create_route_table, {"VpcId": vpc_id}),
        (b.delete_route_table, {"RouteTableId": table_id}),
        (b.disassociate_route_table, {"AssociationId": association}),
        (b.create_route, {"RouteTableId": table_id, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}),
        (b.detach_internet_gateway, {"InternetGatewayId": gateway, "VpcId": vpc_id}),
        (b.delete_internet_gateway, {"InternetGatewayId": gateway}),
        (b.create_nat_gateway, {"SubnetId": subnet_id, **own}),
        (b.create_vpc_endpoint, {"VpcId": vpc_id, "ServiceName": "com.amazonaws.us-east-1.s3"}),
    ]:
        walk.refused("UnauthorizedOperation", _RIGHTS, call, **parameters)
    # "Participants cannot create, delete, or describe NAT gateways", and see no interfaces of others.
    assert b.describe_nat_gateways()["NatGateways"] == []
    walk.refused("NatGatewayNotFound", _RIGHTS, b.delete_nat_gateway, NatGatewayId=nat)
    code = "InvalidNetworkInterfaceID.NotFound"
    walk.refused(code, _RIGHTS, b.delete_network_interface, NetworkInterfaceId=interface)
    walk.refused("InvalidAllocationID.NotFound", _RIGHTS, b.release_address, AllocationId=allocation)


def test_a_participant_has_groups_and_interfaces_of_its_own(walk: Walk) -> None:
    a, b, vpc_id = walk.client("network"), walk.client("apps"), vpc(walk)
    shared = subnet(walk, vpc_id)
    owners = group(walk, vpc_id, "owner")
    share(walk, shared["SubnetArn"])
    # "Participants can create security groups in a shared VPC"; names are each account's own.
    nodes = group(walk, vpc_id, "owner", "apps")
    made = b.create_network_interface(
        SubnetId=shared["SubnetId"], Groups=[nodes], TagSpecifications=named("network-interface", "node")
    )["NetworkInterface"]
    assert (made["OwnerId"], made["TagSet"]) == (number("apps"), [{"Key": "Name", "Value": "node"}])
    foreign = (
        'a participant cannot use the owner\'s groups, nor the default one, "because it belongs to the owner"'
    )
    wanted = {"SubnetId": shared["SubnetId"], "Groups": [owners]}
    walk.refused("InvalidGroup.NotFound", foreign, b.create_network_interface, **wanted)
    walk.refused("InvalidGroup.NotFound", foreign, b.create_network_interface, SubnetId=shared["SubnetId"])
    # "Participants can reference security groups that belong to other participants or the owner":
    # account-number/security-group-id.
    pair = {"GroupId": owners, "UserId": number("network")}
    rule = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [pair]}]
    b.authorize_security_group_ingress(GroupId=nodes, IpPermissions=rule)
    [seen] = b.describe_security_groups(GroupIds=[nodes])["SecurityGroups"]
    assert seen["IpPermissions"][0]["UserIdGroupPairs"][0]["UserId"] == number("network")
    # The owner sees both and changes neither; what B has keeps A's things in their places.
    [interface] = a.describe_network_interfaces(Filters=filters(owner_id=number("apps")))["NetworkInterfaces"]
    assert (interface["NetworkInterfaceId"], interface.get("TagSet", [])) == (made["NetworkInterfaceId"], [])
    named_ = {"NetworkInterfaceId": made["NetworkInterfaceId"]}
    walk.refused("UnauthorizedOperation", _RIGHTS, a.delete_network_interface, **named_)
    walk.refused("UnauthorizedOperation", _RIGHTS, a.delete_security_group, GroupId=nodes)
    stands = "DeleteSubnet, DeleteSecurityGroup: what another account has stands on them"
    walk.refused("DependencyViolation", stands, a.delete_subnet, SubnetId=shared["SubnetId"])
    walk.refused("DependencyViolation", stands, a.delete_security_group, GroupId=owners)
    b.delete_network_interface(**named_)
    b.delete_security_group(GroupId=nodes)
    a.delete_subnet(SubnetId=shared["SubnetId"])
    a.delete_security_group(GroupId=owners)


def test_what_was_made_stays_when_the_share_goes(walk: Walk) -> None:
    a, b, vpc_id = walk.client("network"), walk.client("apps"), vpc(walk)
    shared = subnet(walk, vpc_id)
    arn = share(walk, shared["SubnetArn"])
    nodes = group(walk, vpc_id, "nodes", "apps")
    wanted = {"SubnetId": shared["SubnetId"], "Groups": [nodes]}
    made = b.create_network_interface(**wanted)["NetworkInterface"]["NetworkInterfaceId"]
    walk.client("network", "ram").delete_resource_share(resourceShareArn=arn)
    walk.pass_time(60)
    # "The participant's resources continue to run, and it cannot create new ones" (Unshare a subnet).
    gone = "Unshare a subnet, VPC user guide: participants can no longer create resources in it"
    walk.refused("InvalidSubnetID.NotFound", gone, b.create_network_interface, **wanted)
    assert ids(b.describe_network_interfaces()["NetworkInterfaces"], "NetworkInterfaceId") == [made]
    stands = "DeleteSubnet: what another account has stands on it"
    walk.refused("DependencyViolation", stands, a.delete_subnet, SubnetId=shared["SubnetId"])
    b.delete_network_interface(NetworkInterfaceId=made)
    a.delete_subnet(SubnetId=shared["SubnetId"])

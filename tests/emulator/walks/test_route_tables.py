"""Route tables, their routes and associations."""

from .network import attached_gateway, subnet, table, vpc
from .walk import Walk, filters, ids, named, only_sandbox, tag_filters

_CODES = "error codes of the EC2 API reference"
_EVERYWHERE = "0.0.0.0/0"


def test_a_table_is_made_described_and_deleted(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    walk.dry_runs(ec2.create_route_table, VpcId=vpc_id)
    made = ec2.create_route_table(VpcId=vpc_id, TagSpecifications=named("route-table", "private"))["RouteTable"]
    table_id = made["RouteTableId"]
    assert [route["GatewayId"] for route in made["Routes"]] == ["local"]
    for chosen in [
        {"RouteTableIds": [table_id]},
        {"Filters": tag_filters(Name="private")},
        {"Filters": filters(vpc_id=vpc_id, **{"association.main": "true"})},
    ]:
        tables = ec2.describe_route_tables(**chosen)["RouteTables"]
        assert len(tables) == 1, chosen
    ec2.delete_route_table(RouteTableId=table_id)
    walk.refused("InvalidRouteTableID.NotFound", _CODES, ec2.delete_route_table, RouteTableId=table_id)
    walk.refused("InvalidRouteTableID.NotFound", _CODES, ec2.describe_route_tables, RouteTableIds=[table_id])
    walk.refused("InvalidVpcID.NotFound", _CODES, ec2.create_route_table, VpcId="vpc-0123456789abcdef0")


def test_routes_come_change_and_go(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    gateway, table_id = attached_gateway(walk, vpc_id), table(walk, vpc_id)
    subnet_id = subnet(walk, vpc_id)["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet_id)["NetworkInterface"]["NetworkInterfaceId"]
    route = {"RouteTableId": table_id, "DestinationCidrBlock": _EVERYWHERE}
    walk.dry_runs(ec2.create_route, **route, GatewayId=gateway)
    assert ec2.create_route(**route, GatewayId=gateway)["Return"]
    twice = "CreateRoute; error codes: a route for the specified CIDR block already exists in this route table"
    walk.refused("RouteAlreadyExists", twice, ec2.create_route, **route, GatewayId=gateway)
    ec2.replace_route(**route, NetworkInterfaceId=interface)
    [seen] = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"]
    by_range = {one["DestinationCidrBlock"]: one for one in seen["Routes"]}
    assert by_range[_EVERYWHERE]["NetworkInterfaceId"] == interface
    found = ec2.describe_route_tables(Filters=filters(**{"route.destination-cidr-block": _EVERYWHERE}))
    assert ids(found["RouteTables"], "RouteTableId") == [table_id]
    ec2.delete_route(**route)
    walk.refused("InvalidRoute.NotFound", f"{_CODES}: the route does not exist", ec2.delete_route, **route)
    none = {"RouteTableId": table_id, "DestinationCidrBlock": "192.0.2.0/24", "GatewayId": gateway}
    absent = "ReplaceRoute: replaces an existing route within a route table"
    walk.refused("InvalidParameterValue", absent, ec2.replace_route, **none)
    local = "Configure route tables, VPC user guide: you cannot delete the local route"
    own = {"RouteTableId": table_id, "DestinationCidrBlock": "10.0.0.0/16"}
    walk.refused("InvalidParameterValue", local, ec2.delete_route, **own)


def test_targets_have_to_exist(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    route = {"RouteTableId": table(walk, vpc_id), "DestinationCidrBlock": _EVERYWHERE}
    suffix = "0123456789abcdef0"
    for name, prefix, code in [
        ("GatewayId", "igw", "InvalidGatewayID.NotFound"),
        ("NatGatewayId", "nat", "InvalidNatGatewayID.NotFound"),
        ("NetworkInterfaceId", "eni", "InvalidNetworkInterfaceID.NotFound"),
        ("InstanceId", "i", "InvalidInstanceID.NotFound"),
        ("VpcEndpointId", "vpce", "InvalidVpcEndpointId.NotFound"),
        ("TransitGatewayId", "tgw", "InvalidTransitGatewayID.NotFound"),
        ("VpcPeeringConnectionId", "pcx", "InvalidVpcPeeringConnectionID.NotFound"),
    ]:
        walk.refused(code, _CODES, ec2.create_route, **route, **{name: f"{prefix}-{suffix}"})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    loose = "CreateRoute: you can't use an internet gateway that isn't attached to the VPC"
    walk.refused("InvalidParameterValue", loose, ec2.create_route, **route, GatewayId=gateway)
    two = "CreateRoute: you must specify one of the targets"
    both = {"GatewayId": gateway, "NatGatewayId": f"nat-{suffix}"}
    walk.refused("InvalidParameterCombination", two, ec2.create_route, **route, **both)


@only_sandbox("moto does not look for these targets")
def test_targets_that_nobody_has(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    route = {"RouteTableId": table(walk, vpc_id), "DestinationCidrBlock": _EVERYWHERE}
    suffix = "0123456789abcdef0"
    for name, target, code in [
        ("CarrierGatewayId", f"cagw-{suffix}", "InvalidCarrierGatewayID.NotFound"),
        (
            "CoreNetworkArn",
            f"arn:aws:networkmanager::111111111111:core-network/core-network-{suffix}",
            "InvalidCoreNetworkArn.NotFound",
        ),
        ("EgressOnlyInternetGatewayId", f"eigw-{suffix}", "InvalidEgressOnlyInternetGatewayId.NotFound"),
        ("LocalGatewayId", f"lgw-{suffix}", "InvalidLocalGatewayID.NotFound"),
    ]:
        walk.refused(code, _CODES, ec2.create_route, **route, **{name: target})


def test_a_subnet_goes_by_one_table(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    subnet_id, tables = subnet(walk, vpc_id)["SubnetId"], [table(walk, vpc_id), table(walk, vpc_id)]
    association = ec2.associate_route_table(RouteTableId=tables[0], SubnetId=subnet_id)["AssociationId"]
    found = ec2.describe_route_tables(Filters=filters(**{"association.subnet-id": subnet_id}))["RouteTables"]
    assert ids(found, "RouteTableId") == tables[:1]
    other = {"RouteTableId": tables[1], "SubnetId": subnet_id}
    one = "Subnet route tables, VPC user guide: a subnet can only be associated with one route table at a time"
    walk.refused("Resource.AlreadyAssociated", one, ec2.associate_route_table, **other)
    used = "DeleteRouteTable: you must disassociate the route table from any subnets first"
    walk.refused("DependencyViolation", used, ec2.delete_route_table, RouteTableId=tables[0])
    moved = ec2.replace_route_table_association(AssociationId=association, RouteTableId=tables[1])
    assert moved["NewAssociationId"] != association
    again = {"AssociationId": association, "RouteTableId": tables[0]}
    walk.refused("InvalidAssociationID.NotFound", _CODES, ec2.replace_route_table_association, **again)
    ec2.disassociate_route_table(AssociationId=moved["NewAssociationId"])
    gone = {"AssociationId": moved["NewAssociationId"]}
    walk.refused("InvalidAssociationID.NotFound", _CODES, ec2.disassociate_route_table, **gone)
    for table_id in tables:
        ec2.delete_route_table(RouteTableId=table_id)


def test_another_table_becomes_the_main_one(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    main = {"Filters": filters(vpc_id=vpc_id, **{"association.main": "true"})}
    [before] = ec2.describe_route_tables(**main)["RouteTables"]
    association = before["Associations"][0]["RouteTableAssociationId"]
    fixed = "DisassociateRouteTable: the main association cannot be disassociated, only replaced"
    walk.refused("InvalidParameterValue", fixed, ec2.disassociate_route_table, AssociationId=association)
    new = table(walk, vpc_id)
    ec2.replace_route_table_association(AssociationId=association, RouteTableId=new)
    [after] = ec2.describe_route_tables(**main)["RouteTables"]
    assert after["RouteTableId"] == new


def test_many_tables_are_read_in_pages(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    made = [table(walk, vpc_id) for _ in range(11)]
    seen = walk.pages(ec2, "describe_route_tables", "RouteTables", 5, Filters=filters(vpc_id=vpc_id))
    assert set(made) < set(ids(seen, "RouteTableId")) and len(seen) == 12


@only_sandbox("moto knows no tokens and no quotas")
def test_tokens_and_quotas(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    first = ec2.create_route_table(VpcId=vpc_id, ClientToken="one")["RouteTable"]["RouteTableId"]
    again = ec2.create_route_table(VpcId=vpc_id, ClientToken="one")["RouteTable"]["RouteTableId"]
    assert again == first, "Ensuring idempotency in EC2 API requests"
    for _ in range(198):
        table(walk, vpc_id)
    quota = "Amazon VPC quotas: route tables per VPC, 200, with the main one"
    walk.refused("RouteTableLimitExceeded", quota, ec2.create_route_table, VpcId=vpc_id)
    gateway = attached_gateway(walk, vpc_id)
    for number_ in range(499):
        block = f"192.{number_ // 250}.{number_ % 250}.0/24"
        ec2.create_route(RouteTableId=first, DestinationCidrBlock=block, GatewayId=gateway)
    most = "Amazon VPC quotas: routes per route table, 500"
    one_more = {"RouteTableId": first, "DestinationCidrBlock": _EVERYWHERE, "GatewayId": gateway}
    walk.refused("RouteLimitExceeded", most, ec2.create_route, **one_more)

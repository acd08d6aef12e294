"""VPC endpoints of gateways and of interfaces."""

import json
from typing import Any

from .network import group, subnet, table, vpc
from .walk import Walk, filters, ids, named, only_sandbox

_S3 = "com.amazonaws.us-east-1.s3"
_STS = "com.amazonaws.us-east-1.sts"
_CODES = "error codes of the EC2 API reference"
_POLICY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:Get*", "Resource": "*"}]}


def test_a_gateway_endpoint_puts_a_route_into_tables(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    table_id = table(walk, vpc_id)
    names = ec2.describe_vpc_endpoint_services()["ServiceNames"]
    assert {_S3, _STS} <= set(names)
    wanted = {"VpcId": vpc_id, "ServiceName": _S3, "RouteTableIds": [table_id]}
    made = ec2.create_vpc_endpoint(**wanted, TagSpecifications=named("vpc-endpoint", "s3"))["VpcEndpoint"]
    endpoint = made["VpcEndpointId"]
    assert (made["ServiceName"], made["RouteTableIds"]) == (_S3, [table_id])
    change: dict[str, Any] = {"PolicyDocument": json.dumps(_POLICY)}
    tables = [table_id]
    if walk.is_like_aws("routes of endpoints"):
        [seen] = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"]
        [route] = [one for one in seen["Routes"] if "DestinationPrefixListId" in one]
        assert route["GatewayId"] == endpoint
        mine = "Gateway endpoints: you cannot explicitly delete the endpoint's route"
        away = {"RouteTableId": table_id, "DestinationPrefixListId": route["DestinationPrefixListId"]}
        walk.refused("InvalidParameterValue", mine, ec2.delete_route, **away)
        tables = [table(walk, vpc_id)]
        change |= {"AddRouteTableIds": tables, "RemoveRouteTableIds": [table_id]}
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, **change)
    [seen] = ec2.describe_vpc_endpoints(Filters=filters(vpc_id=vpc_id, service_name=_S3))["VpcEndpoints"]
    assert (seen["RouteTableIds"], json.loads(seen["PolicyDocument"])) == (tables, _POLICY)
    if walk.is_like_aws("endpoints by id"):
        assert ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])["Unsuccessful"] == []
        walk.pass_time(600)
        code = "InvalidVpcEndpointId.NotFound"
        walk.refused(code, _CODES, ec2.describe_vpc_endpoints, VpcEndpointIds=[endpoint])
        [failed] = ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])["Unsuccessful"]
        assert failed["Error"]["Code"] == code, "DeleteVpcEndpoints says so in its answer"


def test_an_interface_endpoint_has_an_interface_in_each_subnet(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    subnets = [subnet(walk, vpc_id)["SubnetId"], subnet(walk, vpc_id, "10.0.2.0/24", "use1-az2")["SubnetId"]]
    group_id = group(walk, vpc_id)
    wanted = {"VpcId": vpc_id, "ServiceName": _STS, "VpcEndpointType": "Interface"}
    made = ec2.create_vpc_endpoint(**wanted, SubnetIds=subnets[:1], SecurityGroupIds=[group_id])["VpcEndpoint"]
    endpoint = made["VpcEndpointId"]
    walk.pass_time(600)
    [seen] = ec2.describe_vpc_endpoints(Filters=filters(vpc_id=vpc_id))["VpcEndpoints"]
    assert (seen["State"], seen["SubnetIds"]) == ("available", subnets[:1])
    assert [one["GroupId"] for one in seen["Groups"]] == [group_id]
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=subnets[1:])
    walk.pass_time(600)
    [seen] = ec2.describe_vpc_endpoints(Filters=filters(vpc_id=vpc_id))["VpcEndpoints"]
    assert sorted(seen["SubnetIds"]) == sorted(subnets)
    if walk.is_like_aws("interfaces of endpoints"):
        assert len(seen["NetworkInterfaceIds"]) == 2
        interface = seen["NetworkInterfaceIds"][0]
        managed = "DeleteNetworkInterface: it is in use; InvalidNetworkInterface.InUse (error codes)"
        walk.refused(
            "InvalidNetworkInterface.InUse", managed, ec2.delete_network_interface, NetworkInterfaceId=interface
        )
        used = "DeleteSubnet: you must terminate everything in the subnet first"
        walk.refused("DependencyViolation", used, ec2.delete_subnet, SubnetId=subnets[0])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    walk.pass_time(600)
    if walk.is_like_aws("interfaces of endpoints"):
        ec2.delete_subnet(SubnetId=subnets[0])


@only_sandbox("moto checks little of an endpoint")
def test_wrong_endpoints_are_refused(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    first = subnet(walk, vpc_id)["SubnetId"]
    second = subnet(walk, vpc_id, "10.0.2.0/24")["SubnetId"]
    table_id = table(walk, vpc_id)
    make, of_s3 = ec2.create_vpc_endpoint, {"VpcId": vpc_id, "ServiceName": _S3}
    service = f"{_CODES}: InvalidServiceName"
    walk.refused("InvalidServiceName", service, make, VpcId=vpc_id, ServiceName="com.amazonaws.us-east-1.none")
    walk.refused("InvalidServiceName", service, ec2.describe_vpc_endpoint_services, ServiceNames=["none"])
    misplaced = "CreateVpcEndpoint: SubnetIds are of interface endpoints, RouteTableIds of gateway endpoints"
    walk.refused("InvalidParameter", misplaced, make, **of_s3, SubnetIds=[first])
    policy = "CreateVpcEndpoint: the policy must be in valid JSON format"
    walk.refused("InvalidPolicyDocument", policy, make, **of_s3, PolicyDocument="{")
    make(**of_s3, RouteTableIds=[table_id])
    route = f"{_CODES}: RouteAlreadyExists"
    walk.refused("RouteAlreadyExists", route, make, **of_s3, RouteTableIds=[table_id])
    zone = "CreateVpcEndpoint: one subnet of each Availability Zone; DuplicateSubnetsInSameZone"
    of_sts = {"VpcId": vpc_id, "ServiceName": _STS, "VpcEndpointType": "Interface", "PrivateDnsEnabled": False}
    walk.refused("DuplicateSubnetsInSameZone", zone, make, **of_sts, SubnetIds=[first, second])
    names = "CreateVpcEndpoint: private DNS needs enableDnsHostnames and enableDnsSupport of the VPC"
    walk.refused("InvalidParameter", names, make, **{**of_sts, "PrivateDnsEnabled": True}, SubnetIds=[first])


@only_sandbox("moto has no quotas and no pages")
def test_gateway_endpoints_have_a_quota_and_pages(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    made = [
        ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName=_S3)["VpcEndpoint"]["VpcEndpointId"]
        for _ in range(20)
    ]
    quota = "Amazon VPC quotas: gateway VPC endpoints per Region, 20"
    walk.refused("VpcEndpointLimitExceeded", quota, ec2.create_vpc_endpoint, VpcId=vpc_id, ServiceName=_S3)
    assert ids(walk.pages(ec2, "describe_vpc_endpoints", "VpcEndpoints", 6), "VpcEndpointId") == sorted(made)
    assert len(walk.pages(ec2, "describe_vpc_endpoint_services", "ServiceDetails", 1)) >= 2

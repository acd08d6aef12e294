"""What the walks through EC2 begin with."""

from typing import Any

from .walk import Walk


def vpc(walk: Walk, account: str = "network", block: str = "10.0.0.0/16") -> str:
    """Makes a VPC."""
    return str(walk.client(account).create_vpc(CidrBlock=block)["Vpc"]["VpcId"])


def subnet(walk: Walk, vpc_id: str, block: str = "10.0.1.0/24", zone: str = "use1-az1") -> dict[str, Any]:
    """Makes a subnet of the network account."""
    made = walk.client("network").create_subnet(VpcId=vpc_id, CidrBlock=block, AvailabilityZoneId=zone)
    return dict(made["Subnet"])


def attached_gateway(walk: Walk, vpc_id: str) -> str:
    """Makes an internet gateway and attaches it."""
    ec2 = walk.client("network")
    gateway = str(ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    return gateway


def group(walk: Walk, vpc_id: str, name: str = "web", account: str = "network") -> str:
    """Makes a security group."""
    made = walk.client(account).create_security_group(GroupName=name, Description=name, VpcId=vpc_id)
    return str(made["GroupId"])


def table(walk: Walk, vpc_id: str) -> str:
    """Makes a route table."""
    return str(walk.client("network").create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"])


def enable_sharing(walk: Walk) -> None:
    """Lets the accounts of the organization share, and waits until RAM has come round to it."""
    walk.client("home", "ram").enable_sharing_with_aws_organization()
    walk.pass_time(60)


def share(walk: Walk, *arns: str) -> str:
    """Shares subnets with the apps account, which sees them afterwards."""
    enable_sharing(walk)
    ram = walk.client("network", "ram")
    made = ram.create_resource_share(
        name="subnets", resourceArns=list(arns), principals=["222222222222"], allowExternalPrincipals=False
    )
    walk.pass_time(60)
    return str(made["resourceShare"]["resourceShareArn"])

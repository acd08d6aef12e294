"""Load balancers, from provisioning to gone, and where they are."""

from typing import Any

from .balancing import MINUTES, Stage
from .network import group, share, subnet, vpc
from .walk import Walk, filters, number, only_sandbox

_CREATE = "CreateLoadBalancer: errors"


def _interfaces(walk: Walk) -> list[dict[str, Any]]:
    found = walk.client("network").describe_network_interfaces(Filters=filters(description="ELB *"))
    return list(found["NetworkInterfaces"])


def test_a_load_balancer_lives_and_goes(walk: Walk) -> None:
    stage = Stage(walk)
    elb, ec2 = stage.elb, walk.client("network")
    wanted = stage.wanted(Scheme="internet-facing", Tags=[{"Key": "env", "Value": "test"}])
    [made] = elb.create_load_balancer(**wanted)["LoadBalancers"]
    arn = made["LoadBalancerArn"]
    assert made["State"]["Code"] == "provisioning" and made["Scheme"] == "internet-facing"
    walk.pass_time(MINUTES)
    elb.get_waiter("load_balancer_available").wait(Names=["web"], WaiterConfig={"Delay": 0, "MaxAttempts": 1})
    [seen] = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert (seen["State"]["Code"], seen["VpcId"], seen["Type"]) == ("active", stage.vpc_id, "application")
    assert {zone["SubnetId"] for zone in seen["AvailabilityZones"]} == set(stage.subnets)
    again = elb.describe_load_balancers(Names=["web"])["LoadBalancers"]
    assert [one["DNSName"] for one in again] == [seen["DNSName"]]
    if walk.is_like_aws("interfaces of load balancers"):
        assert [one["RequesterId"] for one in _interfaces(walk)] == ["amazon-elb", "amazon-elb"]
        held = "DeleteSecurityGroup: associated with a network interface of a load balancer"
        walk.refused("DependencyViolation", held, ec2.delete_security_group, GroupId=stage.group)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    gone = "DescribeLoadBalancers: LoadBalancerNotFound"
    walk.refused("LoadBalancerNotFound", gone, elb.describe_load_balancers, Names=["web"])
    # "If the load balancer does not exist or has already been deleted, the call succeeds."
    elb.delete_load_balancer(LoadBalancerArn=arn)
    if walk.is_like_aws("interfaces of load balancers"):
        assert len(_interfaces(walk)) == 2, "they stay for minutes"
        walk.pass_time(MINUTES)
        assert _interfaces(walk) == []
    ec2.delete_security_group(GroupId=stage.group)


def test_one_name_is_one_load_balancer(walk: Walk) -> None:
    stage = Stage(walk)
    arn = stage.balancer()
    if walk.is_like_aws("the same again"):
        [again] = stage.elb.create_load_balancer(**stage.wanted())["LoadBalancers"]
        assert again["LoadBalancerArn"] == arn
    other = "CreateLoadBalancer: DuplicateLoadBalancerName, exists with different settings"
    walk.refused("DuplicateLoadBalancerName", other, stage.elb.create_load_balancer, **stage.wanted(Scheme="internal"))
    protection = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    stage.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protection)
    protected = "DeleteLoadBalancer: you can't delete a load balancer if deletion protection is enabled"
    walk.refused("OperationNotPermitted", protected, stage.elb.delete_load_balancer, LoadBalancerArn=arn)


def test_attributes_are_set(walk: Walk) -> None:
    stage = Stage(walk)
    named = {"LoadBalancerArn": stage.balancer()}
    elb = stage.elb
    wanted = {"Key": "idle_timeout.timeout_seconds", "Value": "120"}
    elb.modify_load_balancer_attributes(**named, Attributes=[wanted])
    assert wanted in elb.describe_load_balancer_attributes(**named)["Attributes"]
    unknown = "ModifyLoadBalancerAttributes: a key that no load balancer has"
    colour = [{"Key": "colour", "Value": "red"}]
    walk.refused("ValidationError", unknown, elb.modify_load_balancer_attributes, **named, Attributes=colour)
    other = "LoadBalancerAttribute: dns_record.client_routing_policy is of network load balancers"
    policy = [{"Key": "dns_record.client_routing_policy", "Value": "any_availability_zone"}]
    walk.refused(
        "InvalidConfigurationRequest", other, elb.modify_load_balancer_attributes, **named, Attributes=policy
    )


def test_what_cannot_be_is_refused(walk: Walk) -> None:
    stage = Stage(walk)
    create = stage.elb.create_load_balancer
    one = stage.subnets[0]
    zones = "CreateLoadBalancer: you must specify subnets from at least two Availability Zones"
    walk.refused("ValidationError", zones, create, **stage.wanted(Subnets=[one]))
    walk.refused("SubnetNotFound", _CREATE, create, **stage.wanted(Subnets=[one, "subnet-0123456789abcdef0"]))
    same = subnet(walk, stage.vpc_id, "10.0.3.0/24")["SubnetId"]
    once = "CreateLoadBalancer: only one subnet per Availability Zone"
    walk.refused("InvalidConfigurationRequest", once, create, **stage.wanted(Subnets=[one, same]))
    walk.refused("InvalidSecurityGroup", _CREATE, create, **stage.wanted(SecurityGroups=["sg-0123456789abcdef0"]))
    walk.refused("InvalidScheme", _CREATE, create, **stage.wanted(Scheme="public"))
    lonely = vpc(walk)
    subnets = [subnet(walk, lonely)["SubnetId"], subnet(walk, lonely, "10.0.2.0/24", "use1-az2")["SubnetId"]]
    no_way = "CreateLoadBalancer: InvalidSubnet, an internet-facing one needs a VPC with an internet gateway"
    walk.refused("InvalidSubnet", no_way, create, Name="web", Subnets=subnets)
    mapping = [{"SubnetId": one, "AllocationId": "eipalloc-0123456789abcdef0"}]
    network = {"Name": "tcp", "Type": "network", "SubnetMappings": mapping}
    walk.refused("AllocationIdNotFound", _CREATE, create, **network)
    mapping[0]["AllocationId"] = walk.client("network").allocate_address()["AllocationId"]
    create(**network)
    used = "CreateLoadBalancer: ResourceInUse, the Elastic IP address is another one's"
    walk.refused("ResourceInUse", used, create, **{**network, "Name": "tcp2"})


def test_a_load_balancer_moves(walk: Walk) -> None:
    stage = Stage(walk)
    named, elb = {"LoadBalancerArn": stage.balancer()}, stage.elb
    third = subnet(walk, stage.vpc_id, "10.0.3.0/24", "use1-az3")["SubnetId"]
    elb.set_subnets(**named, Subnets=[stage.subnets[0], third])
    [seen] = elb.describe_load_balancers(LoadBalancerArns=[named["LoadBalancerArn"]])["LoadBalancers"]
    assert {zone["SubnetId"] for zone in seen["AvailabilityZones"]} == {stage.subnets[0], third}
    other = group(walk, stage.vpc_id, "other")
    assert elb.set_security_groups(**named, SecurityGroups=[other])["SecurityGroupIds"] == [other]
    elb.set_ip_address_type(**named, IpAddressType="ipv4")
    ipv6 = "SetIpAddressType: you must specify subnets with an associated IPv6 CIDR block"
    walk.refused("InvalidSubnet", ipv6, elb.set_ip_address_type, **named, IpAddressType="dualstack")


@only_sandbox("moto shares nothing")
def test_a_participant_brings_its_own_group(walk: Walk) -> None:
    stage = Stage(walk)
    arns = [f"arn:aws:ec2:us-east-1:{number('network')}:subnet/{one}" for one in stage.subnets]
    share(walk, *arns)
    create = walk.client("apps", "elbv2").create_load_balancer
    wanted = {"Name": "web", "Subnets": stage.subnets}
    rule = "A security group must be specified … in a VPC not owned by the AWS account (load balancer controller, #901)"
    walk.refused("ValidationError", rule, create, **wanted)
    others = "Responsibilities and permissions (VPC user guide): a participant cannot use the owner's groups"
    walk.refused("InvalidSecurityGroup", others, create, **wanted, SecurityGroups=[stage.group])
    own = group(walk, stage.vpc_id, "own", "apps")
    [made] = create(**wanted, SecurityGroups=[own])["LoadBalancers"]
    assert made["VpcId"] == stage.vpc_id
    assert stage.elb.describe_load_balancers()["LoadBalancers"] == []
    assert {one["OwnerId"] for one in _interfaces(walk)} == {number("apps")}


@only_sandbox("moto has no quotas")
def test_an_account_has_so_many(walk: Walk) -> None:
    stage = Stage(walk)
    quotas = {"L-53DA6B97": 2, "L-B22855CB": 1}
    walk.order("PUT", "quotas", {number("network"): quotas})
    stage.balancer("one")
    stage.balancer("two")
    most = "Quotas for your Application Load Balancers: load balancers per Region"
    walk.refused("TooManyLoadBalancers", most, stage.elb.create_load_balancer, **stage.wanted("three"))
    stage.target_group()
    most = "Quotas for your Application Load Balancers: target groups per Region"
    walk.refused(
        "TooManyTargetGroups",
        most,
        stage.elb.create_target_group,
        Name="two",
        Protocol="HTTP",
        Port=80,
        VpcId=stage.vpc_id,
    )
    limits = {one["Name"]: one["Max"] for one in stage.elb.describe_account_limits()["Limits"]}
    assert limits["application-load-balancers"] == "2"
    assert len(walk.pages(stage.elb, "describe_load_balancers", "LoadBalancers", 1)) == 2

"""Target groups, their targets, and how these are."""

from typing import Any

from .balancing import MINUTES, Stage
from .network import group, share
from .walk import Walk, number, only_sandbox

_CREATE = "CreateTargetGroup: errors"


def _health(stage: Stage, target_group: str) -> list[tuple[str, str | None]]:
    described = stage.elb.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
    return [(one["TargetHealth"]["State"], one["TargetHealth"].get("Reason")) for one in described]


def test_a_target_group_lives_and_goes(walk: Walk) -> None:
    stage = Stage(walk)
    elb, arn = stage.elb, stage.target_group(HealthCheckPath="/healthz", Matcher={"HttpCode": "200-299"})
    [seen] = elb.describe_target_groups(Names=["web"])["TargetGroups"]
    assert (seen["TargetGroupArn"], seen["HealthCheckPath"], seen["TargetType"]) == (arn, "/healthz", "ip")
    assert (seen["HealthCheckIntervalSeconds"], seen["HealthyThresholdCount"]) == (30, 5)
    elb.modify_target_group(TargetGroupArn=arn, HealthCheckPath="/", HealthCheckIntervalSeconds=15)
    [seen] = elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
    assert (seen["HealthCheckPath"], seen["HealthCheckIntervalSeconds"]) == ("/", 15)
    wanted = {"Key": "deregistration_delay.timeout_seconds", "Value": "30"}
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[wanted])
    assert wanted in elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    elb.delete_target_group(TargetGroupArn=arn)
    gone = "DescribeTargetGroups: TargetGroupNotFound"
    walk.refused("TargetGroupNotFound", gone, elb.describe_target_groups, TargetGroupArns=[arn])
    if walk.is_like_aws("the same again"):
        elb.delete_target_group(TargetGroupArn=arn)


def test_what_cannot_be_is_refused(walk: Walk) -> None:
    stage = Stage(walk)
    arn, elb = stage.target_group(), stage.elb
    create: dict[str, Any] = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": stage.vpc_id}
    walk.refused("DuplicateTargetGroupName", _CREATE, elb.create_target_group, **{**create, "Port": 81})
    vpcs = "CreateTargetGroup: VpcId, required for instances and addresses"
    nowhere = {**create, "Name": "a", "VpcId": "vpc-0123456789abcdef0"}
    walk.refused("ValidationError", vpcs, elb.create_target_group, **nowhere)
    balancer = stage.balancer()
    stage.listener(balancer, arn)
    used = "DeleteTargetGroup: ResourceInUse, it is referenced by an action"
    walk.refused("ResourceInUse", used, elb.delete_target_group, TargetGroupArn=arn)
    [seen] = elb.describe_target_groups(LoadBalancerArn=balancer)["TargetGroups"]
    assert seen["LoadBalancerArns"] == [balancer]
    stage.target_group("second")
    assert len(walk.pages(elb, "describe_target_groups", "TargetGroups", 1)) == 2


@only_sandbox("moto's targets are healthy, whatever the network says")
def test_targets_are_as_the_groups_of_both_accounts_let_them_be(walk: Walk) -> None:
    stage = Stage(walk)
    share(walk, *(f"arn:aws:ec2:us-east-1:{number('network')}:subnet/{one}" for one in stage.subnets))
    apps, pods = walk.client("apps"), group(walk, stage.vpc_id, "pods", "apps")
    apps.create_network_interface(SubnetId=stage.subnets[0], Groups=[pods], PrivateIpAddress="10.0.1.50")
    target_group, elb = stage.target_group(), stage.elb
    target = {"TargetGroupArn": target_group, "Targets": [{"Id": "10.0.1.50", "Port": 80}]}
    elb.register_targets(**target)
    assert _health(stage, target_group) == [("unused", "Target.NotInUse")]
    balancer = elb.create_load_balancer(**stage.wanted())["LoadBalancers"][0]["LoadBalancerArn"]
    stage.listener(balancer, target_group)
    assert _health(stage, target_group) == [("initial", "Elb.RegistrationInProgress")]
    walk.pass_time(MINUTES + 60)
    assert _health(stage, target_group) == [("unhealthy", "Target.Timeout")]
    peer = [{"UserId": number("network"), "GroupId": stage.group}]
    permission = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": peer}
    apps.authorize_security_group_ingress(GroupId=pods, IpPermissions=[permission])
    assert _health(stage, target_group) == [("healthy", None)]
    elb.deregister_targets(**target)
    assert _health(stage, target_group) == [("draining", "Target.DeregistrationInProgress")]
    walk.pass_time(300)
    assert _health(stage, target_group) == []


@only_sandbox("moto registers whatever it is told")
def test_targets_have_to_be_the_callers(walk: Walk) -> None:
    stage = Stage(walk)
    share(walk, f"arn:aws:ec2:us-east-1:{number('network')}:subnet/{stage.subnets[0]}")
    elb, arn = stage.elb, stage.target_group()

    def target(address: str, **more: str) -> dict[str, Any]:
        return {"TargetGroupArn": arn, "Targets": [{"Id": address, **more}]}

    outside = "TargetDescription: if the IP address is outside the VPC, AvailabilityZone is required; `all`"
    walk.refused("ValidationError", outside, elb.register_targets, **target("10.9.0.1"))
    elb.register_targets(**target("10.9.0.1", AvailabilityZone="all"))
    inside = "within the VPC, and cannot have its Availability Zone overridden (load balancer controller, #4089)"
    walk.refused("ValidationError", inside, elb.register_targets, **target("10.0.1.9", AvailabilityZone="all"))
    apps = walk.client("apps", "elbv2")
    wanted = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": stage.vpc_id, "TargetType": "ip"}
    arn = apps.create_target_group(**wanted)["TargetGroups"][0]["TargetGroupArn"]
    apps.register_targets(**target("10.0.1.9"))
    subnets = "Share your VPC subnets: no targets in subnets that are not shared with the participant"
    walk.refused("InvalidTarget", subnets, apps.register_targets, **target("10.0.2.9"))
    walk.order("PUT", "quotas", {number("apps"): {"L-A0D0B863": 1}})
    most = "Quotas for your Application Load Balancers: targets per target group"
    walk.refused("TooManyTargets", most, apps.register_targets, **target("10.0.1.10"))

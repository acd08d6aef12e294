"""What the walks through load balancing begin with."""

from typing import Any

from .network import attached_gateway, group, subnet, vpc
from .walk import Walk

# Load balancers take minutes, and their interfaces stay for minutes after them.
MINUTES = 180


class Stage:
    """A VPC with two subnets in two zones, a way to the internet and a group."""

    def __init__(self, walk: Walk) -> None:
        """Makes it in the network account."""
        self.walk = walk
        self.elb = walk.client("network", "elbv2")
        self.vpc_id = vpc(walk)
        attached_gateway(walk, self.vpc_id)
        made = [subnet(walk, self.vpc_id), subnet(walk, self.vpc_id, "10.0.2.0/24", "use1-az2")]
        self.subnets = [one["SubnetId"] for one in made]
        self.group = group(walk, self.vpc_id, "alb")

    def wanted(self, name: str = "web", **more: Any) -> dict[str, Any]:
        """Returns what makes a load balancer."""
        return {"Name": name, "Subnets": self.subnets, "SecurityGroups": [self.group], **more}

    def balancer(self, name: str = "web", **more: Any) -> str:
        """Makes a load balancer and waits for it."""
        made = self.elb.create_load_balancer(**self.wanted(name, **more))["LoadBalancers"]
        self.walk.pass_time(MINUTES)
        return str(made[0]["LoadBalancerArn"])

    def target_group(self, name: str = "web", protocol: str = "HTTP", **more: Any) -> str:
        """Makes a target group of addresses."""
        wanted = {"Name": name, "Protocol": protocol, "Port": 80, "VpcId": self.vpc_id, "TargetType": "ip"}
        return str(self.elb.create_target_group(**{**wanted, **more})["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, balancer: str, target_group: str, port: int = 80) -> str:
        """Makes a listener that forwards."""
        made = self.elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=forward(target_group)
        )
        return str(made["Listeners"][0]["ListenerArn"])


def forward(target_group: str) -> list[dict[str, Any]]:
    """Returns actions that forward."""
    return [{"Type": "forward", "TargetGroupArn": target_group}]


def fixed(status: str = "404") -> list[dict[str, Any]]:
    """Returns actions that answer."""
    response = {"StatusCode": status, "ContentType": "text/plain", "MessageBody": "no"}
    return [{"Type": "fixed-response", "FixedResponseConfig": response}]


def path(*patterns: str) -> list[dict[str, Any]]:
    """Returns conditions on the path."""
    return [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(patterns)}}]

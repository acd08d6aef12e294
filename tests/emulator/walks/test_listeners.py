"""Listeners, their rules and certificates, and the tags of all of them."""

from typing import Any

from .balancing import Stage, fixed, forward, path
from .network import vpc
from .walk import Walk, ids, number, only_sandbox

_CERTIFICATE = f"arn:aws:acm:us-east-1:{number('network')}:certificate/{{}}"


def _secure(balancer: str, certificate: str) -> dict[str, Any]:
    return {
        "LoadBalancerArn": balancer,
        "Protocol": "HTTPS",
        "Port": 443,
        "Certificates": [{"CertificateArn": certificate}],
        "DefaultActions": fixed(),
    }


def test_listeners_and_rules_live_and_go(walk: Walk) -> None:
    stage = Stage(walk)
    elb, balancer, target_group = stage.elb, stage.balancer(), stage.target_group()
    listener = stage.listener(balancer, target_group)
    [seen] = elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    assert (seen["ListenerArn"], seen["Port"], seen["Protocol"]) == (listener, 80, "HTTP")
    assert seen["DefaultActions"][0]["TargetGroupArn"] == target_group
    elb.modify_listener(ListenerArn=listener, DefaultActions=fixed())
    [rule] = elb.create_rule(
        ListenerArn=listener, Priority=20, Conditions=path("/a"), Actions=forward(target_group)
    )["Rules"]
    elb.create_rule(ListenerArn=listener, Priority=10, Conditions=path("/b"), Actions=fixed())
    rules = {one["Priority"]: one["RuleArn"] for one in elb.describe_rules(ListenerArn=listener)["Rules"]}
    assert set(rules) == {"10", "20", "default"}
    taken = "CreateRule: PriorityInUse"
    again = {"ListenerArn": listener, "Priority": 20, "Conditions": path("/c"), "Actions": fixed()}
    walk.refused("PriorityInUse", taken, elb.create_rule, **again)
    elb.modify_rule(RuleArn=rule["RuleArn"], Conditions=path("/c"))
    elb.set_rule_priorities(RulePriorities=[{"RuleArn": rule["RuleArn"], "Priority": 5}])
    [seen] = elb.describe_rules(RuleArns=[rule["RuleArn"]])["Rules"]
    assert (seen["Priority"], seen["Conditions"][0]["PathPatternConfig"]["Values"]) == ("5", ["/c"])
    default = "DeleteRule: you can't delete the default rule"
    walk.refused("OperationNotPermitted", default, elb.delete_rule, RuleArn=rules["default"])
    elb.delete_rule(RuleArn=rule["RuleArn"])
    walk.refused("RuleNotFound", "DeleteRule: errors", elb.delete_rule, RuleArn=rule["RuleArn"])
    stage.listener(balancer, target_group, 81)
    assert len(walk.pages(elb, "describe_listeners", "Listeners", 1, LoadBalancerArn=balancer)) == 2
    elb.delete_listener(ListenerArn=listener)
    gone = "DescribeListeners: ListenerNotFound"
    walk.refused("ListenerNotFound", gone, elb.describe_listeners, ListenerArns=[listener])


def test_a_listener_has_attributes(walk: Walk) -> None:
    stage = Stage(walk)
    listener = stage.listener(stage.balancer(), stage.target_group())
    wanted = {"Key": "routing.http.response.server.enabled", "Value": "false"}
    stage.elb.modify_listener_attributes(ListenerArn=listener, Attributes=[wanted])
    if walk.is_like_aws("attributes of listeners"):
        assert wanted in stage.elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]


@only_sandbox("moto asks its own ACM for certificates")
def test_certificates_come_and_go(walk: Walk) -> None:
    stage = Stage(walk)
    elb, balancer = stage.elb, stage.balancer()
    stranger = "CreateListener: CertificateNotFound, another account's"
    foreign = _secure(balancer, f"arn:aws:acm:us-east-1:{number('apps')}:certificate/a")
    walk.refused("CertificateNotFound", stranger, elb.create_listener, **foreign)
    wanted = _secure(balancer, _CERTIFICATE.format("a"))
    policy = "CreateListener: SSLPolicyNotFound"
    walk.refused("SSLPolicyNotFound", policy, elb.create_listener, **wanted, SslPolicy="None")
    listener = elb.create_listener(**wanted)["Listeners"][0]["ListenerArn"]
    more = {"ListenerArn": listener, "Certificates": [{"CertificateArn": _CERTIFICATE.format("b")}]}
    elb.add_listener_certificates(**more)
    assert len(walk.pages(elb, "describe_listener_certificates", "Certificates", 1, ListenerArn=listener)) == 2
    elb.remove_listener_certificates(**more)
    default = "RemoveListenerCertificates: you cannot remove the default certificate"
    walk.refused(
        "OperationNotPermitted",
        default,
        elb.remove_listener_certificates,
        ListenerArn=listener,
        Certificates=wanted["Certificates"],
    )
    walk.order("PUT", "quotas", {number("network"): {"L-9365A611": 0}})
    most = "Quotas for your Application Load Balancers: certificates per load balancer"
    walk.refused("TooManyCertificates", most, elb.add_listener_certificates, **more)
    [known] = elb.describe_ssl_policies(Names=["ELBSecurityPolicy-TLS13-1-2-2021-06"])["SslPolicies"]
    assert known["SslProtocols"] == ["TLSv1.2", "TLSv1.3"]


@only_sandbox("moto forwards from everything to everywhere, and as much of it as one likes")
def test_what_does_not_go_together_is_refused(walk: Walk) -> None:
    stage = Stage(walk)
    elb, balancer, other = stage.elb, stage.balancer(), stage.balancer("other")
    http, tcp, more = stage.target_group(), stage.target_group("tcp", "TCP"), stage.target_group("more")
    far = stage.target_group("far", VpcId=vpc(walk))
    listener = stage.listener(balancer, http)
    create = {"LoadBalancerArn": other, "Protocol": "HTTP", "Port": 80}

    def refused(code: str, fact: str, actions: list[dict[str, Any]], **changed: Any) -> None:
        walk.refused(code, fact, elb.create_listener, **{**create, **changed}, DefaultActions=actions)

    errors = "CreateListener: errors"
    refused("TargetGroupNotFound", errors, forward(http.replace("/web/", "/none/")))
    refused("IncompatibleProtocols", errors, forward(tcp))
    refused("InvalidConfigurationRequest", "CreateListener: the target group is in another VPC", forward(far))
    refused("TargetGroupAssociationLimit", errors, forward(http))
    refused("LoadBalancerNotFound", errors, fixed(), LoadBalancerArn=other.replace("/other/", "/none/"))
    once = "Action: the last action must be one of forward, fixed-response or redirect"
    refused("InvalidLoadBalancerAction", once, fixed() + fixed())
    refused("ALPNPolicyNotFound", errors, fixed(), AlpnPolicy=["Some"])
    refused("DuplicateListener", errors, fixed("503"), LoadBalancerArn=balancer)
    quotas = {"L-B6DF7632": 1, "L-7EED9B64": 1, "L-822D1B1B": 1}
    walk.order("PUT", "quotas", {number("network"): quotas})
    most = "Quotas for your Application Load Balancers"
    refused("TooManyListeners", most, fixed(), LoadBalancerArn=balancer, Port=81)
    rule = {"ListenerArn": listener, "Conditions": path("/")}
    elb.create_rule(**rule, Priority=1, Actions=fixed())
    walk.refused("TooManyRules", most, elb.create_rule, **rule, Priority=2, Actions=fixed())
    unique = {**rule, "Priority": 2, "Actions": forward(more)}
    walk.refused("TooManyUniqueTargetGroupsPerLoadBalancer", most, elb.create_rule, **unique)
    subnets = [{"SubnetId": stage.subnets[0]}]
    [network] = elb.create_load_balancer(Name="net", Type="network", SubnetMappings=subnets)["LoadBalancers"]
    [made] = elb.create_listener(
        LoadBalancerArn=network["LoadBalancerArn"], Protocol="TCP", Port=80, DefaultActions=forward(tcp)
    )["Listeners"]
    of_network = "Listener rules are for Application Load Balancers"
    rule = {"ListenerArn": made["ListenerArn"], "Conditions": path("/"), "Priority": 1, "Actions": fixed()}
    walk.refused("UnsupportedProtocol", of_network, elb.create_rule, **rule)


def test_everything_has_tags(walk: Walk) -> None:
    stage = Stage(walk)
    elb, balancer, target_group = stage.elb, stage.balancer(), stage.target_group()
    listener = stage.listener(balancer, target_group)
    [rule] = elb.create_rule(ListenerArn=listener, Priority=1, Conditions=path("/"), Actions=fixed())["Rules"]
    all_of_it = [balancer, target_group, listener, rule["RuleArn"]]
    tag = {"Key": "env", "Value": "test"}
    elb.add_tags(ResourceArns=all_of_it, Tags=[tag])
    described = elb.describe_tags(ResourceArns=all_of_it)["TagDescriptions"]
    assert ids(described, "ResourceArn") == sorted(all_of_it)
    assert all(one["Tags"] == [tag] for one in described)
    elb.remove_tags(ResourceArns=[balancer], TagKeys=["env"])
    [described] = elb.describe_tags(ResourceArns=[balancer])["TagDescriptions"]
    assert described["Tags"] == []
    twice = {"ResourceArns": [balancer], "Tags": [tag, tag]}
    walk.refused("DuplicateTagKeys", "AddTags: errors", elb.add_tags, **twice)
    many = [{"Key": f"k{one}", "Value": ""} for one in range(51)]
    most = "Tag restrictions: maximum number of tags per resource, 50"
    walk.refused("TooManyTags", most, elb.add_tags, ResourceArns=[balancer], Tags=many)

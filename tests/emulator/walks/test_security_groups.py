"""Security groups and their rules."""

from typing import Any

from .network import group, subnet, vpc
from .walk import Walk, filters, ids, named, number, only_sandbox, tag_filters

_CODES = "error codes of the EC2 API reference"


def _ranges(port: int, *blocks: str, **more: Any) -> list[dict[str, Any]]:
    ranges = [{"CidrIp": block, **more} for block in blocks]
    return [{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}]


def _rules(walk: Walk, group_id: str) -> list[dict[str, Any]]:
    asked = filters(group_id=group_id)
    rules = walk.client("network").describe_security_group_rules(Filters=asked)["SecurityGroupRules"]
    return [rule for rule in rules if not rule["IsEgress"]]


def test_a_group_is_made_described_and_deleted(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    wanted = {"GroupName": "web", "Description": "of the web", "VpcId": vpc_id}
    walk.dry_runs(ec2.create_security_group, **wanted)
    made = ec2.create_security_group(**wanted, TagSpecifications=named("security-group", "mine"))
    group_id = made["GroupId"]
    ec2.get_waiter("security_group_exists").wait(GroupIds=[group_id])
    for chosen in [
        {"GroupIds": [group_id]},
        {"Filters": filters(group_name="web", vpc_id=vpc_id)},
        {"Filters": tag_filters(Name="mine")},
    ]:
        [seen] = ec2.describe_security_groups(**chosen)["SecurityGroups"]
        assert (seen["GroupId"], seen["OwnerId"]) == (group_id, number("network"))
        # "By default, new security groups have only an outbound rule that allows all traffic".
        assert (seen["IpPermissions"], seen["IpPermissionsEgress"][0]["IpProtocol"]) == ([], "-1")
    twice = "CreateSecurityGroup: you can't have two security groups for the same VPC with the same name"
    walk.refused("InvalidGroup.Duplicate", twice, ec2.create_security_group, **wanted)
    reserved = f"{_CODES}: InvalidGroup.Reserved, the name is reserved"
    walk.refused(
        "InvalidGroup.Reserved", reserved, ec2.create_security_group, **{**wanted, "GroupName": "default"}
    )
    prefix = "CreateSecurityGroup: names cannot start with sg-"
    walk.refused("InvalidParameterValue", prefix, ec2.create_security_group, **{**wanted, "GroupName": "sg-1"})
    if walk.is_like_aws("groups for a VPC"):
        assert group_id in ids(ec2.get_security_groups_for_vpc(VpcId=vpc_id)["SecurityGroupForVpcs"], "GroupId")
    ec2.delete_security_group(GroupId=group_id)
    walk.refused("InvalidGroup.NotFound", _CODES, ec2.delete_security_group, GroupId=group_id)
    walk.refused("InvalidGroup.NotFound", _CODES, ec2.describe_security_groups, GroupIds=[group_id])


def test_rules_come_change_and_go(walk: Walk) -> None:
    ec2 = walk.client("network")
    group_id = group(walk, vpc(walk))
    wanted = {"GroupId": group_id, "IpPermissions": _ranges(443, "192.0.2.0/24", "198.51.100.0/24")}
    walk.dry_runs(ec2.authorize_security_group_ingress, **wanted)
    made = ec2.authorize_security_group_ingress(**wanted)["SecurityGroupRules"]
    assert len(made) == 2 and {rule["GroupId"] for rule in made} == {group_id}
    twice = f"{_CODES}: the specified inbound or outbound rule already exists for that security group"
    walk.refused("InvalidPermission.Duplicate", twice, ec2.authorize_security_group_ingress, **wanted)
    rule = next(rule for rule in made if rule["CidrIpv4"] == "192.0.2.0/24")["SecurityGroupRuleId"]
    changed = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "CidrIpv4": "192.0.2.0/24",
        "Description": "plain",
    }
    ec2.modify_security_group_rules(
        GroupId=group_id, SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": changed}]
    )
    [seen] = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])["SecurityGroupRules"]
    assert (seen["FromPort"], seen["Description"], seen["IsEgress"]) == (80, "plain", False)
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=group_id, IpPermissions=_ranges(443, "198.51.100.0/24", Description="said")
    )
    [group_] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    ranges = [one for permission in group_["IpPermissions"] for one in permission["IpRanges"]]
    assert sorted(one.get("Description", "") for one in ranges) == ["plain", "said"]
    ec2.revoke_security_group_ingress(GroupId=group_id, SecurityGroupRuleIds=[rule])
    ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=_ranges(443, "198.51.100.0/24"))
    assert _rules(walk, group_id) == []
    gone = f"{_CODES}: the specified rule does not exist in this security group"
    permission = {"GroupId": group_id, "IpPermissions": _ranges(443, "198.51.100.0/24")}
    walk.refused("InvalidPermission.NotFound", gone, ec2.revoke_security_group_ingress, **permission)
    by_id = {"GroupId": group_id, "SecurityGroupRuleIds": [rule]}
    walk.refused("InvalidSecurityGroupRuleId.NotFound", _CODES, ec2.revoke_security_group_ingress, **by_id)


def test_rules_out_are_closed_and_opened(walk: Walk) -> None:
    ec2 = walk.client("network")
    group_id = group(walk, vpc(walk))
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=everything)
    ec2.authorize_security_group_egress(GroupId=group_id, IpPermissions=_ranges(53, "10.0.0.2/32"))
    ec2.update_security_group_rule_descriptions_egress(
        GroupId=group_id, IpPermissions=_ranges(53, "10.0.0.2/32", Description="names")
    )
    [seen] = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert seen["IpPermissionsEgress"][0]["IpRanges"] == [{"CidrIp": "10.0.0.2/32", "Description": "names"}]
    gone = f"{_CODES}: the specified rule does not exist in this security group"
    absent = {"GroupId": group_id, "IpPermissions": everything}
    walk.refused("InvalidPermission.NotFound", gone, ec2.revoke_security_group_egress, **absent)


def test_a_group_that_is_named_or_used_stays(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    web, database = group(walk, vpc_id, "web"), group(walk, vpc_id, "database")
    pair = [{"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": web}]}]
    ec2.authorize_security_group_ingress(GroupId=database, IpPermissions=pair)
    [rule] = _rules(walk, database)
    assert rule["ReferencedGroupInfo"]["GroupId"] == web
    named_ = "DeleteSecurityGroup: fails with DependencyViolation if it is referenced by another security group"
    walk.refused("DependencyViolation", named_, ec2.delete_security_group, GroupId=web)
    subnet_id = subnet(walk, vpc_id)["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet_id, Groups=[database])["NetworkInterface"]
    used = "DeleteSecurityGroup: fails with DependencyViolation if it is associated with a network interface"
    walk.refused("DependencyViolation", used, ec2.delete_security_group, GroupId=database)
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    ec2.delete_security_group(GroupId=database)
    ec2.delete_security_group(GroupId=web)


def test_wrong_rules_are_refused(walk: Walk) -> None:
    ec2 = walk.client("network")
    group_id = group(walk, vpc(walk))
    authorize = ec2.authorize_security_group_ingress
    empty = "AuthorizeSecurityGroupIngress: a rule needs a source"
    bare = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}]
    walk.refused("MissingParameter", empty, authorize, GroupId=group_id, IpPermissions=bare)
    range_ = f"{_CODES}: InvalidParameterValue, a value is not valid"
    wrong = _ranges(1, "10.0.0.0/33")
    walk.refused("InvalidParameterValue", range_, authorize, GroupId=group_id, IpPermissions=wrong)
    ports = [{"IpProtocol": "tcp", "FromPort": 9, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    walk.refused("InvalidParameterValue", range_, authorize, GroupId=group_id, IpPermissions=ports)
    missing = [{**bare[0], "UserIdGroupPairs": [{"GroupId": "sg-0123456789abcdef0"}]}]
    walk.refused("InvalidGroup.NotFound", _CODES, authorize, GroupId=group_id, IpPermissions=missing)
    both = "IpPermissions cannot be used with the parameters of a single rule: InvalidParameterCombination"
    single = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIp": "10.0.0.0/8"}
    twice = {"GroupId": group_id, "IpPermissions": _ranges(1, "10.0.0.0/8"), **single}
    walk.refused("InvalidParameterCombination", both, authorize, **twice)
    no_vpc = f"{_CODES}: VPCIdNotSpecified, you have no default VPC in which to carry out the request"
    walk.refused("VPCIdNotSpecified", no_vpc, ec2.create_security_group, GroupName="a", Description="a")


@only_sandbox("moto has other quotas")
def test_a_group_has_60_rules_a_direction(walk: Walk) -> None:
    ec2 = walk.client("network")
    group_id = group(walk, vpc(walk))
    blocks = [f"10.0.{number_}.0/24" for number_ in range(60)]
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=_ranges(1, *blocks))
    quota = "Amazon VPC quotas: inbound or outbound rules per security group, 60"
    one_more = {"GroupId": group_id, "IpPermissions": _ranges(1, "10.1.0.0/24")}
    walk.refused("RulesPerSecurityGroupLimitExceeded", quota, ec2.authorize_security_group_ingress, **one_more)
    rules = walk.pages(
        ec2, "describe_security_group_rules", "SecurityGroupRules", 7, Filters=filters(group_id=group_id)
    )
    assert len(rules) == 61


def test_many_groups_are_read_in_pages(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    made = [group(walk, vpc_id, f"g{number_}") for number_ in range(11)]
    seen = walk.pages(ec2, "describe_security_groups", "SecurityGroups", 5, Filters=filters(vpc_id=vpc_id))
    assert set(made) < set(ids(seen, "GroupId")) and len(seen) == 12
    if walk.is_like_aws("groups for a VPC"):
        assert (
            len(walk.pages(ec2, "get_security_groups_for_vpc", "SecurityGroupForVpcs", 5, VpcId=vpc_id)) == 12
        )


@only_sandbox("moto has other quotas")
def test_an_interface_has_five_groups(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    subnet_id, groups = (
        subnet(walk, vpc_id)["SubnetId"],
        [group(walk, vpc_id, f"g{number_}") for number_ in range(6)],
    )
    quota = "Amazon VPC quotas: security groups per network interface, 5"
    wanted = {"SubnetId": subnet_id, "Groups": groups}
    walk.refused("SecurityGroupsPerInterfaceLimitExceeded", quota, ec2.create_network_interface, **wanted)
    elsewhere = vpc(walk, block="10.1.0.0/16")
    other = {"SubnetId": subnet_id, "Groups": [group(walk, elsewhere)]}
    same = f"{_CODES}: InvalidGroup.NotFound, the group and the resource are in different VPCs"
    walk.refused("InvalidGroup.NotFound", same, ec2.create_network_interface, **other)

"""What others do to the whole spec behind the program's back, to a thing of each kind: a plan shows it, an
apply repairs it, and the next plan is empty."""

import json
import shutil
import time
from collections.abc import Callable

import pytest

from . import accounts
from .mission import Mission

pytestmark = pytest.mark.only_on("sandbox", "only the sandbox shows shared subnets and has add-ons")

Ids = dict[str, str]
Deed = Callable[[Mission, Ids], None]

CONTROLLER = "AmazonEKSLoadBalancerControllerRole"
NODES = "EKSTestDrive-nodes"
CLUSTER = {"clusterName": "EKSTestDrive"}
WORKERS = {**CLUSTER, "nodegroupName": "ng-1-workers"}
MOVED = "route_table.public/association['a']"
# What EKS has chosen was never applied: that it differs is no drift, though it is set back.
CHOSEN = {"eks_addon.vpc_cni"}
PULLING = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"


def assert_shown(mission: Mission, expected: dict[str, str]) -> None:
    """Checks what a plan sets back, attributes by address and `gone` for what it makes again, and that it
    says of all this that others have done it."""
    plan = mission.plan_data("--allow-missing")
    shown = {}
    for change in plan["changes"]:
        is_gone = change["action"] == "create" and change["reasons"][0]["why"] == "vanished"
        assert is_gone or change["action"] == "update", change
        names = [attribute["name"] for attribute in change["attributes"]]
        shown[change["address"]] = "gone" if is_gone else ", ".join(names)
    assert shown == expected
    changed = {address for address in expected if expected[address] == "gone" or address not in CHOSEN}
    assert {one["address"] for one in plan["drift"]} == changed


def settled(mission: Mission) -> None:
    """Waits until nothing of the cluster is on its way any more."""
    deadline = time.monotonic() + 60
    while not all(is_active(mission)):
        assert time.monotonic() < deadline, "what was begun by hand never ends"
        time.sleep(0.05)


def is_active(mission: Mission) -> list[bool]:
    """Tells of everything of the cluster that is there whether it is ready."""
    eks = mission.of("apps", "eks")
    states = [eks.describe_cluster(name="EKSTestDrive")["cluster"]["status"]]
    for group in eks.list_nodegroups(**CLUSTER)["nodegroups"]:
        states.append(eks.describe_nodegroup(**CLUSTER, nodegroupName=group)["nodegroup"]["status"])
    for addon in eks.list_addons(**CLUSTER)["addons"]:
        states.append(eks.describe_addon(**CLUSTER, addonName=addon)["addon"]["status"])
    return [state in ("ACTIVE", "DEGRADED") for state in states]


def tagged(mission: Mission, ids: Ids, address: str) -> None:
    """Somebody gives a thing of the network another tag, where all else of it is fixed or held."""
    mission.of("network").create_tags(Resources=[ids[address]], Tags=[{"Key": "project", "Value": "theirs"}])


def retagged(address: str) -> Deed:
    """The same, of a certain thing."""
    return lambda mission, ids: tagged(mission, ids, address)


def host_names(mission: Mission, ids: Ids) -> None:
    """EKS nodes would not come up any more."""
    mission.of("network").modify_vpc_attribute(VpcId=ids["vpc.main"], EnableDnsHostnames={"Value": False})


def public_subnet(mission: Mission, ids: Ids) -> None:
    """Nodes would get public addresses."""
    subnet = ids["subnet.private['b']"]
    mission.of("network").modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})


def other_way(mission: Mission, ids: Ids) -> None:
    """Traffic of private subnets would go nowhere."""
    table, gateway = ids["route_table.private"], ids["internet_gateway.main"]
    mission.of("network").replace_route(
        RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
    )


def other_table(mission: Mission, ids: Ids) -> None:
    """A public subnet goes by the private table."""
    association = association_id(mission, MOVED)
    mission.of("network").replace_route_table_association(
        AssociationId=association, RouteTableId=ids["route_table.private"]
    )


def association_id(mission: Mission, address: str) -> str:
    """Returns EC2's id of an association."""
    return str(mission.state()["resources"][address]["object"]["outputs"]["association_id"])


def renamed_share(mission: Mission, ids: Ids) -> None:
    """Names of shares are for people alone."""
    share = ids["ram_resource_share.private_subnets"]
    mission.of("network", "ram").update_resource_share(resourceShareArn=share, name="theirs")


def opened_group(mission: Mission, ids: Ids) -> None:
    """The balancer could be reached by another port."""
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    mission.of("network").authorize_security_group_ingress(
        GroupId=ids["security_group.alb"], IpPermissions=[permission]
    )


def described_rule(mission: Mission, ids: Ids) -> None:
    """A rule of account B's group, in account A's network."""
    rule, group = ids["security_group_rule.pods_from_alb"], cluster_group(mission)
    found = mission.of("apps").describe_security_group_rules(SecurityGroupRuleIds=[rule])
    (as_it_is,) = found["SecurityGroupRules"]
    changed = {
        "IpProtocol": as_it_is["IpProtocol"],
        "FromPort": as_it_is["FromPort"],
        "ToPort": as_it_is["ToPort"],
        "ReferencedGroupId": as_it_is["ReferencedGroupInfo"]["GroupId"],
        "Description": "theirs",
    }
    update = {"SecurityGroupRuleId": rule, "SecurityGroupRule": changed}
    mission.of("apps").modify_security_group_rules(GroupId=group, SecurityGroupRules=[update])


def cluster_group(mission: Mission) -> str:
    """Returns the group that EKS made for the cluster."""
    cluster = mission.of("apps", "eks").describe_cluster(name="EKSTestDrive")["cluster"]
    return str(cluster["resourcesVpcConfig"]["clusterSecurityGroupId"])


def other_trust(mission: Mission, _: Ids) -> None:
    """Somebody else could act as the controller."""
    statement = {"Effect": "Allow", "Principal": {"AWS": accounts.HOME}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    mission.of("network", "iam").update_assume_role_policy(RoleName=CONTROLLER, PolicyDocument=document)


def more_rights(mission: Mission, _: Ids) -> None:
    """Nodes could do anything."""
    mission.of("apps", "iam").attach_role_policy(
        RoleName=NODES, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )


def more_audiences(mission: Mission, ids: Ids) -> None:
    """Tokens for others would be taken."""
    mission.of("network", "iam").add_client_id_to_open_id_connect_provider(
        OpenIDConnectProviderArn=ids["iam_openid_connect_provider.cluster"], ClientID="theirs"
    )


def other_document(mission: Mission, ids: Ids) -> None:
    """The controller could do something else."""
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    mission.of("network", "iam").create_policy_version(
        PolicyArn=ids["iam_policy.lb_controller"],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        SetAsDefault=True,
    )


def other_support(mission: Mission, _: Ids) -> None:
    """The cluster would cost six times as much one day."""
    mission.of("apps", "eks").update_cluster_config(
        name="EKSTestDrive", upgradePolicy={"supportType": "EXTENDED"}
    )


def older_addon(mission: Mission, _: Ids) -> None:
    """An add-on goes back to a version that is no default any more."""
    eks = mission.of("apps", "eks")
    (offered,) = eks.describe_addon_versions(addonName="vpc-cni", kubernetesVersion="1.35")["addons"]
    oldest = offered["addonVersions"][-1]["addonVersion"]
    eks.update_addon(**CLUSTER, addonName="vpc-cni", addonVersion=oldest)


def more_nodes(mission: Mission, _: Ids) -> None:
    """More nodes could be paid for."""
    mission.of("apps", "eks").update_nodegroup_config(**WORKERS, scalingConfig={"maxSize": 9})


# A thing of each kind, the attribute that differs then, and what others do. Nothing of an attachment of
# a policy to a role can become another one; what is attached besides is shown of the role.
CHANGED: dict[str, tuple[str, Deed]] = {
    "vpc.main": ("enable_dns_hostnames", host_names),
    "subnet.private['b']": ("map_public_ip_on_launch", public_subnet),
    "internet_gateway.main": ("tags", retagged("internet_gateway.main")),
    "eip.nat": ("tags", retagged("eip.nat")),
    "nat_gateway.main": ("tags", retagged("nat_gateway.main")),
    "route_table.public": ("tags", retagged("route_table.public")),
    "route_table.private/route['0.0.0.0/0']": ("target", other_way),
    # One with another table has another id.
    MOVED: ("gone", other_table),
    "ram_resource_share.private_subnets": ("name", renamed_share),
    "security_group.alb": ("foreign_rules", opened_group),
    "security_group_rule.pods_from_alb": ("description", described_rule),
    "iam_role.lb_controller": ("trust", other_trust),
    "iam_role.nodes": ("foreign_policies", more_rights),
    "iam_openid_connect_provider.cluster": ("audiences", more_audiences),
    "iam_policy.lb_controller": ("document", other_document),
    "eks_cluster.main": ("upgrade_policy", other_support),
    "eks_addon.vpc_cni": ("version", older_addon),
    "eks_node_group.workers": ("scaling", more_nodes),
}


def test_one_change_of_each_kind_is_shown_and_set_back(whole: Mission) -> None:
    ids = whole.ids()
    for _, deed in CHANGED.values():
        deed(whole, ids)
    settled(whole)
    assert_shown(whole, {address: attribute for address, (attribute, _) in CHANGED.items()})
    repaired = whole.apply()
    assert f"1 created, {len(CHANGED) - 1} changed, 0 deleted" in repaired.words, repaired
    whole.assert_converged()
    assert whole.ids() == ids | {MOVED: whole.ids()[MOVED]}, "all else is the same thing as before"


def no_way_out(mission: Mission, ids: Ids) -> None:
    """The private subnets lose their way out, and that its gateway and its address."""
    ec2 = mission.of("network")
    ec2.delete_route(RouteTableId=ids["route_table.private"], DestinationCidrBlock="0.0.0.0/0")
    mission.take_nat_gateway_away(ids["nat_gateway.main"])
    ec2.release_address(AllocationId=ids["eip.nat"])


def no_table(mission: Mission, ids: Ids) -> None:
    """A public subnet goes by the main table."""
    association = association_id(mission, MOVED)
    mission.of("network").disassociate_route_table(AssociationId=association)


def no_group(mission: Mission, ids: Ids) -> None:
    """The balancer's group goes, once the rule of the other account does not name it any more."""
    mission.of("apps").revoke_security_group_ingress(
        GroupId=cluster_group(mission), SecurityGroupRuleIds=[ids["security_group_rule.pods_from_alb"]]
    )
    mission.of("network").delete_security_group(GroupId=ids["security_group.alb"])


def no_trust(mission: Mission, ids: Ids) -> None:
    """The controller loses its role, what that may do, and who vouches for it."""
    iam, policy = mission.of("network", "iam"), ids["iam_policy.lb_controller"]
    iam.detach_role_policy(RoleName=CONTROLLER, PolicyArn=policy)
    for version in iam.list_policy_versions(PolicyArn=policy)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=policy, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=policy)
    iam.delete_role(RoleName=CONTROLLER)
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=ids["iam_openid_connect_provider.cluster"])


def no_rights(mission: Mission, _: Ids) -> None:
    """Nodes could not pull images."""
    mission.of("apps", "iam").detach_role_policy(RoleName=NODES, PolicyArn=PULLING)


def no_nodes(mission: Mission, _: Ids) -> None:
    """The nodes go, and an add-on."""
    eks = mission.of("apps", "eks")
    eks.delete_addon(**CLUSTER, addonName="coredns")
    eks.delete_nodegroup(**WORKERS)
    eks.get_waiter("nodegroup_deleted").wait(**WORKERS, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


GONE = {
    "route_table.private/route['0.0.0.0/0']",
    "nat_gateway.main",
    "eip.nat",
    "route_table.public/association['a']",
    "security_group_rule.pods_from_alb",
    "security_group.alb",
    "security_group.alb/egress['to the pods']",
    "security_group.alb/ingress['HTTP from anywhere']",
    "iam_policy.lb_controller",
    "iam_role.lb_controller",
    "iam_role.lb_controller/policy['iam_policy.lb_controller']",
    "iam_openid_connect_provider.cluster",
    f"iam_role.nodes/policy['{PULLING}']",
    "eks_addon.coredns",
    "eks_node_group.workers",
}


def test_what_others_delete_is_shown_and_made_again(whole: Mission) -> None:
    ids = whole.ids()
    for deed in (no_way_out, no_table, no_group, no_trust, no_rights, no_nodes):
        deed(whole, ids)
    settled(whole)
    assert_shown(whole, dict.fromkeys(GONE, "gone"))
    whole.apply("--allow-missing")
    whole.assert_converged()
    kept = set(ids) - GONE
    now = whole.ids()
    assert {address: now[address] for address in kept} == {address: ids[address] for address in kept}


def test_all_is_made_again_after_somebody_else_has_deleted_it(whole: Mission) -> None:
    """The kinds that nobody can delete as long as others stand on them: networks, subnets, clusters."""
    before = whole.ids()
    state = whole.straddle.state
    kept = shutil.copytree(state, state.with_name("kept"))
    whole.destroy()
    shutil.rmtree(state)
    kept.rename(state)
    refused = whole.plan(code=1)
    assert "--allow-missing" in refused.words, "so much is gone that it may be another account"
    assert_shown(whole, dict.fromkeys(before, "gone"))
    whole.apply("--allow-missing")
    whole.assert_converged()
    assert set(whole.ids()) == set(before)

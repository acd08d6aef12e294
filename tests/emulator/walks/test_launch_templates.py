"""Launch templates, and the nodes of EKS that are launched with them."""

from typing import Any

from .eks import cluster, ground, node_group, role_arn
from .walk import Walk, filters, named, only_sandbox, tag_filters

_DATA = {
    "InstanceType": "t3.large",
    "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
    "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "VolumeType": "gp3"}}],
    "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "team", "Value": "web"}]}],
}


def _make(walk: Walk, name: str = "nodes", account: str = "network", **more: Any) -> dict[str, Any]:
    ec2 = walk.client(account)
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData={**_DATA, **more})
    return dict(made["LaunchTemplate"])


def test_a_template_and_its_versions(walk: Walk) -> None:
    ec2 = walk.client("network")
    wanted = {"LaunchTemplateName": "nodes", "LaunchTemplateData": _DATA}
    made = ec2.create_launch_template(
        **wanted, VersionDescription="first", TagSpecifications=named("launch-template", "n")
    )["LaunchTemplate"]
    assert (made["DefaultVersionNumber"], made["LatestVersionNumber"]) == (1, 1)
    taken = "InvalidLaunchTemplateName.AlreadyExistsException: names are unique"
    walk.refused("InvalidLaunchTemplateName.AlreadyExistsException", taken, ec2.create_launch_template, **wanted)
    template = {"LaunchTemplateId": made["LaunchTemplateId"]}
    second = ec2.create_launch_template_version(
        **template, SourceVersion="1", LaunchTemplateData={"InstanceType": "t3.small"}
    )["LaunchTemplateVersion"]
    assert second["VersionNumber"] == 2 and not second["DefaultVersion"]
    ec2.modify_launch_template(**template, DefaultVersion="2")
    by_tag = ec2.describe_launch_templates(Filters=tag_filters(Name="n"))["LaunchTemplates"]
    assert [(one["DefaultVersionNumber"], one["LatestVersionNumber"]) for one in by_tag] == [(2, 2)]
    found = ec2.describe_launch_template_versions(**template, Versions=["1"])["LaunchTemplateVersions"]
    data = found[0]["LaunchTemplateData"]
    assert found[0]["VersionDescription"] == "first"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    assert data["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] == 30
    assert data["TagSpecifications"][0]["Tags"] == [{"Key": "team", "Value": "web"}]
    ec2.delete_launch_template(**template)
    assert ec2.describe_launch_templates()["LaunchTemplates"] == []


@only_sandbox("moto checks little of launch templates, and has no versions by filter (see the list in tests/README.md)")
def test_what_is_refused_of_templates(walk: Walk) -> None:
    ec2 = walk.client("network")
    create = ec2.create_launch_template
    walk.dry_runs(create, LaunchTemplateName="nodes", LaunchTemplateData=_DATA)
    malformed = "CreateLaunchTemplate: 3 to 128 characters of an alphabet"
    wrong = {"LaunchTemplateName": "n odes", "LaunchTemplateData": _DATA}
    walk.refused("InvalidLaunchTemplateName.MalformedException", malformed, create, **wrong)
    unknown = {"LaunchTemplateName": "nodes", "LaunchTemplateData": {"KernelId": "aki-1"}}
    walk.refused("UnknownParameter", "the sandbox has no kernels of one's own", create, **unknown)
    template = {"LaunchTemplateId": _make(walk)["LaunchTemplateId"]}
    versions = ec2.describe_launch_template_versions
    gone = "DescribeLaunchTemplateVersions: the version has to exist"
    walk.refused("InvalidLaunchTemplateId.VersionNotFound", gone, versions, **template, Versions=["7"])
    for key, value, code in [
        ("LaunchTemplateId", "lt-0aaaaaaaaaaaaaaa1", "InvalidLaunchTemplateId.NotFound"),
        ("LaunchTemplateName", "none", "InvalidLaunchTemplateName.NotFoundException"),
    ]:
        walk.refused(code, "error codes of the EC2 API", ec2.delete_launch_template, **{key: value})
    for _ in range(3):
        ec2.create_launch_template_version(**template, SourceVersion="1", LaunchTemplateData={"ImageId": "ami-1"})
    pages = walk.pages(ec2, "describe_launch_template_versions", "LaunchTemplateVersions", 3, **template)
    assert [one["VersionNumber"] for one in pages] == [4, 3, 2, 1]
    [default] = versions(**template, Filters=filters(is_default_version="true"))["LaunchTemplateVersions"]
    assert default["VersionNumber"] == 1
    deleted = ec2.delete_launch_template_versions(**template, Versions=["1", "2"])
    assert [one["VersionNumber"] for one in deleted["SuccessfullyDeletedLaunchTemplateVersions"]] == [2]
    assert [one["VersionNumber"] for one in deleted["UnsuccessfullyDeletedLaunchTemplateVersions"]] == [1]


@only_sandbox("moto's node groups have no nodes (see the list in tests/README.md)")
def test_nodes_are_launched_with_a_template(walk: Walk) -> None:
    place, eks, ec2 = ground(walk), walk.client("apps", "eks"), walk.client("apps")
    cluster(walk, place)
    group = ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=place.vpc)["GroupId"]
    interface = {"DeviceIndex": 0, "Groups": [group]}
    template = _make(walk, account="apps", NetworkInterfaces=[interface])["LaunchTemplateId"]
    [version] = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    assert version["LaunchTemplateData"]["NetworkInterfaces"][0]["Groups"] == [group]
    made = node_group(walk, place, launchTemplate={"id": template, "version": "1"})
    assert made["launchTemplate"]["name"] == "nodes" and "diskSize" not in made
    [first, _] = ec2.describe_instances(Filters=filters(instance_state_name="running"))["Reservations"]
    node = first["Instances"][0]
    assert (node["InstanceType"], [one["GroupId"] for one in node["SecurityGroups"]]) == ("t3.large", [group])
    both = {"launchTemplate": {"id": template}, "instanceTypes": ["t3.large"]}
    fact = "Customize managed nodes: instance types are said in one place"
    other = {"clusterName": "main", "nodegroupName": "other", "subnets": place.subnets, "nodeRole": role_arn("nodes")}
    walk.refused("InvalidParameterException", fact, eks.create_nodegroup, **other, **both)


@only_sandbox("moto has no insights (see the list in tests/README.md)")
def test_insights_of_a_cluster(walk: Walk) -> None:
    place, eks = ground(walk), walk.client("apps", "eks")
    names = [one["clusterVersion"] for one in eks.describe_cluster_versions(includeAll=True)["clusterVersions"]]
    cluster(walk, place, version=names[1])
    found = walk.pages(eks, "list_insights", "insights", 1, clusterName="main")
    assert {one["insightStatus"]["status"] for one in found} == {"PASSING"}
    described = eks.describe_insight(clusterName="main", id=found[0]["id"])["insight"]
    assert (described["kubernetesVersion"], described["category"]) == (names[0], "UPGRADE_READINESS")
    walk.refused("ResourceNotFoundException", "DescribeInsight", eks.describe_insight, clusterName="main", id="x")

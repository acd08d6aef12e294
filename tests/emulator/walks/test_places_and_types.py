"""Regions, instance types and where they are, and what an account forbids its VPCs."""

from .network import subnet, vpc
from .walk import Walk, filters, only_sandbox


def test_regions_are_told(walk: Walk) -> None:
    ec2 = walk.client("network")
    names = {one["RegionName"] for one in ec2.describe_regions()["Regions"]}
    assert {"us-east-1", "eu-central-1"} <= names
    [one] = ec2.describe_regions(RegionNames=["us-east-1"])["Regions"]
    assert one["OptInStatus"] == "opt-in-not-required"


def test_instance_types_have_figures_and_places(walk: Walk) -> None:
    ec2 = walk.client("apps")
    [medium] = ec2.describe_instance_types(InstanceTypes=["t3.medium"])["InstanceTypes"]
    assert (medium["VCpuInfo"]["DefaultVCpus"], medium["MemoryInfo"]["SizeInMiB"]) == (2, 4096)
    network = medium["NetworkInfo"]
    assert (network["MaximumNetworkInterfaces"], network["Ipv4AddressesPerInterface"]) == (3, 6)
    assert medium["ProcessorInfo"]["SupportedArchitectures"] == ["x86_64"]
    unknown = "DescribeInstanceTypes: InvalidInstanceType, the following supplied instance types do not exist"
    walk.refused("InvalidInstanceType", unknown, ec2.describe_instance_types, InstanceTypes=["t9.huge"])
    by_zone = {"LocationType": "availability-zone-id", "Filters": filters(instance_type="t3.medium")}
    zones = {one["Location"] for one in ec2.describe_instance_type_offerings(**by_zone)["InstanceTypeOfferings"]}
    assert zones == {f"use1-az{number}" for number in [1, 2, 4, 5, 6]}
    if walk.is_like_aws("paging"):
        assert len(walk.pages(ec2, "describe_instance_types", "InstanceTypes", 50)) > 50


@only_sandbox("moto blocks no public access")
def test_public_access_is_blocked_but_for_exclusions(walk: Walk) -> None:
    ec2, vpc_id = walk.client("network"), vpc(walk)
    subnet(walk, vpc_id)
    options = "VpcBlockPublicAccessOptions"
    assert ec2.describe_vpc_block_public_access_options()[options]["InternetGatewayBlockMode"] == "off"
    ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional")
    assert ec2.describe_vpc_block_public_access_options()[options]["State"] == "update-complete"
    wanted = {"VpcId": vpc_id, "InternetGatewayExclusionMode": "allow-bidirectional"}
    made = ec2.create_vpc_block_public_access_exclusion(**wanted)["VpcBlockPublicAccessExclusion"]
    seen = ec2.describe_vpc_block_public_access_exclusions()["VpcBlockPublicAccessExclusions"]
    assert [one["ExclusionId"] for one in seen] == [made["ExclusionId"]]
    one = {"ExclusionId": made["ExclusionId"]}
    ec2.delete_vpc_block_public_access_exclusion(**one)
    gone = "DeleteVpcBlockPublicAccessExclusion: an exclusion that does not exist"
    code = "InvalidVpcBlockPublicAccessExclusionId.NotFound"
    walk.refused(code, gone, ec2.delete_vpc_block_public_access_exclusion, **one)

"""How much of what an account may have, and what it has, by tags."""

from .balancing import Stage
from .walk import Walk, number


def test_quotas_are_told_as_they_are_enforced(walk: Walk) -> None:
    quotas, ec2 = walk.client("network", "service-quotas"), walk.client("network")
    named = {"ServiceCode": "vpc", "QuotaCode": "L-F678F1CE"}
    quota = quotas.get_service_quota(**named)["Quota"]
    assert (quota["QuotaName"], quota["Value"], quota["Adjustable"]) == ("VPCs per Region", 5.0, True)
    missing = "GetServiceQuota: NoSuchResourceException"
    unknown = {**named, "QuotaCode": "L-00000000"}
    walk.refused("NoSuchResourceException", missing, quotas.get_service_quota, **unknown)
    defaults = quotas.list_aws_default_service_quotas(ServiceCode="vpc")["Quotas"]
    assert "L-F678F1CE" in {one["QuotaCode"] for one in defaults}
    if not walk.is_like_aws("quotas"):
        return
    listed = {one["QuotaCode"] for one in quotas.list_service_quotas(ServiceCode="vpc")["Quotas"]}
    assert "L-F678F1CE" in listed
    assert quotas.get_aws_default_service_quota(**named)["Quota"]["Value"] == 5.0
    assert "vpc" in {one["ServiceCode"] for one in quotas.list_services()["Services"]}
    walk.order("PUT", "quotas", {number("network"): {"L-F678F1CE": 1}})
    assert quotas.get_service_quota(**named)["Quota"]["Value"] == 1.0
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    walk.refused("VpcLimitExceeded", "Amazon VPC quotas", ec2.create_vpc, CidrBlock="10.0.0.0/16")
    size = "ListServiceQuotas: MaxResults has a maximum value of 100"
    most = {"ServiceCode": "vpc", "MaxResults": 1000}
    walk.refused("IllegalArgumentException", size, quotas.list_service_quotas, **most)
    token = "ListServiceQuotas: InvalidPaginationTokenException"
    wrong = {"ServiceCode": "vpc", "NextToken": "?"}
    walk.refused("InvalidPaginationTokenException", token, quotas.list_service_quotas, **wrong)
    assert len(walk.pages(quotas, "list_service_quotas", "Quotas", 5, ServiceCode="vpc")) > 10


def test_everything_is_found_by_its_tags(walk: Walk) -> None:
    stage, tagging = Stage(walk), walk.client("network", "resourcegroupstaggingapi")
    tags = [{"Key": "env", "Value": "test"}]
    walk.client("network").create_tags(Resources=[stage.vpc_id, *stage.subnets], Tags=tags)
    target_group = stage.target_group(Tags=tags)
    stage.target_group("other")
    by_tag = {"TagFilters": [{"Key": "env", "Values": ["test", "prod"]}]}
    found = {one["ResourceARN"] for one in tagging.get_resources(**by_tag)["ResourceTagMappingList"]}
    subnets = {f"arn:aws:ec2:us-east-1:{number('network')}:subnet/{one}" for one in stage.subnets}
    assert found == {f"arn:aws:ec2:us-east-1:{number('network')}:vpc/{stage.vpc_id}", target_group, *subnets}
    of_type = tagging.get_resources(**by_tag, ResourceTypeFilters=["elasticloadbalancing:targetgroup"])
    assert [one["ResourceARN"] for one in of_type["ResourceTagMappingList"]] == [target_group]
    assert "env" in tagging.get_tag_keys()["TagKeys"]
    assert set(tagging.get_tag_values(Key="env")["TagValues"]) == {"test"}
    assert len(walk.pages(tagging, "get_resources", "ResourceTagMappingList", 3, **by_tag)) == 4
    both = "GetResources: ResourceARNList cannot be combined with other filters"
    arns = {"ResourceARNList": [target_group], **by_tag}
    walk.refused("InvalidParameterException", both, tagging.get_resources, **arns)
    assert tagging.get_resources(TagFilters=[{"Key": "colour"}])["ResourceTagMappingList"] == []

"""IAM: managed policies in versions, simulation, and providers of web identities."""

import json
from typing import Any

from .walk import Walk, ids, number, only_sandbox


def _document(action: str = "s3:GetObject", resource: str = "*") -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_policy_has_up_to_five_versions(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    made = iam.create_policy(PolicyName="reads", PolicyDocument=_document(), Description="of reads")["Policy"]
    arn = {"PolicyArn": made["Arn"]}
    assert (made["Arn"], made["DefaultVersionId"]) == (f"arn:aws:iam::{number('network')}:policy/reads", "v1")
    again = {"PolicyName": "reads", "PolicyDocument": _document()}
    walk.refused("EntityAlreadyExists", "CreatePolicy: EntityAlreadyExists", iam.create_policy, **again)
    malformed = "CreatePolicy: MalformedPolicyDocument"
    broken = {"PolicyName": "broken", "PolicyDocument": "{"}
    walk.refused("MalformedPolicyDocument", malformed, iam.create_policy, **broken)
    for action in ["s3:PutObject", "s3:ListBucket", "s3:DeleteObject", "s3:*"]:
        iam.create_policy_version(**arn, PolicyDocument=_document(action), SetAsDefault=action == "s3:*")
    quota = "CreatePolicyVersion: a managed policy can have up to five versions"
    walk.refused("LimitExceeded", quota, iam.create_policy_version, **arn, PolicyDocument=_document())
    assert iam.get_policy(**arn)["Policy"]["DefaultVersionId"] == "v5"
    version = iam.get_policy_version(**arn, VersionId="v5")["PolicyVersion"]
    assert version["IsDefaultVersion"] and version["Document"]["Statement"][0]["Action"] == "s3:*"
    assert len(walk.pages(iam, "list_policy_versions", "Versions", 2, **arn)) == 5
    default = "DeletePolicyVersion: you cannot delete the default version"
    walk.refused("DeleteConflict", default, iam.delete_policy_version, **arn, VersionId="v5")
    iam.set_default_policy_version(**arn, VersionId="v2")
    for version_id in ["v1", "v3", "v4", "v5"]:
        iam.delete_policy_version(**arn, VersionId=version_id)
    missing = "GetPolicyVersion: NoSuchEntity"
    walk.refused("NoSuchEntity", missing, iam.get_policy_version, **arn, VersionId="v5")
    iam.tag_policy(**arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_policy(**arn, TagKeys=["a"])
    assert iam.list_policy_tags(**arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    iam.delete_policy(**arn)
    walk.refused("NoSuchEntity", "GetPolicy: NoSuchEntity", iam.get_policy, **arn)


def test_policies_are_listed_by_scope(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    for name in ["a", "b", "c"]:
        iam.create_policy(PolicyName=name, PolicyDocument=_document(), Path="/mine/")
    own = walk.pages(iam, "list_policies", "Policies", 2, Scope="Local", PathPrefix="/mine/")
    assert ids(own, "PolicyName") == ["a", "b", "c"]
    if walk.is_like_aws("policies of AWS"):
        of_aws = iam.list_policies(Scope="AWS")["Policies"]
        assert of_aws and all(policy["Arn"].startswith("arn:aws:iam::aws:policy/") for policy in of_aws)
        foreign = "Managed policies, IAM user guide: you cannot change the permissions in AWS managed policies"
        walk.refused("AccessDenied", foreign, iam.delete_policy, PolicyArn=of_aws[0]["Arn"])


@only_sandbox("moto simulates nothing")
def test_a_role_is_simulated(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    trust: dict[str, Any] = json.loads(_document("sts:AssumeRole"))
    trust["Statement"][0]["Principal"] = {"AWS": number("network")}
    del trust["Statement"][0]["Resource"]
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=_document("ec2:Describe*"))
    asked = {"PolicySourceArn": role, "ActionNames": ["ec2:DescribeVpcs", "ec2:DeleteVpc"]}
    results = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    decisions = {result["EvalActionName"]: result["EvalDecision"] for result in results}
    assert decisions == {"ec2:DescribeVpcs": "allowed", "ec2:DeleteVpc": "implicitDeny"}
    walk.refused(
        "InvalidInput",
        "SimulatePrincipalPolicy: errors",
        iam.simulate_principal_policy,
        **{**asked, "PolicySourceArn": role.replace(":role/", ":thing/")},
    )
    gone = {**asked, "PolicySourceArn": role + "x"}
    walk.refused("NoSuchEntity", "SimulatePrincipalPolicy: errors", iam.simulate_principal_policy, **gone)


def test_a_provider_is_made_changed_and_deleted(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    thumbprint = "0123456789abcdef0123456789abcdef01234567"
    wanted = {
        "Url": "https://oidc.example.com/id/A",
        "ClientIDList": ["sts.amazonaws.com"],
        "ThumbprintList": [thumbprint],
    }
    arn = {
        "OpenIDConnectProviderArn": iam.create_open_id_connect_provider(**wanted)["OpenIDConnectProviderArn"]
    }
    assert arn["OpenIDConnectProviderArn"].endswith(":oidc-provider/oidc.example.com/id/A")
    twice = "CreateOpenIDConnectProvider: EntityAlreadyExists"
    walk.refused("EntityAlreadyExists", twice, iam.create_open_id_connect_provider, **wanted)
    clients = wanted["ClientIDList"]
    if walk.is_like_aws("clients of providers"):
        iam.add_client_id_to_open_id_connect_provider(**arn, ClientID="other")
        iam.remove_client_id_from_open_id_connect_provider(**arn, ClientID="sts.amazonaws.com")
        clients = ["other"]
    other = thumbprint[::-1]
    iam.update_open_id_connect_provider_thumbprint(**arn, ThumbprintList=[other])
    seen = iam.get_open_id_connect_provider(**arn)
    # "The URL ... does not include https://" (GetOpenIDConnectProvider).
    assert (seen["Url"], seen["ClientIDList"], seen["ThumbprintList"]) == (
        "oidc.example.com/id/A",
        clients,
        [other],
    )
    iam.tag_open_id_connect_provider(**arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_open_id_connect_provider(**arn, TagKeys=["a"])
    assert iam.list_open_id_connect_provider_tags(**arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert ids(listed, "Arn") == [arn["OpenIDConnectProviderArn"]]
    https = "CreateOpenIDConnectProvider: the URL must begin with https://"
    plain = {"Url": "http://oidc.example.com", "ThumbprintList": [thumbprint]}
    walk.refused("InvalidInput", https, iam.create_open_id_connect_provider, **plain)
    iam.delete_open_id_connect_provider(**arn)
    walk.refused("NoSuchEntity", "GetOpenIDConnectProvider: errors", iam.get_open_id_connect_provider, **arn)

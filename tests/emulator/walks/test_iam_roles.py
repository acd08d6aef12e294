"""IAM: roles with their policies, instance profiles and service-linked roles."""

import json

from .walk import Walk, ids, number, only_sandbox

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
_POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
_READ_ONLY = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"


def _role(walk: Walk, name: str = "node", path: str = "/") -> str:
    iam = walk.client("network", "iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST), Path=path)["Role"]
    assert made["Arn"] == f"arn:aws:iam::{number('network')}:role{path}{name}"
    return str(made["Arn"])


def _policy(walk: Walk, name: str = "reads") -> str:
    iam = walk.client("network", "iam")
    return str(iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(_POLICY))["Policy"]["Arn"])


def test_a_role_is_made_changed_and_deleted(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    _role(walk)
    named = {"RoleName": "node"}
    twice = "CreateRole: EntityAlreadyExists"
    again = {**named, "AssumeRolePolicyDocument": json.dumps(_TRUST)}
    walk.refused("EntityAlreadyExists", twice, iam.create_role, **again)
    iam.update_role(**named, Description="of nodes", MaxSessionDuration=7200)
    trust = json.loads(json.dumps(_TRUST).replace("ec2.", "eks."))
    iam.update_assume_role_policy(**named, PolicyDocument=json.dumps(trust))
    role = iam.get_role(**named)["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("of nodes", 7200)
    assert role["AssumeRolePolicyDocument"] == trust, "URL-encoded in the answer (GetRole)"
    assert iam.update_role_description(**named, Description="x")["Role"]["Description"] == "x"
    iam.get_waiter("role_exists").wait(**named)
    malformed = "CreateRole: MalformedPolicyDocument"
    wrong = {"RoleName": "other", "AssumeRolePolicyDocument": "{"}
    walk.refused("MalformedPolicyDocument", malformed, iam.create_role, **wrong)
    iam.tag_role(**named, Tags=[{"Key": "env", "Value": "test"}, {"Key": "team", "Value": "web"}])
    iam.untag_role(**named, TagKeys=["env"])
    assert iam.list_role_tags(**named)["Tags"] == [{"Key": "team", "Value": "web"}]
    iam.delete_role(**named)
    walk.refused("NoSuchEntity", "DeleteRole: NoSuchEntity", iam.delete_role, **named)
    walk.refused("NoSuchEntity", "GetRole: NoSuchEntity", iam.get_role, **named)


def test_policies_are_attached_and_written_into_a_role(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    _role(walk)
    named, arn = {"RoleName": "node"}, _policy(walk)
    iam.attach_role_policy(**named, PolicyArn=arn)
    attached = [arn]
    if walk.is_like_aws("policies of AWS"):
        iam.attach_role_policy(**named, PolicyArn=_READ_ONLY)
        attached.append(_READ_ONLY)
    assert ids(iam.list_attached_role_policies(**named)["AttachedPolicies"], "PolicyArn") == sorted(attached)
    iam.put_role_policy(**named, PolicyName="inline", PolicyDocument=json.dumps(_POLICY))
    assert iam.get_role_policy(**named, PolicyName="inline")["PolicyDocument"] == _POLICY
    assert iam.list_role_policies(**named)["PolicyNames"] == ["inline"]
    entities = iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]
    assert ids(entities, "RoleName") == ["node"]
    holds = "DeleteRole, DeletePolicy: DeleteConflict, attempted to delete a resource that has attached subordinates"
    walk.refused("DeleteConflict", holds, iam.delete_role, **named)
    walk.refused("DeleteConflict", holds, iam.delete_policy, PolicyArn=arn)
    missing = "AttachRolePolicy: NoSuchEntity"
    walk.refused("NoSuchEntity", missing, iam.attach_role_policy, **named, PolicyArn=arn + "x")
    malformed = "PutRolePolicy: MalformedPolicyDocument"
    broken = {**named, "PolicyName": "broken", "PolicyDocument": "{"}
    walk.refused("MalformedPolicyDocument", malformed, iam.put_role_policy, **broken)
    iam.put_role_permissions_boundary(**named, PermissionsBoundary=arn)
    assert iam.get_role(**named)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    iam.delete_role_permissions_boundary(**named)
    iam.detach_role_policy(**named, PolicyArn=arn)
    walk.refused(
        "NoSuchEntity", "DetachRolePolicy: NoSuchEntity", iam.detach_role_policy, **named, PolicyArn=arn
    )
    for one in attached[1:]:
        iam.detach_role_policy(**named, PolicyArn=one)
    iam.delete_role_policy(**named, PolicyName="inline")
    gone = {**named, "PolicyName": "inline"}
    walk.refused("NoSuchEntity", "GetRolePolicy: NoSuchEntity", iam.get_role_policy, **gone)
    iam.delete_policy(PolicyArn=arn)
    iam.delete_role(**named)


def test_roles_are_listed_by_path_and_in_pages(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    for number_ in range(5):
        _role(walk, f"r{number_}", "/mine/")
    roles = walk.pages(iam, "list_roles", "Roles", 2, PathPrefix="/mine/")
    assert ids(roles, "RoleName") == [f"r{number_}" for number_ in range(5)]
    listed = walk.pages(iam, "get_account_authorization_details", "RoleDetailList", 2, Filter=["Role"])
    details = {role["RoleName"]: role for role in listed}
    assert {f"r{number_}" for number_ in range(5)} <= set(details)
    # What it is for and how long its sessions may be is not in the listing.
    assert details["r0"]["Path"] == "/mine/" and not {"Description", "MaxSessionDuration"} & set(details["r0"])
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Roles"] >= 5
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_an_instance_profile_holds_a_role(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    _role(walk)
    profile = {"InstanceProfileName": "node"}
    made = iam.create_instance_profile(**profile)["InstanceProfile"]
    assert (made["Roles"], made["Arn"]) == ([], f"arn:aws:iam::{number('network')}:instance-profile/node")
    walk.refused("EntityAlreadyExists", "CreateInstanceProfile: errors", iam.create_instance_profile, **profile)
    iam.add_role_to_instance_profile(**profile, RoleName="node")
    _role(walk, "other")
    one = "AddRoleToInstanceProfile: an instance profile can contain only one role"
    walk.refused("LimitExceeded", one, iam.add_role_to_instance_profile, **profile, RoleName="other")
    found = iam.list_instance_profiles_for_role(RoleName="node")["InstanceProfiles"]
    assert ids(found, "InstanceProfileName") == ["node"]
    assert iam.get_instance_profile(**profile)["InstanceProfile"]["Roles"][0]["RoleName"] == "node"
    holds = "DeleteInstanceProfile, DeleteRole: the role has to be removed from the profile first"
    walk.refused("DeleteConflict", holds, iam.delete_instance_profile, **profile)
    walk.refused("DeleteConflict", holds, iam.delete_role, RoleName="node")
    iam.tag_instance_profile(**profile, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_instance_profile(**profile, TagKeys=["a"])
    if walk.is_like_aws("tags of instance profiles"):
        assert iam.list_instance_profile_tags(**profile)["Tags"] == [{"Key": "b", "Value": "2"}]
    iam.remove_role_from_instance_profile(**profile, RoleName="node")
    iam.create_instance_profile(InstanceProfileName="second")
    profiles = walk.pages(iam, "list_instance_profiles", "InstanceProfiles", 1)
    assert ids(profiles, "InstanceProfileName") == ["node", "second"]
    iam.delete_instance_profile(**profile)
    walk.refused("NoSuchEntity", "GetInstanceProfile: NoSuchEntity", iam.get_instance_profile, **profile)


@only_sandbox("moto has no quotas, and service-linked roles like all others")
def test_roles_of_services_and_quotas(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    made = iam.create_service_linked_role(AWSServiceName="eks.amazonaws.com")["Role"]
    assert made["Path"] == "/aws-service-role/eks.amazonaws.com/"
    named = {"RoleName": made["RoleName"]}
    again = "CreateServiceLinkedRole: InvalidInput, the role has been taken in this account"
    walk.refused("InvalidInput", again, iam.create_service_linked_role, AWSServiceName="eks.amazonaws.com")
    protected = "DeleteRole: UnmodifiableEntity, service-linked roles"
    walk.refused("UnmodifiableEntity", protected, iam.delete_role, **named)
    task = {"DeletionTaskId": iam.delete_service_linked_role(**named)["DeletionTaskId"]}
    assert iam.get_service_linked_role_deletion_status(**task)["Status"] in {"NOT_STARTED", "IN_PROGRESS"}
    walk.pass_time(60)
    assert iam.get_service_linked_role_deletion_status(**task)["Status"] == "SUCCEEDED"
    _role(walk)
    for number_ in range(10):
        iam.attach_role_policy(RoleName="node", PolicyArn=_policy(walk, f"p{number_}"))
    quota = "IAM and STS quotas: managed policies per role, 10"
    eleventh = {"RoleName": "node", "PolicyArn": _policy(walk, "p10")}
    walk.refused("LimitExceeded", quota, iam.attach_role_policy, **eleventh)
    attached = walk.pages(iam, "list_attached_role_policies", "AttachedPolicies", 4, RoleName="node")
    assert len(attached) == 10

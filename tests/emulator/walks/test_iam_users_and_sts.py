"""IAM's users and keys, and what STS tells and gives."""

import json
from typing import Any

from .walk import Walk, ids, number, only_sandbox

_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def _trust(principal: Any, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_user_is_made_keyed_and_deleted(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    named = {"UserName": "somebody"}
    user = iam.create_user(**named)["User"]
    walk.refused("EntityAlreadyExists", "CreateUser: EntityAlreadyExists", iam.create_user, **named)
    key = iam.create_access_key(**named)["AccessKey"]
    second = iam.create_access_key(**named)["AccessKey"]
    quota = "IAM and STS quotas: access keys assigned to an IAM user, 2"
    walk.refused("LimitExceeded", quota, iam.create_access_key, **named)
    identity = walk.client_with("sts", key).get_caller_identity()
    assert (identity["Arn"], identity["UserId"]) == (user["Arn"], user["UserId"])
    assert walk.client("home", "sts").get_access_key_info(AccessKeyId=key["AccessKeyId"])["Account"] == number(
        "network"
    )
    iam.update_access_key(**named, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    if walk.is_like_aws("credentials"):
        inactive = "Common errors of STS: InvalidClientTokenId"
        walk.refused("InvalidClientTokenId", inactive, walk.client_with("sts", key).get_caller_identity)
    assert {one["Status"] for one in iam.list_access_keys(**named)["AccessKeyMetadata"]} == {
        "Active",
        "Inactive",
    }
    keys = "DeleteUser: delete the items attached to the user first; DeleteConflict"
    walk.refused("DeleteConflict", keys, iam.delete_user, **named)
    for one in [key, second]:
        iam.delete_access_key(**named, AccessKeyId=one["AccessKeyId"])
    assert iam.get_user(**named)["User"]["UserId"] == user["UserId"]
    iam.delete_user(**named)
    walk.refused("NoSuchEntity", "GetUser: NoSuchEntity", iam.get_user, **named)


def test_a_user_has_policies_tags_and_a_boundary(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    named, document = {"UserName": "somebody"}, json.dumps(_EVERYTHING)
    iam.create_user(**named, Path="/mine/")
    arn = iam.create_policy(PolicyName="all", PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_user_policy(**named, PolicyArn=arn)
    iam.put_user_policy(**named, PolicyName="inline", PolicyDocument=document)
    assert iam.get_user_policy(**named, PolicyName="inline")["PolicyDocument"] == _EVERYTHING
    assert iam.list_user_policies(**named)["PolicyNames"] == ["inline"]
    assert ids(iam.list_attached_user_policies(**named)["AttachedPolicies"], "PolicyArn") == [arn]
    if walk.is_like_aws("boundaries of users"):
        iam.put_user_permissions_boundary(**named, PermissionsBoundary=arn)
        assert iam.get_user(**named)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
        iam.delete_user_permissions_boundary(**named)
    attached = "DeleteUser: delete the items attached to the user first; DeleteConflict"
    walk.refused("DeleteConflict", attached, iam.delete_user, **named)
    iam.detach_user_policy(**named, PolicyArn=arn)
    iam.delete_user_policy(**named, PolicyName="inline")
    iam.tag_user(**named, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_user(**named, TagKeys=["a"])
    assert iam.list_user_tags(**named)["Tags"] == [{"Key": "b", "Value": "2"}]
    iam.create_user(UserName="other", Path="/mine/")
    assert len(walk.pages(iam, "list_users", "Users", 1, PathPrefix="/mine/")) == 2
    iam.delete_user(**named)


def test_everybody_knows_who_they_are(walk: Walk) -> None:
    for account in ["network", "apps", "home"]:
        assert walk.client(account, "sts").get_caller_identity()["Account"] == number(account)
    # "arn:aws:sts::account:assumed-role/role-name/role-session-name" (GetCallerIdentity).
    arn = walk.client("apps", "sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{number('apps')}:assumed-role/Deployer/harness"


@only_sandbox("moto gives everybody every role")
def test_trust_decides_who_assumes_a_role(walk: Walk) -> None:
    iam, sts = walk.client("network", "iam"), walk.client("home", "sts")
    condition = {"StringEquals": {"sts:ExternalId": "secret"}}
    arn = iam.create_role(
        RoleName="r",
        AssumeRolePolicyDocument=_trust({"AWS": f"arn:aws:iam::{number('home')}:root"}, **condition),
    )["Role"]["Arn"]
    walk.pass_time(60)
    wanted = {"RoleArn": arn, "RoleSessionName": "me"}
    external = "How to use an external ID, IAM user guide: without it, AccessDenied"
    walk.refused("AccessDenied", external, sts.assume_role, **wanted)
    principal = "AssumeRole: the role's trust policy names who may assume it"
    other = walk.client("apps", "sts").assume_role
    walk.refused("AccessDenied", principal, other, **wanted, ExternalId="secret")
    answer = sts.assume_role(**wanted, ExternalId="secret", DurationSeconds=900)
    session = walk.client_with("sts", answer["Credentials"])
    assert session.get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]
    walk.refused(
        "AccessDenied", "AssumeRole: there is no such role", sts.assume_role, **{**wanted, "RoleArn": arn + "x"}
    )
    duration = "AssumeRole: DurationSeconds up to the maximum session duration set for the role"
    walk.refused(
        "ValidationError", duration, sts.assume_role, **wanted, ExternalId="secret", DurationSeconds=7200
    )
    packed = {**wanted, "ExternalId": "secret", "Policy": "{"}
    walk.refused("MalformedPolicyDocument", "AssumeRole: MalformedPolicyDocument", sts.assume_role, **packed)
    walk.pass_time(901)
    ended = "AssumeRole: credentials last for DurationSeconds; ExpiredToken (common errors)"
    walk.refused("ExpiredToken", ended, session.get_caller_identity)


@only_sandbox("moto checks no signature")
def test_wrong_credentials_are_refused(walk: Walk) -> None:
    iam = walk.client("network", "iam")
    iam.create_user(UserName="somebody")
    key = iam.create_access_key(UserName="somebody")["AccessKey"]
    wrong = {**key, "SecretAccessKey": "wrong"}
    signature = "Common errors: the request signature we calculated does not match the one you provided"
    walk.refused("SignatureDoesNotMatch", signature, walk.client_with("sts", wrong).get_caller_identity)
    walk.refused(
        "AuthFailure",
        "error codes of EC2: AuthFailure",
        walk.client_with("ec2", {**key, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}).describe_vpcs,
    )
    unknown = walk.client_with("sts", {**key, "AccessKeyId": "AKIAIOSFODNN7EXAMPLE"})
    walk.refused("InvalidClientTokenId", "Common errors: InvalidClientTokenId", unknown.get_caller_identity)
    message = "DecodeAuthorizationMessage: InvalidAuthorizationMessageException"
    decode = walk.client("network", "sts").decode_authorization_message
    walk.refused("InvalidAuthorizationMessageException", message, decode, EncodedMessage="x")
    token = {
        "RoleArn": f"arn:aws:iam::{number('network')}:role/r",
        "RoleSessionName": "me",
        "WebIdentityToken": "none",
    }
    identity = "AssumeRoleWithWebIdentity: InvalidIdentityToken"
    walk.refused(
        "InvalidIdentityToken", identity, walk.client("home", "sts").assume_role_with_web_identity, **token
    )

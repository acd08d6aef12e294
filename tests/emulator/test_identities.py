"""Every kind of IAM: made, changed in place or replaced, repaired after others have changed it, and
deleted."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from . import accounts
from .identities import BIRTHS, DEATHS, ISSUER, LIMITS, POLICY, PROVIDER, SPEC, Identities
from .proxy import Proxy
from .straddle import Straddle
from .world import World


@pytest.fixture
def identities(straddle: Straddle, world: World, proxy: Proxy) -> Identities:
    """The spec in an empty world; nothing is applied."""
    return Identities(straddle, world, proxy)


def statements(document: Any) -> list[dict[str, Any]]:
    """Returns the statements of a policy."""
    return list(document["Statement"])


def trust(identities: Identities, role: str) -> list[dict[str, Any]]:
    """Returns who may assume a role of account A."""
    return statements(identities.iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])


def test_identities_live_and_die(identities: Identities) -> None:
    assert dict(identities.apply().calls) == BIRTHS
    identities.assert_converged()
    (controller,) = trust(identities, "controller")
    assert controller["Principal"] == {"Federated": PROVIDER}
    assert controller["Condition"]["StringEquals"] == {
        f"{ISSUER}:aud": "sts.amazonaws.com",
        f"{ISSUER}:sub": ["system:serviceaccount:kube-system:controller"],
    }
    assume, tag = trust(identities, "target")
    pods = f"arn:aws:iam::{accounts.APPS}:role/pods"
    assert assume["Principal"] == tag["Principal"] == {"AWS": pods}
    assert assume["Condition"] == {"StringEquals": {"sts:ExternalId": "shop-1"}}
    assert dict(identities.destroy().calls) == DEATHS
    identities.assert_gone()
    linked = identities.iam.list_roles(PathPrefix="/aws-service-role/elasticloadbalancing.amazonaws.com/")
    assert len(linked["Roles"]) == 1, "others may rely on it"


def test_a_linked_role_that_is_there_is_taken_as_it_is(identities: Identities) -> None:
    identities.iam.create_service_linked_role(AWSServiceName="elasticloadbalancing.amazonaws.com")
    identities.apply()
    identities.assert_converged()


# moto has no AddClientIDToOpenIDConnectProvider.
AUDIENCES = pytest.mark.only_on("sandbox", "moto adds no audiences")

Change = tuple[str, str, set[str]]

# What stands in the spec, what is written instead, and what is called for it.
IN_PLACE: list[Any] = [
    ('"Pods of the controller"', '"All pods"', {"UpdateRole"}),
    ("max_session_duration = 7200", "", {"UpdateRole"}),
    ('"kube-system/controller"', '"kube-system/other"', {"UpdateAssumeRolePolicy"}),
    ('"ec2.amazonaws.com"', '["ec2.amazonaws.com", "ssm.amazonaws.com"]', {"UpdateAssumeRolePolicy"}),
    ('"shop-1"', '"shop-2"', {"UpdateAssumeRolePolicy"}),
    ('permissions_boundary = "${iam_policy.limits.arn}"', "", {"DeleteRolePermissionsBoundary"}),
    ('= "${iam_policy.limits.arn}"', '= "${iam_policy.controller.arn}"', {"PutRolePermissionsBoundary"}),
    ('["${iam_policy.controller.arn}"]', "[]", {"DetachRolePolicy"}),
    ('["${iam_policy.controller.arn}"]', '["${iam_policy.limits.arn}"]', {"AttachRolePolicy", "DetachRolePolicy"}),
    ('"s3:GetObject"', '["s3:GetObject", "s3:ListBucket"]', {"PutRolePolicy"}),
    ("write = {", "more = {", {"PutRolePolicy", "DeleteRolePolicy"}),
    ('"ec2:Describe*"', '"ec2:*"', {"CreatePolicyVersion", "SetDefaultPolicyVersion"}),
    pytest.param(
        f'url = "{ISSUER}"',
        f'url = "https://{ISSUER}"\naudiences = ["other"]',
        {"AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider"},
        marks=AUDIENCES,
    ),
    (
        f'url = "{ISSUER}"',
        f'url = "{ISSUER}"\nthumbprints = ["{"ab" * 20}"]',
        {"UpdateOpenIDConnectProviderThumbprint"},
    ),
    ('"${iam_role.nodes.id}"', '""', {"RemoveRoleFromInstanceProfile"}),
    (
        '"${iam_role.nodes.id}"',
        '"${iam_role.target.id}"',
        {"AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"},
    ),
    ('"platform"', '"shop"', {"TagInstanceProfile", "TagOpenIDConnectProvider", "TagPolicy", "TagRole"}),
    (
        '{ team = "platform" }',
        "{}",
        {"UntagInstanceProfile", "UntagOpenIDConnectProvider", "UntagPolicy", "UntagRole"},
    ),
]


@pytest.mark.parametrize(("before", "after", "calls"), IN_PLACE)
def test_what_iam_can_change_is_changed(identities: Identities, before: str, after: str, calls: set[str]) -> None:
    identities.apply()
    identities.change(before, after)
    changed = identities.apply()
    assert set(changed.calls) == calls, changed
    assert identities.run("plan", "--detailed-exitcode").mutations == []
    identities.destroy()
    identities.assert_gone()


# What is called for it is among these.
REPLACED: list[Change] = [
    ('"What the controller may do"', '"All of it"', {"CreatePolicy", "DeletePolicy"}),
    ('name        = "controller"', 'name = "other"', {"CreatePolicy", "DeletePolicy"}),
    ('name  = "nodes"', 'name = "workers"', {"CreateRole", "DeleteRole"}),
    ('name    = "pods"', 'name = "pods"\npath = "/shop/"', {"CreateRole", "DeleteRole"}),
    ('name = "target"', 'name = "aim"', {"CreateRole", "DeleteRole", "UpdateAssumeRolePolicy"}),
    (f'url = "{ISSUER}"', 'url = "oidc.example/id/2"', {"CreateOpenIDConnectProvider", "UpdateAssumeRolePolicy"}),
    ('name = "nodes"\nrole', 'name = "machines"\nrole', {"CreateInstanceProfile", "DeleteInstanceProfile"}),
]


@pytest.mark.parametrize(("before", "after", "calls"), REPLACED)
def test_what_iam_cannot_change_is_replaced(
    identities: Identities, before: str, after: str, calls: set[str]
) -> None:
    identities.apply()
    identities.change(before, after)
    changed = identities.apply()
    assert calls <= set(changed.calls), changed
    assert identities.run("plan", "--detailed-exitcode").mutations == []
    identities.destroy()
    identities.assert_gone()


def test_the_oldest_of_five_versions_makes_room(identities: Identities) -> None:
    identities.apply()
    for number in range(1, 5):
        document = OTHERS.replace("s3:*", f"ec2:Describe{number}")
        identities.iam.create_policy_version(PolicyArn=POLICY, PolicyDocument=document)
    identities.assert_converged()
    identities.change('"ec2:Describe*"', '"ec2:Get*"')
    calls = identities.apply().calls
    assert calls == {"DeletePolicyVersion": 1, "CreatePolicyVersion": 1, "SetDefaultPolicyVersion": 1}
    versions = identities.iam.list_policy_versions(PolicyArn=POLICY)["Versions"]
    assert {version["VersionId"] for version in versions} == {"v1", "v3", "v4", "v5", "v6"}


OTHERS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
)
OTHERS_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)

# Who has changed what, and what is shown of it.
DRIFTS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "trust": (
        lambda iam: iam.update_assume_role_policy(RoleName="nodes", PolicyDocument=OTHERS_TRUST),
        r"iam_role.nodes .*lambda.amazonaws.com",
    ),
    "late trust": (
        lambda iam: iam.update_assume_role_policy(RoleName="target", PolicyDocument=OTHERS_TRUST),
        r"iam_role_trust.target .*lambda.amazonaws.com",
    ),
    "description": (
        lambda iam: iam.update_role(RoleName="controller", Description="theirs", MaxSessionDuration=7200),
        r"iam_role.controller .*theirs",
    ),
    "sessions": (
        lambda iam: iam.update_role(
            RoleName="controller", Description="Pods of the controller", MaxSessionDuration=3600
        ),
        r"iam_role.controller .*7200 -> 3600",
    ),
    "boundary": (
        lambda iam: iam.delete_role_permissions_boundary(RoleName="controller"),
        r"iam_role.controller .*permissions_boundary",
    ),
    "tag": (
        lambda iam: iam.tag_role(RoleName="nodes", Tags=[{"Key": "team", "Value": "theirs"}]),
        r"iam_role.nodes .*theirs",
    ),
    "foreign policy": (
        lambda iam: iam.attach_role_policy(RoleName="nodes", PolicyArn=POLICY),
        r"iam_role.nodes .*foreign_policies .*policy/controller",
    ),
    "foreign inline policy": (
        lambda iam: iam.put_role_policy(RoleName="nodes", PolicyName="theirs", PolicyDocument=OTHERS),
        r'iam_role.nodes .*foreign_policies .*"theirs"',
    ),
    "detached": (
        lambda iam: iam.detach_role_policy(RoleName="controller", PolicyArn=POLICY),
        r"iam_role.controller/policy\S* .*is gone",
    ),
    "inline": (
        lambda iam: iam.put_role_policy(RoleName="controller", PolicyName="read", PolicyDocument=OTHERS),
        r"iam_role.controller/inline_policy\['read'\] .*s3:\*",
    ),
    "inline gone": (
        lambda iam: iam.delete_role_policy(RoleName="controller", PolicyName="read"),
        r"iam_role.controller/inline_policy\['read'\] .*is gone",
    ),
    "version": (
        lambda iam: iam.create_policy_version(PolicyArn=POLICY, PolicyDocument=OTHERS, SetAsDefault=True),
        r"iam_policy.controller .*s3:\*",
    ),
    "policy tag": (
        lambda iam: iam.untag_policy(PolicyArn=LIMITS, TagKeys=["team"]),
        r"iam_policy.limits .*team",
    ),
    "audience": (
        lambda iam: iam.add_client_id_to_open_id_connect_provider(
            OpenIDConnectProviderArn=PROVIDER, ClientID="theirs"
        ),
        r"iam_openid_connect_provider.cluster .*theirs",
    ),
    "provider gone": (
        lambda iam: iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER),
        r"iam_openid_connect_provider.cluster .*is gone",
    ),
    "profile": (
        lambda iam: iam.remove_role_from_instance_profile(InstanceProfileName="nodes", RoleName="nodes"),
        r"iam_instance_profile.nodes .*role",
    ),
}


@pytest.mark.parametrize(
    "what", [pytest.param(what, marks=AUDIENCES) if what == "audience" else what for what in DRIFTS]
)
def test_what_others_change_is_shown_and_repaired(identities: Identities, what: str) -> None:
    meddle, shown = DRIFTS[what]
    identities.apply()
    meddle(identities.iam)
    plan = identities.run("plan", "--detailed-exitcode", code=2)
    section = plan.stdout.partition("Changed outside of straddle")[2].partition("Changes of the stack")[0]
    assert re.search(shown, " ".join(section.split())), plan
    identities.apply()
    identities.assert_converged()


def test_a_role_that_vanished_comes_back_with_its_policies(identities: Identities) -> None:
    identities.apply()
    identities.iam.detach_role_policy(RoleName="controller", PolicyArn=POLICY)
    for name in ("read", "write"):
        identities.iam.delete_role_policy(RoleName="controller", PolicyName=name)
    identities.iam.delete_role(RoleName="controller")
    identities.run("apply", "--auto-approve", "--allow-missing")
    identities.assert_converged()


def test_thumbprints_that_nobody_set_are_nobodys_change(identities: Identities) -> None:
    identities.apply()
    identities.iam.update_open_id_connect_provider_thumbprint(
        OpenIDConnectProviderArn=PROVIDER, ThumbprintList=["cd" * 20]
    )
    identities.assert_converged()


def test_policies_that_are_left_alone_stay_until_their_role_goes(identities: Identities) -> None:
    identities.change('name  = "nodes"', 'name = "nodes"\nignore_changes = ["foreign_policies"]')
    identities.apply()
    theirs = identities.iam.create_policy(PolicyName="theirs", PolicyDocument=OTHERS)["Policy"]["Arn"]
    identities.iam.attach_role_policy(RoleName="nodes", PolicyArn=theirs)
    identities.iam.put_role_policy(RoleName="nodes", PolicyName="theirs", PolicyDocument=OTHERS)
    identities.iam.create_instance_profile(InstanceProfileName="theirs")
    identities.iam.remove_role_from_instance_profile(InstanceProfileName="nodes", RoleName="nodes")
    identities.iam.add_role_to_instance_profile(InstanceProfileName="theirs", RoleName="nodes")
    identities.apply()
    calls = identities.destroy().calls
    assert calls["DetachRolePolicy"] == DEATHS["DetachRolePolicy"] + 1
    assert calls["DeleteRolePolicy"] == DEATHS["DeleteRolePolicy"] + 1
    assert calls["RemoveRoleFromInstanceProfile"] == DEATHS["RemoveRoleFromInstanceProfile"] + 1
    assert identities.things() == {("network", "profile", "theirs"), ("network", "policy", theirs)}


TAKEN: dict[str, tuple[Callable[[Any], Any], str]] = {
    "role": (lambda iam: iam.create_role(RoleName="nodes", AssumeRolePolicyDocument=OTHERS_TRUST), "nodes"),
    "policy": (lambda iam: iam.create_policy(PolicyName="limits", PolicyDocument=OTHERS), "limits"),
    "profile": (lambda iam: iam.create_instance_profile(InstanceProfileName="nodes"), "nodes"),
    "provider": (lambda iam: iam.create_open_id_connect_provider(Url=f"https://{ISSUER}"), PROVIDER),
}


@pytest.mark.parametrize("what", TAKEN)
def test_what_has_the_name_already_is_not_taken_over(identities: Identities, what: str) -> None:
    take, named = TAKEN[what]
    take(identities.iam)
    failed = identities.apply(code=3)
    assert named in failed.words and "straddle import" in failed.words, failed
    identities.destroy()
    (left,) = identities.things()
    assert left[1] == what, left


@pytest.mark.only_on("sandbox", "moto deletes a policy that is attached")
def test_who_still_has_a_policy_is_named_and_keeps_it(identities: Identities) -> None:
    identities.change('name     = "limits"', 'name = "limits"\ntimeouts = { delete = "2s" }')
    identities.apply()
    identities.iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=OTHERS_TRUST)
    identities.iam.attach_role_policy(RoleName="theirs", PolicyArn=LIMITS)
    failed = identities.destroy(code=3)
    assert "the role theirs" in failed.words, failed
    attached = identities.iam.list_attached_role_policies(RoleName="theirs")["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [LIMITS]


def test_a_short_form_that_turns_out_wrong_says_what_to_write(identities: Identities) -> None:
    # An id of a role is its name, which is known only once there is one.
    identities.change('"${iam_role.pods.arn}"', '"${iam_role.pods.id}"')
    failed = identities.apply(code=3)
    assert "`trust` is wrong: `role` takes the ARN of a role." in failed.words
    assert "${iam_role.NAME.arn}" in failed.words
    identities.write(SPEC)
    identities.apply()
    identities.assert_converged()

"""RAM: shares, who and what is in them, and invitations."""

from typing import Any

from .network import enable_sharing, subnet, vpc
from .walk import Walk, ids, number, only_sandbox

pytestmark = only_sandbox("moto has shares and nothing around them (see the list in tests/README.md)")

_OWNER = {"resourceOwner": "SELF"}


def _forbid_sharing(walk: Walk) -> None:
    """Takes away the trust in RAM with which the sandbox's organization begins."""
    walk.client("home", "organizations").disable_aws_service_access(ServicePrincipal="ram.amazonaws.com")


def _share(walk: Walk, name: str = "mine", **more: Any) -> str:
    ram = walk.client("network", "ram")
    made = ram.create_resource_share(name=name, **more)["resourceShare"]
    assert (made["name"], made["status"], made["owningAccountId"]) == (name, "ACTIVE", number("network"))
    return str(made["resourceShareArn"])


def _associations(walk: Walk, kind: str, share: str) -> dict[str, str]:
    ram = walk.client("network", "ram")
    found = ram.get_resource_share_associations(associationType=kind, resourceShareArns=[share])
    return {one["associatedEntity"]: one["status"] for one in found["resourceShareAssociations"]}


def test_only_the_management_account_lets_accounts_share(walk: Walk) -> None:
    _forbid_sharing(walk)
    manager = "EnableSharingWithAwsOrganization: from the organization's management account"
    enable = walk.client("network", "ram").enable_sharing_with_aws_organization
    walk.refused("OperationNotPermittedException", manager, enable)
    wanted = {"name": "s", "principals": [number("apps")]}
    arn = subnet(walk, vpc(walk))["SubnetArn"]
    closed = "Shareable AWS resources: subnets can be shared only inside of an organization that allows it"
    create = walk.client("network", "ram").create_resource_share
    walk.refused("OperationNotPermittedException", closed, create, **wanted, resourceArns=[arn])
    assert walk.client("home", "ram").enable_sharing_with_aws_organization()["returnValue"]
    walk.pass_time(60)
    create(**wanted, resourceArns=[arn])
    # "RAM creates a service-linked role called AWSServiceRoleForResourceAccessManager".
    walk.client("home", "iam").get_role(RoleName="AWSServiceRoleForResourceAccessManager")


def test_members_come_and_go(walk: Walk) -> None:
    enable_sharing(walk)
    ram, vpc_id = walk.client("network", "ram"), vpc(walk)
    first, second = subnet(walk, vpc_id)["SubnetArn"], subnet(walk, vpc_id, "10.0.2.0/24")["SubnetArn"]
    share = _share(walk, resourceArns=[first], principals=[number("apps")], allowExternalPrincipals=False)
    assert _associations(walk, "RESOURCE", share) == {first: "ASSOCIATING"}
    walk.pass_time(60)
    assert _associations(walk, "PRINCIPAL", share) == {number("apps"): "ASSOCIATED"}
    ram.associate_resource_share(resourceShareArn=share, resourceArns=[second])
    walk.pass_time(60)
    listed = ram.list_resources(**_OWNER, resourceShareArns=[share])["resources"]
    assert ids(listed, "arn") == sorted([first, second]) and {one["type"] for one in listed} == {"ec2:Subnet"}
    assert ids(ram.list_principals(**_OWNER, resourceShareArns=[share])["principals"], "id") == [number("apps")]
    other = walk.client("apps", "ram")
    seen = other.list_resources(resourceOwner="OTHER-ACCOUNTS")["resources"]
    assert ids(seen, "arn") == sorted([first, second])
    [principal] = other.list_principals(resourceOwner="OTHER-ACCOUNTS")["principals"]
    assert principal["id"] == number("network")
    ram.disassociate_resource_share(resourceShareArn=share, resourceArns=[second])
    walk.pass_time(60)
    assert _associations(walk, "RESOURCE", share)[second] == "DISASSOCIATED"
    assert ids(walk.client("apps").describe_subnets()["Subnets"], "SubnetArn") == [first]


def test_a_share_is_changed_tagged_and_deleted(walk: Walk) -> None:
    ram = walk.client("network", "ram")
    share = _share(walk, tags=[{"key": "env", "value": "test"}], clientToken="one")
    assert (
        ram.create_resource_share(name="mine", tags=[{"key": "env", "value": "test"}], clientToken="one")[
            "resourceShare"
        ]["resourceShareArn"]
        == share
    )
    token = "CreateResourceShare: the same token with other parameters gives IdempotentParameterMismatch"
    again = {"name": "other", "clientToken": "one"}
    walk.refused("IdempotentParameterMismatchException", token, ram.create_resource_share, **again)
    ram.tag_resource(resourceShareArn=share, tags=[{"key": "team", "value": "web"}])
    ram.untag_resource(resourceShareArn=share, tagKeys=["env"])
    chosen = {"tagFilters": [{"tagKey": "team", "tagValues": ["web"]}]}
    [seen] = ram.get_resource_shares(**_OWNER, **chosen)["resourceShares"]
    assert seen["tags"] == [{"key": "team", "value": "web"}]
    ram.update_resource_share(resourceShareArn=share, name="renamed")
    [seen] = ram.get_resource_shares(**_OWNER, name="renamed")["resourceShares"]
    assert seen["resourceShareArn"] == share
    assert ram.delete_resource_share(resourceShareArn=share)["returnValue"]
    walk.pass_time(60)
    # "Deleted shares remain visible for about two hours" (Deleting a resource share, RAM user guide).
    [seen] = ram.get_resource_shares(**_OWNER, resourceShareArns=[share])["resourceShares"]
    assert seen["status"] == "DELETED"
    state = "UpdateResourceShare: InvalidStateTransitionException, the resource share is being or was deleted"
    walk.refused("InvalidStateTransitionException", state, ram.delete_resource_share, resourceShareArn=share)
    walk.pass_time(3 * 60 * 60)
    gone = "GetResourceShares: UnknownResourceException"
    walk.refused("UnknownResourceException", gone, ram.get_resource_shares, **_OWNER, resourceShareArns=[share])


def test_who_is_outside_is_invited(walk: Walk) -> None:
    # Nobody is external who is in an organization that shares; before, all are.
    _forbid_sharing(walk)
    ram, other = walk.client("network", "ram"), walk.client("apps", "ram")
    share = _share(walk, principals=[number("apps")])
    refused = _share(walk, "second", principals=[number("apps")])
    pending = {
        one["resourceShareArn"]: one
        for one in other.get_resource_share_invitations()["resourceShareInvitations"]
    }
    assert {one["status"] for one in pending.values()} == {"PENDING"} and set(pending) == {share, refused}
    accepted = {"resourceShareInvitationArn": pending[share]["resourceShareInvitationArn"]}
    rejected = {"resourceShareInvitationArn": pending[refused]["resourceShareInvitationArn"]}
    other.accept_resource_share_invitation(**accepted)
    other.reject_resource_share_invitation(**rejected)
    once = "AcceptResourceShareInvitation and RejectResourceShareInvitation: already accepted or rejected"
    code = "ResourceShareInvitationAlreadyAcceptedException"
    walk.refused(code, once, other.accept_resource_share_invitation, **accepted)
    code = "ResourceShareInvitationAlreadyRejectedException"
    walk.refused(code, once, other.reject_resource_share_invitation, **rejected)
    walk.pass_time(60)
    [seen] = other.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"]
    assert seen["resourceShareArn"] == share and "tags" not in seen
    late = _share(walk, "third", principals=[number("apps")])
    walk.pass_time(13 * 60 * 60)
    ram, other = walk.client("network", "ram"), walk.client("apps", "ram")
    [invitation] = other.get_resource_share_invitations(resourceShareArns=[late])["resourceShareInvitations"]
    expired = "Accepting and rejecting invitations, RAM user guide: you have 12 hours"
    arn = {"resourceShareInvitationArn": invitation["resourceShareInvitationArn"]}
    walk.refused(
        "ResourceShareInvitationExpiredException", expired, other.accept_resource_share_invitation, **arn
    )
    unknown = {"resourceShareInvitationArn": accepted["resourceShareInvitationArn"] + "0"}
    code = "ResourceShareInvitationArnNotFoundException"
    walk.refused(
        code, "AcceptResourceShareInvitation: errors", other.accept_resource_share_invitation, **unknown
    )
    assert ram.get_resource_share_invitations()["resourceShareInvitations"] == []


def test_wrong_shares_are_refused(walk: Walk) -> None:
    enable_sharing(walk)
    ram = walk.client("network", "ram")
    share = _share(walk, allowExternalPrincipals=False)
    made = subnet(walk, vpc(walk))["SubnetArn"]
    malformed = "AssociateResourceShare: MalformedArnException"
    add = ram.associate_resource_share
    walk.refused("MalformedArnException", malformed, add, resourceShareArn=share, resourceArns=["subnet-1"])
    walk.refused("MalformedArnException", malformed, add, resourceShareArn="share", resourceArns=[made])
    unknown = "AssociateResourceShare: UnknownResourceException"
    gone = made[:-17] + "0123456789abcdef0"
    walk.refused("UnknownResourceException", unknown, add, resourceShareArn=share, resourceArns=[gone])
    theirs = made.replace(number("network"), number("apps"))
    owner = "AssociateResourceShare: OperationNotPermittedException, you share what you own"
    walk.refused("OperationNotPermittedException", owner, add, resourceShareArn=share, resourceArns=[theirs])
    outside = "CreateResourceShare: allowExternalPrincipals false keeps a share to the organization"
    stranger = {"resourceShareArn": share, "principals": ["123456789012"]}
    walk.refused("OperationNotPermittedException", outside, add, **stranger)
    wrong = "AssociateResourceShare: InvalidParameterException"
    walk.refused("InvalidParameterException", wrong, add, resourceShareArn=share, principals=["me"])
    token = "GetResourceShares: InvalidNextTokenException"
    walk.refused("InvalidNextTokenException", token, ram.get_resource_shares, **_OWNER, nextToken="?")
    most = "AssociateResourceShare: ResourceShareLimitExceededException"
    many = {"resourceShareArn": share, "principals": [f"{number_:012}" for number_ in range(101)]}
    walk.refused("ResourceShareLimitExceededException", most, add, **many)
    limit = "TagResource: TagLimitExceededException; a share has at most 50 tags"
    tags = {"resourceShareArn": share, "tags": [{"key": str(number_), "value": ""} for number_ in range(51)]}
    walk.refused("TagLimitExceededException", limit, ram.tag_resource, **tags)
    reserved = "TagResource: TagPolicyViolationException, the tag key is a reserved word and can't be used"
    tags = {"resourceShareArn": share, "tags": [{"key": "aws:a", "value": ""}]}
    walk.refused("TagPolicyViolationException", reserved, ram.tag_resource, **tags)
    empty = "MissingRequiredParameterException is among the errors of GetResourceShares"
    walk.refused("MissingRequiredParameterException", empty, ram.create_resource_share, name="")


def test_lists_are_read_in_pages(walk: Walk) -> None:
    enable_sharing(walk)
    ram, vpc_id = walk.client("network", "ram"), vpc(walk)
    arns = [subnet(walk, vpc_id, f"10.0.{number_}.0/24")["SubnetArn"] for number_ in range(5)]
    share = _share(walk, resourceArns=arns, principals=[number("apps"), number("home")])
    for name in ["second", "third"]:
        _share(walk, name)
    walk.pass_time(60)
    assert len(walk.pages(ram, "get_resource_shares", "resourceShares", 2, **_OWNER)) == 3
    assert ids(walk.pages(ram, "list_resources", "resources", 2, **_OWNER), "arn") == sorted(arns)
    assert len(walk.pages(ram, "list_principals", "principals", 1, **_OWNER)) == 2
    asked = {"associationType": "RESOURCE", "resourceShareArns": [share]}
    found = walk.pages(ram, "get_resource_share_associations", "resourceShareAssociations", 2, **asked)
    assert ids(found, "associatedEntity") == sorted(arns)

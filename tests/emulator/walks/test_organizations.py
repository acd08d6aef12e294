"""The organization: its accounts, units and trusted services."""

from .walk import Walk, ids, number, only_sandbox

pytestmark = only_sandbox(
    "moto has no organization until somebody makes one, and no accounts with numbers of one's own"
)


def test_everybody_sees_the_organization_and_its_management_sees_more(walk: Walk) -> None:
    home, member = walk.client("home", "organizations"), walk.client("apps", "organizations")
    for client in [home, member]:
        assert client.describe_organization()["Organization"]["MasterAccountId"] == number("home")
    accounts = home.list_accounts()["Accounts"]
    assert {number("home"), number("network"), number("apps")} <= set(ids(accounts, "Id"))
    assert home.describe_account(AccountId=number("apps"))["Account"]["Name"] == "apps"
    manager = "ListAccounts: can be called only from the organization's management account"
    walk.refused("AccessDeniedException", manager, member.list_accounts)
    walk.refused(
        "AccountNotFoundException", "DescribeAccount: errors", home.describe_account, AccountId="123456789012"
    )
    assert len(walk.pages(home, "list_accounts", "Accounts", 1)) == len(accounts)
    size = "ListAccounts: MaxResults has a maximum value of 20"
    walk.refused("InvalidInputException", size, home.list_accounts, MaxResults=21)


def test_accounts_move_between_units(walk: Walk) -> None:
    home = walk.client("home", "organizations")
    root = home.list_roots()["Roots"][0]["Id"]
    wanted = {"ParentId": root, "Name": "workloads"}
    unit = home.create_organizational_unit(**wanted)["OrganizationalUnit"]["Id"]
    twice = "CreateOrganizationalUnit: DuplicateOrganizationalUnitException, an OU with the same name already exists"
    walk.refused("DuplicateOrganizationalUnitException", twice, home.create_organizational_unit, **wanted)
    orphan = {"ParentId": unit + "0", "Name": "a"}
    walk.refused(
        "ParentNotFoundException", "CreateOrganizationalUnit: errors", home.create_organizational_unit, **orphan
    )
    moved = {"AccountId": number("apps"), "SourceParentId": root, "DestinationParentId": unit}
    home.move_account(**moved)
    there = "MoveAccount: DuplicateAccountException, already present in the specified destination"
    walk.refused("DuplicateAccountException", there, home.move_account, **moved)
    walk.refused(
        "SourceParentNotFoundException",
        "MoveAccount: errors",
        home.move_account,
        **{**moved, "SourceParentId": unit + "0"},
    )
    nowhere = {**moved, "DestinationParentId": unit + "0"}
    walk.refused("DestinationParentNotFoundException", "MoveAccount: errors", home.move_account, **nowhere)
    assert home.list_parents(ChildId=number("apps"))["Parents"] == [{"Id": unit, "Type": "ORGANIZATIONAL_UNIT"}]
    assert ids(home.list_children(ParentId=unit, ChildType="ACCOUNT")["Children"], "Id") == [number("apps")]
    assert ids(home.list_accounts_for_parent(ParentId=unit)["Accounts"], "Id") == [number("apps")]
    full = "DeleteOrganizationalUnit: you must first remove all accounts and child OUs"
    named = {"OrganizationalUnitId": unit}
    walk.refused("OrganizationalUnitNotEmptyException", full, home.delete_organizational_unit, **named)
    home.update_organizational_unit(**named, Name="renamed")
    assert home.describe_organizational_unit(**named)["OrganizationalUnit"]["Name"] == "renamed"
    home.move_account(AccountId=number("apps"), SourceParentId=unit, DestinationParentId=root)
    home.delete_organizational_unit(**named)
    gone = "DescribeOrganizationalUnit: errors"
    walk.refused("OrganizationalUnitNotFoundException", gone, home.describe_organizational_unit, **named)
    walk.refused("ChildNotFoundException", "ListParents: errors", home.list_parents, ChildId=unit)
    for number_ in range(3):
        home.create_organizational_unit(ParentId=root, Name=f"u{number_}")
    asked = {"ParentId": root}
    assert len(walk.pages(home, "list_organizational_units_for_parent", "OrganizationalUnits", 2, **asked)) == 3
    assert len(walk.pages(home, "list_children", "Children", 2, **asked, ChildType="ORGANIZATIONAL_UNIT")) == 3


def test_services_are_trusted(walk: Walk) -> None:
    home = walk.client("home", "organizations")
    service = {"ServicePrincipal": "ram.amazonaws.com"}
    home.enable_aws_service_access(**service)
    trusted = home.list_aws_service_access_for_organization()["EnabledServicePrincipals"]
    assert "ram.amazonaws.com" in ids(trusted, "ServicePrincipal")
    home.disable_aws_service_access(**service)
    unknown = "EnableAWSServiceAccess: InvalidInputException, UNRECOGNIZED_SERVICE_PRINCIPAL"
    walk.refused("InvalidInputException", unknown, home.enable_aws_service_access, ServicePrincipal="me")
    manager = "EnableAWSServiceAccess: only from the organization's management account"
    member = walk.client("network", "organizations")
    walk.refused("AccessDeniedException", manager, member.enable_aws_service_access, **service)


def test_accounts_leave(walk: Walk) -> None:
    home = walk.client("home", "organizations")
    stays = "LeaveOrganization, RemoveAccountFromOrganization: the management account cannot leave"
    code = "MasterCannotLeaveOrganizationException"
    walk.refused(code, stays, home.leave_organization)
    walk.refused(code, stays, home.remove_account_from_organization, AccountId=number("home"))
    walk.client("apps", "organizations").leave_organization()
    home.remove_account_from_organization(AccountId=number("network"))
    assert {number("network"), number("apps")}.isdisjoint(ids(home.list_accounts()["Accounts"], "Id"))
    alone = "DescribeOrganization: AWSOrganizationsNotInUseException, not a member of an organization"
    gone = walk.client("network", "organizations").describe_organization
    walk.refused("AWSOrganizationsNotInUseException", alone, gone)

//! The organization and its accounts.

use serde_json::{Value, json};

use super::{PAGING, managed, organization, required};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ram;
use crate::world::{AccountId, Organization, World, seconds};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("DescribeOrganization", &[], describe_organization),
    Operation::new("DescribeAccount", &["AccountId"], describe_account),
    Operation::new("ListAccounts", &["NextToken", "MaxResults"], list),
    Operation::new("ListAccountsForParent", &["ParentId", "NextToken", "MaxResults"], list_of_parent),
    Operation::new("MoveAccount", &["AccountId", "SourceParentId", "DestinationParentId"], move_account),
    Operation::new("RemoveAccountFromOrganization", &["AccountId"], remove),
    Operation::new("LeaveOrganization", &[], leave),
];

fn describe_organization(world: &mut World, call: &Call) -> Answer {
    let organization = organization(world, call)?;
    let management = &organization.management;
    let id = organization.id();
    Ok(json!({ "Organization": {
        "Id": id,
        "Arn": organization.arn(&format!("organization/{id}")),
        "FeatureSet": "ALL",
        "MasterAccountArn": account_arn(organization, management),
        "MasterAccountId": management.as_str(),
        "MasterAccountEmail": Organization::email(management),
        "AvailablePolicyTypes": super::policies::types(),
    } }))
}

fn describe_account(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let account = member(organization, required(call, "AccountId")?)?;
    Ok(json!({ "Account": shown(organization, &account) }))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let all = organization.members().map(|(id, _)| (id.to_string(), shown(organization, id)));
    let (page, next) = PAGING.cut(&call.parameters, all)?;
    Ok(json!({ "Accounts": page, "NextToken": next }))
}

fn list_of_parent(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let parent = required(call, "ParentId")?;
    super::units::check_parent(organization, parent, "ParentNotFoundException")?;
    let of_parent = organization.members().filter(|(id, _)| organization.place(id) == parent);
    let (page, next) =
        PAGING.cut(&call.parameters, of_parent.map(|(id, _)| (id.to_string(), shown(organization, id))))?;
    Ok(json!({ "Accounts": page, "NextToken": next }))
}

fn shown(organization: &Organization, account: &AccountId) -> Value {
    json!({
        "Id": account.as_str(),
        "Arn": account_arn(organization, account),
        "Email": Organization::email(account),
        "Name": organization.accounts.get(account),
        "Status": "ACTIVE",
        "State": "ACTIVE",
        "JoinedMethod": if organization.management == *account { "INVITED" } else { "CREATED" },
        "JoinedTimestamp": seconds(organization.made_at),
    })
}

fn account_arn(organization: &Organization, account: &AccountId) -> String {
    organization.arn(&format!("account/{}/{account}", organization.id()))
}

/// Returns the account of the organization that has this number.
pub(super) fn member(organization: &Organization, number: &str) -> Result<AccountId, Refusal> {
    let wrong = |_| Refusal::new("InvalidInputException", format!("{number} is not an account id."));
    let account: AccountId = number.parse().map_err(wrong)?;
    if organization.has(&account) {
        return Ok(account);
    }
    let message = "You specified an account that doesn't exist.";
    Err(Refusal::new("AccountNotFoundException", message))
}

fn move_account(world: &mut World, call: &Call) -> Answer {
    let (from, to) = (required(call, "SourceParentId")?, required(call, "DestinationParentId")?);
    let organization = managed(world, call)?;
    let account = member(organization, required(call, "AccountId")?)?;
    super::units::check_parent(organization, from, "SourceParentNotFoundException")?;
    super::units::check_parent(organization, to, "DestinationParentNotFoundException")?;
    let place = organization.place(&account);
    if place == to {
        let message = "That account is already present in the specified destination.";
        return Err(Refusal::new("DuplicateAccountException", message));
    }
    if place != from {
        let message = "The account is not in the specified source.";
        return Err(Refusal::new("SourceParentNotFoundException", message));
    }
    organization.places.insert(account, to.to_owned());
    ram::look_anew(world);
    Ok(json!({}))
}

fn remove(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let account = member(organization, required(call, "AccountId")?)?;
    go(world, account, "MasterCannotLeaveOrganizationException")
}

fn leave(world: &mut World, call: &Call) -> Answer {
    organization(world, call)?;
    go(world, call.caller.account.clone(), "MasterCannotLeaveOrganizationException")
}

/// Lets an account leave, which then no longer sees what was shared with it ("What happens when
/// accounts leave an organization", RAM user guide).
fn go(world: &mut World, account: AccountId, of_management: &str) -> Answer {
    if world.organization.management == account {
        let message = "The management account cannot leave its organization.";
        return Err(Refusal::new(of_management, message));
    }
    world.organization.places.remove(&account);
    world.organization.attached.remove(account.as_str());
    world.organization.left.insert(account);
    ram::look_anew(world);
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    #[test]
    fn the_organization_and_its_accounts_are_described() {
        let mut account = Account::new();
        let described = account.ok("organizations:DescribeOrganization", json!({}));
        assert_eq!(described["Organization"]["MasterAccountId"], "111111111111");
        let all = account.ok("organizations:ListAccounts", json!({}));
        assert_eq!(all["Accounts"][1]["Id"], "222222222222");
        assert_eq!(all["Accounts"][1]["Name"], "other");
        let first = account.ok("organizations:ListAccounts", json!({ "MaxResults": 1 }));
        let next = json!({ "MaxResults": 1, "NextToken": first["NextToken"] });
        assert_eq!(account.ok("organizations:ListAccounts", next)["Accounts"][0]["Id"], "222222222222");
        let asked = json!({ "AccountId": "222222222222" });
        assert_eq!(account.ok("organizations:DescribeAccount", asked)["Account"]["Name"], "other");
        let unknown = json!({ "AccountId": "333333333333" });
        account.refused("organizations:DescribeAccount", unknown, "AccountNotFoundException");
        let wrong = json!({ "AccountId": "3" });
        account.refused("organizations:DescribeAccount", wrong, "InvalidInputException");
        account.refused("organizations:ListAccounts", json!({ "MaxResults": 21 }), "InvalidInputException");
    }

    #[test]
    fn members_see_the_organization_and_only_its_management_sees_more() {
        let mut account = Account::new();
        account.other(|member| {
            member.ok("organizations:DescribeOrganization", json!({}));
            member.refused("organizations:ListAccounts", json!({}), "AccessDeniedException");
        });
        account.outsider(|outsider| {
            for operation in ["DescribeOrganization", "ListAccounts", "LeaveOrganization"] {
                let operation = format!("organizations:{operation}");
                outsider.refused(&operation, json!({}), "AWSOrganizationsNotInUseException");
            }
        });
    }

    #[test]
    fn accounts_but_the_management_leave() {
        let mut account = Account::new();
        let own = json!({ "AccountId": "111111111111" });
        let code = "MasterCannotLeaveOrganizationException";
        account.refused("organizations:RemoveAccountFromOrganization", own, code);
        account.refused("organizations:LeaveOrganization", json!({}), code);
        let other = json!({ "AccountId": "222222222222" });
        account.ok("organizations:RemoveAccountFromOrganization", other.clone());
        account.refused("organizations:DescribeAccount", other, "AccountNotFoundException");
        account.other(|gone| {
            let code = "AWSOrganizationsNotInUseException";
            gone.refused("organizations:DescribeOrganization", json!({}), code);
        });
    }
}

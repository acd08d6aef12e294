//! Whether the accounts of the organization may share with one another without invitations.

use jiff::SignedDuration;
use serde_json::json;

use crate::call::{Answer, Call, Operation, Refusal};
use crate::iam;
use crate::world::{RAM, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] =
    &[Operation::new("EnableSharingWithAwsOrganization", &[], enable)];

/// How long after that RAM still refuses, since "that onboarding process is still in progress".
/// Estimated.
const ONBOARDING: SignedDuration = SignedDuration::from_secs(10);

/// Lets accounts share. "You must call this operation from an IAM role or user in the
/// organization's management account" (API reference).
fn enable(world: &mut World, call: &Call) -> Answer {
    let now = world.now();
    let organization = &mut world.organization;
    if organization.management != call.caller.account {
        let message = "This operation is available to the management account of an organization only.";
        return Err(Refusal::new("OperationNotPermittedException", message));
    }
    organization.services.entry(RAM.to_owned()).or_insert(now);
    let onboarded = now.saturating_add(ONBOARDING).unwrap_or(now);
    organization.shares_since.get_or_insert(onboarded);
    // "RAM creates a service-linked role called AWSServiceRoleForResourceAccessManager."
    iam::ensure_linked_role(world, &call.caller.account, RAM);
    super::look_anew(world);
    Ok(json!({ "returnValue": true }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    #[test]
    fn only_the_management_account_lets_accounts_share() {
        let mut account = Account::new();
        let operation = "ram:EnableSharingWithAwsOrganization";
        assert_eq!(account.ok(operation, json!({}))["returnValue"], true);
        account.ok("iam:GetRole", json!({ "RoleName": "AWSServiceRoleForResourceAccessManager" }));
        account.other(|member| member.refused(operation, json!({}), "OperationNotPermittedException"));
        account.outsider(|outsider| outsider.refused(operation, json!({}), "OperationNotPermittedException"));
    }
}

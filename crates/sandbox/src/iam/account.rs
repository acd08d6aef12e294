//! An account as a whole: how much of what it has, and how much it may have.

use serde_json::{Value, json};

use super::answers::page;
use super::managed;
use crate::call::{Answer, Call, Operation};
use crate::quotas;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("GetAccountSummary", &[], get_summary),
    Operation::new("ListAccountAliases", &["Marker", "MaxItems"], list_aliases),
];

#[expect(clippy::unnecessary_wraps, reason = "every operation has this type")]
fn get_summary(world: &mut World, call: &Call) -> Answer {
    let account = &call.caller.account;
    let kinds =
        [quotas::INSTANCE_PROFILES, quotas::POLICIES, quotas::POLICIES_OF_ROLE, quotas::ROLES, quotas::USERS];
    let [profiles, policies, attached, roles, users] = kinds.map(|quota| world.quota(account, quota));
    let directory = world.directory(account);
    let versions = directory.policies.values().map(|policy| policy.versions.len()).sum();
    let numbers = [
        ("AccessKeysPerUserQuota", 2),
        ("AssumeRolePolicySizeQuota", 2048),
        ("AttachedPoliciesPerRoleQuota", attached),
        ("AttachedPoliciesPerUserQuota", attached),
        ("Groups", 0),
        ("InstanceProfiles", directory.profiles.len()),
        ("InstanceProfilesQuota", profiles),
        ("Policies", directory.policies.len()),
        ("PoliciesQuota", policies),
        ("PolicySizeQuota", managed::MOST_CHARACTERS),
        ("PolicyVersionsInUse", versions),
        ("Providers", directory.providers.len()),
        ("RolePolicySizeQuota", 10_240),
        ("Roles", directory.roles.len()),
        ("RolesQuota", roles),
        ("UserPolicySizeQuota", 2048),
        ("Users", directory.users.len()),
        ("UsersQuota", users),
        ("VersionsPerPolicyQuota", 5),
    ];
    let entries: Vec<_> = numbers.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    Ok(json!({ "SummaryMap": entries }))
}

/// Lists the aliases of the account. It has none.
fn list_aliases(_: &mut World, call: &Call) -> Answer {
    page(&call.parameters, "AccountAliases", std::iter::empty(), |(): ()| Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    #[test]
    fn the_summary_counts() {
        let mut account = Account::new();
        let number = |account: &mut Account, key: &str| {
            let summary = account.ok("iam:GetAccountSummary", json!({}));
            let mut entries = summary["SummaryMap"].as_array().into_iter().flatten();
            entries.find(|entry| entry["key"] == key).expect("it is counted")["value"].clone()
        };
        assert_eq!(number(&mut account, "Users"), 0);
        account.ok("iam:CreateUser", json!({ "UserName": "somebody" }));
        assert_eq!(number(&mut account, "Users"), 1);
        assert_eq!(number(&mut account, "RolesQuota"), 1000);
        assert_eq!(account.ok("iam:ListAccountAliases", json!({}))["AccountAliases"], json!([]));
    }
}

//! Roles as the account's whole listing has them: everything of each but two attributes, in few calls.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{self, AttachedPolicy, EntityType, RoleDetail};
use straddle_engine::provider::{ErrorClass, ProviderError};

use super::WholeRole;
use crate::client::Client;
use crate::error::failed;

/// How many roles a page has at most (API reference, `GetAccountAuthorizationDetails`).
const PAGE_SIZE: i32 = 1000;

const OPERATION: &str = "GetAccountAuthorizationDetails";

/// Some of the roles of an account.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) roles: BTreeMap<String, RoleDetail>,
    /// Whether the whole listing was read: what it does not have is not there.
    pub(super) is_whole: bool,
}

/// Looks for roles in the account's listing. It is given up as soon as it takes more pages than
/// there would be `calls` for these roles alone: there are accounts with thousands of roles. Who may
/// not read the listing finds nothing in it.
pub(super) async fn list(
    client: &Client,
    names: &BTreeSet<String>,
    calls: usize,
) -> Result<Listed, ProviderError> {
    let mut listed = Listed::default();
    let mut marker = None;
    for _ in 0..calls {
        let call = client.iam.reads.get_account_authorization_details().filter(EntityType::Role);
        let answer = call.max_items(PAGE_SIZE).set_marker(marker.take()).send().await;
        let page = match answer.map_err(failed(OPERATION)) {
            Ok(page) => page,
            Err(error) if error.class == ErrorClass::AccessDenied => return Ok(Listed::default()),
            Err(error) => return Err(error),
        };
        marker = page.marker.filter(|_| page.is_truncated);
        listed.is_whole = marker.is_none();
        let by_name =
            |role: RoleDetail| Some((role.role_name.clone().filter(|it| names.contains(it))?, role));
        listed.roles.extend(page.role_detail_list.unwrap_or_default().into_iter().filter_map(by_name));
        if listed.is_whole || listed.roles.len() == names.len() {
            break;
        }
    }
    Ok(listed)
}

/// Returns a role as reading it alone would give it, but for what the listing does not have: what it
/// is for, and how long its sessions may be.
pub(super) fn whole(role: &RoleDetail) -> Option<WholeRole> {
    let built = types::Role::builder()
        .set_path(role.path.clone())
        .set_role_name(role.role_name.clone())
        .set_role_id(role.role_id.clone())
        .set_arn(role.arn.clone())
        .set_create_date(role.create_date)
        .set_assume_role_policy_document(role.assume_role_policy_document.clone())
        .set_permissions_boundary(role.permissions_boundary.clone())
        .set_tags(role.tags.clone());
    let names = role.role_policy_list().iter().filter_map(types::PolicyDetail::policy_name);
    let profiles = role.instance_profile_list().iter().map(types::InstanceProfile::instance_profile_name);
    Some(WholeRole {
        role: built.build().ok()?,
        inline_names: names.map(str::to_owned).collect(),
        profiles: Some(profiles.map(str::to_owned).collect()),
        has_details: false,
    })
}

/// Returns the ARNs of the managed policies of a role.
pub(super) fn attached(role: &RoleDetail) -> BTreeSet<String> {
    let policies = role.attached_managed_policies().iter().filter_map(AttachedPolicy::policy_arn);
    policies.map(str::to_owned).collect()
}

/// Returns the text of a policy of a role's own.
pub(super) fn inline<'a>(role: &'a RoleDetail, name: &str) -> Option<&'a str> {
    let mut policies = role.role_policy_list().iter();
    policies.find(|policy| policy.policy_name() == Some(name))?.policy_document()
}

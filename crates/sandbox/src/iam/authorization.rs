//! Everything of an account that permissions depend on, in one listing.

use serde_json::{Value, json};

use super::answers::{PAGING, encoded};
use super::managed::{self, ManagedPolicy, Uses};
use super::role::{self, Role};
use super::user::{self, User};
use super::{Grants, aws_managed, profile};
use crate::call::{Answer, Call, Operation};
use crate::validation;
use crate::world::World;

/// The operation.
pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "GetAccountAuthorizationDetails",
    &["Filter", "MaxItems", "Marker"],
    get_account_authorization_details,
)];

/// The lists of the answer, each with what asks for it.
const LISTS: [(&str, &[&str]); 4] = [
    ("UserDetailList", &["User"]),
    ("GroupDetailList", &["Group"]),
    ("RoleDetailList", &["Role"]),
    ("Policies", &["LocalManagedPolicy", "AWSManagedPolicy"]),
];

/// Lists users, roles and policies with all that they have, in pages of all of them together. There
/// are no groups.
fn get_account_authorization_details(world: &mut World, call: &Call) -> Answer {
    let filter = call.parameters.texts("Filter");
    let known = LISTS.iter().flat_map(|(_, names)| names.iter()).collect::<Vec<_>>();
    if let Some(unknown) = filter.iter().find(|name| !known.contains(name)) {
        let set =
            "Member must satisfy enum value set: [Role, AWSManagedPolicy, User, LocalManagedPolicy, Group]";
        return Err(validation::failed("filter", unknown, set));
    }
    let wanted = |name: &str| filter.is_empty() || filter.contains(&name);
    let directory = world.directory(&call.caller.account).clone();
    let uses = managed::uses(&directory);
    let attachments = |policy: &ManagedPolicy| uses.get(policy.arn.as_str()).copied().unwrap_or_default();
    let mut things = Vec::new();
    let mut add = |list: &str, name: &str, thing: Value| things.push((format!("{list}/{name}"), thing));
    for user in directory.users.values().filter(|_| wanted("User")) {
        add("UserDetailList", &user.name, shown_user(user));
    }
    for role in directory.roles.values().filter(|_| wanted("Role")) {
        let profiles =
            directory.profiles.values().filter(|profile| profile.role.as_ref() == Some(&role.name));
        let profiles: Vec<_> = profiles.map(|profile| profile::shown(world, call, profile)).collect();
        add("RoleDetailList", &role.name, shown_role(world, role, profiles));
    }
    let own = directory.policies.values().filter(|_| wanted("LocalManagedPolicy")).cloned();
    // Of those of AWS, what somebody has.
    let of_aws = aws_managed::ALL.iter().filter(|_| wanted("AWSManagedPolicy"));
    let of_aws =
        of_aws.map(aws_managed::AwsManaged::policy).filter(|policy| attachments(policy).attached > 0);
    for policy in own.chain(of_aws) {
        add("Policies", &policy.arn, shown_policy(&policy, attachments(&policy)));
    }
    things.sort_by(|one, other| one.0.cmp(&other.0));
    let things = things.into_iter().map(|(key, thing)| (key.clone(), json!([key, thing])));
    let (page, marker) = PAGING.cut(&call.parameters, things)?;
    let mut answer = json!({ "IsTruncated": marker.is_some(), "Marker": marker });
    for (list, _) in LISTS {
        let is_of = |thing: &&Value| thing[0].as_str().is_some_and(|key| key.split('/').next() == Some(list));
        answer[list] = page.iter().filter(is_of).map(|thing| thing[1].clone()).collect();
    }
    Ok(answer)
}

/// Returns what users and roles have in common.
fn shown_grants(mut thing: Value, own_list: &str, grants: &Grants) -> Value {
    let attached = grants.attached.iter();
    let attached = attached.map(|arn| json!({ "PolicyName": managed::name_of(arn), "PolicyArn": arn }));
    thing["AttachedManagedPolicies"] = attached.collect();
    let own = grants.inline.iter();
    let own = own.map(|(name, text)| json!({ "PolicyName": name, "PolicyDocument": encoded(text) }));
    thing[own_list] = own.collect();
    thing
}

fn shown_user(user: &User) -> Value {
    let mut shown = user::shown(user);
    shown["GroupList"] = json!([]);
    shown_grants(shown, "UserPolicyList", &user.grants)
}

/// Returns a role without what the listing does not have: its description, and how long its sessions
/// may be (API reference, `RoleDetail`).
fn shown_role(world: &World, role: &Role, profiles: Vec<Value>) -> Value {
    let mut shown = role::shown(world, role);
    shown["Description"] = Value::Null;
    shown["MaxSessionDuration"] = Value::Null;
    shown["InstanceProfileList"] = profiles.into();
    shown_grants(shown, "RolePolicyList", &role.grants)
}

/// Returns a policy with its versions, and without its tags (API reference, `ManagedPolicyDetail`).
fn shown_policy(policy: &ManagedPolicy, uses: Uses) -> Value {
    let mut shown = managed::shown(policy, uses);
    shown["Tags"] = Value::Null;
    let versions = policy.versions.iter();
    shown["PolicyVersionList"] =
        versions.map(|(number, version)| managed::shown_version(policy, *number, version, true)).collect();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    const MAY: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;

    #[test]
    fn roles_are_listed_with_all_they_have_but_two_things() {
        let mut account = Account::new();
        for name in ["one", "two"] {
            let role = json!({ "RoleName": name, "AssumeRolePolicyDocument": TRUST, "Description": "-" });
            account.ok("iam:CreateRole", role);
        }
        let inline = json!({ "RoleName": "one", "PolicyName": "read", "PolicyDocument": MAY });
        account.ok("iam:PutRolePolicy", inline);
        let mut marker = Value::Null;
        let mut roles = Vec::new();
        loop {
            let asked = json!({ "Filter": ["Role"], "MaxItems": 1, "Marker": marker });
            let page = account.ok("iam:GetAccountAuthorizationDetails", asked);
            assert_eq!((&page["Policies"], &page["UserDetailList"]), (&json!([]), &json!([])));
            roles.extend(page["RoleDetailList"].as_array().cloned().expect("it is a list"));
            marker = page["Marker"].clone();
            if page["IsTruncated"] == json!(false) {
                break;
            }
        }
        let role = roles.iter().find(|role| role["RoleName"] == "one").expect("it is listed");
        assert!(roles.iter().any(|role| role["RoleName"] == "two"));
        assert_eq!(role["RolePolicyList"], json!([{ "PolicyName": "read", "PolicyDocument": encoded(MAY) }]));
        assert_eq!((&role["Description"], &role["MaxSessionDuration"]), (&Value::Null, &Value::Null));
    }
}

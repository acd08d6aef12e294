//! Service control policies: what the accounts of the organization may do at most.

use serde_json::{Value, json};

use super::{PAGING, managed, required};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::policy::Document;
use crate::world::{ControlPolicy, FULL_ACCESS, Organization, World};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreatePolicy", &["Content", "Description", "Name", "Type"], create),
    Operation::new("UpdatePolicy", &["PolicyId", "Name", "Description", "Content"], update),
    Operation::new("DeletePolicy", &["PolicyId"], delete),
    Operation::new("DescribePolicy", &["PolicyId"], describe),
    Operation::new("ListPolicies", &["Filter", "NextToken", "MaxResults"], list),
    Operation::new(
        "ListPoliciesForTarget",
        &["TargetId", "Filter", "NextToken", "MaxResults"],
        list_of_target,
    ),
    Operation::new("ListTargetsForPolicy", &["PolicyId", "NextToken", "MaxResults"], list_targets),
    Operation::new("AttachPolicy", &["PolicyId", "TargetId"], attach),
    Operation::new("DetachPolicy", &["PolicyId", "TargetId"], detach),
];

/// The only type that there is here.
const TYPE: &str = "SERVICE_CONTROL_POLICY";
/// The types as the root has them.
pub(super) fn types() -> Value {
    json!([{ "Type": TYPE, "Status": "ENABLED" }])
}

/// "SCPs attached to a root, OU or account: minimum 1, maximum 5" ("Quotas for AWS Organizations").
const MOST: usize = 5;
/// How many characters a policy may have (the same).
const MOST_CHARACTERS: usize = 5120;

fn check_type(call: &Call, parameter: &str) -> Result<(), Refusal> {
    match required(call, parameter)? {
        TYPE => Ok(()),
        other => {
            let message = format!("The sandbox has no policies of the type {other}.");
            Err(Refusal::new("InvalidInputException", message))
        }
    }
}

fn not_found() -> Refusal {
    Refusal::new("PolicyNotFoundException", "We can't find a policy with the PolicyId that you specified.")
}

/// Returns the id of the policy that a call names.
fn policy_id<'a>(organization: &Organization, call: &'a Call) -> Result<&'a str, Refusal> {
    let id = required(call, "PolicyId")?;
    if organization.policies.contains_key(id) || id == FULL_ACCESS { Ok(id) } else { Err(not_found()) }
}

/// Returns a policy that the organization has made itself.
fn own<'a>(organization: &'a mut Organization, id: &str) -> Result<&'a mut ControlPolicy, Refusal> {
    if id == FULL_ACCESS {
        let message = "You can't change a policy that is managed by AWS.";
        return Err(Refusal::new("AccessDeniedException", message));
    }
    organization.policies.get_mut(id).ok_or_else(not_found)
}

/// Returns the root, unit or account that a call names.
fn target<'a>(organization: &Organization, call: &'a Call) -> Result<&'a str, Refusal> {
    let id = required(call, "TargetId")?;
    let is_account = id.parse().is_ok_and(|account| organization.has(&account));
    if is_account || id == organization.root() || organization.units.contains_key(id) {
        return Ok(id);
    }
    let message = "We can't find a root, OU, account, or policy with the TargetId that you specified.";
    Err(Refusal::new("TargetNotFoundException", message))
}

fn summary(organization: &Organization, id: &str) -> Value {
    let policy = organization.policies.get(id);
    let kind = "service_control_policy";
    let arn = match policy {
        Some(_) => organization.arn(&format!("policy/{}/{kind}/{id}", organization.id())),
        None => format!("arn:aws:organizations::aws:policy/{kind}/{id}"),
    };
    json!({
        "Id": id,
        "Arn": arn,
        "Name": policy.map_or("FullAWSAccess", |policy| &policy.name),
        "Description": policy.map_or("Allows access to every operation", |policy| &policy.description),
        "Type": TYPE,
        "AwsManaged": policy.is_none(),
    })
}

fn shown(organization: &Organization, id: &str) -> Value {
    let content = organization.policy_content(id);
    json!({ "Policy": { "PolicySummary": summary(organization, id), "Content": content } })
}

fn checked_content(text: &str) -> Result<String, Refusal> {
    let malformed = |message: String| Refusal::new("MalformedPolicyDocumentException", message);
    Document::permissions(text).map_err(|why| malformed(why.to_string()))?;
    if text.chars().count() > MOST_CHARACTERS {
        return Err(malformed(format!("The policy has more than {MOST_CHARACTERS} characters.")));
    }
    Ok(text.to_owned())
}

fn check_name(organization: &Organization, name: &str, own: &str) -> Result<(), Refusal> {
    if organization.policies.iter().any(|(id, policy)| policy.name == name && id != own) {
        let message = "A policy with the same name already exists.";
        return Err(Refusal::new("DuplicatePolicyException", message));
    }
    Ok(())
}

fn create(world: &mut World, call: &Call) -> Answer {
    check_type(call, "Type")?;
    let name = required(call, "Name")?;
    let content = checked_content(required(call, "Content")?)?;
    let description = call.parameters.text("Description").unwrap_or_default().to_owned();
    check_name(managed(world, call)?, name, "")?;
    let id = format!("p-{}", &world.new_digits()[..8]);
    let policy = ControlPolicy { name: name.to_owned(), description, content };
    world.organization.policies.insert(id.clone(), policy);
    Ok(shown(&world.organization, &id))
}

fn update(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let id = policy_id(organization, call)?;
    let mut policy = own(organization, id)?.clone();
    let parameters = &call.parameters;
    if let Some(name) = parameters.text("Name") {
        check_name(organization, name, id)?;
        name.clone_into(&mut policy.name);
    }
    if let Some(description) = parameters.text("Description") {
        description.clone_into(&mut policy.description);
    }
    if let Some(content) = parameters.text("Content") {
        policy.content = checked_content(content)?;
    }
    *own(organization, id)? = policy;
    Ok(shown(organization, id))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let id = policy_id(organization, call)?;
    own(organization, id)?;
    if organization.targets().iter().any(|target| organization.policies_of(target).contains(id)) {
        let message = "The policy is attached to one or more entities. You must detach it first.";
        return Err(Refusal::new("PolicyInUseException", message));
    }
    organization.policies.remove(id);
    Ok(json!({}))
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let id = policy_id(organization, call)?;
    Ok(shown(organization, id))
}

fn list(world: &mut World, call: &Call) -> Answer {
    check_type(call, "Filter")?;
    let organization = managed(world, call)?;
    let ids = organization.policies.keys().map(String::as_str).chain([FULL_ACCESS]);
    page(organization, call, ids.collect())
}

fn list_of_target(world: &mut World, call: &Call) -> Answer {
    check_type(call, "Filter")?;
    let organization = managed(world, call)?;
    let attached = organization.policies_of(target(organization, call)?);
    page(organization, call, attached.iter().map(String::as_str).collect())
}

fn page(organization: &Organization, call: &Call, mut ids: Vec<&str>) -> Answer {
    ids.sort_unstable();
    let shown = ids.into_iter().map(|id| (id.to_owned(), summary(organization, id)));
    let (page, next) = PAGING.cut(&call.parameters, shown)?;
    Ok(json!({ "Policies": page, "NextToken": next }))
}

fn list_targets(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let id = policy_id(organization, call)?;
    let targets = organization.targets();
    let attached = targets.iter().filter(|target| organization.policies_of(target).contains(id));
    let shown = attached.map(|target| (target.clone(), shown_target(organization, target)));
    let (page, next) = PAGING.cut(&call.parameters, shown)?;
    Ok(json!({ "Targets": page, "NextToken": next }))
}

fn shown_target(organization: &Organization, id: &str) -> Value {
    let account = id.parse().ok().and_then(|account| organization.accounts.get(&account));
    let unit = organization.units.get(id).map(|unit| &unit.name);
    let (kind, word, name) = match (account, unit) {
        (Some(name), _) => ("ACCOUNT", "account", name.as_str()),
        (None, Some(name)) => ("ORGANIZATIONAL_UNIT", "ou", name.as_str()),
        (None, None) => ("ROOT", "root", "Root"),
    };
    let arn = organization.arn(&format!("{word}/{}/{id}", organization.id()));
    json!({ "TargetId": id, "Arn": arn, "Name": name, "Type": kind })
}

fn violation(message: impl Into<String>) -> Refusal {
    Refusal::new("ConstraintViolationException", message)
}

fn attach(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let (id, target) = (policy_id(organization, call)?, target(organization, call)?);
    let mut attached = organization.policies_of(target);
    if !attached.insert(id.to_owned()) {
        let message = "The selected policy is already attached to the specified target.";
        return Err(Refusal::new("DuplicatePolicyAttachmentException", message));
    }
    if attached.len() > MOST {
        return Err(violation(format!("A target has at most {MOST} policies of a type.")));
    }
    organization.attached.insert(target.to_owned(), attached);
    Ok(json!({}))
}

/// Takes a policy from a target: "every root, OU, and account must have at least one SCP attached".
fn detach(world: &mut World, call: &Call) -> Answer {
    let organization = managed(world, call)?;
    let (id, target) = (policy_id(organization, call)?, target(organization, call)?);
    let mut attached = organization.policies_of(target);
    if !attached.remove(id) {
        let message = "The policy isn't attached to the specified target in the specified root.";
        return Err(Refusal::new("PolicyNotAttachedException", message));
    }
    if attached.is_empty() {
        return Err(violation("You can't detach the last service control policy of a target."));
    }
    organization.attached.insert(target.to_owned(), attached);
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Account, text};

    const FILTER: (&str, &str) = ("Filter", TYPE);

    fn content(effect: &str, action: &str) -> String {
        json!({ "Statement": [{ "Effect": effect, "Action": action, "Resource": "*" }] }).to_string()
    }

    fn policy(account: &mut Account, name: &str, content: &str) -> String {
        let wanted = json!({ "Name": name, "Description": "", "Type": TYPE, "Content": content });
        let made = account.ok("organizations:CreatePolicy", wanted);
        text(&made["Policy"]["PolicySummary"]["Id"])
    }

    /// "SCPs … don't affect users or roles in the management account; they affect only the member accounts";
    /// also their root users. A denial is named as what it is.
    #[test]
    fn members_may_do_what_every_level_allows() {
        let mut account = Account::new().enforcing();
        let id = policy(&mut account, "no-vpcs", &content("Deny", "ec2:CreateVpc"));
        let both = json!({ "PolicyId": id, "TargetId": "222222222222" });
        let vpc = json!({ "CidrBlock": "10.0.0.0/16" });
        account.other(|other| drop(other.ok("CreateVpc", vpc.clone())));
        account.ok("organizations:AttachPolicy", both.clone());
        account.refused("organizations:AttachPolicy", both.clone(), "DuplicatePolicyAttachmentException");
        account.other(|other| {
            let message = other.message("CreateVpc", vpc.clone(), "UnauthorizedOperation");
            assert!(message.contains("with an explicit deny in a service control policy"), "{message}");
            other.ok("DescribeVpcs", json!({}));
        });
        account.ok("CreateVpc", vpc.clone());
        let in_use = json!({ "PolicyId": id });
        account.refused("organizations:DeletePolicy", in_use.clone(), "PolicyInUseException");
        account.ok("organizations:DetachPolicy", both.clone());
        account.refused("organizations:DetachPolicy", both, "PolicyNotAttachedException");
        account.ok("organizations:DeletePolicy", in_use);
        let reads = policy(&mut account, "reads", &content("Allow", "ec2:Describe*"));
        let root = text(&account.ok("organizations:ListRoots", json!({}))["Roots"][0]["Id"]);
        account.ok("organizations:AttachPolicy", json!({ "PolicyId": reads, "TargetId": root }));
        account.ok("organizations:DetachPolicy", json!({ "PolicyId": FULL_ACCESS, "TargetId": root }));
        account.other(|other| {
            other.ok("DescribeVpcs", json!({}));
            let message = other.message("CreateVpc", vpc.clone(), "UnauthorizedOperation");
            assert!(
                message.contains("no service control policy allows the ec2:CreateVpc action"),
                "{message}"
            );
        });
        let last = json!({ "PolicyId": reads, "TargetId": root });
        account.refused("organizations:DetachPolicy", last, "ConstraintViolationException");
    }

    #[test]
    fn policies_are_listed_and_changed() {
        let mut account = Account::new();
        let id = policy(&mut account, "a", &content("Deny", "ec2:*"));
        let filter = json!({ (FILTER.0): FILTER.1 });
        let all = account.ok("organizations:ListPolicies", filter);
        assert_eq!(all["Policies"].as_array().map(Vec::len), Some(2));
        let of_account = json!({ "TargetId": "222222222222", (FILTER.0): FILTER.1 });
        let of_account = account.ok("organizations:ListPoliciesForTarget", of_account);
        assert_eq!(of_account["Policies"][0]["Id"], FULL_ACCESS);
        assert_eq!(of_account["Policies"][0]["AwsManaged"], true);
        let targets = account.ok("organizations:ListTargetsForPolicy", json!({ "PolicyId": FULL_ACCESS }));
        assert_eq!(targets["Targets"].as_array().map(Vec::len), Some(3), "the root and two accounts");
        let change = json!({ "PolicyId": id, "Name": "b", "Content": content("Deny", "iam:*") });
        account.ok("organizations:UpdatePolicy", change);
        let seen = account.ok("organizations:DescribePolicy", json!({ "PolicyId": id }))["Policy"].clone();
        assert_eq!(seen["PolicySummary"]["Name"], "b");
        assert!(text(&seen["Content"]).contains("iam:*"));
        for (operation, parameters, code) in [
            ("DescribePolicy", json!({ "PolicyId": "p-0" }), "PolicyNotFoundException"),
            ("DeletePolicy", json!({ "PolicyId": FULL_ACCESS }), "AccessDeniedException"),
            ("AttachPolicy", json!({ "PolicyId": id, "TargetId": "ou-0" }), "TargetNotFoundException"),
            ("ListPolicies", json!({ "Filter": "TAG_POLICY" }), "InvalidInputException"),
            (
                "CreatePolicy",
                json!({ "Name": "b", "Description": "", "Type": TYPE, "Content": content("Deny", "*") }),
                "DuplicatePolicyException",
            ),
            (
                "CreatePolicy",
                json!({ "Name": "c", "Description": "", "Type": TYPE, "Content": "{}" }),
                "MalformedPolicyDocumentException",
            ),
        ] {
            account.refused(&format!("organizations:{operation}"), parameters, code);
        }
        account.other(|member| {
            let asked = json!({ "PolicyId": FULL_ACCESS });
            member.refused("organizations:DescribePolicy", asked, "AccessDeniedException");
        });
    }
}

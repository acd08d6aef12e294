//! Simulation: what somebody's policies would decide, without doing anything.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::answers::page;
use super::{grants::Grants, no_such_entity, trust};
use crate::access::{Context, Policies, Verdict};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::policy::{Decision, Document, Question};
use crate::validation;
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[Operation::new(
    "SimulatePrincipalPolicy",
    &[
        "PolicySourceArn",
        "ActionNames",
        "ResourceArns",
        "ContextEntries",
        "PolicyInputList",
        "PermissionsBoundaryPolicyInputList",
        "MaxItems",
        "Marker",
    ],
    simulate,
)
.on(&[("PolicySourceArn", "principal")])];

fn simulate(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let arn = validation::required(parameters, "PolicySourceArn")?;
    let grants = grants_of(world, call, arn)?;
    let mut policies = Policies::granted(world, &call.caller, Some(&grants));
    for text in parameters.texts("PolicyInputList") {
        policies.identity.push(Document::permissions(text).map_err(trust::malformed)?);
    }
    for text in parameters.texts("PermissionsBoundaryPolicyInputList") {
        policies.boundary = Some(Document::permissions(text).map_err(trust::malformed)?);
    }
    let context = context(parameters);
    let mut results = BTreeMap::new();
    let resources = match parameters.texts("ResourceArns") {
        none if none.is_empty() => vec!["*"],
        some => some,
    };
    let actions = parameters.texts("ActionNames");
    if actions.is_empty() {
        validation::required(parameters, "ActionNames")?;
    }
    for (position, action) in actions.into_iter().enumerate() {
        if !action.split_once(':').is_some_and(|(service, name)| !service.is_empty() && !name.is_empty()) {
            return Err(Refusal::new("InvalidInput", format!("Invalid Action: {action}")));
        }
        for (number, resource) in resources.iter().enumerate() {
            let question = Question { action, resource, principals: &[], context: context.clone() };
            let key = format!("{position:06}/{number:06}");
            results.insert(key, result(&policies, &question));
        }
    }
    page(parameters, "EvaluationResults", results.iter(), Value::clone)
}

/// Returns what the role or user with this ARN may do.
fn grants_of(world: &mut World, call: &Call, arn: &str) -> Result<Grants, Refusal> {
    let prefix = format!("arn:aws:iam::{}:", call.caller.account);
    let directory = world.directory(&call.caller.account);
    let name = super::managed::name_of(arn);
    let found = match arn.strip_prefix(&prefix).and_then(|thing| thing.split_once('/')) {
        Some(("role", _)) => directory.roles.get(name).map(|role| (&role.arn, &role.grants)),
        Some(("user", _)) => directory.users.get(name).map(|user| (&user.arn, &user.grants)),
        _ => {
            let message = format!("Invalid Entity Arn: {arn} does not clearly define entity type and name.");
            return Err(Refusal::new("InvalidInput", message));
        }
    };
    let found = found.filter(|(known, _)| *known == arn).map(|(_, grants)| grants.clone());
    found.ok_or_else(|| no_such_entity(format!("The entity {arn} cannot be found.")))
}

/// Returns the condition keys that the call gives values for.
fn context(parameters: &Parameters) -> Context {
    let entries = parameters.tables("ContextEntries");
    let entry = |entry: &Parameters| {
        let values = entry.texts("ContextKeyValues").into_iter().map(str::to_owned).collect();
        entry.text("ContextKeyName").map(|key| (key.to_lowercase(), values))
    };
    entries.iter().filter_map(entry).collect()
}

fn result(policies: &Policies, question: &Question<'_>) -> Value {
    let verdict = policies.decide(question);
    let decision = match verdict {
        Verdict::Allowed => "allowed",
        Verdict::Denied(reason) if reason.is_explicit() => "explicitDeny",
        Verdict::Denied(_) => "implicitDeny",
    };
    let boundary = policies.boundary.as_ref().map(|boundary| boundary.decide(question) == Decision::Allowed);
    let boundary = boundary.map(|allowed| json!({ "AllowedByPermissionsBoundary": allowed }));
    let control = policies.decide_control(question).is_none_or(|decision| decision == Decision::Allowed);
    let missing: Vec<_> = policies.missing_keys(question);
    json!({
        "EvalActionName": question.action,
        "EvalResourceName": question.resource,
        "EvalDecision": decision,
        "MatchedStatements": [],
        "MissingContextValues": missing,
        "OrganizationsDecisionDetail": { "AllowedByOrganizations": control },
        "PermissionsBoundaryDecisionDetail": boundary,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Account;

    fn decisions(account: &mut Account, more: &Value) -> Vec<Value> {
        let mut wanted = json!({
            "PolicySourceArn": "arn:aws:iam::111111111111:user/somebody",
            "ActionNames": ["ec2:CreateVpc", "ec2:DeleteVpc", "iam:GetRole"],
        });
        wanted.as_object_mut().expect("a table").extend(more.as_object().cloned().expect("a table"));
        let answer = account.ok("iam:SimulatePrincipalPolicy", wanted);
        let results = answer["EvaluationResults"].as_array().cloned().expect("a list");
        results.into_iter().map(|result| result["EvalDecision"].clone()).collect()
    }

    #[test]
    fn what_policies_would_decide_is_told() {
        let mut account = Account::new();
        account.ok("iam:CreateUser", json!({ "UserName": "somebody" }));
        let document = json!({ "Statement": [
            {
                "Effect": "Allow", "Action": "ec2:*", "Resource": "*",
                "Condition": { "StringEquals": { "aws:RequestedRegion": "us-east-1" } },
            },
            { "Effect": "Deny", "Action": "ec2:Delete*", "Resource": "*" },
        ] });
        let inline =
            json!({ "UserName": "somebody", "PolicyName": "own", "PolicyDocument": document.to_string() });
        account.ok("iam:PutUserPolicy", inline);
        assert_eq!(decisions(&mut account, &json!({})), ["implicitDeny", "explicitDeny", "implicitDeny"]);
        let context = json!([{
            "ContextKeyName": "aws:RequestedRegion",
            "ContextKeyType": "string",
            "ContextKeyValues": ["us-east-1"],
        }]);
        let with_context = json!({ "ContextEntries": context });
        assert_eq!(decisions(&mut account, &with_context), ["allowed", "explicitDeny", "implicitDeny"]);
        let boundary = json!({ "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }] });
        let bounded = json!({
            "ContextEntries": context,
            "PermissionsBoundaryPolicyInputList": [boundary.to_string()],
        });
        assert_eq!(decisions(&mut account, &bounded), ["implicitDeny", "explicitDeny", "implicitDeny"]);
    }

    /// `EvaluationResult`: what the organization and a boundary say is told besides, whoever denies.
    #[test]
    fn the_organization_and_boundaries_are_told_of() {
        let mut account = Account::new();
        let deny = json!({ "Statement": [{ "Effect": "Deny", "Action": "ec2:*", "Resource": "*" }] });
        let policy = json!({
            "Name": "p", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": deny.to_string(),
        });
        let made = account.ok("organizations:CreatePolicy", policy);
        let id = made["Policy"]["PolicySummary"]["Id"].clone();
        account.ok("organizations:AttachPolicy", json!({ "PolicyId": id, "TargetId": "222222222222" }));
        let allow = json!({ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
        let boundary = json!({ "Statement": [{ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" }] });
        account.other(|other| {
            let wanted = json!({
                "PolicySourceArn": "arn:aws:iam::222222222222:role/Deployer",
                "ActionNames": ["ec2:CreateVpc", "iam:GetRole"],
                "PolicyInputList": [allow.to_string()],
                "PermissionsBoundaryPolicyInputList": [boundary.to_string()],
            });
            let answer = other.ok("iam:SimulatePrincipalPolicy", wanted);
            let results: Vec<_> = answer["EvaluationResults"].as_array().into_iter().flatten().collect();
            let details = |result: &Value| {
                json!([
                    result["EvalDecision"],
                    result["OrganizationsDecisionDetail"]["AllowedByOrganizations"],
                    result["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"],
                ])
            };
            assert_eq!(details(results[0]), json!(["explicitDeny", false, true]));
            assert_eq!(details(results[1]), json!(["implicitDeny", true, false]));
        });
    }

    #[test]
    fn missing_keys_are_named_and_pages_cut() {
        let mut account = Account::new();
        account.ok("iam:CreateUser", json!({ "UserName": "somebody" }));
        let document = json!({ "Statement": [{
            "Effect": "Allow", "Action": "ec2:*", "Resource": "*",
            "Condition": { "StringEquals": { "ec2:Vpc": "v" } },
        }] });
        let wanted = json!({
            "PolicySourceArn": "arn:aws:iam::111111111111:user/somebody",
            "ActionNames": ["ec2:CreateVpc", "iam:GetRole"],
            "PolicyInputList": [document.to_string()],
            "MaxItems": 1,
        });
        let answer = account.ok("iam:SimulatePrincipalPolicy", wanted);
        assert_eq!(answer["EvaluationResults"][0]["MissingContextValues"], json!(["ec2:vpc"]));
        assert_eq!(answer["IsTruncated"], true);
    }

    #[test]
    fn wrong_simulations_are_refused() {
        let mut account = Account::new();
        for (source, action, code) in [
            ("arn:aws:iam::111111111111:user/none", "ec2:CreateVpc", "NoSuchEntity"),
            ("arn:aws:iam::111111111111:root", "ec2:CreateVpc", "InvalidInput"),
            ("arn:aws:iam::222222222222:role/Deployer", "ec2:CreateVpc", "InvalidInput"),
            ("arn:aws:iam::111111111111:role/Deployer", "CreateVpc", "InvalidInput"),
        ] {
            let wanted = json!({ "PolicySourceArn": source, "ActionNames": [action] });
            account.refused("iam:SimulatePrincipalPolicy", wanted, code);
        }
    }
}

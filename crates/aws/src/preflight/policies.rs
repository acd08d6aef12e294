//! What the policies of the organization forbid.

use std::collections::BTreeSet;

use aws_sdk_organizations::operation::list_policies_for_target::ListPoliciesForTargetOutput;
use aws_sdk_organizations::types::PolicyType;
use serde_json::Value as Json;
use straddle_engine::address::AccountName;
use straddle_engine::permission::{Grant, Need};
use straddle_engine::preflight::{Check, Finding, Subject};
use straddle_engine::provider::{Account, Connection, ProviderError};

use super::listed;
use crate::client::Client;
use crate::error::failed;

/// What the policies of the organization forbid, as far as somebody may read them.
pub(crate) struct ServiceControlPolicies;

impl Check for ServiceControlPolicies {
    const NAME: &'static str = "service_control_policies";
    const ABOUT: &'static str = "no policy of the organization forbids what the plan needs";
    const PERMISSIONS: &'static [Need] = &[Need::read(&[
        "organizations:ListParents",
        "organizations:ListPoliciesForTarget",
        "organizations:DescribePolicy",
    ])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let grants = subject.grants();
        let accounts: Vec<_> = subject.accounts().collect();
        let mut last = None;
        for (reader, connection) in &accounts {
            match read_all(connection.client(), &accounts).await {
                Ok(policies) => return judge_policies(&grants, &policies),
                Err(error) => last = Some(Finding::unable(&reader.name, &error)),
            }
        }
        last.into_iter().collect()
    }
}

/// A policy of the organization, and the account that it holds for.
struct Held {
    account: AccountName,
    name: String,
    content: Json,
}

async fn read_all(client: &Client, accounts: &[(&Account, &Connection)]) -> Result<Vec<Held>, ProviderError> {
    let mut held = Vec::new();
    for (account, _) in accounts {
        let mut target = account.id.clone();
        loop {
            held.extend(read(client, &account.name, &target).await?);
            let parents = client.organizations.reads.list_parents().child_id(&target).send().await;
            let parents = parents.map_err(failed("ListParents"))?;
            // The root has none.
            let Some(parent) = parents.parents().first().and_then(|parent| parent.id()) else { break };
            target = parent.to_owned();
            if target.starts_with("r-") {
                held.extend(read(client, &account.name, &target).await?);
                break;
            }
        }
    }
    Ok(held)
}

async fn read(client: &Client, account: &AccountName, target: &str) -> Result<Vec<Held>, ProviderError> {
    let organizations = &client.organizations.reads;
    let call = organizations.list_policies_for_target().target_id(target);
    let pages = call.filter(PolicyType::ServiceControlPolicy).into_paginator().send();
    let pages = pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("ListPoliciesForTarget"))?;
    let mut held = Vec::new();
    for policy in pages.iter().flat_map(ListPoliciesForTargetOutput::policies) {
        let call = organizations.describe_policy().policy_id(policy.id().unwrap_or_default());
        let answer = call.send().await.map_err(failed("DescribePolicy"))?;
        let content = answer.policy().and_then(|policy| policy.content()).unwrap_or_default();
        held.push(Held {
            account: account.clone(),
            name: policy.name().unwrap_or_default().to_owned(),
            content: serde_json::from_str(content).unwrap_or_default(),
        });
    }
    Ok(held)
}

fn judge_policies(grants: &[Grant], policies: &[Held]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Held { account, name, content } in policies {
        let needed =
            grants.iter().filter(|grant| grant.account == *account).map(|grant| grant.action.as_str());
        let needed: BTreeSet<_> = needed.collect();
        for statement in many(&content["Statement"]).filter(|statement| statement["Effect"] == "Deny") {
            let denied: Vec<_> = needed.iter().filter(|action| concerns(statement, action)).collect();
            if denied.is_empty() {
                continue;
            }
            // Conditions and resources may leave out what the plan does.
            findings.push(Finding::warning(
                account,
                format!(
                    "The policy {name} of the organization denies {}, at least in some cases.",
                    listed(&denied)
                ),
                "Look at its conditions with whoever manages the organization.",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(None, "No policy of the organization denies what the plan needs."));
    }
    findings
}

fn concerns(statement: &Json, action: &str) -> bool {
    let named =
        |name: &str| many(&statement[name]).filter_map(Json::as_str).any(|pattern| matches(pattern, action));
    if statement.get("NotAction").is_some() { !named("NotAction") } else { named("Action") }
}

/// A single value is the same as a list of it.
fn many(value: &Json) -> impl Iterator<Item = &Json> {
    let list = value.as_array();
    let single = list.is_none().then_some(value).filter(|value| !value.is_null());
    list.into_iter().flatten().chain(single)
}

/// Tells whether a pattern with `*` and `?` in it stands for an action; capitals do not matter.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_lowercase(), action.to_lowercase());
    let (pattern, action) = (pattern.as_bytes(), action.as_bytes());
    let (mut at, mut text, mut star) = (0, 0, None);
    while text < action.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, text));
            at += 1;
        } else if pattern.get(at).is_some_and(|byte| *byte == b'?' || *byte == action[text]) {
            (at, text) = (at + 1, text + 1);
        } else if let Some((after, from)) = star {
            // The star takes one character more.
            star = Some((after, from + 1));
            (at, text) = (after + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use straddle_engine::preflight::Verdict;

    use super::*;

    #[test]
    fn policies_of_the_organization_are_searched_for_what_is_needed() {
        let network = AccountName::new("network");
        let grant = |action: &str| Grant {
            account: network.clone(),
            action: action.to_owned(),
            conditions: BTreeMap::new(),
            resources: BTreeSet::new(),
        };
        let verdict = |statement: Json| {
            let content = json!({ "Statement": statement });
            let held = Held { account: network.clone(), name: "p".to_owned(), content };
            judge_policies(&[grant("ec2:CreateVpc")], &[held])[0].verdict
        };
        assert_eq!(verdict(json!([{ "Effect": "Allow", "Action": "*" }])), Verdict::Ok);
        assert_eq!(verdict(json!({ "Effect": "Deny", "Action": ["ec2:create*"] })), Verdict::Warning);
        assert_eq!(verdict(json!({ "Effect": "Deny", "NotAction": "ec2:*" })), Verdict::Ok);
        assert_eq!(verdict(json!({ "Effect": "Deny", "NotAction": "iam:*" })), Verdict::Warning);
        assert!(matches("*:Create?pc", "ec2:CreateVpc") && !matches("ec2:Delete*", "ec2:CreateVpc"));
    }
}

//! Whether the callers may do what the plan needs: by their policies, and by what EC2 says.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};
use futures::future::join_all;
use straddle_engine::address::AccountName;
use straddle_engine::permission::{Grant, Need};
use straddle_engine::preflight::{Check, Finding, Subject};
use straddle_engine::provider::{Account, Connection, ErrorClass, ProviderError};

use super::found;
use crate::client::Client;
use crate::error::failed;

/// What IAM says that the caller's policies allow.
pub(crate) struct Simulation;

impl Check for Simulation {
    const NAME: &'static str = "permissions";
    const ABOUT: &'static str = "the policies of each caller allow what the plan needs";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["iam:SimulatePrincipalPolicy", "iam:GetRole"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let grants = subject.grants();
        let looks = subject.accounts().map(|(account, connection)| {
            let grants = grants.iter().filter(|grant| grant.account == account.name).collect();
            async move { found(&account.name, simulate(account, connection.client(), grants).await) }
        });
        join_all(looks).await.concat()
    }
}

async fn simulate(
    account: &Account,
    client: &Client,
    grants: Vec<&Grant>,
) -> Result<Vec<Finding>, ProviderError> {
    let name = &account.name;
    let identity = client.sts.get_caller_identity().send().await.map_err(failed("GetCallerIdentity"))?;
    let caller = identity.arn().unwrap_or_default();
    let Some(principal) = principal(caller) else {
        return Ok(vec![Finding::skipped(name, format!("IAM simulates no policies of {caller}."))]);
    };
    let source = match principal {
        Principal::User => caller.to_owned(),
        Principal::Role(role) => role_arn(client, caller, role).await,
    };
    let mut questions = BTreeMap::<_, Vec<_>>::new();
    for grant in grants {
        questions.entry((&grant.resources, &grant.conditions)).or_default().push(grant.action.clone());
    }
    let answers = questions.into_iter().map(|((resources, conditions), actions)| {
        let source = source.as_str();
        async move { ask(client, account, source, resources, conditions, actions).await }
    });
    let answers: Result<Vec<_>, _> = join_all(answers).await.into_iter().collect();
    Ok(judge_answers(name, &source, &answers?.concat()))
}

/// Whose policies decide about a caller.
#[derive(Debug, PartialEq, Eq)]
enum Principal<'a> {
    User,
    Role(&'a str),
}

/// Returns whose policies decide; `None` if IAM does not simulate them.
fn principal(caller: &str) -> Option<Principal<'_>> {
    let resource = caller.splitn(6, ':').nth(5)?;
    match resource.split('/').next()? {
        "user" => Some(Principal::User),
        "assumed-role" => resource.split('/').nth(1).map(Principal::Role),
        _ => None,
    }
}

/// Returns the ARN of a role, with its path if IAM may be asked for that.
async fn role_arn(client: &Client, caller: &str, role: &str) -> String {
    let answer = client.iam.reads.get_role().role_name(role).send().await;
    let found = answer.ok().and_then(|answer| answer.role().map(|role| role.arn().to_owned()));
    found.unwrap_or_else(|| {
        let mut parts = caller.split(':').skip(1);
        let partition = parts.next().unwrap_or("aws");
        let account = parts.nth(2).unwrap_or_default();
        format!("arn:{partition}:iam::{account}:role/{role}")
    })
}

/// How many actions are asked about in one call.
const ACTIONS: usize = 50;

async fn ask(
    client: &Client,
    account: &Account,
    source: &str,
    resources: &BTreeSet<String>,
    conditions: &BTreeMap<String, String>,
    actions: Vec<String>,
) -> Result<Vec<EvaluationResult>, ProviderError> {
    let mut results = Vec::new();
    for actions in actions.chunks(ACTIONS) {
        let call = client.iam.reads.simulate_principal_policy().policy_source_arn(source);
        let call = call.set_action_names(Some(actions.to_vec()));
        let call = call.set_resource_arns(Some(resources.iter().cloned().collect()));
        let call = call.set_context_entries(Some(context(account, conditions)));
        let pages = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
        results.extend(pages.map_err(failed("SimulatePrincipalPolicy"))?);
    }
    Ok(results)
}

fn context(account: &Account, conditions: &BTreeMap<String, String>) -> Vec<ContextEntry> {
    let region = [("aws:RequestedRegion", account.region.as_str())].into_iter();
    let given = conditions.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let entry = |(key, value): (&str, &str)| {
        let entry = ContextEntry::builder().context_key_name(key).context_key_values(value);
        entry.context_key_type(ContextKeyTypeEnum::String).build()
    };
    region.chain(given).map(entry).collect()
}

fn judge_answers(account: &AccountName, source: &str, answers: &[EvaluationResult]) -> Vec<Finding> {
    let mut denied = BTreeMap::<&str, BTreeSet<&str>>::new();
    let mut open = BTreeSet::new();
    for answer in answers {
        if *answer.eval_decision() == PolicyEvaluationDecisionType::Allowed {
            continue;
        }
        let action = answer.eval_action_name();
        if answer.missing_context_values().is_empty() {
            denied.entry(why(answer)).or_default().insert(action);
        } else {
            open.insert(action);
        }
    }
    let remedy = format!("Allow it; `straddle iam-policy --account {account}` prints what is needed.");
    let failed = denied.iter().map(|(why, actions)| {
        let actions: Vec<_> = actions.iter().copied().collect();
        let message = format!("{source} may not do what the plan needs: {} ({why}).", actions.join(", "));
        Finding::failed(account, message, remedy.clone())
    });
    let mut findings: Vec<_> = failed.collect();
    if !open.is_empty() {
        let open: Vec<_> = open.into_iter().collect();
        let message =
            format!("Whether {source} may do this depends on the call itself: {}.", open.join(", "));
        findings.push(Finding::warning(account, message, "Look at the conditions in the caller's policies."));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(account, format!("{source} may do what the plan needs.")));
    }
    findings
}

fn why(answer: &EvaluationResult) -> &'static str {
    let organization = answer.organizations_decision_detail();
    let boundary = answer.permissions_boundary_decision_detail();
    if organization.is_some_and(|detail| !detail.allowed_by_organizations()) {
        "a service control policy of the organization does not allow it"
    } else if boundary.is_some_and(|detail| !detail.allowed_by_permissions_boundary()) {
        "the permissions boundary does not allow it"
    } else if *answer.eval_decision() == PolicyEvaluationDecisionType::ExplicitDeny {
        "a policy denies it"
    } else {
        "no policy allows it"
    }
}

/// What EC2 says without doing it, which is also what a service control policy lets through.
pub(crate) struct DryRuns;

impl Check for DryRuns {
    const NAME: &'static str = "dry_runs";
    const ABOUT: &'static str = "EC2 would let the callers make networks, asked without making anything";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let kinds = ["vpc", "eip", "internet_gateway"];
        let made = kinds.iter().flat_map(|kind| subject.made(kind).map(move |item| (&item.account, *kind)));
        let made: BTreeSet<_> = made.collect();
        let looks = made.into_iter().map(|(name, kind)| async move {
            judge_dry_run(name, kind, dry_run(subject.account(name).1, kind).await)
        });
        join_all(looks).await
    }
}

/// Asks for something that is not made: the answer is always an error.
async fn dry_run(connection: &Connection, kind: &str) -> Result<(), ProviderError> {
    let ec2 = &connection.client::<Client>().ec2.reads;
    match kind {
        "vpc" => {
            let call = ec2.create_vpc().cidr_block("10.0.0.0/16").dry_run(true);
            call.send().await.map(drop).map_err(failed("CreateVpc"))
        }
        "eip" => {
            ec2.allocate_address().dry_run(true).send().await.map(drop).map_err(failed("AllocateAddress"))
        }
        _ => {
            let call = ec2.create_internet_gateway().dry_run(true);
            call.send().await.map(drop).map_err(failed("CreateInternetGateway"))
        }
    }
}

fn judge_dry_run(account: &AccountName, kind: &str, answer: Result<(), ProviderError>) -> Finding {
    match answer {
        Ok(()) => Finding::skipped(account, format!("What answers for EC2 does not know dry runs ({kind}).")),
        Err(error) if error.code == "DryRunOperation" => {
            Finding::ok(account, format!("EC2 would carry out {}.", error.operation))
        }
        Err(error) if error.class == ErrorClass::AccessDenied => Finding::failed(
            account,
            format!("EC2 does not allow {}: {}", error.operation, error.message),
            format!("Allow it; `straddle iam-policy --account {account}` prints what is needed."),
        ),
        Err(error) if error.code.ends_with("LimitExceeded") => Finding::failed(
            account,
            format!("EC2 does not carry out {}: {}", error.operation, error.message),
            "Ask for more in Service Quotas, or delete what is not used any more.",
        ),
        Err(error) => Finding::unable(account, &error),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_iam::types::OrganizationsDecisionDetail;
    use straddle_engine::preflight::Verdict;

    use super::*;

    fn answer(action: &str, decision: PolicyEvaluationDecisionType) -> EvaluationResult {
        let answer = EvaluationResult::builder().eval_action_name(action).eval_decision(decision);
        answer.build().expect("it has what it needs")
    }

    #[test]
    fn the_principal_is_a_user_or_the_role_of_a_session() {
        assert_eq!(principal("arn:aws:iam::111122223333:user/team/ada"), Some(Principal::User));
        let session = "arn:aws:sts::111122223333:assumed-role/Deployer/straddle-shop";
        assert_eq!(principal(session), Some(Principal::Role("Deployer")));
        assert_eq!(principal("arn:aws:iam::111122223333:root"), None);
    }

    #[test]
    fn what_is_denied_is_named_with_its_reason() {
        let network = AccountName::new("network");
        let allowed = answer("ec2:CreateVpc", PolicyEvaluationDecisionType::Allowed);
        let ok = judge_answers(&network, "arn:r", std::slice::from_ref(&allowed));
        assert_eq!(ok[0].verdict, Verdict::Ok);
        let implicit = answer("ec2:CreateSubnet", PolicyEvaluationDecisionType::ImplicitDeny);
        let mut organization = answer("eks:CreateCluster", PolicyEvaluationDecisionType::ImplicitDeny);
        organization.organizations_decision_detail =
            Some(OrganizationsDecisionDetail::builder().allowed_by_organizations(false).build());
        let mut open = answer("iam:PassRole", PolicyEvaluationDecisionType::ImplicitDeny);
        open.missing_context_values = Some(vec!["aws:PrincipalTag/team".to_owned()]);
        let findings = judge_answers(&network, "arn:r", &[allowed, implicit, organization, open]);
        let texts: Vec<_> = findings.iter().map(|one| (one.verdict, one.message.as_str())).collect();
        assert_eq!(
            texts,
            [
                (
                    Verdict::Failed,
                    "arn:r may not do what the plan needs: eks:CreateCluster (a service control policy of the organization does not allow it)."
                ),
                (
                    Verdict::Failed,
                    "arn:r may not do what the plan needs: ec2:CreateSubnet (no policy allows it)."
                ),
                (Verdict::Warning, "Whether arn:r may do this depends on the call itself: iam:PassRole."),
            ]
        );
    }

    #[test]
    fn a_dry_run_is_always_an_error_and_only_a_denial_fails() {
        let network = AccountName::new("network");
        let error = |class, code: &str| ProviderError {
            code: code.to_owned(),
            ..ProviderError::new(class, "CreateVpc", "text")
        };
        let verdict = |answer| judge_dry_run(&network, "vpc", answer).verdict;
        assert_eq!(verdict(Err(error(ErrorClass::Rejected, "DryRunOperation"))), Verdict::Ok);
        assert_eq!(verdict(Err(error(ErrorClass::AccessDenied, "UnauthorizedOperation"))), Verdict::Failed);
        assert_eq!(verdict(Err(error(ErrorClass::Rejected, "InvalidParameterValue"))), Verdict::Skipped);
        assert_eq!(verdict(Err(error(ErrorClass::Rejected, "VpcLimitExceeded"))), Verdict::Failed);
        assert_eq!(verdict(Ok(())), Verdict::Skipped);
    }
}

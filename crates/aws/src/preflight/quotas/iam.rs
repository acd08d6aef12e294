//! Room for roles, policies and identity providers, of which IAM tells by itself.

use std::collections::BTreeMap;

use futures::future::join_all;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Subject, Verdict};

use super::{changes, judge};
use crate::client::Client;
use crate::error::failed;
use crate::preflight::found;

/// The quotas that IAM tells of itself.
pub(crate) struct IamQuotas;

/// Kinds, and what the summary of an account calls them and how many there may be.
const IAM: &[(&str, &str, &str, Limit)] = &[
    ("iam_role", "roles", "Roles", Limit::Told("RolesQuota")),
    ("iam_policy", "policies", "Policies", Limit::Told("PoliciesQuota")),
    ("iam_instance_profile", "instance profiles", "InstanceProfiles", Limit::Told("InstanceProfilesQuota")),
    // The quotas of IAM are kept in one region of the partition, and this one is not in the summary
    // ("IAM and AWS STS quotas", IAM user guide).
    ("iam_openid_connect_provider", "identity providers", "Providers", Limit::ByDefault(100)),
];

/// How many there may be.
enum Limit {
    /// As the summary says, under this name.
    Told(&'static str),
    /// So many, if nobody asked for more.
    ByDefault(i32),
}

impl Check for IamQuotas {
    const NAME: &'static str = "iam_quotas";
    const ABOUT: &'static str = "there is room for roles, policies and profiles";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["iam:GetAccountSummary"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let mut wanted = BTreeMap::<_, Vec<_>>::new();
        for row in IAM {
            for (account, change) in changes(subject, row.0).into_iter().filter(|(_, change)| change.made > 0)
            {
                wanted.entry(account).or_default().push((row, change));
            }
        }
        let looks = wanted.into_iter().map(|(account, rows)| async move {
            let client: &Client = subject.account(account).1.client();
            let answer =
                client.iam.reads.get_account_summary().send().await.map_err(failed("GetAccountSummary"));
            let findings = answer.map(|answer| {
                let number = |key: &str| {
                    let summary = answer.summary_map().into_iter().flatten();
                    summary.filter(|(name, _)| name.as_str() == key).map(|(_, number)| *number).next()
                };
                let judged = rows.into_iter().filter_map(|((_, things, there, limit), change)| {
                    let there = usize::try_from(number(there)?).ok()?;
                    let finding = |limit: i32| judge(account, things, f64::from(limit), there, change);
                    Some(match limit {
                        Limit::Told(name) => finding(number(name)?),
                        Limit::ByDefault(limit) => as_warning(finding(*limit)),
                    })
                });
                judged.collect()
            });
            found(account, findings)
        });
        join_all(looks).await.concat()
    }
}

/// More than is given by default may have been agreed on.
fn as_warning(finding: Finding) -> Finding {
    Finding { verdict: finding.verdict.min(Verdict::Warning), ..finding }
}

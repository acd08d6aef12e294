//! Whose credentials these are, and where they lead.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Subject};
use straddle_engine::provider::{Account, ProviderError};

use super::found;
use crate::client::Client;
use crate::error::failed;

/// The credentials. That they are the right account's is proven before any check runs.
pub(crate) struct Credentials;

impl Check for Credentials {
    const NAME: &'static str = "credentials";
    const ABOUT: &'static str = "the credentials of each account are those of somebody who should do this";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let looks = subject.accounts().map(|(account, connection)| async move {
            found(&account.name, caller(account, connection.client()).await)
        });
        join_all(looks).await.concat()
    }
}

async fn caller(account: &Account, client: &Client) -> Result<Vec<Finding>, ProviderError> {
    let answer = client.sts.get_caller_identity().send().await.map_err(failed("GetCallerIdentity"))?;
    Ok(vec![judge_caller(account, answer.arn().unwrap_or_default())])
}

fn judge_caller(account: &Account, arn: &str) -> Finding {
    let Account { name, id, sandbox, .. } = account;
    if arn.ends_with(":root") && sandbox.is_none() {
        return Finding::warning(
            name,
            format!("The credentials are those of the root user of {id}, whom no policy holds back."),
            "Take those of a role; `straddle iam-policy` prints what it has to be allowed.",
        );
    }
    Finding::ok(name, format!("{arn} acts in {id}."))
}

/// The regions and partitions.
pub(crate) struct Regions;

impl Check for Regions {
    const NAME: &'static str = "regions";
    const ABOUT: &'static str = "the region of each account is switched on, and all are in one partition";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["ec2:DescribeRegions"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let looks = subject.accounts().map(|(account, connection)| async move {
            found(&account.name, region(account, connection.client()).await)
        });
        let mut findings = join_all(looks).await.concat();
        let accounts: Vec<_> = subject
            .accounts()
            .map(|(account, connection)| (account, connection.client::<Client>().place.partition.as_str()))
            .collect();
        findings.extend(judge_accounts(&accounts));
        findings
    }
}

async fn region(account: &Account, client: &Client) -> Result<Vec<Finding>, ProviderError> {
    let call = client.ec2.reads.describe_regions().all_regions(true).region_names(&account.region);
    let answer = call.send().await.map_err(failed("DescribeRegions"))?;
    let status = answer.regions().first().and_then(|region| region.opt_in_status());
    Ok(vec![judge_region(account, status)])
}

fn judge_region(account: &Account, status: Option<&str>) -> Finding {
    let Account { name, region, .. } = account;
    match status {
        Some("not-opted-in") => Finding::failed(
            name,
            format!("The region {region} is not switched on in this account."),
            format!("Switch it on: `aws account enable-region --region-name {region}`."),
        ),
        None => Finding::failed(
            name,
            format!("EC2 does not know the region {region}."),
            format!("Correct `region` in `[account.{name}]`."),
        ),
        Some(_) => Finding::ok(name, format!("The region {region} is switched on.")),
    }
}

fn judge_accounts(accounts: &[(&Account, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let partitions: BTreeSet<_> = accounts.iter().map(|(_, partition)| *partition).collect();
    if partitions.len() > 1 {
        let partitions: Vec<_> = partitions.into_iter().collect();
        findings.push(Finding::failed(
            None,
            format!(
                "The accounts are in several partitions: {}. Nothing reaches from one to the other.",
                partitions.join(", ")
            ),
            "Give each partition a spec of its own.",
        ));
    }
    let mut names = BTreeMap::<_, Vec<_>>::new();
    for (account, _) in accounts {
        names.entry((&account.id, &account.region)).or_default().push(account.name.to_string());
    }
    for ((id, region), names) in names.into_iter().filter(|(_, names)| names.len() > 1) {
        findings.push(Finding::warning(
            None,
            format!(
                "{} are the same account {id} in {region}; nothing is shared between them.",
                names.join(" and ")
            ),
            "Check the ids, if they are meant to be different accounts.",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;
    use crate::preflight::testing::account;

    #[test]
    fn a_root_user_is_warned_of() {
        let network = account("network");
        let verdict = |arn: &str| judge_caller(&network, arn).verdict;
        assert_eq!(verdict("arn:aws:iam::111122223333:root"), Verdict::Warning);
        assert_eq!(verdict("arn:aws:sts::111122223333:assumed-role/Deployer/x"), Verdict::Ok);
    }

    #[test]
    fn regions_have_to_be_known_and_switched_on() {
        let network = account("network");
        let verdict = |status| judge_region(&network, status).verdict;
        assert_eq!(verdict(Some("opt-in-not-required")), Verdict::Ok);
        assert_eq!(verdict(Some("opted-in")), Verdict::Ok);
        assert_eq!(verdict(Some("not-opted-in")), Verdict::Failed);
        assert_eq!(verdict(None), Verdict::Failed);
    }

    #[test]
    fn accounts_that_are_one_and_partitions_that_are_two_are_found() {
        let (network, apps) = (account("network"), account("apps"));
        assert!(judge_accounts(&[(&network, "aws"), (&apps, "aws")]).is_empty());
        let twice = judge_accounts(&[
            (&network, "aws"),
            (&Account { name: apps.name.clone(), ..network.clone() }, "aws"),
        ]);
        assert_eq!(twice[0].verdict, Verdict::Warning);
        assert_eq!(judge_accounts(&[(&network, "aws"), (&apps, "aws-cn")])[0].verdict, Verdict::Failed);
    }
}

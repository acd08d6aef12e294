//! What sharing between accounts stands on: the organization, what it allows, and the shares there are.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_organizations::operation::list_aws_service_access_for_organization::ListAwsServiceAccessForOrganizationOutput;
use aws_sdk_ram::operation::get_resource_share_invitations::GetResourceShareInvitationsOutput;
use aws_sdk_ram::operation::get_resource_shares::GetResourceSharesOutput;
use aws_sdk_ram::types::{ResourceOwner, ResourceShareInvitationStatus, ResourceShareStatus};
use futures::future::join_all;
use straddle_engine::address::AccountName;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Item, Subject};
use straddle_engine::provider::{Connection, ErrorClass, ProviderError};

use super::{found, listed};
use crate::client::Client;
use crate::error::failed;

const SHARE: &str = "ram_resource_share";
const RAM: &str = "ram.amazonaws.com";

/// The organization that the accounts of a share are in.
pub(crate) struct Organization;

impl Check for Organization {
    const NAME: &'static str = "organization";
    const ABOUT: &'static str = "accounts that share something are in one organization";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["organizations:DescribeOrganization"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let shares: Vec<_> = subject.lasting(SHARE).collect();
        let sharing = sharing_accounts(&shares, subject);
        let looks = sharing.into_iter().map(|name| async move {
            let (account, connection) = subject.account(name);
            (&account.name, organization(connection.client()).await)
        });
        judge_organizations(join_all(looks).await)
    }
}

/// Returns the accounts of the spec that share something with each other inside an organization.
fn sharing_accounts<'s>(shares: &[&'s Item], subject: &'s Subject<'_>) -> BTreeSet<&'s AccountName> {
    let by_id: BTreeMap<_, _> =
        subject.accounts().map(|(account, _)| (account.id.as_str(), &account.name)).collect();
    let inside = shares.iter().filter(|share| !share.is_true("allow_external_principals"));
    let accounts = inside.flat_map(|share| {
        let others = share.texts("principals").filter_map(|id| by_id.get(id).copied());
        others.chain([&share.account])
    });
    accounts.collect()
}

/// Returns the id of the organization; `None` if the account is in none.
async fn organization(client: &Client) -> Result<Option<String>, ProviderError> {
    let answer = client.organizations.reads.describe_organization().send().await;
    match answer.map_err(failed("DescribeOrganization")) {
        Ok(answer) => {
            let organization = answer.organization();
            Ok(organization.and_then(|organization| organization.id()).map(str::to_owned))
        }
        Err(error) if error.code == "AWSOrganizationsNotInUseException" => Ok(None),
        Err(error) => Err(error),
    }
}

type Found<'a> = (&'a AccountName, Result<Option<String>, ProviderError>);

fn judge_organizations(found: Vec<Found<'_>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ids = BTreeMap::<String, Vec<String>>::new();
    for (account, organization) in found {
        match organization {
            Ok(Some(id)) => ids.entry(id).or_default().push(account.to_string()),
            Ok(None) => findings.push(Finding::failed(
                account,
                "The account is in no organization, and subnets are shared inside one only.",
                "Let the organization invite the account.",
            )),
            Err(error) => findings.push(Finding::unable(account, &error)),
        }
    }
    let named: Vec<_> = ids.iter().map(|(id, accounts)| format!("{id} ({})", accounts.join(", "))).collect();
    if ids.len() > 1 {
        findings.push(Finding::failed(
            None,
            format!("The accounts are in different organizations: {}.", named.join(", ")),
            "Subnets are shared inside one organization only: check the ids of the accounts.",
        ));
    } else if let Some(only) = named.first() {
        findings.push(Finding::ok(None, format!("All are in the organization {only}.")));
    }
    findings
}

/// Whether the organization lets its accounts share.
pub(crate) struct OrganizationSharing;

impl Check for OrganizationSharing {
    const NAME: &'static str = "organization_sharing";
    const ABOUT: &'static str = "the organization lets its accounts share";
    const PERMISSIONS: &'static [Need] =
        &[Need::read(&["organizations:ListAWSServiceAccessForOrganization"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let inside = |share: &&Item| !share.is_true("allow_external_principals");
        if !subject.made(SHARE).any(|share| inside(&share)) {
            return Vec::new();
        }
        if subject.lasting("ram_organization_sharing").next().is_some() {
            return vec![Finding::ok(None, "The spec looks after it: `ram_organization_sharing`.")];
        }
        let looks = subject
            .accounts()
            .map(|(account, connection)| async move { (&account.name, is_switched_on(connection).await) });
        judge_sharing(&join_all(looks).await)
    }
}

async fn is_switched_on(connection: &Connection) -> Result<bool, ProviderError> {
    let client: &Client = connection.client();
    let pages = client.organizations.reads.list_aws_service_access_for_organization().into_paginator();
    let pages = pages.send().collect::<Result<Vec<_>, _>>().await;
    let pages = pages.map_err(failed("ListAWSServiceAccessForOrganization"))?;
    let mut services =
        pages.iter().flat_map(ListAwsServiceAccessForOrganizationOutput::enabled_service_principals);
    Ok(services.any(|service| service.service_principal() == Some(RAM)))
}

/// Only the management account, or whom it has delegated something to, is answered.
fn judge_sharing(found: &[(&AccountName, Result<bool, ProviderError>)]) -> Vec<Finding> {
    let hint = "In the management account, run `aws ram enable-sharing-with-aws-organization`, or let the spec \
                do it: `ram_organization_sharing` with `enable = true`.";
    for (account, answer) in found {
        match answer {
            Ok(true) => return vec![Finding::ok(*account, "Sharing is switched on in the organization.")],
            Ok(false) => {
                let message = "Sharing is not switched on in the organization: RAM takes no account of it into a share.";
                return vec![Finding::failed(*account, message, hint)];
            }
            Err(_) => {}
        }
    }
    let is_known = |class| matches!(class, ErrorClass::AccessDenied | ErrorClass::Rejected);
    let unanswered = found.iter().filter_map(|(_, answer)| answer.as_ref().err());
    if unanswered.clone().all(|error| is_known(error.class)) {
        let message =
            "Whether sharing is switched on in the organization can be seen in its management account only.";
        return vec![Finding::warning(None, message, hint)];
    }
    found
        .iter()
        .filter_map(|(account, answer)| Some(Finding::unable(account, answer.as_ref().err()?)))
        .collect()
}

/// Shares that are there already, and invitations that wait.
pub(crate) struct Shares;

impl Check for Shares {
    const NAME: &'static str = "shares";
    const ABOUT: &'static str = "a new share is not there already, and no invitation waits";
    const PERMISSIONS: &'static [Need] =
        &[Need::read(&["ram:GetResourceShares", "ram:GetResourceShareInvitations"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let mut names = BTreeMap::<_, Vec<_>>::new();
        for share in subject.made(SHARE) {
            names.entry(&share.account).or_default().extend(share.text("name"));
        }
        let owners = names.into_iter().map(|(name, names)| async move {
            let client = subject.account(name).1.client();
            found(name, same_names(name, client, &names).await)
        });
        let guests: BTreeSet<_> = subject.made("ram_share_accepter").map(|item| &item.account).collect();
        let guests = guests.into_iter().map(|name| async move {
            found(name, invitations(name, subject.account(name).1.client()).await)
        });
        let (owners, guests) = futures::future::join(join_all(owners), join_all(guests)).await;
        [owners.concat(), guests.concat()].concat()
    }
}

async fn same_names(
    account: &AccountName,
    client: &Client,
    names: &[&str],
) -> Result<Vec<Finding>, ProviderError> {
    let call = client.ram.reads.get_resource_shares().resource_owner(ResourceOwner::SelfValue);
    let call = call.resource_share_status(ResourceShareStatus::Active);
    let pages = call.into_paginator().send().collect::<Result<Vec<_>, _>>().await;
    let pages = pages.map_err(failed("GetResourceShares"))?;
    let shares = pages.iter().flat_map(GetResourceSharesOutput::resource_shares);
    let there: Vec<_> = shares.filter_map(|share| share.name()).collect();
    Ok(vec![judge_names(account, names, &there)])
}

fn judge_names(account: &AccountName, names: &[&str], there: &[&str]) -> Finding {
    let taken: Vec<_> = names.iter().filter(|name| there.contains(name)).collect();
    if taken.is_empty() {
        return Finding::ok(account, "No share has the name of a new one.");
    }
    Finding::warning(
        account,
        format!(
            "There are shares with the names of new ones: {}. There will be two of each.",
            listed(&taken)
        ),
        "If they are meant, import them; else give the new ones other names.",
    )
}

async fn invitations(account: &AccountName, client: &Client) -> Result<Vec<Finding>, ProviderError> {
    let call = client.ram.reads.get_resource_share_invitations();
    let pages = call.into_paginator().send().collect::<Result<Vec<_>, _>>().await;
    let pages = pages.map_err(failed("GetResourceShareInvitations"))?;
    let found = pages.iter().flat_map(GetResourceShareInvitationsOutput::resource_share_invitations);
    let waiting = found.filter(|one| one.status() == Some(&ResourceShareInvitationStatus::Pending));
    let names: Vec<_> = waiting.filter_map(|one| one.resource_share_name()).collect();
    Ok(vec![match names.as_slice() {
        [] => Finding::ok(account, "No invitation waits; one comes once the share is made."),
        names => Finding::ok(account, format!("Invitations wait to be accepted: {}.", listed(names))),
    }])
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;

    fn denied() -> ProviderError {
        ProviderError::new(ErrorClass::AccessDenied, "DescribeOrganization", "no")
    }

    fn verdicts(findings: &[Finding]) -> Vec<Verdict> {
        findings.iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn accounts_that_share_have_to_be_in_one_organization() {
        let [network, apps] = ["network", "apps"].map(AccountName::new);
        let judge = |one: Result<Option<&str>, ProviderError>, other: Result<Option<&str>, ProviderError>| {
            let owned = |result: Result<Option<&str>, _>| result.map(|id| id.map(str::to_owned));
            verdicts(&judge_organizations(vec![(&network, owned(one)), (&apps, owned(other))]))
        };
        assert_eq!(judge(Ok(Some("o-1")), Ok(Some("o-1"))), [Verdict::Ok]);
        assert_eq!(judge(Ok(Some("o-1")), Ok(Some("o-2"))), [Verdict::Failed]);
        assert_eq!(judge(Ok(Some("o-1")), Ok(None)), [Verdict::Failed, Verdict::Ok]);
        assert_eq!(judge(Ok(Some("o-1")), Err(denied())), [Verdict::Skipped, Verdict::Ok]);
    }

    #[test]
    fn whether_sharing_is_on_is_known_where_anybody_is_answered() {
        let [network, management] = ["network", "management"].map(AccountName::new);
        let judge = |answer| verdicts(&judge_sharing(&[(&network, Err(denied())), (&management, answer)]));
        assert_eq!(judge(Ok(true)), [Verdict::Ok]);
        assert_eq!(judge(Ok(false)), [Verdict::Failed]);
        assert_eq!(judge(Err(denied())), [Verdict::Warning]);
        let throttled = ProviderError::new(ErrorClass::Throttled, "x", "slow down");
        assert_eq!(judge(Err(throttled)), [Verdict::Skipped, Verdict::Skipped]);
    }

    #[test]
    fn a_share_of_the_same_name_is_warned_of() {
        let network = AccountName::new("network");
        assert_eq!(judge_names(&network, &["a"], &["b"]).verdict, Verdict::Ok);
        assert_eq!(judge_names(&network, &["a"], &["b", "a"]).verdict, Verdict::Warning);
    }
}

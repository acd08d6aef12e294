//! Zones: what each account calls them, and which of them take a cluster.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use straddle_engine::address::AccountName;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Item, Subject};
use straddle_engine::provider::ProviderError;
use straddle_engine::value::Value;

use crate::client::Client;
use crate::error::failed;
use crate::zones::{REFUSED_BY_EKS, refused_by_eks};

/// A zone as an account sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Zone {
    id: String,
    name: String,
    is_available: bool,
}

/// Whether every account has the zones that its things are to be in.
pub(crate) struct Zones;

impl Check for Zones {
    const NAME: &'static str = "zones";
    const ABOUT: &'static str = "the zones of subnets exist in every account that uses them";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["ec2:DescribeAvailabilityZones"])];
    const TOLD_AS: Option<&'static str> = Some("Zones, as each account calls them");

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let wanted = wanted(subject);
        let accounts: BTreeSet<_> = wanted.iter().flat_map(|wanted| &wanted.accounts).collect();
        let looks = accounts
            .into_iter()
            .map(|name| async move { (name.clone(), zones(subject.account(name).1.client()).await) });
        let mut known = BTreeMap::new();
        let mut findings = Vec::new();
        for (account, zones) in join_all(looks).await {
            match zones {
                Ok(zones) => drop(known.insert(account, zones)),
                Err(error) => findings.push(Finding::unable(&account, &error)),
            }
        }
        findings.extend(judge(&wanted, &known));
        findings
    }
}

/// The zone of a subnet, and the accounts that use the subnet: its own first.
struct Wanted {
    subnet: String,
    zone: String,
    accounts: Vec<AccountName>,
}

fn wanted(subject: &Subject<'_>) -> Vec<Wanted> {
    let mut guests = BTreeMap::<_, BTreeSet<_>>::new();
    for crossing in subject.crossings() {
        let user = subject.items().find(|item| item.address == crossing.resource);
        guests.entry(&crossing.thing).or_default().extend(user.map(|user| &user.account));
    }
    let subnets = subject.made("subnet").filter_map(|subnet| {
        let zone = zone_of(subnet)?;
        let guests =
            guests.get(&subnet.address).into_iter().flatten().filter(|name| **name != &subnet.account);
        let accounts = [&subnet.account].into_iter().chain(guests.copied()).cloned().collect();
        Some(Wanted { subnet: subnet.address.to_string(), zone: zone.to_owned(), accounts })
    });
    subnets.collect()
}

/// Returns the zone of a subnet as the spec says it, by id or by the name that its account has.
fn zone_of(subnet: &Item) -> Option<&str> {
    subnet.text("availability_zone_id").or_else(|| subnet.text("availability_zone"))
}

async fn zones(client: &Client) -> Result<Vec<Zone>, ProviderError> {
    let answer = client.ec2.reads.describe_availability_zones().all_availability_zones(true).send().await;
    let answer = answer.map_err(failed("DescribeAvailabilityZones"))?;
    let zone = |zone: &aws_sdk_ec2::types::AvailabilityZone| {
        let state = zone.state().map(aws_sdk_ec2::types::AvailabilityZoneState::as_str);
        Some(Zone {
            id: zone.zone_id()?.to_owned(),
            name: zone.zone_name()?.to_owned(),
            is_available: state.is_none_or(|state| state == "available"),
        })
    };
    Ok(answer.availability_zones().iter().filter_map(zone).collect())
}

fn judge(wanted: &[Wanted], known: &BTreeMap<AccountName, Vec<Zone>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = BTreeMap::<String, BTreeSet<&AccountName>>::new();
    for Wanted { subnet, zone, accounts } in wanted {
        let Some((owner, zones)) = accounts.first().and_then(|owner| Some((owner, known.get(owner)?))) else {
            continue;
        };
        let Some(found) = zones.iter().find(|known| known.id == *zone || known.name == *zone) else {
            let ids: Vec<_> = zones.iter().map(|zone| zone.id.as_str()).collect();
            findings.push(Finding::failed(
                owner,
                format!("There is no zone {zone} for {subnet}."),
                format!("The region has {}.", ids.join(", ")),
            ));
            continue;
        };
        used.entry(found.id.clone()).or_default().extend(accounts);
    }
    for (id, accounts) in used {
        findings.push(judge_zone(&id, &accounts, known));
    }
    findings
}

/// Tells the names of a zone in every account that uses it: `use1-az1 is us-east-1a in network`.
fn judge_zone(
    id: &str,
    accounts: &BTreeSet<&AccountName>,
    known: &BTreeMap<AccountName, Vec<Zone>>,
) -> Finding {
    let mut names = Vec::new();
    for account in accounts {
        let Some(zones) = known.get(*account) else { continue };
        match zones.iter().find(|zone| zone.id == id) {
            Some(zone) if zone.is_available => names.push(format!("{} in {account}", zone.name)),
            Some(zone) => {
                let message = format!("The zone {id} ({}) is not available.", zone.name);
                return Finding::failed(*account, message, "Take another zone.");
            }
            None => {
                let message = format!("The account does not have the zone {id}.");
                return Finding::failed(*account, message, "Take a zone that every account has.");
            }
        }
    }
    Finding::ok(None, format!("{id} is {}.", names.join(", ")))
}

/// Whether clusters have subnets in two zones, and in none that EKS refuses.
pub(crate) struct ClusterZones;

impl Check for ClusterZones {
    const NAME: &'static str = "cluster_zones";
    const ABOUT: &'static str =
        "clusters and load balancers have subnets in two zones, clusters in none that EKS refuses";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let spread =
            [("eks_cluster", "subnet_ids"), ("load_balancer", "subnet_ids"), ("load_balancer", "subnets")];
        let things = spread.into_iter().flat_map(|(kind, attribute)| {
            subject.lasting(kind).filter_map(move |item| Some((item, item.value(attribute)?.as_list()?)))
        });
        things.flat_map(|(item, subnets)| judge_spread(item, &zones_of(subnets, subject))).collect()
    }
}

/// Returns the zones of subnets; `None` for each of which it is not known.
fn zones_of<'s>(subnets: &[Value], subject: &'s Subject<'_>) -> Vec<Option<&'s str>> {
    subnets.iter().map(|subnet| subject.named(subnet).and_then(zone_of)).collect()
}

fn judge_spread(item: &Item, zones: &[Option<&str>]) -> Vec<Finding> {
    let Item { account, address, .. } = item;
    let mut findings = Vec::new();
    if item.kind.as_str() == "eks_cluster" {
        for zone in zones.iter().flatten().filter(|zone| refused_by_eks(zone)) {
            findings.push(Finding::failed(
                account,
                format!("{address} has a subnet in {zone}, where EKS puts no control plane."),
                format!("Take subnets in other zones; EKS refuses {}.", REFUSED_BY_EKS.join(", ")),
            ));
        }
    }
    let distinct: BTreeSet<_> = zones.iter().flatten().collect();
    let is_known = zones.iter().all(Option::is_some);
    findings.push(match distinct.len() {
        2.. => Finding::ok(account, format!("{address} is spread over {} zones.", distinct.len())),
        _ if !is_known => {
            Finding::skipped(account, format!("The zones of the subnets of {address} are not in the spec."))
        }
        _ => Finding::failed(
            account,
            format!("The subnets of {address} are all in one zone."),
            "Give it subnets in two zones at least.",
        ),
    });
    findings
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;
    use crate::preflight::testing::item;

    fn zone(id: &str, name: &str) -> Zone {
        Zone { id: id.to_owned(), name: name.to_owned(), is_available: true }
    }

    fn wanted(zone: &str, accounts: &[&'static str]) -> Wanted {
        let accounts = accounts.iter().map(|name| AccountName::new(*name)).collect();
        Wanted { subnet: "subnet.a".to_owned(), zone: zone.to_owned(), accounts }
    }

    fn known(apps: Vec<Zone>) -> BTreeMap<AccountName, Vec<Zone>> {
        let network = vec![zone("use1-az1", "us-east-1a"), zone("use1-az2", "us-east-1b")];
        [(AccountName::new("network"), network), (AccountName::new("apps"), apps)].into()
    }

    #[test]
    fn a_zone_has_a_name_in_each_account() {
        let known = known(vec![zone("use1-az1", "us-east-1d")]);
        let findings = judge(&[wanted("use1-az1", &["network", "apps"])], &known);
        let expected = "use1-az1 is us-east-1d in apps, us-east-1a in network.";
        assert_eq!((findings[0].verdict, findings[0].message.as_str()), (Verdict::Ok, expected));
        // By its name it is that of the subnet's own account.
        assert_eq!(judge(&[wanted("us-east-1a", &["network", "apps"])], &known), findings);
    }

    #[test]
    fn zones_that_an_account_does_not_have_fail() {
        let known = known(vec![Zone { is_available: false, ..zone("use1-az1", "us-east-1d") }]);
        let verdict = |zone, accounts: &[&'static str]| judge(&[wanted(zone, accounts)], &known)[0].verdict;
        assert_eq!(verdict("use1-az9", &["network"]), Verdict::Failed);
        assert_eq!(verdict("use1-az2", &["network", "apps"]), Verdict::Failed);
        assert_eq!(verdict("use1-az1", &["network", "apps"]), Verdict::Failed);
        assert_eq!(verdict("use1-az1", &["network"]), Verdict::Ok);
    }

    #[test]
    fn a_cluster_needs_two_zones_and_none_that_eks_refuses() {
        let cluster = item("eks_cluster", &[]);
        let verdicts = |zones: &[Option<&str>]| {
            judge_spread(&cluster, zones).iter().map(|finding| finding.verdict).collect::<Vec<_>>()
        };
        assert_eq!(verdicts(&[Some("use1-az1"), Some("use1-az2")]), [Verdict::Ok]);
        assert_eq!(verdicts(&[Some("use1-az1"), Some("use1-az1")]), [Verdict::Failed]);
        assert_eq!(verdicts(&[Some("use1-az1"), None]), [Verdict::Skipped]);
        assert_eq!(verdicts(&[Some("use1-az1"), Some("use1-az3")]), [Verdict::Failed, Verdict::Ok]);
    }
}

//! Versions of Kubernetes and of add-ons.

use std::collections::BTreeSet;

use aws_sdk_eks::types::{
    AddonInfo, Category, ClusterVersionInformation, Compatibility, InsightStatusValue, InsightSummary,
    InsightsFilter, VersionStatus,
};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Fate, Finding, Item, Subject};
use straddle_engine::provider::ProviderError;

use super::{found, listed};
use crate::client::Client;
use crate::error::failed;

const CLUSTER: &str = "eks_cluster";

/// Whether EKS offers and supports the versions of clusters.
pub(crate) struct Version;

impl Check for Version {
    const NAME: &'static str = "kubernetes_version";
    const ABOUT: &'static str = "EKS offers the Kubernetes versions of clusters, in standard support";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["eks:DescribeClusterVersions"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let clusters = subject.lasting(CLUSTER).filter(|cluster| cluster.text("version").is_some());
        let looks = clusters.map(|cluster| async move {
            let client = subject.account(&cluster.account).1.client();
            let offered = offered(client).await;
            found(
                &cluster.account,
                offered.map(|offered| vec![judge_version(cluster, &offered, subject.now())]),
            )
        });
        join_all(looks).await.concat()
    }
}

async fn offered(client: &Client) -> Result<Vec<ClusterVersionInformation>, ProviderError> {
    let call = client.eks.reads.describe_cluster_versions().include_all(true);
    let found = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    found.map_err(failed("DescribeClusterVersions"))
}

/// From when on the end of support is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(60 * 24);

fn judge_version(cluster: &Item, offered: &[ClusterVersionInformation], now: Timestamp) -> Finding {
    let Item { account, address, .. } = cluster;
    let version = cluster.text("version").unwrap_or_default();
    let Some(found) = offered.iter().find(|one| one.cluster_version() == Some(version)) else {
        let known: Vec<_> =
            offered.iter().filter(|one| is_supported(one)).filter_map(|one| one.cluster_version()).collect();
        let remedy = format!("EKS offers {}.", known.join(", "));
        return Finding::failed(
            account,
            format!("EKS does not offer Kubernetes {version} for {address}."),
            remedy,
        );
    };
    let chosen = ["upgrade_policy", "upgrade_policy.support_type"].iter().find_map(|path| cluster.text(path));
    let is_extended = chosen == Some("EXTENDED");
    match found.version_status() {
        Some(VersionStatus::ExtendedSupport) if is_extended => Finding::warning(
            account,
            format!(
                "Kubernetes {version} of {address} is in extended support, which costs extra for each hour."
            ),
            "Upgrade the cluster.",
        ),
        Some(VersionStatus::ExtendedSupport) => Finding::failed(
            account,
            format!("Kubernetes {version} of {address} is out of standard support."),
            "Take a later version, or choose extended support and its costs with `upgrade_policy = \"EXTENDED\"`.",
        ),
        Some(VersionStatus::Unsupported) => Finding::failed(
            account,
            format!("Kubernetes {version} of {address} is not supported any more."),
            "Take a later version.",
        ),
        _ => judge_end(cluster, version, found, is_extended, now),
    }
}

fn is_supported(version: &ClusterVersionInformation) -> bool {
    version.version_status() != Some(&VersionStatus::Unsupported)
}

/// Warns of the end of standard support.
fn judge_end(
    cluster: &Item,
    version: &str,
    found: &ClusterVersionInformation,
    is_extended: bool,
    now: Timestamp,
) -> Finding {
    let Item { account, address, .. } = cluster;
    let end = found.end_of_standard_support_date();
    let end = end.and_then(|end| Timestamp::from_second(end.secs()).ok());
    let Some(end) = end.filter(|end| end.duration_since(now) < SOON) else {
        return Finding::ok(account, format!("Kubernetes {version} of {address} is in standard support."));
    };
    let day = end.strftime("%Y-%m-%d");
    let what = if is_extended {
        "goes into extended support, which costs extra"
    } else {
        "is upgraded by EKS by itself"
    };
    Finding::warning(
        account,
        format!("Standard support of Kubernetes {version} ends on {day}; after that, {address} {what}."),
        "Plan the upgrade.",
    )
}

/// Whether a cluster is ready for another version.
pub(crate) struct Upgrade;

impl Check for Upgrade {
    const NAME: &'static str = "kubernetes_upgrade";
    const ABOUT: &'static str = "clusters that get another version are ready for it";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["eks:DescribeCluster", "eks:ListInsights"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let clusters = subject.lasting(CLUSTER).filter(|cluster| cluster.fate == Fate::Changed);
        let looks = clusters.map(|cluster| async move {
            let client = subject.account(&cluster.account).1.client();
            found(&cluster.account, upgrade(cluster, client).await)
        });
        join_all(looks).await.concat()
    }
}

async fn upgrade(cluster: &Item, client: &Client) -> Result<Vec<Finding>, ProviderError> {
    let (Some(name), Some(wanted)) = (cluster.text("name"), cluster.text("version")) else {
        return Ok(Vec::new());
    };
    let answer =
        client.eks.reads.describe_cluster().name(name).send().await.map_err(failed("DescribeCluster"))?;
    let version = answer.cluster().and_then(|cluster| cluster.version()).unwrap_or_default();
    if version == wanted {
        return Ok(Vec::new());
    }
    let filter = InsightsFilter::builder().categories(Category::UpgradeReadiness).build();
    let call = client.eks.reads.list_insights().cluster_name(name).filter(filter).into_paginator().items();
    let insights = call.send().collect::<Result<Vec<_>, _>>().await.map_err(failed("ListInsights"))?;
    Ok(judge_upgrade(cluster, version, wanted, &insights))
}

/// Returns the minor of a version such as `1.35`.
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

fn judge_upgrade(cluster: &Item, from: &str, to: &str, insights: &[InsightSummary]) -> Vec<Finding> {
    let Item { account, address, .. } = cluster;
    let mut findings = Vec::new();
    let steps = minor(to).zip(minor(from)).map(|(to, from)| i64::from(to) - i64::from(from));
    match steps {
        Some(..0) => findings.push(Finding::failed(
            account,
            format!("{address} has Kubernetes {from}, and no cluster goes back to {to}."),
            "Take the version that the cluster has, or a later one.",
        )),
        Some(2..) => findings.push(Finding::ok(
            account,
            format!("{address} goes from {from} to {to} one minor version after the other."),
        )),
        Some(0..=1) | None => {}
    }
    for insight in insights {
        let status = insight.insight_status();
        let reason = status.and_then(|status| status.reason()).unwrap_or_default();
        let text = format!("{}: {reason}", insight.name().unwrap_or_default());
        let remedy = "Put it right before the upgrade; `aws eks describe-insight` tells the details.";
        match status.and_then(|status| status.status()) {
            Some(InsightStatusValue::Error) => findings.push(Finding::failed(account, text, remedy)),
            Some(InsightStatusValue::Warning) => findings.push(Finding::warning(account, text, remedy)),
            _ => {}
        }
    }
    if findings.is_empty() {
        findings
            .push(Finding::ok(account, format!("EKS sees nothing against Kubernetes {to} in {address}.")));
    }
    findings
}

/// Whether add-ons fit their cluster's version and their own schema.
pub(crate) struct Addons;

impl Check for Addons {
    const NAME: &'static str = "addons";
    const ABOUT: &'static str = "add-ons exist for the version of their cluster, and know their settings";
    const PERMISSIONS: &'static [Need] =
        &[Need::read(&["eks:DescribeAddonVersions", "eks:DescribeAddonConfiguration"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let addons = subject.lasting("eks_addon").filter(|addon| addon.fate != Fate::Kept);
        let looks = addons.map(|addon| async move {
            let client = subject.account(&addon.account).1.client();
            found(&addon.account, addon_fits(addon, client, version_of_cluster(addon, subject)).await)
        });
        join_all(looks).await.concat()
    }
}

/// Returns the version of an add-on's cluster, which the add-on names by an attribute or by a text.
fn version_of_cluster<'s>(addon: &Item, subject: &'s Subject<'_>) -> Option<&'s str> {
    let name = addon.value("cluster_name")?;
    let same_name = |cluster: &&Item| cluster.account == addon.account && cluster.value("name") == Some(name);
    subject.named(name).or_else(|| subject.lasting(CLUSTER).find(same_name))?.text("version")
}

async fn addon_fits(
    addon: &Item,
    client: &Client,
    cluster: Option<&str>,
) -> Result<Vec<Finding>, ProviderError> {
    let (Some(name), eks) = (addon.text("name"), &client.eks.reads) else { return Ok(Vec::new()) };
    let call = eks.describe_addon_versions().addon_name(name);
    let call = call.set_kubernetes_version(cluster.map(str::to_owned)).into_paginator().items();
    let addons = call.send().collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeAddonVersions"))?;
    let mut findings = judge_addon(addon, name, cluster, &addons);
    let version = addon.text("version").or_else(|| default_version(&addons));
    let Some((version, values)) = version.zip(configuration(addon)) else { return Ok(findings) };
    let call = eks.describe_addon_configuration().addon_name(name).addon_version(version);
    let answer = call.send().await.map_err(failed("DescribeAddonConfiguration"))?;
    let schema = answer.configuration_schema().and_then(|text| serde_json::from_str(text).ok());
    findings.extend(schema.map(|schema: Json| judge_configuration(addon, &values, &schema)));
    Ok(findings)
}

fn configuration(addon: &Item) -> Option<BTreeSet<String>> {
    let value = addon.value("configuration_values")?;
    if let Some(table) = value.as_map() {
        return Some(table.keys().cloned().collect());
    }
    let text: Json = serde_json::from_str(value.as_str()?).ok()?;
    Some(text.as_object()?.keys().cloned().collect())
}

fn default_version(addons: &[AddonInfo]) -> Option<&str> {
    let mut versions = addons.iter().flat_map(AddonInfo::addon_versions);
    let is_default = |version: &&aws_sdk_eks::types::AddonVersionInfo| {
        version.compatibilities().iter().any(Compatibility::default_version)
    };
    versions.find(is_default)?.addon_version()
}

fn judge_addon(addon: &Item, name: &str, cluster: Option<&str>, addons: &[AddonInfo]) -> Vec<Finding> {
    let Item { account, address, .. } = addon;
    let cluster = cluster.map_or_else(String::new, |version| format!(" for Kubernetes {version}"));
    let versions: Vec<_> = addons
        .iter()
        .flat_map(AddonInfo::addon_versions)
        .filter_map(|version| version.addon_version())
        .collect();
    if versions.is_empty() {
        let message = format!("There is no add-on {name}{cluster} ({address}).");
        return vec![Finding::failed(
            account,
            message,
            "`aws eks describe-addon-versions` tells which there are.",
        )];
    }
    match addon.text("version") {
        Some(wanted) if !versions.contains(&wanted) => {
            let message = format!("There is no version {wanted} of the add-on {name}{cluster} ({address}).");
            vec![Finding::failed(account, message, format!("There are {}.", listed(&versions)))]
        }
        Some(_) | None => vec![Finding::ok(account, format!("{name} is there{cluster}."))],
    }
}

/// Looks for settings that the add-on does not know. What is inside them it says itself.
fn judge_configuration(addon: &Item, given: &BTreeSet<String>, schema: &Json) -> Finding {
    let Item { account, address, .. } = addon;
    let schema = schema
        .get("$ref")
        .and_then(Json::as_str)
        .and_then(|path| schema.pointer(path.trim_start_matches('#')))
        .unwrap_or(schema);
    let known = schema.get("properties").and_then(Json::as_object);
    let is_closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
    let unknown: Vec<_> = given
        .iter()
        .filter(|name| is_closed && known.is_some_and(|known| !known.contains_key(*name)))
        .collect();
    if unknown.is_empty() {
        return Finding::ok(account, format!("The settings of {address} are known to the add-on."));
    }
    let names: Vec<_> = known.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let message = format!("{address} has settings that the add-on does not know: {}.", listed(&unknown));
    Finding::failed(account, message, format!("It knows {}.", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use aws_sdk_eks::types::{AddonVersionInfo, InsightStatus};
    use serde_json::json;
    use straddle_engine::preflight::Verdict;
    use straddle_engine::value::Value;

    use super::*;
    use crate::preflight::testing::item;

    fn information(version: &str, status: VersionStatus) -> ClusterVersionInformation {
        // 2026-07-01.
        let end = aws_sdk_eks::primitives::DateTime::from_secs(1_782_864_000);
        let built = ClusterVersionInformation::builder().cluster_version(version).version_status(status);
        built.end_of_standard_support_date(end).build()
    }

    fn verdict(version: &str, policy: &str, now: &str) -> Verdict {
        let cluster =
            item(CLUSTER, &[("version", Value::from(version)), ("upgrade_policy", Value::from(policy))]);
        let offered = [
            information("1.35", VersionStatus::StandardSupport),
            information("1.31", VersionStatus::ExtendedSupport),
            information("1.27", VersionStatus::Unsupported),
        ];
        judge_version(&cluster, &offered, now.parse().expect("it is a time")).verdict
    }

    #[test]
    fn out_of_standard_support_fails_unless_extended_support_was_chosen() {
        let now = "2026-01-01T00:00:00Z";
        assert_eq!(verdict("1.35", "STANDARD", now), Verdict::Ok);
        assert_eq!(verdict("1.35", "STANDARD", "2026-06-01T00:00:00Z"), Verdict::Warning);
        assert_eq!(verdict("1.31", "STANDARD", now), Verdict::Failed);
        assert_eq!(verdict("1.31", "EXTENDED", now), Verdict::Warning);
        assert_eq!(verdict("1.27", "EXTENDED", now), Verdict::Failed);
        assert_eq!(verdict("1.99", "STANDARD", now), Verdict::Failed);
    }

    #[test]
    fn an_upgrade_goes_forwards_and_heeds_what_eks_sees() {
        let cluster = item(CLUSTER, &[]);
        let insight = |status| {
            let status = InsightStatus::builder().status(status).reason("deprecated APIs are used").build();
            InsightSummary::builder().name("APIs").insight_status(status).build()
        };
        let verdict =
            |from, to, insights: &[InsightSummary]| judge_upgrade(&cluster, from, to, insights)[0].verdict;
        assert_eq!(verdict("1.33", "1.35", &[]), Verdict::Ok);
        assert_eq!(verdict("1.35", "1.34", &[]), Verdict::Failed);
        assert_eq!(verdict("1.34", "1.35", &[insight(InsightStatusValue::Error)]), Verdict::Failed);
        assert_eq!(verdict("1.34", "1.35", &[insight(InsightStatusValue::Warning)]), Verdict::Warning);
        assert_eq!(verdict("1.34", "1.35", &[insight(InsightStatusValue::Passing)]), Verdict::Ok);
    }

    #[test]
    fn versions_and_settings_of_add_ons_have_to_exist() {
        let version = AddonVersionInfo::builder().addon_version("v1.2.3").build();
        let known = [AddonInfo::builder().addon_versions(version).build()];
        let addon = |version: &str| item("eks_addon", &[("version", Value::from(version))]);
        let verdict =
            |version: &str| judge_addon(&addon(version), "coredns", Some("1.35"), &known)[0].verdict;
        assert_eq!((verdict("v1.2.3"), verdict("v9")), (Verdict::Ok, Verdict::Failed));
        assert_eq!(judge_addon(&addon("v1"), "coredn", None, &[])[0].verdict, Verdict::Failed);
        let schema = json!({ "$ref": "#/definitions/Coredns", "definitions": { "Coredns": {
            "additionalProperties": false, "properties": { "replicaCount": {} },
        } } });
        let verdict =
            |name: &str| judge_configuration(&addon("v1"), &[name.to_owned()].into(), &schema).verdict;
        assert_eq!((verdict("replicaCount"), verdict("replicas")), (Verdict::Ok, Verdict::Failed));
    }
}

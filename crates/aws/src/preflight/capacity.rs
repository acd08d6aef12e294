//! The machines that node groups run on.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    ArchitectureType, Filter, InstanceType, InstanceTypeInfo, LocationType, ProcessorInfo,
};
use aws_sdk_servicequotas::types::ServiceQuota;
use futures::future::join_all;
use straddle_engine::address::AccountName;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Finding, Item, Subject};
use straddle_engine::provider::ProviderError;

use super::{found, listed};
use crate::client::Client;
use crate::error::failed;

pub(crate) const NODE_GROUP: &str = "eks_node_group";
/// What EKS takes if nothing is said (`CreateNodegroup`, EKS API reference).
const DEFAULT_TYPE: &str = "t3.medium";

/// Returns the instance types of a node group; none if its launch template says them.
pub(crate) fn instance_types(group: &Item) -> Vec<String> {
    let given: Vec<_> = group.texts("instance_types").map(str::to_owned).collect();
    if given.is_empty() && group.value("launch_template").is_none() && group.value("instance_types").is_none()
    {
        return vec![DEFAULT_TYPE.to_owned()];
    }
    given
}

/// Reads what is known of instance types.
pub(crate) async fn described(
    client: &Client,
    types: &BTreeSet<String>,
) -> Result<BTreeMap<String, InstanceTypeInfo>, ProviderError> {
    let types = types.iter().map(|name| InstanceType::from(name.as_str())).collect();
    let call = client.ec2.reads.describe_instance_types().set_instance_types(Some(types));
    let found = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let found = found.map_err(failed("DescribeInstanceTypes"))?;
    Ok(found.into_iter().filter_map(|info| Some((info.instance_type()?.as_str().to_owned(), info))).collect())
}

/// Whether the zones of node groups have the machines.
pub(crate) struct InstanceOfferings;

impl Check for InstanceOfferings {
    const NAME: &'static str = "instance_offerings";
    const ABOUT: &'static str = "the instance types of node groups are offered in their zones";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["ec2:DescribeInstanceTypeOfferings"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let looks = subject.made(NODE_GROUP).map(|group| async move {
            let client = subject.account(&group.account).1.client();
            found(&group.account, offerings(group, client, &zones(group, subject)).await)
        });
        join_all(looks).await.concat()
    }
}

fn zones(group: &Item, subject: &Subject<'_>) -> BTreeSet<String> {
    let subnets = group.list("subnet_ids").iter().filter_map(|subnet| subject.named(subnet));
    subnets.filter_map(|subnet| subnet.text("availability_zone_id")).map(str::to_owned).collect()
}

async fn offerings(
    group: &Item,
    client: &Client,
    zones: &BTreeSet<String>,
) -> Result<Vec<Finding>, ProviderError> {
    let types = instance_types(group);
    let filter = Filter::builder().name("instance-type").set_values(Some(types.clone())).build();
    let call = client.ec2.reads.describe_instance_type_offerings().filters(filter);
    let call = call.location_type(LocationType::AvailabilityZoneId).into_paginator().items();
    let found = call.send().collect::<Result<Vec<_>, _>>().await;
    let found = found.map_err(failed("DescribeInstanceTypeOfferings"))?;
    let offered =
        found.iter().filter_map(|offering| Some((offering.instance_type()?.as_str(), offering.location()?)));
    Ok(judge_offerings(group, &types, zones, &offered.collect()))
}

fn judge_offerings(
    group: &Item,
    types: &[String],
    zones: &BTreeSet<String>,
    offered: &BTreeSet<(&str, &str)>,
) -> Vec<Finding> {
    let Item { account, address, .. } = group;
    if types.is_empty() || zones.is_empty() {
        return vec![Finding::skipped(
            account,
            format!("The zones or instance types of {address} are not in the spec."),
        )];
    }
    let mut findings = Vec::new();
    for zone in zones {
        let missing: Vec<_> =
            types.iter().filter(|name| !offered.contains(&(name.as_str(), zone.as_str()))).collect();
        if missing.len() == types.len() {
            let message = format!(
                "None of the instance types of {address} is offered in {zone}: {}.",
                listed(&missing)
            );
            findings.push(Finding::failed(account, message, "Take other types or other zones."));
        } else if !missing.is_empty() {
            let message = format!("{} of {address} is not offered in {zone}.", listed(&missing));
            findings.push(Finding::warning(account, message, "The other types have to do there."));
        }
    }
    if findings.is_empty() {
        findings
            .push(Finding::ok(account, format!("{} is offered in {} zones.", listed(types), zones.len())));
    }
    findings
}

/// Whether images and machines of node groups fit.
pub(crate) struct InstanceArchitecture;

impl Check for InstanceArchitecture {
    const NAME: &'static str = "instance_architecture";
    const ABOUT: &'static str = "the images of node groups run on their instance types";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["ec2:DescribeInstanceTypes"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let looks = subject.made(NODE_GROUP).filter(|group| group.text("ami_type").is_some());
        let looks = looks.map(|group| async move {
            let client = subject.account(&group.account).1.client();
            let types = instance_types(group).into_iter().collect();
            let known = described(client, &types).await;
            found(&group.account, known.map(|known| judge_architecture(group, &known)))
        });
        join_all(looks).await.concat()
    }
}

fn judge_architecture(group: &Item, known: &BTreeMap<String, InstanceTypeInfo>) -> Vec<Finding> {
    let Item { account, address, .. } = group;
    let image = group.text("ami_type").unwrap_or_default();
    let wanted = if image.contains("ARM_64") { ArchitectureType::Arm64 } else { ArchitectureType::X8664 };
    if image == "CUSTOM" {
        return vec![Finding::skipped(account, format!("The image of {address} is its launch template's."))];
    }
    let fits = |info: &InstanceTypeInfo| {
        let supported = info.processor_info().map(ProcessorInfo::supported_architectures);
        supported.is_none_or(|supported| supported.contains(&wanted))
    };
    let misfits: Vec<_> = known.iter().filter(|(_, info)| !fits(info)).map(|(name, _)| name).collect();
    if misfits.is_empty() {
        return vec![Finding::ok(account, format!("{image} runs on the instance types of {address}."))];
    }
    let message = format!("{image} of {address} does not run on {}.", listed(&misfits));
    vec![Finding::failed(
        account,
        message,
        "Take an `ami_type` of the processor that the instance types have.",
    )]
}

/// Whether so many processors may run.
pub(crate) struct ProcessorQuota;

/// "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", in virtual processors.
const PROCESSORS: (&str, &str) = ("ec2", "L-1216C47A");
const STANDARD: &str = "acdhimrtz";

impl Check for ProcessorQuota {
    const NAME: &'static str = "processor_quota";
    const ABOUT: &'static str = "the nodes may have so many processors";
    const PERMISSIONS: &'static [Need] =
        &[Need::read(&["ec2:DescribeInstanceTypes", "servicequotas:GetServiceQuota"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let mut groups = BTreeMap::<&AccountName, Vec<_>>::new();
        for group in subject.lasting(NODE_GROUP).filter(|group| group.text("capacity_type") != Some("SPOT")) {
            groups.entry(&group.account).or_default().push(group);
        }
        let looks = groups.into_iter().map(|(account, groups)| async move {
            found(account, processors(account, subject.account(account).1.client(), &groups).await)
        });
        join_all(looks).await.concat()
    }
}

async fn processors(
    account: &AccountName,
    client: &Client,
    groups: &[&Item],
) -> Result<Vec<Finding>, ProviderError> {
    let types = groups.iter().flat_map(|group| instance_types(group)).collect();
    let known = described(client, &types).await?;
    let (service, code) = PROCESSORS;
    let call = client.quotas.get_service_quota().service_code(service).quota_code(code);
    let answer = call.send().await.map_err(failed("GetServiceQuota"))?;
    let Some(limit) = answer.quota().and_then(ServiceQuota::value) else { return Ok(Vec::new()) };
    let count = |path: &str| groups.iter().map(|group| processors_of(group, path, &known)).sum();
    Ok(vec![judge_processors(account, limit, count("scaling.desired"), count("scaling.max"))])
}

/// Returns how many processors a group has at a size, with the largest of its types.
fn processors_of(group: &Item, size: &str, known: &BTreeMap<String, InstanceTypeInfo>) -> i64 {
    let of_type = |name: &String| {
        let is_standard = name.chars().next().is_some_and(|letter| STANDARD.contains(letter));
        let processors = known.get(name)?.v_cpu_info()?.default_v_cpus()?;
        is_standard.then_some(i64::from(processors))
    };
    let largest = instance_types(group).iter().filter_map(of_type).max().unwrap_or_default();
    // EKS makes two nodes if nothing is said.
    largest * group.number(size).unwrap_or(2)
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^52 processors")]
fn judge_processors(account: &AccountName, limit: f64, desired: i64, most: i64) -> Finding {
    let facts = format!(
        "The nodes have {desired} processors, at most {most}, and the quota of the account is {limit}."
    );
    let remedy = "Ask for more in Service Quotas (EC2, running on-demand standard instances), or take fewer.";
    if desired as f64 > limit {
        Finding::failed(account, facts, remedy)
    } else if most as f64 > limit {
        Finding::warning(account, facts, remedy)
    } else {
        Finding::ok(account, facts)
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::VCpuInfo;
    use straddle_engine::preflight::Verdict;
    use straddle_engine::value::Value;

    use super::*;
    use crate::preflight::testing::item;

    fn group(values: &[(&str, Value)]) -> Item {
        item(NODE_GROUP, values)
    }

    fn info(architecture: ArchitectureType) -> InstanceTypeInfo {
        InstanceTypeInfo::builder()
            .processor_info(ProcessorInfo::builder().supported_architectures(architecture).build())
            .v_cpu_info(VCpuInfo::builder().default_v_cpus(2).build())
            .build()
    }

    #[test]
    fn a_group_without_types_has_the_default_one() {
        assert_eq!(instance_types(&group(&[])), ["t3.medium"]);
        assert_eq!(
            instance_types(&group(&[("instance_types", Value::from(vec!["m7g.large"]))])),
            ["m7g.large"]
        );
        assert!(instance_types(&group(&[("launch_template", Value::from("lt-1"))])).is_empty());
    }

    #[test]
    fn each_zone_needs_one_of_the_types() {
        let zones = ["use1-az1", "use1-az2"].map(str::to_owned).into();
        let types = ["t3.medium", "t3.large"].map(str::to_owned);
        let verdicts = |offered: &[(&str, &str)]| {
            let offered = offered.iter().copied().collect();
            judge_offerings(&group(&[]), &types, &zones, &offered)
                .iter()
                .map(|one| one.verdict)
                .collect::<Vec<_>>()
        };
        let all = [
            ("t3.medium", "use1-az1"),
            ("t3.large", "use1-az1"),
            ("t3.medium", "use1-az2"),
            ("t3.large", "use1-az2"),
        ];
        assert_eq!(verdicts(&all), [Verdict::Ok]);
        assert_eq!(verdicts(&all[..3]), [Verdict::Warning]);
        assert_eq!(verdicts(&all[..2]), [Verdict::Failed]);
    }

    #[test]
    fn images_run_on_their_own_processors() {
        let known = [("t3.medium".to_owned(), info(ArchitectureType::X8664))].into();
        let verdict =
            |image: &str| judge_architecture(&group(&[("ami_type", Value::from(image))]), &known)[0].verdict;
        assert_eq!(verdict("AL2023_x86_64_STANDARD"), Verdict::Ok);
        assert_eq!(verdict("AL2023_ARM_64_STANDARD"), Verdict::Failed);
        assert_eq!(verdict("CUSTOM"), Verdict::Skipped);
    }

    #[test]
    fn processors_are_counted_at_both_sizes() {
        let scaling = [("desired", 2), ("max", 4)].map(|(name, size)| (name.to_owned(), Value::from(size)));
        let group = group(&[("scaling", Value::Map(scaling.into()))]);
        let known = [("t3.medium".to_owned(), info(ArchitectureType::X8664))].into();
        assert_eq!(processors_of(&group, "scaling.desired", &known), 4);
        assert_eq!(processors_of(&group, "scaling.max", &known), 8);
        let network = AccountName::new("network");
        let verdict = |limit| judge_processors(&network, limit, 4, 8).verdict;
        assert_eq!(
            [verdict(8.0), verdict(5.0), verdict(3.0)],
            [Verdict::Ok, Verdict::Warning, Verdict::Failed]
        );
    }
}

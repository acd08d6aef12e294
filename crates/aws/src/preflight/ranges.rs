//! Ranges of addresses: whether they fit into each other and beside what is always there.

use ipnet::Ipv4Net;
use straddle_engine::preflight::{Check, Finding, Item, Subject};

/// Whether the ranges of subnets are inside those of their VPCs and beside each other.
pub(crate) struct Ranges;

impl Check for Ranges {
    const NAME: &'static str = "ranges";
    const ABOUT: &'static str = "subnets fit into their VPC and beside each other";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let vpcs = subject.lasting("vpc");
        vpcs.flat_map(|vpc| {
            let inside = |subnet: &&Item| {
                subnet
                    .value("vpc_id")
                    .and_then(|id| subject.named(id))
                    .is_some_and(|named| named.address == vpc.address)
            };
            let subnets: Vec<_> = subject.lasting("subnet").filter(inside).collect();
            judge_vpc(vpc, &subnets)
        })
        .collect()
    }
}

/// The ranges that nobody on the internet has ("Address Allocation for Private Internets", RFC 1918;
/// "Shared Address Space", RFC 6598).
const PRIVATE: &[&str] = &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/// Tells whether nobody on the internet has addresses of a range.
pub(super) fn is_private(addresses: Ipv4Net) -> bool {
    PRIVATE.iter().filter_map(|text| range(text)).any(|private| private.contains(&addresses))
}

fn range(text: &str) -> Option<Ipv4Net> {
    text.parse().ok()
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other) || other.contains(&one)
}

fn judge_vpc(vpc: &Item, subnets: &[&Item]) -> Vec<Finding> {
    let Item { account, address, .. } = vpc;
    let Some(whole) = vpc.text("cidr_block").and_then(range) else { return Vec::new() };
    let mut findings = Vec::new();
    if !is_private(whole) {
        findings.push(Finding::warning(
            account,
            format!("{address} has {whole}, which belongs to somebody on the internet."),
            "Take a private range, such as 10.0.0.0/16; what is in the VPC never reaches the owner of this one.",
        ));
    }
    let mut ranges: Vec<_> = subnets
        .iter()
        .filter_map(|subnet| Some((range(subnet.text("cidr_block")?)?, &subnet.address)))
        .collect();
    for (range, subnet) in ranges.iter().filter(|(range, _)| !whole.contains(range)) {
        findings.push(Finding::failed(
            account,
            format!("{subnet} has {range}, which is not inside {whole} of {address}."),
            "Take a range inside that of the VPC; what is associated with it later is not known here.",
        ));
    }
    ranges.sort();
    for pair in ranges.windows(2) {
        let [(one, first), (other, second)] = pair else { continue };
        if overlap(*one, *other) {
            findings.push(Finding::failed(
                account,
                format!("{first} ({one}) and {second} ({other}) overlap."),
                "Give each subnet a range of its own.",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(account, format!("The {} subnets of {address} fit.", ranges.len())));
    }
    findings
}

/// Whether the VPC of a cluster is beside the range of its services.
pub(crate) struct ServiceRange;

impl Check for ServiceRange {
    const NAME: &'static str = "service_range";
    const ABOUT: &'static str = "the VPC of a cluster does not overlap with the addresses of its services";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let clusters = subject.lasting("eks_cluster");
        let ranges = clusters.filter_map(|cluster| {
            let subnet = cluster.list("subnet_ids").iter().find_map(|subnet| subject.named(subnet))?;
            let vpc = subject.named(subnet.value("vpc_id")?)?;
            Some(judge_services(cluster, range(vpc.text("cidr_block")?)?))
        });
        ranges.collect()
    }
}

/// What EKS takes if nothing is said, the second where the VPC is in the first ("`serviceIpv4Cidr`",
/// EKS API reference).
const DEFAULT_SERVICES: [&str; 2] = ["10.100.0.0/16", "172.20.0.0/16"];
/// The bridge of Docker, which EKS warns of ("Amazon EKS networking requirements for VPC and subnets").
const BRIDGE: &str = "172.17.0.0/16";

fn judge_services(cluster: &Item, vpc: Ipv4Net) -> Finding {
    let Item { account, address, .. } = cluster;
    let given = cluster.text("kubernetes_network.service_ipv4_cidr");
    if let Some(services) = given.and_then(range) {
        if overlap(vpc, services) {
            return Finding::failed(
                account,
                format!("The services of {address} get {services}, which overlaps with {vpc} of its VPC."),
                "Take another range for the services: it can never be changed.",
            );
        }
    } else if DEFAULT_SERVICES.iter().filter_map(|text| range(text)).all(|services| overlap(vpc, services)) {
        return Finding::failed(
            account,
            format!("{vpc} of the VPC overlaps with both ranges that EKS takes for services by itself."),
            "Say which range the services of the cluster get.",
        );
    }
    if range(BRIDGE).is_some_and(|bridge| overlap(vpc, bridge)) {
        return Finding::warning(
            account,
            format!("{vpc} of the VPC of {address} overlaps with {BRIDGE}, which Docker uses on nodes."),
            "Take another range for the VPC, if containers are built on nodes.",
        );
    }
    Finding::ok(account, format!("The services of {address} are beside {vpc}."))
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;
    use straddle_engine::value::Value;

    use super::*;
    use crate::preflight::testing::item;

    fn with_range(kind: &'static str, range: &str) -> Item {
        item(kind, &[("cidr_block", Value::from(range))])
    }

    fn verdicts(vpc: &str, subnets: &[&str]) -> Vec<Verdict> {
        let subnets: Vec<_> = subnets.iter().map(|range| with_range("subnet", range)).collect();
        let subnets: Vec<_> = subnets.iter().collect();
        judge_vpc(&with_range("vpc", vpc), &subnets).iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn subnets_are_inside_and_beside_each_other() {
        assert_eq!(verdicts("10.0.0.0/16", &["10.0.0.0/20", "10.0.16.0/20"]), [Verdict::Ok]);
        assert_eq!(verdicts("10.0.0.0/16", &["10.1.0.0/20"]), [Verdict::Failed]);
        assert_eq!(verdicts("10.0.0.0/16", &["10.0.16.0/20", "10.0.0.0/19"]), [Verdict::Failed]);
        assert_eq!(verdicts("198.51.0.0/16", &[]), [Verdict::Warning]);
    }

    fn network(range: &str) -> Value {
        Value::Map([("service_ipv4_cidr".to_owned(), Value::from(range))].into())
    }

    #[test]
    fn services_are_beside_the_vpc() {
        let verdict = |services: Option<&str>, vpc: &str| {
            let values: Vec<_> =
                services.map(|range| ("kubernetes_network", network(range))).into_iter().collect();
            judge_services(&item("eks_cluster", &values), range(vpc).expect("it is one")).verdict
        };
        assert_eq!(verdict(None, "10.0.0.0/16"), Verdict::Ok);
        assert_eq!(verdict(None, "10.0.0.0/8"), Verdict::Ok);
        assert_eq!(verdict(Some("10.0.128.0/20"), "10.0.0.0/16"), Verdict::Failed);
        assert_eq!(verdict(None, "172.16.0.0/15"), Verdict::Warning);
    }
}

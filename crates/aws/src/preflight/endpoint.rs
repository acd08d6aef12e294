//! The endpoints of clusters: whether what is put into a cluster gets there from here.

use ipnet::Ipv4Net;
use straddle_engine::preflight::{Check, Fate, Finding, Item, Subject};

use super::controller::OBJECT;
use super::is_cluster;
use super::ranges::is_private;

/// Whether the API of a cluster that gets objects can be reached from this machine.
pub(crate) struct Endpoints;

impl Check for Endpoints {
    const NAME: &'static str = "cluster_endpoint";
    const ABOUT: &'static str = "the APIs of clusters that get objects are reached from this machine";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        // One that is there has answered the plan already.
        let clusters = subject.lasting("eks_cluster").filter(|cluster| cluster.fate != Fate::Kept);
        let has_objects = |cluster: &&Item| {
            subject.lasting(OBJECT).any(|object| is_cluster(object.value("cluster.name"), cluster, subject))
        };
        clusters.filter(has_objects).map(judge).collect()
    }
}

fn judge(cluster: &Item) -> Finding {
    let Item { account, address, .. } = cluster;
    if cluster.value("endpoint.public").is_some() && !cluster.is_true("endpoint.public") {
        return Finding::warning(
            account,
            format!(
                "The API of {address} is reached only from inside its VPC, and objects are put into it from here."
            ),
            "Run this where the VPC is reached, or write `endpoint = { public = true, public_access_cidrs = [...] }`.",
        );
    }
    let ranges: Vec<_> = cluster.texts("endpoint.public_access_cidrs").collect();
    let from_outside = |range: &&str| range.parse::<Ipv4Net>().map_or(true, |range| !is_private(range));
    if ranges.is_empty() || ranges.contains(&"0.0.0.0/0") {
        return Finding::ok(account, format!("The API of {address} is reached from everywhere."));
    }
    if ranges.iter().any(from_outside) {
        let message = format!("The API of {address} is reached from {} only.", ranges.join(", "));
        return Finding::ok(account, format!("{message} This machine has to come from there."));
    }
    Finding::failed(
        account,
        format!(
            "The API of {address} is open to private ranges only, and nobody comes from the internet with those: {}.",
            ranges.join(", ")
        ),
        "Name the public addresses by which this machine leaves its network in `public_access_cidrs`.",
    )
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;
    use crate::preflight::testing::{item, json};

    #[test]
    fn objects_get_into_a_cluster_from_where_it_is_open() {
        let verdict = |endpoint: &str| judge(&item("eks_cluster", &[("endpoint", json(endpoint))])).verdict;
        assert_eq!(judge(&item("eks_cluster", &[])).verdict, Verdict::Ok);
        assert_eq!(verdict(r#"{"private": true}"#), Verdict::Ok);
        assert_eq!(verdict(r#"{"public": false, "private": true}"#), Verdict::Warning);
        assert_eq!(verdict(r#"{"public_access_cidrs": ["203.0.113.0/24", "10.0.0.0/8"]}"#), Verdict::Ok);
        assert_eq!(verdict(r#"{"public_access_cidrs": ["10.0.0.0/8"]}"#), Verdict::Failed);
    }
}

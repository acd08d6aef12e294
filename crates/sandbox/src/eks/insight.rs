//! Insights: what EKS finds that stands in the way of the next version.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::addon::is_compatible;
use super::cluster::Cluster;
use super::refusals::{not_found, one_of, required};
use super::{PAGING, named, version};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{World, seconds};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("ListInsights", &["clusterName", "filter", "maxResults", "nextToken"], list)
        .on(&[("clusterName", "cluster")]),
    Operation::new("DescribeInsight", &["clusterName", "id"], describe).on(&[("clusterName", "cluster")]),
];

/// Something that EKS looks at.
pub(super) struct Insight {
    id: String,
    name: &'static str,
    description: &'static str,
    recommendation: &'static str,
    /// The version that it is about: the next one.
    version: String,
    status: Status,
    reason: String,
    /// The ARNs of what stands in the way.
    things: Vec<String>,
}

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Passing,
    Warning,
    Error,
}

/// What all insights are about here.
const CATEGORY: &str = "UPGRADE_READINESS";
/// How far nodes may be behind their cluster ("Kubernetes version skew policy").
const MOST_BEHIND: u32 = 3;

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Passing => "PASSING",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

impl Insight {
    /// Tells whether it stands in the way of an upgrade.
    pub(super) fn blocks(&self) -> bool {
        self.status == Status::Error
    }

    /// Returns what lists have of it.
    fn summary(&self, cluster: &Cluster, now: Timestamp) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "category": CATEGORY,
            "kubernetesVersion": self.version,
            "description": self.description,
            "lastRefreshTime": seconds(now),
            "lastTransitionTime": seconds(cluster.made_at),
            "insightStatus": { "status": self.status.name(), "reason": self.reason },
        })
    }

    /// Returns it as answers have it.
    fn shown(&self, cluster: &Cluster, now: Timestamp) -> Value {
        let mut shown = self.summary(cluster, now);
        let resources = self.things.iter().map(|arn| {
            json!({ "arn": arn, "insightStatus": { "status": self.status.name(), "reason": self.reason } })
        });
        shown["resources"] = resources.collect();
        shown["recommendation"] = json!(self.recommendation);
        shown["additionalInfo"] = json!({});
        shown
    }
}

impl Cluster {
    /// Returns what EKS has to say about the next version; nothing where there is none.
    pub(super) fn insights(&self) -> Vec<Insight> {
        let next = format!("1.{}", version::minor(&self.settings.version) + 1);
        if !self.is_active() || version::offered(&next).is_err() {
            return Vec::new();
        }
        vec![self.addon_insight(&next), self.node_insight(&next)]
    }

    fn addon_insight(&self, next: &str) -> Insight {
        let wrong = self.addons.values().filter(|addon| !is_compatible(&addon.name, addon.version(), next));
        let things: Vec<_> = wrong.map(|addon| addon.arn.clone()).collect();
        let (status, reason) = if things.is_empty() {
            (
                Status::Passing,
                "All installed EKS add-on versions are compatible with the next Kubernetes version.",
            )
        } else {
            (
                Status::Error,
                "Installed EKS add-on versions are not compatible with the next Kubernetes version.",
            )
        };
        Insight {
            id: self.derived_uuid("add-on version compatibility"),
            name: "EKS add-on version compatibility",
            description: "Checks that installed EKS add-on versions work with the next Kubernetes version.",
            recommendation: "Update the add-ons to versions that are compatible with the next Kubernetes version.",
            version: next.to_owned(),
            status,
            reason: reason.to_owned(),
            things,
        }
    }

    fn node_insight(&self, next: &str) -> Insight {
        let distance = |group: &super::node_group::NodeGroup| {
            version::minor(next).saturating_sub(version::minor(&group.settings.version))
        };
        let behind: Vec<_> = self.node_groups.values().filter(|group| distance(group) > 1).collect();
        let status = match behind.iter().map(|group| distance(group)).max() {
            None => Status::Passing,
            Some(most) if most > MOST_BEHIND => Status::Error,
            Some(_) => Status::Warning,
        };
        let reason = match status {
            Status::Passing => "Node kubelet versions match the cluster control plane version.",
            Status::Warning | Status::Error => {
                "Node kubelet versions are behind the cluster control plane version."
            }
        };
        Insight {
            id: self.derived_uuid("kubelet version skew"),
            name: "Kubelet version skew",
            description: "Checks for kubelet versions of worker nodes in the cluster to see if upgrade would cause \
                 non compliance with the supported Kubernetes kubelet version skew policy.",
            recommendation: "Update the node groups to the version of the cluster.",
            version: next.to_owned(),
            status,
            reason: reason.to_owned(),
            things: behind.into_iter().map(|group| group.arn.clone()).collect(),
        }
    }
}

fn list(world: &mut World, call: &Call) -> Answer {
    let (now, filter) = (world.now(), call.parameters.table("filter"));
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let (categories, versions) = (filter.texts("categories"), filter.texts("kubernetesVersions"));
    let statuses = filter.texts("statuses");
    for status in &statuses {
        one_of("statuses", status, &["PASSING", "WARNING", "ERROR", "UNKNOWN"])?;
    }
    for category in &categories {
        one_of("categories", category, &[CATEGORY, "MISCONFIGURATION", "ROLLBACK_READINESS"])?;
    }
    let matches = |wanted: &[&str], value: &str| wanted.is_empty() || wanted.contains(&value);
    let insights = cluster.insights();
    let chosen = insights.iter().filter(|insight| {
        matches(&categories, CATEGORY)
            && matches(&versions, &insight.version)
            && matches(&statuses, insight.status.name())
    });
    let shown = chosen.map(|insight| (insight.name.to_owned(), insight.summary(cluster, now)));
    let (page, next) = PAGING.cut(&call.parameters, shown)?;
    Ok(json!({ "insights": page, "nextToken": next }))
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let now = world.now();
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let id = required(call, "id")?;
    let insights = cluster.insights();
    let missing = || -> Refusal { not_found(format!("No insight found for ID: {id}")) };
    let insight = insights.iter().find(|insight| insight.id == id).ok_or_else(missing)?;
    Ok(json!({ "insight": insight.shown(cluster, now) }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::eks::testing::{Ground, with};
    use crate::testing::text;

    /// EKS user guide, "Prepare for Kubernetes version upgrades and troubleshoot misconfigurations with cluster
    /// insights"; API reference, `UpdateClusterVersion`, `force`.
    #[test]
    fn what_stands_in_the_way_blocks_the_next_version() {
        let mut ground = Ground::new();
        ground.cluster(json!({ "version": "1.33", "bootstrapSelfManagedAddons": false }));
        let addon = json!({ "clusterName": "main", "addonName": "coredns" });
        let old = json!({ "addonVersion": "v1.11.4-eksbuild.24" });
        ground.account.ok("eks:CreateAddon", with(addon.clone(), old));
        ground.account.wait(60);
        let filter = json!({ "clusterName": "main", "filter": { "statuses": ["ERROR"] } });
        let found = ground.account.ok("eks:ListInsights", filter.clone())["insights"].clone();
        assert_eq!(found[0]["name"], "EKS add-on version compatibility");
        assert_eq!(found[0]["kubernetesVersion"], "1.34");
        let one = json!({ "clusterName": "main", "id": found[0]["id"] });
        let one = ground.account.ok("eks:DescribeInsight", one)["insight"].clone();
        assert!(text(&one["resources"][0]["arn"]).contains(":addon/main/coredns/"), "{one}");
        let next = json!({ "name": "main", "version": "1.34" });
        ground.account.refused("eks:UpdateClusterVersion", next.clone(), "InvalidRequestException");
        let newer = json!({ "addonVersion": "v1.12.4-eksbuild.1" });
        ground.account.ok("eks:UpdateAddon", with(addon, newer));
        ground.account.wait(60);
        assert_eq!(ground.account.ok("eks:ListInsights", filter)["insights"], json!([]));
        let passing =
            ground.account.ok("eks:ListInsights", json!({ "clusterName": "main" }))["insights"].clone();
        assert_eq!(passing.as_array().map(Vec::len), Some(2));
        ground.account.ok("eks:UpdateClusterVersion", next);
        let none = json!({ "clusterName": "main", "id": "none" });
        ground.account.refused("eks:DescribeInsight", none, "ResourceNotFoundException");
        let wrong = json!({ "clusterName": "main", "filter": { "statuses": ["GOOD"] } });
        ground.account.refused("eks:ListInsights", wrong, "InvalidParameterException");
    }

    #[test]
    fn an_upgrade_can_be_forced() {
        let mut ground = Ground::new();
        ground.cluster(json!({ "version": "1.33", "bootstrapSelfManagedAddons": false }));
        let addon = json!({
            "clusterName": "main", "addonName": "coredns", "addonVersion": "v1.11.4-eksbuild.24",
        });
        ground.account.ok("eks:CreateAddon", addon);
        let forced = json!({ "name": "main", "version": "1.34", "force": true });
        ground.account.ok("eks:UpdateClusterVersion", forced);
    }
}

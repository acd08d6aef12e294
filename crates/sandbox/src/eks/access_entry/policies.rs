//! Access policies: what EKS lets principals do in a cluster, everywhere or in some namespaces.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::operations::ENTRY;
use super::{AccessEntry, STANDARD};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::eks::refusals::{invalid, not_found, one_of, required, wrong_request};
use crate::eks::{PAGING, change, named};
use crate::world::{World, seconds};

/// The operations.
pub(in crate::eks) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "AssociateAccessPolicy",
        &["clusterName", "principalArn", "policyArn", "accessScope"],
        associate,
    )
    .on(ENTRY),
    Operation::new("DisassociateAccessPolicy", &["clusterName", "principalArn", "policyArn"], disassociate)
        .on(ENTRY),
    Operation::new(
        "ListAssociatedAccessPolicies",
        &["clusterName", "principalArn", "maxResults", "nextToken"],
        list_associated,
    )
    .on(ENTRY),
    Operation::new("ListAccessPolicies", &["maxResults", "nextToken"], list),
];

/// The policies ("Review access policy permissions", EKS user guide).
const NAMES: &[&str] = &[
    "AmazonAIOpsAssistantPolicy",
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSAutoNodePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSClusterInsightsPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSHybridPolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSViewPolicy",
];

/// The policy of whoever makes a cluster.
pub(super) const ADMINISTRATOR: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy";

/// How a policy is associated with a principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Associated {
    /// In these namespaces; `None` is everywhere.
    namespaces: Option<Vec<String>>,
    made_at: Timestamp,
    changed_at: Timestamp,
}

impl Associated {
    /// Lets a policy count everywhere.
    pub(super) fn everywhere(now: Timestamp) -> Self {
        Self { namespaces: None, made_at: now, changed_at: now }
    }

    /// Returns the namespaces in which a policy counts; none means everywhere.
    pub(super) fn namespaces(&self) -> &[String] {
        self.namespaces.as_deref().unwrap_or_default()
    }

    fn shown(&self, policy: &str) -> Value {
        let scope = match &self.namespaces {
            None => json!({ "type": "cluster", "namespaces": [] }),
            Some(namespaces) => json!({ "type": "namespace", "namespaces": namespaces }),
        };
        json!({
            "policyArn": policy,
            "accessScope": scope,
            "associatedAt": seconds(self.made_at),
            "modifiedAt": seconds(self.changed_at),
        })
    }
}

impl AccessEntry {
    /// Lets a policy count for the principal, or count elsewhere.
    pub(super) fn associate(&mut self, policy: &str, new: Associated) {
        let made_at = self.policies.get(policy).map_or(new.made_at, |before| before.made_at);
        self.policies.insert(policy.to_owned(), Associated { made_at, ..new });
    }
}

/// Reads where a policy is to count.
fn scope(scope: &Parameters) -> Result<Option<Vec<String>>, Refusal> {
    let namespaces: Vec<_> = scope.texts("namespaces").into_iter().map(str::to_owned).collect();
    match one_of("accessScope type", scope.text("type").unwrap_or_default(), &["cluster", "namespace"])? {
        "cluster" if namespaces.is_empty() => Ok(None),
        "cluster" => Err(invalid("namespaces cannot be specified for the access scope type cluster.")),
        _ if namespaces.is_empty() => {
            Err(invalid("namespaces must be specified for the access scope type namespace."))
        }
        _ => Ok(Some(namespaces)),
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:eks::aws:cluster-access-policy/{name}")
}

fn associate(world: &mut World, call: &Call) -> Answer {
    let (cluster, principal) = (required(call, "clusterName")?, required(call, "principalArn")?);
    let policy = required(call, "policyArn")?;
    let namespaces = scope(&call.parameters.table("accessScope"))?;
    change(world, call, cluster, |cluster, moment| {
        let mut entry = cluster.entry(principal)?.clone();
        if !NAMES.iter().any(|name| arn(name) == policy) {
            return Err(invalid(format!("The policyArn {policy} is invalid: invalid policy.")));
        }
        if ![STANDARD, "EC2"].contains(&entry.kind.as_str()) {
            let message = format!("An access entry of the type {} cannot have access policies.", entry.kind);
            return Err(wrong_request(message));
        }
        entry.associate(policy, Associated { namespaces, ..Associated::everywhere(moment.at) });
        let shown = entry.policies[policy].shown(policy);
        let name = cluster.name.clone();
        cluster.access_entries.insert(principal.to_owned(), entry);
        Ok(json!({ "clusterName": name, "principalArn": principal, "associatedAccessPolicy": shown }))
    })
}

fn disassociate(world: &mut World, call: &Call) -> Answer {
    let (cluster, principal) = (required(call, "clusterName")?, required(call, "principalArn")?);
    let policy = required(call, "policyArn")?;
    change(world, call, cluster, |cluster, _| {
        cluster.entry(principal)?;
        let entry = cluster.access_entries.get_mut(principal);
        let removed = entry.and_then(|entry| entry.policies.remove(policy));
        removed.map(|_| json!({})).ok_or_else(|| {
            not_found(format!("The policyArn {policy} is not associated with the principalArn {principal}."))
        })
    })
}

fn list_associated(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let principal = required(call, "principalArn")?;
    let policies = cluster.entry(principal)?.policies.iter();
    let shown = policies.map(|(policy, associated)| (policy.clone(), associated.shown(policy)));
    let (page, next) = PAGING.cut(&call.parameters, shown)?;
    Ok(json!({
        "clusterName": cluster.name,
        "principalArn": principal,
        "associatedAccessPolicies": page,
        "nextToken": next,
    }))
}

fn list(_: &mut World, call: &Call) -> Answer {
    let shown = NAMES.iter().map(|name| ((*name).to_owned(), json!({ "name": name, "arn": arn(name) })));
    let (page, next) = PAGING.cut(&call.parameters, shown)?;
    Ok(json!({ "accessPolicies": page, "nextToken": next }))
}

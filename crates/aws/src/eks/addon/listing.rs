//! Add-ons as EKS has them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eks::types::{self, AddonIssueCode, AddonStatus};
use straddle_engine::address::RemoteId;
use straddle_engine::document::Document;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{Listing, Observed, Readiness};

use super::{AddonInputs, AddonOutputs};
use crate::client::Client;
use crate::each::each;
use crate::eks::memory::{DefaultVersions, Progress, Updated};
use crate::eks::{id, tags};
use crate::error::{answered, failed};

/// Add-ons by their ids.
pub(crate) struct Addons(BTreeMap<RemoteId, Found>);

/// An add-on and what is known of it elsewhere.
pub(super) struct Found {
    pub(super) addon: types::Addon,
    /// The roles of its service accounts.
    pub(super) roles: BTreeMap<String, String>,
    /// `None` if they were not asked for.
    pub(super) default_versions: Option<DefaultVersions>,
    pub(super) progress: Progress,
}

impl Listing for Addons {
    const SPARED: &'static [&'static str] = &["default_versions"];

    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let with_versions = async |id: RemoteId| {
            let (_, name) = id::parts(id.as_str());
            let found = find(client, &id).await?;
            let default_versions = client.eks_memory.default_versions(client, name).await?;
            Ok(Found { default_versions: Some(default_versions), ..found })
        };
        each(ids, with_versions).await.map(Self)
    }

    /// Until something changes, the default versions are those that were read last.
    async fn survey(client: &Client, ids: &[RemoteId], _: &BTreeSet<String>) -> Result<Self, ProviderError> {
        each(ids, async |id| find(client, &id).await).await.map(Self)
    }
}

impl Addons {
    #[cfg(test)]
    pub(super) fn of(id: RemoteId, found: Found) -> Self {
        Self(BTreeMap::from([(id, found)]))
    }

    pub(super) fn observe(&self, id: &RemoteId) -> Option<Observed<AddonInputs, AddonOutputs>> {
        let Found { addon, roles, default_versions, .. } = self.0.get(id)?;
        let text = |part: Option<&str>| part.map(str::to_owned);
        let namespace = addon.namespace_config().and_then(|config| config.namespace());
        let inputs = AddonInputs {
            cluster_name: addon.cluster_name().unwrap_or_default().to_owned(),
            name: addon.addon_name().unwrap_or_default().to_owned(),
            version: text(addon.addon_version()),
            configuration_values: Some(configuration(addon)),
            // No role is the empty one, so that it can be wanted.
            service_account_role_arn: Some(addon.service_account_role_arn().unwrap_or_default().to_owned()),
            pod_identity_associations: Some(roles.clone()),
            namespace: text(namespace),
            resolve_conflicts_on_create: None,
            resolve_conflicts_on_update: None,
            preserve: None,
            tags: Some(tags::observed(addon.tags())),
        };
        let outputs = AddonOutputs {
            arn: addon.addon_arn().unwrap_or_default().to_owned(),
            publisher: text(addon.publisher()),
            owner: text(addon.owner()),
            default_versions: default_versions.clone(),
        };
        Some(Observed { inputs, outputs, readiness: self.readiness(id)? })
    }

    /// An add-on without the nodes that it needs is `DEGRADED`, which passes once it has them.
    fn readiness(&self, id: &RemoteId) -> Option<Readiness> {
        let Found { addon, progress, .. } = self.0.get(id)?;
        let status = addon.status().map(AddonStatus::as_str).unwrap_or_default();
        let reason = || [&[status.to_owned()][..], &issues(addon)].concat().join(": ");
        Some(match (status, progress) {
            ("CREATE_FAILED" | "DELETE_FAILED", _) => Readiness::Failed(reason()),
            ("CREATING" | "UPDATING" | "DELETING", _) => Readiness::Pending(reason()),
            (_, Progress::UnderWay) => Readiness::Pending("UPDATING".to_owned()),
            (_, Progress::Failed(words)) => {
                Readiness::Impaired([&[words.clone()][..], &issues(addon)].concat().join(": "))
            }
            ("UPDATE_FAILED", Progress::Done) => Readiness::Impaired(reason()),
            ("DEGRADED", Progress::Done) => Readiness::Degraded(reason()),
            (_, Progress::Done) => Readiness::Ready,
        })
    }
}

/// Returns what EKS says is wrong with an add-on, as one text if it says anything.
fn issues(addon: &types::Addon) -> Vec<String> {
    let issues = addon.health().map(types::AddonHealth::issues).unwrap_or_default();
    let words = |issue: &types::AddonIssue| {
        let code = issue.code().map(AddonIssueCode::as_str);
        let parts: Vec<_> = code.into_iter().chain(issue.message()).collect();
        parts.join(": ")
    };
    let issues: Vec<_> = issues.iter().map(words).collect();
    if issues.is_empty() { Vec::new() } else { vec![issues.join("; ")] }
}

fn configuration(addon: &types::Addon) -> Document {
    let text = addon.configuration_values().filter(|text| !text.trim().is_empty());
    Document::from_text(text.unwrap_or("{}"))
}

/// Reads an add-on alone.
pub(super) async fn describe(client: &Client, id: &RemoteId) -> Result<types::Addon, ProviderError> {
    const OPERATION: &str = "DescribeAddon";
    let (cluster, name) = id::parts(id.as_str());
    let call = client.eks.reads.describe_addon().cluster_name(cluster).addon_name(name);
    let answer = call.send().await.map_err(failed(OPERATION))?;
    answered(OPERATION, answer.addon)
}

async fn find(client: &Client, id: &RemoteId) -> Result<Found, ProviderError> {
    let addon = describe(client, id).await?;
    let (cluster, _) = id::parts(id.as_str());
    let mut roles = BTreeMap::new();
    for arn in addon.pod_identity_associations() {
        roles.extend(role(client, cluster, arn).await?);
    }
    let progress = client.eks_memory.progress(client, Updated::Addon(id.clone())).await?;
    Ok(Found { addon, roles, default_versions: None, progress })
}

/// Returns the service account and the role of an association with this ARN; `None` if it is gone.
async fn role(client: &Client, cluster: &str, arn: &str) -> Result<Option<(String, String)>, ProviderError> {
    let association_id = arn.rsplit('/').next().unwrap_or(arn);
    let call = client.eks.reads.describe_pod_identity_association().cluster_name(cluster);
    let call = call.association_id(association_id);
    match call.send().await.map_err(failed("DescribePodIdentityAssociation")) {
        Ok(answer) => Ok(answer.association().and_then(|association| {
            Some((association.service_account()?.to_owned(), association.role_arn()?.to_owned()))
        })),
        Err(error) if error.class == ErrorClass::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

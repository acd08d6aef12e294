//! What a run remembers of EKS: the updates that it has begun, and the default versions of add-ons.
//!
//! After an update that failed, a thing works as it did before it, and nothing but the update itself
//! says so. A later run does not know of it: it finds what still differs, and asks for it again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_eks::types::{AddonInfo, ErrorCode, ErrorDetail, Update, UpdateStatus};
use straddle_engine::address::RemoteId;
use straddle_engine::provider::{ErrorClass, ProviderError};

use super::id;
use crate::client::Client;
use crate::error::failed;

/// The versions of add-ons that EKS runs by default, by version of Kubernetes.
pub(crate) type DefaultVersions = BTreeMap<String, String>;

/// What a run remembers of EKS in one account and region.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    /// The ids of the updates that this run has begun.
    updates: BTreeMap<Updated, String>,
    /// By the name of the add-on.
    default_versions: BTreeMap<String, DefaultVersions>,
}

/// What is updated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Updated {
    Addon(RemoteId),
    Cluster(RemoteId),
    NodeGroup(RemoteId),
}

/// How far the update is that this run has begun.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is done, or there is none.
    #[default]
    Done,
    /// It is going on.
    UnderWay,
    /// It ended badly; the words are EKS's own.
    Failed(String),
}

impl Memory {
    /// Takes note of an update that was begun.
    pub(crate) fn begun(&self, updated: Updated, update: Option<&Update>) {
        if let Some(id) = update.and_then(Update::id) {
            self.remembered().updates.insert(updated, id.to_owned());
        }
    }

    /// Asks how far the update of a thing is that this run has begun. That a thing works does not
    /// tell: it does after an update that failed as well.
    pub(crate) async fn progress(
        &self,
        client: &Client,
        updated: Updated,
    ) -> Result<Progress, ProviderError> {
        let Some(update_id) = self.remembered().updates.get(&updated).cloned() else {
            return Ok(Progress::Done);
        };
        let call = client.eks.reads.describe_update().update_id(update_id);
        let call = match &updated {
            Updated::Addon(id) => {
                let (cluster, name) = id::parts(id.as_str());
                call.name(cluster).addon_name(name)
            }
            Updated::Cluster(id) => call.name(id.as_str()),
            Updated::NodeGroup(id) => {
                let (cluster, name) = id::parts(id.as_str());
                call.name(cluster).nodegroup_name(name)
            }
        };
        let progress = match call.send().await.map_err(failed("DescribeUpdate")) {
            Ok(answer) => answer.update().map(progress).unwrap_or_default(),
            Err(error) if error.class == ErrorClass::NotFound => Progress::Done,
            Err(error) => return Err(error),
        };
        if progress == Progress::Done {
            self.remembered().updates.remove(&updated);
        }
        Ok(progress)
    }

    /// Returns the default versions of an add-on, which are read once in a run.
    pub(crate) async fn default_versions(
        &self,
        client: &Client,
        addon: &str,
    ) -> Result<DefaultVersions, ProviderError> {
        if let Some(known) = self.remembered().default_versions.get(addon) {
            return Ok(known.clone());
        }
        let read = default_versions(client, addon).await?;
        self.remembered().default_versions.insert(addon.to_owned(), read.clone());
        Ok(read)
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn progress(update: &Update) -> Progress {
    match update.status().map(UpdateStatus::as_str) {
        Some("InProgress") => Progress::UnderWay,
        Some("Failed") => Progress::Failed(format!("the update failed: {}", errors(update))),
        Some("Cancelled") => Progress::Failed(format!("the update was cancelled: {}", errors(update))),
        _ => Progress::Done,
    }
}

fn errors(update: &Update) -> String {
    let errors: Vec<_> = update.errors().iter().map(words).collect();
    if errors.is_empty() { "EKS does not say why".to_owned() } else { errors.join("; ") }
}

fn words(error: &ErrorDetail) -> String {
    let code = error.error_code().map(ErrorCode::as_str);
    id::issue(code, error.error_message(), error.resource_ids())
}

async fn default_versions(client: &Client, addon: &str) -> Result<DefaultVersions, ProviderError> {
    let pages = client.eks.reads.describe_addon_versions().addon_name(addon).into_paginator().items().send();
    let addons = match pages.collect::<Result<Vec<_>, _>>().await.map_err(failed("DescribeAddonVersions")) {
        Ok(addons) => addons,
        // Not every add-on has versions that are told.
        Err(error) if error.class == ErrorClass::NotFound => return Ok(DefaultVersions::new()),
        Err(error) => return Err(error),
    };
    let versions = addons.iter().flat_map(AddonInfo::addon_versions);
    let defaults = versions.flat_map(|version| {
        let of = version.compatibilities().iter().filter(|compatibility| compatibility.default_version());
        of.filter_map(|compatibility| {
            Some((compatibility.cluster_version()?.to_owned(), version.addon_version()?.to_owned()))
        })
    });
    Ok(defaults.collect())
}

#[cfg(test)]
mod tests {
    use aws_sdk_eks::types::builders::UpdateBuilder;

    use super::*;

    fn after(status: &str, change: impl FnOnce(UpdateBuilder) -> UpdateBuilder) -> Progress {
        progress(&change(Update::builder().status(UpdateStatus::from(status))).build())
    }

    #[test]
    fn an_update_that_failed_says_why() {
        let error = ErrorDetail::builder().error_code(ErrorCode::InsufficientFreeAddresses);
        let error = error.error_message("no room").resource_ids("subnet-1").resource_ids("subnet-2").build();
        let words = "the update failed: InsufficientFreeAddresses: no room (subnet-1, subnet-2)";
        assert_eq!(after("Failed", |update| update.errors(error)), Progress::Failed(words.to_owned()));
        let words = "the update was cancelled: EKS does not say why";
        assert_eq!(after("Cancelled", |update| update), Progress::Failed(words.to_owned()));
        assert_eq!(after("InProgress", |update| update), Progress::UnderWay);
        assert_eq!(after("Successful", |update| update), Progress::Done);
    }
}

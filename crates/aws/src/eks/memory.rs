//! What a run remembers of EKS: the updates that it has begun, and the default versions of add-ons.

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
    let parts: Vec<_> = code.into_iter().chain(error.error_message()).collect();
    parts.join(": ")
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

//! Fargate profiles: which pods run without nodes. None is ever changed, and only one comes or goes at a time.

mod create;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::life::{Life, Moment, Outcome, Part, Status};
use super::refusals::{in_use, not_found, required};
use super::{PAGING, change, named};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::world::{World, seconds};

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    create::OPERATION,
    Operation::new("DescribeFargateProfile", &["clusterName", "fargateProfileName"], describe).on(PROFILE),
    Operation::new("ListFargateProfiles", &["clusterName", "maxResults", "nextToken"], list)
        .on(&[("clusterName", "cluster")]),
    Operation::new("DeleteFargateProfile", &["clusterName", "fargateProfileName"], delete).on(PROFILE),
];

const PROFILE: &[(&str, &str)] = &[("fargateProfileName", "fargateprofile")];

/// How long a profile takes to go.
const DELETED: SignedDuration = SignedDuration::from_secs(120);

/// A Fargate profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FargateProfile {
    pub(super) name: String,
    pub(super) arn: String,
    life: Life,
    made_at: Timestamp,
    role_arn: String,
    subnets: Vec<String>,
    /// As they were asked for.
    selectors: Vec<Value>,
    pub(super) tags: BTreeMap<String, String>,
}

impl FargateProfile {
    /// Returns the role that its pods are started with.
    pub(super) fn role_arn(&self) -> &str {
        &self.role_arn
    }

    fn status(&self) -> &'static str {
        match self.life.status {
            Status::Creating => "CREATING",
            Status::Active => "ACTIVE",
            Status::Failed => "CREATE_FAILED",
            Status::Deleting => "DELETING",
        }
    }

    /// Returns it as answers have it.
    fn shown(&self, cluster: &Cluster) -> Value {
        let issues =
            self.life.shown_failure().into_iter().map(
                |failure| json!({ "code": failure.code, "message": failure.message, "resourceIds": [] }),
            );
        json!({
            "fargateProfileName": self.name,
            "fargateProfileArn": self.arn,
            "clusterName": cluster.name,
            "createdAt": seconds(self.made_at),
            "podExecutionRoleArn": self.role_arn,
            "subnets": self.subnets,
            "selectors": self.selectors,
            "status": self.status(),
            "health": { "issues": issues.collect::<Vec<_>>() },
            "tags": self.tags,
        })
    }
}

impl Cluster {
    fn fargate_profile(&self, name: &str) -> Result<&FargateProfile, Refusal> {
        self.fargate_profiles.get(name).ok_or_else(|| {
            let refusal = not_found(format!("No Fargate Profile found with name: {name}."));
            refusal.with("clusterName", self.name.as_str()).with("fargateProfileName", name)
        })
    }

    /// Refuses to let a profile come or go while another one does: "only one Fargate profile in a cluster can
    /// be in that status at a time" (API reference, `DeleteFargateProfile`).
    fn check_no_other(&self, verb: &str, name: &str) -> Result<(), Refusal> {
        let on_its_way =
            |profile: &&FargateProfile| matches!(profile.life.status, Status::Creating | Status::Deleting);
        let Some(other) = self.fargate_profiles.values().find(on_its_way) else { return Ok(()) };
        let message = format!(
            "Cannot {verb} Fargate Profile {name} because cluster {} currently has Fargate profile {} in status {}",
            self.name,
            other.name,
            other.status()
        );
        Err(in_use(message).with("clusterName", self.name.as_str()))
    }

    /// Lets happen what is due of a profile.
    pub(super) fn settle_fargate_profile(&mut self, moment: &Moment<'_>, name: &str) -> Outcome {
        let Some(profile) = self.fargate_profiles.get_mut(name) else { return Outcome::Stays };
        if !profile.life.is_due(moment.at) {
            return Outcome::Stays;
        }
        match profile.life.status {
            Status::Creating if profile.life.failure.is_some() => profile.life.status = Status::Failed,
            Status::Creating => profile.life.status = Status::Active,
            Status::Active | Status::Failed => {}
            Status::Deleting => drop(self.fargate_profiles.remove(name)),
        }
        Outcome::Stays
    }
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let profile = cluster.fargate_profile(required(call, "fargateProfileName")?)?;
    Ok(json!({ "fargateProfile": profile.shown(cluster) }))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let names = cluster.fargate_profiles.keys().map(|name| (name.clone(), json!(name)));
    let (page, next) = PAGING.cut(&call.parameters, names)?;
    Ok(json!({ "fargateProfileNames": page, "nextToken": next }))
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let (cluster, name) = (required(call, "clusterName")?, required(call, "fargateProfileName")?);
    change(world, call, cluster, |cluster, moment| {
        cluster.fargate_profile(name)?;
        cluster.check_no_other("delete", name)?;
        let at = moment.later(cluster, Part::FargateProfile(name.to_owned()), DELETED);
        if let Some(profile) = cluster.fargate_profiles.get_mut(name) {
            profile.life = Life { status: Status::Deleting, changes_at: Some(at), failure: None };
        }
        Ok(json!({ "fargateProfile": cluster.fargate_profile(name)?.shown(cluster) }))
    })
}

//! Pod identities: which account of pods gets which role.

mod exchange;
mod operations;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::refusals::{in_use, invalid, not_found};
use super::roles;
use crate::call::{Call, Refusal};
use crate::iam::service::Standing;
use crate::world::{World, seconds};
pub(crate) use exchange::{AUTH_OPERATIONS, Lacking, pod_caller};
pub(super) use operations::OPERATIONS;

/// A role that an account of pods has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Association {
    pub(super) id: String,
    pub(super) arn: String,
    namespace: String,
    service_account: String,
    role_arn: String,
    /// The role, of whatever account, that is assumed with the first one.
    target_role_arn: Option<String>,
    /// What the target's trust policy can ask for; only with a target.
    external_id: Option<String>,
    disables_tags: bool,
    policy: Option<String>,
    /// The add-on that it is of.
    owner_arn: Option<String>,
    made_at: Timestamp,
    changed_at: Timestamp,
    pub(super) tags: BTreeMap<String, String>,
}

/// Who gives pods their roles.
const PODS: &str = "pods.eks.amazonaws.com";

impl Association {
    /// Returns it as answers have it.
    fn shown(&self, cluster: &Cluster) -> Value {
        json!({
            "clusterName": cluster.name,
            "namespace": self.namespace,
            "serviceAccount": self.service_account,
            "roleArn": self.role_arn,
            "targetRoleArn": self.target_role_arn,
            "externalId": self.external_id,
            "disableSessionTags": self.disables_tags,
            "policy": self.policy,
            "associationArn": self.arn,
            "associationId": self.id,
            "ownerArn": self.owner_arn,
            "createdAt": seconds(self.made_at),
            "modifiedAt": seconds(self.changed_at),
            "tags": self.tags,
        })
    }

    /// Returns what lists have of it.
    fn summary(&self, cluster: &Cluster) -> Value {
        json!({
            "clusterName": cluster.name,
            "namespace": self.namespace,
            "serviceAccount": self.service_account,
            "associationArn": self.arn,
            "associationId": self.id,
            "ownerArn": self.owner_arn,
        })
    }
}

/// Makes an id: `a-` and seventeen letters and digits.
pub(super) fn new_id(world: &mut World) -> String {
    world.new_unique_id("a-").to_lowercase()
}

/// Checks a role that pods are to have: "the role must be in the same account as the cluster", and trust
/// `pods.eks.amazonaws.com` (EKS user guide, "Assign an IAM role to a Kubernetes service account").
pub(super) fn check_role(world: &World, call: &Call, role_arn: &str) -> Result<(), Refusal> {
    match roles::stands(world, call, role_arn, PODS)? {
        Standing::Unknown => Err(invalid("Role provided in the request does not exist.")),
        Standing::Untrusted => {
            let message = format!("The trust policy of the role {role_arn} does not let {PODS} assume it.");
            Err(invalid(message))
        }
        Standing::Trusted => Ok(()),
    }
}

impl Cluster {
    fn association(&self, id: &str) -> Result<&Association, Refusal> {
        self.associations.get(id).ok_or_else(|| {
            let message = format!("The associationId {id} could not be found in cluster {}.", self.name);
            not_found(message).with("clusterName", self.name.as_str())
        })
    }

    /// Refuses an account of pods that has a role already.
    fn check_unassociated(&self, namespace: &str, service_account: &str) -> Result<(), Refusal> {
        match self.association_of(namespace, service_account) {
            None => Ok(()),
            Some(association) => {
                let message = format!("Association already exists: {}", association.id);
                Err(in_use(message).with("clusterName", self.name.as_str()))
            }
        }
    }

    /// Returns the role of an account of pods, if it has one.
    fn association_of(&self, namespace: &str, service_account: &str) -> Option<&Association> {
        self.associations.values().find(|association| {
            association.namespace == namespace && association.service_account == service_account
        })
    }

    /// Returns the namespaces and names of the accounts whose pods have roles.
    pub(super) fn pod_identities(&self) -> BTreeSet<(String, String)> {
        let associations = self.associations.values();
        associations.map(|one| (one.namespace.clone(), one.service_account.clone())).collect()
    }

    fn association_arn(&self, id: &str) -> String {
        format!("arn:aws:eks:{}:{}:podidentityassociation/{}/{id}", self.region, self.account, self.name)
    }

    /// Returns the ARNs of the associations of an add-on.
    pub(super) fn associations_of(&self, addon_arn: &str) -> Vec<&str> {
        let own = self
            .associations
            .values()
            .filter(|association| association.owner_arn.as_deref() == Some(addon_arn));
        own.map(|association| association.arn.as_str()).collect()
    }

    /// Gives the accounts of an add-on's pods their roles.
    pub(super) fn associate_addon(
        &mut self,
        now: Timestamp,
        addon_arn: &str,
        namespace: &str,
        pod_roles: &BTreeMap<String, String>,
        ids: Vec<String>,
    ) -> Result<(), Refusal> {
        for service_account in pod_roles.keys() {
            self.check_unassociated(namespace, service_account)?;
        }
        for ((service_account, role_arn), id) in pod_roles.iter().zip(ids) {
            let association = Association {
                arn: self.association_arn(&id),
                id: id.clone(),
                namespace: namespace.to_owned(),
                service_account: service_account.clone(),
                role_arn: role_arn.clone(),
                target_role_arn: None,
                external_id: None,
                disables_tags: false,
                policy: None,
                owner_arn: Some(addon_arn.to_owned()),
                made_at: now,
                changed_at: now,
                tags: BTreeMap::new(),
            };
            self.associations.insert(id, association);
        }
        Ok(())
    }

    /// Takes their roles from the accounts of an add-on's pods.
    pub(super) fn dissociate_addon(&mut self, addon_arn: &str) {
        self.associations.retain(|_, association| association.owner_arn.as_deref() != Some(addon_arn));
    }

    /// Tells whether an account of pods has a role.
    pub(super) fn has_pod_role(&self, namespace: &str, service_account: &str) -> bool {
        self.check_unassociated(namespace, service_account).is_err()
    }
}

//! What can be changed of an add-on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalog;
use crate::call::{Call, Refusal};
use crate::eks::refusals::{invalid, one_of};
use crate::eks::{pod_identity, roles};
use crate::world::World;

/// What can be changed of an add-on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::eks) struct Settings {
    /// Such as `v1.20.4-eksbuild.2`.
    pub(in crate::eks) version: String,
    /// The configuration, as it was written.
    pub(super) values: Option<String>,
    /// The role that its account of pods assumes by a web identity.
    pub(super) role_arn: Option<String>,
    /// By account of pods: the roles that they get as pod identities.
    pub(super) pod_roles: BTreeMap<String, String>,
}

impl Settings {
    /// Returns how many pods its configuration wants of its deployment.
    pub(super) fn replicas(&self) -> Option<i64> {
        let values: Value = serde_json::from_str(self.values.as_deref()?).ok()?;
        values["replicaCount"].as_i64().or(values["replicas"].as_i64())
    }

    /// Reads what an add-on is to be; what is not said stays as it is.
    pub(super) fn read(
        before: Option<Self>,
        world: &World,
        call: &Call,
        name: &str,
        kubernetes: &str,
    ) -> Result<Self, Refusal> {
        let parameters = &call.parameters;
        let wanted = parameters.text("addonVersion");
        let version = match (&before, wanted) {
            (Some(before), None) => before.version.clone(),
            (Some(_) | None, _) => catalog::version_for(name, wanted, kubernetes)?,
        };
        let before = before.unwrap_or(Self {
            version: version.clone(),
            values: None,
            role_arn: None,
            pod_roles: BTreeMap::new(),
        });
        let values = read_values(call, name)?;
        let role_arn = parameters.text("serviceAccountRoleArn").map(str::to_owned);
        if let Some(role_arn) = &role_arn {
            // Whom it trusts is not asked: its account of pods is a web identity.
            roles::check_exists(world, call, role_arn)?;
        }
        let pod_roles = if parameters.0.contains_key("podIdentityAssociations") {
            read_pod_roles(world, call)?
        } else {
            before.pod_roles
        };
        Ok(Self {
            version,
            values: values.or(before.values).filter(|text| !text.is_empty()),
            role_arn: role_arn.or(before.role_arn),
            pod_roles,
        })
    }
}

/// Reads the configuration, and what to do about one that is there already.
fn read_values(call: &Call, name: &str) -> Result<Option<String>, Refusal> {
    let conflicts = call.parameters.text("resolveConflicts").unwrap_or("NONE");
    one_of("resolveConflicts", conflicts, &["NONE", "OVERWRITE", "PRESERVE"])?;
    let values = call.parameters.text("configurationValues").map(str::to_owned);
    if let Some(text) = values.as_deref().filter(|text| !text.is_empty()) {
        catalog::check_values(name, text)?;
    }
    Ok(values)
}

fn read_pod_roles(world: &World, call: &Call) -> Result<BTreeMap<String, String>, Refusal> {
    let mut pod_roles = BTreeMap::new();
    for association in call.parameters.tables("podIdentityAssociations") {
        let (Some(account), Some(role_arn)) =
            (association.text("serviceAccount"), association.text("roleArn"))
        else {
            return Err(invalid("A pod identity association needs serviceAccount and roleArn."));
        };
        pod_identity::check_role(world, call, role_arn)?;
        pod_roles.insert(account.to_owned(), role_arn.to_owned());
    }
    Ok(pod_roles)
}

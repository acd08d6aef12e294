//! Clusters.

mod config;
mod create;
mod delete;
mod settings;
#[cfg(test)]
mod tests;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::{BASE64, HEXLOWER};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::access_entry::AccessEntry;
use super::addon::{Addon, NETWORK_PLUGIN};
use super::fargate_profile::FargateProfile;
use super::life::{Life, Moment, Outcome, Status};
use super::node_group::NodeGroup;
use super::pod_identity::Association;
use super::refusals::required;
use super::update::Update;
use super::{PAGING, named};
use crate::call::{Answer, Call, Operation};
use crate::cluster::ControlPlane;
use crate::ec2::Network;
use crate::outside::Authority;
use crate::world::{AccountId, World, seconds};
pub(super) use config::failure as update_failure;
pub(super) use create::failure;
pub(super) use settings::Settings;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    create::OPERATION,
    Operation::new("DescribeCluster", &["name"], describe).on(&[("name", "cluster")]),
    Operation::new("ListClusters", &["maxResults", "nextToken", "include"], list),
    delete::OPERATION,
];

/// The operations that change a cluster.
pub(super) const CHANGES: &[Operation] =
    &[config::OPERATION, config::ASSOCIATE_ENCRYPTION, upgrade::OPERATION];

/// How long a cluster takes to get ready: typically nine minutes.
const READY: SignedDuration = SignedDuration::from_mins(9);
/// How long one takes that fails.
const FAILED: SignedDuration = SignedDuration::from_mins(4);

/// A cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Cluster {
    pub(super) name: String,
    pub(super) account: AccountId,
    pub(super) arn: String,
    pub(super) region: String,
    /// The text of 32 digits and capitals that its addresses have.
    pub(super) id: String,
    pub(super) life: Life,
    pub(super) made_at: Timestamp,
    pub(super) role_arn: String,
    /// What can be changed.
    pub(super) settings: Settings,
    pub(super) vpc_id: String,
    pub(super) service_range: String,
    /// One that is going to fail has none.
    pub(super) group_id: Option<String>,
    /// The ids of the control plane's interfaces, by subnet.
    pub(super) interfaces: BTreeMap<String, String>,
    /// What the control plane's interfaces are asked for by, by its unique id.
    requester: String,
    /// Who is to become its administrator as soon as there are access entries.
    pub(super) creator: Option<String>,
    /// What was installed in it without an add-on, or left behind by one.
    pub(super) own_addons: BTreeSet<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) node_groups: BTreeMap<String, NodeGroup>,
    pub(super) addons: BTreeMap<String, Addon>,
    /// By principal.
    pub(super) access_entries: BTreeMap<String, AccessEntry>,
    /// By id.
    pub(super) associations: BTreeMap<String, Association>,
    pub(super) fargate_profiles: BTreeMap<String, FargateProfile>,
    /// By id.
    pub(super) updates: BTreeMap<String, Update>,
    /// What is in it, once it works.
    #[serde(default)]
    pub(super) plane: Option<ControlPlane>,
}

impl Cluster {
    /// Tells whether it works, whatever is being changed.
    pub(super) fn is_active(&self) -> bool {
        self.life.status == Status::Active
    }

    /// Tells whether pods get addresses in it.
    pub(super) fn has_network_plugin(&self) -> bool {
        let addon = self.addons.get(NETWORK_PLUGIN);
        self.own_addons.contains(NETWORK_PLUGIN) || addon.is_some_and(Addon::is_active)
    }

    /// Tells whether what gives pods their addresses has a role of its own for that.
    pub(super) fn network_plugin_has_role(&self) -> bool {
        let addon = self.addons.get(NETWORK_PLUGIN);
        addon.is_some_and(Addon::has_role) || self.has_pod_role("kube-system", "aws-node")
    }

    /// Returns how many nodes there are that work.
    pub(super) fn ready_nodes(&self) -> usize {
        self.node_groups.values().map(NodeGroup::ready_nodes).sum()
    }

    /// Returns an id in the form of a UUID that follows from the cluster and a text.
    pub(super) fn derived_uuid(&self, text: &str) -> String {
        let digits = HEXLOWER.encode(&Sha256::digest(format!("{} {text}", self.id)));
        let part = |from: usize, to: usize| &digits[from..to];
        format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
    }

    /// Returns the address of who issues the identities of its pods.
    pub(super) fn issuer(region: &str, id: &str) -> String {
        format!("https://oidc.eks.{region}.amazonaws.com/id/{id}")
    }

    fn status(&self) -> &'static str {
        match self.life.status {
            Status::Creating => "CREATING",
            Status::Active if self.updates.values().any(Update::changes_cluster) => "UPDATING",
            Status::Active => "ACTIVE",
            Status::Failed => "FAILED",
            Status::Deleting => "DELETING",
        }
    }

    /// Lets happen what is due.
    pub(super) fn settle(&mut self, moment: &mut Moment<'_>) -> Outcome {
        if !self.life.is_due(moment.at) {
            return Outcome::Stays;
        }
        match self.life.status {
            Status::Creating => {
                let failed = self.life.failure.is_some();
                self.life.status = if failed { Status::Failed } else { Status::Active };
                self.add_entries(moment.at);
                Outcome::Stays
            }
            Status::Active | Status::Failed => Outcome::Stays,
            Status::Deleting => {
                self.leave(moment.network);
                Outcome::Gone
            }
        }
    }

    /// Takes out of the network what the cluster has there. Its group stays behind if another one
    /// has a rule that names it, or something still has it.
    fn leave(&mut self, network: &mut Network) {
        for interface in std::mem::take(&mut self.interfaces).into_values() {
            network.remove_interface(&interface);
        }
        if let Some(group) = self.group_id.take() {
            network.remove_free_group(&group);
        }
    }

    /// Returns it as answers have it. Its addresses are known once it is ready.
    pub(super) fn shown(&self) -> Value {
        let Settings { version, platform, authentication, support, .. } = &self.settings;
        let is_made = self.life.status != Status::Creating && self.life.failure.is_none();
        let host = self.id.clone();
        let endpoint = format!("https://{host}.gr7.{}.eks.amazonaws.com", self.region);
        let mut network = self.settings.shown_network();
        network["clusterSecurityGroupId"] = json!(self.group_id.as_ref().filter(|_| is_made));
        network["vpcId"] = json!(self.vpc_id);
        let issues = self.life.shown_failure().into_iter();
        let issues = issues.map(
            |failure| json!({ "code": failure.code, "message": failure.message, "resourceIds": [self.name] }),
        );
        json!({
            "name": self.name,
            "arn": self.arn,
            "createdAt": seconds(self.made_at),
            "version": version,
            "platformVersion": platform,
            "roleArn": self.role_arn,
            "status": self.status(),
            "endpoint": is_made.then_some(endpoint),
            "certificateAuthority": is_made.then(|| json!({ "data": BASE64.encode(self.authority().pem().as_bytes()) })).unwrap_or(json!({})),
            "identity": is_made.then(|| json!({ "oidc": { "issuer": Self::issuer(&self.region, &self.id) } })),
            "resourcesVpcConfig": network,
            "kubernetesNetworkConfig": {
                "serviceIpv4Cidr": self.service_range,
                "ipFamily": "ipv4",
                "elasticLoadBalancing": { "enabled": false },
            },
            "logging": self.settings.shown_logging(),
            "accessConfig": { "authenticationMode": authentication.name() },
            "upgradePolicy": { "supportType": support },
            "encryptionConfig": self.settings.encryption,
            "zonalShiftConfig": self.settings.zonal_shift.map(|enabled| json!({ "enabled": enabled })),
            "controlPlaneScalingConfig": { "tier": self.settings.tier },
            "deletionProtection": self.settings.is_protected,
            "remoteNetworkConfig": self.settings.remote_networks,
            "health": { "issues": issues.collect::<Vec<_>>() },
            "tags": self.tags,
        })
    }

    /// Returns the host of its endpoint, in small letters as in handshakes.
    pub(super) fn host(&self) -> String {
        format!("{}.gr7.{}.eks.amazonaws.com", self.id, self.region).to_ascii_lowercase()
    }

    /// Returns who certifies the cluster's endpoint.
    pub(super) fn authority(&self) -> Authority {
        Authority::of_cluster(&format!("{} {}", self.arn, self.id))
    }
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let name = required(call, "name")?;
    Ok(json!({ "cluster": named(world, call, name)?.shown() }))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let clusters = world.clusters(&call.region).by_account.get(&call.caller.account);
    let names = clusters.into_iter().flatten().map(|(name, _)| (name.clone(), json!(name)));
    let (page, next) = PAGING.cut(&call.parameters, names)?;
    Ok(json!({ "clusters": page, "nextToken": next }))
}

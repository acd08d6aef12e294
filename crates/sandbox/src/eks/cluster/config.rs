//! Changing the configuration of a cluster: one kind of change in a call.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::settings::{Authentication, Settings, read_encryption};
use super::{Cluster, create};
use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::eks::life::Moment;
use crate::eks::refusals::{in_use, invalid, required, wrong_request};
use crate::eks::update::{Change, NewUpdate};
use crate::eks::{change, named};
use crate::world::{Failure, World};

/// Changes anything but the version and the encryption.
pub(super) const OPERATION: Operation = Operation::new(
    "UpdateClusterConfig",
    &[
        "name",
        "resourcesVpcConfig",
        "logging",
        "clientRequestToken",
        "accessConfig",
        "upgradePolicy",
        "zonalShiftConfig",
        "deletionProtection",
        "controlPlaneScalingConfig",
        "remoteNetworkConfig",
    ],
    update,
)
.on(&[("name", "cluster")]);

/// Encrypts secrets, which cannot be taken back.
pub(super) const ASSOCIATE_ENCRYPTION: Operation = Operation::new(
    "AssociateEncryptionConfig",
    &["clusterName", "encryptionConfig", "clientRequestToken"],
    associate_encryption,
)
.on(&[("clusterName", "cluster")]);

/// How long a change takes: "they should finish within a few minutes".
const CHANGED: SignedDuration = SignedDuration::from_mins(2);

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Endpoint,
    Network,
    Logging,
    Access,
    Support,
    ZonalShift,
    Protection,
    Tier,
    RemoteNetwork,
}

impl Kind {
    /// Returns the word of EKS (API reference, `Update`, `type`).
    fn name(self) -> &'static str {
        match self {
            Self::Endpoint => "EndpointAccessUpdate",
            Self::Network => "VpcConfigUpdate",
            Self::Logging => "LoggingUpdate",
            Self::Access => "AccessConfigUpdate",
            Self::Support => "UpgradePolicyUpdate",
            Self::ZonalShift => "ZonalShiftConfigUpdate",
            Self::Protection => "DeletionProtectionUpdate",
            Self::Tier => "ControlPlaneScalingConfigUpdate",
            Self::RemoteNetwork => "RemoteNetworkConfigUpdate",
        }
    }

    /// Returns the one kind that a call is of.
    fn of(parameters: &Parameters) -> Result<Self, Refusal> {
        let network = parameters.table("resourcesVpcConfig");
        let has_any = |names: &[&str]| names.iter().any(|name| network.0.contains_key(*name));
        let endpoint = ["endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs"];
        let has = |name: &str| parameters.0.contains_key(name);
        let asked = [
            (Self::Endpoint, has_any(&endpoint)),
            (Self::Network, has_any(&["subnetIds", "securityGroupIds"])),
            (Self::Logging, has("logging")),
            (Self::Access, has("accessConfig")),
            (Self::Support, has("upgradePolicy")),
            (Self::ZonalShift, has("zonalShiftConfig")),
            (Self::Protection, has("deletionProtection")),
            (Self::Tier, has("controlPlaneScalingConfig")),
            (Self::RemoteNetwork, has("remoteNetworkConfig")),
        ];
        let asked: Vec<_> = asked.into_iter().filter(|(_, is_asked)| *is_asked).collect();
        match asked[..] {
            [(kind, _)] => Ok(kind),
            [] => Err(invalid("The type for cluster update was not provided.")),
            _ => Err(invalid("Only one type of update can be allowed.")),
        }
    }
}

fn update(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let name = required(call, "name")?;
    let before = ready(world, call, name)?;
    let (kind, vpc_id, before) = (Kind::of(parameters)?, before.vpc_id.clone(), before.settings.clone());
    let mut settings = before.clone();
    match kind {
        Kind::Endpoint => settings.read_endpoint(&parameters.table("resourcesVpcConfig"))?,
        Kind::Network => read_network(world, call, &vpc_id, &mut settings)?,
        Kind::Logging => settings.read_logging(&parameters.table("logging"))?,
        Kind::Access => read_access(&parameters.table("accessConfig"), &mut settings)?,
        Kind::Support => settings.read_support(&parameters.table("upgradePolicy"))?,
        Kind::ZonalShift => settings.zonal_shift = parameters.table("zonalShiftConfig").flag("enabled")?,
        Kind::Protection => {
            settings.is_protected = parameters.flag("deletionProtection")?.unwrap_or_default();
        }
        Kind::Tier => settings.read_tier(&parameters.table("controlPlaneScalingConfig"))?,
        Kind::RemoteNetwork => settings.read_remote_networks(&parameters.table("remoteNetworkConfig"))?,
    }
    if settings == before {
        return Err(unchanged(kind, &settings));
    }
    begin(world, call, name, kind.name(), shown(kind, &settings), settings)
}

/// Returns a cluster that can be changed.
pub(super) fn ready<'a>(world: &'a mut World, call: &Call, name: &str) -> Result<&'a Cluster, Refusal> {
    let cluster = named(world, call, name)?;
    cluster.check_quiet(&call.operation)?;
    if cluster.is_active() {
        return Ok(cluster);
    }
    let message = format!(
        "Cannot {} because cluster {name} currently is {} and a change of it in progress",
        call.operation,
        cluster.status()
    );
    Err(in_use(message).with("clusterName", name))
}

/// Begins a change of a cluster.
pub(super) fn begin(
    world: &mut World,
    call: &Call,
    name: &str,
    kind: &'static str,
    parameters: Vec<(&'static str, String)>,
    settings: Settings,
) -> Answer {
    let (id, failure) = (world.new_uuid(), world.fate().map(failure));
    let interfaces = vec![world.new_id("eni"), world.new_id("eni")];
    change(world, call, name, |cluster, moment| {
        let change = Change::Cluster { settings: Box::new(settings), interfaces };
        let new = NewUpdate { id, kind, parameters, duration: CHANGED, failure, change };
        Ok(cluster.begin_update(moment, new))
    })
}

/// Says in EKS's words why an update fails, where the rule of a fault has none.
pub(in crate::eks) fn failure(failure: Failure) -> Failure {
    let code = if failure.code == "InternalError" { "Unknown".to_owned() } else { failure.code };
    Failure { code, ..failure }
}

/// Reads other subnets and groups: "the subnets must be in the same VPC", and "you can't change
/// the Availability Zones" (API reference, `UpdateClusterConfig`; EKS user guide, "Considerations").
fn read_network(
    world: &mut World,
    call: &Call,
    vpc_id: &str,
    settings: &mut Settings,
) -> Result<(), Refusal> {
    let network = call.parameters.table("resourcesVpcConfig");
    let name = required(call, "name")?;
    let given = |key: &str| network.texts(key).into_iter().map(str::to_owned).collect::<Vec<_>>();
    if network.0.contains_key("subnetIds") {
        let before = create::places(world, call, name, &settings.subnets)?;
        settings.subnets = given("subnetIds");
        let after = create::places(world, call, name, &settings.subnets)?;
        if after.iter().any(|place| place.vpc_id != vpc_id) {
            return Err(invalid("Provided subnets belong to a different VPC than the cluster's."));
        }
        let zones = |places: &[crate::ec2::Place]| -> std::collections::BTreeSet<String> {
            places.iter().map(|place| place.zone_id.clone()).collect()
        };
        if zones(&before) != zones(&after) {
            return Err(invalid("Provided subnets must be in the same set of AZs as those of the cluster."));
        }
    }
    if network.0.contains_key("securityGroupIds") {
        settings.groups = given("securityGroupIds");
        create::check_groups(world, call, vpc_id, &settings.groups)?;
    }
    Ok(())
}

/// Reads another way of authentication, which has to be a later one.
fn read_access(access: &Parameters, settings: &mut Settings) -> Result<(), Refusal> {
    let Some(text) = access.text("authenticationMode") else { return Ok(()) };
    let (wanted, now) = (Authentication::read(text)?, settings.authentication);
    let is_next = matches!(
        (now, wanted),
        (Authentication::ConfigMap, Authentication::Both) | (Authentication::Both, Authentication::Api)
    );
    if wanted != now && !is_next {
        let message =
            format!("Unsupported authentication mode update from {} to {}", now.name(), wanted.name());
        return Err(invalid(message));
    }
    settings.authentication = wanted;
    Ok(())
}

fn unchanged(kind: Kind, settings: &Settings) -> Refusal {
    match kind {
        Kind::Endpoint => invalid(format!(
            "Cluster is already at the desired configuration with endpointPrivateAccess: {} , \
             endpointPublicAccess: {}, and Public Endpoint Restrictions: [{}]",
            settings.is_private,
            settings.is_public,
            settings.public_ranges.join(", ")
        )),
        Kind::Logging => invalid("No changes needed for the logging config provided"),
        Kind::Protection => wrong_request("The cluster has the deletion protection that is asked for."),
        Kind::Network
        | Kind::Access
        | Kind::Support
        | Kind::ZonalShift
        | Kind::Tier
        | Kind::RemoteNetwork => {
            invalid(format!("No changes needed: the cluster is as {} asks for.", kind.name()))
        }
    }
}

/// Returns what was asked for, by the names of EKS (API reference, `UpdateParam`).
fn shown(kind: Kind, settings: &Settings) -> Vec<(&'static str, String)> {
    let list = |texts: &[String]| json!(texts).to_string();
    match kind {
        Kind::Endpoint => vec![
            ("EndpointPublicAccess", settings.is_public.to_string()),
            ("EndpointPrivateAccess", settings.is_private.to_string()),
            ("PublicAccessCidrs", list(&settings.public_ranges)),
        ],
        Kind::Network => {
            vec![("Subnets", list(&settings.subnets)), ("SecurityGroups", list(&settings.groups))]
        }
        Kind::Logging => vec![("ClusterLogging", settings.shown_logging().to_string())],
        Kind::Access => vec![("AuthenticationMode", settings.authentication.name().to_owned())],
        Kind::Support => vec![("UpgradePolicy", json!({ "supportType": settings.support }).to_string())],
        Kind::ZonalShift => {
            vec![("ZonalShiftConfig", json!({ "enabled": settings.zonal_shift }).to_string())]
        }
        Kind::Protection => vec![("DeletionProtection", settings.is_protected.to_string())],
        Kind::Tier => vec![("UpdatedTier", settings.tier.clone())],
        Kind::RemoteNetwork => {
            vec![("RemoteNetworkConfig", json!(settings.remote_networks).to_string())]
        }
    }
}

fn associate_encryption(world: &mut World, call: &Call) -> Answer {
    let name = required(call, "clusterName")?;
    let mut settings = ready(world, call, name)?.settings.clone();
    let wanted = read_encryption(&call.parameters.tables("encryptionConfig"))?;
    let wanted: Value = wanted.ok_or_else(|| invalid("encryptionConfig is missing."))?;
    if settings.encryption.is_some() {
        return Err(invalid("Encryption is already enabled for this cluster."));
    }
    let parameters = vec![("EncryptionConfig", wanted.to_string())];
    settings.encryption = Some(wanted);
    begin(world, call, name, "AssociateEncryptionConfig", parameters, settings)
}

impl Cluster {
    /// Becomes what an update makes of it.
    pub(in crate::eks) fn become_changed(
        &mut self,
        moment: &mut Moment<'_>,
        settings: Settings,
        ids: Vec<String>,
    ) {
        self.settings = settings;
        self.add_entries(moment.at);
        let (kept, lost): (Vec<_>, Vec<_>) = std::mem::take(&mut self.interfaces)
            .into_iter()
            .partition(|(subnet, _)| self.settings.subnets.contains(subnet));
        self.interfaces = kept.into_iter().collect();
        for (_, interface) in &lost {
            moment.network.remove_interface(interface);
        }
        let others: Vec<_> =
            self.settings.subnets.iter().filter(|id| !self.interfaces.contains_key(*id)).cloned().collect();
        for ((subnet, id), _) in others.into_iter().zip(ids).zip(&lost) {
            // A subnet that is full or gone gets none; the cluster then has fewer.
            drop(self.add_interface(moment.network, &subnet, &id));
        }
        let groups: Vec<_> = self.group_id.iter().chain(&self.settings.groups).cloned().collect();
        for interface in self.interfaces.values() {
            moment.network.set_groups(interface, &groups);
        }
    }
}

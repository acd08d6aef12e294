//! What can be changed of a cluster.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Parameters, Refusal};
use crate::eks::refusals::{invalid, one_of};

/// What can be changed of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::eks) struct Settings {
    /// Such as `1.35`.
    pub(in crate::eks) version: String,
    /// Such as `eks.3`.
    pub(in crate::eks) platform: String,
    pub(in crate::eks) subnets: Vec<String>,
    /// Those that it has besides its own.
    pub(in crate::eks) groups: Vec<String>,
    pub(in crate::eks) is_public: bool,
    pub(in crate::eks) is_private: bool,
    /// Who reaches the public endpoint.
    pub(in crate::eks) public_ranges: Vec<String>,
    /// The types of logs that are on.
    pub(in crate::eks) logs: BTreeSet<String>,
    pub(in crate::eks) authentication: Authentication,
    /// `STANDARD` or `EXTENDED`.
    pub(in crate::eks) support: String,
    pub(in crate::eks) encryption: Option<Value>,
    pub(in crate::eks) zonal_shift: Option<bool>,
    pub(in crate::eks) tier: String,
    pub(in crate::eks) is_protected: bool,
    /// The networks of hybrid nodes and their pods.
    #[serde(default)]
    pub(in crate::eks) remote_networks: Option<Value>,
}

/// By what a cluster knows who may do what in it. It can only become a later one ("Change
/// authentication mode to use access entries", EKS user guide).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::eks) enum Authentication {
    ConfigMap,
    Both,
    Api,
}

impl Authentication {
    const ALL: [Self; 3] = [Self::ConfigMap, Self::Both, Self::Api];

    /// Returns the word of EKS.
    pub(in crate::eks) fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "CONFIG_MAP",
            Self::Both => "API_AND_CONFIG_MAP",
            Self::Api => "API",
        }
    }

    /// Reads the word of EKS.
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        one_of("authenticationMode", text, &Self::ALL.map(Self::name))?;
        let found = Self::ALL.into_iter().find(|mode| mode.name() == text);
        Ok(found.expect("it is one of those names"))
    }

    /// Tells whether the configuration map `aws-auth` counts.
    pub(in crate::eks) fn has_configuration(self) -> bool {
        self != Self::Api
    }

    /// Tells whether access entries count.
    pub(in crate::eks) fn has_entries(self) -> bool {
        self != Self::ConfigMap
    }
}

/// The types of logs (API reference, `LogSetup`).
const LOGS: [&str; 5] = ["api", "audit", "authenticator", "controllerManager", "scheduler"];
/// The sizes of control planes (API reference, `ControlPlaneScalingConfig`).
const TIERS: [&str; 5] = ["standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"];
/// How many ranges may be given (quota "Public endpoint access CIDR ranges per cluster").
const MOST_RANGES: usize = 40;

impl Settings {
    /// Returns the network as answers have it.
    pub(super) fn shown_network(&self) -> Value {
        json!({
            "subnetIds": self.subnets,
            "securityGroupIds": self.groups,
            "endpointPublicAccess": self.is_public,
            "endpointPrivateAccess": self.is_private,
            "publicAccessCidrs": self.public_ranges,
        })
    }

    /// Returns which logs are on and which are off.
    pub(super) fn shown_logging(&self) -> Value {
        let (on, off): (Vec<_>, Vec<_>) = LOGS.into_iter().partition(|log| self.logs.contains(*log));
        let groups = [(on, true), (off, false)].into_iter().filter(|(types, _)| !types.is_empty());
        let groups: Vec<_> =
            groups.map(|(types, enabled)| json!({ "types": types, "enabled": enabled })).collect();
        json!({ "clusterLogging": groups })
    }

    /// Reads who reaches the cluster, where that is said.
    pub(super) fn read_endpoint(&mut self, network: &Parameters) -> Result<(), Refusal> {
        self.is_public = network.flag("endpointPublicAccess")?.unwrap_or(self.is_public);
        self.is_private = network.flag("endpointPrivateAccess")?.unwrap_or(self.is_private);
        if network.0.contains_key("publicAccessCidrs") {
            self.public_ranges = read_ranges(&network.texts("publicAccessCidrs"))?;
        }
        if !self.is_public && !self.is_private {
            return Err(invalid("Private and public endpoint access cannot be false"));
        }
        Ok(())
    }

    /// Reads which logs are to be on or off; the others stay as they are.
    pub(super) fn read_logging(&mut self, logging: &Parameters) -> Result<(), Refusal> {
        for group in logging.tables("clusterLogging") {
            let enabled = group.flag("enabled")?.unwrap_or_default();
            for log in group.texts("types") {
                one_of("logging type", log, &LOGS)?;
                if enabled {
                    self.logs.insert(log.to_owned());
                } else {
                    self.logs.remove(log);
                }
            }
        }
        Ok(())
    }

    /// Reads for how long versions of it are supported.
    pub(super) fn read_support(&mut self, policy: &Parameters) -> Result<(), Refusal> {
        if let Some(text) = policy.text("supportType") {
            one_of("supportType", text, &["STANDARD", "EXTENDED"])?.clone_into(&mut self.support);
        }
        Ok(())
    }

    /// Reads the networks of hybrid nodes: "an object containing both subkeys with empty arrays" takes them away
    /// (API reference, `UpdateClusterConfig`). They need access entries ("Create an Amazon EKS cluster with hybrid
    /// nodes", EKS user guide).
    pub(super) fn read_remote_networks(&mut self, networks: &Parameters) -> Result<(), Refusal> {
        let all = ["remoteNodeNetworks", "remotePodNetworks"].map(|name| networks.tables(name));
        let ranges = all.iter().flatten().flat_map(|network| network.texts("cidrs"));
        for range in ranges.map(str::to_owned).collect::<Vec<_>>() {
            range
                .parse::<Ipv4Net>()
                .map_err(|_| invalid(format!("The remote network CIDR {range} is not valid.")))?;
        }
        let has_any = all.iter().any(|networks| !networks.is_empty());
        if has_any && !self.authentication.has_entries() {
            return Err(invalid("Remote networks need the authentication mode API or API_AND_CONFIG_MAP."));
        }
        self.remote_networks = has_any.then(|| Value::Object(networks.0.clone()));
        Ok(())
    }

    /// Reads the size of its control plane.
    pub(super) fn read_tier(&mut self, scaling: &Parameters) -> Result<(), Refusal> {
        if let Some(text) = scaling.text("tier") {
            one_of("tier", text, &TIERS)?.clone_into(&mut self.tier);
        }
        Ok(())
    }
}

fn read_ranges(texts: &[&str]) -> Result<Vec<String>, Refusal> {
    if texts.len() > MOST_RANGES {
        return Err(invalid(format!("At most {MOST_RANGES} public access CIDRs are allowed")));
    }
    for text in texts {
        text.parse::<Ipv4Net>().map_err(|_| {
            invalid(format!("The following CIDRs are invalid in publicAccessCidrs: [{text}]"))
        })?;
    }
    let ranges = if texts.is_empty() { vec!["0.0.0.0/0"] } else { texts.to_vec() };
    Ok(ranges.into_iter().map(str::to_owned).collect())
}

/// Reads what is encrypted with which key: only secrets can be.
pub(super) fn read_encryption(list: &[Parameters]) -> Result<Option<Value>, Refusal> {
    let [one] = list else {
        return match list {
            [] => Ok(None),
            _ => Err(invalid("Only one encryption config is allowed.")),
        };
    };
    let key = one.table("provider");
    let key = key.text("keyArn").unwrap_or_default();
    if one.texts("resources") != ["secrets"] || !key.starts_with("arn:aws:kms:") {
        return Err(invalid("The encryption config needs the resource `secrets` and the ARN of a KMS key."));
    }
    Ok(Some(json!([{ "resources": ["secrets"], "provider": { "keyArn": key } }])))
}

//! The add-ons that EKS offers, with their versions and what can be configured of them.

use serde_json::{Value, json};

use super::schema;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::eks::refusals::{invalid, not_found, required};
use crate::eks::{PAGING, version};
use crate::world::World;

/// The operations.
pub(in crate::eks) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "DescribeAddonVersions",
        &["kubernetesVersion", "addonName", "types", "publishers", "owners", "maxResults", "nextToken"],
        describe_versions,
    ),
    Operation::new("DescribeAddonConfiguration", &["addonName", "addonVersion"], describe_configuration),
];

/// An add-on.
struct Offered {
    name: &'static str,
    kind: &'static str,
    /// Whether it is a deployment, whose pods need nodes; a daemon is content with none.
    needs_nodes: bool,
    /// The account of pods that needs permissions, and the policy of AWS with them.
    permissions: Option<(&'static str, &'static str)>,
    /// With the first and the last minor version of Kubernetes that each is for; the newest first.
    versions: &'static [(&'static str, u32, u32)],
    /// The schema of its configuration: what there is besides what all of them have.
    schema: &'static str,
}

/// Those that the sandbox has ("AWS add-ons", EKS user guide).
const OFFERED: &[Offered] = &[
    Offered {
        name: "aws-ebs-csi-driver",
        kind: "storage",
        needs_nodes: true,
        permissions: Some(("ebs-csi-controller-sa", "service-role/AmazonEBSCSIDriverPolicy")),
        versions: &[("v1.55.0-eksbuild.1", 31, 35), ("v1.54.0-eksbuild.1", 31, 35)],
        schema: r#"{"controller":{"type":"object"},"node":{"type":"object"},
            "defaultStorageClass":{"type":"object","properties":{"enabled":{"type":"boolean"}}}}"#,
    },
    Offered {
        name: "coredns",
        kind: "networking",
        needs_nodes: true,
        permissions: None,
        versions: &[
            ("v1.13.1-eksbuild.1", 34, 35),
            ("v1.12.4-eksbuild.1", 32, 35),
            ("v1.11.4-eksbuild.24", 31, 33),
        ],
        schema: r#"{"replicaCount":{"type":"integer"},"computeType":{"type":"string"},
            "corefile":{"type":"string"},"affinity":{"type":"object"},"nodeSelector":{"type":"object"},
            "topologySpreadConstraints":{"type":"array"},"podLabels":{"type":"object"},
            "podAnnotations":{"type":"object"},"podDisruptionBudget":{"type":"object"},
            "autoScaling":{"type":"object","additionalProperties":false,"properties":{
                "enabled":{"type":"boolean"},"minReplicas":{"type":"integer"},
                "maxReplicas":{"type":"integer"}}}}"#,
    },
    Offered {
        name: "eks-pod-identity-agent",
        kind: "security",
        needs_nodes: false,
        permissions: None,
        versions: &[("v1.3.10-eksbuild.2", 31, 35), ("v1.3.9-eksbuild.5", 31, 35)],
        schema: r#"{"agent":{"type":"object"},"affinity":{"type":"object"},"podLabels":{"type":"object"},
            "podAnnotations":{"type":"object"},"priorityClassName":{"type":"string"}}"#,
    },
    Offered {
        name: "kube-proxy",
        kind: "networking",
        needs_nodes: false,
        permissions: None,
        // "Kube-proxy can't be newer than your cluster's control plane", and lags three versions at most.
        versions: &[
            ("v1.35.0-eksbuild.2", 35, 35),
            ("v1.34.3-eksbuild.2", 34, 35),
            ("v1.33.7-eksbuild.2", 33, 35),
            ("v1.32.11-eksbuild.2", 32, 35),
            ("v1.31.14-eksbuild.2", 31, 34),
        ],
        schema: r#"{"ipvs":{"type":"object","properties":{"scheduler":{"type":"string"}}},
            "mode":{"type":"string","enum":["iptables","ipvs","nftables"]},
            "podLabels":{"type":"object"},"podAnnotations":{"type":"object"}}"#,
    },
    Offered {
        name: "metrics-server",
        kind: "observability",
        needs_nodes: true,
        permissions: None,
        versions: &[("v0.8.0-eksbuild.6", 31, 35)],
        schema: r#"{"replicas":{"type":"integer"},"affinity":{"type":"object"},"addonResizer":{"type":"object"}}"#,
    },
    Offered {
        name: super::NETWORK_PLUGIN,
        kind: "networking",
        needs_nodes: false,
        permissions: Some(("aws-node", "AmazonEKS_CNI_Policy")),
        versions: &[("v1.21.1-eksbuild.1", 31, 35), ("v1.20.4-eksbuild.2", 31, 35)],
        schema: r#"{"env":{"type":"object"},"eniConfig":{"type":"object"},"init":{"type":"object"},
            "enableNetworkPolicy":{"type":"string"},"enableWindowsIpam":{"type":"string"},
            "enableWindowsPrefixDelegation":{"type":"string"},"affinity":{"type":"object"},
            "nodeAgent":{"type":"object"},"livenessProbeTimeoutSeconds":{"type":"integer"},
            "readinessProbeTimeoutSeconds":{"type":"integer"},"podLabels":{"type":"object"},
            "podAnnotations":{"type":"object"}}"#,
    },
];

impl Offered {
    /// Returns the newest version for a version of Kubernetes. The sandbox takes it for the default.
    fn newest(&self, minor: u32) -> Option<&'static str> {
        let is_for = |(_, first, last): &&(_, u32, u32)| (*first..=*last).contains(&minor);
        self.versions.iter().find(is_for).map(|(version, _, _)| *version)
    }

    fn shown(&self, minor: Option<u32>) -> Value {
        let is_wanted =
            |(_, first, last): &&(_, u32, u32)| minor.is_none_or(|minor| (*first..=*last).contains(&minor));
        let versions = self.versions.iter().filter(is_wanted).map(|(version, first, last)| {
            let minors = (*first..=*last).rev().filter(|own| minor.is_none_or(|minor| *own == minor));
            let compatible = minors.map(|minor| {
                json!({
                    "clusterVersion": format!("1.{minor}"),
                    "platformVersions": ["*"],
                    "defaultVersion": self.newest(minor) == Some(*version),
                })
            });
            json!({
                "addonVersion": version,
                "architecture": ["amd64", "arm64"],
                "computeTypes": ["ec2"],
                "compatibilities": compatible.collect::<Vec<_>>(),
                "requiresConfiguration": false,
                "requiresIamPermissions": self.permissions.is_some(),
            })
        });
        json!({
            "addonName": self.name,
            "type": self.kind,
            "publisher": "eks",
            "owner": "aws",
            "defaultNamespace": NAMESPACE,
            "addonVersions": versions.collect::<Vec<_>>(),
        })
    }

    /// Returns the schema of its configuration, with what all of them can be told.
    fn schema(&self) -> Value {
        let mut properties: Value = serde_json::from_str(self.schema).expect("it is written above");
        properties["tolerations"] = json!({ "type": "array" });
        properties["resources"] = json!({ "type": "object" });
        json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
        })
    }
}

/// Where add-ons are installed.
pub(super) const NAMESPACE: &str = "kube-system";

fn find(name: &str) -> Result<&'static Offered, Refusal> {
    let found = OFFERED.iter().find(|offered| offered.name == name);
    found.ok_or_else(|| invalid(format!("Addon {name} specified is not supported")).with("addonName", name))
}

/// Tells whether the pods of an add-on need nodes.
pub(super) fn needs_nodes(name: &str) -> bool {
    OFFERED.iter().any(|offered| offered.name == name && offered.needs_nodes)
}

/// Returns the version of an add-on that a cluster gets: the wanted one, or the default.
///
/// # Errors
/// If there is no such add-on, or this version is not for that of the cluster.
pub(super) fn version_for(name: &str, wanted: Option<&str>, kubernetes: &str) -> Result<String, Refusal> {
    let (offered, minor) = (find(name)?, version::minor(kubernetes));
    let wrong = || {
        let message = format!("Addon version specified is not supported in {kubernetes} kubernetes version");
        invalid(message).with("addonName", name)
    };
    let Some(wanted) = wanted else { return offered.newest(minor).map(str::to_owned).ok_or_else(wrong) };
    let is_it =
        |(known, first, last): &&(&str, u32, u32)| *known == wanted && (*first..=*last).contains(&minor);
    offered.versions.iter().find(is_it).map(|_| wanted.to_owned()).ok_or_else(wrong)
}

/// Returns the version of an add-on that EKS takes by default, if it has the add-on.
pub(in crate::eks) fn default_version(name: &str, kubernetes: &str) -> Option<String> {
    version_for(name, None, kubernetes).ok()
}

/// Tells whether a version of an add-on works with a version of Kubernetes.
pub(in crate::eks) fn is_compatible(name: &str, addon_version: &str, kubernetes: &str) -> bool {
    version_for(name, Some(addon_version), kubernetes).is_ok()
}

/// Checks configuration values against the schema of an add-on.
pub(super) fn check_values(name: &str, text: &str) -> Result<(), Refusal> {
    let values: Value = serde_json::from_str(text).map_err(|_| {
        invalid("The sandbox reads configuration values that are JSON; EKS takes YAML as well.")
    })?;
    schema::check(&find(name)?.schema(), &values, "$").map_err(|problem| {
        let message = format!(
            "ConfigurationValue provided in request is not supported: Json schema validation failed with error: \
             [{problem}]"
        );
        invalid(message).with("addonName", name)
    })
}

fn describe_versions(_: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let kubernetes = parameters.text("kubernetesVersion").map(version::offered).transpose()?;
    let minor = kubernetes.map(|offered| version::minor(offered.name));
    let name = parameters.text("addonName");
    name.map(find).transpose()?;
    let (kinds, owners) = (parameters.texts("types"), parameters.texts("owners"));
    let publishers = parameters.texts("publishers");
    let matches = |wanted: &[&str], value: &str| wanted.is_empty() || wanted.contains(&value);
    let chosen = OFFERED.iter().filter(|offered| {
        name.is_none_or(|name| name == offered.name)
            && minor.is_none_or(|minor| offered.newest(minor).is_some())
            && matches(&kinds, offered.kind)
            && matches(&owners, "aws")
            && matches(&publishers, "eks")
    });
    let shown = chosen.map(|offered| (offered.name.to_owned(), offered.shown(minor)));
    let (page, next) = PAGING.cut(parameters, shown)?;
    Ok(json!({ "addons": page, "nextToken": next }))
}

fn describe_configuration(_: &mut World, call: &Call) -> Answer {
    let (name, version) = (required(call, "addonName")?, required(call, "addonVersion")?);
    let offered = find(name)?;
    if !offered.versions.iter().any(|(known, _, _)| *known == version) {
        return Err(not_found(format!("Addon version {version} of {name} not found")).with("addonName", name));
    }
    let permissions = offered.permissions.map(|(account, policy)| {
        let arn = format!("arn:aws:iam::aws:policy/{policy}");
        json!([{ "serviceAccount": account, "recommendedManagedPolicies": [arn] }])
    });
    Ok(json!({
        "addonName": name,
        "addonVersion": version,
        "configurationSchema": offered.schema().to_string(),
        "podIdentityConfiguration": permissions,
    }))
}

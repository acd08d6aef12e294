//! What a launch template says of instances: as it is asked for, and as EC2 shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::call::{Parameters, Refusal};

/// What can be said (API reference, `RequestLaunchTemplateData`).
const NAMES: &[&str] = &[
    "BlockDeviceMapping",
    "CapacityReservationSpecification",
    "CpuOptions",
    "CreditSpecification",
    "DisableApiStop",
    "DisableApiTermination",
    "EbsOptimized",
    "EnclaveOptions",
    "HibernationOptions",
    "IamInstanceProfile",
    "ImageId",
    "InstanceInitiatedShutdownBehavior",
    "InstanceMarketOptions",
    "InstanceRequirements",
    "InstanceType",
    "KeyName",
    "LicenseSpecification",
    "MaintenanceOptions",
    "MetadataOptions",
    "Monitoring",
    "NetworkInterface",
    "NetworkPerformanceOptions",
    "Placement",
    "PrivateDnsNameOptions",
    "SecurityGroup",
    "SecurityGroupId",
    "TagSpecification",
    "UserData",
];

/// What a version of a launch template says that is of interest to who launches instances with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) instance_type: Option<String>,
    pub(crate) image_id: Option<String>,
    /// The groups of the first interface; empty if none are said.
    pub(crate) groups: Vec<String>,
    pub(crate) has_subnet: bool,
    pub(crate) has_profile: bool,
    /// The tags of instances.
    pub(crate) tags: BTreeMap<String, String>,
}

impl Launch {
    /// Reads what is of interest.
    pub(super) fn new(id: &str, name: &str, version: u32, data: &Parameters) -> Self {
        let owned = |text: &str| text.to_owned();
        let interfaces = data.tables("NetworkInterface");
        let of_interface = interfaces.first().map(|interface| interface.texts("SecurityGroupId"));
        let groups = of_interface.filter(|groups| !groups.is_empty());
        let groups = groups.unwrap_or_else(|| data.texts("SecurityGroupId"));
        let specifications = data.tables("TagSpecification");
        let instances = specifications.iter().filter(|one| one.text("ResourceType") == Some("instance"));
        let tags = instances.flat_map(|one| one.tables("Tag"));
        let text = |tag: &Parameters, name: &str| tag.text(name).unwrap_or_default().to_owned();
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            version,
            instance_type: data.text("InstanceType").map(owned),
            image_id: data.text("ImageId").map(owned),
            groups: groups.into_iter().map(owned).collect(),
            has_subnet: interfaces.iter().any(|interface| interface.text("SubnetId").is_some()),
            has_profile: !data.table("IamInstanceProfile").0.is_empty(),
            tags: tags.map(|tag| (text(&tag, "Key"), text(&tag, "Value"))).collect(),
        }
    }
}

/// Reads what a version says, beside what its source said.
pub(super) fn read(parameters: &Parameters, source: Option<&Parameters>) -> Result<Parameters, Refusal> {
    let given = parameters.table("LaunchTemplateData");
    if let Some(unknown) = given.0.keys().find(|name| !NAMES.contains(&name.as_str())) {
        let message = format!("The parameter LaunchTemplateData.{unknown} is not recognized");
        return Err(Refusal::new("UnknownParameter", message));
    }
    if given.0.is_empty() && source.is_none() {
        return Err(Refusal::new(
            "MissingParameter",
            "The request must contain the parameter LaunchTemplateData",
        ));
    }
    if !given.texts("SecurityGroupId").is_empty() && !given.tables("NetworkInterface").is_empty() {
        let message = "Network interfaces and an instance-level security groups may not be specified on the same request";
        return Err(Refusal::new("InvalidParameterCombination", message));
    }
    let mut data = source.cloned().unwrap_or_default();
    data.0.extend(given.0);
    Ok(data)
}

/// Returns it as answers have it: other capitals, lists that are sets.
pub(super) fn shown(data: &Parameters) -> Value {
    let mut shown = table(&data.0, false);
    if let Some(options) = shown.get_mut("metadataOptions") {
        options["state"] = json!("applied");
    }
    Value::Object(shown)
}

fn table(entries: &Map<String, Value>, of_interface: bool) -> Map<String, Value> {
    let shown = entries.iter().map(|(name, value)| match value {
        Value::Array(items) => {
            let is_interface = name == "NetworkInterface";
            let items: Vec<_> = items.iter().map(|item| one(item, is_interface)).collect();
            (set_name(name, of_interface), Value::Array(items))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            (small(name), one(value, false))
        }
    });
    shown.collect()
}

fn one(value: &Value, is_interface: bool) -> Value {
    match value {
        Value::Object(entries) => Value::Object(table(entries, is_interface)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => value.clone(),
    }
}

/// Returns the name of a list in answers.
fn set_name(name: &str, of_interface: bool) -> String {
    match name {
        "SecurityGroupId" if of_interface => "groupSet".to_owned(),
        "LicenseSpecification" => "licenseSet".to_owned(),
        _ => format!("{}Set", small(name)),
    }
}

/// Returns a name with a small letter first.
fn small(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

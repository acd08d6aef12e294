//! What the nodes of a group are: instance types, images, disks.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Parameters, Refusal};
use crate::ec2::Launch;
use crate::eks::refusals::{invalid, one_of};
use crate::eks::version;

/// What the nodes of a group are. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
    /// Empty if the launch template says it.
    instance_types: Vec<String>,
    image_type: String,
    capacity: String,
    /// In GiB; a launch template says it itself.
    disk_size: Option<i64>,
}

/// What instances run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Architecture {
    Intel,
    Arm,
}

/// The types of images, and the architecture of instances that can run them.
const IMAGES: &[(&str, Architecture)] = &[
    ("AL2023_x86_64_STANDARD", Architecture::Intel),
    ("AL2023_ARM_64_STANDARD", Architecture::Arm),
    ("AL2023_x86_64_NEURON", Architecture::Intel),
    ("AL2023_x86_64_NVIDIA", Architecture::Intel),
    ("AL2023_ARM_64_NVIDIA", Architecture::Arm),
    ("AL2_x86_64", Architecture::Intel),
    ("AL2_x86_64_GPU", Architecture::Intel),
    ("AL2_ARM_64", Architecture::Arm),
    ("BOTTLEROCKET_x86_64", Architecture::Intel),
    ("BOTTLEROCKET_ARM_64", Architecture::Arm),
    ("BOTTLEROCKET_x86_64_FIPS", Architecture::Intel),
    ("BOTTLEROCKET_ARM_64_FIPS", Architecture::Arm),
    ("BOTTLEROCKET_x86_64_NVIDIA", Architecture::Intel),
    ("BOTTLEROCKET_ARM_64_NVIDIA", Architecture::Arm),
];

/// The type of an image that a launch template names.
const CUSTOM: &str = "CUSTOM";
/// How many instance types a group may have (API reference, `CreateNodegroup`).
const MOST_TYPES: usize = 20;
/// What nodes are where nothing is said (API reference, `CreateNodegroup`, `instanceTypes`).
const USUAL_TYPE: &str = "t3.medium";
/// The size of disks where nothing is said.
const USUAL_DISK: i64 = 20;
/// The last version with images of Amazon Linux 2 ("Guide to EKS AL2 & AL2-Accelerated AMIs
/// transition features", EKS user guide).
const LAST_WITH_AL2: u32 = 32;

impl Machine {
    /// Reads what nodes are to be, where a launch template does not say it.
    pub(super) fn read(
        parameters: &Parameters,
        version: &str,
        launch: Option<&Launch>,
    ) -> Result<Self, Refusal> {
        let instance_types = instance_types(parameters, launch)?;
        let first = launch.and_then(|launch| launch.instance_type.as_deref());
        let first = first.or(instance_types.first().map(String::as_str)).unwrap_or(USUAL_TYPE);
        let image_type = match launch.and_then(|launch| launch.image_id.as_ref()) {
            None => image_type(parameters, version, &instance_types, first)?,
            Some(_) if parameters.text("amiType").is_some_and(|image| image != CUSTOM) => {
                return Err(invalid(
                    "You cannot specify an image id within the launch template and an amiType.",
                ));
            }
            Some(_) => CUSTOM.to_owned(),
        };
        let capacity = parameters.text("capacityType").unwrap_or("ON_DEMAND");
        let disk_size = parameters.integer("diskSize")?;
        if launch.is_some() && disk_size.is_some() {
            return Err(invalid("Disk size must be specified within the launch template."));
        }
        Ok(Self {
            instance_types,
            image_type,
            capacity: one_of("capacityType", capacity, &["ON_DEMAND", "SPOT"])?.to_owned(),
            disk_size: launch.is_none().then_some(disk_size.unwrap_or(USUAL_DISK)),
        })
    }

    /// Returns the type of which instances are launched.
    pub(super) fn instance_type<'a>(&'a self, launch: Option<&'a Launch>) -> &'a str {
        let said = launch.and_then(|launch| launch.instance_type.as_deref());
        said.or(self.instance_types.first().map(String::as_str)).unwrap_or(USUAL_TYPE)
    }

    pub(super) fn is_spot(&self) -> bool {
        self.capacity == "SPOT"
    }

    /// Returns it as answers have it.
    pub(super) fn shown(&self) -> Value {
        json!({
            "capacityType": self.capacity,
            "instanceTypes": (!self.instance_types.is_empty()).then_some(&self.instance_types),
            "amiType": self.image_type,
            "diskSize": self.disk_size,
        })
    }
}

fn instance_types(parameters: &Parameters, launch: Option<&Launch>) -> Result<Vec<String>, Refusal> {
    let types = parameters.texts("instanceTypes");
    if launch.is_some_and(|launch| launch.instance_type.is_some()) {
        if types.is_empty() {
            return Ok(Vec::new());
        }
        let message = "You cannot specify an instance type in both the launch template and the request.";
        return Err(invalid(message));
    }
    let types = if types.is_empty() { vec![USUAL_TYPE] } else { types };
    if types.len() > MOST_TYPES {
        return Err(invalid(format!("A node group has at most {MOST_TYPES} instance types.")));
    }
    if let Some(wrong) = types.iter().find(|kind| !kind.contains('.')) {
        return Err(invalid(format!("The following supplied instance types do not exist: [{wrong}]")));
    }
    Ok(types.into_iter().map(str::to_owned).collect())
}

/// Returns the type of image, which runs on all instance types.
fn image_type(
    parameters: &Parameters,
    version: &str,
    types: &[String],
    first: &str,
) -> Result<String, Refusal> {
    let usual = match architecture(first) {
        Architecture::Intel => "AL2023_x86_64_STANDARD",
        Architecture::Arm => "AL2023_ARM_64_STANDARD",
    };
    let image = parameters.text("amiType").unwrap_or(usual);
    let known: Vec<_> = IMAGES.iter().map(|(name, _)| *name).collect();
    one_of("amiType", image, &known)?;
    if image.starts_with("AL2_") && version::minor(version) > LAST_WITH_AL2 {
        let message = format!("Requested AMI type {image} is not supported for Kubernetes version {version}");
        return Err(invalid(message));
    }
    let runs_on = IMAGES.iter().find(|(name, _)| *name == image).map(|(_, runs_on)| *runs_on);
    let mut all = types.iter().map(String::as_str).chain([first]);
    if let Some(wrong) = all.find(|kind| Some(architecture(kind)) != runs_on) {
        let message = format!("[{wrong}] is not a valid instance type for requested amiType {image}");
        return Err(invalid(message));
    }
    Ok(image.to_owned())
}

/// Tells what a type runs on: those of Graviton have a `g` behind the generation ("Amazon EC2
/// instance type naming conventions"); the first were called `a1`.
fn architecture(instance_type: &str) -> Architecture {
    let family = instance_type.split('.').next().unwrap_or_default();
    let options = family.trim_start_matches(|character: char| character.is_ascii_alphabetic());
    let options = options.trim_start_matches(|character: char| character.is_ascii_digit());
    if options.starts_with('g') || family == "a1" { Architecture::Arm } else { Architecture::Intel }
}

/// Returns the version of the image that new nodes get: "the Kubernetes version of the cluster is
/// used, and this is the only accepted specified value" (API reference, `CreateNodegroup`).
pub(super) fn release(
    parameters: &Parameters,
    cluster: &str,
    launch: Option<&Launch>,
) -> Result<String, Refusal> {
    if let Some(version) = parameters.text("version").filter(|version| *version != cluster) {
        let message =
            format!("Requested Kubernetes version {version} is not that of the cluster, which is {cluster}.");
        return Err(invalid(message));
    }
    image(parameters, cluster, launch)
}

/// Returns the version of the image for a version of Kubernetes: what is asked for, or the newest. That of an image
/// which a launch template names is its id.
pub(super) fn image(
    parameters: &Parameters,
    version: &str,
    launch: Option<&Launch>,
) -> Result<String, Refusal> {
    let Some(image_id) = launch.and_then(|launch| launch.image_id.as_ref()) else {
        return version::offered(version)?.image(parameters.text("releaseVersion"));
    };
    if ["version", "releaseVersion"].iter().any(|name| parameters.text(name).is_some()) {
        let message = "You cannot specify the field version or releaseVersion when using custom AMIs.";
        return Err(invalid(message));
    }
    Ok(image_id.clone())
}

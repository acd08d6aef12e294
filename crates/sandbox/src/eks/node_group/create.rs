//! Making a node group.

use serde_json::json;

use super::settings::Settings;
use super::{NodeGroup, nodes};
use crate::call::{Answer, Call, Need, Operation, Parameters, Refusal};
use crate::eks::cluster::Cluster;
use crate::eks::life::{Life, Part};
use crate::eks::refusals::{check_name, in_use, invalid, limit, of_ec2, one_of, required, wrong_request};
use crate::eks::{change, cluster_failure, named, roles, tags, version};
use crate::world::World;
use crate::{iam, quotas};

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "CreateNodegroup",
    &[
        "clusterName",
        "nodegroupName",
        "scalingConfig",
        "diskSize",
        "subnets",
        "instanceTypes",
        "amiType",
        "nodeRole",
        "labels",
        "taints",
        "tags",
        "clientRequestToken",
        "updateConfig",
        "nodeRepairConfig",
        "capacityType",
        "version",
        "releaseVersion",
    ],
    create,
)
.on(&[("clusterName", "cluster")])
.also(needs);

/// How many instance types a group may have (API reference, `CreateNodegroup`).
const MOST_TYPES: usize = 20;

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

/// The last version with images of Amazon Linux 2 ("Guide to EKS AL2 & AL2-Accelerated AMIs
/// transition features", EKS user guide).
const LAST_WITH_AL2: u32 = 32;

/// What instances run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Architecture {
    Intel,
    Arm,
}

/// Returns what is needed besides: the role is handed over to the nodes, and tags are given.
fn needs(world: &World, call: &Call) -> Vec<Need> {
    let role = call.parameters.text("nodeRole");
    let passed = role.map(|role| iam::passing(world, call, role, "eks.amazonaws.com"));
    passed.into_iter().chain(tags::needs(call, "nodegroup")).collect()
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let (cluster_name, name) = (required(call, "clusterName")?, required(call, "nodegroupName")?);
    check_name("nodegroup", name, 63)?;
    let most = world.quota(&call.caller.account, quotas::NODE_GROUPS);
    let cluster = named(world, call, cluster_name)?;
    check_new(cluster, name, most)?;
    let (vpc_id, now) = (cluster.vpc_id.clone(), cluster.settings.version.clone());
    let release = release(parameters, &now)?;
    let settings = Settings::read(parameters, &now, &release)?;
    let (instance_types, image_type) = machine(parameters, &now)?;
    let capacity = parameters.text("capacityType").unwrap_or("ON_DEMAND");
    let capacity = one_of("capacityType", capacity, &["ON_DEMAND", "SPOT"])?.to_owned();
    let disk_size = parameters.integer("diskSize")?.unwrap_or(20);
    let subnets = subnets(world, call, &vpc_id)?;
    let tags = tags::at_birth(parameters)?;
    let role_arn = checked_role(world, call)?.to_owned();
    let failure = world.fate().map(cluster_failure);
    ensure_linked_roles(world, call, &capacity);
    let (uuid, arn) = group_arn(world, call, cluster_name, name);
    let fresh = (0..settings.scaling.wanted()).map(|_| world.new_id("i")).collect();
    let group = NodeGroup {
        name: name.to_owned(),
        arn,
        life: Life::begin(failure),
        made_at: world.now(),
        changed_at: world.now(),
        may_join: roles::allows(world, call, &role_arn, "ec2:DescribeInstances"),
        may_network: roles::allows(world, call, &role_arn, "ec2:AttachNetworkInterface"),
        requester: requester(world, call),
        role_arn,
        subnets,
        instance_types,
        image_type,
        capacity,
        disk_size,
        scaling_group: format!("eks-{name}-{uuid}"),
        settings,
        nodes: fresh,
        is_launched: false,
        issues: Vec::new(),
        tags,
    };
    change(world, call, cluster_name, |cluster, moment| {
        let at = moment.later(cluster, Part::NodeGroup(name.to_owned()), nodes::LAUNCHED);
        let life = Life { changes_at: Some(at), ..group.life.clone() };
        cluster.add_node_entry(moment.at, &group.role_arn);
        cluster.node_groups.insert(name.to_owned(), NodeGroup { life, ..group });
        Ok(json!({ "nodegroup": cluster.node_group(name)?.shown(cluster) }))
    })
}

fn check_new(cluster: &Cluster, name: &str, most: usize) -> Result<(), Refusal> {
    if cluster.node_groups.contains_key(name) {
        let message = format!("NodeGroup already exists with name {name} and cluster name {}", cluster.name);
        return Err(in_use(message).with("clusterName", cluster.name.as_str()).with("nodegroupName", name));
    }
    cluster.check_works()?;
    if cluster.node_groups.len() >= most {
        let message = format!("A cluster has at most {most} managed node groups.");
        return Err(limit(message).with("clusterName", cluster.name.as_str()));
    }
    Ok(())
}

impl Cluster {
    /// Refuses to put something into a cluster that is not ready.
    pub(in crate::eks) fn check_works(&self) -> Result<(), Refusal> {
        if self.is_active() {
            return Ok(());
        }
        let message =
            format!("Cluster '{}' is not in ACTIVE status: a change of it is in progress", self.name);
        Err(wrong_request(message).with("clusterName", self.name.as_str()))
    }
}

/// Returns the version of the image that nodes get: "the Kubernetes version of the cluster is
/// used, and this is the only accepted specified value" (API reference, `CreateNodegroup`).
fn release(parameters: &Parameters, cluster: &str) -> Result<String, Refusal> {
    if let Some(version) = parameters.text("version").filter(|version| *version != cluster) {
        let message =
            format!("Requested Kubernetes version {version} is not that of the cluster, which is {cluster}.");
        return Err(invalid(message));
    }
    version::offered(cluster)?.image(parameters.text("releaseVersion"))
}

/// Returns the instance types and the type of image, which fit one another.
fn machine(parameters: &Parameters, version: &str) -> Result<(Vec<String>, String), Refusal> {
    let mut types = parameters.texts("instanceTypes");
    if types.is_empty() {
        types = vec!["t3.medium"];
    }
    if types.len() > MOST_TYPES {
        return Err(invalid(format!("A node group has at most {MOST_TYPES} instance types.")));
    }
    if let Some(wrong) = types.iter().find(|kind| !kind.contains('.')) {
        return Err(invalid(format!("The following supplied instance types do not exist: [{wrong}]")));
    }
    let usual = match architecture(types[0]) {
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
    if let Some(wrong) = types.iter().find(|kind| Some(architecture(kind)) != runs_on) {
        let message = format!("[{wrong}] is not a valid instance type for requested amiType {image}");
        return Err(invalid(message));
    }
    Ok((types.into_iter().map(str::to_owned).collect(), image.to_owned()))
}

/// Tells what a type runs on: those of Graviton have a `g` behind the generation ("Amazon EC2
/// instance type naming conventions"); the first were called `a1`.
fn architecture(instance_type: &str) -> Architecture {
    let family = instance_type.split('.').next().unwrap_or_default();
    let options = family.trim_start_matches(|character: char| character.is_ascii_alphabetic());
    let options = options.trim_start_matches(|character: char| character.is_ascii_digit());
    if options.starts_with('g') || family == "a1" { Architecture::Arm } else { Architecture::Intel }
}

fn subnets(world: &mut World, call: &Call, vpc_id: &str) -> Result<Vec<String>, Refusal> {
    let ids = call.parameters.texts("subnets");
    if ids.is_empty() {
        return Err(invalid("Subnets cannot be empty."));
    }
    let found = world.network(&call.region).places(call, &ids);
    let places = found.map_err(|refusal| of_ec2(&refusal))?;
    match places.iter().find(|place| place.vpc_id != vpc_id) {
        None => Ok(places.into_iter().map(|place| place.subnet_id).collect()),
        Some(place) => {
            let message = format!("Subnet {} does not belong to the VPC of the cluster.", place.subnet_id);
            Err(invalid(message))
        }
    }
}

fn checked_role<'a>(world: &World, call: &'a Call) -> Result<&'a str, Refusal> {
    let role_arn = required(call, "nodeRole")?;
    roles::check_role(world, call, role_arn, "ec2.amazonaws.com", || {
        let message = format!(
            "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships \
             of nodeRole {role_arn}"
        );
        invalid(message)
    })?;
    Ok(role_arn)
}

/// Makes the roles of the services that a group needs ("Using roles for Amazon EKS node groups",
/// EKS user guide).
fn ensure_linked_roles(world: &mut World, call: &Call, capacity: &str) {
    let account = &call.caller.account;
    iam::ensure_linked_role(world, account, "eks-nodegroup.amazonaws.com");
    iam::ensure_linked_role(world, account, "autoscaling.amazonaws.com");
    if capacity == "SPOT" {
        iam::ensure_linked_role(world, account, "spot.amazonaws.com");
    }
}

fn group_arn(world: &mut World, call: &Call, cluster: &str, name: &str) -> (String, String) {
    let uuid = world.new_uuid();
    let (region, account) = (&call.region, &call.caller.account);
    let arn = format!("arn:aws:eks:{region}:{account}:nodegroup/{cluster}/{name}/{uuid}");
    (uuid, arn)
}

/// Returns in whose name instances are launched: that of Auto Scaling's service-linked role.
fn requester(world: &mut World, call: &Call) -> String {
    let role = world.directory(&call.caller.account).roles.get("AWSServiceRoleForAutoScaling");
    format!("{}:AutoScaling", role.map(|role| role.id.as_str()).unwrap_or_default())
}

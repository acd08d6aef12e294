//! Making a node group.

use serde_json::{Value, json};

use super::machine::{self, Machine};
use super::settings::Settings;
use super::{NodeGroup, nodes, template};
use crate::call::{Answer, Call, Need, Operation, Refusal};
use crate::eks::cluster::Cluster;
use crate::eks::life::{Life, Moment, Part};
use crate::eks::refusals::{check_name, in_use, invalid, limit, of_ec2, required, wrong_request};
use crate::eks::{change, cluster_failure, named, roles, tags};
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
        "launchTemplate",
        "warmPoolConfig",
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

/// Returns what is needed besides: the role is handed over to the nodes, and tags are given.
fn needs(world: &World, call: &Call) -> Vec<Need> {
    let role = call.parameters.text("nodeRole");
    let passed = role.map(|role| iam::passing(world, call, role, "eks.amazonaws.com"));
    let linked = iam::need_of_linked_role(world, call, "eks-nodegroup.amazonaws.com");
    passed
        .into_iter()
        .chain(tags::needs(call, "nodegroup"))
        .chain(template::needs(call))
        .chain(linked)
        .collect()
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let (cluster_name, name) = (required(call, "clusterName")?, required(call, "nodegroupName")?);
    check_name("nodegroup", name, 63)?;
    let most = world.quota(&call.caller.account, quotas::NODE_GROUPS);
    let cluster = named(world, call, cluster_name)?;
    check_new(cluster, name, most)?;
    let (vpc_id, now) = (cluster.vpc_id.clone(), cluster.settings.version.clone());
    let most = world.quota(&call.caller.account, quotas::NODES_OF_GROUP);
    let launch = template::wanted(world, call, &vpc_id)?;
    let machine = Machine::read(parameters, &now, launch.as_ref())?;
    let release = machine::release(parameters, &now, launch.as_ref())?;
    let settings = Settings { launch, ..Settings::read(parameters, &now, &release, most)? };
    let subnets = subnets(world, call, &vpc_id)?;
    let tags = tags::at_birth(parameters)?;
    let role_arn = checked_role(world, call)?.to_owned();
    ensure_linked_roles(world, call, machine.is_spot());
    let (uuid, arn) = group_arn(world, call, cluster_name, name);
    let group = NodeGroup {
        name: name.to_owned(),
        arn,
        life: Life::begin(world.fate().map(cluster_failure)),
        made_at: world.now(),
        changed_at: world.now(),
        may_join: roles::allows(world, call, &role_arn, "ec2:DescribeInstances"),
        may_network: roles::allows(world, call, &role_arn, "ec2:AttachNetworkInterface"),
        requester: requester(world, call),
        role_arn,
        subnets,
        machine,
        scaling_group: format!("eks-{name}-{uuid}"),
        nodes: (0..settings.scaling.wanted()).map(|_| world.new_id("i")).collect(),
        settings,
        is_launched: false,
        issues: Vec::new(),
        tags,
    };
    change(world, call, cluster_name, |cluster, moment| Ok(begin(cluster, moment, group)))
}

/// Lets a node group get ready, or fail, and answers it.
fn begin(cluster: &mut Cluster, moment: &mut Moment<'_>, mut group: NodeGroup) -> Value {
    let part = Part::NodeGroup(group.name.clone());
    group.life.changes_at = Some(moment.later(cluster, part, nodes::LAUNCHED));
    cluster.add_node_entry(moment.at, &group.role_arn);
    let shown = group.shown(cluster);
    cluster.node_groups.insert(group.name.clone(), group);
    json!({ "nodegroup": shown })
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
fn ensure_linked_roles(world: &mut World, call: &Call, is_spot: bool) {
    let account = &call.caller.account;
    iam::ensure_linked_role(world, account, "eks-nodegroup.amazonaws.com");
    iam::ensure_linked_role(world, account, "autoscaling.amazonaws.com");
    if is_spot {
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

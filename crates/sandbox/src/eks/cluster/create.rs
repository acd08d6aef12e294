//! Making a cluster.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::settings::{Authentication, Settings, read_encryption};
use super::{Cluster, FAILED, READY};
use crate::call::{Answer, Call, Need, Operation, Parameters, Refusal};
use crate::ec2::{ClusterGroup, NewInterface, Place, Requester, zone_name};
use crate::eks::life::{Life, Part};
use crate::eks::refusals::{check_name, in_use, invalid, limit, of_ec2, required};
use crate::eks::{access_entry, change, roles, tags, version};
use crate::world::{AccountId, Failure, World};
use crate::{iam, quotas};

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "CreateCluster",
    &[
        "name",
        "version",
        "roleArn",
        "resourcesVpcConfig",
        "kubernetesNetworkConfig",
        "logging",
        "clientRequestToken",
        "tags",
        "encryptionConfig",
        "accessConfig",
        "bootstrapSelfManagedAddons",
        "upgradePolicy",
        "zonalShiftConfig",
        "deletionProtection",
        "controlPlaneScalingConfig",
        "remoteNetworkConfig",
    ],
    create,
)
.on(&[("name", "cluster")])
.also(needs);

/// How many groups a cluster may have besides its own (quota "Control plane security groups per
/// cluster").
const MOST_GROUPS: usize = 4;
/// The zones in which there are no control planes ("View Amazon EKS networking requirements for
/// VPC and subnets", EKS user guide).
const UNSUPPORTED_ZONES: [&str; 3] = ["use1-az3", "usw1-az2", "cac1-az3"];
/// In how many zones the control plane has an interface: "EKS creates two to four" of them.
const INTERFACES: usize = 2;

/// Returns what is needed besides: the role is handed over to EKS, whose own role is made on first
/// use ("Using roles for Amazon EKS clusters", EKS user guide), and tags are given.
fn needs(world: &World, call: &Call) -> Vec<Need> {
    let role = call.parameters.text("roleArn");
    let passed = role.map(|role| iam::passing(world, call, role, "eks.amazonaws.com"));
    let linked = iam::need_of_linked_role(world, call, "eks.amazonaws.com");
    passed.into_iter().chain(tags::needs(call, "cluster")).chain(linked).collect()
}

fn create(world: &mut World, call: &Call) -> Answer {
    let name = required(call, "name")?;
    check_name("cluster", name, 100)?;
    check_new(world, call, name)?;
    let settings = read(&call.parameters)?;
    let places = places(world, call, name, &settings.subnets)?;
    let cluster = new_cluster(world, call, name, settings, &places[0].vpc_id)?;
    let mut shown = begin(world, call, cluster, &places)?;
    // Only this answer says it (API reference, `CreateAccessConfigRequest`).
    shown["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] =
        json!(bootstraps_admin(&call.parameters)?);
    Ok(json!({ "cluster": shown }))
}

/// Makes a cluster that is in no network yet, if everything is as it has to be.
fn new_cluster(
    world: &mut World,
    call: &Call,
    name: &str,
    settings: Settings,
    vpc_id: &str,
) -> Result<Cluster, Refusal> {
    let (parameters, account) = (&call.parameters, &call.caller.account);
    let arn = format!("arn:aws:eks:{}:{account}:cluster/{name}", call.region);
    let role_arn = required(call, "roleArn")?;
    roles::check_cluster_role(world, call, role_arn, &arn)?;
    check_groups(world, call, vpc_id, &settings.groups)?;
    let service_range = service_range(world, call, vpc_id)?;
    let tags = tags::at_birth(parameters)?;
    iam::ensure_linked_role(world, account, "eks.amazonaws.com");
    let id = world.new_uuid().replace('-', "").to_uppercase();
    world.issuer(&Cluster::issuer(&call.region, &id));
    Ok(Cluster {
        name: name.to_owned(),
        account: account.clone(),
        arn,
        region: call.region.clone(),
        requester: requester(world, account),
        id,
        life: Life::begin(world.fate().map(failure)),
        made_at: world.now(),
        role_arn: role_arn.to_owned(),
        settings,
        vpc_id: vpc_id.to_owned(),
        service_range,
        group_id: None,
        interfaces: BTreeMap::new(),
        creator: bootstraps_admin(parameters)?.then(|| access_entry::principal_of(call)),
        own_addons: own_addons(parameters)?,
        tags,
        node_groups: BTreeMap::new(),
        addons: BTreeMap::new(),
        access_entries: BTreeMap::new(),
        associations: BTreeMap::new(),
        fargate_profiles: BTreeMap::new(),
        updates: BTreeMap::new(),
        plane: None,
    })
}

/// Puts a cluster into its network, and lets it get ready, or fail.
fn begin(world: &mut World, call: &Call, cluster: Cluster, places: &[Place]) -> Answer {
    let group = [world.new_id("sg"), world.new_id("sgr"), world.new_id("sgr")];
    let interfaces = [(); INTERFACES].map(|()| world.new_id("eni"));
    let name = cluster.name.clone();
    let of_account = &mut world.clusters(&call.region).by_account;
    of_account.entry(cluster.account.clone()).or_default().insert(name.clone(), cluster);
    let begun = change(world, call, &name, |cluster, moment| {
        let fails = cluster.life.failure.is_some();
        cluster.life.changes_at =
            Some(moment.later(cluster, Part::Cluster, if fails { FAILED } else { READY }));
        if !fails {
            cluster.enter_network(moment.network, group, interfaces, places)?;
        }
        Ok(cluster.shown())
    });
    begun.inspect_err(|_| drop(forget(world, call, &name)))
}

/// Takes away a cluster that could not be made.
fn forget(world: &mut World, call: &Call, name: &str) -> Option<Cluster> {
    world.clusters(&call.region).by_account.get_mut(&call.caller.account)?.remove(name)
}

fn check_new(world: &mut World, call: &Call, name: &str) -> Result<(), Refusal> {
    let most = world.quota(&call.caller.account, quotas::CLUSTERS);
    let clusters = world.clusters(&call.region).by_account.get(&call.caller.account);
    if clusters.is_some_and(|clusters| clusters.contains_key(name)) {
        let message = format!("Cluster already exists with name: {name}");
        return Err(in_use(message).with("clusterName", name));
    }
    if clusters.is_some_and(|clusters| clusters.len() >= most) {
        let message = format!("You have reached the limit of {most} clusters in this region.");
        return Err(limit(message).with("clusterName", name));
    }
    Ok(())
}

/// Reads what is to be, with what EKS takes where nothing is said.
fn read(parameters: &Parameters) -> Result<Settings, Refusal> {
    let network = parameters.table("resourcesVpcConfig");
    let access = parameters.table("accessConfig");
    let wanted = parameters.text("version").map_or(Ok(version::DEFAULT), version::offered)?;
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
    let mut settings = Settings {
        version: wanted.name.to_owned(),
        platform: wanted.platform(),
        subnets: owned(network.texts("subnetIds")),
        groups: owned(network.texts("securityGroupIds")),
        is_public: true,
        is_private: false,
        public_ranges: vec!["0.0.0.0/0".to_owned()],
        logs: BTreeSet::new(),
        authentication: access
            .text("authenticationMode")
            .map_or(Ok(Authentication::ConfigMap), Authentication::read)?,
        support: "EXTENDED".to_owned(),
        encryption: read_encryption(&parameters.tables("encryptionConfig"))?,
        zonal_shift: parameters.table("zonalShiftConfig").flag("enabled")?,
        tier: "standard".to_owned(),
        is_protected: parameters.flag("deletionProtection")?.unwrap_or_default(),
        remote_networks: None,
    };
    if !settings.authentication.has_entries() && !bootstraps_admin(parameters)? {
        return Err(invalid(
            "bootstrapClusterCreatorAdminPermissions must be true if cluster authentication mode is set to \
             CONFIG_MAP",
        ));
    }
    settings.read_endpoint(&network)?;
    settings.read_logging(&parameters.table("logging"))?;
    settings.read_support(&parameters.table("upgradePolicy"))?;
    settings.read_tier(&parameters.table("controlPlaneScalingConfig"))?;
    settings.read_remote_networks(&parameters.table("remoteNetworkConfig"))?;
    Ok(settings)
}

/// Tells whether whoever makes a cluster becomes its administrator.
fn bootstraps_admin(parameters: &Parameters) -> Result<bool, Refusal> {
    let access = parameters.table("accessConfig");
    Ok(access.flag("bootstrapClusterCreatorAdminPermissions")?.unwrap_or(true))
}

/// Returns what is installed in a cluster at birth, unless it is to be bare (API reference, `CreateCluster`,
/// `bootstrapSelfManagedAddons`).
fn own_addons(parameters: &Parameters) -> Result<BTreeSet<String>, Refusal> {
    let is_bare = parameters.flag("bootstrapSelfManagedAddons")? == Some(false);
    let names: &[&str] = if is_bare { &[] } else { &["coredns", "kube-proxy", "vpc-cni"] };
    Ok(names.iter().map(|name| (*name).to_owned()).collect())
}

/// Returns the subnets of a cluster: the caller sees them, they are of one VPC and in at least two
/// zones that have control planes.
pub(super) fn places(
    world: &mut World,
    call: &Call,
    name: &str,
    subnets: &[String],
) -> Result<Vec<Place>, Refusal> {
    let ids: Vec<_> = subnets.iter().map(String::as_str).collect();
    let found = world.network(&call.region).places(call, &ids);
    let places = found.map_err(|refusal| of_ec2(&refusal))?;
    let zones: BTreeSet<_> = places.iter().map(|place| &place.zone_id).collect();
    if zones.len() < 2 {
        return Err(invalid("Subnets specified must be in at least two different AZs"));
    }
    if places.iter().any(|place| place.vpc_id != places[0].vpc_id) {
        return Err(invalid("Subnets are not of the same VPC."));
    }
    match places.iter().find(|place| UNSUPPORTED_ZONES.contains(&place.zone_id.as_str())) {
        None => Ok(places),
        Some(place) => {
            let zone = zone_name(&call.region, &call.caller.account, &place.zone_id);
            Err(unsupported(world, call, name, &zone.unwrap_or_default()))
        }
    }
}

fn unsupported(world: &mut World, call: &Call, name: &str, zone: &str) -> Refusal {
    let all = world.network(&call.region).zones(call);
    let valid = all.into_iter().filter(|(id, _)| !UNSUPPORTED_ZONES.contains(&id.as_str()));
    let valid: Vec<_> = valid.map(|(_, name)| name).collect();
    let message = format!(
        "Cannot create cluster '{name}' because {zone}, the targeted availability zone, does not currently have \
         sufficient capacity to support the cluster. Retry and choose from these availability zones: {}",
        valid.join(", ")
    );
    let refusal = Refusal::new("UnsupportedAvailabilityZoneException", message);
    refusal.with("clusterName", name).with("validZones", valid)
}

/// Checks the groups that a cluster is to have besides its own: the caller's, of the same VPC.
pub(super) fn check_groups(
    world: &mut World,
    call: &Call,
    vpc_id: &str,
    groups: &[String],
) -> Result<(), Refusal> {
    if groups.is_empty() {
        return Ok(());
    }
    if groups.len() > MOST_GROUPS {
        return Err(invalid(format!("At most {MOST_GROUPS} security groups are allowed.")));
    }
    let ids: Vec<_> = groups.iter().map(String::as_str).collect();
    let checked = world.network(&call.region).groups_of_interface(&call.caller.account, vpc_id, &ids);
    checked.map(drop).map_err(|refusal| of_ec2(&refusal))
}

/// Returns the range of the addresses of services: the wanted one, or that of two which is farther
/// from the VPC's (API reference, `KubernetesNetworkConfigRequest`).
fn service_range(world: &mut World, call: &Call, vpc_id: &str) -> Result<String, Refusal> {
    let config = call.parameters.table("kubernetesNetworkConfig");
    if let Some(family) = config.text("ipFamily").filter(|family| *family != "ipv4") {
        return Err(invalid(format!("The sandbox has no clusters with the IP family {family}.")));
    }
    let network = world.network(&call.region);
    let Some(text) = config.text("serviceIpv4Cidr") else {
        let is_near = network.overlaps(vpc_id, "10.0.0.0/8");
        return Ok(if is_near { "172.20.0.0/16" } else { "10.100.0.0/16" }.to_owned());
    };
    let wrong = || invalid(format!("The service IPv4 CIDR {text} is not valid."));
    let range: Ipv4Net = text.parse().map_err(|_| wrong())?;
    let is_private = range.network().is_private() && range.broadcast().is_private();
    if !is_private || !(12..=24).contains(&range.prefix_len()) || range.trunc() != range {
        return Err(wrong());
    }
    if network.overlaps(vpc_id, text) {
        return Err(invalid(format!(
            "The service IPv4 CIDR {text} overlaps with the CIDR of the VPC {vpc_id}."
        )));
    }
    Ok(text.to_owned())
}

/// Says in EKS's words why something fails, where the rule of a fault has none.
pub(in crate::eks) fn failure(failure: Failure) -> Failure {
    let code = if failure.code == "InternalError" { "InternalFailure".to_owned() } else { failure.code };
    Failure { code, ..failure }
}

/// Returns in whose name EKS makes interfaces: that of its service-linked role.
fn requester(world: &mut World, account: &AccountId) -> String {
    let role = world.directory(account).roles.get("AWSServiceRoleForAmazonEKS");
    format!("{}:AmazonEKS", role.map(|role| role.id.as_str()).unwrap_or_default())
}

impl Cluster {
    /// Makes what a cluster has in the network: its group, and interfaces in two zones.
    fn enter_network(
        &mut self,
        network: &mut crate::ec2::Network,
        group: [String; 3],
        interfaces: [String; INTERFACES],
        places: &[Place],
    ) -> Result<(), Refusal> {
        let name = format!("eks-cluster-sg-{}-{}", self.name, digits(&self.id));
        let tags = [
            ("Name".to_owned(), name.clone()),
            ("aws:eks:cluster-name".to_owned(), self.name.clone()),
            (format!("kubernetes.io/cluster/{}", self.name), "owned".to_owned()),
        ];
        self.group_id = Some(group[0].clone());
        network.add_cluster_group(ClusterGroup {
            ids: group,
            owner: self.account.clone(),
            vpc_id: &self.vpc_id,
            name,
            tags: tags.into(),
        });
        let mut zones = BTreeSet::new();
        let apart = places.iter().filter(|place| zones.insert(&place.zone_id));
        for (place, id) in apart.zip(interfaces) {
            if let Err(refusal) = self.add_interface(network, &place.subnet_id, &id) {
                self.leave(network);
                return Err(invalid(refusal.message));
            }
        }
        Ok(())
    }

    /// Puts an interface of the control plane into a subnet.
    pub(super) fn add_interface(
        &mut self,
        network: &mut crate::ec2::Network,
        subnet: &str,
        id: &str,
    ) -> Result<(), Refusal> {
        let new = NewInterface {
            owner: self.account.clone(),
            subnet_id: subnet.to_owned(),
            description: format!("Amazon EKS {}", self.name),
            interface_type: "interface",
            requester: Requester::Service(self.requester.clone()),
            groups: self.group_id.iter().chain(&self.settings.groups).cloned().collect(),
            address: None,
            tags: BTreeMap::new(),
        };
        network.add_interface(id, new)?;
        self.interfaces.insert(subnet.to_owned(), id.to_owned());
        Ok(())
    }
}

/// Returns ten digits that follow from an id.
fn digits(id: &str) -> Value {
    let number = id.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    json!(number % 9_000_000_000 + 1_000_000_000)
}

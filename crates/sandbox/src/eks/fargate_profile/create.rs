//! Making a Fargate profile.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::FargateProfile;
use crate::call::{Answer, Call, Need, Operation, Parameters, Refusal};
use crate::eks::cluster::Cluster;
use crate::eks::life::{Life, Part};
use crate::eks::refusals::{check_name, in_use, invalid, limit, of_ec2, required};
use crate::eks::{change, cluster_failure, named, roles, tags};
use crate::world::World;
use crate::{iam, quotas};

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "CreateFargateProfile",
    &[
        "clusterName",
        "fargateProfileName",
        "podExecutionRoleArn",
        "subnets",
        "selectors",
        "clientRequestToken",
        "tags",
    ],
    create,
)
.on(&[("clusterName", "cluster")])
.also(needs);

/// Who starts pods of Fargate.
const PODS: &str = "eks-fargate-pods.amazonaws.com";
/// How many selectors a profile may have, and labels a selector (API reference, `CreateFargateProfile`).
const MOST_SELECTORS: usize = 5;
/// How long a profile takes to get ready.
const READY: SignedDuration = SignedDuration::from_secs(90);

fn needs(world: &World, call: &Call) -> Vec<Need> {
    let role = call.parameters.text("podExecutionRoleArn");
    let passed = role.map(|role| iam::passing(world, call, role, PODS));
    let linked = iam::need_of_linked_role(world, call, "eks-fargate.amazonaws.com");
    passed.into_iter().chain(tags::needs(call, "fargateprofile")).chain(linked).collect()
}

fn create(world: &mut World, call: &Call) -> Answer {
    let (cluster_name, name) = (required(call, "clusterName")?, required(call, "fargateProfileName")?);
    check_name("Fargate profile", name, 100)?;
    let most = world.quota(&call.caller.account, quotas::FARGATE_PROFILES);
    let cluster = named(world, call, cluster_name)?;
    check_new(cluster, name, most)?;
    let (vpc_id, of_cluster) = (cluster.vpc_id.clone(), cluster.settings.subnets.clone());
    let role_arn = required(call, "podExecutionRoleArn")?;
    roles::check_role(world, call, role_arn, PODS, || {
        let message =
            format!("Misconfigured PodExecutionRole Trust Policy; Please add the {PODS} Service Principal");
        invalid(message)
    })?;
    let selectors = selectors(&call.parameters)?;
    let subnets = subnets(world, call, &vpc_id, &of_cluster)?;
    let tags = tags::at_birth(&call.parameters)?;
    let failure = world.fate().map(cluster_failure);
    iam::ensure_linked_role(world, &call.caller.account, "eks-fargate.amazonaws.com");
    let (region, account, id) = (&call.region, &call.caller.account, world.new_uuid());
    let arn = format!("arn:aws:eks:{region}:{account}:fargateprofile/{cluster_name}/{name}/{id}");
    change(world, call, cluster_name, |cluster, moment| {
        let at = moment.later(cluster, Part::FargateProfile(name.to_owned()), READY);
        let profile = FargateProfile {
            name: name.to_owned(),
            arn,
            life: Life { changes_at: Some(at), ..Life::begin(failure) },
            made_at: moment.at,
            role_arn: role_arn.to_owned(),
            subnets,
            selectors,
            tags,
        };
        let shown = profile.shown(cluster);
        cluster.fargate_profiles.insert(name.to_owned(), profile);
        cluster.add_fargate_entry(moment.at, role_arn);
        Ok(json!({ "fargateProfile": shown }))
    })
}

fn check_new(cluster: &Cluster, name: &str, most: usize) -> Result<(), Refusal> {
    if cluster.fargate_profiles.contains_key(name) {
        let message = "A Fargate Profile already exists with this name in this cluster.";
        return Err(in_use(message).with("clusterName", cluster.name.as_str()));
    }
    cluster.check_works()?;
    cluster.check_no_other("create", name)?;
    if cluster.fargate_profiles.len() >= most {
        let message = format!("A cluster has at most {most} Fargate profiles.");
        return Err(limit(message).with("clusterName", cluster.name.as_str()));
    }
    Ok(())
}

fn selectors(parameters: &Parameters) -> Result<Vec<Value>, Refusal> {
    let selectors = parameters.tables("selectors");
    if selectors.is_empty() || selectors.len() > MOST_SELECTORS {
        return Err(invalid(format!("A Fargate profile has 1 to {MOST_SELECTORS} selectors.")));
    }
    for selector in &selectors {
        if selector.text("namespace").is_none_or(str::is_empty) {
            return Err(invalid("A selector needs a namespace."));
        }
        if selector.table("labels").0.len() > MOST_SELECTORS {
            return Err(invalid(format!("A selector has at most {MOST_SELECTORS} labels.")));
        }
    }
    Ok(selectors.into_iter().map(|selector| Value::Object(selector.0)).collect())
}

/// Returns the subnets of a profile, which are private: "only private subnets are supported for pods that are
/// running on Fargate". Where none are named, those of the cluster count that are.
fn subnets(
    world: &mut World,
    call: &Call,
    vpc_id: &str,
    of_cluster: &[String],
) -> Result<Vec<String>, Refusal> {
    let named = call.parameters.texts("subnets");
    let network = world.network(&call.region);
    if named.is_empty() {
        return Ok(of_cluster.iter().filter(|id| !network.is_public(id)).cloned().collect());
    }
    let places = network.places(call, &named).map_err(|refusal| of_ec2(&refusal))?;
    for place in places {
        if place.vpc_id != vpc_id {
            let message = format!("Subnet {} does not belong to the VPC of the cluster.", place.subnet_id);
            return Err(invalid(message));
        }
        if network.is_public(&place.subnet_id) {
            let message =
                format!("Subnet {} provided in Fargate Profile is not a private subnet", place.subnet_id);
            return Err(invalid(message));
        }
    }
    Ok(named.into_iter().map(str::to_owned).collect())
}

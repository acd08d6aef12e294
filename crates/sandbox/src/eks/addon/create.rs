//! Adding an add-on to a cluster.

use jiff::SignedDuration;
use serde_json::json;

use super::settings::Settings;
use super::{Addon, catalog};
use crate::call::{Answer, Call, Need, Operation, Refusal};
use crate::eks::cluster::Cluster;
use crate::eks::life::{Life, Part};
use crate::eks::refusals::{in_use, required};
use crate::eks::{change, cluster_failure, named, pod_identity, tags};
use crate::iam;
use crate::world::{Failure, World};

/// The operation.
pub(super) const OPERATION: Operation = Operation::new(
    "CreateAddon",
    &[
        "clusterName",
        "addonName",
        "addonVersion",
        "serviceAccountRoleArn",
        "resolveConflicts",
        "clientRequestToken",
        "tags",
        "configurationValues",
        "podIdentityAssociations",
        "namespaceConfig",
    ],
    create,
)
.on(&[("clusterName", "cluster")])
.also(needs);

/// How long it takes to install one.
const READY: SignedDuration = SignedDuration::from_secs(40);

fn needs(world: &World, call: &Call) -> Vec<Need> {
    passes(world, call).into_iter().chain(tags::needs(call, "addon")).collect()
}

/// Returns the permissions to hand over the roles that a call names.
pub(super) fn passes(world: &World, call: &Call) -> Vec<Need> {
    let own = call.parameters.text("serviceAccountRoleArn");
    let own = own.map(|role| iam::passing(world, call, role, "eks.amazonaws.com"));
    let associations = call.parameters.tables("podIdentityAssociations");
    let of_pods = associations.iter().filter_map(|association| association.text("roleArn"));
    let of_pods = of_pods.map(|role| iam::passing(world, call, role, "pods.eks.amazonaws.com"));
    own.into_iter().chain(of_pods).collect()
}

fn create(world: &mut World, call: &Call) -> Answer {
    let (cluster_name, name) = (required(call, "clusterName")?, required(call, "addonName")?);
    let cluster = named(world, call, cluster_name)?;
    check_new(cluster, name)?;
    let kubernetes = cluster.settings.version.clone();
    let settings = Settings::read(None, world, call, name, &kubernetes)?;
    let tags = tags::at_birth(&call.parameters)?;
    let namespace = call.parameters.table("namespaceConfig");
    let namespace = namespace.text("namespace").unwrap_or(catalog::NAMESPACE).to_owned();
    let (region, account) = (&call.region, &call.caller.account);
    let arn = format!("arn:aws:eks:{region}:{account}:addon/{cluster_name}/{name}/{}", world.new_uuid());
    let failure = world.fate().map(cluster_failure);
    let overwrites = call.parameters.text("resolveConflicts") == Some("OVERWRITE");
    let ids = settings.pod_roles.keys().map(|_| pod_identity::new_id(world)).collect();
    let now = world.now();
    change(world, call, cluster_name, |cluster, moment| {
        let failure = failure.or_else(|| conflict(cluster, name).filter(|_| !overwrites));
        if failure.is_none() {
            cluster.own_addons.remove(name);
            cluster.associate_addon(moment.at, &arn, &namespace, &settings.pod_roles, ids)?;
        }
        let at = moment.later(cluster, Part::Addon(name.to_owned()), READY);
        let addon = Addon {
            name: name.to_owned(),
            arn,
            life: Life { changes_at: Some(at), ..Life::begin(failure) },
            made_at: now,
            changed_at: now,
            settings,
            namespace,
            is_behind: false,
            is_preserved: false,
            tags,
        };
        cluster.addons.insert(name.to_owned(), addon);
        Ok(json!({ "addon": cluster.addon(name)?.shown(cluster) }))
    })
}

fn check_new(cluster: &Cluster, name: &str) -> Result<(), Refusal> {
    cluster.check_works()?;
    if cluster.addons.contains_key(name) {
        let refusal = in_use("Addon already exists.").with("clusterName", cluster.name.as_str());
        return Err(refusal.with("addonName", name));
    }
    Ok(())
}

/// Returns why an add-on fails whose parts are in the cluster already: "if you choose None, and there is a
/// conflict, creation of the add-on might fail" (API reference, `CreateAddon`, `resolveConflicts`).
pub(super) fn conflict(cluster: &Cluster, name: &str) -> Option<Failure> {
    cluster.own_addons.contains(name).then(|| {
        let message =
            "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. \
             Conflicts: "
                .to_owned();
        Failure { code: "ConfigurationConflict".to_owned(), message: message + name }
    })
}

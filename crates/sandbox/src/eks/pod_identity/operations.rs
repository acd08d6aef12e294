//! Giving accounts of pods roles, and taking them.

use serde_json::json;

use super::{Association, PODS, check_role, new_id};
use crate::call::{Answer, Call, Need, Operation, Parameters, Refusal};
use crate::eks::refusals::{invalid, limit, required, wrong_request};
use crate::eks::{PAGING, change, named, tags};
use crate::iam;
use crate::world::World;

/// The operations.
pub(in crate::eks) const OPERATIONS: &[Operation] = &[
    Operation::new(
        "CreatePodIdentityAssociation",
        &[
            "clusterName",
            "namespace",
            "serviceAccount",
            "roleArn",
            "clientRequestToken",
            "tags",
            "disableSessionTags",
            "targetRoleArn",
            "policy",
        ],
        create,
    )
    .on(&[("clusterName", "cluster")])
    .also(needs),
    Operation::new("DescribePodIdentityAssociation", &["clusterName", "associationId"], describe)
        .on(ASSOCIATION),
    Operation::new(
        "ListPodIdentityAssociations",
        &["clusterName", "namespace", "serviceAccount", "maxResults", "nextToken"],
        list,
    )
    .on(&[("clusterName", "cluster")]),
    Operation::new(
        "UpdatePodIdentityAssociation",
        &[
            "clusterName",
            "associationId",
            "roleArn",
            "clientRequestToken",
            "disableSessionTags",
            "targetRoleArn",
            "policy",
        ],
        update,
    )
    .on(ASSOCIATION)
    .also(needs),
    Operation::new("DeletePodIdentityAssociation", &["clusterName", "associationId"], delete).on(ASSOCIATION),
];

const ASSOCIATION: &[(&str, &str)] = &[("associationId", "podidentityassociation")];

/// How many associations a cluster may have ("Learn how EKS Pod Identity grants pods access to AWS services",
/// EKS user guide, "Considerations").
const QUOTA: usize = 5000;

fn needs(world: &World, call: &Call) -> Vec<Need> {
    let role = call.parameters.text("roleArn");
    let passed = role.map(|role| iam::passing(world, call, role, PODS));
    passed.into_iter().chain(tags::needs(call, "podidentityassociation")).collect()
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let cluster_name = required(call, "clusterName")?;
    let (namespace, service_account) = (required(call, "namespace")?, required(call, "serviceAccount")?);
    let cluster = named(world, call, cluster_name)?;
    cluster.check_works()?;
    cluster.check_unassociated(namespace, service_account)?;
    if cluster.associations.len() >= QUOTA {
        return Err(limit(format!("A cluster has at most {QUOTA} pod identity associations.")));
    }
    let role_arn = required(call, "roleArn")?;
    check_role(world, call, role_arn)?;
    let tags = tags::at_birth(parameters)?;
    let (id, external_id) = (new_id(world), world.new_uuid());
    change(world, call, cluster_name, |cluster, moment| {
        let mut association = Association {
            arn: cluster.association_arn(&id),
            id: id.clone(),
            namespace: namespace.to_owned(),
            service_account: service_account.to_owned(),
            role_arn: role_arn.to_owned(),
            target_role_arn: None,
            external_id: None,
            disables_tags: false,
            policy: None,
            owner_arn: None,
            made_at: moment.at,
            changed_at: moment.at,
            tags,
        };
        association.read(parameters, external_id)?;
        let shown = association.shown(cluster);
        cluster.associations.insert(id, association);
        Ok(json!({ "association": shown }))
    })
}

impl Association {
    /// Reads what is beside the role. A target gets an external id, which it keeps.
    fn read(&mut self, parameters: &Parameters, external_id: String) -> Result<(), Refusal> {
        self.disables_tags = parameters.flag("disableSessionTags")?.unwrap_or(self.disables_tags);
        if let Some(target) = parameters.text("targetRoleArn") {
            let is_role = target.starts_with("arn:aws:iam::") && target.contains(":role/");
            if !target.is_empty() && !is_role {
                return Err(invalid(format!("The target role ARN {target} is not valid.")));
            }
            self.target_role_arn = Some(target.to_owned()).filter(|target| !target.is_empty());
            let external_id = self.external_id.take().unwrap_or(external_id);
            self.external_id = self.target_role_arn.as_ref().map(|_| external_id);
        }
        if let Some(policy) = parameters.text("policy") {
            self.policy = Some(policy.to_owned()).filter(|policy| !policy.is_empty());
        }
        // "You can't specify a policy when session tags are enabled" (API reference,
        // `CreatePodIdentityAssociation`, `policy`).
        if self.policy.is_some() && !self.disables_tags {
            return Err(invalid("A policy needs disableSessionTags to be true."));
        }
        Ok(())
    }
}

fn describe(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let association = cluster.association(required(call, "associationId")?)?;
    Ok(json!({ "association": association.shown(cluster) }))
}

fn list(world: &mut World, call: &Call) -> Answer {
    let cluster = named(world, call, required(call, "clusterName")?)?;
    let (namespace, account) = (call.parameters.text("namespace"), call.parameters.text("serviceAccount"));
    let chosen = cluster.associations.values().filter(|association| {
        namespace.is_none_or(|namespace| namespace == association.namespace)
            && account.is_none_or(|account| account == association.service_account)
    });
    let shown = chosen.map(|association| (association.id.clone(), association.summary(cluster)));
    let (page, next) = PAGING.cut(&call.parameters, shown)?;
    Ok(json!({ "associations": page, "nextToken": next }))
}

fn update(world: &mut World, call: &Call) -> Answer {
    let (cluster, id) = (required(call, "clusterName")?, required(call, "associationId")?);
    let mut association = own(world, call, cluster, id)?;
    if let Some(role_arn) = call.parameters.text("roleArn") {
        check_role(world, call, role_arn)?;
        role_arn.clone_into(&mut association.role_arn);
    }
    association.read(&call.parameters, world.new_uuid())?;
    change(world, call, cluster, |cluster, moment| {
        association.changed_at = moment.at;
        let shown = association.shown(cluster);
        cluster.associations.insert(id.to_owned(), association);
        Ok(json!({ "association": shown }))
    })
}

/// Returns an association that can be changed by itself: those of add-ons are changed with them.
fn own(world: &mut World, call: &Call, cluster: &str, id: &str) -> Result<Association, Refusal> {
    let association = named(world, call, cluster)?.association(id)?;
    if let Some(owner) = &association.owner_arn {
        let message = format!("The association {id} is managed by the add-on {owner}.");
        return Err(wrong_request(message).with("clusterName", cluster));
    }
    Ok(association.clone())
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let (cluster, id) = (required(call, "clusterName")?, required(call, "associationId")?);
    own(world, call, cluster, id)?;
    change(world, call, cluster, |cluster, _| {
        let shown = cluster.association(id)?.shown(cluster);
        cluster.associations.remove(id);
        Ok(json!({ "association": shown }))
    })
}

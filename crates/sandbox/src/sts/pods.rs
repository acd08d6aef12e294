//! Sessions of pods: EKS assumes a role for them and, with that one, maybe another role.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::assume_role::{ASSUME, TAG, check};
use super::session::{self, Assumed, Wanted};
use crate::access::{of_tags, set};
use crate::call::{Call, Parameters, Refusal};
use crate::policy::{Decision, Document, Principal, Question};
use crate::protocol::Service;
use crate::world::World;

/// What EKS wants for a pod.
#[derive(Debug, Clone)]
pub(crate) struct PodSession {
    /// The name of the session.
    pub(crate) name: String,
    /// The role of the cluster's account.
    pub(crate) role_arn: String,
    /// The ARN of the role that is assumed with the first one, and the external id that goes with it.
    pub(crate) target: Option<(String, String)>,
    /// Which cluster and pod it is for; empty if nobody is to be told.
    pub(crate) tags: BTreeMap<String, String>,
    /// What the pod may do at most.
    pub(crate) policy: Option<String>,
    /// Who asks: the cluster.
    pub(crate) source_arn: String,
}

/// A role in the chain, as far as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodRole {
    /// That of the cluster's account.
    Own,
    /// The one that is assumed with it.
    Target,
}

/// Who gives pods their roles.
const PODS: &str = "pods.eks.amazonaws.com";
/// How long credentials hold, in seconds: "6 hours", and "59 minutes" of an hour with a target ("How EKS Pod
/// Identity works", EKS user guide).
const HOLDS: (i64, i64) = (6 * 3600, 3600);

/// Returns the session of a pod as an answer of STS.
///
/// # Errors
/// With the role that cannot be assumed.
pub(crate) fn assume_for_pod(world: &mut World, call: &Call, session: PodSession) -> Result<Value, PodRole> {
    let PodSession { name, role_arn, target, tags, policy, source_arn } = session;
    let own = session::role(world, &role_arn).ok().flatten();
    let own = own.filter(|own| trusts_pods(world, own, &tags, &source_arn)).ok_or(PodRole::Own)?;
    let wanted = |duration, policy| Wanted::of_pod(name.clone(), duration, policy, tags.clone());
    let Some((target_arn, external_id)) = target else {
        return Ok(wanted(HOLDS.0, policy).issue(world, own));
    };
    let caller = wanted(HOLDS.1, None).caller(own);
    let listed: Vec<_> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    let parameters = json!({
        "RoleArn": target_arn, "RoleSessionName": name, "ExternalId": external_id, "Tags": listed,
    });
    let chained = Call {
        service: Service::Sts,
        operation: "AssumeRole".to_owned(),
        region: call.region.clone(),
        caller,
        parameters: Parameters(parameters.as_object().cloned().unwrap_or_default()),
        hidden: BTreeSet::new(),
    };
    let found = trusted_target(world, &chained, &target_arn, !tags.is_empty());
    let found = found.ok().flatten().ok_or(PodRole::Target)?;
    Ok(wanted(HOLDS.1, policy).issue(world, found))
}

/// Tells whether a role lets EKS assume it for pods, also with tags if there are any.
fn trusts_pods(world: &World, role: &Assumed, tags: &BTreeMap<String, String>, source_arn: &str) -> bool {
    let mut context = of_tags(&role.role.tags, "iam");
    set(&mut context, "aws:SourceAccount", role.account.as_str());
    set(&mut context, "aws:SourceArn", source_arn);
    for (key, value) in tags {
        set(&mut context, &format!("aws:RequestTag/{key}"), value);
    }
    let Ok(trust) = Document::read(&role.role.trust.document(world)) else { return false };
    let principals = [Principal::Service(PODS.to_owned())];
    let actions = [ASSUME, TAG].into_iter().take(if tags.is_empty() { 1 } else { 2 });
    let mut decisions = actions.map(|action| {
        let resource = &role.role.arn;
        trust.decide(&Question { action, resource, principals: &principals, context: context.clone() })
    });
    decisions.all(|decision| decision == Decision::Allowed)
}

/// Returns the target if it trusts the first role, and the policies of that let it go there.
fn trusted_target(world: &World, call: &Call, arn: &str, has_tags: bool) -> Result<Option<Assumed>, Refusal> {
    let Some(target) = session::role(world, arn)? else { return Ok(None) };
    check(world, call, &target, ASSUME)?;
    if has_tags {
        check(world, call, &target, TAG)?;
    }
    Ok(Some(target))
}

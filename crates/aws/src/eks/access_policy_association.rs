//! `eks_access_policy_association`: what an access entry may do in its cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_eks::types::{self, AccessScopeType};
use straddle_engine::address::RemoteId;
use straddle_engine::depiction::Depiction;
use straddle_engine::permission::Need;
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::resource::{
    Intent, Listing, Observed, Problem, Readiness, Recovery, ReplaceOrder, Resource, Step, Timeouts, Traits,
};
use straddle_engine::schema::Attributes;
use straddle_engine::value::{Value, ValueMap};

use super::{SERVICE, id};
use crate::client::Client;
use crate::each::each;
use crate::ec2::check::{is_set, problem};
use crate::error::failed;

/// The access entries of the account: an entry's id does not tell its ARN.
const ENTRIES: &str = "arn:{partition}:eks:{region}:{account}:access-entry/*";

/// The kind. Its ids are the entry's and the policy's ARN:
/// `main/arn:aws:iam::111122223333:role/Admin/arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy`.
pub(crate) struct AccessPolicyAssociation;

/// What an access entry may do in its cluster, or in some of its namespaces: a policy of EKS, of
/// which `aws eks list-access-policies` lists all.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct AccessPolicyAssociationInputs {
    /// The access entry.
    #[attribute(replace, refers_to = "eks_access_entry")]
    access_entry_id: String,
    /// The policy's ARN, such as `arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy`.
    #[attribute(replace)]
    policy_arn: String,
    /// Where it holds.
    access_scope: AccessScope,
}

/// Where a policy holds.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct AccessScope {
    /// The whole cluster or some namespaces.
    #[attribute(one_of = ["cluster", "namespace"])]
    r#type: String,
    /// The namespaces; a `*` at the end stands for whatever follows.
    namespaces: Option<BTreeSet<String>>,
}

/// What EKS says about an association.
#[derive(Debug, Clone, Default, PartialEq, Attributes)]
pub(crate) struct AccessPolicyAssociationOutputs {}

/// The policies of access entries, by the entries' ids.
pub(crate) struct Policies(BTreeMap<RemoteId, Vec<types::AssociatedAccessPolicy>>);

impl Listing for Policies {
    type Client = Client;

    async fn fetch(client: &Client, ids: &[RemoteId]) -> Result<Self, ProviderError> {
        let entries: BTreeSet<_> = ids.iter().map(|id| RemoteId::new(split(id).0)).collect();
        let entries: Vec<_> = entries.into_iter().collect();
        each(&entries, |entry| policies(client, entry)).await.map(Self)
    }
}

impl Policies {
    fn find(&self, id: &RemoteId) -> Option<&types::AssociatedAccessPolicy> {
        let (entry, policy) = split(id);
        self.0.get(&RemoteId::new(entry))?.iter().find(|found| found.policy_arn() == Some(policy))
    }
}

/// A change of an association.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AccessPolicyAssociationStep {
    Associate(AccessScope),
    Disassociate,
}

impl Step for AccessPolicyAssociationStep {
    fn operation(&self) -> &'static str {
        match self {
            Self::Associate(_) => "AssociateAccessPolicy",
            Self::Disassociate => "DisassociateAccessPolicy",
        }
    }
}

impl Resource for AccessPolicyAssociation {
    const KIND: &'static str = "eks_access_policy_association";
    const TRAITS: Traits = Traits {
        service: SERVICE,
        // Associating twice is associating.
        recovery: Recovery::NaturalKey,
        replace_order: ReplaceOrder::DeleteFirst,
        timeouts: Timeouts::minutes(5),
        poll: Duration::from_secs(5),
    };
    const DEPICTION: Depiction = Depiction { within: &["access_entry_id"], ..Depiction::PART };
    const PERMISSIONS: &'static [Need] = &[
        Need::read(&["eks:ListAssociatedAccessPolicies"]).on(&[ENTRIES]),
        Need::create(&["eks:AssociateAccessPolicy"]).on(&[ENTRIES]),
        Need::update(&["eks:AssociateAccessPolicy"]).on(&[ENTRIES]).changing(&["access_scope"]),
        Need::delete(&["eks:DisassociateAccessPolicy"]).on(&[ENTRIES]),
    ];
    const ID_FORM: &'static str = "NAME/arn:*:iam::*/arn:*:eks::*";
    const EXAMPLE: &'static str = include_str!("access_policy_association/example.toml");
    const EXCLUSIVE: &'static [&'static str] = &["access_entry_id", "policy_arn"];
    const IDENTITY: &'static [&'static str] = &["access_entry_id", "policy_arn"];

    type Inputs = AccessPolicyAssociationInputs;
    type Outputs = AccessPolicyAssociationOutputs;
    type Client = Client;
    type Listing = Policies;
    type Step = AccessPolicyAssociationStep;

    fn check(inputs: &ValueMap) -> Vec<Problem> {
        let Some(scope) = inputs.get("access_scope").and_then(Value::as_map) else { return Vec::new() };
        let namespaces = scope.get("namespaces").and_then(Value::as_list);
        let names_some = namespaces.map_or_else(|| is_set(scope, "namespaces"), |names| !names.is_empty());
        let problem = match scope.get("type").and_then(Value::as_str) {
            Some("namespace") if !names_some => problem(
                "access_scope",
                "A policy that holds in namespaces names them.",
                "Add `namespaces = [\"NAME\"]`, or write `type = \"cluster\"`.",
            ),
            Some("cluster") if names_some => problem(
                "access_scope",
                "A policy that holds in the whole cluster names no namespaces.",
                "Take `namespaces` out, or write `type = \"namespace\"`.",
            ),
            _ => return Vec::new(),
        };
        vec![problem]
    }

    fn observe(
        listing: &Policies,
        id: &RemoteId,
    ) -> Option<Observed<AccessPolicyAssociationInputs, AccessPolicyAssociationOutputs>> {
        let found = listing.find(id)?;
        let (entry, policy) = split(id);
        Some(Observed {
            inputs: AccessPolicyAssociationInputs {
                access_entry_id: entry.to_owned(),
                policy_arn: policy.to_owned(),
                access_scope: found.access_scope().map(observed_scope).unwrap_or_default(),
            },
            outputs: AccessPolicyAssociationOutputs {},
            readiness: Readiness::Ready,
        })
    }

    /// The call would change the scope of a policy that the entry has already. Whoever gave it that
    /// is asked first: such a policy is taken over only if it is as wanted.
    async fn create(
        client: &Client,
        _: &Intent,
        inputs: &AccessPolicyAssociationInputs,
    ) -> Result<RemoteId, ProviderError> {
        let id = join(inputs);
        let entry = RemoteId::new(&*inputs.access_entry_id);
        let listing = Policies(BTreeMap::from([(entry.clone(), policies(client, entry).await?)]));
        if let Some(other) = listing.find(&id).and_then(|found| found.access_scope()).map(observed_scope)
            && scope_differs(&other, &inputs.access_scope)
        {
            return Err(taken(inputs, &other));
        }
        associate(client, &id, &inputs.access_scope).await?;
        Ok(id)
    }

    fn next_step(
        observed: &Observed<AccessPolicyAssociationInputs, AccessPolicyAssociationOutputs>,
        desired: Option<&AccessPolicyAssociationInputs>,
    ) -> Option<AccessPolicyAssociationStep> {
        let Some(desired) = desired else { return Some(AccessPolicyAssociationStep::Disassociate) };
        let scope = &desired.access_scope;
        scope_differs(&observed.inputs.access_scope, scope)
            .then(|| AccessPolicyAssociationStep::Associate(scope.clone()))
    }

    async fn perform(
        client: &Client,
        id: &RemoteId,
        step: &AccessPolicyAssociationStep,
    ) -> Result<Option<RemoteId>, ProviderError> {
        match step {
            AccessPolicyAssociationStep::Associate(scope) => associate(client, id, scope).await?,
            AccessPolicyAssociationStep::Disassociate => {
                let (entry, policy) = split(id);
                let (cluster, principal) = id::parts(entry);
                let call = client.eks.writes.disassociate_access_policy().cluster_name(cluster);
                let call = call.principal_arn(principal).policy_arn(policy);
                call.send().await.map_err(failed(step.operation()))?;
            }
        }
        Ok(None)
    }

    async fn find(
        client: &Client,
        _: &Intent,
        inputs: &AccessPolicyAssociationInputs,
    ) -> Result<Vec<RemoteId>, ProviderError> {
        let id = join(inputs);
        let listing = Policies::fetch(client, std::slice::from_ref(&id)).await?;
        let found = listing.find(&id).and_then(|found| found.access_scope()).map(observed_scope);
        let is_same = found.is_some_and(|scope| !scope_differs(&scope, &inputs.access_scope));
        Ok(is_same.then_some(id).into_iter().collect())
    }
}

fn join(inputs: &AccessPolicyAssociationInputs) -> RemoteId {
    RemoteId::new(format!("{}/{}", inputs.access_entry_id, inputs.policy_arn))
}

/// Returns the entry's id and the policy's ARN.
fn split(id: &RemoteId) -> (&str, &str) {
    let id = id.as_str();
    match id.rfind("/arn:") {
        Some(slash) => (&id[..slash], &id[slash + 1..]),
        None => (id, ""),
    }
}

fn observed_scope(scope: &types::AccessScope) -> AccessScope {
    let namespaces: BTreeSet<_> = scope.namespaces().iter().cloned().collect();
    AccessScope {
        r#type: scope.r#type().map(AccessScopeType::as_str).unwrap_or_default().to_owned(),
        namespaces: (!namespaces.is_empty()).then_some(namespaces),
    }
}

/// No namespaces and an empty list of them are the same.
fn scope_differs(one: &AccessScope, other: &AccessScope) -> bool {
    let namespaces = |scope: &AccessScope| scope.namespaces.clone().unwrap_or_default();
    one.r#type != other.r#type || namespaces(one) != namespaces(other)
}

fn taken(inputs: &AccessPolicyAssociationInputs, other: &AccessScope) -> ProviderError {
    let names = other.namespaces.iter().flatten().cloned().collect::<Vec<_>>().join(", ");
    let where_it_holds = match other.r#type.as_str() {
        "namespace" => format!("in the namespaces {names}"),
        _ => "in the whole cluster".to_owned(),
    };
    let message = format!(
        "{} has the policy {} already, {where_it_holds}. Disassociate it, write the same scope, or import it",
        inputs.access_entry_id, inputs.policy_arn
    );
    ProviderError::new(ErrorClass::Rejected, "AssociateAccessPolicy", message)
}

async fn associate(client: &Client, id: &RemoteId, scope: &AccessScope) -> Result<(), ProviderError> {
    let (entry, policy) = split(id);
    let (cluster, principal) = id::parts(entry);
    let namespaces: Vec<_> = scope.namespaces.iter().flatten().cloned().collect();
    let scope = types::AccessScope::builder()
        .r#type(AccessScopeType::from(scope.r#type.as_str()))
        .set_namespaces((!namespaces.is_empty()).then_some(namespaces));
    let call = client.eks.writes.associate_access_policy().cluster_name(cluster).principal_arn(principal);
    let call = call.policy_arn(policy).access_scope(scope.build());
    call.send().await.map_err(failed("AssociateAccessPolicy"))?;
    Ok(())
}

async fn policies(
    client: &Client,
    entry: RemoteId,
) -> Result<Vec<types::AssociatedAccessPolicy>, ProviderError> {
    let (cluster, principal) = id::parts(entry.as_str());
    let call = client.eks.reads.list_associated_access_policies().cluster_name(cluster);
    let pages = call.principal_arn(principal).into_paginator().items().send();
    pages.collect::<Result<_, _>>().await.map_err(failed("ListAssociatedAccessPolicies"))
}

#[cfg(test)]
mod tests;

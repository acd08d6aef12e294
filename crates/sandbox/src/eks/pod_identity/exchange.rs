//! What the agent on a node asks for: credentials for the token of a pod.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Association;
use crate::call::{Answer, Call, Operation, Refusal};
use crate::cluster::{ClusterName, POD_IDENTITY_ADDRESS};
use crate::eks::addon::Addon;
use crate::eks::cluster::Cluster;
use crate::eks::named;
use crate::eks::refusals::required;
use crate::identity::{Caller, Identity, Session};
use crate::issuer::Token;
use crate::sts::{PodRole, PodSession, assume_for_pod};
use crate::world::World;

/// The operations of EKS Auth.
pub(crate) const AUTH_OPERATIONS: &[Operation] =
    &[Operation::new("AssumeRoleForPodIdentity", &["clusterName", "token"], assume)
        .on(&[("clusterName", "cluster")])];

/// The add-on whose pods are the agents.
const AGENT: &str = "eks-pod-identity-agent";
/// Whom the tokens are for.
const AUDIENCE: &str = "pods.eks.amazonaws.com";

fn assume(world: &mut World, call: &Call) -> Answer {
    let token = Token::read(required(call, "token")?).ok_or_else(|| invalid("The token is no JWT."))?;
    let cluster = named(world, call, required(call, "clusterName")?)?.clone();
    check(world, &cluster, &token)?;
    let pod = token.claims["kubernetes.io"].clone();
    let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (namespace, account) = (text("/namespace"), text("/serviceaccount/name"));
    let association = cluster.association_of(namespace, account).cloned().ok_or_else(|| {
        let message = format!("No association found for the service account {namespace}/{account}.");
        Refusal { status: 404, ..Refusal::new("ResourceNotFoundException", message) }
    })?;
    let session = session(&cluster, &association, text);
    let assumed = assume_for_pod(world, call, session).map_err(|role| {
        // The words for the first role are the service's; those for the second one follow them.
        let which = match role {
            PodRole::Own => "associated role",
            PodRole::Target => "target role",
        };
        let message = format!("Unauthorized Exception! EKS does not have permissions to assume the {which}.");
        Refusal::new("AccessDeniedException", message)
    })?;
    let (user, credentials) = (&assumed["AssumedRoleUser"], &assumed["Credentials"]);
    Ok(json!({
        "subject": { "namespace": namespace, "serviceAccount": account },
        "audience": AUDIENCE,
        "podIdentityAssociation": { "associationArn": association.arn, "associationId": association.id },
        "assumedRoleUser": { "arn": user["Arn"], "assumeRoleId": user["AssumedRoleId"] },
        "credentials": {
            "accessKeyId": credentials["AccessKeyId"],
            "secretAccessKey": credentials["SecretAccessKey"],
            "sessionToken": credentials["SessionToken"],
            "expiration": seconds(&credentials["Expiration"]),
        },
    }))
}

/// Checks that a token is one of the cluster's own, for the agent, and not too old.
fn check(world: &World, cluster: &Cluster, token: &Token) -> Result<(), Refusal> {
    let issuer = cluster.own_issuer();
    let is_signed = world.issuers.get(&issuer).is_some_and(|issuer| issuer.signed(token));
    if token.text("iss") != Some(&issuer) || !is_signed || !token.audiences().contains(&AUDIENCE) {
        return Err(invalid("The token is not one of the cluster for EKS Pod Identity."));
    }
    let expiry = token.claims["exp"].as_i64().unwrap_or_default();
    if expiry <= world.now().as_second() {
        return Err(Refusal::new("ExpiredTokenException", "The token has expired."));
    }
    Ok(())
}

/// Returns the session that a pod gets. Its tags are those that "EKS Pod Identity adds to each session" (EKS user
/// guide, "Grant Pods access to AWS resources based on tags").
fn session<'a>(cluster: &Cluster, association: &Association, pod: impl Fn(&str) -> &'a str) -> PodSession {
    let tags = [
        ("eks-cluster-arn", cluster.arn.as_str()),
        ("eks-cluster-name", &cluster.name),
        ("kubernetes-namespace", pod("/namespace")),
        ("kubernetes-service-account", pod("/serviceaccount/name")),
        ("kubernetes-pod-name", pod("/pod/name")),
        ("kubernetes-pod-uid", pod("/pod/uid")),
    ];
    let tags = if association.disables_tags { BTreeMap::new() } else { BTreeMap::from(tags) };
    let name = format!("eks-{}-{}-{}", cluster.name, pod("/pod/name"), pod("/pod/uid"));
    let target = association.target_role_arn.clone().zip(association.external_id.clone());
    PodSession {
        name: name.chars().take(64).collect(),
        role_arn: association.role_arn.clone(),
        target,
        tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        policy: association.policy.clone(),
        source_arn: cluster.arn.clone(),
    }
}

fn seconds(time: &Value) -> Value {
    let time = time.as_str().and_then(|time| time.parse::<jiff::Timestamp>().ok());
    time.map_or(Value::Null, |time| json!(time.as_second()))
}

fn invalid(message: &str) -> Refusal {
    Refusal::new("InvalidTokenException", message)
}

/// Why a pod cannot even ask for the role of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lacking {
    /// It was made before its account had a role, so that its programs do not know of any.
    Address,
    /// There is no agent on its node.
    Agent,
}

/// Returns the agent that asks for a pod, with the claims by which a token tells of the pod. `pod` is an object
/// of the cluster.
///
/// # Errors
/// If the pod does not know where to ask, or nobody listens there.
pub(crate) fn pod_caller(world: &World, name: &ClusterName, pod: &Value) -> Result<(Caller, Value), Lacking> {
    let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
    let mut variables = containers.filter_map(|container| container["env"].as_array()).flatten();
    if !variables.any(|variable| variable["name"] == POD_IDENTITY_ADDRESS) {
        return Err(Lacking::Address);
    }
    let clusters = world.clusters.get(&name.region).and_then(|all| all.by_account.get(&name.account));
    let cluster = clusters.and_then(|clusters| clusters.get(&name.name)).ok_or(Lacking::Agent)?;
    if !cluster.addons.get(AGENT).is_some_and(Addon::is_active) {
        return Err(Lacking::Agent);
    }
    let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
    let caller = cluster.node_caller(world, node).ok_or(Lacking::Agent)?;
    let claims = json!({
        "iss": cluster.own_issuer(),
        "aud": [AUDIENCE],
        "kubernetes.io": {
            "namespace": pod["metadata"]["namespace"],
            "serviceaccount": { "name": pod["spec"]["serviceAccountName"] },
            "pod": { "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"] },
        },
    });
    Ok((caller, claims))
}

impl Cluster {
    /// Returns the one as whom programs on a node act: the role of its node group.
    fn node_caller(&self, world: &World, node: &str) -> Option<Caller> {
        let plane = self.plane.as_ref()?;
        let machine = plane.machine(node)?;
        let role_arn = self.node_groups.get(&machine.node_group)?.role_arn();
        let role_name = role_arn.rsplit('/').next()?;
        let role = world.directories.get(&self.account)?.roles.get(role_name)?;
        let session = Session {
            role_name: role.name.clone(),
            role_arn: role.arn.clone(),
            role_id: role.id.clone(),
            policy: None,
            policy_arns: Vec::new(),
            tags: BTreeMap::new(),
            transitive: Vec::new(),
        };
        let (account, instance) = (&self.account, &machine.instance_id);
        Some(Caller {
            arn: format!("arn:aws:sts::{account}:assumed-role/{}/{instance}", role.name),
            user_id: format!("{}:{instance}", role.id),
            account: account.clone(),
            identity: Identity::Role(session),
        })
    }
}

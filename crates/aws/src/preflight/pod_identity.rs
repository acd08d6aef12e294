//! Pod Identity as a chain: the agent on the nodes, the role of the pods, and the role that is taken with it. A link that
//! is missing is found only when a pod asks for credentials.

use futures::future::join_all;
use straddle_engine::permission::Need;
use straddle_engine::preflight::{Check, Fate, Finding, Item, Subject};
use straddle_engine::provider::{ErrorClass, ProviderError};
use straddle_engine::value::Value;

use super::chain::{self, ExternalId, Step};
use super::controller::{OBJECT, role_in};
use crate::client::Client;
use crate::error::failed;
use crate::iam::trust::POD_IDENTITY;

/// The kind.
pub(super) const ASSOCIATION: &str = "eks_pod_identity_association";
/// The add-on whose pods give others their credentials.
const AGENT: &str = "eks-pod-identity-agent";

/// Whether pods get the roles of their associations.
pub(crate) struct PodIdentity;

impl Check for PodIdentity {
    const NAME: &'static str = "pod_identity";
    const ABOUT: &'static str = "associations have the agent on the nodes, a role that trusts EKS, and a target that trusts that role";
    const PERMISSIONS: &'static [Need] = &[Need::read(&["eks:DescribeAddon"])];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let looks = subject.lasting(ASSOCIATION).map(|association| async move {
            let mut findings: Vec<_> = agent(association, subject).await.into_iter().collect();
            findings.extend(judge_account(association, subject));
            findings.extend(judge_roles(association, subject));
            if findings.is_empty() {
                let Item { account, address, .. } = association;
                let message = format!("The pods of {address} get its role.");
                findings.push(Finding::ok(account, message));
            }
            findings
        });
        join_all(looks).await.concat()
    }
}

/// Says that there is no agent, if there is none.
async fn agent(association: &Item, subject: &Subject<'_>) -> Option<Finding> {
    let cluster = subject.referred(association, "cluster_name");
    let name = cluster.and_then(|cluster| cluster.text("name")).or_else(|| association.text("cluster_name"));
    let is_agent = |addon: &Item| {
        addon.text("name") == Some(AGENT)
            && match (cluster, subject.referred(addon, "cluster_name")) {
                (Some(one), Some(other)) => one.address == other.address,
                _ => addon.text("cluster_name") == name,
            }
    };
    // Clusters in Auto Mode have it built in (EKS user guide, "Set up the Amazon EKS Pod Identity Agent").
    let is_automatic = cluster.is_some_and(|cluster| cluster.is_true("auto_mode.enabled"));
    if is_automatic || subject.lasting("eks_addon").any(is_agent) {
        return None;
    }
    let Item { account, address, .. } = association;
    let missing = || {
        Finding::failed(
            account,
            format!(
                "{address} needs the agent of EKS Pod Identity on the nodes, and nothing brings it there."
            ),
            format!("Write an `eks_addon` with `name = \"{AGENT}\"` for the cluster."),
        )
    };
    if cluster.is_some_and(|cluster| cluster.fate == Fate::Made) {
        return Some(missing());
    }
    let client: &Client = subject.account(account).1.client();
    match has_agent(client, name?).await {
        Ok(true) => None,
        Ok(false) => Some(missing()),
        Err(error) => Some(Finding::unable(account, &error)),
    }
}

async fn has_agent(client: &Client, cluster: &str) -> Result<bool, ProviderError> {
    let call = client.eks.reads.describe_addon().cluster_name(cluster).addon_name(AGENT);
    match call.send().await.map_err(failed("DescribeAddon")) {
        Ok(_) => Ok(true),
        Err(error) if error.class == ErrorClass::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The annotation of a service account goes before its association.
fn judge_account(association: &Item, subject: &Subject<'_>) -> Option<Finding> {
    let is_its = |object: &&Item| {
        object.text("manifest.kind") == Some("ServiceAccount")
            && object.text("manifest.metadata.name") == association.text("service_account")
            && object.text("manifest.metadata.namespace") == association.text("namespace")
            && object.value("cluster.name") == association.value("cluster_name")
    };
    let account = subject.lasting(OBJECT).find(is_its)?;
    account.value("manifest").and_then(role_in)?;
    Some(Finding::warning(
        &account.account,
        format!(
            "{} is annotated with a role, which goes before that of {}.",
            account.address, association.address
        ),
        "Take the annotation `eks.amazonaws.com/role-arn` out.",
    ))
}

fn judge_roles(association: &Item, subject: &Subject<'_>) -> Vec<Finding> {
    let Some(role) = subject.referred(association, "role_arn") else { return Vec::new() };
    let has_tags = !association.is_true("disable_session_tags");
    let mut findings: Vec<_> = judge_own(association, role, has_tags, subject).into_iter().collect();
    if let Some(to) = subject.referred(association, "target_role_arn") {
        let step = Step { from: role, to, external_id: ExternalId::Of(association), has_tags };
        findings.extend(chain::judge(&step, subject));
    }
    findings
}

/// The role of the pods is of the cluster's account, and trusts EKS.
fn judge_own(association: &Item, role: &Item, has_tags: bool, subject: &Subject<'_>) -> Option<Finding> {
    let [of_role, of_cluster] = [role, association].map(|item| &subject.account(&item.account).0.id);
    if of_role != of_cluster {
        return Some(Finding::failed(
            &association.account,
            format!(
                "{} gives pods {} of the account {of_role}: EKS takes only a role of the cluster's own account.",
                association.address, role.address
            ),
            "Give them a role of the cluster's account in `role_arn`, and this one in `target_role_arn`.",
        ));
    }
    let trust = role.value("trust").filter(|trust| trust.first_unknown().is_none())?;
    let wanted = if has_tags { &["sts:AssumeRole", "sts:TagSession"][..] } else { &["sts:AssumeRole"] };
    if wanted.iter().all(|action| lets_pods(trust, action)) {
        return None;
    }
    Some(Finding::failed(
        &role.account,
        format!("{} is the role of pods, and its trust does not let EKS take it for them.", role.address),
        format!(
            "Write `trust = {{ service = \"{POD_IDENTITY}\" }}`, which allows the tags of the session too."
        ),
    ))
}

fn lets_pods(trust: &Value, action: &str) -> bool {
    let statements =
        trust.as_map().and_then(|trust| trust.get("Statement")).map(Value::items).unwrap_or_default();
    statements.iter().filter_map(Value::as_map).any(|statement| {
        let has = |name: &str, is_it: &dyn Fn(&str) -> bool| {
            statement.get(name).is_some_and(|value| value.items().iter().filter_map(Value::as_str).any(is_it))
        };
        let services = statement.get("Principal").and_then(Value::as_map).and_then(|who| who.get("Service"));
        let services = services.map(Value::items).unwrap_or_default();
        has("Effect", &|effect| effect == "Allow")
            && services.iter().any(|service| service.as_str() == Some(POD_IDENTITY))
            && has("Action", &|pattern| straddle_engine::policy::pattern::matches_any_case(pattern, action))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preflight::testing::json;

    #[test]
    fn pods_need_a_trust_for_both_actions() {
        let trust = |service: &str, actions: &str| {
            json(&format!(
                r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Service": "{service}"}}, "Action": {actions}}}}}"#
            ))
        };
        let both = trust(POD_IDENTITY, r#"["sts:AssumeRole", "sts:TagSession"]"#);
        assert!(lets_pods(&both, "sts:AssumeRole") && lets_pods(&both, "sts:TagSession"));
        assert!(!lets_pods(&trust(POD_IDENTITY, r#""sts:AssumeRole""#), "sts:TagSession"));
        assert!(lets_pods(&trust(POD_IDENTITY, r#""sts:*""#), "sts:TagSession"));
        assert!(!lets_pods(&trust("eks.amazonaws.com", r#""sts:*""#), "sts:AssumeRole"));
    }
}

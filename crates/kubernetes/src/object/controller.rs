//! The AWS Load Balancer Controller, as far as the end of objects depends on it: it has to take away finalizers
//! of its own, and its webhooks are asked about every change of what it cares for.

use http::Method;
use serde_json::{Value as Json, json};
use straddle_engine::provider::{ErrorClass, ProviderError};

use super::ownership::MANAGER;
use crate::cluster::{Call, Cluster, Refusal, escaped, is_webhook};

/// How the finalizers begin that it takes away.
const FINALIZERS: [&str; 4] = [
    "ingress.k8s.aws/resources",
    "service.k8s.aws/resources",
    "elbv2.k8s.aws/resources",
    "group.ingress.k8s.aws/",
];
/// The end of the name of its image, whatever registry has it.
const IMAGE: &str = "/aws-load-balancer-controller";
/// The end of the names of its webhooks.
const WEBHOOK: &str = ".elbv2.k8s.aws";
/// The definition of its bindings of Services to target groups.
pub(super) const BINDINGS: &str = "targetgroupbindings.elbv2.k8s.aws";
/// Where these bindings are.
const GROUP: &str = "/apis/elbv2.k8s.aws/v1beta1";
const PLURAL: &str = "targetgroupbindings";
/// How many of a kind are read; more Deployments than anybody looks through.
const LIMIT: usize = 500;

/// What can be done where it does not do its part.
pub(super) const ADVICE: &str = "`straddle destroy --repair` first brings back what the controller needs; `straddle \
     destroy --force-load-balancers` deletes the load balancers without it";

/// Tells whether it takes this finalizer away.
pub(super) fn takes_away(finalizer: &str) -> bool {
    FINALIZERS.iter().any(|begin| finalizer.starts_with(begin))
}

/// Returns what keeps it from doing its part in the cluster, as far as that is certain. `None` also if it cannot be
/// read.
pub(super) async fn missing(cluster: &Cluster) -> Option<String> {
    let path = format!("/apis/apps/v1/deployments?limit={LIMIT}");
    let all = cluster.call(Call::get("list Deployments", path)).await.ok()?;
    if !all["metadata"]["continue"].as_str().unwrap_or_default().is_empty() {
        return None;
    }
    let deployments: Vec<_> =
        all["items"].as_array().into_iter().flatten().filter(|one| is_its(one)).collect();
    let wanted = |deployment: &&&Json| deployment["spec"]["replicas"].as_i64() != Some(0);
    let Some(deployment) = deployments.iter().find(wanted).or(deployments.first()) else {
        return Some("the AWS Load Balancer Controller is not in the cluster".to_owned());
    };
    let text = |key: &str| deployment["metadata"][key].as_str().unwrap_or_default();
    let name = format!("Deployment/{}/{}", text("namespace"), text("name"));
    if !wanted(&deployment) {
        return Some(format!("the AWS Load Balancer Controller is scaled to zero: {name}"));
    }
    let is_available = deployment["status"]["availableReplicas"].as_i64() > Some(0);
    (!is_available).then(|| format!("no pod of the AWS Load Balancer Controller is available: {name}"))
}

fn is_its(deployment: &Json) -> bool {
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array();
    let mut images = containers.into_iter().flatten().filter_map(|container| container["image"].as_str());
    images.any(|image| {
        // Behind the name are a version and a digest.
        let name = image.split('@').next().unwrap_or_default();
        name.rsplit_once(':').map_or(name, |(name, _)| name).ends_with(IMAGE)
    })
}

/// Ends what it has made of an Ingress in the cluster, and lets the Ingress go.
///
/// # Errors
/// If the cluster refuses that.
pub(super) async fn let_go(cluster: &Cluster, path: &str, uid: &str) -> Result<(), ProviderError> {
    let object = match cluster.call(Call::get("get what is to be let go", path)).await {
        Ok(object) => object,
        Err(error) if error.class == ErrorClass::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if object["metadata"]["uid"] != uid {
        return Ok(());
    }
    if object["kind"] == "Ingress" {
        let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
        let (namespace, name) = (text("namespace"), text("name"));
        let labels = format!("ingress.k8s.aws/stack-name={name},ingress.k8s.aws/stack-namespace={namespace}");
        let selector = format!("?labelSelector={}", escaped(&labels));
        for binding in bindings(cluster, Some(namespace), &selector).await? {
            if binding["metadata"]["deletionTimestamp"].is_null() {
                delete(cluster, &path_of(&binding)).await?;
            }
            strip(cluster, &path_of(&binding), &binding).await?;
        }
    }
    strip(cluster, path, &object).await
}

/// Lets bindings go that are on their way out, of one namespace or all.
///
/// # Errors
/// If the cluster refuses that.
pub(super) async fn let_bindings_go(cluster: &Cluster, namespace: Option<&str>) -> Result<(), ProviderError> {
    for binding in bindings(cluster, namespace, "").await? {
        if !binding["metadata"]["deletionTimestamp"].is_null() {
            strip(cluster, &path_of(&binding), &binding).await?;
        }
    }
    Ok(())
}

async fn bindings(
    cluster: &Cluster,
    namespace: Option<&str>,
    query: &str,
) -> Result<Vec<Json>, ProviderError> {
    let inside = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
    let path = format!("{GROUP}{inside}/{PLURAL}{query}");
    match cluster.call(Call::get("list TargetGroupBindings", path)).await {
        Ok(list) => Ok(list["items"].as_array().cloned().unwrap_or_default()),
        // A cluster without the definition has none.
        Err(error) if error.class == ErrorClass::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn path_of(binding: &Json) -> String {
    let text = |key: &str| binding["metadata"][key].as_str().unwrap_or_default();
    format!("{GROUP}/namespaces/{}/{PLURAL}/{}", text("namespace"), escaped(text("name")))
}

/// Takes the finalizers of the controller out of an object, as it was read.
async fn strip(cluster: &Cluster, path: &str, object: &Json) -> Result<(), ProviderError> {
    let present: Vec<_> = finalizers(object).collect();
    let kept: Vec<_> = present.iter().filter(|finalizer| !takes_away(finalizer)).collect();
    if kept.len() == present.len() {
        return Ok(());
    }
    // Without its version: a status that changes meanwhile is no reason to keep it.
    let body = json!({ "metadata": { "uid": object["metadata"]["uid"], "finalizers": kept } });
    let send = async || {
        let body = Some(("application/merge-patch+json", &body));
        let path = format!("{path}?fieldManager={MANAGER}");
        cluster
            .ask(Call { operation: "take out finalizers".to_owned(), method: Method::PATCH, path, body })
            .await
    };
    let Err(refusal) = send().await else { return Ok(()) };
    if !is_webhook(&refusal.error.message) {
        return gone_is_done(refusal);
    }
    // Nobody answers for the webhook any more, and it has a say in this change as well.
    silence(cluster, &refusal.error).await?;
    send().await.map(drop).or_else(gone_is_done)
}

fn gone_is_done(refusal: Refusal) -> Result<(), ProviderError> {
    if refusal.error.class == ErrorClass::NotFound { Ok(()) } else { Err(refusal.error) }
}

/// Deletes the configuration of a webhook of the controller that nobody answers, if it was set by this program.
async fn silence(cluster: &Cluster, refusal: &ProviderError) -> Result<(), ProviderError> {
    let name = refusal.message.split('"').nth(1).filter(|name| name.ends_with(WEBHOOK));
    let Some(name) = name else { return Err(refusal.clone()) };
    for plural in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
        let path = format!("/apis/admissionregistration.k8s.io/v1/{plural}");
        let all = cluster.call(Call::get("list webhooks", &path)).await?;
        let has_it = |configuration: &&Json| {
            let webhooks = configuration["webhooks"].as_array();
            webhooks.into_iter().flatten().any(|webhook| webhook["name"] == name)
        };
        for configuration in all["items"].as_array().into_iter().flatten().filter(has_it) {
            let of = configuration["metadata"]["name"].as_str().unwrap_or_default();
            let managers = configuration["metadata"]["managedFields"].as_array();
            if !managers.into_iter().flatten().any(|entry| entry["manager"] == MANAGER) {
                let message = format!(
                    "the webhook {name} refuses it, since the controller does not run, and is not of this program: \
                     delete the configuration with `kubectl delete {plural} {of}`, then run the same command again"
                );
                return Err(ProviderError::new(ErrorClass::Rejected, &refusal.operation, message));
            }
            delete(cluster, &format!("{path}/{}", escaped(of))).await?;
        }
    }
    Ok(())
}

async fn delete(cluster: &Cluster, path: &str) -> Result<(), ProviderError> {
    let call =
        Call { operation: "delete".to_owned(), method: Method::DELETE, path: path.to_owned(), body: None };
    match cluster.call(call).await {
        Ok(_) => Ok(()),
        Err(error) if error.class == ErrorClass::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns what has to be taken away before an object is gone.
pub(super) fn finalizers(object: &Json) -> impl Iterator<Item = &str> {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Json::as_str)
}

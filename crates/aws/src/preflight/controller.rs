//! What the AWS Load Balancer Controller stands on, link by link: its pods, their service account, the
//! account's role, whom the role trusts, and what it may do.
//!
//! A broken link is found by nobody until the first Ingress gets no load balancer, and then only in the
//! Ingress's events.

use straddle_engine::permission::Need;
use straddle_engine::policy::pattern::matches;
use straddle_engine::preflight::{Check, Finding, Item, Subject};
use straddle_engine::value::Value;

use super::bindings::is_binding;
use super::ingresses::is_balanced;
use super::listed;
use super::pod_identity::ASSOCIATION;
use super::trust::{links, trust_of};
use crate::iam::controller::{Version, missing};
use crate::iam::trust::subject_of;

/// The kind of every object in a cluster.
pub(super) const OBJECT: &str = "kubernetes_object";
/// The controller's image, whatever the registry.
const IMAGE: &str = "aws-load-balancer-controller";
/// By what pods of a service account get a role (EKS user guide, "Assign IAM roles to Kubernetes
/// service accounts").
const ROLE_ANNOTATION: &str = "eks.amazonaws.com/role-arn";

/// Whether each controller gets a role that it may take, with the permissions of its version.
pub(crate) struct Controller;

impl Check for Controller {
    const NAME: &'static str = "controller";
    const ABOUT: &'static str =
        "each load balancer controller gets a role that it may take, with the permissions of its version";
    const PERMISSIONS: &'static [Need] = &[];

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let controllers = subject.lasting(OBJECT).filter_map(Pods::of);
        controllers.map(|pods| look(&pods, subject).unwrap_or_else(|broken| broken)).collect()
    }
}

/// A Deployment of the controller.
pub(super) struct Pods<'a> {
    item: &'a Item,
    version: &'a str,
    namespace: &'a str,
    service_account: &'a str,
    arguments: Vec<&'a str>,
}

impl<'a> Pods<'a> {
    /// Returns the controller that an object is, if it is one.
    pub(super) fn of(item: &'a Item) -> Option<Self> {
        if item.text("manifest.kind") != Some("Deployment") {
            return None;
        }
        let containers = item.list("manifest.spec.template.spec.containers");
        let container = containers.iter().filter_map(Value::as_map).find_map(|container| {
            let (image, version) = container.get("image")?.as_str()?.rsplit_once(':')?;
            let name = image.rsplit('/').next()?;
            (name == IMAGE).then_some((container, version))
        });
        let (container, version) = container?;
        let arguments = container.get("args").map(Value::items).unwrap_or_default();
        Some(Self {
            item,
            version,
            namespace: namespace_of(item),
            service_account: item.text("manifest.spec.template.spec.serviceAccountName").unwrap_or("default"),
            arguments: arguments.iter().filter_map(Value::as_str).collect(),
        })
    }

    /// Returns the value of an argument of the program.
    pub(super) fn argument(&self, name: &str) -> Option<&'a str> {
        let start = format!("--{name}=");
        self.arguments.iter().find_map(|argument| argument.strip_prefix(&start))
    }

    /// Tells whether it looks after the objects of the same cluster.
    pub(super) fn shares_cluster(&self, other: &Item) -> bool {
        self.item.value("cluster.name") == other.value("cluster.name")
    }

    /// Returns the object of its service account.
    fn account<'s>(&self, subject: &'s Subject<'_>) -> Option<&'s Item> {
        subject.lasting(OBJECT).find(|other| {
            other.text("manifest.kind") == Some("ServiceAccount")
                && other.text("manifest.metadata.name") == Some(self.service_account)
                && namespace_of(other) == self.namespace
                && self.shares_cluster(other)
        })
    }

    /// Returns the role that it acts with, if that is one of the stack.
    pub(super) fn role<'s>(&self, subject: &'s Subject<'_>) -> Option<&'s Item> {
        let annotated = self.account(subject).and_then(|account| role_of(account, subject));
        annotated.or_else(|| self.associated_role(subject))
    }

    /// Returns the association of its service account.
    fn association<'s>(&self, subject: &'s Subject<'_>) -> Option<&'s Item> {
        subject.lasting(ASSOCIATION).find(|association| {
            association.text("namespace") == Some(self.namespace)
                && association.text("service_account") == Some(self.service_account)
                && association.value("cluster_name") == self.item.value("cluster.name")
        })
    }

    /// Returns the role that it ends up with by its association.
    fn associated_role<'s>(&self, subject: &'s Subject<'_>) -> Option<&'s Item> {
        let association = self.association(subject)?;
        let has_target = association.value("target_role_arn").is_some_and(|arn| arn.as_str() != Some(""));
        subject.referred(association, if has_target { "target_role_arn" } else { "role_arn" })
    }

    /// Returns the controller's version, such as `v2.13.4`.
    pub(super) fn version(&self) -> &'a str {
        self.version
    }

    fn name(&self) -> String {
        format!("{}/{}", self.namespace, self.service_account)
    }
}

fn namespace_of(item: &Item) -> &str {
    item.text("manifest.metadata.namespace").unwrap_or("default")
}

/// Returns the role's ARN in a manifest of a service account.
pub(super) fn role_in(manifest: &Value) -> Option<&Value> {
    let metadata = manifest.as_map()?.get("metadata")?.as_map()?;
    metadata.get("annotations")?.as_map()?.get(ROLE_ANNOTATION)
}

/// Returns the role that a service account is annotated with, if that is one of the stack.
fn role_of<'s>(account: &Item, subject: &'s Subject<'_>) -> Option<&'s Item> {
    let written = subject.written(account, "manifest");
    let written = written.as_ref().and_then(role_in).and_then(|role| subject.named(role));
    written.or_else(|| role_by_arn(account.value("manifest").and_then(role_in)?, subject))
}

pub(super) fn role_by_arn<'s>(arn: &Value, subject: &'s Subject<'_>) -> Option<&'s Item> {
    let by_arn = |arn| subject.lasting("iam_role").find(|role| role.text("arn") == Some(arn));
    subject.named(arn).or_else(|| by_arn(arn.as_str()?))
}

/// Goes through the links; the first that is broken, or that cannot be seen, is the finding.
fn look(pods: &Pods<'_>, subject: &Subject<'_>) -> Result<Finding, Finding> {
    let Item { account, address, .. } = pods.item;
    let skipped = |why: String| Finding::skipped(account, why);
    let name = pods.name();
    let service_account = pods
        .account(subject)
        .ok_or_else(|| skipped(format!("The service account {name} of {address} is not of this stack.")))?;
    if service_account.value("manifest").and_then(role_in).is_none() {
        return has_association(pods, subject);
    }
    let role = pods
        .role(subject)
        .ok_or_else(|| skipped(format!("The role of the service account {name} is not of this stack.")))?;
    let trusts = trusts(role, subject);
    judge_trust(pods, role, &trusts)?;
    judge_cluster(pods, role, &trusts, subject)?;
    judge_role(pods, role, subject)
}

/// What the role may do has to be enough for what there is for the controller to do.
fn judge_role(pods: &Pods<'_>, role: &Item, subject: &Subject<'_>) -> Result<Finding, Finding> {
    let has = |is_it: fn(&Item) -> bool| {
        subject.lasting(OBJECT).any(|object| pods.shares_cluster(object) && is_it(object))
    };
    if has(is_binding) && !has(is_balanced) {
        let message = format!("{} registers targets, and makes no load balancers.", pods.item.address);
        return Ok(Finding::ok(&role.account, message));
    }
    let policies = policies(role, subject).ok_or_else(|| {
        let Item { account, .. } = pods.item;
        Finding::skipped(account, format!("A policy of {} is not of this stack.", role.address))
    })?;
    judge_permissions(pods, role, &policies.iter().collect::<Vec<_>>())
}

/// Pods without the annotation get a role by an association, or act as their node.
fn has_association(pods: &Pods<'_>, subject: &Subject<'_>) -> Result<Finding, Finding> {
    let Item { account, address, .. } = pods.item;
    let name = pods.name();
    if pods.association(subject).is_some() {
        return match pods.associated_role(subject) {
            Some(role) => judge_role(pods, role, subject),
            None => Ok(Finding::ok(account, format!("{address} gets its role by Pod Identity, as {name}."))),
        };
    }
    Err(Finding::failed(
        account,
        format!("The service account {name} of {address} has no role: the controller would act as its node."),
        format!("Annotate it with `{ROLE_ANNOTATION} = \"${{iam_role.NAME.arn}}\"`."),
    ))
}

/// Returns the trust policies of a role, those of `iam_role_trust` included.
fn trusts(role: &Item, subject: &Subject<'_>) -> Vec<Value> {
    let others = subject.lasting("iam_role_trust").filter(|trust| refers_to(trust, "role", role, subject));
    std::iter::once(role).chain(others).filter_map(|item| trust_of(item, subject)).collect()
}

/// Tells whether an attribute names a role.
pub(super) fn refers_to(item: &Item, attribute: &str, role: &Item, subject: &Subject<'_>) -> bool {
    match subject.referred(item, attribute) {
        Some(named) => named.address == role.address,
        None => item.text(attribute).is_some() && item.text(attribute) == role.text("name"),
    }
}

fn judge_trust(pods: &Pods<'_>, role: &Item, trusts: &[Value]) -> Result<(), Finding> {
    let wanted = subject_of((pods.namespace, pods.service_account));
    let links: Vec<_> = trusts.iter().flat_map(links).collect();
    let known: Option<Vec<_>> = links.iter().map(|link| link.subjects.as_ref()).collect();
    let Some(subjects) = known else { return Ok(()) };
    let subjects: Vec<_> = subjects.into_iter().flatten().collect();
    if subjects.iter().any(|subject| matches(subject, &wanted)) {
        return Ok(());
    }
    let whom = if subjects.is_empty() { "no service account".to_owned() } else { listed(&subjects) };
    Err(Finding::failed(
        &role.account,
        format!("The controller runs as {wanted}, and {} trusts {whom}.", role.address),
        format!("Write `service_accounts = [\"{}\"]` in the role's `trust`.", pods.name()),
    ))
}

/// The provider that the role trusts has to stand for the cluster that the pods run in.
fn judge_cluster(
    pods: &Pods<'_>,
    role: &Item,
    trusts: &[Value],
    subject: &Subject<'_>,
) -> Result<(), Finding> {
    let providers = trusts.iter().flat_map(links).filter_map(|link| subject.named(link.provider).cloned());
    for provider in providers {
        let url = subject.written(&provider, "url");
        let Some(cluster) = url.as_ref().and_then(|url| subject.named(url)) else { continue };
        let names = (cluster.text("name"), pods.item.text("cluster.name"));
        if let (Some(of_provider), Some(of_pods)) = names
            && of_provider != of_pods
        {
            return Err(Finding::failed(
                &role.account,
                format!(
                    "The controller runs in the cluster {of_pods}, and {} trusts {}, which stands for the cluster \
                     {of_provider}.",
                    role.address, provider.address
                ),
                "Trust the provider of the cluster that the controller runs in.",
            ));
        }
    }
    Ok(())
}

/// Returns the policies of a role; `None` if one of them is not of this stack.
pub(super) fn policies(role: &Item, subject: &Subject<'_>) -> Option<Vec<Value>> {
    let of_role =
        |kind: &'static str| subject.lasting(kind).filter(|item| refers_to(item, "role", role, subject));
    let attached = of_role("iam_role_policy_attachment").map(|attachment| {
        let policy = subject.referred(attachment, "policy_arn")?;
        policy.value("document").cloned()
    });
    let inline = of_role("iam_role_policy").map(|policy| policy.value("document").cloned());
    attached.chain(inline).collect()
}

fn judge_permissions(pods: &Pods<'_>, role: &Item, policies: &[&Value]) -> Result<Finding, Finding> {
    let Pods { item, version, .. } = pods;
    let known = Version::parse(version)
        .map_err(|why| Finding::skipped(&role.account, format!("{}: {why}", item.address)))?;
    let missing = missing(policies, known);
    if missing.is_empty() {
        let name = pods.name();
        return Ok(Finding::ok(
            &role.account,
            format!("{} {version} takes {} as {name}, and may do what it needs.", item.address, role.address),
        ));
    }
    Err(Finding::failed(
        &role.account,
        format!(
            "The controller {version} needs what {} does not allow: {}.",
            role.address,
            missing.join(", ")
        ),
        format!(
            "Write the policy as `document = {{ load_balancer_controller = \"{version}\" }}`, or add the actions: a \
             policy belongs to a version of the controller."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;

    use crate::preflight::testing::{item, json};

    fn deployment(image: &str) -> Item {
        let manifest = json(&format!(
            r#"{{"kind": "Deployment", "metadata": {{"namespace": "kube-system"}}, "spec": {{"template": {{"spec": {{
                "serviceAccountName": "lbc",
                "containers": [{{"image": "{image}", "args": ["--cluster-name=shop", "--default-target-type=ip"]}}]
            }}}}}}}}"#
        ));
        item(OBJECT, &[("manifest", manifest)])
    }

    const IMAGE_OF_2_13: &str = "public.ecr.aws/eks/aws-load-balancer-controller:v2.13.4";

    #[test]
    fn a_controller_is_known_by_its_image() {
        let controller = deployment(IMAGE_OF_2_13);
        let pods = Pods::of(&controller).expect("it is the controller");
        assert_eq!((pods.version, pods.name().as_str()), ("v2.13.4", "kube-system/lbc"));
        assert_eq!(pods.argument("default-target-type"), Some("ip"));
        assert_eq!(pods.argument("cluster"), None);
        for image in ["nginx:1", "aws-load-balancer-controller", "x/aws-load-balancer-controller-test:v1"] {
            assert!(Pods::of(&deployment(image)).is_none(), "{image}");
        }
    }

    #[test]
    fn the_role_has_to_trust_the_service_account() {
        let controller = deployment(IMAGE_OF_2_13);
        let pods = Pods::of(&controller).expect("it is the controller");
        let role = item("iam_role", &[]);
        let judge = |accounts: &str| {
            let trust = json(&format!(r#"{{"oidc_provider": "arn:x", "service_accounts": [{accounts}]}}"#));
            judge_trust(&pods, &role, &[trust]).map_err(|finding| finding.message)
        };
        assert_eq!(judge(r#""kube-system/other", "kube-system/lbc""#), Ok(()));
        let wrong = judge(r#""kube-system/aws-lbc""#).expect_err("it is another account");
        assert!(wrong.contains("system:serviceaccount:kube-system:lbc"), "{wrong}");
        assert!(wrong.contains("system:serviceaccount:kube-system:aws-lbc"), "{wrong}");
    }

    #[test]
    fn the_policy_has_to_be_of_the_version() {
        let role = item("iam_role", &[]);
        let judge = |image: &str, document: &str| {
            let controller = deployment(image);
            let pods = Pods::of(&controller).expect("it is the controller");
            let policy = json(document);
            judge_permissions(&pods, &role, &[&policy]).unwrap_or_else(|broken| broken)
        };
        let all = r#"{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;
        assert_eq!(judge(IMAGE_OF_2_13, all).verdict, Verdict::Ok);
        let old = r#"{"Statement": [{"Effect": "Allow", "Action": ["ec2:*"], "Resource": "*"}]}"#;
        let finding = judge(IMAGE_OF_2_13, old);
        assert_eq!(finding.verdict, Verdict::Failed);
        assert!(finding.message.contains("elasticloadbalancing:DescribeListenerAttributes"), "{finding:?}");
        assert_eq!(judge("aws-load-balancer-controller:v9.0.0", all).verdict, Verdict::Skipped);
    }
}

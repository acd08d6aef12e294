//! Whether a controller can register pods in a target group of another account.
//!
//! It takes a role there since version 2.12 (`iamRoleArnToAssume`), and in a shared VPC since 2.13: 2.12 takes addresses
//! for those of another VPC, which the service refuses (the project's issue 4089).

use straddle_engine::preflight::{Check, Finding, Item, Subject};
use straddle_engine::value::Value;

use super::chain::{self, ExternalId, Step};
use super::controller::{OBJECT, Pods, policies, role_by_arn};
use crate::iam::controller::{Version, lacking};

/// The kind of the objects.
const BINDING: &str = "TargetGroupBinding";
/// What the controller calls with the role that it takes.
const CALLS: [&str; 4] = [
    "elasticloadbalancing:RegisterTargets",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:DescribeTargetHealth",
    "elasticloadbalancing:DescribeTargetGroups",
];

/// Whether pods can become targets.
pub(crate) struct Bindings;

impl Check for Bindings {
    const NAME: &'static str = "target_group_bindings";
    const ABOUT: &'static str = "controllers may register pods in the target groups that bindings name, also those of another account";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let controllers: Vec<_> = subject.lasting(OBJECT).filter_map(Pods::of).collect();
        let judged = subject.lasting(OBJECT).filter(|item| is_binding(item)).filter_map(|binding| {
            let controller = controllers.iter().find(|controller| controller.shares_cluster(binding))?;
            let problems = judge(binding, controller, subject);
            let ok = || {
                let message = format!("The controller may register the targets of {}.", binding.address);
                vec![Finding::ok(&binding.account, message)]
            };
            Some(if problems.is_empty() { ok() } else { problems })
        });
        judged.flatten().collect()
    }
}

/// Tells whether an object ties pods to a target group.
pub(super) fn is_binding(item: &Item) -> bool {
    item.text("manifest.kind") == Some(BINDING)
}

/// Returns a part of a binding's specification, by preference with the references that are written.
fn part(binding: &Item, name: &str, subject: &Subject<'_>) -> Option<Value> {
    let of = |manifest: &Value| manifest.as_map()?.get("spec")?.as_map()?.get(name).cloned();
    let written = subject.written(binding, "manifest").as_ref().and_then(of);
    let is_reference = |value: &Value| subject.named(value).is_some();
    written.filter(is_reference).or_else(|| binding.value("manifest").and_then(of))
}

fn judge(binding: &Item, controller: &Pods<'_>, subject: &Subject<'_>) -> Vec<Finding> {
    let group = part(binding, "targetGroupARN", subject);
    let group = group.as_ref().and_then(|arn| subject.named(arn)).cloned();
    let own = controller.role(subject);
    let Some(role_arn) = part(binding, "iamRoleArnToAssume", subject) else {
        return judge_own(binding, group.as_ref(), own, subject).into_iter().collect();
    };
    let is_foreign = group.as_ref().is_some_and(|group| is_elsewhere(group, binding, subject));
    let mut findings: Vec<_> = judge_version(binding, controller, is_foreign).into_iter().collect();
    let Some(role) = role_by_arn(&role_arn, subject) else { return findings };
    if let Some(from) = own {
        let id = binding.value("manifest.spec.assumeRoleExternalId");
        let step = Step { from, to: role, external_id: ExternalId::Written(id), has_tags: false };
        findings.extend(chain::judge(&step, subject));
    }
    findings.extend(judge_permissions(binding, role, subject));
    findings
}

fn is_elsewhere(one: &Item, other: &Item, subject: &Subject<'_>) -> bool {
    subject.account(&one.account).0.id != subject.account(&other.account).0.id
}

/// With its own role a controller gets to target groups of that role's account alone.
fn judge_own(
    binding: &Item,
    group: Option<&Item>,
    own: Option<&Item>,
    subject: &Subject<'_>,
) -> Option<Finding> {
    let (group, own) = (group?, own?);
    is_elsewhere(group, own, subject).then(|| {
        let message = format!(
            "{} names {} of the account `{}`, and the controller acts with {} of the account `{}`.",
            binding.address, group.address, group.account, own.address, own.account
        );
        let remedy = format!(
            "Name a role of the account `{}` in `iamRoleArnToAssume` of its `spec`, which trusts {}.",
            group.account, own.address
        );
        Finding::failed(&binding.account, message, remedy)
    })
}

fn judge_version(binding: &Item, controller: &Pods<'_>, is_foreign: bool) -> Option<Finding> {
    let version = Version::parse(controller.version()).ok()?;
    let what = if version < Version::new(2, 12) {
        "does not know `iamRoleArnToAssume`, and would go on with its own role"
    } else if version < Version::new(2, 13) && is_foreign {
        "takes pods in a shared VPC for those of another one, which the service refuses"
    } else {
        return None;
    };
    Some(Finding::failed(
        &binding.account,
        format!("{}: the controller {} {what}.", binding.address, controller.version()),
        "Use version 2.13 of the controller or later.",
    ))
}

fn judge_permissions(binding: &Item, role: &Item, subject: &Subject<'_>) -> Option<Finding> {
    let policies = policies(role, subject)?;
    let lacking = lacking(&policies.iter().collect::<Vec<_>>(), CALLS.into_iter());
    (!lacking.is_empty()).then(|| {
        Finding::failed(
            &role.account,
            format!(
                "The controller takes {} for {}, and its policies do not allow {}.",
                role.address,
                binding.address,
                lacking.join(", ")
            ),
            "Allow the first two on the target group, and the descriptions on everything.",
        )
    })
}

#[cfg(test)]
mod tests {
    use straddle_engine::preflight::Verdict;

    use super::*;
    use crate::preflight::testing::{item, json};

    #[test]
    fn the_version_has_to_know_roles_and_shared_networks() {
        let binding = item(OBJECT, &[("manifest", json(r#"{"kind": "TargetGroupBinding"}"#))]);
        assert!(is_binding(&binding));
        let verdict = |version: &str, is_foreign| {
            let manifest = json(&format!(
                r#"{{"kind": "Deployment", "spec": {{"template": {{"spec": {{"containers":
                    [{{"image": "public.ecr.aws/eks/aws-load-balancer-controller:{version}"}}]}}}}}}}}"#
            ));
            let deployment = item(OBJECT, &[("manifest", manifest)]);
            let controller = Pods::of(&deployment).expect("it is the controller");
            judge_version(&binding, &controller, is_foreign).map(|finding| finding.verdict)
        };
        assert_eq!(verdict("v2.11.0", false), Some(Verdict::Failed));
        assert_eq!(verdict("v2.12.0", true), Some(Verdict::Failed));
        assert_eq!(verdict("v2.12.0", false), None);
        assert_eq!(verdict("v2.13.4", true), None);
        assert_eq!(verdict("v9.0.0", true), None, "nothing is known of it");
    }
}

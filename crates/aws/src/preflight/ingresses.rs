//! Whether Ingresses can get a load balancer of another account's controller.
//!
//! A controller that acts in another account sees neither the nodes nor the groups of its cluster's
//! account, so that its Ingresses have to name what it would look up (the project's issue 2652; what it
//! does without is "Ingress annotations" and "Security groups" of its documentation).

use straddle_engine::preflight::{Check, Finding, Item, Subject, Verdict};
use straddle_engine::provider::Account;
use straddle_engine::value::Value;

use super::controller::{OBJECT, Pods};

const PREFIX: &str = "alb.ingress.kubernetes.io";
/// The class of the controller.
const CLASS: &str = "alb";
/// A load balancer takes a subnet in each of two zones at least (Elastic Load Balancing, "Subnets for
/// your load balancer").
const LEAST_SUBNETS: usize = 2;

/// Whether Ingresses say what a controller of another account cannot find out.
pub(crate) struct Ingresses;

impl Check for Ingresses {
    const NAME: &'static str = "ingresses";
    const ABOUT: &'static str =
        "Ingresses name targets, subnets and groups that a controller with a role of another account can use";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let controllers: Vec<_> = subject.lasting(OBJECT).filter_map(Pods::of).collect();
        let with_role = |pods: &Pods<'_>| pods.role(subject).map(|role| subject.account(&role.account).0);
        let owners: Vec<_> = controllers.iter().map(with_role).collect();
        let ingresses = subject.lasting(OBJECT).filter(|item| is_balanced(item));
        let judged = ingresses.filter_map(|ingress| {
            let mut with_owners = controllers.iter().zip(&owners);
            let (controller, owner) =
                with_owners.find(|(controller, _)| controller.shares_cluster(ingress))?;
            let owner = owner.as_ref()?;
            let is_foreign = owner.id != subject.account(&ingress.account).0.id;
            let default_type = controller.argument("default-target-type");
            let mut findings = if is_foreign { judge(ingress, default_type) } else { Vec::new() };
            if let Some(group) = group_of_another(subject, ingress, owner) {
                findings.retain(|finding| finding.verdict != Verdict::Ok);
                findings.push(group);
            }
            Some(findings)
        });
        judged.flatten().collect()
    }
}

/// Tells whether an object is an Ingress of the controller's class.
pub(super) fn is_balanced(item: &Item) -> bool {
    let class = item.text("manifest.spec.ingressClassName");
    let old = || metadata(item, "kubernetes.io/ingress.class").and_then(Value::as_str);
    item.text("manifest.kind") == Some("Ingress") && class.or_else(old) == Some(CLASS)
}

fn metadata<'a>(item: &'a Item, annotation: &str) -> Option<&'a Value> {
    item.value("manifest.metadata.annotations")?.as_map()?.get(annotation)
}

/// Says that an Ingress names a group of an account in which its load balancer is not. Groups that are not made yet
/// are told by what they are taken from, such as the group that a cluster gets.
fn group_of_another(subject: &Subject<'_>, ingress: &Item, owner: &Account) -> Option<Finding> {
    let group = subject.named(metadata(ingress, &format!("{PREFIX}/security-groups"))?)?;
    let account = subject.account(&group.account).0;
    let Item { address, .. } = ingress;
    (account.id != owner.id).then(|| {
        let (named, home, here) = (&group.address, &account.name, &owner.name);
        Finding::failed(
            &ingress.account,
            format!("{address} names a group of {named}, in the account {home}; its load balancer stands in {here}."),
            format!("Name a `security_group` of the account {here} in `{PREFIX}/security-groups`."),
        )
    })
}

fn judge(ingress: &Item, default_type: Option<&str>) -> Vec<Finding> {
    let annotation = |name: &str| metadata(ingress, &format!("{PREFIX}/{name}"));
    let text = |name: &str| annotation(name).and_then(Value::as_str);
    let mut problems = Vec::new();
    let unknown = |name: &str| annotation(name).is_some_and(|value| value.first_unknown().is_some());
    if !unknown("target-type") && text("target-type").or(default_type) != Some("ip") {
        problems.push((
            "takes nodes as targets, which belong to the cluster's account, and the controller does not see them",
            format!("Annotate it with `{PREFIX}/target-type = \"ip\"`."),
        ));
    }
    if annotation("security-groups").is_none() {
        problems.push((
            "names no security groups, so that the controller would have to change those of the nodes, in an \
             account that is not its own",
            format!("Annotate it with `{PREFIX}/security-groups = \"${{security_group.NAME.id}}\"`."),
        ));
    }
    if text("manage-backend-security-group-rules") == Some("true") {
        problems.push((
            "lets the controller change the rules of the nodes' group, in an account that is not its own",
            format!("Take `{PREFIX}/manage-backend-security-group-rules` out, and write the rule yourself."),
        ));
    }
    if let Some(subnets) = text("subnets")
        && subnets.split(',').filter(|subnet| !subnet.trim().is_empty()).count() < LEAST_SUBNETS
    {
        problems.push((
            "names one subnet, and a load balancer needs two in different zones",
            format!("Name two in `{PREFIX}/subnets`, as in `\"${{join(',', subnet.public[*].id)}}\"`."),
        ));
    }
    let Item { account, address, .. } = ingress;
    if problems.is_empty() {
        return vec![Finding::ok(account, format!("{address} names what the controller needs."))];
    }
    let finding = |(what, remedy)| Finding::failed(account, format!("{address} {what}."), remedy);
    problems.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::preflight::testing::{item, json};

    fn ingress(annotations: &str) -> Item {
        let manifest = json(&format!(
            r#"{{"kind": "Ingress", "metadata": {{"annotations": {{{annotations}}}}}, "spec": {{"ingressClassName": "alb"}}}}"#
        ));
        item(OBJECT, &[("manifest", manifest)])
    }

    fn verdicts(annotations: &[(&str, &str)], default_type: Option<&str>) -> Vec<Verdict> {
        let annotations = annotations.iter().map(|(name, value)| format!(r#""{PREFIX}/{name}": "{value}""#));
        let ingress = ingress(&annotations.collect::<Vec<_>>().join(", "));
        judge(&ingress, default_type).iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn an_ingress_says_what_the_controller_cannot_see() {
        let groups = ("security-groups", "sg-1");
        let whole = [("target-type", "ip"), groups, ("subnets", "subnet-1,subnet-2")];
        assert_eq!(verdicts(&whole, None), [Verdict::Ok]);
        assert_eq!(verdicts(&[groups], Some("ip")), [Verdict::Ok]);
        assert_eq!(verdicts(&[groups], None), [Verdict::Failed]);
        assert_eq!(verdicts(&[("target-type", "instance"), groups], Some("ip")), [Verdict::Failed]);
        assert_eq!(verdicts(&[], Some("ip")), [Verdict::Failed]);
        assert_eq!(verdicts(&[groups, ("subnets", "subnet-1, ")], Some("ip")), [Verdict::Failed]);
        let managed = ("manage-backend-security-group-rules", "true");
        assert_eq!(verdicts(&[groups, managed], Some("ip")), [Verdict::Failed]);
    }

    #[test]
    fn other_classes_are_not_looked_at() {
        assert!(is_balanced(&ingress("")));
        let manifest = json(r#"{"kind": "Ingress", "spec": {"ingressClassName": "nginx"}}"#);
        assert!(!is_balanced(&item(OBJECT, &[("manifest", manifest)])));
    }
}

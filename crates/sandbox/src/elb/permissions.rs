//! What the actions of load balancing are done to, for policies ("Actions, resources, and condition keys for
//! AWS Elastic Load Balancing V2", Service Authorization Reference).

use super::arn::{self, Kind};
use super::load_balancer;
use crate::access::{Context, of_tags, set};
use crate::call::{Call, Need, Operation};
use crate::iam;
use crate::world::World;

/// The parameters that name what an operation is done to.
const NAMING: &[&str] = &["LoadBalancerArn", "TargetGroupArn", "ListenerArn", "RuleArn", "ResourceArns"];

/// Returns what a caller has to be allowed for an operation.
pub(crate) fn needs(world: &World, operation: &Operation, call: &Call) -> Vec<Need> {
    let action = format!("elasticloadbalancing:{}", operation.name);
    let need = |(resource, context)| Need { action: action.clone(), resource, context };
    // Those that describe "do not support resource-level permissions".
    if operation.is_read() {
        return vec![need(("*".to_owned(), Context::new()))];
    }
    let made = made(operation.name, call);
    let mut resources = named(world, call);
    if resources.is_empty() {
        resources.push((made.clone().unwrap_or_else(|| "*".to_owned()), Context::new()));
    }
    let mut needs: Vec<_> = resources.into_iter().map(need).collect();
    if let Some(made) = made.filter(|_| !call.parameters.tables("Tags").is_empty()) {
        needs.push(need_of_tags(operation.name, made));
    }
    if operation.name == "CreateLoadBalancer" {
        needs.extend(iam::need_of_linked_role(world, call, load_balancer::SERVICE));
    }
    needs
}

/// Returns the ARN of what an operation makes, of which not all is known.
fn made(operation: &str, call: &Call) -> Option<String> {
    let text = |name: &str| call.parameters.text(name).unwrap_or_default();
    match operation {
        "CreateLoadBalancer" => {
            let kind = if text("Type") == "network" { "net" } else { "app" };
            Some(format!("{}{kind}/{}/*", arn::of_account(call, Kind::Balancer), text("Name")))
        }
        "CreateTargetGroup" => {
            Some(format!("{}{}/*", arn::of_account(call, Kind::TargetGroup), text("Name")))
        }
        "CreateListener" => Some(format!("{}*", arn::listeners_of(text("LoadBalancerArn")))),
        "CreateRule" => Some(format!("{}*", arn::rules_of(text("ListenerArn")))),
        _ => None,
    }
}

/// Returns the things that a call names, with their tags as condition keys.
fn named(world: &World, call: &Call) -> Vec<(String, Context)> {
    let parameters = &call.parameters;
    let direct =
        NAMING.iter().flat_map(|name| parameters.text(name).into_iter().chain(parameters.texts(name)));
    let priorities = parameters.tables("RulePriorities");
    let rules = priorities.iter().filter_map(|rule| rule.text("RuleArn"));
    let balancing = world.balancing.get(&call.region);
    let context = |arn: &str| {
        let tags = balancing.and_then(|balancing| balancing.tags_of(arn));
        tags.map(|tags| of_tags(tags, "elasticloadbalancing")).unwrap_or_default()
    };
    direct.chain(rules).map(|arn| (arn.to_owned(), context(arn))).collect()
}

/// Returns the permission for tags that a call gives to what it makes, with the operation in
/// `elasticloadbalancing:CreateAction`.
fn need_of_tags(operation: &str, resource: String) -> Need {
    let mut context = Context::new();
    set(&mut context, "elasticloadbalancing:CreateAction", operation);
    Need { action: "elasticloadbalancing:AddTags".to_owned(), resource, context }
}

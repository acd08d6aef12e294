//! What is wrong with the inputs of a load balancer beyond their types.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use super::super::attribute_values::{check_foreign, check_twice};
use super::inputs::{APPLICATION_NAMES, NETWORK_NAMES, names};
use super::{APPLICATION, NETWORK};
use crate::ec2::check::{is_set, problem};

/// Returns what is wrong.
pub(super) fn problems(inputs: &ValueMap) -> Vec<Problem> {
    let sort = inputs.get("load_balancer_type").filter(|sort| !sort.is_null());
    let sort = sort.map_or(Some(APPLICATION), Value::as_str);
    let mut found = check_twice(&names(), inputs);
    found.extend(name(inputs));
    found.extend(subnets(inputs));
    match sort {
        Some(APPLICATION) => {
            found.extend(check_foreign(&NETWORK_NAMES, inputs, "a network load balancer"));
            found.extend(of_network(inputs, "subnet_mappings"));
            found.extend(of_network(inputs, "enforce_security_group_inbound_rules_on_private_link_traffic"));
            found.extend(zones(inputs));
        }
        Some(NETWORK) => {
            found.extend(check_foreign(&APPLICATION_NAMES, inputs, "an application load balancer"));
        }
        _ => {}
    }
    found
}

/// Checks a name of the service: `CreateLoadBalancer` and `CreateTargetGroup` say what one can be.
pub(in crate::elb) fn name(inputs: &ValueMap) -> Option<Problem> {
    let name = inputs.get("name")?.as_str()?;
    let is_word = name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-');
    let is_framed = name.starts_with('-') || name.ends_with('-') || name.starts_with("internal-");
    let is_right = is_word && !is_framed && (1..=32).contains(&name.len());
    (!is_right).then(|| {
        problem(
            "name",
            format!("`{name}` cannot be a name here."),
            "A name has 1 to 32 letters, digits and hyphens, no hyphen at an end, and does not begin with \
             `internal-`.",
        )
    })
}

fn subnets(inputs: &ValueMap) -> Option<Problem> {
    match (is_set(inputs, "subnets"), is_set(inputs, "subnet_mappings")) {
        (true, true) => Some(problem(
            "subnet_mappings",
            "`subnets` and `subnet_mappings` say the same thing.",
            "Keep one of them.",
        )),
        (false, false) => Some(problem(
            "subnets",
            "A load balancer stands in subnets.",
            "Write `subnets = [..]`, with a subnet for each zone.",
        )),
        (true, false) | (false, true) => None,
    }
}

fn of_network(inputs: &ValueMap, attribute: &'static str) -> Option<Problem> {
    is_set(inputs, attribute).then(|| {
        problem(
            attribute,
            format!("Only a network load balancer has `{attribute}`."),
            "Remove it, or set `load_balancer_type = \"network\"`.",
        )
    })
}

fn zones(inputs: &ValueMap) -> Option<Problem> {
    let subnets = inputs.get("subnets")?.as_list()?;
    (subnets.len() < 2 && subnets.iter().all(Value::is_known)).then(|| {
        problem(
            "subnets",
            "An application load balancer needs subnets in two zones.",
            "Add a subnet of another zone.",
        )
    })
}

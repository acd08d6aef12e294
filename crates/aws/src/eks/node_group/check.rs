//! What is wrong with a node group as it is written.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use crate::ec2::check::{is_set, problem};
use crate::eks::check::{check_name, length, member};

/// How many letters a name has at most, and how many taints a group (API reference, `CreateNodegroup`).
const NAME_LENGTH: usize = 63;
const TAINTS: usize = 50;

/// Returns what is wrong with a node group; parts of it may be unknown.
pub(super) fn problems(inputs: &ValueMap) -> Vec<Problem> {
    let found = [
        check_name(inputs, NAME_LENGTH),
        check_subnets(inputs),
        check_scaling(inputs),
        check_update(inputs),
        check_template(inputs),
        check_beside_template(inputs, "disk_size"),
        check_beside_template(inputs, "remote_access"),
        check_taints(inputs),
    ];
    found.into_iter().flatten().collect()
}

fn check_subnets(inputs: &ValueMap) -> Option<Problem> {
    (length(inputs, "subnet_ids")? == 0)
        .then(|| problem("subnet_ids", "The nodes have nowhere to be.", "Name one subnet or more."))
}

fn check_scaling(inputs: &ValueMap) -> Option<Problem> {
    let number = |name| match member(inputs, "scaling", name) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    let (min, desired, max) = (number("min"), number("desired"), number("max"));
    let wrong = |message: String, hint: &str| Some(problem("scaling", message, hint));
    let all = [("min", min), ("desired", desired), ("max", max)];
    let no_number =
        all.into_iter().find(|(_, number)| number.is_some_and(|n| i32::try_from(n).is_err() || n < 0));
    if let Some((name, Some(number))) = no_number {
        return wrong(format!("`{name}` cannot be {number}."), "Write a number of nodes.");
    }
    if max == Some(0) {
        return wrong(
            "`max` is 0, and EKS takes no group that never has a node.".to_owned(),
            "Write 1 or more.",
        );
    }
    let pairs =
        [("min", min, "max", max), ("min", min, "desired", desired), ("desired", desired, "max", max)];
    let turned = pairs.into_iter().find_map(|(low, least, high, most)| {
        let (least, most) = (least?, most?);
        (least > most).then(|| format!("`{low}` is {least} and `{high}` is {most}."))
    });
    wrong(turned?, "Write `min`, `desired` and `max` so that none is larger than the next.")
}

fn check_update(inputs: &ValueMap) -> Option<Problem> {
    let both = ["max_unavailable", "max_unavailable_percentage"];
    both.iter().all(|name| member(inputs, "update", name).is_some()).then(|| {
        problem(
            "update",
            "How many nodes are replaced at once is either a number or a percentage.",
            "Keep one of `max_unavailable` and `max_unavailable_percentage`.",
        )
    })
}

fn check_template(inputs: &ValueMap) -> Option<Problem> {
    inputs.get("launch_template")?.as_map()?;
    let is_named = |name| member(inputs, "launch_template", name).is_some();
    (is_named("id") == is_named("name")).then(|| {
        problem(
            "launch_template",
            "A launch template is named by its id or by its name.",
            "Keep one of `id` and `name`.",
        )
    })
}

fn check_beside_template(inputs: &ValueMap, attribute: &'static str) -> Option<Problem> {
    (is_set(inputs, "launch_template") && is_set(inputs, attribute)).then(|| {
        problem(
            attribute,
            format!("With a launch template, EKS does not take `{attribute}`."),
            "Say it in the launch template.",
        )
    })
}

fn check_taints(inputs: &ValueMap) -> Option<Problem> {
    let count = length(inputs, "taints").filter(|count| *count > TAINTS)?;
    Some(problem(
        "taints",
        format!("EKS takes {TAINTS} taints at most, and these are {count}."),
        "Remove some.",
    ))
}

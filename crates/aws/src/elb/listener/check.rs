//! What is wrong with the inputs of a listener beyond their types.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use super::super::attribute_values::check_twice;
use super::NAMES;
use super::action::{FIXED_RESPONSE, FORWARD, REDIRECT};
use crate::ec2::check::{is_set, problem};

/// The protocols that need a certificate.
const ENCRYPTED: [&str; 2] = ["HTTPS", "TLS"];

/// Returns what is wrong.
pub(super) fn problems(inputs: &ValueMap) -> Vec<Problem> {
    let mut found = check_twice(&NAMES, inputs);
    found.extend(port(inputs));
    found.extend(encryption(inputs));
    if let Some(action) = inputs.get("default_action").and_then(Value::as_map) {
        found.extend(action_parts(action));
    }
    found
}

fn port(inputs: &ValueMap) -> Option<Problem> {
    let Some(Value::Integer(port)) = inputs.get("port") else { return None };
    (!(1..=65535).contains(port))
        .then(|| problem("port", format!("There is no port {port}."), "A port is a number from 1 to 65535."))
}

fn encryption(inputs: &ValueMap) -> Vec<Problem> {
    let Some(protocol) = inputs.get("protocol").and_then(Value::as_str) else { return Vec::new() };
    let has = |attribute: &str| is_set(inputs, attribute);
    if ENCRYPTED.contains(&protocol) {
        let needed = problem(
            "certificate_arn",
            format!("A listener that takes {protocol} needs a certificate."),
            "Set `certificate_arn` to the ARN of one in ACM or IAM.",
        );
        return if has("certificate_arn") { Vec::new() } else { vec![needed] };
    }
    let encrypted = ["certificate_arn", "additional_certificate_arns", "ssl_policy", "mutual_authentication"];
    let surplus = encrypted.into_iter().filter(|attribute| has(attribute)).map(|attribute| {
        problem(
            attribute,
            format!("A listener that takes {protocol} has no `{attribute}`."),
            "Remove it, or set `protocol` to `HTTPS` or `TLS`.",
        )
    });
    surplus.collect()
}

/// Each type of action has one part of its own.
fn action_parts(action: &ValueMap) -> Vec<Problem> {
    let Some(action_type) = action.get("type").and_then(Value::as_str) else { return Vec::new() };
    let has = |part: &str| is_set(action, part);
    let parts = [
        ("target_group_arn", FORWARD),
        ("target_groups", FORWARD),
        ("stickiness", FORWARD),
        ("redirect", REDIRECT),
        ("fixed_response", FIXED_RESPONSE),
    ];
    let foreign = parts.into_iter().filter(|(part, of)| has(part) && *of != action_type).map(|(part, of)| {
        action_problem(
            format!("An action of the type `{action_type}` has no `{part}`."),
            format!("Remove it, or set `type = \"{of}\"`."),
        )
    });
    let mut found: Vec<_> = foreign.collect();
    let groups = (has("target_group_arn"), has("target_groups"));
    let missing = match action_type {
        FORWARD if groups == (false, false) => Some("target_group_arn"),
        REDIRECT if !has("redirect") => Some("redirect"),
        FIXED_RESPONSE if !has("fixed_response") => Some("fixed_response"),
        _ => None,
    };
    found.extend(missing.map(|part| {
        action_problem(
            format!("An action of the type `{action_type}` needs `{part}`."),
            format!("Write `{part}` into the table."),
        )
    }));
    if groups == (true, true) {
        found.push(action_problem(
            "`target_group_arn` and `target_groups` say the same thing.",
            "Keep `target_groups` if there are several of them.",
        ));
    }
    found
}

fn action_problem(message: impl Into<String>, hint: impl Into<String>) -> Problem {
    problem("default_action", message, hint)
}

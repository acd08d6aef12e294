//! What is wrong with a rule as it is written.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use crate::ec2::check::{is_set, problem};
use crate::ec2::rule::{self, ALL, Ports, SELF};

/// Returns what is wrong with a rule; parts of it may be unknown.
pub(super) fn problems(inputs: &ValueMap) -> Vec<Problem> {
    let found = [check_peer(inputs), check_source(inputs), check_ports(inputs), check_account(inputs)];
    found.into_iter().flatten().collect()
}

fn check_peer(inputs: &ValueMap) -> Option<Problem> {
    const PEERS: [&str; 3] = ["cidr", "prefix_list_id", "source"];
    let mut set = PEERS.into_iter().filter(|name| is_set(inputs, name));
    match (set.next(), set.next()) {
        (Some(_), None) => None,
        (None, _) => Some(problem(
            "direction",
            "The rule does not say who is on the other side.",
            "Set one of `cidr`, `prefix_list_id` and `source`.",
        )),
        (Some(_), Some(second)) => Some(problem(
            second,
            "A rule has one other side, and this one has two.",
            "Keep one of `cidr`, `prefix_list_id` and `source`, and write a rule of its own for the other.",
        )),
    }
}

fn check_source(inputs: &ValueMap) -> Option<Problem> {
    let source = inputs.get("source")?;
    if inputs.get("security_group_id") == Some(source) {
        return Some(problem(
            "source",
            "This is the group that the rule belongs to.",
            "Write `source = \"self\"`.",
        ));
    }
    let text = source.as_str().filter(|text| *text != SELF && !text.starts_with("sg-"))?;
    Some(problem(
        "source",
        format!("`{text}` is no security group."),
        "Write `\"${security_group.NAME.id}\"`, an id that begins with `sg-`, or `self`; ranges of addresses go \
         into `cidr`, prefix lists into `prefix_list_id`.",
    ))
}

fn check_ports(inputs: &ValueMap) -> Option<Problem> {
    let protocol = inputs.get("protocol").and_then(Value::as_str)?;
    let Some(ports) = inputs.get("ports").filter(|ports| !ports.is_null()) else {
        return (rule::ports_of(protocol) != Ports::None).then(|| {
            problem(
                "protocol",
                format!("The rule does not say which part of `{protocol}` it allows."),
                "Set `ports`; `ports = \"all\"` allows everything.",
            )
        });
    };
    let ports = ports.as_str().filter(|ports| *ports != ALL)?;
    match rule::ports_of(protocol) {
        Ports::None => Some(problem(
            "ports",
            format!("The protocol `{protocol}` has no ports: such a rule allows all of it."),
            "Remove `ports`, or write `tcp`, `udp`, `icmp` or `icmpv6` as `protocol`.",
        )),
        Ports::Numbers if ports.contains('/') => Some(problem(
            "ports",
            format!("The protocol `{protocol}` has ports, not types and codes."),
            "Write a port such as `80`, a range such as `8000-8080`, or `all`.",
        )),
        Ports::Types if ports.contains('-') || ports.parse::<u16>().is_ok_and(|kind| kind > 255) => {
            Some(problem(
                "ports",
                format!("The protocol `{protocol}` has types and codes, not ports."),
                "Write a type such as `8`, a type and code such as `3/4`, or `all`.",
            ))
        }
        Ports::Numbers | Ports::Types => None,
    }
}

fn check_account(inputs: &ValueMap) -> Option<Problem> {
    let account = inputs.get("source_account").filter(|account| !account.is_null())?;
    if !is_set(inputs, "source") {
        return Some(problem(
            "source_account",
            "Only a rule about another group takes the account of that group.",
            "Remove it, or set `source`.",
        ));
    }
    let digits = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = account.as_str().filter(|text| !digits(text))?;
    Some(problem(
        "source_account",
        format!("`{wrong}` is no account id."),
        "Write its twelve digits, or `\"${account.NAME.id}\"`.",
    ))
}

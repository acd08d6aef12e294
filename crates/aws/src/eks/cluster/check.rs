//! What is wrong with a cluster as it is written.

use straddle_engine::resource::Problem;
use straddle_engine::value::{Value, ValueMap};

use crate::ec2::check::{is, is_set, problem};
use crate::eks::check::{check_name, length, member};

/// How many letters a name has at most (API reference, `CreateCluster`).
const NAME_LENGTH: usize = 100;

/// Returns what is wrong with a cluster; parts of it may be unknown.
pub(super) fn problems(inputs: &ValueMap) -> Vec<Problem> {
    let found = [
        check_name(inputs, NAME_LENGTH),
        check_subnets(inputs),
        check_groups(inputs),
        check_endpoint(inputs),
        check_ranges(inputs),
        check_auto_mode(inputs),
        check_pools(inputs),
        check_network(inputs),
    ];
    found.into_iter().flatten().collect()
}

/// Says which of EKS's own defaults cost something, or are hard to leave.
pub(super) fn advice(inputs: &ValueMap) -> Vec<Problem> {
    let extended = problem(
        "upgrade_policy",
        "When standard support for its version ends, EKS keeps the cluster on that version by default, for six \
         times the price of the control plane.",
        "Set `upgrade_policy = \"STANDARD\"`, so that it goes to the next version then, or `\"EXTENDED\"`, so \
         that this is said.",
    );
    let config_map = problem(
        "access",
        "By default, EKS knows those who come to the API by a config map inside the cluster alone, and refuses \
         access entries.",
        "Set `access = { authentication_mode = \"API_AND_CONFIG_MAP\" }`, or `\"API\"` for entries alone; \
         `\"CONFIG_MAP\"` says that it is meant so.",
    );
    let found = [
        (!is_set(inputs, "upgrade_policy")).then_some(extended),
        member(inputs, "access", "authentication_mode").is_none().then_some(config_map),
    ];
    found.into_iter().flatten().collect()
}

fn check_subnets(inputs: &ValueMap) -> Option<Problem> {
    (length(inputs, "subnet_ids")? < 2).then(|| {
        problem(
            "subnet_ids",
            "EKS puts the interfaces of a cluster into two zones at least.",
            "Name two subnets or more, in different zones.",
        )
    })
}

fn check_groups(inputs: &ValueMap) -> Option<Problem> {
    (length(inputs, "security_group_ids")? > 5).then(|| {
        problem(
            "security_group_ids",
            "An interface of a cluster takes five more security groups at most.",
            "Put the rules of several groups into one.",
        )
    })
}

fn check_endpoint(inputs: &ValueMap) -> Option<Problem> {
    let is_off = |name| member(inputs, "endpoint", name) == Some(&Value::Bool(false));
    let no_private = member(inputs, "endpoint", "private").is_none() || is_off("private");
    (is_off("public") && no_private).then(|| {
        problem(
            "endpoint",
            "The API of such a cluster could be reached from nowhere.",
            "Set `private = true`, or leave `public` on and narrow `public_access_cidrs`.",
        )
    })
}

fn check_ranges(inputs: &ValueMap) -> Option<Problem> {
    let is_public = member(inputs, "endpoint", "public") != Some(&Value::Bool(false));
    (!is_public && member(inputs, "endpoint", "public_access_cidrs").is_some()).then(|| {
        problem(
            "endpoint",
            "`public_access_cidrs` means nothing where nobody comes from the internet.",
            "Remove it, or set `public = true`.",
        )
    })
}

fn check_auto_mode(inputs: &ValueMap) -> Option<Problem> {
    let is_on = member(inputs, "auto_mode", "enabled") == Some(&Value::Bool(true));
    (is_on && !is(inputs, "bootstrap_self_managed_addons", false)).then(|| {
        problem(
            "bootstrap_self_managed_addons",
            "EKS Auto Mode brings these add-ons itself, and refuses a cluster that gets them besides.",
            "Set `bootstrap_self_managed_addons = false`.",
        )
    })
}

fn check_pools(inputs: &ValueMap) -> Option<Problem> {
    let pools = member(inputs, "auto_mode", "node_pools").and_then(Value::as_list)?;
    (!pools.is_empty() && member(inputs, "auto_mode", "node_role_arn").is_none()).then(|| {
        problem(
            "auto_mode",
            "The nodes of these pools need a role.",
            "Set `node_role_arn`, or leave `node_pools` empty and bring pools of your own.",
        )
    })
}

fn check_network(inputs: &ValueMap) -> Option<Problem> {
    let is_ipv6 = member(inputs, "kubernetes_network", "ip_family").and_then(Value::as_str) == Some("ipv6");
    if is_ipv6 && member(inputs, "kubernetes_network", "service_ipv4_cidr").is_some() {
        return Some(problem(
            "kubernetes_network",
            "Services of an IPv6 cluster get their addresses from EKS.",
            "Remove `service_ipv4_cidr`.",
        ));
    }
    let range = member(inputs, "kubernetes_network", "service_ipv4_cidr")?.as_str()?;
    let size: u8 = range.split_once('/')?.1.parse().ok()?;
    (!(12..=24).contains(&size)).then(|| {
        problem(
            "kubernetes_network",
            format!("EKS takes ranges of services between /24 and /12, and `{range}` is a /{size}."),
            "Write one such as `172.20.0.0/16`, outside of the VPC's.",
        )
    })
}

//! A recording, and what it has in common with what is played: both are written with the same stand-ins.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::stage::Deed;
use crate::controller::Verb;

/// Who of the controller did something: what has to do with Ingresses, or with bindings. Both go on at the same
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Half {
    Ingress,
    Binding,
}

/// Something that was done, in words that do not depend on the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) half: Half,
    /// Reads and events come at any time; of the others, the order matters.
    pub(super) is_read: bool,
    pub(super) has_failed: bool,
    pub(super) text: String,
}

/// Returns what is recorded of the controller in a step; `None` for what others did.
pub(super) fn recorded(step: &Value) -> Option<Act> {
    if step["by"] != "controller" {
        return None;
    }
    if step["side"] == "aws" {
        let action = step["action"].as_str().expect("it has an action");
        let status = step["status"].as_u64().expect("it has a status");
        return Some(of_aws(action, &step["params"], status));
    }
    let (path, body) = (step["request"]["path"].as_str().expect("it has a path"), &step["request"]["body"]);
    let verb = match step["verb"].as_str() {
        Some("create") => "create",
        Some("patch") => "patch",
        Some("delete") => "delete",
        other => panic!("{other:?} is no verb"),
    };
    Some(of_kubernetes(verb, path, body))
}

/// Returns what was done on the stage, with the names of what is there.
pub(super) fn played(deed: &Deed, names: &BTreeMap<String, String>) -> Act {
    let with_names = |value: &Value| {
        let text = names.iter().fold(value.to_string(), |text, (name, id)| text.replace(id, name));
        serde_json::from_str::<Value>(&text).expect("it is still JSON")
    };
    match deed {
        Deed::Aws { operation, parameters, status } => {
            of_aws(operation, &with_names(parameters), u64::from(*status))
        }
        Deed::Kubernetes { verb, path, body, .. } => {
            let verb = match verb {
                Verb::Get => "get",
                Verb::Create => "create",
                Verb::Merge | Verb::StrategicMerge => "patch",
                Verb::Delete => "delete",
            };
            of_kubernetes(verb, path, &with_names(body))
        }
    }
}

fn of_aws(action: &str, parameters: &Value, status: u64) -> Act {
    let text = canonical(parameters);
    let of_binding =
        ["DescribeTargetHealth", "RegisterTargets", "DeregisterTargets", "DescribeVpcs", "DescribeInstances"];
    let is_of_binding = of_binding.contains(&action)
        || text.contains("tag:kubernetes.io/cluster")
        || text.contains("targetGroupBinding=shared")
        || (action == "DescribeSecurityGroups" && text.contains("sg:node"));
    Act {
        half: if is_of_binding { Half::Binding } else { Half::Ingress },
        is_read: action.starts_with("Describe") || action.starts_with("AssumeRole"),
        has_failed: status != 200,
        text: format!("{action} {text} {status}"),
    }
}

fn of_kubernetes(verb: &str, path: &str, body: &Value) -> Act {
    let mut body = body.clone();
    let is_event = path.contains("/events");
    if is_event {
        // Of events that are told again, the count is compared at the end.
        body = json!([
            body["reason"],
            body["message"],
            body["type"],
            body["involvedObject"]["name"],
            body["source"]
        ]);
    }
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
    }
    let of_binding = path.contains("/targetgroupbindings") && verb == "patch";
    let half = if of_binding { Half::Binding } else { Half::Ingress };
    let path = path.split('?').next().unwrap_or_default();
    let path = if is_event { "events" } else { path };
    Act { half, is_read: is_event, has_failed: false, text: format!("{verb} {path} {}", canonical(&body)) }
}

/// Writes a value in a form that is the same in every run: lists of subnets and targets have no order, ids that
/// are made on the way have no number.
fn canonical(value: &Value) -> String {
    let mut value = sorted(value);
    if let Some(token) = value.get_mut("WebIdentityToken") {
        *token = json!("<token>");
    }
    if value.get("ZoneId").is_some() {
        // Which zone has which name in an account is not the same in the sandbox.
        value = json!({ "ZoneId": "<zone>" });
    }
    for list in ["SubnetMappings", "Targets", "SubnetId", "InstanceId"] {
        if let Some(list) = value.get_mut(list).and_then(Value::as_array_mut) {
            list.sort_by_key(Value::to_string);
        }
    }
    without_ids(&value.to_string())
}

/// Returns a value whose members are sorted by their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().map(|(name, value)| (name, sorted(value))).collect();
            json!(members)
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Takes the ids out of a text that are others in each run.
pub(super) fn without_ids(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(place) = rest.find(['<', '/', 's', '-', 'r']) {
        let (before, after) = rest.split_at(place);
        out.push_str(before);
        let id = |prefix: &str| {
            let digits = after.strip_prefix(prefix)?;
            let length = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
            (length >= 16).then_some(prefix.len() + length)
        };
        let marked = |prefix: &str| {
            after.strip_prefix(prefix).and_then(|tail| Some(prefix.len() + tail.find('>')? + 1))
        };
        let numbered = |after: &str| after.as_bytes().get(4).is_some_and(u8::is_ascii_digit);
        if let Some(length) = id("/").or_else(|| marked("/<elbid:")).or_else(|| marked("/<default-rule:")) {
            out.push_str("/#");
            rest = &after[length..];
        } else if let Some(length) = id("sg-0").or_else(|| marked("<sg:").filter(|_| numbered(after))) {
            out.push_str("<sg>");
            rest = &after[length..];
        } else if let Some(length) =
            marked("<uid:").or_else(|| marked("<request-id")).or_else(|| marked("<token"))
        {
            out.push_str("<id>");
            rest = &after[length..];
        } else {
            let next = after.chars().next().map_or(1, char::len_utf8);
            out.push_str(&after[..next]);
            rest = &after[next..];
        }
    }
    out.push_str(rest);
    without_dns_number(&out.replace("00000000-0000-4000-8000-000000000000", "<id>"))
}

/// Takes the number out of the name that a load balancer has in the DNS.
fn without_dns_number(text: &str) -> String {
    let Some(place) = text.find(".us-east-1.elb.amazonaws.com") else { return text.to_owned() };
    let (before, after) = text.split_at(place);
    let before = before.trim_end_matches(|character: char| character.is_ascii_digit());
    format!("{before}#{after}")
}

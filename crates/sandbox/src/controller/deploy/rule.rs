//! Rules, and actions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Arns;
use crate::controller::model::{Action, Forward, Rule, Stack, Target, tag_list};
use crate::controller::object::{items, text};
use crate::controller::reach::Done;
use crate::controller::work::Work;

/// Makes, changes and deletes the rules of listeners.
pub(super) fn deploy(
    work: &mut Work<'_>,
    stack: &Stack,
    listeners: &BTreeMap<u16, String>,
    arns: &Arns,
) -> Done<()> {
    for (port, listener) in listeners {
        if let Some(wanted) = stack.listeners.get(port) {
            of_listener(work, listener, &wanted.rules, arns)?;
        }
    }
    Ok(())
}

fn of_listener(work: &mut Work<'_>, listener: &str, wanted: &[Rule], arns: &Arns) -> Done<()> {
    let present = work.elb_list("DescribeRules", json!({ "ListenerArn": listener }), "Rules")?;
    let rule_arns: Vec<_> = present.iter().map(|rule| text(rule, "/RuleArn").to_owned()).collect();
    let tags = work.tags_of(&rule_arns)?;
    let mut kept = BTreeMap::new();
    for rule in &present {
        // The default rule has none.
        let Ok(priority) = text(rule, "/Priority").parse::<usize>() else { continue };
        if priority > wanted.len() {
            work.elb("DeleteRule", json!({ "RuleArn": text(rule, "/RuleArn") }))?;
        } else {
            kept.insert(priority, rule);
        }
    }
    for (priority, rule) in (1..).zip(wanted) {
        if !kept.contains_key(&priority) {
            let parameters = json!({
                "ListenerArn": listener,
                "Priority": priority.to_string(),
                "Conditions": rule.conditions,
                "Actions": actions(&rule.actions, arns),
                "Tags": tag_list(&rule.tags),
            });
            work.elb("CreateRule", parameters)?;
        }
    }
    for (priority, present) in kept {
        let (arn, wanted) = (text(present, "/RuleArn"), &wanted[priority - 1]);
        let actions = actions(&wanted.actions, arns);
        let is_same = are_same_conditions(items(present, "/Conditions"), &wanted.conditions)
            && are_same_actions(items(present, "/Actions"), items(&actions, ""));
        if !is_same {
            let parameters = json!({ "RuleArn": arn, "Conditions": wanted.conditions, "Actions": actions });
            work.elb("ModifyRule", parameters)?;
        }
        work.set_tags(arn, tags.get(arn).unwrap_or(&super::Texts::new()), &wanted.tags)?;
    }
    Ok(())
}

/// Returns actions as parameters have them.
pub(super) fn actions(actions: &[Action], arns: &Arns) -> Value {
    let shown = actions.iter().zip(1..).map(|(action, order): (_, i32)| {
        let mut shown = match action {
            Action::Plain(shown) => shown.clone(),
            Action::Forward(forward) => {
                json!({ "Type": "forward", "ForwardConfig": forward_config(forward, arns) })
            }
        };
        shown["Order"] = json!(order.to_string());
        shown
    });
    shown.collect()
}

fn forward_config(forward: &Forward, arns: &Arns) -> Value {
    let groups = forward.to.iter().map(|(target, weight)| {
        let arn = match target {
            Target::Own(name) => arns.get(name),
            Target::Other(arn) => Some(arn),
        };
        let mut group = json!({ "TargetGroupArn": arn });
        if let Some(weight) = weight {
            group["Weight"] = json!(weight.to_string());
        }
        group
    });
    let mut config = json!({ "TargetGroups": groups.collect::<Vec<_>>() });
    if !forward.stickiness.is_null() {
        config["TargetGroupStickinessConfig"] = forward.stickiness.clone();
    }
    config
}

/// Tells whether described actions are the wanted ones.
pub(super) fn are_same_actions(described: &[Value], wanted: &[Value]) -> bool {
    let meant = |actions: &[Value]| actions.iter().map(meant).collect::<Vec<_>>();
    meant(described) == meant(wanted)
}

/// Returns what an action means, however it is written: without its order, and with what it does not say.
fn meant(action: &Value) -> Value {
    let kind = text(action, "/Type");
    if kind == "forward" {
        let config = &action["ForwardConfig"];
        let groups = items(config, "/TargetGroups").iter();
        let groups: Vec<_> = groups
            .map(|group| {
                (text(group, "/TargetGroupArn"), written(&group["Weight"]).unwrap_or("1".to_owned()))
            })
            .collect();
        let sticks = written(&config["TargetGroupStickinessConfig"]["Enabled"]).as_deref() == Some("true");
        let seconds = written(&config["TargetGroupStickinessConfig"]["DurationSeconds"]).filter(|_| sticks);
        return json!([kind, groups, sticks, seconds]);
    }
    let of_kind = action.as_object().into_iter().flatten().filter(|(name, _)| name.ends_with("Config"));
    let members = of_kind.flat_map(|(_, config)| config.as_object().into_iter().flatten());
    let said = members.filter_map(|(name, value)| Some((name.clone(), json!(written(value)?))));
    // What a redirection keeps as it is need not be said.
    let kept = ["#{host}", "/#{path}", "#{query}", "#{port}", "#{protocol}"];
    json!([kind, said.filter(|(_, value)| !kept.iter().any(|kept| value == kept)).collect::<Map<_, _>>()])
}

/// Returns a value as a parameter has it; `None` if there is none.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    }
}

/// Tells whether described conditions are the wanted ones, in whatever order.
fn are_same_conditions(described: &[Value], wanted: &[Value]) -> bool {
    let meant = |condition: &Value| {
        let members = condition.as_object().into_iter().flatten();
        let mut configs = members.filter(|(name, _)| name.ends_with("Config"));
        (text(condition, "/Field").to_owned(), configs.next().map(|(_, config)| config.clone()))
    };
    let described: Vec<_> = described.iter().map(meant).collect();
    let wanted: Vec<_> = wanted.iter().map(meant).collect();
    described.len() == wanted.len() && wanted.iter().all(|condition| described.contains(condition))
}

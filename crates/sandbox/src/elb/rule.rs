//! Rules: by priority, what becomes of which requests to a listener.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{self, Action};
use super::arn;
use super::condition::{self, Condition};
use super::load_balancer::BalancerKind;
use super::{Balancing, invalid, page, tags};
use crate::call::{Answer, Call, Operation, Refusal};
use crate::ec2::tags::Tags;
use crate::quotas;
use crate::validation::{integer, required};
use crate::world::World;

/// The operations.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation::new("CreateRule", &["ListenerArn", "Conditions", "Priority", "Actions", "Tags"], create),
    Operation::new("DescribeRules", &["ListenerArn", "RuleArns", "Marker", "PageSize"], describe_rules),
    Operation::new("ModifyRule", &["RuleArn", "Conditions", "Actions"], modify),
    Operation::new("DeleteRule", &["RuleArn"], delete),
    Operation::new("SetRulePriorities", &["RulePriorities"], set_priorities),
];

/// A rule.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Rule {
    pub(super) arn: String,
    pub(super) listener: String,
    pub(super) balancer: String,
    /// The default rule has none.
    pub(super) priority: Option<i64>,
    pub(super) conditions: Vec<Condition>,
    pub(super) actions: Vec<Action>,
    /// Since when it sends requests where it sends them.
    set_at: Timestamp,
    pub(super) tags: Tags,
}

impl Rule {
    /// Makes the rule that a listener is born with.
    pub(super) fn default_of(
        listener: &str,
        balancer: &str,
        digits: &str,
        actions: Vec<Action>,
        now: Timestamp,
    ) -> Self {
        Self {
            arn: format!("{}{digits}", arn::rules_of(listener)),
            listener: listener.to_owned(),
            balancer: balancer.to_owned(),
            priority: None,
            conditions: Vec::new(),
            actions,
            set_at: now,
            tags: Tags::new(),
        }
    }

    /// Returns the target groups that it sends requests to.
    pub(super) fn target_groups(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().flat_map(Action::target_groups)
    }

    /// Gives it other actions.
    pub(super) fn set_actions(&mut self, actions: Vec<Action>, now: Timestamp) {
        let groups = |actions: &[Action]| -> BTreeSet<String> {
            actions.iter().flat_map(Action::target_groups).map(str::to_owned).collect()
        };
        if groups(&self.actions) != groups(&actions) {
            self.set_at = now;
        }
        self.actions = actions;
    }

    fn shown(&self) -> Value {
        let priority = self.priority.map_or_else(|| "default".to_owned(), |priority| priority.to_string());
        json!({
            "RuleArn": self.arn,
            "Priority": priority,
            "Conditions": self.conditions.iter().map(Condition::shown).collect::<Vec<_>>(),
            "Actions": self.actions.iter().map(Action::shown).collect::<Vec<_>>(),
            "IsDefault": self.priority.is_none(),
        })
    }
}

impl Balancing {
    /// Returns the rule that a listener was born with.
    pub(super) fn default_rule(&self, listener: &str) -> Option<&Rule> {
        self.rules_of(listener).find(|rule| rule.priority.is_none())
    }

    /// Returns since when something sends requests to a target group.
    pub(super) fn used_since(&self, group: &str) -> Option<Timestamp> {
        let rules = self.uses.get(group).into_iter().flatten().filter_map(|rule| self.rules.get(rule));
        rules.map(|rule| rule.set_at).min()
    }
}

/// Returns a priority: "valid values are 1 to 50000" ("Listener rules", ALB guide).
fn priority(parameters: &crate::call::Parameters) -> Result<i64, Refusal> {
    required(parameters, "Priority")?;
    Ok(integer(parameters, "Priority", 1, 50_000)?.unwrap_or_default())
}

fn create(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let arn = required(parameters, "ListenerArn")?;
    let account = &call.caller.account;
    let most = world.quota(account, quotas::RULES);
    let most_groups = world.quota(account, quotas::TARGET_GROUPS_OF_BALANCER);
    let (now, digits) = (world.now(), world.new_digits());
    let (balancing, _) = world.balancing(&call.region);
    let listener = balancing.listener(call, arn)?;
    let balancer = balancing.balancer(call, &listener.balancer)?;
    if balancer.kind == BalancerKind::Network {
        let message = "Rules are not supported for listeners of load balancers with type 'network'";
        return Err(Refusal::new("UnsupportedProtocol", message));
    }
    let priority = priority(parameters)?;
    let conditions = condition::read_all(parameters)?;
    let actions = action::read_all(parameters, "Actions", &listener.protocol)?;
    balancing.check_targets(call, balancer, &actions, most_groups)?;
    if balancing.rules_of(arn).any(|rule| rule.priority == Some(priority)) {
        return Err(Refusal::new("PriorityInUse", format!("Priority '{priority}' is currently in use")));
    }
    let listeners = balancing.listeners_of(&balancer.arn);
    let rules = listeners.flat_map(|listener| balancing.rules_of(&listener.arn));
    if rules.filter(|rule| rule.priority.is_some()).count() >= most {
        return Err(Refusal::new("TooManyRules", "The maximum number of rules has been reached."));
    }
    let rule = Rule {
        priority: Some(priority),
        conditions,
        tags: tags::at_birth(parameters)?,
        ..Rule::default_of(arn, &balancer.arn, &digits, actions, now)
    };
    let answer = json!({ "Rules": [rule.shown()] });
    balancing.put_rule(rule);
    Ok(answer)
}

fn describe_rules(world: &mut World, call: &Call) -> Answer {
    let (balancing, _) = world.balancing(&call.region);
    let arns = call.parameters.texts("RuleArns");
    let found: Vec<_> = match call.parameters.text("ListenerArn") {
        Some(_) if !arns.is_empty() => {
            return Err(invalid("A listener ARN and rule ARNs cannot be specified at the same time"));
        }
        None if arns.is_empty() => {
            return Err(invalid("You must specify either listener rule ARNs or a listener ARN"));
        }
        Some(listener) => {
            balancing.listener(call, listener)?;
            balancing.rules_of(listener).collect()
        }
        None => arns.into_iter().map(|arn| balancing.rule(call, arn)).collect::<Result<_, _>>()?,
    };
    // In the order in which they are asked: the default one last.
    let key = |rule: &Rule| format!("{:06} {}", rule.priority.unwrap_or(999_999), rule.arn);
    let mut shown: Vec<_> = found.into_iter().map(|rule| (key(rule), rule.shown())).collect();
    shown.sort_by(|(one, _), (other, _)| one.cmp(other));
    page(&call.parameters, "Rules", shown.into_iter())
}

/// Refuses to do to a default rule what only other ones suffer.
fn only_others(rule: &Rule, what: &str) -> Result<(), Refusal> {
    if rule.priority.is_some() {
        return Ok(());
    }
    let message = format!("Default rule '{}' cannot be {what}", rule.arn);
    Err(Refusal::new("OperationNotPermitted", message))
}

fn modify(world: &mut World, call: &Call) -> Answer {
    let parameters = &call.parameters;
    let arn = required(parameters, "RuleArn")?;
    let most = world.quota(&call.caller.account, quotas::TARGET_GROUPS_OF_BALANCER);
    let now = world.now();
    let (balancing, _) = world.balancing(&call.region);
    let mut rule = balancing.rule(call, arn)?.clone();
    only_others(&rule, "modified")?;
    let (wants_conditions, wants_actions) =
        (!parameters.tables("Conditions").is_empty(), !parameters.tables("Actions").is_empty());
    if !wants_conditions && !wants_actions {
        return Err(invalid("Either conditions or actions must be specified"));
    }
    if wants_conditions {
        rule.conditions = condition::read_all(parameters)?;
    }
    if wants_actions {
        let listener = balancing.listener(call, &rule.listener)?;
        let actions = action::read_all(parameters, "Actions", &listener.protocol)?;
        balancing.check_targets(call, balancing.balancer(call, &rule.balancer)?, &actions, most)?;
        rule.set_actions(actions, now);
    }
    let answer = json!({ "Rules": [rule.shown()] });
    balancing.put_rule(rule);
    Ok(answer)
}

fn delete(world: &mut World, call: &Call) -> Answer {
    let arn = required(&call.parameters, "RuleArn")?;
    let (balancing, _) = world.balancing(&call.region);
    only_others(balancing.rule(call, arn)?, "deleted")?;
    balancing.remove_rule(arn);
    Ok(json!({}))
}

/// Gives rules other priorities, all at once: two may exchange theirs.
fn set_priorities(world: &mut World, call: &Call) -> Answer {
    let (balancing, _) = world.balancing(&call.region);
    let mut changed: Vec<Rule> = Vec::new();
    for wanted in call.parameters.tables("RulePriorities") {
        let mut rule = balancing.rule(call, required(&wanted, "RuleArn")?)?.clone();
        only_others(&rule, "modified")?;
        rule.priority = Some(priority(&wanted)?);
        changed.push(rule);
    }
    if changed.is_empty() {
        return Err(invalid("At least one rule priority must be specified"));
    }
    for rule in &changed {
        let stays = |other: &&Rule| !changed.iter().any(|changed| changed.arn == other.arn);
        let others = balancing.rules_of(&rule.listener).filter(stays).chain(&changed);
        let same = others.filter(|other| other.listener == rule.listener && other.priority == rule.priority);
        if same.count() > 1 {
            let message = format!("Priority '{}' is currently in use", rule.priority.unwrap_or_default());
            return Err(Refusal::new("PriorityInUse", message));
        }
    }
    let shown: Vec<_> = changed.iter().map(Rule::shown).collect();
    for rule in changed {
        balancing.put_rule(rule);
    }
    Ok(json!({ "Rules": shown }))
}

//! Elastic Load Balancing, version 2: load balancers, what they listen to, and where they send it.
//!
//! Everything has an ARN that begins with its account and its kind; that of a listener goes on with its load
//! balancer's, and that of a rule with its listener's. So the things of an account, the listeners of a load
//! balancer and the rules of a listener are each a range of ARNs.

mod action;
mod arn;
mod attributes;
mod certificates;
mod condition;
mod health;
mod limits;
mod listener;
mod load_balancer;
mod permissions;
mod rule;
mod security_policies;
mod tags;
mod target;
mod target_group;
#[cfg(test)]
mod tests;
mod visit;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::{Answer, Call, Operation, Parameters, Refusal};
use crate::page::Paging;
use arn::{Kind, with_prefix};
use listener::Listener;
use load_balancer::LoadBalancer;
pub(crate) use permissions::needs;
use rule::Rule;
pub(crate) use tags::tagged;
use target_group::TargetGroup;
pub(crate) use visit::Visit;

/// The load balancers of one region, of all accounts, and what belongs to them; by ARN.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Balancing {
    balancers: BTreeMap<String, LoadBalancer>,
    target_groups: BTreeMap<String, TargetGroup>,
    listeners: BTreeMap<String, Listener>,
    /// A listener's default actions are those of a rule, too.
    rules: BTreeMap<String, Rule>,
    /// By target groups: the rules that send something there.
    uses: BTreeMap<String, BTreeSet<String>>,
}

/// Returns the operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static Operation> {
    let tables = [
        load_balancer::OPERATIONS,
        load_balancer::MOVING_OPERATIONS,
        attributes::OPERATIONS,
        target_group::OPERATIONS,
        target::OPERATIONS,
        health::OPERATIONS,
        listener::OPERATIONS,
        certificates::OPERATIONS,
        rule::OPERATIONS,
        tags::OPERATIONS,
        limits::OPERATIONS,
        security_policies::OPERATIONS,
    ];
    tables.into_iter().flatten()
}

/// The pages of all lists (API reference, `PageSize`).
const PAGING: Paging = Paging {
    size: "PageSize",
    token: "Marker",
    usual: 400,
    most: 400,
    wrong_size: "ValidationError",
    wrong_token: "ValidationError",
};

/// Answers with a page of things, which come in the order of their keys.
fn page(parameters: &Parameters, list: &str, things: impl Iterator<Item = (String, Value)>) -> Answer {
    let (page, marker) = PAGING.cut(parameters, things)?;
    Ok(json!({ list: page, "NextMarker": marker }))
}

impl Balancing {
    /// Returns a load balancer of the caller's.
    fn balancer(&self, call: &Call, arn: &str) -> Result<&LoadBalancer, Refusal> {
        find(&self.balancers, call, arn, Kind::Balancer)
    }

    fn balancer_mut(&mut self, call: &Call, arn: &str) -> Result<&mut LoadBalancer, Refusal> {
        self.balancer(call, arn)?;
        self.balancers.get_mut(arn).ok_or_else(|| Kind::Balancer.not_found(arn))
    }

    /// Returns a target group of the caller's.
    fn target_group(&self, call: &Call, arn: &str) -> Result<&TargetGroup, Refusal> {
        find(&self.target_groups, call, arn, Kind::TargetGroup)
    }

    fn target_group_mut(&mut self, call: &Call, arn: &str) -> Result<&mut TargetGroup, Refusal> {
        self.target_group(call, arn)?;
        self.target_groups.get_mut(arn).ok_or_else(|| Kind::TargetGroup.not_found(arn))
    }

    /// Returns a listener of the caller's.
    fn listener(&self, call: &Call, arn: &str) -> Result<&Listener, Refusal> {
        find(&self.listeners, call, arn, Kind::Listener)
    }

    fn listener_mut(&mut self, call: &Call, arn: &str) -> Result<&mut Listener, Refusal> {
        self.listener(call, arn)?;
        self.listeners.get_mut(arn).ok_or_else(|| Kind::Listener.not_found(arn))
    }

    /// Returns a rule of the caller's.
    fn rule(&self, call: &Call, arn: &str) -> Result<&Rule, Refusal> {
        find(&self.rules, call, arn, Kind::Rule)
    }

    /// Returns the listeners of a load balancer.
    fn listeners_of(&self, balancer: &str) -> impl Iterator<Item = &Listener> {
        with_prefix(&self.listeners, arn::listeners_of(balancer))
    }

    /// Returns the rules of a listener, the default one among them.
    fn rules_of(&self, listener: &str) -> impl Iterator<Item = &Rule> {
        with_prefix(&self.rules, arn::rules_of(listener))
    }

    /// Returns the load balancers that send something to a target group.
    fn balancers_of(&self, target_group: &str) -> BTreeSet<&str> {
        let rules = self.uses.get(target_group).into_iter().flatten();
        rules.filter_map(|rule| self.rules.get(rule)).map(|rule| rule.balancer.as_str()).collect()
    }

    /// Puts a rule in, or another in its place, and remembers where it sends something to.
    fn put_rule(&mut self, rule: Rule) {
        self.remove_rule(&rule.arn);
        for group in rule.target_groups() {
            self.uses.entry(group.to_owned()).or_default().insert(rule.arn.clone());
        }
        self.rules.insert(rule.arn.clone(), rule);
    }

    fn remove_rule(&mut self, arn: &str) {
        let Some(rule) = self.rules.remove(arn) else { return };
        for group in rule.target_groups() {
            if let Some(rules) = self.uses.get_mut(group) {
                rules.remove(arn);
                if rules.is_empty() {
                    self.uses.remove(group);
                }
            }
        }
    }

    /// Takes a listener away, with its rules.
    fn remove_listener(&mut self, arn: &str) {
        let rules: Vec<_> = self.rules_of(arn).map(|rule| rule.arn.clone()).collect();
        for rule in rules {
            self.remove_rule(&rule);
        }
        self.listeners.remove(arn);
    }
}

/// Returns a thing of the caller's by its ARN.
fn find<'a, T>(
    things: &'a BTreeMap<String, T>,
    call: &Call,
    arn: &str,
    kind: Kind,
) -> Result<&'a T, Refusal> {
    if !arn.starts_with("arn:") || !arn.contains(&format!(":{}/", kind.name())) {
        return Err(invalid(format!("'{arn}' is not a valid {} ARN", kind.noun())));
    }
    let own = things.get(arn).filter(|_| arn.starts_with(&arn::of_account(call, kind)));
    own.ok_or_else(|| kind.not_found(arn))
}

/// Refuses a parameter's value.
fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationError", message)
}

/// Refuses what does not go together.
fn mismatch(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidConfigurationRequest", message)
}

/// Checks a name: "a maximum of 32 characters … only alphanumeric characters or hyphens … must not begin or
/// end with a hyphen" (API reference, `CreateLoadBalancer` and `CreateTargetGroup`).
fn checked_name<'a>(parameters: &'a Parameters, noun: &str) -> Result<&'a str, Refusal> {
    let name = crate::validation::required(parameters, "Name")?;
    if name.chars().count() > 32 {
        return Err(invalid(format!("{noun} name '{name}' cannot be longer than '32' characters")));
    }
    if !name.chars().all(|character| character.is_ascii_alphanumeric() || character == '-') {
        let message = format!(
            "{noun} name '{name}' can only contain characters that are alphanumeric characters or hyphens(-)"
        );
        return Err(invalid(message));
    }
    if name.starts_with('-') || name.ends_with('-') {
        return Err(invalid(format!("{noun} name '{name}' cannot begin or end with a hyphen(-)")));
    }
    Ok(name)
}

/// Returns a parameter that has to be one of some words.
fn one_of<'a>(name: &str, value: &'a str, known: &[&str]) -> Result<&'a str, Refusal> {
    if known.contains(&value) {
        return Ok(value);
    }
    let constraint = format!("Member must satisfy enum value set: [{}]", known.join(", "));
    Err(crate::validation::failed(name, value, &constraint))
}

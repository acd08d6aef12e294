//! The names that policies have for things: patterns with the values of attributes in them.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::{AccountName, Address};
use crate::erased::AnyResource;
use crate::permission::grants::Known;
use crate::plan::{Change, ChangeAction};
use crate::provider::Account;
use crate::state::Object;
use crate::value::{Unknown, Value, ValueMap};

/// Stands for any text in an ARN, and alone for anything at all.
pub(super) const ANYTHING: &str = "*";

/// A thing, as it is or as it will be.
pub(super) struct Thing<'a> {
    pub(super) kind: &'a dyn AnyResource,
    pub(super) account: &'a Account,
    /// Inputs, and the outputs that are known.
    values: ValueMap,
}

impl Thing<'_> {
    /// Tells whether an attribute has this value, or none that is known.
    pub(super) fn meets(&self, condition: Option<(&str, &str)>) -> bool {
        let Some((name, wanted)) = condition else { return true };
        let default = || self.kind.schema().input(name).and_then(|attribute| attribute.default.as_ref());
        let given = self.values.get(name).filter(|value| **value != Value::Null);
        match given.or_else(default) {
            Some(Value::Unknown(_)) => true,
            Some(value) => text(value).is_some_and(|text| text == wanted),
            None => false,
        }
    }

    /// Tells whether an attribute has another value than a thing is born with, or may have; of what only
    /// the service knows, whether it has any.
    pub(super) fn sets(&self, name: &str) -> bool {
        let Some(value) = self.values.get(name).filter(|value| **value != Value::Null) else { return false };
        match self.kind.schema().input(name) {
            Some(attribute) => attribute.default.as_ref() != Some(value),
            None => value.as_list().is_none_or(|items| !items.is_empty()),
        }
    }
}

/// How much of a thing its name has in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// All.
    Whole,
    /// What a service knows of a thing that is gone, or was never there: what it is asked by, and neither
    /// a path nor anything else that a pattern has a value for where it is not set.
    Bare,
}

/// The things of a stack.
pub(super) struct Things<'a> {
    known: Known<'a>,
    changes: BTreeMap<&'a Address, &'a Change>,
    /// What is there by kind, account and id.
    there: BTreeMap<(&'a str, &'a AccountName, &'a str), &'a Address>,
    /// What is made by kind, account and the name that the service will know it by.
    made: BTreeMap<(&'a str, &'a AccountName, &'a str), &'a Address>,
}

impl<'a> Things<'a> {
    pub(super) fn new(known: Known<'a>) -> Self {
        let current = |change: &&Change| change.action != ChangeAction::DeleteDeposed;
        let changes = || known.plan.changes.iter().filter(current);
        let made = changes().filter_map(|change| {
            let [name] = known.registry.kind(change.kind.as_str())?.identity() else { return None };
            let name = change.inputs.get(*name)?.as_str()?;
            Some(((change.kind.as_str(), &change.account, name), &change.address))
        });
        let there = known.state.resources.iter().filter_map(|(address, resource)| {
            let id = resource.object.as_ref()?.remote_id.as_str();
            Some(((resource.kind.as_str(), &resource.account, id), address))
        });
        let (there, made) = (there.collect(), made.collect());
        Self { known, changes: changes().map(|change| (&change.address, change)).collect(), there, made }
    }

    /// Returns a thing that is there.
    pub(super) fn now(&self, address: &Address) -> Option<Thing<'a>> {
        let resource = self.known.state.resources.get(address)?;
        let object = resource.object.as_ref().or(resource.deposed.last())?;
        let kind = &**self.known.registry.kind(resource.kind.as_str())?;
        let account = self.known.spec.accounts.get(&resource.account)?;
        let mut values = object.inputs.clone();
        values.extend(outputs(object));
        Some(Thing { kind, account, values })
    }

    /// Returns a thing that is made or changed, as it will be; of one that is made, nothing is
    /// known that a service fills in.
    pub(super) fn then(&self, address: &Address) -> Option<Thing<'a>> {
        let change = self.changes.get(address)?;
        let kind = &**self.known.registry.kind(change.kind.as_str())?;
        let account = self.known.spec.accounts.get(&change.account)?;
        let mut values = change.inputs.clone();
        match change.action {
            ChangeAction::Create | ChangeAction::Replace(_) => {}
            ChangeAction::Update => {
                let object = self.known.state.resources.get(address).and_then(|found| found.object.as_ref());
                values.extend(object.map(outputs).unwrap_or_default());
            }
            ChangeAction::Delete | ChangeAction::DeleteDeposed | ChangeAction::Forget => return None,
        }
        Some(Thing { kind, account, values })
    }

    /// Returns what a pattern stands for: one name for each item of a list in it; none if an
    /// attribute in it is not set.
    pub(super) fn names(&self, pattern: &'static str, thing: &Thing<'_>, naming: Naming) -> BTreeSet<String> {
        let mut names = vec![String::new()];
        let mut rest = pattern;
        while let Some((before, placeholder, after)) = next_placeholder(rest) {
            let texts = self.texts(placeholder, thing, naming);
            let extended =
                names.iter().flat_map(|name| texts.iter().map(move |text| format!("{name}{before}{text}")));
            names = extended.collect();
            rest = after;
        }
        names.into_iter().map(|name| name + rest).collect()
    }

    /// Returns the texts that a placeholder stands for.
    fn texts(&self, placeholder: &'static str, thing: &Thing<'_>, naming: Naming) -> Vec<String> {
        let (word, otherwise) = match placeholder.split_once('|') {
            Some((word, otherwise)) => (word, Some(otherwise)),
            None => (placeholder, None),
        };
        let account = thing.account;
        match word {
            "partition" => return vec![self.known.registry.provider().partition(&account.region).to_owned()],
            "region" => return vec![account.region.clone()],
            "account" => return vec![account.id.clone()],
            _ => {}
        }
        if let Some((attribute, "arn")) = word.split_once(':') {
            return self.arns_of(attribute, thing, naming);
        }
        let found = match (otherwise, naming) {
            (Some(_), Naming::Bare) => None,
            (_, Naming::Bare | Naming::Whole) => find(&thing.values, word),
        };
        if word == "arn" && found.and_then(Value::as_str).is_none() && thing.kind.arn() != "{arn}" {
            return self.names(thing.kind.arn(), thing, naming).into_iter().collect();
        }
        if let Some(value) = found {
            return self.texts_of(value);
        }
        let is_input = thing.kind.schema().input(word.split('.').next().unwrap_or(word)).is_some();
        let unknown = || (!is_input).then_some(ANYTHING);
        otherwise.or_else(unknown).map(str::to_owned).into_iter().collect()
    }

    /// Returns the ARN of what an attribute names, a thing of the kind that it refers to. What this stack
    /// does not have may have any value where the ARN has one for what is not set, such as a path.
    fn arns_of(&self, attribute: &str, thing: &Thing<'_>, naming: Naming) -> Vec<String> {
        let Some(value) = find(&thing.values, attribute) else { return Vec::new() };
        let referred = thing.kind.schema().input(attribute).and_then(|input| input.refers_to.first());
        let Some(kind) = referred.and_then(|kind| self.known.registry.kind(kind)) else { return Vec::new() };
        let key = value.as_str().map(|id| (kind.schema().kind.as_str(), &thing.account.name, id));
        let named = match (value, key) {
            (Value::Unknown(unknown), _) if unknown.exact => self.then(&unknown.origin.address),
            // What is replaced has another name then: the one that has this name counts.
            (_, Some(key)) => {
                let there = self.there.get(&key).and_then(|address| self.now(address));
                there.or_else(|| self.made.get(&key).and_then(|address| self.then(address)))
            }
            (_, None) => None,
        };
        let named = named.unwrap_or_else(|| {
            let name = value.as_str().unwrap_or(ANYTHING);
            let known = kind.identity().iter().map(|identity| ((*identity).to_owned(), Value::from(name)));
            let any = defaults(kind.arn()).map(|(word, default)| {
                let texts = [default.to_owned(), format!("{default}{ANYTHING}{default}")];
                (word.to_owned(), Value::List(texts.map(Value::from).into()))
            });
            Thing { kind: &**kind, account: thing.account, values: any.chain(known).collect() }
        });
        self.names(named.kind.arn(), &named, naming).into_iter().collect()
    }

    fn texts_of(&self, value: &Value) -> Vec<String> {
        match value {
            Value::Unknown(unknown) => self.predicted(unknown),
            Value::List(items) => items.iter().flat_map(|item| self.texts_of(item)).collect(),
            Value::Map(entries) => entries.values().flat_map(|value| self.texts_of(value)).collect(),
            Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
                text(value).into_iter().collect()
            }
        }
    }

    /// Returns what an ARN will be as far as it is made of what is known.
    fn predicted(&self, unknown: &Unknown) -> Vec<String> {
        let origin = &unknown.origin;
        let thing =
            (unknown.exact && origin.attribute == "arn").then(|| self.then(&origin.address)).flatten();
        match thing {
            Some(thing) => self.names(thing.kind.arn(), &thing, Naming::Whole).into_iter().collect(),
            None => vec![ANYTHING.to_owned()],
        }
    }
}

fn outputs(object: &Object) -> ValueMap {
    let mut outputs = object.outputs.clone();
    outputs.insert("id".to_owned(), Value::from(object.remote_id.as_str()));
    outputs
}

/// Returns a value by its path; `Null` counts as none.
fn find<'v>(values: &'v ValueMap, path: &str) -> Option<&'v Value> {
    let mut parts = path.split('.');
    let mut value = values.get(parts.next()?)?;
    for part in parts {
        if matches!(value, Value::Unknown(_)) {
            return Some(value);
        }
        value = value.as_map()?.get(part)?;
    }
    (*value != Value::Null).then_some(value)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(_) | Value::Null | Value::List(_) | Value::Map(_) | Value::Unknown(_) => None,
    }
}

/// Splits a pattern at its first placeholder.
fn next_placeholder(pattern: &'static str) -> Option<(&'static str, &'static str, &'static str)> {
    let (before, rest) = pattern.split_once('{')?;
    let (placeholder, after) = rest.split_once('}')?;
    Some((before, placeholder, after))
}

/// Returns the placeholders of a pattern that have a value for when nothing is set, with that.
fn defaults(pattern: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut rest = pattern;
    let placeholders = std::iter::from_fn(move || {
        let (_, placeholder, after) = next_placeholder(rest)?;
        rest = after;
        Some(placeholder)
    });
    placeholders.filter_map(|placeholder| placeholder.split_once('|'))
}

/// Returns the names that no other of them stands for as well.
pub(super) fn distinct(names: BTreeSet<String>) -> BTreeSet<String> {
    let wide: Vec<_> = names.iter().filter(|name| name.contains(ANYTHING)).cloned().collect();
    let is_covered = |name: &String| wide.iter().any(|wide| wide != name && covers(wide, name));
    names.into_iter().filter(|name| !is_covered(name)).collect()
}

/// Tells whether a name with `*` in it stands for another one.
fn covers(wide: &str, name: &str) -> bool {
    let mut parts = wide.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart_at_their_placeholders() {
        assert_eq!(next_placeholder("a:{id}/b/{c}"), Some(("a:", "id", "/b/{c}")));
        assert_eq!(next_placeholder("/b/"), None);
    }

    #[test]
    fn a_placeholder_can_have_a_value_for_when_nothing_is_set() {
        let found: Vec<_> = defaults("a:{account}:role{path|/}{name}").collect();
        assert_eq!(found, [("path", "/")]);
    }

    #[test]
    fn a_name_that_a_wider_one_stands_for_is_left_out() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let given = names(&["vpc/*", "vpc/vpc-1", "subnet/subnet-1", "a/*/x", "a/b/x", "a/b/y", "*:vpc/*"]);
        let left = names(&["vpc/*", "subnet/subnet-1", "a/*/x", "a/b/y", "*:vpc/*"]);
        assert_eq!(distinct(given), left);
        assert_eq!(distinct(names(&["*", "vpc/*", "x"])), names(&["*"]));
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (wide, name, expected) in [
            ("*", "anything", true),
            ("a*", "b", false),
            ("a*a", "a", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "a1c", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
        ] {
            assert_eq!(covers(wide, name), expected, "{wide} {name}");
        }
    }
}

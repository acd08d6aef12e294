//! The three-way comparison of one resource: what is wanted, what was last applied, and what is there.
//!
//! Only owned attributes count: those that the spec sets, and those that the last apply set.
//! Everything else is the service's default, or somebody else's business.

use std::collections::BTreeSet;

use crate::erased::{AnyResource, ObservedValues};
use crate::plan::AttributeChange;
use crate::resource::OPERATION_TAG;
use crate::schema::{AttributeSchema, AttributeType};
use crate::spec::Lifecycle;
use crate::state::Object;
use crate::value::{Value, ValueMap};

/// The three sides of a comparison.
pub(crate) struct Sides<'a> {
    /// The kind.
    pub(crate) kind: &'a dyn AnyResource,
    /// What the spec wants.
    pub(crate) desired: &'a ValueMap,
    /// What the last apply set, and how far it came.
    pub(crate) object: &'a Object,
    /// What is there.
    pub(crate) observed: &'a ObservedValues,
    /// Which differences are left alone.
    pub(crate) lifecycle: &'a Lifecycle,
    /// The attributes that must not be shown besides those that are sensitive by their kind.
    pub(crate) sensitive: &'a BTreeSet<String>,
}

impl Sides<'_> {
    /// Returns the inputs as they will be: what the spec wants, what taking an attribute out of
    /// the spec puts back, and what is there for attributes whose differences are left alone. Those
    /// count from when it is made on: until then nobody has made a difference but its service.
    pub(crate) fn planned_inputs(&self) -> ValueMap {
        let mut planned = self.desired.clone();
        for attribute in &self.kind.schema().inputs {
            let name = attribute.name;
            if self.lifecycle.ignore_changes.contains(name) && !self.object.is_being_made {
                let before = self.before(attribute);
                if before.is_null() {
                    planned.remove(name);
                } else {
                    planned.insert(name.to_owned(), before);
                }
            } else if !planned.contains_key(name)
                && self.object.inputs.contains_key(name)
                && let Some(default) = given_up(attribute)
            {
                planned.insert(name.to_owned(), default);
            }
        }
        planned
    }

    /// Returns the attributes in which `planned` differs from what is there, sorted by name.
    pub(crate) fn changes(&self, planned: &ValueMap) -> Vec<AttributeChange> {
        let mut changes = Vec::new();
        for attribute in &self.kind.schema().inputs {
            let Some(after) = planned.get(attribute.name) else { continue };
            let before = self.before(attribute);
            let form = attribute.attribute_type.form();
            if form.same(&before, after) {
                continue;
            }
            changes.push(AttributeChange {
                name: attribute.name.to_owned(),
                replaces: attribute.replace && self.kind.must_replace(attribute.name, &before, after),
                before,
                after: after.clone(),
                sensitive: attribute.is_hidden(self.sensitive),
                form,
            });
        }
        changes.sort_by(|one, other| one.name.cmp(&other.name));
        changes
    }

    fn before(&self, attribute: &AttributeSchema) -> Value {
        let name = attribute.name;
        if attribute.write_only {
            return self.object.inputs.get(name).cloned().unwrap_or(Value::Null);
        }
        owned(
            attribute,
            self.observed,
            self.desired.get(name).into_iter().chain(self.object.inputs.get(name)),
        )
    }
}

/// Returns the attributes that others changed since the last apply, sorted by name.
pub(crate) fn drift(
    kind: &dyn AnyResource,
    applied: &ValueMap,
    observed: &ObservedValues,
    sensitive: &BTreeSet<String>,
) -> Vec<AttributeChange> {
    let mut drift = Vec::new();
    for attribute in &kind.schema().inputs {
        let Some(before) = applied.get(attribute.name) else { continue };
        let after = owned(attribute, observed, std::iter::once(before));
        let form = attribute.attribute_type.form();
        if attribute.write_only || form.same(before, &after) {
            continue;
        }
        drift.push(AttributeChange {
            name: attribute.name.to_owned(),
            before: before.clone(),
            after,
            replaces: false,
            sensitive: attribute.is_hidden(sensitive),
            form,
        });
    }
    drift.sort_by(|one, other| one.name.cmp(&other.name));
    drift
}

/// Returns what is there of an attribute; of tags, those that one of `owners` has.
fn owned<'v>(
    attribute: &AttributeSchema,
    observed: &ObservedValues,
    owners: impl Iterator<Item = &'v Value>,
) -> Value {
    let observed = observed.inputs.get(attribute.name).cloned().unwrap_or(Value::Null);
    match (&attribute.attribute_type, observed) {
        (AttributeType::Tags, Value::Map(tags)) => Value::Map(owned_tags(tags, owners)),
        (_, observed) => observed,
    }
}

/// Returns what an attribute goes back to when the spec gives it up; `None` if it stays.
fn given_up(attribute: &AttributeSchema) -> Option<Value> {
    match attribute.attribute_type {
        AttributeType::Tags => Some(Value::Map(ValueMap::new())),
        AttributeType::Bool
        | AttributeType::Integer
        | AttributeType::String
        | AttributeType::Any
        | AttributeType::Policy
        | AttributeType::List(_)
        | AttributeType::Set(_)
        | AttributeType::Map(_)
        | AttributeType::Object(_) => attribute.default.clone(),
    }
}

/// Returns the tags whose keys one of `owners` has.
pub(crate) fn owned_tags<'v>(tags: ValueMap, owners: impl Iterator<Item = &'v Value>) -> ValueMap {
    let keys: BTreeSet<&String> = owners.filter_map(Value::as_map).flat_map(ValueMap::keys).collect();
    let ours = |key: &String| keys.contains(key) && key != OPERATION_TAG;
    tags.into_iter().filter(|(key, _)| ours(key)).collect()
}

//! The three-way comparison of one resource: what is wanted, what was last applied, and what is there.
//!
//! Only owned attributes count: those that the spec sets, and those that the last apply set.
//! Everything else is the service's default, or somebody else's business.

use std::collections::BTreeSet;

use crate::erased::{AnyResource, ObservedValues};
use crate::plan::{AttributeChange, members};
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
                let before = self.before(attribute, None);
                if before.is_null() {
                    planned.remove(name);
                } else {
                    planned.insert(name.to_owned(), before);
                }
            } else if let Some(applied) = self.object.inputs.get(name) {
                match planned.get_mut(name) {
                    Some(wanted) => members::with_given_up(&attribute.attribute_type, wanted, applied),
                    None => planned.extend(
                        members::given_up(attribute, applied).map(|default| (name.to_owned(), default)),
                    ),
                }
            }
        }
        planned
    }

    /// Returns the attributes in which `planned` differs from what is there, sorted by name.
    pub(crate) fn changes(&self, planned: &ValueMap) -> Vec<AttributeChange> {
        let mut changes = Vec::new();
        for attribute in &self.kind.schema().inputs {
            let Some(after) = planned.get(attribute.name) else { continue };
            let before = self.before(attribute, Some(after));
            let form = attribute.attribute_type.form();
            if form.same(&before, after) {
                continue;
            }
            let found = &self.observed.inputs;
            changes.push(AttributeChange {
                name: attribute.name.to_owned(),
                replaces: members::replaces(self.kind, found, (attribute, attribute.name), &before, after),
                before,
                after: after.clone(),
                sensitive: attribute.is_hidden(self.sensitive),
                form,
            });
        }
        changes.sort_by(|one, other| one.name.cmp(&other.name));
        changes
    }

    /// Returns what is there of an attribute, as far as it is owned. Of a table with attributes of its
    /// own, `after` has the members that were applied only as far as they go back to something.
    fn before(&self, attribute: &AttributeSchema, after: Option<&Value>) -> Value {
        let name = attribute.name;
        let applied = self.object.inputs.get(name);
        let owners: Vec<_> = match (&attribute.attribute_type, after) {
            (AttributeType::Object(_), Some(after)) => vec![after],
            _ => self.desired.get(name).into_iter().chain(applied).collect(),
        };
        members::owned(attribute, self.observed.inputs.get(name), &owners, applied).unwrap_or(Value::Null)
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
        let after = members::owned(attribute, observed.inputs.get(attribute.name), &[before], Some(before));
        let after = after.unwrap_or(Value::Null);
        let form = attribute.attribute_type.form();
        if form.same(before, &after) {
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

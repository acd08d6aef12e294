//! Sets of fields, as `managedFields` writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A set of places in an object. An element of a path is written as in `managedFields`: `f:name` is a
/// field, `k:{"name":"a"}` an item with these keys, `v:"a"` an item that is this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields {
    /// Whether the place itself is in the set.
    pub(super) is_member: bool,
    pub(super) below: BTreeMap<String, Fields>,
}

impl Fields {
    /// Reads a set.
    pub(super) fn read(value: &Value) -> Self {
        let table = value.as_object();
        let is_empty = table.is_none_or(Map::is_empty);
        let mut fields = Self { is_member: is_empty, below: BTreeMap::new() };
        for (element, value) in table.into_iter().flatten() {
            if element == "." {
                fields.is_member = true;
            } else {
                fields.below.insert(element.clone(), Self::read(value));
            }
        }
        fields
    }

    /// Reads the set of an object, of which the object itself is no member.
    pub(super) fn read_object(value: &Value) -> Self {
        Self { is_member: false, ..Self::read(value) }
    }

    /// Writes the set.
    pub(super) fn write(&self) -> Value {
        let mut table = Map::new();
        if self.is_member && !self.below.is_empty() {
            table.insert(".".to_owned(), json!({}));
        }
        table.extend(self.below.iter().map(|(element, below)| (element.clone(), below.write())));
        Value::Object(table)
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.is_member && self.below.values().all(Self::is_empty)
    }

    /// Returns the place below, for something to be added there.
    pub(super) fn at(&mut self, element: &str) -> &mut Self {
        self.below.entry(element.to_owned()).or_default()
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        union.add(other);
        union
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.is_member |= other.is_member;
        for (element, below) in &other.below {
            self.at(element).add(below);
        }
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let below = self.below.iter().filter_map(|(element, below)| {
            let both = below.intersection(other.below.get(element)?);
            (!both.is_empty()).then(|| (element.clone(), both))
        });
        Self { is_member: self.is_member && other.is_member, below: below.collect() }
    }

    pub(super) fn difference(&self, other: &Self) -> Self {
        let below = self.below.iter().filter_map(|(element, below)| {
            let rest = match other.below.get(element) {
                Some(other) => below.difference(other),
                None => below.clone(),
            };
            (!rest.is_empty()).then(|| (element.clone(), rest))
        });
        Self { is_member: self.is_member && !other.is_member, below: below.collect() }
    }

    /// Takes a place away, with everything below. `path` has an element at least.
    pub(super) fn remove(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else { return };
        if rest.is_empty() {
            self.below.remove(*first);
        } else if let Some(below) = self.below.get_mut(*first) {
            below.remove(rest);
            if below.is_empty() {
                self.below.remove(*first);
            }
        }
    }

    /// Returns the members as texts, such as `.spec.ports[port=80,protocol="TCP"].name`.
    pub(super) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.collect("", &mut paths);
        paths
    }

    fn collect(&self, path: &str, paths: &mut Vec<String>) {
        if self.is_member {
            paths.push(path.to_owned());
        }
        for (element, below) in &self.below {
            below.collect(&format!("{path}{}", shown(element)), paths);
        }
    }
}

/// Returns an element as it is shown in messages.
pub(super) fn shown(element: &str) -> String {
    match element.split_once(':') {
        Some(("k", keys)) => {
            let keys: Value = serde_json::from_str(keys).unwrap_or_default();
            let keys = keys.as_object().into_iter().flatten();
            let keys: Vec<_> = keys.map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", keys.join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        Some((_, name)) => format!(".{name}"),
        None => element.to_owned(),
    }
}

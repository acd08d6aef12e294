//! What differs between two values, place by place: data in general, and policies of IAM.

mod pairs;

use serde::{Deserialize, Serialize};

use crate::address::is_word;
use crate::difference::pairs::{Pair, items, statements};
use crate::policy;
use crate::value::{Value, ValueMap};

/// What values mean, and by that which differences count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Data: everything counts but the order of the entries of a table.
    #[default]
    Data,
    /// A policy of IAM: most of its lists are sets, and a single value is a list of one.
    Policy,
}

impl Form {
    /// Tells whether this is [`Form::Data`].
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(self, Self::Data)
    }

    /// Tells whether two values mean the same.
    #[must_use]
    pub fn same(self, one: &Value, other: &Value) -> bool {
        match self {
            Self::Data => one == other,
            Self::Policy => policy::same(one, other),
        }
    }
}

/// Where two values differ.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Differences {
    /// Each place once, in the order of the value that is there afterwards.
    pub places: Vec<Difference>,
    /// How many parts beside these places are the same, each counted as a whole.
    pub unchanged: usize,
}

/// A place at which two values differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The way there: `Statement['Read'].Action`, `containers['web'].ports[0]`; empty if the values
    /// differ as wholes. An item is named by its `Sid`, `name` or the like if all are, and by its
    /// position otherwise: where it is now, or where it was if it is gone.
    pub path: String,
    /// What was there; `Null` if nothing was.
    pub before: Value,
    /// What is there; `Null` if nothing is.
    pub after: Value,
}

/// Returns where two values differ. Lists of single values are one place each.
#[must_use]
pub fn differences(form: Form, before: &Value, after: &Value) -> Differences {
    let mut found = Differences::default();
    match form {
        Form::Data => found.compare(String::new(), before, after),
        Form::Policy => found.compare_policies(&policy::canonical(before), &policy::canonical(after)),
    }
    found
}

impl Differences {
    fn compare(&mut self, path: String, before: &Value, after: &Value) {
        match (before, after) {
            (before, after) if before == after => self.unchanged += 1,
            (Value::Map(before), Value::Map(after)) => {
                for (name, before, after) in entries(before, after) {
                    self.compare(format!("{path}{}", member(&path, name)), before, after);
                }
            }
            (Value::List(before_items), Value::List(after_items)) => match items(before_items, after_items) {
                Some(pairs) => self.compare_pairs(&path, &pairs),
                None => self.differs(path, before, after),
            },
            (before, after) => self.differs(path, before, after),
        }
    }

    fn compare_pairs(&mut self, path: &str, pairs: &[Pair<'_>]) {
        for Pair { label, before, after } in pairs {
            self.compare(
                format!("{path}{label}"),
                before.unwrap_or(&Value::Null),
                after.unwrap_or(&Value::Null),
            );
        }
    }

    fn compare_policies(&mut self, before: &Value, after: &Value) {
        let (Value::Map(before), Value::Map(after)) = (before, after) else {
            return self.compare(String::new(), before, after);
        };
        for (name, before, after) in entries(before, after) {
            match (name, before, after) {
                ("Statement", Value::List(before), Value::List(after)) => {
                    self.compare_pairs("Statement", &statements(before, after));
                }
                _ => self.compare(member("", name), before, after),
            }
        }
        for Difference { before, after, .. } in &mut self.places {
            loosen(before, after);
        }
    }

    fn differs(&mut self, path: String, before: &Value, after: &Value) {
        self.places.push(Difference { path, before: before.clone(), after: after.clone() });
    }
}

/// Returns the entries of two tables, sorted by name, with `Null` for what only the other has.
fn entries<'v>(
    before: &'v ValueMap,
    after: &'v ValueMap,
) -> impl Iterator<Item = (&'v str, &'v Value, &'v Value)> {
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let value = |table: &'v ValueMap, name: &str| table.get(name).unwrap_or(&Value::Null);
    names.into_iter().map(move |name| (name.as_str(), value(before, name), value(after, name)))
}

/// Writes the step from a place into an entry of it; the first one as a spec has it.
fn member(place: &str, name: &str) -> String {
    match (is_word(name), place.is_empty()) {
        (true, true) => name.to_owned(),
        (true, false) => format!(".{name}"),
        (false, true) => serde_json::Value::from(name).to_string(),
        (false, false) => key(name),
    }
}

/// Writes the step into something by its key.
fn key(name: &str) -> String {
    format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Takes single values out of their lists, as people write them, unless that hides what differs.
fn loosen(before: &mut Value, after: &mut Value) {
    let is_single = |value: &Value| value.as_list().is_none_or(|items| items.len() == 1);
    if is_single(before) && is_single(after) {
        for value in [before, after] {
            *value = loose(std::mem::replace(value, Value::Null));
        }
    }
}

fn loose(value: Value) -> Value {
    match value {
        Value::List(mut items) if items.len() == 1 => items.pop().map_or(Value::Null, loose),
        Value::Map(entries) => {
            Value::Map(entries.into_iter().map(|(name, value)| (name, loose(value))).collect())
        }
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::String(_)
        | Value::List(_)
        | Value::Unknown(_) => value,
    }
}

#[cfg(test)]
mod tests;

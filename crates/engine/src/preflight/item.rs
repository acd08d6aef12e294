//! A resource as checks see it.

use crate::address::{AccountName, Address, Kind};
use crate::value::{Value, ValueMap};

/// A resource of the spec or the state.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its name.
    pub address: Address,
    /// What it is.
    pub kind: Kind,
    /// Where it lives.
    pub account: AccountName,
    /// What the run does with it.
    pub fate: Fate,
    /// Its attributes once the run is over, as far as they are known by now; what the service fills
    /// in, `id` among it, only of what is there already.
    pub values: ValueMap,
}

/// What a run does with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is made, or made anew.
    Made,
    /// It is changed in place.
    Changed,
    /// It stays as it is.
    Kept,
    /// It is deleted.
    Unmade,
}

impl Item {
    /// Returns the value of an attribute, or of what is inside it (`scaling.max`); `None` if it is
    /// not set.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let mut value = self.values.get(parts.next()?)?;
        for part in parts {
            value = value.as_map()?.get(part)?;
        }
        (*value != Value::Null).then_some(value)
    }

    /// Returns a text that is known.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.value(path)?.as_str()
    }

    /// Returns a number that is known.
    #[must_use]
    pub fn number(&self, path: &str) -> Option<i64> {
        match self.value(path)? {
            Value::Integer(number) => Some(*number),
            Value::Null
            | Value::Bool(_)
            | Value::Float(_)
            | Value::String(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Unknown(_) => None,
        }
    }

    /// Tells whether an attribute is known to be true.
    #[must_use]
    pub fn is_true(&self, path: &str) -> bool {
        self.value(path) == Some(&Value::Bool(true))
    }

    /// Returns the items of a list, known or not.
    #[must_use]
    pub fn list(&self, path: &str) -> &[Value] {
        self.value(path).and_then(Value::as_list).unwrap_or_default()
    }

    /// Returns the texts of a list that are known.
    pub fn texts<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.list(path).iter().filter_map(Value::as_str)
    }
}

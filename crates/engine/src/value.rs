//! Values: what is known, and what will only be known once something has been made.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::Address;

/// Stands for a sensitive value wherever something is shown.
pub const SENSITIVE: &str = "(sensitive)";

/// Attributes by name. Sorted, so that nothing depends on the order of a hash.
pub type ValueMap = BTreeMap<String, Value>;

/// A value of an attribute, a variable or an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing: as if the attribute had not been written.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    String(String),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name.
    Map(ValueMap),
    /// Known only after apply.
    Unknown(Unknown),
}

/// Why a value is not known: it comes from an attribute that a service fills in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Unknown {
    /// The attribute that has to be known first.
    pub origin: AttributeReference,
    /// Whether the value is exactly that attribute, or made from it.
    pub exact: bool,
}

/// An attribute of a resource: `vpc.main.id`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AttributeReference {
    /// The resource.
    pub address: Address,
    /// The attribute's name.
    pub attribute: String,
}

impl Unknown {
    /// Returns the unknown value that is made from this one.
    #[must_use]
    pub fn derived(&self) -> Value {
        Value::Unknown(Self { origin: self.origin.clone(), exact: false })
    }
}

impl fmt::Display for AttributeReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.address, self.attribute)
    }
}

impl Value {
    /// Makes a value that is exactly an attribute which is not known yet.
    #[must_use]
    pub fn unknown(address: Address, attribute: impl Into<String>) -> Self {
        let origin = AttributeReference { address, attribute: attribute.into() };
        Self::Unknown(Unknown { origin, exact: true })
    }

    /// Returns the first unknown in this value or inside it.
    #[must_use]
    pub fn first_unknown(&self) -> Option<&Unknown> {
        match self {
            Self::Unknown(unknown) => Some(unknown),
            Self::List(items) => items.iter().find_map(Self::first_unknown),
            Self::Map(entries) => entries.values().find_map(Self::first_unknown),
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Float(_) | Self::String(_) => None,
        }
    }

    /// Returns how many items a list or entries a table has; nothing else has any.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Map(entries) => entries.len(),
            Self::Null
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::Unknown(_) => 0,
        }
    }

    /// Returns about how many bytes the value takes.
    pub(crate) fn weight(&self) -> usize {
        let inside = match self {
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Float(_) | Self::Unknown(_) => 0,
            Self::String(text) => text.len(),
            Self::List(items) => items.iter().map(Self::weight).sum(),
            Self::Map(entries) => entries.iter().map(|(key, value)| key.len() + value.weight()).sum(),
        };
        size_of::<Self>() + inside
    }

    /// Tells whether lists and tables in this value are inside of each other more than so many
    /// levels deep.
    pub(crate) fn is_deeper_than(&self, levels: usize) -> bool {
        let is_deeper = |inside: &Self| levels == 0 || inside.is_deeper_than(levels - 1);
        match self {
            Self::List(items) => items.iter().any(is_deeper),
            Self::Map(entries) => entries.values().any(is_deeper),
            Self::Null
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::Unknown(_) => false,
        }
    }

    /// Tells whether nothing in this value is unknown.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.first_unknown().is_none()
    }

    /// Tells whether this is [`Value::Null`].
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the text, if this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Returns the entries, if this is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&ValueMap> {
        if let Self::Map(entries) = self { Some(entries) } else { None }
    }

    /// Returns the items, if this is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// Returns the items of a list, or a single value as the only one.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        self.as_list().unwrap_or(std::slice::from_ref(self))
    }

    /// Names the type for messages, such as `a string`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a table",
            Self::Unknown(_) => "a value known after apply",
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl From<ValueMap> for Value {
    fn from(entries: ValueMap) -> Self {
        Self::Map(entries)
    }
}

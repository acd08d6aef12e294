//! What the attributes of a kind are.
//!
//! A kind's file has two structs, its inputs and its outputs, with `#[derive(Attributes)]`.
//! Everything else that needs to know them reads the [`KindSchema`] made from these:
//! validation, the diff, the reference, the JSON Schema.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use straddle_derive::Attributes;

use crate::address::Kind;
use crate::difference::Form;
use crate::value::{Value, ValueMap};

/// A struct whose fields are the attributes of a kind, or of a table inside an attribute.
///
/// Derived with [`macro@Attributes`]; see there for the flags of a field.
pub trait Attributes: Sized + Send + Sync {
    /// Returns the doc comment of the struct.
    fn documentation() -> &'static str;

    /// Returns the attributes in the order of the struct's fields.
    fn attributes() -> Vec<AttributeSchema>;

    /// Makes the struct of known values; `Null` and missing are the same.
    ///
    /// # Errors
    /// If a required attribute is missing or a value has the wrong type or is unknown.
    fn from_values(values: &ValueMap) -> Result<Self, TypeMismatch>;

    /// Returns the values of the fields that are set.
    fn to_values(&self) -> ValueMap;
}

/// A type that a field of an [`Attributes`] struct can have.
pub trait AttributeValue: Sized + Send + Sync {
    /// Returns the type in the terms of the spec language.
    fn attribute_type() -> AttributeType;

    /// Reads a known value.
    ///
    /// # Errors
    /// If the value has another type.
    fn from_value(value: &Value) -> Result<Self, TypeMismatch>;

    /// Returns the value in the terms of the spec language.
    fn to_value(&self) -> Value;
}

/// A value that does not have the type its attribute wants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}expected {expected}, found {found}", self.prefix())]
pub struct TypeMismatch {
    /// Where, from the attribute inwards: `scaling.min`, `subnets[2]`; empty at the top.
    pub path: String,
    /// What the attribute wants, such as `a list of strings`.
    pub expected: String,
    /// What was there, such as `a boolean`.
    pub found: String,
}

impl TypeMismatch {
    /// Describes a value that is not what was expected.
    #[must_use]
    pub fn new(expected: impl fmt::Display, found: &Value) -> Self {
        Self { path: String::new(), expected: expected.to_string(), found: found.type_name().to_owned() }
    }

    /// Puts the name of the enclosing attribute before the path.
    #[must_use]
    pub fn inside(mut self, attribute: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{attribute}{separator}{}", self.path);
        self
    }

    fn prefix(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) }
    }
}

/// The type of an attribute.
#[derive(Debug, Clone)]
pub enum AttributeType {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// Text.
    String,
    /// Any value at all; compared as data.
    Any,
    /// A policy of IAM as a table, or as JSON text; compared by what it means.
    Policy,
    /// Data as a table, or as JSON or YAML text; compared as data.
    Document,
    /// Values in order.
    List(Box<AttributeType>),
    /// Values whose order means nothing.
    Set(Box<AttributeType>),
    /// Values by name.
    Map(Box<AttributeType>),
    /// Strings by name, of which each belongs to whoever set it: tags that the spec
    /// does not name are not ours and stay.
    Tags,
    /// A table with attributes of its own.
    Object(Vec<AttributeSchema>),
}

impl AttributeType {
    /// Checks a value that may have unknown parts.
    ///
    /// # Errors
    /// If a known part has the wrong type, an attribute of a table is missing or not known to the kind.
    pub fn check(&self, value: &Value) -> Result<(), TypeMismatch> {
        match (self, value) {
            (Self::Any, _)
            | (_, Value::Unknown(_) | Value::Null)
            | (Self::Bool, Value::Bool(_))
            | (Self::Integer, Value::Integer(_))
            | (Self::String, Value::String(_))
            | (Self::Policy | Self::Document, Value::Map(_) | Value::String(_)) => Ok(()),
            (Self::List(item) | Self::Set(item), Value::List(items)) => check_items(item, items),
            (Self::Map(item), Value::Map(entries)) => {
                entries.iter().try_for_each(|(key, value)| item.check_inside(value, key))
            }
            (Self::Tags, Value::Map(entries)) => {
                entries.iter().try_for_each(|(key, value)| Self::String.check_inside(value, key))
            }
            (Self::Object(attributes), Value::Map(entries)) => check_object(attributes, entries),
            (
                Self::Bool
                | Self::Integer
                | Self::String
                | Self::Policy
                | Self::Document
                | Self::List(_)
                | Self::Set(_)
                | Self::Map(_)
                | Self::Tags
                | Self::Object(_),
                _,
            ) => Err(TypeMismatch::new(self, value)),
        }
    }

    /// Returns what values of the type mean.
    #[must_use]
    pub fn form(&self) -> Form {
        match self {
            Self::Policy => Form::Policy,
            Self::Bool
            | Self::Integer
            | Self::String
            | Self::Any
            | Self::Document
            | Self::List(_)
            | Self::Set(_)
            | Self::Map(_)
            | Self::Tags
            | Self::Object(_) => Form::Data,
        }
    }

    fn check_inside(&self, value: &Value, name: &str) -> Result<(), TypeMismatch> {
        self.check(value).map_err(|mismatch| mismatch.inside(name))
    }

    fn plural(&self) -> String {
        match self {
            Self::Bool => "booleans".to_owned(),
            Self::Integer => "whole numbers".to_owned(),
            Self::String => "strings".to_owned(),
            Self::Any => "values".to_owned(),
            Self::Policy => "policies".to_owned(),
            Self::Document => "documents".to_owned(),
            Self::List(item) | Self::Set(item) => format!("lists of {}", item.plural()),
            Self::Map(item) if matches!(**item, Self::Any) => "tables".to_owned(),
            Self::Map(item) => format!("tables of {}", item.plural()),
            Self::Tags => "tables of strings".to_owned(),
            Self::Object(_) => "tables".to_owned(),
        }
    }
}

fn check_items(item: &AttributeType, items: &[Value]) -> Result<(), TypeMismatch> {
    let mut indexed = items.iter().enumerate();
    indexed.try_for_each(|(index, value)| item.check_inside(value, &format!("[{index}]")))
}

fn check_object(attributes: &[AttributeSchema], entries: &ValueMap) -> Result<(), TypeMismatch> {
    for (name, value) in entries {
        let Some(attribute) = attributes.iter().find(|attribute| attribute.name == name) else {
            let known: Vec<_> = attributes.iter().map(|attribute| format!("`{}`", attribute.name)).collect();
            return Err(TypeMismatch {
                path: name.clone(),
                expected: format!("one of {}", known.join(", ")),
                found: "another name".to_owned(),
            });
        };
        attribute.attribute_type.check_inside(value, name)?;
    }
    let missing = attributes
        .iter()
        .find(|attribute| attribute.required && entries.get(attribute.name).is_none_or(Value::is_null));
    missing.map_or(Ok(()), |attribute| {
        Err(TypeMismatch::new(&attribute.attribute_type, &Value::Null).inside(attribute.name))
    })
}

impl fmt::Display for AttributeType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => formatter.write_str("a boolean"),
            Self::Integer => formatter.write_str("a whole number"),
            Self::String => formatter.write_str("a string"),
            Self::Any => formatter.write_str("any value"),
            Self::Policy => formatter.write_str("a policy (a table, or JSON text)"),
            Self::Document => formatter.write_str("a document (a table, or JSON or YAML text)"),
            Self::List(item) | Self::Set(item) => write!(formatter, "a list of {}", item.plural()),
            Self::Map(item) => write!(formatter, "a table of {}", item.plural()),
            Self::Tags => formatter.write_str("a table of strings"),
            Self::Object(_) => formatter.write_str("a table"),
        }
    }
}

/// Puts the text of an attribute into the form in which the service returns it, or says what is
/// wrong with it, in words that follow "`cidr_block` is wrong: ".
pub type Normalize = fn(&str) -> Result<String, String>;

/// Where an attribute is taken from that the spec does not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Follows {
    /// The attribute of the same resource that names the other one, by a reference to it.
    pub by: &'static str,
    /// The attribute of the other one.
    pub attribute: &'static str,
}

/// Everything that is known of one attribute.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each flag stands alone and is named where it is set")]
pub struct AttributeSchema {
    /// The name in the spec.
    pub name: &'static str,
    /// The doc comment of the field.
    pub documentation: &'static str,
    /// The type of its value.
    pub attribute_type: AttributeType,
    /// Whether the spec must set it.
    pub required: bool,
    /// What the service does if it is not set. Taking the attribute out of the spec after
    /// it was set puts it back to this.
    pub default: Option<Value>,
    /// The default is wanted also where the spec says nothing, so that anything else is drift.
    pub always: bool,
    /// The only values that are allowed; empty if there is no such list.
    pub one_of: &'static [&'static str],
    /// The service cannot change it: another value means another resource.
    pub replace: bool,
    /// The kinds whose `id` this attribute takes; empty if it takes none.
    pub refers_to: &'static [&'static str],
    /// What it names cannot be deleted as long as it names it.
    pub holds: bool,
    /// The attribute that takes the id of the account that what this one refers to belongs to, where
    /// that is another account and the spec does not say it.
    pub owner: Option<&'static str>,
    /// What it follows where the spec does not set it.
    pub follows: Option<Follows>,
    /// Never shown, and stored only as a hash.
    pub sensitive: bool,
    /// The service takes it but never returns it; the last applied value stands for the observed one.
    pub write_only: bool,
    /// Others may change it after it was set, as an autoscaler changes a number of nodes: the last
    /// applied value stands for the observed one, and only another value in the spec is a change.
    pub handed_over: bool,
    /// It changes only once everything that follows it has come as far, and maybe not at once.
    pub stepwise: bool,
    /// An output that an update may change, and which is therefore unknown while one is planned.
    pub volatile: bool,
    /// How its text is put into the form in which the service returns it.
    pub normalize: Option<Normalize>,
}

impl AttributeSchema {
    /// Describes an optional attribute without any flag.
    #[must_use]
    pub fn new(name: &'static str, documentation: &'static str, attribute_type: AttributeType) -> Self {
        Self {
            name,
            documentation,
            attribute_type,
            required: false,
            default: None,
            always: false,
            one_of: &[],
            replace: false,
            refers_to: &[],
            holds: false,
            owner: None,
            follows: None,
            sensitive: false,
            write_only: false,
            handed_over: false,
            stepwise: false,
            volatile: false,
            normalize: None,
        }
    }
}

/// An attribute in which the parts of a resource are written inline, and which becomes
/// resources of its own: the routes of a route table.
#[derive(Debug, Clone)]
pub struct Expansion {
    /// The attribute of the parent, such as `routes`.
    pub attribute: &'static str,
    /// What the attribute is for.
    pub documentation: &'static str,
    /// The kind of the children, such as `route`.
    pub child_kind: &'static str,
    /// The word between the parent's address and the child's key, such as `route`.
    pub role: &'static str,
    /// The attribute of the child that takes the parent's id.
    pub parent_attribute: &'static str,
    /// How the inline form is read.
    pub shape: ExpansionShape,
}

/// How the inline form of children is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpansionShape {
    /// A table: each key and value becomes one child; the key names the child.
    Entries {
        /// The child's attribute that takes the key.
        key: &'static str,
        /// The child's attribute that takes the value.
        value: &'static str,
    },
    /// As [`Self::Entries`], of policies of IAM.
    Policies {
        /// The child's attribute that takes the key.
        key: &'static str,
        /// The child's attribute that takes the policy.
        value: &'static str,
    },
    /// A list of single values, each of which becomes one child, named after where the value comes from.
    Items {
        /// The child's attribute that takes the value.
        value: &'static str,
    },
    /// A list of tables, each of which has the attributes of one child.
    Tables {
        /// The child's attribute that names the child where it is set and known; any other child
        /// is named by its position.
        name: &'static str,
        /// The child's attributes that follow from where the table stands, with their values.
        constants: &'static [(&'static str, &'static str)],
    },
}

impl Expansion {
    /// Returns the type of the inline form.
    #[must_use]
    pub fn attribute_type(&self) -> AttributeType {
        match self.shape {
            ExpansionShape::Entries { .. } => AttributeType::Map(Box::new(AttributeType::String)),
            ExpansionShape::Policies { .. } => AttributeType::Map(Box::new(AttributeType::Policy)),
            ExpansionShape::Items { .. } => AttributeType::List(Box::new(AttributeType::String)),
            ExpansionShape::Tables { .. } => {
                let any = AttributeType::Map(Box::new(AttributeType::Any));
                AttributeType::List(Box::new(any))
            }
        }
    }

    /// Tells whether a table of the inline form can have this attribute of the child: it is not
    /// given by where the table stands.
    #[must_use]
    pub fn takes(&self, attribute: &str) -> bool {
        let tables = matches!(self.shape, ExpansionShape::Tables { .. });
        tables
            && attribute != self.parent_attribute
            && self.constants().iter().all(|(name, _)| *name != attribute)
    }

    /// Returns the child's attributes that follow from where it stands, with their values.
    #[must_use]
    pub fn constants(&self) -> &'static [(&'static str, &'static str)] {
        match self.shape {
            ExpansionShape::Entries { .. }
            | ExpansionShape::Policies { .. }
            | ExpansionShape::Items { .. } => &[],
            ExpansionShape::Tables { constants, .. } => constants,
        }
    }
}

impl AttributeSchema {
    /// Tells whether the value must not be shown: by the kind, or since the attribute is among
    /// those of a resource that are made of something sensitive.
    #[must_use]
    pub fn is_hidden(&self, sensitive: &BTreeSet<String>) -> bool {
        self.sensitive || sensitive.contains(self.name)
    }

    /// Tells whether the last applied value stands for the observed one.
    #[must_use]
    pub fn is_told_by_the_state(&self) -> bool {
        self.write_only || self.handed_over
    }
}

/// Everything that is known of a kind's attributes.
#[derive(Debug, Clone)]
pub struct KindSchema {
    /// The word in the block's header.
    pub kind: Kind,
    /// The doc comment of the inputs struct.
    pub documentation: &'static str,
    /// What the user writes.
    pub inputs: Vec<AttributeSchema>,
    /// What only the service knows. Every kind has `id` besides, the remote id.
    pub outputs: Vec<AttributeSchema>,
    /// The attributes that become resources of their own.
    pub expansions: Vec<Expansion>,
    /// A spec that has one; empty if the kind shows none.
    pub example: &'static str,
    /// How ids of things of the kind look: `*` stands for any text that is not empty, `NAME` for
    /// text that has neither `/` nor `:`.
    pub id_form: &'static str,
    /// The kind of the resources that a block brings in, if that is another one; see [`crate::bundle`].
    pub member_kind: Option<Kind>,
}

impl KindSchema {
    /// Returns the input with this name.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&AttributeSchema> {
        self.inputs.iter().find(|attribute| attribute.name == name)
    }

    /// Returns the output with this name; `id` is not among them.
    #[must_use]
    pub fn output(&self, name: &str) -> Option<&AttributeSchema> {
        self.outputs.iter().find(|attribute| attribute.name == name)
    }

    /// Returns the expansion of this attribute.
    #[must_use]
    pub fn expansion(&self, attribute: &str) -> Option<&Expansion> {
        self.expansions.iter().find(|expansion| expansion.attribute == attribute)
    }

    /// Tells whether the kind has tags.
    #[must_use]
    pub fn has_tags(&self) -> bool {
        self.input("tags").is_some_and(|attribute| matches!(attribute.attribute_type, AttributeType::Tags))
    }
}

/// Tags by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(pub BTreeMap<String, String>);

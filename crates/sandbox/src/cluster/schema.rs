//! What objects are made of: the fields of each type, and how lists and maps are merged.
//!
//! The types of the kinds that every cluster has are in `data/types.txt`, by name, one field a line:
//! `!` marks those that have to be there, `^` what is one value as a whole, `[keys%merge|items]` a list
//! whose items are known by keys (`=` by themselves), `%` by which key a strategic merge finds them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

/// A type.
#[derive(Debug, Clone)]
pub(super) enum Type {
    Text,
    Bytes,
    Integer,
    Number,
    Flag,
    /// A number or a text.
    Port,
    Quantity,
    Time,
    MicroTime,
    /// Data of any form.
    Any,
    /// A struct of `data/types.txt`.
    Named {
        name: String,
        is_atomic: bool,
    },
    /// A struct of a custom resource.
    Struct(Arc<Struct>),
    Map {
        items: Arc<Type>,
        is_atomic: bool,
    },
    List {
        form: ListForm,
        merge_key: Option<String>,
        items: Arc<Type>,
    },
}

/// How items of a list are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListForm {
    /// Not at all: the list is one value.
    Atomic,
    /// By what they are.
    Set,
    /// By these fields.
    Map(Vec<String>),
}

/// The fields of a type.
#[derive(Debug, Clone, Default)]
pub(super) struct Struct {
    pub(super) fields: BTreeMap<String, Field>,
    pub(super) is_atomic: bool,
    /// Whether it may have fields that are not declared.
    pub(super) is_open: bool,
}

/// A field.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) of: Type,
    pub(super) is_required: bool,
}

/// Fields whose structs are always there in the server's own form of an object, also when nobody sets
/// them: nobody comes to own the struct itself by setting something in it.
const ALWAYS_THERE: &[&str] = &[
    "acceptedNames",
    "clientConfig",
    "involvedObject",
    "jobTemplate",
    "loadBalancer",
    "metadata",
    "names",
    "nodeInfo",
    "resources",
    "roleRef",
    "source",
    "spec",
    "status",
    "strategy",
    "template",
    "updateStrategy",
];

static TYPES: LazyLock<BTreeMap<String, Struct>> = LazyLock::new(|| read(include_str!("data/types.txt")));

/// Reads the table of types.
fn read(text: &str) -> BTreeMap<String, Struct> {
    let mut types = BTreeMap::new();
    let mut current: Option<(String, Struct)> = None;
    for line in text.lines() {
        if let Some(field) = line.strip_prefix("  ") {
            let (name, of) = field.split_once(' ').expect("a field has a name and a type");
            let (name, is_required) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
            let (_, current) = current.as_mut().expect("a field stands below its type");
            current.fields.insert(name.to_owned(), Field { of: parse(of), is_required });
            continue;
        }
        types.extend(current.take());
        let (name, is_atomic) = line.strip_prefix('^').map_or((line, false), |name| (name, true));
        current = Some((name.to_owned(), Struct { is_atomic, ..Struct::default() }));
    }
    types.extend(current);
    types
}

/// Reads a type as the table writes it.
fn parse(text: &str) -> Type {
    let (text, is_atomic) = text.strip_prefix('^').map_or((text, false), |text| (text, true));
    if let Some(name) = text.strip_prefix('@') {
        return Type::Named { name: name.to_owned(), is_atomic };
    }
    if let Some(items) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        return Type::Map { items: Arc::new(parse(items)), is_atomic };
    }
    if let Some(list) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let (head, items) = list.split_once('|').expect("a list has a bar");
        let (keys, merge_key) = head.split_once('%').map_or((head, None), |(keys, key)| (keys, Some(key)));
        let form = match keys {
            "" => ListForm::Atomic,
            "=" => ListForm::Set,
            keys => ListForm::Map(keys.split(',').map(str::to_owned).collect()),
        };
        let (merge_key, items) = (merge_key.map(str::to_owned), Arc::new(parse(items)));
        return Type::List { form, merge_key, items };
    }
    match text {
        "string" => Type::Text,
        "bytes" => Type::Bytes,
        "int" => Type::Integer,
        "number" => Type::Number,
        "bool" => Type::Flag,
        "port" => Type::Port,
        "quantity" => Type::Quantity,
        "time" => Type::Time,
        "microtime" => Type::MicroTime,
        _ => Type::Any,
    }
}

impl Type {
    /// Returns a type of the table.
    pub(super) fn named(name: &str) -> Self {
        Self::Named { name: name.to_owned(), is_atomic: false }
    }

    /// Returns the fields, if it is a struct.
    pub(super) fn fields(&self) -> Option<&Struct> {
        match self {
            Self::Named { name, .. } => TYPES.get(name),
            Self::Struct(fields) => Some(fields),
            Self::Text
            | Self::Bytes
            | Self::Integer
            | Self::Number
            | Self::Flag
            | Self::Port
            | Self::Quantity
            | Self::Time
            | Self::MicroTime
            | Self::Any
            | Self::Map { .. }
            | Self::List { .. } => None,
        }
    }

    /// Tells whether it is one value, whatever is inside.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Named { is_atomic, .. } => {
                *is_atomic || self.fields().is_none_or(|fields| fields.is_atomic)
            }
            Self::Struct(fields) => fields.is_atomic,
            Self::Map { is_atomic, .. } => *is_atomic,
            Self::List { form, .. } => *form == ListForm::Atomic,
            Self::Any => false,
            Self::Text
            | Self::Bytes
            | Self::Integer
            | Self::Number
            | Self::Flag
            | Self::Port
            | Self::Quantity
            | Self::Time
            | Self::MicroTime => true,
        }
    }

    /// Returns the type of a field or entry, and whether it is a declared field.
    pub(super) fn field(&self, name: &str) -> Option<(Self, bool)> {
        if let Some(fields) = self.fields() {
            let found = fields.fields.get(name).map(|field| (field.of.clone(), true));
            return found.or_else(|| fields.is_open.then_some((Self::Any, false)));
        }
        if let Self::Map { items, .. } = self {
            return Some(((**items).clone(), false));
        }
        matches!(self, Self::Any).then_some((Self::Any, false))
    }

    /// Adds the structs that are always there in the server's own form of an object.
    pub(super) fn fill(&self, value: &mut Value) {
        match (self, value) {
            (Self::List { items, .. }, Value::Array(values)) => {
                for value in values {
                    items.fill(value);
                }
            }
            (Self::Named { .. }, Value::Object(table)) => {
                for (name, field) in self.fields().into_iter().flat_map(|fields| &fields.fields) {
                    let is_struct = matches!(field.of, Type::Named { .. });
                    if is_struct && ALWAYS_THERE.contains(&name.as_str()) {
                        let entry = table.entry(name.as_str()).or_insert_with(|| serde_json::json!({}));
                        field.of.fill(entry);
                    } else if field.is_required
                        && matches!(field.of, Type::List { .. })
                        && !table.contains_key(name)
                    {
                        table.insert(name.clone(), Value::Null);
                    } else if let Some(entry) = table.get_mut(name) {
                        field.of.fill(entry);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Reads the structural schema of a custom resource.
pub(super) fn of_custom(schema: &Value) -> Type {
    let Type::Struct(fields) = custom(schema) else { return Type::Any };
    let mut fields = Struct::clone(&fields);
    for (name, of) in
        [("apiVersion", Type::Text), ("kind", Type::Text), ("metadata", Type::named("meta.ObjectMeta"))]
    {
        fields.fields.insert(name.to_owned(), Field { of, is_required: false });
    }
    Type::Struct(Arc::new(fields))
}

fn custom(schema: &Value) -> Type {
    let flag = |name: &str| schema[name].as_bool() == Some(true);
    if flag("x-kubernetes-int-or-string") {
        return Type::Port;
    }
    match schema["type"].as_str().unwrap_or_default() {
        "string" if schema["format"] == "date-time" => Type::Time,
        "string" => Type::Text,
        "integer" => Type::Integer,
        "number" => Type::Number,
        "boolean" => Type::Flag,
        "array" => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array();
            let form = match schema["x-kubernetes-list-type"].as_str() {
                Some("set") => ListForm::Set,
                Some("map") => ListForm::Map(
                    keys.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
                ),
                _ => ListForm::Atomic,
            };
            Type::List { form, merge_key: None, items: Arc::new(custom(&schema["items"])) }
        }
        "object" => custom_object(schema, flag("x-kubernetes-preserve-unknown-fields")),
        _ => Type::Any,
    }
}

fn custom_object(schema: &Value, is_open: bool) -> Type {
    let is_atomic = schema["x-kubernetes-map-type"] == "atomic";
    if let Some(items) = schema.get("additionalProperties").filter(|items| items.is_object()) {
        return Type::Map { items: Arc::new(custom(items)), is_atomic };
    }
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
    let field = |(name, schema): (&String, &Value)| {
        let is_required = required.iter().any(|required| *required == name);
        (name.clone(), Field { of: custom(schema), is_required })
    };
    let fields = schema["properties"].as_object().into_iter().flatten().map(field).collect();
    Type::Struct(Arc::new(Struct { fields, is_atomic, is_open }))
}

//! Puts inputs into the form in which the service returns them, so that they can be compared.

use std::cmp::Ordering;

use crate::diagnostic::{Diagnostic, Span};
use crate::schema::{AttributeSchema, AttributeType, KindSchema};
use crate::spec::pattern::Pattern;
use crate::value::{Value, ValueMap};
use crate::{json, yaml};

/// Text that an attribute cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is wrong: {message}")]
pub struct InvalidText {
    /// From the attribute inwards: `cidr_block`, `rules[2].cidr`.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

impl InvalidText {
    /// Returns the name of the attribute that the text is in.
    #[must_use]
    pub fn attribute(&self) -> &str {
        self.path.split(['.', '[']).next().unwrap_or_default()
    }

    /// Returns the same of a sensitive value, which the message may quote.
    #[must_use]
    pub(crate) fn without_value(self) -> Self {
        let path = self.attribute().to_owned();
        Self { path, message: "it is sensitive, and why is not shown".to_owned() }
    }

    /// Describes the problem, given where attributes are written.
    pub(crate) fn describe<'a>(
        self,
        place: impl Fn(&str) -> Option<&'a Pattern>,
        otherwise: Span,
    ) -> Diagnostic {
        let (attribute, inner) = self.path.split_at(self.attribute().len());
        let span =
            place(attribute).map_or(otherwise, |pattern| pattern.locate(inner.trim_start_matches('.')));
        Diagnostic::error("invalid-value", "invalid value").with_span(span, self.message)
    }
}

/// Returns the inputs as the service would return them: text normalized, also inside lists and
/// tables, sets sorted and without duplicates, and without attributes that are null. Unknown
/// values and attributes that the kind does not have stay as they are.
///
/// # Errors
/// Every text that the normalization of its attribute refuses.
pub fn normalize_inputs(schema: &KindSchema, inputs: ValueMap) -> Result<ValueMap, Vec<InvalidText>> {
    normalize_values(&schema.inputs, inputs)
}

/// Does the same for any attributes.
pub(crate) fn normalize_values(
    attributes: &[AttributeSchema],
    values: ValueMap,
) -> Result<ValueMap, Vec<InvalidText>> {
    let mut invalid = Vec::new();
    let normalized = normalize_attributes(attributes, values, "", &mut invalid);
    if invalid.is_empty() { Ok(normalized) } else { Err(invalid) }
}

fn normalize_attributes(
    attributes: &[AttributeSchema],
    values: ValueMap,
    prefix: &str,
    invalid: &mut Vec<InvalidText>,
) -> ValueMap {
    let written = values.into_iter().filter(|(_, value)| !value.is_null());
    let normalize = |(name, value): (String, Value)| {
        let Some(attribute) = attributes.iter().find(|attribute| attribute.name == name) else {
            return (name, value);
        };
        let value =
            normalize(attribute, &attribute.attribute_type, value, &format!("{prefix}{name}"), invalid);
        (name, value)
    };
    written.map(normalize).collect()
}

fn normalize(
    attribute: &AttributeSchema,
    attribute_type: &AttributeType,
    value: Value,
    path: &str,
    invalid: &mut Vec<InvalidText>,
) -> Value {
    match (attribute_type, value) {
        (AttributeType::String, Value::String(text)) => normalize_text(attribute, text, path, invalid),
        (AttributeType::Policy, Value::String(text)) => read_table(text, "JSON", json::decode, path, invalid),
        (AttributeType::Document, Value::String(text)) => {
            read_table(text, "document", yaml::decode, path, invalid)
        }
        (AttributeType::List(item), Value::List(items)) => {
            Value::List(normalize_items(attribute, item, items, path, invalid))
        }
        (AttributeType::Set(item), Value::List(items)) => {
            let mut items = normalize_items(attribute, item, items, path, invalid);
            items.sort_by(compare);
            items.dedup();
            Value::List(items)
        }
        (AttributeType::Map(item), Value::Map(entries)) => {
            let inside = |(key, value): (String, Value)| {
                let value = normalize(attribute, item, value, &format!("{path}.{key}"), invalid);
                (key, value)
            };
            Value::Map(entries.into_iter().map(inside).collect())
        }
        (AttributeType::Object(attributes), Value::Map(entries)) => {
            Value::Map(normalize_attributes(attributes, entries, &format!("{path}."), invalid))
        }
        // Of any other type, or of a wrong one that was reported.
        (_, value) => value,
    }
}

fn normalize_items(
    attribute: &AttributeSchema,
    item: &AttributeType,
    items: Vec<Value>,
    path: &str,
    invalid: &mut Vec<InvalidText>,
) -> Vec<Value> {
    let indexed = items.into_iter().enumerate();
    indexed
        .map(|(index, value)| normalize(attribute, item, value, &format!("{path}[{index}]"), invalid))
        .collect()
}

fn normalize_text(
    attribute: &AttributeSchema,
    text: String,
    path: &str,
    invalid: &mut Vec<InvalidText>,
) -> Value {
    match attribute.normalize.map(|normalize| normalize(&text)) {
        None => Value::String(text),
        Some(Ok(normalized)) => Value::String(normalized),
        Some(Err(message)) => {
            invalid.push(InvalidText { path: path.to_owned(), message });
            Value::String(text)
        }
    }
}

fn read_table(
    text: String,
    language: &str,
    decode: fn(&str) -> Result<Value, String>,
    path: &str,
    invalid: &mut Vec<InvalidText>,
) -> Value {
    let message = match decode(&text) {
        Ok(table @ Value::Map(_)) => return table,
        Ok(_) => format!("the {language} is no table"),
        Err(problem) => problem,
    };
    invalid.push(InvalidText { path: path.to_owned(), message });
    Value::String(text)
}

/// Orders any two values; whole numbers and numbers with a fraction by what they are worth, and
/// unknown values after all others.
pub(crate) fn compare(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Float(left), Value::Float(right)) => left.total_cmp(right),
        (Value::Integer(left), Value::Float(right)) => compare_mixed(*left, *right),
        (Value::Float(left), Value::Integer(right)) => compare_mixed(*right, *left).reverse(),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::List(left), Value::List(right)) => {
            let pairs = left.iter().zip(right).map(|(left, right)| compare(left, right));
            first_difference(pairs).then(left.len().cmp(&right.len()))
        }
        (Value::Map(left), Value::Map(right)) => {
            let pairs = left.iter().zip(right).map(|((left_key, left), (right_key, right))| {
                left_key.cmp(right_key).then_with(|| compare(left, right))
            });
            first_difference(pairs).then(left.len().cmp(&right.len()))
        }
        (Value::Unknown(left), Value::Unknown(right)) => left.cmp(right),
        _ => rank(left).cmp(&rank(right)),
    }
}

fn first_difference(mut pairs: impl Iterator<Item = Ordering>) -> Ordering {
    pairs.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers too large for a fraction are ordered by their neighbours"
)]
fn compare_mixed(integer: i64, float: f64) -> Ordering {
    (integer as f64).total_cmp(&float)
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Integer(_) | Value::Float(_) => 2,
        Value::String(_) => 3,
        Value::List(_) => 4,
        Value::Map(_) => 5,
        Value::Unknown(_) => 6,
    }
}

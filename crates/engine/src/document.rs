//! Documents: data that a service takes and returns as text, and that is compared as data.

use crate::schema::{AttributeType, AttributeValue, TypeMismatch};
use crate::value::{Value, ValueMap};
use crate::{json, yaml};

/// A document. Two of them are equal if they are the same data, however they are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Document(Value);

impl Document {
    /// Reads a document that a service returned, JSON or YAML. What is neither is kept, so that it
    /// differs from every document.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(yaml::decode(text).unwrap_or_else(|_| Value::from(text)))
    }

    /// Returns the document as JSON text, which every reader of YAML takes as well; `None` if a part
    /// of it is unknown.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        json::encode(&self.0)
    }

    /// Tells whether it is a table without entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_map().is_some_and(ValueMap::is_empty)
    }
}

impl From<Value> for Document {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl AttributeValue for Document {
    fn attribute_type() -> AttributeType {
        AttributeType::Document
    }

    fn from_value(value: &Value) -> Result<Self, TypeMismatch> {
        AttributeType::Document.check(value)?;
        Ok(Self(value.clone()))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_matter_how_a_document_is_written() {
        let yaml = Document::from_text("env:\n  ENABLE: 'true'\nreplicas: 2 # two\n");
        let json = Document::from_text(r#"{"replicas": 2, "env": {"ENABLE": "true"}}"#);
        assert_eq!(yaml, json);
        assert_eq!(yaml.to_text().as_deref(), Some(r#"{"env":{"ENABLE":"true"},"replicas":2}"#));
        assert_ne!(yaml, Document::from_text(r#"{"replicas": 2, "env": {"ENABLE": true}}"#));
    }

    #[test]
    fn what_is_no_document_is_equal_to_none() {
        let broken = Document::from_text("{");
        assert_eq!(broken.to_value(), Value::from("{"));
        assert!(!broken.is_empty());
        assert!(Document::from_text("{}").is_empty());
    }
}

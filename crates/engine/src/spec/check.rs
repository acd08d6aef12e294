//! Checks the values of attributes against what their kind wants.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Span};
use crate::lookup::WORD;
use crate::schema::{AttributeSchema, AttributeType};
use crate::spec::pattern::Pattern;
use crate::spec::suggest;
use crate::value::{Unknown, Value, ValueMap};

/// Prefixes of tags that only the program or the service sets.
const RESERVED_TAGS: [&str; 2] = ["straddle:", "aws:"];

/// Returns what is wrong with the value of an attribute that `pattern` was evaluated to.
pub(crate) fn check_attribute(
    attribute: &AttributeSchema,
    value: &Value,
    pattern: &Pattern,
) -> Vec<Diagnostic> {
    let mut checker = Checker { pattern, path: String::new(), diagnostics: Vec::new() };
    checker.value(attribute, &attribute.attribute_type, value);
    checker.diagnostics
}

/// Returns what is wrong with the names of tags.
pub(crate) fn check_tags(value: &Value, pattern: &Pattern) -> Vec<Diagnostic> {
    let names = value.as_map().into_iter().flat_map(ValueMap::keys);
    let reserved = names.filter_map(|name| {
        let prefix =
            RESERVED_TAGS.into_iter().find(|prefix| name.to_ascii_lowercase().starts_with(prefix))?;
        Some((name, prefix))
    });
    let describe = |(name, prefix): (&String, &str)| {
        Diagnostic::error("reserved-tag", "reserved tag")
            .with_span(pattern.locate_key(name), format!("tags that begin with `{prefix}` are reserved"))
            .with_hint("Choose another name.")
    };
    reserved.map(describe).collect()
}

/// Names the attributes that are required and that the values do not have; `what` requires them.
pub(crate) fn check_required(
    attributes: &[AttributeSchema],
    values: &ValueMap,
    what: &str,
    span: Span,
) -> Option<Diagnostic> {
    let missing = |attribute: &&AttributeSchema| {
        attribute.required && values.get(attribute.name).is_none_or(Value::is_null)
    };
    let missing: Vec<_> = attributes.iter().filter(missing).map(|attribute| attribute.name).collect();
    (!missing.is_empty()).then(|| {
        let (verb, them) = if missing.len() == 1 { ("is", "it") } else { ("are", "them") };
        Diagnostic::error("missing-attribute", "missing attribute")
            .with_span(span, format!("{} {verb} missing", suggest::list(&missing)))
            .with_detail(format!("{what} needs {them}."))
    })
}

struct Checker<'a> {
    pattern: &'a Pattern,
    path: String,
    diagnostics: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn value(&mut self, attribute: &AttributeSchema, attribute_type: &AttributeType, value: &Value) {
        match (attribute_type, value) {
            (_, Value::Null) | (AttributeType::Any, _) => {}
            (_, Value::Unknown(unknown)) => self.kind(attribute, unknown),
            (AttributeType::Object(attributes), Value::Map(entries)) => self.object(attributes, entries),
            (AttributeType::List(item) | AttributeType::Set(item), Value::List(items)) => {
                for (index, value) in items.iter().enumerate() {
                    self.inside(&format!("[{index}]"), |checker| checker.value(attribute, item, value));
                }
            }
            (AttributeType::Map(item), Value::Map(entries)) => {
                for (key, value) in entries {
                    self.inside(key, |checker| checker.value(attribute, item, value));
                }
            }
            (AttributeType::String, Value::String(text)) => self.one_of(attribute, text),
            (
                AttributeType::Bool
                | AttributeType::Integer
                | AttributeType::String
                | AttributeType::Policy
                | AttributeType::Document
                | AttributeType::List(_)
                | AttributeType::Set(_)
                | AttributeType::Map(_)
                | AttributeType::Tags
                | AttributeType::Object(_),
                value,
            ) => {
                if let Err(mismatch) = attribute_type.check(value) {
                    let label = format!("expected {}, found {}", mismatch.expected, mismatch.found);
                    self.inside(&mismatch.path, |checker| checker.report("wrong-type", "wrong type", label));
                }
            }
        }
    }

    /// Compares the kind of the resource whose id this is with those that the attribute takes.
    fn kind(&mut self, attribute: &AttributeSchema, unknown: &Unknown) {
        let kind = unknown.origin.address.block().kind.as_str();
        let is_id = unknown.exact && unknown.origin.attribute == "id";
        // What a lookup finds has the kind that it looks up, which its address does not tell.
        let is_told = is_id && kind != WORD;
        if is_told && !attribute.refers_to.is_empty() && !attribute.refers_to.contains(&kind) {
            let wanted = suggest::either(attribute.refers_to);
            let label = format!("expected the id of {wanted}, found that of `{kind}`");
            self.report("wrong-kind", "reference to another kind", label);
        }
    }

    fn object(&mut self, attributes: &[AttributeSchema], entries: &ValueMap) {
        for (name, value) in entries {
            if let Some(attribute) = attributes.iter().find(|attribute| attribute.name == name) {
                self.inside(name, |checker| checker.value(attribute, &attribute.attribute_type, value));
                continue;
            }
            let names: Vec<_> = attributes.iter().map(|attribute| attribute.name).collect();
            let span = self.pattern.locate(&joined(&self.path, name));
            let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
                .with_span(span, format!("there is no `{}` here", name.escape_debug()))
                .with_detail(format!("The table has {}.", suggest::list(&names)));
            self.diagnostics.push(suggest::did_you_mean(diagnostic, name, names));
        }
        let span = self.pattern.locate(&self.path);
        self.diagnostics.extend(check_required(attributes, entries, "The table", span));
    }

    fn one_of(&mut self, attribute: &AttributeSchema, text: &str) {
        if attribute.one_of.is_empty() || attribute.one_of.contains(&text) {
            return;
        }
        let diagnostic = Diagnostic::error("invalid-value", "invalid value")
            .with_span(self.pattern.locate(&self.path), "none of the values that are allowed")
            .with_detail(format!("`{}` takes {}.", attribute.name, suggest::either(attribute.one_of)));
        self.diagnostics.push(suggest::did_you_mean(diagnostic, text, attribute.one_of.iter().copied()));
    }

    fn inside(&mut self, name: &str, check: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path = joined(&self.path, name);
        check(self);
        self.path.truncate(length);
    }

    fn report(&mut self, code: &'static str, summary: &str, label: String) {
        let span = self.pattern.locate(&self.path);
        let diagnostic = Diagnostic::error(code, summary).with_span(span, label);
        self.diagnostics.push(match self.pattern.whole_resource() {
            Some(block) => diagnostic.with_hint(format!("Name one of its attributes, such as `{block}.id`.")),
            None => diagnostic,
        });
    }
}

fn joined(path: &str, name: &str) -> String {
    let separator = if path.is_empty() || name.is_empty() || name.starts_with('[') { "" } else { "." };
    format!("{path}{separator}{name}")
}

/// Returns the account that a value names.
pub(crate) fn account_name(value: &Value, pattern: &Arc<Pattern>) -> Result<Option<String>, Box<Diagnostic>> {
    match value {
        Value::String(name) => Ok(Some(name.clone())),
        Value::Null => Ok(None),
        Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::List(_)
        | Value::Map(_)
        | Value::Unknown(_) => {
            let label = format!("expected the name of an account, found {}", value.type_name());
            Err(Diagnostic::error("wrong-type", "wrong type").with_span(pattern.span, label).into())
        }
    }
}

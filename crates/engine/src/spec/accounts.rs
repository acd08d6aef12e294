//! `[account.NAME]` blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::AccountName;
use crate::diagnostic::{Diagnostic, Diagnostics, Sources, Span};
use crate::outside::Outside;
use crate::provider::Account;
use crate::registry::Registry;
use crate::schema::{AttributeSchema, AttributeType};
use crate::spec::blocks::Block;
use crate::spec::check::{check_attribute, check_required};
use crate::spec::normalize::normalize_values;
use crate::spec::pattern::{Pattern, read_pattern};
use crate::spec::suggest;
use crate::spec::variables::check_account_id;
use crate::value::{Value, ValueMap};

/// An account block, read but not evaluated.
pub(crate) struct AccountBlock {
    pub(crate) span: Span,
    pub(crate) attributes: BTreeMap<String, Arc<Pattern>>,
}

/// Returns what an account block takes with the provider of a program.
pub(crate) fn account_attributes(registry: &Registry) -> Vec<AttributeSchema> {
    account_schema(registry.provider().account_attributes())
}

/// Returns what an account block takes: id, region and the provider's own settings.
pub(crate) fn account_schema(settings: Vec<AttributeSchema>) -> Vec<AttributeSchema> {
    let required = |name, documentation| AttributeSchema {
        required: true,
        ..AttributeSchema::new(name, documentation, AttributeType::String)
    };
    let mut attributes = vec![
        required("id", "The id that the credentials must prove to have, 12 digits."),
        required("region", "The region of everything in this account."),
    ];
    attributes.extend(settings);
    attributes
}

/// Reads a block; attributes that no account has are reported.
pub(crate) fn read_account(
    block: &Block,
    schema: &[AttributeSchema],
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> AccountBlock {
    let mut attributes = BTreeMap::new();
    for entry in &block.table.entries {
        if schema.iter().any(|attribute| attribute.name == entry.key) {
            attributes.insert(entry.key.clone(), read_pattern(&entry.node, sources, diagnostics));
            continue;
        }
        let names = || schema.iter().map(|attribute| attribute.name);
        let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
            .with_span(entry.key_span, "accounts have no such attribute")
            .with_detail(format!("An account has {}.", suggest::list(&names().collect::<Vec<_>>())));
        diagnostics.push(suggest::did_you_mean(diagnostic, &entry.key, names()));
    }
    AccountBlock { span: block.span, attributes }
}

/// Checks the values of a block; `None` if something is wrong, which is reported.
pub(crate) fn check_account(
    name: &AccountName,
    stack: &str,
    block: &AccountBlock,
    values: ValueMap,
    schema: &[AttributeSchema],
    diagnostics: &mut Diagnostics,
) -> Option<Account> {
    let mut problems = Vec::new();
    for attribute in schema {
        let Some(value) = values.get(attribute.name) else { continue };
        let pattern = &block.attributes[attribute.name];
        problems.extend(check_attribute(attribute, value, pattern));
        let message = match (attribute.name, value) {
            ("id", Value::String(id)) => check_account_id(id).err(),
            ("region", Value::String(region)) if region.is_empty() => Some("the region is empty".to_owned()),
            _ => None,
        };
        let describe =
            |message| Diagnostic::error("invalid-value", "invalid value").with_span(pattern.span, message);
        problems.extend(message.map(describe));
    }
    problems.extend(check_required(schema, &values, "An account", block.span));
    let normalized = normalize_values(schema, values).unwrap_or_else(|invalid| {
        let place = |attribute: &str| block.attributes.get(attribute).map(|pattern| &**pattern);
        problems.extend(invalid.into_iter().map(|text| text.describe(place, block.span)));
        ValueMap::new()
    });
    let sound = problems.is_empty();
    diagnostics.extend(problems);
    sound.then(|| account(name, stack, normalized))
}

fn account(name: &AccountName, stack: &str, mut values: ValueMap) -> Account {
    let mut take = |attribute: &str| match values.remove(attribute) {
        Some(Value::String(text)) => text,
        _ => unreachable!("`{attribute}` was checked to be a string"),
    };
    let (id, region) = (take("id"), take("region"));
    let (stack, outside) = (stack.to_owned(), Outside::Direct);
    Account { name: name.clone(), id, region, settings: values, stack, sandbox: None, outside }
}

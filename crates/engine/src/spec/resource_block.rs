//! A block of a kind, read but not expanded.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{Address, BlockAddress};
use crate::diagnostic::{Diagnostic, Diagnostics, Sources, Span};
use crate::erased::AnyResource;
use crate::schema::{Expansion, KindSchema};
use crate::spec::blocks::KindBlock;
use crate::spec::document::Entry;
use crate::spec::lifecycle::{META_ATTRIBUTES, read_depends_on, read_lifecycle};
use crate::spec::model::Lifecycle;
use crate::spec::pattern::{Pattern, read_pattern};
use crate::spec::suggest;

/// A block of a kind, read but not expanded.
pub(crate) struct ResourceBlock {
    pub(crate) address: BlockAddress,
    /// The header.
    pub(crate) span: Span,
    pub(crate) resource: Arc<dyn AnyResource>,
    pub(crate) attributes: BTreeMap<String, Arc<Pattern>>,
    pub(crate) expansions: Vec<(Expansion, Arc<Pattern>)>,
    pub(crate) for_each: Option<Arc<Pattern>>,
    pub(crate) account: Option<Arc<Pattern>>,
    pub(crate) depends_on: Vec<(Address, Span)>,
    pub(crate) lifecycle: Lifecycle,
}

/// Reads a block; attributes that the kind does not have are reported.
pub(crate) fn read_resource(
    address: &BlockAddress,
    block: &KindBlock,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> ResourceBlock {
    let schema = block.resource.schema();
    let mut read = ResourceBlock {
        address: address.clone(),
        span: block.block.span,
        resource: block.resource.clone(),
        attributes: BTreeMap::new(),
        expansions: Vec::new(),
        for_each: None,
        account: None,
        depends_on: Vec::new(),
        lifecycle: Lifecycle::default(),
    };
    let timeouts = block.resource.traits().timeouts;
    for entry in &block.block.table.entries {
        if read_lifecycle(entry, schema, timeouts, &mut read.lifecycle, diagnostics) {
            continue;
        }
        if entry.key == "depends_on" {
            read.depends_on = read_depends_on(&entry.node, diagnostics);
            continue;
        }
        let pattern = read_pattern(&entry.node, sources, diagnostics);
        match entry.key.as_str() {
            "for_each" => read.for_each = Some(pattern),
            "account" => read.account = Some(pattern),
            name => match schema.expansion(name) {
                Some(expansion) => read.expansions.push((expansion.clone(), pattern)),
                None if schema.input(name).is_some() => {
                    read.attributes.insert(name.to_owned(), pattern);
                }
                None => diagnostics.push(unknown_attribute(entry, schema)),
            },
        }
    }
    read
}

fn unknown_attribute(entry: &Entry, schema: &KindSchema) -> Diagnostic {
    let word = entry.key.as_str();
    let kind = schema.kind.as_str();
    let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
        .with_span(entry.key_span, format!("`{kind}` has no such attribute"));
    if word == "id" || schema.output(word).is_some() {
        return diagnostic.with_detail(format!("`{word}` is known by the service alone and cannot be set."));
    }
    let names = || {
        let inputs = schema.inputs.iter().map(|attribute| attribute.name);
        inputs.chain(schema.expansions.iter().map(|expansion| expansion.attribute)).chain(META_ATTRIBUTES)
    };
    let ours = suggest::foreign_attribute(kind, word);
    if let Some(ours) = ours.iter().find(|ours| names().any(|name| name == *ours)) {
        return diagnostic.with_hint(format!("This attribute is called `{ours}` here."));
    }
    suggest::did_you_mean(diagnostic, word, names())
}

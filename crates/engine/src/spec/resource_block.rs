//! A block of a kind, read but not expanded.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{Address, BlockAddress};
use crate::diagnostic::{Diagnostic, Diagnostics, Sources, Span};
use crate::erased::AnyKind;
use crate::lookup::is_lookup;
use crate::schema::{Expansion, KindSchema};
use crate::spec::blocks::KindBlock;
use crate::spec::document::Entry;
use crate::spec::lifecycle::{read_depends_on, read_lifecycle};
use crate::spec::model::Lifecycle;
use crate::spec::pattern::{Content, Pattern, read_pattern};
use crate::spec::{reserved, suggest};

/// A block of a kind, read but not expanded.
pub(crate) struct ResourceBlock {
    pub(crate) address: BlockAddress,
    /// The header.
    pub(crate) span: Span,
    pub(crate) resource: Arc<dyn AnyKind>,
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
    for entry in &block.block.table.entries {
        read.take(entry, sources, diagnostics);
    }
    read
}

impl ResourceBlock {
    /// Returns everything that is written in the block and may name something.
    pub(crate) fn patterns(&self) -> impl Iterator<Item = &Arc<Pattern>> {
        let expansions = self.expansions.iter().map(|(_, pattern)| pattern);
        self.for_each.iter().chain(&self.account).chain(self.attributes.values()).chain(expansions)
    }

    fn take(&mut self, entry: &Entry, sources: &Sources, diagnostics: &mut Diagnostics) {
        let resource = self.resource.clone();
        let schema = resource.schema();
        let is_read = match resource.timeouts() {
            Some(timeouts) => {
                let schema = resource.members().unwrap_or(schema);
                read_lifecycle(entry, schema, timeouts, &mut self.lifecycle, diagnostics)
            }
            // Which lookup it is was read with the header.
            None => entry.key == "kind",
        };
        if is_read {
            return;
        }
        if entry.key == "depends_on" {
            self.depends_on = read_depends_on(&entry.node, diagnostics);
            return;
        }
        let pattern = read_pattern(&entry.node, sources, diagnostics);
        match entry.key.as_str() {
            "for_each" => self.for_each = Some(pattern),
            "account" => self.account = Some(pattern),
            name => match schema.expansion(name) {
                Some(expansion) => self.expansions.push((expansion.clone(), pattern)),
                None if schema.input(name).is_some() => {
                    self.attributes.insert(name.to_owned(), pattern);
                }
                None => {
                    let inputs = schema.inputs.iter().map(|attribute| attribute.name);
                    let expansions = schema.expansions.iter().map(|expansion| expansion.attribute);
                    let any = if is_lookup(&schema.kind) { reserved::LOOKUP } else { reserved::ANY_RESOURCE };
                    let names: Vec<_> = inputs.chain(expansions).chain(reserved::names(any)).collect();
                    let (diagnostic, meant) = unknown_attribute(name, entry.key_span, schema, &names);
                    diagnostics.push(diagnostic);
                    self.take_as_written(meant, entry.key_span);
                }
            },
        }
    }

    /// Takes an attribute that was written under another name as written, so that it is not
    /// reported as missing besides.
    fn take_as_written(&mut self, meant: Option<String>, span: Span) {
        let schema = self.resource.schema();
        if let Some(name) = meant.filter(|name| schema.input(name).is_some()) {
            let broken = Pattern { span, content: Content::Broken };
            self.attributes.entry(name).or_insert_with(|| Arc::new(broken));
        }
    }
}

/// Describes a word that is none of the attributes `names` of a kind, and returns the one that was
/// meant.
pub(crate) fn unknown_attribute(
    word: &str,
    span: Span,
    schema: &KindSchema,
    names: &[&str],
) -> (Diagnostic, Option<String>) {
    let kind = schema.kind.as_str();
    let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
        .with_span(span, format!("`{kind}` has no such attribute"));
    if word == "id" || schema.output(word).is_some() {
        let detail = format!("`{word}` is known by the service alone and cannot be set.");
        return (diagnostic.with_detail(detail), None);
    }
    let ours = suggest::foreign_attribute(kind, word);
    if let Some(ours) = ours.into_iter().find(|ours| names.contains(&ours.as_str())) {
        return (diagnostic.with_hint(format!("This attribute is called `{ours}` here.")), Some(ours));
    }
    if let Some(sentence) = suggest::foreign_sentence(word) {
        return (diagnostic.with_hint(sentence), None);
    }
    let names = || names.iter().copied();
    let meant = suggest::closest(word, names()).map(str::to_owned);
    (suggest::did_you_mean(diagnostic, word, names()), meant)
}

//! What one folder says: the spec's own, or a component's. Read once, however often it is used.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::BlockAddress;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Sources, Span};
use crate::registry::Registry;
use crate::spec::blocks::{Block, Blocks};
use crate::spec::components::read::{Use, read_use};
use crate::spec::document::Data;
use crate::spec::imports::{ImportBlock, read_imports};
use crate::spec::pattern::{Content, Pattern, read_pattern};
use crate::spec::refactoring::{Refactoring, read_refactoring};
use crate::spec::resource_block::{ResourceBlock, read_resource};
use crate::spec::variables::{Variable, is_sensitive, read_flag, read_variable};
use crate::spec::{reserved, suggest};

/// What one folder says, nothing evaluated.
pub(crate) struct Body {
    pub(crate) blocks: Arc<Blocks>,
    pub(crate) locals: BTreeMap<String, Arc<Pattern>>,
    pub(crate) defaults: BTreeMap<SourceId, Defaults>,
    pub(crate) resources: BTreeMap<BlockAddress, ResourceBlock>,
    pub(crate) outputs: BTreeMap<String, Output>,
    pub(crate) inputs: BTreeMap<String, Variable>,
    pub(crate) uses: BTreeMap<String, Use>,
    pub(crate) refactoring: Refactoring,
    pub(crate) imports: Vec<ImportBlock>,
}

/// The `[defaults]` of one file.
#[derive(Clone, Default)]
pub(crate) struct Defaults {
    pub(crate) account: Option<Arc<Pattern>>,
    pub(crate) tags: Option<Arc<Pattern>>,
}

/// An `[output.NAME]` block.
pub(crate) struct Output {
    pub(crate) value: Arc<Pattern>,
    pub(crate) description: Option<String>,
    /// Whether the value is shown only to who asks for it by name.
    pub(crate) sensitive: bool,
    pub(crate) span: Span,
}

impl Body {
    /// Reads the blocks of a folder; what is wrong with them is reported.
    pub(crate) fn read(
        blocks: Blocks,
        registry: &Registry,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let refactoring = read_refactoring(&blocks, registry, diagnostics);
        let imports = read_imports(&blocks, registry, sources, diagnostics);
        let locals = blocks.locals.iter();
        let locals =
            locals.map(|(name, entry)| (name.clone(), read_pattern(&entry.node, sources, diagnostics)));
        let locals = locals.collect();
        let defaults = blocks.defaults.iter();
        let defaults = defaults.map(|(source, block)| (*source, read_defaults(block, sources, diagnostics)));
        let defaults = defaults.collect();
        let resources = blocks.resources.iter();
        let resources = resources
            .map(|(address, block)| (address.clone(), read_resource(address, block, sources, diagnostics)));
        let resources = resources.collect();
        let outputs = blocks.outputs.iter();
        let outputs = outputs
            .filter_map(|(name, block)| Some((name.clone(), read_output(block, sources, diagnostics)?)));
        let outputs = outputs.collect();
        let inputs = blocks.inputs.iter();
        let inputs = inputs.map(|(name, block)| (name.clone(), read_variable(block, sources, diagnostics)));
        let inputs = inputs.collect();
        let uses = blocks.uses.iter();
        let uses = uses.map(|(name, block)| (name.clone(), read_use(block, sources, diagnostics)));
        let uses = uses.collect();
        let blocks = Arc::new(blocks);
        Self { blocks, locals, defaults, resources, outputs, inputs, uses, refactoring, imports }
    }

    /// Returns about how many bytes of a file each instance of the folder takes: those that name
    /// something, since what is constant is not copied.
    pub(crate) fn size(&self) -> usize {
        const EACH: usize = 64;
        let resources = self.resources.values().flat_map(ResourceBlock::patterns);
        let outputs = self.outputs.values().map(|output| &output.value);
        let inputs = self.uses.values().flat_map(|found| found.inputs.values().map(|(_, input)| input));
        let imports = self.imports.iter().map(|import| &import.id);
        let patterns = self.locals.values().chain(resources).chain(outputs).chain(inputs).chain(imports);
        let empty = EACH * (self.resources.len() + self.inputs.len() + 1);
        patterns.map(|pattern| EACH + size(pattern)).sum::<usize>() + empty
    }
}

/// Returns how many bytes the expressions in a pattern take where they are written.
fn size(pattern: &Pattern) -> usize {
    match &pattern.content {
        // Members of bundles come after linking.
        Content::Constant(_) | Content::Member(_) | Content::Broken => 0,
        Content::Expression(_) | Content::Text(_) => pattern.span.end - pattern.span.start,
        Content::List(items) | Content::Layers(items) => items.iter().map(|item| 1 + size(item)).sum(),
        Content::Table(fields) => fields.iter().map(|field| field.key.len() + 1 + size(&field.value)).sum(),
        Content::Item(of, _) | Content::Sealed(of) => size(of),
    }
}

fn read_defaults(block: &Block, sources: &Sources, diagnostics: &mut Diagnostics) -> Defaults {
    let mut defaults = Defaults::default();
    for entry in &block.table.entries {
        match entry.key.as_str() {
            "account" => defaults.account = Some(read_pattern(&entry.node, sources, diagnostics)),
            "tags" => defaults.tags = Some(read_pattern(&entry.node, sources, diagnostics)),
            other => {
                let known = reserved::names(reserved::DEFAULTS);
                let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
                    .with_span(entry.key_span, "`[defaults]` has no such attribute")
                    .with_detail(format!("It has {}.", suggest::list(&known)));
                diagnostics.push(suggest::did_you_mean(diagnostic, other, known));
            }
        }
    }
    defaults
}

fn read_output(block: &Block, sources: &Sources, diagnostics: &mut Diagnostics) -> Option<Output> {
    let (mut value, mut description) = (None, None);
    for entry in &block.table.entries {
        match (entry.key.as_str(), &entry.node.data) {
            ("value", _) => value = Some(read_pattern(&entry.node, sources, diagnostics)),
            ("description", Data::Text(text)) => description = Some(text.clone()),
            ("description", _) => {
                let label = format!("expected a string, found {}", entry.node.type_name());
                diagnostics
                    .push(Diagnostic::error("wrong-type", "wrong type").with_span(entry.node.span, label));
            }
            ("sensitive", _) => diagnostics.extend(read_flag(&entry.node).err().map(|problem| *problem)),
            (other, _) => {
                let known = reserved::names(reserved::OUTPUT);
                let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
                    .with_span(entry.key_span, "outputs have no such attribute")
                    .with_detail(format!("An output has {}.", suggest::list(&known)));
                diagnostics.push(suggest::did_you_mean(diagnostic, other, known));
            }
        }
    }
    if value.is_none() {
        let diagnostic = Diagnostic::error("missing-attribute", "missing attribute")
            .with_span(block.span, "`value` is missing");
        diagnostics.push(diagnostic);
    }
    Some(Output { value: value?, description, sensitive: is_sensitive(block), span: block.span })
}

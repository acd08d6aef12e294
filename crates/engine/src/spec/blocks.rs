//! Sorts the blocks of all files by what they describe.

use std::collections::btree_map::Entry as MapEntry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::{BlockAddress, Kind, is_word};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Span};
use crate::erased::AnyKind;
use crate::lookup::{WORD, kind_of};
use crate::registry::Registry;
use crate::spec::document::{Data, Entry, Node, Table};
use crate::spec::suggest;

/// A block: its header and its entries.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) span: Span,
    pub(crate) table: Table,
}

/// A block that describes resources of a kind.
pub(crate) struct KindBlock {
    pub(crate) block: Block,
    pub(crate) resource: Arc<dyn AnyKind>,
}

/// The blocks of all files, by what they describe.
#[derive(Default)]
pub(crate) struct Blocks {
    pub(crate) stack: Option<Block>,
    pub(crate) variables: BTreeMap<String, Block>,
    pub(crate) accounts: BTreeMap<String, Block>,
    pub(crate) locals: BTreeMap<String, Entry>,
    pub(crate) outputs: BTreeMap<String, Block>,
    pub(crate) defaults: BTreeMap<SourceId, Block>,
    pub(crate) resources: BTreeMap<BlockAddress, KindBlock>,
    /// What makes the folder a component.
    pub(crate) component: Option<Block>,
    pub(crate) inputs: BTreeMap<String, Block>,
    pub(crate) uses: BTreeMap<String, Block>,
    pub(crate) moved: Vec<Block>,
    pub(crate) removed: Vec<Block>,
    pub(crate) imports: Vec<Block>,
    /// Blocks that were refused; references to them are no further error.
    pub(crate) refused: BTreeSet<BlockAddress>,
}

const SUPPORTED: [&str; 13] = [
    "stack",
    "var",
    "local",
    "account",
    "defaults",
    "output",
    "component",
    "input",
    "use",
    "moved",
    "removed",
    "import",
    "lookup",
];

/// Tells whether a word at the head of a block is no kind.
pub(crate) fn is_reserved(word: &str) -> bool {
    SUPPORTED.contains(&word)
}

/// Sorts the blocks of all files; what is no block is reported.
pub(crate) fn sort_blocks(
    documents: Vec<(SourceId, Table)>,
    registry: &Registry,
    diagnostics: &mut Diagnostics,
) -> Blocks {
    let mut sorter = Sorter { blocks: Blocks::default(), registry, diagnostics };
    for (source, document) in documents {
        for entry in document.entries {
            sorter.top_level(source, entry);
        }
    }
    sorter.blocks
}

struct Sorter<'a> {
    blocks: Blocks,
    registry: &'a Registry,
    diagnostics: &'a mut Diagnostics,
}

impl Sorter<'_> {
    fn top_level(&mut self, source: SourceId, entry: Entry) {
        let Entry { key, key_span, node } = entry;
        if ["moved", "removed", "import"].contains(&key.as_str()) {
            return self.repeated(&key, key_span, node);
        }
        let table = match node.data {
            Data::Table(table) => table,
            Data::List(_) | Data::Bool(_) | Data::Integer(_) | Data::Float(_) | Data::Text(_) => {
                let diagnostic = Diagnostic::error("not-a-block", "not a block")
                    .with_span(key_span, format!("expected a block, found {}", node.type_name()))
                    .with_hint("Every block is `[kind.name]`; a value that others use goes into `[local]`.");
                return self.diagnostics.push(diagnostic);
            }
        };
        let whole = |table| Block { span: key_span, table };
        match key.as_str() {
            "stack" => match &self.blocks.stack {
                Some(first) => duplicate(self.diagnostics, "`[stack]`", key_span, first.span),
                None => self.blocks.stack = Some(whole(table)),
            },
            "component" => match &self.blocks.component {
                Some(first) => duplicate(self.diagnostics, "`[component]`", key_span, first.span),
                None => self.blocks.component = Some(whole(table)),
            },
            "defaults" => {
                self.blocks.defaults.insert(source, whole(table));
            }
            "local" => self.locals(table),
            WORD => self.lookups(table),
            "var" | "account" | "output" | "input" | "use" => self.named(&key, table),
            _ => self.kind(&key, key_span, table),
        }
    }

    /// Takes blocks that have no names of their own: `[[moved]]`.
    fn repeated(&mut self, word: &str, span: Span, node: Node) {
        let blocks = match word {
            "moved" => &mut self.blocks.moved,
            "import" => &mut self.blocks.imports,
            _ => &mut self.blocks.removed,
        };
        let found = node.type_name();
        let tables: Option<Vec<_>> = match node.data {
            Data::List(items) => items
                .into_iter()
                .map(|item| if let Data::Table(table) = item.data { Some((item.span, table)) } else { None })
                .collect(),
            Data::Table(_) | Data::Bool(_) | Data::Integer(_) | Data::Float(_) | Data::Text(_) => None,
        };
        let Some(tables) = tables else {
            let diagnostic = Diagnostic::error("not-a-block", "not a block")
                .with_span(span, format!("expected blocks, found {found}"))
                .with_hint(format!("There can be several of these: write `[[{word}]]`, with two brackets."));
            return self.diagnostics.push(diagnostic);
        };
        blocks.extend(tables.into_iter().map(|(span, table)| Block { span, table }));
    }

    fn locals(&mut self, table: Table) {
        for entry in table.entries {
            match self.blocks.locals.entry(entry.key.clone()) {
                MapEntry::Occupied(first) => {
                    let name = format!("`local.{}`", entry.key);
                    duplicate(self.diagnostics, &name, entry.key_span, first.get().key_span);
                }
                MapEntry::Vacant(place) => {
                    if check_name("local", &entry, self.diagnostics) {
                        place.insert(entry);
                    }
                }
            }
        }
    }

    fn named(&mut self, reserved: &str, table: Table) {
        for entry in table.entries {
            let Some((name, block)) = named_block(reserved, entry, self.diagnostics) else { continue };
            let blocks = match reserved {
                "var" => &mut self.blocks.variables,
                "account" => &mut self.blocks.accounts,
                "input" => &mut self.blocks.inputs,
                "use" => &mut self.blocks.uses,
                _ => &mut self.blocks.outputs,
            };
            match blocks.entry(name) {
                MapEntry::Occupied(first) => {
                    let name = format!("`{reserved}.{}`", first.key());
                    duplicate(self.diagnostics, &name, block.span, first.get().span);
                }
                MapEntry::Vacant(place) => {
                    place.insert(block);
                }
            }
        }
    }

    fn lookups(&mut self, table: Table) {
        for entry in table.entries {
            let key = entry.key.clone();
            let read = named_block(WORD, entry, self.diagnostics).and_then(|(name, block)| {
                let found = looked_up(&block, self.registry);
                let lookup = found.map_err(|problem| self.diagnostics.push(*problem)).ok()?;
                Some((name, block, lookup))
            });
            match read {
                Some((name, block, lookup)) => {
                    self.insert(BlockAddress::new(Kind::new(WORD), name), block, lookup);
                }
                None => drop(self.blocks.refused.insert(BlockAddress::new(Kind::new(WORD), key))),
            }
        }
    }

    fn insert(&mut self, address: BlockAddress, block: Block, resource: Arc<dyn AnyKind>) {
        match self.blocks.resources.entry(address) {
            MapEntry::Occupied(first) => {
                let name = format!("`{}`", first.key());
                duplicate(self.diagnostics, &name, block.span, first.get().block.span);
            }
            MapEntry::Vacant(place) => {
                place.insert(KindBlock { block, resource });
            }
        }
    }

    fn kind(&mut self, word: &str, span: Span, table: Table) {
        let Some(resource) = self.registry.described(word) else {
            self.diagnostics.push(unknown_kind(word, span, self.registry));
            for entry in table.entries {
                self.blocks.refused.insert(BlockAddress::new(Kind::new(word), entry.key));
            }
            return;
        };
        for entry in table.entries {
            let key = entry.key.clone();
            let Some((name, block)) = named_block(word, entry, self.diagnostics) else {
                self.blocks.refused.insert(BlockAddress::new(Kind::new(word), key));
                continue;
            };
            let address = BlockAddress::new(resource.schema().kind.clone(), name);
            self.insert(address, block, resource.clone());
        }
    }
}

/// Returns what a `[lookup.NAME]` block looks up.
///
/// # Errors
/// If it does not say so, or there is no such lookup.
fn looked_up(block: &Block, registry: &Registry) -> Result<Arc<dyn AnyKind>, Box<Diagnostic>> {
    let words = || registry.lookups().map(|(word, _)| word);
    let known: Vec<_> = words().collect();
    let known = if known.is_empty() {
        "This program looks up nothing.".to_owned()
    } else {
        format!("What can be looked up: {}.", suggest::list(&known))
    };
    let Some(entry) = block.table.entries.iter().find(|entry| entry.key == "kind") else {
        return Err(Diagnostic::error("missing-attribute", "missing attribute")
            .with_span(block.span, "`kind` is missing")
            .with_detail(known)
            .into());
    };
    let Data::Text(word) = &entry.node.data else {
        let label = format!("expected a string, found {}", entry.node.type_name());
        return Err(Diagnostic::error("wrong-type", "wrong type").with_span(entry.node.span, label).into());
    };
    if let Some(lookup) = registry.lookup(&kind_of(word)) {
        return Ok(lookup.clone());
    }
    let diagnostic = Diagnostic::error("unknown-lookup", "unknown lookup")
        .with_span(entry.node.span, "nothing of this kind can be looked up")
        .with_detail(known);
    Err(suggest::did_you_mean(diagnostic, word, words()).into())
}

fn named_block(kind: &str, entry: Entry, diagnostics: &mut Diagnostics) -> Option<(String, Block)> {
    if !check_name(kind, &entry, diagnostics) {
        return None;
    }
    if let Data::Table(table) = entry.node.data {
        return Some((entry.key, Block { span: entry.key_span, table }));
    }
    let diagnostic = Diagnostic::error("not-a-block", "not a block")
        .with_span(entry.key_span, format!("expected a block, found {}", entry.node.type_name()))
        .with_hint(format!("Every block has a name: `[{kind}.NAME]`, and below it `{} = ...`.", entry.key));
    diagnostics.push(diagnostic);
    None
}

fn check_name(kind: &str, entry: &Entry, diagnostics: &mut Diagnostics) -> bool {
    let good = is_word(&entry.key);
    if !good {
        let diagnostic = Diagnostic::error("invalid-name", "invalid name")
            .with_span(entry.key_span, format!("no name for `{kind}`"))
            .with_hint("Names begin with a letter or `_` and go on with letters, digits, `_` and `-`.");
        diagnostics.push(diagnostic);
    }
    good
}

fn duplicate(diagnostics: &mut Diagnostics, name: &str, span: Span, first: Span) {
    let diagnostic = Diagnostic::error("duplicate-block", "duplicate block")
        .with_span(span, format!("{name} is described again"))
        .with_related(first, "first described here");
    diagnostics.push(diagnostic);
}

/// Describes a kind that the program was not built with.
pub(crate) fn unknown_kind(word: &str, span: Span, registry: &Registry) -> Diagnostic {
    let diagnostic = Diagnostic::error("unknown-kind", "unknown kind")
        .with_span(span, "no kind has this name")
        .with_detail(format!("There is no kind `{}`.", word.escape_debug()));
    if let Some(sentence) = suggest::foreign_block(word) {
        return diagnostic.with_hint(sentence);
    }
    if suggest::is_planned(word) {
        return diagnostic.with_hint("This version does not have this kind yet.");
    }
    match suggest::foreign_kind(word) {
        Some(ours) if registry.described(&ours).is_some() => {
            return diagnostic.with_hint(format!("This kind is called `{ours}` here."));
        }
        Some(ours) if suggest::is_planned(&ours) => {
            let hint = format!("This kind is called `{ours}` here, and this version does not have it yet.");
            return diagnostic.with_hint(hint);
        }
        Some(_) | None => {}
    }
    let kinds = registry.all_described().map(|described| described.schema().kind.as_str());
    suggest::did_you_mean(diagnostic, word, kinds.chain(SUPPORTED))
}

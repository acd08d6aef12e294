//! Reads what makes a folder a component, and what uses one.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::{AccountName, Address};
use crate::diagnostic::{Diagnostic, Diagnostics, Sources, Span};
use crate::spec::blocks::{Block, Blocks};
use crate::spec::document::{Data, Entry, Node, Table};
use crate::spec::lifecycle::read_depends_on;
use crate::spec::pattern::{Pattern, read_pattern};
use crate::spec::stack::read_requires;
use crate::spec::{reserved, suggest};

/// A `[use.NAME]` block.
pub(crate) struct Use {
    /// The header.
    pub(crate) span: Span,
    /// The folder as it is written, with its place; `None` if that was reported.
    pub(crate) source: Option<(String, Span)>,
    pub(crate) for_each: Option<Arc<Pattern>>,
    /// By name: where the name is written, and the value.
    pub(crate) inputs: BTreeMap<String, (Span, Arc<Pattern>)>,
    /// By the component's alias: where that is written, and the account.
    pub(crate) accounts: BTreeMap<String, (Span, AccountName)>,
    /// Where everything lives if the component has no aliases.
    pub(crate) account: Option<(Span, AccountName)>,
    pub(crate) depends_on: Vec<(Address, Span)>,
}

/// Reads a `[use.NAME]` block; what is wrong with it is reported.
pub(crate) fn read_use(block: &Block, sources: &Sources, diagnostics: &mut Diagnostics) -> Use {
    let mut read = Use {
        span: block.span,
        source: None,
        for_each: None,
        inputs: BTreeMap::new(),
        accounts: BTreeMap::new(),
        account: None,
        depends_on: Vec::new(),
    };
    for entry in &block.table.entries {
        if let Err(diagnostic) = read.take(entry, sources, diagnostics) {
            diagnostics.push(*diagnostic);
        }
    }
    if !block.table.entries.iter().any(|entry| entry.key == "source") {
        let diagnostic = Diagnostic::error("missing-attribute", "missing attribute")
            .with_span(block.span, "`source` is missing")
            .with_hint("Write the folder of the component: `source = \"./components/network\"`.");
        diagnostics.push(diagnostic);
    }
    read
}

impl Use {
    fn take(
        &mut self,
        entry: &Entry,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) -> Result<(), Box<Diagnostic>> {
        let node = &entry.node;
        match entry.key.as_str() {
            "source" => self.source = Some((text(node)?.to_owned(), node.span)),
            "for_each" => self.for_each = Some(read_pattern(node, sources, diagnostics)),
            "inputs" => {
                for input in &table(node)?.entries {
                    let value = read_pattern(&input.node, sources, diagnostics);
                    self.inputs.insert(input.key.clone(), (input.key_span, value));
                }
            }
            "accounts" => {
                for alias in &table(node)?.entries {
                    let account = AccountName::new(text(&alias.node)?);
                    self.accounts.insert(alias.key.clone(), (alias.key_span, account));
                }
            }
            "account" => self.account = Some((node.span, AccountName::new(text(node)?))),
            "depends_on" => self.depends_on = read_depends_on(node, diagnostics),
            other => {
                let known = reserved::names(reserved::USE);
                let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
                    .with_span(entry.key_span, "`[use]` has no such attribute")
                    .with_detail(format!(
                        "It has {}; what the component wants is written below `inputs`.",
                        suggest::list(&known)
                    ));
                return Err(suggest::did_you_mean(diagnostic, other, known).into());
            }
        }
        Ok(())
    }
}

/// Reports what a component cannot have, and checks its `[component]` block.
pub(crate) fn check_component(blocks: &Blocks, used_at: Span, folder: &str, diagnostics: &mut Diagnostics) {
    match (&blocks.component, &blocks.stack) {
        (Some(component), None) => check_header(component, diagnostics),
        (None, Some(stack)) => {
            let diagnostic = Diagnostic::error("no-component", "no component")
                .with_span(used_at, format!("`{folder}` is a stack of its own"))
                .with_related(stack.span, "the stack")
                .with_detail(
                    "A component has `[component]` instead of `[stack]`, and inputs instead of variables.",
                );
            diagnostics.push(diagnostic);
        }
        (None, None) => {
            let diagnostic = Diagnostic::error("no-component", "no component")
                .with_span(used_at, format!("`{folder}` has no `[component]` block"))
                .with_hint("Write `[component]` in one of its files.");
            diagnostics.push(diagnostic);
        }
        (Some(_), Some(stack)) => diagnostics.push(misplaced(stack.span, "[stack]", "belong to a stack")),
    }
    for variable in blocks.variables.values() {
        let hint = "Write `[input.NAME]`, and give it its value where the component is used.";
        diagnostics.push(misplaced(variable.span, "[var]", "belong to a stack").with_hint(hint));
    }
    for alias in blocks.accounts.values() {
        let known = reserved::names(reserved::ACCOUNT_NAME);
        for entry in alias.table.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
                .with_span(entry.key_span, "an account of a component has no such attribute")
                .with_detail("It is a name that every `[use]` maps to an account of its own: `accounts = { alias = \"account\" }`.")
                .with_hint("Only `description` can stand here.");
            diagnostics.push(diagnostic);
        }
    }
}

/// Reports what only a component can have.
pub(crate) fn check_stack(blocks: &Blocks, diagnostics: &mut Diagnostics) {
    for input in blocks.inputs.values() {
        let hint = "Write `[var.NAME]` for a value that is given from outside.";
        diagnostics.push(misplaced(input.span, "[input]", "belong to a component").with_hint(hint));
    }
}

/// Says what a folder is that has `[component]`, and is loaded as if it were a stack.
pub(crate) fn component_alone(blocks: &Blocks, diagnostics: &mut Diagnostics) -> Option<Diagnostic> {
    let component = blocks.component.as_ref()?;
    check_header(component, diagnostics);
    let diagnostic = Diagnostic::error("component-alone", "a component, not a stack")
        .with_span(component.span, "this folder is a component")
        .with_detail("A component has no accounts and no state of its own: a stack uses it.")
        .with_hint("Write `[use.NAME]` with `source = \"./path/of/this/folder\"` in a stack, and name that one here.");
    Some(diagnostic)
}

fn check_header(block: &Block, diagnostics: &mut Diagnostics) {
    let known = reserved::names(reserved::COMPONENT);
    for entry in &block.table.entries {
        let result = match entry.key.as_str() {
            "name" | "description" => text(&entry.node).map(drop),
            "requires" => read_requires(&entry.node).map(drop),
            other => {
                let diagnostic = Diagnostic::error("unknown-attribute", "unknown attribute")
                    .with_span(entry.key_span, "`[component]` has no such attribute")
                    .with_detail(format!("It has {}.", suggest::list(&known)));
                Err(suggest::did_you_mean(diagnostic, other, known.clone()).into())
            }
        };
        diagnostics.extend(result.err().map(|diagnostic| *diagnostic));
    }
}

fn misplaced(span: Span, block: &str, belong: &str) -> Diagnostic {
    Diagnostic::error("misplaced-block", "block in the wrong place")
        .with_span(span, format!("`{block}` blocks {belong}"))
}

fn text(node: &Node) -> Result<&str, Box<Diagnostic>> {
    if let Data::Text(text) = &node.data { Ok(text) } else { Err(wrong_type(node, "a string")) }
}

fn table(node: &Node) -> Result<&Table, Box<Diagnostic>> {
    if let Data::Table(table) = &node.data { Ok(table) } else { Err(wrong_type(node, "a table")) }
}

fn wrong_type(node: &Node, expected: &str) -> Box<Diagnostic> {
    let label = format!("expected {expected}, found {}", node.type_name());
    Diagnostic::error("wrong-type", "wrong type").with_span(node.span, label).into()
}

//! The stages of loading in their order.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::address::{AccountName, BlockAddress};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Sources, Span};
use crate::registry::Registry;
use crate::spec::accounts::{AccountBlock, account_schema, read_account};
use crate::spec::blocks::{Block, Blocks, sort_blocks};
use crate::spec::document::{Data, Table, read_document};
use crate::spec::evaluator::Evaluator;
use crate::spec::expression::ast::Reference;
use crate::spec::order::{Part, PartGraph, Wait};
use crate::spec::pattern::{Pattern, read_pattern};
use crate::spec::refactoring::{check_refactoring, read_refactoring};
use crate::spec::references::{Names, Place};
use crate::spec::resource_block::{ResourceBlock, read_resource};
use crate::spec::stack::{StackBlock, read_stack};
use crate::spec::variables::resolve_variables;
use crate::spec::{Spec, SpecText};
use crate::spec::{reserved, suggest};
use crate::value::Value;

/// Everything that was read, and nothing evaluated.
pub(crate) struct Program {
    pub(crate) stack: StackBlock,
    pub(crate) locals: BTreeMap<String, Arc<Pattern>>,
    pub(crate) accounts: BTreeMap<AccountName, AccountBlock>,
    pub(crate) defaults: BTreeMap<SourceId, Defaults>,
    pub(crate) resources: BTreeMap<BlockAddress, ResourceBlock>,
    pub(crate) outputs: BTreeMap<String, Output>,
}

/// The `[defaults]` of one file.
#[derive(Default)]
pub(crate) struct Defaults {
    pub(crate) account: Option<Arc<Pattern>>,
    pub(crate) tags: Option<Arc<Pattern>>,
}

/// An `[output.NAME]` block.
pub(crate) struct Output {
    pub(crate) value: Arc<Pattern>,
    pub(crate) description: Option<String>,
    pub(crate) span: Span,
}

/// Loads a spec; problems are reported, and `None` is returned if there is nothing to go on with.
pub(crate) fn compile(text: &SpecText, registry: &Registry, diagnostics: &mut Diagnostics) -> Option<Spec> {
    let sources = &text.sources;
    let (documents, variable_files) = read_documents(text, diagnostics)?;
    let blocks = sort_blocks(documents, registry, diagnostics);
    let variables =
        resolve_variables(&blocks.variables, &variable_files, &text.variables, sources, diagnostics);
    let mut program = read_program(&blocks, registry, sources, diagnostics);
    check_references(&mut program, Names { blocks: &blocks, registry }, diagnostics);
    let refactoring = read_refactoring(&blocks, registry, diagnostics);
    let order = part_graph(&program).order();
    diagnostics.extend(order.diagnostics.iter().cloned());
    let digest = digest(text, &variables);
    let mut evaluator = Evaluator::new(&program, registry, variables, diagnostics);
    evaluator.run(&order);
    evaluator.cross_boundaries();
    let spec = evaluator.finish(sources, refactoring, digest);
    // What could not be read or expanded is not there; that a move leads to it is no second problem.
    if !diagnostics.has_errors() {
        check_refactoring(&spec, diagnostics);
    }
    Some(spec)
}

type Documents = Vec<(SourceId, Table)>;

/// Returns the files of the spec and those with values of variables.
fn read_documents(text: &SpecText, diagnostics: &mut Diagnostics) -> Option<(Documents, Documents)> {
    let mut documents = Documents::new();
    let mut variable_files = BTreeMap::new();
    let mut failed = false;
    for (source, _) in text.sources.iter() {
        match read_document(source, &text.sources, diagnostics) {
            Some(table) if text.variable_files.contains(&source) => {
                variable_files.insert(source, table);
            }
            Some(table) => documents.push((source, table)),
            None => failed = true,
        }
    }
    let in_order =
        text.variable_files.iter().filter_map(|source| Some((*source, variable_files.remove(source)?)));
    let variable_files = in_order.collect();
    (!failed).then_some((documents, variable_files))
}

fn read_program(
    blocks: &Blocks,
    registry: &Registry,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> Program {
    let schema = account_schema(registry.provider().account_attributes());
    let stack = read_stack(blocks.stack.as_ref(), sources, diagnostics);
    let mut program = Program {
        stack,
        locals: BTreeMap::new(),
        accounts: BTreeMap::new(),
        defaults: BTreeMap::new(),
        resources: BTreeMap::new(),
        outputs: BTreeMap::new(),
    };
    for (name, entry) in &blocks.locals {
        program.locals.insert(name.clone(), read_pattern(&entry.node, sources, diagnostics));
    }
    for (name, block) in &blocks.accounts {
        let account = read_account(block, &schema, sources, diagnostics);
        program.accounts.insert(AccountName::new(name.as_str()), account);
    }
    for (source, block) in &blocks.defaults {
        program.defaults.insert(*source, read_defaults(block, sources, diagnostics));
    }
    for (address, block) in &blocks.resources {
        program.resources.insert(address.clone(), read_resource(address, block, sources, diagnostics));
    }
    for (name, block) in &blocks.outputs {
        if let Some(output) = read_output(block, sources, diagnostics) {
            program.outputs.insert(name.clone(), output);
        }
    }
    program
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
    Some(Output { value: value?, description, span: block.span })
}

fn check_references(program: &mut Program, names: Names<'_>, diagnostics: &mut Diagnostics) {
    let mut check = |pattern: &mut Arc<Pattern>, place| names.check(pattern, place, diagnostics);
    program.stack.tags.iter_mut().for_each(|tags| check(tags, Place::STATIC));
    for defaults in program.defaults.values_mut() {
        let patterns = defaults.account.iter_mut().chain(&mut defaults.tags);
        patterns.for_each(|pattern| check(pattern, Place::STATIC));
    }
    for account in program.accounts.values_mut() {
        account.attributes.values_mut().for_each(|pattern| check(pattern, Place::STATIC));
    }
    program.locals.values_mut().for_each(|pattern| check(pattern, Place::FREE));
    program.outputs.values_mut().for_each(|output| check(&mut output.value, Place::FREE));
    for resource in program.resources.values_mut() {
        let each = resource.for_each.is_some();
        let owner = Some(&resource.address);
        let own = Place { each, resources: true, owner };
        resource.for_each.iter_mut().for_each(|pattern| check(pattern, Place { each: false, ..own }));
        resource.account.iter_mut().for_each(|pattern| check(pattern, Place { each, ..Place::STATIC }));
        resource.attributes.values_mut().for_each(|pattern| check(pattern, own));
        let children = resource.expansions.iter_mut().map(|(_, pattern)| pattern);
        children.for_each(|pattern| check(pattern, Place { owner: None, ..own }));
    }
    check_depends_on(program, names, diagnostics);
}

/// Takes out every `depends_on` that leads nowhere.
fn check_depends_on(program: &mut Program, names: Names<'_>, diagnostics: &mut Diagnostics) {
    for resource in program.resources.values_mut() {
        let owner = &resource.address;
        resource.depends_on.retain(|(address, span)| {
            let problem = if address.block() == owner {
                let diagnostic = Diagnostic::error("self-reference", "resource refers to itself");
                Some(diagnostic.with_span(*span, format!("this is `{owner}` itself")))
            } else {
                names.check_block(address.block(), address.key().is_some(), *span)
            };
            let known = names.blocks.resources.contains_key(address.block());
            let keep = problem.is_none() && known;
            diagnostics.extend(problem);
            keep
        });
    }
}

fn part_graph(program: &Program) -> PartGraph {
    let mut graph = PartGraph::default();
    for (name, pattern) in &program.locals {
        for wait in [Wait::Whole, Wait::Parent] {
            let part = Part::Local(name.clone(), wait);
            graph.add(&part);
            add_needs(&mut graph, program, &part, pattern, wait);
        }
        let part = |wait| Part::Local(name.clone(), wait);
        graph.need(&part(Wait::Whole), &part(Wait::Parent), pattern.span);
    }
    for (name, account) in &program.accounts {
        let part = Part::Account(name.clone());
        graph.add(&part);
        for pattern in account.attributes.values() {
            add_needs(&mut graph, program, &part, pattern, Wait::Whole);
        }
    }
    for (address, resource) in &program.resources {
        let own = Part::Own(address.clone());
        graph.add(&own);
        let patterns = resource.for_each.iter().chain(&resource.account).chain(resource.attributes.values());
        for pattern in patterns {
            add_needs(&mut graph, program, &own, pattern, Wait::Whole);
        }
        for (target, span) in &resource.depends_on {
            add_block(&mut graph, program, &own, target.block(), Wait::Whole, *span);
        }
        if !resource.expansions.is_empty() {
            let children = Part::Children(address.clone());
            graph.need(&children, &own, resource.span);
            for (_, pattern) in &resource.expansions {
                add_needs(&mut graph, program, &children, pattern, Wait::Parent);
            }
        }
    }
    graph
}

fn add_needs(graph: &mut PartGraph, program: &Program, part: &Part, pattern: &Pattern, wait: Wait) {
    pattern.visit_references(&mut |reference, span| match reference {
        Reference::Local(name) => graph.need(part, &Part::Local(name.clone(), wait), span),
        Reference::AccountId(name) | Reference::AccountRegion(name) => {
            graph.need(part, &Part::Account(name.clone()), span);
        }
        Reference::Resource(reference) => add_block(graph, program, part, &reference.block, wait, span),
        Reference::Variable(_)
        | Reference::StackName
        | Reference::StackId
        | Reference::EachKey
        | Reference::EachValue => {}
    });
}

fn add_block(
    graph: &mut PartGraph,
    program: &Program,
    part: &Part,
    block: &BlockAddress,
    wait: Wait,
    span: Span,
) {
    graph.need(part, &Part::Own(block.clone()), span);
    let expands = program.resources.get(block).is_some_and(|target| !target.expansions.is_empty());
    if wait == Wait::Whole && expands {
        graph.need(part, &Part::Children(block.clone()), span);
    }
}

/// The names of folders and of files with values do not count, only what they say.
fn digest(text: &SpecText, variables: &BTreeMap<String, Option<Value>>) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    let spec_files = text.sources.iter().filter(|(source, _)| !text.variable_files.contains(source));
    let name = |path: &std::path::Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let files: BTreeMap<_, _> =
        spec_files.map(|(_, source)| (name(&source.path), source.text.as_bytes())).collect();
    add(&files.len().to_be_bytes());
    for (name, content) in files {
        add(name.unwrap_or_default().as_bytes());
        add(content);
    }
    for (name, value) in variables {
        add(name.as_bytes());
        add(&serde_json::to_vec(value).expect("values of variables are finite and known"));
    }
    HEXLOWER.encode(&hash.finalize())
}

//! The stages of loading in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::address::AccountName;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceId, Sources, Span};
use crate::registry::Registry;
use crate::spec::accounts::{AccountBlock, account_schema, read_account};
use crate::spec::blocks::Block;
use crate::spec::components::aliases::warn_of_unused_aliases;
use crate::spec::components::check::{check_references, check_stack_references, check_uses};
use crate::spec::components::component_alone;
use crate::spec::components::library::{Library, Loading};
use crate::spec::components::linker::{Copied, Linker};
use crate::spec::components::program::Program;
use crate::spec::document::{Table, read_document};
use crate::spec::evaluator::Evaluator;
use crate::spec::files::FileReader;
use crate::spec::imports::check_imports;
use crate::spec::parts::part_graph;
use crate::spec::refactoring::check_refactoring;
use crate::spec::sensitivity::{Sensitivities, declares_sensitive, hidden_places};
use crate::spec::source::Folders;
use crate::spec::stack::read_stack;
use crate::spec::variables::{is_sensitive, resolve_variables};
use crate::spec::world::World;
use crate::spec::{Spec, SpecText};
use crate::supply::Supply;
use crate::value::Value;

/// Loads a spec; problems are reported, and `None` is returned if there is nothing to go on with.
/// The files of components are added to those of the spec. What had to be fetched first is named.
pub(crate) fn compile(
    text: &mut SpecText,
    folders: &Folders,
    registry: &Registry,
    diagnostics: &mut Diagnostics,
) -> Option<(Spec, BTreeSet<Supply>)> {
    let (documents, variable_files) = read_documents(text, diagnostics)?;
    let mut found = Diagnostics::default();
    let mut loading = Loading { folders, registry, sources: &mut text.sources, diagnostics: &mut found };
    let mut library = Library::load(documents, &mut loading);
    if let Some(alone) = component_alone(&library.bodies[0].blocks, diagnostics) {
        diagnostics.push(alone);
        return None;
    }
    for place in hidden_places(&library, &variable_files) {
        text.sources.hide(place);
    }
    let (mut spec, files) = build(text, &variable_files, &mut library, registry, &mut found);
    for (path, content) in files.take_shown() {
        text.sources.add(path, content);
    }
    spec.sources = text.sources.clone();
    diagnostics.extend(with_uses(found, &library));
    Some((spec, files.take_lacking()))
}

fn build(
    text: &SpecText,
    variable_files: &[(SourceId, Table)],
    library: &mut Library,
    registry: &Registry,
    diagnostics: &mut Diagnostics,
) -> (Spec, Arc<FileReader>) {
    let sources = &text.sources;
    let blocks = library.bodies[0].blocks.clone();
    let variables =
        resolve_variables(&blocks.variables, variable_files, &text.variables, sources, diagnostics);
    let mut stack = read_stack(blocks.stack.as_ref(), sources, diagnostics);
    let mut accounts = read_accounts(&library.bodies[0].blocks.accounts, registry, sources, diagnostics);
    check_references(library, registry, diagnostics);
    check_stack_references(&mut stack, &mut accounts, library, registry, diagnostics);
    check_uses(library, diagnostics);
    warn_of_unused_aliases(library, diagnostics);
    let files = Arc::new(FileReader::new(text.files.clone(), text.supplies.clone(), sources));
    let stack_name = stack.stack.name.clone();
    let secrets = sensitive_variables(&blocks.variables);
    let digest = digest(text, library, &variables, &secrets);
    let world = || World {
        stack_name: stack_name.clone(),
        variables: variables.clone(),
        sensitive: Sensitivities::new(secrets.clone(), registry),
        files: files.clone(),
        ..World::default()
    };
    let program = Program::new(stack, accounts);
    let program = Linker { library, program, world: world(), diagnostics, copied: Copied::default() }.link();
    let order = part_graph(&program).order();
    diagnostics.extend(order.diagnostics.iter().cloned());
    let mut evaluator = Evaluator::new(&program, registry, world(), diagnostics);
    evaluator.run(&order);
    evaluator.stand_on_named();
    evaluator.cross_boundaries();
    evaluator.reach_through_lookups();
    evaluator.find_makers();
    let mut spec = evaluator.finish(sources, digest);
    if let Some(files) = files.close() {
        spec.digest = HEXLOWER.encode(&Sha256::digest(format!("{} {files}", spec.digest)));
    }
    // What could not be read or expanded is not there; that a move or an import leads to it is no second problem.
    if !diagnostics.has_errors() {
        check_refactoring(&spec, diagnostics);
        check_imports(&spec, registry, diagnostics);
    }
    (spec, files)
}

/// Says of problems in components where these are used, and each problem once for all instances.
fn with_uses(found: Diagnostics, library: &Library) -> Vec<Diagnostic> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for diagnostic in found {
        let inside = diagnostic.span.filter(|span| library.file_name(span.source).is_some());
        let key = inside.map(|span| (span, diagnostic.code, diagnostic.label.clone()));
        if key.is_none_or(|key| seen.insert(key)) {
            kept.push(library.with_uses(diagnostic));
        }
    }
    kept
}

fn read_accounts(
    blocks: &BTreeMap<String, Block>,
    registry: &Registry,
    sources: &Sources,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<AccountName, AccountBlock> {
    let schema = account_schema(registry.provider().account_attributes());
    let account = |(name, block): (&String, &Block)| {
        (AccountName::new(name.as_str()), read_account(block, &schema, sources, diagnostics))
    };
    blocks.iter().map(account).collect()
}

type Documents = Vec<(SourceId, Table)>;

/// Returns the files of the spec and those with values of variables.
fn read_documents(text: &mut SpecText, diagnostics: &mut Diagnostics) -> Option<(Documents, Documents)> {
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
    if failed {
        hide_values(text, &documents);
        return None;
    }
    Some((documents, variable_files))
}

/// Keeps files with values of variables from being shown, if some may be sensitive: which ones is
/// not known where a file cannot be read.
fn hide_values(text: &mut SpecText, documents: &[(SourceId, Table)]) {
    let spec_files = text.sources.iter().filter(|(source, _)| !text.variable_files.contains(source));
    let all_are_read = spec_files.count() == documents.len();
    if all_are_read && !documents.iter().any(|(_, document)| declares_sensitive(document)) {
        return;
    }
    for source in &text.variable_files {
        let whole = 0..text.sources.get(*source).text.len();
        text.sources.hide(Span::new(*source, whole));
    }
}

fn sensitive_variables(blocks: &BTreeMap<String, Block>) -> BTreeSet<String> {
    blocks.iter().filter(|(_, block)| is_sensitive(block)).map(|(name, _)| name.clone()).collect()
}

/// The names of folders and of files with values do not count, only what they say. Components'
/// files are told apart by their place in the spec's folder.
///
/// Sensitive values do not count either: a digest that is shown could be compared with that of
/// guesses. That one has changed is seen in what is made of it.
fn digest(
    text: &SpecText,
    library: &Library,
    variables: &BTreeMap<String, Option<Value>>,
    secrets: &BTreeSet<String>,
) -> String {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    };
    let spec_files = text.sources.iter().filter(|(source, _)| !text.variable_files.contains(source));
    let own_name = |path: &std::path::Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let files = spec_files.map(|(id, source)| {
        let name = library.file_name(id).map(str::to_owned).or_else(|| own_name(&source.path));
        (name, source.text.as_bytes())
    });
    let files: BTreeMap<_, _> = files.collect();
    add(&files.len().to_be_bytes());
    for (name, content) in files {
        add(name.unwrap_or_default().as_bytes());
        add(content);
    }
    for (name, value) in variables.iter().filter(|(name, _)| !secrets.contains(*name)) {
        add(name.as_bytes());
        add(&serde_json::to_vec(value).expect("values of variables are finite and known"));
    }
    HEXLOWER.encode(&hash.finalize())
}

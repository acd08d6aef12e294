//! From TOML to a checked [`Spec`] of atomic resources.
//!
//! 1. [`source`] reads the files, [`syntax`] and [`document`] their TOML, every part with its place;
//! 2. [`blocks`] sorts the blocks by what they describe, [`pattern`] finds the expressions in them;
//! 3. [`references`] checks what the expressions name, [`order`] finds the order to evaluate them in;
//! 4. [`evaluator`] evaluates everything as far as it is known without a service, [`expand`]
//!    makes atomic resources of `for_each` and inline children, and [`admission`] compares them
//!    with what the kinds want;
//! 5. [`boundary`] finds what resources of one account use of another one's, and the shares for it;
//! 6. the result keeps its expressions as [`Template`]s, which plan and apply evaluate again
//!    with what they know.
//!
//! Every problem of a run is reported at once.

mod accounts;
mod admission;
mod blocks;
mod boundary;
mod bundles;
mod canonical;
mod check;
mod compile;
mod components;
mod dependencies;
mod document;
mod evaluator;
mod expand;
mod expression;
mod file_patterns;
mod file_trees;
mod files;
mod follows;
mod imports;
mod inline;
mod lifecycle;
mod makers;
mod model;
mod normalize;
mod order;
mod outline;
mod owner;
mod parts;
mod pattern;
mod refactoring;
mod references;
pub(crate) mod reserved;
mod resource_block;
mod sensitivity;
mod source;
mod stack;
mod standing;
pub(crate) mod suggest;
pub(crate) mod syntax;
mod template;
mod text;
mod variables;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::diagnostic::{Diagnostics, Severity, SourceId, Sources};
use crate::registry::Registry;
use crate::supply::{Supplies, Supply};

pub(crate) use accounts::account_attributes;
pub use canonical::{InvalidInput, canonical_inputs};
pub use expression::functions::{Function, FunctionGroup, function_groups};
pub use file_trees::Tree;
pub use files::SpecFiles;
pub(crate) use follows::NothingKnown;
pub use imports::{ImportNode, check_import};
pub use model::{Crossing, Followed, Lifecycle, OutputNode, ResourceNode, Spec, Stack};
pub(crate) use normalize::compare;
pub use normalize::{InvalidText, normalize_inputs};
pub use outline::{Outline, outline};
pub use refactoring::Refactoring;
pub use template::{EvaluationError, Scope, Template};
pub(crate) use variables::variable_types;

/// What to load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadRequest {
    /// A folder, of which every `*.toml` is read, or one file.
    pub path: PathBuf,
    /// Takes values of variables from `envs/NAME.toml` beside the spec.
    pub environment: Option<String>,
    /// Further files with values of variables; later ones win.
    pub variable_files: Vec<PathBuf>,
    /// Single values; they win over files.
    pub variables: Vec<VariableArgument>,
    /// What was fetched for it.
    pub supplies: Supplies,
}

/// The value of a variable from outside the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableArgument {
    /// The variable.
    pub name: String,
    /// The value as text: taken as it is for strings, in TOML syntax for other types.
    pub value: String,
    /// Who gave it.
    pub source: VariableSource,
}

/// Who gave the value of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableSource {
    /// `--var NAME=VALUE`; wins.
    CommandLine,
    /// `STRADDLE_VAR_NAME`.
    Environment,
}

/// A spec in memory, to be loaded without touching any file.
#[derive(Debug, Clone, Default)]
pub struct SpecText {
    /// The files of the spec, and those with values of variables.
    pub sources: Sources,
    /// Which of them hold values of variables; later ones win.
    pub variable_files: Vec<SourceId>,
    /// Single values; they win over files.
    pub variables: Vec<VariableArgument>,
    /// What `file` and `templatefile` read.
    pub files: SpecFiles,
    /// What was fetched for it.
    pub supplies: Supplies,
}

/// A spec without errors.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The spec.
    pub spec: Spec,
    /// What should be looked at nevertheless.
    pub warnings: Diagnostics,
}

/// A spec with errors.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the spec has {} error(s)", self.error_count())]
pub struct LoadFailure {
    /// The files, for showing the places of the problems.
    pub sources: Sources,
    /// Every problem, sorted by place.
    pub diagnostics: Diagnostics,
    /// What has to be fetched, if there is no other problem.
    pub lacking: Option<Box<Lacking>>,
}

/// What a spec lacks that is right otherwise.
#[derive(Debug, Clone)]
pub struct Lacking {
    /// What has to be fetched before the spec is loaded again.
    pub supplies: BTreeSet<Supply>,
    /// The spec without anything that is made of it. Its accounts are complete.
    pub spec: Spec,
}

impl LoadFailure {
    /// Returns how many of the problems are errors.
    #[must_use]
    pub fn error_count(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
    }
}

/// Reads the files of a spec, expands and checks it.
///
/// # Errors
/// If a file cannot be read or the spec has errors; all of them are in the failure.
pub fn load(request: &LoadRequest, registry: &Registry) -> Result<Loaded, Box<LoadFailure>> {
    let mut diagnostics = Diagnostics::default();
    let files = source::read_files(request, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(Box::new(LoadFailure { sources: files.sources, diagnostics, lacking: None }));
    }
    let text = SpecText {
        sources: files.sources,
        variable_files: files.variable_files,
        variables: request.variables.clone(),
        files: SpecFiles::OnDisk,
        supplies: request.supplies.clone(),
    };
    load_with(text, &source::Folders::of(&request.path), registry)
}

/// Expands and checks a spec that is in memory; it can have no components.
///
/// # Errors
/// If the spec has errors; all of them are in the failure.
pub fn load_text(text: SpecText, registry: &Registry) -> Result<Loaded, Box<LoadFailure>> {
    load_with(text, &source::Folders::NONE, registry)
}

fn load_with(
    mut text: SpecText,
    folders: &source::Folders,
    registry: &Registry,
) -> Result<Loaded, Box<LoadFailure>> {
    let mut diagnostics = Diagnostics::default();
    let compiled = compile::compile(&mut text, folders, registry, &mut diagnostics);
    diagnostics.sort();
    let lacking = match compiled {
        Some((spec, _)) if !diagnostics.has_errors() => return Ok(Loaded { spec, warnings: diagnostics }),
        Some((spec, supplies)) if is_only_unfetched(&diagnostics) => Some(Lacking { supplies, spec }),
        Some(_) | None => None,
    };
    if lacking.is_none() {
        // What is wrong comes first; what is lacking is no mistake of who wrote the spec.
        diagnostics.remove(bundles::UNFETCHED);
    }
    Err(Box::new(LoadFailure { sources: text.sources, diagnostics, lacking: lacking.map(Box::new) }))
}

fn is_only_unfetched(diagnostics: &Diagnostics) -> bool {
    let mut errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.all(|error| error.code == bundles::UNFETCHED)
}

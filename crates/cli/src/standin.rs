//! Stands in for parts of the engine that are not there yet.

use std::path::PathBuf;

use straddle_engine::diagnostic::{Diagnostic, Diagnostics, Sources};
use straddle_engine::registry::Registry;
use straddle_engine::spec::Spec;

pub(crate) struct LoadRequest {
    pub(crate) path: PathBuf,
    pub(crate) environment: Option<String>,
    pub(crate) variable_files: Vec<PathBuf>,
    pub(crate) variables: Vec<VariableArgument>,
}
pub(crate) struct VariableArgument {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) source: VariableSource,
}
pub(crate) enum VariableSource {
    CommandLine,
    Environment,
}
pub(crate) struct Loaded {
    pub(crate) spec: Spec,
    pub(crate) warnings: Diagnostics,
}
pub(crate) struct LoadFailure {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Diagnostics,
}
pub(crate) fn load(request: &LoadRequest, _registry: &Registry) -> Result<Loaded, Box<LoadFailure>> {
    let LoadRequest { path, environment, variable_files, variables } = request;
    let sources = variables.iter().map(|variable| match variable.source {
        VariableSource::CommandLine => format!("--var {}={}", variable.name, variable.value),
        VariableSource::Environment => format!("STRADDLE_VAR_{}={}", variable.name, variable.value),
    });
    let sources = sources.collect::<Vec<_>>();
    let problem = Diagnostic::error("no-loader", "specs cannot be loaded yet")
        .with_detail(format!("{} {environment:?} {variable_files:?} {sources:?}.", path.display()));
    Err(Box::new(LoadFailure { sources: Sources::default(), diagnostics: problem.into() }))
}

//! A command that could not do what was asked: its exit code, and the diagnostics that say why.

use straddle_engine::diagnostic::{Diagnostic, Diagnostics, Sources};

use crate::exit::Exit;

/// Why a command could not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Diagnostics,
}

impl Failure {
    /// Makes a failure with one diagnostic that points at no file.
    pub(crate) fn new(exit: Exit, diagnostic: Diagnostic) -> Self {
        Self { exit, sources: Sources::default(), diagnostics: diagnostic.into() }
    }

    /// Makes a failure of what the user gave.
    pub(crate) fn error(diagnostic: Diagnostic) -> Self {
        Self::new(Exit::Error, diagnostic)
    }

    /// Describes a file that could not be read or written.
    pub(crate) fn file(action: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let detail = format!("Failed to {action} {}: {error}.", path.display());
        Self::error(Diagnostic::error("file", format!("failed to {action} a file")).with_detail(detail))
    }
}

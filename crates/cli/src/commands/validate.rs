//! `straddle validate`: every mistake of a spec.

use serde_json::json;

use crate::arguments::ValidateArguments;
use crate::commands::Program;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::loading::load_spec;
use crate::render::{self, json};

/// Loads the spec and says what is wrong with it.
pub(crate) fn run(program: &Program, arguments: &ValidateArguments) -> Result<Exit, Failure> {
    let loaded = load_spec(program, &arguments.spec.path, &arguments.spec.values);
    let stdout = &program.terminal.stdout;
    if !program.is_json {
        let (spec, _) = loaded.inspect_err(|failure| {
            let tally = render::tally(&failure.diagnostics).unwrap_or_default();
            stdout.line(&format!("The spec has {tally}."));
        })?;
        let resources = render::counted(spec.resources.len(), "resource");
        let accounts = render::counted(spec.accounts.len(), "account");
        stdout.line(&format!("The spec is valid: {resources} in {accounts}."));
        return Ok(Exit::Success);
    }
    let (is_valid, sources, diagnostics) = match loaded {
        Ok((spec, warnings)) => (true, spec.sources, warnings),
        Err(failure) => (false, failure.sources, failure.diagnostics),
    };
    let diagnostics = json::diagnostics(&sources, &diagnostics);
    let object = json!({ "type": "validation", "valid": is_valid, "diagnostics": diagnostics });
    stdout.line(&format!("{object:#}"));
    Ok(if is_valid { Exit::Success } else { Exit::Error })
}

//! `straddle schema`: the JSON Schema of the spec language.

use straddle_engine::json_schema::json_schema;

use crate::commands::Program;
use crate::exit::Exit;

/// Prints the schema.
pub(crate) fn run(program: &Program) -> Exit {
    program.terminal.stdout.line(&format!("{:#}", json_schema(&program.registry)));
    Exit::Success
}

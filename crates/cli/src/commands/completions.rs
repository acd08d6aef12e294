//! `straddle completions`: what a shell needs to complete arguments.

use clap::CommandFactory;

use crate::arguments::{Arguments, CompletionsArguments};
use crate::commands::Program;
use crate::exit::Exit;

/// Prints the completions of a shell.
pub(crate) fn run(program: &Program, arguments: &CompletionsArguments) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "straddle", &mut script);
    program.terminal.stdout.write(&String::from_utf8_lossy(&script));
    Exit::Success
}

//! `straddle completions`: what a shell needs to complete arguments.

use clap_complete::env::Shells;

use crate::arguments::CompletionsArguments;
use crate::commands::Program;
use crate::completion::{PROGRAM, VARIABLE};
use crate::exit::Exit;

/// Prints what makes a shell ask this program for completions.
pub(crate) fn run(program: &Program, arguments: &CompletionsArguments) -> Exit {
    let mut script = Vec::new();
    let shell = arguments.shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&shell).expect("both lists have the same shells");
    let written = shell.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script);
    written.expect("memory takes everything");
    program.terminal.stdout.write(&String::from_utf8_lossy(&script));
    Exit::Success
}

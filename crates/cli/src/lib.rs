//! The command line: arguments, commands, rendering, exit codes.
//!
//! [`main`] parses the arguments and calls one of `commands`; a command loads the spec (`stack`),
//! asks the engine, and shows what comes back (`render`). Only `terminal` writes to the streams
//! of the process. Data goes to standard output, everything else to standard error.

mod arguments;
mod commands;
mod completion;
mod exit;
mod failure;
mod interrupt;
mod loading;
mod own_sandbox;
mod progress;
mod prompt;
mod rehearsal;
mod render;
mod replace_file;
mod running;
mod safe;
mod saved_plan;
mod shell_words;
mod stack;
mod stream;
mod terminal;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use straddle_engine::environment::SystemEnvironment;
use straddle_engine::registry::Registry;

pub use crate::exit::Exit;

use crate::arguments::{Arguments, Command};
use crate::commands::Program;
use crate::failure::Failure;
use crate::render::json;
use crate::stream::JsonStream;
use crate::terminal::{ColorChoice, Terminal};

/// Runs the command that the arguments of the process name, with the kinds of `registry`.
#[must_use]
pub fn main(registry: Registry) -> ExitCode {
    let terminal = Terminal::of_process;
    if let Err(error) = survive_a_full_quota() {
        terminal(ColorChoice::Auto).stderr.line(&format!("error: failed to take over a signal: {error}"));
        return Exit::Error.into();
    }
    if completion::is_asked_for() {
        completion::answer(registry);
        return Exit::Success.into();
    }
    run(registry, std::env::args_os(), terminal).into()
}

/// Makes a write beyond the limit on the size of files an error, as a full disk is. Without a
/// handler the system kills the process, between a call and the record of its answer.
fn survive_a_full_quota() -> std::io::Result<()> {
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default()).map(|_| ())
}

fn run(
    registry: Registry,
    arguments: impl IntoIterator<Item = OsString>,
    terminal: impl Fn(ColorChoice) -> Terminal,
) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return show_usage(&error, &terminal(ColorChoice::Auto)),
    };
    let terminal = Arc::new(terminal(arguments.color));
    let command = &arguments.command;
    let stream = command.is_stream().then(|| open_stream(&terminal));
    let program = Program { registry, terminal: Arc::clone(&terminal), is_json: command.is_json(), stream };
    let exit = dispatch(&program, command).unwrap_or_else(|failure| {
        show_failure(&program, &failure);
        failure.exit
    });
    match terminal.stdout.failure() {
        Some(error) if exit == Exit::Success => {
            terminal.stderr.line(&format!("error: failed to write to standard output: {error}"));
            Exit::Error
        }
        _ => exit,
    }
}

/// Says first of all what the stream is, also if nothing but a failure comes after it.
fn open_stream(terminal: &Arc<Terminal>) -> Arc<JsonStream> {
    let stream = JsonStream::new(Arc::clone(terminal), Arc::new(SystemEnvironment));
    stream.open();
    Arc::new(stream)
}

fn dispatch(program: &Program, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Validate(arguments) => commands::validate::run(program, arguments),
        Command::Format(arguments) => commands::format::run(program, arguments),
        Command::Plan(arguments) => commands::plan::run(program, arguments),
        Command::Preflight(arguments) => commands::preflight::run(program, arguments),
        Command::Apply(arguments) => commands::apply::run(program, arguments),
        Command::Destroy(arguments) => commands::destroy::run(program, arguments),
        Command::Import(arguments) => commands::import::run(program, arguments),
        Command::ImportSetup(arguments) => commands::import_setup::run(program, arguments),
        Command::Charts(command) => commands::charts::run(program, command),
        Command::Graph(arguments) => commands::graph::run(program, arguments),
        Command::IamPolicy(arguments) => commands::iam_policy::run(program, arguments),
        Command::Kubeconfig(arguments) => commands::cluster::kubeconfig(program, arguments),
        Command::Token(arguments) => commands::cluster::token(program, arguments),
        Command::State(command) => commands::state::run(program, command),
        Command::Output(arguments) => commands::output::run(program, arguments),
        Command::Sandbox(command) => commands::sandbox::run(program, command),
        Command::Rehearse(arguments) => commands::rehearse::run(program, arguments),
        Command::Reference(arguments) => commands::reference::run(program, arguments),
        Command::Schema(_) => Ok(commands::schema::run(program)),
        Command::Completions(arguments) => Ok(commands::completions::run(program, arguments)),
        Command::Man(arguments) => commands::man::run(program, arguments),
        Command::Version(_) => Ok(commands::version::run(program)),
    }
}

/// Shows help, the version, or what is wrong with the arguments.
fn show_usage(error: &clap::Error, terminal: &Terminal) -> Exit {
    let (output, exit) =
        if error.use_stderr() { (&terminal.stderr, Exit::Error) } else { (&terminal.stdout, Exit::Success) };
    let text = error.render();
    output.write(&if output.palette.is_colored { text.ansi().to_string() } else { text.to_string() });
    exit
}

fn show_failure(program: &Program, failure: &Failure) {
    let Failure { exit, sources, diagnostics } = failure;
    let Terminal { stdout, stderr, .. } = &*program.terminal;
    if !program.is_json {
        stderr.write(&render::diagnostics(sources, diagnostics, &stderr.palette, stderr.width));
        return;
    }
    let object = json::failure(*exit, sources, diagnostics);
    match &program.stream {
        Some(stream) => stream.write(object),
        None => stdout.line(&format!("{object:#}")),
    }
}

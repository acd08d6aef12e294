//! `straddle preflight`: what an expert would check before an apply.

use std::sync::Arc;

use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::event::{Event, Observer};
use straddle_engine::plan::{Mode, Options};
use straddle_engine::preflight::{Checked, Verdict};
use straddle_engine::run::{Interrupt, RunError};

use crate::arguments::{ChecksArguments, PreflightArguments};
use crate::commands::{Program, runtime, signals};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::render::{self, json};
use crate::stack::Stack;

/// Runs the checks and shows what they found. Those that fail are an error.
pub(crate) fn run(program: &Program, arguments: &PreflightArguments) -> Result<Exit, Failure> {
    let program = if arguments.only.is_empty() {
        without(program, &arguments.skip)?
    } else {
        only(program, &arguments.only)?
    };
    let stack = Stack::open(&program, &arguments.run)?;
    let checked = check(&program, arguments, &stack)?;
    let stdout = &program.terminal.stdout;
    if program.is_json {
        let mut object = json::preflight(&checked);
        object["diagnostics"] = json::diagnostics(&stack.spec.sources, &stack.warnings);
        stdout.line(&format!("{object:#}"));
    } else {
        stdout.write(&render::preflight(&checked, &stdout.palette));
    }
    let has_failed = checked.iter().any(|checked| checked.verdict == Verdict::Failed);
    Ok(if has_failed { Exit::Error } else { Exit::Success })
}

fn check(program: &Program, arguments: &PreflightArguments, stack: &Stack) -> Result<Vec<Checked>, Failure> {
    let progress = Progress::of(program);
    let observer = WithoutFindings(&progress);
    let mode = if arguments.destroy { Mode::Destroy } else { Mode::Apply };
    let options = arguments.run.allowing(Options::default());
    let engine = program.engine(&stack.backend, &observer, arguments.run.settings(), Interrupt::default());
    runtime()?.block_on(async {
        let mut signals = signals()?;
        // Nothing is written, so that it can end anywhere.
        let checked = tokio::select! {
            checked = engine.preflight(&stack.spec, mode, &options) => checked,
            () = progress.clone().heartbeat() => unreachable!("heartbeats have no end"),
            _ = signals.next() => Err(RunError::Interrupted),
        };
        checked.map_err(|error| render::run_failure(error, &stack.spec.sources))
    })
}

/// Leaves out what is the result of the command.
struct WithoutFindings<'a>(&'a Progress);

impl Observer for WithoutFindings<'_> {
    fn notify(&self, event: &Event) {
        if !matches!(event, Event::Checked { .. }) {
            self.0.notify(event);
        }
    }
}

/// Returns the program with the checks that are wanted before something is carried out.
pub(crate) fn with_checks(program: &Program, arguments: &ChecksArguments) -> Result<Program, Failure> {
    if arguments.skip_preflight {
        return Ok(keeping(program, |_| false));
    }
    without(program, &arguments.skip)
}

fn without(program: &Program, names: &[String]) -> Result<Program, Failure> {
    known(program, names)?;
    Ok(keeping(program, |name| !names.iter().any(|skipped| skipped == name)))
}

fn only(program: &Program, names: &[String]) -> Result<Program, Failure> {
    known(program, names)?;
    Ok(keeping(program, |name| names.iter().any(|wanted| wanted == name)))
}

fn keeping(program: &Program, keep: impl Fn(&str) -> bool) -> Program {
    Program {
        registry: program.registry.clone().keeping_checks(|check| keep(check.name)),
        terminal: Arc::clone(&program.terminal),
        is_json: program.is_json,
        stream: program.stream.clone(),
    }
}

fn known(program: &Program, names: &[String]) -> Result<(), Failure> {
    let checks = program.registry.checks();
    let Some(unknown) = names.iter().find(|name| checks.iter().all(|check| check.name != **name)) else {
        return Ok(());
    };
    let list: Vec<_> = checks.iter().map(|check| format!("`{}`", check.name)).collect();
    let problem = Diagnostic::error("no-check", "there is no such check")
        .with_detail(format!("`{unknown}` is no check. There are {}.", list.join(", ")));
    Err(Failure::error(problem))
}

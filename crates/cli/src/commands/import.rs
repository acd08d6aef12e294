//! `straddle import`: something that exists becomes a resource of the stack.

use straddle_engine::diagnostic::Diagnostics;
use straddle_engine::import::ImportReport;
use straddle_engine::run::{Interrupt, RunError};
use straddle_engine::spec::check_import;

use crate::arguments::ImportArguments;
use crate::commands::{Program, runtime, signals};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::render::{self, json};
use crate::stack::Stack;

/// Takes a thing into the state, and shows what the next apply would do with it.
pub(crate) fn run(program: &Program, arguments: &ImportArguments) -> Result<Exit, Failure> {
    let stack = Stack::open(program, &arguments.run)?;
    let report = import(program, arguments, &stack)?;
    let stdout = &program.terminal.stdout;
    if program.is_json {
        let mut object = json::import(&report, &program.registry);
        object["diagnostics"] = json::diagnostics(&stack.spec.sources, &stack.warnings);
        stdout.line(&format!("{object:#}"));
    } else {
        stdout.write(&render::import(&arguments.import(), &report, &stdout.palette));
    }
    Ok(Exit::Success)
}

fn import(program: &Program, arguments: &ImportArguments, stack: &Stack) -> Result<ImportReport, Failure> {
    let import = arguments.import();
    let spec = &stack.spec;
    check_import(spec, &program.registry, &import).map_err(|problem| Failure {
        exit: Exit::Error,
        sources: spec.sources.clone(),
        diagnostics: Diagnostics::from(*problem),
    })?;
    let progress = Progress::of(program);
    let interrupt = Interrupt::default();
    let engine = program.engine(&stack.backend, &progress, arguments.settings(), interrupt.clone());
    let report = runtime()?.block_on(async {
        let mut signals = signals()?;
        let imports = [import];
        let mut importing = std::pin::pin!(engine.import(spec, &imports));
        // What has been read may be let go at any time; what is being recorded is waited for.
        loop {
            tokio::select! {
                report = &mut importing => break Ok::<_, Failure>(report),
                () = progress.clone().heartbeat() => unreachable!("heartbeats have no end"),
                _ = signals.next() => interrupt.request(),
            }
        }
    })?;
    report.map_err(|error: RunError| render::run_failure(error, &spec.sources))
}

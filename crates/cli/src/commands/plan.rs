//! `straddle plan`: what an apply or a destroy would do.

use std::path::Path;

use straddle_engine::plan::{Mode, Options, Plan};
use straddle_engine::run::{Interrupt, RunError};

use crate::arguments::{PlanArguments, RunArguments};
use crate::commands::{Program, runtime, signals};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::render::{self, json};
use crate::safe::Safe;
use crate::saved_plan;
use crate::stack::Stack;

/// Makes a plan, shows it, and saves it if asked.
pub(crate) fn run(program: &Program, arguments: &PlanArguments) -> Result<Exit, Failure> {
    let stack = Stack::open(program, &arguments.run)?;
    let mode = match (arguments.destroy, arguments.refreshing.refresh_only) {
        (true, _) => Mode::Destroy,
        (false, true) => Mode::Refresh,
        (false, false) => Mode::Apply,
    };
    let from_state = !arguments.refreshing.refresh;
    let delete_made_by_others = arguments.force_load_balancers;
    let forget_unreachable = arguments.forget_unreachable_clusters;
    let options = arguments.replacement.options();
    let options = Options { from_state, delete_made_by_others, forget_unreachable, ..options };
    let plan = make(program, &arguments.run, mode, &options, &stack)?;
    let stdout = &program.terminal.stdout;
    if program.is_json {
        let mut object = json::plan(&plan, &program.registry);
        let mut warnings = stack.warnings.clone();
        warnings.extend(stack.warn_of(program, &plan));
        object["diagnostics"] = json::diagnostics(&stack.spec.sources, &warnings);
        stdout.line(&format!("{object:#}"));
    } else {
        stdout.write(&render::plan(&plan, &stdout.palette));
        stack.warn_of(program, &plan);
    }
    if let Some(path) = &arguments.out {
        saved_plan::write(path, &plan)?;
        announce(program, path, &arguments.run.spec.path);
    }
    let has_changes = arguments.detailed_exitcode && !plan.is_empty();
    Ok(if has_changes { Exit::Changes } else { Exit::Success })
}

/// Makes a plan, and shows its progress.
pub(crate) fn make(
    program: &Program,
    arguments: &RunArguments,
    mode: Mode,
    options: &Options,
    stack: &Stack,
) -> Result<Plan, Failure> {
    let progress = Progress::of(program);
    let options = arguments.allowing(options.clone());
    let engine = program.engine(&stack.backend, &progress, arguments.settings(), Interrupt::default());
    runtime()?.block_on(async {
        let mut signals = signals()?;
        // A plan writes nothing, so that it can end anywhere.
        let planned = tokio::select! {
            planned = engine.plan(&stack.spec, mode, &options) => planned,
            () = progress.clone().heartbeat() => unreachable!("heartbeats have no end"),
            _ = signals.next() => Err(RunError::Interrupted),
        };
        planned.map_err(|error| render::run_failure(error, &stack.spec.sources))
    })
}

fn announce(program: &Program, plan: &Path, spec: &Path) {
    let (plan, spec) = (Safe(plan.display()), Safe(spec.display()));
    let text = format!("The plan is saved. Carry it out with: straddle apply {spec} --plan {plan}");
    program.terminal.stderr.line(&text);
}

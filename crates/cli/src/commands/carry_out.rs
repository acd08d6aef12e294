//! What apply and destroy have in common: show, ask, carry out, report.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use straddle_engine::diagnostic::{Diagnostic, Diagnostics};
use straddle_engine::plan::{Mode, Options, Plan};
use straddle_engine::run::{Approval, Interrupt, InterruptLevel, Report, RunError};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::arguments::CarryOutArguments;
use crate::commands::{Program, runtime, signals};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::prompt;
use crate::render::{self, json};
use crate::stack::Stack;
use crate::stream::JsonStream;

/// What is to be carried out.
pub(crate) enum Order {
    /// A plan that is made now.
    Make(Mode, Options),
    /// A plan that was saved before.
    Saved(Box<Plan>),
}

/// Carries out a plan once it is approved, and reports what came of it.
pub(crate) fn carry_out(
    program: &Program,
    arguments: &CarryOutArguments,
    order: &Order,
) -> Result<Exit, Failure> {
    check_that_somebody_can_approve(program, arguments, order)?;
    carry_out_on(&Stack::open(program, &arguments.run)?, program, arguments, order)
}

/// As [`carry_out`], on a stack that is open.
pub(crate) fn carry_out_on(
    stack: &Stack,
    program: &Program,
    arguments: &CarryOutArguments,
    order: &Order,
) -> Result<Exit, Failure> {
    let run = Run::new(program, arguments, stack);
    let report = run.carry_out(order)?;
    Ok(run.conclude(&report))
}

/// Refuses to make a plan that nobody can approve.
pub(crate) fn check_that_somebody_can_approve(
    program: &Program,
    arguments: &CarryOutArguments,
    order: &Order,
) -> Result<(), Failure> {
    if arguments.auto_approve || matches!(order, Order::Saved(_)) {
        return Ok(());
    }
    let reason = match (program.is_json, program.terminal.can_ask) {
        (false, true) => return Ok(()),
        (true, _) => "With --json there is nobody to ask.",
        (false, false) => "This is not a terminal, so that nobody can be asked.",
    };
    let problem = Diagnostic::error("no-approval", "the plan cannot be approved")
        .with_detail(format!("{reason} Nothing was changed."))
        .with_hint(
            "Save a plan with `straddle plan --out FILE`, look at it, and carry out exactly that with \
             `straddle apply --plan FILE`; or approve whatever comes with --auto-approve.",
        );
    Err(Failure::error(problem))
}

/// A run under way.
struct Run<'a> {
    program: &'a Program,
    arguments: &'a CarryOutArguments,
    stack: &'a Stack,
    /// Where everything goes as JSON, if a program reads it.
    stream: Option<Arc<JsonStream>>,
    progress: Progress,
    interrupt: Interrupt,
    started: Instant,
}

impl<'a> Run<'a> {
    fn new(program: &'a Program, arguments: &'a CarryOutArguments, stack: &'a Stack) -> Self {
        let (stream, progress) = (program.stream.clone(), Progress::of(program));
        let (interrupt, started) = (Interrupt::default(), Instant::now());
        Self { program, arguments, stack, stream, progress, interrupt, started }
    }

    fn carry_out(&self, order: &Order) -> Result<Report, Failure> {
        self.stream_warnings(&self.stack.warnings);
        let settings = self.arguments.settings();
        let engine =
            self.program.engine(&self.stack.backend, &self.progress, settings, self.interrupt.clone());
        let mut ask = |plan: &Plan| self.approve(plan);
        let (mode, options, approval) = match order {
            Order::Make(mode, options) => (*mode, options, Approval::Ask(&mut ask)),
            Order::Saved(plan) => {
                self.show(plan);
                (plan.mode, &plan.options, Approval::Saved(plan))
            }
        };
        let result = runtime()?.block_on(async {
            // They are dropped, and thereby stopped, when the run has ended.
            let _listeners = self.listen()?;
            Ok(engine.apply(&self.stack.spec, mode, options, approval).await)
        })?;
        result.map_err(|error| self.failure(error))
    }

    /// Passes on signals and heartbeats. On other threads, since the question is
    /// asked on that of the run.
    fn listen(&self) -> Result<JoinSet<()>, Failure> {
        let mut listeners = JoinSet::new();
        listeners.spawn(signals()?.pass_on(self.interrupt.clone(), Arc::clone(&self.program.terminal)));
        listeners.spawn(self.progress.clone().heartbeat());
        Ok(listeners)
    }

    fn approve(&self, plan: &Plan) -> bool {
        self.show(plan);
        plan.is_empty()
            || self.arguments.auto_approve
            || prompt::approve(plan, &self.program.terminal.stderr, &self.interrupt)
    }

    fn show(&self, plan: &Plan) {
        let stdout = &self.program.terminal.stdout;
        match &self.stream {
            Some(stream) => stream.write(json::plan(plan, &self.program.registry)),
            None => stdout.write(&render::plan(plan, &stdout.palette)),
        }
        self.stream_warnings(&self.stack.warn_of(self.program, plan));
    }

    fn stream_warnings(&self, warnings: &Diagnostics) {
        if let Some(stream) = &self.stream
            && !warnings.is_empty()
        {
            let warnings = json::diagnostics(&self.stack.spec.sources, warnings);
            stream.write(json!({ "type": "diagnostics", "diagnostics": warnings }));
        }
    }

    fn failure(&self, error: RunError) -> Failure {
        let was_interrupted = self.interrupt.level() > InterruptLevel::None;
        // Who interrupts the question does not say no.
        let is_unanswered = was_interrupted && matches!(error, RunError::Declined);
        let error = if is_unanswered { RunError::Interrupted } else { error };
        render::run_failure(error, &self.stack.spec.sources)
    }

    /// Shows what came of the run, and returns its exit code.
    fn conclude(&self, report: &Report) -> Exit {
        let exit = match (report.interrupted, report.is_complete()) {
            (true, _) => Exit::Interrupted,
            (false, true) => Exit::Success,
            (false, false) => Exit::Incomplete,
        };
        let elapsed = self.started.elapsed();
        match &self.stream {
            Some(stream) => {
                let sources = &self.stack.spec.sources;
                let failures = render::failures(report, &self.stack.spec);
                stream.write(json::report(report, exit, elapsed, sources, &failures));
            }
            None if !report.plan.is_empty() => self.show_report(report, elapsed),
            None => {}
        }
        exit
    }

    fn show_report(&self, report: &Report, elapsed: Duration) {
        let (stdout, stderr) = (&self.program.terminal.stdout, &self.program.terminal.stderr);
        let spec = &self.stack.spec;
        let failures = render::failures(report, spec);
        stderr.line("");
        stderr.write(&render::diagnostics(&spec.sources, &failures, &stderr.palette, stderr.width));
        stderr.line(&render::summary(report, elapsed, &stderr.palette));
        if let Some(text) = render::nothing_is_left(report) {
            stderr.line(&text);
        }
        if !report.outputs.is_empty() {
            let outputs = render::outputs(&report.outputs, &report.sensitive_outputs, &stdout.palette);
            stdout.write(&format!("\n{outputs}"));
        }
    }
}

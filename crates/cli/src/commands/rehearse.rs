//! `straddle rehearse`: everything that a spec asks for, made and taken away in sandboxes, with trouble.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::Duration;

use straddle_engine::diagnostic::Diagnostic;
use straddle_engine::permission::{Breadth, Grant, Phase};
use straddle_engine::plan::Mode;
use straddle_engine::run::{Interrupt, Settings};
use straddle_engine::spec::Spec;
use straddle_engine::state::MemoryBackend;
use tokio::time::Instant;

use crate::arguments::RehearseArguments;
use crate::commands::{Program, runtime};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::own_sandbox;
use crate::progress::Progress;
use crate::rehearsal::{Clean, Ending, Outcome, Play, Trouble, play_all, play_clean, sample};
use crate::render;
use crate::stack::Stack;

/// How often it is said how far the rehearsals are.
const BEAT: Duration = Duration::from_secs(10);

/// Everything that came of the rehearsals of a spec.
pub(crate) struct Rehearsed<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) clean: &'a Clean,
    /// How many troubles there are, played or not.
    pub(crate) known: usize,
    pub(crate) outcomes: Vec<Outcome>,
    /// What has to be allowed for plan, apply and destroy.
    pub(crate) grants: Vec<Grant>,
    pub(crate) elapsed: Duration,
}

impl Rehearsed<'_> {
    /// Tells whether everything came out as it should.
    pub(crate) fn is_fine(&self) -> bool {
        self.clean.problems.is_empty() && self.outcomes.iter().all(|outcome| outcome.problems.is_empty())
    }
}

/// Plays a spec without trouble, then with each trouble, and reports.
pub(crate) fn run(program: &Program, arguments: &RehearseArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let begun = Stack::of_rehearsal(program, &arguments.spec)?;
    let spec = &begun.spec;
    // It compares the time of this machine with that of AWS, and here neither is asked.
    let registry = program.registry.clone().keeping_checks(|check| check.name != "clock");
    let play = Play {
        registry: &registry,
        request: &begun.request,
        sandbox: own_sandbox::of_rehearsal(spec, arguments.fault_file.as_deref())?,
        settings: arguments.settings.settings(1.0),
    };
    say(program, "Rehearsing without trouble...");
    let mut clean = play_clean(&play)?;
    if matches!(clean.apply.ending, Ending::Failed(_)) {
        return Err(failure(clean, spec));
    }
    let all = troubles(arguments, &clean);
    if arguments.list {
        for trouble in &all {
            program.terminal.stdout.line(&trouble.to_string());
        }
        return Ok(Exit::Success);
    }
    let chosen = choose(arguments, &all)?;
    let outcomes = match clean.scene.take() {
        Some(scene) => {
            let mut beat = Beat::new(program, chosen.len());
            play_all(&play, &scene, &chosen, jobs(arguments), |outcome| beat.count(outcome))?
        }
        None => Vec::new(),
    };
    let grants = grants(program, spec)?;
    let (known, elapsed) = (all.len(), started.elapsed());
    Ok(show(program, &Rehearsed { spec, clean: &clean, known, outcomes, grants, elapsed }))
}

fn say(program: &Program, text: &str) {
    if !program.is_json {
        program.terminal.stderr.line(text);
    }
}

fn failure(clean: Clean, spec: &Spec) -> Failure {
    match clean.apply.ending {
        Ending::Failed(error) => render::run_failure(error, &spec.sources),
        Ending::Reported(_) | Ending::Died | Ending::Endless => unreachable!("it has failed"),
    }
}

fn troubles(arguments: &RehearseArguments, clean: &Clean) -> Vec<Trouble> {
    let faults: BTreeSet<_> = arguments.faults.iter().copied().collect();
    let faults: Vec<_> = faults.into_iter().map(Into::into).collect();
    let of = |mode, played| Trouble::all_of(mode, played, &faults);
    [of(Mode::Apply, &clean.apply), of(Mode::Destroy, &clean.destroy)].concat()
}

fn choose(arguments: &RehearseArguments, all: &[Trouble]) -> Result<Vec<Trouble>, Failure> {
    if arguments.only.is_empty() {
        return Ok(sample(all, arguments.sample.unwrap_or(usize::MAX)));
    }
    let find = |name: &String| {
        all.iter().find(|trouble| trouble.to_string() == *name).cloned().ok_or_else(|| no_trouble(name))
    };
    arguments.only.iter().map(find).collect()
}

fn no_trouble(name: &str) -> Failure {
    let problem = Diagnostic::error("no-trouble", "there is no such trouble")
        .with_detail(format!("Nothing that can go wrong in a rehearsal of this spec is called `{name}`."))
        .with_hint("`--list` prints all names. With `--fault` there are others.");
    Failure::error(problem)
}

fn jobs(arguments: &RehearseArguments) -> usize {
    arguments.jobs.unwrap_or_else(|| available_parallelism().map_or(1, NonZero::get))
}

/// Returns what has to be allowed in the accounts for the life of the stack.
fn grants(program: &Program, spec: &Spec) -> Result<Vec<Grant>, Failure> {
    let backend = MemoryBackend::default();
    let engine = program.engine(&backend, &Progress::Silent, Settings::default(), Interrupt::default());
    let runtime = runtime()?;
    let mut grants = Vec::new();
    for phase in [Phase::Plan, Phase::Apply, Phase::Destroy] {
        let of_phase = runtime.block_on(engine.grants(spec, phase, Breadth::ThisPlan));
        grants.extend(of_phase.map_err(|error| render::run_failure(error, &spec.sources))?);
    }
    Ok(grants)
}

fn show(program: &Program, rehearsed: &Rehearsed<'_>) -> Exit {
    let stdout = &program.terminal.stdout;
    if program.is_json {
        let object = render::rehearsal_json(rehearsed, program.registry.provider());
        stdout.line(&format!("{object:#}"));
    } else {
        stdout.write(&render::rehearsal(rehearsed, &stdout.palette));
    }
    if rehearsed.is_fine() { Exit::Success } else { Exit::Incomplete }
}

/// Says from time to time how far the rehearsals are.
struct Beat<'a> {
    program: &'a Program,
    all: usize,
    done: usize,
    with_problems: usize,
    started: Instant,
    last: Instant,
}

impl<'a> Beat<'a> {
    fn new(program: &'a Program, all: usize) -> Self {
        say(program, &format!("Rehearsing {all} times with trouble..."));
        let now = Instant::now();
        Self { program, all, done: 0, with_problems: 0, started: now, last: now }
    }

    fn count(&mut self, outcome: &Outcome) {
        self.done += 1;
        self.with_problems += usize::from(!outcome.problems.is_empty());
        if !outcome.problems.is_empty() {
            say(self.program, &format!("  {}: {}", outcome.trouble, outcome.problems.join("; ")));
        }
        if self.last.elapsed() >= BEAT {
            self.last = Instant::now();
            let Self { done, all, with_problems, .. } = self;
            let elapsed = render::duration_words(self.started.elapsed());
            say(self.program, &format!("  {done} of {all} after {elapsed}, {with_problems} with problems"));
        }
    }
}

//! Plays a script in a world, and checks after every step what must hold.

use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use straddle_engine::diagnostic::Sources;
use straddle_engine::plan::{Mode, Options, Plan};
use straddle_engine::run::{Report, RunError};
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_engine::state::State;
use straddle_testkit::cloud::{Life, Pace};
use straddle_testkit::fault::Faults;
use straddle_testkit::simulation::{Ending, Order, Trial, World};

use crate::check;
use crate::drift::{Drift, Others, leave, lodgers};
use crate::model::{Model, STACK};
use crate::outcome::{check_deeds, check_order};
use crate::part;
use crate::script::{Manner, Part, Script, Step, Trouble};

/// What came of a script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Played {
    /// A hash of everything that the cloud was asked.
    pub(crate) log_hash: String,
    /// How many mutating calls and file operations the last run of the script had.
    pub(crate) last_run: (usize, u64),
}

/// Plays a script to its end and then heals and destroys what is left of the stack.
pub(crate) fn play(script: &Script) -> Played {
    let mut player = Player::new(script);
    for step in &script.steps {
        player.step(step);
    }
    let last_run = player.last_run;
    player.heal();
    Played { log_hash: player.log_hash(), last_run }
}

/// Orders a run that goes on whatever others have deleted.
fn allowing(spec: &Spec, mode: Mode) -> Order<'_> {
    Order::new(spec, mode).with_options(Options { allow_missing: true, ..Options::default() })
}

struct Player {
    world: World,
    model: Model,
    consistent: bool,
    others: Others,
    lineage: Option<String>,
    serial: u64,
    last_run: (usize, u64),
    /// Until when reads may show things as they were before a run that did not wait for them.
    unsettled: Duration,
}

impl Player {
    fn new(script: &Script) -> Self {
        let pace = match script.manner {
            Manner::Consistent => Pace { work: 100, sharing: Pace::REAL.sharing, ..Pace::INSTANT },
            Manner::Lagging => Pace { flapping: false, ..Pace::REAL },
            Manner::Flapping => Pace::REAL,
        };
        Self {
            world: World::new(script.seed, pace),
            model: Model::default(),
            consistent: script.manner == Manner::Consistent,
            others: Others::default(),
            lineage: None,
            serial: 0,
            last_run: (0, 0),
            unsettled: Duration::ZERO,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Edit(edit) => edit.apply(&mut self.model),
            Step::Plan => drop(self.plan(Mode::Apply)),
            Step::Apply(trouble) => drop(self.run(Mode::Apply, trouble)),
            Step::ApplySaved => self.apply_saved(),
            Step::Destroy(trouble) => drop(self.run(Mode::Destroy, trouble)),
            Step::ApplyPart(part) => self.apply_part(part),
            Step::Drift(drift) => self.meddle(*drift),
            Step::Wait(minutes) => self.world.wait(Duration::from_mins((*minutes).into())),
        }
    }

    fn spec(&self) -> Spec {
        let text = self.model.to_toml();
        let mut sources = Sources::default();
        sources.add("stack.toml", text.as_str());
        match load_text(SpecText { sources, ..SpecText::default() }, self.world.registry()) {
            Ok(loaded) => loaded.spec,
            Err(failure) => panic!("{:#?}\nin\n{text}", failure.diagnostics),
        }
    }

    fn state(&self) -> Option<State> {
        self.world.state(STACK).expect("the state is readable after whatever happened")
    }

    /// Plans, and checks that this changes nothing. `None` if the plan was refused.
    fn plan(&mut self, mode: Mode) -> Option<Plan> {
        let files = self.world.disk.contents();
        let trial = self.world.plan(&allowing(&self.spec(), mode));
        assert_eq!(trial.mutating_calls, 0, "a plan has sent mutating calls");
        assert_eq!(self.world.disk.contents(), files, "a plan has written files");
        self.check(0);
        self.allowed(trial.ending)
    }

    /// Returns what came of a run without faults; `None` if it was refused for a good reason.
    fn allowed<T>(&self, ending: Ending<T>) -> Option<T> {
        match ending {
            Ending::Done(done) => Some(done),
            Ending::Refused(RunError::Diagnostics(diagnostics))
                if self.may_be_protected()
                    && diagnostics.iter().all(|diagnostic| diagnostic.code == "prevent-destroy") =>
            {
                None
            }
            Ending::Refused(error) => panic!("a run without faults was refused: {error:#?}"),
            Ending::Crashed => panic!("a run without faults crashed"),
            Ending::Stuck => panic!("a run did not end"),
        }
    }

    fn may_be_protected(&self) -> bool {
        let recorded = self
            .state()
            .is_some_and(|state| state.resources.values().any(|resource| resource.lifecycle.prevent_destroy));
        recorded || self.model.is_protected()
    }

    fn run(&mut self, mode: Mode, trouble: &Trouble) -> Option<Report> {
        let spec = self.spec();
        let mut order = allowing(&spec, mode).with_faults(faults(trouble));
        if let Some((operation, fault)) = trouble.disk {
            order = order.with_disk_fault(operation.into(), fault);
        }
        let before = self.state();
        let quiet = self.is_quiet();
        let trial = self.world.apply(&order);
        self.last_run = (trial.mutating_calls, trial.file_operations);
        assert!(!matches!(trial.ending, Ending::Stuck), "the run did not end");
        // A run that recovers from a killed one replaces the state twice.
        self.check(2);
        self.unsettled = self.world.network.clock().now() + Duration::from_secs(30);
        if !quiet || !trouble.is_absorbed() {
            return None;
        }
        check_order(&spec, before.as_ref(), &trial.events);
        let report = self.allowed(trial.ending)?;
        assert!(report.is_complete(), "not everything was done:\n{}", failures(&report));
        if !trouble.is_none() {
            return None;
        }
        self.unsettled = Duration::ZERO;
        check_deeds(&self.world.network.cloud(), &report, trial.log_start, self.consistent);
        match mode {
            Mode::Apply => {
                let next = self.plan(Mode::Apply).expect("what was applied can be planned");
                assert!(next.is_empty(), "after an apply there is more to do: {:#?}", next.changes);
            }
            Mode::Destroy => self.check_destroyed(),
            Mode::Refresh => {
                let next = self.plan(Mode::Refresh).expect("what was recorded can be looked at");
                assert!(next.is_empty(), "after a refresh there is drift: {:#?}", next.drift);
            }
        }
        Some(report)
    }

    /// Tells whether nothing is under way that earlier runs have set off.
    fn is_quiet(&self) -> bool {
        let now = self.world.network.clock().now();
        let mut cloud = self.world.network.cloud();
        cloud.settle(now);
        let shown = self.consistent || now >= self.unsettled;
        // What others have in a segment keeps it from being withdrawn or deleted.
        let free = lodgers(&cloud).next().is_none();
        shown
            && free
            && cloud.quiet_at().is_none()
            && cloud.live().all(|object| object.life(now) != Life::Deleting)
    }

    /// Applies a part of what is wanted.
    fn apply_part(&mut self, part: &Part) {
        let (spec, before, quiet) = (self.spec(), self.state(), self.is_quiet());
        let mode = if part.destroy { Mode::Destroy } else { Mode::Apply };
        let order = Order::new(&spec, mode).with_options(part.options(&spec, before.as_ref()));
        let planned = self.world.plan(&order);
        let trial = match (&planned.ending, part.saved) {
            (Ending::Done(plan), true) => self.world.apply_saved(&order, plan),
            _ => self.world.apply(&order),
        };
        self.check(2);
        self.unsettled = self.world.network.clock().now() + Duration::from_secs(30);
        let refused = matches!(&trial.ending, Ending::Refused(RunError::Diagnostics(problems))
            if problems.iter().all(|problem| problem.code == "contradiction"));
        if !quiet || refused {
            return;
        }
        let Some(report) = self.allowed(trial.ending) else { return };
        assert!(report.is_complete(), "not everything was done:\n{}", failures(&report));
        check_order(&spec, before.as_ref(), &trial.events);
        part::check(&spec, before.as_ref(), self.state().as_ref(), &report.plan);
        self.unsettled = Duration::ZERO;
        check_deeds(&self.world.network.cloud(), &report, trial.log_start, self.consistent);
    }

    fn apply_saved(&mut self) {
        let Some(plan) = self.plan(Mode::Apply) else { return };
        let spec = self.spec();
        let order = allowing(&spec, Mode::Apply);
        if !self.is_quiet() {
            return;
        }
        let trial: Trial<Report> = self.world.apply_saved(&order, &plan);
        self.check(2);
        if !self.consistent && matches!(trial.ending, Ending::Refused(RunError::Stale { .. })) {
            return;
        }
        let Some(report) = self.allowed(trial.ending) else { return };
        assert_eq!(report.plan.changes, plan.changes);
        assert!(report.is_complete(), "not everything was done:\n{}", failures(&report));
        if !plan.is_empty() {
            let again = self.world.apply_saved(&order, &plan);
            assert!(matches!(again.ending, Ending::Refused(RunError::Stale { .. })), "{:#?}", again.ending);
        }
    }

    /// Brings the stack to what is wanted and then to its end, without faults.
    fn heal(&mut self) {
        self.model.unprotect(self.state().as_ref());
        leave(&mut self.world.network.cloud());
        self.world.wait(Duration::from_mins(10));
        assert!(self.run(Mode::Apply, &Trouble::default()).is_some(), "the last apply was refused");
        self.world.wait(Duration::from_mins(1));
        assert!(self.run(Mode::Destroy, &Trouble::default()).is_some(), "the last destroy was refused");
    }

    /// Checks what must hold after every step; the state may have been replaced so many times.
    fn check(&mut self, replacements: u64) {
        let state = self.state();
        let now = self.world.network.clock().now();
        let mut cloud = self.world.network.cloud();
        cloud.settle(now);
        assert!(cloud.violations().is_empty(), "{:#?}", cloud.violations());
        check::nothing_is_unknown(&cloud, state.as_ref());
        check::nothing_is_double(&cloud, state.as_ref());
        check::foreign_things_are_untouched(&cloud, &self.others.made);
        check::foreign_tags_are_untouched(&cloud, &self.others.tagged);
        drop(cloud);
        let Some(state) = state else {
            assert_eq!(self.lineage, None, "the state is lost");
            return;
        };
        let lineage = self.lineage.get_or_insert_with(|| state.lineage.clone());
        assert_eq!(*lineage, state.lineage, "the lineage has changed");
        let grown = self.serial..=self.serial + replacements;
        assert!(grown.contains(&state.serial), "the serial was {} and is {}", self.serial, state.serial);
        self.serial = state.serial;
    }

    fn check_destroyed(&self) {
        let cloud = self.world.network.cloud();
        let left: Vec<_> = cloud.live().filter(|object| !object.foreign).collect();
        assert!(left.is_empty(), "after a destroy there is left: {left:#?}");
        let state = self.state();
        let recorded = state.is_some_and(|state| !state.resources.is_empty() || !state.pending.is_empty());
        assert!(!recorded, "after a destroy the state is not empty");
    }

    fn meddle(&mut self, drift: Drift) {
        let now = self.world.network.clock().now();
        let mut cloud = self.world.network.cloud();
        cloud.settle(now);
        drift.apply(&mut cloud, &mut self.others);
    }

    fn log_hash(&self) -> String {
        let cloud = self.world.network.cloud();
        HEXLOWER.encode(&Sha256::digest(format!("{:?}", cloud.log())))
    }
}

fn failures(report: &Report) -> String {
    let failures = report.failures.iter();
    let lines: Vec<_> = failures
        .map(|failure| format!("{:?} {}: {}", failure.verb, failure.address, failure.error))
        .collect();
    lines.join("\n")
}

fn faults(trouble: &Trouble) -> Faults {
    let faults = trouble
        .mutating
        .iter()
        .fold(Faults::none(), |faults, (call, fault)| faults.mutating((*call).into(), *fault));
    trouble.reading.iter().fold(faults, |faults, (call, fault)| faults.reading((*call).into(), *fault))
}

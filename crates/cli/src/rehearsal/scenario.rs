//! One rehearsal from its beginning to its end: everything is made, something goes wrong, everything goes away.

use std::time::Duration;

use straddle_engine::plan::{Change, Mode};
use straddle_engine::run::{Report, RunError};

use super::crash::{Crash, Side};
use super::stage::{Ending, Play, Played, Scene, Stage};
use super::trouble::Trouble;
use crate::failure::Failure;

/// How often a run is repeated that has not done everything.
const ATTEMPTS: usize = 3;
/// Services show instances and NAT gateways for about an hour after they are gone ("Terminate Amazon EC2 instances",
/// "NAT gateway basics").
const AFTERLIFE: Duration = Duration::from_hours(2);

/// A rehearsal in which nothing goes wrong.
pub(crate) struct Clean {
    pub(crate) apply: Played,
    pub(crate) destroy: Played,
    /// Everything as it is between the two.
    pub(crate) scene: Option<Scene>,
    /// What should be otherwise.
    pub(crate) problems: Vec<String>,
}

/// What came of a rehearsal in which something went wrong.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) trouble: Trouble,
    /// Whether it did go wrong: what waits shorter this time may not get there.
    pub(crate) is_met: bool,
    /// How many runs it took altogether.
    pub(crate) runs: usize,
    /// How long they took in the time of the rehearsal.
    pub(crate) elapsed: Duration,
    /// What should be otherwise: it did not converge, or something was left.
    pub(crate) problems: Vec<String>,
}

/// Plays without anything going wrong. If the first run does not do everything, nothing more is played.
pub(crate) async fn clean(play: &Play<'_>) -> Result<Clean, Failure> {
    let stage = Stage::open(play, None, 0).await?;
    let mut course = Course::on(&stage);
    let apply = stage.run(Mode::Apply, None).await;
    if let Some(problem) = incomplete(&apply) {
        let problems = vec![format!("the apply does not do everything: {problem}")];
        let destroy = stage.run(Mode::Destroy, None).await;
        return Ok(Clean { apply, destroy, scene: None, problems });
    }
    course.expect_empty_plan().await;
    let scene = Some(stage.scene());
    let destroy = stage.run(Mode::Destroy, None).await;
    if let Some(problem) = incomplete(&destroy) {
        course.problems.push(format!("the destroy does not do everything: {problem}"));
    }
    course.expect_nothing().await;
    Ok(Clean { apply, destroy, scene, problems: course.problems })
}

/// Plays with a trouble: in the first run, or in the destroy that goes on from a scene.
pub(crate) async fn perform(
    play: &Play<'_>,
    trouble: Trouble,
    scene: &Scene,
    seed: u64,
) -> Result<Outcome, Failure> {
    let scene = (trouble.mode == Mode::Destroy).then(|| scene.clone());
    let stage = Stage::open(play, scene, seed).await?;
    let mut course = Course::on(&stage);
    if let Some(rule) = trouble.rule() {
        stage.add_fault(rule);
    }
    let first = course.run(trouble.mode, trouble.crash()).await;
    let is_met = match trouble.crash() {
        None => stage.take_fault(),
        Some(_) => matches!(first.ending, Ending::Died),
    };
    // What died right after a write is not continued but taken away as it is.
    let is_given_up = matches!(trouble.crash(), Some(Crash { side: Side::After, .. }));
    if trouble.mode == Mode::Apply {
        if !is_given_up {
            course.converge(Mode::Apply, first).await;
            course.expect_empty_plan().await;
        }
        let last = course.run(Mode::Destroy, None).await;
        course.converge(Mode::Destroy, last).await;
    } else {
        course.converge(Mode::Destroy, first).await;
    }
    course.expect_nothing().await;
    let Course { runs, elapsed, problems, .. } = course;
    Ok(Outcome { trouble, is_met, runs, elapsed, problems })
}

/// The course of a rehearsal.
struct Course<'a> {
    stage: &'a Stage<'a>,
    runs: usize,
    elapsed: Duration,
    problems: Vec<String>,
}

impl<'a> Course<'a> {
    fn on(stage: &'a Stage<'a>) -> Self {
        Self { stage, runs: 0, elapsed: Duration::ZERO, problems: Vec::new() }
    }

    async fn run(&mut self, mode: Mode, crash: Option<Crash>) -> Played {
        let played = self.stage.run(mode, crash).await;
        (self.runs, self.elapsed) = (self.runs + 1, self.elapsed + played.elapsed);
        played
    }

    /// Repeats a run until it has done everything.
    async fn converge(&mut self, mode: Mode, first: Played) {
        let mut last = incomplete(&first);
        for _ in 1..ATTEMPTS {
            if last.is_none() {
                return;
            }
            last = incomplete(&self.run(mode, None).await);
        }
        if let Some(problem) = last {
            let what = if mode == Mode::Destroy { "destroy" } else { "apply" };
            self.problems.push(format!("{ATTEMPTS} times {what} do not do everything: {problem}"));
        }
    }

    async fn expect_empty_plan(&mut self) {
        match self.stage.plan().await {
            Ok(plan) if plan.is_empty() => {}
            Ok(plan) => {
                let changed: Vec<_> = plan.changes.iter().map(changed).collect();
                self.problems.push(format!("the plan after it is not empty: {}", changed.join(", ")));
            }
            Err(error) => self.problems.push(format!("no plan can be made after it: {}", words(&error))),
        }
    }

    /// Waits until services do not show any more what is gone already, and looks for what is there.
    async fn expect_nothing(&mut self) {
        tokio::time::sleep(AFTERLIFE).await;
        let recorded = self.stage.recorded();
        if !recorded.is_empty() {
            self.problems.push(format!("the state still has {}", recorded.join(", ")));
        }
        let leaked = self.stage.leaked();
        if !leaked.is_empty() {
            self.problems.push(format!("left behind: {}", leaked.join(", ")));
        }
    }
}

/// Names what a plan would change, and in which attributes.
fn changed(change: &Change) -> String {
    let attributes: Vec<_> = change.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    format!("{} ({})", change.address, attributes.join(", "))
}

/// Returns why a run has not done everything; `None` if it has.
fn incomplete(played: &Played) -> Option<String> {
    match &played.ending {
        Ending::Reported(report) if report.is_complete() => None,
        Ending::Reported(report) => Some(undone(report)),
        Ending::Failed(error) => Some(words(error)),
        Ending::Died => Some("the program died".to_owned()),
        Ending::Endless => Some("it went on for a whole day".to_owned()),
    }
}

fn undone(report: &Report) -> String {
    let failed = report.failures.iter().map(|failure| format!("{}: {}", failure.address, failure.error));
    let left = report.audited.leftovers.iter().map(|left| format!("{} is left", left.id));
    let skipped = (!report.skipped.is_empty()).then(|| format!("{} were not begun", report.skipped.len()));
    let problems = report.output_problems.iter().map(|problem| problem.detail.clone());
    failed.chain(left).chain(skipped).chain(problems).collect::<Vec<_>>().join("; ")
}

/// Returns an error with its reasons.
fn words(error: &RunError) -> String {
    if let RunError::Diagnostics(problems) = error {
        let details = problems.iter().map(|problem| format!("{}: {}", problem.summary, problem.detail));
        return details.collect::<Vec<_>>().join("; ");
    }
    let reasons = std::iter::successors(std::error::Error::source(error), |error| error.source());
    std::iter::once(error.to_string()).chain(reasons.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}

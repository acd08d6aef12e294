//! Runs the checks, all of them at once.

use std::time::Duration;

use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use crate::access::Access;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::event::Event;
use crate::permission::Known;
use crate::plan::Plan;
use crate::preflight::{AnyCheck, Checked, Finding, Subject, Told, Verdict};
use crate::run::{Engine, InterruptLevel, RunError};
use crate::spec::Spec;
use crate::state::State;

/// How long a check may take: it makes a few reads, which are repeated where they are throttled.
const LIMIT: Duration = Duration::from_mins(1);

impl Engine<'_> {
    /// Runs the checks that are registered, for a plan. In the order of their registration.
    ///
    /// # Errors
    /// If the user asks to stop.
    pub(crate) async fn check(
        &self,
        access: &Access,
        spec: &Spec,
        state: &State,
        plan: &Plan,
    ) -> Result<Vec<Checked>, RunError> {
        let checks = self.registry.checks();
        if checks.is_empty() {
            return Ok(Vec::new());
        }
        self.observer.notify(&Event::Checking { checks: checks.len() });
        let known = Known { registry: self.registry, spec, state, plan };
        let subject = Subject::new(known, access.connections(), self.environment.now());
        let running = checks.iter().enumerate().map(|(place, check)| {
            let subject = &subject;
            async move { (place, run(check, subject).await) }
        });
        let mut running: FuturesUnordered<_> = running.collect();
        let mut done = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = self.interrupt.reached(InterruptLevel::Graceful) => return Err(RunError::Interrupted),
                next = running.next() => {
                    let Some((place, mut checked)) = next else { break };
                    hide(&mut checked, spec);
                    self.observer.notify(&Event::Checked { checked: checked.clone(), remaining: running.len() });
                    done.push((place, checked));
                }
            }
        }
        done.sort_by_key(|(place, _)| *place);
        Ok(done.into_iter().map(|(_, checked)| checked).collect())
    }
}

impl Engine<'_> {
    /// Runs the checks of which a plan tells what they find.
    pub(crate) async fn tell(&self, access: &Access, spec: &Spec, state: &State, plan: &Plan) -> Vec<Told> {
        let known = Known { registry: self.registry, spec, state, plan };
        let subject = Subject::new(known, access.connections(), self.environment.now());
        let checks = self.registry.checks().iter().filter(|check| check.told_as.is_some());
        let mut checked = join_all(checks.map(|check| run(check, &subject))).await;
        for checked in &mut checked {
            hide(checked, spec);
        }
        self.told(&checked)
    }

    /// Returns what a plan tells of what checks found. What they could not look at is left out: a plan
    /// needs none of it.
    pub(crate) fn told(&self, checked: &[Checked]) -> Vec<Told> {
        let told = checked.iter().filter_map(|checked| {
            let check = self.registry.checks().iter().find(|check| check.name == checked.name)?;
            let found = checked.findings.iter().filter(|finding| finding.verdict != Verdict::Skipped);
            Some(Told { heading: check.told_as?.to_owned(), findings: found.cloned().collect() })
        });
        told.filter(|told| !told.findings.is_empty()).collect()
    }
}

async fn run(check: &AnyCheck, subject: &Subject<'_>) -> Checked {
    let started = Instant::now();
    let findings = match tokio::time::timeout(LIMIT, (check.run)(subject)).await {
        Ok(findings) => findings,
        Err(_) => vec![Finding::skipped(None, format!("There was no answer in {} s.", LIMIT.as_secs()))],
    };
    Checked::new(check, findings, started.elapsed())
}

fn hide(checked: &mut Checked, spec: &Spec) {
    for finding in &mut checked.findings {
        finding.message = spec.secrets.hide(&finding.message).into_owned();
    }
}

/// Returns what stops a run, if anything does.
///
/// # Errors
/// With each finding that failed.
pub(crate) fn stop_at_failures(checked: &[Checked]) -> Result<(), RunError> {
    let mut problems = Diagnostics::default();
    for check in checked {
        for finding in check.findings.iter().filter(|finding| finding.verdict == Verdict::Failed) {
            problems.push(problem(check, finding));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(RunError::Diagnostics(problems)) }
}

fn problem(check: &Checked, finding: &Finding) -> Diagnostic {
    let place = finding.account.as_ref().map(|account| format!("In the account `{account}`: "));
    let remedy = finding.remedy.as_deref().unwrap_or_default();
    Diagnostic::error("preflight", format!("a check before the run failed: {}", check.name))
        .with_detail(format!("{}{} Nothing was changed.", place.unwrap_or_default(), finding.message))
        .with_hint(
            format!("{remedy} If you know better, skip this check with `--skip {}`.", check.name)
                .trim()
                .to_owned(),
        )
}

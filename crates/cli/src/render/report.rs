//! What came of an apply: a summary, and each failure with what to do about it.

use std::collections::BTreeSet;
use std::time::Duration;

use straddle_engine::address::AccountName;
use straddle_engine::audit::Leftover;
use straddle_engine::diagnostic::{Diagnostic, Diagnostics};
use straddle_engine::event::Verb;
use straddle_engine::plan::Mode;
use straddle_engine::run::{Failure, Report};
use straddle_engine::spec::Spec;

use crate::render::error::sentence;
use crate::render::lines::blocker_list;
use crate::render::plan::Drifted;
use crate::render::{Palette, duration_words, paint};

/// Says in one line what was done, what failed and what was not started.
pub(crate) fn summary(report: &Report, elapsed: Duration, palette: &Palette) -> String {
    let name = match report.plan.mode {
        Mode::Apply => "Apply",
        Mode::Destroy => "Destroy",
        Mode::Refresh => return recorded(report, elapsed, palette),
    };
    let end = match (report.is_complete(), report.interrupted) {
        (true, _) => "complete",
        (false, true) => "interrupted",
        (false, false) => "incomplete",
    };
    let done = |verb| report.done.iter().filter(|(_, done)| *done == verb).count();
    // What is changed in several steps is changed once.
    let changed: BTreeSet<_> = report
        .done
        .iter()
        .filter(|(_, verb)| matches!(verb, Verb::Update | Verb::Withdraw | Verb::Advance))
        .map(|(address, _)| address)
        .collect();
    let changed = changed.len();
    let mut counts = vec![
        format!("{} created", done(Verb::Create)),
        format!("{changed} changed"),
        format!("{} deleted", done(Verb::Delete)),
    ];
    let further = [
        (done(Verb::Forget), "forgotten"),
        (report.plan.renames.len(), "renamed"),
        (report.plan.imports.len(), "imported"),
        (report.failures.len(), "failed"),
        (report.skipped.len(), "not started"),
        (report.output_problems.iter().count(), "not worked out"),
        (report.audited.leftovers.len(), "left behind"),
    ];
    counts.extend(
        further.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")),
    );
    let text = format!("{name} {end}: {}, after {}.", counts.join(", "), duration_words(elapsed));
    let style = if report.is_complete() { palette.strong } else { palette.failure };
    paint(style, text).to_string()
}

/// Says where nothing of a stack that was destroyed is left; `None` if that is not known.
pub(crate) fn nothing_is_left(report: &Report) -> Option<String> {
    let is_over =
        report.plan.mode == Mode::Destroy && report.is_complete() && report.plan.left_out.is_empty();
    let names: Vec<_> = report.audited.searched.iter().map(ToString::to_string).collect();
    let (last, others) = names.split_last()?;
    let names = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
    is_over.then(|| format!("Searched {names}: nothing of the stack {} is left.", report.plan.stack))
}

/// Says in one line what was recorded.
fn recorded(report: &Report, elapsed: Duration, palette: &Palette) -> String {
    let Drifted { changed, gone } = Drifted::of(&report.plan);
    let elapsed = duration_words(elapsed);
    let text = format!("Recorded: {changed} changed, {gone} forgotten, after {elapsed}.");
    paint(palette.strong, text).to_string()
}

/// Returns the failures as diagnostics that point at the blocks in the spec.
pub(crate) fn failures(report: &Report, spec: &Spec) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    diagnostics.extend(report.failures.iter().map(|failure| diagnostic(failure, spec)));
    diagnostics.extend(report.output_problems.iter().cloned());
    diagnostics.extend(left_behind(report));
    diagnostics.extend(report.audited.unread.iter().map(|(account, error)| not_searched(account, error)));
    diagnostics
}

/// Says what the stack has left behind. That is an error: nothing else tells of it.
fn left_behind(report: &Report) -> Option<Diagnostic> {
    let leftovers = &report.audited.leftovers;
    let first = leftovers.first()?;
    let summary = "things of this stack are not in its state";
    let found = Diagnostic::error("left-behind", summary);
    let listed = leftovers.iter().map(|leftover| {
        let Leftover { account, kind, id, address } = leftover;
        let kind = kind.as_ref().map(|kind| format!("{kind} ")).unwrap_or_default();
        let address = address.as_ref().map(|address| format!(", tagged as {address}")).unwrap_or_default();
        format!("\n  {kind}{id} in the account {account}{address}")
    });
    let listed: String = listed.collect();
    let hint = match &first.kind {
        Some(kind) => format!(
            "Take what is to stay into the stack, such as `straddle import {kind}.NAME {}`, and delete the rest \
             in its account.",
            first.id
        ),
        None => "Delete them in their account, or take the tag `straddle:stack` away from them.".to_owned(),
    };
    Some(found.with_detail(format!("They exist and carry its tag:{listed}")).with_hint(hint))
}

fn not_searched(account: &AccountName, error: &str) -> Diagnostic {
    Diagnostic::warning("not-searched", "an account was not searched for what is left behind")
        .with_detail(format!("In the account `{account}`: {}", sentence(error)))
        .with_hint("Allow `tag:GetResources` there if things of this stack may be outside of its state.")
}

fn diagnostic(failure: &Failure, spec: &Spec) -> Diagnostic {
    if let Some(problem) = &failure.problem {
        let hint = failure.hint.clone().unwrap_or_default();
        return problem.clone().with_address(failure.address.clone()).with_hint(hint);
    }
    let summary = match failure.verb {
        Verb::Create => "failed to create a resource",
        Verb::Update => "failed to change a resource",
        Verb::Delete => "failed to delete a resource",
        Verb::Forget => "failed to forget a resource",
        Verb::Advance => "failed to bring a resource one round further",
        Verb::Withdraw => "failed to take something out of a share",
        Verb::Wait => "something did not come to pass that was waited for",
        Verb::Expect => "something that others make is not there, or not as expected",
        Verb::Look => "failed to look something up",
    };
    let mut detail =
        format!("{} in the account `{}`: {}", failure.address, failure.account, sentence(&failure.error));
    if !failure.blockers.is_empty() {
        detail.push_str("\nIt is used by:");
        detail.push_str(&blocker_list(&failure.blockers));
    }
    let hint = failure.hint.clone().unwrap_or_else(|| {
        "Once the reason is gone, run the same command again: it goes on where this one ended.".to_owned()
    });
    let diagnostic = Diagnostic::error("operation-failed", summary)
        .with_address(failure.address.clone())
        .with_detail(detail)
        .with_hint(hint);
    match spec.resources.get(&failure.address) {
        Some(resource) => diagnostic.with_span(resource.span, ""),
        None => diagnostic,
    }
}

//! What rehearsals came to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value as Json, json};
use straddle_engine::permission::documents;
use straddle_engine::provider::Provider;
use straddle_engine::spec::Spec;

use crate::commands::rehearse::Rehearsed;
use crate::rehearsal::{Outcome, Played, Sort, Timed, critical_path};
use crate::render::lines::doing;
use crate::render::{Palette, counted, duration_words, paint};

/// Renders the report for people.
pub(crate) fn rehearsal(rehearsed: &Rehearsed<'_>, palette: &Palette) -> String {
    let mut text = String::new();
    let title = |text: &mut String, words: String| {
        let _ = writeln!(text, "{}", paint(palette.strong, words));
    };
    title(&mut text, "Without trouble".to_owned());
    for (name, played) in runs(rehearsed) {
        let operations = counted(played.timed.len(), "operation");
        let requests = counted(played.requests.len(), "request");
        let elapsed = duration_words(played.elapsed);
        let _ = writeln!(text, "  {name:<8} {operations}, {requests}, as long as on AWS: {elapsed}");
    }
    for (name, played) in runs(rehearsed) {
        title(&mut text, format!("\nWhat the {name} waits for"));
        text.push_str(&path(&critical_path(&played.timed), palette));
    }
    title(&mut text, "\nWhat each account is asked to do".to_owned());
    for (account, actions) in actions(rehearsed) {
        let _ = writeln!(text, "  {account}\n{}", by_service(&actions));
    }
    title(&mut text, "\nWith trouble".to_owned());
    for ((run, sort), tally) in tallies(&rehearsed.outcomes) {
        let _ = writeln!(text, "  {run:<8} {sort:<28} {tally}");
    }
    let unplayed = rehearsed.known - rehearsed.outcomes.len();
    if unplayed > 0 {
        let _ = writeln!(text, "  {}", paint(palette.faint, format!("{unplayed} more were not played")));
    }
    text.push_str(&problems(rehearsed, palette));
    text
}

fn runs<'a>(rehearsed: &'a Rehearsed<'_>) -> [(&'static str, &'a Played); 2] {
    [("apply", &rehearsed.clean.apply), ("destroy", &rehearsed.clean.destroy)]
}

fn path(path: &[Timed], palette: &Palette) -> String {
    let line = |timed: &Timed| {
        let (at, took) = (duration_words(timed.started), duration_words(timed.took()));
        let what = format!("{} {}", doing(timed.operation.verb), timed.operation.address);
        format!("  {} {took:>13}  {what}\n", paint(palette.faint, format!("after {at:<13}")))
    };
    path.iter().map(line).collect()
}

/// Returns by account what was asked there, as policies call it.
fn actions(rehearsed: &Rehearsed<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let mut actions: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for request in runs(rehearsed).into_iter().flat_map(|(_, played)| &played.requests) {
        if let Some(action) = request.action() {
            actions.entry(account_name(rehearsed.spec, &request.account)).or_default().insert(action);
        }
    }
    actions
}

/// Renders actions, a line for each service.
fn by_service(actions: &BTreeSet<String>) -> String {
    let mut services: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (service, operation) in actions.iter().filter_map(|action| action.split_once(':')) {
        services.entry(service).or_default().push(operation);
    }
    let lines: Vec<_> = services
        .iter()
        .map(|(service, operations)| format!("    {service}: {}", operations.join(", ")))
        .collect();
    lines.join("\n")
}

/// Returns the name that an account has in the spec.
fn account_name(spec: &Spec, id: &str) -> String {
    let named = spec.accounts.values().find(|account| account.id == id);
    named.map_or_else(|| id.to_owned(), |account| account.name.to_string())
}

/// How troubles of one sort came out.
#[derive(Default)]
struct Tally {
    played: usize,
    fine: usize,
    unmet: usize,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {} converged, nothing left", self.fine, self.played)?;
        match self.unmet {
            0 => Ok(()),
            unmet => write!(formatter, " ({unmet} did not get to it)"),
        }
    }
}

fn tallies(outcomes: &[Outcome]) -> BTreeMap<(&'static str, String), Tally> {
    let mut tallies: BTreeMap<_, Tally> = BTreeMap::new();
    for outcome in outcomes {
        let sort = match &outcome.trouble.sort {
            Sort::Fault { fault, .. } => format!("a call meets `{}`", fault.name()),
            Sort::Crash(_) => "the program dies at a write".to_owned(),
        };
        let tally = tallies.entry((outcome.trouble.run(), sort)).or_default();
        tally.played += 1;
        tally.fine += usize::from(outcome.problems.is_empty());
        tally.unmet += usize::from(!outcome.is_met);
    }
    tallies
}

fn problems(rehearsed: &Rehearsed<'_>, palette: &Palette) -> String {
    let elapsed = duration_words(rehearsed.elapsed);
    if rehearsed.is_fine() {
        let rehearsals = counted(rehearsed.outcomes.len() + 1, "rehearsal");
        return format!("\n{}\n", paint(palette.create, format!("{rehearsals} in {elapsed}: no problem.")));
    }
    let mut text = format!("\n{}\n", paint(palette.failure, format!("Problems, after {elapsed}")));
    for problem in &rehearsed.clean.problems {
        let _ = writeln!(text, "  without trouble: {problem}");
    }
    for outcome in &rehearsed.outcomes {
        for problem in &outcome.problems {
            let _ = writeln!(text, "  {}: {problem}", outcome.trouble);
        }
    }
    text
}

/// Renders everything for programs.
pub(crate) fn rehearsal_json(rehearsed: &Rehearsed<'_>, provider: &dyn Provider) -> Json {
    let run = |played: &Played| {
        json!({
            "operations": played.timed.len(),
            "requests": played.requests.len(),
            "writes": played.writes,
            "seconds": played.elapsed.as_secs_f64(),
            "critical_path": critical_path(&played.timed).iter().map(timed).collect::<Json>(),
        })
    };
    let [(_, apply), (_, destroy)] = runs(rehearsed);
    let policies = rehearsed.spec.accounts.values().map(|account| {
        (account.name.to_string(), Json::Array(documents(&rehearsed.grants, account, provider)))
    });
    json!({
        "type": "rehearsal",
        "is_fine": rehearsed.is_fine(),
        "seconds": rehearsed.elapsed.as_secs_f64(),
        "apply": run(apply),
        "destroy": run(destroy),
        "problems": rehearsed.clean.problems,
        "actions": actions(rehearsed),
        "policies": policies.collect::<Map<_, _>>(),
        "known_troubles": rehearsed.known,
        "troubles": rehearsed.outcomes.iter().map(outcome).collect::<Json>(),
    })
}

fn timed(timed: &Timed) -> Json {
    json!({
        "address": timed.operation.address,
        "verb": doing(timed.operation.verb),
        "account": timed.operation.account,
        "started": timed.started.as_secs_f64(),
        "ended": timed.ended.as_secs_f64(),
    })
}

fn outcome(outcome: &Outcome) -> Json {
    json!({
        "trouble": outcome.trouble.to_string(),
        "is_met": outcome.is_met,
        "runs": outcome.runs,
        "seconds": outcome.elapsed.as_secs_f64(),
        "problems": outcome.problems,
    })
}

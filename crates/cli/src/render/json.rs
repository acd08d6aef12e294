//! What a program reads: diagnostics, plans, events and reports as JSON.
//!
//! Every object says in `type` what it is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use straddle_engine::diagnostic::{Diagnostic, Diagnostics, Severity, Sources, Span};
use straddle_engine::event::{Event, OperationLabel, Verb};
use straddle_engine::import::ImportReport;
use straddle_engine::plan::{AttributeChange, Change, Plan};
use straddle_engine::preflight::Checked;
use straddle_engine::registry::Registry;
use straddle_engine::run::Report;
use straddle_engine::schema::AttributeSchema;
use straddle_engine::value::{SENSITIVE, Value, ValueMap};

use crate::exit::Exit;
use crate::render::grants;
use crate::render::plan::{Counts, Drifted};
use crate::running::{Ongoing, Snapshot};

/// Renders every problem with all that is known of it.
pub(crate) fn diagnostics(sources: &Sources, diagnostics: &Diagnostics) -> Json {
    diagnostics.iter().map(|item| diagnostic(sources, item)).collect()
}

fn diagnostic(sources: &Sources, item: &Diagnostic) -> Json {
    let related = item
        .related
        .iter()
        .map(|label| json!({ "message": label.message, "place": place(sources, label.span) }));
    json!({
        "severity": match item.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "code": item.code,
        "summary": item.summary,
        "detail": item.detail,
        "address": item.address,
        "place": item.span.map(|span| place(sources, span)),
        "label": item.label,
        "related": related.collect::<Vec<_>>(),
        "hint": item.hint,
    })
}

fn place(sources: &Sources, span: Span) -> Json {
    let start = sources.location(span);
    let end = sources.location(Span { start: span.end, ..span });
    json!({
        "file": start.path,
        "start": { "line": start.line, "column": start.column, "byte": span.start },
        "end": { "line": end.line, "column": end.column, "byte": span.end },
    })
}

/// Renders what ended a command before its end.
pub(crate) fn failure(exit: Exit, sources: &Sources, items: &Diagnostics) -> Json {
    json!({ "type": "failure", "exit_code": exit.code(), "diagnostics": diagnostics(sources, items) })
}

/// Renders a plan; what is sensitive is left out.
pub(crate) fn plan(plan: &Plan, registry: &Registry) -> Json {
    let mut shown = plan.clone();
    for change in &mut shown.changes {
        hide_in_change(change, registry);
    }
    for lookup in &mut shown.lookups {
        hide_sensitive(&mut lookup.inputs, &[], &lookup.sensitive);
    }
    for drift in &mut shown.drift {
        drift.attributes.iter_mut().for_each(hide_in_attribute);
    }
    for output in shown.outputs.iter_mut().filter(|output| output.sensitive) {
        [&mut output.before, &mut output.after].into_iter().for_each(hide);
    }
    let mut object = Map::from_iter([("type".to_owned(), json!("plan"))]);
    let mut json = to_json(&shown);
    grants::add(&mut json, &shown);
    let Json::Object(entries) = json else { unreachable!("a plan is a JSON object") };
    object.extend(entries);
    object.insert("summary".to_owned(), counts(plan));
    Json::Object(object)
}

/// Renders what came of an import; what is sensitive is left out.
pub(crate) fn import(report: &ImportReport, registry: &Registry) -> Json {
    let mut changes = report.changes.clone();
    for change in &mut changes {
        hide_in_change(change, registry);
    }
    json!({ "type": "import", "imports": to_json(&report.imports), "changes": to_json(&changes) })
}

fn counts(plan: &Plan) -> Json {
    let Drifted { changed, gone } = Drifted::of(plan);
    let Counts { create, update, replace, delete, forget, await_others, rename, import } = Counts::of(plan);
    json!({
        "create": create,
        "update": update,
        "replace": replace,
        "delete": delete,
        "forget": forget,
        "wait_for": await_others,
        "rename": rename,
        "import": import,
        "drift": { "changed": changed, "gone": gone },
        "left_out": plan.left_out.len(),
    })
}

fn hide_in_change(change: &mut Change, registry: &Registry) {
    change.attributes.iter_mut().for_each(hide_in_attribute);
    let in_rounds = change.rounds.iter_mut().flat_map(|round| &mut round.attributes);
    in_rounds.for_each(hide_in_attribute);
    for attribute in change.attributes.iter().filter(|attribute| attribute.sensitive) {
        if let Some(value) = change.inputs.get_mut(&attribute.name) {
            *value = SENSITIVE.into();
        }
    }
    let inputs = registry.kind(change.kind.as_str()).map_or(&[][..], |kind| &kind.schema().inputs);
    hide_sensitive(&mut change.inputs, inputs, &change.lifecycle.sensitive);
}

fn hide_in_attribute(attribute: &mut AttributeChange) {
    if !attribute.sensitive {
        return;
    }
    [&mut attribute.before, &mut attribute.after].into_iter().for_each(hide);
}

/// Takes out a value; that there is none is told.
fn hide(value: &mut Value) {
    if !value.is_null() {
        *value = SENSITIVE.into();
    }
}

/// Returns outputs without the values of those that are sensitive.
pub(crate) fn shown_outputs(
    outputs: &BTreeMap<String, Value>,
    sensitive: &BTreeSet<String>,
) -> BTreeMap<String, Value> {
    let mut shown = outputs.clone();
    shown.iter_mut().filter(|(name, _)| sensitive.contains(*name)).for_each(|(_, value)| hide(value));
    shown
}

/// Takes out the values of attributes that are sensitive by their kind, or are among `sensitive`.
pub(crate) fn hide_sensitive(
    values: &mut ValueMap,
    schema: &[AttributeSchema],
    sensitive: &BTreeSet<String>,
) {
    let by_kind = schema.iter().filter(|attribute| attribute.sensitive).map(|attribute| attribute.name);
    for name in by_kind.chain(sensitive.iter().map(String::as_str)) {
        if let Some(value) = values.get_mut(name) {
            *value = SENSITIVE.into();
        }
    }
}

/// Renders what a run is busy with.
pub(crate) fn heartbeat(running: &Snapshot) -> Json {
    let operation = |ongoing: &Ongoing| {
        let Ongoing { operation, elapsed, waits_for } = ongoing;
        json!({
            "address": operation.address,
            "verb": verb(operation.verb),
            "account": operation.account,
            "region": operation.region,
            "elapsed_seconds": seconds(*elapsed),
            "waits_for": waits_for,
        })
    };
    let stage =
        running.stage.map(|(stage, elapsed)| json!({ "name": stage, "elapsed_seconds": seconds(elapsed) }));
    let operations: Vec<_> = running.operations.iter().map(operation).collect();
    json!({ "type": "heartbeat", "stage": stage, "operations": operations })
}

/// Renders what checks before a run found.
pub(crate) fn preflight(checked: &[Checked]) -> Json {
    let verdict = checked.iter().map(|checked| checked.verdict).max();
    json!({ "type": "preflight", "verdict": verdict, "checks": checked })
}

/// Renders an event.
pub(crate) fn event(event: &Event) -> Json {
    match event {
        Event::WaitingForLock { holder, remaining } => {
            json!({ "type": "waiting_for_lock", "holder": holder, "remaining_seconds": seconds(*remaining) })
        }
        Event::Connecting { accounts } => json!({ "type": "connecting", "accounts": accounts }),
        Event::Refreshing { resources } => json!({ "type": "refreshing", "resources": resources }),
        Event::NotVisibleYet { addresses } => json!({ "type": "not_visible_yet", "addresses": addresses }),
        Event::Refreshed { listings, elapsed } => {
            json!({ "type": "refreshed", "listings": listings, "elapsed_seconds": seconds(*elapsed) })
        }
        Event::Checking { checks } => json!({ "type": "checking", "checks": checks }),
        Event::Checked { checked, remaining } => {
            json!({ "type": "checked", "check": checked, "remaining": remaining })
        }
        Event::Resolving { address, remaining } => {
            json!({ "type": "resolving", "address": address, "remaining_seconds": seconds(*remaining) })
        }
        Event::OperationStarted { operation } => about("operation_started", operation, json!({})),
        Event::Call { operation, call } => about("call", operation, json!({ "call": call })),
        Event::Identified { operation, remote_id } => {
            about("identified", operation, json!({ "remote_id": remote_id }))
        }
        Event::Waiting { operation, reason, elapsed } => {
            about("waiting", operation, json!({ "reason": reason, "elapsed_seconds": seconds(*elapsed) }))
        }
        Event::Blocked { operation, blockers } => {
            about("blocked", operation, json!({ "blockers": blockers }))
        }
        Event::OperationFinished { operation, remote_id, elapsed } => {
            let facts = json!({ "remote_id": remote_id, "elapsed_seconds": seconds(*elapsed) });
            about("operation_finished", operation, facts)
        }
        Event::OperationFailed { operation, error, elapsed } => about(
            "operation_failed",
            operation,
            json!({ "error": error, "elapsed_seconds": seconds(*elapsed) }),
        ),
        Event::OperationSkipped { operation, because } => {
            about("operation_skipped", operation, json!({ "because": because }))
        }
        Event::Interrupted { waiting } => json!({ "type": "interrupted", "waiting": waiting }),
    }
}

fn about(kind: &str, operation: &OperationLabel, facts: Json) -> Json {
    let mut object = json!({
        "type": kind,
        "address": operation.address,
        "verb": verb(operation.verb),
        "account": operation.account,
        "region": operation.region,
    });
    if let (Json::Object(object), Json::Object(facts)) = (&mut object, facts) {
        object.extend(facts);
    }
    object
}

/// Renders what came of an apply.
pub(crate) fn report(
    report: &Report,
    exit: Exit,
    elapsed: Duration,
    sources: &Sources,
    failures: &Diagnostics,
) -> Json {
    let operations = |operations: &[(straddle_engine::address::Address, Verb)]| {
        let items =
            operations.iter().map(|(address, done)| json!({ "address": address, "verb": verb(*done) }));
        items.collect::<Vec<_>>()
    };
    let failed = report.failures.iter().map(|failure| {
        json!({
            "address": failure.address,
            "verb": verb(failure.verb),
            "account": failure.account,
            "error": failure.error,
            "hint": failure.hint,
            "blockers": failure.blockers,
        })
    });
    let unread = report.audited.unread.iter();
    let not_searched = unread.map(|(account, error)| json!({ "account": account, "error": error }));
    json!({
        "type": "report",
        "exit_code": exit.code(),
        "complete": report.is_complete(),
        "interrupted": report.interrupted,
        "elapsed_seconds": seconds(elapsed),
        "done": operations(&report.done),
        "failed": failed.collect::<Vec<_>>(),
        "not_started": operations(&report.skipped),
        "left_behind": report.audited.leftovers,
        "searched": report.audited.searched,
        "not_searched": not_searched.collect::<Vec<_>>(),
        "outputs": to_json(&shown_outputs(&report.outputs, &report.sensitive_outputs)),
        "diagnostics": diagnostics(sources, failures),
    })
}

/// Serializes a thing whose JSON form cannot fail.
pub(crate) fn to_json(thing: &impl serde::Serialize) -> Json {
    serde_json::to_value(thing).expect("values that are not finite are refused by the spec")
}

fn seconds(duration: Duration) -> f64 {
    // Three digits are enough, and read better than seventeen.
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Forget => "forget",
        Verb::Withdraw => "withdraw",
        Verb::Advance => "advance",
        Verb::Wait => "wait",
        Verb::Expect => "expect",
        Verb::Look => "look_up",
    }
}

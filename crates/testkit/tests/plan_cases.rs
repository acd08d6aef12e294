//! Plans as data. A case is a folder:
//!
//! - `before.toml`: what was applied, if anything was;
//! - `meddling.json`: what others did since, a list of `{"address": .., "set": {..}}`,
//!   `{"address": .., "tags": {..}}`, `{"address": .., "vanish": true}`, `{"address": .., "fail": ".."}`
//!   or, of what somebody else made, `{"make": kind, "account": id, "set": {..}, "tags": {..}}`;
//! - `after.toml`: what is wanted now; without it, the stack is destroyed, by `destroy.toml` if there is one;
//! - folders of components, which all of these can use;
//! - `options.json`: what the user asks for besides; then applying it must leave nothing but what
//!   was left out to plan, and applying everything after that nothing at all;
//! - `plan.txt`: the plan, or why there is none; of tables and lists, the places that differ.
//!
//! Whatever the plan is, applying it must leave nothing to plan, unless it warns. `UPDATE_EXPECT=1` writes the plans anew.

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(clippy::disallowed_methods, reason = "a test may be told to write what it expects")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use straddle_engine::address::RemoteId;
use straddle_engine::diagnostic::Diagnostics;
use straddle_engine::difference::{Difference, differences};
use straddle_engine::plan::{
    AttributeChange, Change, ChangeAction, Import, LeftOut, LeftOutBecause, LookedUp, Mode, Options, Plan,
    Reason, Round, held,
};
use straddle_engine::resource::ReplaceOrder;
use straddle_engine::run::RunError;
use straddle_engine::spec::{LoadRequest, Spec, load};
use straddle_engine::value::{Value, ValueMap};
use straddle_testkit::cloud::Pace;
use straddle_testkit::simulation::{Ending, Order, World};

/// Two accounts, and what every spec of a case begins with.
const PREAMBLE: &str = r#"
[stack]
name = "case"
tags = { stage = "test" }

[account.a]
id     = "111111111111"
region = "here"

[account.b]
id     = "222222222222"
region = "here"

[defaults]
account = "a"
"#;

#[test]
fn plans_are_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan_cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let wrong: Vec<_> = cases.iter().filter_map(|case| check(case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(cases.len() >= 15, "only {} cases were found", cases.len());
}

/// Returns what is wrong with a case.
fn check(case: &Path) -> Option<String> {
    let world = World::new(1, Pace::INSTANT);
    if let Some(before) = spec(&world, &case.join("before.toml")) {
        world.apply(&Order::new(&before, Mode::Apply)).ending.expect_done("the apply before");
    }
    meddle(&world, &case.join("meddling.json"));
    let after = spec(&world, &case.join("after.toml"));
    let mode = if after.is_some() { Mode::Apply } else { Mode::Destroy };
    let last =
        || spec(&world, &case.join("destroy.toml")).or_else(|| spec(&world, &case.join("before.toml")));
    let spec = after.or_else(last).unwrap();
    let options: Options = fs::read_to_string(case.join("options.json"))
        .map(|text| serde_json::from_str(&text).unwrap())
        .unwrap_or_default();
    let order = |options: &Options| Order::new(&spec, mode).with_options(options.clone());
    let (text, planned) = match world.plan(&order(&options)).ending {
        Ending::Done(plan) => {
            let warnings = held(&plan, &spec, world.registry());
            (show(&plan) + &show_problems("warning", &warnings), warnings.is_empty())
        }
        Ending::Refused(RunError::Diagnostics(diagnostics)) => (show_problems("error", &diagnostics), false),
        ending @ (Ending::Refused(_) | Ending::Crashed | Ending::Stuck) => {
            panic!("{}: {ending:?}", case.display())
        }
    };
    if planned {
        let again = Options { replace: BTreeSet::new(), ..options.clone() };
        let all = world.plan(&order(&Options::default())).ending;
        let runs = [(&options, &again), (&Options::default(), &Options::default())];
        // What is protected may be left out, and then everything is more than is allowed.
        for (applied, then) in runs.into_iter().take(if matches!(all, Ending::Done(_)) { 2 } else { 1 }) {
            let report = world.apply(&order(applied)).ending.expect_done("the apply");
            assert!(report.is_complete(), "{}: {report:?}", case.display());
            match world.plan(&order(then)).ending {
                // What was targeted is gone.
                Ending::Refused(RunError::Diagnostics(problems)) if only(&problems, "unknown-address") => {}
                ending @ (Ending::Done(_) | Ending::Refused(_) | Ending::Crashed | Ending::Stuck) => {
                    let left = ending.expect_done("the last plan");
                    assert!(left.is_empty(), "{}: the apply left\n{}", case.display(), show(&left));
                }
            }
        }
    }
    let expected = case.join("plan.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected, &text).unwrap();
    }
    let expected = fs::read_to_string(&expected).unwrap_or_default();
    (text != expected).then(|| format!("{}: expected\n{expected}\nfound\n{text}", case.display()))
}

fn show_problems(severity: &str, problems: &Diagnostics) -> String {
    let lines = problems.iter().map(|problem| {
        format!(
            "{severity}[{}]: {}\n  {}\n  {}\n",
            problem.code,
            problem.summary,
            problem.detail,
            problem.hint.clone().unwrap_or_default()
        )
    });
    lines.collect()
}

fn only(problems: &Diagnostics, code: &str) -> bool {
    problems.iter().all(|problem| problem.code == code)
}

fn spec(world: &World, path: &Path) -> Option<Spec> {
    let text = fs::read_to_string(path).ok()?;
    let folder = tempfile::tempdir().unwrap();
    let preamble = if text.contains("[stack]") { "" } else { PREAMBLE };
    fs::write(folder.path().join("spec.toml"), format!("{preamble}{text}")).unwrap();
    copy_components(path.parent().unwrap(), folder.path());
    let request = LoadRequest { path: folder.path().to_owned(), ..LoadRequest::default() };
    let loaded = load(&request, world.registry())
        .unwrap_or_else(|failure| panic!("{}: {:#?}", path.display(), failure.diagnostics));
    Some(loaded.spec)
}

fn copy_components(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            fs::create_dir(&to).unwrap();
            for file in fs::read_dir(&from).unwrap().map(Result::unwrap) {
                fs::copy(file.path(), to.join(file.file_name())).unwrap();
            }
        }
    }
}

fn meddle(world: &World, path: &Path) {
    let Ok(text) = fs::read_to_string(path) else { return };
    let state = world.state("case").unwrap();
    for order in serde_json::from_str::<Vec<ValueMap>>(&text).unwrap() {
        let id = if let Some(kind) = order.get("make").and_then(Value::as_str) {
            let (account, attributes) = (order["account"].as_str().unwrap(), order["set"].as_map().unwrap());
            RemoteId::new(world.network.cloud().add_foreign(account, kind, attributes))
        } else {
            let address = order["address"].as_str().unwrap().parse().unwrap();
            state.as_ref().unwrap().resources[&address].object.as_ref().unwrap().remote_id.clone()
        };
        let mut cloud = world.network.cloud();
        for (name, value) in order.get("set").and_then(Value::as_map).into_iter().flatten() {
            cloud.set(id.as_str(), name, value.clone());
        }
        for (name, value) in order.get("tags").and_then(Value::as_map).into_iter().flatten() {
            cloud.tag(id.as_str(), name, value.as_str().unwrap());
        }
        if let Some(reason) = order.get("fail").and_then(Value::as_str) {
            cloud.fail(id.as_str(), reason);
        }
        if order.contains_key("vanish") {
            cloud.vanish(id.as_str());
        }
    }
}

/// Returns a plan as text that changes only when the plan does.
fn show(plan: &Plan) -> String {
    let mut text = String::new();
    for drift in &plan.drift {
        let gone = if drift.gone { " is gone" } else { "" };
        writeln!(text, "drift {}{gone}", drift.address).unwrap();
        show_attributes(&mut text, &drift.attributes);
    }
    for rename in &plan.renames {
        writeln!(text, "rename {} -> {}", rename.from, rename.to).unwrap();
    }
    for LookedUp { address, account, inputs, outputs, .. } in &plan.lookups {
        let found = outputs.clone().map_or_else(|| "later".to_owned(), |outputs| value(&Value::Map(outputs)));
        writeln!(text, "lookup {address} [{account}] {}: {found}", value(&Value::Map(inputs.clone())))
            .unwrap();
    }
    for Import { address, account, remote_id, .. } in &plan.imports {
        writeln!(text, "import {address} [{account}] {remote_id}").unwrap();
    }
    for change in &plan.changes {
        let Change { account, address, .. } = change;
        let reasons: Vec<_> = change.reasons.iter().map(reason).collect();
        writeln!(text, "{} {address} [{account}]: {}", action(change.action), reasons.join(", ")).unwrap();
        show_attributes(&mut text, &change.attributes);
        for (name, followed) in &change.follows {
            writeln!(text, "  {name} follows {followed}").unwrap();
        }
        for Round { number, attributes } in &change.rounds {
            writeln!(text, "  in round {number} of {}:", change.last_round.unwrap()).unwrap();
            show_attributes(&mut text, attributes);
        }
    }
    for LeftOut { address, action, because, .. } in &plan.left_out {
        writeln!(text, "left out: {} {address}: {}", self::action(*action), self::because(because)).unwrap();
    }
    for output in &plan.outputs {
        writeln!(text, "output {}: {} -> {}", output.name, value(&output.before), value(&output.after))
            .unwrap();
    }
    writeln!(text, "{} unchanged", plan.unchanged).unwrap();
    // The stack's id is left to chance.
    text.replace(&plan.lineage, "(the stack)")
}

fn show_attributes(text: &mut String, attributes: &[AttributeChange]) {
    for attribute in attributes {
        let notes = [(attribute.replaces, " (replaces)"), (attribute.sensitive, " (sensitive)")];
        let notes: String = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect();
        let AttributeChange { name, before, after, form, .. } = attribute;
        let places = differences(*form, before, after).places;
        if places.iter().all(|place| place.path.is_empty()) {
            writeln!(text, "  {name}: {} -> {}{notes}", value(before), value(after)).unwrap();
            continue;
        }
        writeln!(text, "  {name}{notes}").unwrap();
        for Difference { path, before, after } in places {
            writeln!(text, "    {path}: {} -> {}", value(&before), value(&after)).unwrap();
        }
    }
}

fn action(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::Create => "create",
        ChangeAction::Update => "update",
        ChangeAction::Replace(ReplaceOrder::CreateFirst) => "replace (create first)",
        ChangeAction::Replace(ReplaceOrder::DeleteFirst) => "replace (delete first)",
        ChangeAction::Delete => "delete",
        ChangeAction::DeleteDeposed => "delete deposed",
        ChangeAction::Forget => "forget",
    }
}

fn because(because: &LeftOutBecause) -> String {
    match because {
        LeftOutBecause::NotTargeted => "not targeted".to_owned(),
        LeftOutBecause::Excluded => "excluded".to_owned(),
        LeftOutBecause::Needs { address } => format!("needs {address}"),
        LeftOutBecause::NeededBy { address } => format!("needed by {address}"),
    }
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::New => "new".to_owned(),
        Reason::Vanished { .. } => "vanished".to_owned(),
        Reason::Differs => "differs".to_owned(),
        Reason::CannotChange { attribute } => format!("cannot change {attribute}"),
        Reason::NotInSpec => "not in the spec".to_owned(),
        Reason::Destroy => "destroy".to_owned(),
        Reason::Unfinished => "unfinished".to_owned(),
        Reason::Impaired { reason } => format!("impaired: {reason}"),
        Reason::Failed { reason } => format!("failed: {reason}"),
        Reason::Moved { from } => format!("moved from {from}"),
        Reason::Exchanged { with } => format!("exchanges with {with}"),
        Reason::Deposed => "deposed".to_owned(),
        Reason::Retained => "retained".to_owned(),
        Reason::NeverDeleted => "never deleted".to_owned(),
        Reason::Removed => "removed".to_owned(),
        Reason::OutOfReach => "out of reach".to_owned(),
        Reason::MakerStays => "what it is made for stays".to_owned(),
        Reason::Renamed { from } => format!("was {from}"),
        Reason::Asked => "asked for".to_owned(),
        Reason::Imported => "imported".to_owned(),
    }
}

/// Returns a value as text: unknown parts by their origin, the stack's random id by a word.
fn value(value: &Value) -> String {
    match value {
        Value::Unknown(unknown) if unknown.exact => format!("<{}>", unknown.origin),
        Value::Unknown(unknown) => format!("<from {}>", unknown.origin),
        Value::List(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entry = |(name, value): (&String, &Value)| match name.as_str() {
                "straddle:stack" => format!("{name}: (the stack)"),
                _ => format!("{name}: {}", self::value(value)),
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {
            serde_json::to_string(value).unwrap()
        }
    }
}

//! What the tests of rendering share, and those that concern whole plans.

use snapbox::{assert_data_eq, file};
use straddle_engine::plan::{Mode, Plan};

use straddle_testkit::client::{CloudProvider, Network};
use straddle_testkit::clock::Clock;
use straddle_testkit::cloud::{Cloud, Pace};

use crate::render::{Palette, json, plan};

/// Returns a plan with a change of every sort.
pub(crate) fn network_plan() -> Plan {
    serde_json::from_str(include_str!("tests/network_plan.json")).expect("the plan is well formed")
}

/// Returns a plan without changes.
pub(crate) fn empty_plan() -> Plan {
    Plan {
        renames: Vec::new(),
        imports: Vec::new(),
        lookups: Vec::new(),
        told: Vec::new(),
        changes: Vec::new(),
        drift: Vec::new(),
        outputs: Vec::new(),
        ..network_plan()
    }
}

#[test]
fn a_plan_shows_every_sort_of_change() {
    assert_data_eq!(plan(&network_plan(), &Palette::plain()), file!["tests/network_plan.txt"].raw());
}

#[test]
fn a_plan_as_json_hides_what_is_sensitive() {
    let registry = straddle_testkit::kinds::registry(CloudProvider::new(Network::new(
        Cloud::new(1, Pace::INSTANT),
        Clock::default(),
    )));
    let shown = json::plan(&network_plan(), &registry);
    assert_eq!(shown["changes"][2]["inputs"]["password"], "(sensitive)");
    assert_data_eq!(format!("{shown:#}\n"), file!["tests/network_plan_shown.json"].raw());
}

#[test]
fn colours_change_nothing_but_colours() {
    let colored = plan(&network_plan(), &Palette::colored());
    assert!(colored.contains("\u{1b}[32m  +\u{1b}[0m"), "{colored}");
    let mut plain = String::new();
    let mut rest = &*colored;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain += before;
        rest = after.split_once('m').expect("a colour ends in an m").1;
    }
    assert_eq!(plain + rest, plan(&network_plan(), &Palette::plain()));
}

#[test]
fn a_plan_without_changes_says_so_in_a_sentence() {
    let check = |mode, unchanged, expected: &str| {
        let empty = Plan { mode, unchanged, ..empty_plan() };
        assert_eq!(plan(&empty, &Palette::plain()), format!("{expected}\n"));
    };
    check(Mode::Apply, 14, "No changes. All 14 resources are as the spec says.");
    check(Mode::Apply, 1, "No changes. The only resource is as the spec says.");
    check(Mode::Apply, 0, "No changes. The stack shop has no resources.");
    check(Mode::Destroy, 0, "No changes. Nothing of the stack shop is left.");
}

#[test]
fn nothing_of_a_hostile_plan_reaches_the_terminal_raw() {
    const BAD: &str = "x\u{1b}[2J\u{9b}1m\u{202e}\u{200b}\r\u{7}";
    let text = serde_json::to_string(&network_plan()).expect("a plan has a JSON form");
    let bad = serde_json::to_string(BAD).expect("a text has a JSON form");
    let bad = bad.trim_matches('"');
    // Every name, id, region, reason and value ends in what a terminal would obey.
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("it was just written");
    spoil(&mut json, BAD);
    assert!(serde_json::to_string(&json).expect("it is JSON").matches(bad).count() > 50);
    let hostile: Plan = serde_json::from_value(json).expect("texts may be anything");
    let shown = plan(&hostile, &Palette::plain());
    let raw: Vec<_> =
        shown.chars().filter(|shown| shown.is_control() || "\u{202e}\u{200b}".contains(*shown)).collect();
    assert!(raw.iter().all(|raw| *raw == '\n'), "{shown:?}");
    assert!(shown.contains("\\u{1b}[2J"));
}

/// Appends `bad` to every text whose form is free.
fn spoil(json: &mut serde_json::Value, bad: &str) {
    const FIXED: [&str; 8] = ["mode", "action", "why", "address", "lifecycle", "renames", "form", "verdict"];
    match json {
        serde_json::Value::String(text) => text.push_str(bad),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| spoil(item, bad)),
        serde_json::Value::Object(entries) if entries.get("why").is_some_and(|why| why == "renamed") => {}
        serde_json::Value::Object(entries) => {
            let free = entries.iter_mut().filter(|(key, _)| !FIXED.contains(&&***key));
            free.filter(|(key, _)| *key != "dependencies").for_each(|(_, value)| spoil(value, bad));
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

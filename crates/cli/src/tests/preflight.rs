//! Checks before a run: what they find stops an apply, or is only told.

use straddle_engine::preflight::{Check, Fate, Finding, Subject};
use straddle_engine::registry::Registry;

use super::{Exit, STACK, World, json};

/// Fails as long as a network is to be made whose range begins with 10.9.
struct Ranges;

impl Check for Ranges {
    const NAME: &'static str = "ranges";
    const ABOUT: &'static str = "ranges are free";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let made = subject.made("network");
        made.map(|network| {
            let account = subject.account(&network.account).0;
            let range = network.text("range").unwrap_or_default();
            if range.starts_with("10.9.") {
                Finding::failed(&account.name, format!("{range} is taken."), "Take another one.")
            } else {
                Finding::ok(&account.name, format!("{range} is free."))
            }
        })
        .collect()
    }
}

/// Warns of what is deleted, and sees how segments are spread.
struct Segments;

impl Check for Segments {
    const NAME: &'static str = "segments";
    const ABOUT: &'static str = "segments are where they should be";

    async fn run(subject: &Subject<'_>) -> Vec<Finding> {
        let gone = subject.items().filter(|item| item.fate == Fate::Unmade).count();
        let lasting = subject.lasting("segment");
        let inside =
            lasting.filter(|segment| segment.value("network").and_then(|id| subject.named(id)).is_some());
        vec![Finding::warning(
            None,
            format!("{} stay in networks, {gone} go.", inside.count()),
            "Look twice.",
        )]
    }
}

fn checked(registry: Registry) -> Registry {
    registry.with_check::<Ranges>().with_check::<Segments>()
}

#[test]
fn what_checks_find_is_listed_and_tells_by_the_exit_code() {
    let world = World::new();
    let done = world.run_with(checked, "preflight SPEC", Exit::Success);
    let expected = "\
ok       ranges    [network] 10.0.0.0/16 is free.
warning  segments  2 stay in networks, 0 go. Look twice.

Preflight: 0 failed, 1 with warnings, 1 ok, 0 skipped. Nothing was changed.
";
    assert_eq!(done.stdout, expected);
    let done = world.run_with(checked, "preflight SPEC --var range=10.9.0.0/16 --json", Exit::Error);
    let object = json(&done.stdout);
    assert_eq!(object["verdict"], "failed");
    assert_eq!(object["checks"][0]["findings"][0]["message"], "10.9.0.0/16 is taken.");
    assert_eq!(object["checks"][0]["findings"][0]["account"], "network");
    let only =
        world.run_with(checked, "preflight SPEC --var range=10.9.0.0/16 --only segments", Exit::Success);
    assert!(!only.stdout.contains("ranges"), "{}", only.stdout);
    let unknown = world.run_with(checked, "preflight SPEC --skip rangs", Exit::Error);
    assert!(unknown.stderr.contains("There are `ranges`, `segments`"), "{}", unknown.stderr);
}

#[test]
fn a_check_that_fails_stops_an_apply_before_anything_is_written() {
    let world = World::new();
    world.write(&STACK.replace("10.0.0.0/16", "10.9.0.0/16"));
    let done = world.run_with(checked, "apply SPEC --auto-approve", Exit::Error);
    assert!(done.stderr.contains("10.9.0.0/16 is taken. Nothing was changed."), "{}", done.stderr);
    assert!(done.stderr.contains("skip this check with `--skip ranges`"), "{}", done.stderr);
    assert!(!done.stdout.contains("network.main"), "nothing is asked: {}", done.stdout);
    let state = world.run("state list SPEC --json", Exit::Success);
    assert!(json(&state.stdout).is_null(), "nothing was written: {}", state.stdout);
    let done = world.run_with(checked, "apply SPEC --auto-approve --skip ranges", Exit::Success);
    assert!(done.stderr.contains("warning segments: 2 stay in networks"), "{}", done.stderr);
    // What is there already is not checked again, and neither is a destroy.
    let same = world.run_with(checked, "apply SPEC --auto-approve", Exit::Success);
    assert!(!same.stderr.contains("Checking"), "{}", same.stderr);
    let gone = world.run_with(checked, "preflight SPEC --destroy", Exit::Success);
    assert!(gone.stdout.contains("0 stay in networks, 3 go."), "{}", gone.stdout);
    world.run_with(checked, "destroy SPEC --auto-approve", Exit::Success);
}

#[test]
fn without_checks_an_apply_goes_ahead_and_a_program_reads_what_they_found() {
    let world = World::new();
    let done =
        world.run_with(checked, "apply SPEC --auto-approve --json --var range=10.9.0.0/16", Exit::Error);
    let lines: Vec<_> = done.stdout.lines().map(json).collect();
    let types: Vec<_> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    assert!(types.contains(&"checking") && types.contains(&"checked"), "{types:?}");
    assert_eq!(types.last(), Some(&"failure"));
    world.run_with(
        checked,
        "apply SPEC --auto-approve --skip-preflight --var range=10.9.0.0/16",
        Exit::Success,
    );
}

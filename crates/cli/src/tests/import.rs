//! `straddle import`, and `[[import]]` in a plan.

use straddle_engine::value::{Value, ValueMap};

use super::{STACK, World, json};
use crate::Exit;

/// Makes the network of the stack by hand, and returns its id.
fn by_hand(world: &World, tags: &[(&str, &str)]) -> String {
    let text = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    let mut network = ValueMap::from([
        text("range", "10.0.0.0/16"),
        text("tenancy", "shared"),
        text("locator", "cloud:network/x"),
    ]);
    network.extend(["dns", "names"].map(|name| (name.to_owned(), Value::from(true))));
    let mut cloud = world.network.cloud();
    let id = cloud.add_foreign("111111111111", "network", &network);
    for (key, value) in tags {
        cloud.tag(&id, key, value);
    }
    id
}

#[test]
fn a_thing_is_recorded_and_what_differs_is_shown() {
    let world = World::new();
    let id = by_hand(&world, &[("Name", "other"), ("Owner", "somebody")]);
    let done = world.run(&format!("import network.main {id} SPEC"), Exit::Success);
    for expected in [
        "Recorded in the state; no thing was changed",
        &format!("  < network.main [network us-east-1] {id}"),
        "What the next apply changes in it",
        "~ Name               = \"other\" -> \"shared\"",
        "+ \"straddle:address\" = \"network.main\"",
    ] {
        assert!(done.stdout.contains(expected), "{expected}:\n{}", done.stdout);
    }
    assert!(!done.stdout.contains("Owner"), "{}", done.stdout);
    let again = world.run(&format!("import network.main {id} SPEC --json"), Exit::Success);
    let again = json(&again.stdout);
    assert_eq!(
        (again["type"].as_str(), again["imports"].as_array().map(Vec::len)),
        (Some("import"), Some(0))
    );
    assert_eq!(again["changes"][0]["address"], "network.main");
    world.run("apply SPEC --auto-approve", Exit::Success);
    let last = world.run(&format!("import network.main {id} SPEC"), Exit::Success);
    assert_eq!(
        last.stdout,
        format!("network.main is {id} already; nothing was recorded.\n\nIt is as the spec says.\n")
    );
}

#[test]
fn imports_of_a_spec_are_shown_and_counted() {
    let world = World::new();
    let id = by_hand(&world, &[]);
    world.write(&format!("{STACK}\n[[import]]\nto = \"network.main\"\nid = \"{id}\"\n"));
    let planned = world.run("plan SPEC --detailed-exitcode", Exit::Changes);
    let summary = "Plan: 2 to create, 1 to change, 0 to replace, 0 to delete, 1 to import (network 111111111111 us-east-1: 3).";
    assert!(planned.stdout.trim_end().ends_with(summary), "{}", planned.stdout);
    let expected = format!(
        "Imports: what exists becomes part of the stack, as it is\n\n  < network.main [network us-east-1] {id}\n"
    );
    assert!(planned.stdout.contains(&expected), "{}", planned.stdout);
    let shown = json(&world.run("plan SPEC --json", Exit::Success).stdout);
    assert_eq!(
        (&shown["summary"]["import"], &shown["imports"][0]["remote_id"]),
        (&1.into(), &id.as_str().into())
    );
    let applied = world.run("apply SPEC --auto-approve", Exit::Success);
    assert!(
        applied.stderr.contains("Apply complete: 2 created, 1 changed, 0 deleted, 1 imported"),
        "{}",
        applied.stderr
    );
    world.run("plan SPEC --detailed-exitcode", Exit::Success);
}

#[test]
fn what_cannot_be_imported_is_said_and_nothing_is_recorded() {
    let world = World::new();
    let id = by_hand(&world, &[("straddle:stack", "0123456789abcdef0123456789abcdef")]);
    for (arguments, expected) in [
        (format!("import network.main {id} SPEC"), "error[import-of-another-stack]"),
        ("import network.main net-99 SPEC".to_owned(), "error[import-not-found]"),
        (format!("import network.mein {id} SPEC"), "Did you mean `network.main`?"),
        ("import segment.public seg-1 SPEC".to_owned(), "error[missing-key]"),
    ] {
        let done = world.run(&arguments, Exit::Error);
        assert!(done.stderr.contains(expected), "{arguments}:\n{}", done.stderr);
    }
    world.run("import network.main SPEC", Exit::Error);
    let taken = world.run(&format!("import network.main {id} SPEC --take-over"), Exit::Success);
    assert!(
        taken.stdout.contains("taken from the stack 0123456789abcdef0123456789abcdef"),
        "{}",
        taken.stdout
    );
}

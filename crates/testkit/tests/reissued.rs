//! A thing without tags that a killed run has given another id.

use std::time::Duration;

use straddle_engine::diagnostic::Sources;
use straddle_engine::plan::Mode;
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_testkit::cloud::Pace;
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::simulation::{Ending, Order, World};

fn spec(world: &World, table: &str) -> Spec {
    let text = format!(
        r#"
[stack]
name = "links"
[account.a]
id = "111111111111"
region = "here"
[network.main]
range = "10.0.0.0/16"
[segment.main]
network = "${{network.main.id}}"
range = "10.0.1.0/24"
[table.one]
network = "${{network.main.id}}"
[table.two]
network = "${{network.main.id}}"
[table_link.main]
table = "${{table.{table}.id}}"
segment = "${{segment.main.id}}"
"#
    );
    let mut sources = Sources::default();
    sources.add("stack.toml", text);
    let loaded = load_text(SpecText { sources, ..SpecText::default() }, world.registry());
    loaded.unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

/// Moves a link in a run that is killed, and then destroys everything.
fn destroy_after_a_killed_move(seed: u64, pace: Pace, fault: Fault) {
    let world = World::new(seed, pace);
    world.apply(&Order::new(&spec(&world, "one"), Mode::Apply)).ending.expect_done("the apply");
    // What is new is not taken as gone anyway.
    world.wait(Duration::from_mins(10));
    let moved = spec(&world, "two");
    let order = Order::new(&moved, Mode::Apply).with_faults(Faults::none().mutating(0, fault));
    assert!(matches!(world.apply(&order).ending, Ending::Crashed));
    let report = world.apply(&Order::new(&moved, Mode::Destroy)).ending.expect_done("the destroy");
    assert!(report.is_complete(), "with the seed {seed} after {fault:?}: {:#?}", report.failures);
    assert_eq!(world.network.cloud().live().count(), 0);
}

#[test]
fn a_link_that_a_killed_run_has_moved_is_not_forgotten() {
    for pace in [Pace::INSTANT, Pace { staleness: Duration::ZERO, ..Pace::REAL }] {
        destroy_after_a_killed_move(1, pace, Fault::CrashAfter);
    }
}

#[test]
fn a_link_is_not_forgotten_that_a_read_shows_under_its_old_id() {
    for seed in 0..20 {
        destroy_after_a_killed_move(seed, Pace::REAL, Fault::CrashAfter);
    }
}

#[test]
fn a_link_is_not_forgotten_whose_move_arrives_after_the_kill() {
    for seed in 0..20 {
        for delay in [Duration::from_millis(seed * 100), Duration::from_secs(seed * 6)] {
            destroy_after_a_killed_move(seed, Pace::REAL, Fault::CrashLate(delay));
        }
    }
}

//! What is inside of something that the same run makes: reached late, ordered by the names that things use, compared in
//! the service's own words, and taken away by the way that was recorded; beside members of a bundle.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use straddle_engine::event::Event;
use straddle_engine::plan::Mode;
use straddle_engine::run::Report;
use straddle_engine::spec::{LoadRequest, Spec, load};
use straddle_testkit::cloud::Pace;
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::memory_files;
use straddle_testkit::simulation::{Ending, Order, World};

/// By their addresses, each of these would come before what it mentions.
const NOTES: &str = r#"
    [note.a]
    platform = "${platform.main.id}"
    name     = "first"
    text     = "See the Second and the Third"
    mentions = ["second", "third"]
    [note.b]
    platform = "${platform.main.id}"
    name     = "second"
    text     = "See the THIRD"
    mentions = ["third"]
    [note.c]
    platform = "${platform.main.id}"
    name     = "third"
    text     = "Nothing"
    [collection.all]
    files      = ["documents.txt"]
    depends_on = ["note.a"]
"#;
const PLATFORM: &str = "[platform.main]\nrelease = 1\n";
const DOCUMENTS: &str = "alpha after omega: one\nomega: two\n";

fn spec(world: &World, blocks: &str, documents: &str) -> Spec {
    let folder = tempfile::tempdir().unwrap();
    let stack = "[stack]\nname = \"case\"\n[account.a]\nid = \"111111111111\"\nregion = \"here\"\n[defaults]\naccount = \"a\"\n";
    fs::write(folder.path().join("spec.toml"), format!("{stack}{blocks}")).unwrap();
    fs::write(folder.path().join("documents.txt"), documents).unwrap();
    let request = LoadRequest { path: folder.path().to_owned(), ..LoadRequest::default() };
    load(&request, world.registry()).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

fn whole(world: &World) -> Spec {
    spec(world, &format!("{PLATFORM}{NOTES}"), DOCUMENTS)
}

fn complete(ending: Ending<Report>) -> Report {
    let report = ending.expect_done("the run");
    assert!(report.is_complete(), "{report:?}");
    report
}

/// Returns the addresses of what was done, in the order in which it was.
fn done(events: &[Event]) -> Vec<String> {
    let finished = events.iter().filter_map(|event| {
        let Event::OperationFinished { operation, .. } = event else { return None };
        Some(operation.address.to_string())
    });
    finished.collect()
}

fn check_nothing_to_do(world: &World, wanted: &Spec) {
    let plan = world.plan(&Order::new(wanted, Mode::Apply)).ending.expect_done("the last plan");
    assert!(plan.is_empty(), "{plan:?}");
}

const ORDER: [&str; 6] =
    ["platform.main", "note.c", "note.b", "note.a", "collection.all['omega']", "collection.all['alpha']"];

#[test]
fn what_is_inside_comes_in_the_order_of_its_names_and_goes_the_other_way() {
    let world = World::new(1, Pace::INSTANT);
    let wanted = whole(&world);
    let trial = world.apply(&Order::new(&wanted, Mode::Apply));
    assert_eq!(done(&trial.events), ORDER);
    complete(trial.ending);
    // The platform keeps texts in words of its own, which are no difference.
    check_nothing_to_do(&world, &wanted);
    let trial = world.apply(&Order::new(&wanted, Mode::Destroy));
    let mut back = ORDER;
    back.reverse();
    assert_eq!(done(&trial.events), back);
    complete(trial.ending);
    assert_eq!(world.network.cloud().live().count(), 0);
}

#[test]
fn what_has_left_the_spec_with_its_platform_is_reached_as_before() {
    let world = World::new(1, Pace::INSTANT);
    let wanted = whole(&world);
    complete(world.apply(&Order::new(&wanted, Mode::Apply)).ending);
    let nothing = spec(&world, "", DOCUMENTS);
    complete(world.apply(&Order::new(&nothing, Mode::Apply)).ending);
    assert_eq!(world.network.cloud().live().count(), 0);
    assert!(world.state("case").unwrap().unwrap().resources.is_empty());
}

#[test]
fn a_member_that_leaves_its_file_goes_alone() {
    let world = World::new(1, Pace::INSTANT);
    complete(world.apply(&Order::new(&whole(&world), Mode::Apply)).ending);
    let fewer = spec(&world, &format!("{PLATFORM}{NOTES}"), "omega: two\n");
    let trial = world.apply(&Order::new(&fewer, Mode::Apply));
    assert_eq!(done(&trial.events), ["collection.all['alpha']"]);
    complete(trial.ending);
    check_nothing_to_do(&world, &fewer);
}

#[test]
fn only_a_real_difference_is_a_change_and_a_refusal_is_foretold() {
    let world = World::new(1, Pace::INSTANT);
    complete(world.apply(&Order::new(&whole(&world), Mode::Apply)).ending);
    let said = |text: &str| {
        let blocks = format!("{PLATFORM}{NOTES}").replace("See the THIRD", text);
        spec(&world, &blocks, DOCUMENTS)
    };
    check_nothing_to_do(&world, &said("SEE THE third"));
    let plan = world.plan(&Order::new(&said("See nobody"), Mode::Apply)).ending.expect_done("the plan");
    let changed: Vec<_> = plan.changes.iter().map(|change| change.address.to_string()).collect();
    assert_eq!(changed, ["note.b"]);
    let calls = world.network.faults().mutating_calls();
    let refused = format!("{:?}", world.plan(&Order::new(&said("Forbidden"), Mode::Apply)).ending);
    assert!(refused.contains("The platform takes no such text."), "{refused}");
    assert_eq!(world.network.faults().mutating_calls(), calls, "nothing was tried");
}

#[test]
fn what_another_thing_refuses_counts_as_long_as_that_stays_as_it_is() {
    let world = World::new(1, Pace::INSTANT);
    complete(world.apply(&Order::new(&whole(&world), Mode::Apply)).ending);
    let said = |mentioned: &str| {
        let blocks = format!("{PLATFORM}{NOTES}");
        let blocks = blocks.replace("See the THIRD", "Disputed").replace("\"Nothing\"", mentioned);
        spec(&world, &blocks, DOCUMENTS)
    };
    let refused = format!("{:?}", world.plan(&Order::new(&said("\"Nothing\""), Mode::Apply)).ending);
    assert!(refused.contains("The platform takes no such text."), "{refused}");
    let changed = said("\"Settled\"");
    assert_eq!(done(&world.apply(&Order::new(&changed, Mode::Apply)).events), ["note.c", "note.b"]);
    check_nothing_to_do(&world, &changed);
}

#[test]
fn after_a_crash_at_any_moment_both_ways_are_gone_to_their_ends() {
    let operations = |prepare: fn(&World), mode: Mode| {
        let world = World::new(1, Pace::INSTANT);
        prepare(&world);
        world.apply(&Order::new(&whole(&world), mode)).file_operations
    };
    let make: fn(&World) =
        |world| drop(complete(world.apply(&Order::new(&whole(world), Mode::Apply)).ending));
    for (prepare, mode) in [((|_| {}) as fn(&World), Mode::Apply), (make, Mode::Destroy)] {
        for operation in 0..operations(prepare, mode) {
            let world = World::new(1, Pace::INSTANT);
            prepare(&world);
            let wanted = whole(&world);
            let order = Order::new(&wanted, mode);
            let crashing = order.clone().with_disk_fault(operation, memory_files::Fault::Crash);
            let ending = world.apply(&crashing).ending;
            assert!(matches!(ending, Ending::Crashed | Ending::Done(_)), "operation {operation}: {ending:?}");
            complete(world.apply(&order).ending);
            let left = world.network.cloud().live().count();
            assert_eq!(left, if mode == Mode::Apply { ORDER.len() } else { 0 }, "operation {operation}");
        }
    }
}

#[test]
fn a_fault_in_any_call_leaves_nothing_behind() {
    let calls = {
        let world = World::new(1, Pace::INSTANT);
        world.apply(&Order::new(&whole(&world), Mode::Apply)).mutating_calls
    };
    assert!(calls >= ORDER.len(), "only {calls} calls");
    for call in 0..calls {
        for fault in
            [Fault::Denied, Fault::FailedAfter, Fault::AnswerLost, Fault::CrashBefore, Fault::CrashAfter]
        {
            let world = World::new(1, Pace::INSTANT);
            let wanted = whole(&world);
            let order = Order::new(&wanted, Mode::Apply);
            // What comes of it is seen by the next run.
            drop(world.apply(&order.clone().with_faults(Faults::none().mutating(call, fault))));
            complete(world.apply(&order).ending);
            assert_eq!(world.network.cloud().live().count(), ORDER.len(), "call {call}, {fault:?}");
            check_nothing_to_do(&world, &wanted);
        }
    }
}

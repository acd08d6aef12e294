//! Changes that go in several rounds: a platform whose release goes up one by one, and workers that have
//! to come as far before it goes on.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use straddle_engine::event::{Event, Verb};
use straddle_engine::plan::Mode;
use straddle_engine::run::{Report, RunError};
use straddle_engine::spec::{LoadRequest, Spec, load};
use straddle_engine::value::Value;
use straddle_testkit::cloud::Pace;
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::memory_files;
use straddle_testkit::simulation::{Ending, Order, World};

fn spec(world: &World, release: i64) -> Spec {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
        [stack]
        name = "case"
        [account.a]
        id = "111111111111"
        region = "here"
        [defaults]
        account = "a"
        [platform.main]
        release = {release}
        [worker.one]
        platform = "${{platform.main.id}}"
        [worker.two]
        platform   = "${{platform.main.id}}"
        count      = {release}
        depends_on = ["worker.one"]
        [output.release]
        value = "${{worker.two.release}}"
        "#
    );
    fs::write(folder.path().join("spec.toml"), text).unwrap();
    let request = LoadRequest { path: folder.path().to_owned(), ..LoadRequest::default() };
    load(&request, world.registry()).unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

/// Makes a world with a platform of release 1.
fn world() -> World {
    let world = World::new(1, Pace::INSTANT);
    let first = spec(&world, 1);
    complete(world.apply(&Order::new(&first, Mode::Apply)).ending);
    world
}

fn complete(ending: Ending<Report>) -> Report {
    let report = ending.expect_done("the apply");
    assert!(report.is_complete(), "{report:?}");
    report
}

/// Returns the releases of everything that the cloud has.
fn releases(world: &World) -> Vec<i64> {
    let cloud = world.network.cloud();
    let release = |value: &Value| if let Value::Integer(release) = value { *release } else { 0 };
    cloud.live().filter_map(|object| object.attributes.get("release").map(release)).collect()
}

/// Checks that everything is as wanted and nothing is left to do.
fn check_arrived(world: &World, wanted: &Spec, release: i64) {
    assert_eq!(releases(world), [release; 3]);
    let plan = world.plan(&Order::new(wanted, Mode::Apply)).ending.expect_done("the last plan");
    assert!(plan.is_empty(), "{plan:?}");
    let state = world.state("case").unwrap().unwrap();
    assert_eq!(state.outputs["release"], Value::Integer(release));
}

#[test]
fn nothing_goes_on_before_what_needs_it_has_come_as_far() {
    let world = world();
    let wanted = spec(&world, 3);
    let trial = world.apply(&Order::new(&wanted, Mode::Apply));
    let finished = trial.events.iter().filter_map(|event| {
        let Event::OperationFinished { operation, .. } = event else { return None };
        Some((operation.address.block().name.to_string(), operation.verb))
    });
    let steps: Vec<_> = finished.collect();
    complete(trial.ending);
    let names = ["main", "one", "two"].map(str::to_owned);
    let way = [Verb::Advance, Verb::Update].map(|verb| names.clone().map(|name| (name, verb)));
    assert_eq!(steps, way.concat());
    check_arrived(&world, &wanted, 3);
}

#[test]
fn only_the_last_round_does_what_has_nothing_to_do_with_the_way() {
    let world = world();
    let wanted = spec(&world, 3);
    let plan = world.plan(&Order::new(&wanted, Mode::Apply)).ending.expect_done("the plan");
    let changed = |round: usize| {
        let rounds = plan.changes.iter().flat_map(|change| &change.rounds);
        let attributes = rounds.filter(|it| it.number == round).flat_map(|round| &round.attributes);
        attributes.map(|attribute| attribute.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(changed(1), ["release", "driver", "release", "driver", "release"]);
    assert_eq!(changed(2), Vec::<String>::new(), "the second round is the last one");
}

#[test]
fn after_a_crash_at_any_moment_the_next_run_goes_on() {
    let wanted_operations = {
        let world = world();
        let wanted = spec(&world, 4);
        world.apply(&Order::new(&wanted, Mode::Apply)).file_operations
    };
    assert!(wanted_operations > 60, "only {wanted_operations} file operations");
    for operation in 0..wanted_operations {
        let world = world();
        let wanted = spec(&world, 4);
        let crashing =
            Order::new(&wanted, Mode::Apply).with_disk_fault(operation, memory_files::Fault::Crash);
        let ending = world.apply(&crashing).ending;
        assert!(matches!(ending, Ending::Crashed | Ending::Done(_)), "operation {operation}: {ending:?}");
        complete(world.apply(&Order::new(&wanted, Mode::Apply)).ending);
        check_arrived(&world, &wanted, 4);
    }
}

#[test]
fn a_fault_in_any_call_keeps_everything_after_it_from_going_on() {
    let calls = {
        let world = world();
        let wanted = spec(&world, 3);
        world.apply(&Order::new(&wanted, Mode::Apply)).mutating_calls
    };
    for call in 0..calls {
        for fault in [Fault::Denied, Fault::FailedAfter, Fault::AnswerLost, Fault::CrashAfter] {
            let world = world();
            let wanted = spec(&world, 3);
            let faults = Faults::none().mutating(call, fault);
            let ending = world.apply(&Order::new(&wanted, Mode::Apply).with_faults(faults)).ending;
            if fault == Fault::Denied {
                let report = ending.expect_done("the apply");
                assert_eq!(report.failures.len(), 1, "call {call}: {report:?}");
            }
            let (least, most) = (releases(&world).into_iter().min(), releases(&world).into_iter().max());
            assert!(most.unwrap() - least.unwrap() <= 1, "call {call}: {:?}", releases(&world));
            complete(world.apply(&Order::new(&wanted, Mode::Apply)).ending);
            check_arrived(&world, &wanted, 3);
        }
    }
}

#[test]
fn an_interrupted_run_is_gone_on_with() {
    for call in 0..6 {
        let world = world();
        let wanted = spec(&world, 3);
        let faults = Faults::none().mutating(call, Fault::Interrupt { twice: call % 2 == 0 });
        let report = world.apply(&Order::new(&wanted, Mode::Apply).with_faults(faults)).ending;
        let report = report.expect_done("the apply");
        assert!(report.interrupted || report.is_complete(), "call {call}: {report:?}");
        complete(world.apply(&Order::new(&wanted, Mode::Apply)).ending);
        check_arrived(&world, &wanted, 3);
    }
}

#[test]
fn a_saved_plan_has_all_rounds_and_is_applied_once() {
    let world = world();
    let wanted = spec(&world, 3);
    let order = Order::new(&wanted, Mode::Apply);
    let plan = world.plan(&order).ending.expect_done("the plan");
    let saved = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(plan, saved);
    complete(world.apply_saved(&order, &saved).ending);
    check_arrived(&world, &wanted, 3);
    let again = world.apply_saved(&order, &saved).ending;
    assert!(matches!(again, Ending::Refused(RunError::Stale { .. })), "{again:?}");
}

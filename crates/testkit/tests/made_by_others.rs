//! What somebody else makes is expected, waited for and waited away, and never touched: whatever goes
//! wrong, what makes it go is gone before it is waited for, and what it stands on only after that.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use straddle_engine::diagnostic::Sources;
use straddle_engine::event::Verb;
use straddle_engine::plan::{ChangeAction, Mode, Options, Plan, Reason};
use straddle_engine::run::Report;
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_engine::value::Value;
use straddle_testkit::cloud::Pace;
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::simulation::{Ending, Order, World};

const GROUND: &str = r#"
[stack]
name = "made"
[account.a]
id = "111111111111"
region = "here"
[account.b]
id = "222222222222"
region = "here"
[defaults]
account = "a"
[network.main]
range = "10.0.0.0/16"
[segment.one]
network = "${network.main.id}"
range = "10.0.0.0/24"
[host.controller]
image = "controller"
segments = ["${segment.one.id}"]
"#;

const INTAKE: &str = r#"
[intake.web]
name = "web"
host = "${host.controller.id}"
segments = ["${segment.one.id}"]
spout_account = "222222222222"
"#;

const SPOUT: &str = r#"
[spout.web]
account = "b"
intake = "${intake.web.name}"
"#;

fn spec(world: &World, text: &str) -> Spec {
    let mut sources = Sources::default();
    sources.add("stack.toml", format!("{GROUND}{text}"));
    let loaded = load_text(SpecText { sources, ..SpecText::default() }, world.registry());
    loaded.unwrap_or_else(|failure| panic!("{:#?}", failure.diagnostics)).spec
}

fn whole(world: &World) -> Spec {
    spec(world, &format!("{INTAKE}{SPOUT}"))
}

fn run(world: &World, spec: &Spec, mode: Mode) -> Report {
    run_with(world, spec, mode, Options::default())
}

fn run_with(world: &World, spec: &Spec, mode: Mode, options: Options) -> Report {
    world.apply(&Order::new(spec, mode).with_options(options)).ending.expect_done("the run")
}

fn complete(world: &World, spec: &Spec, mode: Mode) -> Report {
    let report = run(world, spec, mode);
    assert!(report.is_complete(), "{:?}", report.failures);
    report
}

fn plan(world: &World, spec: &Spec) -> Plan {
    world.plan(&Order::new(spec, Mode::Apply)).ending.expect_done("the plan")
}

fn live(world: &World, kind: &str) -> Option<String> {
    world.network.cloud().live().find(|object| object.kind == kind).map(|object| object.id.clone())
}

fn targets(address: &str) -> Options {
    Options { target: [address.parse().unwrap()].into(), ..Options::default() }
}

/// Checks that nothing that a spout needs was deleted while there was one.
fn check_order(world: &World, log_start: usize) {
    let cloud = world.network.cloud();
    let spouts: Vec<_> = cloud.objects().iter().filter(|object| object.kind == "spout").collect();
    for entry in &cloud.log()[log_start..] {
        let deletes = entry.operation.starts_with("Delete") && entry.has_changed();
        if deletes && ["segment", "host", "network"].contains(&entry.kind.as_str()) {
            let there = spouts.iter().find(|spout| spout.created <= entry.time && spout.is_live(entry.time));
            assert!(there.is_none(), "{} at {:?} with {there:?}", entry.operation, entry.time);
        }
        assert!(entry.operation != "DeleteSpout", "a spout is not ours");
    }
}

#[test]
fn what_others_make_comes_and_goes_with_what_it_is_made_for() {
    let world = World::new(1, Pace::REAL);
    let spec = whole(&world);
    let report = complete(&world, &spec, Mode::Apply);
    assert!(report.done.contains(&("spout.web".parse().unwrap(), Verb::Expect)));
    let state = world.state("made").unwrap().unwrap();
    let spout = &state.resources[&"spout.web".parse().unwrap()];
    assert_eq!(Some(spout.object.as_ref().unwrap().remote_id.to_string()), live(&world, "spout"));
    assert!(plan(&world, &spec).is_empty());
    let log_start = world.network.cloud().log().len();
    let report = complete(&world, &spec, Mode::Destroy);
    let place = |address: &str| report.done.iter().position(|(done, _)| done.to_string() == address).unwrap();
    assert!(place("intake.web") < place("spout.web") && place("spout.web") < place("host.controller"));
    assert_eq!(report.done[place("spout.web")].1, Verb::Wait);
    check_order(&world, log_start);
    assert_eq!(world.network.cloud().live().count(), 0);
}

/// Runs until it is done, after something has gone wrong in the first of the runs.
fn recover(world: &World, spec: &Spec, mode: Mode) {
    for _ in 0..6 {
        world.wait(Duration::from_mins(3));
        if let Ending::Done(report) = world.apply(&Order::new(spec, mode)).ending
            && report.is_complete()
        {
            return;
        }
    }
    panic!("it never ends well");
}

fn every_fault(mode: Mode, calls: usize) {
    for fault in Fault::SURVIVABLE.into_iter().chain(Fault::DEADLY) {
        for call in 0..calls {
            let world = World::new(call as u64, Pace::REAL);
            let spec = whole(&world);
            if mode == Mode::Destroy {
                complete(&world, &spec, Mode::Apply);
            }
            let log_start = world.network.cloud().log().len();
            let faults = Faults::none().mutating(call, fault);
            let _ = world.apply(&Order::new(&spec, mode).with_faults(faults));
            recover(&world, &spec, mode);
            if mode == Mode::Apply {
                assert!(plan(&world, &spec).is_empty(), "{fault:?} at {call}");
                complete(&world, &spec, Mode::Destroy);
            }
            check_order(&world, log_start);
            let left: Vec<_> = world.network.cloud().live().map(|object| object.id.clone()).collect();
            assert!(left.is_empty(), "{fault:?} at {call}: {left:?}");
        }
    }
}

#[test]
fn every_fault_of_an_apply_leaves_nothing_behind() {
    every_fault(Mode::Apply, 6);
}

#[test]
fn every_fault_of_a_destroy_leaves_nothing_behind() {
    every_fault(Mode::Destroy, 4);
}

#[test]
fn a_crash_at_every_reading_call_of_a_destroy_keeps_the_order() {
    for call in 0..40 {
        let world = World::new(call as u64, Pace::REAL);
        let spec = whole(&world);
        complete(&world, &spec, Mode::Apply);
        let log_start = world.network.cloud().log().len();
        let faults = Faults::none().reading(call, Fault::CrashBefore);
        let _ = world.apply(&Order::new(&spec, Mode::Destroy).with_faults(faults));
        recover(&world, &spec, Mode::Destroy);
        check_order(&world, log_start);
        assert_eq!(world.network.cloud().live().count(), 0, "{call}");
    }
}

#[test]
fn without_its_controller_nothing_under_it_goes_unless_that_is_asked_for() {
    let world = World::new(1, Pace::INSTANT);
    let spec = whole(&world);
    complete(&world, &spec, Mode::Apply);
    let host = live(&world, "host").unwrap();
    let now = world.network.clock().now();
    world.network.cloud().meddle(&host, |object| object.gone_since(now));
    let options = Options { allow_missing: true, ..Options::default() };
    let report = run_with(&world, &spec, Mode::Destroy, options);
    let [failure] = report.failures.as_slice() else { panic!("{:?}", report.failures) };
    assert_eq!((failure.address.to_string(), failure.verb), ("spout.web".to_owned(), Verb::Wait));
    assert!(failure.error.contains("the spout of web is still there"), "{}", failure.error);
    assert_eq!(failure.hint.as_deref(), Some("Bring the controller back."));
    assert!(live(&world, "segment").is_some() && live(&world, "spout").is_some());
    let options = Options { delete_made_by_others: true, allow_missing: true, ..Options::default() };
    let report = run_with(&world, &spec, Mode::Destroy, options);
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    assert!(report.done.contains(&("spout.web".parse().unwrap(), Verb::Delete)));
    assert_eq!((live(&world, "spout"), live(&world, "segment")), (None, None));
}

#[test]
fn what_is_asked_for_is_deleted_before_what_it_was_made_for() {
    let world = World::new(1, Pace::INSTANT);
    let spec = whole(&world);
    complete(&world, &spec, Mode::Apply);
    let options = Options { delete_made_by_others: true, ..Options::default() };
    let report = run_with(&world, &spec, Mode::Destroy, options);
    let place = |address: &str| report.done.iter().position(|(done, _)| done.to_string() == address).unwrap();
    assert!(place("spout.web") < place("intake.web"));
    assert_eq!(world.network.cloud().live().count(), 0);
}

#[test]
fn what_others_make_is_only_forgotten_if_what_it_is_made_for_stays() {
    let world = World::new(1, Pace::INSTANT);
    complete(&world, &whole(&world), Mode::Apply);
    let without = spec(&world, INTAKE);
    let plan = plan(&world, &without);
    let [change] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
    assert_eq!(
        (change.action, change.reasons.as_slice()),
        (ChangeAction::Forget, [Reason::MakerStays].as_slice())
    );
    complete(&world, &without, Mode::Apply);
    assert!(live(&world, "spout").is_some());
}

#[test]
fn what_the_spec_no_longer_has_is_waited_for_with_what_it_was_made_for() {
    let world = World::new(1, Pace::REAL);
    complete(&world, &whole(&world), Mode::Apply);
    let log_start = world.network.cloud().log().len();
    let report = complete(&world, &spec(&world, ""), Mode::Apply);
    let done: Vec<_> = report.done.iter().map(|(address, verb)| (address.to_string(), *verb)).collect();
    assert_eq!(done, [("intake.web".to_owned(), Verb::Delete), ("spout.web".to_owned(), Verb::Wait)]);
    check_order(&world, log_start);
    assert_eq!(live(&world, "spout"), None);
}

#[test]
fn a_target_takes_along_what_goes_before_and_what_goes_with_it() {
    for target in ["host.controller", "intake.web", "spout.web"] {
        let world = World::new(1, Pace::REAL);
        let spec = whole(&world);
        complete(&world, &spec, Mode::Apply);
        let log_start = world.network.cloud().log().len();
        let report = run_with(&world, &spec, Mode::Destroy, targets(target));
        assert!(report.failures.is_empty(), "{:?}", report.failures);
        check_order(&world, log_start);
        assert_eq!((live(&world, "intake"), live(&world, "spout")), (None, None), "{target}");
        assert_eq!(live(&world, "host").is_none(), target == "host.controller", "{target}");
        complete(&world, &spec, Mode::Destroy);
    }
}

#[test]
fn replacing_what_it_is_made_for_replaces_it() {
    let world = World::new(1, Pace::REAL);
    complete(&world, &whole(&world), Mode::Apply);
    let before = live(&world, "spout");
    let other = spec(&world, &format!("{INTAKE}{SPOUT}").replace("\"web\"", "\"shop\""));
    let report = complete(&world, &other, Mode::Apply);
    let verbs: Vec<_> = report.done.iter().map(|(address, verb)| (address.to_string(), *verb)).collect();
    let expected = [
        ("intake.web", Verb::Delete),
        ("spout.web", Verb::Wait),
        ("intake.web", Verb::Create),
        ("spout.web", Verb::Expect),
    ];
    for (address, verb) in expected {
        assert!(verbs.contains(&(address.to_owned(), verb)), "{verbs:?}");
    }
    assert!(live(&world, "spout").is_some() && live(&world, "spout") != before);
    assert!(plan(&world, &other).is_empty());
}

#[test]
fn what_the_spec_changes_is_waited_for_and_what_others_change_is_only_told() {
    let world = World::new(1, Pace::REAL);
    let labelled = |label: &str| {
        let intake = format!("{INTAKE}label = \"{label}\"\n");
        spec(&world, &format!("{intake}{SPOUT}label = \"${{intake.web.label}}\"\n"))
    };
    complete(&world, &labelled("one"), Mode::Apply);
    let report = complete(&world, &labelled("two"), Mode::Apply);
    assert!(report.done.contains(&("spout.web".parse().unwrap(), Verb::Expect)));
    let spout = live(&world, "spout").unwrap();
    assert_eq!(
        world.network.cloud().live().find(|object| object.id == spout).unwrap().text("label"),
        Some("two")
    );
    world.network.cloud().set(&spout, "label", Value::from("scribbled"));
    let plan = plan(&world, &labelled("two"));
    assert!(plan.is_empty(), "{:?}", plan.changes);
    let [drift] = plan.drift.as_slice() else { panic!("{:?}", plan.drift) };
    assert_eq!(drift.address.to_string(), "spout.web");
}

#[test]
fn what_somebody_deleted_is_expected_again() {
    let world = World::new(1, Pace::INSTANT);
    let spec = whole(&world);
    complete(&world, &spec, Mode::Apply);
    let spout = live(&world, "spout").unwrap();
    world.network.cloud().vanish(&spout);
    world.wait(Duration::from_mins(10));
    let plan = plan(&world, &spec);
    assert!(matches!(plan.changes[0].reasons[0], Reason::Vanished { .. }), "{:?}", plan.changes);
    let report = run(&world, &spec, Mode::Apply);
    let [failure] = report.failures.as_slice() else { panic!("{:?}", report.failures) };
    assert!(failure.error.contains("there is no spout yet"), "{}", failure.error);
    assert_eq!(failure.hint.as_deref(), Some("Look at the controller on the host."));
}

#[test]
fn another_one_is_found_where_what_the_first_is_made_for_stays() {
    let world = World::new(1, Pace::REAL);
    let shop = INTAKE.replace("web", "shop");
    let of = |intake: &str| spec(&world, &format!("{INTAKE}{shop}{}", SPOUT.replace("intake.web", intake)));
    complete(&world, &of("intake.web"), Mode::Apply);
    complete(&world, &of("intake.shop"), Mode::Apply);
    let spouts = world.network.cloud().live().filter(|object| object.kind == "spout").count();
    assert_eq!(spouts, 2);
    let state = world.state("made").unwrap().unwrap();
    let spout = &state.resources[&"spout.web".parse().unwrap()];
    assert_eq!(spout.object.as_ref().unwrap().inputs["intake"].as_str(), Some("shop"));
    assert!(plan(&world, &of("intake.shop")).is_empty());
}

#[test]
fn a_saved_plan_of_a_destroy_keeps_the_order() {
    let world = World::new(1, Pace::REAL);
    let spec = whole(&world);
    complete(&world, &spec, Mode::Apply);
    let order = Order::new(&spec, Mode::Destroy);
    let plan = world.plan(&order).ending.expect_done("the plan");
    let plan: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    let log_start = world.network.cloud().log().len();
    let report = world.apply_saved(&order, &plan).ending.expect_done("the run");
    assert!(report.is_complete(), "{:?}", report.failures);
    check_order(&world, log_start);
    assert_eq!(world.network.cloud().live().count(), 0);
}

#[test]
fn nobody_replaces_what_others_make() {
    let world = World::new(1, Pace::INSTANT);
    let spec = whole(&world);
    complete(&world, &spec, Mode::Apply);
    let options = Options { replace: ["spout.web".parse().unwrap()].into(), ..Options::default() };
    let refused = world.plan(&Order::new(&spec, Mode::Apply).with_options(options)).ending;
    let Ending::Refused(error) = refused else { panic!("{refused:?}") };
    assert!(format!("{error:?}").contains("--replace intake.web"), "{error:?}");
}

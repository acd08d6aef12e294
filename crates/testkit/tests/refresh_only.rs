//! Looking without doing: what others changed, recorded or only shown, and plans for which
//! nothing is read.

use straddle_engine::address::Address;
use straddle_engine::diagnostic::Sources;
use straddle_engine::plan::{ChangeAction, Mode, Options, Plan, Reason};
use straddle_engine::run::RunError;
use straddle_engine::spec::{Spec, SpecText, load_text};
use straddle_engine::state::State;
use straddle_engine::value::Value;
use straddle_testkit::cloud::{Deed, Pace};
use straddle_testkit::fault::{Fault, Faults};
use straddle_testkit::memory_files;
use straddle_testkit::simulation::{Ending, Order, World};

const SPEC: &str = r#"
[stack]
name = "seen"
[account.a]
id = "111111111111"
region = "here"
[network.main]
range = "10.0.0.0/16"
names = true
tags = { Name = "main", team = "net" }
[segment.lost]
network = "${network.main.id}"
range = "10.0.0.0/20"
[document.note]
name = "note"
body = "text"
secret = "never told"
remark = "quiet"
"#;

fn spec(world: &World, text: &str) -> Spec {
    let mut sources = Sources::default();
    sources.add("stack.toml", text.to_owned());
    let text = SpecText { sources, ..SpecText::default() };
    load_text(text, world.registry()).expect("the spec is sound").spec
}

fn state(world: &World) -> State {
    world.state("seen").expect("the state can be read").expect("there is a state")
}

fn id(state: &State, address: &str) -> String {
    let address: Address = address.parse().expect("it is an address");
    state.resources[&address].object.as_ref().expect("it is there").remote_id.to_string()
}

/// Returns a world in which others changed what was applied: a value, a tag that is gone, one
/// thing that is gone and one that is not to be shown.
fn drifted() -> (World, Spec) {
    let world = World::new(1, Pace::INSTANT);
    let spec = spec(&world, SPEC);
    world.apply(&Order::new(&spec, Mode::Apply)).ending.expect_done("the apply before");
    let state = state(&world);
    {
        let mut cloud = world.network.cloud();
        let network = id(&state, "network.main");
        cloud.set(&network, "names", Value::Bool(false));
        cloud.meddle(&network, |object| drop(object.tags.remove("team")));
        cloud.vanish(&id(&state, "segment.lost"));
        cloud.set(&id(&state, "document.note"), "remark", Value::from("loud"));
    }
    (world, spec)
}

fn planned(world: &World, order: &Order<'_>) -> Plan {
    world.plan(order).ending.expect_done("the plan")
}

fn drift(plan: &Plan) -> Vec<String> {
    let words = plan.drift.iter().map(|drift| {
        let names: Vec<_> = drift.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        format!("{} {}", drift.address, if drift.gone { "gone".to_owned() } else { names.join(" ") })
    });
    words.collect()
}

/// Returns the address, the action and the attributes of each change.
fn changes(plan: &Plan) -> Vec<(String, ChangeAction, String)> {
    let changes = plan.changes.iter().map(|change| {
        let names: Vec<_> = change.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        (change.address.to_string(), change.action, names.join(" "))
    });
    changes.collect()
}

/// Tells what calls did since the log had this length.
fn deeds(world: &World, since: usize) -> Vec<Deed> {
    world.network.cloud().log()[since..].iter().map(|entry| entry.deed).collect()
}

const ALL: [&str; 3] = ["document.note remark", "network.main names tags", "segment.lost gone"];

#[test]
fn what_others_changed_is_shown_then_recorded_and_then_a_difference_like_any_other() {
    let (world, spec) = drifted();
    let order = Order::new(&spec, Mode::Refresh);
    let plan = planned(&world, &order);
    assert_eq!(drift(&plan), ALL);
    assert!(plan.changes.is_empty() && plan.outputs.is_empty() && !plan.is_empty());
    assert!(plan.drift[0].attributes[0].sensitive);

    let start = world.network.cloud().log().len();
    let applied = world.apply(&order);
    assert_eq!(applied.mutating_calls, 0);
    applied.ending.expect_done("the refresh");
    assert!(deeds(&world, start).iter().all(|deed| *deed == Deed::Read));
    assert!(planned(&world, &order).is_empty());
    assert!(!state(&world).resources.keys().any(|address| address.to_string() == "segment.lost"));

    let wanted = Order::new(&spec, Mode::Apply);
    let plan = planned(&world, &wanted);
    assert_eq!(drift(&plan), [""; 0]);
    let changes = changes(&plan);
    assert_eq!(changes[0], ("document.note".to_owned(), ChangeAction::Update, "remark".to_owned()));
    assert_eq!(changes[1], ("network.main".to_owned(), ChangeAction::Update, "names tags".to_owned()));
    assert_eq!((&*changes[2].0, changes[2].1), ("segment.lost", ChangeAction::Create));
    assert_eq!(plan.changes[2].reasons, [Reason::New]);
    assert!(world.apply(&wanted).ending.expect_done("the repair").is_complete());
    assert!(planned(&world, &wanted).is_empty());
}

#[test]
fn what_was_recorded_stays_owned_and_goes_back_when_the_spec_gives_it_up() {
    let world = World::new(1, Pace::INSTANT);
    let before = spec(&world, &SPEC.replace("names = true", "dns = true"));
    world.apply(&Order::new(&before, Mode::Apply)).ending.expect_done("the apply before");
    let network = id(&state(&world), "network.main");
    world.network.cloud().set(&network, "dns", Value::Bool(false));
    world.network.cloud().tag(&network, "team", "others");
    world.apply(&Order::new(&before, Mode::Refresh)).ending.expect_done("the refresh");
    let text = SPEC.replace("names = true\n", "").replace(", team = \"net\"", "");
    let after = spec(&world, &text);
    let plan = planned(&world, &Order::new(&after, Mode::Apply));
    let names: Vec<_> = plan.changes[0].attributes.iter().map(|attribute| &*attribute.name).collect();
    assert_eq!(names, ["dns", "tags"], "a recorded value is ours, and given up like any other");
}

#[test]
fn a_crash_at_any_moment_loses_nothing_and_calls_nobody() {
    let (world, spec) = drifted();
    let order = Order::new(&spec, Mode::Refresh);
    let trial = world.apply(&order);
    trial.ending.expect_done("the refresh");
    let whole = state(&world).resources;
    assert!(trial.file_operations > 5);
    for operation in 0..trial.file_operations {
        let (world, spec) = drifted();
        let start = world.network.cloud().log().len();
        let order = Order::new(&spec, Mode::Refresh);
        let crashing = order.clone().with_disk_fault(operation, memory_files::Fault::Crash);
        assert!(matches!(world.apply(&crashing).ending, Ending::Crashed), "operation {operation}");
        world.apply(&order).ending.expect_done("the next refresh");
        assert_eq!(state(&world).resources, whole, "operation {operation}");
        assert!(planned(&world, &order).is_empty(), "operation {operation}");
        assert!(deeds(&world, start).iter().all(|deed| *deed == Deed::Read));
    }
}

#[test]
fn a_saved_report_is_recorded_once_and_only_as_long_as_it_is_true() {
    let (world, spec) = drifted();
    let order = Order::new(&spec, Mode::Refresh);
    let saved = planned(&world, &order);
    let network = id(&state(&world), "network.main");
    world.network.cloud().set(&network, "dns", Value::Bool(false));
    world.network.cloud().tag(&network, "Name", "another");
    let refused = world.apply_saved(&order, &saved).ending;
    assert!(matches!(refused, Ending::Refused(RunError::Stale { .. })), "{refused:?}");
    let saved = planned(&world, &order);
    world.apply_saved(&order, &saved).ending.expect_done("the refresh");
    assert!(planned(&world, &order).is_empty());
    let again = world.apply_saved(&order, &saved).ending;
    assert!(matches!(again, Ending::Refused(RunError::Stale { .. })), "{again:?}");
}

#[test]
fn drift_is_told_of_everything_also_of_what_is_left_out_or_no_longer_wanted() {
    let (world, spec_before) = drifted();
    let target = "document.note".parse().expect("it is an address");
    let options = Options { target: [target].into(), ..Options::default() };
    let partial = Order::new(&spec_before, Mode::Apply).with_options(options);
    let plan = planned(&world, &partial);
    assert_eq!((plan.changes.len(), drift(&plan)), (1, ALL.map(str::to_owned).to_vec()));
    world.apply(&partial).ending.expect_done("the partial apply");
    assert_eq!(drift(&planned(&world, &partial)), ALL[1..], "what is left out is recorded as it was");

    let (world, _) = drifted();
    let without = &SPEC[..SPEC.find("[network.main]").expect("it is in it")];
    let empty = spec(&world, without);
    assert_eq!(drift(&planned(&world, &Order::new(&empty, Mode::Apply))), ALL);
    assert_eq!(drift(&planned(&world, &Order::new(&empty, Mode::Destroy))), ALL);
}

fn from_state() -> Options {
    Options { from_state: true, ..Options::default() }
}

#[test]
fn a_plan_from_the_state_calls_nobody_and_sees_what_the_spec_changed() {
    let (world, spec_before) = drifted();
    let start = world.network.cloud().log().len();
    let plan = planned(&world, &Order::new(&spec_before, Mode::Apply).with_options(from_state()));
    assert!(plan.is_empty() && plan.drift.is_empty() && plan.options.from_state, "{plan:#?}");
    // What services do where the spec is silent is written out: that is no difference.
    let text =
        SPEC.replace("names = true", "tenancy = \"shared\"").replace("body = \"text\"", "body = \"new\"");
    let after = spec(&world, &text);
    let order = Order::new(&after, Mode::Apply).with_options(from_state());
    let trial = world.plan(&order);
    assert!(trial.events.is_empty(), "{:?}", trial.events);
    let plan = trial.ending.expect_done("the plan");
    let changes = changes(&plan);
    assert_eq!(plan.changes.len(), 2, "{plan:#?}");
    assert_eq!(changes[0], ("document.note".to_owned(), ChangeAction::Update, "body".to_owned()));
    assert_eq!(changes[1], ("network.main".to_owned(), ChangeAction::Update, "names".to_owned()));
    let destroyed = Order::new(&after, Mode::Destroy).with_options(from_state());
    assert_eq!(planned(&world, &destroyed).changes.len(), 3);
    assert_eq!(deeds(&world, start), []);
}

fn code<T>(ending: Ending<T>) -> &'static str {
    match ending {
        Ending::Refused(RunError::Diagnostics(problems)) => {
            problems.iter().next().expect("a refusal says why").code
        }
        Ending::Refused(_) | Ending::Done(_) | Ending::Crashed | Ending::Stuck => "not refused",
    }
}

#[test]
fn a_plan_from_the_state_is_never_carried_out() {
    let (world, spec) = drifted();
    let start = world.network.cloud().log().len();
    let order = Order::new(&spec, Mode::Apply).with_options(from_state());
    let saved = planned(&world, &order);
    assert_eq!(code(world.apply(&order).ending), "nothing-read");
    assert_eq!(code(world.apply_saved(&order, &saved).ending), "nothing-read");
    assert_eq!(deeds(&world, start), []);
}

#[test]
fn what_only_a_read_can_tell_is_not_guessed_from_the_state() {
    let world = World::new(1, Pace::INSTANT);
    let spec = spec(&world, SPEC);
    let order = Order::new(&spec, Mode::Apply);
    let crashing = order.clone().with_faults(Faults::none().mutating(0, Fault::CrashAfter));
    assert!(matches!(world.apply(&crashing).ending, Ending::Crashed));
    assert_eq!(code(world.plan(&order.clone().with_options(from_state())).ending), "unresolved-create");
    planned(&world, &order);
}

/// Nothing drifts by it: it was to go, and has gone.
#[test]
fn a_former_object_that_is_gone_is_recorded_as_gone() {
    let world = World::new(1, Pace::INSTANT);
    let host = |image: &str| {
        let segments = "[\"${segment.lost.id}\"]";
        spec(&world, &format!("{SPEC}[host.main]\nimage = \"{image}\"\nsegments = {segments}\n"))
    };
    world.apply(&Order::new(&host("old"), Mode::Apply)).ending.expect_done("the apply before");
    let former = id(&state(&world), "host.main");
    let wanted = host("new");
    // The first call makes the new one.
    let faults = Faults::none().mutating(1, Fault::Denied);
    world.apply(&Order::new(&wanted, Mode::Apply).with_faults(faults)).ending.expect_done("the replacement");
    let deposed =
        |world: &World| state(world).resources[&"host.main".parse().expect("an address")].deposed.len();
    assert_eq!(deposed(&world), 1);
    world.network.cloud().vanish(&former);
    let refresh = Order::new(&wanted, Mode::Refresh);
    assert!(planned(&world, &refresh).is_empty());
    world.apply(&refresh).ending.expect_done("the refresh");
    assert_eq!(deposed(&world), 0);
}
